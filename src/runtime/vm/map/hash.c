/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash tables: buckets of chained elements, read without locks.
 *
 * All elements are there from the start (room.h) and never go, only their links change.  A
 * reader walks a chain while others change it: it may land in another chain through an
 * element that was taken out and put in elsewhere, so each bucket counts its changes, and what
 * was found, or not found, only counts if the count is the same as before.  Writers hold the
 * bucket (the count is odd).
 *
 * As in the kernel an update of a key that is there does not write over the value: a new
 * element takes the place of the old one, so who looked the old one up sees a whole value.
 * Mirrors kernel/bpf/hashtab.c; per-cpu kinds are in hash-cpu.c, LRU in lru.c.
 */
#include "runtime/vm/map/hash.h"

#include <stdlib.h>
#include <string.h>

int hash_check(const struct vm_map_def *d)
{
	bool lru = d->type == BPF_MAP_TYPE_LRU_HASH || d->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	bool per_cpu =
		d->type == BPF_MAP_TYPE_PERCPU_HASH || d->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	uint32_t allowed = BPF_F_NO_PREALLOC | BPF_F_NO_COMMON_LRU | BPF_F_NUMA_NODE |
			   BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG |
			   BPF_F_ZERO_SEED;

	if ((d->flags & ~allowed) || !map_access_ok(d->flags))
		return -EINVAL;
	if (!lru && (d->flags & BPF_F_NO_COMMON_LRU))
		return -EINVAL;
	if (lru && (d->flags & BPF_F_NO_PREALLOC))
		return -MAP_ENOTSUPP;
	if ((d->flags & BPF_F_NUMA_NODE) && (per_cpu || (d->flags & BPF_F_NO_COMMON_LRU)))
		return -EINVAL;
	if (!d->max_entries || !d->key_size || !d->value_size)
		return -EINVAL;
	/* 48: struct htab_elem, so that one fits into what can be kmalloc()ed */
	if ((uint64_t)d->key_size + d->value_size >= MAP_KMALLOC_MAX - 48)
		return -E2BIG;
	if (per_cpu && d->value_size > MAP_CPU_VALUE_MAX)
		return -E2BIG;
	return 0;
}

static uint64_t elems_room(const struct hash *h)
{
	return (uint64_t)h->n_elems * h->elem_size;
}

int hash_new(const struct map_ops *ops, const struct vm_map_def *d, unsigned int cpus,
	     struct hash_shape s, struct vm_map **ret)
{
	uint32_t key = s.key_n ? s.key_n : d->key_size, max = s.max ? s.max : d->max_entries, n = 1;
	struct hash *h;

	if (max > 1u << 31)
		return -E2BIG;
	while (n < max)
		n *= 2;
	if (n > UINT32_MAX / 16) /* struct bucket of the kernel's */
		return -E2BIG;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	map_init(&h->map, ops, d, cpus);
	h->seed = d->flags & BPF_F_ZERO_SEED ? 0 : room_seed();
	h->n_buckets = n;
	h->n_elems = max + s.spare;
	h->key_n = key;
	h->stored = s.stored;
	h->value_at = sizeof(struct hash_elem) + ((key + 7) & ~7u);
	h->elem_size = h->value_at + ((s.stored + 7) & ~7u);
	h->buckets = room_take((uint64_t)n * sizeof(*h->buckets));
	h->elems = room_take(elems_room(h));
	h->map.memory = h->elems;
	h->map.memory_n = elems_room(h);
	h->map.memory_step = h->elem_size;
	h->map.memory_at = h->value_at;
	if (!s.stored) {
		h->cpu_step = ((uint64_t)h->n_elems * h->map.value_step + 4095) & ~4095ull;
		h->cpu_values = room_take(h->cpu_step * cpus);
		h->map.memory = h->cpu_values;
		h->map.memory_n = h->cpu_step * cpus;
		h->map.memory_step = h->map.value_step;
		h->map.memory_block = h->cpu_step;
		h->map.memory_at = 0;
	}
	pool_init(&h->pool, h->elems + offsetof(struct hash_elem, free), h->elem_size, 0, max);
	pool_init(&h->spare, h->elems + offsetof(struct hash_elem, free), h->elem_size, max,
		  h->n_elems);
	if (!h->buckets || !h->elems || (!s.stored && !h->cpu_values)) {
		hash_free(&h->map);
		return -ENOMEM;
	}
	*ret = &h->map;
	return 0;
}

static int hash_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	struct hash_shape shape = {.stored = d->value_size, .spare = HASH_SPARE};
	int r = hash_check(d);

	return r < 0 ? r : hash_new(&hash_ops, d, cpus, shape, ret);
}

/* Every element that was ever used: its fields may hold something. */
static void free_all_fields(struct hash *h)
{
	for (uint64_t i = 0; i < h->pool.fresh; i++)
		hash_free_fields(h, hash_elem(h, i));
	for (uint64_t i = h->pool.end; i < h->spare.fresh; i++)
		hash_free_fields(h, hash_elem(h, i));
}

