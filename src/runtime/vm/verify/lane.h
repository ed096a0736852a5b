/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One width of a scalar: sets of numbers of 64, 32, 16 or 8 bits.
 *
 * A scalar describes all 64 bits of a register and again its low 32.  What arithmetic does to
 * them is the same but for the width, so it is written once, over a lane: known bits, an unsigned
 * and a signed range.  Numbers are held in 64 bits: unsigned ones with zeros above the width,
 * signed ones sign-extended.
 */
#pragma once

#include "runtime/vm/verify/tnum.h"

struct lane {
	struct tnum bits;
	uint64_t umin, umax;
	int64_t smin, smax;
	unsigned int width;
};

static inline uint64_t lane_mask(unsigned int width)
{
	return UINT64_MAX >> (64 - width);
}
/* The number with these `width` bits, read as signed. */
static inline int64_t lane_signed(unsigned int width, uint64_t bits)
{
	return (int64_t)(bits << (64 - width)) >> (64 - width);
}
static inline bool lane_is_const(const struct lane *l)
{
	return !l->bits.mask;
}

struct lane lane_any(unsigned int width);
struct lane lane_const(unsigned int width, uint64_t value);
/*
 * Only what lies in from, from + 1 … from + steps, counted around: past the largest
 * number comes 0.
 */
void lane_arc(struct lane *l, uint64_t from, uint64_t steps);
/* What both have; false: nothing. */
bool lane_meet(struct lane *l, const struct lane *other);
/* Let bits and ranges learn from each other.  False: there is no such number. */
bool lane_sync(struct lane *l);
/*
 * The numbers of the lane below its sign bit and those above, as unsigned ranges: at most two
 * pieces, lower first.  Returns how many.
 */
unsigned int lane_pieces(const struct lane *l, uint64_t lo[2], uint64_t hi[2]);

/* All results of a OP b.  Not synced. */
struct lane lane_alu(enum insn_alu op, const struct lane *a, const struct lane *b);
