/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From decoded programs to machine code.
 *
 * plan.c decides what is to be written, a machine (x86.c, arm64.c) how; write.def says which of a
 * machine's functions writes which instruction.  This file walks over the operations, keeps where
 * each came to lie, and puts distances into jumps at the end.  Jumps are written in their short
 * form first; those that turn out not to reach are marked, and all is written again: marks only
 * ever grow, so that this ends.
 *
 * Generated functions keep to the machine's calling convention: r1 … r5 are its first arguments,
 * r6 … r9 registers that are kept over calls.  So helpers are plain calls, functions of the
 * program can be called from C by their address (callbacks), and the program's entry is the
 * first of them.  Who runs is found by vm_current, through the thread pointer.
 *
 * What leaves several functions at once (bpf_throw) goes back to a landing: code in front that
 * keeps all registers, notes the stack pointer in vm_run.landing and calls the function.
 * Programs without such have none.
 */
#include "runtime/vm/jit/jit.h"

#include "runtime/vm/jit/memory.h"

#include <errno.h>
#include <stdlib.h>

void jit_fix_add(struct jit *j, enum jit_fix kind, bool is_short, uint32_t at, uint32_t op,
		 uint32_t to)
{
	if (j->n_fixups == j->room_fixups) {
		j->room_fixups = j->room_fixups ? j->room_fixups * 2 : 32;
		j->fixups = xrealloc(j->fixups, sizeof(*j->fixups) * j->room_fixups);
	}
	j->fixups[j->n_fixups++] = (struct jit_fixup){
		.kind = kind, .is_short = is_short, .at = at, .op = op, .to = to};
}

uint32_t jit_func_at(const struct jit *j, uint32_t op)
{
	uint32_t f = 0;

	while (f + 1 < j->n_funcs && j->funcs[f].first != op)
		f++;
	return f;
}

static void reserve(struct jit *j, size_t n)
{
	if (j->n_out + n <= j->room)
		return;
	j->room = j->room * 2 + n + 1024;
	j->out = xrealloc(j->out, j->room);
}

static void write_op(struct jit *j, const struct jit_op *o)
{
	enum {
		IS_LITTLE = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
		IS_BIG = !IS_LITTLE,
	};
	const struct jit_machine *m = j->machine;
	const struct insn_row *row;

	if (o->id == INSN_NONE)
		return;
	if (o->is_table) {
		m->table(j, o, &j->tables[o->imm]);
		return;
	}
	row = insn_row_of(o->id);
	switch ((enum insn_id)o->id) {
#define WRITE(name, call) \
	case INSN_##name: \
		m->call;  \
		return;
#define ALSO(name) case INSN_##name:
#include "runtime/vm/jit/write.def"
#undef WRITE
#undef ALSO
	case INSN_COUNT: /* is gone */
		return;
	}
}

static void align(struct jit *j, size_t to)
{
	size_t n = -j->n_out & (to - 1);

	if (n)
		j->machine->pad(j, n);
}

static void write_func(struct jit *j, const struct jit_func *f)
{
	j->func = f;
	reserve(j, JIT_OP_MAX);
	if (f != j->funcs || j->has_landing)
		align(j, 16);
	/* calls go before what the function begins with; jumps to its first operation do not */
	j->func_at[f - j->funcs] = (uint32_t)j->n_out;
	j->machine->enter(j);
	for (uint32_t i = f->first; i < f->end; i++) {
		reserve(j, JIT_OP_MAX);
		if (j->ops[i].is_loop && j->ops[i].is_reached)
			align(j, j->machine->loop_align);
		j->at[i] = (uint32_t)j->n_out;
		write_op(j, &j->ops[i]);
	}
}

static void write_tables(struct jit *j)
{
	reserve(j, JIT_OP_MAX);
	if (j->n_tables)
		align(j, 8);
	for (size_t i = 0; i < j->n_tables; i++) {
		struct jit_table *t = &j->tables[i];

		reserve(j, t->n * sizeof(uint64_t));
		t->place = j->n_out;
		j->n_out += t->n * sizeof(uint64_t);
	}
}

static uint32_t fix_target(const struct jit *j, const struct jit_fixup *f)
{
	switch (f->kind) {
	case FIX_JUMP:
	case FIX_COND:
		return j->at[f->to];
	case FIX_CALL:
		return j->func_at[f->to];
	case FIX_ADDRESS:
		return f->to;
	case FIX_TABLE:
		return (uint32_t)j->tables[f->to].place;
	}
	return 0;
}

/* Distances into jumps; false: some were too far, and are marked. */
static bool fix_all(struct jit *j)
{
	bool is_good = true;

	for (size_t i = 0; i < j->n_fixups; i++) {
		const struct jit_fixup *f = &j->fixups[i];

		if (j->machine->fix(j, f, fix_target(j, f)))
			continue;
		j->ops[f->op].is_far = true;
		is_good = false;
	}
	return is_good;
}