void hash_free(struct vm_map *m)
{
	struct hash *h = hash_of(m);

	if (m->def.n_fields && h->buckets && h->elems && (h->stored || h->cpu_values))
		free_all_fields(h);
	room_give(h->buckets, (uint64_t)h->n_buckets * sizeof(*h->buckets));
	room_give(h->elems, elems_room(h));
	room_give(h->cpu_values, h->cpu_step * m->cpus);
	free(h);
}

/* --- chains */

/* Readers compare keys that writers may be filling; what they find then does not count. */
__attribute__((no_sanitize("thread"))) static inline bool key_is(const struct hash *h,
								 const struct hash_elem *e,
								 const void *key)
{
	uint32_t n = h->key_n;

	if (n == 4)
		return *(const volatile uint32_t *)e->key == *(const uint32_t *)key;
	if (n == 8) {
		uint64_t k;

		memcpy(&k, key, 8);
		return *(const volatile uint64_t *)e->key == k;
	}
	return !memcmp(e->key, key, n);
}

struct hash_elem *hash_find(const struct hash *h, const void *key, uint32_t hash)
{
	const struct hash_bucket *b = hash_bucket(h, hash);
	struct hash_elem *e;
	uint32_t seq, i;

again:
	seq = seq_begin(&b->seq);
	i = __atomic_load_n(&b->first, __ATOMIC_RELAXED);
	while (i) {
		e = hash_elem(h, i - 1);
		if (__atomic_load_n(&e->hash, __ATOMIC_RELAXED) == hash && key_is(h, e, key)) {
			if (!seq_is_same(&b->seq, seq))
				goto again;
			return e;
		}
		i = __atomic_load_n(&e->next, __ATOMIC_RELAXED);
		/* a chain that changes might lead round and round */
		if (!seq_is_same(&b->seq, seq))
			goto again;
	}
	if (!seq_is_same(&b->seq, seq))
		goto again;
	return NULL;
}

struct hash_elem *hash_find_locked(const struct hash *h, const struct hash_bucket *b,
				   const void *key, uint32_t hash)
{
	for (uint32_t i = b->first; i; i = hash_elem(h, i - 1)->next) {
		struct hash_elem *e = hash_elem(h, i - 1);

		if (e->hash == hash && key_is(h, e, key))
			return e;
	}
	return NULL;
}

void hash_link(struct hash *h, struct hash_bucket *b, struct hash_elem *e)
{
	__atomic_store_n(&e->next, b->first, __ATOMIC_RELAXED);
	__atomic_store_n(&b->first, hash_number(h, e) + 1, __ATOMIC_RELAXED);
}

void hash_unlink(struct hash *h, struct hash_bucket *b, struct hash_elem *e)
{
	uint32_t *link = &b->first, number = hash_number(h, e) + 1;

	while (*link != number)
		link = &hash_elem(h, *link - 1)->next;
	__atomic_store_n(link, e->next, __ATOMIC_RELAXED);
}

int hash_check_flags(const struct hash_elem *old, uint64_t flags)
{
	flags &= ~(uint64_t)BPF_F_LOCK;
	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!old && flags == BPF_EXIST)
		return -ENOENT;
	return 0;
}

void hash_free_fields(struct hash *h, struct hash_elem *e)
{
	if (!h->map.def.n_fields)
		return;
	if (h->stored)
		fields_free(&h->map.def, hash_value(h, e));
	for (unsigned int c = 0; c < h->map.cpus && !h->stored; c++)
		fields_free(&h->map.def, hash_cpu_value(h, e, c));
}

/* --- one value a key */

void *hash_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	const struct hash *h = hash_of(m);
	struct hash_elem *e = hash_find(h, key, hash_key(h, key));

	return e ? hash_value(h, e) : NULL;
}

/* A new element with this key and value, not linked yet: for `old`, or for nobody. */
__attribute__((no_sanitize("thread"))) static struct hash_elem *new_elem(
	struct hash *h, const void *key, const void *value, uint32_t hash, bool has_old)
{
	struct hash_elem *e;
	unsigned int tries = 0;
	uint32_t i;

	/* all spares are with others that are about to give one back */
	while ((i = pool_take(has_old ? &h->spare : &h->pool)) == POOL_NONE && has_old)
		lock_wait(&tries);
	if (i == POOL_NONE)
		return NULL;
	e = hash_elem(h, i);
	__atomic_store_n(&e->hash, hash, __ATOMIC_RELAXED);
	memcpy(e->key, key, h->key_n);
	if (h->stored == h->map.def.value_size)
		fields_copy(&h->map.def, hash_value(h, e), value);
	else
		memcpy(hash_value(h, e), value, h->stored);
	return e;
}

