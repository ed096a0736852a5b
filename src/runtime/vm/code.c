/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From instructions to slots.
 *
 * The format of BPF is made for files: an instruction of 64 bits, or two of them in a row.  What
 * runs often wants to be unpacked once.  A slot (struct code_insn) has the row of insn.def
 * that it is, operands of their natural width, and addresses where the file has numbers: of
 * helpers, of maps, of the slot that a jump goes to.
 *
 * On the way the structure is checked (code-check.c), whatever the verifier said: engines index
 * tables by what is in a slot and do not look again.
 */
#include "runtime/vm/code.h"

#include "runtime/vm/helper/helper.h"
#include "runtime/vm/helper/proto.h"
#include "runtime/vm/map/timer.h"
#include "runtime/vm/verify/ctx.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_PAGE = 4096 };

int code_refuse(struct code_maker *m, int error, uint32_t insn, const char *format, ...)
{
	va_list args;
	int n = 0;

	if (!m->room)
		return error;
	if (insn != UINT32_MAX)
		n = snprintf(m->why, m->room, "instruction %u: ", insn);
	if ((size_t)n < m->room) {
		va_start(args, format);
		vsnprintf(m->why + n, m->room - n, format, args);
		va_end(args);
	}
	return error;
}

bool code_is_dead(const struct code_maker *m, uint32_t insn)
{
	const struct verify_insn *v = m->verified ? m->verified->insns : NULL;

	return v && !v[insn].is_reached;
}

static int decode_map(struct code_maker *m, const struct bpf_insn *p, struct code_insn *to)
{
	uint32_t at = p[0].imm, offset = p[1].imm;
	bool is_value = to->id == INSN_WIDE_MAP_IDX_VALUE;
	struct vm_map *map;
	uint64_t step;

	if (to->id != INSN_WIDE_MAP_IDX && !is_value)
		return code_refuse(m, -EINVAL, to->from, "a map's descriptor means nothing here");
	if (at >= m->object->maps.n || !m->options->maps || !m->options->maps[at])
		return code_refuse(m, -EINVAL, to->from, "there is no map %u", at);
	map = m->options->maps[at];
	to->off = (int32_t)at;
	to->imm = (uintptr_t)map;
	if (!is_value)
		return 0;
	step = map->def.type == MAP_ARENA ? ARENA_PAGE : map->value_step;
	if (!map->values || offset >= step * map->def.max_entries)
		return code_refuse(m, -EINVAL, to->from, "'%s' has no value at %u", map->def.name,
				   offset);
	to->imm = (uintptr_t)map->values + offset;
	return 0;
}

/* A kernel variable, or a kfunc that is only asked for: 0 if it is not there. */
static int decode_var(struct code_maker *m, const struct bpf_insn *p, struct code_insn *to)
{
	uint32_t at = p[0].imm;
	const struct vm_extern *e;

	if (at >= m->object->vars.n)
		return code_refuse(m, -EINVAL, to->from, "there is no variable %u", at);
	e = &m->object->vars.p[at];
	to->imm = (uintptr_t)kfunc_of(e->name);
	if (!to->imm && !e->is_weak && !code_is_dead(m, to->from))
		return code_refuse(m, -ENOTSUP, to->from,
				   "the embedded runtime has no kernel variable '%s'", e->name);
	return 0;
}

static int decode_wide(struct code_maker *m, uint32_t insn, struct code_insn *to)
{
	const struct bpf_insn *p = &m->prog->insns[insn];

	if (to->id == INSN_WIDE) {
		to->imm = (uint64_t)(uint32_t)p[1].imm << 32 | (uint32_t)p[0].imm;
		return 0;
	}
	if (to->id == INSN_WIDE_FUNC) {
		to->off = (int32_t)m->slot_of[insn + 1 + (int64_t)p[0].imm];
		to->imm = (uintptr_t)&m->code->insns[to->off];
		return 0;
	}
	return to->id == INSN_WIDE_VAR ? decode_var(m, p, to) : decode_map(m, p, to);
}

static bool takes_callback(uint32_t helper)
{
	const struct proto *p = proto_of(helper);

	for (size_t i = 0; p && i < ELEMENTS(p->args); i++)
		if ((p->args[i] & 0xff) == ARG_FUNC)
			return true;
	return false;
}

