/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic over lanes: of two sets of numbers, a set that holds every result.
 *
 * Each function starts from "anything" and adds what it knows: bits, ranges, or arcs.  An arc
 * is a range that may run around the end of the numbers: addition moves it, so that a sum
 * whose ends both wrap is still known.  Meaning of the operations: isa/alu.def, with division by 0
 * and too large shifts as it has them.
 */
#include "runtime/vm/verify/lane.h"

#include "base/macro.h"

typedef __int128 s128;
typedef unsigned __int128 u128;

static void limit_u(struct lane *l, uint64_t min, uint64_t max)
{
	l->umin = MAX(l->umin, min);
	l->umax = MIN(l->umax, max);
}

static void limit_s(struct lane *l, int64_t min, int64_t max)
{
	l->smin = MAX(l->smin, min);
	l->smax = MIN(l->smax, max);
}

static uint64_t u_steps(const struct lane *l)
{
	return l->umax - l->umin;
}

static uint64_t s_steps(const struct lane *l)
{
	return (uint64_t)l->smax - (uint64_t)l->smin;
}

/* The sum of two arcs is one, unless it covers all. */
static void arc_sum(struct lane *d, uint64_t from, uint64_t steps, uint64_t more)
{
	uint64_t sum;

	if (!__builtin_add_overflow(steps, more, &sum))
		lane_arc(d, from, sum);
}

/* Both orders say the same of it: as arcs, its ranges are one. */
static bool is_one_arc(const struct lane *l)
{
	return lane_is_const(l) || ((uint64_t)l->smin == l->umin && (uint64_t)l->smax == l->umax);
}

static void alu_add(struct lane *d, const struct lane *a, const struct lane *b)
{
	d->bits = tnum_cut(tnum_add(a->bits, b->bits), lane_mask(d->width));
	arc_sum(d, a->umin + b->umin, u_steps(a), u_steps(b));
	if (is_one_arc(a) && is_one_arc(b))
		return;
	arc_sum(d, (uint64_t)a->smin + (uint64_t)b->smin, s_steps(a), s_steps(b));
	if (is_one_arc(a) || is_one_arc(b))
		return;
	arc_sum(d, a->umin + (uint64_t)b->smin, u_steps(a), s_steps(b));
	arc_sum(d, (uint64_t)a->smin + b->umin, s_steps(a), u_steps(b));
}

static void alu_sub(struct lane *d, const struct lane *a, const struct lane *b)
{
	d->bits = tnum_cut(tnum_sub(a->bits, b->bits), lane_mask(d->width));
	arc_sum(d, a->umin - b->umax, u_steps(a), u_steps(b));
	if (is_one_arc(a) && is_one_arc(b))
		return;
	arc_sum(d, (uint64_t)a->smin - (uint64_t)b->smax, s_steps(a), s_steps(b));
	if (is_one_arc(a) || is_one_arc(b))
		return;
	arc_sum(d, a->umin - (uint64_t)b->smax, u_steps(a), s_steps(b));
	arc_sum(d, (uint64_t)a->smin - b->umax, s_steps(a), u_steps(b));
}

/* All products of [min, max] x [c, d] lie between those of the corners. */
static void mul_signed(struct lane *d, const struct lane *a, const struct lane *b)
{
	s128 at[4] = {(s128)a->smin * b->smin, (s128)a->smin * b->smax, (s128)a->smax * b->smin,
		      (s128)a->smax * b->smax};
	s128 min = at[0], max = at[0];

	for (unsigned int i = 1; i < ELEMENTS(at); i++) {
		min = MIN(min, at[i]);
		max = MAX(max, at[i]);
	}
	if (max - min < (s128)lane_mask(d->width))
		lane_arc(d, (uint64_t)min, (uint64_t)(max - min));
}

static void alu_mul(struct lane *d, const struct lane *a, const struct lane *b)
{
	u128 min = (u128)a->umin * b->umin, max = (u128)a->umax * b->umax;

	/* by what is known best: as many rounds as it has bits that may be 1 */
	d->bits = lane_is_const(b) ? tnum_mul(b->bits, a->bits) : tnum_mul(a->bits, b->bits);
	d->bits = tnum_cut(d->bits, lane_mask(d->width));
	if (max - min < lane_mask(d->width))
		lane_arc(d, (uint64_t)min, (uint64_t)(max - min));
	mul_signed(d, a, b);
}

