/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which registers are read later.
 *
 * From the end to the beginning: what an operation reads is wanted before it, what it writes is
 * not.  An operation whose result nobody wants reads nothing and is dropped.  Loops need
 * another round, until nothing changes: what is wanted only grows.
 */
#include "runtime/vm/jit/jit.h"

/* Its only effect is on registers. */
static bool is_pure(const struct jit_op *o)
{
	if (o->id == INSN_NONE)
		return true;
	switch (insn_kind(o->id)) {
	case INSN_KIND_ALU:
		return true;
	case INSN_KIND_JUMP:
	case INSN_KIND_LOAD: /* somebody may have wanted to touch that memory */
	case INSN_KIND_STORE:
	case INSN_KIND_ATOMIC:
		return false;
	case INSN_KIND_OTHER:
		break;
	}
	return o->dst != JIT_NO_REG && o->base == JIT_NO_REG && jit_writes(o) == 1u << o->dst &&
	       !(o->id >= INSN_LD_ABS_B && o->id <= INSN_LD_IND_W);
}

/* What is wanted before operation i, given what is behind it (o->live, which it keeps). */
static uint16_t before(const struct jit_op *o)
{
	uint16_t writes;

	if (o->id == INSN_NONE)
		return o->live;
	writes = jit_writes(o);
	if (is_pure(o) && !(o->live & writes))
		return o->live;
	return (uint16_t)((o->live & ~writes) | jit_reads(o));
}

static bool sweep(struct jit *j)
{
	bool is_again = false;
	uint16_t next = 0;

	for (uint32_t i = j->n; i-- > 0;) {
		struct jit_op *o = &j->ops[i];
		uint16_t live = jit_falls_through(o) ? next : 0;
		uint16_t was = before(o);

		if (jit_is_jump(o))
			live |= before(&j->ops[o->off]);
		o->live |= live;
		next = before(o);
		if (o->is_loop && next != was)
			is_again = true;
	}
	return is_again;
}

void jit_live(struct jit *j)
{
	while (sweep(j))
		;
	for (uint32_t i = 0; i < j->n; i++) {
		struct jit_op *o = &j->ops[i];

		if (o->id != INSN_NONE && is_pure(o) && !(o->live & jit_writes(o)))
			o->id = INSN_NONE;
	}
}
