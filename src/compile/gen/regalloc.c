/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine register for each virtual one.
 *
 * Virtual registers come in the order in which they are first written.  Each takes a
 * machine register that is free over all of its stretches: first the one it is moved from
 * or to (the move is then nothing), else one that calls destroy, r0 to r5, else r6 to r9.
 * Calls name r0 to r5, so what lives across a call finds only r6 to r9 free.
 *
 * When none is free, the cheapest goes: the one with the fewest reads and writes (more in
 * loops) for its length.  What goes is spilled, and all begins anew with the shorter
 * stretches that leaves.  Stretches around a spill are one or two instructions long and
 * never go themselves; eBPF names at most five machine registers at once, so they always
 * find one: allocation ends.
 */
#include "compile/gen/mach.h"

#include <assert.h>

struct alloc {
	struct mach *c;
	struct live l;
	struct arena a;
	float *price; /* of spilling, by virtual register */
	bool *spilled;
	bool any_spilled;
	ARRAY(uint32_t) held[MACH_REGS]; /* virtual registers in each machine register */
};

static const float NEVER = 1e30f;

static uint32_t range_begin(const struct live_range *r)
{
	return r->parts.p[0].from;
}

static uint32_t range_end(const struct live_range *r)
{
	return r->parts.p[r->parts.n - 1].to;
}

/* Moves say who would like to share a register. */
static void alloc_hints(struct mach *c)
{
	for (uint32_t v = 0; v < c->vregs.n; v++) {
		c->vregs.p[v].hint = 0;
		c->vregs.p[v].reg = 0;
	}
	for (uint32_t b = 0; b < c->blocks.n; b++) {
		for (uint32_t k = 0; k < c->blocks.p[b].insns.n; k++) {
			struct mach_insn *i = &c->blocks.p[b].insns.p[k];

			if (i->op != MACH_MOV && i->op != MACH_EXTEND)
				continue;
			if (i->dst >= MACH_VIRTUAL && i->a != MACH_FP &&
			    !mach_vreg(c, i->dst)->hint)
				mach_vreg(c, i->dst)->hint = i->a;
			if (i->a >= MACH_VIRTUAL &&
			    (!mach_vreg(c, i->a)->hint || i->dst < MACH_VIRTUAL))
				mach_vreg(c, i->a)->hint = i->dst;
		}
	}
}

static void alloc_prices(struct alloc *x)
{
	struct mach *c = x->c;
	uint8_t *writes = arena_array(&x->a, uint8_t, c->vregs.n);
	bool *cheap = arena_array(&x->a, bool, c->vregs.n);
	mach_reg regs[8];

	for (uint32_t b = 0; b < c->blocks.n; b++) {
		for (uint32_t k = 0; k < c->blocks.p[b].insns.n; k++) {
			struct mach_insn *i = &c->blocks.p[b].insns.p[k];
			unsigned int n = mach_defs(i, regs);

			for (unsigned int d = 0; d < n; d++) {
				if (regs[d] < MACH_VIRTUAL)
					continue;
				writes[regs[d] - MACH_VIRTUAL] |=
					writes[regs[d] - MACH_VIRTUAL] + 1;
				cheap[regs[d] - MACH_VIRTUAL] = mach_is_cheap(i);
			}
		}
	}
	for (uint32_t v = 0; v < c->vregs.n; v++) {
		const struct live_range *r = &x->l.vregs[v];
		uint32_t length = 0;

		for (size_t k = 0; k < r->parts.n; k++)
			length += r->parts.p[k].to - r->parts.p[k].from;
		x->price[v] = c->vregs.p[v].is_tiny ? NEVER : r->weight / (float)(length + 1);
		if (writes[v] == 1 && cheap[v] && !c->vregs.p[v].is_tiny)
			x->price[v] *= 0.25f;
	}
}

/* What ended before `at` holds its register no more. */
static void alloc_expire(struct alloc *x, uint32_t at)
{
	for (int r = 0; r < MACH_REGS; r++) {
		size_t kept = 0;

		for (size_t k = 0; k < x->held[r].n; k++)
			if (range_end(&x->l.vregs[x->held[r].p[k]]) > at)
				x->held[r].p[kept++] = x->held[r].p[k];
		x->held[r].n = kept;
	}
}

/* What it costs to give r to v: 0, or the price of those that must go; NEVER: no way. */
static float alloc_price(struct alloc *x, uint32_t v, int r)
{
	const struct live_range *mine = &x->l.vregs[v];
	float price = 0;

	if (live_overlap(mine, &x->l.fixed[r]))
		return NEVER;
	for (size_t k = 0; k < x->held[r].n; k++)
		if (live_overlap(mine, &x->l.vregs[x->held[r].p[k]]))
			price += x->price[x->held[r].p[k]];
	return price;
}

