/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic for x86-64.
 *
 * The machine has two operands, dst op= src, BPF's operations here three.  lea adds two registers
 * into a third; for the rest a move comes first.  32-bit operations clear the upper half, as
 * BPF's do.
 */
#include "runtime/vm/jit/x86-encode.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

/*
 * Shifts by any register.  Asked of the processor when the first is made, and not by
 * __builtin_cpu_supports(), whose start-up code every program that has it in it pays for: a guest's
 * questions to the processor are answered by its host.
 */
static bool x86_has_bmi2(struct jit *j)
{
#ifdef __x86_64__
	unsigned int a, b = 0, c, d;

	if (!j->is_bmi2_asked) {
		j->is_bmi2_asked = true;
		j->has_bmi2 = __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_BMI2;
	}
	return !j->is_plain && j->has_bmi2;
#else
	return !j->is_plain;
#endif
}

/* dst = a op b for operations of the first group; a may be dst, b too. */
static void binary(struct jit *j, bool w, unsigned int opcode, unsigned int dst, unsigned int a,
		   unsigned int b)
{
	if (dst == b && dst != a && opcode != X_SUB) { /* the others commute */
		b = a;
		a = dst;
	}
	if (dst == b && dst != a) { /* dst = a - dst */
		x_rr(j, w, 0xf7, 3, dst);
		x_rr(j, w, X_ADD, a, dst);
		return;
	}
	if (dst != a)
		x_mov(j, w, dst, a);
	x_rr(j, w, opcode, b, dst);
}

static void add(struct jit *j, bool w, unsigned int dst, unsigned int a, unsigned int b)
{
	if (dst == a || dst == b)
		binary(j, w, X_ADD, dst, a, b);
	else if ((a & 7) == RBP) /* as a base these two cost a byte */
		x_lea(j, w, dst, (struct x86_mem){(uint8_t)b, (uint8_t)a, 0, 0});
	else
		x_lea(j, w, dst, (struct x86_mem){(uint8_t)a, (uint8_t)b, 0, 0});
}

static void add_imm(struct jit *j, bool w, unsigned int dst, unsigned int a, int32_t imm)
{
	if (dst != a)
		x_lea(j, w, dst, x_at(a, imm));
	else if (imm == 128) /* fits as -128 */
		x_ri(j, w, X_SUB, dst, -128);
	else
		x_ri(j, w, X_ADD, dst, imm);
}

static void and_imm(struct jit *j, bool w, unsigned int dst, unsigned int a, int32_t imm)
{
	if (imm == 0xff || imm == 0xffff) {
		x_rr(j, false, imm == 0xff ? X_MOVZX8 : X_MOVZX16, dst, a);
		return;
	}
	if (imm >= 0) /* clears the upper half anyway */
		w = false;
	if (dst != a)
		x_mov(j, w, dst, a);
	x_ri(j, w, X_AND, dst, imm);
}

static void mul_imm(struct jit *j, bool w, unsigned int dst, unsigned int a, int32_t imm)
{
	uint8_t base = (uint8_t)a;

	if (imm == 3 || imm == 5 || imm == 9) {
		x_lea(j, w, dst, (struct x86_mem){base, base, imm == 3 ? 1 : imm == 5 ? 2 : 3, 0});
	} else if (imm > 0 && !(imm & (imm - 1))) {
		if (dst != a || imm == 1)
			x_mov(j, w, dst, a);
		x_shift(j, w, 4, dst, (unsigned int)__builtin_ctz((unsigned int)imm));
	} else {
		x_rr(j, w, is_i8(imm) ? 0x6b : 0x69, dst, a);
		if (is_i8(imm))
			x1(j, (uint8_t)imm);
		else
			x4(j, (uint32_t)imm);
	}
}

static void mul(struct jit *j, bool w, unsigned int dst, unsigned int a, unsigned int b)
{
	if (dst == b) {
		b = a;
		a = dst;
	}
	if (dst != a)
		x_mov(j, w, dst, a);
	x_rr(j, w, X_IMUL, dst, b);
}

static void shift_imm(struct jit *j, bool w, unsigned int op, unsigned int dst, unsigned int a,
		      uint64_t imm)
{
	if (dst != a || (!w && !(imm & 31)))
		x_mov(j, w, dst, a);
	x_shift(j, w, op, dst, imm & (w ? 63 : 31));
}

