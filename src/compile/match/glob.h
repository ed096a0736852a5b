/* SPDX-License-Identifier: Apache-2.0 */
/* A glob, read step by step, as fnmatch() of glibc reads it in the C locale. */
#pragma once

#include "base/str.h"

struct byteset {
	uint64_t w[4];
};

static inline void byteset_add(struct byteset *s, uint8_t c)
{
	s->w[c >> 6] |= 1ull << (c & 63);
}

static inline bool byteset_has(const struct byteset *s, uint8_t c)
{
	return s->w[c >> 6] >> (c & 63) & 1;
}

struct glob_step {
	bool is_star;	    /* any number of any bytes; else one byte of `set` */
	struct byteset set; /* empty: nothing fits here, nor the pattern */
};

/*
 * The step at pattern[*at], which moves on.  1; 0: the pattern has ended; -1: it has what only a
 * locale knows, or what fnmatch() reads in a way of its own.
 */
int glob_next(struct str pattern, size_t *at, bool ignore_case, struct glob_step *ret);
/* Both cases of a letter. */
void byteset_fold(struct byteset *s);
/* The next component of a path that is not empty; false: there is none. */
bool path_component(struct str path, size_t *at, struct str *ret);
