/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tracer's files share; for tracer*.c only.
 *
 *	tracer.c       life, the loop, who may trace
 *	tracer-stop.c  what each stop means
 *	tracer-task.c  the tasks: a table, their memory, their names
 */
#pragma once

#include "base/map.h"
#include "runtime/vm/hook/tracer.h"

#include <sched.h>
#include <time.h>

struct tracer {
	struct tracer_config config;
	struct seccomp_filter filter;
	struct map tasks; /* tid → struct tracer_task, owned */
	unsigned int n_fds;
	pid_t first; /* the child that was seized */
	int first_status;
	bool has_ended, uses_seccomp, is_closing, wants_return, no_vm_read;
	timer_t timer; /* wakes the wait */
	/* what was told while one thread alone was waited for */
	struct {
		pid_t tid;
		int status;
		struct rusage usage;
	} * queue; /* owned */
	size_t n_queue, queue_room;
	bool has_timer;
	int cpu;
	cpu_set_t cpus; /* ours, before */
};

/* Keep for later what wait4() told of; the oldest of it, false: there is none. */
void tracer_queue(struct tracer *t, pid_t tid, int status, const struct rusage *usage);
bool tracer_unqueue(struct tracer *t, pid_t *ret_tid, int *ret_status, struct rusage *ret_usage);

/* A stop or an end that wait4() told of. */
void tracer_stop(struct tracer *t, pid_t tid, int status, struct rusage *usage);
bool tracer_tell(struct tracer *t, const struct tracer_event *e);

/* A task by its number; one that is new is looked up in /proc. */
struct tracer_task *tracer_task_add(struct tracer *t, pid_t tid);
void tracer_task_remove(struct tracer *t, struct tracer_task *task);
