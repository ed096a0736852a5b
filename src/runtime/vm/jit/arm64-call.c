/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls for arm64, and how functions begin and end.
 *
 *	x25 →	registers that the function uses and must keep, x29, x30
 *		frame of r10, which x25 is the end of; the counter of may_goto
 *	sp →	a multiple of 16, always
 */
#include "runtime/vm/jit/arm64-encode.h"

#include <errno.h>

static const uint8_t landing_saves[] = {19, 20, 21, 22, 25, 28, FP, LR};
enum { LANDING_ROOM = 80, LANDING_OLD = 64 };

struct layout {
	uint8_t saves[8];
	unsigned int n_saves;
	unsigned int save_room, room;
	bool has_frame;
};

static struct layout layout_of(const struct jit_func *f)
{
	struct layout l = {.has_frame = f->used >> JIT_FRAME & 1 || f->has_may_goto};

	for (unsigned int r = 6; r < JIT_FRAME; r++)
		if (f->used >> r & 1)
			l.saves[l.n_saves++] = arm_regs[r];
	if (l.has_frame)
		l.saves[l.n_saves++] = arm_regs[JIT_FRAME];
	if (f->has_arena)
		l.saves[l.n_saves++] = ARENA;
	if (!f->is_leaf) {
		l.saves[l.n_saves++] = FP;
		l.saves[l.n_saves++] = LR;
	}
	l.save_room = (l.n_saves * 8 + 15) & ~15u;
	if (f->used >> JIT_FRAME & 1)
		l.room = f->frame;
	if (f->has_may_goto)
		l.room += 16;
	return l;
}

/* Two at a time, at sp + 8 × i; op: stp or ldp of two 64-bit registers. */
static void pairs(struct jit *j, const uint8_t *regs, unsigned int n, bool is_load)
{
	for (unsigned int i = 0; i < n; i += 2)
		if (i + 1 < n)
			a4(j, (is_load ? 0xa9400000 : 0xa9000000) | i << 15 |
				      (uint32_t)regs[i + 1] << 10 | SP << 5 | regs[i]);
		else
			a_mem(j, 3, is_load ? A_LOAD : A_STORE, regs[i], SP, (int64_t)i * 8);
}

static int64_t counter_at(const struct jit_func *f)
{
	return -(int64_t)(f->used >> JIT_FRAME & 1 ? f->frame : 0) - 8;
}

static void move_sp(struct jit *j, int64_t by)
{
	if (by)
		arm_add_imm(j, true, SP, SP, by);
}

void arm_enter(struct jit *j)
{
	struct layout l = layout_of(j->func);

	move_sp(j, -(int64_t)l.save_room);
	pairs(j, l.saves, l.n_saves, false);
	if (l.has_frame)
		arm_add_imm(j, true, arm_regs[JIT_FRAME], SP, 0);
	move_sp(j, -(int64_t)l.room);
	if (j->func->has_arena)
		a_wide(j, ARENA, j->code->arena);
	if (j->func->has_may_goto) {
		a_wide(j, A0, CODE_MAY_GOTO_MAX);
		a_mem(j, 3, A_STORE, A0, arm_regs[JIT_FRAME], counter_at(j->func));
	}
}

/* x0 is the result already. */
static void leave_with_x0(struct jit *j)
{
	struct layout l = layout_of(j->func);

	move_sp(j, l.room);
	pairs(j, l.saves, l.n_saves, true);
	move_sp(j, l.save_room);
	a4(j, 0xd65f03c0); /* ret */
}

void arm_leave(struct jit *j)
{
	a_mov(j, true, 0, arm_regs[0]);
	leave_with_x0(j);
}

/* vm_current: a variable of the thread, which tpidr_el0 points to. */
static void load_current(struct jit *j, unsigned int rd)
{
	a4(j, 0xd53bd040 | rd);
	a_mem(j, 3, A_LOAD, rd, rd, jit_current_at());
}

static void jump_to_land(struct jit *j)
{
	jit_fix_add(j, FIX_ADDRESS, false, (uint32_t)j->n_out, 0, j->land);
	a4(j, 0x14000000);
}

/* Leave all functions up to the landing; A0 is vm_current, x0 the result. */
static void leave_all(struct jit *j)
{
	a_mem(j, 3, A_LOAD, A1, A0, offsetof(struct vm_run, landing));
	arm_add_imm(j, true, SP, A1, 0);
	jump_to_land(j);
}