static int decode_helper(struct code_maker *m, struct code_insn *to)
{
	uint32_t number = (uint32_t)to->imm;
	const struct proto *p;

	to->off = (int32_t)number;
	if (number == BPF_FUNC_tail_call) {
		to->call = CODE_CALL_TAIL;
		to->imm = 0;
		return 0;
	}
	to->call = takes_callback(number) ? CODE_CALL_BACK : CODE_CALL;
	to->imm = (uintptr_t)helper_of(number);
	if (to->imm || code_is_dead(m, to->from))
		return 0;
	p = proto_of(number);
	if (p)
		return code_refuse(m, -ENOTSUP, to->from, "the embedded runtime has no helper %s",
				   p->name);
	return code_refuse(m, -ENOTSUP, to->from, "there is no helper %u", number);
}

static int decode_kfunc(struct code_maker *m, struct code_insn *to)
{
	uint32_t at = (uint32_t)to->imm;
	const struct vm_extern *e;

	if (at >= m->object->kfuncs.n)
		return code_refuse(m, -EINVAL, to->from, "there is no kfunc %u", at);
	e = &m->object->kfuncs.p[at];
	to->off = (int32_t)at;
	if (!strcmp(e->name, "bpf_throw")) {
		to->call = CODE_CALL_THROW;
		to->imm = 0;
		return 0;
	}
	/* some take callbacks (bpf_rbtree_add); which, nobody needs to know */
	to->call = CODE_CALL_BACK;
	to->imm = (uintptr_t)kfunc_of(e->name);
	if (to->imm || code_is_dead(m, to->from))
		return 0;
	return code_refuse(m, -ENOTSUP, to->from, "the embedded runtime has no kfunc %s", e->name);
}

/* A load from the context: where the runtime has it.  Only narrow pointers are elsewhere. */
static int decode_ctx_load(struct code_maker *m, struct code_insn *to, uint32_t row)
{
	static const enum insn_id by_bytes[] = {
		[1] = INSN_LDXB, [2] = INSN_LDXH, [4] = INSN_LDXW, [8] = INSN_LDXDW};
	const struct ctx_type *type = ctx_of(m->prog->prog_type, m->prog->attach_type);
	const struct ctx_field *f;

	if (!type || row >= type->n)
		return 0;
	f = &type->fields[row];
	if (!f->real_bytes || insn_kind(to->id) != INSN_KIND_LOAD)
		return 0;
	if (f->real_bytes >= ELEMENTS(by_bytes) || !by_bytes[f->real_bytes])
		return code_refuse(m, -EINVAL, to->from, "the field %s is of no size", f->name);
	to->id = by_bytes[f->real_bytes];
	to->off += (int32_t)f->real_offset - f->offset;
	return 0;
}

static int decode_memory(struct code_maker *m, struct code_insn *to)
{
	const struct verify_insn *v;

	if (!m->verified || !m->verified->insns)
		return 0;
	v = &m->verified->insns[to->from];
	switch ((enum verify_access)v->access) {
	case ACCESS_NONE:
	case ACCESS_MEMORY:
	case ACCESS_PACKET:
		return 0;
	case ACCESS_CTX:
		return decode_ctx_load(m, to, v->field);
	case ACCESS_ARENA:
		if (!m->code->arena)
			return code_refuse(m, -EINVAL, to->from, "the program has no arena");
		to->access = ACCESS_ARENA;
		return 0;
	case ACCESS_BTF:
		/* only objects of the program's own are written: they are there */
		if (insn_kind(to->id) == INSN_KIND_LOAD ||
		    insn_row_of(to->id)->imm == CODE_LOAD_ACQ)
			to->access = ACCESS_BTF;
		return 0;
	}
	return 0;
}

static void decode_jump(const struct code_maker *m, const struct bpf_insn *p, struct code_insn *to)
{
	int64_t far = to->id == INSN_JA_LONG || to->id == INSN_CALL_LOCAL ? p->imm : p->off;

	to->off = (int32_t)m->slot_of[to->from + 1 + far];
}

