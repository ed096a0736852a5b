/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One eBPF instruction: made, measured, asked about.
 *
 * struct bpf_insn is the kernel's: opcode, two registers, a 16-bit offset, a 32-bit
 * immediate.  ldimm64 takes two of them.  The table is insn.def.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80 /* 6.6 */
#endif
#ifndef BPF_PSEUDO_FUNC
#define BPF_PSEUDO_FUNC 4
#endif

#ifndef BPF_JCOND
#define BPF_JCOND 0xe0 /* 6.10: may_goto */
#endif

enum { INSN_JUMP_MAX = 32767 };

/* The rows of insn.def; INSN_NONE is no instruction. */
enum insn_id {
#define INSN(name, code, dst, src, off, imm, cpu, group, text) INSN_##name,
#include "isa/insn.def"
#undef INSN
	INSN_COUNT,
	INSN_NONE = INSN_COUNT
};

/* The rows of alu.def. */
enum insn_alu {
#define ALU(name, op, off, sign, cpu, group, expr) ALU_##name,
#include "isa/alu.def"
	ALU_COUNT
};
enum insn_jump {
#define JUMP(name, op, sign, cpu, expr) JUMP_##name,
#include "isa/alu.def"
	JUMP_COUNT
};

/* Conformance groups of the RFC (section 2.4), and LINUX: what it has beyond them. */
enum insn_group {
	INSN_GROUP_BASE32,
	INSN_GROUP_BASE64,
	INSN_GROUP_ATOMIC32,
	INSN_GROUP_ATOMIC64,
	INSN_GROUP_DIVMUL32,
	INSN_GROUP_DIVMUL64,
	INSN_GROUP_PACKET,
	INSN_GROUP_LINUX,
};

/* What kind of a thing an instruction does, for those that treat many alike. */
enum insn_kind {
	INSN_KIND_ALU,	  /* insn_alu_of(); is_32, is_imm */
	INSN_KIND_JUMP,	  /* conditional: insn_jump_of(); is_32, is_imm */
	INSN_KIND_LOAD,	  /* LDX*, LDSX*: bytes, is_signed */
	INSN_KIND_STORE,  /* STX* and ST* (is_imm): bytes */
	INSN_KIND_ATOMIC, /* all but loads and stores that are ordered: bytes */
	INSN_KIND_OTHER,  /* by its id */
};

/* A row of insn.def, with what follows from its opcode. */
struct insn_row {
	const char *name; /* "ADD64_K" */
	const char *text;
	int64_t imm; /* INSN_ANY: an operand, as in the next three */
	int32_t off;
	int16_t dst, src;
	uint8_t code, cpu, group;
	uint8_t bytes; /* of an access to memory */
	bool is_32, is_imm, is_signed;
};
enum { INSN_ANY = 0x7ffe }; /* of dst, src, off, imm */

/*
 * Which instruction it is; INSN_NONE: none, because the opcode is not known or because a
 * field that is not an operand is not 0.  Registers above 10 are none, too (and r10 where
 * one is written: a matter of verifying).
 */
enum insn_id insn_identify(const struct bpf_insn *i);
/* Has any instruction this opcode? */
bool insn_has_code(uint8_t code);
/* By its id. */
const struct insn_row *insn_row_of(enum insn_id id);
/* The row of an instruction; NULL: there is no such one. */
const struct insn_row *insn_row(const struct bpf_insn *i);
/* The least instruction set version that has it; 0: none has. */
int insn_cpu(const struct bpf_insn *i);

enum insn_kind insn_kind(enum insn_id id);
/* The rows that alu.def makes come first, four each: 64_K, 64_X, 32_K, 32_X. */
static inline enum insn_alu insn_alu_of(enum insn_id id)
{
	return (enum insn_alu)(id / 4u);
}
static inline enum insn_jump insn_jump_of(enum insn_id id)
{
	return (enum insn_jump)(id / 4u - ALU_COUNT);
}

/* The result of an operation, by alu.def; 32-bit: of the low halves, the upper half is 0. */
uint64_t insn_alu_eval(enum insn_alu op, bool is_32, uint64_t a, uint64_t b);
bool insn_jump_eval(enum insn_jump op, bool is_32, uint64_t a, uint64_t b);

static inline bool insn_is_wide(const struct bpf_insn *i)
{
	return i->code == (BPF_LD | BPF_IMM | BPF_DW);
}
/* A call of a function in the same program. */
static inline bool insn_is_local_call(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_CALL) && i->src_reg == BPF_PSEUDO_CALL;
}
/* The first half of an ldimm64 that holds a function's address. */
static inline bool insn_is_func_addr(const struct bpf_insn *i)
{
	return insn_is_wide(i) && i->src_reg == BPF_PSEUDO_FUNC;
}

