/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of numbers, each kept once and named by an index: sets of spots, states, sets of bits. */
#pragma once

#include "base/arena.h"

struct slice {
	uint32_t at, n; /* in pool */
	uint32_t tag_a, tag_b;
};

struct slices {
	ARRAY(uint32_t) pool;
	ARRAY(struct slice) rows;
	uint32_t *table; /* index + 1 */
	uint32_t room;	 /* of the table: a power of two */
};

/* The index of this row with these tags, which is made if there is none.  Copies `p`. */
uint32_t slice_intern(struct arena *a, struct slices *s, const uint32_t *p, uint32_t n,
		      uint32_t tag_a, uint32_t tag_b);
