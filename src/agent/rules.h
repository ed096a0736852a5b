/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules: what the user says of them, the same for `skep watch` and `skep replay`; and what
 * `skep rules explain` and `skep rules test` do.
 */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { RULES_LIST_MAX = 16 };

struct rules_options {
	const char *files[RULES_LIST_MAX + 1]; /* in order; NULL at the end */
	bool own;			       /* skep's own rules, before those of files */
	enum rule_matching { MATCH_FIRST, MATCH_ALL } matching;
	const char *enable[RULES_LIST_MAX + 1]; /* names of rules or globs */
	const char *disable[RULES_LIST_MAX + 1];
	const char *tags[RULES_LIST_MAX + 1];	 /* only rules that bear one of these */
	const char *least;			 /* lowest priority, a word; NULL: debug */
	const char *outputs[RULES_LIST_MAX + 1]; /* stdout, file:…; none: where lines go */
	const char *append;			 /* said behind each alert, with %fields; NULL */
	const char *rate;			 /* "N", "N/BURST", "off"; NULL: the default */
	bool plain;				 /* nothing of the container behind alerts */
	bool shadow;				 /* compare the kernel with user space */
	bool stats;				 /* what each rule and decider cost, at the end */
};

/* Are there any rules to go by? */
static inline bool rules_are_given(const struct rules_options *o)
{
	return o->own || o->files[0];
}

/* Append a rule file, "-": standard input.  0 or -errno; -EFBIG: it is too large for one. */
int rules_file_read(const char *name, struct buf *to);
/* Append skep's own rules (rules/ of the source), as one rule file. */
int rules_own_read(struct buf *to);

struct rules_explain_options {
	const char *const *files; /* NULL at the end; none: skep's own rules */
	const char *rule;	  /* its name, or a part of it that no other has; NULL: all */
	const char *replay;	  /* a recording: why its events match, or do not; NULL */
	bool json;
};
/* What the kernel decides of a rule, what is left to user space, and why.  Exit status. */
int rules_explain(const struct rules_explain_options *o);

struct rules_test_options {
	const char *const *files; /* NULL at the end; none: skep's own rules */
	const char *only;	  /* a glob over "RULE: TEST"; NULL: all */
	bool json, verbose;
	unsigned int runtime; /* enum runtime_choice */
};
/* Run the `tests:` of rules.  0: all passed, EXIT_FAILED: one did not, 77: none could run. */
int rules_test(const struct rules_test_options *o);