static int decode_one(struct code_maker *m, uint32_t insn, struct code_insn *to)
{
	const struct bpf_insn *p = &m->prog->insns[insn];

	*to = (struct code_insn){.id = (uint16_t)m->ids[insn],
				 .dst = p->dst_reg,
				 .src = p->src_reg,
				 .off = p->off,
				 .imm = (uint64_t)(int64_t)p->imm,
				 .from = insn};
	switch (insn_kind(to->id)) {
	case INSN_KIND_ALU:
		return 0;
	case INSN_KIND_JUMP:
		decode_jump(m, p, to);
		return 0;
	case INSN_KIND_LOAD:
	case INSN_KIND_STORE:
	case INSN_KIND_ATOMIC:
		return decode_memory(m, to);
	case INSN_KIND_OTHER:
		break;
	}
	if (insn_is_wide(p))
		return decode_wide(m, insn, to);
	if (code_is_jump(to->id) || to->id == INSN_CALL_LOCAL)
		decode_jump(m, p, to);
	else if (to->id == INSN_CALL)
		return decode_helper(m, to);
	else if (to->id == INSN_CALL_KFUNC)
		return decode_kfunc(m, to);
	else if (BPF_CLASS(p->code) == BPF_STX) /* ordered loads and stores */
		return decode_memory(m, to);
	return 0;
}

/* The program's arena: there is one at most. */
static void find_arena(struct code_maker *m)
{
	const struct vm_map *map;

	for (size_t i = 0; m->options->maps && i < m->object->maps.n; i++) {
		map = m->options->maps[i];
		if (map && map->def.type == MAP_ARENA && map->values)
			m->code->arena = (uintptr_t)map->values & ~(uint64_t)UINT32_MAX;
	}
}

static int decode(struct code_maker *m)
{
	struct vm_code *c = m->code;
	uint32_t slot = 0;
	int r;

	c->insns = xalloc(sizeof(*c->insns) * c->n);
	find_arena(m);
	for (uint32_t i = 0; i < m->prog->n_insns; i++) {
		if (m->slot_of[i] == UINT32_MAX)
			continue;
		r = decode_one(m, i, &c->insns[slot++]);
		if (r < 0)
			return r;
	}
	c->funcs = xalloc(sizeof(*c->funcs) * m->n_funcs);
	c->stack = xalloc(sizeof(*c->stack) * m->n_funcs);
	c->n_funcs = m->n_funcs;
	c->handler = UINT32_MAX;
	for (uint32_t i = 0; i < m->n_funcs; i++) {
		c->funcs[i] = m->slot_of[m->funcs[i]];
		c->stack[i] = CODE_FRAME_BYTES;
	}
	for (uint32_t i = 0; i < m->prog->n_funcs; i++)
		if (m->prog->funcs[i].is_exception)
			c->handler = m->slot_of[m->prog->funcs[i].insn];
	return 0;
}

int code_make(const struct vm_object *o, uint32_t prog, const struct verify_result *verified,
	      const struct code_options *options, struct vm_code **ret, char *why, size_t room)
{
	struct code_maker m = {
		.object = o, .verified = verified, .options = options, .why = why, .room = room};
	int r;

	if (room)
		*why = 0;
	if (prog >= o->progs.n)
		return code_refuse(&m, -EINVAL, UINT32_MAX, "there is no program %u", prog);
	if (verified ? !verified->is_ok : !options->is_unverified)
		return code_refuse(&m, -EINVAL, UINT32_MAX, "the verifier has not accepted it");
	m.prog = &o->progs.p[prog];
	m.code = xalloc(sizeof(*m.code));
	*m.code = (struct vm_code){
		.object = o, .prog = m.prog, .engine = options->engine, .maps = options->maps};
	r = code_check(&m);
	if (r >= 0)
		r = decode(&m);
	if (r >= 0)
		interp_link(m.code);
	if (r >= 0 && options->engine == VM_JIT) {
		r = jit_make(m.code);
		if (r < 0)
			code_refuse(&m, r, UINT32_MAX, "there is no machine code: %s",
				    strerror(-r));
	}
	free(m.ids);
	free(m.slot_of);
	free(m.funcs);
	if (r < 0) {
		code_free(m.code);
		return r;
	}
	*ret = m.code;
	return 0;
}

void code_free(struct vm_code *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->has_timers && i < c->object->maps.n; i++)
		timers_forget_code(c->maps[i], c);
	if (c->machine)
		jit_free(c);
	free(c->insns);
	free(c->funcs);
	free(c->stack);
	free(c);
}
