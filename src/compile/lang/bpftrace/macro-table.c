/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which macro a call means.
 *
 * Macros of one name differ in the number of parameters and in their kinds: "$x" takes
 * only a variable, "@x" only a map, "x" anything.  The first definition that fits wins, so
 * one that an earlier one hides can never be meant, and is refused.
 */
#include "compile/lang/bpftrace/macros.h"

static bool is_function(const char *name)
{
	static const char *const names[] = {
#define BUILTIN(id, name, min, max, flags, help) name,
#include "catalog/builtins.def"
#undef BUILTIN
	};

	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* What a call has in a place, as a parameter's kind. */
static enum macro_param_kind kind_of(const struct expr *e)
{
	if (e->kind == EXPR_VAR)
		return MACRO_VAR;
	return e->kind == EXPR_MAP ? MACRO_MAP : MACRO_EXPR;
}

/* Arguments of a call, or parameters of another definition. */
struct shape {
	const struct expr *call;
	const struct macro *macro;
};

static size_t shape_n(const struct shape *s)
{
	return s->macro ? s->macro->params.n : s->call->items.n;
}

static enum macro_param_kind shape_kind(const struct shape *s, size_t i)
{
	return s->macro ? s->macro->params.p[i].kind : kind_of(s->call->items.p[i]);
}

/* 0: it fits; a different number of arguments is worse than any kinds. */
static size_t distance(const struct macro *m, const struct shape *s)
{
	size_t n = shape_n(s), all = MIN(m->params.n, n);
	size_t d = (MAX(m->params.n, n) - all) << 32;

	for (size_t i = 0; i < all; i++)
		d += m->params.p[i].kind != MACRO_EXPR && m->params.p[i].kind != shape_kind(s, i);
	return d;
}

static struct macro_entry *entries(const struct macro_table *t, const char *name)
{
	struct macro_entry *e = map_get(&t->names, expand_hash(str_of(name)));

	return e && !strcmp(e->macro->name, name) ? e : NULL;
}

/* The nearest, of several the first; NULL: none has the name. */
static const struct macro *nearest(const struct macro_table *t, const char *name,
				   const struct shape *s, size_t *ret_distance)
{
	const struct macro *best = NULL;

	for (struct macro_entry *e = entries(t, name); e; e = e->next) {
		size_t d = distance(e->macro, s);

		if (best && d >= *ret_distance)
			continue;
		best = e->macro;
		*ret_distance = d;
	}
	return best;
}

static bool check_params(struct expand *x, const struct macro *m)
{
	static const char *const kinds[] = {"Ident", "Variable", "Map"};

	for (size_t i = 0; i < m->params.n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(m->params.p[k].name, m->params.p[i].name))
				continue;
			diag(x->d, D_MACRO, m->params.p[i].span,
			     "%s for macro argument has already been used: %s",
			     kinds[m->params.p[i].kind], m->params.p[i].name);
			return false;
		}
	}
	return true;
}

static void add(struct macro_table *t, struct expand *x, const struct macro *m)
{
	struct macro_entry *first = entries(t, m->name), *e = arena_new(t->arena, typeof(*e));
	struct shape s = {.macro = m};
	const struct macro *same;
	size_t d = 1;

	same = nearest(t, m->name, &s, &d);
	if (same && !d) {
		diag(x->d, D_MACRO, m->span, "Redefinition of macro: %s", m->name);
		diag_context(x->d, same->span, "This is the original definition.");
		return;
	}
	if (!check_params(x, m))
		return;
	*e = (struct macro_entry){NULL, m};
	if (!first) {
		map_put(&t->names, expand_hash(str_of(m->name)), e);
		return;
	}
	while (first->next)
		first = first->next;
	first->next = e;
}

void macro_table_init(struct macro_table *t, struct expand *x)
{
	*t = (struct macro_table){.arena = x->arena};
	for (size_t i = 0; i < x->p->macros.n; i++)
		add(t, x, x->p->macros.p[i]);
}

void macro_table_done(struct macro_table *t)
{
	map_done(&t->names);
}

/* Which arguments are not what the nearest definition wants. */
static void report_kinds(struct expand *x, const struct macro *m, const struct expr *call)
{
	static const char *const kinds[] = {"an expression", "a variable", "a map"};

	for (size_t i = 0; i < m->params.n; i++) {
		const struct macro_param *p = &m->params.p[i];
		enum macro_param_kind kind = kind_of(call->items.p[i]);

		if (p->kind == MACRO_EXPR || p->kind == kind)
			continue;
		diag(x->d, D_MACRO, call->items.p[i]->span,
		     "Mismatched arg. %s() expects %s for arg %s but got %s.", m->name,
		     kinds[p->kind], p->name, kinds[kind]);
		diag_context(x->d, p->span, "This is the argument in the closest definition.");
	}
}

static void report(struct macro_table *t, struct expand *x, const struct expr *e,
		   const struct shape *s)
{
	size_t best;
	const struct macro *last = nearest(t, e->name, s, &best);

	diag(x->d, D_MACRO, e->span, "Call to %s() has arguments that do not match any definition.",
	     e->name);
	if (last->params.n != e->items.n)
		diag_context(x->d, last->span,
			     "The closest definition of %s() has a different number of arguments. "
			     "Expected: %zu but got %zu",
			     last->name, last->params.n, e->items.n);
	else
		report_kinds(x, last, e);
}

const struct macro *macro_find(struct macro_table *t, struct expand *x, const struct expr *e)
{
	struct shape s = {.call = e};
	const struct macro *m;
	size_t d = 0;

	m = nearest(t, e->name, &s, &d);
	if (m && d && !is_function(e->name))
		report(t, x, e, &s);
	return m && !d ? m : NULL;
}