/* `op` is BPF_ADD…; 32-bit arithmetic clears the upper half. */
static inline struct bpf_insn insn_alu(unsigned int op, bool is_32, unsigned int dst,
				       unsigned int src)
{
	return (struct bpf_insn){
		.code = (is_32 ? BPF_ALU : BPF_ALU64) | op | BPF_X, .dst_reg = dst, .src_reg = src};
}
static inline struct bpf_insn insn_alu_imm(unsigned int op, bool is_32, unsigned int dst,
					   int32_t imm)
{
	return (struct bpf_insn){
		.code = (is_32 ? BPF_ALU : BPF_ALU64) | op | BPF_K, .dst_reg = dst, .imm = imm};
}
static inline struct bpf_insn insn_mov(unsigned int dst, unsigned int src)
{
	return insn_alu(BPF_MOV, false, dst, src);
}
static inline struct bpf_insn insn_mov_imm(unsigned int dst, int32_t imm)
{
	return insn_alu_imm(BPF_MOV, false, dst, imm);
}
static inline struct bpf_insn insn_neg(unsigned int dst)
{
	return (struct bpf_insn){.code = BPF_ALU64 | BPF_NEG, .dst_reg = dst};
}
/* Sign-extending move of the low 8, 16, 32 bits (version 4). */
static inline struct bpf_insn insn_movsx(unsigned int dst, unsigned int src, unsigned int bits)
{
	return (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = dst, .src_reg = src, .off = bits};
}
/* To big endian: on little-endian machines this reverses the bytes. */
static inline struct bpf_insn insn_swap(unsigned int dst, unsigned int bits)
{
	return (struct bpf_insn){.code = BPF_ALU | BPF_END |
					 (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? BPF_TO_BE
										    : BPF_TO_LE),
				 .dst_reg = dst,
				 .imm = bits};
}
/* BPF_B, BPF_H, BPF_W, BPF_DW of 1, 2, 4, 8 bytes. */
static inline unsigned int insn_size(unsigned int bytes)
{
	return bytes == 1 ? BPF_B : bytes == 2 ? BPF_H : bytes == 4 ? BPF_W : BPF_DW;
}
static inline unsigned int insn_bytes(const struct bpf_insn *i)
{
	unsigned int size = BPF_SIZE(i->code);

	return size == BPF_B ? 1 : size == BPF_H ? 2 : size == BPF_W ? 4 : 8;
}
static inline struct bpf_insn insn_load(unsigned int bytes, bool sign, unsigned int dst,
					unsigned int base, int off)
{
	return (struct bpf_insn){.code = BPF_LDX | (sign ? BPF_MEMSX : BPF_MEM) | insn_size(bytes),
				 .dst_reg = dst,
				 .src_reg = base,
				 .off = off};
}
static inline struct bpf_insn insn_store(unsigned int bytes, unsigned int base, int off,
					 unsigned int src)
{
	return (struct bpf_insn){.code = BPF_STX | BPF_MEM | insn_size(bytes),
				 .dst_reg = base,
				 .src_reg = src,
				 .off = off};
}
static inline struct bpf_insn insn_store_imm(unsigned int bytes, unsigned int base, int off,
					     int32_t imm)
{
	return (struct bpf_insn){.code = BPF_ST | BPF_MEM | insn_size(bytes),
				 .dst_reg = base,
				 .off = off,
				 .imm = imm};
}
/* `op`: BPF_ADD, BPF_OR …, | BPF_FETCH; BPF_XCHG, BPF_CMPXCHG.  4 or 8 bytes. */
static inline struct bpf_insn insn_atomic(unsigned int op, unsigned int bytes, unsigned int base,
					  int off, unsigned int src)
{
	return (struct bpf_insn){.code = BPF_STX | BPF_ATOMIC | insn_size(bytes),
				 .dst_reg = base,
				 .src_reg = src,
				 .off = off,
				 .imm = op};
}
/* `op`: BPF_JEQ …; `off` counts from the next instruction. */
static inline struct bpf_insn insn_jump_reg(unsigned int op, unsigned int dst, unsigned int src,
					    int off)
{
	return (struct bpf_insn){
		.code = BPF_JMP | op | BPF_X, .dst_reg = dst, .src_reg = src, .off = off};
}
static inline struct bpf_insn insn_jump_imm(unsigned int op, unsigned int dst, int32_t imm, int off)
{
	return (struct bpf_insn){
		.code = BPF_JMP | op | BPF_K, .dst_reg = dst, .off = off, .imm = imm};
}
static inline struct bpf_insn insn_goto(int off)
{
	return (struct bpf_insn){.code = BPF_JMP | BPF_JA, .off = off};
}
static inline struct bpf_insn insn_goto_long(int32_t off) /* version 4 */
{
	return (struct bpf_insn){.code = BPF_JMP32 | BPF_JA, .imm = off};
}
/* `kind`: 0 a helper, BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL. */
static inline struct bpf_insn insn_call(unsigned int kind, int32_t imm)
{
	return (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .src_reg = kind, .imm = imm};
}
static inline struct bpf_insn insn_exit(void)
{
	return (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
}
/* The two halves; `kind`: 0 a number, BPF_PSEUDO_MAP_FD, … */
static inline void insn_wide(struct bpf_insn to[2], unsigned int kind, unsigned int dst,
			     uint64_t value)
{
	to[0] = (struct bpf_insn){.code = BPF_LD | BPF_IMM | BPF_DW,
				  .dst_reg = dst,
				  .src_reg = kind,
				  .imm = (int32_t)value};
	to[1] = (struct bpf_insn){.imm = (int32_t)(value >> 32)};
}
