/* SPDX-License-Identifier: Apache-2.0 */
/* A name is taken apart at humps, dashes and digits, and put together again in lower case. */
#include "event/redact-name.h"

enum { NAME_BYTES = 128 }; /* longest name that is looked at, from its end */

const uint16_t redact_kinds[256] = {
	['a' ... 'z'] = LOWER, ['A' ... 'Z'] = UPPER, ['0' ... '9'] = DIGIT, ['_'] = UNDER,
	['-'] = DASH,	       ['.'] = DOT,	      ['+'] = BASE64,	     ['/'] = BASE64,
	['='] = BASE64,	       [' '] = SPACE,	      ['\t'] = SPACE,	     ['\n'] = SPACE,
	['\r'] = SPACE,	       ['"'] = QUOTE,	      ['\''] = QUOTE,	     ['`'] = QUOTE,
	[';'] = OPERATOR,      ['|'] = OPERATOR,      ['&'] = OPERATOR,	     ['<'] = OPERATOR,
	['>'] = OPERATOR,      ['('] = OPERATOR,      [')'] = OPERATOR,	     ['~'] = TILDE,
};

static const struct secret_word words[] = {
#define WORD(text, bits) {STR(text), bits},
#include "event/redact.def"
};

static const struct str parts_before[] = {
#define BEFORE(part) STR(part),
#include "event/redact.def"
};

static const struct str parts_after[] = {
#define AFTER(part) STR(part),
#include "event/redact.def"
};

bool text_in(const struct str *list, size_t n, const char *p, const char *end)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].p[0] == *p && text_is(list[i], p, end))
			return true;
	return false;
}

#define PAIR(a, b) (1ull << (((a)*5 + (b)) & 63))

/* A bit for the last two letters of each word: most parts end otherwise. */
static inline bool ends_word(char a, char b)
{
	const uint64_t last = 0
#define WORD(text, bits) | PAIR((text)[sizeof(text) - 3], (text)[sizeof(text) - 2])
#include "event/redact.def"
		;

	return last & PAIR(a, b);
}

/* The row that the first `n` letters end with; the last part begins at `part`. */
static const struct secret_word *word_at_end(const char *low, size_t n, size_t part)
{
	if (n < 2 || !ends_word(low[n - 2], low[n - 1]))
		return NULL;
	for (const struct secret_word *w = words; w < words + ELEMENTS(words); w++) {
		size_t len = w->text.n;

		if (len > n || w->text.p[len - 1] != low[n - 1])
			continue;
		if (w->bits & WHOLE && len != n - part)
			continue;
		if (!memcmp(low + n - len, w->text.p, len))
			return w;
	}
	return NULL;
}

/* Does a new word of camelCase begin at p: aB, and the B of ABc. */
static bool is_hump(const char *p, const char *begin, const char *end)
{
	return p > begin && is(*p, UPPER) &&
	       (is(p[-1], LOWER) || (is(p[-1], UPPER) && p + 1 < end && is(p[1], LOWER)));
}

/*
 * The letters are collected, and after each part the collection is compared: "X-Api-Key"
 * gives x, xapi, xapikey.
 */
const struct secret_word *redact_name(const char *p, const char *end)
{
	const struct secret_word *found = NULL, *w;
	const char *begin;
	char low[NAME_BYTES];
	size_t n = 0;

	if (end - p > NAME_BYTES)
		p = end - NAME_BYTES;
	begin = p;
	while (p < end) {
		size_t part = n;

		while (p < end && !is(*p, ALPHA))
			p++;
		while (p < end && is(*p, ALPHA) && !(n > part && is_hump(p, begin, end)))
			low[n++] = lower(*p++);
		if (n == part)
			break;
		w = word_at_end(low, n, part);
		if (w)
			found = w;
		else if (found && text_in(parts_after, ELEMENTS(parts_after), low + part, low + n))
			return NULL;
		else if (!found &&
			 text_in(parts_before, ELEMENTS(parts_before), low + part, low + n))
			return NULL;
	}
	return found;
}
