/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators: everything between a whole expression and its atoms.
 *
 * Binary operators climb precedences: a loop takes operators at least as strong as its
 * floor and recurses for the right side with a floor one higher.  Trees that lean left
 * grow in that loop, without recursion here but not in the phases behind: expr_new()
 * bounds the height of every tree.
 */
#include "compile/lang/bpftrace/expand.h"
#include "compile/lang/bpftrace/parser.h"

static const struct operator
{
	char text[3];
	enum expr_op op;
	int strength;
}
operators[] = {
	/* The long ones first: "<" begins "<<". */
	{"||", OP_LOR, 1}, {"&&", OP_LAND, 2}, {"==", OP_EQ, 6},  {"!=", OP_NE, 6},
	{"<=", OP_LE, 7},  {">=", OP_GE, 7},   {"<<", OP_SHL, 8}, {">>", OP_SHR, 8},
	{"|", OP_OR, 3},   {"^", OP_XOR, 4},   {"&", OP_AND, 5},  {"<", OP_LT, 7},
	{">", OP_GT, 7},   {"+", OP_ADD, 9},   {"-", OP_SUB, 9},  {"*", OP_MUL, 10},
	{"/", OP_DIV, 10}, {"%", OP_MOD, 10},
};

bool parser_enter(struct parser *p)
{
	if (p->depth >= HEIGHT_MAX) {
		lex_give_up(&p->lex, "program is nested too deeply");
		return false;
	}
	p->depth++;
	return true;
}

static void check_height(struct parser *p, const struct expr *e)
{
	if (e->height > HEIGHT_MAX && !p->lex.is_over)
		lex_give_up(&p->lex, "program is nested too deeply");
}

struct expr *expr_new(struct parser *p, enum expr_kind kind, size_t begin, struct expr *a,
		      struct expr *b, struct expr *c)
{
	struct expr *e = arena_new(p->arena, struct expr);

	*e = (struct expr){.kind = kind, .span = lex_span(&p->lex, begin), .a = a, .b = b, .c = c};
	e->op_span = e->span;
	expr_measure(e);
	check_height(p, e);
	return e;
}

struct expr *expr_end(struct parser *p, struct expr *e)
{
	e->span.end = (uint32_t)p->lex.at;
	e->op_span = e->span;
	expr_measure(e);
	check_height(p, e);
	return e;
}

struct expr *expr_none(struct parser *p)
{
	return expr_new(p, EXPR_NONE, p->lex.at, NULL, NULL, NULL);
}

/* "+=" assigns, "a++" counts, "/ {" closes a predicate: no operators between values. */
static bool is_operator(const struct lex *l, const struct operator* o)
{
	unsigned char next = lex_peek(l, strlen(o->text));
	bool compares = o->op >= OP_EQ;

	if (compares)
		return true;
	if (next == '=' || ((o->op == OP_ADD || o->op == OP_SUB) && next == lex_peek(l, 0)))
		return false;
	return o->op != OP_DIV || lex_byte(l, lex_after_space(l, l->at + 1)) != '{';
}

static const struct operator* operator_find(const struct lex *l)
{
	for (size_t i = 0; i < ELEMENTS(operators); i++) {
		const struct operator* o = & operators[i];

		if (lex_peek(l, 0) == (unsigned char)o->text[0] &&
		    (!o->text[1] || lex_peek(l, 1) == (unsigned char)o->text[1]))
			return is_operator(l, o) ? o : NULL;
	}
	return NULL;
}

struct expr *parse_binary_rest(struct parser *p, int lowest, struct expr *left)
{
	struct lex *l = &p->lex;

	for (;;) {
		size_t before = l->at, at;
		const struct operator* o;
		struct span op_span;
		struct expr *right;

		lex_space(l);
		o = operator_find(l);
		if (!o || o->strength < lowest) {
			l->at = before;
			return left;
		}
		at = l->at;
		l->at += strlen(o->text);
		op_span = lex_span(l, at);
		right = parse_binary(p, o->strength + 1);
		left = expr_new(p, EXPR_BINARY, left->span.begin, left, right, NULL);
		left->op = o->op;
		left->op_span = op_span;
	}
}

struct expr *parse_binary(struct parser *p, int lowest)
{
	return parse_binary_rest(p, lowest, parse_unary(p));
}

/* a ?: b is a ? a : b; both `a` are evaluated. */
static struct expr *parse_short_ternary(struct parser *p, struct expr *a)
{
	struct expr *other;

	p->lex.at++;
	other = parse_expr(p);
	if (p->arena->used - p->used > TREE_MAX) {
		lex_give_up(&p->lex, "program is too large");
		return a;
	}
	return expr_new(p, EXPR_IF, a->span.begin, a, expr_clone(p->arena, a), other);
}

static struct expr *parse_ternary(struct parser *p)
{
	struct expr *a = parse_binary(p, 0), *b, *c;
	size_t before = p->lex.at;

	lex_space(&p->lex);
	if (lex_peek(&p->lex, 0) != '?') {
		p->lex.at = before;
		return a;
	}
	p->lex.at++;
	lex_space(&p->lex);
	if (lex_peek(&p->lex, 0) == ':')
		return parse_short_ternary(p, a);
	b = parse_expr(p);
	lex_expect(&p->lex, ':');
	c = parse_expr(p);
	return expr_new(p, EXPR_IF, a->span.begin, a, b, c);
}

struct expr *parse_expr(struct parser *p)
{
	struct expr *e;

	if (!parser_enter(p))
		return expr_none(p);
	e = parse_ternary(p);
	parser_leave(p);
	return e;
}

