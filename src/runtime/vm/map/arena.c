/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arenas: memory that programs share with user space and with themselves, by 32-bit addresses.
 *
 * The kernel maps the pages twice: user space sees them where it asked for, programs see them
 * in a 4 GiB window of the kernel's, and the low 32 bits are the same in both.  Here both are one:
 * 4 GiB of address space on a multiple of 4 GiB, readable everywhere, so that whatever a
 * program makes of the low half lies in there; the arena proper is a part of it.  Pages exist when
 * they are touched.  Which are handed out is a bit a page.
 *
 * What is missing: pages that were not allocated read as 0 and keep what is written; the kernel
 * faults, reads 0, and keeps nothing.
 */
#include "runtime/vm/map/kinds.h"
#include "runtime/vm/map/room.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, GUARD = 32 << 10, FIRST = 64 << 10 };
#define WINDOW (1ull << 32)

struct arena_map {
	struct vm_map map;
	char *window; /* WINDOW bytes, GUARD before and behind */
	uint32_t lock, n_pages;
	uint64_t *used; /* a bit a page */
};

static struct arena_map *arena_of(struct vm_map *m)
{
	return (struct arena_map *)m;
}

/* A window on a multiple of its size; `want`: in which there is this address, 0: anywhere. */
static char *map_window(uint64_t want)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	uint64_t room = WINDOW + 2 * GUARD, at;
	char *p;

	if (want) {
		p = mmap((void *)((want & ~(WINDOW - 1)) - GUARD), room, PROT_READ | PROT_WRITE,
			 flags | MAP_FIXED_NOREPLACE, -1, 0);
		return p == MAP_FAILED ? NULL : p + GUARD;
	}
	p = mmap(NULL, 2 * WINDOW + 2 * GUARD, PROT_NONE, flags, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	at = ((uintptr_t)p + GUARD + WINDOW - 1) & ~(WINDOW - 1);
	munmap(p, at - GUARD - (uintptr_t)p);
	munmap((char *)at + WINDOW + GUARD, (uintptr_t)p + 2 * WINDOW + GUARD - at - WINDOW);
	if (mprotect((char *)at - GUARD, room, PROT_READ | PROT_WRITE)) {
		munmap((char *)at - GUARD, room);
		return NULL;
	}
	return (char *)at;
}

static int arena_check(const struct vm_map_def *d)
{
	uint64_t bytes = (uint64_t)d->max_entries * PAGE;

	if (d->key_size || d->value_size || !d->max_entries || !(d->flags & BPF_F_MMAPABLE) ||
	    (d->flags & ~(uint32_t)(BPF_F_MMAPABLE | MAP_F_SEGV_ON_FAULT | MAP_F_NO_USER_CONV)))
		return -EINVAL;
	if (d->extra % PAGE)
		return -EINVAL;
	if (bytes > WINDOW || (d->init && d->init_size > bytes))
		return -E2BIG;
	if (d->extra >> 32 != (d->extra + bytes - 1) >> 32)
		return -ERANGE;
	return 0;
}

static void arena_free(struct vm_map *m)
{
	struct arena_map *a = arena_of(m);

	if (a->window)
		munmap(a->window - GUARD, WINDOW + 2 * GUARD);
	free(a->used);
	free(a);
}

static bool is_free(const struct arena_map *a, uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++)
		if (a->used[i / 64] >> i % 64 & 1)
			return false;
	return true;
}

static void mark(struct arena_map *a, uint32_t from, uint32_t n, bool is_used)
{
	for (uint32_t i = from; i < from + n; i++)
		if (is_used)
			a->used[i / 64] |= 1ull << i % 64;
		else
			a->used[i / 64] &= ~(1ull << i % 64);
}

/* Variables of the program live in its first pages, which nobody is given. */
static void set_globals(struct arena_map *a, const struct vm_map_def *d)
{
	if (!d->init)
		return;
	memcpy(a->map.values, d->init, d->init_size);
	mark(a, 0, (d->init_size + PAGE - 1) / PAGE, true);
}

static int arena_create(const struct vm_map_def *d, unsigned int cpus, struct vm_map **ret)
{
	uint64_t bytes = (uint64_t)d->max_entries * PAGE;
	struct arena_map *a;
	int r = arena_check(d);

	if (r < 0)
		return r;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	map_init(&a->map, &arena_ops, d, cpus);
	a->n_pages = d->max_entries;
	a->used = calloc((a->n_pages + 63) / 64, 8);
	a->window = map_window(d->extra);
	if (!a->used || !a->window) {
		arena_free(&a->map);
		return -ENOMEM;
	}
	/* not at the window's begin if it can be helped: low half 0 is NULL */
	a->map.values = d->extra		  ? (char *)(uintptr_t)d->extra
			: bytes + FIRST <= WINDOW ? a->window + FIRST
						  : a->window;
	a->map.memory = a->window;
	a->map.memory_n = WINDOW;
	set_globals(a, d);
	*ret = &a->map;
	return 0;
}

/* The first hole of n pages; n_pages: none. */
static uint32_t find_hole(const struct arena_map *a, uint32_t n)
{
	uint32_t from = 0, i = 0;

	/* the page whose address would look like NULL is nobody's */
	if (!(uint32_t)(uintptr_t)a->map.values)
		from = i = 1;
	for (; i < a->n_pages && i - from < n; i++)
		if (a->used[i / 64] >> i % 64 & 1)
			from = i + 1;
	return i - from == n ? from : a->n_pages;
}

void *map_arena_alloc(struct vm_map *m, uint64_t at, uint32_t pages)
{
	struct arena_map *a = arena_of(m);
	uint32_t from = 0;
	bool is_ok;

	if (m->ops != &arena_ops || !pages || pages > a->n_pages)
		return NULL;
	if (at) {
		/* only the low half counts */
		uint32_t offset = (uint32_t)at - (uint32_t)(uintptr_t)m->values;

		if (at % PAGE || offset / PAGE > a->n_pages - pages)
			return NULL;
		from = offset / PAGE;
	}
	lock_take(&a->lock);
	if (!at)
		from = find_hole(a, pages);
	is_ok = from <= a->n_pages - pages && is_free(a, from, pages);
	if (is_ok)
		mark(a, from, pages, true);
	lock_give(&a->lock);
	return is_ok ? m->values + (uint64_t)from * PAGE : NULL;
}

void map_arena_free(struct vm_map *m, uint64_t at, uint32_t pages)
{
	struct arena_map *a = arena_of(m);
	uint32_t low = (uint32_t)at & ~(uint32_t)(PAGE - 1);
	uint32_t begin = (uint32_t)(uintptr_t)m->values, from;

	if (m->ops != &arena_ops || !pages || !at || low < begin)
		return;
	from = (low - begin) / PAGE;
	if (from >= a->n_pages)
		return;
	pages = pages < a->n_pages - from ? pages : a->n_pages - from;
	lock_take(&a->lock);
	mark(a, from, pages, false);
	madvise(m->values + (uint64_t)from * PAGE, (uint64_t)pages * PAGE, MADV_DONTNEED);
	lock_give(&a->lock);
}

/* No elements: -EOPNOTSUPP for all that asks for one. */
static int arena_read(struct vm_map *m, const void *key, void *ret)
{
	return -EINVAL;
}

const struct map_ops arena_ops = {
	.create = arena_create,
	.free = arena_free,
	.read = arena_read,
};
