/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who: the table of processes.
 *
 * A process is (pid, start time); a pid alone names nothing for long.  Start times
 * are compared in clock ticks of 10 ms, because /proc says no more, and no kernel
 * hands out the same pid twice within one.  Ended processes stay while they have
 * living children or until 4096 newer ones have ended, so that a connection's last
 * line and a grandchild's ancestors still have names.  The end of some is never told: it
 * was out of scope, or lost.  So when the table is full, those without children that were
 * silent longest are forgotten; one that speaks again is asked about again.
 *
 * The table learns from records only (exec, fork, exit, WIRE_PROC), which is why a
 * replay knows the same as the live run did.
 */
#pragma once

#include "base/map.h"
#include "base/str.h"
#include "catalog/wire/event.h"

#include <stdbool.h>

enum { PROCESS_ENDED_MAX = 4096, PROCESS_MAX = 1 << 16 };

struct process {
	uint64_t start_ns;
	uint64_t parent_start_ns;
	uint64_t last; /* when it last did something: `now` of the table */
	uint32_t pid, ppid;
	uint32_t ns_pid;
	bool has_exec; /* `program` and the strings below it are known */
	bool has_ended;
	bool is_asked;	   /* somebody was asked about it, and may not have known */
	bool is_linked;	   /* counted in its parent's `children` */
	uint32_t children; /* entries of the table that name this one as parent */
	struct process *next_ended;
	struct program {
		uint64_t inode;	     /* of the executable */
		uint32_t exe_bits;   /* enum wire_file_bit */
		uint32_t args_total; /* bytes of all arguments; args may have fewer */
		uint32_t loginuid;   /* ~0: not set */
		uint32_t ns[NS_COUNT];
		struct wire_cred cred;
	} program;
	char *exe, *args, *cwd; /* owned; NULL: not known; args: NUL after each */
	size_t args_n;
	/*
	 * For rules: the arguments before secrets were masked (NULL: there were none), and the
	 * environment (NULL: not known).  Never shown.
	 */
	char *raw_args, *env; /* owned; NUL after each */
	size_t env_n;
	char comm[WIRE_COMM + 1];
	char exec_comm[WIRE_COMM + 1]; /* as the last exec left it; prctl() can't change it */
	/* from the last annex (wire/rule.h): sessions and groups, 0: not known */
	uint32_t tty, vpid, vpgid, vsid, pgid, sid;
};

struct processes {
	struct map by_key;
	struct process *oldest_ended, *newest_ended;
	size_t ended;
	uint64_t now;	/* counts what was learnt */
	size_t full_at; /* entries at which some are forgotten; 0: PROCESS_MAX */
};

void processes_done(struct processes *t);

/* NULL: not known. */
struct process *process_find(const struct processes *t, uint32_t pid, uint64_t start_ns);
/* The one that a process was started by; NULL: not known. */
struct process *process_parent(const struct processes *t, const struct process *p);

/*
 * Learn.  Each returns the process the record is about (fork: the child).  What was found
 * before is no longer valid: to make room it may have been forgotten.
 */
struct process *process_on_proc(struct processes *t, const struct wire_proc *rec);
struct process *process_on_fork(struct processes *t, const struct wire_fork *rec);
void process_on_exit(struct processes *t, struct process *p);
/*
 * What rules are evaluated on: arguments as they were before they were masked (as many bytes
 * as `args`), and the environment, {NULL, 0}: not known.
 */
void process_set_raw(struct process *p, struct str args, struct str env);
/* Nothing is known but what stands in the head of some record. */
struct process *process_on_head(struct processes *t, const struct wire_head *head);
