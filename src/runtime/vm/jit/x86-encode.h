/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64 instructions as bytes.
 *
 *	[66 | F3] [REX] opcode ModRM [SIB] [displacement] [immediate]
 *
 * ModRM names a register and either another one or memory.  REX has the fourth bit of register
 * numbers and W: 64-bit operands.  rsp and r12 as a base need a SIB byte, rbp and r13 a
 * displacement.  Source: Intel SDM volume 2, chapter 2.
 */
#pragma once

#include "runtime/vm/jit/jit.h"

enum x86_reg {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	R8,
	R9,
	R10,
	R11,
	R12,
	R13,
	R14,
	R15,
	X86_NONE = 0xff
};

/* r0 … r10; r9, r10, r11 of the machine are free at any time, r12 is the arena */
static const uint8_t x86_regs[JIT_REGS] = {RAX, RDI, RSI, RDX, RCX, R8, RBX, R13, R14, R15, RBP};
enum { T0 = R11, T1 = R10, T2 = R9 };

/* Opcodes; two bytes: 0x0f first.  Of groups, the member is in ModRM (/n). */
enum {
	X_ADD = 0x01, /* rm, r; + 2: r, rm; group 1: /0 */
	X_OR = 0x09,
	X_AND = 0x21,
	X_SUB = 0x29,
	X_XOR = 0x31,
	X_CMP = 0x39,
	X_TEST = 0x85,
	X_MOV = 0x89,
	X_LOAD = 0x8b,
	X_LEA = 0x8d,
	X_MOVSXD = 0x63,
	X_IMUL = 0x0faf,
	X_MOVZX8 = 0x0fb6,
	X_MOVZX16 = 0x0fb7,
	X_MOVSX8 = 0x0fbe,
	X_MOVSX16 = 0x0fbf,
};
enum { CC_B = 2, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_L = 0xc, CC_GE, CC_LE, CC_G };

struct x86_mem {
	uint8_t base, index, scale;
	int32_t off;
};

static inline void x1(struct jit *j, unsigned int byte)
{
	j->out[j->n_out++] = (uint8_t)byte;
}
static inline void x4(struct jit *j, uint32_t v)
{
	memcpy(j->out + j->n_out, &v, 4);
	j->n_out += 4;
}
static inline void x8(struct jit *j, uint64_t v)
{
	memcpy(j->out + j->n_out, &v, 8);
	j->n_out += 8;
}
static inline bool is_i8(int64_t v)
{
	return v == (int8_t)v;
}
static inline bool is_i32(int64_t v)
{
	return v == (int32_t)v;
}

static inline void x_opcode(struct jit *j, unsigned int rex, unsigned int opcode)
{
	if (rex)
		x1(j, rex);
	if (opcode > 0xff)
		x1(j, opcode >> 8);
	x1(j, opcode);
}

