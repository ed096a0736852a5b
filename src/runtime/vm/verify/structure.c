/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before any path is walked: is it a program at all?
 *
 * Every instruction must be one, jumps must lead to instructions of the same function, every
 * instruction must be reachable.  On the way the places are marked where paths may meet
 * (targets of jumps, behind calls): there states are remembered and compared (prune.c).
 */
#include "runtime/vm/verify/internal.h"

#include "base/macro.h"

#include <stdlib.h>
#include <string.h>

enum { FUNCS_MAX = 256 };

static bool is_wide(enum insn_id id)
{
	return id >= INSN_WIDE && id <= INSN_WIDE_MAP_IDX_VALUE;
}

static bool is_branch(enum insn_id id)
{
	return insn_kind(id) == INSN_KIND_JUMP || id == INSN_MAY_GOTO;
}

/* Where an instruction leads beside the next one; −1: nowhere else. */
static int64_t target_of(const struct bpf_insn *i, enum insn_id id, uint32_t at)
{
	if (is_branch(id) || id == INSN_JA)
		return (int64_t)at + 1 + i->off;
	if (id == INSN_JA_LONG || id == INSN_CALL_LOCAL || id == INSN_WIDE_FUNC)
		return (int64_t)at + 1 + i->imm;
	return -1;
}

static int identify(struct verifier *v)
{
	const struct bpf_insn *insns = v->p->insns;
	uint32_t n = v->p->n_insns;

	for (uint32_t i = 0; i < n; i++) {
		struct insn_info *f = &v->info[i];

		v->insn = i;
		f->id = insn_identify(&insns[i]);
		f->target = -1;
		if (f->id == INSN_NONE)
			return refuse(v, D_VERIFY_INSTRUCTION, "unknown opcode %02x",
				      insns[i].code);
		if (!is_wide(f->id))
			continue;
		if (i + 1 == n || insns[i + 1].code || insns[i + 1].dst_reg ||
		    insns[i + 1].src_reg || insns[i + 1].off)
			return refuse(v, D_VERIFY_INSTRUCTION, "invalid bpf_ld_imm64 insn");
		v->info[++i].id = INSN_NONE;
		v->info[i].target = -1;
	}
	return 0;
}

/* --- functions: where one begins */

