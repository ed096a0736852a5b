/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules-build.h"

#include "compile/lang/falco/falco.h"
#include "rules/rules-random.h"

#include <stdio.h>
#include <stdlib.h>

bool build_load(struct ruleset *rs, const char *name, struct str text)
{
	const struct falco_options options = {
		.match_all = true, .enable_all = true, .least = RULE_DEBUG};
	struct falco_file file = {.name = name, .text = text};
	struct falco_result result = {0};

	ruleset_init(rs);
	rs->generation = 1;
	return falco_load(rs, &file, 1, &options, &result);
}

bool build_compile(struct ruleset *rs, struct world *world, struct question *q,
		   struct rule_plan *plan)
{
	static const struct rule_id users[RANDOM_USERS] = {
		{"root", 0}, {"daemon", 1}, {"alice", 1000}};
	const struct rule_options o = {
		.world = world, .level = 2, .users = users, .n_users = RANDOM_USERS};

	question_init(q);
	return compile_rules(q, rs, &o, plan);
}

uint64_t build_number(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 0) : otherwise;
}

void build_read(const char *name, struct buf *to)
{
	FILE *f = fopen(name, "re");
	char part[4096];
	size_t n;

	while (f && (n = fread(part, 1, sizeof(part), f)))
		buf_add(to, part, n);
	if (f)
		fclose(f);
}
