/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps in user space, with the kernel's semantics and errors.
 *
 * One struct of functions a kind (enum bpf_map_type); programs, user space and tests go through
 * the same.  All are thread-safe: several threads may run programs on them.  A value's
 * address stays valid memory as long as the map: elements come from memory that the map
 * reserves when it is made (pages are taken when they are touched) and go back to the map's own
 * list, so that a program that still holds the address of a deleted element sees that
 * element's memory, or that of its next life: as with preallocated maps of the kernel.
 */
#pragma once

#include "runtime/vm/prog.h"

struct vm_map;

/* The kernel's own, which only it has: "not supported", of maps and some helpers. */
enum { MAP_ENOTSUPP = 524 };

/* Kinds that came after Linux 6.1. */
enum { MAP_CGRP_STORAGE = 32, MAP_ARENA = 33, MAP_KINDS = 34 };

typedef uint64_t (*map_each_fn)(void *ctx, struct vm_map *m, const void *key, void *value);

struct map_ops {
	/* -EINVAL, -E2BIG, -EPERM …: as BPF_MAP_CREATE would */
	int (*create)(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret);
	void (*free)(struct vm_map *m);
	/* the value's address (per-cpu kinds: of `cpu`'s); NULL: not there */
	void *(*lookup)(struct vm_map *m, const void *key, unsigned int cpu);
	int (*update)(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		      unsigned int cpu);
	int (*delete)(struct vm_map *m, const void *key);
	/* The key behind `key` (NULL: the first); -ENOENT: no more. */
	int (*next_key)(struct vm_map *m, const void *key, void *ret);
	/* queue, stack, bloom filter; -E2BIG, -ENOENT, -EOPNOTSUPP */
	int (*push)(struct vm_map *m, const void *value, uint64_t flags);
	int (*pop)(struct vm_map *m, void *ret);
	int (*peek)(struct vm_map *m, void *ret);
	/*
	 * As the system call does it, where that is not lookup and update: per-cpu kinds read and
	 * write the values of all cpus, value_step apart.  NULL: the plain ones.
	 */
	int (*read)(struct vm_map *m, const void *key, void *ret_values);
	int (*write)(struct vm_map *m, const void *key, const void *values, uint64_t flags);
	/* Read and delete at once; NULL: not this kind. */
	int (*take)(struct vm_map *m, const void *key, void *ret_values);
	/* Each element, until `fn` gives other than 0; how many it was called for. */
	int64_t (*each)(struct vm_map *m, unsigned int cpu, map_each_fn fn, void *ctx);
};

struct vm_map {
	const struct map_ops *ops;
	struct vm_map_def def; /* as it was made: sizes rounded as the kernel does */
	unsigned int cpus;
	uint32_t value_step; /* per-cpu kinds: value_size rounded up to 8, user space's layout */
	uint32_t refs;	     /* atomic */
	/* array kinds, for engines that inline the lookup: value k is at values + k × value_step */
	char *values;
	size_t cpu_step; /* per-cpu array: value k of cpu c is at + c × cpu_step, too */
	/* all memory that addresses of values lie in; NULL: not one piece */
	const char *memory;
	size_t memory_n;
	/* where in it values are: memory_at behind each memory_step of each memory_block bytes;
	 * 0: anywhere, one block */
	size_t memory_step, memory_block;
	uint32_t memory_at;
	bool is_frozen;	       /* user space may no longer write */
	struct timers *timers; /* of its values; timer.c; NULL: none */
};

/* As BPF_MAP_CREATE: checks the definition as the kernel does.  -EINVAL, -E2BIG, -EOPNOTSUPP. */
int map_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret);
void map_ref(struct vm_map *m);
void map_unref(struct vm_map *m); /* NULL is fine */

/* From programs, on `cpu`: what bpf_map_*_elem do.  */
static inline void *map_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	return m->ops->lookup ? m->ops->lookup(m, key, cpu) : NULL;
}
int map_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
	       unsigned int cpu);
