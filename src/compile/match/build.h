/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the building of automata: build.c makes them, merge.c small, cut.c possible. */
#pragma once

#include "compile/match/spots.h"

/* States are rows of n_classes numbers of states; sets by number, 0 is the empty one. */
struct automaton {
	uint32_t n_states, n_classes, start;
	uint32_t *next;
	uint32_t *on, *at_end;
};

/*
 * Equal states become one, those that no text reaches go, and numbers follow the way from the
 * start.  State 0 stays.  Changes `m` in place.
 */
void automaton_merge(struct arena *a, struct automaton *m);

/*
 * Spots become an automaton in the arena `a`; what is needed meanwhile comes from the spots'
 * own.  False: it would need more than the limits allow.
 */
bool automaton_build(struct arena *a, const struct spots *spots, uint32_t n_bits,
		     const struct match_limits *limits, struct match *ret);
