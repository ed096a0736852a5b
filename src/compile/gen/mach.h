/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machine code before it has registers: what the steps of the generator hand on.
 *
 *	select.c    IR function → struct mach: eBPF-like instructions over virtual registers
 *	live.c      where each virtual register is alive
 *	regalloc.c  a machine register for each; what finds none is spilled, and again
 *	emit.c      order of blocks, encoding, line table
 *	gen.c       functions of a program, their frames, the scratch map, linking
 *
 * A register operand is a number: 0 none, 1 to 11 the machine's r0 to r10, from MACH_VIRTUAL
 * on a virtual one.  eBPF has two-address arithmetic, so `alu` both reads and writes dst.
 * Calls take r1 to r5 and leave r0; the moves into and out of them are plain `mov`s that
 * name machine registers, and the allocator mostly makes them disappear.
 *
 * Memory on the stack is an object of the frame; where it is, emit.c decides at last.
 */
#pragma once

#include "catalog/question.h"
#include "compile/gen/gen.h"
#include "compile/ir/ir.h"

#include <linux/bpf.h>

typedef uint32_t mach_reg;

enum {
	MACH_FP = 11,	   /* r10 */
	MACH_VIRTUAL = 16, /* the first virtual register */
	MACH_REGS = 10,	   /* r0 to r9 can be given away */
	MACH_STACK = 512,
};
#define MACH_R(n) ((mach_reg)((n) + 1))

enum mach_op {
	MACH_MOV,    /* dst = a */
	MACH_IMM,    /* dst = imm */
	MACH_ADDR,   /* dst = address of frame object `object` + off */
	MACH_WIDE,   /* dst = ldimm64 with a relocation: `code` is an enum mach_wide */
	MACH_ALU,    /* dst = dst `code` b, or imm if b is 0; is_32 */
	MACH_NEG,    /* dst = -dst */
	MACH_SWAP,   /* dst = low `size` bits of dst, bytes reversed */
	MACH_EXTEND, /* dst = low 8, 16 (version 4), 32 bits of a: `size`; sign */
	MACH_LOAD,   /* dst = memory at a + off (a FP: in `object`), `size` bytes; sign */
	MACH_STORE,  /* memory at a + off = b, or imm if b is 0 */
	MACH_ATOMIC, /* memory at a + off `code`= b; if is_fetch, b becomes the old value */
	MACH_SET,    /* dst = a `code` b (or imm) ? 1 : 0 */
	MACH_CALL,   /* `code` is an enum mach_call; index, n_args */
	MACH_EXIT,   /* returns r0 */
	MACH_BRANCH, /* if a `code` b (or imm) goto block `index`; last of its block */
};

enum mach_wide {
	WIDE_MAP,	/* map `index` */
	WIDE_MAP_VALUE, /* first value of map `index`, + off */
	WIDE_KSYM,
	WIDE_FUNC,
};
/* What is written: a number, or that of the program's element of scratch. */
enum mach_store { STORE_VALUE, STORE_ELEMENT };
enum mach_call { CALL_HELPER, CALL_FUNC, CALL_RT, CALL_KFUNC };

struct mach_insn {
	uint8_t op;   /* enum mach_op */
	uint8_t code; /* BPF_ADD, BPF_JEQ, enum mach_wide, enum mach_store … */
	uint8_t size; /* bytes of memory, bits of swap and movsx */
	uint8_t n_args;
	bool is_32, sign, is_fetch;
	int32_t off;
	uint32_t index;	 /* map, function, helper, block */
	uint32_t object; /* frame object + 1, where a is MACH_FP */
	mach_reg dst, a, b;
	int64_t imm;
	struct span span;
};

enum { MACH_NOWHERE = UINT32_MAX };

struct mach_block {
	ARRAY(struct mach_insn) insns;
	uint32_t next;	  /* where it goes on if it does not branch; MACH_NOWHERE: it exits */
	bool is_unlikely; /* laid out far */
	uint8_t depth;	  /* of loops */
};

struct mach_object {
	uint32_t size;
	bool is_used;
	int32_t offset; /* from r10; emit.c */
};

struct mach_vreg {
	enum ir_class class;
	bool is_tiny; /* lives for one instruction around a spill: never spilled itself */
	mach_reg hint;
	uint8_t reg; /* 1 + machine register; 0: none yet */
};

/* One function. */
struct mach {
	struct arena *arena;
	const struct ir_module *m;
	const struct ir_func *f;
	const struct question *q;
	const struct gen_options *o;
	uint32_t scratch_map;
	ARRAY(struct mach_block) blocks;
	ARRAY(struct mach_vreg) vregs; /* [i] is virtual register MACH_VIRTUAL + i */
	ARRAY(struct mach_object) objects;
	uint32_t frame;		 /* bytes; emit_frame() */
	mach_reg scratch;	 /* this run's scratch; 0: not used */
	uint32_t scratch_object; /* frame object + 1 that holds it, when it was spilled */
	uint32_t *scratch_at;	 /* the end of the program's scratch, where spills may go;
				    NULL: they go to the stack */
};

/* Where the slots of a function are: on the stack, or in the program's scratch. */
struct slot_plan {
	int32_t *scratch; /* for each slot: offset in the program's scratch; −1: on the stack */
	bool *is_pinned;  /* for each slot: must be on the stack */
	bool uses_scratch;
	bool spills_there; /* numbers that find no register go to scratch, too */
};

static inline struct mach_vreg *mach_vreg(const struct mach *c, mach_reg r)
{
	return &c->vregs.p[r - MACH_VIRTUAL];
}
mach_reg mach_vreg_new(struct mach *c, enum ir_class class);
uint32_t mach_block_new(struct mach *c);
uint32_t mach_object_new(struct mach *c, uint32_t size); /* returns index + 1 */

