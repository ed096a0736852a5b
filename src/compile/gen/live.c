/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each register is alive.
 *
 * Alive is a register between a write and the last read of what was written.  The usual
 * equations over the blocks (alive at the end = alive at the start of any block behind)
 * are solved only for registers that one block writes and another reads; most never leave
 * their block.  Then a walk backwards through each block gives the exact stretches, with
 * holes where the old value is dead and the new one not there yet.
 */
#include "compile/gen/mach.h"

enum { PARTS = 2 }; /* most ranges have no more */

struct flow {
	struct mach *c;
	struct arena *a;
	uint32_t *global; /* for each virtual register: its bit + 1; 0: stays in its block */
	uint32_t n_global;
	mach_reg *of_bit;
	size_t words;
	uint64_t *in, *out, *written; /* sets of `words` for each block */
};

static bool has(const uint64_t *set, uint32_t bit)
{
	return set[bit / 64] >> bit % 64 & 1;
}

static void set_bit(uint64_t *set, uint32_t bit)
{
	set[bit / 64] |= 1ull << bit % 64;
}

/* Number the registers that a block reads before it writes them. */
static void flow_number(struct flow *w)
{
	uint32_t *seen = arena_array(w->a, uint32_t, w->c->vregs.n);
	mach_reg regs[8];

	w->global = arena_array(w->a, uint32_t, w->c->vregs.n);
	w->of_bit = arena_array(w->a, mach_reg, w->c->vregs.n + 1);
	for (uint32_t b = 0; b < w->c->blocks.n; b++) {
		struct mach_block *block = &w->c->blocks.p[b];

		for (uint32_t i = 0; i < block->insns.n; i++) {
			unsigned int n;

			if (mach_places[block->insns.p[i].op] & MACH_BY_CALL)
				continue; /* names no virtual register */
			n = mach_uses(&block->insns.p[i], regs);
			for (unsigned int k = 0; k < n; k++) {
				uint32_t v = regs[k] - MACH_VIRTUAL;

				if (regs[k] < MACH_VIRTUAL || seen[v] == b + 1 || w->global[v])
					continue;
				w->of_bit[w->n_global] = regs[k];
				w->global[v] = ++w->n_global;
			}
			if (mach_defs(&block->insns.p[i], regs) && regs[0] >= MACH_VIRTUAL)
				seen[regs[0] - MACH_VIRTUAL] = b + 1;
		}
	}
}

/* The bit + 1 of a register; 0: it has none. */
static uint32_t bit_of(const struct flow *w, mach_reg r)
{
	return r < MACH_VIRTUAL ? 0 : w->global[r - MACH_VIRTUAL];
}

/* What block b reads first goes to `in`, what it writes to `written`. */
static void flow_block(struct flow *w, uint32_t b)
{
	struct mach_block *block = &w->c->blocks.p[b];
	uint64_t *in = w->in + b * w->words, *written = w->written + b * w->words;
	mach_reg regs[8];

	for (uint32_t i = 0; i < block->insns.n; i++) {
		unsigned int n;

		if (mach_places[block->insns.p[i].op] & MACH_BY_CALL)
			continue;
		n = mach_uses(&block->insns.p[i], regs);
		for (unsigned int k = 0; k < n; k++) {
			uint32_t bit = bit_of(w, regs[k]);

			if (bit && !has(written, bit - 1))
				set_bit(in, bit - 1);
		}
		if (mach_defs(&block->insns.p[i], regs) && bit_of(w, regs[0]))
			set_bit(written, bit_of(w, regs[0]) - 1);
	}
}

static bool flow_step(struct flow *w, uint32_t b)
{
	uint64_t *in = w->in + b * w->words, *out = w->out + b * w->words;
	const uint64_t *written = w->written + b * w->words;
	uint32_t next[2];
	uint64_t changed = 0;

	mach_next(&w->c->blocks.p[b], next);
	for (int k = 0; k < 2; k++)
		for (uint32_t i = 0; next[k] != MACH_NOWHERE && i < w->words; i++)
			out[i] |= w->in[next[k] * w->words + i];
	for (size_t i = 0; i < w->words; i++) {
		uint64_t more = out[i] & ~written[i] & ~in[i];

		changed |= more;
		in[i] |= more;
	}
	return changed;
}

static void flow_solve(struct flow *w)
{
	uint32_t n = w->c->blocks.n;
	bool changed = true;

	flow_number(w);
	w->words = w->n_global / 64 + 1;
	w->in = arena_array(w->a, uint64_t, n * w->words);
	w->out = arena_array(w->a, uint64_t, n * w->words);
	w->written = arena_array(w->a, uint64_t, n * w->words);
	for (uint32_t b = 0; w->n_global && b < n; b++)
		flow_block(w, b);
	while (changed) {
		changed = false;
		for (uint32_t b = n; w->n_global && b-- > 0;)
			changed |= flow_step(w, b);
	}
}

