/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that are known take the place of registers, and what they make is worked out.
 *
 * A register written once by `mov N` is N everywhere.  For registers that are written more
 * often (variables), a lattice is propagated along the blocks: not reached yet, a number,
 * or unknown; where two ways meet, the same number stays and all else is unknown.  It
 * begins optimistic, so a variable that a loop sets to the same number again stays known.
 * Variables that loads or calls write too are followed inside a block only.
 *
 * Addresses stay registers: only operands that may be numbers are replaced.
 *
 * needs: nothing     keeps: blocks     breaks: who reads what
 */
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

enum { MOST_CELLS = 1 << 18 };

enum known_kind { UNREACHED, NUMBER, UNKNOWN };

struct known {
	enum known_kind kind;
	int64_t number;
};

struct folding {
	struct flow *fl;
	uint32_t *column; /* by register: 1 + place in a row; 0: known inside a block only */
	ir_reg *variables;
	uint32_t n;
	struct known *rows; /* by block: what holds at its start */
	struct known *here;
	bool *is_dirty;	      /* by block: its row changed */
	struct known *local;  /* by register, of those without a column */
	uint32_t *local_from; /* … noted at which time */
	uint32_t block, time;
};

static struct known known_of(const struct folding *fold, struct ir_val v)
{
	const struct ir_insn *def;

	if (!v.reg)
		return (struct known){NUMBER, v.imm};
	def = flow_def(fold->fl, v); /* of fixed ones, which are most */
	if (!def && fold->column[v.reg])
		return fold->here[fold->column[v.reg] - 1];
	if (!def && fold->local_from[v.reg] == fold->time)
		return fold->local[v.reg];
	if (def && def->op == IR_MOV && !def->a.reg)
		return (struct known){NUMBER, def->a.imm};
	return (struct known){UNKNOWN, 0};
}

/* What an instruction makes of its operands. */
static struct known evaluate(const struct folding *fold, const struct ir_insn *i)
{
	enum ir_form form = ir_op_info[i->op].form;
	bool is_binary = form == IRF_BINARY;
	struct known a, b = {NUMBER, 0};
	uint64_t v;

	if (!is_binary && form != IRF_UNARY && form != IRF_EXTEND)
		return (struct known){UNKNOWN, 0};
	a = known_of(fold, i->a);
	if (is_binary)
		b = known_of(fold, i->b);
	if (a.kind == UNKNOWN || b.kind == UNKNOWN)
		return (struct known){UNKNOWN, 0};
	if (a.kind == UNREACHED || b.kind == UNREACHED)
		return (struct known){UNREACHED, 0};
	v = is_binary ? ir_eval_binary(i->op, (uint64_t)a.number, (uint64_t)b.number)
		      : ir_eval_unary(i->op, i->size, (uint64_t)a.number);
	return (struct known){NUMBER, (int64_t)v};
}

static void step(struct folding *fold, const struct ir_insn *i)
{
	ir_reg regs[2];
	unsigned int n = ir_defs(i, regs);
	struct known k;

	while (n--) {
		if (flow_is_fixed(fold->fl, regs[n]))
			continue;
		k = regs[n] == i->dst ? evaluate(fold, i) : (struct known){UNKNOWN, 0};
		if (fold->column[regs[n]]) {
			fold->here[fold->column[regs[n]] - 1] = k;
		} else {
			fold->local[regs[n]] = k;
			fold->local_from[regs[n]] = fold->time;
		}
	}
}

static void enter(struct folding *fold, uint32_t b)
{
	fold->block = b;
	fold->time++; /* what was local is forgotten */
	if (fold->n)
		memcpy(fold->here, fold->rows + (size_t)b * fold->n, fold->n * sizeof(*fold->here));
}

static bool meet(struct known *to, struct known from)
{
	if (from.kind == UNREACHED || to->kind == UNKNOWN)
		return false;
	if (to->kind == NUMBER && from.kind == NUMBER && to->number == from.number)
		return false;
	*to = to->kind == UNREACHED ? from : (struct known){UNKNOWN, 0};
	return true;
}

/* What holds behind block b holds at the start of block `to`, if nothing else comes there. */
static bool flow_into(struct folding *fold, uint32_t to)
{
	struct known *row = fold->rows + (size_t)to * fold->n;
	bool changed = false;

	for (uint32_t v = 0; v < fold->n; v++)
		changed |= meet(&row[v], fold->here[v]);
	fold->is_dirty[to] |= changed;
	return changed && fold->fl->rank[to] <= fold->fl->rank[fold->block];
}

