/* SPDX-License-Identifier: Apache-2.0 */
/* The walk, in C: what compile/rule/walk.c says in IR. */
#include "compile/match/match.h"

static void add(const struct match *m, uint32_t set, uint64_t *bits)
{
	for (uint32_t i = 0; i < m->n_words; i++)
		bits[i] |= m->sets[(size_t)set * m->n_words + i];
}

void match_run(const struct match *m, struct str text, uint64_t *bits)
{
	uint32_t state = m->start;

	for (uint32_t i = 0; i < m->n_words; i++)
		bits[i] |= m->always[i];
	for (size_t i = 0; i < text.n && state != MATCH_DEAD; i++) {
		state = m->next[state * m->n_classes + m->classes[(uint8_t)text.p[i]]];
		add(m, m->on[state], bits);
	}
	add(m, m->at_end[state], bits);
}
