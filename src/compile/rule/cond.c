/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of one kind of record.
 *
 * `not` is pushed down to the leaves; what is known for the kind disappears (evt.type is most
 * of it); `and` in `and` becomes one; parts are ordered by what they cost; equal ones are one
 * object, so that rules which share a macro share the work.
 */
#include "compile/rule/lower.h"

#include <stdlib.h>

static struct cond *constant(struct pushdown *x, bool value)
{
	struct cond *c = arena_new(x->arena, struct cond);

	c->kind = value ? COND_TRUE : COND_FALSE;
	return c;
}

/* --- equal ones are one */

static uint64_t hash(const struct cond *c)
{
	uint32_t head[3] = {c->kind, c->check, c->is_negated};
	uint64_t h = hash_bytes(HASH_BEGIN, head, sizeof(head));

	for (size_t i = 0; i < c->args.n; i++)
		h = hash_bytes(h, &c->args.p[i]->id, sizeof(uint32_t));
	return h;
}

static bool is_same(const struct cond *a, const struct cond *b)
{
	if (a->kind != b->kind || a->check != b->check || a->is_negated != b->is_negated ||
	    a->args.n != b->args.n)
		return false;
	for (size_t i = 0; i < a->args.n; i++)
		if (a->args.p[i] != b->args.p[i])
			return false;
	return true;
}

static void put(struct rule_kind *k, struct cond *c)
{
	size_t at = hash(c) & (k->room_conds - 1);

	while (k->conds[at])
		at = (at + 1) & (k->room_conds - 1);
	k->conds[at] = c;
}

static void grow(struct pushdown *x, struct rule_kind *k)
{
	struct cond **old = k->conds;
	size_t room = k->room_conds;

	if (k->n_conds * 2 < room)
		return;
	k->room_conds = room ? room * 2 : 256;
	k->conds = arena_array(x->arena, struct cond *, k->room_conds);
	for (size_t i = 0; i < room; i++)
		if (old[i])
			put(k, old[i]);
}

static struct cond *intern(struct pushdown *x, struct rule_kind *k, struct cond *c)
{
	grow(x, k);
	for (size_t at = hash(c) & (k->room_conds - 1); k->conds[at];
	     at = (at + 1) & (k->room_conds - 1))
		if (is_same(k->conds[at], c))
			return k->conds[at];
	c->id = (uint32_t)++k->n_conds;
	put(k, c);
	return c;
}

bool cond_is_same(const struct cond *a, const struct cond *b)
{
	if (a->kind != b->kind || a->check != b->check || a->is_negated != b->is_negated ||
	    a->needs != b->needs || a->args.n != b->args.n)
		return false;
	for (size_t i = 0; i < a->args.n; i++)
		if (!cond_is_same(a->args.p[i], b->args.p[i]))
			return false;
	return true;
}

/* --- building */

static int compare(const void *a, const void *b)
{
	const struct cond *x = *(struct cond *const *)a, *y = *(struct cond *const *)b;

	/* behind each other those that need the same, and the cheap ones first */
	if (x->needs != y->needs)
		return x->needs < y->needs ? -1 : 1;
	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void add(struct pushdown *x, struct cond *to, struct cond *c)
{
	if (c->kind == to->kind) {
		for (size_t i = 0; i < c->args.n; i++)
			add(x, to, c->args.p[i]);
		return;
	}
	for (size_t i = 0; i < to->args.n; i++)
		if (to->args.p[i] == c)
			return;
	array_push(x->arena, &to->args, c);
	to->needs |= c->needs;
	to->cost += c->cost;
}

/* `and` (or `or`) of what was collected. */
static struct cond *finish(struct pushdown *x, struct rule_kind *k, struct cond *c)
{
	if (!c->args.n)
		return constant(x, c->kind == COND_AND);
	if (c->args.n == 1)
		return c->args.p[0];
	qsort(c->args.p, c->args.n, sizeof(*c->args.p), compare);
	return intern(x, k, c);
}

static struct cond *leaf(struct pushdown *x, struct rule_kind *k, uint32_t check, bool is_negated)
{
	const struct leaf *l = plan_leaf(x, k, check);
	struct cond *c;

	if (l->how == LEAF_UNKNOWN)
		return constant(x, true);
	if (l->how == LEAF_TRUE || l->how == LEAF_FALSE)
		return constant(x, (l->how == LEAF_TRUE) != is_negated);
	c = arena_new(x->arena, struct cond);
	c->kind = COND_LEAF;
	c->check = check;
	c->is_negated = is_negated;
	c->needs = l->needs;
	c->cost = l->cost;
	return intern(x, k, c);
}

/* "startswith allof (a, b)": each of them. */
static struct cond *all_of(struct pushdown *x, struct rule_kind *k, const struct rule_check *c,
			   bool is_negated)
{
	struct cond *to = arena_new(x->arena, struct cond), *part;

	to->kind = is_negated ? COND_OR : COND_AND;
	for (size_t i = 0; i < c->right.n; i++) {
		struct rule_check one = *c;

		one.quantifier = RULE_Q_NONE;
		one.right.p = &c->right.p[i];
		one.right.n = one.right.room = 1;
		part = leaf(x, k, ruleset_check(x->rs, &one), is_negated);
		if (part->kind == (is_negated ? COND_TRUE : COND_FALSE))
			return part;
		if (part->kind != (is_negated ? COND_FALSE : COND_TRUE))
			add(x, to, part);
	}
	return finish(x, k, to);
}

static struct cond *check(struct pushdown *x, struct rule_kind *k, uint32_t id, bool is_negated)
{
	const struct rule_check *c = x->rs->checks.p[id];

	if (c->quantifier == RULE_Q_ALLOF && c->right.n > 1)
		return all_of(x, k, c, is_negated);
	return leaf(x, k, id, is_negated);
}

struct cond *cond_make(struct pushdown *x, struct rule_kind *k, const struct rule_expr *e,
		       bool is_negated)
{
	struct cond *to, *part;
	bool is_and;

	switch (e->kind) {
	case RULE_E_CONST:
		return constant(x, e->value != is_negated);
	case RULE_E_CHECK:
		return check(x, k, e->check, is_negated);
	case RULE_E_NOT:
		return cond_make(x, k, e->args.p[0], !is_negated);
	case RULE_E_AND:
	case RULE_E_OR:
		break;
	}
	is_and = (e->kind == RULE_E_AND) != is_negated;
	to = arena_new(x->arena, struct cond);
	to->kind = is_and ? COND_AND : COND_OR;
	for (size_t i = 0; i < e->args.n; i++) {
		part = cond_make(x, k, e->args.p[i], is_negated);
		if (part->kind == (is_and ? COND_FALSE : COND_TRUE))
			return part;
		if (part->kind != (is_and ? COND_TRUE : COND_FALSE))
			add(x, to, part);
	}
	return finish(x, k, to);
}