int map_delete(struct vm_map *m, const void *key);
int map_next_key(struct vm_map *m, const void *key, void *ret);
int map_push(struct vm_map *m, const void *value, uint64_t flags);
int map_pop(struct vm_map *m, void *ret);
int map_peek(struct vm_map *m, void *ret);

/* As the system call: per-cpu kinds read and write the values of all cpus, value_step apart. */
int map_user_lookup(struct vm_map *m, const void *key, void *ret_values);
int map_user_update(struct vm_map *m, const void *key, const void *values, uint64_t flags);
int map_user_delete(struct vm_map *m, const void *key);
/* BPF_MAP_LOOKUP_AND_DELETE_ELEM; queue, stack: pop */
int map_user_take(struct vm_map *m, const void *key, void *ret_values);
/* bpf_for_each_map_elem(): how many it was called for; -EINVAL: not this kind */
int64_t map_each_element(struct vm_map *m, unsigned int cpu, map_each_fn fn, void *ctx);
/* Bytes that map_user_lookup() gives. */
size_t map_user_size(const struct vm_map *m);
/* Does [p, p + n) lie in memory of its values?  For checking runs. */
bool map_holds(const struct vm_map *m, const void *p, size_t n);

/* --- map in map, prog array: the slot's content; borrowed */
struct vm_code;
int map_set_map(struct vm_map *m, const void *key, struct vm_map *inner, uint64_t flags);
int map_set_code(struct vm_map *m, uint32_t index, const struct vm_code *code);
const struct vm_code *map_code(struct vm_map *m, uint64_t index); /* NULL: empty, or outside */

/* --- ring buffer (and the perf event array, which is one here: records of all cpus) */
void *map_ring_reserve(struct vm_map *m, uint64_t size, uint64_t flags); /* NULL: no room */
void map_ring_submit(struct vm_map *m, void *sample, uint64_t flags, bool discard);
struct vm_map *map_ring_of(const void *sample); /* which map it was reserved in */
/* All at once; 0, -EINVAL, -EAGAIN: no room. */
int map_ring_output(struct vm_map *m, const void *data, uint64_t n, uint64_t flags);
/* `BPF_RB_AVAIL_DATA` … as bpf_ringbuf_query() */
uint64_t map_ring_query(struct vm_map *m, uint64_t what);
/* Hand over what is there; returns how many or what `fn` refused with.  */
int map_ring_drain(struct vm_map *m, int (*fn)(void *ctx, const void *record, size_t n), void *ctx);
int map_ring_fd(struct vm_map *m);		/* eventfd: readable when woken; -1 */
uint64_t map_ring_lost(const struct vm_map *m); /* reserves that found no room */

/* --- task, socket, cgroup, inode storage: of the object named by `owner` (its identity) */
void *map_storage(struct vm_map *m, uint64_t owner, const void *init, uint64_t flags);
int map_storage_delete(struct vm_map *m, uint64_t owner);

/* --- the user ring buffer: user space adds, the program drains (bpf_user_ringbuf_drain) */
int map_user_ring_add(struct vm_map *m, const void *record, uint32_t n);
/* Until `fn` gives other than 0; how many; -EINVAL, -EBUSY: another program drains it. */
int64_t map_user_ring_drain(struct vm_map *m, uint64_t flags,
			    int (*fn)(void *ctx, const void *record, uint32_t n), void *ctx);

/*
 * --- arena: values is its first byte, memory the 4 GiB that the low halves of addresses lie in.
 * Pages of 4096 bytes, at an address in it or (0) anywhere; NULL: there are not so many.
 */
void *map_arena_alloc(struct vm_map *m, uint64_t at, uint32_t pages);
void map_arena_free(struct vm_map *m, uint64_t at, uint32_t pages);

/* --- stack trace: keep frames, give their id, or -EEXIST … as bpf_get_stackid() */
int64_t map_stack_id(struct vm_map *m, const uint64_t *frames, unsigned int n, uint64_t flags);
