/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arm64 instructions as words.
 *
 * Each has 32 bits: bit 31 says 64-bit operands (sf), Rd is at bit 0, Rn at 5, Rm at 16.
 * Register 31 is zero, or the stack pointer in additions and addresses.  Source: Arm ARM, C4 and
 * C6.
 */
#pragma once

#include "runtime/vm/jit/jit.h"

/* r0 … r10; x9 … x13 are free at any time, x28 is the arena */
static const uint8_t arm_regs[JIT_REGS] = {7, 0, 1, 2, 3, 4, 19, 20, 21, 22, 25};
enum { A0 = 9, A1 = 10, A2 = 11, A3 = 12, A4 = 13, ARENA = 28, FP = 29, LR = 30, ZR = 31, SP = 31 };

enum {
	I_ADD = 0x0b000000,
	I_SUB = 0x4b000000,
	I_SUBS = 0x6b000000,
	I_AND = 0x0a000000,
	I_ANDS = 0x6a000000,
	I_ORR = 0x2a000000,
	I_EOR = 0x4a000000,
	I_ADD_IMM = 0x11000000,
	I_SUB_IMM = 0x51000000,
	I_MUL = 0x1b007c00,
	I_MSUB = 0x1b008000,
	I_UDIV = 0x1ac00800,
	I_SDIV = 0x1ac00c00,
	I_LSLV = 0x1ac02000,
	I_LSRV = 0x1ac02400,
	I_ASRV = 0x1ac02800,
	I_UBFM = 0x53000000,
	I_SBFM = 0x13000000,
	I_CSEL = 0x1a800000,
};
enum { EQ, NE, HS, LO, HI = 8, LS, GE, LT, GT, LE };

static inline void a4(struct jit *j, uint32_t word)
{
	memcpy(j->out + j->n_out, &word, 4);
	j->n_out += 4;
}
static inline unsigned int a_reg(uint8_t reg)
{
	return arm_regs[reg];
}
static inline void a_rrr(struct jit *j, bool w, uint32_t op, unsigned int rd, unsigned int rn,
			 unsigned int rm)
{
	a4(j, op | (uint32_t)w << 31 | rm << 16 | rn << 5 | rd);
}
static inline void a_mov(struct jit *j, bool w, unsigned int rd, unsigned int rm)
{
	if (rd != rm || !w)
		a_rrr(j, w, I_ORR, rd, ZR, rm);
}
/* 12 bits; op: I_ADD_IMM, I_SUB_IMM */
static inline void a_rri(struct jit *j, bool w, uint32_t op, unsigned int rd, unsigned int rn,
			 unsigned int imm)
{
	a4(j, op | (uint32_t)w << 31 | imm << 10 | rn << 5 | rd);
}
/* ubfm, sbfm: bit fields, of which shifts and extensions are made */
static inline void a_bits(struct jit *j, bool w, uint32_t op, unsigned int rd, unsigned int rn,
			  unsigned int immr, unsigned int imms)
{
	a4(j, op | (uint32_t)w << 31 | (uint32_t)w << 22 | immr << 16 | imms << 10 | rn << 5 | rd);
}

/* movz, movn, movk: as few as possible */
static inline void a_wide(struct jit *j, unsigned int rd, uint64_t v)
{
	unsigned int ones = 0, zeros = 0;
	bool is_first = true, is_neg;

	for (unsigned int i = 0; i < 64; i += 16) {
		ones += (v >> i & 0xffff) == 0xffff;
		zeros += !(v >> i & 0xffff);
	}
	is_neg = ones > zeros;
	for (unsigned int i = 0; i < 64; i += 16) {
		uint32_t part = v >> i & 0xffff, skip = is_neg ? 0xffff : 0;

		if (part == skip && !(is_first && i == 48))
			continue;
		if (is_first && is_neg)
			part ^= 0xffff;
		a4(j, (is_first ? is_neg ? 0x92800000u : 0xd2800000u : 0xf2800000u) |
			      (i / 16) << 21 | part << 5 | rd);
		is_first = false;
	}
}

/*
 * Memory: size 0 … 3 of 1 … 8 bytes; opc 0 store, 1 load, 2 load and extend the sign to 64 bits.
 */
static inline void a_mem(struct jit *j, unsigned int size, unsigned int opc, unsigned int rt,
			 unsigned int rn, int64_t off)
{
	uint32_t op = size << 30 | opc << 22 | rn << 5 | rt;

	if (off >= 0 && !(off & ((1 << size) - 1)) && off >> size < 4096)
		a4(j, op | 0x39000000 | (uint32_t)(off >> size) << 10);
	else if (off >= -256 && off < 256)
		a4(j, op | 0x38000000 | (uint32_t)(off & 511) << 12);
	else {
		a_wide(j, A3, (uint64_t)off);
		a4(j, op | 0x38206800 | A3 << 16);
	}
}
enum { A_STORE, A_LOAD, A_LOAD_SIGNED };

static inline unsigned int a_size(unsigned int bytes)
{
	return (unsigned int)__builtin_ctz(bytes);
}

/* A jump forward within one operation: a_here() completes it. */
static inline size_t a_skip(struct jit *j, unsigned int cond)
{
	a4(j, 0x54000000 | cond);
	return j->n_out;
}
static inline void a_here(struct jit *j, size_t from)
{
	uint32_t word;

	memcpy(&word, j->out + from - 4, 4);
	word |= (uint32_t)(j->n_out - from + 4) / 4 << 5;
	memcpy(j->out + from - 4, &word, 4);
}
/* cbz, cbnz, likewise */
static inline size_t a_skip_zero(struct jit *j, bool is_zero, unsigned int rt)
{
	a4(j, (is_zero ? 0xb4000000 : 0xb5000000) | rt);
	return j->n_out;
}

/* An operation's address in a register (the base itself if that is all); changes A0, A1. */
unsigned int arm_address(struct jit *j, const struct jit_op *o);
/* As an immediate of and, or, xor (`op`: 0x12000000 …); false: it is none. */
bool arm_logic_imm(struct jit *j, bool w, uint32_t op, unsigned int rd, unsigned int rn,
		   uint64_t imm);
/* rd = rn + imm */
void arm_add_imm(struct jit *j, bool w, unsigned int rd, unsigned int rn, int64_t imm);
void arm_alu(struct jit *j, const struct jit_op *o, enum insn_alu op, bool is_32, bool is_imm);
/* Jump to an operation if the flags say so. */
void arm_jump_if(struct jit *j, const struct jit_op *o, unsigned int cond, uint32_t to);

void arm_enter(struct jit *j);
void arm_leave(struct jit *j);
void arm_landing(struct jit *j, uint32_t func);
void arm_call(struct jit *j, const struct jit_op *o);
void arm_call_local(struct jit *j, const struct jit_op *o);
void arm_packet(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_ind);
void arm_may_goto(struct jit *j, const struct jit_op *o);
void arm_safe_load(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_signed);
