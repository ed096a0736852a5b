/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalars: the two lanes of a register, 64 bits and the low 32, kept in step.
 *
 * From 64 to 32: a range of 64-bit numbers that is shorter than 2^32 is an arc of their low
 * halves.  From 32 to 64: an end of the range moves to the nearest number whose low half
 * can be.  Known bits are common to both.  An operation is worked out in each lane (lane-alu.c),
 * and what the lanes know is put together.
 */
#include "runtime/vm/verify/scalar-lane.h"

#include "base/macro.h"

void scalar_any(struct scalar *s)
{
	*s = (struct scalar){
		.bits = {0, UINT64_MAX},
		.umax = UINT64_MAX,
		.smin = INT64_MIN,
		.smax = INT64_MAX,
		.umax32 = UINT32_MAX,
		.smin32 = INT32_MIN,
		.smax32 = INT32_MAX,
	};
}

void scalar_set(struct scalar *s, uint64_t value)
{
	*s = (struct scalar){
		.bits = {value, 0},
		.umin = value,
		.umax = value,
		.smin = (int64_t)value,
		.smax = (int64_t)value,
		.umin32 = (uint32_t)value,
		.umax32 = (uint32_t)value,
		.smin32 = (int32_t)value,
		.smax32 = (int32_t)value,
	};
}

void scalar_range(struct scalar *s, uint64_t umin, uint64_t umax)
{
	scalar_any(s);
	s->umin = umin;
	s->umax = umax;
	if (!scalar_sync(s))
		scalar_any(s);
}

struct lane scalar_lane(const struct scalar *s, bool is_32)
{
	if (is_32)
		return (struct lane){tnum_cut(s->bits, UINT32_MAX),
				     s->umin32,
				     s->umax32,
				     s->smin32,
				     s->smax32,
				     32};
	return (struct lane){s->bits, s->umin, s->umax, s->smin, s->smax, 64};
}

/* Known bits stay what they are: they are common to the lanes. */
static void put_ranges(struct scalar *s, const struct lane *l)
{
	if (l->width == 32) {
		s->umin32 = (uint32_t)l->umin;
		s->umax32 = (uint32_t)l->umax;
		s->smin32 = (int32_t)l->smin;
		s->smax32 = (int32_t)l->smax;
	} else {
		s->umin = l->umin;
		s->umax = l->umax;
		s->smin = l->smin;
		s->smax = l->smax;
	}
}

bool scalar_put(struct scalar *s, const struct lane *l)
{
	struct tnum bits = l->bits;

	if (l->width == 32) {
		bits.value |= s->bits.value & ~(uint64_t)UINT32_MAX;
		bits.mask |= s->bits.mask & ~(uint64_t)UINT32_MAX;
	}
	s->bits = bits;
	put_ranges(s, l);
	return scalar_sync(s);
}

static bool has_const(const struct scalar *s, uint64_t value)
{
	return value >= s->umin && value <= s->umax && (int64_t)value >= s->smin &&
	       (int64_t)value <= s->smax && (uint32_t)value >= s->umin32 &&
	       (uint32_t)value <= s->umax32 && (int32_t)value >= s->smin32 &&
	       (int32_t)value <= s->smax32;
}

bool scalar_has(const struct scalar *s, uint64_t value)
{
	return tnum_has(s->bits, value) && has_const(s, value);
}

/* What low halves can be: pieces of the 32-bit lane. */
struct low {
	uint64_t lo[2], hi[2];
	unsigned int n;
};

/* The least number that is at least `from` and has such a low half. */
static bool low_ceil(const struct low *low, uint64_t from, uint64_t *ret)
{
	uint64_t high = from & ~(uint64_t)UINT32_MAX, at = from & UINT32_MAX;

	for (unsigned int i = 0; i < low->n; i++) {
		if (at > low->hi[i])
			continue;
		*ret = high | MAX(at, low->lo[i]);
		return true;
	}
	*ret = (high + (1ull << 32)) | low->lo[0];
	return *ret > from;
}

