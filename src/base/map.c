/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include "base/macro.h"

#include <assert.h>
#include <stdlib.h>

/* The finaliser of MurmurHash3 (Austin Appleby, public domain): every bit of the key counts. */
static uint64_t mix(uint64_t k)
{
	k ^= k >> 33;
	k *= 0xff51afd7ed558ccdull;
	k ^= k >> 33;
	k *= 0xc4ceb9fe1a85ec53ull;
	k ^= k >> 33;
	return k;
}

void map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map){0};
}

static size_t slot_of(const struct map *m, uint64_t key)
{
	size_t i = mix(key) & (m->room - 1);

	while (m->slots[i].value && m->slots[i].key != key)
		i = (i + 1) & (m->room - 1);
	return i;
}

void *map_get(const struct map *m, uint64_t key)
{
	return m->room ? m->slots[slot_of(m, key)].value : NULL;
}

static void grow(struct map *m)
{
	struct map bigger = {.room = m->room ? m->room * 2 : 16};

	bigger.slots = xalloc(bigger.room * sizeof(*bigger.slots));
	for (size_t i = 0; i < m->room; i++)
		if (m->slots[i].value)
			bigger.slots[slot_of(&bigger, m->slots[i].key)] = m->slots[i];
	bigger.n = m->n;
	free(m->slots);
	*m = bigger;
}

void *map_put(struct map *m, uint64_t key, void *value)
{
	void *before;
	size_t i;

	assert(value);
	if (m->n * 4 >= m->room * 3)
		grow(m);
	i = slot_of(m, key);
	before = m->slots[i].value;
	m->slots[i] = (struct map_slot){key, value};
	m->n += !before;
	return before;
}

void *map_take(struct map *m, uint64_t key)
{
	size_t hole, i, home;
	void *value;

	if (!m->room)
		return NULL;
	hole = slot_of(m, key);
	value = m->slots[hole].value;
	if (!value)
		return NULL;
	m->n--;
	/* close the gap: whoever would be found only by passing the hole moves into it */
	for (i = hole;;) {
		m->slots[hole].value = NULL;
		do {
			i = (i + 1) & (m->room - 1);
			if (!m->slots[i].value)
				return value;
			home = mix(m->slots[i].key) & (m->room - 1);
		} while (((i - home) & (m->room - 1)) < ((i - hole) & (m->room - 1)));
		m->slots[hole] = m->slots[i];
		hole = i;
	}
}
