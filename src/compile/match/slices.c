/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/match/slices.h"

static uint32_t slice_hash(const uint32_t *p, uint32_t n, uint32_t a, uint32_t b)
{
	uint64_t h = HASH_BEGIN ^ ((uint64_t)a << 32 | b);

	for (uint32_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0xff51afd7ed558ccdull, h ^= h >> 29;
	h *= 0x9e3779b97f4a7c15ull;
	return (uint32_t)(h >> 32);
}

static bool slice_is(const struct slices *s, const struct slice *x, const uint32_t *p, uint32_t n,
		     uint32_t a, uint32_t b)
{
	return x->n == n && x->tag_a == a && x->tag_b == b &&
	       (!n || !memcmp(s->pool.p + x->at, p, n * sizeof(*p)));
}

static void slices_grow(struct arena *a, struct slices *s)
{
	s->room = MAX(s->room * 2, 256u);
	s->table = arena_array(a, uint32_t, s->room);
	for (size_t i = 0; i < s->rows.n; i++) {
		const struct slice *x = &s->rows.p[i];
		uint32_t h = slice_hash(s->pool.p + x->at, x->n, x->tag_a, x->tag_b);

		while (s->table[h & (s->room - 1)])
			h++;
		s->table[h & (s->room - 1)] = (uint32_t)i + 1;
	}
}

uint32_t slice_intern(struct arena *a, struct slices *s, const uint32_t *p, uint32_t n,
		      uint32_t tag_a, uint32_t tag_b)
{
	struct slice x = {(uint32_t)s->pool.n, n, tag_a, tag_b};
	uint32_t h;

	if (s->rows.n * 2 >= s->room)
		slices_grow(a, s);
	h = slice_hash(p, n, tag_a, tag_b);
	for (;; h++) {
		uint32_t i = s->table[h & (s->room - 1)];

		if (!i)
			break;
		if (slice_is(s, &s->rows.p[i - 1], p, n, tag_a, tag_b))
			return i - 1;
	}
	for (uint32_t i = 0; i < n; i++)
		array_push(a, &s->pool, p[i]);
	array_push(a, &s->rows, x);
	s->table[h & (s->room - 1)] = (uint32_t)s->rows.n;
	return (uint32_t)s->rows.n - 1;
}
