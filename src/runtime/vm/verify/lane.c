/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes: how known bits, unsigned and signed range learn from each other.
 *
 * Both orders cut the numbers into the same two pieces: those without the sign bit and those
 * with it; they only put them in different order.  Within a piece signed and unsigned
 * order agree.  So the exact common part of the ranges is: intersect them piece by piece, move
 * each end to the nearest number that the known bits allow, and read both ranges off the
 * pieces that are left.
 */
#include "runtime/vm/verify/lane.h"

#include "base/macro.h"

struct lane lane_any(unsigned int width)
{
	uint64_t all = lane_mask(width);

	return (struct lane){.bits = {0, all},
			     .umax = all,
			     .smin = -(int64_t)(all >> 1) - 1,
			     .smax = (int64_t)(all >> 1),
			     .width = width};
}

struct lane lane_const(unsigned int width, uint64_t value)
{
	int64_t number = lane_signed(width, value);

	value &= lane_mask(width);
	return (struct lane){tnum_of(value), value, value, number, number, width};
}

void lane_arc(struct lane *l, uint64_t from, uint64_t steps)
{
	uint64_t all = lane_mask(l->width), to;
	int64_t sfrom, sto;

	if (steps >= all)
		return;
	from &= all;
	to = (from + steps) & all;
	if (from <= to) {
		l->umin = MAX(l->umin, from);
		l->umax = MIN(l->umax, to);
	}
	sfrom = lane_signed(l->width, from);
	sto = lane_signed(l->width, to);
	if (sfrom <= sto) {
		l->smin = MAX(l->smin, sfrom);
		l->smax = MIN(l->smax, sto);
	}
}

bool lane_meet(struct lane *l, const struct lane *other)
{
	if (!tnum_meets(l->bits, other->bits))
		return false;
	l->bits = tnum_and_also(l->bits, other->bits);
	l->umin = MAX(l->umin, other->umin);
	l->umax = MIN(l->umax, other->umax);
	l->smin = MAX(l->smin, other->smin);
	l->smax = MIN(l->smax, other->smax);
	return l->umin <= l->umax && l->smin <= l->smax;
}

/* One piece; both ends become members. */
static bool piece(const struct tnum *bits, uint64_t *lo, uint64_t *hi)
{
	return *lo <= *hi && tnum_ceil(*bits, *lo, lo) && tnum_floor(*bits, *hi, hi) && *lo <= *hi;
}

unsigned int lane_pieces(const struct lane *l, uint64_t lo[2], uint64_t hi[2])
{
	uint64_t all = lane_mask(l->width), half = all >> 1;
	unsigned int n = 0;

	if (l->smax >= 0) {
		lo[n] = MAX(l->umin, l->smin < 0 ? 0 : (uint64_t)l->smin);
		hi[n] = MIN(l->umax, (uint64_t)l->smax);
		n += piece(&l->bits, &lo[n], &hi[n]);
	}
	if (l->smin < 0) {
		lo[n] = MAX(l->umin, MAX((uint64_t)l->smin & all, half + 1));
		hi[n] = MIN(l->umax, l->smax >= 0 ? all : (uint64_t)l->smax & all);
		n += piece(&l->bits, &lo[n], &hi[n]);
	}
	return n;
}

bool lane_sync(struct lane *l)
{
	uint64_t half = lane_mask(l->width) >> 1, lo[2], hi[2];

	for (;;) {
		struct tnum more;
		unsigned int n = lane_pieces(l, lo, hi);

		if (!n)
			return false;
		l->umin = lo[0];
		l->umax = hi[n - 1];
		/* in signed order the piece with the sign bit comes first, if there is one */
		l->smin = lane_signed(l->width, lo[n - 1] > half ? lo[n - 1] : lo[0]);
		l->smax = lane_signed(l->width, lo[0] > half ? hi[n - 1] : hi[0]);
		more = tnum_range(l->umin, l->umax);
		if (!(l->bits.mask & ~more.mask))
			return true;
		l->bits = tnum_and_also(l->bits, more);
	}
}
