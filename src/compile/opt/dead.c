/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nobody reads is not made.
 *
 * From the end of each block backwards with the registers that live behind it: an
 * instruction without effect whose results are dead goes; a call whose result is dead loses
 * the result.  Stores into slots that are never read and whose address goes nowhere go,
 * and so do slots that no instruction names.
 *
 * needs: nothing     keeps: blocks     breaks: indices of slots, who reads what
 */
#include "compile/opt/facts.h"
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

/* True: it changed; op IR_OPS: it goes. */
static bool drop_insn(struct ir_insn *i, const uint64_t *live)
{
	ir_reg regs[2];
	unsigned int n = ir_defs(i, regs), wanted = 0;

	for (unsigned int k = 0; k < n; k++)
		wanted += live_has(live, regs[k]);
	if (wanted == n && n)
		return false;
	if (!wanted && facts_of(i) & FACT_TELLS) {
		i->op = IR_OPS;
		return true;
	}
	if (n == 2 && !live_has(live, i->b.reg)) { /* the error of a read */
		i->b = (struct ir_val){};
		return true;
	}
	if (n && !wanted && ir_op_info[i->op].form == IRF_CALL) {
		i->dst = 0;
		return true;
	}
	if (n && !wanted && ir_op_info[i->op].form == IRF_ATOMIC && i->op != IR_ATOMIC_XCHG) {
		i->dst = 0;
		i->want = false;
		return true;
	}
	return false;
}

static bool drop_block(struct ir_block *b, uint64_t *live)
{
	ir_reg regs[IR_OPERANDS];
	unsigned int n = ir_end_uses(b, regs);
	bool changed = false;

	while (n--)
		live_set(live, regs[n], true);
	for (size_t k = b->insns.n; k--;) {
		struct ir_insn *i = &b->insns.p[k];

		changed |= drop_insn(i, live);
		if (i->op == IR_OPS)
			continue;
		n = ir_defs(i, regs);
		while (n--)
			live_set(live, regs[n], false);
		n = ir_uses(i, regs);
		while (n--)
			live_set(live, regs[n], true);
	}
	if (changed)
		flow_sweep(b);
	return changed;
}

static bool drop_results(struct flow *fl)
{
	bool changed = false;
	struct live live;

	flow_order(fl);
	flow_live(fl, &live);
	for (uint32_t k = 0; k < fl->n_order; k++)
		changed |= drop_block(&fl->f->blocks.p[fl->order[k]],
				      live.out + fl->order[k] * live.words);
	if (changed)
		flow_forget(fl);
	return changed;
}

/* --- slots */

/* The slot + 1 that `v` is the address of; 0: none, or not known. */
static uint32_t slot_of(const struct flow *fl, struct ir_val v)
{
	const struct ir_insn *def = flow_def(fl, v);

	return def && def->op == IR_SLOT ? def->index + 1 : 0;
}

/* Is operand `v` of `i` a place that is only written to? */
static bool only_writes(const struct ir_insn *i, const struct ir_val *v)
{
	return v == &i->a && (i->op == IR_STORE || i->op == IR_ZERO || i->op == IR_COPY);
}

/* Slots that are read, or whose address goes where we do not follow. */
static void find_read(const struct flow *fl, bool *read)
{
	struct ir_val *at[IR_OPERANDS];
	unsigned int n;

	for (size_t b = 0; b < fl->f->blocks.n; b++) {
		struct ir_block *block = &fl->f->blocks.p[b];

		for (size_t k = 0; k < block->insns.n; k++) {
			struct ir_insn *i = &block->insns.p[k];

			n = ir_operands(i, at);
			while (n--) {
				uint32_t slot = slot_of(fl, *at[n]);

				if (slot && !only_writes(i, at[n]))
					read[slot - 1] = true;
			}
			if (i->op == IR_SLOT && !flow_is_fixed(fl, i->dst))
				read[i->index] = true;
		}
		n = ir_end_operands(block, at);
		while (n--)
			if (slot_of(fl, *at[n]))
				read[slot_of(fl, *at[n]) - 1] = true;
	}
}

static bool drop_stores(struct flow *fl)
{
	struct ir_func *f = fl->f;
	bool *read, changed = false;

	if (!f->slots.n)
		return false;
	flow_defs(fl);
	read = arena_array(fl->scratch, bool, f->slots.n);
	find_read(fl, read);
	for (size_t b = 0; b < f->blocks.n; b++) {
		struct ir_block *block = &f->blocks.p[b];

		for (size_t k = 0; k < block->insns.n; k++) {
			struct ir_insn *i = &block->insns.p[k];
			uint32_t slot = only_writes(i, &i->a) ? slot_of(fl, i->a) : 0;

			if (!slot || read[slot - 1])
				continue;
			i->op = IR_OPS;
			changed = true;
		}
	}
	/* Only now: the table of definitions points into the blocks. */
	for (size_t b = 0; changed && b < f->blocks.n; b++)
		flow_sweep(&f->blocks.p[b]);
	if (changed)
		flow_forget(fl);
	return changed;
}

static bool drop_slots(struct flow *fl)
{
	struct ir_func *f = fl->f;
	uint32_t *to, n = 0;
	bool *named, changed;

	if (!f->slots.n)
		return false;
	to = arena_array(fl->scratch, uint32_t, f->slots.n);
	named = arena_array(fl->scratch, bool, f->slots.n);
	for (size_t b = 0; b < f->blocks.n; b++)
		for (size_t k = 0; k < f->blocks.p[b].insns.n; k++)
			if (f->blocks.p[b].insns.p[k].op == IR_SLOT)
				named[f->blocks.p[b].insns.p[k].index] = true;
	for (uint32_t s = 0; s < f->slots.n; s++) {
		if (!named[s])
			continue;
		f->slots.p[n] = f->slots.p[s];
		to[s] = n++;
	}
	changed = n != f->slots.n;
	f->slots.n = n;
	for (size_t b = 0; changed && b < f->blocks.n; b++)
		for (size_t k = 0; k < f->blocks.p[b].insns.n; k++)
			if (f->blocks.p[b].insns.p[k].op == IR_SLOT)
				f->blocks.p[b].insns.p[k].index =
					to[f->blocks.p[b].insns.p[k].index];
	return changed;
}

bool opt_dead(struct flow *fl)
{
	bool changed = drop_results(fl);

	if (drop_stores(fl)) {
		drop_results(fl);
		changed = true;
	}
	changed |= drop_slots(fl);
	return changed;
}
