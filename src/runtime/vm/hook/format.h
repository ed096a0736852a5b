/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracepoints that the embedded runtime serves, and what is in their contexts.
 *
 * Laid out as the kernel lays them out (events/GROUP/EVENT/format in tracefs), so that a program
 * does not know where it runs: 8 bytes that all have in common, then the fields.  System
 * calls come from catalog/syscall-args.def, the others are a table here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FORMAT_FIELDS_MAX = 8,
	FORMAT_TEXT_MAX = 4096, /* bytes of a context's strings */
};

struct format_field {
	const char *type, *name; /* "const char *", "filename"; type: type_n letters of it */
	uint32_t type_n, offset, size;
	bool is_signed, is_data_loc;
};

struct format {
	struct format_field fields[FORMAT_FIELDS_MAX];
	unsigned int n;
};

/* 0; −ENOENT: it is served nowhere, or this architecture has no such call. */
int format_find(const char *group, const char *event, struct format *ret);
/* All of them. */
typedef void (*format_fn)(void *ctx, const char *group, const char *event);
void format_each(format_fn fn, void *ctx);

/* --- contexts */

struct format_common {
	uint16_t type;
	uint8_t flags, preempt_count;
	int32_t pid;
};
struct format_enter { /* syscalls:sys_enter_* */
	struct format_common common;
	int32_t nr, pad;
	uint64_t args[6];
};
struct format_exit { /* syscalls:sys_exit_* */
	struct format_common common;
	int32_t nr, pad;
	int64_t ret;
};
struct format_raw_enter { /* raw_syscalls:sys_enter */
	struct format_common common;
	int64_t id;
	uint64_t args[6];
};
struct format_raw_exit {
	struct format_common common;
	int64_t id, ret;
};
struct format_exec { /* sched:sched_process_exec */
	struct format_common common;
	uint32_t filename; /* __data_loc: length << 16 | offset */
	int32_t pid, old_pid;
	char text[FORMAT_TEXT_MAX];
};
struct format_end { /* sched:sched_process_exit */
	struct format_common common;
	char comm[16];
	int32_t pid, prio;
	bool group_dead;
};
struct format_fork { /* sched:sched_process_fork, as since 6.16 */
	struct format_common common;
	uint32_t parent_comm;
	int32_t parent_pid;
	uint32_t child_comm;
	int32_t child_pid;
	char text[32];
};
