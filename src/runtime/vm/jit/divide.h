/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Division by a constant, by multiplication.
 *
 * a / d = a × (2^p / d) / 2^p.  If m = ⌈2^p / d⌉ is close enough to 2^p / d, the product's upper
 * part is the exact quotient for every a (Granlund, Montgomery 1994).  p is the least that
 * will do; then m has at most one bit more than a.  That bit is kept apart (is_long): the
 * quotient is then ((a - t) / 2 + t) >> (shift - 1), with t the upper half of a × m.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum divide_how {
	DIVIDE_ZERO,  /* d is 0: the quotient is 0, the rest a */
	DIVIDE_SHIFT, /* a >> shift */
	DIVIDE_ONCE,  /* d > a / 2 always: the quotient is a >= d */
	DIVIDE_MUL,   /* (a × m) >> (bits + shift) */
	DIVIDE_LONG,  /* with the step above */
};
struct divide {
	enum divide_how how;
	unsigned int shift;
	uint64_t m;
};

/* For numbers of 32 or 64 bits. */
struct divide divide_by(uint64_t d, unsigned int bits);
