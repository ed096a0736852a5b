/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a tree of words to the condition of a rule: checks become rows of the rule set.
 *
 * Checks that are always so are put in as constants, and what they decide goes:
 * "never_true and …" is false.
 */
#include "compile/lang/falco/check.h"

#include <stdarg.h>
#include <stdio.h>

bool check_fail(struct load *l, struct check *c, enum check_state state, struct span where,
		const char *hint, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	c->state = state;
	c->where = where;
	c->hint = hint;
	c->message = arena_strdup(&l->rs->arena, text);
	return false;
}

bool term_reads_env(const struct rule_term *t)
{
	for (size_t i = 0; i < t->args.n; i++)
		if (term_reads_env(t->args.p[i]))
			return true;
	if (t->kind != RULE_TERM_FIELD)
		return false;
	return t->field.id == RF_proc_env ||
	       ((t->field.id == RF_evt_arg || t->field.id == RF_evt_rawarg) &&
		str_eq(t->field.arg, STR("env")));
}

struct known_check {
	struct str text;
	uint32_t id;
};

/* The row of an equal check; they are found by their text. */
static uint32_t row_of(struct load *l, struct rule_check *row)
{
	struct known_check *k;
	struct str text;
	uint64_t key;

	buf_reset(&l->scratch);
	rule_check_print(row, &l->scratch);
	text = buf_str(&l->scratch);
	key = str_hash(text);
	k = map_get(&l->by_text, key);
	if (k && str_eq(k->text, text))
		return k->id;
	k = arena_new(&l->tmp, struct known_check);
	k->id = ruleset_check(l->rs, row);
	k->text = (struct str){arena_strndup(&l->tmp, text.p, text.n), text.n};
	map_put(&l->by_text, key, k);
	return k->id;
}

/* Once a check; what comes out is its state. */
static void resolve(struct load *l, struct check *c)
{
	enum rule_type type;

	if (!term_resolve(l, c, c->row.left, &type) || !check_operator(l, c, type) ||
	    !check_values(l, c, type))
		return;
	check_events(c);
	if (l->rs->checks.n >= CHECKS_MAX) {
		check_fail(l, c, CHECK_BAD, c->row.span, NULL, "more than %d different checks",
			   CHECKS_MAX);
		return;
	}
	c->state = CHECK_GOOD;
	if (c->is_const)
		return;
	c->row.id = row_of(l, &c->row);
	l->rs->wants_env |= term_reads_env(c->row.left);
	for (size_t i = 0; i < c->row.right.n; i++)
		l->rs->wants_env |= term_reads_env(c->row.right.p[i]);
}

/* False: it is not good, which is reported; *ret_skip: the rule wants to be left out then. */
static bool check_one(struct load *l, struct rule_info *r, struct check *c, bool *ret_skip)
{
	enum falco_code code = FALCO_COMPILE_CONDITION;
	bool skips = false;

	if (c->state == CHECK_NEW)
		resolve(l, c);
	if (c->state == CHECK_GOOD) {
		check_warn(l, &r->item, c);
		return true;
	}
	if (c->state == CHECK_UNKNOWN && r->skip_if_unknown) {
		code = FALCO_UNKNOWN_FILTER;
		*ret_skip = skips = true;
	}
	report(l, code, c->state == CHECK_UNKNOWN ? D_UNKNOWN_FIELD : D_TYPE_MISMATCH, &r->item,
	       c->where, "%s%s", c->message, skips ? ": the rule is left out" : "");
	if (c->hint)
		diag_hint(l->d, "%s", c->hint);
	return false;
}

static bool check_all(struct load *l, struct rule_info *r, struct cond *c, bool *ret_skip)
{
	bool is_good = true;

	if (c->kind == COND_CHECK)
		return check_one(l, r, c->check, ret_skip);
	for (size_t i = 0; i < c->args.n; i++)
		is_good &= check_all(l, r, c->args.p[i], ret_skip);
	return is_good;
}

/* --- the tree of the rule set */

