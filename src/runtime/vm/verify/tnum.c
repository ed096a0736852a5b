/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of tristate numbers.
 *
 * Addition: take the smallest sum (unknown bits 0) and the largest (unknown bits 1).  A bit
 * at which they differ beyond the unknown bits themselves can have got a carry: it is unknown.
 */
#include "runtime/vm/verify/tnum.h"

struct tnum tnum_range(uint64_t min, uint64_t max)
{
	uint64_t differ = min ^ max, mask;

	if (!differ)
		return tnum_of(min);
	mask = UINT64_MAX >> __builtin_clzll(differ);
	return (struct tnum){min & ~mask, mask};
}

struct tnum tnum_add(struct tnum a, struct tnum b)
{
	uint64_t least = a.value + b.value;
	uint64_t most = least + a.mask + b.mask;
	uint64_t mask = (least ^ most) | a.mask | b.mask;

	return (struct tnum){least & ~mask, mask};
}

struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	uint64_t middle = a.value - b.value;
	uint64_t mask = ((middle + a.mask) ^ (middle - b.mask)) | a.mask | b.mask;

	return (struct tnum){middle & ~mask, mask};
}

/*
 * As on paper, bit by bit of `a`: known 1 adds the shifted `b`, unknown may add it or not.  As
 * the known parts multiply exactly, only what is unknown is added up that way.
 */
struct tnum tnum_mul(struct tnum a, struct tnum b)
{
	struct tnum sum = {0, 0};
	uint64_t known = a.value * b.value;

	for (uint64_t left = a.value | a.mask; left; left &= left - 1) {
		unsigned int k = (unsigned int)__builtin_ctzll(left);
		uint64_t unknown = (a.mask >> k & 1) ? b.value | b.mask : b.mask;

		sum = tnum_add(sum, (struct tnum){0, unknown << k});
	}
	return tnum_add(sum, tnum_of(known));
}

/*
 * Put `from`'s bits where `t` does not know: that agrees with `from` down to the highest known
 * bit that differs.  If it is 1 there, what is below is free to be least; if it is 0, a
 * higher unknown bit must become 1.
 */
bool tnum_ceil(struct tnum t, uint64_t from, uint64_t *ret)
{
	uint64_t differ = (from ^ t.value) & ~t.mask, below, up;

	if (!differ) {
		*ret = from;
		return true;
	}
	below = UINT64_MAX >> __builtin_clzll(differ);
	up = below ^ (below >> 1);
	if (!(t.value & up)) {
		up = t.mask & ~from & ~below;
		if (!up)
			return false;
		up &= -up;
		below = up | (up - 1);
	}
	*ret = (from & ~below) | up | (t.value & (below & ~up));
	return true;
}

bool tnum_floor(struct tnum t, uint64_t to, uint64_t *ret)
{
	struct tnum flipped = {~t.value & ~t.mask, t.mask};
	uint64_t least;

	if (!tnum_ceil(flipped, ~to, &least))
		return false;
	*ret = ~least;
	return true;
}
