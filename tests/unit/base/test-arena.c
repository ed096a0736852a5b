/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow in an arena: where they are if nothing stands behind them. */
#include "base/arena.h"
#include "base/macro.h"
#include "test.h"

enum { N = 3000 };

static int wrong_in(const int *p, size_t n)
{
	int wrong = 0;

	for (size_t i = 0; i < n; i++)
		wrong += p[i] != (int)(i * 7);
	return wrong;
}

TEST(arrays_keep_what_is_in_them)
{
	struct arena a = {};
	ARRAY(int) x = {0}, y = {0};

	for (int i = 0; i < N; i++) {
		array_push(&a, &x, i * 7);
		if (i % 3 == 0) /* often something stands behind, often not */
			array_push(&a, &y, i / 3 * 7);
	}
	CHECK_EQ(x.n, N);
	CHECK_EQ(y.n, N / 3);
	CHECK_EQ(wrong_in(x.p, x.n), 0);
	CHECK_EQ(wrong_in(y.p, y.n), 0);
	arena_done(&a);
}

TEST(what_is_allocated_behind_an_array_is_zeroed_and_its_own)
{
	struct arena a = {};
	int wrong = 0;

	for (int round = 0; round < 200; round++) {
		ARRAY(uint64_t) x = {0};
		unsigned char *behind;

		for (int i = 0; i < round; i++)
			array_push(&a, &x, UINT64_MAX);
		behind = arena_alloc(&a, 40);
		for (int i = 0; i < 40; i++)
			wrong += behind[i] != 0;
		memset(behind, 1, 40);
		array_push(&a, &x, 0);
		for (int i = 0; i < 40; i++)
			wrong += behind[i] != 1;
		for (int i = 0; i < round; i++)
			wrong += x.p[i] != UINT64_MAX;
	}
	CHECK_EQ(wrong, 0);
	arena_done(&a);
}

struct large {
	char bytes[1000];
};

TEST(large_elements_have_room_for_two)
{
	struct arena a = {};
	ARRAY(struct large) x = {0};

	array_push(&a, &x, ((struct large){{1}}));
	CHECK_EQ(x.room, 2);
	array_push(&a, &x, ((struct large){{2}}));
	array_push(&a, &x, ((struct large){{3}}));
	CHECK(x.p[0].bytes[0] == 1 && x.p[1].bytes[0] == 2 && x.p[2].bytes[0] == 3);
	arena_done(&a);
}
