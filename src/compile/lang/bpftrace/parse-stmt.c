/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks and statements.
 *
 * A block's last expression without a semicolon is its value where a value is wanted (a
 * macro, the branch of an if that is an expression); elsewhere it becomes a statement.
 * "if" is an expression when it is parsed; where it stands as a statement it is made one,
 * and so are the blocks inside.
 *
 * What begins with a variable or a map is a statement of its own kind: an assignment, or
 * an expression that has no "?:" unless it is put into parentheses, as in bpftrace.
 */
#include "compile/lang/bpftrace/parser.h"

struct stmt *stmt_new(struct parser *p, enum stmt_kind kind, size_t begin, struct expr *a,
		      struct expr *b)
{
	struct stmt *s = arena_new(p->arena, struct stmt);

	*s = (struct stmt){.kind = kind, .span = lex_span(&p->lex, begin), .a = a, .b = b};
	s->op_span = s->span;
	stmt_measure(s);
	return s;
}

static void block_add(struct parser *p, struct block *b, struct stmt *s)
{
	stmt_measure(s);
	array_push(p->arena, &b->stmts, s);
}

/* --- assignments */

static bool take_compound(struct lex *l, enum expr_op *ret)
{
	static const struct {
		char text[4];
		enum expr_op op;
	} all[] = {{"<<=", OP_SHL}, {">>=", OP_SHR}, {"+=", OP_ADD}, {"-=", OP_SUB},
		   {"*=", OP_MUL},  {"/=", OP_DIV},  {"%=", OP_MOD}, {"&=", OP_AND},
		   {"|=", OP_OR},   {"^=", OP_XOR}};

	for (size_t i = 0; i < ELEMENTS(all); i++) {
		size_t n = strlen(all[i].text);

		if (l->at + n > l->text.n || memcmp(l->text.p + l->at, all[i].text, n))
			continue;
		l->at += n;
		*ret = all[i].op;
		return true;
	}
	return false;
}

static void expect_end(struct lex *l)
{
	lex_space(l);
	if (lex_peek(l, 0) != '}')
		lex_expect(l, ';');
}

/* Behind "=" or a compound operator. */
static struct stmt *parse_assigned(struct parser *p, size_t begin, struct expr *to)
{
	struct expr *value = parse_expr(p);
	enum stmt_kind kind = to->kind == EXPR_VAR ? STMT_ASSIGN_VAR : STMT_ASSIGN_MAP;
	struct stmt *s = stmt_new(p, kind, begin, to, value);

	expect_end(&p->lex);
	return s;
}

/* "$x.a = 1", "$x[0] = 1": there is no such thing. */
static struct stmt *parse_bad_assignment(struct parser *p, size_t begin, const struct expr *to)
{
	bool tuple = to->kind == EXPR_TUPLE_AT || to->kind == EXPR_FIELD;
	size_t end;

	p->lex.at++;
	parse_expr(p);
	end = p->lex.at;
	if (tuple) {
		lex_error_at(&p->lex, begin, end, "%s",
			     "Tuples and records are immutable once created. "
			     "Consider creating a new value and assigning it instead.");
	} else {
		lex_take(&p->lex, ';');
		lex_error_at(&p->lex, begin, end, "invalid assignment target");
	}
	return stmt_new(p, STMT_EXPR, p->lex.at, expr_none(p), NULL);
}

static bool is_assignment(const struct lex *l)
{
	return lex_peek(l, 0) == '=' && lex_peek(l, 1) != '=';
}

/* What begins with the variable or map `to`. */
static struct stmt *parse_assignment_or_expr(struct parser *p, size_t begin, struct expr *to)
{
	struct lex *l = &p->lex;
	enum expr_op op;
	struct expr *e;
	struct stmt *s;
	size_t at;

	lex_space(l);
	at = l->at;
	if (is_assignment(l)) {
		l->at++;
		return parse_assigned(p, begin, to);
	}
	if (take_compound(l, &op)) {
		s = parse_assigned(p, begin, to);
		s->has_op = true;
		s->op = op;
		s->op_span = (struct span){l->file, (uint32_t)at, s->span.end};
		return s;
	}
	if ((lex_peek(l, 0) == '+' || lex_peek(l, 0) == '-') && lex_peek(l, 1) == lex_peek(l, 0)) {
		l->at += 2;
		e = expr_new(p, EXPR_UNARY, begin, to, NULL, NULL);
		e->op = lex_byte(l, at) == '+' ? OP_POSTINC : OP_POSTDEC;
		return stmt_new(p, STMT_EXPR, begin, e, NULL);
	}
	e = parse_postfix(p, to);
	lex_space(l);
	if (is_assignment(l))
		return parse_bad_assignment(p, begin, e);
	e = parse_binary_rest(p, 0, e);
	return stmt_new(p, STMT_EXPR, begin, e, NULL);
}

