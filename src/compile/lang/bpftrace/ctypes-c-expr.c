/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C's tokens, and the numbers that constant expressions give: array sizes, enumerators,
 * widths of bitfields, #define.
 *
 * All arithmetic is on 64 bits and wraps.  A name that is not known makes the expression
 * fail, as do a division by zero and a nesting that no person writes.
 */
#include "compile/lang/bpftrace/ctypes-c-internal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_DEPTH = 64 };

static void skip_blank(struct c_reader *r)
{
	for (;;) {
		while (r->p < r->end && (isspace((unsigned char)*r->p) || *r->p == '\\'))
			r->p++;
		if (r->end - r->p >= 2 && r->p[0] == '/' && r->p[1] == '*') {
			const char *close = memmem(r->p + 2, (size_t)(r->end - r->p) - 2, "*/", 2);

			r->p = close ? close + 2 : r->end;
		} else if (r->end - r->p >= 2 && r->p[0] == '/' && r->p[1] == '/') {
			const char *line = memchr(r->p, '\n', (size_t)(r->end - r->p));

			r->p = line ? line : r->end;
		} else {
			return;
		}
	}
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

/* 0x1f, 017, 10UL; the suffix is not looked at. */
static void lex_number(struct c_reader *r)
{
	char digits[72];
	size_t n = 0;

	while (r->p < r->end && is_word_char(*r->p)) {
		if (n + 1 < sizeof(digits))
			digits[n++] = *r->p;
		r->p++;
	}
	digits[n] = 0;
	r->tok.kind = C_NUMBER;
	if (n > 2 && digits[0] == '0' && (digits[1] | 32) == 'b')
		r->tok.number = strtoull(digits + 2, NULL, 2);
	else
		r->tok.number = strtoull(digits, NULL, 0);
}

static int escaped(struct c_reader *r)
{
	static const char names[] = "abfnrtv0", values[] = "\a\b\f\n\r\t\v";
	const char *at = r->p < r->end && *r->p ? strchr(names, *r->p) : NULL;
	int c;

	if (r->p >= r->end)
		return 0;
	c = *r->p++;
	return at ? values[at - names] : c;
}

static void lex_quoted(struct c_reader *r, char quote)
{
	int value = 0;

	r->p++;
	while (r->p < r->end && *r->p != quote) {
		value = *r->p++;
		if (value == '\\')
			value = escaped(r);
	}
	if (r->p < r->end)
		r->p++;
	r->tok.kind = quote == '\'' ? C_NUMBER : C_STRING;
	r->tok.number = (uint64_t)(int64_t)value;
}

static void lex_punct(struct c_reader *r)
{
	static const char *const long_ones[] = {
		"...", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "->", "::"};
	size_t left = (size_t)(r->end - r->p);

	r->tok.kind = C_PUNCT;
	for (size_t i = 0; i < sizeof(long_ones) / sizeof(*long_ones); i++) {
		size_t n = strlen(long_ones[i]);

		if (left >= n && !memcmp(r->p, long_ones[i], n)) {
			r->p += n;
			return;
		}
	}
	r->p++;
}

void c_next(struct c_reader *r)
{
	const char *from;

	skip_blank(r);
	from = r->p;
	r->tok = (struct c_token){.kind = C_END, .text = {from, 0}};
	if (r->p >= r->end)
		return;
	if (isdigit((unsigned char)*r->p)) {
		lex_number(r);
	} else if (is_word_char(*r->p)) {
		r->tok.kind = C_WORD;
		while (r->p < r->end && is_word_char(*r->p))
			r->p++;
	} else if (*r->p == '"' || *r->p == '\'') {
		lex_quoted(r, *r->p);
	} else {
		lex_punct(r);
	}
	r->tok.text = (struct str){from, (size_t)(r->p - from)};
}

void c_reader_init(struct c_reader *r, struct type_table *t, struct str text)
{
	*r = (struct c_reader){.t = t, .begin = text.p, .p = text.p, .end = text.p + text.n};
	c_next(r);
}

bool c_is(const struct c_reader *r, const char *text)
{
	return r->tok.kind != C_STRING && str_eq(r->tok.text, str_of(text));
}

bool c_take(struct c_reader *r, const char *text)
{
	if (!c_is(r, text))
		return false;
	c_next(r);
	return true;
}

void c_error(struct c_reader *r, const char *format, ...)
{
	uint32_t at = r->offset + (uint32_t)(r->tok.text.p - r->begin);
	uint32_t end = r->offset + (uint32_t)(r->end - r->begin);
	uint32_t n = r->tok.text.n ? (uint32_t)r->tok.text.n : 1;
	struct span span = {r->file, MIN(at, end), MIN(at + n, end)};
	char text[256];
	va_list ap;

	if (!r->failed && !r->is_quiet) {
		va_start(ap, format);
		vsnprintf(text, sizeof(text), format, ap);
		va_end(ap);
		diag(r->t->diags, D_C_DECLARATION, span, "%s", text);
	}
	r->failed = true;
}

void c_skip_balanced(struct c_reader *r)
{
	unsigned int open = 0;

	do {
		if (c_is(r, "(") || c_is(r, "[") || c_is(r, "{"))
			open++;
		else if (c_is(r, ")") || c_is(r, "]") || c_is(r, "}"))
			open -= open > 0;
		c_next(r);
	} while (open && r->tok.kind != C_END);
}

/* --- expressions */

static bool conditional(struct c_reader *r, int64_t *ret);

static bool size_of(struct c_reader *r, int64_t *ret)
{
	const struct type *type;

	if (!c_take(r, "("))
		return false;
	type = c_type_name(r);
	if (!type || !c_take(r, ")"))
		return false;
	*ret = type_complete(r->t, type)->size;
	return true;
}

static bool named(struct c_reader *r, int64_t *ret)
{
	const char *name = arena_strndup(r->t->arena, r->tok.text.p, r->tok.text.n);

	c_next(r);
	return type_table_constant(r->t, name, ret, NULL);
}

/* "(unsigned char)x": the number is cut to the type. */
static bool cast(struct c_reader *r, int64_t *ret);

static bool primary(struct c_reader *r, int64_t *ret)
{
	if (r->tok.kind == C_NUMBER) {
		*ret = (int64_t)r->tok.number;
		c_next(r);
		return true;
	}
	if (c_take(r, "sizeof"))
		return size_of(r, ret);
	if (c_is(r, "("))
		return cast(r, ret);
	return r->tok.kind == C_WORD && named(r, ret);
}

static bool unary(struct c_reader *r, int64_t *ret)
{
	bool ok;

	if (r->depth >= MAX_DEPTH)
		return false;
	r->depth++;
	if (c_take(r, "-")) {
		ok = unary(r, ret);
		*ret = ok ? (int64_t)(0 - (uint64_t)*ret) : 0;
	} else if (c_take(r, "~")) {
		ok = unary(r, ret);
		*ret = ~*ret;
	} else if (c_take(r, "!")) {
		ok = unary(r, ret);
		*ret = !*ret;
	} else if (c_take(r, "+")) {
		ok = unary(r, ret);
	} else {
		ok = primary(r, ret);
	}
	r->depth--;
	return ok;
}

static bool cast(struct c_reader *r, int64_t *ret)
{
	const struct type *type = NULL;
	bool ok;

	c_next(r);
	if (c_at_type(r)) {
		type = c_type_name(r);
		if (!type || !c_take(r, ")") || !unary(r, ret))
			return false;
		if (type->size == 1)
			*ret = type->is_signed ? (int8_t)*ret : (uint8_t)*ret;
		else if (type->size == 2)
			*ret = type->is_signed ? (int16_t)*ret : (uint16_t)*ret;
		else if (type->size == 4)
			*ret = type->is_signed ? (int32_t)*ret : (int64_t)(uint32_t)*ret;
		return true;
	}
	ok = conditional(r, ret);
	return ok && c_take(r, ")");
}

static int precedence(const struct c_reader *r)
{
	static const struct {
		const char *op;
		int level;
	} ops[] = {
		{"||", 1}, {"&&", 2}, {"|", 3}, {"^", 4},  {"&", 5},  {"==", 6},
		{"!=", 6}, {"<", 7},  {">", 7}, {"<=", 7}, {">=", 7}, {"<<", 8},
		{">>", 8}, {"+", 9},  {"-", 9}, {"*", 10}, {"/", 10}, {"%", 10},
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (r->tok.kind == C_PUNCT && c_is(r, ops[i].op))
			return ops[i].level;
	return 0;
}

static bool compute(struct str op, int64_t a, int64_t b, int64_t *ret)
{
	uint64_t x = (uint64_t)a, y = (uint64_t)b;

	switch (op.p[0]) {
	case '|':
		*ret = op.n == 2 ? a || b : a | b;
		return true;
	case '&':
		*ret = op.n == 2 ? a && b : a & b;
		return true;
	case '^':
		*ret = a ^ b;
		return true;
	case '=':
		*ret = a == b;
		return true;
	case '!':
		*ret = a != b;
		return true;
	case '<':
		*ret = op.n == 1 ? a < b : op.p[1] == '=' ? a <= b : (int64_t)(x << (y & 63));
		return true;
	case '>':
		*ret = op.n == 1 ? a > b : op.p[1] == '=' ? a >= b : a >> (y & 63);
		return true;
	case '+':
		*ret = (int64_t)(x + y);
		return true;
	case '-':
		*ret = (int64_t)(x - y);
		return true;
	case '*':
		*ret = (int64_t)(x * y);
		return true;
	case '/':
	case '%':
		if (!b || (a == INT64_MIN && b == -1))
			return false;
		*ret = op.p[0] == '/' ? a / b : a % b;
		return true;
	}
	return false;
}

static bool binary(struct c_reader *r, int level, int64_t *ret)
{
	int here;

	if (!unary(r, ret))
		return false;
	while ((here = precedence(r)) >= level && here) {
		struct str op = r->tok.text;
		int64_t right;

		c_next(r);
		if (!binary(r, here + 1, &right) || !compute(op, *ret, right, ret))
			return false;
	}
	return true;
}

static bool conditional(struct c_reader *r, int64_t *ret)
{
	int64_t yes, no;
	bool ok = false;

	if (r->depth >= MAX_DEPTH)
		return false;
	r->depth++;
	if (binary(r, 1, ret)) {
		ok = true;
		if (c_take(r, "?")) {
			ok = conditional(r, &yes) && c_take(r, ":") && conditional(r, &no);
			if (ok)
				*ret = *ret ? yes : no;
		}
	}
	r->depth--;
	return ok;
}

bool c_expression(struct c_reader *r, int64_t *ret)
{
	int64_t value = 0;

	if (!conditional(r, &value))
		return false;
	*ret = value;
	return true;
}

bool ctypes_c_evaluate(struct type_table *t, struct str text, int64_t *ret)
{
	struct c_reader r;
	int64_t value;

	if (!text.n)
		return false;
	c_reader_init(&r, t, text);
	r.is_quiet = true;
	if (!c_expression(&r, &value) || r.tok.kind != C_END)
		return false;
	*ret = value;
	return true;
}
