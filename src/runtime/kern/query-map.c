/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps of a query: made, read, changed.
 *
 * Hash maps are read in batches where the kernel can (5.6; per-cpu arrays and others
 * later): one call for thousands of elements instead of two for each.
 */
#include "base/macro.h"
#include "base/parallel.h"
#include "runtime/kern/query-internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

enum {
	BATCH = 4096,
	KEY_MAX_ONCE = 512, /* MAX_BPF_STACK, the limit of a hash's keys in kernels like 5.10 */
	BATCH_MAX = 1 << 20,
	RING_MIN = 256 << 10,
	RING_OF_CPU = 256 << 10, /* as many pages as bpftrace's buffers have by default */
	RING_MAX = 2 << 20,
	RING_SHARE = 1024,	/* of memory: a thousandth */
	PARALLEL_MIN = 2 << 20, /* bytes of maps: less is made before a thread has begun */
};

static bool is_per_cpu(const struct question_map *m)
{
	return m->type == BPF_MAP_TYPE_PERCPU_HASH || m->type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       m->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool is_array(const struct question_map *m)
{
	return m->type == BPF_MAP_TYPE_ARRAY || m->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* Bytes between two values of an element, and of all of them. */
static size_t value_step(const struct question_map *m)
{
	return is_per_cpu(m) ? (m->value_size + 7u) & ~(size_t)7 : m->value_size;
}

static size_t value_bytes(const struct query_kern *x, const struct question_map *m)
{
	return is_per_cpu(m) ? value_step(m) * x->cpus : m->value_size;
}

/* An element's values, wherever they are. */
static int hand_over(const struct query_kern *x, const struct question_map *m, const char *key,
		     const char *value, query_item_fn fn, void *ctx)
{
	return query_hand_over(m, key, value, is_per_cpu(m) ? x->cpus : 1, value_step(m), fn, ctx);
}

/* --- making them */

/* What bpftool shows: letters, digits, _ and . only. */
static void make_name(const struct question_map *m, char name[BPF_OBJ_NAME_LEN])
{
	size_t n = 0;

	for (const char *p = m->name ? m->name : ""; *p && n < BPF_OBJ_NAME_LEN - 1; p++) {
		if (*p == '@' && n + 3 < BPF_OBJ_NAME_LEN) {
			memcpy(name + n, "AT_", 3);
			n += 3;
		} else {
			name[n++] = isalnum((unsigned char)*p) ? *p : '_';
		}
	}
	name[n] = 0;
}

static uint32_t power_of_two(uint64_t n, uint64_t min, uint64_t max)
{
	uint64_t at = min;

	while (at < n && at < max)
		at *= 2;
	return (uint32_t)at;
}

/*
 * By configuration, else a thousandth of memory, and no more than what the processors fill in some
 * ten milliseconds: it counts as ours, and each megabyte takes the kernel 0.3 ms.
 */
static uint32_t ring_size(const struct query_kern *x)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), n = x->config.ring_bytes;
	struct sysinfo s;

	if (!n && x->base.q->config.perf_rb_pages)
		n = x->base.q->config.perf_rb_pages * page;
	if (n)
		return power_of_two(n, page, 1u << 30);
	n = sysinfo(&s) < 0 ? 0 : (uint64_t)s.totalram * s.mem_unit / RING_SHARE;
	n = MIN(n, x->cpus * (uint64_t)RING_OF_CPU);
	return power_of_two(n, MAX(page, (uint64_t)RING_MIN), RING_MAX);
}

/*
 * Since 6.1 hash tables take elements from stocks that are filled up by interrupts
 * ("bpf: Convert hash map to bpf_mem_alloc"); before, they asked the allocator from within the
 * program, which tracing cannot do everywhere.  By version: nothing that can be tried shows it,
 * and a kernel that has it and looks older only loses some memory.  With PREEMPT_RT a thread fills
 * them up, when it gets its turn.
 */
bool query_can_grow(void)
{
	unsigned int major, minor;
	struct utsname u;

	return !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 1)) &&
	       access("/sys/kernel/realtime", F_OK) < 0;
}

