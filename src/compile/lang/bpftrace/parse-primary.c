/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The atoms of expressions: numbers, strings, names, calls, maps, and what parentheses
 * may mean.
 *
 * "(" opens a record if a name and "=" follow, a cast if a type and ")" follow and then
 * something that can be an operand, else a tuple or a mere group: looked at in this order.
 */
#include "compile/lang/bpftrace/parser.h"

const char *parser_name(struct parser *p, struct str s)
{
	return arena_strndup(p->arena, s.p, s.n);
}

/* --- words */

struct expr *parse_condition(struct parser *p)
{
	struct expr *e;

	/* In its parentheses "x = 1" is no record, and "{" behind opens the block. */
	lex_space(&p->lex);
	if (lex_peek(&p->lex, 0) != '(')
		return parse_unary(p);
	p->lex.at++;
	e = parse_expr(p);
	lex_expect(&p->lex, ')');
	return e;
}

struct expr *parse_block_expr(struct parser *p, bool has_value)
{
	size_t begin = p->lex.at;
	struct block *b = parse_block(p, has_value);
	struct expr *e;

	if (!b)
		return expr_none(p);
	e = expr_new(p, EXPR_BLOCK, begin, NULL, NULL, NULL);
	e->block = b;
	return expr_end(p, e);
}

static struct expr *parse_else(struct parser *p)
{
	lex_space(&p->lex);
	if (lex_peek(&p->lex, 0) == '{')
		return parse_block_expr(p, true);
	if (lex_is_word(&p->lex, "if")) {
		struct expr *e;

		if (!parser_enter(p))
			return expr_none(p);
		e = parse_primary(p);
		parser_leave(p);
		return e;
	}
	lex_error(&p->lex, "expected '{' or 'if' after 'else'");
	return expr_none(p);
}

static struct expr *parse_if(struct parser *p, size_t begin)
{
	struct expr *a = parse_condition(p), *b = parse_block_expr(p, true), *c;
	size_t before = p->lex.at;

	if (lex_take_word(&p->lex, "else")) {
		c = parse_else(p);
	} else {
		p->lex.at = before;
		c = expr_none(p);
	}
	return expr_new(p, EXPR_IF, begin, a, b, c);
}

static struct expr *parse_sizeof(struct parser *p, size_t begin, enum expr_kind kind)
{
	struct type_ref *ref;
	struct expr *a, *e;

	lex_expect(&p->lex, '(');
	parse_type_or_expr(p, &ref, &a);
	lex_expect(&p->lex, ')');
	e = expr_new(p, kind, begin, a, NULL, NULL);
	e->ref = ref;
	return e;
}

static struct expr *parse_offsetof(struct parser *p, size_t begin)
{
	ARRAY(const char *) names = {};
	struct type_ref *ref;
	struct expr *a, *e;

	lex_expect(&p->lex, '(');
	parse_type_or_expr(p, &ref, &a);
	lex_expect(&p->lex, ',');
	do {
		array_push(p->arena, &names, parser_name(p, lex_name(&p->lex, NULL)));
	} while (lex_take(&p->lex, '.'));
	lex_expect(&p->lex, ')');
	e = expr_new(p, EXPR_OFFSETOF, begin, a, NULL, NULL);
	e->ref = ref;
	memcpy(&e->names, &names, sizeof(names));
	return e;
}

static struct expr *parse_argument(struct parser *p)
{
	size_t begin;
	struct expr *e;

	if (!lex_is_word(&p->lex, "typeof"))
		return parse_expr(p);
	lex_space(&p->lex);
	begin = p->lex.at;
	e = expr_none(p);
	e->kind = EXPR_TYPE;
	e->ref = parse_annotation(p);
	e->span = lex_span(&p->lex, begin);
	return expr_end(p, e);
}

static void add_item(struct parser *p, struct expr *e, struct expr *item)
{
	array_push(p->arena, &e->items, item);
}

static struct expr *parse_call(struct parser *p, size_t begin, struct str name, struct span where)
{
	struct expr *e = expr_new(p, EXPR_CALL, begin, NULL, NULL, NULL);

	lex_expect(&p->lex, '(');
	lex_space(&p->lex);
	e->name = parser_name(p, name);
	if (lex_peek(&p->lex, 0) != ')') {
		do {
			add_item(p, e, parse_argument(p));
		} while (lex_take(&p->lex, ','));
	}
	lex_expect(&p->lex, ')');
	expr_end(p, e)->op_span = where;
	return e;
}

static struct expr *parse_word(struct parser *p, size_t begin)
{
	struct lex *l = &p->lex;
	struct str name = lex_name(l, NULL);
	struct span where = lex_span(l, begin);
	struct expr *e;

	if (word_eq(name, "true") || word_eq(name, "false")) {
		e = expr_new(p, EXPR_BOOL, begin, NULL, NULL, NULL);
		e->number = word_eq(name, "true");
		return e;
	}
	lex_space(l);
	if (lex_peek(l, 0) == '(')
		return parse_call(p, begin, name, where);
	e = expr_new(p, EXPR_IDENT, begin, NULL, NULL, NULL);
	e->name = parser_name(p, name);
	e->span = e->op_span = where;
	return e;
}

