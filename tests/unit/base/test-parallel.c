/* SPDX-License-Identifier: Apache-2.0 */
/* Work for several threads: each part is done once, however many threads there are. */
#include "base/parallel.h"

#include "test.h"

#include <sched.h>

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

/* --- a helper */

struct diary {
	int n, at[8];
};

static void write_down(void *ctx)
{
	struct diary *d = *(struct diary **)ctx;
	int **value = (int **)ctx + 1;

	d->at[d->n++] = **value;
}

static void check_helper(struct helper *h)
{
	int values[20], done[PARTS + 1] = {0}, wrong = 0;
	struct {
		struct diary *d;
		int *value;
	} jobs[20];
	struct diary d[3] = {};

	/* more than it keeps; one after the other, and all before the work that comes next */
	for (int i = 0; i < 20; i++) {
		values[i] = i;
		jobs[i].d = &d[i / 8];
		jobs[i].value = &values[i];
		helper_do(h, write_down, &jobs[i]);
	}
	helper_run(h, PARTS, 3, count, done);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(d[i / 8].at[i % 8], i);
	for (size_t i = 0; i < PARTS; i++)
		wrong += done[i] != 1;
	CHECK_EQ(wrong, 0);
	helper_run(h, PARTS, 1, count, done);
	CHECK_EQ(done[0] + done[PARTS - 1], 4);
	helper_end(h);
}

TEST(a_helper)
{
	check_helper(helper_start());
}

TEST(no_helper)
{
	check_helper(NULL);
}

struct late {
	bool go; /* atomic */
	int *done;
};

static void wait_and_count(void *ctx)
{
	struct late *l = ctx;

	while (!__atomic_load_n(&l->go, __ATOMIC_ACQUIRE))
		sched_yield();
	++*l->done;
}

TEST(a_helper_is_waited_for_job_by_job)
{
	struct helper *h = helper_start();
	int done = 0;
	struct late first = {.go = true, .done = &done}, second = {.go = !h, .done = &done};
	unsigned int job = helper_do(h, wait_and_count, &first);
	unsigned int last = helper_do(h, wait_and_count, &second);

	helper_wait(h, job); /* the second cannot be done yet */
	CHECK_EQ(done, h ? 1 : 2);
	__atomic_store_n(&second.go, true, __ATOMIC_RELEASE);
	helper_wait(h, last);
	helper_wait(h, job);
	CHECK_EQ(done, 2);
	helper_end(h);
}

enum { ROW = 2000 };

struct row {
	int inside; /* atomic: jobs that are being done */
	int n, wrong;
};

struct row_job {
	struct row *row;
	int number;
};

static void one_of_row(void *ctx)
{
	struct row_job *j = ctx;
	struct row *r = j->row;

	r->wrong += __atomic_add_fetch(&r->inside, 1, __ATOMIC_ACQ_REL) != 1;
	r->wrong += r->n++ != j->number;
	__atomic_sub_fetch(&r->inside, 1, __ATOMIC_ACQ_REL);
}

/* Who waits takes part: still it is one after the other, in order, and all that was waited for. */
TEST(who_waits_for_a_helper_does_its_jobs)
{
	static struct row_job jobs[ROW];
	struct helper *h = helper_start();
	struct row row = {0};

	for (int i = 0; i < ROW; i++) {
		unsigned int job;

		jobs[i] = (struct row_job){&row, i};
		job = helper_do(h, one_of_row, &jobs[i]);
		if (i % 7 && i % 3)
			continue;
		helper_wait(h, job);
		CHECK_EQ(row.n, i + 1);
	}
	helper_end(h);
	CHECK_EQ(row.n, ROW);
	CHECK_EQ(row.wrong, 0);
}

TEST(a_helper_that_has_nothing_to_do)
{
	helper_end(helper_start());
	CHECK(true);
}