int query_map_create(struct query_kern *x, const struct question_map *m, uint32_t *ret_ring_size)
{
	union bpf_attr a = {0};
	int r;

	a.map_type = m->type;
	a.key_size = m->key_size;
	a.value_size = m->value_size;
	a.max_entries = m->max_entries;
	a.map_flags = m->flags;
	if (m->grows && x->can_grow)
		a.map_flags |= BPF_F_NO_PREALLOC;
	make_name(m, a.map_name);
	if (m->kind == QMAP_RING) {
		a.key_size = a.value_size = 0;
		if (!a.max_entries)
			a.max_entries = ring_size(x);
		*ret_ring_size = a.max_entries;
	}
	if (m->kind == QMAP_GLOBALS && m->type == BPF_MAP_TYPE_ARRAY)
		a.map_flags |= BPF_F_MMAPABLE;
	r = bpf_call(BPF_MAP_CREATE, &a, sizeof(a));
	if (r == -EPERM) {
		bpf_raise_memlock();
		r = bpf_call(BPF_MAP_CREATE, &a, sizeof(a));
	}
	return r;
}

/* --cgroup: the one element is the cgroup whose tasks count. */
static int fill_cgroup(int fd, int cgroup)
{
	union bpf_attr a = {0};
	uint32_t zero = 0;

	if (cgroup <= 0)
		return 0; /* then no task is in it */
	a.map_fd = (uint32_t)fd;
	a.key = (uintptr_t)&zero;
	a.value = (uintptr_t)&cgroup;
	return bpf_call(BPF_MAP_UPDATE_ELEM, &a, sizeof(a));
}

static int fill(int fd, const struct question_map *m)
{
	union bpf_attr a = {0};
	uint32_t zero = 0;
	int r;

	a.map_fd = (uint32_t)fd;
	a.key = (uintptr_t)&zero;
	a.value = (uintptr_t)m->init;
	r = bpf_call(BPF_MAP_UPDATE_ELEM, &a, sizeof(a));
	if (r < 0 || m->kind != QMAP_RODATA)
		return r;
	memset(&a, 0, sizeof(a));
	a.map_fd = (uint32_t)fd;
	return bpf_call(BPF_MAP_FREEZE, &a, sizeof(a));
}

static void create_one(void *ctx, size_t i)
{
	struct query_kern *x = ctx;

	if (x->maps[i] < 0) /* else it is borrowed: query-internal.h */
		x->maps[i] = query_map_create(x, &x->base.q->maps.p[i], &x->ring_sizes[i]);
}

/* Most of the time goes into the memory of hashes, which the kernel asks for at once. */
static unsigned int create_threads(const struct question *q)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < q->maps.n; i++) {
		const struct question_map *m = &q->maps.p[i];

		if (!is_array(m) && !m->grows)
			bytes += (uint64_t)m->max_entries * (m->key_size + m->value_size);
	}
	return bytes < PARALLEL_MIN ? 1 : parallel_cpus();
}

int query_maps_create(struct query_kern *x, struct query_error *e)
{
	parallel_run(x->base.q->maps.n, create_threads(x->base.q), create_one, x);
	for (uint32_t i = 0; i < x->base.q->maps.n; i++) {
		const struct question_map *m = &x->base.q->maps.p[i];
		int r = x->maps[i];

		if (r == -EPERM) {
			query_load_hint(NULL, r, e);
			return query_fail(e, r, "not allowed to make BPF maps");
		}
		if (r < 0) {
			e->span = m->span;
			if (r == -E2BIG && m->key_size > KEY_MAX_ONCE)
				query_hint(e,
					   "its keys have %u bytes, more than this kernel takes; "
					   "max_strlen makes texts shorter",
					   m->key_size);
			else if (r == -ENOMEM || r == -E2BIG)
				query_hint(e,
					   "it has room for %u elements of %u bytes; "
					   "max_map_keys makes it smaller",
					   m->max_entries, m->key_size + m->value_size);
			return query_fail(e, r, "cannot make the map %s: %s", m->name,
					  strerror(-r));
		}
		r = m->type == BPF_MAP_TYPE_CGROUP_ARRAY ? fill_cgroup(r, x->config.cgroup_fd)
		    : m->init				 ? fill(r, m)
							 : 0;
		if (r < 0)
			return query_fail(e, r, "cannot fill the map %s: %s", m->name,
					  strerror(-r));
	}
	return 0;
}

