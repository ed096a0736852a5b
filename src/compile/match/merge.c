/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Equal states become one.
 *
 * From the last state to the first: most rows lead to states that were made later, so that
 * when a state is looked at, those behind it are one already, as the endings of words in a
 * dictionary are.  It is not the smallest automaton, and costs one pass.
 */
#include "compile/match/build.h"

static uint64_t row_hash(const struct automaton *m, uint32_t state)
{
	uint64_t h = (uint64_t)m->on[state] << 32 | m->at_end[state];

	for (uint32_t c = 0; c < m->n_classes; c++)
		h = (h ^ m->next[(size_t)state * m->n_classes + c]) * 0xff51afd7ed558ccdull,
		h ^= h >> 29;
	return h * 0x9e3779b97f4a7c15ull >> 20;
}

static bool rows_equal(const struct automaton *m, uint32_t x, uint32_t y)
{
	return m->on[x] == m->on[y] && m->at_end[x] == m->at_end[y] &&
	       !memcmp(&m->next[(size_t)x * m->n_classes], &m->next[(size_t)y * m->n_classes],
		       m->n_classes * sizeof(*m->next));
}

static void unite(struct arena *a, struct automaton *m, uint32_t *becomes)
{
	uint32_t room = 256, *table;

	while (room < m->n_states * 2)
		room *= 2;
	table = arena_array(a, uint32_t, room);
	for (uint32_t s = m->n_states; s-- > 0;) {
		uint32_t *row = &m->next[(size_t)s * m->n_classes];
		uint64_t h;

		for (uint32_t c = 0; c < m->n_classes; c++)
			row[c] = row[c] > s ? becomes[row[c]] : row[c];
		for (h = row_hash(m, s);; h++) {
			uint32_t *at = &table[h & (room - 1)];

			if (!*at)
				*at = s + 1;
			else if (!rows_equal(m, *at - 1, s))
				continue;
			becomes[s] = *at - 1;
			break;
		}
	}
}

void automaton_merge(struct arena *a, struct automaton *m)
{
	uint32_t *becomes = arena_array(a, uint32_t, m->n_states);
	uint32_t *number = arena_array(a, uint32_t, m->n_states); /* + 1 */
	uint32_t *queue = arena_array(a, uint32_t, m->n_states + 1), n = 0;
	struct automaton old = *m;

	unite(a, m, becomes);
	/* from the start on; 0 is the first in any case */
	number[becomes[0]] = n + 1;
	queue[n++] = becomes[0];
	m->start = becomes[old.start];
	if (!number[m->start]) {
		number[m->start] = n + 1;
		queue[n++] = m->start;
	}
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t c = 0; c < m->n_classes; c++) {
			uint32_t to = becomes[old.next[(size_t)queue[i] * m->n_classes + c]];

			if (number[to])
				continue;
			number[to] = n + 1;
			queue[n++] = to;
		}
	}
	m->next = arena_array(a, uint32_t, (size_t)n * m->n_classes);
	m->on = arena_array(a, uint32_t, n);
	m->at_end = arena_array(a, uint32_t, n);
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t *row = &old.next[(size_t)queue[i] * m->n_classes];

		m->on[i] = old.on[queue[i]];
		m->at_end[i] = old.at_end[queue[i]];
		for (uint32_t c = 0; c < m->n_classes; c++)
			m->next[(size_t)i * m->n_classes + c] = number[becomes[row[c]]] - 1;
	}
	m->start = number[m->start] - 1;
	m->n_states = n;
}