static int by_begin(const void *a, const void *b)
{
	const struct func *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

static struct func *func_add(struct verifier *v, uint32_t begin)
{
	for (unsigned int i = 0; i < v->n_funcs; i++)
		if (v->funcs[i].begin == begin)
			return &v->funcs[i];
	if (v->n_funcs == FUNCS_MAX)
		return NULL;
	v->funcs[v->n_funcs] = (struct func){.begin = begin};
	return &v->funcs[v->n_funcs++];
}

static int functions_find(struct verifier *v)
{
	uint32_t n = v->p->n_insns, room = 1 + v->p->n_funcs;

	for (uint32_t i = 0; i < n && room < FUNCS_MAX; i++)
		room += v->info[i].id == INSN_CALL_LOCAL || v->info[i].id == INSN_WIDE_FUNC;
	v->funcs = arena_array(&v->pool.arena, struct func, MIN(room, (uint32_t)FUNCS_MAX));
	func_add(v, 0);
	for (uint32_t i = 0; i < n; i++) {
		enum insn_id id = v->info[i].id;
		int64_t to;

		if (id != INSN_CALL_LOCAL && id != INSN_WIDE_FUNC)
			continue;
		v->insn = i;
		to = target_of(&v->p->insns[i], id, i);
		if (to < 0 || to >= n || v->info[to].id == INSN_NONE)
			return refuse(v, D_VERIFY_STRUCTURE, "call to invalid destination");
		if (!func_add(v, (uint32_t)to))
			return refuse(v, D_VERIFY_LIMIT, "too many subprograms");
	}
	for (uint32_t i = 0; i < v->p->n_funcs; i++) {
		const struct vm_func *f = &v->p->funcs[i];
		struct func *g;

		if (f->insn >= n || v->info[f->insn].id == INSN_NONE)
			return refuse(v, D_VERIFY_STRUCTURE, "func_info is not at a function");
		g = func_add(v, f->insn);
		if (!g)
			return refuse(v, D_VERIFY_LIMIT, "too many subprograms");
		g->name = f->name;
		g->btf = f->btf;
		g->is_global = f->is_global && f->insn;
		g->is_exception = f->is_exception;
	}
	qsort(v->funcs, v->n_funcs, sizeof(*v->funcs), by_begin);
	for (unsigned int i = 0; i < v->n_funcs; i++) {
		v->funcs[i].end = i + 1 < v->n_funcs ? v->funcs[i + 1].begin : n;
		if (!v->funcs[i].name)
			v->funcs[i].name = i ? "function" : v->p->name;
		if (v->funcs[i].is_exception) {
			v->exception_func = i + 1;
			v->funcs[i].is_callback = true;
		}
		for (uint32_t k = v->funcs[i].begin; k < v->funcs[i].end; k++)
			v->info[k].func = i;
	}
	return 0;
}

static int jumps_check(struct verifier *v)
{
	for (uint32_t i = 0; i < v->p->n_insns; i++) {
		struct insn_info *f = &v->info[i];
		const struct func *func = &v->funcs[f->func];
		enum insn_id id = f->id;
		int64_t to;

		v->insn = i;
		if (id == INSN_NONE)
			continue;
		if (id == INSN_LD_ABS_B || (id > INSN_LD_ABS_B && id <= INSN_LD_IND_W))
			v->funcs[f->func].has_ld_abs = true;
		if (id == INSN_CALL && v->p->insns[i].imm == BPF_FUNC_tail_call)
			v->funcs[f->func].has_tail_call = true;
		to = target_of(&v->p->insns[i], id, i);
		if (id == INSN_CALL_LOCAL || id == INSN_WIDE_FUNC) {
			f->target = (int32_t)to;
		} else if (to != -1) {
			if (to < func->begin || to >= func->end)
				return refuse(v, D_VERIFY_STRUCTURE,
					      "jump out of range from insn %u to %lld", i,
					      (long long)to);
			if (v->info[to].id == INSN_NONE)
				return refuse(v, D_VERIFY_STRUCTURE,
					      "jump into the middle of ldimm64 insn %lld",
					      (long long)to);
			f->target = (int32_t)to;
		} else if (is_branch(id) || id == INSN_JA || id == INSN_JA_LONG) {
			return refuse(v, D_VERIFY_STRUCTURE, "jump out of range from insn %u", i);
		}
		if (i + 1 == func->end && id != INSN_EXIT && id != INSN_JA && id != INSN_JA_LONG &&
		    !(id == INSN_CALL_KFUNC && kfunc_is(v, &v->p->insns[i], "bpf_throw")))
			return refuse(v, D_VERIFY_STRUCTURE, "last insn is not an exit or jmp");
		if (is_wide(id) && i + 2 == func->end)
			return refuse(v, D_VERIFY_STRUCTURE, "last insn is not an exit or jmp");
	}
	return 0;
}

/* --- what can be reached; where paths meet */

static bool calls_back(const struct verifier *v, const struct bpf_insn *i, enum insn_id id)
{
	if (id == INSN_CALL)
		return i->imm == BPF_FUNC_loop || i->imm == BPF_FUNC_for_each_map_elem ||
		       i->imm == BPF_FUNC_find_vma || i->imm == BPF_FUNC_user_ringbuf_drain;
	return id == INSN_CALL_KFUNC && kfunc_takes_callback(v, i);
}

/* Marks the instruction, and gives where it leads: up to two places, −1 each: none. */
static void visit(struct verifier *v, uint32_t at, int64_t to[2])
{
	struct insn_info *f = &v->info[at], *next;
	const struct bpf_insn *i = &v->p->insns[at];
	enum insn_id id = f->id;

	to[0] = to[1] = -1;
	if (id == INSN_EXIT)
		return;
	if (id == INSN_JA || id == INSN_JA_LONG) {
		to[0] = f->target;
		v->info[f->target].is_prune_point = true;
		return;
	}
	to[0] = at + 1 + is_wide(id);
	to[1] = f->target;
	next = to[0] < v->p->n_insns ? &v->info[to[0]] : NULL;
	if (is_branch(id)) {
		f->is_prune_point = true;
		f->is_may_goto = f->is_checkpoint = id == INSN_MAY_GOTO;
		v->info[f->target].is_prune_point = true;
	}
	if (id == INSN_CALL_LOCAL || id == INSN_WIDE_FUNC) {
		f->is_prune_point = true;
		v->info[f->target].is_prune_point = true;
		if (next)
			next->is_prune_point = true;
	}
	if (calls_back(v, i, id))
		f->is_prune_point = f->is_checkpoint = f->calls_callback = true;
	if (id == INSN_CALL && i->imm == BPF_FUNC_timer_set_callback)
		f->is_prune_point = true;
	if (id == INSN_CALL_KFUNC && kfunc_is_iter_next(v, i))
		f->is_prune_point = f->is_checkpoint = f->is_iter_next = true;
}

static int reach(struct verifier *v)
{
	uint32_t n = v->p->n_insns, depth = 0;
	uint32_t *stack = arena_array(&v->pool.arena, uint32_t, (size_t)n * 2 + 2);
	bool *seen = arena_array(&v->pool.arena, bool, n);

	stack[depth++] = 0;
	if (v->exception_func)
		stack[depth++] = v->funcs[v->exception_func - 1].begin;
	while (depth) {
		uint32_t at = stack[--depth];
		int64_t to[2];

		if (seen[at])
			continue;
		seen[at] = true;
		visit(v, at, to);
		for (unsigned int k = 0; k < 2; k++)
			if (to[k] >= 0 && to[k] < n && !seen[to[k]] && depth < 2 * n + 2)
				stack[depth++] = (uint32_t)to[k];
	}
	for (uint32_t i = 0; i < n; i++)
		if (!seen[i] && v->info[i].id != INSN_NONE) {
			v->insn = i;
			return refuse(v, D_VERIFY_STRUCTURE, "unreachable insn %u", i);
		}
	return 0;
}

/* Behind a load from the packet or a tail call, a function may return 0 by itself. */
static int abnormal_return_check(struct verifier *v)
{
	const struct btf_view *b = &v->o->btf;

	for (unsigned int i = 1; i < v->n_funcs; i++) {
		const struct func *f = &v->funcs[i];
		const struct btf_type *t = NULL, *proto;
		const char *what = f->has_ld_abs ? "LD_ABS" : "tail_call";
		uint32_t id;

		if (!f->has_ld_abs && !f->has_tail_call)
			continue;
		v->insn = f->begin;
		if (!v->o->has_btf || !f->btf)
			return v->c->as_kernel
				       ? refuse(v, D_VERIFY_TYPE,
						"%s is not allowed in subprogs without BTF", what)
				       : 0;
		proto = btf_view_type(b, btf_proto(b, f->btf));
		if (proto)
			t = btf_resolve(b, proto->type, &id);
		if (!t || (btf_type_kind(t) != BTF_KIND_INT && btf_type_kind(t) != BTF_KIND_ENUM &&
			   btf_type_kind(t) != BTF_KIND_ENUM64))
			return refuse(v, D_VERIFY_TYPE,
				      "%s is only allowed in functions that return 'int'", what);
	}
	return 0;
}

/* At most one function handles what a program throws. */
static int exceptions_check(struct verifier *v)
{
	const struct btf_view *b = &v->o->btf;
	unsigned int n = 0;

	if (!v->o->has_btf || !v->funcs[0].btf)
		return 0;
	for (unsigned int id = 1, count = btf_view_n(b); id < count; id++) {
		const struct btf_type *t = btf_view_type(b, id);

		if (t && btf_type_kind(t) == BTF_KIND_DECL_TAG && t->type == v->funcs[0].btf &&
		    !strncmp(btf_view_name(b, t), "exception_callback:", 19))
			n++;
	}
	return n > 1 ? refuse(v, D_VERIFY_STRUCTURE,
			      "multiple exception callback tags for main subprog")
		     : 0;
}

/* Users without privilege may have no loops: no jump to what is on the way to it. */
static int loops_check(struct verifier *v)
{
	enum { NEW, OPEN, DONE };
	uint32_t n = v->p->n_insns, depth = 0;
	uint32_t *stack;
	uint8_t *colour;

	if (!v->c->is_unprivileged)
		return 0;
	stack = arena_array(&v->pool.arena, uint32_t, n + 1);
	colour = arena_array(&v->pool.arena, uint8_t, n);
	stack[depth++] = 0;
	colour[0] = OPEN;
	while (depth) {
		uint32_t at = stack[depth - 1];
		bool is_done = true;
		int64_t to[2];

		visit(v, at, to);
		for (unsigned int k = 0; k < 2 && is_done; k++) {
			if (to[k] < 0 || to[k] >= n || colour[to[k]] == DONE)
				continue;
			if (colour[to[k]] == OPEN) {
				v->insn = at;
				return refuse(v, D_VERIFY_LOOP, "back-edge from insn %u to %lld",
					      at, (long long)to[k]);
			}
			colour[to[k]] = OPEN;
			stack[depth++] = (uint32_t)to[k];
			is_done = false;
		}
		if (is_done) {
			colour[at] = DONE;
			depth--;
		}
	}
	return 0;
}

int structure_check(struct verifier *v)
{
	int r;

	if (!v->p->n_insns || v->p->n_insns > (v->c->is_unprivileged ? 4096 : 1000000))
		return refuse(v, D_VERIFY_LIMIT, "invalid number of insns");
	r = identify(v);
	r = r ? r : functions_find(v);
	r = r ? r : jumps_check(v);
	r = r ? r : reach(v);
	r = r ? r : loops_check(v);
	r = r ? r : abnormal_return_check(v);
	r = r ? r : exceptions_check(v);
	v->insn = 0;
	return r;
}
