/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule sets and records by chance, so that rules match often enough: values of records are
 * drawn from the words that the rules' literals are drawn from, and changed a little.
 */
#pragma once

#include "base/str.h"
#include "catalog/wire/rule.h"

enum { RANDOM_PIDS = 12 };

struct random {
	uint64_t state;
	uint32_t lives[RANDOM_PIDS + 1]; /* of each process number: how often it was given */
};

/* Below `n`. */
static inline uint32_t random_below(struct random *r, uint32_t n)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return n ? (uint32_t)((r->state >> 20) % n) : 0;
}
static inline bool random_one_in(struct random *r, uint32_t n)
{
	return !random_below(r, n);
}

/* A rule file of `n` rules. */
void random_rules(struct random *r, unsigned int n, struct buf *to);

/* Words that literals and values are made of. */
const char *random_word(struct random *r);
const char *random_path(struct random *r);
const char *random_ip(struct random *r);

/*
 * A record, without annex, in `to`; `annex` gets what belongs to it.  Among them are forks, execs
 * and exits of a few processes, so that bits and tables have something to do.
 */
void random_record(struct random *r, uint64_t n, struct buf *to, struct wire_annex *annex);
/* What a stream is told first: users, cgroups, a container. */
unsigned int random_identity(unsigned int i, struct buf *to);

enum { RANDOM_USERS = 3, RANDOM_CGROUPS = 3 };
extern const char *const random_users[RANDOM_USERS];
extern const uint32_t random_uids[RANDOM_USERS];
