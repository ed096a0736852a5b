/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a query in skep itself share; for query*.c of this folder only.
 *
 *	query.c        life, polling, what is set from outside
 *	query-load.c   maps made, programs verified and made code
 *	query-map.c    maps read and changed
 *	query-attach.c which events run which programs; what cannot be had here, and why
 *	query-event.c  an event becomes a context, a task and a run
 *	query-break.c  probes in the command's program, by breakpoints
 */
#pragma once

#include "runtime/query.h"
#include "runtime/vm/helper/helper.h"
#include "runtime/vm/hook/format.h"
#include "runtime/vm/hook/tracer.h"
#include "runtime/vm/run.h"

/* What a program asks about its task: only that is looked up. */
enum query_need { NEEDS_COMM = 1, NEEDS_USER = 2, NEEDS_CGROUP = 4 };

struct query_prog {
	struct vm_code *code; /* owned; NULL: an optional one that was refused */
	unsigned int needs;
	uint64_t runs, ns;
};

/* A probe that is attached. */
struct hook {
	struct hook *next;
	struct query_prog *prog;
	uint64_t cookie;
	uint64_t period_ns, next_ns; /* of clocks */
	bool is_raised;		     /* of a static probe: its semaphore says that we listen */
};

/* In the order in which they were attached. */
struct hooks {
	struct hook *first, **last;
};

struct query_vm {
	struct query base;
	struct query_config config;
	struct arena arena;
	struct vm_object object;
	struct vm_map **maps;	  /* owned */
	struct query_prog *progs; /* by question.progs */
	unsigned int cpus;
	struct tracer *tracer; /* NULL: there is no command */
	bool has_child, is_detached;
	struct hooks enter[CALLS_MAX], leave[CALLS_MAX];
	struct hooks raw_enter, raw_leave, exec, end, fork, clocks;
	struct breaks *breaks; /* query-break.c; NULL: none */
	struct helper_memory memory;
	struct tracer_task *task; /* the one that runs, for `memory` */
	const struct regs *regs;  /* its registers, if they are known */
};

struct breaks;

#define VM(x) ((struct query_vm *)(x))

/* "what", with the place; returns r. */
int query_vm_fail(struct query_error *e, int r, const char *format, ...) _printf_(3, 4);

int query_vm_load(struct query_vm *x, struct query_error *e);
void query_vm_unload(struct query_vm *x);
int query_vm_attach(struct query *base, uint32_t probe, struct query_error *e);
bool query_vm_event(void *ctx, const struct tracer_event *e); /* tracer_fn */
/* Can there be such a probe at all?  -ENOTSUP: `e` says why not, and what is nearest. */
int query_vm_can(struct query_vm *x, const struct question_probe *p, struct query_error *e);
int query_vm_breaks_add(struct query_vm *x, const struct question_probe *p);
void query_vm_breaks_exec(struct query_vm *x, struct tracer_task *t);
void query_vm_breaks_done(struct query_vm *x);
void query_vm_breaks_mapped(struct query_vm *x, struct tracer_task *t);
bool query_vm_break(struct query_vm *x, struct tracer_task *t); /* a trap: is it one of ours? */
struct regs;
void query_vm_run_break(struct query_vm *x, struct tracer_task *t, const struct hooks *hooks,
			struct regs *r, uint64_t func);
/* Run a program for skep itself. */
uint64_t query_vm_run_self(struct query_vm *x, struct query_prog *p, uint64_t cookie, void *ctx);
void query_vm_memory(struct query_vm *x); /* fills x->memory */

int query_vm_map_each(struct query *base, uint32_t map, query_item_fn fn, void *ctx);
int query_vm_map_get(struct query *base, uint32_t map, const void *key, query_item_fn fn,
		     void *ctx);
int query_vm_map_clear(struct query *base, uint32_t map);
int query_vm_map_zero(struct query *base, uint32_t map);
