/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls for x86-64, and how functions begin and end.
 *
 *	return address, registers that the function uses and must keep, rbp
 *	rbp →	frame of r10, the counter of may_goto
 *	rsp →	a multiple of 16 wherever something is called
 *
 * A function that calls nothing and has no frame is its body and a ret.
 */
#include "runtime/vm/jit/x86-encode.h"

#include <errno.h>

static const uint8_t landing_saves[] = {RBP, RBX, R12, R13, R14, R15};

struct layout {
	uint8_t saves[6];
	unsigned int n_saves;
	bool has_frame;
	uint32_t room; /* below the saved registers */
};

static struct layout layout_of(const struct jit_func *f)
{
	struct layout l = {.has_frame = f->used >> JIT_FRAME & 1 || f->has_may_goto};

	for (unsigned int r = 6; r < JIT_FRAME; r++)
		if (f->used >> r & 1)
			l.saves[l.n_saves++] = x86_regs[r];
	if (f->has_arena)
		l.saves[l.n_saves++] = R12;
	if (f->used >> JIT_FRAME & 1)
		l.room = f->frame;
	if (f->has_may_goto)
		l.room += 16;
	if (!f->is_leaf && !((l.n_saves + l.has_frame) & 1))
		l.room += 8;
	if (f->is_leaf && l.room <= 128) /* nobody touches what is below the stack pointer */
		l.room = 0;
	return l;
}

/* Where the counter is. */
static struct x86_mem counter_of(const struct jit_func *f)
{
	return x_at(RBP, -(int32_t)(f->used >> JIT_FRAME & 1 ? f->frame : 0) - 8);
}

void x86_enter(struct jit *j)
{
	struct layout l = layout_of(j->func);

	for (unsigned int i = 0; i < l.n_saves; i++)
		x_push(j, l.saves[i]);
	if (l.has_frame) {
		x_push(j, RBP);
		x_mov(j, true, RBP, RSP);
	}
	if (l.room)
		x_ri(j, true, X_SUB, RSP, (int32_t)l.room);
	if (j->func->has_arena)
		x_wide(j, R12, j->code->arena);
	if (j->func->has_may_goto) {
		x_rm(j, true, 0xc7, 0, counter_of(j->func), false);
		x4(j, CODE_MAY_GOTO_MAX);
	}
}

void x86_leave(struct jit *j)
{
	struct layout l = layout_of(j->func);

	if (l.has_frame && l.room)
		x1(j, 0xc9); /* leave */
	else if (l.has_frame)
		x_pop(j, RBP);
	else if (l.room)
		x_ri(j, true, X_ADD, RSP, (int32_t)l.room);
	while (l.n_saves)
		x_pop(j, l.saves[--l.n_saves]);
	x1(j, 0xc3);
}

/* vm_current: a variable of the thread, which fs points to. */
static void load_current(struct jit *j, unsigned int reg)
{
	x1(j, 0x64);
	x1(j, reg >> 3 ? 0x4c : 0x48);
	x1(j, X_LOAD);
	x1(j, (reg & 7) << 3 | 4);
	x1(j, 0x25);
	x4(j, (uint32_t)jit_current_at());
}

static struct x86_mem in_run(unsigned int reg, size_t offset)
{
	return x_at(reg, (int32_t)offset);
}

static void jump_to_land(struct jit *j)
{
	x1(j, 0xe9);
	jit_fix_add(j, FIX_ADDRESS, false, (uint32_t)j->n_out, 0, j->land);
	j->n_out += 4;
}

/* Leave all functions up to the landing; T0 is vm_current, rax the result. */
static void leave_all(struct jit *j)
{
	x_rm(j, true, X_LOAD, RSP, in_run(T0, offsetof(struct vm_run, landing)), false);
	jump_to_land(j);
}

void x86_landing(struct jit *j, uint32_t func)
{
	struct x86_mem landing = in_run(T0, offsetof(struct vm_run, landing));

	for (size_t i = 0; i < sizeof(landing_saves); i++)
		x_push(j, landing_saves[i]);
	load_current(j, T0);
	x_rm(j, false, 0xff, 6, landing, false); /* push */
	x_rm(j, true, X_MOV, RSP, landing, false);
	x1(j, 0xe8);
	jit_fix_add(j, FIX_CALL, false, (uint32_t)j->n_out, 0, func);
	j->n_out += 4;
	if (func) {
		jump_to_land(j);
		return;
	}
	j->land = (uint32_t)j->n_out;
	load_current(j, T0);
	x_rm(j, false, 0x8f, 0, landing, false); /* pop */
	for (size_t i = sizeof(landing_saves); i-- > 0;)
		x_pop(j, landing_saves[i]);
	x1(j, 0xc3);
}

