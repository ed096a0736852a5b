/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps of all kinds: made, shared, and asked as programs and user space do.
 *
 * What is the same for all is here, and mirrors kernel/bpf/syscall.c: which kinds there are,
 * what a definition may say, who may write.  What differs is behind struct map_ops.
 */
#include "runtime/vm/map/field.h"
#include "runtime/vm/map/kinds.h"
#include "runtime/vm/map/timer.h"

#include <stdlib.h>

static const struct map_ops *const kinds[MAP_KINDS] = {
	[BPF_MAP_TYPE_HASH] = &hash_ops,
	[BPF_MAP_TYPE_ARRAY] = &array_ops,
	[BPF_MAP_TYPE_PROG_ARRAY] = &prog_array_ops,
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = &ring_perf_ops,
	[BPF_MAP_TYPE_PERCPU_HASH] = &hash_cpu_ops,
	[BPF_MAP_TYPE_PERCPU_ARRAY] = &array_cpu_ops,
	[BPF_MAP_TYPE_STACK_TRACE] = &stack_trace_ops,
	[BPF_MAP_TYPE_CGROUP_ARRAY] = &hold_nothing_ops,
	[BPF_MAP_TYPE_LRU_HASH] = &hash_lru_ops,
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = &hash_lru_cpu_ops,
	[BPF_MAP_TYPE_LPM_TRIE] = &lpm_ops,
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = &array_maps_ops,
	[BPF_MAP_TYPE_HASH_OF_MAPS] = &hash_maps_ops,
	[BPF_MAP_TYPE_DEVMAP] = &hold_device_ops,
	[BPF_MAP_TYPE_SOCKMAP] = &hold_nothing_ops,
	[BPF_MAP_TYPE_CPUMAP] = &hold_cpu_ops,
	[BPF_MAP_TYPE_XSKMAP] = &hold_nothing_ops,
	[BPF_MAP_TYPE_SOCKHASH] = &hold_nothing_ops,
	[BPF_MAP_TYPE_CGROUP_STORAGE] = &storage_old_cgroup_ops,
	[BPF_MAP_TYPE_REUSEPORT_SOCKARRAY] = &hold_nothing_ops,
	[BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE] = &storage_old_cgroup_cpu_ops,
	[BPF_MAP_TYPE_QUEUE] = &queue_ops,
	[BPF_MAP_TYPE_STACK] = &stack_ops,
	[BPF_MAP_TYPE_SK_STORAGE] = &storage_socket_ops,
	[BPF_MAP_TYPE_DEVMAP_HASH] = &hold_device_hash_ops,
	[BPF_MAP_TYPE_RINGBUF] = &ring_ops,
	[BPF_MAP_TYPE_INODE_STORAGE] = &storage_inode_ops,
	[BPF_MAP_TYPE_TASK_STORAGE] = &storage_task_ops,
	[BPF_MAP_TYPE_BLOOM_FILTER] = &bloom_ops,
	[BPF_MAP_TYPE_USER_RINGBUF] = &ring_user_ops,
	[MAP_CGRP_STORAGE] = &storage_cgroup_ops,
	[MAP_ARENA] = &arena_ops,
};

int map_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	uint32_t both = BPF_F_RDONLY | BPF_F_WRONLY;
	const struct map_ops *ops = d->type < MAP_KINDS ? kinds[d->type] : NULL;
	int r;

	if (d->extra && d->type != BPF_MAP_TYPE_BLOOM_FILTER && d->type != MAP_ARENA)
		return -EINVAL;
	if ((d->flags & both) == both || !ops || !cpus)
		return -EINVAL;
	if (!fields_fit(d))
		return -EINVAL;
	r = ops->create(d, cpus, ret);
	if (!r)
		(*ret)->is_frozen = d->is_frozen;
	return r;
}

void map_ref(struct vm_map *m)
{
	__atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
}

void map_unref(struct vm_map *m)
{
	if (!m || __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL))
		return;
	timers_free(m);
	m->ops->free(m);
}

