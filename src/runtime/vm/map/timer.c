/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers: a callback some time later, with the map, the key and the value that the timer is in.
 * Work queues are timers that are due at once.
 *
 * A map whose values have timers gets a thread with the first of them; the thread sleeps until the
 * next one is due and calls back, one at a time.  In the value stands the address of a struct
 * timer, which lives until the value goes; the map's list knows all of them.  Results and
 * errors mirror bpf_timer_*() of kernel/bpf/helpers.c.
 */
#include "runtime/vm/map/timer.h"

#include "runtime/vm/run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { ABSOLUTE = 1, CPU_PIN = 2, CLOCKS = 16 };

struct timer {
	struct timer *next;
	struct vm_map *map;
	struct timer **field; /* where it stands in the value; forgotten: in itself */
	void *value;
	clockid_t clock;
	const struct vm_code *code; /* NULL: nothing to call */
	uint64_t function;
	uint64_t due; /* CLOCK_MONOTONIC; 0: not started */
	unsigned int cpu;
};

struct timers {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	struct timer *list, *running; /* owned */
	const struct vm_code *running_code;
	bool stops;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct timer *next_due(const struct timers *s)
{
	struct timer *first = NULL;

	for (struct timer *t = s->list; t; t = t->next)
		if (t->due && (!first || t->due < first->due))
			first = t;
	return first;
}

/* Without the lock: the callback may do with timers what it likes. */
static void call_back(struct timers *s, struct timer *t)
{
	struct vm_map *m = t->map;
	const struct vm_code *code = t->code;
	struct vm_run run = {.cpu = t->cpu};
	uint32_t index;
	const void *key = (char *)t->value - ((m->def.key_size + 7) & ~7u);
	uint64_t args[3] = {(uintptr_t)m, 0, (uintptr_t)t->value}, function = t->function;

	if (m->def.type == BPF_MAP_TYPE_ARRAY) {
		index = (uint32_t)(((char *)t->value - m->values) / m->value_step);
		key = &index;
	}
	args[1] = (uintptr_t)key;
	s->running = t;
	s->running_code = code;
	pthread_mutex_unlock(&s->lock);
	code_run_callback(code, &run, function, args);
	pthread_mutex_lock(&s->lock);
	s->running = NULL;
	pthread_cond_broadcast(&s->changed);
}

static void *keep_time(void *p)
{
	struct timers *s = p;

	pthread_mutex_lock(&s->lock);
	while (!s->stops) {
		struct timer *t = next_due(s);
		struct timespec until;

		if (!t) {
			pthread_cond_wait(&s->changed, &s->lock);
		} else if (t->due > now_ns(CLOCK_MONOTONIC)) {
			until.tv_sec = (time_t)(t->due / 1000000000);
			until.tv_nsec = (long)(t->due % 1000000000);
			pthread_cond_timedwait(&s->changed, &s->lock, &until);
		} else {
			t->due = 0;
			if (t->code)
				call_back(s, t);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static struct timers *timers_new(void)
{
	struct timers *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	sigset_t all, before;
	int r;

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	/* signals are for those who wait for them */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&s->thread, NULL, keep_time, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!r)
		return s;
	free(s);
	return NULL;
}

/* The map's, made with the first timer. */
static struct timers *timers_of(struct vm_map *m)
{
	struct timers *s = __atomic_load_n(&m->timers, __ATOMIC_ACQUIRE), *none = NULL;

	if (s)
		return s;
	s = timers_new();
	if (!s)
		return NULL;
	if (__atomic_compare_exchange_n(&m->timers, &none, s, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return s;
	/* another thread was faster */
	pthread_mutex_lock(&s->lock);
	s->stops = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	free(s);
	return none;
}

void timers_free(struct vm_map *m)
{
	struct timers *s = m->timers;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stops = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	m->timers = NULL;
	for (struct timer *t = s->list, *next; t; t = next) {
		next = t->next;
		__atomic_store_n(t->field, NULL, __ATOMIC_RELEASE);
		free(t);
	}
	free(s);
}

/* Nobody calls back any more; waits for who just does, unless that is this very thread. */
static void stop(struct timers *s, struct timer *t)
{
	t->due = 0;
	t->code = NULL;
	while (s->running == t && !pthread_equal(s->thread, pthread_self()))
		pthread_cond_wait(&s->changed, &s->lock);
}

void timers_forget_code(struct vm_map *m, const struct vm_code *c)
{
	struct timers *s = __atomic_load_n(&m->timers, __ATOMIC_ACQUIRE);

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	for (struct timer *t = s->list; t; t = t->next)
		if (t->code == c) {
			t->due = 0;
			t->code = NULL;
		}
	while (s->running && s->running_code == c && !pthread_equal(s->thread, pthread_self()))
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static struct timer *timer_in(const void *field)
{
	return __atomic_load_n((struct timer *const *)field, __ATOMIC_ACQUIRE);
}

void timer_forget(void *field)
{
	struct timer *t = __atomic_exchange_n((struct timer **)field, NULL, __ATOMIC_ACQ_REL);
	struct timers *s = t ? t->map->timers : NULL;

	/* of a map that goes, all timers went before */
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	t->due = 0;
	t->code = NULL;
	t->field = &t->next;
	if (s->running != t)
		for (struct timer **link = &s->list; *link; link = &(*link)->next)
			if (*link == t) {
				*link = t->next;
				free(t);
				break;
			}
	pthread_mutex_unlock(&s->lock);
}

static uint32_t offset_of(const struct vm_map *m, enum vm_field_kind kind)
{
	for (uint32_t i = 0; i < m->def.n_fields; i++)
		if (m->def.fields[i].kind == kind)
			return m->def.fields[i].offset;
	return 0;
}

/* Of a map inside a map the code would not know when it goes. */
static bool is_known(const struct vm_map *m, const struct vm_code *c)
{
	for (size_t i = 0; i < c->object->maps.n; i++)
		if (c->maps && c->maps[i] == m)
			return true;
	return false;
}

int timer_init(void *field, enum vm_field_kind kind, struct vm_map *m, uint64_t clock,
	       const struct vm_code *c)
{
	struct timer *t, *none = NULL;
	struct timers *s;

	if (clock >= CLOCKS ||
	    (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME))
		return -EINVAL;
	if (timer_in(field))
		return -EBUSY;
	if (!is_known(m, c))
		return -EOPNOTSUPP;
	s = timers_of(m);
	t = s ? calloc(1, sizeof(*t)) : NULL;
	if (!t)
		return -ENOMEM;
	t->map = m;
	t->clock = (clockid_t)clock;
	t->field = field;
	t->value = (char *)field - offset_of(m, kind);
	if (!__atomic_compare_exchange_n((struct timer **)field, &none, t, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		free(t);
		return -EBUSY;
	}
	pthread_mutex_lock(&s->lock);
	t->next = s->list;
	s->list = t;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

int timer_set_callback(void *field, uint64_t function, const struct vm_code *c)
{
	struct timer *t = timer_in(field);

	if (!t)
		return -EINVAL;
	pthread_mutex_lock(&t->map->timers->lock);
	t->code = c;
	t->function = function;
	((struct vm_code *)(uintptr_t)c)->has_timers = true;
	pthread_mutex_unlock(&t->map->timers->lock);
	return 0;
}

int timer_start(void *field, uint64_t ns, uint64_t flags, unsigned int cpu)
{
	struct timer *t = timer_in(field);
	uint64_t now = now_ns(CLOCK_MONOTONIC), there;
	struct timers *s;
	int r = 0;

	if (flags & ~(uint64_t)(ABSOLUTE | CPU_PIN) || !t)
		return -EINVAL;
	if (flags & ABSOLUTE) {
		there = now_ns(t->clock);
		ns = ns > there ? ns - there : 0;
	}
	s = t->map->timers;
	pthread_mutex_lock(&s->lock);
	if (t->code) {
		t->due = ns < UINT64_MAX / 2 ? now + ns : UINT64_MAX / 2;
		t->cpu = cpu;
		pthread_cond_broadcast(&s->changed);
	} else {
		r = -EINVAL;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

int timer_cancel(void *field)
{
	struct timer *t = timer_in(field);
	struct timers *s;
	int r;

	if (!t)
		return -EINVAL;
	s = t->map->timers;
	pthread_mutex_lock(&s->lock);
	if (s->running == t && pthread_equal(s->thread, pthread_self())) {
		r = -EDEADLK;
	} else {
		r = t->due || s->running == t;
		stop(s, t);
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}
