/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who: the table of processes.
 *
 * A process is (pid, start time); a pid alone names nothing for long.  Start times
 * are compared in clock ticks of 10 ms, because /proc says no more, and no kernel
 * hands out the same pid twice within one.  Ended processes stay while they have
 * living children or until 4096 newer ones have ended, so that a connection's last
 * line and a grandchild's ancestors still have names.
 *
 * The table learns from records only (exec, fork, exit, WIRE_PROC), which is why a
 * replay knows the same as the live run did.
 */
#pragma once

#include "base/map.h"
#include "base/str.h"
#include "catalog/wire/event.h"

#include <stdbool.h>

enum { PROCESS_ENDED_MAX = 4096 };

struct process {
	uint64_t start_ns;
	uint64_t parent_start_ns;
	uint64_t cgroup;
	uint64_t inode;
	uint32_t pid, ppid;
	uint32_t dev, exe_bits;
	uint32_t loginuid, sessionid;
	uint32_t ns[NS_COUNT], ns_pid;
	uint32_t args_total;
	struct wire_cred cred;
	bool has_exec; /* the members from inode on are known */
	bool has_ended;
	bool is_asked;	   /* somebody was asked about it, and may not have known */
	bool is_linked;	   /* counted in its parent's `children` */
	uint32_t children; /* entries of the table that name this one as parent */
	struct process *next_ended;
	char *exe, *args, *cwd; /* owned; NULL: not known; args: NUL after each */
	size_t args_n;
	char comm[WIRE_COMM + 1];
};

struct processes {
	struct map by_key;
	struct process *oldest_ended, *newest_ended;
	size_t ended;
};

void processes_done(struct processes *t);

/* NULL: not known. */
struct process *process_find(const struct processes *t, uint32_t pid, uint64_t start_ns);
/* The one that a process was started by; NULL: not known. */
struct process *process_parent(const struct processes *t, const struct process *p);

/* Learn.  Each returns the process the record is about (fork: the child). */
struct process *process_on_proc(struct processes *t, const struct wire_proc *rec);
struct process *process_on_fork(struct processes *t, const struct wire_fork *rec);
void process_on_exit(struct processes *t, struct process *p);
/* Nothing is known but what stands in the head of some record. */
struct process *process_on_head(struct processes *t, const struct wire_head *head);
