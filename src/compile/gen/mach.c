/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/gen/mach.h"

mach_reg mach_vreg_new(struct mach *c, enum ir_class class)
{
	array_push(c->arena, &c->vregs, ((struct mach_vreg){.class = class}));
	return MACH_VIRTUAL + c->vregs.n - 1;
}

uint32_t mach_block_new(struct mach *c)
{
	array_push(c->arena, &c->blocks, ((struct mach_block){.next = MACH_NOWHERE}));
	return c->blocks.n - 1;
}

uint32_t mach_object_new(struct mach *c, uint32_t size)
{
	array_push(c->arena, &c->objects, ((struct mach_object){.size = size}));
	return c->objects.n;
}

static unsigned int put(mach_reg ret[8], unsigned int n, mach_reg r)
{
	if (r && r != MACH_FP)
		ret[n++] = r;
	return n;
}

unsigned int mach_uses(const struct mach_insn *i, mach_reg ret[8])
{
	unsigned int n = 0;

	switch ((enum mach_op)i->op) {
	case MACH_MOV:
	case MACH_EXTEND:
	case MACH_LOAD:
		return put(ret, n, i->a);
	case MACH_IMM:
	case MACH_ADDR:
	case MACH_WIDE:
		return 0;
	case MACH_ALU:
	case MACH_NEG:
	case MACH_SWAP:
		n = put(ret, n, i->dst);
		return put(ret, n, i->b);
	case MACH_STORE:
	case MACH_ATOMIC:
	case MACH_SET:
	case MACH_BRANCH:
		n = put(ret, n, i->a);
		return put(ret, n, i->b);
	case MACH_CALL:
		for (unsigned int k = 1; k <= i->n_args; k++)
			n = put(ret, n, MACH_R(k));
		return n;
	case MACH_EXIT:
		return put(ret, n, MACH_R(0));
	}
	return 0;
}

unsigned int mach_defs(const struct mach_insn *i, mach_reg ret[8])
{
	unsigned int n = 0;

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
		return put(ret, n, i->dst);
	case MACH_ATOMIC:
		return i->is_fetch ? put(ret, n, i->b) : 0;
	case MACH_CALL:
		for (unsigned int k = 0; k <= 5; k++)
			n = put(ret, n, MACH_R(k));
		return n;
	case MACH_STORE:
	case MACH_EXIT:
	case MACH_BRANCH:
		return 0;
	}
	return 0;
}

void mach_next(const struct mach_block *b, uint32_t ret[2])
{
	const struct mach_insn *last = b->insns.n ? &b->insns.p[b->insns.n - 1] : NULL;

	ret[0] = b->next;
	ret[1] = last && last->op == MACH_BRANCH ? last->index : MACH_NOWHERE;
}
