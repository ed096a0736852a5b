/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash tables that forget: a new key takes the place of one that was not used for long.
 *
 * A clock: a hand goes round all elements.  One that was looked up since the hand last came by
 * loses its mark, one without a mark goes.  So what is in use stays and what was added last goes
 * last, at the price of a bit for each element.  (The kernel keeps two lists and takes
 * elements from them in batches for each cpu; which element goes is a matter of either's taste.)
 *
 * An element is taken before its new bucket is locked: taking one locks its old bucket.
 */
#include "runtime/vm/map/hash.h"

#include <string.h>

enum { IN_USE = 1, MARKED = 2 };

static int lru_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	bool per_cpu = d->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	struct hash_shape shape = {.stored = per_cpu ? 0 : d->value_size, .spare = HASH_SPARE};
	struct vm_map_def rounded = *d;
	int r = hash_check(d);

	if (r < 0)
		return r;
	/* each cpu's list as long as the others' */
	if (d->flags & BPF_F_NO_COMMON_LRU) {
		rounded.max_entries = (d->max_entries + cpus - 1) / cpus * cpus;
		if (rounded.max_entries < d->max_entries)
			rounded.max_entries = d->max_entries / cpus * cpus;
	}
	return hash_new(per_cpu ? &hash_lru_cpu_ops : &hash_lru_ops, &rounded, cpus, shape, ret);
}

static void mark(struct hash_elem *e)
{
	if (!(__atomic_load_n(&e->state, __ATOMIC_RELAXED) & MARKED))
		__atomic_fetch_or(&e->state, MARKED, __ATOMIC_RELAXED);
}

void lru_give(struct hash *h, struct hash_elem *e)
{
	__atomic_store_n(&e->state, 0, __ATOMIC_RELAXED);
	pool_give(&h->pool, hash_number(h, e));
}

/* Take it out of its bucket, if it still is there. */
static bool evict(struct hash *h, struct hash_elem *e)
{
	uint32_t number = hash_number(h, e) + 1;
	struct hash_bucket *b = hash_bucket(h, __atomic_load_n(&e->hash, __ATOMIC_RELAXED));
	bool is_there = false;

	seq_lock(&b->seq);
	for (uint32_t i = b->first; i && !is_there; i = hash_elem(h, i - 1)->next)
		is_there = i == number;
	if (is_there) {
		hash_unlink(h, b, e);
		__atomic_store_n(&e->state, 0, __ATOMIC_RELAXED);
	}
	seq_unlock(&b->seq);
	if (is_there)
		hash_free_fields(h, e);
	return is_there;
}

/* A free element: NULL: all are just being taken by others. */
static struct hash_elem *take(struct hash *h)
{
	uint32_t i = pool_take(&h->pool);
	struct hash_elem *e, *found = NULL;

	if (i != POOL_NONE)
		return hash_elem(h, i);
	lock_take(&h->lru_lock);
	for (uint64_t steps = 0; steps < 2ull * h->n_elems && !found; steps++) {
		e = hash_elem(h, h->hand);
		h->hand = h->hand + 1 < h->n_elems ? h->hand + 1 : 0;
		switch (__atomic_load_n(&e->state, __ATOMIC_RELAXED)) {
		case IN_USE:
			found = evict(h, e) ? e : NULL;
			break;
		case IN_USE | MARKED:
			__atomic_fetch_and(&e->state, ~(uint32_t)MARKED, __ATOMIC_RELAXED);
			break;
		}
	}
	lock_give(&h->lru_lock);
	return found;
}

static void put_key(struct hash *h, struct hash_elem *e, const void *key, uint32_t hash)
{
	__atomic_store_n(&e->hash, hash, __ATOMIC_RELAXED);
	memcpy(e->key, key, h->key_n);
}

