/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/rule/tables.h"

#include <assert.h>
#include <stdlib.h>

void rule_tables_init(struct rule_tables *t, struct question *q)
{
	*t = (struct rule_tables){.q = q, .map = (uint32_t)q->maps.n, .turns = -1};
	array_push(&q->arena, &q->maps,
		   ((struct question_map){.name = "tables",
					  .kind = QMAP_RODATA,
					  .type = BPF_MAP_TYPE_ARRAY,
					  .flags = BPF_F_RDONLY_PROG,
					  .key_size = 4,
					  .value_size = 8,
					  .max_entries = 1}));
}

void rule_tables_add_turns(struct rule_tables *t)
{
	t->turns = (int32_t)t->q->maps.n;
	array_push(&t->q->arena, &t->q->maps,
		   ((struct question_map){.name = "turns",
					  .kind = QMAP_OTHER,
					  .type = BPF_MAP_TYPE_ARRAY,
					  .key_size = 4,
					  .value_size = 4,
					  .max_entries = RULE_TURNS}));
}

/* Room for n more bytes, zeroed; where they begin. */
static uint32_t take(struct rule_tables *t, size_t n)
{
	size_t at = t->n, room = t->room;

	n = (n + 7) & ~(size_t)7;
	if (at + n > room) {
		while (at + n > room)
			room = MAX(room * 2, (size_t)4096);
		t->bytes = xrealloc(t->bytes, room);
		t->room = room;
	}
	memset(t->bytes + at, 0, n);
	t->n += n;
	return (uint32_t)at;
}

/* Where a state's row is, and whether the walk has to look at it. */
static uint32_t row_of(const struct rule_table *table, const struct match *m, uint32_t state)
{
	return state * table->pitch | (state == MATCH_DEAD || m->on[state] ? RULE_ROW_STOP : 0);
}

static void put_rows(struct rule_tables *t, struct rule_table *table, const struct match *m)
{
	uint32_t n = m->n_classes, set_size = table->n_words * 8;
	uint32_t *to;

	table->pitch = (n + 2) * 4;
	table->rows_size = m->n_states * table->pitch;
	table->rows = take(t, table->rows_size);
	table->start = m->start * table->pitch;
	to = (uint32_t *)(t->bytes + table->rows);
	for (uint32_t s = 0; s < m->n_states; s++, to += n + 2) {
		for (uint32_t c = 0; c < n; c++)
			to[c] = row_of(table, m, m->next[(size_t)s * n + c]);
		to[n] = m->on[s] * set_size;
		to[n + 1] = m->at_end[s] * set_size;
	}
}

uint32_t rule_tables_add(struct rule_tables *t, const struct match_pattern *patterns, size_t n,
			 uint32_t n_bits, unsigned int flags, bool *refused)
{
	size_t left = RULE_TABLES_MAX > t->n ? RULE_TABLES_MAX - t->n : 0;
	/* rows and sets may each take half of what is left */
	uint32_t set_size = MAX((n_bits + 63) / 64 * 8, 8u);
	struct match_limits limits = {
		.states = (uint32_t)MIN(left / 2 / set_size, (size_t)MATCH_STATES_MAX),
		.cells = (uint32_t)(left / 2 / sizeof(uint32_t)),
	};
	struct rule_table table = {.n_bits = n_bits};
	struct arena scratch = {};
	struct match m;

	assert(n_bits <= RULE_TABLE_BITS);
	match_build_within(&scratch, patterns, n, n_bits, &limits, refused, &m);
	table.n_words = m.n_words;
	table.n_classes = m.n_classes;
	table.n_states = m.n_states;
	table.classes = take(t, sizeof(m.classes));
	memcpy(t->bytes + table.classes, m.classes, sizeof(m.classes));
	if (flags & RULE_TABLE_BLANKS)
		t->bytes[table.classes] = m.classes[' '];
	table.class_of = arena_copy(&t->q->arena, t->bytes + table.classes, sizeof(m.classes));
	put_rows(t, &table, &m);
	table.sets_size = m.n_sets * m.n_words * 8;
	table.sets = take(t, table.sets_size);
	memcpy(t->bytes + table.sets, m.sets, table.sets_size);
	table.always = arena_copy(&t->q->arena, m.always, (m.n_words + 1) * 8);
	arena_done(&scratch);
	array_push(&t->q->arena, &t->tables, table);
	return (uint32_t)t->tables.n - 1;
}

uint64_t rule_tables_finish(struct rule_tables *t)
{
	struct question_map *m = &t->q->maps.p[t->map];
	uint64_t n = t->n;

	take(t, RULE_TABLES_SLACK);
	m->value_size = (uint32_t)t->n;
	m->init = arena_copy(&t->q->arena, t->bytes, t->n);
	free(t->bytes);
	t->bytes = NULL;
	return n;
}