static void write_all(struct jit *j)
{
	do {
		j->n_out = j->n_fixups = 0;
		if (j->has_landing)
			for (uint32_t f = 0; f < j->n_funcs; f++) {
				reserve(j, JIT_OP_MAX);
				align(j, 16);
				j->landing_at[f] = (uint32_t)j->n_out;
				j->machine->landing(j, f);
			}
		for (uint32_t f = 0; f < j->n_funcs; f++)
			write_func(j, &j->funcs[f]);
		write_tables(j);
	} while (!fix_all(j));
}

/* Tables have addresses, which are known only now. */
static void fill_tables(const struct jit *j, const struct code_memory *m)
{
	for (size_t i = 0; i < j->n_tables; i++) {
		const struct jit_table *t = &j->tables[i];

		for (uint32_t k = 0; k < t->n; k++) {
			uint64_t to = (uintptr_t)m->run + j->at[t->targets[k]];

			memcpy(m->write + t->place + k * sizeof(to), &to, sizeof(to));
		}
	}
}

static int install(struct jit *j)
{
	struct vm_code *c = j->code;
	struct code_memory m;
	int r = code_memory_take(j->n_out, &m);

	if (r < 0)
		return r;
	memcpy(m.write, j->out, j->n_out);
	fill_tables(j, &m);
	r = code_memory_seal(&m);
	if (r < 0)
		return r;
	/* from outside functions are entered with what they begin with */
	for (uint32_t f = 0; f < j->n_funcs; f++)
		j->at[j->funcs[f].first] = j->func_at[f];
	c->machine = m.run;
	c->machine_n = j->n_out;
	c->mapped_n = m.n;
	c->machine_at = TAKE(j->at);
	return 0;
}

int jit_write(struct jit *j)
{
	int r = jit_plan(j);

	if (r < 0)
		return r;
	j->at = xalloc(sizeof(*j->at) * j->n);
	j->func_at = xalloc(sizeof(*j->func_at) * j->n_funcs);
	j->landing_at = xalloc(sizeof(*j->landing_at) * j->n_funcs);
	write_all(j);
	return 0;
}

static int make(struct jit *j)
{
	int r;

#if defined(__x86_64__)
	j->machine = &jit_x86;
#elif defined(__aarch64__)
	j->machine = &jit_arm64;
#endif
	if (!j->machine)
		return -ENOTSUP;
	r = jit_write(j);
	if (r >= 0)
		r = install(j);
	jit_done(j);
	return r;
}

int jit_make(struct vm_code *c)
{
	return make(&(struct jit){.code = c});
}

int jit_make_plain(struct vm_code *c)
{
	return make(&(struct jit){.code = c, .is_plain = true});
}

void jit_free(struct vm_code *c)
{
	if (!c->machine)
		return;
	code_memory_give(c->machine, c->mapped_n);
	free(c->machine_at);
	c->machine = NULL;
	c->machine_at = NULL;
	c->machine_n = c->mapped_n = 0;
}

/* The entry is the first function, or the landing before it. */
uint64_t jit_run(const struct vm_code *c, struct vm_run *run, uint64_t r1, uint64_t r2)
{
	uint64_t r = ((uint64_t(*)(uint64_t, uint64_t))(uintptr_t)c->machine)(r1, r2);

	if (!run->unwind)
		return r;
	/* something was thrown */
	run->unwind = NULL;
	r = run->thrown;
	if (c->handler != UINT32_MAX)
		r = ((uint64_t(*)(uint64_t))((uintptr_t)c->machine + c->machine_at[c->handler]))(r);
	return r;
}

struct jit_pair jit_tail_call(uint64_t ctx, struct vm_map *map, uint64_t index)
{
	struct vm_run *run = vm_current;
	const struct vm_code *from = run->code, *to;
	struct jit_pair ret = {0, 0};

	if (run->tail_calls >= CODE_TAIL_CALLS_MAX)
		return ret;
	to = map_code(map, (uint32_t)index);
	if (!to)
		return ret;
	run->tail_calls++;
	run->code = to;
	ret.ok = 1;
	ret.value = code_enter(to, run, ctx, 0);
	run->code = from;
	return ret;
}

struct jit_pair jit_packet_load(int64_t off, unsigned int bytes)
{
	struct jit_pair ret = {0, 0};

	ret.ok = code_packet_load(vm_current, off, bytes, &ret.value);
	return ret;
}

int64_t jit_current_at(void)
{
	return (char *)&vm_current - (char *)__builtin_thread_pointer();
}
