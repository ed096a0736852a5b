/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The top level of a program, in the order that the language wants:
 *
 *	#!…                         once
 *	#include …  struct x { … }  kept as text for the reader of C types
 *	config = { … }  import "…"; in any order
 *	probes, macro, fn, let @x = …
 *
 * The rest of the parser: parse-stmt.c (blocks), parse-expr.c (operators),
 * parse-primary.c (atoms), parse-type.c.  The grammar is bpftrace 0.27's, and so are the
 * words and places of errors, which scripts' authors know and its tests match.
 */
#include "compile/lang/bpftrace/parser.h"

/* --- C */

static void add_c(struct parser *p, struct program *prog, size_t begin, size_t end,
		  bool preprocessor)
{
	struct c_text c = {.span = {p->lex.file, (uint32_t)begin, (uint32_t)end},
			   .is_preprocessor = preprocessor};

	array_push(p->arena, &prog->c, c);
}

/* "#…" to the end of the line; a backslash there joins the next one. */
static void parse_directive(struct parser *p, struct program *prog)
{
	struct lex *l = &p->lex;
	size_t begin = l->at, end;

	while (!lex_end(l) && (lex_peek(l, 0) != '\n' || lex_byte(l, l->at - 1) == '\\'))
		l->at++;
	for (end = l->at; end > begin && lex_is_space(lex_byte(l, end - 1)); end--)
		;
	l->at += !lex_end(l);
	add_c(p, prog, begin, end, true);
}

static size_t after_attributes(struct parser *p, size_t end)
{
	struct lex *l = &p->lex;

	while (lex_take_word(l, "__attribute__")) {
		lex_space(l);
		if (lex_peek(l, 0) != '(' || lex_peek(l, 1) != '(') {
			lex_error(l, "__attribute__ syntax error, expected '(('");
			break;
		}
		end = lex_after_balanced(l, l->at, '(', ')');
		if (lex_byte(l, end - 1) != ')')
			lex_error(l, "__attribute__ syntax error, mismatched '(' and ')'");
		l->at = end;
	}
	return end;
}

/* struct, union or enum, to its semicolon, which may be missing. */
static void parse_c_definition(struct parser *p, struct program *prog)
{
	struct lex *l = &p->lex;
	size_t begin = l->at, depth = 0, end;

	while (!lex_end(l)) {
		unsigned char c = lex_peek(l, 0);

		if (c == '/' && lex_after_space(l, l->at) > l->at) {
			lex_space(l);
			continue;
		}
		l->at++;
		depth += c == '{';
		if (c == '}' && --depth == 0)
			break;
	}
	end = after_attributes(p, l->at);
	lex_space(l);
	if (lex_peek(l, 0) == ';')
		l->at++;
	add_c(p, prog, begin, end, false);
}

/* "struct x {", not "struct:…": names and groups in brackets, then "{". */
static bool c_definition_ahead(const struct lex *l)
{
	size_t at = lex_after_space(l, lex_after_word(l, l->at)), end;

	for (; at < l->text.n; at = lex_after_space(l, end)) {
		unsigned char c = lex_byte(l, at), close = c == '(' ? ')' : ']';

		if (c == '{')
			return true;
		if (lex_is_start(c)) {
			end = lex_after_word(l, at);
		} else if (c == '(' || c == '[') {
			end = lex_after_balanced(l, at, (char)c, (char)close);
			if (lex_byte(l, end - 1) != close)
				return false;
		} else {
			return false;
		}
	}
	return false;
}

static bool directive_ahead(const struct lex *l)
{
	return lex_peek(l, 0) == '#' && lex_peek(l, 1) != '!';
}

static bool is_tag(struct str word)
{
	return word_eq(word, "struct") || word_eq(word, "union") || word_eq(word, "enum");
}

/* True: one was there. */
static bool parse_c(struct parser *p, struct program *prog)
{
	if (directive_ahead(&p->lex))
		parse_directive(p, prog);
	else if (is_tag(lex_peek_word(&p->lex)) && c_definition_ahead(&p->lex))
		parse_c_definition(p, prog);
	else
		return false;
	return true;
}

/* --- config */

