/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machine code for arm64: memory, jumps, and the table of what this machine provides.
 *
 *	r0	x7		r6 … r9		x19 … x22
 *	r1 … r5	x0 … x4		r10	x25
 *
 * r1 … r5 are the first arguments of the calling convention; only r0 is not where results come
 * back, since x0 is taken.
 */
#include "runtime/vm/jit/arm64-encode.h"

#ifdef __aarch64__
#include <sys/auxv.h>
#endif

/* Atomic operations as one instruction (8.1). */
static bool has_atomics(const struct jit *j)
{
#ifdef __aarch64__
	return !j->is_plain && getauxval(AT_HWCAP) & HWCAP_ATOMICS;
#else
	return !j->is_plain;
#endif
}

unsigned int arm_address(struct jit *j, const struct jit_op *o)
{
	unsigned int base = a_reg(o->base);

	if (o->access == ACCESS_ARENA) {
		/* add A0, x28, w(base), uxtw */
		a4(j, 0x8b204000 | base << 16 | ARENA << 5 | A0);
		base = A0;
	}
	if (o->index != JIT_NO_REG) {
		a4(j, I_ADD | 1u << 31 | a_reg(o->index) << 16 | (uint32_t)o->scale << 10 |
			      base << 5 | A0);
		base = A0;
	}
	if (!o->off)
		return base;
	arm_add_imm(j, true, A0, base, o->off);
	return A0;
}

static void access(struct jit *j, const struct jit_op *o, unsigned int size, unsigned int opc,
		   unsigned int rt)
{
	if (o->access == ACCESS_ARENA) {
		a4(j, 0x8b204000 | a_reg(o->base) << 16 | ARENA << 5 | A0);
		a_mem(j, size, opc, rt, A0, o->off);
	} else if (o->index == JIT_NO_REG) {
		a_mem(j, size, opc, rt, a_reg(o->base), o->off);
	} else if (!o->off && (!o->scale || o->scale == size)) {
		a4(j, size << 30 | 0x38206800 | opc << 22 | a_reg(o->index) << 16 |
			      (uint32_t)(o->scale != 0) << 12 | a_reg(o->base) << 5 | rt);
	} else {
		a_mem(j, size, opc, rt, arm_address(j, o), 0);
	}
}

static void arm_load(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_signed)
{
	if (o->access == ACCESS_BTF)
		arm_safe_load(j, o, bytes, is_signed);
	else
		access(j, o, a_size(bytes), is_signed ? A_LOAD_SIGNED : A_LOAD, a_reg(o->dst));
}

static void arm_store(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_imm)
{
	unsigned int rt = A1;

	if (!is_imm)
		rt = a_reg(o->b);
	else if (!o->imm)
		rt = ZR;
	else
		a_wide(j, A1, o->imm);
	access(j, o, a_size(bytes), A_STORE, rt);
}

static void arm_load_acquire(struct jit *j, const struct jit_op *o, unsigned int bytes)
{
	unsigned int at = arm_address(j, o);

	a4(j, a_size(bytes) << 30 | 0x08dffc00 | at << 5 | a_reg(o->dst));
}

static void arm_store_release(struct jit *j, const struct jit_op *o, unsigned int bytes)
{
	unsigned int at = arm_address(j, o);

	a4(j, a_size(bytes) << 30 | 0x089ffc00 | at << 5 | a_reg(o->b));
}

/* One instruction each; the old value goes to the zero register if nobody wants it. */
static void atomic_one(struct jit *j, unsigned int code, unsigned int bytes, unsigned int at,
		       unsigned int b)
{
	uint32_t op = a_size(bytes) << 30 | at << 5;
	unsigned int to = code & BPF_FETCH ? b : ZR;

	switch (code & ~(unsigned int)BPF_FETCH) {
	case BPF_ADD:
		a4(j, op | 0x38e00000 | b << 16 | to);
		return;
	case BPF_OR:
		a4(j, op | 0x38e03000 | b << 16 | to);
		return;
	case BPF_XOR:
		a4(j, op | 0x38e02000 | b << 16 | to);
		return;
	case BPF_AND: /* clears the bits of the complement */
		a4(j, 0xaa2003e0 | b << 16 | A2);
		a4(j, op | 0x38e01000 | A2 << 16 | to);
		return;
	case BPF_XCHG & ~BPF_FETCH:
		a4(j, op | 0x38e08000 | b << 16 | b);
		return;
	case BPF_CMPXCHG & ~BPF_FETCH: /* r0 is compared and written */
		a4(j, op | 0x08e0fc00 | a_reg(0) << 16 | b);
		return;
	}
}