/* The largest that is at most `to`. */
static bool low_floor(const struct low *low, uint64_t to, uint64_t *ret)
{
	uint64_t high = to & ~(uint64_t)UINT32_MAX, at = to & UINT32_MAX;

	for (unsigned int i = low->n; i--;) {
		if (at < low->lo[i])
			continue;
		*ret = high | MIN(at, low->hi[i]);
		return true;
	}
	*ret = (high - (1ull << 32)) | low->hi[low->n - 1];
	return *ret < to;
}

/* The signed order is the unsigned one with the sign bit turned. */
static bool learn_from_low(struct lane *l, const struct lane *l32)
{
	const uint64_t sign = 1ull << 63;
	uint64_t smin = (uint64_t)l->smin ^ sign, smax = (uint64_t)l->smax ^ sign;
	struct low low;

	low.n = lane_pieces(l32, low.lo, low.hi);
	if (!low.n || !low_ceil(&low, l->umin, &l->umin) || !low_floor(&low, l->umax, &l->umax) ||
	    !low_ceil(&low, smin, &smin) || !low_floor(&low, smax, &smax))
		return false;
	l->smin = (int64_t)(smin ^ sign);
	l->smax = (int64_t)(smax ^ sign);
	return l->umin <= l->umax && l->smin <= l->smax;
}

/* The lanes learn from each other once.  `ret`: the 64-bit one learned something. */
static bool sync_once(struct lane *l, struct lane *l32, bool *ret)
{
	const uint64_t high = ~(uint64_t)UINT32_MAX;
	struct lane before;

	if (!lane_sync(l))
		return false;
	lane_arc(l32, l->umin, l->umax - l->umin);
	lane_arc(l32, (uint64_t)l->smin, (uint64_t)l->smax - (uint64_t)l->smin);
	l32->bits = tnum_cut(l->bits, UINT32_MAX);
	if (!lane_sync(l32))
		return false;
	*ret = l32->bits.mask != (l->bits.mask & UINT32_MAX);
	l->bits.mask = (l->bits.mask & high) | l32->bits.mask;
	l->bits.value = (l->bits.value & high) | l32->bits.value;
	if (l32->umin == 0 && l32->umax == UINT32_MAX && l32->smin == INT32_MIN &&
	    l32->smax == INT32_MAX)
		return true;
	before = *l;
	if (!learn_from_low(l, l32))
		return false;
	*ret |= before.umin != l->umin || before.umax != l->umax || before.smin != l->smin ||
		before.smax != l->smax;
	return true;
}

static bool sync_const(struct scalar *s)
{
	uint64_t value = s->bits.value;
	bool is_there = has_const(s, value);

	scalar_set(s, value);
	return is_there;
}

/*
 * Numbers that fit into 31 bits, which most are: both lanes and both orders say the same, so one
 * range is enough.
 */
static bool sync_small(struct scalar *s)
{
	uint64_t lo = MAX(s->umin, s->umin32), hi = MIN(s->umax, s->umax32);
	struct tnum more;

	if (s->smax < 0 || s->smax32 < 0 || s->bits.value > INT32_MAX)
		return false;
	lo = MAX(lo, (uint64_t)MAX(s->smin, MAX(s->smin32, 0)));
	hi = MIN(hi, (uint64_t)MIN(s->smax, s->smax32));
	s->bits.mask &= INT32_MAX;
	for (;;) {
		if (lo > hi || !tnum_ceil(s->bits, lo, &lo) || !tnum_floor(s->bits, hi, &hi) ||
		    lo > hi)
			return false;
		more = tnum_range(lo, hi);
		if (!(s->bits.mask & ~more.mask))
			break;
		s->bits = tnum_and_also(s->bits, more);
	}
	s->umin = lo;
	s->umax = hi;
	s->smin = (int64_t)lo;
	s->smax = (int64_t)hi;
	s->umin32 = (uint32_t)lo;
	s->umax32 = (uint32_t)hi;
	s->smin32 = (int32_t)lo;
	s->smax32 = (int32_t)hi;
	return true;
}

