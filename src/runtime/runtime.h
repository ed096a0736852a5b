/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where questions run.
 *
 * One interface, two places: the kernel (kern/), and a command that skep traces itself
 * (vm/hook/).  A caller opens a runtime with what it wants to know, starts it, and polls
 * for records (catalog/wire/event.h).  Nothing above this header knows which it is.
 *
 * Life: open → (follow) → start → poll … → stop → poll → counts → close.  Closing detaches all.
 */
#pragma once

#include "base/str.h"
#include "catalog/wire/event.h"
#include "catalog/wire/rule.h"
#include "catalog/wire/scope.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct question;
struct runtime;

/*
 * A rule set's deciders, as compile/rule made them: a program a kind of record, and the
 * maps of bits.  Borrowed until the runtime is closed or has others.
 */
struct runtime_rules {
	const struct question *q;
	const int32_t *progs;		/* by kind, 64: index into q->progs; -1: none */
	int32_t map_procs, map_cgroups; /* indices into q->maps; -1: not used */
	uint32_t generation;
	/*
	 * Kinds that rules ask for, with a decider or without: those without are sent undecided.
	 * 0: those that have one.
	 */
	uint64_t kinds;
};

/* What is asked for; the strings and the descriptor are borrowed until open returns. */
struct runtime_config {
	uint64_t events;	 /* bit k: kind k is wanted */
	int cgroup_fd;		 /* folder of the cgroup to watch; -1: any */
	const char *cgroup_root; /* where cgroup2 is mounted; NULL: nowhere */
	bool seeds;		 /* runtime_seed() will be called */
	bool follow;		 /* only processes given to runtime_follow() and what they start */
	const char *comm;	 /* glob over the thread's name; NULL: any */
	bool by_user;		 /* only what the user `uid` runs */
	uint32_t uid;
	bool no_failed;	  /* leave out calls that failed */
	uint32_t ring_kb; /* size of the ring, KiB: a power of two, a page or more */
	bool all_cpus;	  /* embedded: do not bind the command to one cpu */
	bool rules;	  /* runtime_rules() will be called: records are staged and decided */
	bool rules_env;	  /* rules read the environment of new programs */
	bool rules_data;  /* rules read what is sent and received */
	bool rules_timed; /* deciders say how long they take; their rule_options.timed is set */
	uint64_t shown;	  /* rules: kinds that are sent whatever the rules say (--events) */
};

/* What went wrong, for a person.  All zero when nothing did. */
struct runtime_error {
	char what[256]; /* what was being done */
	char hint[512]; /* what would help */
	char log[4096]; /* the end of the verifier's log */
};

/*
 * One record of `n` bytes, valid until it returns.  A negative return stops the poll,
 * which returns it; the record counts as taken.
 */
typedef int (*runtime_record_fn)(void *ctx, const void *record, size_t n);
/* A cgroup, 0: all that found no place, lost so many records, ever, for it sent too many. */
typedef void (*runtime_flood_fn)(void *ctx, uint64_t cgroup, uint64_t lost);

struct runtime_ops {
	const char *name;
	int (*follow)(struct runtime *rt, uint32_t pid);
	int (*start)(struct runtime *rt, struct runtime_error *e);
	int (*seed)(struct runtime *rt, runtime_record_fn fn, void *ctx);
	int (*poll)(struct runtime *rt, int timeout_ms, runtime_record_fn fn, void *ctx);
	void (*stop)(struct runtime *rt);
	void (*counts)(struct runtime *rt, struct wire_count *ret);
	void (*close)(struct runtime *rt);
	/* rules; NULL: everything is sent, user space decides */
	int (*rules)(struct runtime *rt, const struct runtime_rules *rules,
		     struct runtime_error *e);
	int (*rules_process)(struct runtime *rt, uint32_t pid, const struct wire_proc_bits *bits);
	int (*rules_cgroup)(struct runtime *rt, uint64_t id, const struct wire_cgroup_bits *bits);
	int (*rules_stats)(struct runtime *rt, unsigned int kind, uint64_t *ret_runs,
			   uint64_t *ret_ns);
	void (*rules_floods)(struct runtime *rt, runtime_flood_fn fn, void *ctx);
	/* for those that run beside the command, not below it; NULL: it needs no care */
	int (*take_child)(struct runtime *rt, int pid, struct runtime_error *e);
	struct str (*orders)(struct runtime *rt);
	bool (*child_ended)(struct runtime *rt, int *ret_status);
	unsigned int (*left)(const struct runtime *rt);
};

struct runtime {
	const struct runtime_ops *ops;
};

/*
 * Load for the kernel that runs; `ret` is closed by the caller.  -EPERM: privileges are
 * missing, -ENOTSUP: the kernel is, or another -errno; `e` says what and what to do.
 */
int runtime_open_kern(const struct runtime_config *config, struct runtime **ret,
		      struct runtime_error *e);