/* Where an instruction's registers stand, by enum mach_op, as bits. */
enum {
	MACH_READS_A = 1,
	MACH_READS_DST = 2,
	MACH_READS_B = 4,
	MACH_WRITES_DST = 8,
	MACH_FETCHES_B = 16, /* if is_fetch */
	MACH_BY_CALL = 32,   /* r0 to r5, as calls have it */
};
extern const uint8_t mach_places[];
unsigned int mach_call_uses(const struct mach_insn *i, mach_reg ret[8]);
unsigned int mach_call_defs(const struct mach_insn *i, mach_reg ret[8]);

/* Virtual or machine registers that an instruction reads, writes.  Returns how many. */
static inline unsigned int mach_uses(const struct mach_insn *i, mach_reg ret[8])
{
	unsigned int places = mach_places[i->op], n;

	if (places & MACH_BY_CALL)
		return mach_call_uses(i, ret);
	ret[0] = places & MACH_READS_DST ? i->dst : places & MACH_READS_A ? i->a : 0;
	n = ret[0] && ret[0] != MACH_FP;
	ret[n] = places & MACH_READS_B ? i->b : 0;
	return n + (ret[n] && ret[n] != MACH_FP);
}

static inline unsigned int mach_defs(const struct mach_insn *i, mach_reg ret[8])
{
	unsigned int places = mach_places[i->op];

	if (places & MACH_BY_CALL)
		return mach_call_defs(i, ret);
	ret[0] = places & MACH_WRITES_DST		  ? i->dst
		 : places & MACH_FETCHES_B && i->is_fetch ? i->b
							  : 0;
	return ret[0] && ret[0] != MACH_FP;
}
/* The same value can be made again anywhere: constants, addresses. */
static inline bool mach_is_cheap(const struct mach_insn *i)
{
	return i->op == MACH_IMM || i->op == MACH_ADDR || i->op == MACH_WIDE;
}
/* The up to two blocks behind; MACH_NOWHERE: none. */
static inline void mach_next(const struct mach_block *b, uint32_t ret[2])
{
	const struct mach_insn *last = b->insns.n ? &b->insns.p[b->insns.n - 1] : NULL;

	ret[0] = b->next;
	ret[1] = last && last->op == MACH_BRANCH ? last->index : MACH_NOWHERE;
}

/* --- steps */

/* All slots on the stack; which of them have to stay. */
void plan_func(struct arena *a, const struct ir_func *f, struct slot_plan *ret);
/*
 * Move slots of at least `bytes` together, the largest first, to offset *at of the scratch
 * and on.  Returns how many bytes of stack that saves; 0: nothing can be moved.
 */
uint32_t plan_move(struct slot_plan *p, const struct ir_func *f, uint32_t bytes, uint32_t *at);
/* Those that no stack has room for. */
void plan_move_huge(struct slot_plan *p, const struct ir_func *f, uint32_t *at);

void select_func(struct mach *c, const struct slot_plan *plan);

/* A stretch of positions [from, to): instruction i reads at 2i and writes at 2i + 1. */
struct live_part {
	uint32_t from, to;
};
struct live_range {
	ARRAY(struct live_part) parts; /* in order, apart from each other */
	float weight;		       /* reads and writes, more in loops */
};
struct live {
	struct live_range *vregs;	    /* by index of the virtual register */
	struct live_range fixed[MACH_REGS]; /* r0 to r9 where instructions name them */
	mach_reg *undefined; /* virtual registers that may be read before they are written */
	uint32_t n_undefined;
	uint32_t end; /* no stretch begins behind this position */
};
/* `a` is for the results; the function's arena is not used. */
void live_ranges(struct mach *c, struct arena *a, struct live *ret);
bool live_overlap(const struct live_range *a, const struct live_range *b);

/* Give every virtual register a machine register: vregs[].reg. */
void regalloc(struct mach *c);
/* Replace registers marked in `spilled` by memory or by making them again (spill.c). */
void spill(struct mach *c, const struct live *l, const bool *spilled);

/* --- the program that grows */

struct emit_fixup { /* a call or an address of a function, resolved by gen.c */
	uint32_t insn;
	enum mach_call kind; /* CALL_FUNC, CALL_RT */
	uint32_t index;
};

struct emit {
	struct arena *arena;
	struct diags *diags;
	const struct gen_options *o;
	ARRAY(struct bpf_insn) insns;
	ARRAY(struct question_reloc) relocs;
	ARRAY(struct question_line) lines;
	ARRAY(struct emit_fixup) fixups;
	ARRAY(uint32_t) elements; /* instructions that name the program's element of scratch */
};

/* Places the objects of the frame; c->frame. */
void emit_frame(struct mach *c);
/* Appends the function.  False: a jump is too far (a diagnostic was recorded). */
bool emit_func(struct emit *e, struct mach *c);

/* --- the runtime library */

struct rt_func {
	const char *name;
	const struct bpf_insn *insns;
	uint32_t n_insns;
	uint32_t frame;	       /* bytes of stack, with what it calls */
	const uint32_t *calls; /* for each instruction: callee + 1, 0: calls nobody */
	/* r0 to r5 alone, no stack, no calls, short: its code can stand where it is called */
	bool is_plain;
};
/* NULL: there is none of that name. */
const struct rt_func *rt_find(const struct rt_library *lib, const char *name);
const struct rt_func *rt_func(const struct rt_library *lib, uint32_t i);
uint32_t rt_count(const struct rt_library *lib); /* NULL: 0 */
uint32_t rt_index(const struct rt_library *lib, const struct rt_func *f);
