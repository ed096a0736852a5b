/* SPDX-License-Identifier: Apache-2.0 */
/* Queues and stacks: values without keys, first in first out, or last in first out. */
#include "runtime/vm/map/kinds.h"
#include "runtime/vm/map/room.h"

#include <stdlib.h>
#include <string.h>

struct queue {
	struct vm_map map;
	uint32_t lock;
	uint32_t head, tail, size; /* of size slots, one is always free */
	uint64_t room;
	char *values;
};

static struct queue *queue_of(struct vm_map *m)
{
	return (struct queue *)m;
}

static int queue_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	uint32_t allowed = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG |
			   BPF_F_WRONLY_PROG;
	struct queue *q;

	if (!d->max_entries || d->key_size || !d->value_size || (d->flags & ~allowed) ||
	    !map_access_ok(d->flags))
		return -EINVAL;
	if (d->value_size > MAP_KMALLOC_MAX || d->max_entries >= UINT32_MAX / d->value_size)
		return -E2BIG;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	map_init(&q->map, d->type == BPF_MAP_TYPE_QUEUE ? &queue_ops : &stack_ops, d, cpus);
	q->size = d->max_entries + 1;
	q->room = (uint64_t)q->size * d->value_size;
	q->values = room_take(q->room);
	if (!q->values) {
		free(q);
		return -ENOMEM;
	}
	*ret = &q->map;
	return 0;
}

static void queue_free(struct vm_map *m)
{
	room_give(queue_of(m)->values, queue_of(m)->room);
	free(m);
}

static char *slot_of(const struct queue *q, uint32_t i)
{
	return q->values + (size_t)i * q->map.def.value_size;
}

static uint32_t next(const struct queue *q, uint32_t i)
{
	return i + 1 < q->size ? i + 1 : 0;
}

/* The oldest or the newest, and away with it if asked. */
static int get(struct vm_map *m, void *ret, bool is_stack, bool take)
{
	struct queue *q = queue_of(m);
	uint32_t i;
	int r = 0;

	lock_take(&q->lock);
	if (q->head == q->tail) {
		memset(ret, 0, m->def.value_size);
		r = -ENOENT;
	} else {
		i = !is_stack ? q->tail : q->head ? q->head - 1 : q->size - 1;
		memcpy(ret, slot_of(q, i), m->def.value_size);
		if (take && is_stack)
			q->head = i;
		else if (take)
			q->tail = next(q, i);
	}
	lock_give(&q->lock);
	return r;
}

static int queue_pop(struct vm_map *m, void *ret)
{
	return get(m, ret, false, true);
}

static int queue_peek(struct vm_map *m, void *ret)
{
	return get(m, ret, false, false);
}

static int stack_pop(struct vm_map *m, void *ret)
{
	return get(m, ret, true, true);
}

static int stack_peek(struct vm_map *m, void *ret)
{
	return get(m, ret, true, false);
}

/* BPF_EXIST: the oldest goes if there is no room. */
static int queue_push(struct vm_map *m, const void *value, uint64_t flags)
{
	struct queue *q = queue_of(m);
	int r = 0;

	if ((flags & BPF_NOEXIST) || flags > BPF_EXIST)
		return -EINVAL;
	lock_take(&q->lock);
	if (next(q, q->head) == q->tail) {
		if (flags & BPF_EXIST)
			q->tail = next(q, q->tail);
		else
			r = -E2BIG;
	}
	if (!r) {
		memcpy(slot_of(q, q->head), value, m->def.value_size);
		q->head = next(q, q->head);
	}
	lock_give(&q->lock);
	return r;
}

static int no_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		     unsigned int cpu)
{
	return -EINVAL;
}

static int no_delete(struct vm_map *m, const void *key)
{
	return -EINVAL;
}

static int no_next_key(struct vm_map *m, const void *key, void *ret)
{
	return -EINVAL;
}

const struct map_ops queue_ops = {
	.create = queue_create,
	.free = queue_free,
	.update = no_update,
	.delete = no_delete,
	.next_key = no_next_key,
	.push = queue_push,
	.pop = queue_pop,
	.peek = queue_peek,
};

const struct map_ops stack_ops = {
	.create = queue_create,
	.free = queue_free,
	.update = no_update,
	.delete = no_delete,
	.next_key = no_next_key,
	.push = queue_push,
	.pop = stack_pop,
	.peek = stack_peek,
};
