/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deciders without the kernel: the programs that compile/rule made, run in the embedded
 * runtime over records, one after the other.
 *
 * The same programs, the same maps, the same answers as in the kernel; what the kernel's
 * programs in C do around them (bits at fork and exit) is done here.  Replay, watching without
 * privileges and the tests of soundness use it.
 */
#pragma once

#include "compile/rule/rule.h"

struct rules_vm;

struct rules_vm_config {
	const struct question *q; /* borrowed, as all here, until close */
	const struct rule_plan *plan;
	uint32_t generation;
	bool interpret; /* no machine code: tests */
};

/* -EACCES: our own verifier refuses a program, why in the question's diags; or other -errno. */
int rules_vm_open(const struct rules_vm_config *c, struct rules_vm **ret);
void rules_vm_close(struct rules_vm *v); /* NULL is fine */

/*
 * Decide a record of `n` bytes (without annex).  `annex` comes with what is known of the task,
 * and goes with may, generation and flags.  1: some rule may match, 0: none can, -errno.
 * EV_EXEC, EV_FORK and EV_EXIT also keep the bits of processes.
 */
int rules_vm_decide(struct rules_vm *v, const void *record, size_t n, struct wire_annex *annex);

/* As runtime_rules_process() and runtime_rules_cgroup(). */
int rules_vm_process(struct rules_vm *v, uint32_t pid, const struct wire_proc_bits *bits);
int rules_vm_cgroup(struct rules_vm *v, uint64_t id, const struct wire_cgroup_bits *bits);
