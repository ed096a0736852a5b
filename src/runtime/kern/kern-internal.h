/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the kernel as a runtime share; for kern*.c only.
 *
 *	kern.c         life, records, counts
 *	kern-choose.c  what is loaded, and whom it watches
 *	kern-rules.c   rules: the tables between our programs and deciders (rules.c)
 */
#pragma once

#include "runtime/kern/object.h"
#include "runtime/kern/rules.h"
#include "runtime/runtime.h"

enum { LINKS = 32 };

struct ring_buffer;

struct kern {
	struct runtime base;
	struct runtime_config config;
	struct object object;
	struct watch *skel; /* of the object */
	struct ring_buffer *ring;
	struct wire_count *counts; /* mapped, one a cpu */
	size_t counts_bytes;
	int cpus;
	int links[LINKS]; /* descriptors */
	int links_n;
	int cgroup_fd;		  /* where cgroup hooks go; owned */
	bool has_handlers;	  /* some system call is looked at */
	struct rules_kern *rules; /* owned; NULL: none yet */
	uint64_t seeds_full;	  /* owners of older sockets that found the table full */
	/* of the poll that runs */
	runtime_record_fn fn;
	void *ctx;
	int left; /* records that it still takes */
};

#define KERN(rt) ((struct kern *)(rt))

/* Which program serves a handler of system calls: by enum sys_handler. */
extern const char *const kern_handlers[SYS_END];

/* Write the tables of system calls; returns which handlers they need, a bit each. */
unsigned int kern_choose_syscalls(struct kern *k);
void kern_choose_programs(struct kern *k, unsigned int handlers_used);
int kern_choose_scope(struct kern *k); /* -E2BIG: the glob is too long */

void kern_rules_choose(struct kern *k); /* before loading: what only rules need */
int kern_rules_fill(struct kern *k);	/* after it */
void kern_rules_start(struct kern *k);	/* without deciders all is sent */

/* struct runtime_ops */
int kern_rules(struct runtime *rt, const struct runtime_rules *rules, struct runtime_error *e);
int kern_rules_process(struct runtime *rt, uint32_t pid, const struct wire_proc_bits *bits);
int kern_rules_cgroup(struct runtime *rt, uint64_t id, const struct wire_cgroup_bits *bits);
int kern_rules_stats(struct runtime *rt, unsigned int kind, uint64_t *ret_runs, uint64_t *ret_ns);
void kern_rules_floods(struct runtime *rt, runtime_flood_fn fn, void *ctx);
