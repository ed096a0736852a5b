/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions, by PCRE2.
 *
 * Falco uses RE2 in POSIX mode and wants the whole text to match; what both engines know
 * (POSIX classes, groups, counts) means the same here.  RE2 takes time linear in the text,
 * PCRE2 may try again and again: its steps are bounded, and a pattern that needs more fits
 * nothing.  As for RE2, bytes that are no UTF-8 are read as U+FFFD.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "event/rule/compare.h"

#include "base/macro.h"
#include "base/map.h"

#include <pcre2.h>
#include <stdlib.h>

enum { STEPS_MAX = 1000000, DEPTH_MAX = 10000 };

struct regex {
	char *text; /* owned */
	size_t n;
	pcre2_code *code; /* owned; NULL: it is none */
};

struct regexes {
	struct map by_hash; /* struct regex, owned */
	pcre2_match_context *limits;
};

struct regexes *regexes_new(void)
{
	return xalloc(sizeof(struct regexes));
}

static void regex_free(struct regex *x)
{
	pcre2_code_free(x->code);
	free(x->text);
	free(x);
}

void regexes_free(struct regexes *r)
{
	struct regex *x;

	if (!r)
		return;
	map_each(&r->by_hash, i, x)
		regex_free(x);
	map_done(&r->by_hash);
	pcre2_match_context_free(r->limits);
	free(r);
}

static struct regex *regex_new(struct str pattern)
{
	uint32_t options = PCRE2_UTF | PCRE2_MULTILINE | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
			   PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
	struct regex *x = xalloc(sizeof(*x));
	PCRE2_SIZE at;
	int error;

	x->text = xstrndup(pattern.p ? pattern.p : "", pattern.n);
	x->n = pattern.n;
	x->code = pcre2_compile((PCRE2_SPTR)x->text, x->n, options, &error, &at, NULL);
	return x;
}

static struct regex *regex_get(struct regexes *r, struct str pattern)
{
	uint64_t key = str_hash(pattern) | 1;
	struct regex *x = map_get(&r->by_hash, key), *old;

	if (x && str_eq((struct str){x->text, x->n}, pattern))
		return x;
	x = regex_new(pattern);
	old = map_put(&r->by_hash, key, x);
	if (old)
		regex_free(old);
	return x;
}

/* --- UTF-8: how long the character is that begins here; 0: none does */

static size_t character(const unsigned char *p, size_t n)
{
	size_t length = p[0] < 0x80   ? 1
			: p[0] < 0xc2 ? 0
			: p[0] < 0xe0 ? 2
			: p[0] < 0xf0 ? 3
			: p[0] < 0xf5 ? 4
				      : 0;
	unsigned char low = 0x80, high = 0xbf;

	if (!length || length > n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < length; i++, low = 0x80, high = 0xbf)
		if (p[i] < low || p[i] > high)
			return 0;
	return length;
}

static void sanitize(struct str s, struct buf *to)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = character((const unsigned char *)s.p + i, s.n - i);

		if (n)
			buf_add(to, s.p + i, n);
		else
			buf_puts(to, "\xef\xbf\xbd");
		i += n ? n : 1;
	}
}

static bool fits(const struct regex *x, pcre2_match_context *limits, struct str text)
{
	pcre2_match_data *data;
	struct buf clean = {0};
	int r;

	if (!x->code)
		return false;
	sanitize(text, &clean);
	data = pcre2_match_data_create(1, NULL);
	r = pcre2_match(x->code, (PCRE2_SPTR)(clean.p ? clean.p : ""), clean.n, 0,
			PCRE2_NO_UTF_CHECK, data, limits);
	pcre2_match_data_free(data);
	buf_done(&clean);
	return r >= 0;
}

bool regex_fits(struct regexes *r, struct str pattern, struct str text)
{
	struct regexes *own = r ? NULL : regexes_new(), *use = r ? r : own;
	bool does;

	if (!use->limits) {
		use->limits = pcre2_match_context_create(NULL);
		pcre2_set_match_limit(use->limits, STEPS_MAX);
		pcre2_set_depth_limit(use->limits, DEPTH_MAX);
	}
	does = fits(regex_get(use, pattern), use->limits, text);
	regexes_free(own);
	return does;
}