static void call_address(struct jit *j, uint64_t address)
{
	x_wide(j, RAX, address);
	x_rr(j, false, 0xff, 2, RAX);
}

/* r0 = the array's value, or NULL. */
static void lookup(struct jit *j, const struct jit_op *o)
{
	const struct vm_map *map = (const struct vm_map *)(uintptr_t)o->imm;
	uint32_t step = map->value_step;
	bool is_percpu = map->def.type == BPF_MAP_TYPE_PERCPU_ARRAY;
	size_t outside, no_cpu = 0, done;

	x_rm(j, false, X_LOAD, RAX, x86_memory(j, o), false);
	x_ri(j, false, X_CMP, RAX, (int32_t)map->def.max_entries);
	outside = x_skip(j, CC_AE);
	if (is_percpu) {
		load_current(j, T1);
		x_rm(j, false, X_LOAD, T1, in_run(T1, offsetof(struct vm_run, cpu)), false);
		x_ri(j, false, X_CMP, T1, (int32_t)map->cpus);
		no_cpu = x_skip(j, CC_AE);
	}
	x_wide(j, T0, (uintptr_t)map->values);
	if (step & (step - 1)) {
		x_rr(j, true, 0x69, RAX, RAX);
		x4(j, step);
	} else {
		x_shift(j, true, 4, RAX, (unsigned int)__builtin_ctz(step));
	}
	x_rr(j, true, X_ADD, T0, RAX);
	if (is_percpu) {
		x_rr(j, true, 0x69, T1, T1);
		x4(j, (uint32_t)map->cpu_step);
		x_rr(j, true, X_ADD, T1, RAX);
	}
	x1(j, 0xeb);
	x1(j, 0);
	done = j->n_out;
	x_here(j, outside);
	if (is_percpu)
		x_here(j, no_cpu);
	x_wide(j, RAX, 0);
	x_here(j, done);
}

/* (pid << 32 | tid) of vm_current->task, if there is one. */
static void pid_tgid(struct jit *j)
{
	size_t nobody;

	load_current(j, T0);
	x_rm(j, true, X_LOAD, T0, in_run(T0, offsetof(struct vm_run, task)), false);
	x_wide(j, RAX, (uint64_t)-EINVAL);
	x_rr(j, true, X_TEST, T0, T0);
	nobody = x_skip(j, CC_E);
	x_rm(j, false, X_LOAD, RAX, x_at(T0, offsetof(struct vm_task, pid)), false);
	x_shift(j, true, 4, RAX, 32);
	x_rm(j, false, X_LOAD, T0, x_at(T0, offsetof(struct vm_task, tid)), false);
	x_rr(j, true, X_OR, T0, RAX);
	x_here(j, nobody);
}

/* The time that the run was given, or the helper. */
static void time_ns(struct jit *j, uint64_t helper)
{
	size_t known;

	load_current(j, T0);
	x_rm(j, true, X_LOAD, RAX, in_run(T0, offsetof(struct vm_run, now_ns)), false);
	x_rr(j, true, X_TEST, RAX, RAX);
	known = x_skip(j, CC_NE);
	call_address(j, helper);
	x_here(j, known);
}

static void throw(struct jit * j)
{
	load_current(j, T0);
	x_rm(j, true, X_MOV, T0, in_run(T0, offsetof(struct vm_run, unwind)), false);
	x_rm(j, true, X_MOV, RDI, in_run(T0, offsetof(struct vm_run, thrown)), false);
	x_wide(j, RAX, 1); /* helpers stop calling back */
	leave_all(j);
}

/* Has what was called back thrown something? */
static void throw_again(struct jit *j)
{
	size_t no;

	load_current(j, T0);
	x_mi(j, true, X_CMP, in_run(T0, offsetof(struct vm_run, unwind)), 0);
	no = x_skip(j, CC_E);
	x_wide(j, RAX, 1);
	leave_all(j);
	x_here(j, no);
}