/* --- maps, variables, parameters */

struct expr *parse_variable(struct parser *p)
{
	size_t begin = p->lex.at;
	struct str name = lex_variable(&p->lex);
	struct expr *e = expr_new(p, EXPR_VAR, begin, NULL, NULL, NULL);

	e->name = parser_name(p, name);
	return e;
}

struct expr *parse_map(struct parser *p)
{
	size_t begin = p->lex.at;
	struct str name = lex_map(&p->lex);
	struct expr *map = expr_new(p, EXPR_MAP, begin, NULL, NULL, NULL), *key, *e;

	map->name = parser_name(p, name);
	lex_space(&p->lex);
	if (lex_peek(&p->lex, 0) != '[')
		return map;
	p->lex.at++;
	key = parse_expr(p);
	if (lex_take(&p->lex, ',')) {
		e = expr_new(p, EXPR_TUPLE, begin, NULL, NULL, NULL);
		add_item(p, e, key);
		do {
			add_item(p, e, parse_expr(p));
		} while (lex_take(&p->lex, ','));
		lex_expect(&p->lex, ']');
		key = expr_end(p, e);
	} else {
		lex_expect(&p->lex, ']');
	}
	return expr_new(p, EXPR_MAP_ACCESS, begin, map, key, NULL);
}

static struct expr *parse_param(struct parser *p, size_t begin)
{
	struct lex *l = &p->lex;
	uint64_t n = 0;
	bool fits = true;
	struct expr *e;

	l->at++;
	while (lex_is_digit(lex_peek(l, 0)))
		fits = fits && !__builtin_mul_overflow(n, 10, &n) &&
		       !__builtin_add_overflow(n, lex_peek(l, 0) - '0', &n),
		l->at++;
	if (!fits || n < 1 || n > INT64_MAX)
		lex_error_at(l, begin, l->at, "param %.*s is out of integer range [1, %lld]",
			     (int)(l->at - begin), l->text.p + begin, (long long)INT64_MAX);
	e = expr_new(p, EXPR_PARAM, begin, NULL, NULL, NULL);
	e->number = n;
	return e;
}

static struct expr *parse_dollar(struct parser *p, size_t begin)
{
	if (lex_peek(&p->lex, 1) == '#') {
		p->lex.at += 2;
		return expr_new(p, EXPR_PARAM_COUNT, begin, NULL, NULL, NULL);
	}
	if (lex_is_digit(lex_peek(&p->lex, 1)))
		return parse_param(p, begin);
	return parse_variable(p);
}

/* --- literals */

static struct expr *parse_integer(struct parser *p, size_t begin)
{
	struct str text = lex_number(&p->lex);
	uint64_t n = 0;
	const char *wrong = literal_parse(p->arena, text, &n);
	struct expr *e;

	if (wrong)
		lex_error_at(&p->lex, begin, p->lex.at, "%s", wrong);
	e = expr_new(p, EXPR_INT, begin, NULL, NULL, NULL);
	e->number = n;
	e->source = parser_name(p, text);
	return e;
}

static struct expr *parse_string(struct parser *p, size_t begin)
{
	struct str text = lex_string(&p->lex);
	struct expr *e = expr_new(p, EXPR_STRING, begin, NULL, NULL, NULL);

	e->text = text;
	return e;
}

/* --- parentheses; the cursor is behind the first */

static void skip_to_close(struct lex *l)
{
	size_t depth = 1;

	for (; !lex_end(l); l->at++) {
		depth += lex_peek(l, 0) == '(';
		if (lex_peek(l, 0) == ')' && --depth == 0)
			return;
	}
}

static bool has_name(const struct expr *e, struct str name)
{
	for (size_t i = 0; i < e->names.n; i++)
		if (word_eq(name, e->names.p[i]))
			return true;
	return false;
}

static bool record_ahead(const struct lex *l)
{
	size_t at = lex_after_space(l, l->at), end = lex_after_word(l, at);
	struct str word = {l->text.p + at, end - at};

	if (!lex_is_start(lex_byte(l, at)) || word_is_builtin(word))
		return false;
	end = lex_after_space(l, end);
	return lex_byte(l, end) == '=' && lex_byte(l, end + 1) != '=';
}

static struct expr *parse_record(struct parser *p, size_t begin)
{
	struct expr *e = expr_new(p, EXPR_RECORD, begin, NULL, NULL, NULL), *item;
	struct lex *l = &p->lex;

	do {
		struct str name;
		size_t at;

		lex_space(l);
		at = l->at;
		name = lex_name(l, "expected identifier");
		if (!name.n) {
			skip_to_close(l);
			break;
		}
		lex_expect(l, '=');
		item = parse_expr(p);
		if (has_name(e, name))
			lex_error_at(l, at, l->at,
				     "Named argument list already contains name: %.*s", (int)name.n,
				     name.p);
		add_item(p, e, item);
		array_push(p->arena, &e->names, parser_name(p, name));
	} while (lex_take(l, ','));
	lex_expect(l, ')');
	return expr_end(p, e);
}

