/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/ir/scan.h"

#include <ctype.h>

static int peek(const struct ir_scanner *s, size_t ahead)
{
	return s->at + ahead < s->text.n ? (unsigned char)s->text.p[s->at + ahead] : -1;
}

static bool is_word_byte(int c)
{
	return c >= 0 && (isalnum(c) || c == '_' || c == '.');
}

/* True: a line began. */
static bool skip_space(struct ir_scanner *s)
{
	bool first = !s->at;

	for (int c; (c = peek(s, 0)) >= 0; s->at++) {
		if (c == '#')
			while (peek(s, 1) >= 0 && peek(s, 1) != '\n')
				s->at++;
		else if (c == '\n')
			first = true;
		else if (!isspace(c))
			break;
	}
	return first;
}

static int digit(int c, int base)
{
	int v = c >= '0' && c <= '9' ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;

	return v < base ? v : -1;
}

/* Digits behind the sign.  False: none, or too many. */
static bool scan_digits(struct ir_scanner *s, bool negative, int64_t *ret)
{
	int base = 10, d;
	uint64_t v = 0;
	size_t begin;

	if (peek(s, 0) == '0' && (peek(s, 1) | 0x20) == 'x') {
		base = 16;
		s->at += 2;
	}
	begin = s->at;
	for (; (d = digit(peek(s, 0), base)) >= 0; s->at++)
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	if (s->at == begin || is_word_byte(peek(s, 0)) || (negative && v > 1ull << 63))
		return false;
	*ret = (int64_t)(negative ? -v : v);
	return true;
}

static enum ir_token_kind scan_number(struct ir_scanner *s, struct ir_token *t)
{
	bool is_reg = peek(s, 0) == '%', negative = peek(s, 0) == '-';

	s->at += is_reg || negative;
	if (!scan_digits(s, negative, &t->number))
		return IRT_BAD;
	return is_reg ? IRT_REG : IRT_NUMBER;
}

static enum ir_token_kind scan_string(struct ir_scanner *s, struct ir_token *t)
{
	size_t begin = ++s->at, n = 0;
	char *to;

	while (peek(s, 0) >= 0 && peek(s, 0) != '"' && peek(s, 0) != '\n')
		s->at += peek(s, 0) == '\\' ? 2 : 1;
	if (peek(s, 0) != '"')
		return IRT_BAD;
	to = arena_alloc(s->arena, s->at - begin + 1);
	for (size_t i = begin; i < s->at; i++) {
		const char *p = s->text.p + i;

		if (*p == '\\' && p[1] == 'x' && s->at - i > 3 && isxdigit((unsigned char)p[2]) &&
		    isxdigit((unsigned char)p[3])) {
			to[n] = (char)(digit((unsigned char)p[2], 16) * 16 +
				       digit((unsigned char)p[3], 16));
			i += 3;
			if (!to[n])
				return IRT_BAD; /* names are C strings */
			n++;
			continue;
		}
		if (*p == '\\')
			i++, p++;
		if (!*p)
			return IRT_BAD;
		to[n++] = *p;
	}
	s->at++;
	t->text = (struct str){to, n};
	return IRT_STRING;
}

struct ir_token ir_scan(struct ir_scanner *s)
{
	struct ir_token t = {.is_first = skip_space(s)};
	size_t begin = s->at;
	int c = peek(s, 0);

	if (c < 0) {
		t.kind = IRT_END;
		t.is_first = true;
	} else if (c == '%' || isdigit(c) || (c == '-' && peek(s, 1) >= 0 && isdigit(peek(s, 1)))) {
		t.kind = scan_number(s, &t);
	} else if (c == '"') {
		t.kind = scan_string(s, &t);
	} else if (is_word_byte(c)) {
		while (is_word_byte(peek(s, 0)))
			s->at++;
		t.kind = IRT_WORD;
	} else {
		s->at++;
		t.kind = IRT_PUNCT;
	}
	s->at = MIN(MAX(s->at, begin + (c >= 0)), s->text.n);
	if (!t.text.p)
		t.text = (struct str){s->text.p + begin, s->at - begin};
	t.span = (struct span){s->file, (uint32_t)begin, (uint32_t)s->at};
	return t;
}
