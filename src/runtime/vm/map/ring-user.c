/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user ring buffer: records go the other way, from user space to programs.
 *
 * One writer at a time puts whole records in; a program takes them out one after the other, at
 * most 128 × 1024 a call.  What goes wrong mirrors bpf_user_ringbuf_drain().
 */
#include "runtime/vm/map/ring.h"

#include <string.h>

enum { SAMPLES_MAX = 128 * 1024 };

static int user_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	int r = ring_check(d);

	return r < 0 ? r : ring_new(&ring_user_ops, d, cpus, d->max_entries, ret);
}

int map_user_ring_add(struct vm_map *m, const void *record, uint32_t n)
{
	struct ring *g = ring_of(m);
	struct ring_pages *p = g->pages;
	uint64_t step = ring_step(n), consumer;
	struct ring_header *h;
	int r = 0;

	if (n & (RING_BUSY | RING_DISCARD) || step > g->mask + 1)
		return -E2BIG;
	lock_take(&p->lock);
	consumer = __atomic_load_n(&p->consumer, __ATOMIC_ACQUIRE);
	if (p->producer + step - consumer > g->mask + 1) {
		r = -ENOSPC;
	} else {
		h = (struct ring_header *)(g->data + (p->producer & g->mask));
		h->n = n;
		h->page = 0;
		memcpy(h + 1, record, n);
		__atomic_store_n(&p->producer, p->producer + step, __ATOMIC_RELEASE);
	}
	lock_give(&p->lock);
	return r;
}

int64_t map_user_ring_drain(struct vm_map *m, uint64_t flags,
			    int (*fn)(void *ctx, const void *record, uint32_t n), void *ctx)
{
	struct ring *g = ring_of(m);
	struct ring_pages *p = g->pages;
	int64_t count = 0;
	uint64_t at;
	int stop = 0;

	if (flags & ~(uint64_t)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	if (__atomic_exchange_n(&g->draining, 1, __ATOMIC_ACQUIRE))
		return -EBUSY;
	for (at = p->consumer; count < SAMPLES_MAX && !stop; count++) {
		const struct ring_header *h;

		if (at >= __atomic_load_n(&p->producer, __ATOMIC_ACQUIRE))
			break;
		h = (const struct ring_header *)(g->data + (at & g->mask));
		stop = fn(ctx, h + 1, h->n);
		at += ring_step(h->n);
		__atomic_store_n(&p->consumer, at, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&g->draining, 0, __ATOMIC_RELEASE);
	if ((flags & BPF_RB_FORCE_WAKEUP) || (count && !(flags & BPF_RB_NO_WAKEUP)))
		ring_wake(g);
	return count;
}

const struct map_ops ring_user_ops = {
	.create = user_create,
	.free = ring_free,
	.lookup = ring_lookup,
	.update = ring_update,
	.delete = ring_delete,
	.next_key = ring_next_key,
	.read = ring_read,
};
