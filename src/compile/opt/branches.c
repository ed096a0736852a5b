/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fewer and shorter ways between blocks.
 *
 * Branches and switches on numbers become jumps.  A branch on the result of a comparison
 * compares itself.  A way to an empty block goes on to where that block goes; a way to an
 * empty block that branches on what the block before has just set goes straight to the
 * branch's target (&& and || make such chains).  A branch on what an earlier branch has
 * decided is a jump.  A block with one way in, from a jump, is appended to that block.
 *
 * needs: nothing     keeps: registers     breaks: indices of blocks
 */
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

static void make_jump(struct ir_block *b, uint32_t to)
{
	b->end = IRE_JUMP;
	b->yes = to;
	b->no = 0;
	b->unlikely = false;
	b->a = b->b = (struct ir_val){};
	b->cases.n = 0;
}

/* --- ends on what is known */

static bool fold_end(struct ir_block *b)
{
	uint32_t to = b->no;

	if (b->end == IRE_BRANCH && (b->yes == b->no || (!b->a.reg && !b->b.reg))) {
		make_jump(b, ir_eval_cond(b->cond, (uint64_t)b->a.imm, (uint64_t)b->b.imm) ? b->yes
											   : b->no);
		return true;
	}
	if (b->end == IRE_BRANCH && !b->a.reg) { /* the number stands behind */
		struct ir_val a = b->a;

		b->a = b->b;
		b->b = a;
		b->cond = ir_cond_swap(b->cond);
		return true;
	}
	if (b->end == IRE_SWITCH && (!b->a.reg || !b->cases.n)) {
		for (size_t i = 0; i < b->cases.n; i++)
			if (b->cases.p[i].value == b->a.imm)
				to = b->cases.p[i].block;
		make_jump(b, to);
		return true;
	}
	return false;
}

/* The condition that a comparing operation stands for. */
static bool cond_of(enum ir_op op, enum ir_cond *ret)
{
	switch ((int)op) {
	case IR_SETEQ:
		*ret = IRC_EQ;
		return true;
	case IR_SETNE:
		*ret = IRC_NE;
		return true;
	case IR_SETULT:
		*ret = IRC_ULT;
		return true;
	case IR_SETULE:
		*ret = IRC_ULE;
		return true;
	case IR_SETSLT:
		*ret = IRC_SLT;
		return true;
	case IR_SETSLE:
		*ret = IRC_SLE;
		return true;
	case IR_AND:
		*ret = IRC_SET;
		return true;
	}
	return false;
}

/* `t = ult x, y; if ne t, 0` is `if ult x, y`. */
static bool fuse_compare(const struct flow *fl, struct ir_block *b)
{
	const struct ir_insn *def = b->end == IRE_BRANCH ? flow_def(fl, b->a) : NULL;
	bool on_true = b->cond == IRC_NE, ok;
	enum ir_cond cond;

	if (!def || !ir_is_imm(b->b, 0) || (b->cond != IRC_NE && b->cond != IRC_EQ) ||
	    !cond_of(def->op, &cond))
		return false;
	if (!flow_is_unchanged(fl, def->a, def, NULL, b) ||
	    !flow_is_unchanged(fl, def->b, def, NULL, b) || (!def->a.reg && !def->b.reg))
		return false;
	if (!on_true) {
		enum ir_cond not = ir_cond_not(cond, &ok);

		if (!ok) { /* no opposite: the targets change places */
			uint32_t to = b->yes;

			if (b->unlikely)
				return false;
			b->yes = b->no;
			b->no = to;
		} else {
			cond = not ;
		}
	}
	b->cond = cond;
	b->a = def->a;
	b->b = def->b;
	return true;
}

/* --- jumps over empty blocks */

/* Where one gets from an empty block; chains and circles are walked for a while. */
static uint32_t through(const struct ir_func *f, uint32_t to)
{
	for (unsigned int i = 0; i < 32; i++) {
		const struct ir_block *b = &f->blocks.p[to];

		if (b->insns.n || b->end != IRE_JUMP || b->yes == to)
			break;
		to = b->yes;
	}
	return to;
}

/* The number that register r has at the end of a block, if it was set there. */
static bool known_at_end(const struct ir_block *b, struct ir_val v, uint64_t *ret)
{
	ir_reg regs[2];
	unsigned int n;

	if (!v.reg) {
		*ret = (uint64_t)v.imm;
		return true;
	}
	for (size_t i = b->insns.n; i--;) {
		const struct ir_insn *insn = &b->insns.p[i];

		n = ir_defs(insn, regs);
		while (n--)
			if (regs[n] == v.reg) {
				*ret = (uint64_t)insn->a.imm;
				return insn->op == IR_MOV && !insn->a.reg;
			}
	}
	return false;
}

