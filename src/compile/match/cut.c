/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns that have no room are left out, the dearest first.
 *
 * What a pattern costs depends on the others, so it is guessed: stars that have something
 * before them, sets of many bytes, length.  How many have to go is found by trying: one, two,
 * four, then between.
 */
#include "compile/match/build.h"

#include <stdlib.h>

struct price {
	uint32_t cost, pattern;
};

static int dearest_first(const void *a, const void *b)
{
	const struct price *x = a, *y = b;

	if (x->cost != y->cost)
		return x->cost < y->cost ? 1 : -1;
	return x->pattern < y->pattern ? 1 : -1;
}

struct cut {
	struct arena *arena; /* of the result */
	const struct match_pattern *patterns;
	size_t n;
	uint32_t n_bits;
	const struct match_limits *limits;
	struct price *prices; /* dearest first; NULL: they are asked for */
	bool *refused;
};

/* Build without the `k` dearest. */
static bool build_without(struct cut *c, size_t k, struct match *ret)
{
	struct arena attempt_arena = {};
	struct spots spots = {.arena = &attempt_arena};
	bool *left_out = arena_array(&attempt_arena, bool, c->n + 1), ok;

	for (size_t i = 0; i < k; i++)
		left_out[c->prices[i].pattern] = true;
	for (size_t i = 0; i < c->n; i++) {
		uint32_t cost;

		if (!left_out[i] && !spots_add(&spots, &c->patterns[i], &cost))
			left_out[i] = true;
	}
	ok = automaton_build(c->arena, &spots, c->n_bits, c->limits, ret);
	if (ok && c->n)
		memcpy(c->refused, left_out, c->n * sizeof(*left_out));
	arena_done(&attempt_arena);
	return ok;
}

static void find_prices(struct cut *c, struct arena *a)
{
	struct spots s = {.arena = a};

	c->prices = arena_array(a, struct price, c->n + 1);
	for (size_t i = 0; i < c->n; i++) {
		uint32_t cost = UINT32_MAX; /* strange ones are no loss */

		if (!spots_add(&s, &c->patterns[i], &cost))
			cost = UINT32_MAX;
		c->prices[i] = (struct price){cost, (uint32_t)i};
	}
	qsort(c->prices, c->n, sizeof(*c->prices), dearest_first);
}

void match_build_within(struct arena *a, const struct match_pattern *patterns, size_t n,
			uint32_t n_bits, const struct match_limits *limits, bool *refused,
			struct match *ret)
{
	struct cut c = {a, patterns, n, n_bits, limits, NULL, refused};
	size_t fails = 0, fits = 1;
	struct arena prices = {};

	if (build_without(&c, 0, ret))
		return;
	find_prices(&c, &prices);
	while (fits < n && !build_without(&c, fits, ret)) {
		fails = fits;
		fits *= 2;
	}
	fits = MIN(fits, n);
	while (fits - fails > 1) {
		size_t half = fails + (fits - fails) / 2;

		if (build_without(&c, half, ret))
			fits = half;
		else
			fails = half;
	}
	build_without(&c, fits, ret);
	arena_done(&prices);
}

void match_build(struct arena *a, const struct match_pattern *patterns, size_t n, uint32_t n_bits,
		 bool *refused, struct match *ret)
{
	static const struct match_limits limits = {MATCH_STATES_MAX, UINT32_MAX};

	match_build_within(a, patterns, n, n_bits, &limits, refused, ret);
}
