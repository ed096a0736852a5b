/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many patterns, one pass over the text.
 *
 * All string checks of a field become one deterministic automaton: prefixes, suffixes,
 * words, pieces, globs, with and without regard to case.  One walk over the text's bytes
 * gives all answers, as bits.  A pattern that is decided on the way (a prefix, a piece)
 * sets its bit there and then; one that needs the end is set by the last state.
 *
 * Tables are flat arrays of 16-bit numbers, walked by eBPF (compile/rule) and, for tests
 * and user space, by match_run().  A set that would need too many states is cut: patterns
 * that cost most are refused, and the caller leaves their checks to user space.
 *
 *	pattern → steps, as fnmatch() reads them            glob.c
 *	patterns → spots: places where a text can have got  spots.c
 *	sets of spots → states                              build.c
 *	equal states become one                             merge.c
 *	what has no room is left out                        cut.c
 *
 * Bytes count, not characters: texts have no encoding here, as in the C locale.
 */
#pragma once

#include "base/arena.h"

enum match_kind {
	MATCH_EXACT,
	MATCH_PREFIX,
	MATCH_SUFFIX,
	MATCH_CONTAINS,
	MATCH_GLOB,   /* fnmatch(pattern, text, 0): * ? [a-z] [!a] [[:alpha:]] \x */
	MATCH_PMATCH, /* a prefix of whole path components; each may be a glob; empty
			 components ("//", a leading "/") do not count */
	MATCH_ANY,    /* always: "there is a value" */
	MATCH_ODD,    /* a path that is not normalised: has "//", "/./", "/../", or ends in "/",
			 "/.", "/..", or does not begin with "/" */
};

struct match_pattern {
	enum match_kind kind;
	bool ignore_case; /* of ASCII letters */
	struct str text;
	uint32_t bit; /* set when it matches; several patterns may share one */
};

enum { MATCH_STATES_MAX = 32768, MATCH_DEAD = 0 };

/*
 * next[state * n_classes + classes[byte]] is the state behind a byte.  State 0 is dead: no
 * pattern can match any more, the walk may stop.  A state with a set at `on[state]` (0:
 * none) sets these bits as soon as it is reached; `at_end[state]` when the text ends there
 * (not reached if the walk died: at_end[0] is 0).  Set 0 is empty; set i is words
 * sets[i * n_words …].
 */
struct match {
	uint32_t n_states, n_classes, n_sets, n_words, start;
	uint8_t classes[256];
	uint16_t *next, *on, *at_end; /* arena */
	uint64_t *sets;
	uint64_t *always; /* n_words: bits that every text sets (MATCH_ANY, empty prefixes) */
};

/*
 * Build for `n_bits` bits.  `refused[i]` is set for patterns left out: too many states, or a
 * glob with what only a locale knows ([[=a=]], [[.a.]], classes without a known name).  The
 * same patterns give the same automaton.  Never fails otherwise.
 */
void match_build(struct arena *a, const struct match_pattern *patterns, size_t n, uint32_t n_bits,
		 bool *refused, struct match *ret);
/* The same with a limit of one's own: of states, and of numbers in rows of n_classes + 2. */
struct match_limits {
	uint32_t states, cells;
};
void match_build_within(struct arena *a, const struct match_pattern *patterns, size_t n,
			uint32_t n_bits, const struct match_limits *limits, bool *refused,
			struct match *ret);

/* Walk: `bits` (n_words, zeroed by the caller) get what matches. */
void match_run(const struct match *m, struct str text, uint64_t *bits);

/* One pattern, plainly: what match_run() is tested against.  A refused glob: false. */
bool match_one(const struct match_pattern *p, struct str text);