/* A way to an empty block that branches on what is known here goes to where that goes. */
static bool thread(const struct ir_func *f, const struct ir_block *b, uint32_t *way)
{
	const struct ir_block *to = &f->blocks.p[*way];
	uint64_t x, y;
	uint32_t next;

	if (to == b || to->insns.n || to->end != IRE_BRANCH || !known_at_end(b, to->a, &x) ||
	    !known_at_end(b, to->b, &y))
		return false;
	next = ir_eval_cond(to->cond, x, y) ? to->yes : to->no;
	if (next == *way)
		return false;
	*way = next;
	return true;
}

static bool shorten(const struct ir_func *f, struct ir_block *b)
{
	bool changed = false;

	for (uint32_t s = 0; s < ir_n_succs(b); s++) {
		uint32_t *at = ir_succ(b, s), to = through(f, *at);

		changed |= to != *at;
		*at = to;
		changed |= thread(f, b, at);
	}
	return changed;
}

/* --- what an earlier branch has decided */

/* Does the way from `from` to `to` say that `b`'s condition holds (or not)? */
static bool decides(const struct flow *fl, const struct ir_block *from, uint32_t to,
		    const struct ir_block *b, bool *ret_holds)
{
	bool same, opposite, ok;

	if (from->end != IRE_BRANCH || from->yes == from->no || fl->n_preds[to] != 1 ||
	    !ir_val_eq(from->a, b->a) || !ir_val_eq(from->b, b->b))
		return false;
	same = from->cond == b->cond;
	opposite = ir_cond_not(from->cond, &ok) == b->cond && ok;
	*ret_holds = same == (from->yes == to);
	return same || opposite;
}

static bool fold_decided(struct flow *fl, uint32_t at)
{
	struct ir_block *b = &fl->f->blocks.p[at];
	uint32_t to = at, up;
	bool holds;

	if (b->end != IRE_BRANCH || !flow_is_fixed_val(fl, b->a) || !flow_is_fixed_val(fl, b->b))
		return false;
	for (unsigned int k = 0; to && k < 64; k++, to = up) {
		up = fl->idom[to];
		if (!decides(fl, &fl->f->blocks.p[up], to, b, &holds))
			continue;
		make_jump(b, holds ? b->yes : b->no);
		return true;
	}
	return false;
}

/* --- one block of two */

static void append(struct ir_module *m, struct ir_block *to, struct ir_block *from)
{
	for (size_t i = 0; i < from->insns.n; i++)
		array_push(m->arena, &to->insns, from->insns.p[i]);
	to->end = from->end;
	to->cond = from->cond;
	to->unlikely = from->unlikely;
	to->a = from->a;
	to->b = from->b;
	to->yes = from->yes;
	to->no = from->no;
	to->cases.p = from->cases.p;
	to->cases.n = from->cases.n;
	to->cases.room = from->cases.room;
	to->span = from->span;
	from->insns.n = 0;
	make_jump(from, 0);
}

static bool join(struct flow *fl)
{
	struct ir_func *f = fl->f;
	bool changed = false;

	flow_order(fl);
	for (uint32_t k = 0; k < fl->n_order; k++) {
		uint32_t b = fl->order[k];
		struct ir_block *block = &f->blocks.p[b];

		/* What was appended is empty now and is not entered any more. */
		while (fl->n_preds[b] != UINT32_MAX && block->end == IRE_JUMP && block->yes &&
		       block->yes != b && fl->n_preds[block->yes] == 1) {
			uint32_t gone = block->yes;

			append(fl->m, block, &f->blocks.p[gone]);
			fl->n_preds[gone] = UINT32_MAX;
			changed = true;
		}
	}
	if (changed)
		flow_forget_order(fl);
	return changed;
}

static bool shorten_all(struct flow *fl)
{
	struct ir_func *f = fl->f;
	bool changed = false, decided = false;

	flow_defs(fl);
	for (size_t b = 0; b < f->blocks.n; b++) {
		changed |= fuse_compare(fl, &f->blocks.p[b]);
		changed |= fold_end(&f->blocks.p[b]);
		changed |= shorten(f, &f->blocks.p[b]);
		changed |= fold_end(&f->blocks.p[b]);
	}
	if (changed)
		flow_forget_order(fl);
	flow_idoms(fl);
	for (uint32_t k = 0; k < fl->n_order; k++)
		decided |= fold_decided(fl, fl->order[k]);
	if (decided)
		flow_forget_order(fl);
	return changed || decided;
}

bool opt_branches(struct flow *fl)
{
	bool any = false, changed = true;

	/* What one makes shorter, the next sees through; each round leaves less. */
	for (unsigned int round = 0; changed && round < 8; round++) {
		changed = shorten_all(fl);
		if (changed)
			opt_reach(fl);
		if (join(fl)) {
			opt_reach(fl);
			flow_forget(fl);
			changed = true;
		}
		any |= changed;
	}
	return any;
}