/* The value behind "key ="; false: stop. */
static bool parse_config_value(struct parser *p, struct config_set *c)
{
	struct lex *l = &p->lex;
	size_t begin;

	lex_space(l);
	begin = l->at;
	if (lex_peek(l, 0) == '"') {
		c->text = lex_string(l);
	} else if (lex_is_digit(lex_peek(l, 0))) {
		c->text = lex_number(l);
		c->is_number = true;
		if (literal_parse(p->arena, c->text, &c->number)) {
			lex_error(l, "invalid integer in config");
			return false;
		}
	} else {
		c->text = lex_name(l, "expected string, int, boolean, or ident");
		c->is_bool = word_eq(c->text, "true") || word_eq(c->text, "false");
		c->number = word_eq(c->text, "true");
	}
	c->value_span = lex_span(l, begin);
	return true;
}

/* One "key = value;"; false: stop. */
static bool parse_config_set(struct parser *p, struct program *prog)
{
	struct lex *l = &p->lex;
	struct config_set c = {};
	size_t begin = l->at;
	struct str key = lex_name(l, "expected config key");

	if (!key.n || !lex_expect(l, '='))
		return false;
	c.key = parser_name(p, key);
	if (!parse_config_value(p, &c))
		return false;
	c.span = lex_span(l, begin);
	if (c.text.p)
		array_push(p->arena, &prog->config, c);
	lex_space(l);
	if (lex_peek(l, 0) != '}' && !lex_take(l, ';')) {
		lex_expect(l, ';');
		while (!lex_end(l) && lex_peek(l, 0) != '}')
			l->at++;
		return false;
	}
	lex_take(l, ';');
	return true;
}

static void parse_config(struct parser *p, struct program *prog)
{
	struct lex *l = &p->lex;

	lex_take_word(l, "config");
	if (!lex_expect(l, '=') || !lex_expect(l, '{'))
		return;
	lex_space(l);
	while (lex_peek(l, 0) != '}' && !lex_end(l)) {
		if (!parse_config_set(p, prog))
			break;
		lex_space(l);
	}
	lex_expect(l, '}');
}

/* A block that may not stand here. */
static void skip_config(struct parser *p, const char *why)
{
	struct lex *l = &p->lex;
	size_t begin = l->at;

	lex_take_word(l, "config");
	lex_error_at(l, begin, l->at, "%s", why);
	if (!lex_take(l, '='))
		return;
	lex_space(l);
	if (lex_peek(l, 0) == '{')
		l->at = lex_after_balanced(l, l->at, '{', '}');
}

static void parse_root_import(struct parser *p, struct program *prog)
{
	struct lex *l = &p->lex;
	struct import i = {};
	size_t begin = l->at;

	lex_take_word(l, "import");
	lex_space(l);
	if (lex_peek(l, 0) != '"') {
		lex_error(l, "expected string after 'import'");
		return;
	}
	i.path = lex_string(l);
	i.span = lex_span(l, begin);
	if (!lex_take(l, ';'))
		lex_error(l, "expected ';' after import");
	array_push(p->arena, &prog->imports, i);
}

/* --- macros, functions, maps */

static void parse_macro_param(struct parser *p, struct macro *m)
{
	struct lex *l = &p->lex;
	struct macro_param param = {.kind = MACRO_EXPR};
	struct str name;
	size_t begin;

	lex_space(l);
	begin = l->at;
	if (lex_peek(l, 0) == '$') {
		param.kind = MACRO_VAR;
		name = lex_variable(l);
	} else if (lex_peek(l, 0) == '@') {
		param.kind = MACRO_MAP;
		name = lex_map(l);
	} else {
		name = lex_name(l, "expected macro argument ($var, @map, or identifier)");
		if (name.n && word_is_builtin(name))
			lex_error_at(l, begin, l->at,
				     "builtin '%.*s' can't be used as a macro argument",
				     (int)name.n, name.p);
	}
	param.name = parser_name(p, name);
	param.span = lex_span(l, begin);
	array_push(p->arena, &m->params, param);
}

static void parse_macro(struct parser *p, struct program *prog)
{
	struct macro *m = arena_new(p->arena, struct macro);
	struct lex *l = &p->lex;
	size_t begin = l->at;
	struct str name;

	lex_take_word(l, "macro");
	name = lex_name(l, "expected macro name");
	if (!name.n)
		return;
	m->name = parser_name(p, name);
	m->span = lex_span(l, begin);
	if (!lex_expect(l, '('))
		return;
	lex_space(l);
	if (lex_peek(l, 0) != ')') {
		do {
			parse_macro_param(p, m);
		} while (lex_take(l, ','));
	}
	if (!lex_expect(l, ')'))
		return;
	m->block = parse_block(p, true);
	if (m->block)
		array_push(p->arena, &prog->macros, m);
}

