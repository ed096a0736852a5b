/* SPDX-License-Identifier: Apache-2.0 */
/* What makes tests of a number out of a check: number.c; which number, number-field.c. */
#pragma once

#include "compile/rule/lower.h"

/* All return false if the check cannot be put into tests; *ret_why then says why. */
bool number_plain(struct pushdown *x, struct tests *t, const struct rule_check *c,
		  enum rule_type type, const char **ret_why);
/* `has_digits`: what has no name is printed in digits, else it is an empty text. */
bool number_named(struct pushdown *x, struct tests *t, const struct rule_check *c,
		  const struct rule_name *names, bool has_digits, const char **ret_why);

/* A text that a value stands for: (v & mask) == value. */
struct number_word {
	const char *text;
	uint64_t value, mask;
};
/*
 * `words` ends with a NULL text; `other` is the text of all other values, NULL: they have none.
 */
bool number_words(struct pushdown *x, struct tests *t, const struct rule_check *c,
		  const struct number_word *words, const char *other, const char **ret_why);
/* A text that all records of the kind have: *ret_how is TRUE or FALSE. */
bool number_constant(struct pushdown *x, const struct rule_check *c, const char *text,
		     enum leaf_how *ret_how, const char **ret_why);
/* A number that is printed in decimal and compared as text. */
bool number_digits(struct pushdown *x, struct tests *t, const struct rule_check *c,
		   const char **ret_why);

/* Names by id: what is not in the list has a name that nobody knows here. */
bool number_ids(struct pushdown *x, struct tests *t, const struct rule_check *c,
		const struct rule_id *ids, size_t n, const char *none, const char **ret_why);

/*
 * The event's texts: its names for evt.type, or another text (NULL: it has none).  The number
 * is the call's, 1 << 32 is added for calls of 32 bits; of an exec it is 1 for execveat.
 */
typedef const char *(*event_text_fn)(const struct wire_head *h, const struct rule_field_ref *f);
bool number_event(struct pushdown *x, struct tests *t, unsigned int kind,
		  const struct rule_check *c, event_text_fn text_of, const char **ret_why);
/*
 * Is each call of the kind this one?  A sister call is another: a mount by move_mount() is an
 * event of type mount, too, but has other arguments.
 */
bool number_is_call(unsigned int kind, const char *name);