static struct rule_expr *new_expr(struct load *l, enum rule_expr_kind kind, struct span span)
{
	struct rule_expr *e = arena_new(&l->rs->arena, struct rule_expr);

	e->kind = kind;
	e->span = span;
	return e;
}

static struct rule_expr *constant(struct load *l, bool value, struct span span)
{
	struct rule_expr *e = new_expr(l, RULE_E_CONST, span);

	e->value = value;
	return e;
}

static struct rule_expr *build(struct load *l, const struct cond *c);

static struct rule_expr *build_not(struct load *l, const struct cond *c)
{
	struct rule_expr *of = build(l, c->args.p[0]), *e;

	if (of->kind == RULE_E_CONST)
		return constant(l, !of->value, c->span);
	if (of->kind == RULE_E_NOT)
		return of->args.p[0];
	e = new_expr(l, RULE_E_NOT, c->span);
	array_push(&l->rs->arena, &e->args, of);
	return e;
}

/* and, or: those within the same are put into it. */
static struct rule_expr *build_chain(struct load *l, const struct cond *c)
{
	enum rule_expr_kind kind = c->kind == COND_AND ? RULE_E_AND : RULE_E_OR;
	struct rule_expr *e = new_expr(l, kind, c->span), *arg;
	bool decides = kind == RULE_E_OR;

	for (size_t i = 0; i < c->args.n; i++) {
		arg = build(l, c->args.p[i]);
		if (arg->kind == RULE_E_CONST) {
			if (arg->value == decides)
				return constant(l, decides, c->span);
		} else if (arg->kind == kind) {
			for (size_t k = 0; k < arg->args.n; k++)
				array_push(&l->rs->arena, &e->args, arg->args.p[k]);
		} else {
			array_push(&l->rs->arena, &e->args, arg);
		}
	}
	if (!e->args.n)
		return constant(l, !decides, c->span);
	return e->args.n == 1 ? e->args.p[0] : e;
}

static struct rule_expr *build(struct load *l, const struct cond *c)
{
	struct rule_expr *e;

	switch (c->kind) {
	case COND_AND:
	case COND_OR:
		return build_chain(l, c);
	case COND_NOT:
		return build_not(l, c);
	case COND_CHECK:
	case COND_NAME: /* there are none any more */
		break;
	}
	if (c->check->is_const)
		return constant(l, c->check->value, c->span);
	e = new_expr(l, RULE_E_CHECK, c->span);
	e->check = c->check->row.id;
	return e;
}

/* What a person should know of a rule that is right. */
static void warn_rule(struct load *l, const struct rule_info *r, const struct cond *c,
		      const struct rule_expr *e)
{
	if (e->kind == RULE_E_CONST && !e->value)
		return; /* switched off on purpose: never_true */
	if (r->warn_evttypes && !check_has_evttype(c, false)) {
		report(l, FALCO_NO_EVTTYPE, D_OPERATOR, &r->item, r->item.span,
		       "rule matches too many evt.type values: all events are looked at");
		diag_hint(l->d, "restrict it, as 'evt.type in (open, openat)'");
	} else if (!check_kinds(c, false)) {
		report(l, FALCO_WARN_CONDITION, D_UNSUPPORTED, &r->item, r->item.span,
		       "skep sees none of the events that this rule is about: it never alerts");
		diag_hint(l->d, "skep rules events shows those it sees");
	}
}

void check_parts(struct load *l, struct rule_info *r, struct cond *parsed)
{
	bool unused = false;

	check_all(l, r, parsed, &unused);
}

struct rule_expr *check_rule(struct load *l, struct rule_info *r, struct cond *tree, bool *ret_skip)
{
	struct rule_expr *e;

	l->n_nodes += tree->size;
	if (l->n_nodes > TREES_MAX) {
		report(l, FALCO_COMPILE_CONDITION, D_LIMIT, &r->item, r->item.span,
		       "the conditions of all rules have more than %d parts", TREES_MAX);
		return NULL;
	}
	if (!check_all(l, r, tree, ret_skip))
		return NULL;
	e = build(l, tree);
	warn_rule(l, r, tree, e);
	return e;
}