/* "$x : type"; false: an error. */
static bool parse_fn_param(struct parser *p, struct fn *f)
{
	struct lex *l = &p->lex;
	struct fn_param param = {};
	size_t begin;

	lex_space(l);
	begin = l->at;
	if (lex_peek(l, 0) != '$') {
		lex_error(l, "expected variable in function argument");
		return false;
	}
	param.name = parser_name(p, lex_variable(l));
	if (!lex_expect(l, ':'))
		return false;
	param.ref = parse_annotation(p);
	param.span = lex_span(l, begin);
	array_push(p->arena, &f->params, param);
	return param.ref;
}

static void parse_fn(struct parser *p, struct program *prog)
{
	struct fn *f = arena_new(p->arena, struct fn);
	struct lex *l = &p->lex;
	size_t begin = l->at;
	struct str name;

	lex_take_word(l, "fn");
	name = lex_name(l, "expected function name");
	if (!name.n)
		return;
	f->name = parser_name(p, name);
	f->span = lex_span(l, begin);
	if (!lex_expect(l, '('))
		return;
	lex_space(l);
	if (lex_peek(l, 0) != ')') {
		while (parse_fn_param(p, f) && lex_take(l, ','))
			;
	}
	if (!lex_expect(l, ')') || !lex_expect(l, ':'))
		return;
	f->result = parse_annotation(p);
	if (!f->result)
		return;
	f->block = parse_block(p, false);
	if (f->block)
		array_push(p->arena, &prog->fns, f);
}

/* let @x = hash(10); the word let was seen. */
static void parse_map_let(struct parser *p, struct program *prog)
{
	struct lex *l = &p->lex;
	struct map_let m = {};
	size_t begin = l->at, at;
	struct str kind, number;
	uint64_t n;

	lex_take_word(l, "let");
	lex_space(l);
	if (lex_peek(l, 0) != '@') {
		lex_error_at(l, begin, begin + strlen("let"), "%s",
			     "root-level let statements need to be map declarations, e.g. let "
			     "@a = hash(2);");
		return;
	}
	m.name = parser_name(p, lex_map(l));
	if (!lex_expect(l, '='))
		return;
	kind = lex_name(l, "expected map type name");
	if (!kind.n || !lex_expect(l, '('))
		return;
	m.kind = parser_name(p, kind);
	lex_space(l);
	at = l->at;
	number = lex_number(l);
	if (literal_parse(p->arena, number, &n)) {
		lex_error(l, "expected positive integer for map declaration max entries");
		return;
	}
	m.n = expr_new(p, EXPR_INT, at, NULL, NULL, NULL);
	m.n->number = n;
	m.n->source = parser_name(p, number);
	if (!lex_expect(l, ')'))
		return;
	lex_take(l, ';');
	m.span = lex_span(l, begin);
	array_push(p->arena, &prog->lets, m);
}

/* --- probes */

/* Behind the quoted part that begins at the cursor. */
static size_t after_quotes(const struct lex *l)
{
	size_t at = l->at + 1;

	while (at < l->text.n && lex_byte(l, at) != '"')
		at += lex_byte(l, at) == '\\' ? 2 : 1;
	return MIN(at + 1, l->text.n);
}

/*
 * One attach point as it is written, to a blank, "{" or ",".  A "/" opens the predicate,
 * but behind the first colon it belongs to a path.  NULL: an error.
 */
static struct attach_point *parse_point(struct parser *p)
{
	struct attach_point *point = arena_new(p->arena, struct attach_point);
	struct lex *l = &p->lex;
	bool colon = false;
	size_t begin, from;

	lex_space(l);
	for (begin = l->at; !lex_end(l);) {
		unsigned char c = lex_peek(l, 0), next = lex_peek(l, 1);

		if (c == '{' || c == ',' || lex_is_space(c))
			break;
		if (c == '/' && l->at > begin && !colon && next != '/' && next != '*')
			break;
		from = l->at;
		l->at = c == '"' ? after_quotes(l) : l->at + 1;
		colon = colon || memchr(l->text.p + from, ':', l->at - from);
	}
	if (l->at == begin) {
		lex_error(l, "expected attach point");
		return NULL;
	}
	point->span = lex_span(l, begin);
	point->source = arena_strndup(p->arena, l->text.p + begin, l->at - begin);
	return point;
}

static struct expr *parse_predicate(struct parser *p)
{
	struct lex *l = &p->lex;
	struct expr *e;