/* --- reading them */

static int lookup(int fd, const void *key, void *value)
{
	union bpf_attr a = {0};

	a.map_fd = (uint32_t)fd;
	a.key = (uintptr_t)key;
	a.value = (uintptr_t)value;
	return bpf_call(BPF_MAP_LOOKUP_ELEM, &a, sizeof(a));
}

static int next_key(int fd, const void *key, void *ret)
{
	union bpf_attr a = {0};

	a.map_fd = (uint32_t)fd;
	a.key = (uintptr_t)key;
	a.next_key = (uintptr_t)ret;
	return bpf_call(BPF_MAP_GET_NEXT_KEY, &a, sizeof(a));
}

/* Elements may come and go while we read: one that went is left out. */
static int each_one(struct query_kern *x, uint32_t i, query_item_fn fn, void *ctx)
{
	const struct question_map *m = &x->base.q->maps.p[i];
	_cleanup_free_ char *key = xalloc(2 * (size_t)m->key_size), *value = NULL;
	char *next = key + m->key_size, *before = NULL;
	int r, n = 0;

	value = xalloc(value_bytes(x, m));
	while (!(r = next_key(x->maps[i], before, next))) {
		memcpy(key, next, m->key_size);
		before = key;
		if (lookup(x->maps[i], key, value) < 0)
			continue;
		r = hand_over(x, m, key, value, fn, ctx);
		if (r < 0)
			return r;
		n++;
	}
	return r == -ENOENT ? n : r;
}

struct batch {
	char *keys, *values; /* owned */
	uint32_t room;
};

/* Returns how many elements came; *ret_is_end: there are no more. */
static int batch_read(int fd, struct batch *b, char *at, bool is_first, bool *ret_is_end)
{
	union bpf_attr a = {0};
	int r;

	a.batch.map_fd = (uint32_t)fd;
	a.batch.in_batch = is_first ? 0 : (uintptr_t)at;
	a.batch.out_batch = (uintptr_t)at;
	a.batch.keys = (uintptr_t)b->keys;
	a.batch.values = (uintptr_t)b->values;
	a.batch.count = b->room;
	r = bpf_call(BPF_MAP_LOOKUP_BATCH, &a, sizeof(a));
	*ret_is_end = r == -ENOENT;
	if (r < 0 && r != -ENOENT)
		return r;
	return (int)a.batch.count;
}

static void batch_room(const struct query_kern *x, const struct question_map *m, struct batch *b,
		       uint32_t room)
{
	b->room = room;
	b->keys = xrealloc(b->keys, (size_t)room * m->key_size);
	b->values = xrealloc(b->values, (size_t)room * value_bytes(x, m));
}

/* -ENOTSUP: not with this map on this kernel; nothing was handed over. */
static int each_batch(struct query_kern *x, uint32_t i, query_item_fn fn, void *ctx)
{
	const struct question_map *m = &x->base.q->maps.p[i];
	_cleanup_free_ char *at = xalloc(MAX(m->key_size, 8u));
	struct batch b = {0};
	bool is_first = true, is_end = false;
	int r = 0, n = 0;
	uint32_t most = (uint32_t)MAX((64u << 20) / (value_bytes(x, m) + m->key_size), 16u);

	batch_room(x, m, &b, MIN(MIN(m->max_entries, (uint32_t)BATCH), most));
	while (!is_end) {
		r = batch_read(x->maps[i], &b, at, is_first, &is_end);
		if (r == -ENOSPC && b.room < BATCH_MAX) { /* a bucket holds more */
			batch_room(x, m, &b, b.room * 2);
			continue;
		}
		if (r < 0)
			break;
		for (int k = 0, got = r; k < got; k++, n++) {
			r = hand_over(x, m, b.keys + (size_t)k * m->key_size,
				      b.values + (size_t)k * value_bytes(x, m), fn, ctx);
			if (r < 0)
				goto out;
		}
		is_first = false;
	}
	if (r < 0 && is_first)
		r = -ENOTSUP;
out:
	free(b.keys);
	free(b.values);
	return r < 0 ? r : n;
}