static void tail_call(struct jit *j)
{
	size_t none;

	call_address(j, (uintptr_t)jit_tail_call);
	x_rr(j, true, X_TEST, RAX, RAX);
	none = x_skip(j, CC_E);
	x_mov(j, true, RAX, RDX);
	x86_leave(j);
	x_here(j, none);
}

void x86_call(struct jit *j, const struct jit_op *o)
{
	switch (o->call) {
	case CODE_CALL_TAIL:
		tail_call(j);
		return;
	case CODE_CALL_THROW:
		throw(j);
		return;
	case JIT_CALL_LOOKUP:
		lookup(j, o);
		return;
	case JIT_CALL_CPU:
		load_current(j, T0);
		x_rm(j, false, X_LOAD, RAX, in_run(T0, offsetof(struct vm_run, cpu)), false);
		return;
	case JIT_CALL_PID:
		pid_tgid(j);
		return;
	case JIT_CALL_TIME:
		time_ns(j, o->imm);
		return;
	}
	call_address(j, o->imm);
	if (o->call == CODE_CALL_BACK && j->has_landing)
		throw_again(j);
}

void x86_call_local(struct jit *j, const struct jit_op *o)
{
	uint32_t f = jit_func_at(j, (uint32_t)o->off);

	x1(j, 0xe8);
	jit_fix_add(j, FIX_CALL, false, (uint32_t)j->n_out, 0, f);
	j->n_out += 4;
}

void x86_packet(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_ind)
{
	size_t inside;

	if (is_ind) {
		x_lea(j, false, RDI, x_at(x_reg(o->b), (int32_t)o->imm));
		x_rr(j, true, X_MOVSXD, RDI, RDI);
	} else {
		x_wide(j, RDI, (uint64_t)(int64_t)(int32_t)o->imm);
	}
	x_wide(j, RSI, bytes);
	call_address(j, (uintptr_t)jit_packet_load);
	x_rr(j, true, X_TEST, RAX, RAX);
	inside = x_skip(j, CC_NE);
	if (j->has_landing) { /* the program ends, not only the function */
		load_current(j, T0);
		leave_all(j);
	} else {
		x86_leave(j);
	}
	x_here(j, inside);
	x_mov(j, true, RAX, RDX);
}

/* The counter stays at 0. */
void x86_may_goto(struct jit *j, const struct jit_op *o)
{
	struct x86_mem counter = counter_of(j->func);
	bool is_short = !o->is_far;

	x_rm(j, true, X_LOAD, T0, counter, false);
	x_ri(j, true, X_SUB, T0, 1);
	if (is_short) {
		x1(j, 0x70 | CC_B);
	} else {
		x1(j, 0x0f);
		x1(j, 0x80 | CC_B);
	}
	jit_fix_add(j, FIX_COND, is_short, (uint32_t)j->n_out, jit_op_index(j, o),
		    (uint32_t)o->off);
	j->n_out += is_short ? 1 : 4;
	x_rm(j, true, X_MOV, T0, counter, false);
}

/* Through a function that survives a bad address; it keeps nothing, a load keeps all. */
void x86_safe_load(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_signed)
{
	enum { ROOM = 64 };
	uint16_t keep = o->live & 0x3f & ~(1u << o->dst);

	x_lea(j, true, T0, x86_memory(j, o));
	x_ri(j, true, X_SUB, RSP, ROOM);
	for (unsigned int r = 0; r < 6; r++)
		if (keep >> r & 1)
			x_rm(j, true, X_MOV, x86_regs[r], x_at(RSP, (int32_t)r * 8), false);
	x_mov(j, true, RDI, T0);
	x_wide(j, RSI, bytes);
	x_wide(j, RDX, is_signed);
	call_address(j, (uintptr_t)code_safe_load);
	if (x_reg(o->dst) != RAX)
		x_mov(j, true, T0, RAX);
	for (unsigned int r = 0; r < 6; r++)
		if (keep >> r & 1)
			x_rm(j, true, X_LOAD, x86_regs[r], x_at(RSP, (int32_t)r * 8), false);
	x_ri(j, true, X_ADD, RSP, ROOM);
	if (x_reg(o->dst) != RAX)
		x_mov(j, true, x_reg(o->dst), T0);
}
