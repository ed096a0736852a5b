/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the hash kinds: shared by hash.c, hash-cpu.c, lru.c and inner.c. */
#pragma once

#include "runtime/vm/map/field.h"
#include "runtime/vm/map/kinds.h"
#include "runtime/vm/map/room.h"

/* Elements beyond max_entries, for updates: the new value is whole before the old one goes. */
enum { HASH_SPARE = 64 };

struct hash_bucket {
	uint32_t seq;	/* odd: somebody changes the chain */
	uint32_t first; /* element's number + 1; 0: empty */
};

struct hash_elem {
	uint32_t next; /* in its bucket, as bucket.first */
	uint32_t free; /* link of its pool; LRU: of nothing */
	uint32_t hash;
	uint32_t state; /* LRU: of lru.c */
	char key[];	/* rounded up to 8; then the value, if that is not per cpu */
};

struct hash {
	struct vm_map map;
	uint64_t seed;
	struct hash_bucket *buckets; /* n_buckets: a power of 2 */
	uint32_t n_buckets, n_elems, key_n;
	uint32_t stored;   /* bytes of a value as it is kept: 8 for a map's address */
	uint32_t value_at; /* in an element */
	size_t elem_size;
	char *elems;
	char *cpu_values; /* per-cpu kinds: of element i and cpu c at c × cpu_step + i × value_step
			   */
	size_t cpu_step;
	struct pool pool, spare;
	uint32_t lru_lock, hand; /* LRU: a hand goes round all elements */
	struct kept *kept;	 /* of maps: those that ever were in it; owned */
};

static inline struct hash *hash_of(struct vm_map *m)
{
	return (struct hash *)m;
}
static inline struct hash_elem *hash_elem(const struct hash *h, uint32_t i)
{
	return (struct hash_elem *)(h->elems + (size_t)i * h->elem_size);
}
static inline uint32_t hash_number(const struct hash *h, const struct hash_elem *e)
{
	return (uint32_t)(((const char *)e - h->elems) / h->elem_size);
}
static inline void *hash_value(const struct hash *h, const struct hash_elem *e)
{
	return (char *)e + h->value_at;
}
static inline void *hash_cpu_value(const struct hash *h, const struct hash_elem *e,
				   unsigned int cpu)
{
	return h->cpu_values + cpu * h->cpu_step + (size_t)hash_number(h, e) * h->map.value_step;
}
static inline struct hash_bucket *hash_bucket(const struct hash *h, uint32_t hash)
{
	return &h->buckets[hash & (h->n_buckets - 1)];
}
static inline uint32_t hash_key(const struct hash *h, const void *key)
{
	return (uint32_t)room_hash(key, h->key_n, h->seed);
}

/* How to make one; what is 0 is as the definition says. */
struct hash_shape {
	uint32_t key_n, max;
	uint32_t stored; /* bytes of a value in an element; 0: per cpu */
	uint32_t spare;	 /* elements beyond max_entries */
};
int hash_new(const struct map_ops *ops, const struct vm_map_def *d, unsigned int cpus,
	     struct hash_shape s, struct vm_map **ret);
void hash_free(struct vm_map *m);

/* Without a lock; NULL: not there. */
struct hash_elem *hash_find(const struct hash *h, const void *key, uint32_t hash);
/* These hold the bucket's lock. */
struct hash_elem *hash_find_locked(const struct hash *h, const struct hash_bucket *b,
				   const void *key, uint32_t hash);
void hash_link(struct hash *h, struct hash_bucket *b, struct hash_elem *e);
void hash_unlink(struct hash *h, struct hash_bucket *b, struct hash_elem *e);

/* BPF_NOEXIST, BPF_EXIST: 0, -EEXIST, -ENOENT. */
int hash_check_flags(const struct hash_elem *old, uint64_t flags);
/* Let go of what the fields of an element's values hold. */
void hash_free_fields(struct hash *h, struct hash_elem *e);
/* Copy a value in: `all`: of all cpus; else of one, and if `is_new`, zeros for the others. */
void hash_cpu_copy(struct hash *h, struct hash_elem *e, const void *value, unsigned int cpu,
		   bool all, bool is_new);

int hash_delete(struct vm_map *m, const void *key);
int hash_next_key(struct vm_map *m, const void *key, void *ret);
int64_t hash_each(struct vm_map *m, unsigned int cpu, map_each_fn fn, void *ctx);
int hash_cpu_read(struct vm_map *m, const void *key, void *ret_values);
int hash_take(struct vm_map *m, const void *key, void *ret_values);
/* htab_map_update_elem(): a new element takes the place of the old. */
int hash_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		unsigned int cpu);
void *hash_lookup(struct vm_map *m, const void *key, unsigned int cpu);
void *hash_cpu_lookup(struct vm_map *m, const void *key, unsigned int cpu);
/* LRU: an element is free again. */
void lru_give(struct hash *h, struct hash_elem *e);