/* All values of the lane fit in so many bits and a sign. */
static unsigned int signed_bits(const struct lane *l)
{
	uint64_t low = (uint64_t)(l->smin < 0 ? ~l->smin : l->smin);
	uint64_t high = (uint64_t)(l->smax < 0 ? ~l->smax : l->smax);

	return low | high ? 64 - (unsigned int)__builtin_clzll(low | high) : 0;
}

/* Bitwise operations need no more bits than their operands, as signed numbers. */
static void limit_bits(struct lane *d, const struct lane *a, const struct lane *b)
{
	unsigned int n = MAX(signed_bits(a), signed_bits(b));
	int64_t max = (int64_t)(n ? UINT64_MAX >> (64 - n) : 0);

	limit_s(d, -max - 1, max);
}

static void alu_and(struct lane *d, const struct lane *a, const struct lane *b)
{
	d->bits = tnum_and(a->bits, b->bits);
	limit_u(d, 0, MIN(a->umax, b->umax));
	limit_bits(d, a, b);
	/* no more than either that has no sign; with both signed, less than each */
	limit_s(d, d->smin, MAX(a->smax, b->smax));
}

static uint64_t sum_or_all(const struct lane *d, uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? lane_mask(d->width) : sum;
}

static void alu_or(struct lane *d, const struct lane *a, const struct lane *b)
{
	int64_t min = MIN(a->smin, b->smin);

	d->bits = tnum_or(a->bits, b->bits);
	limit_u(d, MAX(a->umin, b->umin), sum_or_all(d, a->umax, b->umax));
	limit_bits(d, a, b);
	/* bits that are added to a negative number make it larger, and it stays negative */
	if (a->smax < 0)
		min = MAX(min, a->smin);
	if (b->smax < 0)
		min = MAX(min, b->smin);
	limit_s(d, min, d->smax);
}

static void alu_xor(struct lane *d, const struct lane *a, const struct lane *b)
{
	d->bits = tnum_xor(a->bits, b->bits);
	limit_u(d, 0, sum_or_all(d, a->umax, b->umax));
	limit_bits(d, a, b);
}

/* How far a shift goes: a lane of 0 … width - 1. */
static struct lane shift_count(const struct lane *b)
{
	struct lane mask = lane_const(b->width, b->width - 1), n = lane_any(b->width);

	if (b->umax < b->width)
		return *b;
	alu_and(&n, b, &mask);
	if (!lane_sync(&n))
		return lane_any(b->width);
	return n;
}

/* The bits after a shift by one of `n`. */
static struct tnum shift_bits(enum insn_alu op, const struct lane *a, const struct lane *n)
{
	struct tnum sum = {0, 0};
	bool is_first = true;

	for (uint64_t k = n->umin; k <= n->umax && k < a->width; k++) {
		struct tnum t = a->bits;

		if (!tnum_has(n->bits, k))
			continue;
		if (op == ALU_LSH) {
			t = (struct tnum){t.value << k, t.mask << k};
		} else if (op == ALU_RSH) {
			t = (struct tnum){t.value >> k, t.mask >> k};
		} else {
			t.value = (uint64_t)(lane_signed(a->width, t.value) >> k);
			t.mask = (uint64_t)(lane_signed(a->width, t.mask) >> k);
		}
		t = tnum_cut(t, lane_mask(a->width));
		sum = is_first ? t : tnum_join(sum, t);
		is_first = false;
	}
	return is_first ? lane_any(a->width).bits : sum;
}

static void alu_lsh(struct lane *d, const struct lane *a, const struct lane *b)
{
	struct lane n = shift_count(b);
	struct lane factor = lane_any(d->width);

	d->bits = shift_bits(ALU_LSH, a, &n);
	if (n.umax >= d->width - 1)
		return;
	factor.umin = 1ull << n.umin;
	factor.umax = 1ull << n.umax;
	factor.smin = (int64_t)factor.umin;
	factor.smax = (int64_t)factor.umax;
	mul_signed(d, a, &factor);
	if ((u128)a->umax << n.umax <= lane_mask(d->width))
		limit_u(d, a->umin << n.umin, a->umax << n.umax);
}

static void alu_rsh(struct lane *d, const struct lane *a, const struct lane *b)
{
	struct lane n = shift_count(b);

	if (n.umax >= d->width)
		return;
	d->bits = shift_bits(ALU_RSH, a, &n);
	limit_u(d, a->umin >> n.umax, a->umax >> n.umin);
}

