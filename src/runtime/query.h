/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question that runs.
 *
 * Maps are made, programs loaded, probes attached; records are polled, maps read and
 * changed.  One interface, two places: the kernel (kern/query*.c), and skep's own runtime
 * over a command that it traces (vm/hook/query*.c).
 *
 * Life: open (load) → begin → attach → poll … → detach → end → poll → close.  With a helper
 * programs are awaited before they are run or attached, and all of them behind that.
 */
#pragma once

#include "base/str.h"
#include "catalog/question.h"
#include "catalog/wire/answer.h"
#include "runtime/runtime.h"

struct btf_view;
struct helper;
struct query;

struct query_config {
	uint64_t ring_bytes; /* 0: question.config, else by memory */
	int child_pid;	     /* cpid; 0: none */
	int cgroup_fd;	     /* for questions with a map of one: its folder; 0: none */
	bool wants_stats;    /* count runs and their time: query_stats() */
	bool verbose;	     /* keep verifier logs of what loads, too */
	bool all_cpus;	     /* embedded: do not bind the command to one cpu */
	/* The kernel's types, if somebody has them open already: asked only when a program
	 * needs them.  NULL: they are opened and searched once more. */
	const struct btf_view *(*btf)(void *ctx);
	void *btf_ctx;
	struct query *prepared; /* by query_prepare_kern(), of this question: taken over; NULL */
	/*
	 * It loads programs while others are attached already: query_await().  It has ended before
	 * query_close(), unless query_await() said that all are loaded.  NULL: there is none, and
	 * programs are loaded when the question is open.
	 */
	struct helper *helper;
	int tracefs_fd; /* its root folder, if somebody has it open; 0: none */
};

/* Why a program was refused or a probe did not attach. */
struct query_error {
	struct runtime_error error; /* what, hint, log */
	uint32_t prog, probe;	    /* UINT32_MAX: none in particular */
	struct span span;	    /* the source line the verifier stopped at, if it is known */
};

typedef int (*query_record_fn)(void *ctx, const struct wire_answer *record, size_t n);
/* An element of a map: `n_values` values (of each cpu one), `value_step` bytes apart. */
typedef int (*query_item_fn)(void *ctx, const void *key, const void *values, unsigned int n_values,
			     size_t value_step);

struct query_ops {
	const char *name; /* "kernel", "embedded" */
	int (*run)(struct query *x, uint32_t probe, uint32_t repeat, uint32_t *ret,
		   uint64_t *ret_ns);
	int (*await)(struct query *x, uint32_t prog, struct query_error *e); /* NULL: no need */
	int (*attach)(struct query *x, uint32_t probe, struct query_error *e);
	bool (*iterates)(const struct query *x);
	void (*detach)(struct query *x);
	int (*poll)(struct query *x, int timeout_ms, query_record_fn fn, void *ctx);
	int (*poll_fd)(struct query *x);
	int (*map_each)(struct query *x, uint32_t map, query_item_fn fn, void *ctx);
	int (*map_get)(struct query *x, uint32_t map, const void *key, query_item_fn fn, void *ctx);
	int (*map_clear)(struct query *x, uint32_t map);
	int (*map_zero)(struct query *x, uint32_t map);
	int (*global_set)(struct query *x, int32_t offset, const void *p, size_t n);
	int (*stats)(struct query *x, uint32_t prog, uint64_t *ret_runs, uint64_t *ret_ns);
	void (*close)(struct query *x);
	/* for those that run beside the command, not below it; NULL: it needs no care */
	int (*take_child)(struct query *x, int pid, struct query_error *e);
	struct str (*orders)(struct query *x);
	bool (*child_ended)(struct query *x, int *ret_status);
	unsigned int (*left)(const struct query *x);
};

struct query {
	const struct query_ops *ops;
	const struct question *q; /* borrowed */
};

/* In the kernel: any hook, for who may. */
int query_open_kern(const struct question *q, const struct query_config *config, struct query **ret,
		    struct query_error *e);
/*
 * In this process: no privilege is needed; hooks are those of the command, which
 * query_take_child() takes.
 */
int query_open_vm(const struct question *q, const struct query_config *config, struct query **ret,
		  struct query_error *e);

/*
 * While a question is still compiled: make its ring, when question.config is known; then those of
 * its maps that are known (NAMED), the first n of the question's.  Of the question nothing but
 * `config` is looked at.  Nothing is said if that fails: query_open_kern() tries again.
 * query_close() if it comes to nothing.
 */
void query_prepare_kern(const struct question *q, const struct query_config *config,
			struct query **ret);
void query_prepare_maps(struct query *x, const struct question_map *maps, size_t n);

/* Run probe `i` (BEGIN, END, TEST, BENCH, SELF) once; its return value in *ret, the time in
 * *ret_ns. */
static inline int query_run(struct query *x, uint32_t probe, uint32_t repeat, uint32_t *ret,
			    uint64_t *ret_ns)
{
	return x->ops->run(x, probe, repeat, ret, ret_ns);
}
/*
 * With config.helper: until program `i` is loaded, or all are (UINT32_MAX).  An error is that of
 * the program; those that are optional are left to query_attach().
 */
