/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several programs at once.
 *
 * The verifier keeps a processor busy: where there are several, programs are tried at once, long
 * ones before short ones.  What is refused then comes again alone, with its message.
 *
 * With a helper this goes on while programs are attached that are loaded already: to attach one,
 * the kernel patches its code and waits for the other processors, 0.1 ms in which nothing is
 * verified here.  The helper begins with the longest; who waits for a program takes that one, or,
 * if the helper has it, the shortest of those that nobody has.  What only end probes run comes
 * last: nothing is attached to it.
 */
#include "base/macro.h"
#include "base/parallel.h"
#include "runtime/kern/query-internal.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	PART = 64,	    /* programs that are tried at once; each has a few descriptors open */
	PARALLEL_MIN = 300, /* instructions: less is loaded before a thread has begun */
};

struct attempt {
	struct query_load *load; /* owned; NULL: it could not be prepared */
	uint32_t prog, n_insns;
	bool is_late; /* only end probes run it */
	int fd;
	/* struct query_loads, locked; GIVEN: fd is the query's */
	enum { ATTEMPT_WAITS, ATTEMPT_TAKEN, ATTEMPT_DONE, ATTEMPT_GIVEN } state;
};

static int by_length(const void *a, const void *b)
{
	const struct attempt *x = a, *y = b;
	uint32_t n = x->n_insns, m = y->n_insns;

	if (x->is_late != y->is_late)
		return x->is_late - y->is_late;
	return n != m ? (n < m) - (n > m) : (x->prog > y->prog) - (x->prog < y->prog);
}

static bool is_late(const struct question *q, uint32_t prog)
{
	for (size_t i = 0; i < q->probes.n; i++)
		if (q->probes.p[i].prog == prog && q->probes.p[i].attach != QATTACH_END)
			return false;
	return true;
}

/* Programs first to first + n - 1, the longest first, late ones last. */
static void attempts_init(struct query_kern *x, struct attempt *parts, uint32_t first, uint32_t n,
			  query_before before, void *ctx)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t prog = first + i;

		if (before)
			before(ctx, prog);
		parts[i] = (struct attempt){.load = query_load_new(x, prog),
					    .prog = prog,
					    .n_insns = x->base.q->progs.p[prog].n_insns,
					    .is_late = is_late(x->base.q, prog),
					    .fd = -1};
	}
	qsort(parts, n, sizeof(*parts), by_length);
}

static void attempts_done(struct query_kern *x, struct attempt *parts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		x->progs[parts[i].prog] = MAX(parts[i].fd, -1);
		query_load_free(parts[i].load);
	}
}

static void attempt(struct attempt *a)
{
	if (a->load)
		a->fd = query_load_try(a->load);
}

/* --- all before anything else */

static void attempt_one(void *ctx, size_t i)
{
	attempt((struct attempt *)ctx + i);
}

/* Is it worth a thread? */
static bool are_many(const struct question *q)
{
	uint64_t insns = 0;

	for (size_t i = 0; i < q->progs.n; i++)
		insns += q->progs.p[i].n_insns;
	return q->progs.n > 1 && insns >= PARALLEL_MIN && parallel_cpus() > 1;
}

void query_progs_try(struct query_kern *x, query_before before, void *ctx)
{
	const struct question *q = x->base.q;
	struct attempt parts[PART];

	if (!are_many(q))
		return;
	for (uint32_t i = 0; i < q->progs.n; i += PART) {
		uint32_t n = MIN((uint32_t)q->progs.n - i, (uint32_t)PART);

		attempts_init(x, parts, i, n, before, ctx);
		parallel_run(n, parallel_cpus(), attempt_one, parts);
		attempts_done(x, parts, n);
	}
}

/* --- while others are attached */

struct query_loads {
	struct helper *helper;	/* borrowed */
	unsigned int job;	/* its */
	pthread_mutex_t lock;	/* of the states below */
	pthread_cond_t is_done; /* one more is */
	uint32_t n;
	struct attempt parts[];
};

static void take_locked(struct query_loads *l, struct attempt *a)
{
	a->state = ATTEMPT_TAKEN;
	pthread_mutex_unlock(&l->lock);
	attempt(a);
	pthread_mutex_lock(&l->lock);
	a->state = ATTEMPT_DONE;
	pthread_cond_signal(&l->is_done);
}

static void take_all(void *ctx)
{
	struct query_loads *l = ctx;

	pthread_mutex_lock(&l->lock);
	for (uint32_t i = 0; i < l->n; i++)
		if (l->parts[i].state == ATTEMPT_WAITS)
			take_locked(l, &l->parts[i]);
	pthread_mutex_unlock(&l->lock);
}

bool query_loads_begin(struct query_kern *x)
{
	const struct question *q = x->base.q;
	struct query_loads *l;

	if (!x->config.helper || !are_many(q) || q->progs.n > PART)
		return false;
	l = xalloc(sizeof(*l) + q->progs.n * sizeof(*l->parts));
	l->helper = x->config.helper;
	l->n = (uint32_t)q->progs.n;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->is_done, NULL);
	attempts_init(x, l->parts, 0, l->n, NULL, NULL);
	l->job = helper_do(l->helper, take_all, l);
	x->loads = l;
	return true;
}

/* Of those that are not late.  NULL: all are done, or others have them. */
static struct attempt *shortest_locked(struct query_loads *l)
{
	for (uint32_t i = l->n; i--;)
		if (l->parts[i].state == ATTEMPT_WAITS && !l->parts[i].is_late)
			return &l->parts[i];
	return NULL;
}

static void await_locked(struct query_loads *l, struct attempt *a)
{
	while (a->state < ATTEMPT_DONE) {
		struct attempt *next = a->state == ATTEMPT_WAITS ? a : shortest_locked(l);

		if (next)
			take_locked(l, next);
		else
			pthread_cond_wait(&l->is_done, &l->lock);
	}
}

static int await_one(struct query_kern *x, uint32_t prog, struct query_error *e)
{
	struct query_loads *l = x->loads;
	struct attempt *a = l->parts;
	bool is_given;

	while (a->prog != prog)
		a++;
	pthread_mutex_lock(&l->lock);
	await_locked(l, a);
	is_given = a->state == ATTEMPT_GIVEN;
	a->state = ATTEMPT_GIVEN;
	pthread_mutex_unlock(&l->lock);
	if (is_given)
		return 0;
	x->progs[prog] = MAX(a->fd, -1);
	return x->progs[prog] < 0 ? query_prog_load(x, prog, e) : 0;
}

void query_loads_end(struct query_kern *x, bool is_helper_gone)
{
	struct query_loads *l = x->loads;

	if (!l)
		return;
	if (!is_helper_gone)
		helper_wait(l->helper, l->job);
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->parts[i].state != ATTEMPT_GIVEN && l->parts[i].fd >= 0)
			close(l->parts[i].fd);
		query_load_free(l->parts[i].load);
	}
	pthread_cond_destroy(&l->is_done);
	pthread_mutex_destroy(&l->lock);
	free(l);
	x->loads = NULL;
}

int query_kern_await(struct query *base, uint32_t prog, struct query_error *e)
{
	struct query_kern *x = (struct query_kern *)base;
	int r = 0;

	if (!x->loads)
		return 0;
	*e = (struct query_error){.prog = UINT32_MAX, .probe = UINT32_MAX};
	if (prog != UINT32_MAX)
		return await_one(x, prog, e);
	for (uint32_t i = 0; r >= 0 && i < base->q->progs.n; i++)
		r = await_one(x, i, e);
	if (r < 0)
		return r;
	query_loads_end(x, false);
	query_kern_loaded(x);
	return 0;
}
