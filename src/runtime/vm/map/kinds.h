/* SPDX-License-Identifier: Apache-2.0 */
/* All kinds of maps, and what they share when they are made. */
#pragma once

#include "base/macro.h"
#include "runtime/vm/map/map.h"

#include <errno.h>

/* BPF_F_INNER_MAP is of 5.10; these are younger than some headers. */
enum { MAP_F_SEGV_ON_FAULT = 1 << 17, MAP_F_NO_USER_CONV = 1 << 18 };

/* Largest per-cpu value (PCPU_MIN_UNIT_SIZE in the kernel), and what it can kmalloc(). */
enum { MAP_CPU_VALUE_MAX = 32 << 10, MAP_KMALLOC_MAX = 4 << 20 };

extern const struct map_ops array_ops, array_cpu_ops, array_maps_ops, prog_array_ops;
extern const struct map_ops hash_ops, hash_cpu_ops, hash_lru_ops, hash_lru_cpu_ops, hash_maps_ops;
extern const struct map_ops ring_ops, ring_perf_ops, ring_user_ops;
extern const struct map_ops lpm_ops, queue_ops, stack_ops, bloom_ops, stack_trace_ops, arena_ops;
extern const struct map_ops storage_task_ops, storage_inode_ops, storage_socket_ops,
	storage_cgroup_ops, storage_old_cgroup_ops, storage_old_cgroup_cpu_ops;
extern const struct map_ops hold_device_ops, hold_device_hash_ops, hold_cpu_ops, hold_nothing_ops;

/* BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG exclude each other. */
static inline bool map_access_ok(uint32_t flags)
{
	uint32_t both = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;

	return (flags & both) != both;
}
/* What array kinds and hash kinds demand (array_map_alloc_check(), htab_map_alloc_check()). */
int array_check(const struct vm_map_def *d);
int hash_check(const struct vm_map_def *d);
/* Behind the index `key`, of all kinds that are arrays. */
int array_next_key(struct vm_map *m, const void *key, void *ret);

/* Fill what all kinds have. */
static inline void map_init(struct vm_map *m, const struct map_ops *ops, const struct vm_map_def *d,
			    unsigned int cpus)
{
	*m = (struct vm_map){.ops = ops, .def = *d, .cpus = cpus, .refs = 1};
	m->value_step = ((uint64_t)d->value_size + 7) & ~7ull;
}
