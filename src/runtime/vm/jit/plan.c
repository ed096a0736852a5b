/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of a program: made of its slots, then fewer.
 *
 * What is worth doing here is what compilers for BPF cannot do, because BPF has no words for it:
 * three operands, addresses with an index, tables of jumps, registers of which only half is used.
 * What they can do (inlining, loops, common subexpressions) they have done.
 */
#include "runtime/vm/jit/jit.h"

#include <errno.h>
#include <stdlib.h>

enum { CALLER_SAVED = 0x3f, ARGUMENTS = 0x3e, R0 = 1, THREADED_MAX = 8 };

static uint16_t mask(uint8_t reg)
{
	return reg == JIT_NO_REG ? 0 : (uint16_t)(1u << reg);
}

static bool is_stx_ordered(enum insn_id id)
{
	return id == INSN_STORE_RELB || id == INSN_STORE_RELH || id == INSN_STORE_RELW ||
	       id == INSN_STORE_RELDW;
}

/* Fields that are operands become those of their role; others are JIT_NO_REG. */
static void take_operands(struct jit_op *o, const struct code_insn *s, enum insn_kind kind)
{
	const struct insn_row *row = insn_row_of(s->id);

	switch (kind) {
	case INSN_KIND_ALU:
		o->dst = s->dst;
		if (insn_alu_of(s->id) != ALU_MOV)
			o->a = s->dst;
		if (!row->is_imm)
			o->b = s->src;
		return;
	case INSN_KIND_JUMP:
		o->a = s->dst;
		if (!row->is_imm)
			o->b = s->src;
		return;
	case INSN_KIND_LOAD:
		o->dst = s->dst;
		o->base = s->src;
		return;
	case INSN_KIND_STORE:
		o->base = s->dst;
		if (!row->is_imm)
			o->b = s->src;
		return;
	case INSN_KIND_ATOMIC:
		o->base = s->dst;
		o->b = s->src;
		if (s->id == INSN_CMPXCHG_W || s->id == INSN_CMPXCHG_DW)
			o->dst = 0;
		else if (row->imm & BPF_FETCH)
			o->dst = s->src;
		return;
	case INSN_KIND_OTHER:
		break;
	}
	if (row->code == (BPF_STX | BPF_ATOMIC | (row->code & 0x18))) {
		o->base = is_stx_ordered(s->id) ? s->dst : s->src;
		if (is_stx_ordered(s->id))
			o->b = s->src;
		else
			o->dst = s->dst;
	} else if (BPF_CLASS(row->code) == BPF_LD && BPF_MODE(row->code) == BPF_IND) {
		o->b = s->src;
		o->dst = 0;
	} else if (BPF_CLASS(row->code) == BPF_LD && BPF_MODE(row->code) == BPF_ABS) {
		o->dst = 0;
	} else if (row->dst == INSN_ANY) { /* one operand, or moved from src */
		o->dst = s->dst;
		if (row->src == INSN_ANY)
			o->b = s->src;
		else
			o->a = s->dst;
		if (BPF_CLASS(row->code) == BPF_LD)
			o->a = JIT_NO_REG;
	}
}

static void make_op(struct jit_op *o, const struct code_insn *s)
{
	*o = (struct jit_op){.id = s->id,
			     .dst = JIT_NO_REG,
			     .a = JIT_NO_REG,
			     .b = JIT_NO_REG,
			     .base = JIT_NO_REG,
			     .index = JIT_NO_REG,
			     .off = s->off,
			     .imm = s->imm,
			     .access = s->access,
			     .call = s->call,
			     .width_a = 64,
			     .width_b = 64};
	take_operands(o, s, insn_kind(s->id));
}

bool jit_is_call(const struct jit_op *o)
{
	return o->id == INSN_CALL || o->id == INSN_CALL_KFUNC || o->id == INSN_CALL_LOCAL;
}

uint16_t jit_reads(const struct jit_op *o)
{
	uint16_t m = mask(o->a) | mask(o->b) | mask(o->base) | mask(o->index);

	if (jit_is_call(o))
		return o->call < JIT_CALL_LOOKUP ? m | ARGUMENTS : m;
	if (o->id == INSN_CMPXCHG_W || o->id == INSN_CMPXCHG_DW || o->id == INSN_EXIT)
		return m | R0;
	return m;
}