/*
 * Over a command of ours, which runtime_take_child() takes; no privilege is needed.  Start and stop
 * mean little here, seed nothing.  -EPERM, -ENOTSUP: it may not be traced, `e` says why.
 */
int runtime_open_vm(const struct runtime_config *config, struct runtime **ret,
		    struct runtime_error *e);
/* Of these events, those that it cannot see; *ret_more: what else, in words. */
uint64_t runtime_vm_blind(uint64_t events, const char **ret_more);

/* The command, as in query.h: taken over, obeyed before it executes, told when it ends. */
static inline int runtime_take_child(struct runtime *rt, int pid, struct runtime_error *e)
{
	return rt->ops->take_child ? rt->ops->take_child(rt, pid, e) : 0;
}
static inline struct str runtime_orders(struct runtime *rt)
{
	return rt->ops->orders ? rt->ops->orders(rt) : (struct str){"", 0};
}
static inline bool runtime_keeps_child(const struct runtime *rt)
{
	return rt && rt->ops->child_ended;
}
/* Processes that the command left running, and that end when the runtime is closed. */
static inline unsigned int runtime_left(const struct runtime *rt)
{
	return rt && rt->ops->left ? rt->ops->left(rt) : 0;
}
static inline bool runtime_child_ended(struct runtime *rt, int *ret_status)
{
	return rt->ops->child_ended(rt, ret_status);
}

/*
 * Watch this process and all that it starts, if the configuration says `follow`.
 * Before or after start.  `pid` is that of the initial pid namespace.  -E2BIG: too many.
 */
static inline int runtime_follow(struct runtime *rt, uint32_t pid)
{
	return rt->ops->follow(rt, pid);
}

/* Attach: from here on records arrive.  After an error there is only close. */
static inline int runtime_start(struct runtime *rt, struct runtime_error *e)
{
	return rt->ops->start(rt, e);
}

/*
 * From here on these deciders decide.  Before start, or while records come: the change is
 * made a kind at a time, each record is decided by exactly one set (annex.generation), none
 * is lost or told twice.  The new set knows no process and no cgroup yet: all may match.
 * Without any, all records are sent, undecided.
 * Processes are seeded once all records from before the change have been polled.
 * -ENOTSUP: this runtime sends all records.
 */
static inline int runtime_rules(struct runtime *rt, const struct runtime_rules *rules,
				struct runtime_error *e)
{
	return rt->ops->rules ? rt->ops->rules(rt, rules, e) : -ENOTSUP;
}
/* Seed a process's bits; -EEXIST: the kernel knows it better already, as it should be. */
static inline int runtime_rules_process(struct runtime *rt, uint32_t pid,
					const struct wire_proc_bits *bits)
{
	return rt->ops->rules_process ? rt->ops->rules_process(rt, pid, bits) : 0;
}
/* What is known of a cgroup; may be called again.  NULL: nothing any more, all may be. */
static inline int runtime_rules_cgroup(struct runtime *rt, uint64_t id,
				       const struct wire_cgroup_bits *bits)
{
	return rt->ops->rules_cgroup ? rt->ops->rules_cgroup(rt, id, bits) : 0;
}
/*
 * Records of this kind that a decider had before it, ever, and the ns that it took: 0 without
 * config.rules_timed.  -ENOTSUP where nobody counts.
 */
static inline int runtime_rules_stats(struct runtime *rt, unsigned int kind, uint64_t *ret_runs,
				      uint64_t *ret_ns)
{
	return rt->ops->rules_stats ? rt->ops->rules_stats(rt, kind, ret_runs, ret_ns) : -ENOTSUP;
}
/* Cgroups that were over their part of the ring; those losses are among the counted ones, too. */
static inline void runtime_rules_floods(struct runtime *rt, runtime_flood_fn fn, void *ctx)
{
	if (rt->ops->rules_floods)
		rt->ops->rules_floods(rt, fn, ctx);
}

/*
 * Processes that are older than the question, as WIRE_PROC records without their
 * arguments (those are in /proc only), in and out of scope; and the owners of older
 * sockets, which stay below.  `fn` returns 1 for a process that is in scope, else 0;
 * it cannot stop this.  0 or -errno.
 */
static inline int runtime_seed(struct runtime *rt, runtime_record_fn fn, void *ctx)
{
	return rt->ops->seed ? rt->ops->seed(rt, fn, ctx) : 0;
}

/*
 * Hand over what is there; if that is nothing, wait at most `timeout_ms` for it.  In a
 * flood it returns before all is read.  Returns how many, what `fn` said, or -errno.
 */
static inline int runtime_poll(struct runtime *rt, int timeout_ms, runtime_record_fn fn, void *ctx)
{
	return rt->ops->poll(rt, timeout_ms, fn, ctx);
}

/* Detach: what is in the ring can still be polled, nothing is added. */
static inline void runtime_stop(struct runtime *rt)
{
	rt->ops->stop(rt);
}

/* Sums over all cpus; final after stop. */
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
