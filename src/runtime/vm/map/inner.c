/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps whose values are maps, and the prog array, whose values are programs.
 *
 * Programs get the address of the map that is in a slot and may still hold it when another one
 * takes its place.  The kernel waits until none can; here the outer map keeps all maps that
 * ever were in it until it goes itself.  User space puts maps in by map_set_map(): there are no
 * descriptors, so writing one is -EBADF.
 */
#include "base/map.h"
#include "runtime/vm/map/hash.h"

#include <stdlib.h>
#include <string.h>

struct kept {
	uint32_t lock;
	struct map maps; /* by address; each counted once */
};

static void keep(struct kept *k, struct vm_map *inner)
{
	lock_take(&k->lock);
	if (!map_get(&k->maps, (uintptr_t)inner)) {
		map_ref(inner);
		map_put(&k->maps, (uintptr_t)inner, inner);
	}
	lock_give(&k->lock);
}

static void kept_done(struct kept *k)
{
	struct vm_map *m;

	map_each(&k->maps, i, m)
		map_unref(m);
	map_done(&k->maps);
}

/* May a map such as `d` be inside? */
static int check_inner(const struct vm_map_def *d)
{
	if (!d->inner)
		return -EBADF;
	if (d->inner->inner)
		return -EINVAL;
	if (d->inner->type == BPF_MAP_TYPE_PROG_ARRAY ||
	    d->inner->type == BPF_MAP_TYPE_CGROUP_STORAGE ||
	    d->inner->type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE)
		return -MAP_ENOTSUPP;
	return 0;
}

static bool is_same_kind(const struct vm_map_def *want, const struct vm_map_def *got)
{
	return want->type == got->type && want->key_size == got->key_size &&
	       want->value_size == got->value_size && want->flags == got->flags &&
	       ((want->type != BPF_MAP_TYPE_ARRAY && want->type != BPF_MAP_TYPE_PERCPU_ARRAY) ||
		(want->flags & BPF_F_INNER_MAP) || want->max_entries == got->max_entries);
}

/* --- arrays of addresses */

struct slots {
	struct vm_map map; /* values: addresses */
	struct kept kept;
};

static uint32_t index_of(const void *key)
{
	uint32_t i;

	memcpy(&i, key, sizeof(i));
	return i;
}

static int slots_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	bool of_maps = d->type == BPF_MAP_TYPE_ARRAY_OF_MAPS;
	struct slots *s;
	int r = array_check(d);

	if (d->value_size != 4 || (d->flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)))
		return -EINVAL;
	if (!r && of_maps)
		r = check_inner(d);
	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	map_init(&s->map, of_maps ? &array_maps_ops : &prog_array_ops, d, cpus);
	s->map.value_step = sizeof(void *);
	s->map.values = room_take((uint64_t)d->max_entries * sizeof(void *));
	if (!s->map.values) {
		free(s);
		return -ENOMEM;
	}
	*ret = &s->map;
	return 0;
}

static void slots_free(struct vm_map *m)
{
	kept_done(&((struct slots *)m)->kept);
	room_give(m->values, (uint64_t)m->def.max_entries * sizeof(void *));
	free(m);
}

static void **slot_of(struct vm_map *m, uint64_t i)
{
	return i < m->def.max_entries ? (void **)m->values + i : NULL;
}

static void *slots_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	void **slot = slot_of(m, index_of(key));

	return slot ? __atomic_load_n(slot, __ATOMIC_ACQUIRE) : NULL;
}

static int slots_delete(struct vm_map *m, const void *key)
{
	void **slot = slot_of(m, index_of(key));

	if (!slot)
		return -E2BIG;
	return __atomic_exchange_n(slot, NULL, __ATOMIC_ACQ_REL) ? 0 : -ENOENT;
}

static int slots_write(struct vm_map *m, const void *key, const void *value, uint64_t flags)
{
	return flags != BPF_ANY ? -EINVAL : !slot_of(m, index_of(key)) ? -E2BIG : -EBADF;
}

