/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of a rule: which programs decide it, and where each of its checks is decided.
 *
 * Facts and no words, for whoever shows them (agent/rules-explain.h).  All of it borrows from
 * the rule set, the plan and the question; lists are in the arena that is passed.
 */
#pragma once

#include "compile/rule/rule.h"

/* "event", "exec", "ancestor", "container", "constant", "user": a word for a table, or JSON. */
extern const char *const rule_where_words[RULE_WHERES];

struct rule_explained_prog {
	uint64_t kinds;			  /* what of the rule's it decides */
	const struct question_prog *prog; /* NULL: none, a record of this kind cannot match */
};

struct rule_explained_check {
	const struct rule_check *check;
	enum rule_where where;
	bool has_bit; /* PROCESS, ANCESTOR, CONTAINER */
	uint32_t bit;
	const char *why; /* RESIDUAL: half a sentence; NULL */
};

struct rule_explained {
	const struct rule *rule;
	ARRAY(struct rule_explained_prog) progs;   /* in the order of their first kinds */
	ARRAY(struct rule_explained_check) checks; /* each once, by place */
	unsigned int counts[RULE_WHERES];	   /* of checks */
};

struct rule_explained_all {
	ARRAY(struct rule_explained) rules;
	ARRAY(struct rule_explained_check) residual; /* of all rules, each once */
	ARRAY(struct rule_explained_prog) progs;     /* in the order of the question */
	unsigned int n_checks;			     /* different ones */
	unsigned int kernel_tenths; /* so many tenths of a percent of them end in the kernel */
	uint32_t insns;		    /* of all programs */
	uint64_t table_bytes;
};

void rule_explain(const struct ruleset *rs, const struct rule_plan *plan, const struct question *q,
		  const struct rule *rule, struct arena *a, struct rule_explained *ret);
void rule_explain_all(const struct ruleset *rs, const struct rule_plan *plan,
		      const struct question *q, struct arena *a, struct rule_explained_all *ret);
