/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bloom filters: sets that may say yes where they should say no, never the other way round.
 *
 * Each value sets some bits, chosen by hashes of it.  A value all of whose bits are set was
 * probably added; one with a bit that is not set never was.  Sizes as in
 * kernel/bpf/bloom_filter.c.
 */
#include "runtime/vm/map/kinds.h"
#include "runtime/vm/map/room.h"

#include <stdlib.h>

struct bloom {
	struct vm_map map;
	uint64_t seed, room;
	uint32_t mask, n_hashes;
	uint64_t *bits;
};

static int bloom_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	uint32_t allowed = BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | BPF_F_RDONLY | BPF_F_WRONLY |
			   BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
	uint32_t n = d->extra ? (uint32_t)d->extra : 5, want;
	uint64_t bits = 64;
	struct bloom *b;

	if (d->value_size > MAP_KMALLOC_MAX)
		return -E2BIG;
	if (d->key_size || !d->value_size || !d->max_entries || (d->flags & ~allowed) ||
	    !map_access_ok(d->flags) || (d->extra & ~0xfull))
		return -EINVAL;
	/* 7/5 is about 1/ln 2: so many bits for each value and hash are best */
	if (__builtin_mul_overflow(d->max_entries, n, &want) ||
	    __builtin_mul_overflow(want / 5, 7u, &want) || want > 1u << 31)
		bits = 1ull << 32;
	while (bits < want && bits < 1ull << 32)
		bits *= 2;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	map_init(&b->map, &bloom_ops, d, cpus);
	b->n_hashes = n;
	b->mask = (uint32_t)(bits - 1);
	b->room = bits / 8;
	b->seed = d->flags & BPF_F_ZERO_SEED ? 0 : room_seed();
	b->bits = room_take(b->room);
	if (!b->bits) {
		free(b);
		return -ENOMEM;
	}
	*ret = &b->map;
	return 0;
}

static void bloom_free(struct vm_map *m)
{
	struct bloom *b = (struct bloom *)m;

	room_give(b->bits, b->room);
	free(b);
}

static uint32_t bit_of(const struct bloom *b, const void *value, uint32_t i)
{
	return (uint32_t)room_hash(value, b->map.def.value_size, b->seed + i) & b->mask;
}

static int bloom_push(struct vm_map *m, const void *value, uint64_t flags)
{
	struct bloom *b = (struct bloom *)m;

	if (flags != BPF_ANY)
		return -EINVAL;
	for (uint32_t i = 0; i < b->n_hashes; i++) {
		uint32_t bit = bit_of(b, value, i);

		__atomic_fetch_or(&b->bits[bit / 64], 1ull << bit % 64, __ATOMIC_RELAXED);
	}
	return 0;
}

/* `value` is not written but asked for. */
static int bloom_peek(struct vm_map *m, void *value)
{
	struct bloom *b = (struct bloom *)m;

	for (uint32_t i = 0; i < b->n_hashes; i++) {
		uint32_t bit = bit_of(b, value, i);

		if (!(__atomic_load_n(&b->bits[bit / 64], __ATOMIC_RELAXED) >> bit % 64 & 1))
			return -ENOENT;
	}
	return 0;
}

static int no_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		     unsigned int cpu)
{
	return -EINVAL;
}

/* No delete, next_key, pop: -EOPNOTSUPP, as the kernel's. */
const struct map_ops bloom_ops = {
	.create = bloom_create,
	.free = bloom_free,
	.update = no_update,
	.push = bloom_push,
	.peek = bloom_peek,
};
