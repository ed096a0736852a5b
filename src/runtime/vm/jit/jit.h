/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the JIT share: operations, and what each machine must provide.
 *
 *	slots → plan.c (operations; reduce.c, live.c, tree.c make them fewer) → jit.c → bytes
 *
 * An operation is a slot of the decoded program with more freedom than an instruction has:
 * three operands, addresses of base + index + offset, "gone".  There is one for each slot, at
 * the slot's index, so that jumps need no translation.  All that is decided about a program is
 * decided on operations, for both machines alike; machines (struct jit_machine) only write them
 *down.
 */
#pragma once

#include "runtime/vm/run.h"

enum { JIT_REGS = 11, JIT_FRAME = 10, JIT_NO_REG = 0xff };

struct jit_op {
	uint16_t id;	/* enum insn_id; INSN_NONE: gone */
	uint8_t dst;	/* what is written; JIT_NO_REG: nothing (of registers) */
	uint8_t a;	/* left operand of arithmetic and comparisons; what is swapped, negated */
	uint8_t b;	/* right operand, what is moved, what is stored */
	uint8_t base;	/* of memory: base + (index << scale) + off */
	uint8_t index;	/* JIT_NO_REG: none */
	uint8_t scale;	/* 0 … 3 */
	int32_t off;	/* of memory; of jumps and local calls: operation they go to */
	uint64_t imm;	/* as in code_insn */
	uint16_t live;	/* registers that are read behind it before they are written */
	uint8_t access; /* enum verify_access */
	uint8_t call;	/* enum code_call */
	uint8_t width_a, width_b; /* bits that a and b can have; 64: any */
	bool is_leader : 1;	  /* something jumps here */
	bool is_loop : 1;	  /* … from behind: worth aligning */
	bool is_reached : 1;
	bool is_table : 1;   /* comparison that became a table of jumps: imm is its number */
	bool is_in_tree : 1; /* and is not its root */
	bool is_far : 1;     /* its jump does not fit into the short form */
};

/* A function of the program. */
struct jit_func {
	uint32_t first, end; /* operations */
	uint32_t frame;	     /* bytes of r10's frame */
	uint16_t used;	     /* registers, by mask: who uses one of r6 … r10 saves it */
	bool is_leaf;	     /* calls nothing */
	bool has_may_goto, has_arena;
};

/* A comparison tree on one register, as a table: value low + i goes to targets[i]. */
struct jit_table {
	uint32_t op; /* the tree's root */
	bool is_32;
	uint64_t low;
	uint32_t n, otherwise;
	uint32_t *targets; /* owned */
	size_t place;	   /* offset of its addresses in the code */
};

enum jit_fix {
	FIX_JUMP,    /* unconditional */
	FIX_COND,    /* depends on flags */
	FIX_CALL,    /* of a function, by its number */
	FIX_ADDRESS, /* a place in the code, as an address in a register */
	FIX_TABLE,   /* the same of a table's addresses */
};
/* A place in the code that depends on where an operation or a table comes to lie. */
struct jit_fixup {
	enum jit_fix kind;
	bool is_short;
	uint32_t at; /* offset in the code: machine's own meaning */
	uint32_t op; /* who jumps; marked far if it does not reach */
	uint32_t to; /* operation; CALL, TABLE: number; ADDRESS: an offset in the code */
};

struct jit {
	struct vm_code *code;
	const struct jit_machine *machine;
	struct jit_op *ops; /* owned */
	uint32_t n;
	struct jit_func *funcs; /* owned */
	uint32_t n_funcs;
	const struct jit_func *func; /* that is being written */
	struct jit_table *tables;    /* owned */
	size_t n_tables;
	bool has_landing; /* something may leave several functions at once */
	bool is_plain;	  /* no instructions that not every such processor has */
	bool is_bmi2_asked, has_bmi2;

	uint8_t *out; /* owned: the code */
	size_t n_out, room;
	uint32_t *at;			/* owned: operation → offset */
	uint32_t *func_at, *landing_at; /* owned: of each function */
	struct jit_fixup *fixups;	/* owned */
	size_t n_fixups, room_fixups;
	uint32_t land; /* where landings go on when functions are left all at once */
};

