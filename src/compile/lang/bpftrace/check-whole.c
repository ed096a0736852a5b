/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs that leave the program as a whole: all that is in them must be known.
 *
 * A struct gets its members when the script names one.  What is printed, or kept in a map,
 * is shown with all its members, and those of the structs in it.
 */
#include "compile/lang/bpftrace/check-rules.h"

enum { DEPTH = 12 };

static const struct type *whole(struct check *c, const struct type *t, unsigned int depth);

static void whole_members(struct check *c, const struct type *t, unsigned int depth)
{
	for (uint32_t i = 0; i < t->n_members; i++) {
		struct type_member *m = (struct type_member *)&t->members[i]; /* of the arena */

		if (m->type->kind == TYPE_STRUCT || m->type->kind == TYPE_ARRAY)
			m->type = whole(c, m->type, depth + 1);
	}
}

/* The same type; a copy that lacks its members (in another space) becomes one that has them. */
static const struct type *whole(struct check *c, const struct type *t, unsigned int depth)
{
	const struct type *of;
	struct type *copy;

	if (depth > DEPTH)
		return t;
	if (t->kind == TYPE_ARRAY) {
		of = whole(c, t->of, depth + 1);
		if (of == t->of)
			return t;
		copy = arena_copy(c->a, t, sizeof(*t));
		copy->of = of;
		return copy;
	}
	if (t->kind == TYPE_TUPLE || t->kind == TYPE_RECORD)
		whole_members(c, t, depth);
	if (t->kind != TYPE_STRUCT)
		return t;
	of = type_complete(c->tt, t);
	whole_members(c, of, depth);
	if (of == t || t->is_complete)
		return t;
	copy = arena_copy(c->a, t, sizeof(*t));
	copy->members = of->members;
	copy->n_members = of->n_members;
	copy->size = of->size;
	copy->align = of->align;
	copy->is_complete = of->is_complete;
	return copy;
}

static void whole_arguments(struct visit *w, struct expr *e)
{
	struct check *c = w->ctx;

	if (e->kind != EXPR_CALL || !e->builtin)
		return;
	for (size_t i = 0; i < e->items.n; i++)
		if (e->items.p[i]->type)
			e->items.p[i]->type = whole(c, e->items.p[i]->type, 0);
}

void check_whole(struct check *c)
{
	struct visit w = {.ctx = c, .expr = whole_arguments};

	for (size_t i = 0; i < c->ret->probes.n; i++)
		visit_probe(&w, c->ret->probes.p[i].probe);
	for (size_t i = 0; i < c->ret->maps.n; i++) {
		struct map_decl *m = c->ret->maps.p[i];

		m->key = m->key ? whole(c, m->key, 0) : NULL;
		m->value = m->value ? whole(c, m->value, 0) : NULL;
	}
}
