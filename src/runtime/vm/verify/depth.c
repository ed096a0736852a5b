/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much stack the deepest chain of calls needs: at most 512 bytes, and 8 frames.
 */
#include "runtime/vm/verify/internal.h"

struct chain {
	uint32_t funcs[FRAMES_MAX];
	unsigned int n, depth;
};

static unsigned int rounded(const struct func *f)
{
	unsigned int bytes = f->stack ? f->stack : 1;

	return (bytes + 15) & ~15u;
}

static bool is_in_callback(const struct verifier *v, const struct chain *c)
{
	for (unsigned int i = 0; i < c->n; i++)
		if (v->funcs[c->funcs[i]].is_callback)
			return true;
	return false;
}

static int descend(struct verifier *v, uint32_t func, struct chain *c);

static int calls(struct verifier *v, uint32_t func, struct chain *c)
{
	const struct func *f = &v->funcs[func];
	int r = 0;

	for (uint32_t i = f->begin; i < f->end && !r; i++) {
		const struct bpf_insn *insn = &v->p->insns[i];
		uint32_t callee;

		v->insn = i;
		if (v->info[i].id == INSN_CALL_KFUNC && kfunc_is(v, insn, "bpf_throw") &&
		    is_in_callback(v, c))
			return refuse(v, D_VERIFY_CALL,
				      "bpf_throw kfunc (insn %u) cannot be called "
				      "from callback subprog %u",
				      i, func);
		if (v->info[i].id != INSN_CALL_LOCAL && v->info[i].id != INSN_WIDE_FUNC)
			continue;
		callee = v->info[v->info[i].target].func;
		if (v->funcs[callee].is_async_callback && v->info[i].id == INSN_WIDE_FUNC)
			continue;
		if (v->funcs[callee].is_exception && v->info[i].id == INSN_CALL_LOCAL)
			return refuse(v, D_VERIFY_CALL, "insn %u cannot call exception cb directly",
				      i);
		r = descend(v, callee, c);
	}
	return r;
}

static int descend(struct verifier *v, uint32_t func, struct chain *c)
{
	const struct func *f = &v->funcs[func];
	unsigned int bytes = rounded(f);
	int r;

	if (c->n == FRAMES_MAX)
		return refuse(v, D_VERIFY_LIMIT, "the call stack of %u frames is too deep !", c->n);
	c->funcs[c->n++] = func;
	if (f->has_ld_abs && is_in_callback(v, c))
		return refuse(v, D_VERIFY_INSTRUCTION,
			      "cannot use BPF_LD_[ABS|IND] within callback");
	if (func && f->has_tail_call && c->depth >= 256)
		return refuse(v, D_VERIFY_LIMIT,
			      "tail_calls are not allowed when call stack of previous frames is %u "
			      "bytes. Too large",
			      c->depth);
	c->depth += bytes;
	if (c->depth > STACK_SIZE && v->c->as_kernel) {
		refuse(v, D_VERIFY_LIMIT, "combined stack size of %u calls is %u. Too large", c->n,
		       c->depth);
		refuse_hint(v, "use less stack in these functions, or make one of them global");
		return REFUSED;
	}
	if (c->depth > v->ret->stack_depth)
		v->ret->stack_depth = c->depth;
	r = calls(v, func, c);
	c->depth -= bytes;
	c->n--;
	return r;
}

int stack_depth_check(struct verifier *v)
{
	for (uint32_t i = 0; i < v->n_funcs; i++) {
		struct chain c = {};
		int r;

		if (i && !v->funcs[i].is_async_callback && !v->funcs[i].is_exception)
			continue;
		r = descend(v, i, &c);
		if (r)
			return r;
	}
	return 0;
}
