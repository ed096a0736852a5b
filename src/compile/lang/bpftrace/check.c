/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checker, step by step.
 *
 *	attach_resolve      which probes there are; a copy of the action for each kind
 *	check_flow          return, break, continue
 *	check_names         builtins, enumerators, what kind of map each map is
 *	check_natives       shorthands, builtins that this probe has not
 *	check_variables     scopes
 *	check_calls         numbers of arguments, literals
 *	infer, solve        types, in rounds: see check-rules.h
 *	check_literals      sizeof, typeinfo, comptime: each may begin another round
 *	check_casts         conversions become nodes
 *	check_final         all else
 *
 * A step reports all it finds; the next begins only if there was nothing.
 */
#include "compile/lang/bpftrace/check-rules.h"

enum { ROUNDS_MAX = 50 };

void check_each_tree(struct check *c, check_tree_fn fn)
{
	for (size_t i = 0; i < c->p->fns.n; i++) {
		c->fn = c->p->fns.p[i];
		fn(c, c->fn->block, NULL);
	}
	c->fn = NULL;
	for (size_t i = 0; i < c->ret->probes.n; i++) {
		c->probe = &c->ret->probes.p[i];
		fn(c, c->probe->probe->block, c->probe->probe);
	}
	c->probe = NULL;
}

static bool same_comptimes(const struct check *c)
{
	if (!c->comptimes.n || c->comptimes.n != c->old_comptimes.n)
		return false;
	for (size_t i = 0; i < c->comptimes.n; i++)
		if (c->comptimes.p[i] != c->old_comptimes.p[i])
			return false;
	return true;
}

/* What was asked for its type keeps it from now on. */
static void lock_types(struct check *c)
{
	for (size_t i = 0; i < c->vars.n; i++) {
		struct var_info *v = c->vars.p[i];
		const struct type *t = slot_type(c, &v->slot);

		if (v->is_asked && !v->locked && t->kind != TYPE_NONE)
			v->locked = t;
	}
	for (size_t i = 0; i < c->maps.n; i++) {
		struct map_info *m = c->maps.p[i];
		const struct type *key = slot_type(c, &m->key), *value = slot_type(c, &m->value);

		if (!m->is_asked)
			continue;
		if (!m->locked_key && key->kind != TYPE_NONE)
			m->locked_key = key;
		if (!m->locked_value && value->kind != TYPE_NONE && !type_is_agg(value))
			m->locked_value = value;
	}
}

static void begin_round(struct check *c)
{
	size_t n = c->comptimes.n;

	c->round++;
	c->old_comptimes.n = 0;
	for (size_t i = 0; i < n; i++)
		array_push(c->a, &c->old_comptimes, c->comptimes.p[i]);
	c->comptimes.n = 0;
	c->seeds.n = 0;
	c->has_changed = false;
	for (size_t i = 0; i < c->maps.n; i++)
		c->maps.p[i]->agg_argument = NULL;
}

static void not_comptime(struct check *c, struct span span)
{
	diag(c->d, D_COMPTIME, span, "Unable to resolve comptime expression");
	diag_hint(c->d, "It depends on what is only known in a run; leave out comptime");
}

static bool infer_types(struct check *c)
{
	for (unsigned int i = 0; i < ROUNDS_MAX; i++) {
		begin_round(c);
		infer_program(c);
		check_solve(c);
		if (c->d->errors)
			return false;
		check_literals(c);
		if (c->d->errors)
			return false;
		if (!c->has_changed && same_comptimes(c)) {
			for (size_t k = 0; k < c->comptimes.n; k++)
				not_comptime(c, c->comptimes.p[k]->span);
			return false;
		}
		lock_types(c);
		if (!c->has_changed && !c->comptimes.n)
			return true;
	}
	diag(c->d, D_COMPTIME, (struct span){.file = c->p->source},
	     "Type resolution exceeded maximum iterations (%d); possible infinite loop in comptime "
	     "expressions",
	     ROUNDS_MAX);
	return false;
}

static bool check_all(struct check *c)
{
	static void (*const steps[])(struct check *) = {
		check_flow, check_names, check_natives, check_variables, check_calls,
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		steps[i](c);
		if (c->d->errors)
			return false;
	}
	if (!infer_types(c))
		return false;
	check_casts(c);
	check_final(c);
	if (!c->d->errors)
		check_whole(c);
	return !c->d->errors;
}

bool check_program(struct question *q, struct program *p, const struct check_options *o,
		   struct checked *ret)
{
	struct check c = {.q = q, .d = &q->diags, .a = &q->arena, .p = p, .o = o, .ret = ret};
	bool ok;

	ret->program = p;
	c.tt = type_table_new(c.a, c.d, o->world);
	if (o->wants_facts)
		type_table_note(c.tt, q);
	ok = type_table_add_c(c.tt, p) && attach_resolve(q, c.tt, p, o, ret);
	if (ok && !o->want_lists)
		ok = check_all(&c);
	type_table_noted(c.tt);
	type_table_free(c.tt);
	map_done(&c.map_names);
	return ok && !q->diags.errors;
}
