/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs: * is any text, ? any byte, [abc], [a-z], [!a] and [[:alpha:]] one byte of a set, \x
 * is x.
 *
 * Corners, as glibc has them: a '[' without its ']' is a plain byte; a ']' right behind '['
 * or '[!' is one of the set; a '\' at the very end fits nothing; with case ignored both ends of a
 * range are made small before it is looked at, so that [Z-a] is empty and [A-z] is [a-z].
 */
#include "compile/match/glob.h"

enum { CLASS_NAME_MAX = 16 };

static uint8_t small(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

void byteset_fold(struct byteset *s)
{
	for (uint8_t c = 'a'; c <= 'z'; c++) {
		if (byteset_has(s, c) || byteset_has(s, (uint8_t)(c - 32))) {
			byteset_add(s, c);
			byteset_add(s, (uint8_t)(c - 32));
		}
	}
}

static void add_range(struct byteset *s, unsigned int from, unsigned int to)
{
	for (unsigned int c = from; c <= to; c++)
		byteset_add(s, (uint8_t)c);
}

static bool add_class(struct byteset *s, struct str name)
{
	static const struct {
		const char *name, *ranges; /* pairs of first and last */
	} classes[] = {
		{"alnum", "09AZaz"},   {"alpha", "AZaz"},
		{"blank", "\t\t  "},   {"cntrl", "\1\37\177\177"},
		{"digit", "09"},       {"graph", "!~"},
		{"lower", "az"},       {"print", " ~"},
		{"punct", "!/:@[`{~"}, {"space", "\t\r  "},
		{"upper", "AZ"},       {"xdigit", "09AFaf"},
	};

	for (size_t i = 0; i < ELEMENTS(classes); i++) {
		if (!str_eq(name, str_of(classes[i].name)))
			continue;
		for (const char *r = classes[i].ranges; *r; r += 2)
			add_range(s, (uint8_t)r[0], (uint8_t)r[1]);
		if (classes[i].name[0] == 'c')
			byteset_add(s, 0);
		return true;
	}
	return false;
}

struct bracket {
	struct str text;
	size_t at;
	bool ignore_case;
	struct byteset set, exact; /* exact: classes, which no folding changes */
};

enum {
	BRACKET_ENDS = 0,
	BRACKET_GOES_ON = 1,
	BRACKET_OPEN = -1,
	BRACKET_NEVER = -2,
	BRACKET_STRANGE = -3
};

static int bracket_class(struct bracket *b)
{
	size_t from = b->at + 1, to = from;

	while (to < b->text.n && b->text.p[to] >= 'a' && b->text.p[to] < 'z')
		to++;
	if (to + 1 >= b->text.n || b->text.p[to] != ':' || b->text.p[to + 1] != ']' ||
	    to - from >= CLASS_NAME_MAX)
		return BRACKET_STRANGE;
	b->at = to + 2;
	return add_class(&b->exact, (struct str){b->text.p + from, to - from}) ? BRACKET_GOES_ON
									       : BRACKET_STRANGE;
}

/* A byte of the set, or a range; the first byte may be ']'. */
static int bracket_item(struct bracket *b, bool is_first)
{
	uint8_t from, to;

	if (b->at >= b->text.n)
		return BRACKET_OPEN;
	from = (uint8_t)b->text.p[b->at++];
	if (from == ']' && !is_first)
		return BRACKET_ENDS;
	if (from == '[' && b->at < b->text.n && strchr(":=.", b->text.p[b->at]))
		return b->text.p[b->at] == ':' ? bracket_class(b) : BRACKET_STRANGE;
	if (from == '\\') {
		if (b->at >= b->text.n)
			return BRACKET_NEVER;
		from = (uint8_t)b->text.p[b->at++];
	}
	to = from;
	if (b->at + 1 == b->text.n && b->text.p[b->at] == '-')
		return BRACKET_STRANGE; /* "[x-": sometimes plain bytes, sometimes nothing fits */
	if (b->at + 1 < b->text.n && b->text.p[b->at] == '-' && b->text.p[b->at + 1] != ']') {
		to = (uint8_t)b->text.p[b->at + 1];
		b->at += 2;
		if (to == '[' && b->at < b->text.n && b->text.p[b->at] == '.')
			return BRACKET_STRANGE;
		if (to == '\\') {
			if (b->at >= b->text.n)
				return BRACKET_NEVER;
			to = (uint8_t)b->text.p[b->at++];
		}
	}
	if (b->ignore_case)
		from = small(from), to = small(to);
	add_range(&b->set, from, to);
	return BRACKET_GOES_ON;
}

/* Behind '['.  1: a set; 0: the bracket is a plain byte; -1: strange. */
static int bracket(struct str pattern, size_t *at, bool ignore_case, struct byteset *ret)
{
	struct bracket b = {.text = pattern, .at = *at, .ignore_case = ignore_case};
	bool is_not = b.at < pattern.n && (pattern.p[b.at] == '!' || pattern.p[b.at] == '^');
	int r;

	b.at += is_not;
	r = bracket_item(&b, true);
	while (r == BRACKET_GOES_ON)
		r = bracket_item(&b, false);
	if (r == BRACKET_STRANGE)
		return -1;
	if (r == BRACKET_OPEN)
		return 0;
	*ret = (struct byteset){};
	if (r == BRACKET_NEVER) {
		*at = pattern.n;
		return 1;
	}
	if (ignore_case) {
		/* only what a small letter is in: a text's byte is made small, then looked for */
		for (uint8_t c = 'A'; c <= 'Z'; c++)
			b.set.w[1] &= ~(1ull << (c & 63));
		byteset_fold(&b.set);
	}
	for (unsigned int i = 0; i < ELEMENTS(ret->w); i++) {
		ret->w[i] = b.set.w[i] | b.exact.w[i];
		if (is_not)
			ret->w[i] = ~ret->w[i];
	}
	*at = b.at;
	return 1;
}

int glob_next(struct str pattern, size_t *at, bool ignore_case, struct glob_step *ret)
{
	uint8_t c;
	int r;

	if (*at >= pattern.n)
		return 0;
	*ret = (struct glob_step){};
	c = (uint8_t)pattern.p[(*at)++];
	if (c == '*') {
		while (*at < pattern.n && pattern.p[*at] == '*')
			(*at)++;
		ret->is_star = true;
		return 1;
	}
	if (c == '?') {
		memset(&ret->set, 0xff, sizeof(ret->set));
		return 1;
	}
	if (c == '[') {
		r = bracket(pattern, at, ignore_case, &ret->set);
		if (r)
			return r;
	} else if (c == '\\') {
		if (*at >= pattern.n)
			return 1;
		c = (uint8_t)pattern.p[(*at)++];
	}
	byteset_add(&ret->set, c);
	if (ignore_case)
		byteset_fold(&ret->set);
	return 1;
}

bool path_component(struct str path, size_t *at, struct str *ret)
{
	size_t from;

	while (*at < path.n && path.p[*at] == '/')
		(*at)++;
	from = *at;
	while (*at < path.n && path.p[*at] != '/')
		(*at)++;
	*ret = (struct str){path.p + from, *at - from};
	return *at > from;
}