static bool operand_ahead(const struct lex *l)
{
	unsigned char c = lex_byte(l, lex_after_space(l, l->at));

	return lex_is_body(c) || (c && strchr("$@\"(-!~*&", c));
}

/* Is it "typeof(…))" and an operand?  Types in words are simply tried. */
static bool typeof_cast_ahead(const struct lex *l)
{
	struct lex ahead = *l;

	ahead.at = lex_after_space(l, lex_after_space(l, l->at) + strlen("typeof"));
	if (lex_peek(&ahead, 0) != '(')
		return false;
	ahead.at = lex_after_space(l, lex_after_balanced(l, ahead.at, '(', ')'));
	if (lex_peek(&ahead, 0) != ')')
		return false;
	ahead.at++;
	return operand_ahead(&ahead);
}

static struct type_ref *try_cast_type(struct parser *p)
{
	struct lex *l = &p->lex;
	struct diags *d = l->d;
	struct type_ref *ref;
	unsigned int errors = d->errors;
	bool quiet = d->quiet;

	if (!lex_is_start(lex_peek(l, 0)) || word_is_builtin(lex_peek_word(l)))
		return NULL;
	if (p->is_value && p->is_value(p->ctx, lex_peek_word(l)))
		return NULL;
	d->quiet = true;
	ref = parse_type(p, false);
	if (d->errors != errors)
		ref = NULL;
	d->quiet = quiet;
	d->errors = errors;
	return ref;
}

/* NULL: it is none, the cursor is where it was. */
static struct expr *try_cast(struct parser *p, size_t begin)
{
	struct lex *l = &p->lex;
	struct type_ref *ref = NULL;
	struct span op_span;
	size_t before = l->at;
	struct expr *e;

	if (!lex_is_word(l, "typeof"))
		ref = try_cast_type(p);
	else if (typeof_cast_ahead(l))
		ref = parse_annotation(p);
	lex_space(l);
	if (!ref || lex_peek(l, 0) != ')') {
		l->at = before;
		return NULL;
	}
	l->at++;
	lex_space(l);
	if (!operand_ahead(l)) {
		l->at = before;
		return NULL;
	}
	op_span = lex_span(l, begin);
	e = parse_unary(p);
	e = expr_new(p, EXPR_CAST, begin, e, NULL, NULL);
	e->op_span = op_span;
	e->ref = ref;
	return e;
}

static struct expr *parse_tuple_or_group(struct parser *p, size_t begin)
{
	struct expr *first = parse_expr(p), *e;
	struct lex *l = &p->lex;

	lex_space(l);
	if (lex_peek(l, 0) != ',') {
		lex_expect(l, ')');
		return first;
	}
	e = expr_new(p, EXPR_TUPLE, begin, NULL, NULL, NULL);
	add_item(p, e, first);
	while (lex_take(l, ',')) {
		lex_space(l);
		if (lex_peek(l, 0) == ')')
			break;
		add_item(p, e, parse_expr(p));
	}
	lex_expect(l, ')');
	return expr_end(p, e);
}

static struct expr *parse_parentheses(struct parser *p, size_t begin)
{
	struct expr *e;

	p->lex.at++;
	lex_space(&p->lex);
	if (lex_peek(&p->lex, 0) == ')') {
		p->lex.at++;
		return expr_new(p, EXPR_TUPLE, begin, NULL, NULL, NULL);
	}
	if (record_ahead(&p->lex))
		return parse_record(p, begin);
	e = try_cast(p, begin);
	return e ? e : parse_tuple_or_group(p, begin);
}

/* --- all of them */

static struct expr *parse_keyword(struct parser *p, size_t begin)
{
	struct lex *l = &p->lex;
	struct expr *a;

	if (lex_take_word(l, "if"))
		return parse_if(p, begin);
	if (lex_take_word(l, "sizeof"))
		return parse_sizeof(p, begin, EXPR_SIZEOF);
	if (lex_take_word(l, "offsetof"))
		return parse_offsetof(p, begin);
	if (lex_take_word(l, "typeinfo"))
		return parse_sizeof(p, begin, EXPR_TYPEINFO);
	if (lex_take_word(l, "comptime")) {
		a = parse_unary(p);
		return expr_new(p, EXPR_COMPTIME, begin, a, NULL, NULL);
	}
	return parse_word(p, begin);
}

struct expr *parse_primary(struct parser *p)
{
	struct lex *l = &p->lex;
	unsigned char c;

	lex_space(l);
	c = lex_peek(l, 0);
	if (c == '(')
		return parse_parentheses(p, l->at);
	if (c == '{')
		return parse_block_expr(p, true);
	if (c == '@')
		return parse_map(p);
	if (c == '$')
		return parse_dollar(p, l->at);
	if (c == '"')
		return parse_string(p, l->at);
	if (lex_is_digit(c))
		return parse_integer(p, l->at);
	if (lex_is_start(c))
		return parse_keyword(p, l->at);
	lex_error(l, "expected expression");
	return expr_none(p);
}
