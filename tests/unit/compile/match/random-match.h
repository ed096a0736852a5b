/* SPDX-License-Identifier: Apache-2.0 */
/* Random patterns and texts over a few bytes, so that they often meet. */
#pragma once

#include "compile/match/match.h"

#include <stdio.h>

enum { RANDOM_PATTERNS = 40, RANDOM_TEXT = 96 };

struct random_match {
	uint64_t state;
	struct match_pattern patterns[RANDOM_PATTERNS];
	char bytes[RANDOM_PATTERNS][32];
	size_t n;
	uint32_t n_bits;
	bool refused[RANDOM_PATTERNS];
};

static inline uint64_t random_number(uint64_t *state, uint64_t below)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (x ^ x >> 31) % below;
}

static inline size_t random_text(uint64_t *state, const char *from, char *to, size_t room)
{
	size_t n = random_number(state, room);

	for (size_t i = 0; i < n; i++)
		to[i] = from[random_number(state, strlen(from))];
	return n;
}

static inline void random_patterns(struct random_match *r)
{
	static const char *const sets[] = {
		"ab", "aB/.",		"/.a",		"abc/*",	  "ab*?[]!-\\/",
		"a*", "/etc.*[:alph]x", "aAbBzZ[-]!^/", "a/\xc3\xa9\x80 "};

	r->n = 1 + random_number(&r->state, RANDOM_PATTERNS);
	r->n_bits = 1 + (uint32_t)random_number(&r->state, 100);
	memset(r->refused, 0, sizeof(r->refused));
	for (size_t i = 0; i < r->n; i++) {
		const char *from = sets[random_number(&r->state, sizeof(sets) / sizeof(*sets))];
		size_t n =
			random_text(&r->state, from, r->bytes[i], 2 + random_number(&r->state, 12));

		r->patterns[i] = (struct match_pattern){
			.kind = (enum match_kind)random_number(&r->state, MATCH_ODD + 1),
			.ignore_case = !random_number(&r->state, 4),
			.text = {r->bytes[i], n},
			.bit = (uint32_t)random_number(&r->state, r->n_bits),
		};
	}
}

/* Often one that begins, ends or goes on as a pattern does. */
static inline size_t random_subject(struct random_match *r, char to[RANDOM_TEXT])
{
	static const char *const sets[] = {"ab", "ab/", "/.", "aAbB/.x", "/etc.alphx*[]", "zZ-^! "};
	const char *from = sets[random_number(&r->state, sizeof(sets) / sizeof(*sets))];
	size_t n = 0;

	for (unsigned int i = 0; i < 3 && n < RANDOM_TEXT - 32; i++) {
		const struct match_pattern *p = &r->patterns[random_number(&r->state, r->n)];

		n += random_text(&r->state, from, to + n, 10);
		if (random_number(&r->state, 2) || !p->text.n || n + p->text.n > RANDOM_TEXT)
			continue;
		memcpy(to + n, p->text.p, p->text.n);
		n += p->text.n;
	}
	return n;
}