static void propagate(struct folding *fold)
{
	struct ir_func *f = fold->fl->f;
	bool again = fold->n;

	for (uint32_t v = 0; v < fold->n; v++)
		if (fold->variables[v] <= f->n_params)
			fold->rows[v].kind = UNKNOWN;
	if (again)
		memset(fold->is_dirty, true, f->blocks.n);
	while (again) {
		again = false;
		for (uint32_t k = 0; k < fold->fl->n_order; k++) {
			uint32_t b = fold->fl->order[k];
			struct ir_block *block = &f->blocks.p[b];

			if (!fold->is_dirty[b])
				continue;
			fold->is_dirty[b] = false;
			enter(fold, b);
			for (size_t i = 0; i < block->insns.n; i++)
				step(fold, &block->insns.p[i]);
			for (uint32_t s = 0; s < ir_n_succs(block); s++)
				again |= flow_into(fold, *ir_succ(block, s));
		}
	}
}

/* May operand `v` of `i` be a number? */
static bool may_be_number(const struct ir_insn *i, const struct ir_val *v)
{
	switch (ir_op_info[i->op].form) {
	case IRF_UNARY:
	case IRF_BINARY:
	case IRF_EXTEND:
	case IRF_CALL:
		return true;
	case IRF_STORE:
	case IRF_ATOMIC:
		return v == &i->b;
	case IRF_ADDRESS:
	case IRF_SPACE:
	case IRF_LOAD:
	case IRF_FILL:
	case IRF_COPY:
		return false;
	}
	return false;
}

static bool replace(const struct folding *fold, struct ir_val *v)
{
	struct known k;

	if (!v->reg)
		return false;
	k = known_of(fold, *v);
	if (k.kind != NUMBER)
		return false;
	*v = IR_I(k.number);
	return true;
}

static bool fold_insn(struct folding *fold, struct ir_insn *i)
{
	struct ir_val *at[IR_OPERANDS];
	unsigned int n = ir_operands(i, at);
	bool changed = false;
	struct known k;

	while (n--)
		if (may_be_number(i, at[n]))
			changed |= replace(fold, at[n]);
	/* an operand that is still a register is no known number */
	if (i->op == IR_MOV || !i->dst || i->a.reg || i->b.reg)
		return changed;
	k = evaluate(fold, i);
	if (k.kind != NUMBER)
		return changed;
	flow_become(i, IR_MOV, IR_I(k.number), (struct ir_val){});
	return true;
}

static bool fold_block(struct folding *fold, uint32_t b)
{
	struct ir_block *block = &fold->fl->f->blocks.p[b];
	struct ir_val *at[2];
	unsigned int n;
	bool changed = false;

	enter(fold, b);
	for (size_t i = 0; i < block->insns.n; i++) {
		changed |= fold_insn(fold, &block->insns.p[i]);
		if (fold->fl->has_variables)
			step(fold, &block->insns.p[i]);
	}
	n = ir_end_operands(block, at);
	while (n--)
		changed |= replace(fold, at[n]);
	return changed;
}

/* Variables that something else than arithmetic writes: not worth a column. */
static bool *find_written(struct flow *fl)
{
	bool *written = arena_array(fl->scratch, bool, fl->f->regs.n + 1);
	ir_reg regs[2];

	for (size_t b = 0; b < fl->f->blocks.n; b++)
		for (size_t k = 0; k < fl->f->blocks.p[b].insns.n; k++) {
			const struct ir_insn *i = &fl->f->blocks.p[b].insns.p[k];
			unsigned int n = ir_is_pure(i) ? 0 : ir_defs(i, regs);

			while (n--)
				written[regs[n]] = true;
		}
	return written;
}

static void find_variables(struct folding *fold)
{
	struct flow *fl = fold->fl;
	size_t n_blocks = fl->f->blocks.n, n_regs = fl->f->regs.n + 1;
	const bool *written;

	fold->column = arena_array(fl->scratch, uint32_t, n_regs);
	fold->local_from = arena_array(fl->scratch, uint32_t, n_regs);
	if (!fl->has_variables)
		return;
	written = find_written(fl);
	fold->variables = arena_array(fl->scratch, ir_reg, n_regs);
	fold->local = arena_array(fl->scratch, struct known, n_regs);
	fold->is_dirty = arena_array(fl->scratch, bool, n_blocks);
	for (ir_reg r = 1; r < fl->f->regs.n; r++) {
		if (fl->n_defs[r] < 2 || written[r] || (fold->n + 1) * n_blocks > MOST_CELLS)
			continue;
		fold->variables[fold->n++] = r;
		fold->column[r] = fold->n;
	}
	fold->rows = arena_array(fl->scratch, struct known, n_blocks * fold->n);
	fold->here = arena_array(fl->scratch, struct known, fold->n);
}

bool opt_fold(struct flow *fl)
{
	struct folding fold = {.fl = fl};
	bool changed = false;

	flow_defs(fl);
	flow_order(fl);
	find_variables(&fold);
	propagate(&fold);
	for (uint32_t k = 0; k < fl->n_order; k++)
		changed |= fold_block(&fold, fl->order[k]);
	return changed;
}
