/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/opt/flow.h"

static void count_insn(struct flow *fl, struct ir_insn *i, uint32_t block)
{
	ir_reg regs[IR_OPERANDS];
	unsigned int n = ir_uses(i, regs);

	while (n--)
		fl->n_uses[regs[n]]++;
	n = ir_defs(i, regs);
	while (n--) {
		fl->def[regs[n]] = fl->n_defs[regs[n]]++ ? NULL : i;
		fl->def_block[regs[n]] = block;
	}
}

void flow_init(struct flow *fl, struct ir_module *m, struct ir_func *f)
{
	size_t n_regs = f->regs.n + 1;
	ir_reg regs[2];
	unsigned int n;

	*fl = (struct flow){.m = m, .f = f};
	fl->n_defs = arena_array(&fl->arena, uint32_t, n_regs);
	fl->n_uses = arena_array(&fl->arena, uint32_t, n_regs);
	fl->def = arena_array(&fl->arena, struct ir_insn *, n_regs);
	fl->def_block = arena_array(&fl->arena, uint32_t, n_regs);
	for (ir_reg r = 1; r <= f->n_params; r++)
		fl->n_defs[r] = 1;
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		struct ir_block *block = &f->blocks.p[b];

		for (size_t i = 0; i < block->insns.n; i++)
			count_insn(fl, &block->insns.p[i], b);
		n = ir_end_uses(block, regs);
		while (n--)
			fl->n_uses[regs[n]]++;
	}
}

void flow_done(struct flow *fl)
{
	arena_done(&fl->arena);
}

/* --- order and dominators */

struct walk {
	uint32_t block, succ;
};

/* Depth first; what is finished last comes first. */
static void walk_blocks(struct flow *fl)
{
	size_t n = fl->f->blocks.n;
	struct walk *stack = arena_array(&fl->arena, struct walk, n);
	bool *seen = arena_array(&fl->arena, bool, n);
	uint32_t depth = 1, at = (uint32_t)n;

	seen[0] = true;
	while (depth) {
		struct walk *w = &stack[depth - 1];
		struct ir_block *b = &fl->f->blocks.p[w->block];

		if (w->succ < ir_n_succs(b)) {
			uint32_t to = *ir_succ(b, w->succ++);

			if (!seen[to]) {
				seen[to] = true;
				stack[depth++] = (struct walk){.block = to};
			}
		} else {
			fl->order[--at] = w->block;
			depth--;
		}
	}
	fl->n_order = (uint32_t)n - at;
	memmove(fl->order, fl->order + at, fl->n_order * sizeof(*fl->order));
}

static void find_preds(struct flow *fl)
{
	uint32_t *all, n = 0;

	for (uint32_t k = 0; k < fl->n_order; k++) {
		struct ir_block *b = &fl->f->blocks.p[fl->order[k]];

		for (uint32_t s = 0; s < ir_n_succs(b); s++)
			fl->n_preds[*ir_succ(b, s)]++;
		n += ir_n_succs(b);
	}
	all = arena_array(&fl->arena, uint32_t, n);
	for (uint32_t b = 0; b < fl->f->blocks.n; b++) {
		fl->preds[b] = all;
		all += fl->n_preds[b];
		fl->n_preds[b] = 0;
	}
	for (uint32_t k = 0; k < fl->n_order; k++) {
		struct ir_block *b = &fl->f->blocks.p[fl->order[k]];

		for (uint32_t s = 0; s < ir_n_succs(b); s++) {
			uint32_t to = *ir_succ(b, s);

			fl->preds[to][fl->n_preds[to]++] = fl->order[k];
		}
	}
}

void flow_order(struct flow *fl)
{
	size_t n = fl->f->blocks.n;

	fl->order = arena_array(&fl->arena, uint32_t, n);
	fl->rank = arena_array(&fl->arena, uint32_t, n);
	fl->n_preds = arena_array(&fl->arena, uint32_t, n);
	fl->preds = arena_array(&fl->arena, uint32_t *, n);
	walk_blocks(fl);
	memset(fl->rank, 0xff, n * sizeof(*fl->rank));
	for (uint32_t k = 0; k < fl->n_order; k++)
		fl->rank[fl->order[k]] = k;
	find_preds(fl);
}

