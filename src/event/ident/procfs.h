/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that are older than the program, from /proc.
 *
 * The parsers work on bytes and touch no file; what they return in a `struct str` borrows
 * from what they were given.  All of /proc/PID is foreign: a process names itself, its
 * arguments and its folders, and may end, or run another program, between two reads.
 *
 * Times are in clock ticks since boot, cut off; the kernel's own start time, nanoseconds
 * of CLOCK_BOOTTIME, divided by procfs_ns_per_tick() gives the same number, if the
 * reader is in the first time namespace.
 */
#pragma once

#include "base/str.h"
#include "catalog/wire/event.h"
#include "event/ident/users.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	PROCFS_COMM = 64, /* names of kernel workers are longer than TASK_COMM_LEN */
};

struct procfs_stat {
	uint64_t start_ticks;
	uint64_t arg_start, arg_end; /* addresses; 0: not ours to know */
	uint32_t pid, ppid;
	char comm[PROCFS_COMM]; /* may hold any byte but NUL */
};

struct procfs_status {
	uint32_t uid[4], gid[4]; /* real, effective, saved, of file accesses */
	uint64_t cap_inheritable, cap_permitted, cap_effective;
	uint32_t tgid;
	uint32_t ns_pid; /* the pid in the innermost namespace */
};

/* Each returns 0, or -EBADMSG if the text is no such file. */
int procfs_parse_stat(struct str s, struct procfs_stat *ret);
int procfs_parse_status(struct str s, struct procfs_status *ret);
/* One number, with a newline or without: loginuid, sessionid. */
int procfs_parse_uint(struct str s, uint32_t *ret);
/* The target of a link in ns/: "mnt:[4026531841]". */
int procfs_parse_ns(struct str s, uint32_t *ret_inode);

uint64_t procfs_ns_per_tick(void);
uint64_t procfs_ticks_of_ns(uint64_t start_ns);

/* A procfs that is mounted at `root`.  Never NULL: if it can't be opened, all is gone. */
struct procfs;
struct procfs *procfs_new(const char *root);
void procfs_free(struct procfs *p);

/* What may be hidden from us, or not there at all, is NULL, 0, or -1 for the two ids. */
struct procfs_process {
	struct procfs_stat stat;
	struct procfs_status status;
	char *exe;  /* owned; without the kernel's " (deleted)", if exe_is_deleted */
	char *cwd;  /* owned; without it */
	char *args; /* owned; NUL after each, at most WIRE_ARGS_MAX bytes */
	size_t args_n;
	uint32_t args_total; /* bytes that there are */
	uint64_t exe_inode;
	uint32_t exe_dev; /* major << 20 | minor */
	uint32_t exe_nlink;
	bool exe_is_deleted; /* has no name left */
	bool exe_is_memfd;   /* never had one: memfd_create() */
	uint32_t loginuid, sessionid;
	uint32_t ns[NS_COUNT]; /* inode numbers */
};

/*
 * All about one process, as it was at one time: if another one took its place or it ran
 * another program meanwhile, it is read again, once, and then -EAGAIN.  -ESRCH: there is
 * none, or it is only a thread.
 */
int procfs_read(const struct procfs *p, uint32_t pid, struct procfs_process *ret);
void procfs_process_done(struct procfs_process *process);

/* 0: there is no such process. */
uint64_t procfs_start_ticks(const struct procfs *p, uint32_t pid);