/* What a machine provides.  All append to j->out; there is room for JIT_OP_MAX bytes. */
enum { JIT_OP_MAX = 320 };
struct jit_machine {
	const char *name;
	bool has_index_off; /* memory operands may have an index and an offset */
	unsigned int loop_align;
	/* a function begins, ends (r0 is the result) */
	void (*enter)(struct jit *j);
	void (*leave)(struct jit *j);
	/* code that calls function `func` so that it can be left from functions below it */
	void (*landing)(struct jit *j, uint32_t func);
	void (*pad)(struct jit *j, size_t n); /* no operation */
	void (*alu)(struct jit *j, const struct jit_op *o, enum insn_alu op, bool is_32,
		    bool is_imm);
	void (*neg)(struct jit *j, const struct jit_op *o, bool is_32);
	void (*extend)(struct jit *j, const struct jit_op *o, unsigned int bits, bool is_32);
	void (*swap)(struct jit *j, const struct jit_op *o, unsigned int bits, bool is_swap);
	void (*wide)(struct jit *j, unsigned int dst, uint64_t value);
	void (*func_address)(struct jit *j, const struct jit_op *o);
	void (*cast_user)(struct jit *j, const struct jit_op *o);
	void (*load)(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_signed);
	void (*store)(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_imm);
	void (*load_acquire)(struct jit *j, const struct jit_op *o, unsigned int bytes);
	void (*store_release)(struct jit *j, const struct jit_op *o, unsigned int bytes);
	/* code: BPF_ADD …, | BPF_FETCH; BPF_XCHG; BPF_CMPXCHG */
	void (*atomic)(struct jit *j, const struct jit_op *o, unsigned int code,
		       unsigned int bytes);
	void (*go)(struct jit *j, const struct jit_op *o);
	void (*may_goto)(struct jit *j, const struct jit_op *o);
	void (*jump)(struct jit *j, const struct jit_op *o, enum insn_jump op, bool is_32,
		     bool is_imm);
	void (*table)(struct jit *j, const struct jit_op *o, struct jit_table *t);
	void (*call)(struct jit *j, const struct jit_op *o);
	void (*call_local)(struct jit *j, const struct jit_op *o);
	void (*packet)(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_ind);
	/* Write the distance; false: the short form does not reach. */
	bool (*fix)(struct jit *j, const struct jit_fixup *f, uint32_t to);
};
extern const struct jit_machine jit_x86, jit_arm64;

/*
 * Calls that are written out, beyond enum code_call.  LOOKUP: of the array `imm`; its key is the
 * operation's memory operand.
 */
enum jit_call { JIT_CALL_LOOKUP = 16, JIT_CALL_CPU, JIT_CALL_PID, JIT_CALL_TIME };

/* Plan and write all: j->out.  Machine and code are set.  0, -ENOTSUP */
int jit_write(struct jit *j);

/* --- plan.c: operations of the slots; 0, -ENOTSUP */
int jit_plan(struct jit *j);
void jit_done(struct jit *j);
/* Registers that an operation reads and writes, as masks. */
uint16_t jit_reads(const struct jit_op *o);
uint16_t jit_writes(const struct jit_op *o);
bool jit_is_call(const struct jit_op *o);
bool jit_is_jump(const struct jit_op *o); /* off is an operation; calls are none */
bool jit_falls_through(const struct jit_op *o);

/* --- reduce.c: copies, addresses, what is known to be 0, within stretches of code */
void jit_reduce(struct jit *j);
/* --- live.c: what is read behind each operation; drops what nobody reads */
void jit_live(struct jit *j);
/* --- fuse.c: two or three operations that are one */
void jit_fuse(struct jit *j);
/* --- tree.c: many comparisons of one register → a table of jumps */
void jit_trees(struct jit *j);

/* --- for machines */
void jit_fix_add(struct jit *j, enum jit_fix kind, bool is_short, uint32_t at, uint32_t op,
		 uint32_t to);
/* The number of the function that begins at operation `op`. */
uint32_t jit_func_at(const struct jit *j, uint32_t op);
static inline uint32_t jit_op_index(const struct jit *j, const struct jit_op *o)
{
	return (uint32_t)(o - j->ops);
}

/* jit_make(), without instructions that only newer processors have: for tests. */
int jit_make_plain(struct vm_code *c);

/* What generated code calls; two registers come back. */
struct jit_pair {
	uint64_t ok, value;
};
/* bpf_tail_call: ok 0: there is no such program, go on. */
struct jit_pair jit_tail_call(uint64_t ctx, struct vm_map *map, uint64_t index);
/* LD_ABS, LD_IND: ok 0: outside of the packet. */
struct jit_pair jit_packet_load(int64_t off, unsigned int bytes);
/* Where vm_current is, from the thread pointer. */
int64_t jit_current_at(void);
