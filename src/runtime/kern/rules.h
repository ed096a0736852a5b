/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deciders in the kernel: a rule set's programs and maps beside those of skep's object.
 *
 * runtime/bpf/rule.h says how a record comes to them.  A set is loaded apart, by the same code
 * that loads questions (query-load.c), and put into the tables a program at a time; the one
 * before is closed then.  A record is decided by the program that it meets: by one of the two sets.
 */
#pragma once

#include "runtime/runtime.h"

struct rules_kern;

/* What of the object the sets need; descriptors are borrowed for as long as there is a set. */
struct rules_tables {
	int stage;     /* per cpu: struct wire_stage at its beginning */
	int sys, exec; /* tables of programs: of the hooks sys_exit, sched_process_exec */
	int procs;     /* array of maps: [0] is the map of processes */
	uint64_t *live, *undecided; /* the object's variables rules_live, rules_undecided */
	uint64_t always;	    /* kinds that are sent whatever rules say */
	bool has_sys_table;	    /* false: no program uses `sys`, and it takes none */
};

/*
 * From here on *at decides; NULL: none does so far.  Refused (what the verifier said is in `e`),
 * *at stays as it is, and goes on deciding.
 */
int rules_kern_set(struct rules_kern **at, const struct rules_tables *tables,
		   const struct runtime_rules *rules, struct runtime_error *e);
void rules_kern_free(struct rules_kern *r); /* NULL is fine */

int rules_kern_process(struct rules_kern *r, uint32_t pid, const struct wire_proc_bits *bits);
int rules_kern_cgroup(struct rules_kern *r, uint64_t id, const struct wire_cgroup_bits *bits);