static void alu_arsh(struct lane *d, const struct lane *a, const struct lane *b)
{
	struct lane n = shift_count(b);

	if (n.umax >= d->width)
		return;
	d->bits = shift_bits(ALU_ARSH, a, &n);
	limit_s(d, a->smin >> (a->smin < 0 ? n.umin : n.umax),
		a->smax >> (a->smax < 0 ? n.umax : n.umin));
}

static bool is_power_of_2(const struct lane *l)
{
	return lane_is_const(l) && l->umin && !(l->umin & (l->umin - 1));
}

static void alu_div(struct lane *d, const struct lane *a, const struct lane *b)
{
	if (is_power_of_2(b)) {
		struct lane n = lane_const(b->width, (uint64_t)__builtin_ctzll(b->umin));

		alu_rsh(d, a, &n);
		return;
	}
	limit_u(d, b->umin ? a->umin / b->umax : 0, a->umax / MAX(b->umin, 1));
}

static void alu_mod(struct lane *d, const struct lane *a, const struct lane *b)
{
	if (is_power_of_2(b)) {
		struct lane n = lane_const(b->width, b->umin - 1);

		alu_and(d, a, &n);
		return;
	}
	/* x % 0 is x, as is x % more */
	if (b->umax == 0 || a->umax < b->umin)
		*d = *a;
	else
		limit_u(d, 0, b->umin ? MIN(a->umax, b->umax - 1) : a->umax);
}

/* Quotients of a by [from, to], which is on one side of 0: between those of the corners. */
static void add_quotients(s128 *min, s128 *max, const struct lane *a, int64_t from, int64_t to)
{
	s128 at[4];

	if (from > to)
		return;
	at[0] = (s128)a->smin / from;
	at[1] = (s128)a->smin / to;
	at[2] = (s128)a->smax / from;
	at[3] = (s128)a->smax / to;
	for (unsigned int i = 0; i < ELEMENTS(at); i++) {
		*min = MIN(*min, at[i]);
		*max = MAX(*max, at[i]);
	}
}

static void alu_sdiv(struct lane *d, const struct lane *a, const struct lane *b)
{
	s128 none = (s128)1 << 100, min = none, max = -none;

	add_quotients(&min, &max, a, MAX(b->smin, 1), b->smax);
	add_quotients(&min, &max, a, b->smin, MIN(b->smax, -1));
	if (b->smin <= 0 && b->smax >= 0) {
		min = MIN(min, 0);
		max = MAX(max, 0);
	}
	/* the least number by -1 wraps: then the largest quotient is one too many */
	if (max <= d->smax)
		limit_s(d, (int64_t)min, (int64_t)max);
}

/* Sign of a; nearer to 0 than a, or equal; nearer than b, unless that is 0. */
static void alu_smod(struct lane *d, const struct lane *a, const struct lane *b)
{
	int64_t min = MIN(a->smin, 0), max = MAX(a->smax, 0);

	if (b->umax == 0) {
		*d = *a;
		return;
	}
	if (b->umin > 0) {
		/* |b| - 1, without overflow */
		int64_t low = b->smin < 0 ? ~b->smin : b->smin - 1;
		int64_t high = b->smax < 0 ? ~b->smax : b->smax - 1;
		int64_t most = MAX(low, high);

		min = MAX(min, -most);
		max = MIN(max, most);
	}
	limit_s(d, min, max);
}

static void alu_mov(struct lane *d, const struct lane *a, const struct lane *b)
{
	(void)a;
	*d = *b;
}

struct lane lane_alu(enum insn_alu op, const struct lane *a, const struct lane *b)
{
	static void (*const ops[ALU_COUNT])(struct lane *, const struct lane *,
					    const struct lane *) = {
		[ALU_ADD] = alu_add, [ALU_SUB] = alu_sub,   [ALU_MUL] = alu_mul,
		[ALU_DIV] = alu_div, [ALU_SDIV] = alu_sdiv, [ALU_OR] = alu_or,
		[ALU_AND] = alu_and, [ALU_LSH] = alu_lsh,   [ALU_RSH] = alu_rsh,
		[ALU_MOD] = alu_mod, [ALU_SMOD] = alu_smod, [ALU_XOR] = alu_xor,
		[ALU_MOV] = alu_mov, [ALU_ARSH] = alu_arsh,
	};
	struct lane d = lane_any(a->width);

	ops[op](&d, a, b);
	return d;
}