/* Both registers.  `w`: 64 bits. */
static inline void x_rr(struct jit *j, bool w, unsigned int opcode, unsigned int reg,
			unsigned int rm)
{
	unsigned int rex = (w ? 8 : 0) | (reg >> 3) << 2 | rm >> 3;

	/* the low bytes of rsi, rdi, rbp, rsp have names only with a prefix */
	if ((opcode == X_MOVZX8 || opcode == X_MOVSX8) && rm >= 4)
		rex |= 0x40;
	x_opcode(j, rex ? rex | 0x40 : 0, opcode);
	x1(j, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void x_mem_bytes(struct jit *j, unsigned int reg, struct x86_mem m)
{
	bool has_sib = m.index != X86_NONE || (m.base & 7) == RSP;
	unsigned int mod = !m.off && (m.base & 7) != RBP ? 0 : is_i8(m.off) ? 1 : 2;

	x1(j, mod << 6 | (reg & 7) << 3 | (has_sib ? 4u : m.base & 7u));
	if (has_sib)
		x1(j, (unsigned int)m.scale << 6 | (m.index == X86_NONE ? 4u : m.index & 7u) << 3 |
			      (m.base & 7u));
	if (mod == 1)
		x1(j, (uint8_t)m.off);
	else if (mod == 2)
		x4(j, (uint32_t)m.off);
}

/* A register and memory.  `is_byte`: reg is one whose low byte is meant. */
static inline void x_rm(struct jit *j, bool w, unsigned int opcode, unsigned int reg,
			struct x86_mem m, bool is_byte)
{
	unsigned int rex = (w ? 8 : 0) | (reg >> 3) << 2 | m.base >> 3;

	if (m.index != X86_NONE)
		rex |= (unsigned int)(m.index >> 3) << 1;
	if (is_byte && reg >= 4)
		rex |= 0x40;
	x_opcode(j, rex ? rex | 0x40 : 0, opcode);
	x_mem_bytes(j, reg, m);
}

/* add, or, and, sub, xor, cmp with a number; op: X_ADD … */
static inline void x_ri(struct jit *j, bool w, unsigned int op, unsigned int rm, int32_t imm)
{
	x_rr(j, w, is_i8(imm) ? 0x83 : 0x81, op >> 3, rm);
	if (is_i8(imm))
		x1(j, (uint8_t)imm);
	else
		x4(j, (uint32_t)imm);
}

/* The same with memory. */
static inline void x_mi(struct jit *j, bool w, unsigned int op, struct x86_mem m, int32_t imm)
{
	x_rm(j, w, is_i8(imm) ? 0x83 : 0x81, op >> 3, m, false);
	if (is_i8(imm))
		x1(j, (uint8_t)imm);
	else
		x4(j, (uint32_t)imm);
}

static inline struct x86_mem x_at(unsigned int base, int32_t off)
{
	return (struct x86_mem){(uint8_t)base, X86_NONE, 0, off};
}

static inline void x_mov(struct jit *j, bool w, unsigned int to, unsigned int from)
{
	if (to != from || !w)
		x_rr(j, w, X_MOV, from, to);
}

/* The shortest form; changes flags if it is 0. */
static inline void x_wide(struct jit *j, unsigned int to, uint64_t v)
{
	if (!v) {
		x_rr(j, false, X_XOR, to, to);
	} else if (v <= UINT32_MAX) {
		x_opcode(j, to >> 3 ? 0x41 : 0, 0xb8 | (to & 7));
		x4(j, (uint32_t)v);
	} else if (is_i32((int64_t)v)) {
		x_rr(j, true, 0xc7, 0, to);
		x4(j, (uint32_t)v);
	} else {
		x_opcode(j, to >> 3 ? 0x49 : 0x48, 0xb8 | (to & 7));
		x8(j, v);
	}
}

static inline void x_lea(struct jit *j, bool w, unsigned int to, struct x86_mem m)
{
	x_rm(j, w, X_LEA, to, m, false);
}

/* /4 shl, /5 shr, /7 sar by a number; the flags are of no use behind it */
static inline void x_shift(struct jit *j, bool w, unsigned int op, unsigned int rm, unsigned int n)
{
	if (!n)
		return;
	x_rr(j, w, n == 1 ? 0xd1 : 0xc1, op, rm);
	if (n != 1)
		x1(j, n);
}

static inline void x_push(struct jit *j, unsigned int reg)
{
	x_opcode(j, reg >> 3 ? 0x41 : 0, 0x50 | (reg & 7));
}
static inline void x_pop(struct jit *j, unsigned int reg)
{
	x_opcode(j, reg >> 3 ? 0x41 : 0, 0x58 | (reg & 7));
}

/* A short jump within one operation: returns what x_here() completes. */
static inline size_t x_skip(struct jit *j, unsigned int cc)
{
	x1(j, 0x70 | cc);
	x1(j, 0);
	return j->n_out;
}
static inline void x_here(struct jit *j, size_t from)
{
	j->out[from - 1] = (uint8_t)(j->n_out - from);
}

/* What two files of this machine share. */
static inline unsigned int x_reg(uint8_t reg)
{
	return x86_regs[reg];
}
/* The memory operand of an operation; changes T0 for arenas. */
struct x86_mem x86_memory(struct jit *j, const struct jit_op *o);

void x86_enter(struct jit *j);
void x86_leave(struct jit *j);
void x86_landing(struct jit *j, uint32_t func);
void x86_call(struct jit *j, const struct jit_op *o);
void x86_call_local(struct jit *j, const struct jit_op *o);
void x86_packet(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_ind);
void x86_may_goto(struct jit *j, const struct jit_op *o);
void x86_safe_load(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_signed);
void x86_func_address(struct jit *j, const struct jit_op *o);

/* x86-alu.c */
void x86_alu(struct jit *j, const struct jit_op *o, enum insn_alu op, bool is_32, bool is_imm);
void x86_divide(struct jit *j, const struct jit_op *o, enum insn_alu op, bool is_32, bool is_imm);
