/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic for arm64: three operands, as operations have.
 *
 * Division by 0 gives 0 and that of the smallest number by -1 itself, which is just what BPF wants;
 * shifts look at the lower bits only.  Most immediates of logical instructions are a run of
 * ones, repeated; others go through a register.
 */
#include "runtime/vm/jit/arm64-encode.h"
#include "runtime/vm/jit/divide.h"

/*
 * N:immr:imms of a number: it repeats with a period of `size` bits, and one period is a run of
 * `ones` ones, turned right by immr.
 */
static bool logic_fields(uint64_t v, bool w, uint32_t *ret)
{
	unsigned int size = w ? 64 : 32, ones, turn;
	uint64_t mask, part;

	if (!w)
		v = (uint32_t)v | v << 32;
	if (!v || v == UINT64_MAX)
		return false;
	while (size > 2 && ((v ^ v >> size / 2) & ((1ull << size / 2) - 1)) == 0)
		size /= 2;
	mask = size == 64 ? UINT64_MAX : (1ull << size) - 1;
	part = v & mask;
	ones = (unsigned int)__builtin_popcountll(part);
	for (turn = 0; turn < size; turn++) {
		uint64_t run = (1ull << ones) - 1;
		uint64_t turned = turn ? (run >> turn | run << (size - turn)) & mask : run;

		if (turned == part)
			break;
	}
	if (turn == size)
		return false;
	*ret = (uint32_t)(size == 64) << 22 | turn << 16 |
	       (((~(size * 2 - 1) & 0x3f) | (ones - 1)) & 0x3f) << 10;
	return true;
}

bool arm_logic_imm(struct jit *j, bool w, uint32_t op, unsigned int rd, unsigned int rn,
		   uint64_t imm)
{
	uint32_t fields;

	if (!logic_fields(imm, w, &fields))
		return false;
	a4(j, op | (uint32_t)w << 31 | fields | rn << 5 | rd);
	return true;
}

void arm_add_imm(struct jit *j, bool w, unsigned int rd, unsigned int rn, int64_t imm)
{
	uint64_t size = imm < 0 ? (uint64_t)-imm : (uint64_t)imm;
	uint32_t op = imm < 0 ? I_SUB_IMM : I_ADD_IMM;

	if (size < 4096) {
		a_rri(j, w, op, rd, rn, (unsigned int)size);
	} else if (!(size & 4095) && size >> 12 < 4096) {
		a_rri(j, w, op | 1 << 22, rd, rn, (unsigned int)(size >> 12));
	} else {
		a_wide(j, A3, (uint64_t)imm);
		a_rrr(j, w, I_ADD, rd, rn, A3);
	}
}

/* rd = rn shifted by a number; op as of BPF */
static void shift_imm(struct jit *j, bool w, enum insn_alu op, unsigned int rd, unsigned int rn,
		      uint64_t imm)
{
	unsigned int top = w ? 63 : 31, n = imm & top;

	if (op == ALU_LSH)
		a_bits(j, w, I_UBFM, rd, rn, -n & top, top - n);
	else
		a_bits(j, w, op == ALU_RSH ? I_UBFM : I_SBFM, rd, rn, n, top);
}

/* The quotient, in A0. */
static void quotient(struct jit *j, bool w, unsigned int a, struct divide by)
{
	a_wide(j, A1, by.m);
	if (w) {
		a_rrr(j, true, 0x1bc07c00, A0, a, A1); /* umulh */
	} else {
		a_mov(j, false, A0, a);
		a_rrr(j, true, I_MUL, A0, A0, A1);
	}
	if (by.how == DIVIDE_MUL) {
		shift_imm(j, true, ALU_RSH, A0, A0, by.shift + (w ? 0 : 32));
		return;
	}
	if (!w)
		shift_imm(j, true, ALU_RSH, A0, A0, 32);
	a_rrr(j, w, I_SUB, A1, a, A0);
	shift_imm(j, w, ALU_RSH, A1, A1, 1);
	a_rrr(j, w, I_ADD, A0, A0, A1);
	shift_imm(j, w, ALU_RSH, A0, A0, by.shift - 1);
}

