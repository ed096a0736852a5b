/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a check means: its fields, the types of both sides, the events it is about.
 *
 * A check of a macro that many rules use is looked at once; what is wrong is kept in it, and
 * told where the first rule uses it.
 */
#pragma once

#include "compile/lang/falco/load.h"

/* Keep what is wrong with it.  False, for return. */
bool check_fail(struct load *l, struct check *c, enum check_state state, struct span where,
		const char *hint, const char *format, ...) _printf_(6, 7);

/* Look up the fields of a term, and work out its type. */
bool term_resolve(struct load *l, struct check *c, struct rule_term *t, enum rule_type *ret);
/* A list that is compared as a whole; proc.aname is one name at a time. */
bool term_is_list(const struct rule_term *t, enum rule_type type);
/* Does it need the environment of programs that are started? */
bool term_reads_env(const struct rule_term *t);
/* Does the operator work on this type? */
bool check_operator(struct load *l, struct check *c, enum rule_type type);
/* The right side: literals of that type, or fields of the same. */
bool check_values(struct load *l, struct check *c, enum rule_type type);

void check_events(struct check *c); /* sets kinds, negated, is_const and their like */
/* What is right, but seems to be meant otherwise. */
void check_warn(struct load *l, const struct item *item, struct check *c);
