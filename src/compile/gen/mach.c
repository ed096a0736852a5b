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

const uint8_t mach_places[] = {
	[MACH_MOV] = MACH_READS_A | MACH_WRITES_DST,
	[MACH_IMM] = MACH_WRITES_DST,
	[MACH_ADDR] = MACH_WRITES_DST,
	[MACH_WIDE] = MACH_WRITES_DST,
	[MACH_ALU] = MACH_READS_DST | MACH_READS_B | MACH_WRITES_DST,
	[MACH_NEG] = MACH_READS_DST | MACH_WRITES_DST,
	[MACH_SWAP] = MACH_READS_DST | MACH_WRITES_DST,
	[MACH_EXTEND] = MACH_READS_A | MACH_WRITES_DST,
	[MACH_LOAD] = MACH_READS_A | MACH_WRITES_DST,
	[MACH_STORE] = MACH_READS_A | MACH_READS_B,
	[MACH_ATOMIC] = MACH_READS_A | MACH_READS_B | MACH_FETCHES_B,
	[MACH_SET] = MACH_READS_A | MACH_READS_B | MACH_WRITES_DST,
	[MACH_CALL] = MACH_BY_CALL,
	[MACH_EXIT] = MACH_BY_CALL,
	[MACH_BRANCH] = MACH_READS_A | MACH_READS_B,
};

unsigned int mach_call_uses(const struct mach_insn *i, mach_reg ret[8])
{
	unsigned int n = 0;

	if (i->op == MACH_EXIT)
		ret[n++] = MACH_R(0);
	else
		for (unsigned int k = 1; k <= i->n_args; k++)
			ret[n++] = MACH_R(k);
	return n;
}

unsigned int mach_call_defs(const struct mach_insn *i, mach_reg ret[8])
{
	unsigned int n = 0;

	for (unsigned int k = 0; i->op == MACH_CALL && k <= 5; k++)
		ret[n++] = MACH_R(k);
	return n;
}
