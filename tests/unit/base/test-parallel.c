/* SPDX-License-Identifier: Apache-2.0 */
/* Work for several threads: each part is done once, however many threads there are. */
#include "base/parallel.h"

#include "test.h"

enum { PARTS = 1000 };

static void count(void *ctx, size_t i)
{
	__atomic_add_fetch((int *)ctx + i, 1, __ATOMIC_RELAXED);
}

TEST(each_once)
{
	static const unsigned int threads[] = {0, 1, 2, 7, 64, 1000};

	for (size_t k = 0; k < sizeof(threads) / sizeof(*threads); k++) {
		int done[PARTS + 1] = {0}, wrong = 0;

		parallel_run(PARTS, threads[k], count, done);
		for (size_t i = 0; i < PARTS; i++)
			wrong += done[i] != 1;
		CHECK_EQ(wrong, 0);
		CHECK_EQ(done[PARTS], 0);
	}
}

TEST(few_parts)
{
	int done[3] = {0};

	parallel_run(0, 8, count, done);
	CHECK_EQ(done[0], 0);
	parallel_run(2, 8, count, done);
	CHECK_EQ(done[0] + done[1], 2);
	CHECK_EQ(done[2], 0);
	CHECK(parallel_cpus() >= 1);
}