/* Link a filled element; what it replaces goes back to where new ones of its kind come from. */
static int install(struct hash *h, struct hash_elem *e, const void *key, uint32_t hash,
		   bool is_spare, uint64_t flags)
{
	struct hash_bucket *b = hash_bucket(h, hash);
	struct hash_elem *old;
	int r;

	seq_lock(&b->seq);
	old = hash_find_locked(h, b, key, hash);
	r = hash_check_flags(old, flags);
	if (!r && !!old != is_spare)
		r = -EAGAIN; /* it came or went meanwhile */
	if (!r) {
		hash_link(h, b, e);
		__atomic_store_n(&e->state, IN_USE | (old ? MARKED : 0), __ATOMIC_RELAXED);
		if (old) {
			hash_unlink(h, b, old);
			__atomic_store_n(&old->state, 0, __ATOMIC_RELAXED);
		}
	}
	seq_unlock(&b->seq);
	e = r ? e : old;
	if (e && !r)
		hash_free_fields(h, e);
	if (e && is_spare)
		pool_give(&h->spare, hash_number(h, e));
	else if (e)
		lru_give(h, e);
	return r;
}

static int lru_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		      unsigned int cpu)
{
	struct hash *h = hash_of(m);
	uint32_t hash = hash_key(h, key), i;
	struct hash_elem *e, *old;
	unsigned int tries = 0;
	int r;

	if (flags > BPF_EXIST)
		return -EINVAL;
	do {
		old = hash_find(h, key, hash);
		r = hash_check_flags(old, flags);
		if (r < 0)
			return r;
		if (old) {
			while ((i = pool_take(&h->spare)) == POOL_NONE)
				lock_wait(&tries);
			e = hash_elem(h, i);
		} else {
			e = take(h);
		}
		if (!e)
			return -ENOMEM;
		put_key(h, e, key, hash);
		fields_copy(&m->def, hash_value(h, e), value);
		r = install(h, e, key, hash, old, flags);
	} while (r == -EAGAIN);
	return r;
}

static void *lru_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	struct hash *h = hash_of(m);
	struct hash_elem *e = hash_find(h, key, hash_key(h, key));

	if (!e)
		return NULL;
	mark(e);
	return hash_value(h, e);
}

/* As user space looks: it walks over all, and that is no use of them. */
static int lru_read(struct vm_map *m, const void *key, void *ret)
{
	const void *value = hash_lookup(m, key, 0);

	if (!value)
		return -ENOENT;
	fields_copy_out(&m->def, ret, value);
	return 0;
}

const struct map_ops hash_lru_ops = {
	.create = lru_create,
	.free = hash_free,
	.lookup = lru_lookup,
	.update = lru_update,
	.delete = hash_delete,
	.next_key = hash_next_key,
	.read = lru_read,
	.take = hash_take,
	.each = hash_each,
};

/* --- per cpu */

static void *lru_cpu_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	struct hash *h = hash_of(m);
	struct hash_elem *e = cpu < m->cpus ? hash_find(h, key, hash_key(h, key)) : NULL;

	if (!e)
		return NULL;
	mark(e);
	return hash_cpu_value(h, e, cpu);
}

static int update_cpus(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		       unsigned int cpu, bool all)
{
	struct hash *h = hash_of(m);
	uint32_t hash = hash_key(h, key);
	struct hash_bucket *b = hash_bucket(h, hash);
	struct hash_elem *e;
	int r;

	if (flags > BPF_EXIST)
		return -EINVAL;
	do {
		seq_lock(&b->seq);
		e = hash_find_locked(h, b, key, hash);
		r = hash_check_flags(e, flags);
		if (!r && e) {
			mark(e);
			hash_cpu_copy(h, e, value, cpu, all, false);
		}
		seq_unlock(&b->seq);
		if (r < 0 || e)
			return r;
		e = take(h);
		if (!e)
			return -ENOMEM;
		put_key(h, e, key, hash);
		hash_cpu_copy(h, e, value, cpu, all, true);
		r = install(h, e, key, hash, false, flags);
	} while (r == -EAGAIN);
	return r;
}

static int lru_cpu_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
			  unsigned int cpu)
{
	return update_cpus(m, key, value, flags, cpu, false);
}

static int lru_cpu_write(struct vm_map *m, const void *key, const void *values, uint64_t flags)
{
	return update_cpus(m, key, values, flags, 0, true);
}

const struct map_ops hash_lru_cpu_ops = {
	.create = lru_create,
	.free = hash_free,
	.lookup = lru_cpu_lookup,
	.update = lru_cpu_update,
	.delete = hash_delete,
	.next_key = hash_next_key,
	.read = hash_cpu_read,
	.write = lru_cpu_write,
	.take = hash_take,
	.each = hash_each,
};
