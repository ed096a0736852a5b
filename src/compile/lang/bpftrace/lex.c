/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/lang/bpftrace/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void lex_init(struct lex *l, struct diags *d, uint32_t source)
{
	*l = (struct lex){.d = d, .file = source, .text = d->sources.p[source].text};
	l->errors = d->errors;
}

bool lex_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

bool lex_is_start(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool lex_is_body(unsigned char c)
{
	return lex_is_start(c) || lex_is_digit(c);
}

bool lex_is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t lex_after_word(const struct lex *l, size_t at)
{
	while (lex_is_body(lex_byte(l, at)))
		at++;
	return at;
}

/* Behind a comment that begins at `at`; `at` if none does. */
static size_t after_comment(const struct lex *l, size_t at)
{
	const char *p = l->text.p + at, *stop;
	size_t left = l->text.n - at;

	if (lex_byte(l, at + 1) == '/') {
		stop = memchr(p, '\n', left);
		return stop ? at + (size_t)(stop - p) : l->text.n;
	}
	if (lex_byte(l, at + 1) != '*')
		return at;
	stop = left > 2 ? memmem(p + 2, left - 2, "*/", 2) : NULL;
	return stop ? at + (size_t)(stop - p) + 2 : l->text.n;
}

size_t lex_after_space(const struct lex *l, size_t at)
{
	size_t next;

	while (at < l->text.n) {
		if (lex_is_space(lex_byte(l, at))) {
			at++;
			continue;
		}
		if (lex_byte(l, at) != '/')
			break;
		next = after_comment(l, at);
		if (next == at)
			break;
		at = next;
	}
	return at;
}

size_t lex_after_balanced(const struct lex *l, size_t at, char open, char close)
{
	size_t depth = 0;

	for (; at < l->text.n; at++) {
		depth += l->text.p[at] == open;
		if (l->text.p[at] == close && --depth == 0)
			return at + 1;
	}
	return at;
}

struct str lex_peek_word(const struct lex *l)
{
	return (struct str){l->text.p + l->at, lex_after_word(l, l->at) - l->at};
}

void lex_space(struct lex *l)
{
	l->at = lex_after_space(l, l->at);
}

bool lex_take(struct lex *l, char c)
{
	lex_space(l);
	if (lex_end(l) || l->text.p[l->at] != c)
		return false;
	l->at++;
	return true;
}

bool lex_is_word(const struct lex *l, const char *word)
{
	size_t at = lex_after_space(l, l->at), n;

	if (lex_byte(l, at) != (unsigned char)*word)
		return false;
	n = strlen(word);
	return at + n <= l->text.n && !memcmp(l->text.p + at, word, n) &&
	       !lex_is_body(lex_byte(l, at + n));
}

bool lex_take_word(struct lex *l, const char *word)
{
	bool found = lex_is_word(l, word);

	lex_space(l);
	if (found)
		l->at += strlen(word);
	return found;
}

bool lex_expect(struct lex *l, char c)
{
	bool found = lex_take(l, c);

	if (!found)
		lex_error(l, "expected '%c'", c);
	return found;
}

bool lex_expect_word(struct lex *l, const char *word)
{
	bool found = lex_take_word(l, word);

	if (!found)
		lex_error(l, "expected '%s'", word);
	return found;
}

static struct str take_to(struct lex *l, size_t end)
{
	struct str s = {l->text.p + l->at, end - l->at};

	l->at = end;
	return s;
}

struct str lex_name(struct lex *l, const char *missing)
{
	lex_space(l);
	if (lex_is_start(lex_peek(l, 0)))
		return take_to(l, lex_after_word(l, l->at));
	if (missing)
		lex_error(l, "%s", missing);
	return (struct str){};
}

struct str lex_variable(struct lex *l)
{
	if (lex_is_start(lex_peek(l, 1)))
		return take_to(l, lex_after_word(l, l->at + 1));
	lex_error(l, "expected identifier after '$'");
	return STR("");
}

struct str lex_map(struct lex *l)
{
	if (lex_is_start(lex_peek(l, 1)))
		return take_to(l, lex_after_word(l, l->at + 1));
	return take_to(l, l->at + 1);
}

static const char *const builtin_words[] = {
	"args",
	"ctx",
	"kstack",
	"nsecs",
	"pid",
	"tid",
	"ustack",
	"__builtin_comm",
	"__builtin_cpid",
	"__builtin_cpu",
	"__builtin_dw_ustack",
	"__builtin_elapsed",
	"__builtin_func",
	"__builtin_ncpus",
	"__builtin_probe",
	"__builtin_retval",
	"__builtin_usermode",
};

bool word_eq(struct str word, const char *is)
{
	return word.n == strlen(is) && !memcmp(word.p, is, word.n);
}

bool word_is_builtin(struct str word)
{
	size_t at = 0;

	for (size_t i = 0; i < ELEMENTS(builtin_words); i++)
		if (word_eq(word, builtin_words[i]))
			return true;
	if (str_starts(word, STR("arg")))
		at = 3;
	else if (str_starts(word, STR("sarg")))
		at = 4;
	if (!at || word.n == at)
		return false;
	while (at < word.n && lex_is_digit((unsigned char)word.p[at]))
		at++;
	return at == word.n;
}

/* --- strings */

static bool is_octal(unsigned char c)
{
	return c >= '0' && c <= '7';
}

static int hex_value(unsigned char c)
{
	if (lex_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char octal_escape(struct lex *l)
{
	size_t begin = l->at - 1;
	unsigned int v = 0, n = 0;

	for (; n < 3 && is_octal(lex_peek(l, 0)); n++)
		v = v * 8 + lex_byte(l, l->at++) - '0';
	if (v > UINT8_MAX)
		lex_error_at(l, begin, l->at, "octal escape sequence out of range '%.*s'",
			     (int)(l->at - begin), l->text.p + begin);
	return (char)v;
}

/* Adds nothing if no digit follows. */
static void hex_escape(struct lex *l, struct buf *to)
{
	int v = 0, n = 0;

	l->at++;
	for (; n < 2 && hex_value(lex_peek(l, 0)) >= 0; n++)
		v = v * 16 + hex_value(lex_byte(l, l->at++));
	if (n)
		buf_putc(to, (char)v);
	else
		lex_error(l, "invalid hex escape sequence");
}

/* What follows a backslash; the cursor is on it, or at the end. */
static void escape(struct lex *l, struct buf *to)
{
	static const char letters[] = "ntr\"\\", values[] = "\n\t\r\"\\";
	unsigned char c = lex_peek(l, 0);
	const char *which = c ? strchr(letters, c) : NULL;

	if (is_octal(c)) {
		buf_putc(to, octal_escape(l));
	} else if (c == 'x' || c == 'X') {
		hex_escape(l, to);
	} else {
		if (which)
			buf_putc(to, values[which - letters]);
		else
			lex_error(l, "invalid escape character '\\%c'", c);
		l->at++;
	}
}

struct str lex_string(struct lex *l)
{
	_cleanup_buf_ struct buf b = {};
	size_t n;

	l->at++;
	while (!lex_end(l) && lex_peek(l, 0) != '"') {
		if (lex_peek(l, 0) == '\n' || (lex_peek(l, 0) == '\\' && l->at + 1 == l->text.n)) {
			lex_error(l, "unterminated string");
			goto out;
		}
		if (lex_peek(l, 0) == '\\') {
			l->at++;
			escape(l, &b);
		} else {
			buf_putc(&b, l->text.p[l->at++]);
		}
	}
	if (lex_end(l))
		lex_error(l, "unterminated string");
	else
		l->at++;
out:
	n = b.n;
	return (struct str){arena_strndup(l->d->arena, b.p ? b.p : "", n), n};
}

/* --- numbers */

static void digits(struct lex *l, bool hex)
{
	while (lex_peek(l, 0) == '_' ||
	       (hex ? hex_value(lex_peek(l, 0)) >= 0 : lex_is_digit(lex_peek(l, 0))))
		l->at++;
}

static void no_underscore(struct lex *l, size_t begin)
{
	if (l->at > begin && l->text.p[l->at - 1] == '_')
		lex_error_at(l, l->at - 1, l->at, "trailing underscore in integer literal");
}

/* ns, us, ms, s, m, h, d; u, ul, ull, l, ll. */
static void suffix(struct lex *l)
{
	unsigned char c = lex_peek(l, 0), low = c | 0x20;
	unsigned int longs = 0;

	if ((c == 'n' || c == 'u' || c == 'm') && lex_peek(l, 1) == 's') {
		l->at += 2;
	} else if (c == 's' || c == 'm' || c == 'h' || c == 'd') {
		l->at++;
	} else if (low == 'u' || low == 'l') {
		l->at += low == 'u';
		while (longs++ < 2 && (lex_peek(l, 0) | 0x20) == 'l')
			l->at++;
	}
}

struct str lex_number(struct lex *l)
{
	size_t begin, bad;

	lex_space(l);
	begin = l->at;
	if (lex_peek(l, 0) == '0' && (lex_peek(l, 1) | 0x20) == 'x') {
		l->at += 2;
		digits(l, true);
		no_underscore(l, begin);
		return (struct str){l->text.p + begin, l->at - begin};
	}
	digits(l, false);
	no_underscore(l, begin);
	if ((lex_peek(l, 0) | 0x20) == 'e') {
		l->at++;
		digits(l, false);
		no_underscore(l, begin);
	}
	suffix(l);
	bad = l->at;
	if (lex_is_start(lex_peek(l, 0))) {
		l->at = lex_after_word(l, bad);
		lex_error_at(l, bad, l->at, "invalid integer suffix '%.*s'", (int)(l->at - bad),
			     l->text.p + bad);
		return (struct str){l->text.p + begin, bad - begin};
	}
	return (struct str){l->text.p + begin, l->at - begin};
}

struct unit {
	const char *name;
	uint64_t max, factor;
};

static const struct unit units[] = {
	{"", UINT64_MAX, 1},
	{"u", UINT32_MAX, 1},
	{"ul", UINT64_MAX, 1},
	{"ull", UINT64_MAX, 1},
	{"l", INT64_MAX, 1},
	{"ll", INT64_MAX, 1},
	{"ns", UINT64_MAX, 1},
	{"us", UINT64_MAX, 1000},
	{"ms", UINT64_MAX, 1000000},
	{"s", UINT64_MAX, 1000000000},
	{"m", UINT64_MAX, 60000000000},
	{"h", UINT64_MAX, 3600000000000},
	{"d", UINT64_MAX, 86400000000000},
};

static const char *overflow(struct arena *a, uint64_t max, const char *number)
{
	return arena_printf(a, "overflow error, maximum value is %llu: %s", (unsigned long long)max,
			    number);
}

/* Digits of a base at *p; false: too large. */
static bool number_digits(const char **p, unsigned int base, uint64_t *ret)
{
	uint64_t v = 0;
	bool fits = true;
	int digit;

	for (; (digit = hex_value((unsigned char)**p)) >= 0 && (unsigned int)digit < base; ++*p)
		fits = fits && !__builtin_mul_overflow(v, base, &v) &&
		       !__builtin_add_overflow(v, (uint64_t)digit, &v);
	*ret = v;
	return fits;
}

/* "e6" at *p, if one is there: NULL or what is wrong. */
static const char *exponent(struct arena *a, const char **p, uint64_t *v, const char *number)
{
	uint64_t power;

	if ((**p | 0x20) != 'e' || (*p)[1] < '1' || (*p)[1] > '9')
		return NULL;
	if (*v < 1 || *v > 9)
		return arena_printf(a, "coefficient part of scientific literal must be 1-9: %s",
				    number);
	++*p;
	if (!number_digits(p, 10, &power))
		power = UINT64_MAX;
	for (; power; power--)
		if (__builtin_mul_overflow(*v, 10, v))
			return overflow(a, UINT64_MAX, number);
	return NULL;
}

const char *literal_parse(struct arena *a, struct str text, uint64_t *ret)
{
	const char *number = arena_strndup(a, text.p, text.n), *p, *digits_at, *wrong;
	char *clean = arena_alloc(a, text.n + 1);
	unsigned int base = 10;
	uint64_t v;

	for (size_t i = 0, n = 0; i < text.n; i++)
		if (text.p[i] != '_')
			clean[n++] = text.p[i];
	p = clean;
	if (p[0] == '0' && ((p[1] | 0x20) == 'x' || (p[1] | 0x20) == 'b')) {
		base = (p[1] | 0x20) == 'x' ? 16 : 2;
		p += 2;
	} else if (p[0] == '0' && is_octal((unsigned char)p[1])) {
		base = 8;
		p++;
	}
	if (base != 10)
		number = arena_strdup(a, p);
	digits_at = p;
	if (!number_digits(&p, base, &v))
		return overflow(a, UINT64_MAX, number);
	if (p == digits_at)
		return arena_printf(a, "invalid integer: %s", *number ? number : clean);
	wrong = exponent(a, &p, &v, number);
	if (wrong)
		return wrong;
	for (size_t i = 0; i < ELEMENTS(units); i++) {
		if (strcmp(p, units[i].name))
			continue;
		if (v > units[i].max / units[i].factor)
			return overflow(a, units[i].max, number);
		*ret = v * units[i].factor;
		return NULL;
	}
	return arena_printf(a, "invalid trailing bytes: %s", number);
}

/* --- errors */

/* What people mean by what they write instead. */
static void hint(struct lex *l, size_t at, const char *text)
{
	if (lex_byte(l, at) == '\'')
		diag_hint(l->d, "Texts stand in double quotes: \"x\"");
	else if (lex_byte(l, at) == '=' && !strcmp(text, "expected ')'"))
		diag_hint(l->d, "== compares");
	else if (!strcmp(text, "expected '{'") && !memchr(l->text.p, '{', l->text.n))
		diag_hint(l->d, "A program is PROBE { ACTION }, as: begin { print(1); }");
}

_printf_(4, 0) static void report(struct lex *l, size_t begin, size_t end, const char *format,
				  va_list ap)
{
	_cleanup_free_ char *text = NULL;

	const struct diagnostic *last = l->d->list.n ? &l->d->list.p[l->d->list.n - 1] : NULL;

	if (l->is_over)
		return;
	/* What follows from the one before it. */
	if (last && last->id == D_SYNTAX && last->span.file == l->file && last->span.end >= begin &&
	    last->span.begin <= begin) {
		l->d->errors += l->d->quiet;
		return;
	}
	if (vasprintf(&text, format, ap) < 0)
		abort();
	diag(l->d, D_SYNTAX, (struct span){l->file, (uint32_t)begin, (uint32_t)end}, "syntax: %s",
	     text);
	hint(l, begin, text);
}

/* Where the word, number, name or sign at `at` ends. */
static size_t after_token(const struct lex *l, size_t at)
{
	unsigned char c = lex_byte(l, at);

	if (at >= l->text.n)
		return at;
	if (lex_is_start(c))
		return lex_after_word(l, at);
	if (c == '@' || c == '$')
		return lex_after_word(l, at + 1);
	at++;
	if (lex_is_digit(c))
		while (lex_byte(l, at) == '.' ||
		       (lex_is_body(lex_byte(l, at)) && lex_byte(l, at) != '_'))
			at++;
	return at;
}

void lex_error(struct lex *l, const char *format, ...)
{
	size_t begin = lex_after_space(l, l->at);
	va_list ap;

	va_start(ap, format);
	report(l, begin, after_token(l, begin), format, ap);
	va_end(ap);
}

void lex_error_at(struct lex *l, size_t begin, size_t end, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report(l, begin, end, format, ap);
	va_end(ap);
}

void lex_give_up(struct lex *l, const char *why)
{
	lex_error(l, "%s", why);
	l->is_over = true;
	l->text.n = 0; /* who looked ahead and goes back finds nothing either */
}
