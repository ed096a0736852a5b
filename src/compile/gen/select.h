/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside instruction selection: what select.c, select-memory.c and select-call.c share.
 *
 * A register of the IR that is written once by something cheap needs no register: a
 * constant stands in its readers, the address of a slot is r10 and a displacement, an
 * address plus a number is a displacement more.
 */
#pragma once

#include "compile/gen/mach.h"

enum { SELECT_UNROLL = 128 }; /* bytes that zero and copy do by single instructions */

struct select_def {
	const struct ir_insn *insn; /* the only one that writes it; NULL: none or several */
	uint32_t writes, reads;
	uint32_t block;
};

/* Where an address leads. */
struct spot {
	uint32_t object; /* frame object + 1; 0: `reg` */
	mach_reg reg;	 /* virtual; holds it up to `off` */
	int64_t off;
};

struct select {
	struct mach *c;
	const struct ir_module *m;
	const struct ir_func *f;
	const struct slot_plan *plan;
	struct select_def *defs; /* by register of the IR */
	uint32_t block;		 /* where instructions go */
	uint32_t *slots;	 /* frame object of each slot; 0: not yet */
	uint32_t temporary;	 /* frame object of 8 bytes for helpers; 0: not yet */
	mach_reg scratch;	 /* this run's scratch */
	struct span span;
};

void select_put(struct select *s, struct mach_insn i);
mach_reg select_temp(struct select *s, enum ir_class class);
uint32_t select_temporary(struct select *s);
uint32_t select_slot(struct select *s, uint32_t slot); /* frame object + 1 */

/* A constant stays or becomes a number, all else is as it was. */
struct ir_val select_value(const struct select *s, struct ir_val v);
bool select_spot(struct select *s, struct ir_val v, struct spot *ret);
/* Into a given register; a register that holds it (not to be written). */
void select_into(struct select *s, mach_reg to, struct ir_val v);
mach_reg select_reg(struct select *s, struct ir_val v);
void select_alu(struct select *s, unsigned int op, mach_reg dst, struct ir_val v);
void select_alu_imm(struct select *s, unsigned int op, mach_reg dst, int64_t imm);
static inline mach_reg select_dst(ir_reg r)
{
	return MACH_VIRTUAL + r;
}
/* dst = its low `bits`, extended; from a register that may be dst. */
void select_extend(struct select *s, mach_reg dst, mach_reg from, unsigned int bits, bool sign);

/* `to` = ldimm64 of a map, a variable, a function.  False: `d` is no such address. */
bool select_wide(struct select *s, mach_reg to, const struct ir_insn *d);
/* Jump to `index` if x cond y; or set dst to it: i.op. */
void select_compare(struct select *s, struct mach_insn i, enum ir_cond cond, struct ir_val x,
		    struct ir_val y);
void select_insn(struct select *s, const struct ir_insn *i);
enum ir_cond select_set_cond(unsigned int op); /* of IR_SETEQ … */

/* Fill a, object and off of a memory instruction. */
void select_base(struct select *s, struct mach_insn *i, struct ir_val base, int64_t off);

/* Instructions, by group. */
void select_memory(struct select *s, const struct ir_insn *i);
void select_call(struct select *s, const struct ir_insn *i);
void select_helper(struct select *s, int32_t helper, unsigned int n_args);
/* select-scratch.c: looks the scratch map up; the block of the IR at whose start that is. */
void select_scratch(struct select *s);
uint32_t select_scratch_block(const struct select *s);
