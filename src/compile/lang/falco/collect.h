/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the items of rule files: keys, their kinds, what they override.
 *
 * Functions that return false have reported what is wrong; the item is left out then.
 */
#pragma once

#include "compile/lang/falco/load.h"

enum presence { REQUIRED, OPTIONAL, MAY_BE_EMPTY };

/*
 * The scalar of a key.  *ret is NULL if there is none and need not be.  REQUIRED and
 * OPTIONAL ones have a text that is not empty.
 */
bool take_scalar(struct load *l, const struct item *item, const struct node *map, const char *key,
		 enum presence presence, struct node **ret);
/* The same as text, in the rule set's arena; *ret stays if there is none. */
bool take_string(struct load *l, const struct item *item, const struct node *map, const char *key,
		 enum presence presence, const char **ret);
bool take_bool(struct load *l, const struct item *item, const struct node *map, const char *key,
	       bool *ret);
/* The scalars of a list; `into` gets them in order. */
struct nodes {
	ARRAY(struct node *) list;
};
bool take_strings(struct load *l, const struct item *item, const struct node *map, const char *key,
		  enum presence presence, struct nodes *into);
/* Warn of keys that are not in `known` (NULL at the end), or stand twice. */
void warn_keys(struct load *l, const struct item *item, const struct node *map,
	       const char *const *known);
/* `append: true`, with its warning. */
bool take_append(struct load *l, const struct item *item, const struct node *map, bool *ret);

/* override: {key: append|replace}; bits of the keys in `keys`, in their order. */
struct overrides {
	uint32_t append, replace;
};
struct override_key {
	const char *name;
	bool may_append, may_replace;
};
bool take_overrides(struct load *l, const struct item *item, const struct node *map,
		    const struct override_key *keys, size_t n, struct overrides *ret);

bool collect_rule(struct load *l, const struct node *map);
bool collect_versions(struct load *l, const struct node *map);
/* exceptions: of a rule; `may_lack_fields`: they are appended to others. */
bool take_exceptions(struct load *l, const struct item *rule, const struct node *map,
		     bool may_lack_fields, struct rule_info *into);
/* Does this comparison want a list: "in", "startswith oneof"? */
bool exception_takes_list(const struct entry *comp);
/* Fields and comparisons fit together; comparisons that are not given are filled in. */
bool exception_check(struct load *l, struct exception_info *x);
bool take_tests(struct load *l, const struct item *item, const struct node *map,
		struct rule_info *into);

struct item item_of(struct load *l, const char *type, const struct node *name,
		    const struct node *map);
