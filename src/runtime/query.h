/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question that runs.
 *
 * Maps are made, programs loaded, probes attached; records are polled, maps read and
 * changed.  One interface, later two places: the kernel (kern/query*.c) and skep's own
 * runtime.
 *
 * Life: open (load) → begin → attach → poll … → detach → end → poll → close.
 */
#pragma once

#include "catalog/question.h"
#include "catalog/wire/answer.h"
#include "runtime/runtime.h"

struct btf_view;
struct query;

struct query_config {
	uint64_t ring_bytes; /* 0: question.config, else by memory */
	int child_pid;	     /* cpid; 0: none */
	int cgroup_fd;	     /* for questions with a map of one: its folder; 0: none */
	bool wants_stats;    /* count runs and their time: query_stats() */
	bool verbose;	     /* keep verifier logs of what loads, too */
	/* The kernel's types, if somebody has them open already: asked only when a program
	 * needs them.  NULL: they are opened and searched once more. */
	const struct btf_view *(*btf)(void *ctx);
	void *btf_ctx;
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

int query_open_kern(const struct question *q, const struct query_config *config, struct query **ret,
		    struct query_error *e);
/* Run probe `i` (BEGIN, END, TEST, BENCH, SELF) once; its return value in *ret, the time in
 * *ret_ns. */
int query_run(struct query *x, uint32_t probe, uint32_t repeat, uint32_t *ret, uint64_t *ret_ns);
/*
 * Attach probe `i`.  −ENOENT: there is no such thing; −EPERM, −ENOTSUP: e->hint says what
 * would help.
 */
int query_attach(struct query *x, uint32_t probe, struct query_error *e);
/* Iterators run to their end by themselves, once, while records are polled: do some still? */
bool query_iterates(const struct query *x);
void query_detach(struct query *x); /* all, in parallel where that is faster */
/* As runtime_poll(): waits, hands over what is there.  Returns how many, or −errno. */
int query_poll(struct query *x, int timeout_ms, query_record_fn fn, void *ctx);
int query_poll_fd(struct query *x); /* readable when records wait */
/* All elements of map `i`.  Values of cpus as the kernel has them. */
int query_map_each(struct query *x, uint32_t map, query_item_fn fn, void *ctx);
int query_map_get(struct query *x, uint32_t map, const void *key, query_item_fn fn, void *ctx);
int query_map_clear(struct query *x, uint32_t map);
int query_map_zero(struct query *x, uint32_t map);
int query_global_set(struct query *x, int32_t offset, const void *p,
		     size_t n); /* offset −1: nothing */
/* The sum over cpus of row `i` of question.losses. */
uint64_t query_loss(struct query *x, uint32_t loss);
/* Frames of a stack; their number, 0: not there. */
unsigned int query_stack(struct query *x, uint64_t id, uint64_t *frames, unsigned int room);
/*
 * Runs of a program and their ns.  Needs wants_stats, for as long as the question is open;
 * before Linux 5.8 also the sysctl kernel.bpf_stats_enabled.
 */
int query_stats(struct query *x, uint32_t prog, uint64_t *ret_runs, uint64_t *ret_ns);
void query_close(struct query *x);
