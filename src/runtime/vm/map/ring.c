/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring buffer: records from many writers to one reader, in order, without copies.
 *
 * A writer reserves room under a lock, writes without one, and submits: only then its header
 * says that the record is whole.  The reader stops at the first record that is not.  The data
 * is mapped twice in a row, so a record is one piece also where the ring ends.  Positions, the
 * bit games in headers and who wakes whom mirror kernel/bpf/ringbuf.c; there is one more page
 * before the data than a program can see, and it leads from a record to its map.
 *
 * The perf event array is one of these, too: the kernel has a buffer for each cpu, here the
 * records of all cpus are in one, in order.
 */
#include "runtime/vm/map/ring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* Room for a perf event array's records: as 64 pages each for 4 cpus. */
enum { PERF_BYTES = 1 << 20 };

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* One page and the data, and the data once more behind it. */
static void *map_twice(size_t page, size_t bytes)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	char *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (!ftruncate(fd, (off_t)(page + bytes)))
		p = mmap(NULL, page + 2 * bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED && mmap(p + page + bytes, bytes, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_FIXED, fd, (off_t)page) == MAP_FAILED) {
		munmap(p, page + 2 * bytes);
		p = MAP_FAILED;
	}
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

int ring_new(const struct map_ops *ops, const struct vm_map_def *d, unsigned int cpus,
	     uint64_t bytes, struct vm_map **ret)
{
	size_t page = page_size();
	struct ring *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	map_init(&g->map, ops, d, cpus);
	g->pages = map_twice(page, bytes);
	if (!g->pages) {
		free(g);
		return -ENOMEM;
	}
	g->pages->ring = g;
	g->data = (char *)g->pages + page;
	g->mask = bytes - 1;
	g->map.memory = g->data;
	g->map.memory_n = 2 * bytes;
	g->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	*ret = &g->map;
	return 0;
}

int ring_check(const struct vm_map_def *d)
{
	if ((d->flags & ~(uint32_t)BPF_F_NUMA_NODE) || d->key_size || d->value_size ||
	    !d->max_entries || (d->max_entries & (d->max_entries - 1)) ||
	    d->max_entries % page_size())
		return -EINVAL;
	return 0;
}

static int ring_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	int r = ring_check(d);

	return r < 0 ? r : ring_new(&ring_ops, d, cpus, d->max_entries, ret);
}

void ring_free(struct vm_map *m)
{
	struct ring *g = ring_of(m);

	if (g->fd >= 0)
		close(g->fd);
	munmap(g->pages, page_size() + 2 * (g->mask + 1));
	free(g);
}

/* --- writing */

static struct ring_header *header_at(const struct ring *g, uint64_t position)
{
	return (struct ring_header *)(g->data + (position & g->mask));
}

/* Records up to here are whole, so their room may be written again once they are read. */
static uint64_t skip_whole(const struct ring *g, uint64_t from, uint64_t to)
{
	while (from < to) {
		uint32_t n = __atomic_load_n(&header_at(g, from)->n, __ATOMIC_RELAXED);

		if (n & RING_BUSY)
			break;
		from += ring_step(n & ~RING_DISCARD);
	}
	return from;
}

static void *reserve(struct ring *g, uint64_t n)
{
	struct ring_pages *p = g->pages;
	uint64_t step = (n + RING_HEADER + 7) & ~7ull, consumer, end;
	struct ring_header *h = NULL;

	if (n > RING_RECORD_MAX || step > g->mask + 1)
		return NULL;
	consumer = __atomic_load_n(&p->consumer, __ATOMIC_ACQUIRE);
	lock_take(&p->lock);
	p->pending = skip_whole(g, p->pending, p->producer);
	end = p->producer + step;
	if (end - consumer <= g->mask && end - p->pending <= g->mask) {
		h = header_at(g, p->producer);
		__atomic_store_n(&h->n, (uint32_t)n | RING_BUSY, __ATOMIC_RELAXED);
		h->page = (uint32_t)(((char *)h - (char *)p) / page_size());
		__atomic_store_n(&p->producer, end, __ATOMIC_RELEASE);
	}
	lock_give(&p->lock);
	return h ? h + 1 : NULL;
}

void *map_ring_reserve(struct vm_map *m, uint64_t size, uint64_t flags)
{
	void *sample = flags ? NULL : reserve(ring_of(m), size);

	if (!sample)
		__atomic_add_fetch(&ring_of(m)->lost, 1, __ATOMIC_RELAXED);
	return sample;
}

void ring_wake(struct ring *g)
{
	uint64_t one = 1;

	if (g->fd >= 0 && write(g->fd, &one, sizeof(one)) < 0) {
		/* full: then it is readable anyway */
	}
}

void map_ring_submit(struct vm_map *m, void *sample, uint64_t flags, bool discard)
{
	struct ring *g = ring_of(m);
	struct ring_header *h = (struct ring_header *)sample - 1;
	uint32_t n = h->n & ~(RING_BUSY | RING_DISCARD);
	uint64_t at;

	__atomic_exchange_n(&h->n, n | (discard ? RING_DISCARD : 0), __ATOMIC_SEQ_CST);
	/* the reader stands here: it may wait for this record */
	at = __atomic_load_n(&g->pages->consumer, __ATOMIC_SEQ_CST) & g->mask;
	if ((flags & BPF_RB_FORCE_WAKEUP) ||
	    (at == (uint64_t)((char *)h - g->data) && !(flags & BPF_RB_NO_WAKEUP)))
		ring_wake(g);
}

