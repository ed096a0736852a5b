/* SPDX-License-Identifier: Apache-2.0 */
/* Timers inside of values: their helpers, and who frees values, maps, and the code they call. */
#pragma once

#include "runtime/vm/prog.h"

struct vm_map;
struct vm_code;

/*
 * What bpf_timer_*() do with the timer (FIELD_TIMER, FIELD_WORKQUEUE) in a value; `c` is the code
 * that runs.  -EINVAL, -EBUSY, -EDEADLK as the kernel; -EOPNOTSUPP: the map is inside of a map.
 * timer_cancel(): 1: it was started.
 */
int timer_init(void *field, enum vm_field_kind kind, struct vm_map *m, uint64_t clock,
	       const struct vm_code *c);
int timer_set_callback(void *field, uint64_t function, const struct vm_code *c);
int timer_start(void *field, uint64_t ns, uint64_t flags, unsigned int cpu);
int timer_cancel(void *field);

/* The timer in a value that goes is cancelled. */
void timer_forget(void *field);
/* No timer of the map will call the code any more. */
void timers_forget_code(struct vm_map *m, const struct vm_code *c);
/* The map goes, and its thread. */
void timers_free(struct vm_map *m);