static bool is_packet(const struct jit_op *o)
{
	return o->id >= INSN_LD_ABS_B && o->id <= INSN_LD_IND_W;
}

uint16_t jit_writes(const struct jit_op *o)
{
	if (jit_is_call(o) || is_packet(o))
		return CALLER_SAVED;
	return mask(o->dst);
}

static bool is_go(const struct jit_op *o)
{
	return o->id == INSN_JA || o->id == INSN_JA_LONG;
}

bool jit_is_jump(const struct jit_op *o)
{
	return is_go(o) || o->id == INSN_MAY_GOTO ||
	       (o->id != INSN_NONE && insn_kind(o->id) == INSN_KIND_JUMP);
}

bool jit_falls_through(const struct jit_op *o)
{
	return !is_go(o) && o->id != INSN_EXIT && !o->is_table &&
	       !(o->id == INSN_CALL_KFUNC && o->call == CODE_CALL_THROW);
}

/* Where a jump really ends: behind jumps and what is gone. */
static uint32_t thread(const struct jit *j, uint32_t to)
{
	uint32_t at = to;

	for (unsigned int hops = 0; hops < THREADED_MAX; hops++) {
		while (at + 1 < j->n && j->ops[at].id == INSN_NONE)
			at++;
		if (!is_go(&j->ops[at]))
			break;
		at = (uint32_t)j->ops[at].off;
	}
	return at;
}

static void thread_jumps(struct jit *j)
{
	for (uint32_t i = 0; i < j->n; i++)
		if (jit_is_jump(&j->ops[i]))
			j->ops[i].off = (int32_t)thread(j, (uint32_t)j->ops[i].off);
}

static void find_leaders(struct jit *j)
{
	for (uint32_t i = 0; i < j->n; i++)
		if (jit_is_jump(&j->ops[i])) {
			struct jit_op *to = &j->ops[j->ops[i].off];

			to->is_leader = true;
			to->is_loop |= (uint32_t)j->ops[i].off <= i;
		}
	for (uint32_t f = 0; f < j->n_funcs; f++)
		j->ops[j->funcs[f].first].is_leader = true;
}

static void reach(struct jit *j, uint32_t *stack, size_t *n, uint32_t i)
{
	if (j->ops[i].is_reached)
		return;
	j->ops[i].is_reached = true;
	stack[(*n)++] = i;
}

/* What no path leads to is gone. */
static void find_reached(struct jit *j)
{
	uint32_t *stack = xalloc(sizeof(*stack) * j->n);
	size_t n = 0;

	for (uint32_t f = 0; f < j->n_funcs; f++)
		reach(j, stack, &n, j->funcs[f].first);
	while (n) {
		uint32_t i = stack[--n];
		const struct jit_op *o = &j->ops[i];

		if (o->is_table) {
			const struct jit_table *t = &j->tables[o->imm];

			for (uint32_t k = 0; k < t->n; k++)
				reach(j, stack, &n, t->targets[k]);
			reach(j, stack, &n, t->otherwise);
			continue;
		}
		if (jit_is_jump(o))
			reach(j, stack, &n, (uint32_t)o->off);
		if (jit_falls_through(o) && i + 1 < j->n)
			reach(j, stack, &n, i + 1);
	}
	free(stack);
	for (uint32_t i = 0; i < j->n; i++)
		if (!j->ops[i].is_reached)
			j->ops[i].id = INSN_NONE;
}

/* Jumps to what comes next anyway. */
static void drop_jumps(struct jit *j)
{
	for (uint32_t i = j->n; i-- > 0;) {
		struct jit_op *o = &j->ops[i];
		uint32_t next = i + 1;

		if (!jit_is_jump(o) || o->is_table || o->id == INSN_MAY_GOTO)
			continue;
		while (next < j->n && j->ops[next].id == INSN_NONE)
			next++;
		if ((uint32_t)o->off > i && (uint32_t)o->off <= next)
			o->id = INSN_NONE;
	}
}

