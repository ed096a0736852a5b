/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 OR BSD-2-Clause */
/*
 * What rules add to a record, and what they keep in the kernel.
 *
 * While rules are loaded, a record is put together on a stage: the record, then an annex
 * with facts of the task that no record has room for.  The kernel programs fill both and
 * go on to the decider of the record's kind, a program that compile/rule made.  It sets
 * `may`: bit r says that rule r may match.  If no bit is set nothing is sent.  What is sent
 * has the annex behind it (WIRE_F_ANNEX), 8-aligned, as its last bytes.
 *
 * A rule's bit is an over-approximation: if the rule matches it is set, not the other way
 * round.  User space evaluates those rules exactly, on the same record.
 *
 * Predicates over a process's own strings are evaluated once an exec and kept as bits
 * (struct wire_proc_bits, inherited at fork); those over a container once for its cgroup.
 */
#pragma once

#include "catalog/wire/event.h"

enum {
	RULE_WORDS = 4, /* of 64 rules */
	RULES_MAX = RULE_WORDS * 64,
	PROC_BIT_WORDS = 15,
	PROC_BITS = PROC_BIT_WORDS * 64, /* predicates over a process */
	CGROUP_BIT_WORDS = 7,
	CGROUP_BITS = CGROUP_BIT_WORDS * 64,
	ANCESTORS_MAX = 8,
};

struct wire_ancestor {
	__u64 start_ns; /* with pid: the process; CLOCK_BOOTTIME */
	__u32 pid;
	__u32 pad;
};

enum wire_annex_flag {
	WIRE_A_DECIDED = 1 << 0,   /* `may` is the decider's; else nobody decided: all rules may */
	WIRE_A_TASK = 1 << 1,	   /* the task's facts are there */
	WIRE_A_ANCESTORS = 1 << 2, /* the ancestors are: n_ancestors of them, parent first */
	WIRE_A_LEXICAL = 1 << 3,   /* name and name2 are there, normalised */
	WIRE_A_ENV_CUT = 1 << 4,   /* env was longer */
	WIRE_A_EXECVEAT = 1 << 5,  /* EV_EXEC: by execveat() */
	WIRE_A_ALWAYS = 1 << 6,	   /* the decider sends it whatever it decides: identity, shown */
};

/* The layout is part of the file format and of generated code. */
struct wire_annex {
	__u64 may[RULE_WORDS];
	__u32 generation; /* of the rule set that decided; counts from 1 */
	__u32 flags;	  /* enum wire_annex_flag */
	/* the task as it is now: real credentials of the thread */
	__u64 cap_effective, cap_permitted, cap_inheritable;
	__u32 loginuid; /* ~0: not set */
	__u32 tty; /* device number of the controlling terminal, as in /proc/PID/stat; 0: none */
	__u32 vpid, vtid;  /* in the task's own pid namespace */
	__u32 vpgid, vsid; /* process group and session there */
	__u32 pgid, sid;   /* the same in the first pid namespace */
	__u32 n_ancestors;
	__u32 pad;
	struct wire_ancestor ancestors[ANCESTORS_MAX];
	/*
	 * In the record: the names of wire_file.path and path2 as absolute paths, joined with
	 * the folder they start from, without "//", "." and ".."; symbolic links not followed.
	 */
	struct wire_str name, name2;
	struct wire_str env; /* EV_EXEC: NUL after each variable; only if a rule reads it */
	__u32 pad2;
};
_Static_assert(sizeof(struct wire_annex) % 8 == 0, "kept aligned");

/*
 * What deciders did.  The kernel times programs, but not what a tail call reaches: so who leads
 * to one counts it, and deciders that were compiled for it (rule_options.timed) say how long
 * they took, the tail call included.
 */
struct wire_decided {
	__u64 began_ns;		/* CLOCK_MONOTONIC; of the one that is at work */
	__u64 runs[64], ns[64]; /* by kind of record, ever */
};

/* Where records are put together while rules are loaded: the beginning of struct scratch. */
struct wire_stage {
	__u8 record[WIRE_RECORD_MAX] __attribute__((aligned(8)));
	struct wire_annex annex;
	struct wire_decided decided;
};

/* Maps of the runtime that deciders use; question_map.name, kind QMAP_OTHER, no type. */
#define RULE_MAP_STAGE "stage" /* struct wire_stage first; per cpu; key 0 */
#define RULE_MAP_SEND  "send"  /* table of programs of the hook: 0 sends */

/* Map "procs" of a rule set, by process id.  No element: nothing is known, all may be. */
struct wire_proc_bits {
	__u64 start_ns; /* of the process: guards against a pid that is used again */
	__u64 bits[PROC_BIT_WORDS];
};

/* Map "cgroups" of a rule set, by cgroup id; written by user space only. */
struct wire_cgroup_bits {
	__u64 flags; /* bit 0: the bits are final; else all may be */
	__u64 bits[CGROUP_BIT_WORDS];
};