int map_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
	       unsigned int cpu)
{
	return m->ops->update ? m->ops->update(m, key, value, flags, cpu) : -EOPNOTSUPP;
}

int map_delete(struct vm_map *m, const void *key)
{
	return m->ops->delete ? m->ops->delete (m, key) : -EOPNOTSUPP;
}

int map_next_key(struct vm_map *m, const void *key, void *ret)
{
	if (m->def.flags & BPF_F_WRONLY)
		return -EPERM;
	return m->ops->next_key ? m->ops->next_key(m, key, ret) : -EOPNOTSUPP;
}

int map_push(struct vm_map *m, const void *value, uint64_t flags)
{
	return m->ops->push ? m->ops->push(m, value, flags) : -EOPNOTSUPP;
}

int map_pop(struct vm_map *m, void *ret)
{
	return m->ops->pop ? m->ops->pop(m, ret) : -EOPNOTSUPP;
}

int map_peek(struct vm_map *m, void *ret)
{
	return m->ops->peek ? m->ops->peek(m, ret) : -EOPNOTSUPP;
}

int64_t map_each_element(struct vm_map *m, unsigned int cpu, map_each_fn fn, void *ctx)
{
	return m->ops->each ? m->ops->each(m, cpu, fn, ctx) : -EINVAL;
}

/* --- as the system call */

static bool is_queue(const struct vm_map *m)
{
	return m->def.type == BPF_MAP_TYPE_QUEUE || m->def.type == BPF_MAP_TYPE_STACK;
}

static bool is_per_cpu(const struct vm_map *m)
{
	return m->def.type == BPF_MAP_TYPE_PERCPU_HASH ||
	       m->def.type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       m->def.type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       m->def.type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

size_t map_user_size(const struct vm_map *m)
{
	return is_per_cpu(m) ? (size_t)m->value_step * m->cpus : m->def.value_size;
}

int map_user_lookup(struct vm_map *m, const void *key, void *ret_values)
{
	const void *value;

	if (m->def.flags & BPF_F_WRONLY)
		return -EPERM;
	if (m->ops->read)
		return m->ops->read(m, key, ret_values);
	if (m->ops->peek)
		return m->ops->peek(m, ret_values);
	if (!m->ops->lookup)
		return -MAP_ENOTSUPP;
	value = m->ops->lookup(m, key, 0);
	if (!value)
		return -ENOENT;
	fields_copy_out(&m->def, ret_values, value);
	return 0;
}

static bool may_write(const struct vm_map *m)
{
	return !m->is_frozen && !(m->def.flags & BPF_F_RDONLY);
}

int map_user_update(struct vm_map *m, const void *key, const void *values, uint64_t flags)
{
	if (!may_write(m))
		return -EPERM;
	if ((flags & BPF_F_LOCK) && !fields_have(&m->def, FIELD_SPIN_LOCK))
		return -EINVAL;
	if (m->ops->write)
		return m->ops->write(m, key, values, flags);
	if (m->ops->push)
		return m->ops->push(m, values, flags);
	return map_update(m, key, values, flags, 0);
}

int map_user_delete(struct vm_map *m, const void *key)
{
	return may_write(m) ? map_delete(m, key) : -EPERM;
}

int map_user_take(struct vm_map *m, const void *key, void *ret_values)
{
	if (!may_write(m) || (m->def.flags & BPF_F_WRONLY))
		return -EPERM;
	if (is_queue(m))
		return map_pop(m, ret_values);
	return m->ops->take ? m->ops->take(m, key, ret_values) : -MAP_ENOTSUPP;
}

bool map_holds(const struct vm_map *m, const void *p, size_t n)
{
	uintptr_t from = (uintptr_t)m->memory, at = (uintptr_t)p;
	uint32_t size = m->def.value_size;

	if (!from || at < from || n > m->memory_n || at - from > m->memory_n - n)
		return false;
	at -= from;
	if (m->memory_block)
		at %= m->memory_block;
	if (!m->memory_step)
		return true;
	at %= m->memory_step;
	return at >= m->memory_at && n <= size && at - m->memory_at <= size - n;
}
