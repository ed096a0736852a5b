/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops: where they begin, what belongs to them, what a round does to variables.
 *
 * A loop is a jump back to an instruction that all ways from outside lead through (its head), and
 * all that lies between.  What a round does is a data flow of its own, without ranges: each
 * variable begins as itself; additions of constants, copies, spills and fills keep track,
 * anything else loses it.  At the jump back that says "r1 is what it was, plus 1".
 */
#include "runtime/vm/verify/fixpoint.h"

#include "base/macro.h"

#include <stdlib.h>

enum { LOOPS_MAX = 256, INSNS_MAX = 1 << 17 };

unsigned int fix_ways(const struct verifier *v, uint32_t insn, uint32_t to[2])
{
	const struct insn_info *f = &v->info[insn];
	enum insn_id id = f->id;
	unsigned int n = 0;

	if (id == INSN_EXIT || id == INSN_NONE)
		return 0;
	if (id != INSN_JA && id != INSN_JA_LONG)
		to[n++] = insn + 1 + (id >= INSN_WIDE && id <= INSN_WIDE_MAP_IDX_VALUE);
	if (f->target >= 0 && id != INSN_CALL_LOCAL && id != INSN_WIDE_FUNC)
		to[n++] = (uint32_t)f->target;
	/* behind the last instruction of a program there is nothing: bpf_throw() */
	if (n && to[0] >= v->p->n_insns)
		n = 0;
	return n;
}

/* --- loops */

struct search {
	struct verifier *v;
	struct fix_flow *flow;
	uint32_t *pred_at, *preds; /* edges by their target */
	uint32_t *stack;
	uint8_t *color; /* 0: new, 1: on the way, 2: done */
};

static void edges_find(struct search *s)
{
	struct arena *a = &s->v->pool.arena;
	uint32_t n = s->v->p->n_insns, to[2], sum = 0;

	s->pred_at = arena_array(a, uint32_t, (size_t)n + 2);
	s->preds = arena_array(a, uint32_t, (size_t)n * 2 + 1);
	s->flow->preds = arena_array(a, uint8_t, n);
	for (uint32_t i = 0; i < n; i++)
		for (unsigned int k = fix_ways(s->v, i, to); k--;) {
			s->pred_at[to[k] + 1]++;
			if (s->flow->preds[to[k]] < 2)
				s->flow->preds[to[k]]++;
		}
	for (uint32_t i = 0; i <= n; i++) {
		sum += s->pred_at[i];
		s->pred_at[i] = sum;
	}
	for (uint32_t i = 0; i < n; i++)
		for (unsigned int k = fix_ways(s->v, i, to); k--;)
			s->preds[s->pred_at[to[k]]++] = i;
	for (uint32_t i = n; i > 0; i--)
		s->pred_at[i] = s->pred_at[i - 1];
	s->pred_at[0] = 0;
}

static struct fix_loop *loop_add(struct search *s, uint32_t head)
{
	struct arena *a = &s->v->pool.arena;
	struct fix_loop *l;

	if (s->flow->loop_at[head])
		return &s->flow->loops.p[s->flow->loop_at[head] - 1];
	if (s->flow->loops.n == LOOPS_MAX)
		return NULL;
	l = array_push(a, &s->flow->loops,
		       ((struct fix_loop){.head = head, .func = s->v->info[head].func}));
	l->body = arena_array(a, uint64_t, s->v->p->n_insns / 64 + 1);
	l->body[head / 64] |= 1ull << head % 64;
	l->size = 1;
	s->flow->loop_at[head] = (uint32_t)s->flow->loops.n;
	return l;
}

/* All that leads to the jump back without passing the head. */
static int loop_fill(struct search *s, uint32_t from, uint32_t head)
{
	struct fix_loop *l = loop_add(s, head);
	/* its own stack: the search is still using the other */
	uint32_t *stack = s->stack + s->v->p->n_insns + 1, depth = 0;

	if (!l)
		return -E2BIG;
	stack[depth++] = from;
	while (depth) {
		uint32_t at = stack[--depth];

		if (fix_in_loop(l, at))
			continue;
		/* in at another door */
		if (at == s->v->funcs[l->func].begin)
			return -ENOTSUP;
		l->body[at / 64] |= 1ull << at % 64;
		l->size++;
		for (uint32_t k = s->pred_at[at]; k < s->pred_at[at + 1]; k++)
			if (!fix_in_loop(l, s->preds[k]))
				stack[depth++] = s->preds[k];
	}
	return 0;
}

/* Depth first; an edge to what is still on the way leads back. */
static int loops_of(struct search *s, uint32_t begin)
{
	uint32_t depth = 0, to[2];

	s->stack[depth++] = begin;
	while (depth) {
		uint32_t at = s->stack[depth - 1];
		bool goes_on = false;

		s->color[at] = 1;
		for (unsigned int k = fix_ways(s->v, at, to); k-- && !goes_on;) {
			if (s->color[to[k]] == 0) {
				s->stack[depth++] = to[k];
				goes_on = true;
			}
		}
		if (goes_on)
			continue;
		for (unsigned int k = fix_ways(s->v, at, to); k--;) {
			int r = s->color[to[k]] == 1 ? loop_fill(s, at, to[k]) : 0;

			if (r)
				return r;
		}
		s->color[at] = 2;
		depth--;
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Numbers that something is compared with, and their neighbours. */
static void limits_find(struct verifier *v, struct fix_flow *flow)
{
	enum { LIMITS_MAX = 192 };

	for (uint32_t i = 0; i < v->p->n_insns; i++) {
		enum insn_id id = v->info[i].id;

		if (id == INSN_NONE || insn_kind(id) != INSN_KIND_JUMP ||
		    !insn_row_of(id)->is_imm || flow->limits.n >= LIMITS_MAX)
			continue;
		for (int64_t k = -1; k <= 1; k++)
			array_push(&v->pool.arena, &flow->limits,
				   (uint64_t)(v->p->insns[i].imm + k));
	}
	if (flow->limits.n)
		qsort(flow->limits.p, flow->limits.n, sizeof(*flow->limits.p), by_value);
}

int fix_flow_find(struct verifier *v, struct fix_flow *ret)
{
	struct search s = {.v = v, .flow = ret};
	uint32_t n = v->p->n_insns;
	int r = 0;

	if (n > INSNS_MAX)
		return -E2BIG;
	ret->loop_at = arena_array(&v->pool.arena, uint32_t, n);
	s.stack = arena_array(&v->pool.arena, uint32_t, (size_t)n * 4 + 4);
	s.color = arena_array(&v->pool.arena, uint8_t, n);
	edges_find(&s);
	for (unsigned int i = 0; !r && i < v->n_funcs; i++)
		if (!s.color[v->funcs[i].begin])
			r = loops_of(&s, v->funcs[i].begin);
	if (r)
		return r;
	for (size_t i = 0; i < ret->loops.n; i++)
		fix_round_find(v, &ret->loops.p[i], ret);
	limits_find(v, ret);
	return 0;
}
