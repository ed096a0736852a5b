/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations that are one on the machine, or in a better order.
 *
 * Compilers write a % b as a - a / b * b, since a BPF program may need the quotient too; mostly it
 * does not.  And they end loops by a jump out and a jump back: the other way round it is one.
 */
#include "runtime/vm/jit/jit.h"

/* The operation before i that is not gone, if nothing jumps between them. */
static struct jit_op *before(const struct jit *j, const struct jit_op *o)
{
	while (o > j->ops && !o->is_leader) {
		o--;
		if (o->id != INSN_NONE)
			return (struct jit_op *)o;
	}
	return NULL;
}

static bool is_row(const struct jit_op *o, enum insn_alu op, const struct jit_op *like)
{
	return o && o->id != INSN_NONE && insn_kind(o->id) == INSN_KIND_ALU &&
	       insn_alu_of(o->id) == op &&
	       insn_row_of(o->id)->is_32 == insn_row_of(like->id)->is_32;
}

/* q = x / y; q *= y; z = x - q, and q is not read any more. */
static void fuse_rest(struct jit *j, struct jit_op *sub)
{
	struct jit_op *mul, *div;
	unsigned int q = sub->b;

	if (sub->id != INSN_SUB64_X && sub->id != INSN_SUB32_X)
		return;
	mul = before(j, sub);
	div = is_row(mul, ALU_MUL, sub) ? before(j, mul) : NULL;
	if (!is_row(div, ALU_DIV, sub) || div->dst != q || mul->dst != q || sub->a != div->a ||
	    div->a == q || div->b == q || (sub->dst != q && sub->live >> q & 1) ||
	    insn_row_of(div->id)->is_imm != insn_row_of(mul->id)->is_imm)
		return;
	if (insn_row_of(div->id)->is_imm
		    ? mul->imm != div->imm || mul->a != q
		    : !((mul->a == q && mul->b == div->b) || (mul->b == q && mul->a == div->b)))
		return;
	sub->id = (uint16_t)(div->id + (INSN_MOD64_K - INSN_DIV64_K));
	sub->b = div->b;
	sub->imm = div->imm;
	sub->width_a = div->width_a;
	sub->width_b = div->width_b;
	div->id = mul->id = INSN_NONE;
}

static enum insn_jump inverse(enum insn_jump op)
{
	switch (op) {
	case JUMP_JEQ:
		return JUMP_JNE;
	case JUMP_JNE:
		return JUMP_JEQ;
	case JUMP_JGT:
		return JUMP_JLE;
	case JUMP_JLE:
		return JUMP_JGT;
	case JUMP_JGE:
		return JUMP_JLT;
	case JUMP_JLT:
		return JUMP_JGE;
	case JUMP_JSGT:
		return JUMP_JSLE;
	case JUMP_JSLE:
		return JUMP_JSGT;
	case JUMP_JSGE:
		return JUMP_JSLT;
	case JUMP_JSLT:
		return JUMP_JSGE;
	case JUMP_JSET:
	case JUMP_COUNT:
		break;
	}
	return JUMP_COUNT;
}

/* if c goto out; goto back: if !c goto back; goto out. */
static void turn_jumps(struct jit *j, struct jit_op *go)
{
	struct jit_op *o = before(j, go);
	enum insn_jump op;
	int32_t to;

	if ((go->id != INSN_JA && go->id != INSN_JA_LONG) || !o ||
	    insn_kind(o->id) != INSN_KIND_JUMP)
		return;
	op = inverse(insn_jump_of(o->id));
	if (op == JUMP_COUNT || go->off > (int32_t)jit_op_index(j, go) ||
	    o->off < (int32_t)jit_op_index(j, go))
		return;
	o->id = (uint16_t)(4 * (ALU_COUNT + op) + o->id % 4);
	to = o->off;
	o->off = go->off;
	go->off = to;
}

void jit_fuse(struct jit *j)
{
	for (uint32_t i = 0; i < j->n; i++) {
		if (j->ops[i].id == INSN_NONE)
			continue;
		fuse_rest(j, &j->ops[i]);
		turn_jumps(j, &j->ops[i]);
	}
}
