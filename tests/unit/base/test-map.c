/* SPDX-License-Identifier: Apache-2.0 */
/* The map against a plain list that does the same by looking at everything. */
#include "base/map.h"

#include "base/macro.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 300, STEPS = 200000 };

static int marks[KEYS];

TEST(empty)
{
	struct map m = {0};
	int *v, n = 0;

	CHECK(!map_get(&m, 0));
	CHECK(!map_get(&m, ~0ull));
	CHECK(!map_take(&m, 7));
	map_each(&m, i, v)
		n++;
	CHECK_EQ(n, 0);
	map_done(&m);
	map_done(&m);
	CHECK_EQ(m.room, 0);
}

TEST(put_get_take)
{
	struct map m = {0};

	CHECK(!map_put(&m, 0, &marks[0]));
	CHECK(!map_put(&m, ~0ull, &marks[1]));
	CHECK(!map_put(&m, 1ull << 63, &marks[2]));
	CHECK_EQ(m.n, 3);
	CHECK(map_get(&m, 0) == &marks[0]);
	CHECK(map_get(&m, ~0ull) == &marks[1]);
	CHECK(map_get(&m, 1ull << 63) == &marks[2]);
	CHECK(!map_get(&m, 1));
	CHECK(map_put(&m, 0, &marks[3]) == &marks[0]);
	CHECK_EQ(m.n, 3);
	CHECK(map_take(&m, 0) == &marks[3]);
	CHECK(!map_take(&m, 0));
	CHECK(!map_get(&m, 0));
	CHECK_EQ(m.n, 2);
	map_done(&m);
	CHECK(!map_get(&m, ~0ull));
}

/* It grows before it is full, and nobody is lost on the way. */
TEST(growth)
{
	struct map m = {0};
	size_t missing = 0;

	for (uint64_t k = 0; k < 100000; k++)
		map_put(&m, k << 12, &marks[k % KEYS]);
	for (uint64_t k = 0; k < 100000; k++)
		missing += map_get(&m, k << 12) != &marks[k % KEYS];
	CHECK_EQ(missing, 0);
	CHECK_EQ(m.n, 100000);
	CHECK(m.n * 4 <= m.room * 3);
	CHECK_EQ(m.room & (m.room - 1), 0);
	map_done(&m);
}

/* Visits every value once and nothing else. */
static bool is_same(const struct map *m, int *const *expected)
{
	int seen[KEYS] = {0}, *v;
	size_t n = 0;

	map_each(m, i, v) {
		if (expected[m->slots[i].key] != v || seen[m->slots[i].key]++)
			return false;
		n++;
	}
	for (int k = 0; k < KEYS; k++)
		if (!expected[k] != !seen[k] || map_get(m, k) != expected[k])
			return false;
	return n == m->n;
}

/* Long runs of neighbours, with holes made in them, at every fill that there is. */
TEST(random_walk)
{
	int *expected[KEYS] = {NULL}, wrong = 0;
	struct map m = {0};

	srand(1);
	for (int step = 0; step < STEPS; step++) {
		int k = rand() % KEYS, *v = &marks[rand() % KEYS];

		/* it fills for a while, then empties for a while */
		if (rand() % 8 < (step / 5000 % 2 ? 2 : 6)) {
			wrong += map_put(&m, k, v) != expected[k];
			expected[k] = v;
		} else {
			wrong += map_take(&m, k) != expected[k];
			expected[k] = NULL;
		}
		if (step % 64 == 0)
			wrong += !is_same(&m, expected);
	}
	wrong += !is_same(&m, expected);
	CHECK_EQ(wrong, 0);
	map_done(&m);
}
