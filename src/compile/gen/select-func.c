/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function: what its registers are, its blocks and how they end, and the broom.
 *
 * Blocks of the machine are the IR's, with one in front for the parameters, and more for the
 * comparisons of a switch and for what follows the lookup of scratch.
 */
#include "compile/gen/select.h"

#include <stdlib.h>

static void note_read(struct select *s, struct ir_val v)
{
	if (v.reg)
		s->defs[v.reg].reads++;
}

static void note_write(struct select *s, ir_reg r, const struct ir_insn *i, uint32_t block)
{
	if (r)
		s->defs[r] = (struct select_def){
			.insn = s->defs[r].writes ? NULL : i,
			.writes = s->defs[r].writes + 1,
			.reads = s->defs[r].reads,
			.block = block,
		};
}

static void note_insn(struct select *s, const struct ir_insn *i, uint32_t block)
{
	bool is_probe_read = i->op == IR_KLOAD || i->op == IR_ULOAD || i->op == IR_LOAD;

	note_write(s, i->dst, i, block);
	note_read(s, i->a);
	if (is_probe_read)
		note_write(s, i->b.reg, NULL, block);
	else
		note_read(s, i->b);
	note_read(s, i->c);
	for (unsigned int k = 0; k < i->n_args; k++)
		note_read(s, i->args[k]);
}

static void note_all(struct select *s)
{
	s->defs = arena_array(s->c->arena, struct select_def, s->f->regs.n + 1);
	for (uint32_t r = 1; r <= s->f->n_params; r++)
		note_write(s, r, NULL, 0);
	for (uint32_t b = 0; b < s->f->blocks.n; b++) {
		const struct ir_block *block = &s->f->blocks.p[b];

		for (uint32_t k = 0; k < block->insns.n; k++)
			note_insn(s, &block->insns.p[k], b);
		note_read(s, block->a);
		note_read(s, block->b);
	}
}

/* --- the loops a block is in */

/* A jump backwards closes a loop over all blocks in between: near enough. */
static void find_depths(struct select *s, uint32_t first)
{
	for (uint32_t b = 0; b < s->f->blocks.n; b++) {
		const struct ir_block *block = &s->f->blocks.p[b];
		uint32_t to[2] = {block->yes, block->no};
		int n = block->end == IRE_JUMP ? 1 : block->end == IRE_BRANCH ? 2 : 0;

		for (int k = 0; k < n; k++)
			for (uint32_t in = to[k]; in <= b; in++)
				if (s->c->blocks.p[first + in].depth < 3)
					s->c->blocks.p[first + in].depth++;
	}
}

/* --- how blocks end */

/* The comparison whose result is all that a branch looks at; NULL: it looks at more. */
static const struct ir_insn *fused(struct select *s, const struct ir_block *block, uint32_t b)
{
	const struct ir_insn *d = block->a.reg ? s->defs[block->a.reg].insn : NULL;

	if (!d || d->op < IR_SETEQ || d->op > IR_SETSLE || block->b.reg || block->b.imm ||
	    (block->cond != IRC_EQ && block->cond != IRC_NE) || s->defs[block->a.reg].block != b)
		return NULL;
	for (const struct ir_insn *i = d + 1; i < block->insns.p + block->insns.n; i++) {
		ir_reg second = i->op == IR_KLOAD || i->op == IR_ULOAD ? i->b.reg : 0;

		for (int k = 0; k < 2; k++) {
			ir_reg r = k ? d->b.reg : d->a.reg;

			if (r && (i->dst == r || second == r))
				return NULL;
		}
	}
	return d;
}

static void put_branch(struct select *s, enum ir_cond cond, struct ir_val a, struct ir_val b,
		       uint32_t yes, uint32_t no)
{
	if (yes != no)
		select_compare(s, (struct mach_insn){.op = MACH_BRANCH, .index = yes}, cond, a, b);
	s->c->blocks.p[s->block].next = no;
}

static void end_branch(struct select *s, const struct ir_block *block, uint32_t b, uint32_t first)
{
	const struct ir_insn *d = fused(s, block, b);
	uint32_t yes = first + block->yes, no = first + block->no;

	if (block->unlikely)
		s->c->blocks.p[yes].is_unlikely = true;
	if (!d)
		put_branch(s, block->cond, block->a, block->b, yes, no);
	else if (block->cond == IRC_NE)
		put_branch(s, select_set_cond(d->op), d->a, d->b, yes, no);
	else
		put_branch(s, select_set_cond(d->op), d->a, d->b, no, yes);
}

