/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two scalars: does one hold the other; one that holds both; one that ends a chain of them.
 */
#include "runtime/vm/verify/scalar-lane.h"

#include "base/macro.h"

bool scalar_within(const struct scalar *large, const struct scalar *small)
{
	return tnum_within(large->bits, small->bits) && large->umin <= small->umin &&
	       large->umax >= small->umax && large->smin <= small->smin &&
	       large->smax >= small->smax && large->umin32 <= small->umin32 &&
	       large->umax32 >= small->umax32 && large->smin32 <= small->smin32 &&
	       large->smax32 >= small->smax32;
}

void scalar_join(struct scalar *to, const struct scalar *other)
{
	to->bits = tnum_join(to->bits, other->bits);
	to->umin = MIN(to->umin, other->umin);
	to->umax = MAX(to->umax, other->umax);
	to->smin = MIN(to->smin, other->smin);
	to->smax = MAX(to->smax, other->smax);
	to->umin32 = MIN(to->umin32, other->umin32);
	to->umax32 = MAX(to->umax32, other->umax32);
	to->smin32 = MIN(to->smin32, other->smin32);
	to->smax32 = MAX(to->smax32, other->smax32);
}

/* Where limits stop that grow: sizes of numbers. */
static uint64_t next_limit(uint64_t v)
{
	static const uint64_t limits[] = {0,	      UINT8_MAX, UINT16_MAX, INT32_MAX,
					  UINT32_MAX, INT64_MAX, UINT64_MAX};

	for (unsigned int i = 0; i < ELEMENTS(limits); i++)
		if (v <= limits[i])
			return limits[i];
	return UINT64_MAX;
}

static int64_t next_signed(int64_t v)
{
	return v < 0 ? (int64_t)~next_limit((uint64_t)~v) : (int64_t)next_limit((uint64_t)v);
}

void scalar_widen(struct scalar *to, const struct scalar *newer)
{
	struct scalar old = *to;
	uint64_t grown;

	scalar_join(to, newer);
	/* a bit that became unknown takes those above with it; alignment stays known */
	grown = to->bits.mask & ~old.bits.mask;
	if (grown) {
		to->bits.mask |= -(grown & -grown);
		to->bits.value &= ~to->bits.mask;
	}
	if (to->umin < old.umin)
		to->umin = 0;
	if (to->umax > old.umax)
		to->umax = next_limit(to->umax);
	if (to->smin < old.smin)
		to->smin = to->smin >= 0 ? 0 : next_signed(to->smin);
	if (to->smax > old.smax)
		to->smax = to->smax < 0 ? -1 : next_signed(to->smax);
	if (to->umin32 < old.umin32)
		to->umin32 = 0;
	if (to->umax32 > old.umax32)
		to->umax32 = (uint32_t)next_limit(to->umax32);
	if (to->smin32 < old.smin32)
		to->smin32 = to->smin32 >= 0 ? 0 : (int32_t)next_signed(to->smin32);
	if (to->smax32 > old.smax32)
		to->smax32 = to->smax32 < 0 ? -1 : (int32_t)next_signed(to->smax32);
	scalar_sync(to);
}