static void call_function(struct jit *j, uint32_t func)
{
	jit_fix_add(j, FIX_CALL, false, (uint32_t)j->n_out, 0, func);
	a4(j, 0x94000000);
}

void arm_landing(struct jit *j, uint32_t func)
{
	enum { N = sizeof(landing_saves) };
	int64_t landing = offsetof(struct vm_run, landing);

	move_sp(j, -LANDING_ROOM);
	pairs(j, landing_saves, N, false);
	load_current(j, A0);
	a_mem(j, 3, A_LOAD, A1, A0, landing);
	a_mem(j, 3, A_STORE, A1, SP, LANDING_OLD);
	arm_add_imm(j, true, A1, SP, 0);
	a_mem(j, 3, A_STORE, A1, A0, landing);
	call_function(j, func);
	if (func) {
		jump_to_land(j);
		return;
	}
	j->land = (uint32_t)j->n_out;
	load_current(j, A0);
	a_mem(j, 3, A_LOAD, A1, SP, LANDING_OLD);
	a_mem(j, 3, A_STORE, A1, A0, landing);
	pairs(j, landing_saves, N, true);
	move_sp(j, LANDING_ROOM);
	a4(j, 0xd65f03c0);
}

static void call_address(struct jit *j, uint64_t address)
{
	a_wide(j, A0, address);
	a4(j, 0xd63f0000 | A0 << 5);
}

/* rd = rn × rm + ra */
static void madd(struct jit *j, unsigned int rd, unsigned int rn, unsigned int rm, unsigned int ra)
{
	a4(j, 0x9b000000 | rm << 16 | ra << 10 | rn << 5 | rd);
}

/* r0 = the array's value, or NULL. */
static void lookup(struct jit *j, const struct jit_op *o)
{
	const struct vm_map *map = (const struct vm_map *)(uintptr_t)o->imm;
	bool is_percpu = map->def.type == BPF_MAP_TYPE_PERCPU_ARRAY;
	unsigned int r0 = a_reg(0);
	size_t outside, no_cpu = 0;

	a_mem(j, 2, A_LOAD, A1, arm_address(j, o), 0);
	a_wide(j, r0, 0);
	a_wide(j, A2, map->def.max_entries);
	a_rrr(j, false, I_SUBS, ZR, A1, A2);
	outside = a_skip(j, HS);
	if (is_percpu) {
		load_current(j, A4);
		a_mem(j, 2, A_LOAD, A4, A4, offsetof(struct vm_run, cpu));
		a_wide(j, A2, map->cpus);
		a_rrr(j, false, I_SUBS, ZR, A4, A2);
		no_cpu = a_skip(j, HS);
	}
	a_wide(j, A2, map->value_step);
	a_wide(j, A0, (uintptr_t)map->values);
	madd(j, r0, A1, A2, A0);
	if (is_percpu) {
		a_wide(j, A2, map->cpu_step);
		madd(j, r0, A4, A2, r0);
		a_here(j, no_cpu);
	}
	a_here(j, outside);
}

/* (pid << 32 | tid) of vm_current->task, if there is one. */
static void pid_tgid(struct jit *j)
{
	unsigned int r0 = a_reg(0);
	size_t nobody;

	load_current(j, A0);
	a_mem(j, 3, A_LOAD, A0, A0, offsetof(struct vm_run, task));
	a_wide(j, r0, (uint64_t)-EINVAL);
	nobody = a_skip_zero(j, true, A0);
	a_mem(j, 2, A_LOAD, A1, A0, offsetof(struct vm_task, pid));
	a_mem(j, 2, A_LOAD, A2, A0, offsetof(struct vm_task, tid));
	a4(j, I_ORR | 1u << 31 | A1 << 16 | 32 << 10 | A2 << 5 | r0);
	a_here(j, nobody);
}

static void time_ns(struct jit *j, uint64_t helper)
{
	size_t known;

	load_current(j, A0);
	a_mem(j, 3, A_LOAD, 0, A0, offsetof(struct vm_run, now_ns));
	known = a_skip_zero(j, false, 0);
	call_address(j, helper);
	a_here(j, known);
	a_mov(j, true, a_reg(0), 0);
}

