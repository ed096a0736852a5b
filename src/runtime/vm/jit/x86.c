/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machine code for x86-64: memory, jumps, and the table of what this machine provides.
 *
 *	r0	rax		r6 … r9		rbx r13 r14 r15
 *	r1 … r5	rdi rsi rdx rcx r8	r10	rbp
 *
 * These are the registers of the System V calling convention in their order, so that a call of a
 * helper moves nothing.  r9, r10, r11 are scratch; r12 holds the arena in functions that have one.
 */
#include "runtime/vm/jit/x86-encode.h"

struct x86_mem x86_memory(struct jit *j, const struct jit_op *o)
{
	if (o->access == ACCESS_ARENA) {
		x_mov(j, false, T0, x_reg(o->base));
		return (struct x86_mem){R12, T0, 0, o->off};
	}
	return (struct x86_mem){(uint8_t)x_reg(o->base),
				o->index == JIT_NO_REG ? X86_NONE : (uint8_t)x_reg(o->index),
				o->scale, o->off};
}

static void x86_load(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_signed)
{
	unsigned int dst = x_reg(o->dst);
	struct x86_mem m;

	if (o->access == ACCESS_BTF) {
		x86_safe_load(j, o, bytes, is_signed);
		return;
	}
	m = x86_memory(j, o);
	if (bytes == 8)
		x_rm(j, true, X_LOAD, dst, m, false);
	else if (bytes == 4)
		x_rm(j, is_signed, is_signed ? X_MOVSXD : X_LOAD, dst, m, false);
	else if (bytes == 2)
		x_rm(j, is_signed, is_signed ? X_MOVSX16 : X_MOVZX16, dst, m, false);
	else
		x_rm(j, is_signed, is_signed ? X_MOVSX8 : X_MOVZX8, dst, m, false);
}

static void store_imm(struct jit *j, struct x86_mem m, unsigned int bytes, uint64_t imm)
{
	if (bytes == 2)
		x1(j, 0x66);
	x_rm(j, bytes == 8, bytes == 1 ? 0xc6 : 0xc7, 0, m, false);
	if (bytes == 1) {
		x1(j, (uint8_t)imm);
	} else if (bytes == 2) {
		x1(j, (uint8_t)imm);
		x1(j, (uint8_t)(imm >> 8));
	} else {
		x4(j, (uint32_t)imm);
	}
}

static void x86_store(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_imm)
{
	struct x86_mem m = x86_memory(j, o);

	if (is_imm) {
		store_imm(j, m, bytes, o->imm);
		return;
	}
	if (bytes == 2)
		x1(j, 0x66);
	x_rm(j, bytes == 8, bytes == 1 ? 0x88 : X_MOV, x_reg(o->b), m, bytes == 1);
}

/* This machine's loads and stores are ordered as is. */
static void x86_load_acquire(struct jit *j, const struct jit_op *o, unsigned int bytes)
{
	x86_load(j, o, bytes, false);
}

static void x86_store_release(struct jit *j, const struct jit_op *o, unsigned int bytes)
{
	x86_store(j, o, bytes, false);
}

/* and, or, xor with the old value given back: by compare and exchange until it was not changed. */
static void atomic_loop(struct jit *j, const struct jit_op *o, unsigned int opcode, bool w)
{
	unsigned int b = x_reg(o->b);
	struct x86_mem at = x_at(T2, 0);
	size_t again;

	x_lea(j, true, T2, x86_memory(j, o));
	x_mov(j, true, T0, RAX);
	x_rm(j, w, X_LOAD, RAX, at, false);
	again = j->n_out;
	x_mov(j, true, T1, RAX);
	x_rr(j, w, opcode, b == RAX ? T0 : b, T1);
	x1(j, 0xf0);
	x_rm(j, w, 0x0fb1, T1, at, false);
	x1(j, 0x70 | CC_NE);
	x1(j, (uint8_t)(again - j->n_out - 1));
	if (b == RAX)
		return;
	x_mov(j, w, b, RAX);
	x_mov(j, true, RAX, T0);
}

