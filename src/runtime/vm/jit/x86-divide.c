/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Division for x86-64: rdx:rax by a register, quotient to rax, rest to rdx.
 *
 * rax is r0 and rdx r3: they are put aside if somebody wants them later.  Division by 0 and of the
 * smallest number by -1 trap on this machine and must not: the results that BPF wants of
 * them are made without it.  By constants: divide.h.  A 64-bit division of two numbers that are
 * known to be narrow is done in 32 bits, which takes half the time.
 */
#include "runtime/vm/jit/divide.h"
#include "runtime/vm/jit/x86-encode.h"

struct division {
	struct jit *j;
	const struct jit_op *o;
	unsigned int dst, a;
	bool w, is_mod, has_rax, has_rdx;
};

static bool is_wanted(const struct division *d, unsigned int reg, unsigned int bpf)
{
	return d->dst != reg && d->o->live >> bpf & 1;
}

/* T1 and T2 keep r0 and r3. */
static void put_aside(struct division *d)
{
	d->has_rax = is_wanted(d, RAX, 0);
	d->has_rdx = is_wanted(d, RDX, 3);
	if (d->has_rax || d->a == RAX)
		x_mov(d->j, true, T1, RAX);
	if (d->has_rdx)
		x_mov(d->j, true, T2, RDX);
}

static void put_back(const struct division *d, unsigned int result)
{
	if (d->dst != result)
		x_mov(d->j, d->w, d->dst, result);
	if (d->has_rax)
		x_mov(d->j, true, RAX, T1);
	if (d->has_rdx)
		x_mov(d->j, true, RDX, T2);
}

/* dst = q, or a - q × n: q is T0, and a still what it was. */
static void finish(const struct division *d, uint64_t n, unsigned int q)
{
	if (!d->is_mod) {
		x_mov(d->j, d->w, d->dst, q);
		return;
	}
	x_rr(d->j, d->w, 0x69, q, q);
	x4(d->j, (uint32_t)n);
	if (d->dst != d->a)
		x_mov(d->j, d->w, d->dst, d->a);
	x_rr(d->j, d->w, X_SUB, q, d->dst);
}

static void multiply_32(const struct division *d, uint64_t n, struct divide by)
{
	struct jit *j = d->j;
	unsigned int a = d->a;

	if (d->o->width_a > 32) {
		x_mov(j, false, T0, a);
		a = T0;
	}
	if (by.m <= INT32_MAX) {
		x_rr(j, true, 0x69, T0, a);
		x4(j, (uint32_t)by.m);
	} else {
		x_wide(j, T1, by.m);
		x_mov(j, true, T0, a);
		x_rr(j, true, X_IMUL, T0, T1);
	}
	x_shift(j, true, 5, T0, 32 + (by.how == DIVIDE_MUL ? by.shift : 0));
	if (by.how == DIVIDE_LONG) {
		x_mov(j, false, T1, d->a);
		x_rr(j, false, X_SUB, T0, T1);
		x_shift(j, false, 5, T1, 1);
		x_rr(j, false, X_ADD, T1, T0);
		x_shift(j, false, 5, T0, by.shift - 1);
	}
	finish(d, n, T0);
}

static void multiply_64(struct division *d, uint64_t n, struct divide by)
{
	struct jit *j = d->j;

	x_mov(j, true, T0, d->a);
	d->a = T0; /* not rax, which is kept otherwise */
	put_aside(d);
	x_wide(j, RAX, by.m);
	x_rr(j, true, 0xf7, 4, T0);
	if (by.how == DIVIDE_LONG) {
		x_mov(j, true, RAX, T0);
		x_rr(j, true, X_SUB, RDX, RAX);
		x_shift(j, true, 5, RAX, 1);
		x_rr(j, true, X_ADD, RAX, RDX);
		x_shift(j, true, 5, RDX, by.shift - 1);
	} else {
		x_shift(j, true, 5, RDX, by.shift);
	}
	if (d->is_mod) {
		x_rr(j, true, 0x69, RDX, RDX);
		x4(j, (uint32_t)n);
		x_rr(j, true, X_SUB, RDX, T0);
	}
	put_back(d, d->is_mod ? T0 : RDX);
}

/* n is more than half of all numbers. */
static void at_most_once(const struct division *d, uint64_t n)
{
	struct jit *j = d->j;

	if (d->is_mod) {
		x_mov(j, d->w, T0, d->a);
		x_ri(j, d->w, X_SUB, T0, (int32_t)n);
		x_mov(j, d->w, d->dst, d->a);
		x_rr(j, d->w, 0x0f43, d->dst, T0); /* cmovae */
		return;
	}
	x_wide(j, T0, 0);
	x_ri(j, d->w, X_CMP, d->a, (int32_t)n);
	x1(j, 0x41); /* setae r11b */
	x1(j, 0x0f);
	x1(j, 0x93);
	x1(j, 0xc0 | (T0 & 7));
	x_mov(j, false, d->dst, T0);
}

