/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a condition's text to its tree: boolean operators, and what stands between them.
 *
 * The first error ends it: what follows a missing parenthesis would only confuse.
 */
#include "compile/lang/falco/condition.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct cond *parse_or(struct parser *p);

static struct cond *new_cond(struct parser *p, enum cond_kind kind, struct span span)
{
	struct cond *c = arena_new(&p->l->tmp, struct cond);

	c->kind = kind;
	c->span = span;
	c->size = 1;
	return c;
}

static void add(struct parser *p, struct cond *to, struct cond *c)
{
	array_push(&p->l->tmp, &to->args, c);
	to->size += c->size;
	to->span = span_join(to->span, c->span.file == to->span.file ? c->span : to->span);
}

void *parse_fail(struct parser *p, struct span span, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (p->has_failed)
		return NULL;
	p->has_failed = true;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (p->why)
		*p->why = arena_strdup(&p->l->tmp, text);
	else
		report(p->l, FALCO_COMPILE_CONDITION, D_SYNTAX, p->item, span, "%s", text);
	return NULL;
}

/* --- operators */

static void hint_operator(struct parser *p)
{
	const char *names[RULE_OPS + 1] = {NULL}, *near;
	char word[32];
	size_t n = lex_bare(lex_rest(p));

	for (int i = 0; i < RULE_OPS; i++)
		names[i] = rule_op_info[i].text;
	snprintf(word, sizeof(word), "%.*s", (int)MIN(n, sizeof(word) - 1), p->s.p + p->at);
	near = word[0] ? str_nearest(word, names) : NULL;
	if (near)
		diag_hint(p->l->d, "did you mean '%s'?", near);
	else
		diag_hint(p->l->d, "there are =, !=, <, <=, >, >=, contains, icontains, "
				   "bcontains, startswith, bstartswith, endswith, glob, iglob, "
				   "regex, in, intersects, pmatch and exists");
}

/* The longest that stands here; words need an end behind them, but for "exists". */
static bool take_operator(struct parser *p, enum rule_op *ret)
{
	size_t best = 0;
	int found = -1;

	if (cond_take(p, "==")) {
		*ret = RULE_EQ;
		return true;
	}
	for (int i = 0; i < RULE_OPS; i++) {
		const char *text = rule_op_info[i].text;
		bool is_word = text[0] >= 'a' && text[0] <= 'z' && i != RULE_EXISTS;
		size_t begin = p->at;

		if (is_word ? lex_word(p, text) : cond_take(p, text)) {
			if (p->at - begin > best) {
				best = p->at - begin;
				found = i;
			}
			p->at = begin;
		}
	}
	if (found < 0)
		return false;
	p->at += best;
	*ret = (enum rule_op)found;
	return true;
}

static bool takes_quantifier(enum rule_op op)
{
	return rule_op_info[op].values == RULE_V_ONE && op != RULE_LT && op != RULE_LE &&
	       op != RULE_GT && op != RULE_GE;
}

/* "oneof" and its like count only if a list follows; else they are a string. */
static enum rule_quantifier take_quantifier(struct parser *p)
{
	static const char *const words[] = {
		[RULE_Q_ONEOF] = "oneof", [RULE_Q_ANYOF] = "anyof", [RULE_Q_ALLOF] = "allof"};
	size_t begin = p->at;

	for (int i = RULE_Q_ONEOF; i <= RULE_Q_ALLOF; i++) {
		if (!lex_word(p, words[i]))
			continue;
		if (lex_blank(p) &&
		    (lex_is(p, "(") || (lex_identifier(lex_rest(p)) && !lex_word(p, "and") &&
					!lex_word(p, "or") && !lex_word(p, "not"))))
			return (enum rule_quantifier)i;
		p->at = begin;
	}
	return RULE_Q_NONE;
}

/* --- what stands behind an operator */

static bool parse_list(struct parser *p, struct rule_check *row)
{
	struct rule_term *t;

	lex_blank(p);
	if (cond_take(p, ")"))
		return true;
	do {
		lex_blank(p);
		t = parse_literal(p);
		if (!t) {
			parse_fail(p, lex_here(p), "expected a string in this list");
			return false;
		}
		array_push(&p->l->rs->arena, &row->right, t);
		lex_blank(p);
	} while (cond_take(p, ","));
	if (cond_take(p, ")"))
		return true;
	parse_fail(p, lex_here(p), "expected ',' or ')' in this list");
	return false;
}

/* (a, b), or one word; a transformer if there is no quantifier. */
static bool parse_values(struct parser *p, struct rule_check *row)
{
	struct rule_term *t = NULL;
	size_t n;

	lex_blank(p);
	if (cond_take(p, "("))
		return parse_list(p, row);
	if (row->quantifier == RULE_Q_NONE)
		t = parse_right_term(p);
	n = lex_identifier(lex_rest(p));
	if (!t && !p->has_failed && n)
		t = parse_literal(p);
	if (!t) {
		parse_fail(p, lex_here(p), "expected a list in parentheses behind '%s'",
			   rule_op_info[row->op].text);
		return false;
	}
	array_push(&p->l->rs->arena, &row->right, t);
	return true;
}

static bool parse_value(struct parser *p, struct rule_check *row)
{
	bool wants_number = row->op >= RULE_LT && row->op <= RULE_GE;
	struct rule_term *t;

	lex_blank(p);
	t = parse_right_term(p);
	if (!t && !p->has_failed)
		t = wants_number ? parse_number(p) : parse_literal(p);
	if (!t) {
		parse_fail(p, lex_here(p), "expected a %s behind '%s'",
			   wants_number ? "number" : "string", rule_op_info[row->op].text);
		return false;
	}
	array_push(&p->l->rs->arena, &row->right, t);
	return true;
}