/* --- one operand */

static bool is_counter(const struct expr *e)
{
	return e->kind == EXPR_VAR || e->kind == EXPR_MAP || e->kind == EXPR_MAP_ACCESS;
}

static struct expr *parse_step_before(struct parser *p, size_t begin, enum expr_op op)
{
	struct expr *a, *e;

	p->lex.at += 2;
	a = parse_unary(p);
	if (!is_counter(a))
		lex_error_at(&p->lex, a->span.begin, a->span.end,
			     "increment/decrement requires a variable or map");
	e = expr_new(p, EXPR_UNARY, begin, a, NULL, NULL);
	e->op = op;
	return e;
}

static struct expr *parse_address(struct parser *p, size_t begin)
{
	struct expr *a;

	p->lex.at++;
	lex_space(&p->lex);
	if (lex_peek(&p->lex, 0) == '$') {
		a = parse_variable(p);
	} else if (lex_peek(&p->lex, 0) == '@') {
		size_t at = p->lex.at;
		struct str name = lex_map(&p->lex);

		a = expr_new(p, EXPR_MAP, at, NULL, NULL, NULL);
		a->name = parser_name(p, name);
	} else {
		lex_error(&p->lex, "address-of operator (&) can only be used on a map or variable");
		a = parse_unary(p);
	}
	return expr_new(p, EXPR_ADDRESS, begin, a, NULL, NULL);
}

static struct expr *parse_operand(struct parser *p)
{
	struct lex *l = &p->lex;
	size_t begin;
	unsigned char c, next;
	struct span op_span;
	enum expr_op op;
	struct expr *e;

	lex_space(l);
	begin = l->at;
	c = lex_peek(l, 0);
	next = lex_peek(l, 1);
	if (c == '+' && next == '+')
		return parse_step_before(p, begin, OP_PREINC);
	if (c == '-' && next == '-')
		return parse_step_before(p, begin, OP_PREDEC);
	if (c == '&')
		return parse_address(p, begin);
	if (c == '*')
		op = OP_DEREF;
	else if (c == '!' && next != '=')
		op = OP_NOT;
	else if (c == '~')
		op = OP_BNOT;
	else if (c == '-')
		op = OP_NEG;
	else
		return parse_postfix(p, parse_primary(p));
	l->at++;
	op_span = lex_span(l, begin);
	e = parse_unary(p);
	e = expr_new(p, EXPR_UNARY, begin, e, NULL, NULL);
	e->op = op;
	e->op_span = op_span;
	return e;
}

struct expr *parse_unary(struct parser *p)
{
	struct expr *e;

	if (!parser_enter(p))
		return expr_none(p);
	e = parse_operand(p);
	parser_leave(p);
	return e;
}

/* What follows "." or "->"; NULL: nothing did. */
static struct expr *parse_member(struct parser *p, struct expr *a, bool arrow)
{
	struct lex *l = &p->lex;
	struct str name;
	struct expr *e;
	uint64_t n = 0;

	lex_space(l);
	if (!arrow && lex_is_digit(lex_peek(l, 0))) {
		size_t at = l->at;

		literal_parse(p->arena, lex_number(l), &n);
		e = expr_new(p, EXPR_TUPLE_AT, a->span.begin, a, NULL, NULL);
		e->op_span = lex_span(l, at);
		e->number = n;
		return e;
	}
	name = lex_name(l,
			arrow ? "expected field name after '->'" : "expected field name after '.'");
	if (!name.n)
		return NULL;
	e = expr_new(p, EXPR_FIELD, a->span.begin, a, NULL, NULL);
	e->op_span = lex_span(l, l->at - name.n);
	e->name = parser_name(p, name);
	e->is_arrow = arrow;
	return e;
}

static struct expr *parse_index(struct parser *p, struct expr *a)
{
	struct expr *b = parse_expr(p);

	lex_expect(&p->lex, ']');
	return expr_new(p, EXPR_INDEX, a->span.begin, a, b, NULL);
}

/* ++ or -- behind; NULL: it may not stand there. */
static struct expr *parse_step_behind(struct parser *p, struct expr *a)
{
	size_t at = p->lex.at;
	bool plus = lex_peek(&p->lex, 0) == '+';
	struct expr *e;

	p->lex.at += 2;
	if (!is_counter(a)) {
		lex_error_at(&p->lex, at, p->lex.at,
			     "increment/decrement requires a variable or map");
		return NULL;
	}
	e = expr_new(p, EXPR_UNARY, a->span.begin, a, NULL, NULL);
	e->op = plus ? OP_POSTINC : OP_POSTDEC;
	return e;
}

struct expr *parse_postfix(struct parser *p, struct expr *e)
{
	struct lex *l = &p->lex;

	for (;;) {
		size_t before = l->at;
		struct expr *next;
		unsigned char c, d;

		lex_space(l);
		c = lex_peek(l, 0);
		d = lex_peek(l, 1);
		if (c == '.' && d != '.') {
			l->at++;
			next = parse_member(p, e, false);
		} else if (c == '-' && d == '>') {
			l->at += 2;
			next = parse_member(p, e, true);
		} else if (c == '[') {
			l->at++;
			next = parse_index(p, e);
		} else if ((c == '+' || c == '-') && d == c) {
			next = parse_step_behind(p, e);
		} else {
			/* Before ".." of a range the blanks stay taken. */
			if (c != '.')
				l->at = before;
			return e;
		}
		if (!next)
			return e;
		e = next;
	}
}
