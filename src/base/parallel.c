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

struct helper {
	pthread_t thread;
	bool is_running; /* else there is no thread, and `first` is still to be done */
	void (*first)(void *ctx);
	void *ctx;
	pthread_mutex_t lock;
	pthread_cond_t has_work;
	struct work *work; /* NULL: not known yet */
};

static void *help(void *arg)
{
	struct helper *h = arg;

	h->first(h->ctx);
	pthread_mutex_lock(&h->lock);
	while (!h->work)
		pthread_cond_wait(&h->has_work, &h->lock);
	pthread_mutex_unlock(&h->lock);
	return take_some(h->work);
}

struct helper *helper_start(void (*first)(void *ctx), void *ctx)
{
	struct helper *h = xalloc(sizeof(*h));

	*h = (struct helper){.first = first, .ctx = ctx};
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->has_work, NULL);
	h->is_running = parallel_cpus() > 1 && !thread_start(&h->thread, THREAD_STACK, help, h);
	return h;
}

static void helper_give(struct helper *h, struct work *w)
{
	pthread_mutex_lock(&h->lock);
	h->work = w;
	pthread_cond_signal(&h->has_work);
	pthread_mutex_unlock(&h->lock);
}

static void helper_end(struct helper *h)
{
	if (h->is_running)
		pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->has_work);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void helper_run(struct helper *h, size_t n, unsigned int threads, void (*fn)(void *ctx, size_t i),
		void *ctx)
{
	struct work w = {.n = n, .fn = fn, .ctx = ctx}, none = {};
	size_t started = h && h->is_running, wanted, begun = 0;
	pthread_t ids[THREADS];

	if (h && h->is_running)
		helper_give(h, threads > 1 ? &w : &none);
	else if (h)
		h->first(h->ctx);
	wanted = MIN(n, (size_t)MIN(threads, (unsigned int)THREADS));
	while (started + begun + 1 < wanted &&
	       !thread_start(&ids[begun], THREAD_STACK, take_some, &w))
		begun++;
	take_some(&w);
	for (size_t i = 0; i < begun; i++)
		pthread_join(ids[i], NULL);
	if (h)
		helper_end(h);
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
