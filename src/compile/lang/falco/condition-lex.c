/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a condition.
 *
 * There is no list of tokens: what a byte begins depends on what is expected there.  "-1"
 * is a number behind '>', and a string behind '='; "in" is an operator only behind a field.
 */
#include "compile/lang/falco/condition.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_letter(c) || is_digit(c) || c == '_';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\b';
}

struct str lex_rest(const struct parser *p)
{
	return (struct str){p->s.p + p->at, p->s.n - p->at};
}

struct span lex_span(const struct parser *p, size_t begin)
{
	return text_span(p->text, begin, p->at);
}

bool lex_blank(struct parser *p)
{
	size_t begin = p->at;

	while (p->at < p->s.n && is_blank(p->s.p[p->at]))
		p->at++;
	return p->at > begin;
}

bool lex_is(const struct parser *p, const char *word)
{
	return str_starts(lex_rest(p), str_of(word));
}

bool cond_take(struct parser *p, const char *word)
{
	if (!lex_is(p, word))
		return false;
	p->at += strlen(word);
	return true;
}

bool lex_word(struct parser *p, const char *word)
{
	size_t end = p->at + strlen(word);

	if (!lex_is(p, word) || (end < p->s.n && (is_word(p->s.p[end]) || p->s.p[end] == '.')))
		return false;
	p->at = end;
	return true;
}

size_t lex_identifier(struct str s)
{
	size_t n = 0;

	if (!s.n || !is_letter(s.p[0]))
		return 0;
	while (n < s.n && is_word(s.p[n]))
		n++;
	return n;
}

/* Two identifiers or more, with dots between. */
size_t lex_field(struct str s)
{
	size_t n = lex_identifier(s), more, found = 0;

	while (n && n < s.n && s.p[n] == '.') {
		more = lex_identifier((struct str){s.p + n + 1, s.n - n - 1});
		if (!more)
			break;
		n += 1 + more;
		found = n;
	}
	return found;
}

static size_t digits(struct str s, size_t from)
{
	while (from < s.n && is_digit(s.p[from]))
		from++;
	return from;
}

static size_t hex(struct str s)
{
	size_t n = 2;

	if (s.n < 3 || s.p[0] != '0' || (s.p[1] | 0x20) != 'x')
		return 0;
	while (n < s.n && (is_digit(s.p[n]) || ((s.p[n] | 0x20) >= 'a' && (s.p[n] | 0x20) <= 'f')))
		n++;
	return n > 2 ? n : 0;
}

/* 0x1f, -12, 1.5, 1.5e+3 */
size_t cond_number(struct str s)
{
	size_t n = hex(s), sign = s.n && (s.p[0] == '+' || s.p[0] == '-'), end;

	if (n)
		return n;
	n = digits(s, sign);
	if (n == sign)
		return 0;
	if (n < s.n && s.p[n] == '.')
		n = digits(s, n + 1);
	if (n + 1 < s.n && (s.p[n] | 0x20) == 'e' && (s.p[n + 1] == '+' || s.p[n + 1] == '-')) {
		end = digits(s, n + 2);
		if (end > n + 2)
			n = end;
	}
	return n;
}

size_t lex_bare(struct str s)
{
	size_t n = 0;

	while (n < s.n && !is_blank(s.p[n]) && !strchr("()\"'=,\v\f", s.p[n]))
		n++;
	return n;
}

struct span lex_here(const struct parser *p)
{
	size_t n = lex_bare(lex_rest(p));

	return text_span(p->text, p->at, p->at + MAX(n, (size_t)1));
}

/* The two digits of \xHH; −1: they are none. */
static int hex_byte(struct str s, size_t at)
{
	int v = 0;

	if (at + 2 > s.n)
		return -1;
	for (size_t i = at; i < at + 2; i++) {
		char c = (char)(s.p[i] | 0x20);

		if (is_digit(s.p[i]))
			v = v * 16 + (s.p[i] - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (c - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* The byte of the escape whose letter is at `at`; −1: there is none like that. */
static int escape(struct str s, size_t at, char quote)
{
	static const char letters[] = "bfnrt\\/", bytes[] = "\b\f\n\r\t\\/";
	const char *p = strchr(letters, s.p[at]);

	if (s.p[at] == 'x')
		return hex_byte(s, at + 1);
	if (s.p[at] == ' ') /* "\ " is a backslash: some old rules have it so */
		return '\\';
	if (s.p[at] == quote)
		return quote;
	return p && *p ? bytes[p - letters] : -1;
}

/* The text between the quotes, [begin, end), without escapes. */
static bool unescape(struct parser *p, size_t begin, size_t end, char quote, struct str *ret)
{
	struct str s = {p->s.p, end};
	char *to = arena_alloc(&p->l->rs->arena, end - begin + 1);
	size_t n = 0;
	int c;

	for (size_t i = begin; i < end; i++) {
		if (s.p[i] != '\\') {
			to[n++] = s.p[i];
			continue;
		}
		c = ++i < end ? escape(s, i, quote) : -1;
		if (c < 0) {
			parse_fail(
				p, text_span(p->text, i - 1, i + 1),
				"no such escape in a string; there are \\\\ \\%c \\n \\t \\r \\b "
				"\\f \\/ and \\x with two hex digits",
				quote);
			return false;
		}
		to[n++] = (char)c;
		i += s.p[i] == 'x' ? 2 : 0;
	}
	*ret = (struct str){to, n};
	return true;
}

/* It ends at a quote that no backslash stands before, two of them neither: as libs has it. */
bool lex_quoted(struct parser *p, struct str *ret)
{
	size_t begin = p->at, end;
	char quote = p->at < p->s.n ? p->s.p[p->at] : 0;

	if (quote != '"' && quote != '\'')
		return false;
	for (end = begin + 1; end < p->s.n; end++)
		if (p->s.p[end] == quote && p->s.p[end - 1] != '\\')
			break;
	if (end >= p->s.n) {
		parse_fail(p, text_span(p->text, begin, begin + 1),
			   "expected the %c that ends this string", quote);
		return false;
	}
	if (!unescape(p, begin + 1, end, quote, ret))
		return false;
	p->at = end + 1;
	return true;
}
