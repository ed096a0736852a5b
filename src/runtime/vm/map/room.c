/* SPDX-License-Identifier: Apache-2.0 */
/* Address space, locks, free elements: see room.h. */
#include "runtime/vm/map/room.h"

#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

/* More than this nobody has, and sums of it do not overflow. */
#define ROOM_MAX (1ull << 46)

void *room_take(uint64_t n)
{
	void *p;

	if (n > ROOM_MAX)
		return NULL;
	p = mmap(NULL, n ? n : 1, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void room_give(void *p, uint64_t n)
{
	if (p)
		munmap(p, n ? n : 1);
}

void lock_wait(unsigned int *tries)
{
	/* who holds it may wait for this very cpu */
	if (++*tries % 64 == 0)
		sched_yield();
	else
#if defined(__x86_64__)
		__builtin_ia32_pause();
#else
		__asm__ volatile("" ::: "memory");
#endif
}

static uint32_t *link_of(const struct pool *p, uint32_t i)
{
	return (uint32_t *)(p->elems + (size_t)i * p->step);
}

void pool_init(struct pool *p, void *links, size_t step, uint32_t first, uint32_t end)
{
	*p = (struct pool){.fresh = first, .end = end, .elems = links, .step = step};
}

uint32_t pool_take(struct pool *p)
{
	uint64_t head = __atomic_load_n(&p->head, __ATOMIC_ACQUIRE), fresh;

	while ((uint32_t)head) {
		uint32_t i = (uint32_t)head - 1;
		uint64_t next = __atomic_load_n(link_of(p, i), __ATOMIC_RELAXED);

		/* the count above makes that a list which changed meanwhile is seen to */
		next |= ((head >> 32) + 1) << 32;
		if (__atomic_compare_exchange_n(&p->head, &head, next, true, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE))
			return i;
	}
	fresh = __atomic_load_n(&p->fresh, __ATOMIC_RELAXED);
	while (fresh < p->end)
		if (__atomic_compare_exchange_n(&p->fresh, &fresh, fresh + 1, true,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return fresh;
	return POOL_NONE;
}

void pool_give(struct pool *p, uint32_t i)
{
	uint64_t head = __atomic_load_n(&p->head, __ATOMIC_ACQUIRE), next;

	do {
		__atomic_store_n(link_of(p, i), (uint32_t)head, __ATOMIC_RELAXED);
		next = (((head >> 32) + 1) << 32) | (i + 1);
	} while (!__atomic_compare_exchange_n(&p->head, &head, next, true, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
}

uint64_t room_seed(void)
{
	struct timespec t;
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		return seed;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_nsec * 0x9e3779b97f4a7c15ull ^ (uintptr_t)&t;
}

/* Multiply to 128 bits and fold: every bit of both reaches every bit of the result. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

uint64_t room_hash(const void *key, size_t n, uint64_t seed)
{
	const char *p = key;
	uint64_t h = seed ^ n, a = 0;
	uint32_t w;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&a, p, 8);
		h = mix(h ^ a, 0x9e3779b97f4a7c15ull);
	}
	if (n == 4) {
		memcpy(&w, p, 4);
		a = w;
	} else {
		a = 0;
		memcpy(&a, p, n);
	}
	return mix(h ^ a ^ 0xd6e8feb86659fd93ull, 0xa0761d6478bd642full);
}
