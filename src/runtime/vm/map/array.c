/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays: all elements exist from the start, the key is an index.
 *
 * Values are 8-aligned and stand next to each other (value_step), so engines can inline the
 * lookup.  The per-cpu array has one such block for each cpu, a page's multiple apart, so that
 * cpus do not write to each other's cache lines.  Mirrors kernel/bpf/arraymap.c.
 */
#include "runtime/vm/map/field.h"
#include "runtime/vm/map/kinds.h"
#include "runtime/vm/map/room.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096 };

int array_check(const struct vm_map_def *d)
{
	uint32_t allowed = BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_RDONLY | BPF_F_WRONLY |
			   BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG | BPF_F_PRESERVE_ELEMS |
			   BPF_F_INNER_MAP;

	if (!d->max_entries || d->key_size != 4 || !d->value_size || (d->flags & ~allowed) ||
	    !map_access_ok(d->flags))
		return -EINVAL;
	if (d->type == BPF_MAP_TYPE_PERCPU_ARRAY && (d->flags & BPF_F_NUMA_NODE))
		return -EINVAL;
	if (d->type != BPF_MAP_TYPE_ARRAY && (d->flags & (BPF_F_MMAPABLE | BPF_F_INNER_MAP)))
		return -EINVAL;
	if (d->type != BPF_MAP_TYPE_PERF_EVENT_ARRAY && (d->flags & BPF_F_PRESERVE_ELEMS))
		return -EINVAL;
	if (d->value_size > INT_MAX)
		return -E2BIG;
	if (d->type == BPF_MAP_TYPE_PERCPU_ARRAY && d->value_size > MAP_CPU_VALUE_MAX)
		return -E2BIG;
	return 0;
}

static int array_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	bool per_cpu = d->type == BPF_MAP_TYPE_PERCPU_ARRAY;
	struct vm_map *m;
	int r = array_check(d);

	if (r < 0)
		return r;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	map_init(m, per_cpu ? &array_cpu_ops : &array_ops, d, cpus);
	m->cpu_step = (((size_t)d->max_entries * m->value_step) + PAGE - 1) & ~(size_t)(PAGE - 1);
	m->memory_n = m->cpu_step * (per_cpu ? cpus : 1);
	m->values = room_take(m->memory_n);
	if (!m->values) {
		free(m);
		return -ENOMEM;
	}
	m->memory = m->values;
	m->memory_step = m->value_step;
	m->memory_block = m->cpu_step;
	if (d->init)
		for (unsigned int i = 0; i < (per_cpu ? cpus : 1); i++)
			memcpy(m->values + i * m->cpu_step, d->init, d->value_size);
	*ret = m;
	return 0;
}

static void array_free(struct vm_map *m)
{
	unsigned int blocks = m->ops == &array_cpu_ops ? m->cpus : 1;

	if (m->def.n_fields)
		for (unsigned int c = 0; c < blocks; c++)
			for (uint64_t i = 0; i < m->def.max_entries; i++)
				fields_free(&m->def,
					    m->values + c * m->cpu_step + i * m->value_step);
	room_give(m->values, m->memory_n);
	free(m);
}

static uint32_t index_of(const void *key)
{
	uint32_t i;

	memcpy(&i, key, sizeof(i));
	return i;
}

static void *array_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	uint32_t i = index_of(key);

	return i < m->def.max_entries ? m->values + (size_t)i * m->value_step : NULL;
}

static void *array_cpu_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	uint32_t i = index_of(key);

	if (i >= m->def.max_entries || cpu >= m->cpus)
		return NULL;
	return m->values + cpu * m->cpu_step + (size_t)i * m->value_step;
}

static int array_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
			unsigned int cpu)
{
	void *to;

	if ((flags & ~(uint64_t)BPF_F_LOCK) > BPF_EXIST)
		return -EINVAL;
	if (index_of(key) >= m->def.max_entries)
		return -E2BIG;
	if (flags & BPF_NOEXIST)
		return -EEXIST;
	if ((flags & BPF_F_LOCK) && !fields_have(&m->def, FIELD_SPIN_LOCK))
		return -EINVAL;
	to = m->ops->lookup(m, key, cpu);
	if ((flags & BPF_F_LOCK) && m->ops == &array_ops)
		fields_copy_locked(&m->def, to, value, to);
	else
		fields_copy(&m->def, to, value);
	fields_free(&m->def, to);
	return 0;
}

static int array_cpu_write(struct vm_map *m, const void *key, const void *values, uint64_t flags)
{
	if (flags > BPF_EXIST)
		return -EINVAL;
	if (index_of(key) >= m->def.max_entries)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	for (unsigned int c = 0; c < m->cpus; c++) {
		char *to = array_cpu_lookup(m, key, c);
		const char *from = (const char *)values + (size_t)c * m->value_step;

		/* the bytes behind the value are user space's, too */
		memcpy(to + m->def.value_size, from + m->def.value_size,
		       m->value_step - m->def.value_size);
		fields_copy(&m->def, to, from);
		fields_free(&m->def, to);
	}
	return 0;
}

static int array_cpu_read(struct vm_map *m, const void *key, void *ret_values)
{
	if (index_of(key) >= m->def.max_entries)
		return -ENOENT;
	for (unsigned int c = 0; c < m->cpus; c++) {
		const char *from = array_cpu_lookup(m, key, c);
		char *to = (char *)ret_values + (size_t)c * m->value_step;

		memcpy(to, from, m->value_step);
		fields_copy_out(&m->def, to, from);
	}
	return 0;
}

static int array_delete(struct vm_map *m, const void *key)
{
	return -EINVAL; /* elements of an array are always there */
}

int array_next_key(struct vm_map *m, const void *key, void *ret)
{
	uint32_t i = key ? index_of(key) : UINT32_MAX;

	if (i >= m->def.max_entries)
		i = UINT32_MAX;
	else if (i == m->def.max_entries - 1)
		return -ENOENT;
	i++;
	memcpy(ret, &i, sizeof(i));
	return 0;
}

static int64_t array_each(struct vm_map *m, unsigned int cpu, map_each_fn fn, void *ctx)
{
	int64_t n = 0;

	for (uint32_t i = 0; i < m->def.max_entries; i++) {
		uint32_t key = i; /* what the program is given may be written to */

		n++;
		if (fn(ctx, m, &key, m->ops->lookup(m, &key, cpu)))
			break;
	}
	return n;
}

const struct map_ops array_ops = {
	.create = array_create,
	.free = array_free,
	.lookup = array_lookup,
	.update = array_update,
	.delete = array_delete,
	.next_key = array_next_key,
	.each = array_each,
};

const struct map_ops array_cpu_ops = {
	.create = array_create,
	.free = array_free,
	.lookup = array_cpu_lookup,
	.update = array_update,
	.delete = array_delete,
	.next_key = array_next_key,
	.read = array_cpu_read,
	.write = array_cpu_write,
	.each = array_each,
};
