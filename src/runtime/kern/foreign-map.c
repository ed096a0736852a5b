/* SPDX-License-Identifier: Apache-2.0 */
/* A foreign object's maps: records as they come, tables at the end. */
#include "runtime/kern/foreign-internal.h"

#include "base/macro.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { PERF_PAGES = 16 };

/* --- records */

static int hand_over(struct foreign_table *t, const void *data, size_t n, uint64_t lost)
{
	struct foreign *f = t->owner;
	int r = f->stopped ? f->stopped : f->fn(f->ctx, t->index, data, n, lost);

	if (r < 0)
		f->stopped = r;
	return r < 0 ? r : 0;
}

static int on_ring(void *ctx, void *data, size_t n)
{
	return hand_over(ctx, data, n, 0);
}

static void on_sample(void *ctx, int cpu, void *data, unsigned int n)
{
	(void)cpu;
	hand_over(ctx, data, n, 0);
}

static void on_lost(void *ctx, int cpu, unsigned long long n)
{
	(void)cpu;
	hand_over(ctx, NULL, 0, n);
}

static int listen_one(struct foreign *f, struct foreign_table *t)
{
	int fd = bpf_map__fd(t->map);

	if (t->shown.kind == FOREIGN_PERF) {
		t->perf = perf_buffer__new(fd, PERF_PAGES, on_sample, on_lost, t, NULL);
		return t->perf ? 0 : -errno;
	}
	if (f->rings)
		return ring_buffer__add(f->rings, fd, on_ring, t);
	f->rings = ring_buffer__new(fd, on_ring, t, NULL);
	return f->rings ? 0 : -errno;
}

int foreign_listen(struct foreign *f, foreign_record_fn fn, void *ctx, struct runtime_error *e)
{
	f->fn = fn;
	f->ctx = ctx;
	foreign_hush(f);
	for (size_t i = 0; i < f->maps.n; i++) {
		struct foreign_table *t = &f->maps.p[i];
		int r = 0;

		if (t->shown.kind == FOREIGN_RING || t->shown.kind == FOREIGN_PERF)
			r = listen_one(f, t);
		if (r < 0)
			return foreign_fail(e, r, "cannot listen to the map %s", t->shown.name);
	}
	return 0;
}

int foreign_poll(struct foreign *f, int timeout_ms)
{
	int n = 0, r;

	for (size_t i = 0; i < f->maps.n; i++) {
		if (!f->maps.p[i].perf)
			continue;
		r = perf_buffer__poll(f->maps.p[i].perf, 0);
		n += r > 0 ? r : 0;
	}
	if (f->rings)
		r = ring_buffer__poll(f->rings, n ? 0 : timeout_ms);
	else
		r = n ? 0 : poll(NULL, 0, timeout_ms);
	if (f->stopped)
		return f->stopped;
	return r < 0 && r != -EINTR && r != -1 ? r : n + (r > 0 ? r : 0);
}

/* --- tables */

static int each_variable(struct foreign_table *t, foreign_item_fn fn, void *ctx)
{
	uint32_t zero = 0;
	_cleanup_free_ char *value = xalloc(t->shown.value_size);

	if (bpf_map_lookup_elem(bpf_map__fd(t->map), &zero, value) < 0)
		return -errno;
	return fn(ctx, &zero, value, 1, t->shown.value_size);
}

int foreign_each(struct foreign *f, size_t map, foreign_item_fn fn, void *ctx)
{
	struct foreign_table *t = &f->maps.p[map];
	int fd = bpf_map__fd(t->map), cpus = libbpf_num_possible_cpus(), r = 0;
	size_t step =
		t->shown.is_per_cpu ? (t->shown.value_size + 7u) & ~(size_t)7 : t->shown.value_size;
	unsigned int n = t->shown.is_per_cpu && cpus > 0 ? (unsigned int)cpus : 1;
	_cleanup_free_ char *keys = NULL, *values = NULL;
	char *key, *next;
	bool is_first = true;

	if (fd < 0)
		return -EBADF;
	if (t->shown.kind == FOREIGN_DATA)
		return each_variable(t, fn, ctx);
	if (t->shown.kind != FOREIGN_TABLE)
		return 0;
	key = keys = xalloc(2 * (size_t)t->shown.key_size);
	next = keys + t->shown.key_size;
	values = xalloc(step * n);
	/* bounded: programs of others may go on adding */
	for (uint64_t i = 0; i < 4ull * t->shown.max_entries; i++) {
		if (bpf_map_get_next_key(fd, is_first ? NULL : key, next) < 0)
			break;
		memcpy(key, next, t->shown.key_size);
		is_first = false;
		if (bpf_map_lookup_elem(fd, key, values) < 0)
			continue;
		r = fn(ctx, key, values, n, step);
		if (r < 0)
			break;
	}
	return r < 0 ? r : 0;
}
