/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seccomp filter that stops a set of system calls, and only those.
 *
 * A process may filter its own system calls without any privilege, if it gives up gaining
 * privileges first (no_new_privs: set-user-id programs run as who starts them).  A filter is a
 * program of classic BPF over the call's number, machine and arguments.  Ours answers
 * RET_TRACE for calls that somebody looks at: they stop, and whoever traces the
 * process is told.  All others run at full speed, but for the filter's few comparisons.
 *
 * Numbers mean something for one ABI only.  A 32-bit call on a 64-bit machine (int 0x80, or a
 * 32-bit program) has another `arch`, and x32 sets a high bit of the number: both are let
 * through, as the kernel's own system call tracepoints leave them out too.
 *
 * A filter cannot be taken away again.  Without a tracer RET_TRACE makes the call fail with
 * ENOSYS: such processes do not outlive theirs (PTRACE_O_EXITKILL).
 *
 * Source: Documentation/userspace-api/seccomp_filter.rst.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CALLS_MAX = 512 }; /* numbers of 64-bit machines end at 470 in 2026 */

/* A set of system calls by number. */
struct call_set {
	uint64_t bits[CALLS_MAX / 64];
	bool all; /* each, also those that nobody knows yet */
};

static inline void call_set_add(struct call_set *s, int nr)
{
	if (nr >= 0 && nr < CALLS_MAX)
		s->bits[nr / 64] |= UINT64_C(1) << (nr % 64);
}
static inline bool call_set_has(const struct call_set *s, uint64_t nr)
{
	return s->all || (nr < CALLS_MAX && (s->bits[nr / 64] >> (nr % 64) & 1));
}
bool call_set_is_empty(const struct call_set *s);

struct seccomp_filter {
	struct sock_filter insns[4 * CALLS_MAX];
	unsigned int n;
};

/* The filter: a binary search over the borders of the set. */
void seccomp_make(const struct call_set *s, struct seccomp_filter *ret);

/* May a filter answer RET_TRACE here?  0; −ENOSYS: no seccomp, −EOPNOTSUPP: not this answer. */
int seccomp_probe(void);

/*
 * Filter the calls of this process from here on, and of all that it starts.  Sets
 * no_new_privs.  For a child between fork and exec: takes no memory and no lock.
 */
int seccomp_install(const struct sock_filter *insns, size_t n);
