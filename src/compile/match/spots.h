/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns as spots: places between the bytes of a pattern where a text can have got.
 *
 * A path is a row of spots, one behind the other.  At a spot the next byte leads on to the
 * next one if it is of its `set`; it may also stay, if it is of its `loop`.  All that can
 * ever be at work is a set of spots, and such a set is what a state of the automaton is.
 */
#pragma once

#include "compile/match/glob.h"
#include "compile/match/match.h"

/* Sets by number: none, the 256 of one byte, then others. */
enum { SET_NONE, SET_BYTE, SET_OTHER = SET_BYTE + 256 };

enum spot_flag {
	SPOT_ON = 1 << 0,     /* who gets here has matched, whatever follows */
	SPOT_END = 1 << 1,    /* has matched if the text ends here */
	SPOT_STICKY = 1 << 2, /* every byte may stay: once reached, it is never left */
	SPOT_SKIP = 1 << 3,   /* who gets here is at the next spot, too */
};

struct spot {
	uint32_t path;
	uint32_t set, loop;
	uint8_t flags;
};

struct spot_path {
	uint32_t first; /* its first spot */
	uint32_t bit;
	bool is_sticky; /* the first spot is */
};

struct spots {
	struct arena *arena;
	ARRAY(struct spot) spots;
	ARRAY(struct spot_path) paths;
	ARRAY(struct byteset) others; /* SET_OTHER + i */
};

/*
 * Add a pattern.  False: a glob that is strange, nothing was added.  ret_cost grows with the
 * states that the pattern makes when others are at work beside it.
 */
bool spots_add(struct spots *s, const struct match_pattern *p, uint32_t *ret_cost);

/* Bytes that no pattern tells apart, by number.  Returns how many classes there are. */
uint32_t spots_classes(const struct spots *s, uint8_t classes[256]);
