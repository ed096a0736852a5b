/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sides of a comparison: fields, literals, and transformers over them.
 *
 * A field keeps its text ("proc.aname[2]") until check.c looks it up: a macro that nothing
 * uses may name what is not there.
 */
#include "compile/lang/falco/condition.h"

static struct rule_term *new_term(struct parser *p, enum rule_term_kind kind, size_t begin)
{
	struct rule_term *t = arena_new(&p->l->rs->arena, struct rule_term);

	t->kind = kind;
	t->span = lex_span(p, begin);
	return t;
}

static struct str keep(struct parser *p, size_t begin, size_t end)
{
	size_t n = end - begin;

	return (struct str){arena_strndup(&p->l->rs->arena, p->s.p + begin, n), n};
}

bool parse_deeper(struct parser *p)
{
	if (++p->depth <= NESTING_MAX)
		return true;
	parse_fail(p, lex_here(p), "nested deeper than %d levels", NESTING_MAX);
	return false;
}

/* [argument] behind a field or transformer; *ret is {} if there is none. */
static bool parse_argument(struct parser *p, struct str *ret)
{
	size_t begin = p->at + 1, n = 0;
	bool is_quoted = false;

	*ret = (struct str){};
	if (!cond_take(p, "["))
		return true;
	if (lex_is(p, "\"") || lex_is(p, "'")) {
		is_quoted = true;
		if (!lex_quoted(p, ret))
			return false;
	} else {
		while (begin + n < p->s.n && !strchr("[]\"' \t\r\n\v\f", p->s.p[begin + n]))
			n++;
		p->at += n;
		*ret = keep(p, begin, begin + n);
	}
	if (!is_quoted && !n) {
		parse_fail(p, lex_here(p), "expected an argument between [ and ]");
		return false;
	}
	if (cond_take(p, "]"))
		return true;
	parse_fail(p, lex_here(p), "expected ']' behind the argument");
	return false;
}

static struct rule_term *parse_field(struct parser *p)
{
	size_t begin = p->at, n = lex_field(lex_rest(p));
	struct rule_term *t;
	struct str name, argument;

	if (!n)
		return NULL;
	p->at += n;
	name = keep(p, begin, p->at);
	if (!parse_argument(p, &argument))
		return NULL;
	t = new_term(p, RULE_TERM_FIELD, begin);
	t->text = name;
	if (argument.n)
		t->text = str_of(arena_printf(&p->l->rs->arena, "%s[%.*s]", name.p, (int)argument.n,
					      argument.p));
	return t;
}

struct rule_term *parse_literal(struct parser *p)
{
	size_t begin = p->at, n = lex_bare(lex_rest(p));
	struct rule_term *t;
	struct str text;

	if (lex_is(p, "\"") || lex_is(p, "'")) {
		if (!lex_quoted(p, &text))
			return NULL;
	} else {
		if (!n)
			return NULL;
		p->at += n;
		text = keep(p, begin, p->at);
	}
	t = new_term(p, RULE_TERM_LITERAL, begin);
	t->text = text;
	return t;
}

struct rule_term *parse_number(struct parser *p)
{
	size_t begin = p->at, n = cond_number(lex_rest(p));
	struct rule_term *t;

	if (!n)
		return NULL;
	p->at += n;
	t = new_term(p, RULE_TERM_LITERAL, begin);
	t->text = keep(p, begin, p->at);
	return t;
}

/* "tolower(": its number, the parenthesis is passed; −1: none. */
static int take_transformer(struct parser *p)
{
	for (int i = 0; i < RULE_TRANSFORMS; i++) {
		struct str name = str_of(rule_transform_names[i]), rest = lex_rest(p);

		if (rest.n > name.n && str_starts(rest, name) && rest.p[name.n] == '(') {
			p->at += name.n + 1;
			return i;
		}
	}
	return -1;
}

static struct rule_term *parse_transformer(struct parser *p);

/* An argument of a transformer: a number, a string, a field, another transformer. */
static struct rule_term *parse_part(struct parser *p)
{
	struct rule_term *t;

	lex_blank(p);
	t = parse_number(p);
	if (!t && (lex_is(p, "\"") || lex_is(p, "'")))
		t = parse_literal(p);
	if (!t && !p->has_failed)
		t = parse_transformer(p);
	if (!t && !p->has_failed)
		t = parse_field(p);
	if (!t && !p->has_failed)
		parse_fail(p, lex_here(p),
			   "expected a field, a transformer, a number or a string in quotes");
	return t;
}

/* Behind '(' or a ',': its parts up to the ')'.  (a, b) within is a list of more. */
static bool parse_parts(struct parser *p, struct rule_term *into, bool may_be_empty)
{
	struct rule_term *part;

	lex_blank(p);
	if (may_be_empty && cond_take(p, ")"))
		return true;
	do {
		lex_blank(p);
		if (!may_be_empty && cond_take(p, "(")) {
			if (!parse_parts(p, into, true))
				return false;
		} else {
			part = parse_part(p);
			if (!part)
				return false;
			array_push(&p->l->rs->arena, &into->args, part);
		}
		lex_blank(p);
	} while (cond_take(p, ","));
	if (cond_take(p, ")"))
		return true;
	parse_fail(p, lex_here(p), "expected ',' or ')' behind an argument of the transformer");
	return false;
}

/* NULL without a report: none begins here. */
static struct rule_term *parse_transformer(struct parser *p)
{
	size_t begin = p->at;
	int which = take_transformer(p);
	struct rule_term *t;

	if (which < 0 || !parse_deeper(p))
		return NULL;
	t = new_term(p, RULE_TERM_TRANSFORM, begin);
	t->transform = (enum rule_transform)which;
	if (!parse_parts(p, t, false) || !parse_argument(p, &t->index))
		return NULL;
	t->span = lex_span(p, begin);
	p->depth--;
	return t;
}

struct rule_term *parse_term(struct parser *p)
{
	struct rule_term *t = parse_field(p);

	return t || p->has_failed ? t : parse_transformer(p);
}

struct rule_term *parse_right_term(struct parser *p)
{
	struct rule_term *t;

	if (!cond_take(p, "val("))
		return parse_transformer(p);
	lex_blank(p);
	t = parse_field(p);
	if (!t && !p->has_failed)
		return parse_fail(p, lex_here(p), "expected a field within val()");
	lex_blank(p);
	if (t && !cond_take(p, ")"))
		return parse_fail(p, lex_here(p), "expected ')' behind the field of val()");
	return t;
}