static inline int query_await(struct query *x, uint32_t prog, struct query_error *e)
{
	return x->ops->await ? x->ops->await(x, prog, e) : 0;
}
/*
 * Attach probe `i`.  −ENOENT: there is no such thing; −EPERM, −ENOTSUP: e->hint says what
 * would help.
 */
static inline int query_attach(struct query *x, uint32_t probe, struct query_error *e)
{
	return x->ops->attach(x, probe, e);
}
/* Iterators run to their end by themselves, once, while records are polled: do some still? */
static inline bool query_iterates(const struct query *x)
{
	return x->ops->iterates && x->ops->iterates(x);
}
/* All, in parallel where that is faster. */
static inline void query_detach(struct query *x)
{
	x->ops->detach(x);
}
/* As runtime_poll(): waits, hands over what is there.  Returns how many, or −errno. */
static inline int query_poll(struct query *x, int timeout_ms, query_record_fn fn, void *ctx)
{
	return x->ops->poll(x, timeout_ms, fn, ctx);
}
/* Readable when records wait; −1: there is no such descriptor. */
static inline int query_poll_fd(struct query *x)
{
	return x->ops->poll_fd ? x->ops->poll_fd(x) : -1;
}
/* All elements of map `i`.  Values of cpus as the kernel has them. */
static inline int query_map_each(struct query *x, uint32_t map, query_item_fn fn, void *ctx)
{
	return x->ops->map_each(x, map, fn, ctx);
}
static inline int query_map_get(struct query *x, uint32_t map, const void *key, query_item_fn fn,
				void *ctx)
{
	return x->ops->map_get(x, map, key, fn, ctx);
}
/* For runtimes: an element's values, wherever they are: in stripes, or n of them, step apart. */
static inline int query_hand_over(const struct question_map *m, const char *key, const char *value,
				  unsigned int n, size_t step, query_item_fn fn, void *ctx)
{
	if (m->n_stripes)
		return fn(ctx, key, value + QMAP_STRIPE_GAP, m->n_stripes, m->stripe_step);
	return fn(ctx, key, value, n, step);
}
/* For runtimes: an element's n values, step apart, become zeros; all but its mark if it is kept. */
static inline void query_erase(const struct question_map *m, char *value, unsigned int n,
			       size_t step, bool keeps_mark)
{
	size_t room = question_map_room(m), mark = keeps_mark ? MIN(room, (size_t)8) : 0;

	if (m->n_stripes) {
		value += QMAP_STRIPE_GAP;
		n = m->n_stripes;
		step = m->stripe_step;
	}
	for (unsigned int i = 0; i < n; i++)
		memset(value + i * step, 0, room - mark);
}
static inline int query_map_clear(struct query *x, uint32_t map)
{
	return x->ops->map_clear(x, map);
}
static inline int query_map_zero(struct query *x, uint32_t map)
{
	return x->ops->map_zero(x, map);
}
/* offset −1: nothing */
static inline int query_global_set(struct query *x, int32_t offset, const void *p, size_t n)
{
	return x->ops->global_set(x, offset, p, n);
}
/* The sum over cpus of row `i` of question.losses. */
uint64_t query_loss(struct query *x, uint32_t loss);
/* Frames of a stack; their number, 0: not there. */
unsigned int query_stack(struct query *x, uint64_t id, uint64_t *frames, unsigned int room);
/*
 * Runs of a program and their ns.  Needs wants_stats, for as long as the question is open;
 * in the kernel before Linux 5.8 also the sysctl kernel.bpf_stats_enabled.
 */
static inline int query_stats(struct query *x, uint32_t prog, uint64_t *ret_runs, uint64_t *ret_ns)
{
	return x->ops->stats(x, prog, ret_runs, ret_ns);
}
static inline void query_close(struct query *x) /* NULL is fine */
{
	if (x)
		x->ops->close(x);
}

/*
 * The command (-c), a child of ours that waits.  What serves it from outside takes it over, tells
 * when it has ended (nobody else may wait for it), and has orders, bytes that the child obeys
 * before it executes (tracer_child()).
 */
static inline int query_take_child(struct query *x, int pid, struct query_error *e)
{
	return x->ops->take_child ? x->ops->take_child(x, pid, e) : 0;
}
static inline struct str query_orders(struct query *x)
{
	return x->ops->orders ? x->ops->orders(x) : (struct str){"", 0};
}
/* Does it tell?  Then query_child_ended() is asked instead of wait(). */
static inline bool query_keeps_child(const struct query *x)
{
	return x && x->ops->child_ended;
}
/* Processes that the command left running, and that end when the query is closed. */
static inline unsigned int query_left(const struct query *x)
{
	return x && x->ops->left ? x->ops->left(x) : 0;
}
static inline bool query_child_ended(struct query *x, int *ret_status)
{
	return x->ops->child_ended(x, ret_status);
}
