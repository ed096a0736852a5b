/* SPDX-License-Identifier: Apache-2.0 */
/* Between prune.c and compare.c: whether one state covers another. */
#pragma once

#include "runtime/vm/verify/internal.h"

enum exactness { COVERS, WITHIN, SAME };

/* Ids of one state must map to ids of the other one by one. */
struct idmap {
	uint32_t old[256], cur[256];
	unsigned int n;
};

struct comparison {
	struct verifier *v;
	struct idmap ids;
	enum exactness how;
	unsigned int temporary; /* numbers without an id are alone: each gets one of its own */
};

bool ids_match(struct idmap *m, uint32_t old, uint32_t cur);
bool scalars_equal(const struct scalar *a, const struct scalar *b);
/* A register that is a number was spilled there, all of it. */
bool is_whole_scalar(const struct slot *s);
/* The same functions called one another from the same places. */
bool calls_equal(const struct state *a, const struct state *b);
/* Both are about to run the instruction at hand. */
bool states_match(struct verifier *v, const struct state *old, const struct state *cur,
		  enum exactness how);
