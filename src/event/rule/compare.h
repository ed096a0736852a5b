/* SPDX-License-Identifier: Apache-2.0 */
/* One value against another, by an operator. */
#pragma once

#include "event/rule/engine.h"

/* The right side: a literal (text alone), or a value of a field. */
struct operand {
	struct str text;
	const struct rule_value *value; /* NULL: a literal */
};

/*
 * `v` is one value (no list); false for operators that its type does not have.  IN and
 * INTERSECTS mean equal here, PMATCH this one path.
 */
bool compare(const struct rule_event *e, enum rule_op op, const struct rule_value *v,
	     const struct operand *right);

/*
 * Does the whole text fit?  RE2's POSIX syntax, as far as PCRE2 shares it; what it can't
 * compile fits nothing.  `r` NULL: compiled for this once.
 */
bool regex_fits(struct regexes *r, struct str pattern, struct str text);
