/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that are right, but seem to be meant otherwise. */
#include "compile/lang/falco/check.h"

static void warn_regex(struct load *l, const struct item *item, const struct rule_term *t)
{
	struct str s = t->text;

	if (s.n && s.p[0] == '^')
		s.p++, s.n--;
	if (s.n && s.p[s.n - 1] == '$')
		s.n--;
	if (s.n >= 2 && s.p[0] == '.' && strchr("+*?", s.p[1]))
		s.p += 2, s.n -= 2;
	if (s.n >= 2 && s.p[s.n - 2] == '.' && strchr("+*?", s.p[s.n - 1]))
		s.n -= 2;
	for (size_t i = 0; i < s.n; i++)
		if (strchr(".+*?^$()[]{}|\\", s.p[i]))
			return;
	report(l, FALCO_WARN_CONDITION, D_OPERATOR, item, t->span,
	       "this regex may be written with a simpler operator: =, contains, startswith or "
	       "endswith");
}

static struct str without_blanks(struct load *l, struct str s)
{
	char *p = arena_alloc(&l->tmp, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (!strchr(" \t\r\n\v\f", s.p[i]))
			p[n++] = s.p[i];
	return (struct str){p, n};
}

static bool is_equality(enum rule_op op)
{
	return op == RULE_EQ || op == RULE_NE || op == RULE_IN || op == RULE_PMATCH ||
	       op == RULE_INTERSECTS;
}

static void warn_literal(struct load *l, const struct item *item, const struct check *c,
			 const struct rule_term *t)
{
	struct rule_field_ref ref;
	struct str s = without_blanks(l, t->text);
	const char *dot;

	if (c->row.op == RULE_REGEX)
		warn_regex(l, item, t);
	if (is_equality(c->row.op) && c->row.right.n == 1 && str_eq(t->text, STR("<NA>"))) {
		report(l, FALCO_UNSAFE_NA_CHECK, D_OPERATOR, item, t->span,
		       "comparison with <NA>: a field without a value is equal to nothing, to "
		       "this neither");
		diag_hint(l->d, "ask with 'exists'");
	}
	dot = s.n < 100 ? memchr(s.p, '.', s.n) : NULL;
	if (dot && dot != s.p && rule_field_find(s, &ref, NULL)) {
		report(l, FALCO_WARN_CONDITION, D_OPERATOR, item, t->span,
		       "'%.*s' may be a field, but is compared as text", (int)s.n, s.p);
		diag_hint(l->d, "write val(%.*s) for the field's value", (int)s.n, s.p);
	}
	for (int i = 0; i < RULE_TRANSFORMS && s.n && s.p[s.n - 1] == ')'; i++) {
		struct str name = str_of(rule_transform_names[i]);

		if (s.n > name.n + 1 && str_starts(s, name) && s.p[name.n] == '(')
			report(l, FALCO_WARN_CONDITION, D_OPERATOR, item, t->span,
			       "'%.*s' may be a transformer, but is compared as text",
			       (int)MIN(s.n, (size_t)80), s.p);
	}
}

/* An argument that no event has here: by its number, or of calls that skep has not. */
static bool has_no_value(const struct rule_field_ref *f)
{
	const struct rule_arg_info *row;

	if (f->id != RF_evt_arg && f->id != RF_evt_rawarg)
		return rule_field_info[f->id].class == RC_NOT_YET;
	row = rule_arg_find(f->arg, 0);
	return !row || !row->kinds;
}

/* The fields of a term, transformers looked into. */
static void warn_fields(struct load *l, const struct item *item, const struct rule_term *t)
{
	const struct rule_field_info *f;

	for (size_t i = 0; i < t->args.n; i++)
		warn_fields(l, item, t->args.p[i]);
	if (t->kind != RULE_TERM_FIELD)
		return;
	f = &rule_field_info[t->field.id];
	if (t->field.id == RF_evt_dir) {
		report(l, FALCO_DEPRECATED_FIELD, D_DEPRECATED, item, t->span,
		       "field 'evt.dir' tells nothing: it is always '<'");
		diag_hint(l->d, "the comparison can be left out");
	} else if (str_starts(str_of(f->name), STR("evt.latency")) ||
		   str_starts(str_of(f->name), STR("evt.wait_latency"))) {
		report(l, FALCO_DEPRECATED_FIELD, D_DEPRECATED, item, t->span,
		       "field '%s' has no value: a call is seen when it returns, not when it "
		       "begins",
		       f->name);
	} else if (has_no_value(&t->field)) {
		report(l, FALCO_WARN_CONDITION, D_UNSUPPORTED, item, t->span,
		       "field '%.*s' has no value here yet: what is compared with it is false",
		       (int)MIN(t->text.n, (size_t)80), t->text.p);
	}
}

void check_warn(struct load *l, const struct item *item, struct check *c)
{
	if (c->is_warned)
		return;
	c->is_warned = true;
	warn_fields(l, item, c->row.left);
	for (size_t i = 0; i < c->row.right.n; i++) {
		const struct rule_term *t = c->row.right.p[i];

		if (t->kind == RULE_TERM_LITERAL)
			warn_literal(l, item, c, t);
		else
			warn_fields(l, item, t);
	}
}
