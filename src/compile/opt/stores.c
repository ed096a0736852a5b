/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fewer writes for the same bytes.
 *
 * Two writes next to each other in a block, with nothing between them that reads or writes
 * the program's memory: zeros beside zeros become one zeroing, two copies of neighbouring
 * bytes one copy, two small numbers one larger one where the place is known to be aligned
 * (the verifier wants that on the stack).  What is only written to be written over by the
 * next writes is not written.
 *
 * needs: nothing     keeps: blocks     breaks: who reads what
 */
#include "compile/opt/facts.h"
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

/* The bytes that a write covers. */
struct range {
	int64_t begin, end;
};

static struct range range_of(const struct ir_insn *i)
{
	int64_t n = i->op == IR_STORE ? i->size : i->c.imm;

	return (struct range){i->off, (int64_t)i->off + n};
}

static bool is_zeros(const struct ir_insn *i)
{
	return i->op == IR_ZERO || (i->op == IR_STORE && ir_is_imm(i->b, 0));
}

/* Nothing that depends on our memory, or changes it. */
static bool is_neutral(const struct ir_insn *i)
{
	return i->op == IR_OPS || ir_is_pure(i) || i->op == IR_KLOAD || i->op == IR_ULOAD ||
	       (i->op == IR_CALL && facts_of(i) & FACT_TELLS);
}

static void make_zero(struct ir_insn *i, struct range r)
{
	*i = (struct ir_insn){.op = IR_ZERO,
			      .a = i->a,
			      .off = (int32_t)r.begin,
			      .c = IR_I(r.end - r.begin),
			      .span = i->span};
}

/* Zeros that touch, or one within the other. */
static bool join_zeros(struct ir_insn *first, const struct ir_insn *next)
{
	struct range a = range_of(first), b = range_of(next);

	if (!is_zeros(first) || !is_zeros(next) || a.end < b.begin || b.end < a.begin)
		return false;
	make_zero(first, (struct range){MIN(a.begin, b.begin), MAX(a.end, b.end)});
	return true;
}

/* The slot + 1 that `v` is the address of; 0: something else; -1: not known. */
static int64_t object_of(const struct flow *fl, struct ir_val v)
{
	const struct ir_insn *def = flow_def(fl, v);

	if (!def)
		return flow_is_fixed_val(fl, v) ? 0 : -1; /* a parameter */
	if (def->op == IR_SLOT)
		return (int64_t)def->index + 1;
	return ir_op_info[def->op].form == IRF_SPACE || def->op == IR_MAPVALUE || def->op == IR_CALL
		       ? 0
		       : -1;
}

/* One copy of both: only if no byte that the first writes is read by the second. */
static bool join_copies(const struct flow *fl, struct ir_insn *first, const struct ir_insn *next)
{
	int64_t to = object_of(fl, first->a), at = object_of(fl, first->b);
	int64_t from = (int64_t)(int32_t)first->index + first->c.imm;

	if (first->op != IR_COPY || next->op != IR_COPY || first->b.reg != next->b.reg ||
	    range_of(first).end != next->off || from != (int32_t)next->index ||
	    !flow_is_fixed_val(fl, first->b) || to < 0 || at < 0 || to == at)
		return false;
	first->c.imm += next->c.imm;
	return true;
}

/* Is the place a multiple of n, for sure? */
static bool is_aligned(const struct flow *fl, const struct ir_insn *i, int64_t at, uint32_t n)
{
	const struct ir_insn *def = flow_def(fl, i->a);

	return def && def->op == IR_SLOT && fl->f->slots.p[def->index].align >= n &&
	       !((def->off + at) % n);
}

/* Two numbers of the same size, side by side: the little end comes first. */
static bool join_numbers(const struct flow *fl, struct ir_insn *first, const struct ir_insn *next)
{
	const struct ir_insn *low = first->off < next->off ? first : next;
	const struct ir_insn *high = low == first ? next : first;
	unsigned int bits = first->size * 8u;
	uint64_t v;

	if (first->op != IR_STORE || next->op != IR_STORE || first->b.reg || next->b.reg ||
	    first->size != next->size || first->size > 4 || low->off + low->size != high->off ||
	    !is_aligned(fl, first, low->off, first->size * 2u))
		return false;
	v = ir_eval_unary(IR_ZEXT, bits, (uint64_t)low->b.imm) | (uint64_t)high->b.imm << bits;
	v = ir_eval_unary(IR_SEXT, bits * 2, v);
	if ((int64_t)v != (int32_t)v)
		return false;
	first->off = low->off;
	first->size *= 2;
	first->b = IR_I((int64_t)v);
	return true;
}

/* What a write need not do, since `next` writes there. */
static bool trim(struct ir_insn *zero, const struct ir_insn *next)
{
	struct range z = range_of(zero), n = range_of(next);

	if (n.begin >= z.end || n.end <= z.begin)
		return false;
	if (n.begin <= z.begin && n.end >= z.end)
		zero->op = IR_OPS; /* all of it, whatever it wrote */
	else if (zero->op == IR_ZERO && n.begin <= z.begin)
		make_zero(zero, (struct range){n.end, z.end});
	else if (zero->op == IR_ZERO && n.end >= z.end)
		make_zero(zero, (struct range){z.begin, n.begin});
	else
		return false;
	return true;
}

static bool is_write(const struct ir_insn *i)
{
	return i->op == IR_STORE || i->op == IR_ZERO || i->op == IR_COPY;
}

/* What may be done with the writes behind `first`. */
static bool run_from(const struct flow *fl, struct ir_block *b, size_t at)
{
	struct ir_insn *first = &b->insns.p[at];
	bool changed = false, is_next = true;

	for (size_t i = at + 1; i < b->insns.n && is_write(first); i++) {
		struct ir_insn *next = &b->insns.p[i];

		if (is_neutral(next))
			continue;
		if (!is_write(next) || next->a.reg != first->a.reg ||
		    !flow_is_unchanged(fl, first->a, first, next, b))
			break;
		if (is_next && (join_zeros(first, next) || join_copies(fl, first, next) ||
				join_numbers(fl, first, next))) {
			next->op = IR_OPS;
			changed = true;
			continue;
		}
		if (next->op == IR_COPY) /* it may read what was zeroed */
			break;
		changed |= trim(first, next);
		is_next = false;
	}
	return changed;
}

bool opt_stores(struct flow *fl)
{
	struct ir_func *f = fl->f;
	bool changed = false;

	flow_defs(fl);
	for (size_t b = 0; b < f->blocks.n; b++)
		for (size_t i = 0; i < f->blocks.p[b].insns.n; i++)
			if (is_write(&f->blocks.p[b].insns.p[i]))
				changed |= run_from(fl, &f->blocks.p[b], i);
	for (size_t b = 0; changed && b < f->blocks.n; b++)
		flow_sweep(&f->blocks.p[b]);
	if (changed)
		flow_forget(fl);
	return changed;
}