static struct live_range *range_of(struct live *l, mach_reg r)
{
	return r < MACH_VIRTUAL ? &l->fixed[r - 1] : &l->vregs[r - MACH_VIRTUAL];
}

/* Parts are pushed from the last to the first, and turned round in the end. */
static void part_add(struct arena *a, struct live_range *r, uint32_t from, uint32_t to)
{
	struct live_part *last = r->parts.n ? &r->parts.p[r->parts.n - 1] : NULL;

	if (last && last->from <= to)
		last->from = MIN(last->from, from);
	else
		array_push(a, &r->parts, ((struct live_part){from, to}));
}

static void part_start(struct arena *a, struct live_range *r, uint32_t block_from, uint32_t at)
{
	struct live_part *last = r->parts.n ? &r->parts.p[r->parts.n - 1] : NULL;

	if (last && last->from == block_from && last->to > at)
		last->from = at;
	else /* nobody reads it: it still takes the register for a moment */
		part_add(a, r, at, at + 1 + !(at & 1));
}

static void range_block(struct flow *w, struct live *l, uint32_t b, uint32_t first)
{
	struct mach_block *block = &w->c->blocks.p[b];
	static const float factors[] = {1, 8, 64, 512};
	float factor = factors[MIN(block->depth, 3)];
	uint32_t from = 2 * first;
	mach_reg regs[8];

	for (size_t i = 0; i < w->words; i++)
		for (uint64_t set = w->out[b * w->words + i]; set; set &= set - 1)
			part_add(w->a, range_of(l, w->of_bit[i * 64 + __builtin_ctzll(set)]), from,
				 from + 2 * block->insns.n);
	for (uint32_t i = block->insns.n; i-- > 0;) {
		struct mach_insn *insn = &block->insns.p[i];
		uint32_t at = from + 2 * i;
		unsigned int n = mach_defs(insn, regs);

		/* `set` writes before it has read all */
		for (unsigned int k = 0; k < n; k++) {
			struct live_range *r = range_of(l, regs[k]);

			part_start(w->a, r, from, at + (insn->op != MACH_SET));
			r->weight += factor;
		}
		n = mach_uses(insn, regs);
		for (unsigned int k = 0; k < n; k++) {
			struct live_range *r = range_of(l, regs[k]);

			part_add(w->a, r, from, at + 1);
			r->weight += factor;
		}
	}
}

static void range_turn(struct live_range *r)
{
	for (size_t i = 0, k = r->parts.n; i + 1 < k; i++) {
		struct live_part t = r->parts.p[i];

		r->parts.p[i] = r->parts.p[--k];
		r->parts.p[k] = t;
	}
}

static void find_undefined(const struct flow *w, struct live *l)
{
	l->undefined = arena_array(w->a, mach_reg, w->n_global + 1);
	for (uint32_t bit = 0; bit < w->n_global; bit++)
		if (has(w->in, bit))
			l->undefined[l->n_undefined++] = w->of_bit[bit];
}

void live_ranges(struct mach *c, struct arena *a, struct live *ret)
{
	struct flow w = {.c = c, .a = a};
	uint32_t first = 0;

	struct live_part *parts = arena_array(a, struct live_part, PARTS * c->vregs.n);

	*ret = (struct live){.vregs = arena_array(a, struct live_range, c->vregs.n)};
	for (uint32_t v = 0; v < c->vregs.n; v++) {
		ret->vregs[v].parts.p = parts + PARTS * v;
		ret->vregs[v].parts.room = PARTS;
	}
	flow_solve(&w);
	find_undefined(&w, ret);
	for (uint32_t b = 0; b < c->blocks.n; b++)
		first += c->blocks.p[b].insns.n;
	ret->end = 2 * first;
	for (uint32_t b = c->blocks.n; b-- > 0;) {
		first -= c->blocks.p[b].insns.n;
		range_block(&w, ret, b, first);
	}
	for (uint32_t v = 0; v < c->vregs.n; v++)
		range_turn(&ret->vregs[v]);
	for (int r = 0; r < MACH_REGS; r++)
		range_turn(&ret->fixed[r]);
}

/* The first part that ends behind `at`. */
static size_t part_behind(const struct live_range *r, size_t low, uint32_t at)
{
	size_t high = r->parts.n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (r->parts.p[mid].to <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool live_overlap(const struct live_range *a, const struct live_range *b)
{
	size_t at = 0;

	if (a->parts.n > b->parts.n)
		return live_overlap(b, a);
	for (size_t i = 0; i < a->parts.n && at < b->parts.n; i++) {
		at = part_behind(b, at, a->parts.p[i].from);
		if (at < b->parts.n && b->parts.p[at].from < a->parts.p[i].to)
			return true;
	}
	return false;
}