/* Load exclusively, change, store if nobody else did; again if that failed. */
static void atomic_loop(struct jit *j, unsigned int code, unsigned int bytes, unsigned int at,
			unsigned int b)
{
	uint32_t size = a_size(bytes) << 30;
	bool w = bytes == 8;
	size_t again = j->n_out, done = 0;
	unsigned int to = A2;

	a4(j, size | 0x085ffc00 | at << 5 | A1);
	switch (code & ~(unsigned int)BPF_FETCH) {
	case BPF_ADD:
		a_rrr(j, w, I_ADD, A2, A1, b);
		break;
	case BPF_OR:
		a_rrr(j, w, I_ORR, A2, A1, b);
		break;
	case BPF_AND:
		a_rrr(j, w, I_AND, A2, A1, b);
		break;
	case BPF_XOR:
		a_rrr(j, w, I_EOR, A2, A1, b);
		break;
	case BPF_XCHG & ~BPF_FETCH:
		to = b;
		break;
	case BPF_CMPXCHG & ~BPF_FETCH:
		to = b;
		a_rrr(j, w, I_SUBS, ZR, A1, a_reg(0));
		done = a_skip(j, NE);
		break;
	}
	a4(j, size | 0x0800fc00 | A3 << 16 | at << 5 | to);
	a4(j,
	   0x35000000 | ((uint32_t)((int64_t)again - (int64_t)j->n_out) / 4 & 0x7ffff) << 5 | A3);
	if (done) {
		a_here(j, done);
		a_mov(j, w, a_reg(0), A1);
	} else if (code & BPF_FETCH) {
		a_mov(j, w, b, A1);
	}
}

static void arm_atomic(struct jit *j, const struct jit_op *o, unsigned int code, unsigned int bytes)
{
	unsigned int at = arm_address(j, o);

	if (has_atomics(j))
		atomic_one(j, code, bytes, at, a_reg(o->b));
	else
		atomic_loop(j, code, bytes, at, a_reg(o->b));
}

static void arm_neg(struct jit *j, const struct jit_op *o, bool is_32)
{
	a_rrr(j, !is_32, I_SUB, a_reg(o->dst), ZR, a_reg(o->a));
}

static void arm_extend(struct jit *j, const struct jit_op *o, unsigned int bits, bool is_32)
{
	a_bits(j, !is_32, I_SBFM, a_reg(o->dst), a_reg(o->b), 0, bits - 1);
}

static void arm_swap(struct jit *j, const struct jit_op *o, unsigned int bits, bool is_swap)
{
	unsigned int dst = a_reg(o->dst), a = a_reg(o->a);

	if (is_swap) {
		a4(j, (bits == 64   ? 0xdac00c00u
		       : bits == 32 ? 0x5ac00800u
				    : 0x5ac00400u) |
			      a << 5 | dst);
		a = dst;
	}
	if (bits == 16)
		a_bits(j, false, I_UBFM, dst, a, 0, 15);
	else if (!is_swap)
		a_mov(j, bits == 64, dst, a);
}

static void arm_wide(struct jit *j, unsigned int dst, uint64_t value)
{
	a_wide(j, a_reg((uint8_t)dst), value);
}

static void arm_cast_user(struct jit *j, const struct jit_op *o)
{
	unsigned int b = a_reg(o->b);

	a_rrr(j, false, I_SUBS, ZR, b, ZR);
	a4(j, 0x8b204000 | b << 16 | ARENA << 5 | A0);
	a4(j, I_CSEL | 1u << 31 | ZR << 16 | NE << 12 | A0 << 5 | a_reg(o->dst));
}

static void arm_go(struct jit *j, const struct jit_op *o)
{
	jit_fix_add(j, FIX_JUMP, false, (uint32_t)j->n_out, jit_op_index(j, o), (uint32_t)o->off);
	a4(j, 0x14000000);
}

void arm_jump_if(struct jit *j, const struct jit_op *o, unsigned int cond, uint32_t to)
{
	if (o->is_far) { /* the other way over a jump that reaches further */
		a4(j, 0x54000040 | (cond ^ 1));
		jit_fix_add(j, FIX_JUMP, false, (uint32_t)j->n_out, jit_op_index(j, o), to);
		a4(j, 0x14000000);
		return;
	}
	jit_fix_add(j, FIX_COND, true, (uint32_t)j->n_out, jit_op_index(j, o), to);
	a4(j, 0x54000000 | cond);
}

static unsigned int condition(enum insn_jump op)
{
	switch (op) {
	case JUMP_JEQ:
		return EQ;
	case JUMP_JNE:
	case JUMP_JSET:
		return NE;
	case JUMP_JGT:
		return HI;
	case JUMP_JGE:
		return HS;
	case JUMP_JLT:
		return LO;
	case JUMP_JLE:
		return LS;
	case JUMP_JSGT:
		return GT;
	case JUMP_JSGE:
		return GE;
	case JUMP_JSLT:
		return LT;
	case JUMP_JSLE:
		return LE;
	case JUMP_COUNT:
		break;
	}
	return 0;
}

static void compare_imm(struct jit *j, bool w, unsigned int a, int32_t imm)
{
	if (imm >= 0 && imm < 4096) {
		a_rri(j, w, I_SUB_IMM | 1 << 29, ZR, a, (unsigned int)imm);
	} else if (imm < 0 && imm > -4096) {
		a_rri(j, w, I_ADD_IMM | 1 << 29, ZR, a, (unsigned int)-imm);
	} else {
		a_wide(j, A0, w ? (uint64_t)(int64_t)imm : (uint32_t)imm);
		a_rrr(j, w, I_SUBS, ZR, a, A0);
	}
}