static void divide_imm(struct jit *j, bool w, bool is_mod, unsigned int dst, unsigned int a,
		       uint64_t n)
{
	struct divide by = divide_by(n, w ? 64 : 32);

	switch (by.how) {
	case DIVIDE_ZERO:
		if (is_mod)
			a_mov(j, w, dst, a);
		else
			a_wide(j, dst, 0);
		return;
	case DIVIDE_SHIFT:
		if (!is_mod)
			shift_imm(j, w, ALU_RSH, dst, a, by.shift);
		else if (n == 1)
			a_wide(j, dst, 0);
		else
			arm_logic_imm(j, w, 0x12000000, dst, a, n - 1);
		return;
	case DIVIDE_ONCE:
		a_wide(j, A1, n);
		a_rrr(j, w, I_UDIV, A0, a, A1);
		break;
	case DIVIDE_MUL:
	case DIVIDE_LONG:
		quotient(j, w, a, by);
		break;
	}
	if (!is_mod) {
		a_mov(j, w, dst, A0);
		return;
	}
	a_wide(j, A1, n);
	a4(j, I_MSUB | (uint32_t)w << 31 | A1 << 16 | a << 10 | A0 << 5 | dst);
}

static void divide_reg(struct jit *j, bool w, enum insn_alu op, unsigned int dst, unsigned int a,
		       unsigned int b)
{
	uint32_t code = op == ALU_SDIV || op == ALU_SMOD ? I_SDIV : I_UDIV;

	if (op == ALU_DIV || op == ALU_SDIV) {
		a_rrr(j, w, code, dst, a, b);
		return;
	}
	a_rrr(j, w, code, A0, a, b);
	a4(j, I_MSUB | (uint32_t)w << 31 | b << 16 | a << 10 | A0 << 5 | dst);
}

static void alu_reg(struct jit *j, bool w, enum insn_alu op, unsigned int dst, unsigned int a,
		    unsigned int b)
{
	switch (op) {
	case ALU_ADD:
		a_rrr(j, w, I_ADD, dst, a, b);
		return;
	case ALU_SUB:
		a_rrr(j, w, I_SUB, dst, a, b);
		return;
	case ALU_MUL:
		a_rrr(j, w, I_MUL, dst, a, b);
		return;
	case ALU_OR:
		a_rrr(j, w, I_ORR, dst, a, b);
		return;
	case ALU_AND:
		a_rrr(j, w, I_AND, dst, a, b);
		return;
	case ALU_XOR:
		a_rrr(j, w, I_EOR, dst, a, b);
		return;
	case ALU_LSH:
		a_rrr(j, w, I_LSLV, dst, a, b);
		return;
	case ALU_RSH:
		a_rrr(j, w, I_LSRV, dst, a, b);
		return;
	case ALU_ARSH:
		a_rrr(j, w, I_ASRV, dst, a, b);
		return;
	case ALU_MOV:
		a_mov(j, w, dst, b);
		return;
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_MOD:
	case ALU_SMOD:
		divide_reg(j, w, op, dst, a, b);
		return;
	case ALU_COUNT:
		return;
	}
}

/* With a number, where there is a form for it. */
static bool alu_imm(struct jit *j, bool w, enum insn_alu op, unsigned int dst, unsigned int a,
		    uint64_t imm)
{
	switch (op) {
	case ALU_ADD:
		arm_add_imm(j, w, dst, a, (int32_t)imm);
		return true;
	case ALU_SUB:
		arm_add_imm(j, w, dst, a, -(int64_t)(int32_t)imm);
		return true;
	case ALU_AND:
		return arm_logic_imm(j, w, 0x12000000, dst, a, imm);
	case ALU_OR:
		return arm_logic_imm(j, w, 0x32000000, dst, a, imm);
	case ALU_XOR:
		return arm_logic_imm(j, w, 0x52000000, dst, a, imm);
	case ALU_LSH:
	case ALU_RSH:
	case ALU_ARSH:
		shift_imm(j, w, op, dst, a, imm);
		return true;
	case ALU_MOV:
		a_wide(j, dst, w ? imm : (uint32_t)imm);
		return true;
	case ALU_DIV:
	case ALU_MOD:
		divide_imm(j, w, op == ALU_MOD, dst, a, w ? imm : (uint32_t)imm);
		return true;
	case ALU_MUL:
	case ALU_SDIV:
	case ALU_SMOD:
	case ALU_COUNT:
		break;
	}
	return false;
}

void arm_alu(struct jit *j, const struct jit_op *o, enum insn_alu op, bool is_32, bool is_imm)
{
	unsigned int dst = a_reg(o->dst), a = o->a == JIT_NO_REG ? dst : a_reg(o->a), b = A2;

	if (is_imm && alu_imm(j, !is_32, op, dst, a, o->imm))
		return;
	if (is_imm)
		a_wide(j, A2, is_32 ? (uint32_t)o->imm : o->imm);
	else
		b = a_reg(o->b);
	alu_reg(j, !is_32, op, dst, a, b);
}
