/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What maps are made of: address space, spin locks, lists of free elements.
 *
 * A map reserves address space for all it may ever hold when it is made, and gives it back when
 * it goes.  Pages come when they are touched, so a map of a million elements that holds ten costs
 * ten elements.  Elements are named by their number; a free one is on a pool's list, and the
 * ones that were never used are not on any: they are counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed, on a page's boundary; NULL: there is none (or n is beyond reason). */
void *room_take(uint64_t n);
void room_give(void *p, uint64_t n); /* NULL is fine */

/* --- a lock for a few instructions; 0 is open */

void lock_wait(unsigned int *tries); /* a while, then let others run */

static inline void lock_take(uint32_t *l)
{
	unsigned int tries = 0;

	while (__atomic_exchange_n(l, 1, __ATOMIC_ACQUIRE))
		lock_wait(&tries);
}
static inline void lock_give(uint32_t *l)
{
	__atomic_store_n(l, 0, __ATOMIC_RELEASE);
}

/*
 * The same with a count, for readers that take no lock: odd while somebody writes.  A reader
 * notes the count, reads, and has read something whole if the count is still the same.
 */
static inline void seq_lock(uint32_t *s)
{
	unsigned int tries = 0;

	for (;;) {
		uint32_t v = __atomic_load_n(s, __ATOMIC_RELAXED);

		if (!(v & 1) && __atomic_compare_exchange_n(s, &v, v + 1, true, __ATOMIC_ACQUIRE,
							    __ATOMIC_RELAXED))
			break;
		lock_wait(&tries);
	}
	__atomic_thread_fence(__ATOMIC_RELEASE);
}
static inline void seq_unlock(uint32_t *s)
{
	__atomic_store_n(s, __atomic_load_n(s, __ATOMIC_RELAXED) + 1, __ATOMIC_RELEASE);
}
static inline uint32_t seq_begin(const uint32_t *s)
{
	unsigned int tries = 0;
	uint32_t v;

	while ((v = __atomic_load_n(s, __ATOMIC_ACQUIRE)) & 1)
		lock_wait(&tries);
	return v;
}
static inline bool seq_is_same(const uint32_t *s, uint32_t v)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(s, __ATOMIC_RELAXED) == v;
}

/* --- numbers of free elements */

struct pool {
	uint64_t head; /* number + 1 of the newest free one, and above it a count of changes */
	uint64_t fresh, end; /* never used: fresh … end − 1 */
	char *elems;	     /* borrowed: element i's link, a uint32_t, is at elems + i × step */
	size_t step;
};

/* POOL_NONE: all are used. */
enum { POOL_NONE = UINT32_MAX };
void pool_init(struct pool *p, void *links, size_t step, uint32_t first, uint32_t end);
uint32_t pool_take(struct pool *p);
void pool_give(struct pool *p, uint32_t i);

/* A number of 32 bits that nobody can foresee. */
uint64_t room_seed(void);
/* A fast hash of a key. */
uint64_t room_hash(const void *key, size_t n, uint64_t seed);
