/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of maps that no model covers: what each does, and its errors. */
#include "runtime/vm/map/field.h"
#include "runtime/vm/map/map.h"
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

enum { CPUS = 3 };

static struct vm_map *make(const struct vm_map_def *d)
{
	struct vm_map *m = NULL;

	CHECK_EQ(map_create(d, CPUS, &m), 0);
	return m;
}

#define MAKE(...) make(&(struct vm_map_def){.name = "m", __VA_ARGS__})

TEST(map_in_map)
{
	struct vm_map_def in = {
		.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 4};
	struct vm_map *a = make(&in), *b = make(&in), *other, *o, *h;
	uint32_t key = 1, id;

	in.max_entries = 7; /* a hash's may differ */
	other = make(&in);
	o = MAKE(.type = BPF_MAP_TYPE_ARRAY_OF_MAPS, .key_size = 4, .value_size = 4,
		 .max_entries = 2, .inner = &in);
	h = MAKE(.type = BPF_MAP_TYPE_HASH_OF_MAPS, .key_size = 4, .value_size = 4,
		 .max_entries = 2, .inner = &in);
	CHECK(!map_lookup(o, &key, 0));
	CHECK_EQ(map_set_map(o, &key, a, BPF_ANY), 0);
	CHECK(map_lookup(o, &key, 0) == a);
	CHECK_EQ(map_user_lookup(o, &key, &id), 0);
	CHECK_EQ(map_set_map(o, &key, a, BPF_EXIST), -EINVAL);
	CHECK_EQ(map_set_map(o, &key, o, BPF_ANY), -EINVAL);
	CHECK_EQ(map_user_update(o, &key, &id, BPF_ANY), -EBADF);
	CHECK_EQ(map_set_map(h, &key, b, BPF_EXIST), -ENOENT);
	CHECK_EQ(map_set_map(h, &key, b, BPF_NOEXIST), 0);
	CHECK_EQ(map_set_map(h, &key, other, BPF_NOEXIST), -EEXIST);
	CHECK_EQ(map_set_map(h, &key, other, BPF_ANY), 0);
	CHECK(map_lookup(h, &key, 0) == other);
	/* a program may still hold b: it lives as long as h */
	CHECK_EQ(b->refs, 2);
	CHECK_EQ(map_delete(h, &key), 0);
	CHECK(!map_lookup(h, &key, 0));
	CHECK_EQ(map_delete(o, &key), 0);
	CHECK_EQ(map_delete(o, &key), -ENOENT);
	key = 2;
	CHECK_EQ(map_delete(o, &key), -E2BIG);
	CHECK_EQ(map_set_map(o, &key, a, BPF_ANY), -E2BIG);
	map_unref(o);
	map_unref(h);
	CHECK_EQ(b->refs, 1);
	map_unref(a);
	map_unref(b);
	map_unref(other);
}