int hash_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		unsigned int cpu)
{
	struct hash *h = hash_of(m);
	uint32_t hash = hash_key(h, key);
	struct hash_bucket *b = hash_bucket(h, hash);
	struct hash_elem *e, *old;
	int r;

	if ((flags & ~(uint64_t)BPF_F_LOCK) > BPF_EXIST)
		return -EINVAL;
	if ((flags & BPF_F_LOCK) && !fields_have(&m->def, FIELD_SPIN_LOCK))
		return -EINVAL;
	seq_lock(&b->seq);
	old = hash_find_locked(h, b, key, hash);
	r = hash_check_flags(old, flags);
	if (!r && old && (flags & BPF_F_LOCK)) {
		seq_unlock(&b->seq);
		fields_copy_locked(&m->def, hash_value(h, old), value, hash_value(h, old));
		return 0;
	}
	if (!r) {
		e = new_elem(h, key, value, hash, old);
		r = e ? 0 : -E2BIG;
	}
	if (!r) {
		hash_link(h, b, e);
		if (old)
			hash_unlink(h, b, old);
	}
	seq_unlock(&b->seq);
	if (!r && old) {
		hash_free_fields(h, old);
		pool_give(&h->spare, hash_number(h, old));
	}
	return r;
}

int hash_delete(struct vm_map *m, const void *key)
{
	return hash_take(m, key, NULL);
}

static void copy_out(struct hash *h, const struct hash_elem *e, char *to)
{
	uint32_t step = h->map.value_step;

	if (h->stored)
		fields_copy_out(&h->map.def, to, hash_value(h, e));
	for (unsigned int c = 0; c < h->map.cpus && !h->stored; c++) {
		memcpy(to + (size_t)c * step, hash_cpu_value(h, e, c), step);
		fields_copy_out(&h->map.def, to + (size_t)c * step, hash_cpu_value(h, e, c));
	}
}

int hash_take(struct vm_map *m, const void *key, void *ret_values)
{
	struct hash *h = hash_of(m);
	uint32_t hash = hash_key(h, key);
	struct hash_bucket *b = hash_bucket(h, hash);
	struct hash_elem *e;

	seq_lock(&b->seq);
	e = hash_find_locked(h, b, key, hash);
	if (e) {
		if (ret_values)
			copy_out(h, e, ret_values);
		hash_unlink(h, b, e);
	}
	seq_unlock(&b->seq);
	if (!e)
		return -ENOENT;
	hash_free_fields(h, e);
	if (m->def.type == BPF_MAP_TYPE_LRU_HASH || m->def.type == BPF_MAP_TYPE_LRU_PERCPU_HASH)
		lru_give(h, e);
	else
		pool_give(&h->pool, hash_number(h, e));
	return 0;
}

/* The element behind `e` in its bucket, or the first of a later bucket; bucket's lock is held. */
int hash_next_key(struct vm_map *m, const void *key, void *ret)
{
	struct hash *h = hash_of(m);
	uint32_t hash = key ? hash_key(h, key) : 0, i = 0, next = 0;
	struct hash_bucket *b = hash_bucket(h, hash);
	struct hash_elem *e;

	if (key) {
		seq_lock(&b->seq);
		e = hash_find_locked(h, b, key, hash);
		if (e && e->next)
			memcpy(ret, hash_elem(h, (next = e->next) - 1)->key, h->key_n);
		seq_unlock(&b->seq);
		if (next)
			return 0;
		/* a key that is not there, or not any more: from the beginning */
		i = e ? (hash & (h->n_buckets - 1)) + 1 : 0;
	}
	for (; i < h->n_buckets; i++) {
		b = &h->buckets[i];
		if (!__atomic_load_n(&b->first, __ATOMIC_RELAXED))
			continue;
		seq_lock(&b->seq);
		next = b->first;
		if (next)
			memcpy(ret, hash_elem(h, next - 1)->key, h->key_n);
		seq_unlock(&b->seq);
		if (next)
			return 0;
	}
	return -ENOENT;
}

/*
 * No lock is held while the program is called: it may delete the element, and others may.
 * Its successor is noted before; a chain that led elsewhere meanwhile is left.
 */
int64_t hash_each(struct vm_map *m, unsigned int cpu, map_each_fn fn, void *ctx)
{
	struct hash *h = hash_of(m);
	uint64_t steps = 0;
	int64_t n = 0;

	for (uint32_t k = 0; k < h->n_buckets; k++) {
		uint32_t i = __atomic_load_n(&h->buckets[k].first, __ATOMIC_ACQUIRE);

		while (i && steps++ < 4ull * h->n_elems) {
			struct hash_elem *e = hash_elem(h, i - 1);
			void *value = h->stored ? hash_value(h, e) : hash_cpu_value(h, e, cpu);

			i = __atomic_load_n(&e->next, __ATOMIC_ACQUIRE);
			if ((__atomic_load_n(&e->hash, __ATOMIC_RELAXED) & (h->n_buckets - 1)) != k)
				break;
			n++;
			if (fn(ctx, m, e->key, value))
				return n;
		}
	}
	return n;
}

const struct map_ops hash_ops = {
	.create = hash_create,
	.free = hash_free,
	.lookup = hash_lookup,
	.update = hash_update,
	.delete = hash_delete,
	.next_key = hash_next_key,
	.take = hash_take,
	.each = hash_each,
};
