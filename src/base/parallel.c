/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include "base/macro.h"

#include <sched.h>
#include <signal.h>

enum { THREADS = 64, BUSY_THREADS = 4 };

int thread_start(pthread_t *thread, size_t stack, void *(*fn)(void *), void *arg)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
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

void parallel_run(size_t n, unsigned int threads, void (*fn)(void *ctx, size_t i), void *ctx)
{
	struct work w = {.n = n, .fn = fn, .ctx = ctx};
	size_t started = 0, wanted = MIN(n, (size_t)MIN(threads, (unsigned int)THREADS));
	pthread_t ids[THREADS];

	while (started + 1 < wanted && !thread_start(&ids[started], THREAD_STACK, take_some, &w))
		started++;
	take_some(&w);
	for (size_t i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
}

unsigned int parallel_cpus(void)
{
	cpu_set_t set;

	/* -1: more processors than the set has room for */
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return BUSY_THREADS;
	return MIN((unsigned int)CPU_COUNT(&set), (unsigned int)BUSY_THREADS);
}
