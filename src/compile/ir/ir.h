/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intermediate representation: between every language and eBPF.
 *
 * A module is one BPF program: functions, the first of which is the entry.  A function
 * is basic blocks of three-address instructions over virtual registers.  All registers
 * are 64 bits wide; narrow values are kept extended by their sign or with zeros, as the
 * instruction that made them says.  Registers are not SSA: a scalar variable of the
 * script is one register that is written more than once; what a language makes as a
 * temporary is written once, and passes profit from it.
 *
 * What does not fit a register lives in memory: slots (on the stack), scratch (per cpu,
 * for one run), globals, map values.  Reads of the kernel's and of users' memory are
 * instructions of their own (kload, uload), since they may fail: then the result is 0.
 *
 * The text form (docs/ir.md) is printed and parsed: ir_print, ir_parse.  ir_check tells
 * what is wrong with a module.  The ops are rows of ops.def.
 */
#pragma once

#include "base/diag/diag.h"

/* What a register holds, for the checker, and for the generator's care. */
enum ir_class {
	IRC_INT,  /* a number */
	IRC_PTR,  /* a pointer of the program's own: slot, scratch, map value, context … */
	IRC_KPTR, /* a kernel address: a number as far as the verifier is concerned */
	IRC_BTF,  /* a kernel pointer whose type the verifier knows: loads are direct */
	IRC_MAP,  /* a map itself, for helpers */
};

typedef uint32_t ir_reg; /* index into ir_func.regs; 0 is none */

enum ir_op {
#define IROP(id, name, form, flags, help) IR_##id,
#include "compile/ir/ops.def"
#undef IROP
	IR_OPS
};

/* An operand: a register, or a number that stands in the instruction. */
struct ir_val {
	ir_reg reg; /* 0: `imm` */
	int64_t imm;
};
#define IR_R(r) ((struct ir_val){.reg = (r)})
#define IR_I(i) ((struct ir_val){.imm = (i)})

enum { IR_ARGS = 5 };

struct ir_insn {
	uint16_t op;  /* enum ir_op */
	uint8_t size; /* memory: 1, 2, 4, 8 bytes; extensions: bits 8, 16, 32 */
	bool sign;    /* loads: extend by sign */
	bool want;    /* atomics: the old value is wanted in dst */
	uint8_t n_args;
	int32_t off;	/* memory: displacement; addresses: bytes into the object */
	uint32_t index; /* slot, global, map, function, helper id, runtime function, string */
	ir_reg dst;	/* 0: none */
	struct span span;
	struct ir_val a, b, c; /* as the form says */
	struct ir_val *args;   /* calls: n_args */
};

/* How a block ends. */
enum ir_end { IRE_NONE, IRE_JUMP, IRE_BRANCH, IRE_SWITCH, IRE_RETURN };
enum ir_cond {
	IRC_EQ,
	IRC_NE,
	IRC_ULT,
	IRC_ULE,
	IRC_UGT,
	IRC_UGE,
	IRC_SLT,
	IRC_SLE,
	IRC_SGT,
	IRC_SGE,
	IRC_SET /* a & b is not 0 */
};

struct ir_case {
	int64_t value;
	uint32_t block;
};

struct ir_block {
	ARRAY(struct ir_insn) insns;
	enum ir_end end;
	enum ir_cond cond;
	bool unlikely;	    /* BRANCH: `yes` is the rare way (errors): laid out far */
	struct ir_val a, b; /* BRANCH: compared; SWITCH, RETURN: a */
	uint32_t yes, no;   /* blocks: BRANCH both; JUMP yes; SWITCH no is the default */
	ARRAY(struct ir_case) cases;
	struct span span;
};

struct ir_slot {
	uint32_t size, align;
	const char *name; /* for people; NULL */
};

struct ir_reg_info {
	enum ir_class class;
	const char *name; /* of the variable; NULL: a temporary */
};

struct ir_func {
	const char *name;
	uint32_t n_params; /* registers 1..n_params hold them at the start; at most 5 */
	bool is_callback;  /* of bpf_loop, bpf_for_each_map_elem: its address is taken */
	ARRAY(struct ir_reg_info) regs; /* [0] is unused */
	ARRAY(struct ir_slot) slots;
	ARRAY(struct ir_block) blocks; /* [0] is where it begins */
	struct span span;
};

/* A piece of memory that is not on the stack. */
enum ir_space { IRS_GLOBAL, IRS_RODATA, IRS_SCRATCH };

struct ir_module {
	struct arena *arena;
	const char *name;
	ARRAY(struct ir_func) funcs; /* [0] is the entry: its one parameter is the context */
	/* names that instructions carry by index */
	ARRAY(const char *) rt_funcs; /* functions of runtime/bpf/rt.bpf.c, by name */
	ARRAY(const char *) ksyms;    /* kernel variables, by name */
	ARRAY(const char *) kfuncs;
	uint32_t n_maps;	      /* indices below this are valid: of question.maps */
	uint32_t scratch_size;	      /* bytes that this program uses of the scratch map */
	const char *const *map_names; /* n_maps of them, for the text form; may be NULL */
	const uint32_t *map_keys;     /* n_maps of them: bytes of a key, 0: unknown; may be NULL */
};

/* --- building */

void ir_module_init(struct ir_module *m, struct arena *a, const char *name);
struct ir_func *ir_func_add(struct ir_module *m, const char *name, uint32_t n_params);
uint32_t ir_func_index(const struct ir_module *m, const struct ir_func *f);

/* Where instructions are appended: the end of a block.  All functions below append. */
struct ir_builder {
	struct ir_module *m;
	uint32_t func; /* index: funcs may move when one is added */
	uint32_t block;
	struct span span; /* given to what is appended */
};

