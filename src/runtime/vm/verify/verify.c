/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verifier: the order of things.
 *
 * First what can be seen without walking (structure.c), then the program, then each global
 * function that something calls, then how deep the stack gets.
 */
#include "runtime/vm/verify/internal.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { INSNS_MAX = 1000000 };

static bool is_gpl(const char *license)
{
	static const char *const names[] = {
		"GPL",		"GPL v2",	"GPL and additional rights",
		"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"};

	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (license && !strcmp(license, names[i]))
			return true;
	return false;
}

static void prepare(struct verifier *v, const struct vm_object *o, uint32_t prog,
		    const struct verify_config *c, struct arena *arena, struct verify_result *ret)
{
	const struct vm_prog *p = &o->progs.p[prog];

	*v = (struct verifier){.o = o, .p = p, .c = c, .arena = arena, .ret = ret};
	v->info = arena_array(&v->pool.arena, struct insn_info, p->n_insns + 1);
	v->insns = arena_array(arena, struct verify_insn, p->n_insns + 1);
	v->ctx = ctx_of(p->prog_type, p->attach_type);
	v->kernel = c->kernel;
	v->max_insns = c->max_insns ? c->max_insns : INSNS_MAX;
	v->is_privileged = !c->is_unprivileged;
	v->allow_leaks = !c->is_unprivileged;
	v->allow_store_leaks = !c->is_unprivileged && c->as_kernel;
	v->allow_uninit_stack = !c->is_unprivileged;
	v->is_strict = p->flags & BPF_F_STRICT_ALIGNMENT;
	v->test_state_freq = p->flags & BPF_F_TEST_STATE_FREQ;
	v->is_gpl = is_gpl(o->license);
	v->may_sleep = p->is_sleepable;
}

/* Programs of kinds that are not known cannot be judged. */
static int program_check(struct verifier *v)
{
	if (v->p->prog_type == BPF_PROG_TYPE_UNSPEC)
		return 0;
	if (!v->ctx)
		return refuse(v, D_VERIFY_CONTEXT, "unknown program type %u", v->p->prog_type);
	return attach_check(v);
}

static bool has_loops(const struct verifier *v)
{
	for (uint32_t i = 0; i < v->p->n_insns; i++)
		if (v->info[i].target >= 0 && v->info[i].target <= (int64_t)i &&
		    v->info[i].id != INSN_CALL_LOCAL && v->info[i].id != INSN_WIDE_FUNC)
			return true;
	return false;
}

/*
 * By exploring, or by loop invariants.  The kernel has only the former.  Where there are loops and
 * a short walk does not get through, invariants are tried before the long one.
 */
static int prove(struct verifier *v, uint32_t func)
{
	enum { SHORT_WALK = 2048 };
	uint32_t max = v->max_insns, used = v->insns_explored;
	bool tries = !v->c->as_kernel && !v->c->is_unprivileged && has_loops(v);
	struct refusal why, invariant;
	int r;

	if (!tries)
		return explore(v, func);
	if (v->c->skips_walk) {
		r = fixpoint(v, func);
		v->ret->by_fixpoint |= !r;
		return r;
	}
	v->max_insns = MIN(max, used + SHORT_WALK + 2 * v->p->n_insns);
	r = explore(v, func);
	v->max_insns = max;
	if (!r)
		return 0;
	why = v->refusal;
	v->refusal = (struct refusal){};
	if (!fixpoint(v, func)) {
		v->ret->by_fixpoint = true;
		return 0;
	}
	invariant = v->refusal;
	v->refusal = why;
	if (why.id != D_VERIFY_LIMIT)
		return r;
	/* the short walk was too short, and no invariant was found: the long one */
	v->refusal = (struct refusal){};
	v->insns_explored = used;
	r = explore(v, func);
	/* that it takes too long says less than what may go wrong */
	if (r && v->refusal.id == D_VERIFY_LIMIT && invariant.id != D_VERIFY_LOOP)
		v->refusal = invariant;
	return r;
}

static int functions_explore(struct verifier *v)
{
	bool again = true;
	int r = 0;

	while (again && !r) {
		again = false;
		for (uint32_t i = 1; i < v->n_funcs && !r; i++) {
			struct func *f = &v->funcs[i];

			if (!f->is_global || !f->is_called || f->is_verified)
				continue;
			f->is_verified = again = true;
			r = prove(v, i);
		}
	}
	return r;
}

static int run(struct verifier *v)
{
	int r = program_check(v);

	r = r ? r : structure_check(v);
	if (r)
		return r;
	liveness_find(v);
	subprog_effects_find(v);
	r = prove(v, 0);
	r = r ? r : functions_explore(v);
	if (!r && v->exception_func) {
		v->funcs[v->exception_func - 1].is_verified = true;
		r = explore(v, v->exception_func - 1);
	}
	return r ? r : stack_depth_check(v);
}

/*
 * Once more, with all numbers important, for the checking mode.  If that is too much, there is
 * nothing to check with.  If it is refused, the walk before overlooked something: refused it is.
 */
static int record(struct verifier *v)
{
	uint32_t explored = v->insns_explored, states = v->states, peak = v->peak;
	int r;

	if (!v->c->wants_states || v->ret->by_fixpoint)
		return 0;
	v->insns_explored = 0;
	states_begin(v);
	r = explore(v, 0);
	for (uint32_t i = 1; i < v->n_funcs && !r; i++)
		if (v->funcs[i].is_verified)
			r = explore(v, i);
	if (r)
		v->recorded = NULL;
	if (v->refusal.id == D_VERIFY_LIMIT) {
		v->refusal = (struct refusal){};
		r = 0;
	}
	v->insns_explored = explored;
	v->states = states;
	v->peak = peak;
	return r;
}

static void finish(struct verifier *v, int r)
{
	struct verify_result *ret = v->ret;

	ret->is_ok = !r;
	ret->kernel_refuses = r && v->c->as_kernel;
	ret->insns_explored = v->insns_explored;
	ret->states = v->states;
	ret->peak_states = v->peak;
	ret->insns = v->insns;
	ret->recorded = v->recorded;
	if (r) {
		ret->error = arena_strdup(v->arena, v->refusal.error);
		ret->error_insn = v->refusal.insn;
		refusal_record(v);
	}
}

int verify(const struct vm_object *o, uint32_t prog, const struct verify_config *c,
	   struct arena *arena, struct verify_result *ret)
{
	uint64_t start = clock_mono_ns();
	struct verifier *v;
	int r;

	*ret = (struct verify_result){};
	if (prog >= o->progs.n)
		return -EINVAL;
	v = xalloc(sizeof(*v));
	prepare(v, o, prog, c, arena, ret);
	r = run(v);
	ret->ns = clock_mono_ns() - start;
	if (!r)
		r = record(v);
	finish(v, r);
	map_done(&v->local_fields);
	pool_done(&v->pool);
	free(v);
	return 0;
}
