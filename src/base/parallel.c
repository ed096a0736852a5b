/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include "base/macro.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

enum { THREADS = 64, BUSY_THREADS = 4 };

struct start {
	void *(*fn)(void *);
	void *arg;
	cpu_set_t cpus; /* where it may run */
	bool is_apart;	/* it was begun on others than its parent's */
};

static void *begin(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	if (s.is_apart)
		sched_setaffinity(0, sizeof(s.cpus), &s.cpus);
	return s.fn(s.arg);
}

/*
 * A new thread as often as not is put where its parent runs, and waits there until that one
 * sleeps, a millisecond or more.  So it begins on another processor, if there is one.
 */
static void set_apart(pthread_attr_t *attr, struct start *s)
{
	int here = sched_getcpu();
	cpu_set_t others;

	if (here < 0 || sched_getaffinity(0, sizeof(s->cpus), &s->cpus) < 0)
		return;
	others = s->cpus;
	CPU_CLR(here, &others);
	s->is_apart =
		CPU_COUNT(&others) && !pthread_attr_setaffinity_np(attr, sizeof(others), &others);
}

int thread_start(pthread_t *thread, size_t stack, void *(*fn)(void *), void *arg)
{
	struct start *s = xalloc(sizeof(*s));
	sigset_t all, before;
	pthread_attr_t attr;
	int r;

	*s = (struct start){.fn = fn, .arg = arg};
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	set_apart(&attr, s);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(thread, &attr, begin, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (r)
		free(s);
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
