/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is true of every operation: the table, its arithmetic, who reads and writes what.
 *
 * The checker, the printer, the passes and the generator all ask the same few questions of
 * an instruction: which registers it reads, which it writes, may it be dropped.  They are
 * answered here once, from the forms of ops.def.
 */
#pragma once

#include "compile/ir/ir.h"

/*
 * Which members of struct ir_insn count, and how an instruction is written:
 *
 *   UNARY    dst a                       EXTEND  dst a size (bits)
 *   BINARY   dst a b                     ADDRESS dst index off
 *   SPACE    dst off                     LOAD    dst a off size sign; b.reg: a second dst
 *   STORE    a off size b                ATOMIC  a off size b; dst if want
 *   FILL     a off c (c.imm: bytes)      COPY    a off b index (s32: b's off) c
 *   CALL     dst (0: none) index args
 */
enum ir_form {
	IRF_UNARY,
	IRF_BINARY,
	IRF_EXTEND,
	IRF_ADDRESS,
	IRF_SPACE,
	IRF_LOAD,
	IRF_STORE,
	IRF_ATOMIC,
	IRF_FILL,
	IRF_COPY,
	IRF_CALL
};

enum { /* flags of ops.def */
       IRF_PURE = 1,
       IRF_READS = 2,
       IRF_WRITES = 4,
       IRF_CALLS = 8
};

/* Where an operation's registers stand, as bits: what the form says, for quick answers. */
enum {
	IRF_READS_A = 1,
	IRF_READS_B = 2,
	IRF_READS_ARGS = 4,
	IRF_WRITES_B = 8 /* a second result: b.reg, if it is one */
};

struct ir_op_info {
	const char *name;
	enum ir_form form;
	unsigned int flags;
	const char *help;
};

extern const struct ir_op_info ir_op_info[IR_OPS];
extern const uint8_t ir_places[IR_OPS];
extern const char *const ir_class_names[]; /* by enum ir_class */
extern const char *const ir_cond_names[];  /* by enum ir_cond */

enum { IR_CLASSES = IRC_MAP + 1, IR_CONDS = IRC_SET + 1 };

/* --- arithmetic, as eBPF has it: 64 bits that wrap, x/0 = 0, x%0 = x, shifts & 63 */

uint64_t ir_eval_binary(enum ir_op op, uint64_t x, uint64_t y);
uint64_t ir_eval_unary(enum ir_op op, unsigned int bits, uint64_t x); /* UNARY and EXTEND */
bool ir_eval_cond(enum ir_cond cond, uint64_t x, uint64_t y);
enum ir_cond ir_cond_not(enum ir_cond cond, bool *ret_ok); /* SET has no opposite: false */
enum ir_cond ir_cond_swap(enum ir_cond cond);		   /* x ? y is y swap(?) x */

/* --- who reads and writes what */

enum { IR_OPERANDS = IR_ARGS + 3 };

/*
 * Every pass asks these of every instruction, most of them more than once: hence inline, and
 * by bits rather than a switch.  `ret` must have its full size, also where less is returned.
 */

/* Where the values that `i` reads stand; registers and numbers. */
static inline unsigned int ir_operands(struct ir_insn *i, struct ir_val *ret[IR_OPERANDS])
{
	unsigned int places = ir_places[i->op], n = 0;

	ret[0] = &i->a;
	n = places & IRF_READS_A;
	ret[n] = &i->b;
	n += !!(places & IRF_READS_B);
	if (places & IRF_READS_ARGS)
		for (unsigned int k = 0; k < i->n_args && k < IR_ARGS; k++)
			ret[n++] = &i->args[k];
	return n;
}

/* The registers it reads (one may be there twice), and those it writes. */
static inline unsigned int ir_uses(const struct ir_insn *i, ir_reg ret[IR_OPERANDS])
{
	unsigned int places = ir_places[i->op], n;

	ret[0] = i->a.reg;
	n = places & IRF_READS_A && i->a.reg;
	ret[n] = i->b.reg;
	n += places & IRF_READS_B && i->b.reg;
	if (places & IRF_READS_ARGS)
		for (unsigned int k = 0; k < i->n_args && k < IR_ARGS; k++)
			if (i->args[k].reg)
				ret[n++] = i->args[k].reg;
	return n;
}

static inline unsigned int ir_defs(const struct ir_insn *i, ir_reg ret[2])
{
	unsigned int n = !!i->dst;

	ret[0] = i->dst;
	if (ir_places[i->op] & IRF_WRITES_B && i->b.reg)
		ret[n++] = i->b.reg;
	return n;
}

/* The same of a block's end. */
static inline unsigned int ir_end_operands(struct ir_block *b, struct ir_val *ret[2])
{
	ret[0] = &b->a;
	ret[1] = &b->b;
	return b->end == IRE_BRANCH ? 2 : b->end == IRE_SWITCH || b->end == IRE_RETURN;
}

static inline unsigned int ir_end_uses(const struct ir_block *b, ir_reg ret[2])
{
	bool has_a = b->end == IRE_BRANCH || b->end == IRE_SWITCH || b->end == IRE_RETURN;
	unsigned int n;

	ret[0] = b->a.reg;
	n = has_a && b->a.reg;
	ret[n] = b->b.reg;
	return n + (b->end == IRE_BRANCH && b->b.reg);
}

/* Instructions of a function; the ends of its blocks are none. */
static inline size_t ir_n_insns(const struct ir_func *f)
{
	size_t n = 0;

	for (size_t b = 0; b < f->blocks.n; b++)
		n += f->blocks.p[b].insns.n;
	return n;
}

/* Where a block goes: how many, and where the i-th stands. */
static inline uint32_t ir_n_succs(const struct ir_block *b)
{
	if (b->end == IRE_SWITCH)
		return 1 + (uint32_t)b->cases.n;
	return b->end == IRE_BRANCH ? 2 : b->end == IRE_JUMP;
}

static inline uint32_t *ir_succ(struct ir_block *b, uint32_t i)
{
	if (b->end == IRE_SWITCH)
		return i ? &b->cases.p[i - 1].block : &b->no;
	return i ? &b->no : &b->yes;
}

static inline bool ir_is_pure(const struct ir_insn *i)
{
	return ir_op_info[i->op].flags & IRF_PURE;
}
/* May it go when nobody wants its results? */
bool ir_is_droppable(const struct ir_insn *i);
/* A kernel or user read that cannot be a plain load: it calls a helper. */
bool ir_is_call(const struct ir_insn *i);

static inline bool ir_val_eq(struct ir_val x, struct ir_val y)
{
	return x.reg == y.reg && (x.reg || x.imm == y.imm);
}
static inline bool ir_is_imm(struct ir_val v, int64_t imm)
{
	return !v.reg && v.imm == imm;
}

/* The index of a name in one of the module's lists of names; it is added if need be. */
#define ir_named(a, list, name)                                              \
	({                                                                   \
		uint32_t at_ = 0;                                            \
		while (at_ < (list)->n && strcmp((list)->p[at_], name) != 0) \
			at_++;                                               \
		if (at_ == (list)->n)                                        \
			array_push(a, list, arena_strdup(a, name));          \
		at_;                                                         \
	})