TEST(map_in_map_refused)
{
	struct vm_map_def in = {
		.type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	struct vm_map_def d = {.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
			       .key_size = 4,
			       .value_size = 4,
			       .max_entries = 1};
	struct vm_map *m;

	CHECK_EQ(map_create(&d, 1, &m), -EBADF);
	d.inner = &in;
	CHECK_EQ(map_create(&d, 1, &m), -MAP_ENOTSUPP);
	in.type = BPF_MAP_TYPE_ARRAY;
	in.inner = &d;
	CHECK_EQ(map_create(&d, 1, &m), -EINVAL);
	d.value_size = 8;
	CHECK_EQ(map_create(&d, 1, &m), -EINVAL);
}

TEST(prog_array)
{
	struct vm_map *m = MAKE(.type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4,
				.max_entries = 2);
	const struct vm_code *code = (const struct vm_code *)m;
	uint32_t key = 1;

	CHECK(!map_code(m, 1));
	CHECK(!map_code(m, 2));
	CHECK(!map_code(m, UINT64_MAX));
	CHECK_EQ(map_set_code(m, 1, code), 0);
	CHECK(map_code(m, 1) == code);
	CHECK_EQ(map_set_code(m, 2, code), -E2BIG);
	CHECK_EQ(map_delete(m, &key), 0);
	CHECK(!map_code(m, 1));
	map_unref(m);
}

TEST(lru_forgets_what_is_not_used)
{
	struct vm_map *m = MAKE(.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 4, .value_size = 4,
				.max_entries = 64);
	unsigned int old = 0, new = 0;

	for (uint32_t i = 0; i < 64; i++)
		CHECK_EQ(map_update(m, &i, &i, BPF_ANY, 0), 0);
	for (uint32_t i = 0; i < 32; i++)
		CHECK(map_lookup(m, &i, 0));
	for (uint32_t i = 100; i < 132; i++)
		CHECK_EQ(map_update(m, &i, &i, BPF_NOEXIST, 0), 0);
	for (uint32_t i = 0, v; i < 132; i++)
		if (!map_user_lookup(m, &i, &v)) {
			CHECK_EQ(v, i);
			old += i < 32;
			new += i >= 100;
		}
	CHECK_EQ(old, 32);
	CHECK_EQ(new, 32);
	map_unref(m);
}

TEST(lru_without_common_list)
{
	struct vm_map *m = MAKE(.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 4, .value_size = 4,
				.max_entries = 10, .flags = BPF_F_NO_COMMON_LRU);

	CHECK_EQ(m->def.max_entries, 12);
	map_unref(m);
}

TEST(bloom)
{
	struct vm_map *m = MAKE(.type = BPF_MAP_TYPE_BLOOM_FILTER, .value_size = 8,
				.max_entries = 1000, .extra = 3);
	unsigned int wrong = 0;
	uint64_t v;

	for (v = 0; v < 1000; v++)
		CHECK_EQ(map_push(m, &v, BPF_ANY), 0);
	CHECK_EQ(map_push(m, &v, BPF_EXIST), -EINVAL);
	for (v = 0; v < 1000; v++)
		CHECK_EQ(map_peek(m, &v), 0);
	for (v = 1000; v < 11000; v++)
		wrong += !map_peek(m, &v);
	CHECK(wrong < 3000);
	CHECK_EQ(map_pop(m, &v), -EOPNOTSUPP);
	CHECK_EQ(map_delete(m, &v), -EOPNOTSUPP);
	CHECK_EQ(map_user_update(m, NULL, &v, BPF_ANY), 0);
	CHECK_EQ(map_user_lookup(m, NULL, &v), 0);
	map_unref(m);
}

TEST(storage)
{
	struct vm_map *m = MAKE(.type = BPF_MAP_TYPE_TASK_STORAGE, .key_size = 4, .value_size = 8,
				.flags = BPF_F_NO_PREALLOC, .key_type = 1, .value_type = 2);
	uint64_t init = 42, *a, *b;
	int key = 3;

	CHECK(!map_storage(m, 1, NULL, 0));
	a = map_storage(m, 1, &init, BPF_LOCAL_STORAGE_GET_F_CREATE);
	CHECK(a && *a == 42);
	b = map_storage(m, 2, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	CHECK(b && *b == 0 && a != b);
	*a = 43;
	CHECK(map_storage(m, 1, &init, BPF_LOCAL_STORAGE_GET_F_CREATE) == (void *)a && *a == 43);
	CHECK_EQ(map_storage_delete(m, 1), 0);
	CHECK_EQ(map_storage_delete(m, 1), -ENOENT);
	a = map_storage(m, 3, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	CHECK(a && *a == 0);
	CHECK_EQ(map_user_lookup(m, &key, a), -EBADF);
	CHECK_EQ(map_next_key(m, NULL, &key), -MAP_ENOTSUPP);
	map_unref(m);
}

TEST(stack_trace)
{
	struct vm_map *m = MAKE(.type = BPF_MAP_TYPE_STACK_TRACE, .key_size = 4, .value_size = 32,
				.max_entries = 64);
	uint64_t frames[] = {1, 2, 3, 4, 5}, got[4];
	int64_t id = map_stack_id(m, frames, 3, 0), other;
	uint32_t key = (uint32_t)id, next;

	CHECK(id >= 0 && id < 64);
	CHECK_EQ(map_stack_id(m, frames, 3, 0), id);
	CHECK_EQ(map_user_lookup(m, &key, got), 0);
	CHECK(got[0] == 1 && got[2] == 3 && got[3] == 0);
	/* as many as fit */
	CHECK_EQ(map_stack_id(m, frames, 5, 0), map_stack_id(m, frames, 4, 0));
	/* sooner or later two meet */
	for (frames[0] = 10; (other = map_stack_id(m, frames, 3, 0)) >= 0 && frames[0] < 10000;)
		frames[0]++;
	CHECK_EQ(other, -EEXIST);
	CHECK(map_stack_id(m, frames, 3, BPF_F_REUSE_STACKID) >= 0);
	CHECK_EQ(map_next_key(m, NULL, &next), 0);
	CHECK_EQ(map_delete(m, &next), 0);
	CHECK_EQ(map_delete(m, &next), -ENOENT);
	next = 64;
	CHECK_EQ(map_delete(m, &next), -E2BIG);
	map_unref(m);
}

TEST(arena)
{
	struct vm_map *m = MAKE(.type = MAP_ARENA, .max_entries = 10, .flags = BPF_F_MMAPABLE);
	char *a = map_arena_alloc(m, 0, 4), *b = map_arena_alloc(m, 0, 6), *c;

	CHECK(a && b && (uint32_t)(uintptr_t)a);
	CHECK((uintptr_t)m->memory % (1ull << 32) == 0);
	CHECK((uintptr_t)a >> 32 == (uintptr_t)m->memory >> 32);
	CHECK(!map_arena_alloc(m, 0, 1));
	memset(a, 1, 4 * 4096);
	memset(b, 2, 6 * 4096);
	map_arena_free(m, (uintptr_t)a + 4096, 2);
	CHECK_EQ(a[4096], 0);
	CHECK_EQ(a[0], 1);
	CHECK(!map_arena_alloc(m, 0, 3));
	c = map_arena_alloc(m, (uint32_t)(uintptr_t)a + 8192, 1); /* the low half will do */
	CHECK(c == a + 8192);
	CHECK(!map_arena_alloc(m, (uintptr_t)a, 1));
	/* whatever the low half is, and a bit to both sides */
	CHECK_EQ(m->memory[0], 0);
	CHECK_EQ(m->memory[(1ull << 32) - 1], 0);
	CHECK_EQ(m->memory[-32768], 0);
	CHECK_EQ(m->memory[(1ull << 32) + 32767], 0);
	map_unref(m);
}

/* The first pages hold the program's variables, and are nobody's. */
TEST(arena_with_variables)
{
	static const char init[4097] = {[0] = 1, [4096] = 2};
	struct vm_map_def d = {.name = "arena",
			       .type = MAP_ARENA,
			       .max_entries = 3,
			       .flags = BPF_F_MMAPABLE,
			       .init = init,
			       .init_size = sizeof(init)};
	struct vm_map *m;
	char *a;

	CHECK_EQ(map_create(&d, 1, &m), 0);
	CHECK_EQ(m->values[0], 1);
	CHECK_EQ(m->values[4096], 2);
	CHECK(!map_arena_alloc(m, (uintptr_t)m->values, 1));
	a = map_arena_alloc(m, 0, 1);
	CHECK(a == m->values + 8192);
	CHECK(!map_arena_alloc(m, 0, 1));
	map_unref(m);
	d.max_entries = 1;
	CHECK_EQ(map_create(&d, 1, &m), -E2BIG);
}

struct drained {
	struct vm_map *m;
	uint64_t sum;
	int n, stop;
};

static int take(void *ctx, const void *record, uint32_t n)
{
	struct drained *x = ctx;

	CHECK_EQ(n, 8);
	CHECK_EQ(map_user_ring_drain(x->m, 0, take, x), -EBUSY);
	x->sum += *(const uint64_t *)record;
	return ++x->n == x->stop;
}

TEST(user_ring)
{
	struct vm_map *m = MAKE(.type = BPF_MAP_TYPE_USER_RINGBUF, .max_entries = 4096);
	struct drained x = {.m = m, .stop = 2};
	uint64_t v;

	CHECK_EQ(map_user_ring_drain(m, 0, take, &x), 0);
	for (v = 1; v <= 3; v++)
		CHECK_EQ(map_user_ring_add(m, &v, 8), 0);
	CHECK_EQ(map_user_ring_drain(m, 0, take, &x), 2);
	CHECK_EQ(x.sum, 3);
	CHECK_EQ(map_user_ring_drain(m, BPF_RB_NO_WAKEUP, take, &x), 1);
	CHECK_EQ(x.sum, 6);
	CHECK_EQ(map_user_ring_drain(m, 8, take, &x), -EINVAL);
	for (v = 0; !map_user_ring_add(m, &v, 8); v++)
		;
	CHECK_EQ(v, 256);
	CHECK_EQ(map_user_ring_add(m, &v, 8), -ENOSPC);
	map_unref(m);
}

static bool is_woken(struct vm_map *m)
{
	struct pollfd p = {.fd = map_ring_fd(m), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static int count(void *ctx, const void *record, size_t n)
{
	*(int *)ctx += 1;
	return *(int *)ctx == 3 ? -ECANCELED : 0;
}

TEST(ring_wakes)
{
	struct vm_map *m = MAKE(.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096);
	int n = 0;

	CHECK(!is_woken(m));
	CHECK_EQ(map_ring_output(m, "a", 1, BPF_RB_NO_WAKEUP), 0);
	CHECK(!is_woken(m));
	/* the reader does not stand here, so it is not waiting */
	CHECK_EQ(map_ring_output(m, "b", 1, 0), 0);
	CHECK(!is_woken(m));
	CHECK_EQ(map_ring_output(m, "c", 1, BPF_RB_FORCE_WAKEUP), 0);
	CHECK(is_woken(m));
	CHECK_EQ(map_ring_output(m, "d", 1, 0), 0);
	CHECK_EQ(map_ring_drain(m, count, &n), -ECANCELED);
	CHECK(!is_woken(m));
	CHECK_EQ(map_ring_drain(m, count, &n), 1);
	CHECK_EQ(map_ring_output(m, "e", 1, 0), 0);
	CHECK(is_woken(m));
	map_unref(m);
}

TEST(devices)
{
	struct vm_map *m =
		MAKE(.type = BPF_MAP_TYPE_DEVMAP, .key_size = 4, .value_size = 4, .max_entries = 2);
	struct vm_map *h = MAKE(.type = BPF_MAP_TYPE_DEVMAP_HASH, .key_size = 4, .value_size = 4,
				.max_entries = 2);
	struct vm_map *c =
		MAKE(.type = BPF_MAP_TYPE_CPUMAP, .key_size = 4, .value_size = 4, .max_entries = 8);
	struct vm_map *s = MAKE(.type = BPF_MAP_TYPE_SOCKMAP, .key_size = 4, .value_size = 4,
				.max_entries = 2);
	uint32_t key = 1, value = 7, none = 0;

	CHECK_EQ(m->def.flags, BPF_F_RDONLY_PROG);
	CHECK(!map_lookup(m, &key, 0));
	CHECK_EQ(map_update(m, &key, &value, BPF_ANY, 0), 0);
	CHECK_EQ(*(uint32_t *)map_lookup(m, &key, 0), 7);
	CHECK_EQ(map_update(m, &key, &none, BPF_ANY, 0), 0);
	CHECK(!map_lookup(m, &key, 0));
	CHECK_EQ(map_update(h, &key, &value, BPF_EXIST, 0), 0);
	CHECK_EQ(map_update(h, &key, &none, BPF_ANY, 0), -EINVAL);
	CHECK_EQ(map_update(h, &key, &value, BPF_NOEXIST, 0), -EEXIST);
	value = 16385;
	CHECK_EQ(map_update(c, &key, &value, BPF_ANY, 0), -EOVERFLOW);
	value = 10;
	CHECK_EQ(map_update(c, &key, &value, BPF_ANY, 0), 0);
	key = CPUS;
	CHECK_EQ(map_update(c, &key, &value, BPF_ANY, 0), -ENODEV);
	CHECK_EQ(map_user_update(s, &key, &value, BPF_ANY), -EOPNOTSUPP);
	map_unref(m);
	map_unref(h);
	map_unref(c);
	map_unref(s);
}

/* A value with a lock at 4 and a timer at 8: neither is ever copied. */
TEST(fields)
{
	static const struct vm_field fields[] = {
		{.kind = FIELD_SPIN_LOCK, .offset = 4, .size = 4},
		{.kind = FIELD_TIMER, .offset = 8, .size = 16},
	};
	struct vm_map *m = MAKE(.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 32,
				.max_entries = 2, .fields = fields, .n_fields = 2);
	uint8_t in[32], out[32], *value;
	uint32_t key = 1;

	memset(in, 0xaa, sizeof(in));
	CHECK_EQ(map_update(m, &key, in, BPF_ANY, 0), 0);
	value = map_lookup(m, &key, 0);
	CHECK(value && value[3] == 0xaa && !value[4] && !value[8] && !value[23] &&
	      value[24] == 0xaa);
	value[23] = 1;
	CHECK_EQ(map_user_lookup(m, &key, out), 0);
	CHECK(!out[23] && !out[4] && out[31] == 0xaa);
	/* in place, with the lock held */
	memset(in, 0xbb, sizeof(in));
	CHECK_EQ(map_user_update(m, &key, in, BPF_F_LOCK), 0);
	CHECK(map_lookup(m, &key, 0) == (void *)value && value[24] == 0xbb && value[23] == 1);
	CHECK_EQ(map_user_update(m, &key, in, BPF_F_LOCK | BPF_NOEXIST), -EEXIST);
	map_unref(m);
}

TEST(frozen)
{
	uint64_t init = 5, v;
	struct vm_map *m = MAKE(.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
				.max_entries = 1, .init = &init, .is_frozen = true);
	uint32_t key = 0;

	CHECK_EQ(map_user_lookup(m, &key, &v), 0);
	CHECK_EQ(v, 5);
	CHECK_EQ(map_user_update(m, &key, &v, BPF_ANY), -EPERM);
	CHECK(map_holds(m, m->values, 8));
	CHECK(!map_holds(m, m->values, 9));
	CHECK(!map_holds(m, m->values - 1, 1));
	map_unref(m);
}
