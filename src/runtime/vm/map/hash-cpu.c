/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The per-cpu hash table: a value for each cpu behind each key.
 *
 * Keys are in the elements, values in one block a cpu.  Values are written where they are: each
 * is one cpu's own.  A program that adds a key sets its cpu's value and the others to 0.
 */
#include "runtime/vm/map/hash.h"

#include <string.h>

static int hash_cpu_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	int r = hash_check(d);

	return r < 0 ? r : hash_new(&hash_cpu_ops, d, cpus, (struct hash_shape){0}, ret);
}

void *hash_cpu_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	const struct hash *h = hash_of(m);
	struct hash_elem *e = cpu < m->cpus ? hash_find(h, key, hash_key(h, key)) : NULL;

	return e ? hash_cpu_value(h, e, cpu) : NULL;
}

void hash_cpu_copy(struct hash *h, struct hash_elem *e, const void *value, unsigned int cpu,
		   bool all, bool is_new)
{
	const struct vm_map_def *d = &h->map.def;

	for (unsigned int c = 0; c < h->map.cpus; c++) {
		char *to = hash_cpu_value(h, e, c);

		if (all) {
			const char *from = (const char *)value + (size_t)c * h->map.value_step;

			memcpy(to + d->value_size, from + d->value_size,
			       h->map.value_step - d->value_size);
			fields_copy(d, to, from);
		} else if (c == cpu) {
			fields_copy(d, to, value);
		} else if (is_new) {
			fields_zero(d, to);
		}
		if (!is_new && (all || c == cpu))
			fields_free(d, to);
	}
}

static int update_cpus(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		       unsigned int cpu, bool all)
{
	struct hash *h = hash_of(m);
	uint32_t hash = hash_key(h, key), i;
	struct hash_bucket *b = hash_bucket(h, hash);
	struct hash_elem *e;
	int r;

	if (flags > BPF_EXIST)
		return -EINVAL;
	seq_lock(&b->seq);
	e = hash_find_locked(h, b, key, hash);
	r = hash_check_flags(e, flags);
	if (!r && e) {
		hash_cpu_copy(h, e, value, cpu, all, false);
	} else if (!r) {
		i = pool_take(&h->pool);
		if (i == POOL_NONE) {
			r = -E2BIG;
		} else {
			e = hash_elem(h, i);
			__atomic_store_n(&e->hash, hash, __ATOMIC_RELAXED);
			memcpy(e->key, key, h->key_n);
			hash_cpu_copy(h, e, value, cpu, all, true);
			hash_link(h, b, e);
		}
	}
	seq_unlock(&b->seq);
	return r;
}

static int hash_cpu_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
			   unsigned int cpu)
{
	return update_cpus(m, key, value, flags, cpu, false);
}

static int hash_cpu_write(struct vm_map *m, const void *key, const void *values, uint64_t flags)
{
	return update_cpus(m, key, values, flags, 0, true);
}

int hash_cpu_read(struct vm_map *m, const void *key, void *ret_values)
{
	struct hash *h = hash_of(m);
	struct hash_elem *e = hash_find(h, key, hash_key(h, key));

	if (!e)
		return -ENOENT;
	for (unsigned int c = 0; c < m->cpus; c++) {
		char *to = (char *)ret_values + (size_t)c * m->value_step;

		memcpy(to, hash_cpu_value(h, e, c), m->value_step);
		fields_copy_out(&m->def, to, hash_cpu_value(h, e, c));
	}
	return 0;
}

const struct map_ops hash_cpu_ops = {
	.create = hash_cpu_create,
	.free = hash_free,
	.lookup = hash_cpu_lookup,
	.update = hash_cpu_update,
	.delete = hash_delete,
	.next_key = hash_next_key,
	.read = hash_cpu_read,
	.write = hash_cpu_write,
	.take = hash_take,
	.each = hash_each,
};