struct ir_func *ir_here(const struct ir_builder *b);
ir_reg ir_reg_new(struct ir_builder *b, enum ir_class class, const char *name);
uint32_t ir_slot_new(struct ir_builder *b, uint32_t size, uint32_t align, const char *name);
uint32_t ir_block_new(struct ir_builder *b);
void ir_block_go(struct ir_builder *b, uint32_t block); /* go on there */
bool ir_block_ended(const struct ir_builder *b);	/* has its end: appending is a mistake */
struct ir_insn *ir_add(struct ir_builder *b, enum ir_op op); /* raw; fill it */

/* Values.  Two-operand arithmetic on two numbers gives a number: no instruction. */
ir_reg ir_to_reg(struct ir_builder *b, struct ir_val v);
struct ir_val ir_math(struct ir_builder *b, enum ir_op op, struct ir_val x, struct ir_val y);
struct ir_val ir_unary(struct ir_builder *b, enum ir_op op, struct ir_val x); /* IR_NEG, IR_NOT */
struct ir_val ir_extend(struct ir_builder *b, struct ir_val x, unsigned int bits, bool sign);
struct ir_val ir_swap(struct ir_builder *b, struct ir_val x,
		      unsigned int bits); /* bytes reversed */
struct ir_val ir_compare(struct ir_builder *b, enum ir_cond cond, struct ir_val x, struct ir_val y);
void ir_set(struct ir_builder *b, ir_reg to, struct ir_val v); /* write a variable */

/* Addresses. */
ir_reg ir_slot_addr(struct ir_builder *b, uint32_t slot, int32_t off);
ir_reg ir_space_addr(struct ir_builder *b, enum ir_space space, uint32_t off);
ir_reg ir_map_addr(struct ir_builder *b, uint32_t map); /* the map itself */
ir_reg ir_map_value_addr(struct ir_builder *b, uint32_t map,
			 uint32_t off); /* of an array's first */
ir_reg ir_ksym_addr(struct ir_builder *b, const char *name);
ir_reg ir_func_addr(struct ir_builder *b, uint32_t func); /* a callback */

/* Memory.  `size` 1, 2, 4, 8. */
struct ir_val ir_load(struct ir_builder *b, ir_reg base, int32_t off, unsigned int size, bool sign);
void ir_store(struct ir_builder *b, ir_reg base, int32_t off, unsigned int size, struct ir_val v);
/*
 * Kernel and user memory: the value, or 0 when it cannot be read.  On an IRC_BTF base
 * kload is a plain load; class of the result is `class` (IRC_BTF: the loaded pointer is
 * known to the verifier too).  ret_failed, if not NULL: a register that gets the helper's
 * result (0 or −errno).
 */
struct ir_val ir_kload(struct ir_builder *b, ir_reg base, int32_t off, unsigned int size, bool sign,
		       enum ir_class class, ir_reg *ret_failed);
struct ir_val ir_uload(struct ir_builder *b, ir_reg base, int32_t off, unsigned int size, bool sign,
		       ir_reg *ret_failed);
void ir_atomic_add(struct ir_builder *b, ir_reg base, int32_t off, unsigned int size,
		   struct ir_val v);
/* Fixed sizes; small ones become loads and stores, large ones loops or runtime functions. */
void ir_zero(struct ir_builder *b, ir_reg base, int32_t off, uint32_t n);
void ir_copy(struct ir_builder *b, ir_reg to, int32_t to_off, ir_reg from, int32_t from_off,
	     uint32_t n);

/* Calls: the result is a register of class `class`. */
ir_reg ir_call(struct ir_builder *b, unsigned int helper, enum ir_class class,
	       const struct ir_val *args, unsigned int n_args);
#define IR_CALL(b, helper, class, ...)                                  \
	ir_call(b, helper, class, (const struct ir_val[]){__VA_ARGS__}, \
		sizeof((const struct ir_val[]){__VA_ARGS__}) / sizeof(struct ir_val))
ir_reg ir_call_func(struct ir_builder *b, uint32_t func, const struct ir_val *args,
		    unsigned int n_args);
ir_reg ir_call_rt(struct ir_builder *b, const char *name, enum ir_class class,
		  const struct ir_val *args, unsigned int n_args);
#define IR_CALL_RT(b, name, class, ...)                                  \
	ir_call_rt(b, name, class, (const struct ir_val[]){__VA_ARGS__}, \
		   sizeof((const struct ir_val[]){__VA_ARGS__}) / sizeof(struct ir_val))
ir_reg ir_call_kfunc(struct ir_builder *b, const char *name, enum ir_class class,
		     const struct ir_val *args, unsigned int n_args);

/* The same pointer, which the verifier takes to be one to the kernel's struct `type` (a BTF id). */
ir_reg ir_cast(struct ir_builder *b, ir_reg p, uint32_t type);

/* Ends of blocks. */
void ir_jump(struct ir_builder *b, uint32_t block);
void ir_branch(struct ir_builder *b, enum ir_cond cond, struct ir_val x, struct ir_val y,
	       uint32_t yes, uint32_t no);
void ir_return(struct ir_builder *b, struct ir_val v);

/* --- text, check */

void ir_print(const struct ir_module *m, struct buf *to);
/* False: at least one error was recorded.  Never crashes on any text. */
bool ir_parse(struct ir_module *m, struct diags *d, uint32_t source);
/* What breaks the rules of docs/ir.md; false and a message in `why` for the first. */
bool ir_check(const struct ir_module *m, struct buf *why);
