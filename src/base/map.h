/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from a 64-bit number to a pointer.
 *
 * Open addressing with linear probing; a removed entry's followers move up, so
 * there are no tombstones.  The map owns its table, never what it points to.
 * Keys are mixed first: pids, inode numbers and addresses may be used as they are.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t key;
	void *value; /* NULL: the slot is free */
};

struct map {
	struct map_slot *slots; /* owned */
	size_t n, room;		/* room is a power of two, or 0 */
};

void map_done(struct map *m);
void *map_get(const struct map *m, uint64_t key);	 /* NULL: not there */
void *map_put(struct map *m, uint64_t key, void *value); /* returns what was there before */
void *map_take(struct map *m, uint64_t key);		 /* removes; NULL: was not there */

/* `for` over the values, in no order; nothing may be added or removed meanwhile. */
#define map_each(m, i, v)                      \
	for (size_t i = 0; i < (m)->room; i++) \
		if (((v) = (m)->slots[i].value))