static struct stmt *parse_sigil(struct parser *p)
{
	struct lex *l = &p->lex;
	size_t begin = l->at;
	unsigned char next = lex_peek(l, 1);
	struct expr *e;

	if (lex_peek(l, 0) == '$' && (lex_is_digit(next) || next == '#')) {
		e = parse_expr(p);
		return stmt_new(p, STMT_EXPR, begin, e, NULL);
	}
	e = lex_peek(l, 0) == '$' ? parse_variable(p) : parse_map(p);
	return parse_assignment_or_expr(p, begin, e);
}

static struct stmt *parse_let(struct parser *p, size_t begin)
{
	struct lex *l = &p->lex;
	struct type_ref *ref = NULL;
	struct expr *var, *value = NULL;
	struct span head;
	struct stmt *s;

	lex_take_word(l, "let");
	lex_space(l);
	if (lex_peek(l, 0) != '$') {
		lex_error(l, "expected variable after 'let'");
		return stmt_new(p, STMT_EXPR, l->at, expr_none(p), NULL);
	}
	var = parse_variable(p);
	head = lex_span(l, begin);
	lex_space(l);
	if (lex_take(l, ':'))
		ref = parse_annotation(p);
	if (lex_take(l, '='))
		value = parse_expr(p);
	s = stmt_new(p, STMT_LET, begin, var, value);
	s->op_span = head;
	s->ref = ref;
	expect_end(l);
	return s;
}

/* --- loops and jumps */

static struct stmt *parse_while(struct parser *p, size_t begin, enum stmt_kind kind)
{
	struct expr *a;
	struct block *b;
	struct stmt *s;

	lex_take_word(&p->lex, kind == STMT_WHILE ? "while" : "unroll");
	a = parse_condition(p);
	b = parse_block(p, false);
	s = stmt_new(p, kind, begin, a, NULL);
	s->block = b;
	return s;
}

/* After an error in a loop's head: what follows its block is not to be blamed. */
static struct stmt *skip_block(struct parser *p)
{
	struct lex *l = &p->lex;

	while (!lex_end(l) && lex_peek(l, 0) != '{' && lex_peek(l, 0) != '}')
		l->at++;
	if (lex_peek(l, 0) == '{')
		l->at = lex_after_balanced(l, l->at, '{', '}');
	return stmt_new(p, STMT_EXPR, l->at, expr_none(p), NULL);
}

static struct stmt *parse_for(struct parser *p, size_t begin)
{
	struct lex *l = &p->lex;
	struct expr *var, *from, *to = NULL;
	struct span range = {};
	struct stmt *s;
	bool open;

	lex_take_word(l, "for");
	open = lex_take(l, '(');
	lex_space(l);
	if (lex_peek(l, 0) != '$') {
		lex_error(l, "expected variable in for loop");
		return skip_block(p);
	}
	var = parse_variable(p);
	if (!lex_expect(l, ':'))
		return skip_block(p);
	from = parse_primary(p);
	lex_space(l);
	if (lex_peek(l, 0) == '.' && lex_peek(l, 1) == '.') {
		l->at += 2;
		to = parse_primary(p);
		range = lex_span(l, begin);
	}
	if (open && !lex_expect(l, ')'))
		return skip_block(p);
	if (!to && from->kind != EXPR_MAP) {
		lex_error(l, "expected map or range in for loop");
		return skip_block(p);
	}
	s = stmt_new(p, to ? STMT_FOR_RANGE : STMT_FOR_MAP, begin, var, from);
	s->c = to;
	s->block = parse_block(p, false);
	s->span = lex_span(l, begin);
	s->op_span = to ? range : s->span;
	return s;
}

static struct stmt *parse_return(struct parser *p, size_t begin)
{
	struct lex *l = &p->lex;
	struct expr *a = NULL;

	lex_take_word(l, "return");
	lex_space(l);
	if (lex_peek(l, 0) != ';' && lex_peek(l, 0) != '}')
		a = parse_expr(p);
	expect_end(l);
	return stmt_new(p, STMT_RETURN, begin, a, NULL);
}

static struct stmt *parse_jump(struct parser *p, size_t begin, enum stmt_kind kind)
{
	lex_take_word(&p->lex, kind == STMT_BREAK ? "break" : "continue");
	expect_end(&p->lex);
	return stmt_new(p, kind, begin, NULL, NULL);
}

/* NULL: an error. */
static struct stmt *parse_import(struct parser *p, size_t begin)
{
	struct stmt *s;