/* shlx, shrx, sarx: VEX.LZ.pp.0F38 F7, dst = rm shifted by vvvv. */
static void shift_bmi2(struct jit *j, bool w, unsigned int op, unsigned int dst, unsigned int a,
		       unsigned int b)
{
	unsigned int pp = op == 4 ? 1 : op == 5 ? 3 : 2;

	x1(j, 0xc4);
	x1(j, (dst >> 3 ? 0 : 0x80) | 0x40 | (a >> 3 ? 0 : 0x20) | 2);
	x1(j, (w ? 0x80 : 0) | (~b & 15) << 3 | pp);
	x1(j, 0xf7);
	x1(j, 0xc0 | (dst & 7) << 3 | (a & 7));
}

/* Through cl, which is r4: everything else is moved around it. */
static void shift_cl(struct jit *j, bool w, unsigned int op, unsigned int dst, unsigned int a,
		     unsigned int b)
{
	x_mov(j, w, T1, a);
	x_mov(j, true, T0, RCX);
	if (b != RCX)
		x_mov(j, false, RCX, b);
	x_rr(j, w, 0xd3, op, T1);
	x_mov(j, true, RCX, T0);
	x_mov(j, w, dst, T1);
}

static void shift(struct jit *j, bool w, unsigned int op, unsigned int dst, unsigned int a,
		  unsigned int b)
{
	if (x86_has_bmi2(j))
		shift_bmi2(j, w, op, dst, a, b);
	else
		shift_cl(j, w, op, dst, a, b);
}

static void alu_imm(struct jit *j, const struct jit_op *o, enum insn_alu op, bool w)
{
	unsigned int dst = x_reg(o->dst), a = o->a == JIT_NO_REG ? dst : x_reg(o->a);
	int32_t imm = (int32_t)o->imm;

	switch (op) {
	case ALU_ADD:
		add_imm(j, w, dst, a, imm);
		return;
	case ALU_SUB:
		if (imm != INT32_MIN) {
			add_imm(j, w, dst, a, -imm);
			return;
		}
		x_mov(j, true, dst, a);
		x_ri(j, w, X_SUB, dst, imm);
		return;
	case ALU_AND:
		and_imm(j, w, dst, a, imm);
		return;
	case ALU_OR:
	case ALU_XOR:
		x_mov(j, true, dst, a);
		if (op == ALU_XOR && imm == -1)
			x_rr(j, w, 0xf7, 2, dst);
		else
			x_ri(j, w, op == ALU_OR ? X_OR : X_XOR, dst, imm);
		return;
	case ALU_MUL:
		mul_imm(j, w, dst, a, imm);
		return;
	case ALU_LSH:
		shift_imm(j, w, 4, dst, a, o->imm);
		return;
	case ALU_RSH:
		shift_imm(j, w, 5, dst, a, o->imm);
		return;
	case ALU_ARSH:
		shift_imm(j, w, 7, dst, a, o->imm);
		return;
	case ALU_MOV:
		x_wide(j, dst, w ? o->imm : (uint32_t)o->imm);
		return;
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_MOD:
	case ALU_SMOD:
		x86_divide(j, o, op, !w, true);
		return;
	case ALU_COUNT:
		return;
	}
}

static void alu_reg(struct jit *j, const struct jit_op *o, enum insn_alu op, bool w)
{
	unsigned int dst = x_reg(o->dst), a = o->a == JIT_NO_REG ? dst : x_reg(o->a),
		     b = x_reg(o->b);

	switch (op) {
	case ALU_ADD:
		add(j, w, dst, a, b);
		return;
	case ALU_SUB:
		binary(j, w, X_SUB, dst, a, b);
		return;
	case ALU_AND:
		binary(j, w, X_AND, dst, a, b);
		return;
	case ALU_OR:
		binary(j, w, X_OR, dst, a, b);
		return;
	case ALU_XOR:
		binary(j, w, X_XOR, dst, a, b);
		return;
	case ALU_MUL:
		mul(j, w, dst, a, b);
		return;
	case ALU_LSH:
		shift(j, w, 4, dst, a, b);
		return;
	case ALU_RSH:
		shift(j, w, 5, dst, a, b);
		return;
	case ALU_ARSH:
		shift(j, w, 7, dst, a, b);
		return;
	case ALU_MOV:
		x_mov(j, w, dst, b);
		return;
	case ALU_DIV:
	case ALU_SDIV:
	case ALU_MOD:
	case ALU_SMOD:
		x86_divide(j, o, op, !w, false);
		return;
	case ALU_COUNT:
		return;
	}
}

void x86_alu(struct jit *j, const struct jit_op *o, enum insn_alu op, bool is_32, bool is_imm)
{
	if (is_imm)
		alu_imm(j, o, op, !is_32);
	else
		alu_reg(j, o, op, !is_32);
}
