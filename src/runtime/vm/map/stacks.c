/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stack traces: frames are kept once, and named by the hash of what they are.
 *
 * A bucket holds one stack; which bucket is the hash's low bits, and that is the id.  Another
 * stack of the same bucket is a collision: -EEXIST, or it takes the place (BPF_F_REUSE_STACKID).
 * Mirrors kernel/bpf/stackmap.c.
 */
#include "runtime/vm/map/kinds.h"
#include "runtime/vm/map/room.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES_MAX = 127 }; /* sysctl kernel.perf_event_max_stack */

struct stack {
	uint32_t free; /* the pool's link */
	uint32_t hash;
	uint64_t n;
	uint64_t frames[];
};

struct stacks {
	struct vm_map map;
	uint32_t lock, n_buckets;
	uint32_t *buckets; /* numbers + 1 of stacks */
	size_t step;
	uint64_t room;
	char *stacks;
	struct pool pool;
};

static struct stacks *stacks_of(struct vm_map *m)
{
	return (struct stacks *)m;
}
static struct stack *stack_of(const struct stacks *s, uint32_t number)
{
	return (struct stack *)(s->stacks + (size_t)(number - 1) * s->step);
}

static void stacks_free(struct vm_map *m)
{
	struct stacks *s = stacks_of(m);

	room_give(s->buckets, (uint64_t)s->n_buckets * 4);
	room_give(s->stacks, s->room);
	free(s);
}

static int stacks_check(const struct vm_map_def *d)
{
	uint32_t allowed = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_STACK_BUILD_ID;
	uint32_t frame = d->flags & BPF_F_STACK_BUILD_ID ? sizeof(struct bpf_stack_build_id) : 8;

	if ((d->flags & ~allowed) || !d->max_entries || d->key_size != 4 || d->value_size < 8 ||
	    d->value_size % 8 || d->value_size % frame || d->value_size / frame > FRAMES_MAX)
		return -EINVAL;
	return d->max_entries > 1u << 31 ? -E2BIG : 0;
}

static int stacks_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	struct stacks *s;
	int r = stacks_check(d);

	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	map_init(&s->map, &stack_trace_ops, d, cpus);
	for (s->n_buckets = 1; s->n_buckets < d->max_entries;)
		s->n_buckets *= 2;
	s->step = sizeof(struct stack) + d->value_size;
	s->room = (uint64_t)d->max_entries * s->step;
	s->buckets = room_take((uint64_t)s->n_buckets * 4);
	s->stacks = room_take(s->room);
	if (!s->buckets || !s->stacks) {
		stacks_free(&s->map);
		return -ENOMEM;
	}
	pool_init(&s->pool, s->stacks, s->step, 0, d->max_entries);
	*ret = &s->map;
	return 0;
}

int64_t map_stack_id(struct vm_map *m, const uint64_t *frames, unsigned int n, uint64_t flags)
{
	struct stacks *s = stacks_of(m);
	uint32_t hash, id, old, i;
	int64_t r;

	if (m->def.flags & BPF_F_STACK_BUILD_ID)
		return -EOPNOTSUPP;
	n = n < m->def.value_size / 8 ? n : m->def.value_size / 8;
	hash = (uint32_t)room_hash(frames, n * 8, 0);
	id = hash & (s->n_buckets - 1);
	r = id;
	lock_take(&s->lock);
	old = s->buckets[id];
	if (old && stack_of(s, old)->hash == hash &&
	    ((flags & BPF_F_FAST_STACK_CMP) ||
	     (stack_of(s, old)->n == n && !memcmp(stack_of(s, old)->frames, frames, n * 8)))) {
		/* it is there already */
	} else if (old && !(flags & BPF_F_REUSE_STACKID)) {
		r = -EEXIST;
	} else if ((i = pool_take(&s->pool)) == POOL_NONE) {
		r = -ENOMEM;
	} else {
		struct stack *x = stack_of(s, i + 1);

		x->hash = hash;
		x->n = n;
		memcpy(x->frames, frames, n * 8);
		s->buckets[id] = i + 1;
		if (old)
			pool_give(&s->pool, old - 1);
	}
	lock_give(&s->lock);
	return r;
}

static uint32_t id_of(const void *key)
{
	uint32_t id;

	memcpy(&id, key, sizeof(id));
	return id;
}

static int stacks_read(struct vm_map *m, const void *key, void *ret)
{
	struct stacks *s = stacks_of(m);
	uint32_t id = id_of(key), number;

	if (id >= s->n_buckets)
		return -ENOENT;
	lock_take(&s->lock);
	number = s->buckets[id];
	if (number) {
		struct stack *x = stack_of(s, number);

		memset(ret, 0, m->def.value_size);
		memcpy(ret, x->frames, x->n * 8);
	}
	lock_give(&s->lock);
	return number ? 0 : -ENOENT;
}

static int stacks_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
			 unsigned int cpu)
{
	return -EINVAL;
}

static int stacks_delete(struct vm_map *m, const void *key)
{
	struct stacks *s = stacks_of(m);
	uint32_t id = id_of(key), number;

	if (id >= s->n_buckets)
		return -E2BIG;
	lock_take(&s->lock);
	number = s->buckets[id];
	s->buckets[id] = 0;
	if (number)
		pool_give(&s->pool, number - 1);
	lock_give(&s->lock);
	return number ? 0 : -ENOENT;
}

static int stacks_next_key(struct vm_map *m, const void *key, void *ret)
{
	struct stacks *s = stacks_of(m);
	uint32_t id = key ? id_of(key) : 0;

	lock_take(&s->lock);
	if (key)
		id = id >= s->n_buckets || !s->buckets[id] ? 0 : id + 1;
	while (id < s->n_buckets && !s->buckets[id])
		id++;
	lock_give(&s->lock);
	if (id >= s->n_buckets)
		return -ENOENT;
	memcpy(ret, &id, sizeof(id));
	return 0;
}

const struct map_ops stack_trace_ops = {
	.create = stacks_create,
	.free = stacks_free,
	.update = stacks_update,
	.delete = stacks_delete,
	.next_key = stacks_next_key,
	.read = stacks_read,
};
