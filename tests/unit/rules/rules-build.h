/* SPDX-License-Identifier: Apache-2.0 */
/* From the text of rules to deciders, for tests. */
#pragma once

#include "compile/rule/rule.h"

bool build_load(struct ruleset *rs, const char *name, struct str text);
/* With the users of rules-random.h. */
bool build_compile(struct ruleset *rs, struct world *world, struct question *q,
		   struct rule_plan *plan);
/* All of a file; nothing if it cannot be read. */
void build_read(const char *name, struct buf *to);
/* A number of the environment. */
uint64_t build_number(const char *name, uint64_t otherwise);