static bool parse_right(struct parser *p, struct rule_check *row)
{
	size_t begin;

	switch (rule_op_info[row->op].values) {
	case RULE_V_NONE:
		return true;
	case RULE_V_LIST:
		return parse_values(p, row);
	case RULE_V_ONE:
		break;
	}
	begin = p->at;
	if (takes_quantifier(row->op) && lex_blank(p))
		row->quantifier = take_quantifier(p);
	if (row->quantifier != RULE_Q_NONE)
		return parse_values(p, row);
	p->at = begin;
	return parse_value(p, row);
}

static struct cond *parse_comparison(struct parser *p, struct rule_term *left, size_t begin)
{
	struct cond *c = new_cond(p, COND_CHECK, lex_span(p, begin));
	struct check *check = arena_new(&p->l->tmp, struct check);
	size_t op;

	lex_blank(p);
	op = p->at;
	check->row.left = left;
	if (!take_operator(p, &check->row.op)) {
		parse_fail(p, lex_here(p), "expected an operator behind '%.*s'",
			   (int)MIN(left->text.n, (size_t)80), left->text.n ? left->text.p : "");
		hint_operator(p);
		return NULL;
	}
	check->op = lex_span(p, op);
	if (!parse_right(p, &check->row))
		return NULL;
	c->span = check->row.span = lex_span(p, begin);
	c->check = check;
	return c;
}

/* --- checks, not, and, or */

static struct cond *parse_embedded(struct parser *p)
{
	struct cond *c;

	if (!parse_deeper(p))
		return NULL;
	c = parse_or(p);
	if (!c)
		return NULL;
	lex_blank(p);
	if (!cond_take(p, ")"))
		return parse_fail(p, lex_here(p),
				  p->at < p->s.n ? "expected ')', 'and' or 'or' here"
						 : "expected ')' at the end");
	p->depth--;
	return c;
}

static bool is_keyword(struct str s)
{
	return str_eq(s, STR("and")) || str_eq(s, STR("or")) || str_eq(s, STR("not"));
}

static struct cond *parse_name(struct parser *p)
{
	size_t begin = p->at, n = lex_identifier(lex_rest(p));
	struct cond *c;

	if (!n || is_keyword((struct str){p->s.p + begin, n}))
		return parse_fail(p, lex_here(p),
				  p->at < p->s.n ? "expected a field, a macro or '(' here"
						 : "expected a field, a macro or '(' at the end");
	p->at += n;
	c = new_cond(p, COND_NAME, lex_span(p, begin));
	c->name = (struct str){arena_strndup(&p->l->tmp, p->s.p + begin, n), n};
	return c;
}

static struct cond *parse_check(struct parser *p)
{
	struct rule_term *left;
	size_t begin;

	lex_blank(p);
	if (cond_take(p, "("))
		return parse_embedded(p);
	begin = p->at;
	left = parse_term(p);
	if (p->has_failed)
		return NULL;
	return left ? parse_comparison(p, left, begin) : parse_name(p);
}

static bool is_blank_at(const struct parser *p, size_t at)
{
	return at < p->s.n && strchr(" \t\r\n\v\f", p->s.p[at]);
}

static struct cond *parse_not(struct parser *p)
{
	size_t begin;
	struct cond *c, *n;
	bool is_not = false;

	lex_blank(p);
	begin = p->at;
	while (lex_is(p, "not") && is_blank_at(p, p->at + 3)) {
		is_not = !is_not;
		p->at += 3;
		lex_blank(p);
	}
	if (cond_take(p, "not(")) {
		is_not = !is_not;
		c = parse_embedded(p);
	} else {
		c = parse_check(p);
	}
	if (!c || !is_not)
		return c;
	n = new_cond(p, COND_NOT, lex_span(p, begin));
	add(p, n, c);
	return n;
}

/* Operands with `word` between; `word` must have a blank or '(' behind it. */
static struct cond *parse_chain(struct parser *p, enum cond_kind kind, const char *word,
				struct cond *(*operand)(struct parser *))
{
	struct cond *c = operand(p), *all = NULL;

	for (; c; lex_blank(p)) {
		if (all)
			add(p, all, c);
		lex_blank(p);
		if (!cond_take(p, word))
			return all ? all : c;
		if (!all) {
			all = new_cond(p, kind, c->span);
			add(p, all, c);
		}
		if (lex_bare(lex_rest(p)))
			return parse_fail(p, lex_here(p), "expected a blank or '(' behind '%s'",
					  word);
		c = operand(p);
	}
	return NULL;
}

static struct cond *parse_and(struct parser *p)
{
	return parse_chain(p, COND_AND, "and", parse_not);
}

static struct cond *parse_or(struct parser *p)
{
	return parse_chain(p, COND_OR, "or", parse_and);
}

static struct parser parser_of(struct load *l, const struct item *item, const struct text *text)
{
	return (struct parser){.l = l, .item = item, .text = text, .s = text_str(text)};
}

struct cond *condition_parse(struct load *l, const struct item *item, const struct text *text)
{
	struct parser p = parser_of(l, item, text);
	struct cond *c;

	lex_blank(&p);
	if (p.at == p.s.n)
		return parse_fail(&p, item->span, "the condition is empty");
	c = parse_or(&p);
	if (c && p.at < p.s.n)
		return parse_fail(&p, lex_here(&p), "expected 'and' or 'or' here");
	return c;
}

struct rule_term *condition_term(struct load *l, const struct text *text, size_t from,
				 size_t *ret_end, const char **ret_why)
{
	struct parser p = parser_of(l, NULL, text);
	struct rule_term *t;

	p.at = from;
	p.why = ret_why;
	*ret_why = "neither a field nor a transformer";
	t = parse_term(&p);
	*ret_end = p.at;
	return p.has_failed ? NULL : t;
}