	lex_take_word(&p->lex, "import");
	lex_space(&p->lex);
	if (lex_peek(&p->lex, 0) != '"') {
		lex_error(&p->lex, "expected string after 'import'");
		return NULL;
	}
	s = stmt_new(p, STMT_IMPORT, begin, NULL, NULL);
	s->text = lex_string(&p->lex);
	s->span = s->op_span = lex_span(&p->lex, begin);
	if (!lex_take(&p->lex, ';')) {
		lex_error(&p->lex, "expected ';' after import");
		return NULL;
	}
	return s;
}

static bool discard_ahead(const struct lex *l)
{
	size_t at = lex_after_space(l, l->at + 1);

	return lex_peek(l, 0) == '_' && lex_byte(l, at) == '=' && lex_byte(l, at + 1) != '=';
}

static struct stmt *parse_discard(struct parser *p, size_t begin)
{
	struct stmt *s;

	p->lex.at++;
	lex_take(&p->lex, '=');
	s = stmt_new(p, STMT_DISCARD, begin, parse_expr(p), NULL);
	s->span = s->op_span = lex_span(&p->lex, begin);
	expect_end(&p->lex);
	return s;
}

/* --- blocks */

/* What is known by its first word; false: the statement is an expression. */
static bool parse_by_word(struct parser *p, struct block *b)
{
	struct str word = lex_peek_word(&p->lex);
	size_t begin = p->lex.at;
	struct stmt *s;

	if (word_eq(word, "import"))
		s = parse_import(p, begin);
	else if (word_eq(word, "while"))
		s = parse_while(p, begin, STMT_WHILE);
	else if (word_eq(word, "unroll"))
		s = parse_while(p, begin, STMT_UNROLL);
	else if (word_eq(word, "for"))
		s = parse_for(p, begin);
	else if (word_eq(word, "break"))
		s = parse_jump(p, begin, STMT_BREAK);
	else if (word_eq(word, "continue"))
		s = parse_jump(p, begin, STMT_CONTINUE);
	else if (word_eq(word, "return"))
		s = parse_return(p, begin);
	else if (word_eq(word, "let"))
		s = parse_let(p, begin);
	else if (discard_ahead(&p->lex))
		s = parse_discard(p, begin);
	else
		return false;
	if (s)
		block_add(p, b, s);
	return true;
}

static void parse_sigil_or_value(struct parser *p, struct block *b)
{
	struct lex *l = &p->lex;
	unsigned int errors = l->d->errors;
	struct stmt *s = parse_sigil(p);

	if (s->kind != STMT_EXPR || l->d->errors > errors) {
		block_add(p, b, s);
		return;
	}
	lex_space(l);
	if (lex_peek(l, 0) == '}') {
		b->value = s->a;
		return;
	}
	lex_expect(l, ';');
	block_add(p, b, s);
}

static void parse_expr_or_value(struct parser *p, struct block *b)
{
	struct lex *l = &p->lex;
	size_t begin = l->at;
	struct expr *e = parse_expr(p);
	struct stmt *s;

	lex_space(l);
	if (lex_peek(l, 0) == '}') {
		b->value = e;
		return;
	}
	s = stmt_of_expr(p->arena, e);
	if (lex_take(l, ';'))
		s->span = lex_span(l, begin);
	else if (e->kind != EXPR_IF && e->kind != EXPR_BLOCK)
		lex_error(l, "expected ';'");
	block_add(p, b, s);
}

static void parse_stmt(struct parser *p, struct block *b)
{
	struct lex *l = &p->lex;
	size_t before = l->at;

	if (parse_by_word(p, b))
		return;
	if (lex_peek(l, 0) == '$' || lex_peek(l, 0) == '@')
		parse_sigil_or_value(p, b);
	else
		parse_expr_or_value(p, b);
	if (l->at == before) {
		lex_error(l, "unexpected input in block");
		l->at++;
	}
}

struct block *parse_block(struct parser *p, bool has_value)
{
	struct block *b = arena_new(p->arena, struct block);
	struct lex *l = &p->lex;
	size_t begin = l->at;

	if (!lex_expect(l, '{') || !parser_enter(p))
		return NULL;
	for (lex_space(l); lex_peek(l, 0) != '}' && !lex_end(l) && !lex_has_errors(l); lex_space(l))
		parse_stmt(p, b);
	parser_leave(p);
	if (lex_has_errors(l) || !lex_expect(l, '}'))
		return NULL;
	b->span = lex_span(l, begin);
	if (!has_value)
		block_drop_value(p->arena, b);
	block_measure(b);
	return b;
}
