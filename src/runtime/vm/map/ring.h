/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the ring buffers: shared by ring.c and ring-user.c. */
#pragma once

#include "runtime/vm/map/kinds.h"
#include "runtime/vm/map/room.h"

#define RING_BUSY    (1u << 31)
#define RING_DISCARD (1u << 30)
enum { RING_HEADER = 8 };
enum { RING_RECORD_MAX = UINT32_MAX / 4 };

/* Before each record. */
struct ring_header {
	uint32_t n;    /* its bytes | RING_* */
	uint32_t page; /* pages from the begin of the mapping to here: leads back to the ring */
};

/* The pages before the data. */
struct ring_pages {
	struct ring *ring;
	/* positions only grow; & mask they are offsets; on cache lines of their own */
	_Alignas(64) uint64_t consumer;
	_Alignas(64) uint64_t producer;
	uint64_t pending; /* before it no record is still being written */
	uint32_t lock;
};

struct ring {
	struct vm_map map;
	struct ring_pages *pages; /* the mapping */
	char *data;		  /* mask + 1 bytes, twice in a row: records never wrap */
	uint64_t mask;
	uint64_t lost;
	uint32_t draining;
	int fd; /* eventfd; −1: none */
};

static inline struct ring *ring_of(struct vm_map *m)
{
	return (struct ring *)m;
}
static inline uint64_t ring_step(uint32_t n)
{
	return ((uint64_t)n + RING_HEADER + 7) & ~7ull;
}

int ring_new(const struct map_ops *ops, const struct vm_map_def *d, unsigned int cpus,
	     uint64_t bytes, struct vm_map **ret);
/* What BPF_MAP_CREATE demands of both ring buffers. */
int ring_check(const struct vm_map_def *d);
void ring_free(struct vm_map *m);
void ring_wake(struct ring *g);
/* There are no keys. */
void *ring_lookup(struct vm_map *m, const void *key, unsigned int cpu);
int ring_update(struct vm_map *m, const void *key, const void *value, uint64_t flags,
		unsigned int cpu);
int ring_delete(struct vm_map *m, const void *key);
int ring_next_key(struct vm_map *m, const void *key, void *ret);
int ring_read(struct vm_map *m, const void *key, void *ret);