static int case_compare(const void *a, const void *b)
{
	const struct ir_case *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

/* Halve while there are many, then one after the other. */
static void put_cases(struct select *s, struct ir_val v, const struct ir_case *cases, size_t n,
		      uint32_t other, uint32_t first)
{
	if (!n) {
		s->c->blocks.p[s->block].next = other;
		return;
	}
	if (n > 3) {
		uint32_t low = mach_block_new(s->c), high = mach_block_new(s->c);

		put_branch(s, IRC_SLT, v, IR_I(cases[n / 2].value), low, high);
		s->block = low;
		put_cases(s, v, cases, n / 2, other, first);
		s->block = high;
		put_cases(s, v, cases + n / 2, n - n / 2, other, first);
		return;
	}
	for (size_t k = 0; k < n; k++) {
		uint32_t next = k + 1 < n ? mach_block_new(s->c) : other;

		put_branch(s, IRC_EQ, v, IR_I(cases[k].value), first + cases[k].block, next);
		s->block = next;
	}
}

static void end_switch(struct select *s, const struct ir_block *block, uint32_t first)
{
	struct ir_case *cases =
		arena_copy(s->c->arena, block->cases.p, block->cases.n * sizeof(*cases));

	qsort(cases, block->cases.n, sizeof(*cases), case_compare);
	put_cases(s, block->a, cases, block->cases.n, first + block->no, first);
}

static void select_end(struct select *s, const struct ir_block *block, uint32_t b, uint32_t first)
{
	s->span = block->span;
	switch (block->end) {
	case IRE_JUMP:
		s->c->blocks.p[s->block].next = first + block->yes;
		break;
	case IRE_BRANCH:
		end_branch(s, block, b, first);
		break;
	case IRE_SWITCH:
		end_switch(s, block, first);
		break;
	case IRE_NONE:
	case IRE_RETURN:
		select_into(s, MACH_R(0), block->end == IRE_NONE ? IR_I(0) : block->a);
		select_put(s, (struct mach_insn){.op = MACH_EXIT});
		break;
	}
}

/* --- the broom */

static bool is_droppable(const struct mach_insn *i)
{
	switch ((enum mach_op)i->op) {
	case MACH_MOV:
	case MACH_IMM:
	case MACH_ADDR:
	case MACH_WIDE:
	case MACH_ALU:
	case MACH_NEG:
	case MACH_SWAP:
	case MACH_EXTEND:
	case MACH_LOAD:
	case MACH_SET:
		return i->dst >= MACH_VIRTUAL;
	case MACH_STORE:
	case MACH_ATOMIC:
	case MACH_CALL:
	case MACH_EXIT:
	case MACH_BRANCH:
		return false;
	}
	return false;
}

/* Count readers; what only changes itself (dst of `alu`) is no reader. */
static void count_reads(const struct mach_insn *i, uint32_t *reads, int by)
{
	mach_reg regs[8];
	unsigned int n = mach_uses(i, regs);

	for (unsigned int k = 0; k < n; k++)
		if (regs[k] >= MACH_VIRTUAL && !(is_droppable(i) && regs[k] == i->dst))
			reads[regs[k] - MACH_VIRTUAL] += (uint32_t)by;
}

static bool sweep_block(struct mach_block *block, uint32_t *reads)
{
	bool changed = false;

	for (uint32_t k = block->insns.n; k-- > 0;) {
		struct mach_insn *i = &block->insns.p[k];

		if (!is_droppable(i) || reads[i->dst - MACH_VIRTUAL])
			continue;
		count_reads(i, reads, -1);
		memmove(i, i + 1, (block->insns.n - k - 1) * sizeof(*i));
		block->insns.n--;
		changed = true;
	}
	return changed;
}

/* Blocks that nothing leads to become empty: the kernel refuses dead code. */
static void sweep_dead_blocks(struct mach *c)
{
	bool *reached = arena_array(c->arena, bool, c->blocks.n);
	uint32_t *todo = arena_array(c->arena, uint32_t, c->blocks.n);
	uint32_t n = 1, next[2];

	reached[0] = true;
	while (n) {
		mach_next(&c->blocks.p[todo[--n]], next);
		for (int k = 0; k < 2; k++) {
			if (next[k] == MACH_NOWHERE || reached[next[k]])
				continue;
			reached[next[k]] = true;
			todo[n++] = next[k];
		}
	}
	for (uint32_t b = 0; b < c->blocks.n; b++)
		if (!reached[b])
			c->blocks.p[b] = (struct mach_block){.next = MACH_NOWHERE};
}

static void sweep(struct mach *c)
{
	uint32_t *reads = arena_array(c->arena, uint32_t, c->vregs.n);
	bool changed = true;

	for (uint32_t b = 0; b < c->blocks.n; b++)
		for (uint32_t k = 0; k < c->blocks.p[b].insns.n; k++)
			count_reads(&c->blocks.p[b].insns.p[k], reads, 1);
	while (changed) {
		changed = false;
		for (uint32_t b = c->blocks.n; b-- > 0;)
			changed |= sweep_block(&c->blocks.p[b], reads);
	}
}

/* What the IR has registers for and no instruction names needs none; the order stays. */
static void drop_registers(struct mach *c)
{
	mach_reg *to = arena_array(c->arena, mach_reg, MACH_VIRTUAL + c->vregs.n);
	uint32_t n = 0;

	to[c->scratch] = 1;
	for (uint32_t b = 0; b < c->blocks.n; b++)
		for (uint32_t k = 0; k < c->blocks.p[b].insns.n; k++) {
			const struct mach_insn *i = &c->blocks.p[b].insns.p[k];

			to[i->dst] = to[i->a] = to[i->b] = 1;
		}
	for (mach_reg r = 0; r < MACH_VIRTUAL; r++)
		to[r] = r;
	for (uint32_t v = 0; v < c->vregs.n; v++) {
		if (!to[MACH_VIRTUAL + v])
			continue;
		to[MACH_VIRTUAL + v] = MACH_VIRTUAL + n;
		c->vregs.p[n++] = c->vregs.p[v];
	}
	c->vregs.n = n;
	c->scratch = to[c->scratch];
	for (uint32_t b = 0; b < c->blocks.n; b++)
		for (uint32_t k = 0; k < c->blocks.p[b].insns.n; k++) {
			struct mach_insn *i = &c->blocks.p[b].insns.p[k];

			i->dst = to[i->dst];
			i->a = to[i->a];
			i->b = to[i->b];
		}
}

void select_func(struct mach *c, const struct slot_plan *plan)
{
	struct select s = {.c = c, .m = c->m, .f = c->f, .plan = plan, .span = c->f->span};
	uint32_t first = 1, scratch = UINT32_MAX;

	note_all(&s);
	s.slots = arena_array(c->arena, uint32_t, c->f->slots.n + 1);
	array_reserve(c->arena, &c->vregs, c->f->regs.n + c->f->regs.n / 4);
	array_reserve(c->arena, &c->blocks, c->f->blocks.n + 4);
	for (uint32_t r = 0; r < c->f->regs.n; r++)
		mach_vreg_new(c, c->f->regs.p[r].class);
	for (uint32_t b = 0; b <= c->f->blocks.n; b++)
		mach_block_new(c);
	find_depths(&s, first);
	for (uint32_t r = 1; r <= c->f->n_params; r++)
		select_put(&s, (struct mach_insn){
				       .op = MACH_MOV, .dst = select_dst(r), .a = MACH_R(r)});
	if (plan->uses_scratch) {
		s.scratch = c->scratch = select_temp(&s, IRC_PTR);
		scratch = select_scratch_block(&s);
	}
	c->blocks.p[s.block].next = first;
	for (uint32_t b = 0; b < c->f->blocks.n; b++) {
		const struct ir_block *block = &c->f->blocks.p[b];

		s.block = first + b;
		if (b == scratch)
			select_scratch(&s);
		for (uint32_t k = 0; k < block->insns.n; k++)
			select_insn(&s, &block->insns.p[k]);
		select_end(&s, block, b, first);
	}
	sweep_dead_blocks(c);
	sweep(c);
	drop_registers(c);
}
