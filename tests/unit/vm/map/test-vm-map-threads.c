/* SPDX-License-Identifier: Apache-2.0 */
/* Maps under several threads: what one reads is whole, what is counted is counted once. */
#include "runtime/vm/map/map.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 20000, KEYS = 37 };

struct work {
	struct vm_map *m;
	unsigned int i;
	uint64_t errors, found, sum;
	unsigned int *stop;
};

static void run(void *(*fn)(void *), struct work *w, struct vm_map *m)
{
	pthread_t t[THREADS];

	for (unsigned int i = 0; i < THREADS; i++) {
		w[i] = (struct work){.m = m, .i = i};
		if (pthread_create(&t[i], NULL, fn, &w[i]))
			abort();
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

static uint32_t random32(uint64_t *s)
{
	*s = *s * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*s >> 33);
}

/* A value is its key four times, and a number of the writer's. */
struct value {
	uint64_t v[4];
};

/*
 * Values are copied into elements that nobody sees yet, so a reader sees whole ones; unless the
 * element it holds begins its next life, with another key.  So the first word is read last.
 */
__attribute__((no_sanitize("thread"))) static void *hash_thread(void *p)
{
	struct work *w = p;
	uint64_t seed = w->i * 77 + 1;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t x = random32(&seed), key = x % KEYS;
		struct value v = {{key, key, key, key}};
		const volatile struct value *got;
		int r = 0;

		switch (x >> 8 & 3) {
		case 0:
			r = map_update(w->m, &key, &v, BPF_ANY, w->i);
			break;
		case 1:
			map_delete(w->m, &key);
			break;
		default:
			got = map_lookup(w->m, &key, w->i);
			w->found += !!got;
			if (got && (got->v[0] >= KEYS || got->v[1] >= KEYS || got->v[3] >= KEYS))
				w->errors++;
			break;
		}
		if (r < 0)
			w->errors++;
	}
	return NULL;
}

static void hammer(uint32_t type, uint32_t max, uint32_t flags)
{
	struct vm_map_def d = {.type = type,
			       .key_size = 4,
			       .value_size = sizeof(struct value),
			       .max_entries = max,
			       .flags = flags};
	struct work w[THREADS];
	unsigned int n = 0;
	struct vm_map *m;
	uint32_t key, next;
	int r;

	CHECK_EQ(map_create(&d, THREADS, &m), 0);
	run(hash_thread, w, m);
	for (unsigned int i = 0; i < THREADS; i++) {
		CHECK_EQ(w[i].errors, 0);
		CHECK(w[i].found);
	}
	/* now it stands still: each key once, and all elements are accounted for */
	for (r = map_next_key(m, NULL, &key); !r; r = map_next_key(m, &key, &next), key = next) {
		const struct value *v = map_lookup(m, &key, 0);

		CHECK(v && key < KEYS);
		next = key;
		n++;
		if (n > max)
			break;
	}
	CHECK(n <= max);
	for (key = 0; key < KEYS; key++)
		map_delete(m, &key);
	CHECK_EQ(map_next_key(m, NULL, &key), -ENOENT);
	for (key = 1000; key < 1000 + max; key++) {
		struct value v = {{key}};

		CHECK_EQ(map_update(m, &key, &v, BPF_NOEXIST, 0), 0);
	}
	for (key = 1000; key < 1000 + max; key++)
		CHECK(map_lookup(m, &key, 0));
	map_unref(m);
}

TEST(hash_threads)
{
	hammer(BPF_MAP_TYPE_HASH, KEYS, 0);
}

TEST(hash_threads_few_buckets)
{
	hammer(BPF_MAP_TYPE_HASH, KEYS + THREADS, BPF_F_NO_PREALLOC);
}

TEST(hash_cpu_threads)
{
	hammer(BPF_MAP_TYPE_PERCPU_HASH, KEYS, 0);
}

TEST(lru_threads)
{
	hammer(BPF_MAP_TYPE_LRU_HASH, 24, 0);
}

TEST(lru_cpu_threads)
{
	hammer(BPF_MAP_TYPE_LRU_PERCPU_HASH, 24, 0);
}

