/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays, hash tables and ring buffers, one operation after the other. */
#include "runtime/vm/map/map.h"
#include "test.h"

#include <errno.h>

enum { CPUS = 3 };

static struct vm_map *make(uint32_t type, uint32_t key, uint32_t value, uint32_t max)
{
	struct vm_map_def d = {.name = "m",
			       .type = type,
			       .key_size = key,
			       .value_size = value,
			       .max_entries = max};
	struct vm_map *m = NULL;

	CHECK_EQ(map_create(&d, CPUS, &m), 0);
	return m;
}

TEST(array)
{
	struct vm_map *m = make(BPF_MAP_TYPE_ARRAY, 4, 12, 5);
	uint32_t key = 4, next;
	char value[12] = "hello world";

	CHECK_EQ(m->value_step, 16);
	CHECK(map_lookup(m, &key, 0) == m->values + 64);
	CHECK_EQ(map_update(m, &key, value, BPF_ANY, 0), 0);
	CHECK_STREQ(map_lookup(m, &key, 0), "hello world");
	CHECK_EQ(map_update(m, &key, value, BPF_NOEXIST, 0), -EEXIST);
	CHECK_EQ(map_update(m, &key, value, BPF_EXIST, 0), 0);
	CHECK_EQ(map_update(m, &key, value, BPF_F_LOCK, 0), -EINVAL);
	CHECK_EQ(map_update(m, &key, value, 3, 0), -EINVAL);
	CHECK_EQ(map_next_key(m, &key, &next), -ENOENT);
	CHECK_EQ(map_next_key(m, NULL, &next), 0);
	CHECK_EQ(next, 0);
	key = 5;
	CHECK(!map_lookup(m, &key, 0));
	CHECK_EQ(map_update(m, &key, value, BPF_ANY, 0), -E2BIG);
	CHECK_EQ(map_delete(m, &key), -EINVAL);
	map_unref(m);
}

TEST(array_cpu)
{
	struct vm_map *m = make(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 2);
	uint32_t key = 1, value = 7;
	uint64_t all[CPUS] = {1, 2, 3};

	CHECK_EQ(map_update(m, &key, &value, 0, 2), 0);
	CHECK_EQ(*(uint32_t *)map_lookup(m, &key, 2), 7);
	CHECK_EQ(*(uint32_t *)map_lookup(m, &key, 1), 0);
	CHECK(map_lookup(m, &key, 2) == m->values + 2 * m->cpu_step + 8);
	CHECK_EQ(map_user_update(m, &key, all, 0), 0);
	CHECK_EQ(*(uint32_t *)map_lookup(m, &key, 1), 2);
	*(uint32_t *)map_lookup(m, &key, 0) = 9;
	CHECK_EQ(map_user_size(m), sizeof(all));
	CHECK_EQ(map_user_lookup(m, &key, all), 0);
	CHECK_EQ(all[0], 9);
	CHECK_EQ(all[2], 3);
	CHECK(!map_lookup(m, &key, CPUS));
	map_unref(m);
}

TEST(hash)
{
	struct vm_map *m = make(BPF_MAP_TYPE_HASH, 3, 8, 2);
	uint64_t value = 5, got = 0, *old;
	char next[3];

	CHECK_EQ(map_next_key(m, NULL, next), -ENOENT);
	CHECK_EQ(map_update(m, "aaa", &value, BPF_EXIST, 0), -ENOENT);
	CHECK_EQ(map_update(m, "aaa", &value, BPF_NOEXIST, 0), 0);
	CHECK_EQ(map_update(m, "aaa", &value, BPF_NOEXIST, 0), -EEXIST);
	old = map_lookup(m, "aaa", 0);
	value = 6;
	CHECK_EQ(map_update(m, "aaa", &value, BPF_ANY, 0), 0);
	/* who looked it up before still has the old value */
	CHECK_EQ(*old, 5);
	CHECK_EQ(*(uint64_t *)map_lookup(m, "aaa", 0), 6);
	CHECK_EQ(map_update(m, "bbb", &value, BPF_ANY, 0), 0);
	CHECK_EQ(map_update(m, "ccc", &value, BPF_ANY, 0), -E2BIG);
	CHECK_EQ(map_update(m, "bbb", &value, BPF_ANY, 0), 0);
	CHECK_EQ(map_user_take(m, "aaa", &got), 0);
	CHECK_EQ(got, 6);
	CHECK_EQ(map_delete(m, "aaa"), -ENOENT);
	CHECK_EQ(map_update(m, "ccc", &value, BPF_ANY, 0), 0);
	CHECK_EQ(map_delete(m, "ccc"), 0);
	CHECK_EQ(map_next_key(m, NULL, next), 0);
	CHECK(!memcmp(next, "bbb", 3));
	CHECK_EQ(map_next_key(m, next, next), -ENOENT);
	CHECK_EQ(map_next_key(m, "zzz", next), 0);
	CHECK(!memcmp(next, "bbb", 3));
	map_unref(m);
}

TEST(hash_cpu)
{
	struct vm_map *m = make(BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 2);
	uint64_t value = 5, all[CPUS];
	uint32_t key = 1;

	CHECK_EQ(map_update(m, &key, &value, 0, 1), 0);
	CHECK_EQ(map_user_lookup(m, &key, all), 0);
	CHECK(all[0] == 0 && all[1] == 5 && all[2] == 0);
	CHECK_EQ(map_update(m, &key, &value, 0, 2), 0);
	CHECK_EQ(map_user_lookup(m, &key, all), 0);
	CHECK(all[0] == 0 && all[1] == 5 && all[2] == 5);
	map_unref(m);
}

static int count(void *ctx, const void *record, size_t n)
{
	*(unsigned int *)ctx += n;
	return 0;
}

TEST(ring)
{
	struct vm_map *m = make(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	unsigned int bytes = 0;
	void *a, *b;

	CHECK(!map_ring_reserve(m, 4089, 0)); /* 4104 with its header */
	CHECK(!map_ring_reserve(m, 4088, 0)); /* one byte always stays free */
	CHECK(!map_ring_reserve(m, 8, 1));
	CHECK_EQ(map_ring_lost(m), 3);
	for (int i = 0; i < 1000; i++) {
		a = map_ring_reserve(m, 100, 0);
		b = map_ring_reserve(m, 300, 0);
		CHECK(a && b);
		CHECK(map_ring_of(a) == m && map_ring_of(b) == m);
		memset(b, 1, 300);
		map_ring_submit(m, b, 0, false);
		bytes = 0;
		CHECK_EQ(map_ring_drain(m, count, &bytes), 0); /* the first is not whole yet */
		map_ring_submit(m, a, 0, i & 1);
		CHECK_EQ(map_ring_drain(m, count, &bytes), 1 + !(i & 1));
		CHECK_EQ(bytes, i & 1 ? 300 : 400);
	}
	CHECK_EQ(map_ring_output(m, "x", 1, 0), 0);
	CHECK_EQ(map_ring_query(m, BPF_RB_AVAIL_DATA), 16);
	CHECK_EQ(map_ring_output(m, "x", 1, 4), -EINVAL);
	map_unref(m);
}
