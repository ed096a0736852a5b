/* SPDX-License-Identifier: Apache-2.0 */
/* What symbols.c and symbols-user.c share. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "runtime/kern/kallsyms.h"
#include "runtime/kern/symbols.h"

/* Functions of one file, by their address in it. */
struct symbols_function {
	uint64_t value, size; /* size 0: not said */
	uint32_t name;
	uint32_t rank; /* of several names for one place: the lowest is shown */
};

struct symbols_segment {
	uint64_t offset, size, address;
};

struct symbols_file {
	struct symbols_file *next; /* of the same hash */
	uint64_t device, inode;
	bool is_fixed;			  /* ET_EXEC: runs where its addresses say */
	struct symbols_segment *segments; /* owned */
	size_t segments_n;
	struct symbols_function *functions; /* owned, sorted */
	size_t n;
	struct buf names;
};

struct symbols_mapping {
	uint64_t start, end, offset, device, inode;
	const char *path; /* "" is anonymous; "[vdso]" */
};

struct symbols_process {
	uint32_t pid;
	struct arena arena;
	ARRAY(struct symbols_mapping) mappings;
	uint64_t read_ns;		/* when they were read */
	uint64_t exe_device, exe_inode; /* what it ran then */
	struct symbols_file *perf;	/* owned; of /tmp/perf-PID.map, NULL: not read */
	uint64_t perf_size;
};

struct symbols {
	enum symbols_cache cache;
	bool demangle;
	bool is_kernel_read;
	struct kallsyms kernel;
	struct map processes; /* pid → struct symbols_process, owned */
	struct map files;     /* hash → struct symbols_file, owned */
	size_t functions_n;   /* of all files */
};

void symbols_put_name(struct symbols *s, const char *name, struct buf *to);
void symbols_user_free(struct symbols *s);
