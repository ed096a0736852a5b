/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A BPF object that somebody else compiled: loaded, attached, listened to.
 *
 * Sections are named as libbpf has them ("tracepoint/syscalls/sys_enter_execve"), so each
 * program says itself where it belongs.  What it says comes three ways: text by bpf_printk,
 * records by ring buffers and perf event arrays, and what stands in its maps.
 *
 * Life: open → choose → load → attach → poll … → detach → maps → close.
 */
#pragma once

#include "base/arena.h"
#include "runtime/runtime.h"

struct foreign;

struct foreign_prog {
	const char *name, *section, *type; /* the type in a word: "tracepoint", "xdp" */
	size_t n_insns;
	bool is_wanted, is_attached;
};

enum foreign_map_kind {
	FOREIGN_TABLE, /* keys and values that can be read */
	FOREIGN_RING,
	FOREIGN_PERF,
	FOREIGN_DATA,  /* global variables: one value */
	FOREIGN_OTHER, /* of programs, sockets, stacks, literals … */
};

struct foreign_map {
	const char *name, *type;
	enum foreign_map_kind kind;
	uint32_t key_size, value_size, max_entries;
	uint32_t key_type, value_type; /* in the object's BTF; 0: not said */
	bool is_per_cpu, is_array;
};

struct foreign_config {
	int cgroup_fd;	      /* for programs on cgroups; -1 */
	unsigned int ifindex; /* for XDP; 0 */
};

/*
 * Everything here borrows from the object.  `bytes` too is borrowed, until close; `name` is
 * what maps of global variables are called by.
 */
int foreign_open(struct str bytes, const char *name, struct foreign **ret, struct runtime_error *e);
size_t foreign_progs(const struct foreign *f);
const struct foreign_prog *foreign_prog(const struct foreign *f, size_t i);
size_t foreign_maps(const struct foreign *f);
const struct foreign_map *foreign_map(const struct foreign *f, size_t i);
/* The object's types as bytes (BTF); {NULL, 0}: it has none. */
struct str foreign_types(const struct foreign *f);
const char *foreign_license(const struct foreign *f);
/* Does a program that is wanted call bpf_printk? */
bool foreign_prints(const struct foreign *f);

/* Only programs whose name matches one of these globs, a comma between.  How many. */
size_t foreign_choose(struct foreign *f, const char *globs);

/* Load what is wanted.  e->log: the verifier's log. */
int foreign_load(struct foreign *f, struct runtime_error *e);
/* Attach program `i`.  -ENOTSUP: what it needs is in e->hint. */
int foreign_attach(struct foreign *f, size_t i, const struct foreign_config *config,
		   struct runtime_error *e);

/*
 * A record of ring buffer or perf event array `map`; `lost`: instead, so many found no room.
 * Negative: stop.
 */
typedef int (*foreign_record_fn)(void *ctx, size_t map, const void *data, size_t n, uint64_t lost);
int foreign_listen(struct foreign *f, foreign_record_fn fn, void *ctx, struct runtime_error *e);
/* Waits at most so long; hands over what is there.  How many, or -errno. */
int foreign_poll(struct foreign *f, int timeout_ms);
/* What iterators (SEC("iter/…")) write, all of it. */
int foreign_iterate(struct foreign *f, size_t prog, struct buf *to);

/* `n_values` values, `step` bytes apart (per cpu); others have one. */
typedef int (*foreign_item_fn)(void *ctx, const void *key, const void *values,
			       unsigned int n_values, size_t step);
int foreign_each(struct foreign *f, size_t map, foreign_item_fn fn, void *ctx);

void foreign_detach(struct foreign *f);
void foreign_close(struct foreign *f); /* NULL is fine */