static void x86_atomic(struct jit *j, const struct jit_op *o, unsigned int code, unsigned int bytes)
{
	bool w = bytes == 8;
	struct x86_mem m;
	unsigned int opcode;

	switch (code) {
	case BPF_OR | BPF_FETCH:
		atomic_loop(j, o, X_OR, w);
		return;
	case BPF_AND | BPF_FETCH:
		atomic_loop(j, o, X_AND, w);
		return;
	case BPF_XOR | BPF_FETCH:
		atomic_loop(j, o, X_XOR, w);
		return;
	}
	opcode = code == BPF_ADD		 ? X_ADD
		 : code == BPF_OR		 ? X_OR
		 : code == BPF_AND		 ? X_AND
		 : code == BPF_XOR		 ? X_XOR
		 : code == (BPF_ADD | BPF_FETCH) ? 0x0fc1
		 : code == BPF_XCHG		 ? 0x87
						 : 0x0fb1;
	m = x86_memory(j, o);
	if (code != BPF_XCHG) /* locks by itself */
		x1(j, 0xf0);
	x_rm(j, w, opcode, x_reg(o->b), m, false);
	if (code == BPF_CMPXCHG && !w) /* not written if it was equal */
		x_mov(j, false, RAX, RAX);
}

static void x86_neg(struct jit *j, const struct jit_op *o, bool is_32)
{
	unsigned int dst = x_reg(o->dst);

	x_mov(j, true, dst, x_reg(o->a));
	x_rr(j, !is_32, 0xf7, 3, dst);
}

static void x86_extend(struct jit *j, const struct jit_op *o, unsigned int bits, bool is_32)
{
	x_rr(j, !is_32,
	     bits == 8	  ? X_MOVSX8
	     : bits == 16 ? X_MOVSX16
			  : X_MOVSXD,
	     x_reg(o->dst), x_reg(o->b));
}

static void x86_swap(struct jit *j, const struct jit_op *o, unsigned int bits, bool is_swap)
{
	unsigned int dst = x_reg(o->dst), a = x_reg(o->a);

	if (bits == 16) {
		if (is_swap) {
			x_mov(j, true, dst, a);
			x1(j, 0x66);
			x_rr(j, false, 0xc1, 0, dst); /* rol */
			x1(j, 8);
			a = dst;
		}
		x_rr(j, false, X_MOVZX16, dst, a);
		return;
	}
	if (dst != a || bits == 32)
		x_mov(j, bits == 64, dst, a);
	if (!is_swap)
		return;
	x1(j, (bits == 64 ? 0x48 : 0x40) | dst >> 3);
	x1(j, 0x0f);
	x1(j, 0xc8 | (dst & 7));
}

static void x86_wide(struct jit *j, unsigned int dst, uint64_t value)
{
	x_wide(j, x_reg((uint8_t)dst), value);
}

static void x86_cast_user(struct jit *j, const struct jit_op *o)
{
	x_mov(j, false, T0, x_reg(o->b));
	x_lea(j, true, T1, (struct x86_mem){R12, T0, 0, 0});
	x_rr(j, false, X_TEST, T0, T0);
	x_rr(j, true, 0x0f45, T0, T1); /* cmovne */
	x_mov(j, true, x_reg(o->dst), T0);
}

static void jump_if(struct jit *j, uint32_t from, unsigned int cc, uint32_t to)
{
	bool is_short = !j->ops[from].is_far;

	if (is_short) {
		x1(j, 0x70 | cc);
	} else {
		x1(j, 0x0f);
		x1(j, 0x80 | cc);
	}
	jit_fix_add(j, FIX_COND, is_short, (uint32_t)j->n_out, from, to);
	j->n_out += is_short ? 1 : 4;
}

static void x86_go(struct jit *j, const struct jit_op *o)
{
	x1(j, o->is_far ? 0xe9 : 0xeb);
	jit_fix_add(j, FIX_JUMP, !o->is_far, (uint32_t)j->n_out, jit_op_index(j, o),
		    (uint32_t)o->off);
	j->n_out += o->is_far ? 4 : 1;
}

static unsigned int condition(enum insn_jump op)
{
	switch (op) {
	case JUMP_JEQ:
		return CC_E;
	case JUMP_JNE:
	case JUMP_JSET:
		return CC_NE;
	case JUMP_JGT:
		return CC_A;
	case JUMP_JGE:
		return CC_AE;
	case JUMP_JLT:
		return CC_B;
	case JUMP_JLE:
		return CC_BE;
	case JUMP_JSGT:
		return CC_G;
	case JUMP_JSGE:
		return CC_GE;
	case JUMP_JSLT:
		return CC_L;
	case JUMP_JSLE:
		return CC_LE;
	case JUMP_COUNT:
		break;
	}
	return 0;
}

static bool is_signed_jump(enum insn_jump op)
{
	return op == JUMP_JSGT || op == JUMP_JSGE || op == JUMP_JSLT || op == JUMP_JSLE;
}

