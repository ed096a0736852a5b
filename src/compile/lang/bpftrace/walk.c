/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/lang/bpftrace/tree.h"

void walk_ref(struct walk *w, struct type_ref *ref)
{
	for (; ref; ref = ref->of_type) {
		walk_expr(w, &ref->of);
		for (size_t i = 0; i < ref->suffixes.n; i++)
			walk_expr(w, &ref->suffixes.p[i].n_expr);
	}
}

/* Most expressions have one or two children of those that they could have. */
static inline void walk_child(struct walk *w, struct expr **at)
{
	if (*at)
		walk_expr(w, at);
}

void walk_expr(struct walk *w, struct expr **at)
{
	struct expr *e = *at;

	if (!e || (w->enter && !w->enter(w, at)))
		return;
	e = *at;
	walk_ref(w, e->ref);
	walk_child(w, &e->a);
	walk_child(w, &e->b);
	walk_child(w, &e->c);
	for (size_t i = 0; i < e->items.n; i++)
		walk_expr(w, &e->items.p[i]);
	walk_block(w, e->block);
	expr_measure(e);
	if (w->leave)
		w->leave(w, at);
}

static void walk_stmt(struct walk *w, struct stmt *s)
{
	if (w->stmt)
		w->stmt(w, s);
	walk_ref(w, s->ref);
	walk_child(w, &s->a);
	walk_child(w, &s->b);
	walk_child(w, &s->c);
	walk_block(w, s->block);
	walk_block(w, s->other);
	stmt_measure(s);
	if (w->left_stmt)
		w->left_stmt(w, s);
}

void walk_block(struct walk *w, struct block *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->stmts.n; i++)
		walk_stmt(w, b->stmts.p[i]);
	walk_child(w, &b->value);
	block_measure(b);
	if (w->left_block)
		w->left_block(w, b);
}

void walk_program(struct walk *w, struct program *p, bool macros)
{
	for (size_t i = 0; macros && i < p->macros.n; i++)
		walk_block(w, p->macros.p[i]->block);
	for (size_t i = 0; i < p->fns.n; i++) {
		for (size_t k = 0; k < p->fns.p[i]->params.n; k++)
			walk_ref(w, p->fns.p[i]->params.p[k].ref);
		walk_ref(w, p->fns.p[i]->result);
		walk_block(w, p->fns.p[i]->block);
	}
	for (size_t i = 0; i < p->probes.n; i++) {
		walk_expr(w, &p->probes.p[i]->predicate);
		walk_block(w, p->probes.p[i]->block);
	}
}