/* User space is told ids: there are none, only whether something is there. */
static int slots_read(struct vm_map *m, const void *key, void *ret)
{
	uint32_t id = 1;

	if (!slots_lookup(m, key, 0))
		return -ENOENT;
	memcpy(ret, &id, sizeof(id));
	return 0;
}

const struct map_ops array_maps_ops = {
	.create = slots_create,
	.free = slots_free,
	.lookup = slots_lookup,
	.delete = slots_delete,
	.next_key = array_next_key,
	.read = slots_read,
	.write = slots_write,
};

const struct map_ops prog_array_ops = {
	.create = slots_create,
	.free = slots_free,
	.delete = slots_delete,
	.next_key = array_next_key,
	.read = slots_read,
	.write = slots_write,
};

int map_set_code(struct vm_map *m, uint32_t index, const struct vm_code *code)
{
	void **slot = slot_of(m, index);

	if (m->ops != &prog_array_ops)
		return -EINVAL;
	if (!slot)
		return -E2BIG;
	__atomic_store_n(slot, (void *)(uintptr_t)code, __ATOMIC_RELEASE);
	return 0;
}

const struct vm_code *map_code(struct vm_map *m, uint64_t index)
{
	void **slot = slot_of(m, index);

	return slot ? __atomic_load_n(slot, __ATOMIC_ACQUIRE) : NULL;
}

/* --- hash tables of addresses */

static int hash_maps_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	struct hash_shape shape = {.stored = sizeof(void *), .spare = HASH_SPARE};
	int r = d->value_size != 4 ? -EINVAL : hash_check(d);

	if (!r)
		r = check_inner(d);
	if (!r)
		r = hash_new(&hash_maps_ops, d, cpus, shape, ret);
	if (!r) {
		hash_of(*ret)->kept = calloc(1, sizeof(struct kept));
		r = hash_of(*ret)->kept ? 0 : -ENOMEM;
		if (r < 0)
			hash_free(*ret);
	}
	return r;
}

static void hash_maps_free(struct vm_map *m)
{
	kept_done(hash_of(m)->kept);
	free(hash_of(m)->kept);
	hash_free(m);
}

static void *hash_maps_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	void **value = hash_lookup(m, key, cpu);

	return value ? __atomic_load_n(value, __ATOMIC_ACQUIRE) : NULL;
}

static int hash_maps_read(struct vm_map *m, const void *key, void *ret)
{
	uint32_t id = 1;

	if (!hash_lookup(m, key, 0))
		return -ENOENT;
	memcpy(ret, &id, sizeof(id));
	return 0;
}

static int hash_maps_write(struct vm_map *m, const void *key, const void *value, uint64_t flags)
{
	return -EBADF;
}

const struct map_ops hash_maps_ops = {
	.create = hash_maps_create,
	.free = hash_maps_free,
	.lookup = hash_maps_lookup,
	.delete = hash_delete,
	.next_key = hash_next_key,
	.read = hash_maps_read,
	.write = hash_maps_write,
};

int map_set_map(struct vm_map *m, const void *key, struct vm_map *inner, uint64_t flags)
{
	void **slot;

	if (m->ops != &array_maps_ops && m->ops != &hash_maps_ops)
		return -EINVAL;
	if (!inner)
		return map_delete(m, key);
	if (m->ops == &array_maps_ops && flags != BPF_ANY)
		return -EINVAL;
	slot = m->ops == &array_maps_ops ? slot_of(m, index_of(key)) : NULL;
	if (m->ops == &array_maps_ops && !slot)
		return -E2BIG;
	if (!is_same_kind(m->def.inner, &inner->def))
		return -EINVAL;
	keep(slot ? &((struct slots *)m)->kept : hash_of(m)->kept, inner);
	if (!slot)
		return hash_update(m, key, &inner, flags, 0);
	__atomic_store_n(slot, inner, __ATOMIC_RELEASE);
	return 0;
}
