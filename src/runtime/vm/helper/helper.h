/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What helpers and kfuncs do in the embedded runtime: those that real programs use.
 *
 * One function each, with the kernel's errors and results; `skep vm --list-helpers` prints
 * the table and what is missing.  They find who runs by vm_current (run.h).
 */
#pragma once

#include "runtime/vm/run.h"

/* By the kernel's number; NULL: the runtime has none. */
vm_call_fn helper_of(uint32_t number);
/* By name: "bpf_iter_num_new". */
vm_call_fn kfunc_of(const char *name);
/* All kfuncs there are, in order; NULL: no more. */
const char *kfunc_name(size_t i);

/*
 * What stands for a task: bpf_get_current_task(), and the owner of its storage; who knows that
 * a task has ended deletes that (map_storage_delete()).  0: nobody.
 */
uint64_t helper_task_number(const struct vm_task *t);

/*
 * How helpers reach the memory of the task that a program runs for.  vm_run.memory; NULL: this
 * process's own, if the task says is_self, else -EFAULT.
 */
struct helper_memory {
	/* 0 or -EFAULT */
	int (*read)(void *ctx, const struct vm_task *t, void *to, uint64_t from, size_t n);
	int (*write)(void *ctx, const struct vm_task *t, uint64_t to, const void *from, size_t n);
	/* frames of its user stack, ip first; how many */
	unsigned int (*stack)(void *ctx, const struct vm_task *t, uint64_t *frames,
			      unsigned int room);
	void *ctx;
};
