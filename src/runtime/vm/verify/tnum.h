/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tristate numbers: of each bit it is known that it is 0, that it is 1, or nothing.
 *
 * struct tnum is in scalar.h.  All functions are exact or give more than there is, never less.
 * Source: H. Vishwanathan et al., CGO 2022.
 */
#pragma once

#include "runtime/vm/verify/scalar.h"

static inline struct tnum tnum_of(uint64_t value)
{
	return (struct tnum){value, 0};
}
static inline bool tnum_has(struct tnum t, uint64_t value)
{
	return !((value ^ t.value) & ~t.mask);
}
/* Is each number of `small` one of `large`? */
static inline bool tnum_within(struct tnum large, struct tnum small)
{
	return !(small.mask & ~large.mask) && tnum_has(large, small.value);
}
/* Have they a number in common? */
static inline bool tnum_meets(struct tnum a, struct tnum b)
{
	return !((a.value ^ b.value) & ~a.mask & ~b.mask);
}
/* What both have; they must meet. */
static inline struct tnum tnum_and_also(struct tnum a, struct tnum b)
{
	uint64_t mask = a.mask & b.mask;

	return (struct tnum){(a.value | b.value) & ~mask, mask};
}
/* What either has. */
static inline struct tnum tnum_join(struct tnum a, struct tnum b)
{
	uint64_t mask = a.mask | b.mask | (a.value ^ b.value);

	return (struct tnum){a.value & ~mask, mask};
}
/* Only the bits of `keep`; the others are 0. */
static inline struct tnum tnum_cut(struct tnum t, uint64_t keep)
{
	return (struct tnum){t.value & keep, t.mask & keep};
}

struct tnum tnum_range(uint64_t min, uint64_t max);
struct tnum tnum_add(struct tnum a, struct tnum b);
struct tnum tnum_sub(struct tnum a, struct tnum b);
struct tnum tnum_mul(struct tnum a, struct tnum b);
static inline struct tnum tnum_and(struct tnum a, struct tnum b)
{
	uint64_t ones = a.value & b.value;

	return (struct tnum){ones, (a.value | a.mask) & (b.value | b.mask) & ~ones};
}
static inline struct tnum tnum_or(struct tnum a, struct tnum b)
{
	uint64_t ones = a.value | b.value;

	return (struct tnum){ones, (a.mask | b.mask) & ~ones};
}
static inline struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	uint64_t mask = a.mask | b.mask;

	return (struct tnum){(a.value ^ b.value) & ~mask, mask};
}

/* The least number of `t` that is at least `from`; false: there is none. */
bool tnum_ceil(struct tnum t, uint64_t from, uint64_t *ret);
/* The largest that is at most `to`. */
bool tnum_floor(struct tnum t, uint64_t to, uint64_t *ret);