static void throw(struct jit * j)
{
	load_current(j, A0);
	a_mem(j, 3, A_STORE, A0, A0, offsetof(struct vm_run, unwind));
	a_mem(j, 3, A_STORE, a_reg(1), A0, offsetof(struct vm_run, thrown));
	a_wide(j, 0, 1); /* helpers stop calling back */
	leave_all(j);
}

/* Has what was called back thrown something? */
static void throw_again(struct jit *j)
{
	size_t no;

	load_current(j, A0);
	a_mem(j, 3, A_LOAD, A1, A0, offsetof(struct vm_run, unwind));
	no = a_skip_zero(j, true, A1);
	a_wide(j, 0, 1);
	leave_all(j);
	a_here(j, no);
}

static void tail_call(struct jit *j)
{
	size_t none;

	call_address(j, (uintptr_t)jit_tail_call);
	none = a_skip_zero(j, true, 0);
	a_mov(j, true, 0, 1);
	leave_with_x0(j);
	a_here(j, none);
	a_mov(j, true, a_reg(0), 0);
}

void arm_call(struct jit *j, const struct jit_op *o)
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
		load_current(j, A0);
		a_mem(j, 2, A_LOAD, a_reg(0), A0, offsetof(struct vm_run, cpu));
		return;
	case JIT_CALL_PID:
		pid_tgid(j);
		return;
	case JIT_CALL_TIME:
		time_ns(j, o->imm);
		return;
	}
	call_address(j, o->imm);
	a_mov(j, true, a_reg(0), 0);
	if (o->call == CODE_CALL_BACK && j->has_landing)
		throw_again(j);
}

void arm_call_local(struct jit *j, const struct jit_op *o)
{
	uint32_t f = jit_func_at(j, (uint32_t)o->off);

	call_function(j, f);
	a_mov(j, true, a_reg(0), 0);
}

void arm_packet(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_ind)
{
	size_t inside;

	if (is_ind) {
		a_wide(j, A1, (uint32_t)o->imm);
		a_rrr(j, false, I_ADD, A1, a_reg(o->b), A1);
		a_bits(j, true, I_SBFM, 0, A1, 0, 31);
	} else {
		a_wide(j, 0, (uint64_t)(int64_t)(int32_t)o->imm);
	}
	a_wide(j, 1, bytes);
	call_address(j, (uintptr_t)jit_packet_load);
	inside = a_skip_zero(j, false, 0);
	if (j->has_landing) { /* the program ends, not only the function */
		load_current(j, A0);
		leave_all(j);
	} else {
		leave_with_x0(j);
	}
	a_here(j, inside);
	a_mov(j, true, a_reg(0), 1);
}

/* The counter stays at 0. */
void arm_may_goto(struct jit *j, const struct jit_op *o)
{
	unsigned int frame = arm_regs[JIT_FRAME];

	a_mem(j, 3, A_LOAD, A0, frame, counter_at(j->func));
	a_rri(j, true, I_SUB_IMM | 1 << 29, A0, A0, 1);
	arm_jump_if(j, o, LO, (uint32_t)o->off);
	a_mem(j, 3, A_STORE, A0, frame, counter_at(j->func));
}

/* Through a function that survives a bad address; it keeps nothing, a load keeps all. */
void arm_safe_load(struct jit *j, const struct jit_op *o, unsigned int bytes, bool is_signed)
{
	enum { ROOM = 64 };
	uint16_t keep = o->live & 0x3f & ~(1u << o->dst);

	a_mov(j, true, A1, arm_address(j, o));
	move_sp(j, -ROOM);
	for (unsigned int r = 0; r < 6; r++)
		if (keep >> r & 1)
			a_mem(j, 3, A_STORE, arm_regs[r], SP, (int64_t)r * 8);
	a_mov(j, true, 0, A1);
	a_wide(j, 1, bytes);
	a_wide(j, 2, is_signed);
	call_address(j, (uintptr_t)code_safe_load);
	a_mov(j, true, A1, 0);
	for (unsigned int r = 0; r < 6; r++)
		if (keep >> r & 1)
			a_mem(j, 3, A_LOAD, arm_regs[r], SP, (int64_t)r * 8);
	move_sp(j, ROOM);
	a_mov(j, true, a_reg(o->dst), A1);
}
