/* SPDX-License-Identifier: Apache-2.0 */
#include "script-words.h"

static const char *const long_signs[] = {
	"<<=", ">>=", "<<", ">>", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=",
	"*=",  "/=",  "%=", "&=", "|=", "^=", "++", "--", "->", "..", "=>"};

static bool is_body(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char byte(struct str t, size_t at)
{
	return at < t.n ? t.p[at] : 0;
}

static size_t after_gap(struct str t, size_t at)
{
	for (;;) {
		char c = byte(t, at), next = byte(t, at + 1);
		const char *end;

		if (at < t.n && strchr(" \t\r\n", c) && c) {
			at++;
		} else if (c == '/' && next == '/') {
			end = memchr(t.p + at, '\n', t.n - at);
			at = end ? (size_t)(end - t.p) : t.n;
		} else if (c == '/' && next == '*') {
			end = memmem(t.p + at, t.n - at, "*/", 2);
			at = end ? (size_t)(end - t.p) + 2 : t.n;
		} else {
			return at;
		}
	}
}

/* Behind the string whose quote is at `at`; if it does not end, behind the quote. */
static size_t after_string(struct str t, size_t at)
{
	for (size_t i = at + 1; i < t.n && t.p[i] != '\n'; i++) {
		if (t.p[i] == '"')
			return i + 1;
		i += t.p[i] == '\\';
	}
	return at + 1;
}

static size_t after_sign(struct str t, size_t at)
{
	size_t best = 1;

	for (size_t i = 0; i < ELEMENTS(long_signs); i++) {
		struct str sign = str_of(long_signs[i]);

		if (sign.n > best && str_starts((struct str){t.p + at, t.n - at}, sign))
			best = sign.n;
	}
	return at + best;
}

static size_t after_word(struct str t, size_t at, enum class *ret_class)
{
	char c = byte(t, at);

	if (is_body(c) || c == '$' || c == '@') {
		*ret_class = is_digit(c) ? CLASS_NUMBER
			     : c == '$'	 ? CLASS_VARIABLE
			     : c == '@'	 ? CLASS_MAP
					 : CLASS_NAME;
		for (at++; is_body(byte(t, at)); at++)
			;
		return at;
	}
	if (c == '"') {
		*ret_class = CLASS_STRING;
		return after_string(t, at);
	}
	*ret_class = CLASS_SIGN;
	if (c && strchr(",;", c))
		*ret_class = CLASS_SEPARATOR;
	else if (c && strchr("([{", c))
		*ret_class = CLASS_OPEN;
	else if (c && strchr(")]}", c))
		*ret_class = CLASS_CLOSE;
	return after_sign(t, at);
}

struct word word_next(struct str t, size_t *at)
{
	struct word w = {};
	size_t begin = *at, end = after_word(t, begin, &w.class);

	*at = after_gap(t, end);
	w.text = (struct str){t.p + begin, end - begin};
	w.gap = (struct str){t.p + end, *at - end};
	return w;
}

bool word_is(const struct word *w, const char *what)
{
	return str_eq(w->text, str_of(what));
}

void words_match(struct words *l)
{
	static size_t open[WORDS];
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct word *w = &l->p[i];

		w->pair = i;
		if (w->class == CLASS_OPEN) {
			open[n++] = i;
		} else if (w->class == CLASS_CLOSE && n) {
			char c = *l->p[open[n - 1]].text.p;

			if (*w->text.p != (c == '(' ? ')' : c == '[' ? ']' : '}'))
				continue;
			w->pair = open[--n];
			l->p[w->pair].pair = i;
		}
	}
}

bool words_cut(struct words *l, const uint8_t *data, size_t n)
{
	struct str t = {(const char *)data, n};

	l->n = 0;
	for (size_t at = after_gap(t, 0); at < t.n;) {
		if (l->n == WORDS)
			return false;
		l->p[l->n++] = word_next(t, &at);
	}
	words_match(l);
	return true;
}

size_t words_join(const struct words *l, uint8_t *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct word *w = &l->p[i];

		/* words that would become one */
		if (n && n < room && is_body(*w->text.p) && is_body((char)out[n - 1]))
			out[n++] = ' ';
		if (w->text.n + w->gap.n > room - n)
			return 0;
		memcpy(out + n, w->text.p, w->text.n);
		n += w->text.n;
		memcpy(out + n, w->gap.p, w->gap.n);
		n += w->gap.n;
	}
	return n;
}

void words_push(struct words *l, struct word w)
{
	if (l->n < WORDS)
		l->p[l->n++] = w;
}

void words_copy(struct words *to, const struct words *from, struct piece what)
{
	for (size_t i = what.begin; i < what.end; i++)
		words_push(to, from->p[i]);
}

/* --- pieces */

/* Does this word, which is no bracket with a partner, end a piece? */
static bool is_border(const struct word *w, enum level level)
{
	if (w->class == CLASS_SEPARATOR)
		return level != LEVEL_STATEMENT || word_is(w, ";");
	if (level == LEVEL_OPERAND && w->class == CLASS_SIGN)
		return !word_is(w, ".") && !word_is(w, "->");
	return w->class == CLASS_OPEN || w->class == CLASS_CLOSE;
}

size_t words_outside(const struct words *l, size_t at)
{
	for (size_t i = at; i-- > 0;) {
		const struct word *w = &l->p[i];

		if (w->class == CLASS_OPEN && w->pair > at)
			return i;
		if (w->class == CLASS_CLOSE)
			i = w->pair;
	}
	return SIZE_MAX;
}

static size_t piece_begin(const struct words *l, size_t at, enum level level)
{
	while (at > 0) {
		const struct word *w = &l->p[at - 1];

		if (w->class == CLASS_CLOSE && w->pair < at - 1) {
			if (level == LEVEL_STATEMENT && word_is(w, "}"))
				break;
			at = w->pair;
		} else if (is_border(w, level)) {
			break;
		} else {
			at--;
		}
	}
	return at;
}

static size_t piece_end(const struct words *l, size_t at, enum level level)
{
	while (at < l->n) {
		const struct word *w = &l->p[at];

		if (w->class == CLASS_OPEN && w->pair > at) {
			at = w->pair + 1;
			if (level == LEVEL_STATEMENT && word_is(w, "{"))
				break;
		} else if (is_border(w, level)) {
			return at + (level == LEVEL_STATEMENT && word_is(w, ";"));
		} else {
			at++;
		}
	}
	return at;
}

struct piece words_piece(const struct words *l, size_t at, enum level level)
{
	if (l->p[at].class == CLASS_CLOSE)
		at = l->p[at].pair;
	if (level == LEVEL_BRACKET)
		return (struct piece){at, l->p[at].pair > at ? l->p[at].pair + 1 : at};
	return (struct piece){piece_begin(l, at, level), piece_end(l, at, level)};
}