	lex_space(l);
	if (lex_peek(l, 0) != '/')
		return NULL;
	l->at++;
	e = parse_expr(p);
	if (!lex_take(l, '/'))
		lex_error(l, "expected '/' to close predicate");
	return e;
}

static void parse_probe(struct parser *p, struct program *prog)
{
	struct probe *probe = arena_new(p->arena, struct probe);
	struct attach_point *point = parse_point(p);
	struct lex *l = &p->lex;

	if (!point)
		return;
	probe->span = point->span;
	array_push(p->arena, &probe->points, point);
	while (lex_take(l, ',')) {
		lex_space(l);
		if (lex_peek(l, 0) == '/' || lex_peek(l, 0) == '{')
			break;
		point = parse_point(p);
		if (!point)
			break;
		probe->span.end = point->span.end;
		array_push(p->arena, &probe->points, point);
	}
	probe->predicate = parse_predicate(p);
	probe->block = parse_block(p, false);
	if (probe->block)
		array_push(p->arena, &prog->probes, probe);
}

/* --- all */

/* What stands too late: taken, so that the error shows it. */
static bool parse_late(struct parser *p, struct program *prog)
{
	struct lex *l = &p->lex;
	size_t begin = l->at;

	if (parse_c(p, prog)) {
		lex_error_at(l, begin, l->at,
			     "C definitions must appear before probes and functions");
		return true;
	}
	if (word_eq(lex_peek_word(l), "config")) {
		skip_config(p, "config must appear before probes and functions");
		return true;
	}
	if (word_eq(lex_peek_word(l), "import")) {
		lex_take_word(l, "import");
		lex_error_at(l, begin, l->at,
			     "root imports must appear before probes and functions");
		return true;
	}
	return false;
}

static void parse_item(struct parser *p, struct program *prog)
{
	struct str word = lex_peek_word(&p->lex);
	size_t before = p->lex.at;

	if (parse_late(p, prog))
		return;
	if (word_eq(word, "macro"))
		parse_macro(p, prog);
	else if (word_eq(word, "fn"))
		parse_fn(p, prog);
	else if (word_eq(word, "let"))
		parse_map_let(p, prog);
	else
		parse_probe(p, prog);
	if (p->lex.at == before) {
		lex_error(&p->lex, "unexpected input");
		p->lex.at++;
	}
}

static void parse_preamble(struct parser *p, struct program *prog)
{
	struct lex *l = &p->lex;
	bool has_config = false;

	lex_space(l);
	if (lex_peek(l, 0) == '#' && lex_peek(l, 1) == '!')
		while (!lex_end(l) && l->text.p[l->at++] != '\n')
			;
	for (lex_space(l); !lex_end(l) && !lex_has_errors(l) && parse_c(p, prog);)
		lex_space(l);
	for (; !lex_end(l) && !lex_has_errors(l); lex_space(l)) {
		struct str word = lex_peek_word(l);

		if (word_eq(word, "import"))
			parse_root_import(p, prog);
		else if (!word_eq(word, "config"))
			break;
		else if (has_config)
			skip_config(p, "duplicate config block");
		else
			parse_config(p, prog);
		has_config = has_config || word_eq(word, "config");
	}
}

struct program *parse_program(struct diags *d, uint32_t source)
{
	struct parser p = {.arena = d->arena, .used = d->arena->used};
	struct program *prog = arena_new(d->arena, struct program);

	lex_init(&p.lex, d, source);
	prog->source = source;
	parse_preamble(&p, prog);
	while (!lex_end(&p.lex) && !lex_has_errors(&p.lex)) {
		parse_item(&p, prog);
		lex_space(&p.lex);
	}
	return lex_has_errors(&p.lex) ? NULL : prog;
}

struct expr *parse_expression_where(struct diags *d, uint32_t source,
				    bool (*is_value)(void *ctx, struct str name), void *ctx)
{
	struct parser p = {.arena = d->arena, .used = d->arena->used};
	struct expr *e;

	p.is_value = is_value;
	p.ctx = ctx;
	lex_init(&p.lex, d, source);
	e = parse_expr(&p);
	lex_space(&p.lex);
	if (!lex_end(&p.lex))
		lex_error(&p.lex, "unexpected input");
	return lex_has_errors(&p.lex) ? NULL : e;
}

struct expr *parse_expression(struct diags *d, uint32_t source)
{
	return parse_expression_where(d, source, NULL, NULL);
}