bool scalar_sync(struct scalar *s)
{
	struct lane l, l32;
	bool again = true;

	if (scalar_is_const(s))
		return sync_const(s);
	s->umax = MIN(s->umax, s->bits.value | s->bits.mask);
	if (s->smin >= 0 && s->smax >= 0)
		s->umax = MIN(s->umax, (uint64_t)s->smax);
	if (s->umax <= INT32_MAX)
		return sync_small(s);
	l = scalar_lane(s, false);
	l32 = scalar_lane(s, true);
	/* each round only narrows; what is not learned in a few is not worth more */
	for (unsigned int round = 0; round < 4 && again; round++)
		if (!sync_once(&l, &l32, &again))
			return false;
	s->bits = l.bits;
	put_ranges(s, &l);
	put_ranges(s, &l32);
	if (scalar_is_const(s))
		return sync_const(s);
	return true;
}

/* The low half is `l`, the upper one 0. */
static void set_low(struct scalar *s, const struct lane *l)
{
	scalar_any(s);
	s->bits = l->bits;
	put_ranges(s, l);
	/* only sets that are empty already: then nothing runs with it */
	if (!scalar_sync(s))
		scalar_any(s);
}

static void learn_arcs(struct lane *narrow, const struct lane *l)
{
	uint64_t all = lane_mask(l->width);

	lane_arc(narrow, l->umin, (l->umax - l->umin) & all);
	lane_arc(narrow, (uint64_t)l->smin, ((uint64_t)l->smax - (uint64_t)l->smin) & all);
}

/* The low `width` bits, as a lane of their own. */
static struct lane low_lane(const struct scalar *s, unsigned int width)
{
	struct lane l = scalar_lane(s, false), l32 = scalar_lane(s, true), narrow;

	if (width == 64 || width == 32)
		return width == 32 ? l32 : l;
	narrow = lane_any(width);
	narrow.bits = tnum_cut(s->bits, lane_mask(width));
	learn_arcs(&narrow, &l);
	if (width < 32)
		learn_arcs(&narrow, &l32);
	if (!lane_sync(&narrow))
		return lane_any(width);
	return narrow;
}

/* The low `width` bits after << by: the bits that stay, moved up. */
static struct lane shift_left(const struct scalar *s, unsigned int width, unsigned int by)
{
	struct lane low = low_lane(s, width - by), d = lane_any(width);

	d.bits.value = low.bits.value << by;
	d.bits.mask = low.bits.mask << by;
	d.umin = low.umin << by;
	d.umax = low.umax << by;
	d.smin = (int64_t)((uint64_t)low.smin << by);
	d.smax = (int64_t)((uint64_t)low.smax << by);
	return d;
}

/* Do the low halves of the operands decide the low half of the result? */
static bool works_by_halves(enum insn_alu op, const struct scalar *src)
{
	switch (op) {
	case ALU_ADD:
	case ALU_SUB:
	case ALU_MUL:
	case ALU_OR:
	case ALU_AND:
	case ALU_XOR:
		return true;
	case ALU_LSH:
		return src->umax < 32;
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_RSH:
	case ALU_MOD:
	case ALU_SMOD:
	case ALU_MOV:
	case ALU_ARSH:
	case ALU_COUNT:
		break;
	}
	return false;
}

static void shift_left_by(struct scalar *s, bool is_32, uint64_t by)
{
	struct lane d = shift_left(s, 32, by & 31), wide;

	if (is_32) {
		set_low(s, &d);
		return;
	}
	by &= 63;
	wide = shift_left(s, 64, (unsigned int)by);
	d = by < 32 ? d : lane_const(32, 0);
	put_ranges(s, &d);
	if (!scalar_put(s, &wide))
		scalar_any(s);
}