int query_kern_map_each(struct query *base, uint32_t map, query_item_fn fn, void *ctx)
{
	struct query_kern *x = (struct query_kern *)base;
	const struct question_map *m = &x->base.q->maps.p[map];
	int r = -ENOTSUP;

	if (!is_array(m) && m->max_entries > 8)
		r = each_batch(x, map, fn, ctx);
	return r == -ENOTSUP ? each_one(x, map, fn, ctx) : r;
}

int query_kern_map_get(struct query *base, uint32_t map, const void *key, query_item_fn fn,
		       void *ctx)
{
	struct query_kern *x = (struct query_kern *)base;
	const struct question_map *m = &x->base.q->maps.p[map];
	_cleanup_free_ char *value = xalloc(value_bytes(x, m));
	int r = lookup(x->maps[map], key, value);

	return r < 0 ? r : hand_over(x, m, key, value, fn, ctx);
}

/* --- changing them */

static int delete (int fd, const void *key)
{
	union bpf_attr a = {0};

	a.map_fd = (uint32_t)fd;
	a.key = (uintptr_t)key;
	return bpf_call(BPF_MAP_DELETE_ELEM, &a, sizeof(a));
}

static int update(int fd, const void *key, const void *value, uint64_t flags)
{
	union bpf_attr a = {0};

	a.map_fd = (uint32_t)fd;
	a.key = (uintptr_t)key;
	a.value = (uintptr_t)value;
	a.flags = flags;
	return bpf_call(BPF_MAP_UPDATE_ELEM, &a, sizeof(a));
}

/* The one element of a map without keys; its mark says whether it was ever set. */
static int zero_array(struct query_kern *x, uint32_t map, bool keeps_mark)
{
	const struct question_map *m = &x->base.q->maps.p[map];
	_cleanup_free_ char *value = xalloc(value_bytes(x, m));
	uint32_t key = 0;
	int r = lookup(x->maps[map], &key, value);

	if (r < 0)
		return r;
	query_erase(m, value, is_per_cpu(m) ? x->cpus : 1, value_step(m), keeps_mark);
	return update(x->maps[map], &key, value, BPF_ANY);
}

int query_kern_map_clear(struct query *base, uint32_t map)
{
	struct query_kern *x = (struct query_kern *)base;
	const struct question_map *m = &x->base.q->maps.p[map];
	_cleanup_free_ char *key = NULL;

	if (is_array(m))
		return zero_array(x, map, false);
	key = xalloc(m->key_size);
	/* the first again and again; bounded, since programs may go on adding */
	for (uint64_t i = 0; i < 4ull * m->max_entries; i++) {
		int r = next_key(x->maps[map], NULL, key);

		if (r < 0)
			return r == -ENOENT ? 0 : r;
		r = delete (x->maps[map], key);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

struct keys {
	struct buf all;
	size_t size;
};

static int take_key(void *ctx, const void *key, const void *values, unsigned int n, size_t step)
{
	struct keys *k = ctx;

	(void)values;
	(void)n;
	(void)step;
	buf_add(&k->all, key, k->size);
	return 0;
}

int query_kern_map_zero(struct query *base, uint32_t map)
{
	struct query_kern *x = (struct query_kern *)base;
	const struct question_map *m = &x->base.q->maps.p[map];
	_cleanup_free_ char *zero = NULL;
	struct keys k = {.size = m->key_size};
	int r;

	if (is_array(m))
		return zero_array(x, map, true);
	zero = xalloc(value_bytes(x, m));
	r = query_kern_map_each(&x->base, map, take_key, &k);
	for (size_t at = 0; r >= 0 && at < k.all.n; at += k.size) {
		r = update(x->maps[map], k.all.p + at, zero, BPF_EXIST);
		if (r == -ENOENT)
			r = 0;
	}
	buf_done(&k.all);
	return r < 0 ? r : 0;
}
