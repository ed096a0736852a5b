/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up what is no longer needed.
 *
 * Root's power is for loading and attaching.  What comes up afterwards are foreign bytes:
 * whoever finds a mistake in their reader should not find all of root's capabilities too.
 */
#pragma once

#include <linux/capability.h>
#include <stdint.h>

#define PRIVILEGE(cap) (UINT64_C(1) << (cap))

/* `skep watch` reads mapped memory and files: /proc/PID/exe, runtimes' state files. */
#define PRIVILEGE_WATCH (PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH))

/* With rules: new ones are loaded on SIGHUP, and maps are written by bpf(). */
#define PRIVILEGE_RULES (PRIVILEGE_WATCH | PRIVILEGE(CAP_BPF) | PRIVILEGE(CAP_PERFMON))

/*
 * `skep trace` reads maps and runs end probes by bpf(), which before 5.19 wants CAP_BPF for
 * each call; opens iterators (CAP_PERFMON); reads kernel symbols (CAP_SYSLOG) and symbols of
 * other users' processes; ends its command, which may have changed its user (CAP_KILL).
 */
#define PRIVILEGE_TRACE                                                                          \
	(PRIVILEGE_WATCH | PRIVILEGE(CAP_BPF) | PRIVILEGE(CAP_PERFMON) | PRIVILEGE(CAP_SYSLOG) | \
	 PRIVILEGE(CAP_KILL))

/*
 * Drop all capabilities but those of `keep` for good.  Children are not affected if they
 * were forked before.  0, −errno.
 */
int privilege_drop(uint64_t keep);