/* --- routes come and go; the default route is always there */

static void *lpm_thread(void *p)
{
	struct work *w = p;
	uint64_t seed = w->i + 5, value = 1;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t x = random32(&seed), key[2] = {x % 33, x >> 12 & 0x0f0f0f0f};

		if ((x >> 6 & 3) == 0 && key[0])
			map_update(w->m, key, &value, BPF_ANY, 0);
		else if ((x >> 6 & 3) == 1 && key[0])
			map_delete(w->m, key);
		else if (key[0] = 32, !map_lookup(w->m, key, 0))
			w->errors++;
	}
	return NULL;
}

TEST(lpm_threads)
{
	struct vm_map_def d = {.type = BPF_MAP_TYPE_LPM_TRIE,
			       .key_size = 8,
			       .value_size = 8,
			       .max_entries = 100,
			       .flags = BPF_F_NO_PREALLOC};
	uint32_t key[2] = {0, 0};
	uint64_t value = 1;
	struct work w[THREADS];
	struct vm_map *m;

	CHECK_EQ(map_create(&d, 1, &m), 0);
	CHECK_EQ(map_update(m, key, &value, BPF_ANY, 0), 0);
	run(lpm_thread, w, m);
	for (unsigned int i = 0; i < THREADS; i++)
		CHECK_EQ(w[i].errors, 0);
	map_unref(m);
}

/* --- many writers, one reader */

static void *ring_thread(void *p)
{
	struct work *w = p;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint64_t *to;

		while (!(to = map_ring_reserve(w->m, 16, 0)))
			sched_yield();
		to[0] = w->i;
		to[1] = i;
		map_ring_submit(w->m, to, 0, i % 7 == 0);
	}
	return NULL;
}

struct seen {
	uint64_t next[THREADS], n, errors;
};

static int see(void *ctx, const void *record, size_t n)
{
	const uint64_t *v = record;
	struct seen *s = ctx;

	/* of each writer in order, but for what it threw away */
	if (n != 16 || v[0] >= THREADS || v[1] < s->next[v[0]])
		s->errors++;
	else
		s->next[v[0]] = v[1] + 1;
	s->n++;
	return 0;
}

static void *drain_thread(void *p)
{
	struct work *w = p;
	struct seen s = {0};

	while (!__atomic_load_n(w->stop, __ATOMIC_ACQUIRE))
		map_ring_drain(w->m, see, &s);
	map_ring_drain(w->m, see, &s);
	w->found = s.n;
	w->errors = s.errors;
	return NULL;
}

TEST(ring_threads)
{
	struct vm_map_def d = {.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096};
	unsigned int stop = 0;
	struct work w[THREADS], reader;
	struct vm_map *m;
	pthread_t t;

	CHECK_EQ(map_create(&d, 1, &m), 0);
	reader = (struct work){.m = m, .stop = &stop};
	if (pthread_create(&t, NULL, drain_thread, &reader))
		abort();
	run(ring_thread, w, m);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	CHECK_EQ(reader.errors, 0);
	CHECK_EQ(reader.found, THREADS * (ROUNDS - (ROUNDS + 6) / 7));
	map_unref(m);
}

static void *queue_thread(void *p)
{
	struct work *w = p;

	for (uint64_t i = 1; i <= ROUNDS; i++) {
		uint64_t v = i;

		while (map_push(w->m, &v, BPF_ANY))
			if (!map_pop(w->m, &v))
				w->sum += v, v = i;
	}
	return NULL;
}

TEST(queue_threads)
{
	struct vm_map_def d = {.type = BPF_MAP_TYPE_STACK, .value_size = 8, .max_entries = 16};
	uint64_t sum = 0, v;
	struct work w[THREADS];
	struct vm_map *m;

	CHECK_EQ(map_create(&d, 1, &m), 0);
	run(queue_thread, w, m);
	while (!map_pop(m, &v))
		sum += v;
	for (unsigned int i = 0; i < THREADS; i++)
		sum += w[i].sum;
	CHECK_EQ(sum, THREADS * (ROUNDS * (ROUNDS + 1ull) / 2));
	map_unref(m);
}
