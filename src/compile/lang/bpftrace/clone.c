/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deep copies of trees.
 *
 * For macros (each use has its own), unrolled loops, and actions that are compiled for
 * several attach points.  A copy shares names, texts and spans with the original; what
 * check set is copied as it is.
 */
#include "compile/lang/bpftrace/expand.h"

static struct type_ref *ref_clone(struct arena *a, const struct type_ref *ref)
{
	struct type_ref *to;

	if (!ref)
		return NULL;
	to = arena_copy(a, ref, sizeof(*ref));
	to->of = expr_clone(a, ref->of);
	to->of_type = ref_clone(a, ref->of_type);
	if (ref->suffixes.n)
		to->suffixes.p =
			arena_copy(a, ref->suffixes.p, ref->suffixes.n * sizeof(*to->suffixes.p));
	to->suffixes.room = to->suffixes.n;
	for (size_t i = 0; i < to->suffixes.n; i++)
		to->suffixes.p[i].n_expr = expr_clone(a, ref->suffixes.p[i].n_expr);
	return to;
}

struct expr *expr_clone(struct arena *a, const struct expr *e)
{
	struct expr *to;

	if (!e)
		return NULL;
	to = arena_copy(a, e, sizeof(*e));
	to->a = expr_clone(a, e->a);
	to->b = expr_clone(a, e->b);
	to->c = expr_clone(a, e->c);
	to->ref = ref_clone(a, e->ref);
	to->block = block_clone(a, e->block);
	to->items.room = to->items.n;
	if (e->items.n)
		to->items.p = arena_array(a, struct expr *, e->items.n);
	for (size_t i = 0; i < e->items.n; i++)
		to->items.p[i] = expr_clone(a, e->items.p[i]);
	return to;
}

static struct stmt *stmt_clone(struct arena *a, const struct stmt *s)
{
	struct stmt *to = arena_copy(a, s, sizeof(*s));

	to->a = expr_clone(a, s->a);
	to->b = expr_clone(a, s->b);
	to->c = expr_clone(a, s->c);
	to->ref = ref_clone(a, s->ref);
	to->block = block_clone(a, s->block);
	to->other = block_clone(a, s->other);
	return to;
}

struct block *block_clone(struct arena *a, const struct block *b)
{
	struct block *to;

	if (!b)
		return NULL;
	to = arena_copy(a, b, sizeof(*b));
	to->value = expr_clone(a, b->value);
	to->stmts.room = to->stmts.n;
	if (b->stmts.n)
		to->stmts.p = arena_array(a, struct stmt *, b->stmts.n);
	for (size_t i = 0; i < b->stmts.n; i++)
		to->stmts.p[i] = stmt_clone(a, b->stmts.p[i]);
	return to;
}

struct probe *probe_clone(struct arena *a, const struct probe *p)
{
	struct probe *to = arena_copy(a, p, sizeof(*p));

	to->predicate = expr_clone(a, p->predicate);
	to->block = block_clone(a, p->block);
	to->points.room = to->points.n;
	if (p->points.n)
		to->points.p = arena_array(a, struct attach_point *, p->points.n);
	for (size_t i = 0; i < p->points.n; i++)
		to->points.p[i] = arena_copy(a, p->points.p[i], sizeof(*p->points.p[i]));
	return to;
}
