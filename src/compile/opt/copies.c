/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves between registers go.
 *
 * Of two fixed registers, the copy is read as the original everywhere.  The copy of a
 * variable is read as the variable until that changes, inside its block.  A temporary that
 * is made only to be moved into a variable is made there (t = x + 1; x = t).
 *
 * A number and a kernel address may stand for each other; other classes must be equal,
 * since a move from one to another is how a language casts.
 *
 * needs: nothing     keeps: blocks     breaks: who reads what
 */
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

static bool is_number(enum ir_class c)
{
	return c == IRC_INT || c == IRC_KPTR;
}

static bool may_stand_for(const struct ir_func *f, ir_reg r, ir_reg copy)
{
	enum ir_class a = f->regs.p[r].class, b = f->regs.p[copy].class;

	return a == b || (is_number(a) && is_number(b));
}

/* Is operand k of `i` an address that is used directly? */
static bool is_base(const struct ir_insn *i, const struct ir_val *v)
{
	switch (ir_op_info[i->op].form) {
	case IRF_LOAD:
		return i->op == IR_LOAD;
	case IRF_STORE:
	case IRF_ATOMIC:
	case IRF_FILL:
		return v == &i->a;
	case IRF_COPY:
		return true;
	case IRF_UNARY:
	case IRF_BINARY:
	case IRF_EXTEND:
	case IRF_ADDRESS:
	case IRF_SPACE:
	case IRF_CALL:
		return false;
	}
	return false;
}

static bool replace(const struct ir_func *f, const struct ir_insn *i, struct ir_val *v, ir_reg to)
{
	if (!to || to == v->reg)
		return false;
	if (i && is_base(i, v) && f->regs.p[to].class != f->regs.p[v->reg].class)
		return false;
	v->reg = to;
	return true;
}

/* --- originals of fixed registers */

/* By register; 0: it is its own.  NULL: all are. */
static ir_reg *find_originals(struct flow *fl)
{
	ir_reg *original = arena_array(fl->scratch, ir_reg, fl->f->regs.n + 1);
	bool any = false;

	for (ir_reg r = 1; r < fl->f->regs.n; r++) {
		const struct ir_insn *def = fl->def[r];
		ir_reg at = r;

		/* A circle of moves can not be: each definition comes before its reads. */
		for (unsigned int k = 0; def && def->op == IR_MOV && def->a.reg && k < 64; k++) {
			if (!flow_is_fixed(fl, def->a.reg) || !may_stand_for(fl->f, def->a.reg, at))
				break;
			at = def->a.reg;
			def = fl->def[at];
		}
		original[r] = at == r ? 0 : at;
		any |= at != r;
	}
	return any ? original : NULL;
}

static bool replace_all(struct ir_func *f, const ir_reg *original)
{
	struct ir_val *at[IR_OPERANDS];
	bool changed = false;
	unsigned int n;

	for (size_t b = 0; original && b < f->blocks.n; b++) {
		struct ir_block *block = &f->blocks.p[b];

		for (size_t i = 0; i < block->insns.n; i++) {
			n = ir_operands(&block->insns.p[i], at);
			while (n--)
				changed |=
					replace(f, &block->insns.p[i], at[n], original[at[n]->reg]);
		}
		n = ir_end_operands(block, at);
		while (n--)
			changed |= replace(f, NULL, at[n], original[at[n]->reg]);
	}
	return changed;
}

/* --- copies of variables, inside a block */

/* From `at` on, `copy` (written once) is read as `var`, until that changes. */
static bool forward(struct ir_func *f, struct ir_block *b, size_t at, ir_reg copy, ir_reg var)
{
	struct ir_val *ops[IR_OPERANDS];
	ir_reg regs[2];
	bool changed = false;
	unsigned int n;

	for (size_t i = at; i < b->insns.n; i++) {
		n = ir_operands(&b->insns.p[i], ops);
		while (n--)
			if (ops[n]->reg == copy)
				changed |= replace(f, &b->insns.p[i], ops[n], var);
		n = ir_defs(&b->insns.p[i], regs);
		while (n--)
			if (regs[n] == var || regs[n] == copy)
				return changed;
	}
	n = ir_end_operands(b, ops);
	while (n--)
		if (ops[n]->reg == copy)
			changed |= replace(f, NULL, ops[n], var);
	return changed;
}

static bool mentions(const struct ir_insn *i, ir_reg r)
{
	ir_reg regs[IR_OPERANDS];
	unsigned int n = ir_uses(i, regs);

	while (n--)
		if (regs[n] == r)
			return true;
	n = ir_defs(i, regs);
	while (n--)
		if (regs[n] == r)
			return true;
	return false;
}

/* `mov var, t` at `at`: may t's instruction write var instead?  It does then. */
static bool make_there(const struct flow *fl, struct ir_block *b, size_t at)
{
	struct ir_insn *move = &b->insns.p[at];
	struct ir_insn *def = flow_def(fl, move->a);
	ir_reg var = move->dst;

	if (!def || fl->n_uses[move->a.reg] != 1 || def->dst != move->a.reg || def >= move ||
	    def < b->insns.p || def->op == IR_OPS ||
	    (ir_op_info[def->op].form == IRF_LOAD && def->b.reg == var) ||
	    !may_stand_for(fl->f, var, move->a.reg))
		return false;
	for (const struct ir_insn *i = def + 1; i < move; i++)
		if (i->op != IR_OPS && mentions(i, var))
			return false;
	def->dst = var;
	move->op = IR_OPS;
	return true;
}

static bool run_block(const struct flow *fl, struct ir_block *b)
{
	bool changed = false;

	for (size_t i = 0; i < b->insns.n; i++) {
		struct ir_insn *insn = &b->insns.p[i];

		if (insn->op != IR_MOV || !insn->a.reg)
			continue;
		if (insn->a.reg == insn->dst) {
			insn->op = IR_OPS;
			changed = true;
		} else if (!flow_is_fixed(fl, insn->dst)) {
			changed |= make_there(fl, b, i);
		}
	}
	if (changed)
		flow_sweep(b);
	for (size_t i = 0; i < b->insns.n; i++) {
		const struct ir_insn *insn = &b->insns.p[i];

		if (insn->op == IR_MOV && insn->a.reg && flow_is_fixed(fl, insn->dst) &&
		    !flow_is_fixed(fl, insn->a.reg) && may_stand_for(fl->f, insn->a.reg, insn->dst))
			changed |= forward(fl->f, b, i + 1, insn->dst, insn->a.reg);
	}
	return changed;
}

bool opt_copies(struct flow *fl)
{
	struct ir_func *f = fl->f;
	bool changed, moved = false;

	flow_defs(fl);
	changed = replace_all(f, find_originals(fl));
	if (fl->has_variables) /* what make_there() asks for */
		flow_uses(fl);
	for (size_t b = 0; b < f->blocks.n; b++)
		moved |= run_block(fl, &f->blocks.p[b]);
	if (moved)
		flow_forget(fl);
	return changed || moved;
}
