/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the tree, in the order of evaluation, children before their parents. */
#include "compile/lang/bpftrace/check-rules.h"

static void visit_ref(struct visit *w, struct type_ref *r)
{
	if (!r)
		return;
	visit_expr(w, r->of);
	visit_ref(w, r->of_type);
}

static inline void visit_child(struct visit *w, struct expr *e)
{
	if (e)
		visit_expr(w, e);
}

void visit_expr(struct visit *w, struct expr *e)
{
	if (!e || (w->enter_expr && !w->enter_expr(w, e)))
		return;
	visit_child(w, e->a);
	visit_child(w, e->b);
	visit_child(w, e->c);
	if (e->ref)
		visit_ref(w, e->ref);
	for (size_t i = 0; i < e->items.n; i++)
		visit_expr(w, e->items.p[i]);
	if (e->block)
		visit_block(w, e->block);
	if (w->expr)
		w->expr(w, e);
}

void visit_stmt(struct visit *w, struct stmt *s)
{
	if (w->enter_stmt && !w->enter_stmt(w, s))
		return;
	visit_child(w, s->a);
	visit_ref(w, s->ref);
	visit_child(w, s->b);
	visit_child(w, s->c);
	if (s->block)
		visit_block(w, s->block);
	if (s->other)
		visit_block(w, s->other);
	if (w->stmt)
		w->stmt(w, s);
}

void visit_block(struct visit *w, struct block *b)
{
	for (size_t i = 0; i < b->stmts.n; i++)
		visit_stmt(w, b->stmts.p[i]);
	visit_child(w, b->value);
}

void visit_probe(struct visit *w, struct probe *p)
{
	visit_expr(w, p->predicate);
	visit_block(w, p->block);
}
