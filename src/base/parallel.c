/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include "base/macro.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

enum { THREADS = 64, BUSY_THREADS = 4 };

/*
 * A new thread as often as not is put where its parent runs, and waits there until that one
 * sleeps, a millisecond or more.  So it gets the other processors, if there are some.
 */
static void set_apart(pthread_attr_t *attr)
{
	int here = sched_getcpu();
	cpu_set_t others;

	if (here < 0 || sched_getaffinity(0, sizeof(others), &others) < 0)
		return;
	CPU_CLR(here, &others);
	if (CPU_COUNT(&others))
		pthread_attr_setaffinity_np(attr, sizeof(others), &others);
}

int thread_start(pthread_t *thread, size_t stack, void *(*fn)(void *), void *arg)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	set_apart(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(thread, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

struct work {
	size_t n, next; /* next: atomic */
	void (*fn)(void *ctx, size_t i);
	void *ctx;
};

static void *take_some(void *arg)
{
	struct work *w = arg;
	size_t i;

	while ((i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED)) < w->n)
		w->fn(w->ctx, i);
	return NULL;
}

enum { JOBS = 8 };

struct helper {
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t has_job, is_idle;
	struct job {
		void (*fn)(void *ctx);
		void *ctx;
	} jobs[JOBS];
	unsigned int given, done; /* jobs; job i is at i % JOBS */
	bool is_busy;		  /* with job `done`, whoever does it */
	bool is_over;
};

/* The next job, by the thread that calls. */
static void do_one_locked(struct helper *h)
{
	struct job job = h->jobs[h->done % JOBS];

	h->is_busy = true;
	pthread_mutex_unlock(&h->lock);
	job.fn(job.ctx);
	pthread_mutex_lock(&h->lock);
	h->is_busy = false;
	h->done++;
	pthread_cond_signal(&h->is_idle);
	if (h->done != h->given)
		pthread_cond_signal(&h->has_job); /* it may have come while we were busy */
}

static void *help(void *arg)
{
	struct helper *h = arg;

	pthread_mutex_lock(&h->lock);
	while (h->done != h->given || !h->is_over)
		if (h->done == h->given || h->is_busy)
			pthread_cond_wait(&h->has_job, &h->lock);
		else
			do_one_locked(h);
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

struct helper *helper_start(void)
{
	struct helper *h;

	if (parallel_cpus() < 2)
		return NULL;
	h = xalloc(sizeof(*h));
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->has_job, NULL);
	pthread_cond_init(&h->is_idle, NULL);
	if (!thread_start(&h->thread, THREAD_STACK, help, h))
		return h;
	free(h);
	return NULL;
}

/*
 * Until so many jobs were done since it began; the number may wrap around.  Its processor may be
 * late, other guests of the host have it then for milliseconds: what it has not begun is done here.
 */
static void wait_locked(struct helper *h, unsigned int done)
{
	while ((int)(done - h->done) > 0)
		if (h->is_busy)
			pthread_cond_wait(&h->is_idle, &h->lock);
		else
			do_one_locked(h);
}

unsigned int helper_do(struct helper *h, void (*job)(void *ctx), void *ctx)
{
	unsigned int number;

	if (!h) {
		job(ctx);
		return 0;
	}
	pthread_mutex_lock(&h->lock);
	wait_locked(h, h->given - (JOBS - 1));
	h->jobs[h->given++ % JOBS] = (struct job){job, ctx};
	number = h->given;
	pthread_cond_signal(&h->has_job);
	pthread_mutex_unlock(&h->lock);
	return number;
}

void helper_wait(struct helper *h, unsigned int job)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	wait_locked(h, job);
	pthread_mutex_unlock(&h->lock);
}

void helper_end(struct helper *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->is_over = true;
	pthread_cond_signal(&h->has_job);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->has_job);
	pthread_cond_destroy(&h->is_idle);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static void take_as_job(void *ctx)
{
	take_some(ctx);
}

void helper_run(struct helper *h, size_t n, unsigned int threads, void (*fn)(void *ctx, size_t i),
		void *ctx)
{
	struct work w = {.n = n, .fn = fn, .ctx = ctx};
	size_t wanted = MIN(n, (size_t)MIN(threads, (unsigned int)THREADS)), begun = 0;
	bool helps = h && wanted > 1;
	pthread_t ids[THREADS];

	if (helps)
		helper_do(h, take_as_job, &w);
	while (helps + begun + 1 < wanted &&
	       !thread_start(&ids[begun], THREAD_STACK, take_some, &w))
		begun++;
	take_some(&w);
	for (size_t i = 0; i < begun; i++)
		pthread_join(ids[i], NULL);
	if (h)
		helper_wait(h, h->given);
}

void parallel_run(size_t n, unsigned int threads, void (*fn)(void *ctx, size_t i), void *ctx)
{
	helper_run(NULL, n, threads, fn, ctx);
}

unsigned int parallel_cpus(void)
{
	cpu_set_t set;

	/* -1: more processors than the set has room for */
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return BUSY_THREADS;
	return MIN((unsigned int)CPU_COUNT(&set), (unsigned int)BUSY_THREADS);
}