static void alloc_evict(struct alloc *x, uint32_t v, int r)
{
	size_t kept = 0;

	for (size_t k = 0; k < x->held[r].n; k++) {
		uint32_t other = x->held[r].p[k];

		if (live_overlap(&x->l.vregs[v], &x->l.vregs[other])) {
			x->spilled[other] = true;
			x->any_spilled = true;
			x->c->vregs.p[other].reg = 0;
		} else {
			x->held[r].p[kept++] = other;
		}
	}
	x->held[r].n = kept;
}

static void alloc_give(struct alloc *x, uint32_t v, int r)
{
	x->c->vregs.p[v].reg = r + 1;
	array_push(&x->a, &x->held[r], v);
}

static int hinted(struct mach *c, uint32_t v)
{
	mach_reg hint = c->vregs.p[v].hint;

	if (hint >= MACH_VIRTUAL)
		hint = mach_vreg(c, hint)->reg;
	else if (hint == MACH_FP)
		hint = 0;
	return (int)hint - 1;
}

static void alloc_one(struct alloc *x, uint32_t v)
{
	static const uint8_t order[MACH_REGS] = {0, 5, 4, 3, 2, 1, 6, 7, 8, 9};
	int best = -1, hint = hinted(x->c, v);
	float least = NEVER;

	if (hint >= 0 && alloc_price(x, v, hint) == 0) {
		alloc_give(x, v, hint);
		return;
	}
	for (int k = 0; k < MACH_REGS; k++) {
		float price = alloc_price(x, v, order[k]);

		if (price < least) {
			least = price;
			best = order[k];
		}
		if (price == 0)
			break;
	}
	if (best >= 0 && least < x->price[v]) {
		alloc_evict(x, v, best);
		alloc_give(x, v, best);
		return;
	}
	assert(!x->c->vregs.p[v].is_tiny);
	x->spilled[v] = true;
	x->any_spilled = true;
}

/* Virtual registers in the order in which their ranges begin. */
static uint32_t alloc_order(struct alloc *x, uint32_t *order)
{
	uint32_t n_vregs = x->c->vregs.n, n = 0;
	/* those that begin at a position: a list, the lowest first; + 1, 0: its end */
	uint32_t *begin = arena_array(&x->a, uint32_t, x->l.end + 1);
	uint32_t *next = arena_array(&x->a, uint32_t, n_vregs);

	for (uint32_t v = n_vregs; v-- > 0;) {
		const struct live_range *r = &x->l.vregs[v];

		if (!r->parts.n)
			continue;
		next[v] = begin[range_begin(r)];
		begin[range_begin(r)] = v + 1;
	}
	for (uint32_t at = 0; at <= x->l.end; at++)
		for (uint32_t v = begin[at]; v; v = next[v - 1])
			order[n++] = v - 1;
	return n;
}

/* What may be read before it was written is 0 at first: the verifier wants to know. */
static void define_all(struct mach *c, const struct live *l)
{
	struct mach_block *first = &c->blocks.p[0], old = *first;

	first->insns.p = NULL;
	first->insns.n = first->insns.room = 0;
	for (uint32_t k = 0; k < l->n_undefined; k++)
		array_push(c->arena, &first->insns,
			   ((struct mach_insn){.op = MACH_IMM, .dst = l->undefined[k]}));
	for (uint32_t k = 0; k < old.insns.n; k++)
		array_push(c->arena, &first->insns, old.insns.p[k]);
}

/* One round.  True: all have a register. */
static bool alloc_round(struct alloc *x, bool is_first)
{
	struct mach *c = x->c;
	uint32_t *order = arena_array(&x->a, uint32_t, c->vregs.n), n;

	live_ranges(c, &x->a, &x->l);
	if (is_first && x->l.n_undefined) {
		define_all(c, &x->l);
		live_ranges(c, &x->a, &x->l);
	}
	x->price = arena_array(&x->a, float, c->vregs.n);
	x->spilled = arena_array(&x->a, bool, c->vregs.n);
	alloc_hints(c);
	alloc_prices(x);
	n = alloc_order(x, order);
	for (uint32_t k = 0; k < n; k++) {
		if (is_first && c->o->spill_all) {
			x->spilled[order[k]] = x->any_spilled = true;
			continue;
		}
		alloc_expire(x, range_begin(&x->l.vregs[order[k]]));
		alloc_one(x, order[k]);
	}
	if (x->any_spilled)
		spill(c, &x->l, x->spilled);
	return !x->any_spilled;
}

void regalloc(struct mach *c)
{
	bool done = false;

	for (int round = 0; !done; round++) {
		struct alloc x = {.c = c};

		done = alloc_round(&x, !round);
		arena_done(&x.a);
	}
}