static void x86_jump(struct jit *j, const struct jit_op *o, enum insn_jump op, bool is_32,
		     bool is_imm)
{
	unsigned int most = is_signed_jump(op) ? 31 : 32, a = x_reg(o->a);
	bool w = !is_32 && (o->width_a > most || o->width_b > most);
	int32_t imm = (int32_t)o->imm;

	if (op == JUMP_JSET && is_imm && !is_32 && imm >= 0) /* the upper half does not matter */
		w = false;
	if (!is_imm) {
		x_rr(j, w, op == JUMP_JSET ? X_TEST : X_CMP, x_reg(o->b), a);
	} else if (op == JUMP_JSET) {
		x_rr(j, w, 0xf7, 0, a);
		x4(j, (uint32_t)imm);
	} else if (!imm) {
		x_rr(j, w, X_TEST, a, a);
	} else {
		x_ri(j, w, X_CMP, a, imm);
	}
	jump_if(j, jit_op_index(j, o), condition(op), (uint32_t)o->off);
}

static void load_place(struct jit *j, unsigned int reg, enum jit_fix kind, uint32_t to)
{
	x1(j, reg >> 3 ? 0x4c : 0x48);
	x1(j, X_LEA);
	x1(j, (reg & 7) << 3 | 5); /* rip + displacement */
	jit_fix_add(j, kind, false, (uint32_t)j->n_out, 0, to);
	j->n_out += 4;
}

static void x86_table(struct jit *j, const struct jit_op *o, struct jit_table *t)
{
	unsigned int index = x_reg(o->a);
	bool w = !t->is_32;

	if (t->is_32 || is_i32(-(int64_t)t->low)) {
		if (t->low) {
			x_lea(j, w, T0, x_at(index, (int32_t)-t->low));
			index = T0;
		} else if (t->is_32 && o->width_a > 32) {
			x_mov(j, false, T0, index);
			index = T0;
		}
	} else {
		x_wide(j, T0, -t->low);
		x_rr(j, true, X_ADD, index, T0);
		index = T0;
	}
	x_ri(j, w, X_CMP, index, (int32_t)(t->n - 1));
	jump_if(j, jit_op_index(j, o), CC_A, t->otherwise);
	load_place(j, T1, FIX_TABLE, (uint32_t)o->imm);
	x_rm(j, false, 0xff, 4, (struct x86_mem){T1, (uint8_t)index, 3, 0}, false);
}

void x86_func_address(struct jit *j, const struct jit_op *o)
{
	uint32_t f = jit_func_at(j, (uint32_t)o->off);

	if (j->has_landing)
		load_place(j, x_reg(o->dst), FIX_ADDRESS, j->landing_at[f]);
	else
		load_place(j, x_reg(o->dst), FIX_CALL, f);
}

static bool x86_fix(struct jit *j, const struct jit_fixup *f, uint32_t to)
{
	int64_t distance = (int64_t)to - f->at - (f->is_short ? 1 : 4);
	uint32_t bytes = (uint32_t)distance;

	if (f->is_short && !is_i8(distance))
		return false;
	memcpy(j->out + f->at, &bytes, f->is_short ? 1 : 4);
	return true;
}

/* The recommended ones: as few instructions as possible. */
static void x86_pad(struct jit *j, size_t n)
{
	static const uint8_t nops[9][9] = {{0x90},
					   {0x66, 0x90},
					   {0x0f, 0x1f, 0x00},
					   {0x0f, 0x1f, 0x40},
					   {0x0f, 0x1f, 0x44},
					   {0x66, 0x0f, 0x1f, 0x44},
					   {0x0f, 0x1f, 0x80},
					   {0x0f, 0x1f, 0x84},
					   {0x66, 0x0f, 0x1f, 0x84}};

	while (n) {
		size_t now = n > 9 ? 9 : n;

		memcpy(j->out + j->n_out, nops[now - 1], now);
		j->n_out += now;
		n -= now;
	}
}

const struct jit_machine jit_x86 = {
	.name = "x86-64",
	.has_index_off = true,
	.loop_align = 16,
	.enter = x86_enter,
	.leave = x86_leave,
	.landing = x86_landing,
	.pad = x86_pad,
	.alu = x86_alu,
	.neg = x86_neg,
	.extend = x86_extend,
	.swap = x86_swap,
	.wide = x86_wide,
	.func_address = x86_func_address,
	.cast_user = x86_cast_user,
	.load = x86_load,
	.store = x86_store,
	.load_acquire = x86_load_acquire,
	.store_release = x86_store_release,
	.atomic = x86_atomic,
	.go = x86_go,
	.may_goto = x86_may_goto,
	.jump = x86_jump,
	.table = x86_table,
	.call = x86_call,
	.call_local = x86_call_local,
	.packet = x86_packet,
	.fix = x86_fix,
};
