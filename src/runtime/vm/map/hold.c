/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds that hold things of the kernel's: devices, cpus, sockets, cgroups.
 *
 * Devices and cpus are numbers, so those maps work: a program that redirects finds out whether
 * there is a target.  Sockets and cgroups are descriptors, which say nothing here: these maps
 * can be made and stay empty; writing one is -EOPNOTSUPP.
 */
#include "runtime/vm/map/hash.h"

#include <stdlib.h>
#include <string.h>

enum { CPUS_MAX = 8192, QUEUE_MAX = 16384 };

struct hold {
	struct vm_map map; /* values: as user space wrote them; all 0: empty */
	uint64_t room;
};

static int hold_check(const struct vm_map_def *d)
{
	uint32_t file = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;

	switch (d->type) {
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
		if (d->key_size != 4 || (d->value_size != 4 && d->value_size != 8) ||
		    !d->max_entries || (d->flags & ~file))
			return -EINVAL;
		return d->type == BPF_MAP_TYPE_DEVMAP_HASH && d->max_entries > 1u << 31 ? -EINVAL
											: 0;
	case BPF_MAP_TYPE_CPUMAP:
		if (d->key_size != 4 || (d->value_size != 4 && d->value_size != 8) ||
		    !d->max_entries || (d->flags & ~(uint32_t)BPF_F_NUMA_NODE))
			return -EINVAL;
		return d->max_entries > CPUS_MAX ? -E2BIG : 0;
	case BPF_MAP_TYPE_XSKMAP:
		return d->key_size != 4 || d->value_size != 4 || !d->max_entries ||
				       (d->flags & ~file)
			       ? -EINVAL
			       : 0;
	case BPF_MAP_TYPE_SOCKMAP:
		return d->key_size != 4 || (d->value_size != 4 && d->value_size != 8) ||
				       !d->max_entries || (d->flags & ~file)
			       ? -EINVAL
			       : 0;
	case BPF_MAP_TYPE_SOCKHASH:
		if (!d->key_size || (d->value_size != 4 && d->value_size != 8) || !d->max_entries ||
		    (d->flags & ~file))
			return -EINVAL;
		return d->key_size > 512 ? -E2BIG : 0; /* MAX_BPF_STACK */
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
		return d->value_size != 4 && d->value_size != 8 ? -EINVAL : array_check(d);
	case BPF_MAP_TYPE_CGROUP_ARRAY:
		if (d->value_size != 4 || (d->flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)))
			return -EINVAL;
		return array_check(d);
	}
	return -EINVAL;
}

static const struct map_ops *ops_of(uint32_t type)
{
	return type == BPF_MAP_TYPE_DEVMAP   ? &hold_device_ops
	       : type == BPF_MAP_TYPE_CPUMAP ? &hold_cpu_ops
					     : &hold_nothing_ops;
}

static int hold_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	struct vm_map_def def = *d;
	struct hold *h;
	int r = hold_check(d);

	if (r < 0)
		return r;
	/* programs may not write what lookups lead to */
	if (d->type == BPF_MAP_TYPE_DEVMAP || d->type == BPF_MAP_TYPE_DEVMAP_HASH)
		def.flags |= BPF_F_RDONLY_PROG;
	if (d->type == BPF_MAP_TYPE_DEVMAP_HASH)
		return hash_new(&hold_device_hash_ops, &def, cpus,
				(struct hash_shape){.stored = d->value_size, .spare = HASH_SPARE},
				ret);
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	map_init(&h->map, ops_of(d->type), &def, cpus);
	h->room = (uint64_t)d->max_entries * h->map.value_step;
	h->map.values = room_take(h->room);
	if (!h->map.values) {
		free(h);
		return -ENOMEM;
	}
	h->map.memory = h->map.values;
	h->map.memory_n = h->room;
	*ret = &h->map;
	return 0;
}

static void hold_free(struct vm_map *m)
{
	room_give(m->values, ((struct hold *)m)->room);
	free(m);
}

static uint32_t word(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static char *slot_of(struct vm_map *m, const void *key)
{
	uint32_t i = word(key);

	return i < m->def.max_entries ? m->values + (size_t)i * m->value_step : NULL;
}

/* The first word is the device, or the queue's length: 0 is nothing. */
static void *hold_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	char *slot = slot_of(m, key);

	return slot && word(slot) ? slot : NULL;
}

static int hold_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		       unsigned int cpu)
{
	char *slot = slot_of(m, key);
	bool is_cpu = m->ops == &hold_cpu_ops;

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (!slot)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	if (is_cpu && word(value) > QUEUE_MAX)
		return -EOVERFLOW;
	if (is_cpu && word(key) >= m->cpus)
		return -ENODEV;
	if (!is_cpu && !word(value) && m->def.value_size == 8 &&
	    (int32_t)word((const char *)value + 4) > 0)
		return -EINVAL;
	memcpy(slot, value, m->def.value_size);
	return 0;
}

static int hold_delete(struct vm_map *m, const void *key)
{
	char *slot = slot_of(m, key);

	if (!slot)
		return -EINVAL;
	memset(slot, 0, m->value_step);
	return 0;
}

const struct map_ops hold_device_ops = {
	.create = hold_create,
	.free = hold_free,
	.lookup = hold_lookup,
	.update = hold_update,
	.delete = hold_delete,
	.next_key = array_next_key,
};

const struct map_ops hold_cpu_ops = {
	.create = hold_create,
	.free = hold_free,
	.lookup = hold_lookup,
	.update = hold_update,
	.delete = hold_delete,
	.next_key = array_next_key,
};

/* Here BPF_EXIST adds, too. */
static int device_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
			 unsigned int cpu)
{
	if (flags > BPF_EXIST || !word(value))
		return -EINVAL;
	return hash_update(m, key, value, flags & BPF_NOEXIST, cpu);
}

const struct map_ops hold_device_hash_ops = {
	.create = hold_create,
	.free = hash_free,
	.lookup = hash_lookup,
	.update = device_update,
	.delete = hash_delete,
	.next_key = hash_next_key,
};

const struct map_ops hold_nothing_ops = {
	.create = hold_create,
	.free = hold_free,
};
