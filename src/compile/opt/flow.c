/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/opt/flow.h"

/* --- who writes and reads */

/* Empty tables for all registers; passes add a few. */
static void clear_defs(struct flow *fl)
{
	size_t n = fl->f->regs.n + 1;

	if (n > fl->reg_room) {
		fl->reg_room = n + n / 8;
		fl->n_defs = arena_array(fl->keep, uint32_t, fl->reg_room);
		fl->n_uses = arena_array(fl->keep, uint32_t, fl->reg_room);
		fl->def = arena_array(fl->keep, struct ir_insn *, fl->reg_room);
		return;
	}
	memset(fl->n_defs, 0, n * sizeof(*fl->n_defs));
	memset(fl->def, 0, n * sizeof(*fl->def));
}

static void note_def(struct flow *fl, ir_reg r, struct ir_insn *i)
{
	bool again = fl->n_defs[r]++;

	fl->def[r] = again ? NULL : i;
	fl->has_variables |= again;
}

void flow_defs(struct flow *fl)
{
	struct ir_func *f = fl->f;
	ir_reg regs[2];
	unsigned int n;

	if (fl->has_defs)
		return;
	fl->has_defs = true;
	fl->has_variables = false;
	clear_defs(fl);
	for (ir_reg r = 1; r <= f->n_params; r++)
		fl->n_defs[r] = 1;
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		struct ir_block *block = &f->blocks.p[b];

		for (size_t k = 0; k < block->insns.n; k++) {
			struct ir_insn *i = &block->insns.p[k];

			n = ir_defs(i, regs);
			if (n)
				note_def(fl, regs[0], i);
			if (n > 1)
				note_def(fl, regs[1], i);
		}
	}
}

void flow_uses(struct flow *fl)
{
	struct ir_func *f = fl->f;
	ir_reg regs[IR_OPERANDS];
	unsigned int n;

	flow_defs(fl); /* for the tables */
	memset(fl->n_uses, 0, (f->regs.n + 1) * sizeof(*fl->n_uses));
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		struct ir_block *block = &f->blocks.p[b];

		for (size_t i = 0; i < block->insns.n; i++) {
			n = ir_uses(&block->insns.p[i], regs);
			while (n--)
				fl->n_uses[regs[n]]++;
		}
		n = ir_end_uses(block, regs);
		while (n--)
			fl->n_uses[regs[n]]++;
	}
}

/* --- order and dominators */

struct walk {
	uint32_t block, succ;
};

/* Depth first; what is finished last comes first. */
static void walk_blocks(struct flow *fl)
{
	size_t n = fl->f->blocks.n;
	struct walk *stack = arena_array(fl->scratch, struct walk, n);
	bool *seen = arena_array(fl->scratch, bool, n);
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

	memset(fl->n_preds, 0, fl->f->blocks.n * sizeof(*fl->n_preds));
	for (uint32_t k = 0; k < fl->n_order; k++) {
		struct ir_block *b = &fl->f->blocks.p[fl->order[k]];

		for (uint32_t s = 0; s < ir_n_succs(b); s++)
			fl->n_preds[*ir_succ(b, s)]++;
		n += ir_n_succs(b);
	}
	if (n > fl->way_room || !fl->ways) {
		fl->way_room = n;
		fl->ways = arena_array(fl->keep, uint32_t, n);
	}
	all = fl->ways;
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

	if (fl->has_order)
		return;
	fl->has_order = true;
	if (n > fl->block_room) {
		fl->block_room = n;
		fl->order = arena_array(fl->keep, uint32_t, n);
		fl->rank = arena_array(fl->keep, uint32_t, n);
		fl->n_preds = arena_array(fl->keep, uint32_t, n);
		fl->preds = arena_array(fl->keep, uint32_t *, n);
		fl->idom = arena_array(fl->keep, uint32_t, n);
	}
	walk_blocks(fl);
	memset(fl->rank, 0xff, n * sizeof(*fl->rank));
	for (uint32_t k = 0; k < fl->n_order; k++)
		fl->rank[fl->order[k]] = k;
	find_preds(fl);
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

	flow_order(fl);
	if (fl->has_idoms)
		return;
	fl->has_idoms = true;
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

/* What a block reads before it writes, and what it writes. */
static void note_block(const struct ir_block *b, uint64_t *reads, uint64_t *writes)
{
	ir_reg regs[IR_OPERANDS];
	unsigned int n = ir_end_uses(b, regs);

	while (n--)
		live_set(reads, regs[n], true);
	for (size_t i = b->insns.n; i--;) {
		n = ir_defs(&b->insns.p[i], regs);
		while (n--) {
			live_set(reads, regs[n], false);
			live_set(writes, regs[n], true);
		}
		n = ir_uses(&b->insns.p[i], regs);
		while (n--)
			live_set(reads, regs[n], true);
	}
}

/* What lives at the start of block b lives at the end of those before.  True: that was new. */
static bool live_step(const struct flow *fl, const struct live *l, const uint64_t *reads,
		      const uint64_t *writes, uint32_t b)
{
	size_t at = b * l->words;
	uint64_t more = 0;

	for (size_t w = 0; w < l->words; w++) {
		uint64_t in = reads[at + w] | (l->out[at + w] & ~writes[at + w]);

		for (uint32_t p = 0; p < fl->n_preds[b]; p++) {
			uint64_t *to = l->out + fl->preds[b][p] * l->words + w;

			more |= in & ~*to;
			*to |= in;
		}
	}
	return more;
}

void flow_live(struct flow *fl, struct live *ret)
{
	size_t words = (fl->f->regs.n + 63) / 64, n = words * fl->f->blocks.n;
	uint64_t *reads = arena_array(fl->scratch, uint64_t, n);
	uint64_t *writes = arena_array(fl->scratch, uint64_t, n);
	bool changed = true;

	flow_order(fl);
	ret->words = words;
	ret->out = arena_array(fl->scratch, uint64_t, n);
	for (uint32_t k = 0; k < fl->n_order; k++) {
		uint32_t b = fl->order[k];

		note_block(&fl->f->blocks.p[b], reads + b * words, writes + b * words);
	}
	while (changed) {
		changed = false;
		for (uint32_t k = fl->n_order; k--;)
			changed |= live_step(fl, ret, reads, writes, fl->order[k]);
	}
}