/* Each lane for itself. */
static void alu_lanes(struct scalar *dst, enum insn_alu op, bool is_32, const struct scalar *src)
{
	struct lane a = scalar_lane(dst, true), b = scalar_lane(src, true), d;

	d = is_32 || works_by_halves(op, src) ? lane_alu(op, &a, &b) : lane_any(32);
	if (is_32) {
		set_low(dst, &d);
		return;
	}
	put_ranges(dst, &d);
	a = scalar_lane(dst, false);
	b = scalar_lane(src, false);
	d = lane_alu(op, &a, &b);
	if (!scalar_put(dst, &d))
		scalar_any(dst);
}

static void any_ranges(struct scalar *s)
{
	struct tnum bits = s->bits;

	scalar_any(s);
	s->bits = bits;
}

void scalar_alu(struct scalar *dst, enum insn_alu op, bool is_32, const struct scalar *src)
{
	struct lane a, b, d;

	if (op == ALU_MOV) {
		*dst = *src;
		if (is_32)
			scalar_cut(dst, 4, false, false);
		return;
	}
	if (scalar_is_const(dst) && scalar_is_const(src)) {
		scalar_set(dst, insn_alu_eval(op, is_32, dst->bits.value, src->bits.value));
		return;
	}
	if (op == ALU_LSH && scalar_is_const(src)) {
		shift_left_by(dst, is_32, src->bits.value);
		return;
	}
	if (is_32 || dst->umax > INT32_MAX || src->umax > INT32_MAX) {
		alu_lanes(dst, op, is_32, src);
		return;
	}
	/* small numbers: the lanes say the same, unless the result is not small */
	a = scalar_lane(dst, false);
	b = scalar_lane(src, false);
	d = lane_alu(op, &a, &b);
	if (d.umax > INT32_MAX) {
		alu_lanes(dst, op, is_32, src);
		return;
	}
	any_ranges(dst);
	if (!scalar_put(dst, &d))
		scalar_any(dst);
}

void scalar_neg(struct scalar *dst, bool is_32)
{
	struct scalar zero;

	scalar_set(&zero, 0);
	scalar_alu(&zero, ALU_SUB, is_32, dst);
	*dst = zero;
}

static bool is_any(const struct scalar *s)
{
	return s->bits.mask == UINT64_MAX && s->umin == 0 && s->umax == UINT64_MAX &&
	       s->smin == INT64_MIN && s->smax == INT64_MAX && s->umin32 == 0 &&
	       s->umax32 == UINT32_MAX && s->smin32 == INT32_MIN && s->smax32 == INT32_MAX;
}

void scalar_cut(struct scalar *s, unsigned int bytes, bool is_signed, bool to_32)
{
	struct lane l;

	if (bytes <= 2 && !is_signed && is_any(s)) {
		/* what most loads are */
		scalar_any(s);
		s->umax = s->bits.mask = lane_mask(8 * bytes);
		sync_small(s);
		return;
	}
	l = low_lane(s, 8 * MIN(bytes, 8));
	if (bytes < 8) {
		scalar_any(s);
		if (is_signed) {
			s->bits.value = (uint64_t)lane_signed(l.width, l.bits.value);
			s->bits.mask = (uint64_t)lane_signed(l.width, l.bits.mask);
			s->smin = l.smin;
			s->smax = l.smax;
		} else {
			s->bits = l.bits;
			s->umin = l.umin;
			s->umax = l.umax;
		}
		if (l.width == 32)
			put_ranges(s, &l);
		if (!scalar_sync(s))
			scalar_any(s);
	}
	if (to_32 && (is_signed || bytes > 4))
		scalar_cut(s, 4, false, false);
}

static uint64_t swap_bytes(uint64_t v, unsigned int bits)
{
	return __builtin_bswap64(v) >> (64 - bits);
}

void scalar_swap(struct scalar *s, unsigned int bits, bool is_swap)
{
	scalar_cut(s, bits / 8, false, false);
	if (is_swap) {
		struct tnum t = {swap_bytes(s->bits.value, bits), swap_bytes(s->bits.mask, bits)};

		scalar_any(s);
		s->bits = t;
		scalar_sync(s);
	}
}
