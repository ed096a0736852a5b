/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any patterns, any texts: the automaton says what the patterns say one by one.
 *
 * Lines up to an empty one are patterns: the kind as a letter of "epscgmao", a capital one to
 * ignore case, then the text; every eighth has the bit of the first.  The lines behind are texts.
 */
#include "compile/match/match.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { PATTERNS = 64, BITS = 70 };

static bool take_line(struct str *rest, struct str *ret)
{
	const char *end;

	if (!rest->n)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	ret->p = rest->p;
	ret->n = end ? (size_t)(end - rest->p) : rest->n;
	rest->n -= ret->n + (end != NULL);
	rest->p += ret->n + (end != NULL);
	return true;
}

static bool pattern(struct str line, uint32_t i, struct match_pattern *ret)
{
	static const char kinds[] = "epscgmao";
	const char *at = line.n && line.p[0] ? strchr(kinds, line.p[0] | 0x20) : NULL;

	if (!at)
		return false;
	*ret = (struct match_pattern){.kind = (enum match_kind)(at - kinds),
				      .ignore_case = !(line.p[0] & 0x20),
				      .text = {line.p + 1, line.n - 1},
				      .bit = i % 8 ? i : 0};
	return true;
}

static void check_text(const struct match *m, const struct match_pattern *p, const bool *refused,
		       size_t n, struct str text)
{
	uint64_t bits[2] = {0}, want[2] = {0};

	for (size_t i = 0; i < n; i++)
		if (!refused[i] && match_one(&p[i], text))
			want[p[i].bit / 64] |= 1ull << (p[i].bit & 63);
	match_run(m, text, bits);
	assert(bits[0] == want[0] && bits[1] == want[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str rest = {(const char *)data, n}, line;
	struct match_pattern patterns[PATTERNS];
	static const struct match_limits limits = {500, 50000};
	bool refused[PATTERNS] = {false};
	struct arena a = {};
	struct match m;
	size_t n_patterns = 0;

	while (n_patterns < PATTERNS && take_line(&rest, &line) && line.n)
		n_patterns += pattern(line, (uint32_t)n_patterns, &patterns[n_patterns]);
	match_build_within(&a, patterns, n_patterns, BITS, &limits, refused, &m);
	assert(m.n_states <= limits.states && m.n_words == 2);
	assert(m.start < m.n_states);
	for (size_t i = 0; i < (size_t)m.n_states * m.n_classes; i++)
		assert(m.next[i] < m.n_states);
	check_text(&m, patterns, refused, n_patterns, STR(""));
	while (take_line(&rest, &line))
		check_text(&m, patterns, refused, n_patterns, line);
	arena_done(&a);
	return 0;
}