void flow_init_order(struct flow *fl, struct ir_module *m, struct ir_func *f)
{
	*fl = (struct flow){.m = m, .f = f};
	flow_order(fl);
}

static uint32_t meet(const struct flow *fl, uint32_t a, uint32_t b)
{
	while (a != b) {
		while (fl->rank[a] > fl->rank[b])
			a = fl->idom[a];
		while (fl->rank[b] > fl->rank[a])
			b = fl->idom[b];
	}
	return a;
}

/* Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm". */
void flow_idoms(struct flow *fl)
{
	bool changed = true;

	fl->idom = arena_array(&fl->arena, uint32_t, fl->f->blocks.n);
	for (size_t b = 0; b < fl->f->blocks.n; b++)
		fl->idom[b] = UINT32_MAX;
	fl->idom[0] = 0;
	while (changed) {
		changed = false;
		for (uint32_t k = 1; k < fl->n_order; k++) {
			uint32_t b = fl->order[k], to = UINT32_MAX;

			for (uint32_t i = 0; i < fl->n_preds[b]; i++) {
				uint32_t p = fl->preds[b][i];

				if (fl->idom[p] != UINT32_MAX)
					to = to == UINT32_MAX ? p : meet(fl, p, to);
			}
			changed |= fl->idom[b] != to;
			fl->idom[b] = to;
		}
	}
}

/* --- small things */

bool flow_is_unchanged(const struct flow *fl, struct ir_val v, const struct ir_insn *i,
		       const struct ir_insn *before, const struct ir_block *b)
{
	const struct ir_insn *end;
	ir_reg regs[2];
	unsigned int n;

	if (flow_is_fixed_val(fl, v))
		return true;
	if (!b->insns.n) /* p may be NULL */
		return false;
	end = b->insns.p + b->insns.n;
	if (i < b->insns.p || i >= end)
		return false;
	for (const struct ir_insn *k = i; k != before && k < end; k++) {
		n = k->op < IR_OPS ? ir_defs(k, regs) : 0;
		while (n--)
			if (regs[n] == v.reg)
				return false;
	}
	return true;
}

bool flow_each(struct ir_module *m, bool (*run)(struct ir_module *m, struct ir_func *f))
{
	bool changed = false;

	for (size_t i = 0; i < m->funcs.n; i++)
		changed |= run(m, &m->funcs.p[i]);
	return changed;
}

void flow_become(struct ir_insn *i, enum ir_op op, struct ir_val a, struct ir_val b)
{
	*i = (struct ir_insn){.op = (uint16_t)op, .dst = i->dst, .a = a, .b = b, .span = i->span};
}

void flow_sweep(struct ir_block *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->insns.n; i++)
		if (b->insns.p[i].op < IR_OPS)
			b->insns.p[n++] = b->insns.p[i];
	b->insns.n = n;
}

/* --- liveness */

/* From what lives behind a block to what lives before it. */
static void live_through(const struct ir_block *b, uint64_t *set)
{
	ir_reg regs[IR_OPERANDS];
	unsigned int n = ir_end_uses(b, regs);

	while (n--)
		live_set(set, regs[n], true);
	for (size_t i = b->insns.n; i--;) {
		n = ir_defs(&b->insns.p[i], regs);
		while (n--)
			live_set(set, regs[n], false);
		n = ir_uses(&b->insns.p[i], regs);
		while (n--)
			live_set(set, regs[n], true);
	}
}

void flow_live(struct flow *fl, struct live *ret)
{
	size_t words = (fl->f->regs.n + 63) / 64;
	uint64_t *set = arena_array(&fl->arena, uint64_t, words);
	bool changed = true;

	ret->words = words;
	ret->out = arena_array(&fl->arena, uint64_t, words * fl->f->blocks.n);
	while (changed) {
		changed = false;
		for (uint32_t k = fl->n_order; k--;) {
			uint32_t b = fl->order[k];

			memcpy(set, ret->out + b * words, words * sizeof(*set));
			live_through(&fl->f->blocks.p[b], set);
			for (uint32_t p = 0; p < fl->n_preds[b]; p++) {
				uint64_t *to = ret->out + fl->preds[b][p] * words;

				for (size_t w = 0; w < words; w++) {
					changed |= !!(set[w] & ~to[w]);
					to[w] |= set[w];
				}
			}
		}
	}
}