static void by_power(const struct division *d, uint64_t n, unsigned int shift)
{
	struct jit *j = d->j;

	/* narrow numbers of a 64-bit operation are no reason to write the upper half */
	if (d->dst != d->a || (!d->w && !shift))
		x_mov(j, d->w, d->dst, d->a);
	if (!d->is_mod)
		x_shift(j, d->w, 5, d->dst, shift);
	else
		x_ri(j, d->w, X_AND, d->dst, (int32_t)(n - 1));
}

static void by_constant(struct division *d, uint64_t n)
{
	struct divide by = divide_by(n, d->w ? 64 : 32);

	switch (by.how) {
	case DIVIDE_ZERO:
		if (d->is_mod)
			x_mov(d->j, d->w, d->dst, d->a);
		else
			x_wide(d->j, d->dst, 0);
		return;
	case DIVIDE_SHIFT:
		by_power(d, n, by.shift);
		return;
	case DIVIDE_ONCE:
		at_most_once(d, n);
		return;
	case DIVIDE_MUL:
	case DIVIDE_LONG:
		if (d->w)
			multiply_64(d, n, by);
		else
			multiply_32(d, n, by);
		return;
	}
}

/* The quotient of 0 is the divisor's 0; the rest is a. */
static void unsigned_by(struct division *d, unsigned int b)
{
	struct jit *j = d->j;
	size_t is_zero;

	if (!d->is_mod) {
		x_mov(j, d->w, RAX, b);
		x_rr(j, d->w, X_TEST, RAX, RAX);
		is_zero = x_skip(j, CC_E);
		x_mov(j, d->w, RAX, d->a == RAX ? T1 : d->a);
	} else {
		if (d->a != RAX)
			x_mov(j, d->w, RAX, d->a);
		x_mov(j, d->w, RDX, RAX);
		x_rr(j, d->w, X_TEST, b, b);
		is_zero = x_skip(j, CC_E);
	}
	x_rr(j, false, X_XOR, RDX, RDX);
	x_rr(j, d->w, 0xf7, 6, b);
	x_here(j, is_zero);
}

/* Of 0 and -1: the quotient is a × b, the rest a & ~b. */
static void signed_by(struct division *d, unsigned int b, bool is_safe)
{
	struct jit *j = d->j;
	size_t plain = 0, done = 0;

	if (d->a != RAX)
		x_mov(j, d->w, RAX, d->a);
	if (!is_safe) {
		x_lea(j, d->w, RDX, x_at(b, 1));
		x_ri(j, d->w, X_CMP, RDX, 1);
		plain = x_skip(j, CC_A);
		if (d->is_mod) {
			x_mov(j, d->w, RDX, b);
			x_rr(j, d->w, 0xf7, 2, RDX);
			x_rr(j, d->w, X_AND, RAX, RDX);
		} else {
			x_rr(j, d->w, X_IMUL, RAX, b);
		}
		x1(j, 0xeb);
		x1(j, 0);
		done = j->n_out;
		x_here(j, plain);
	}
	x_opcode(j, d->w ? 0x48 : 0, 0x99); /* cdq, cqo */
	x_rr(j, d->w, 0xf7, 7, b);
	if (!is_safe)
		x_here(j, done);
}

/* 0, 1 and -1 as constants of signed division; false: another one. */
static bool signed_simple(const struct division *d, int64_t n)
{
	if (n == 0 && !d->is_mod)
		x_wide(d->j, d->dst, 0);
	else if (n == -1 && d->is_mod)
		x_wide(d->j, d->dst, 0);
	else if (n != 0 && n != -1)
		return false;
	else
		x_mov(d->j, d->w, d->dst, d->a);
	if (n == -1 && !d->is_mod)
		x_rr(d->j, d->w, 0xf7, 3, d->dst);
	return true;
}

void x86_divide(struct jit *j, const struct jit_op *o, enum insn_alu op, bool is_32, bool is_imm)
{
	bool is_signed = op == ALU_SDIV || op == ALU_SMOD;
	bool is_narrow = is_32 || (!is_signed && o->width_a <= 32 && o->width_b <= 32);
	struct division d = {.j = j,
			     .o = o,
			     .dst = x_reg(o->dst),
			     .a = x_reg(o->a),
			     .w = !is_narrow,
			     .is_mod = op == ALU_MOD || op == ALU_SMOD};
	unsigned int b = is_imm ? T0 : x_reg(o->b);

	if (is_imm && !is_signed) {
		by_constant(&d, is_narrow ? (uint32_t)o->imm : o->imm);
		return;
	}
	if (is_imm && signed_simple(&d, (int32_t)o->imm))
		return;
	if (is_imm) {
		x_wide(j, T0, is_32 ? (uint32_t)o->imm : o->imm);
	} else if (b == RAX || b == RDX) {
		x_mov(j, d.w, T0, b);
		b = T0;
	}
	put_aside(&d);
	if (is_signed)
		signed_by(&d, b, is_imm);
	else
		unsigned_by(&d, b);
	put_back(&d, d.is_mod ? RDX : RAX);
}