static void arm_jump(struct jit *j, const struct jit_op *o, enum insn_jump op, bool is_32,
		     bool is_imm)
{
	unsigned int a = a_reg(o->a);
	bool w = !is_32;

	if (is_imm && !o->imm && (op == JUMP_JEQ || op == JUMP_JNE) && !o->is_far) {
		jit_fix_add(j, FIX_COND, true, (uint32_t)j->n_out, jit_op_index(j, o),
			    (uint32_t)o->off);
		a4(j, (op == JUMP_JEQ ? 0x34000000 : 0x35000000) | (uint32_t)w << 31 | a);
		return;
	}
	if (op == JUMP_JSET && is_imm) {
		uint64_t imm = w ? o->imm : (uint32_t)o->imm;

		if (!arm_logic_imm(j, w, 0x72000000, ZR, a, imm)) {
			a_wide(j, A0, imm);
			a_rrr(j, w, I_ANDS, ZR, a, A0);
		}
	} else if (op == JUMP_JSET) {
		a_rrr(j, w, I_ANDS, ZR, a, a_reg(o->b));
	} else if (is_imm) {
		compare_imm(j, w, a, (int32_t)o->imm);
	} else {
		a_rrr(j, w, I_SUBS, ZR, a, a_reg(o->b));
	}
	arm_jump_if(j, o, condition(op), (uint32_t)o->off);
}

/* adr; movz, movk: the distance; add */
static void load_place(struct jit *j, unsigned int rd, enum jit_fix kind, uint32_t to)
{
	a4(j, 0x10000000 | A0);
	jit_fix_add(j, kind, false, (uint32_t)j->n_out, 0, to);
	a4(j, 0x52800000 | A1);
	a4(j, 0x72a00000 | A1);
	a4(j, 0x8b20c000 | A1 << 16 | A0 << 5 | rd); /* sign-extended */
}

static void arm_table(struct jit *j, const struct jit_op *o, struct jit_table *t)
{
	bool w = !t->is_32;

	if (t->low) {
		a_wide(j, A0, t->low);
		a_rrr(j, w, I_SUB, A2, a_reg(o->a), A0);
	} else {
		a_mov(j, w, A2, a_reg(o->a));
	}
	compare_imm(j, w, A2, (int32_t)(t->n - 1));
	arm_jump_if(j, o, HI, t->otherwise);
	load_place(j, A0, FIX_TABLE, (uint32_t)o->imm);
	a4(j, 0xf8607800 | A2 << 16 | A0 << 5 | A0); /* ldr A0, [A0, A2, lsl #3] */
	a4(j, 0xd61f0000 | A0 << 5);
}

static void arm_func_address(struct jit *j, const struct jit_op *o)
{
	uint32_t f = jit_func_at(j, (uint32_t)o->off);

	if (j->has_landing)
		load_place(j, a_reg(o->dst), FIX_ADDRESS, j->landing_at[f]);
	else
		load_place(j, a_reg(o->dst), FIX_CALL, f);
}

static bool arm_fix(struct jit *j, const struct jit_fixup *f, uint32_t to)
{
	int64_t distance = (int64_t)to - f->at;
	uint32_t word;

	memcpy(&word, j->out + f->at, 4);
	if (f->is_short) {
		if (distance >= 1 << 20 || distance < -(1 << 20))
			return false;
		word |= ((uint32_t)(distance / 4) & 0x7ffff) << 5;
	} else if ((word & 0x7c000000) == 0x14000000) { /* b, bl */
		word |= (uint32_t)(distance / 4) & 0x3ffffff;
	} else { /* load_place(): from the word before */
		uint32_t high, bytes = (uint32_t)(distance + 4);

		word = 0x52800000 | (bytes & 0xffff) << 5 | A1;
		high = 0x72a00000 | (bytes >> 16) << 5 | A1;
		memcpy(j->out + f->at + 4, &high, 4);
	}
	memcpy(j->out + f->at, &word, 4);
	return true;
}

static void arm_pad(struct jit *j, size_t n)
{
	for (; n >= 4; n -= 4)
		a4(j, 0xd503201f);
}

const struct jit_machine jit_arm64 = {
	.name = "arm64",
	.loop_align = 16,
	.enter = arm_enter,
	.leave = arm_leave,
	.landing = arm_landing,
	.pad = arm_pad,
	.alu = arm_alu,
	.neg = arm_neg,
	.extend = arm_extend,
	.swap = arm_swap,
	.wide = arm_wide,
	.func_address = arm_func_address,
	.cast_user = arm_cast_user,
	.load = arm_load,
	.store = arm_store,
	.load_acquire = arm_load_acquire,
	.store_release = arm_store_release,
	.atomic = arm_atomic,
	.go = arm_go,
	.may_goto = arm_may_goto,
	.jump = arm_jump,
	.table = arm_table,
	.call = arm_call,
	.call_local = arm_call_local,
	.packet = arm_packet,
	.fix = arm_fix,
};
