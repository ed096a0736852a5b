/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparisons: is the outcome known, and what is known behind one.
 *
 * Of the 22 outcomes of 11 comparisons (each taken or not), exchanging the operands and
 * negating leaves eight relations; each has one function that narrows both sides.
 */
#include "runtime/vm/verify/scalar-lane.h"

#include "base/macro.h"

enum relation { REL_EQ, REL_NE, REL_LT, REL_LE, REL_SLT, REL_SLE, REL_SET, REL_CLEAR };

struct outcome {
	enum relation relation;
	bool is_swapped; /* the relation holds of (b, a) */
};

static const struct outcome outcomes[JUMP_COUNT][2] = {
	[JUMP_JEQ] = {{REL_NE, false}, {REL_EQ, false}},
	[JUMP_JNE] = {{REL_EQ, false}, {REL_NE, false}},
	[JUMP_JGT] = {{REL_LE, false}, {REL_LT, true}},
	[JUMP_JGE] = {{REL_LT, false}, {REL_LE, true}},
	[JUMP_JLT] = {{REL_LE, true}, {REL_LT, false}},
	[JUMP_JLE] = {{REL_LT, true}, {REL_LE, false}},
	[JUMP_JSGT] = {{REL_SLE, false}, {REL_SLT, true}},
	[JUMP_JSGE] = {{REL_SLT, false}, {REL_SLE, true}},
	[JUMP_JSLT] = {{REL_SLE, true}, {REL_SLT, false}},
	[JUMP_JSLE] = {{REL_SLT, true}, {REL_SLE, false}},
	[JUMP_JSET] = {{REL_CLEAR, false}, {REL_SET, false}},
};

static bool is_apart(const struct lane *a, const struct lane *b)
{
	return !tnum_meets(a->bits, b->bits) || a->umax < b->umin || b->umax < a->umin ||
	       a->smax < b->smin || b->smax < a->smin;
}

/* Can the relation hold? */
static bool can_be(enum relation r, const struct lane *a, const struct lane *b)
{
	switch (r) {
	case REL_EQ:
		return !is_apart(a, b);
	case REL_NE:
		return !(lane_is_const(a) && lane_is_const(b) && a->bits.value == b->bits.value);
	case REL_LT:
		return a->umin < b->umax;
	case REL_LE:
		return a->umin <= b->umax;
	case REL_SLT:
		return a->smin < b->smax;
	case REL_SLE:
		return a->smin <= b->smax;
	case REL_SET:
		return (a->bits.value | a->bits.mask) & (b->bits.value | b->bits.mask);
	case REL_CLEAR:
		return !(a->bits.value & b->bits.value);
	}
	return true;
}

static bool may_be(const struct scalar *a, const struct scalar *b, struct outcome o, bool is_32)
{
	struct lane la, lb;

	if (o.is_swapped)
		return may_be(b, a, (struct outcome){o.relation, false}, is_32);
	la = scalar_lane(a, is_32);
	lb = scalar_lane(b, is_32);
	if (!can_be(o.relation, &la, &lb))
		return false;
	if (is_32 || o.relation != REL_EQ)
		return true;
	/* numbers whose low halves differ are not equal */
	la = scalar_lane(a, true);
	lb = scalar_lane(b, true);
	return can_be(o.relation, &la, &lb);
}

int scalar_branch(const struct scalar *a, const struct scalar *b, enum insn_jump op, bool is_32)
{
	if (!may_be(a, b, outcomes[op][true], is_32))
		return 0;
	if (!may_be(a, b, outcomes[op][false], is_32))
		return 1;
	return -1;
}

/* `l` is not the number `c`: an end that is it moves. */
static bool exclude(struct lane *l, uint64_t c)
{
	int64_t number = lane_signed(l->width, c);

	if (lane_is_const(l) && l->bits.value == c)
		return false;
	if (l->umin == c && l->umin < l->umax)
		l->umin++;
	if (l->umax == c && l->umin < l->umax)
		l->umax--;
	if (l->smin == number && l->smin < l->smax)
		l->smin++;
	if (l->smax == number && l->smin < l->smax)
		l->smax--;
	return true;
}

/* a & b is not 0: if only one bit can be common, both have it. */
static void common_bit(struct lane *a, struct lane *b)
{
	uint64_t both = (a->bits.value | a->bits.mask) & (b->bits.value | b->bits.mask);

	if (!both || both & (both - 1))
		return;
	a->bits.value |= both;
	a->bits.mask &= ~both;
	b->bits.value |= both;
	b->bits.mask &= ~both;
}

/* Both lanes, where the relation holds.  False: it cannot. */
static bool narrow(enum relation r, struct lane *a, struct lane *b)
{
	if (!can_be(r, a, b))
		return false;
	switch (r) {
	case REL_EQ:
		if (!lane_meet(a, b))
			return false;
		*b = *a;
		return true;
	case REL_NE:
		if (lane_is_const(b))
			return exclude(a, b->bits.value);
		return !lane_is_const(a) || exclude(b, a->bits.value);
	case REL_LT:
		a->umax = MIN(a->umax, b->umax - 1);
		b->umin = MAX(b->umin, a->umin + 1);
		return true;
	case REL_LE:
		a->umax = MIN(a->umax, b->umax);
		b->umin = MAX(b->umin, a->umin);
		return true;
	case REL_SLT:
		a->smax = MIN(a->smax, b->smax - 1);
		b->smin = MAX(b->smin, a->smin + 1);
		return true;
	case REL_SLE:
		a->smax = MIN(a->smax, b->smax);
		b->smin = MAX(b->smin, a->smin);
		return true;
	case REL_SET:
		common_bit(a, b);
		return true;
	case REL_CLEAR:
		a->bits.mask &= ~b->bits.value;
		b->bits.mask &= ~a->bits.value;
		return true;
	}
	return true;
}

static bool refine(struct scalar *a, struct scalar *b, enum relation r, bool is_32)
{
	struct lane la = scalar_lane(a, is_32), lb = scalar_lane(b, is_32);

	if (r == REL_EQ && !is_32) {
		struct lane a32 = scalar_lane(a, true), b32 = scalar_lane(b, true);

		if (!narrow(r, &a32, &b32) || !scalar_put(a, &a32))
			return false;
		la = scalar_lane(a, false);
	}
	if (!narrow(r, &la, &lb) || !scalar_put(a, &la))
		return false;
	if (r == REL_EQ && !is_32) {
		*b = *a;
		return true;
	}
	return scalar_put(b, &lb);
}

bool scalar_refine(struct scalar *a, struct scalar *b, enum insn_jump op, bool is_32, bool taken)
{
	struct outcome o = outcomes[op][taken];

	if (a == b) {
		/* a register with itself: only JSET's outcome says something of it */
		struct scalar copy = *a;

		return scalar_refine(a, &copy, op, is_32, taken) && o.relation != REL_NE &&
		       o.relation != REL_LT && o.relation != REL_SLT;
	}
	return o.is_swapped ? refine(b, a, o.relation, is_32) : refine(a, b, o.relation, is_32);
}