static void look_at_func(struct jit *j, struct jit_func *f)
{
	f->is_leaf = true;
	for (uint32_t i = f->first; i < f->end; i++) {
		const struct jit_op *o = &j->ops[i];

		if (o->id == INSN_NONE)
			continue;
		f->used |= jit_reads(o) | jit_writes(o);
		f->is_leaf &= !is_packet(o) && o->access != ACCESS_BTF &&
			      (!jit_is_call(o) ||
			       (o->call >= JIT_CALL_LOOKUP && o->call != JIT_CALL_TIME));
		f->has_may_goto |= o->id == INSN_MAY_GOTO;
		f->has_arena |= o->access == ACCESS_ARENA || o->id == INSN_CAST_USER;
		j->has_landing |= (o->id == INSN_CALL_KFUNC && o->call == CODE_CALL_THROW) ||
				  (is_packet(o) && f->first);
	}
}

/* The map in r1 at operation i, if the code just before says so. */
static const struct vm_map *map_at(const struct jit *j, uint32_t i)
{
	enum { LOOK = 16 };

	for (uint32_t k = i; k > 0 && i - k < LOOK && !j->ops[k].is_leader; k--) {
		const struct jit_op *o = &j->ops[k - 1];

		if (!(jit_writes(o) & 2))
			continue;
		return o->id == INSN_WIDE_MAP_IDX || o->id == INSN_WIDE_MAP
			       ? (const struct vm_map *)(uintptr_t)o->imm
			       : NULL;
	}
	return NULL;
}

/* Values are at addresses that can be worked out, in numbers that instructions hold. */
static bool is_plain_array(const struct vm_map *map)
{
	return (map->def.type == BPF_MAP_TYPE_ARRAY ||
		map->def.type == BPF_MAP_TYPE_PERCPU_ARRAY) &&
	       map->values && map->value_step && map->value_step <= INT32_MAX &&
	       map->cpu_step <= INT32_MAX;
}

/* Helpers that are a few instructions are written out. */
static void inline_calls(struct jit *j)
{
	for (uint32_t i = 0; i < j->n; i++) {
		struct jit_op *o = &j->ops[i];
		const struct vm_map *map;

		if (o->id != INSN_CALL || o->call != CODE_CALL)
			continue;
		switch (o->off) { /* the helper's number */
		case BPF_FUNC_map_lookup_elem:
			map = map_at(j, i);
			if (!map || !is_plain_array(map))
				break;
			o->call = JIT_CALL_LOOKUP;
			o->base = 2;
			o->off = 0;
			o->imm = (uintptr_t)map;
			break;
		case BPF_FUNC_get_smp_processor_id:
			o->call = JIT_CALL_CPU;
			break;
		case BPF_FUNC_get_current_pid_tgid:
			o->call = JIT_CALL_PID;
			break;
		case BPF_FUNC_ktime_get_ns:
			o->call = JIT_CALL_TIME;
			break;
		}
	}
}

static void make_funcs(struct jit *j)
{
	const struct vm_code *c = j->code;

	j->n_funcs = c->n_funcs ? c->n_funcs : 1;
	j->funcs = xalloc(sizeof(*j->funcs) * j->n_funcs);
	for (uint32_t f = 0; f < j->n_funcs; f++) {
		j->funcs[f].first = f ? c->funcs[f] : 0;
		j->funcs[f].end = f + 1 < j->n_funcs ? c->funcs[f + 1] : c->n;
		j->funcs[f].frame = c->stack ? c->stack[f] : CODE_FRAME_BYTES;
	}
}

int jit_plan(struct jit *j)
{
	const struct vm_code *c = j->code;

	if (!c->n || c->n > INT32_MAX / 64)
		return -ENOTSUP;
	j->n = c->n;
	j->ops = xalloc(sizeof(*j->ops) * j->n);
	for (uint32_t i = 0; i < j->n; i++)
		make_op(&j->ops[i], &c->insns[i]);
	make_funcs(j);
	thread_jumps(j);
	find_leaders(j);
	inline_calls(j);
	jit_reduce(j);
	jit_live(j);
	thread_jumps(j);
	jit_fuse(j);
	jit_trees(j);
	find_reached(j);
	drop_jumps(j);
	for (uint32_t f = 0; f < j->n_funcs; f++)
		look_at_func(j, &j->funcs[f]);
	return 0;
}

void jit_done(struct jit *j)
{
	for (size_t i = 0; i < j->n_tables; i++)
		free(j->tables[i].targets);
	free(j->tables);
	free(j->funcs);
	free(j->ops);
	free(j->out);
	free(j->at);
	free(j->func_at);
	free(j->landing_at);
	free(j->fixups);
}