struct vm_map *map_ring_of(const void *sample)
{
	const struct ring_header *h = (const struct ring_header *)sample - 1;
	uintptr_t page = (uintptr_t)h & ~(uintptr_t)(page_size() - 1);

	return &((struct ring_pages *)(page - h->page * page_size()))->ring->map;
}

int map_ring_output(struct vm_map *m, const void *data, uint64_t n, uint64_t flags)
{
	void *to;

	if (flags & ~(uint64_t)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	to = map_ring_reserve(m, n, 0);
	if (!to)
		return -EAGAIN;
	memcpy(to, data, n);
	map_ring_submit(m, to, flags, false);
	return 0;
}

uint64_t map_ring_query(struct vm_map *m, uint64_t what)
{
	struct ring *g = ring_of(m);
	uint64_t consumer = __atomic_load_n(&g->pages->consumer, __ATOMIC_ACQUIRE);
	uint64_t producer = __atomic_load_n(&g->pages->producer, __ATOMIC_ACQUIRE);

	switch (what) {
	case BPF_RB_AVAIL_DATA:
		return producer - consumer;
	case BPF_RB_RING_SIZE:
		return g->mask + 1;
	case BPF_RB_CONS_POS:
		return consumer;
	case BPF_RB_PROD_POS:
		return producer;
	}
	return 0;
}

/* --- reading */

static int drain(struct ring *g, int (*fn)(void *ctx, const void *record, size_t n), void *ctx)
{
	uint64_t at = g->pages->consumer;
	int count = 0, r = 0;

	while (r >= 0 && at < __atomic_load_n(&g->pages->producer, __ATOMIC_ACQUIRE)) {
		struct ring_header *h = header_at(g, at);
		uint32_t n = __atomic_load_n(&h->n, __ATOMIC_SEQ_CST);

		if (n & RING_BUSY)
			break;
		if (!(n & RING_DISCARD)) {
			r = fn(ctx, h + 1, n);
			count++;
		}
		at += ring_step(n & ~RING_DISCARD);
		/* before the next header is read: its writer looks whether we stand there */
		__atomic_store_n(&g->pages->consumer, at, __ATOMIC_SEQ_CST);
	}
	return r < 0 ? r : count;
}

int map_ring_drain(struct vm_map *m, int (*fn)(void *ctx, const void *record, size_t n), void *ctx)
{
	struct ring *g = ring_of(m);
	uint64_t woken;
	int r;

	lock_take(&g->draining);
	if (g->fd >= 0 && read(g->fd, &woken, sizeof(woken)) < 0) {
		/* nobody woke us: there may be records without a wake-up */
	}
	r = drain(g, fn, ctx);
	lock_give(&g->draining);
	return r;
}

int map_ring_fd(struct vm_map *m)
{
	return ring_of(m)->fd;
}

uint64_t map_ring_lost(const struct vm_map *m)
{
	return __atomic_load_n(&((const struct ring *)m)->lost, __ATOMIC_RELAXED);
}

/* --- it has no keys */

void *ring_lookup(struct vm_map *m, const void *key, unsigned int cpu)
{
	return NULL;
}

int ring_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		unsigned int cpu)
{
	return -MAP_ENOTSUPP;
}

int ring_delete(struct vm_map *m, const void *key)
{
	return -MAP_ENOTSUPP;
}

int ring_next_key(struct vm_map *m, const void *key, void *ret)
{
	return -MAP_ENOTSUPP;
}

int ring_read(struct vm_map *m, const void *key, void *ret)
{
	return -MAP_ENOTSUPP;
}

const struct map_ops ring_ops = {
	.create = ring_create,
	.free = ring_free,
	.lookup = ring_lookup,
	.update = ring_update,
	.delete = ring_delete,
	.next_key = ring_next_key,
	.read = ring_read,
};

/* --- perf event array */

static int perf_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	int r = array_check(d);

	if (d->value_size != 4 || (d->flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)))
		return -EINVAL;
	return r < 0 ? r : ring_new(&ring_perf_ops, d, cpus, PERF_BYTES, ret);
}

/* User space would put perf events here, one a cpu: ours are all there already. */
static int perf_write(struct vm_map *m, const void *key, const void *value, uint64_t flags)
{
	uint32_t i;

	memcpy(&i, key, sizeof(i));
	return flags != BPF_ANY ? -EINVAL : i >= m->def.max_entries ? -E2BIG : 0;
}

static int perf_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		       unsigned int cpu)
{
	return -EOPNOTSUPP;
}

static int perf_delete(struct vm_map *m, const void *key)
{
	uint32_t i;

	memcpy(&i, key, sizeof(i));
	return i >= m->def.max_entries ? -E2BIG : -ENOENT;
}

const struct map_ops ring_perf_ops = {
	.create = perf_create,
	.free = ring_free,
	.lookup = ring_lookup,
	.update = perf_update,
	.delete = perf_delete,
	.next_key = array_next_key,
	.read = ring_read,
	.write = perf_write,
};
