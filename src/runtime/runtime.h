/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where questions run.
 *
 * One interface, two places: the kernel (kern/) and, later, skep's own runtime
 * (vm/).  A caller opens a runtime with what it wants to know, starts it, and polls
 * for records (catalog/wire/event.h).  Nothing above this header knows which it is.
 *
 * Life: open → (follow) → start → poll … → stop → poll → counts → close.  Closing detaches all.
 */
#pragma once

#include "catalog/wire/event.h"
#include "catalog/wire/scope.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runtime;

struct runtime_config {
	uint64_t events;	 /* bit mask of kinds */
	int cgroup_fd;		 /* folder of the cgroup to watch, borrowed; -1: any */
	const char *cgroup_root; /* where cgroup2 is mounted; NULL: nowhere */
	bool seeds;		 /* runtime_seed() will be called */
	bool follow;		 /* only processes given to runtime_follow() and what they start */
	const char *comm;	 /* glob; NULL: any */
	bool by_user;
	uint32_t uid;
	bool no_failed;
	uint32_t ring_kb; /* a power of two */
};

/* What went wrong, for a person.  All zero when nothing did. */
struct runtime_error {
	char what[256]; /* what was being done */
	char hint[512]; /* what would help */
	char log[4096]; /* the end of the verifier's log */
};

/* One record; valid until it returns.  A negative return stops the poll. */
typedef int (*runtime_record_fn)(void *ctx, const void *record, size_t n);

struct runtime_ops {
	const char *name;
	int (*follow)(struct runtime *rt, uint32_t pid);
	int (*start)(struct runtime *rt, struct runtime_error *e);
	int (*seed)(struct runtime *rt, runtime_record_fn fn, void *ctx);
	int (*poll)(struct runtime *rt, int timeout_ms, runtime_record_fn fn, void *ctx);
	void (*stop)(struct runtime *rt);
	void (*counts)(struct runtime *rt, struct wire_count *ret);
	void (*close)(struct runtime *rt);
};

struct runtime {
	const struct runtime_ops *ops;
};

/*
 * Load for the kernel that runs.  -EPERM: privileges are missing, -ENOTSUP: the
 * kernel is; `e` says what and what to do.
 */
int runtime_open_kern(const struct runtime_config *config, struct runtime **ret,
		      struct runtime_error *e);

/* Watch this process and all that it starts.  Before or after start. */
static inline int runtime_follow(struct runtime *rt, uint32_t pid)
{
	return rt->ops->follow(rt, pid);
}

/* Attach: from here on records arrive. */
static inline int runtime_start(struct runtime *rt, struct runtime_error *e)
{
	return rt->ops->start(rt, e);
}

/*
 * Processes that are older than the question, as WIRE_PROC records without their
 * arguments (those are in /proc only), in and out of scope; and the owners of older
 * sockets, which stay below.  `fn` returns 1 for a process that is in scope.
 */
static inline int runtime_seed(struct runtime *rt, runtime_record_fn fn, void *ctx)
{
	return rt->ops->seed ? rt->ops->seed(rt, fn, ctx) : 0;
}

/* Wait at most `timeout_ms`, then hand over what is there.  Returns how many, or -errno. */
static inline int runtime_poll(struct runtime *rt, int timeout_ms, runtime_record_fn fn, void *ctx)
{
	return rt->ops->poll(rt, timeout_ms, fn, ctx);
}

/* Detach: what is in the ring can still be polled, nothing is added. */
static inline void runtime_stop(struct runtime *rt)
{
	rt->ops->stop(rt);
}

/* Sums over all cpus. */
static inline void runtime_counts(struct runtime *rt, struct wire_count *ret)
{
	rt->ops->counts(rt, ret);
}

/* Detach and free; NULL is fine. */
static inline void runtime_close(struct runtime *rt)
{
	if (rt)
		rt->ops->close(rt);
}
