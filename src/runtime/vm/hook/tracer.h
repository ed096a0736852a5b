/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another process and all that it starts, stopped at some of their system calls.
 *
 * Any user may trace processes of his own with ptrace(2).  The usual way stops at every system
 * call twice; here a seccomp filter (seccomp.h) chooses which ones stop, so that those nobody
 * asked for cost nothing.  A stop costs two switches to the tracer and back: some
 * microseconds if both run on one cpu, where the kernel switches from one to the other, and ten
 * times that if another cpu must be woken.  That is why tracer and traced are bound to
 * one cpu, unless told otherwise; what the command starts inherits it.
 *
 * The life of a command: somebody forks a child that waits; tracer_seize() takes it; the child is
 * let go with tracer_orders(), gives them to tracer_child() and executes.  From then on
 * tracer_poll() waits for stops and tells of each; when the function that was told returns, the
 * thread goes on.  Everything happens on the thread that seized.  When skep dies, so do they
 * (PTRACE_O_EXITKILL).
 *
 * What a traced program notices: it has no more privileges by set-user-id programs, it cannot be
 * traced by another debugger, it runs on one cpu.  Signals, job control, threads and exec go on
 * as they would.
 *
 * Source: ptrace(2), and kernel/ptrace.c where that is silent.
 */
#pragma once

#include "base/str.h"
#include "runtime/runtime.h"
#include "runtime/vm/hook/regs.h"
#include "runtime/vm/hook/seccomp.h"

#include <sys/resource.h>

struct tracer;

/* A thread that is traced. */
struct tracer_task {
	pid_t tid, pid;	       /* pid: of its process */
	pid_t ppid;	       /* parent, when it was first seen */
	struct regs_call call; /* the call that it is in, or was in last, if that stopped */
	bool in_call;	       /* its end is awaited */
	bool is_early;	       /* its parent's fork was not told yet: it waits */
	bool is_inside;	       /* without seccomp: it is within a call */
	bool has_ended;	       /* TRACER_END was told */
	bool is_listening;     /* its process was stopped */
	bool is_stepping;      /* one instruction, whose end was not told yet */
	bool is_held;	       /* while another one steps */
	bool shares_memory;    /* of vfork: with its parent, until it executes */
	int comm_fd;	       /* /proc/TID/comm; -1 */
	uint64_t start_ns;     /* of its process, CLOCK_BOOTTIME; 0: not asked for yet */
	void *data;	       /* the user's, freed with free() */
};

enum tracer_what {
	TRACER_ENTER,  /* a call of config.enter: task->call */
	TRACER_EXIT,   /* the end of one of config.exit: also task->call.ret */
	TRACER_EXEC,   /* another program is in place, and has not run yet */
	TRACER_FORK,   /* `child` was made: a process or thread */
	TRACER_END,    /* the thread ends, its memory is still there */
	TRACER_REAPED, /* the process has ended: `status`, `usage` */
	TRACER_TRAP,   /* SIGTRAP, by a breakpoint perhaps: return true if it was yours */
};

struct tracer_event {
	enum tracer_what what;
	struct tracer_task *task;
	struct tracer_task *child;
	bool is_thread;	      /* FORK: a thread of the same process */
	bool shares;	      /* FORK: by vfork(): both have one memory */
	pid_t old_tid;	      /* EXEC: the thread that asked for it */
	int status;	      /* END, REAPED: as wait() gives it */
	struct rusage *usage; /* REAPED */
};

typedef bool (*tracer_fn)(void *ctx, const struct tracer_event *e);

struct tracer_config {
	struct call_set enter, exit; /* whose beginning, whose end is told */
	bool all_cpus;		     /* leave the cpus alone */
	bool no_seccomp;	     /* stop at each call, as where there is no seccomp (tests) */
	tracer_fn fn;
	void *ctx;
};

/*
 * −EPERM, −ENOTSUP: ptrace cannot be had here, `e` says why; no process is touched.
 * Without seccomp it works too, slowly.
 */
int tracer_new(const struct tracer_config *config, struct tracer **ret, struct runtime_error *e);
/* Calls may be added until the child was let go. */
struct call_set *tracer_enter_calls(struct tracer *t);
struct call_set *tracer_exit_calls(struct tracer *t);

/* Take a child of ours that waits. */
int tracer_seize(struct tracer *t, pid_t pid, struct runtime_error *e);
/*
 * What the child needs to know, for a pipe to it: the calls are final now.  Then in the child,
 * when it was let go and before it executes: takes no memory and no lock.  0, −errno.
 */
struct str tracer_orders(struct tracer *t);
int tracer_child(const void *orders, size_t n);

/*
 * Wait for stops and tell of them, until `deadline_ns` (CLOCK_MONOTONIC) or tracer_interrupt().
 * Returns how many there were, or −errno.
 */
int tracer_poll(struct tracer *t, uint64_t deadline_ns);
/* From within a function that was told: return from the poll soon. */
void tracer_interrupt(struct tracer *t);

/* Has the child that was seized ended?  Its status as wait() gives it. */
bool tracer_has_ended(const struct tracer *t, int *ret_status);
size_t tracer_tasks(const struct tracer *t);	       /* threads that are there */
unsigned int tracer_processes(const struct tracer *t); /* of them, those that are processes */
struct tracer_task *tracer_task(struct tracer *t, pid_t tid); /* NULL: none of ours */
/* Each, until `fn` says true; did it? */
bool tracer_each(struct tracer *t, bool (*fn)(void *ctx, struct tracer_task *task), void *ctx);
/* Another thread of the same process; NULL: it is the only one. */
struct tracer_task *tracer_sibling(struct tracer *t, const struct tracer_task *of);
/* Is it the last one of its process that has not ended? */
bool tracer_is_last(struct tracer *t, const struct tracer_task *task);
bool tracer_uses_seccomp(const struct tracer *t);
int tracer_cpu(const struct tracer *t); /* where all run; -1: anywhere */

/*
 * Let go of everything, and tell of nothing more.  Who is still there gets `grace_ms` to end, and
 * is killed then: it could not do the calls that were traced.  Returns how many processes were.
 */
unsigned int tracer_close(struct tracer *t, unsigned int grace_ms); /* NULL is fine */

/* --- what may be asked of a task that is stopped */

/* 0, −EFAULT.  All or nothing. */
int tracer_read(struct tracer *t, struct tracer_task *task, void *to, uint64_t from, size_t n);
int tracer_write(struct tracer *t, struct tracer_task *task, uint64_t to, const void *from,
		 size_t n);
/* The same, also where the program itself may not write: its code. */
int tracer_poke(struct tracer_task *task, uint64_t to, const void *from, size_t n);
void tracer_comm(struct tracer *t, struct tracer_task *task, char ret[16]);
/*
 * Go one instruction, while all other threads of its process stand still.  False: it ended, or
 * went elsewhere by a signal.
 */
bool tracer_step(struct tracer *t, struct tracer_task *task);
/* Afterwards: the other threads go on. */
void tracer_step_done(struct tracer *t, struct tracer_task *task);
