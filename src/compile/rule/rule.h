/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushdown: a rule set becomes deciders, one program a kind of record.
 *
 * Each check is compiled to what it must and what it may be; under `not` the two swap; what
 * the kernel does not know is {must: false, may: true}.  A rule's bit is its condition's
 * `may`: if user space would match, the kernel lets the record through.
 *
 *	plan     each check: where it is decided, which bit it has       plan.c
 *	strings  the patterns of a field become one automaton            tables.c (compile/match)
 *	lower    conditions → IR, a module a kind                        lower*.c
 *	opt, gen as for every language                                   compile/module.c
 *
 * A decider runs on a stage (catalog/wire/rule.h).  Entered by a tail call with the hook's
 * context, it sets annex.may and annex.generation, and if a bit is set, or WIRE_A_ALWAYS in
 * annex.flags, goes on to slot 0 of "send", which sends the stage; where there is no such
 * program, as in skep itself, it returns 1: send, 0: do not.
 */
#pragma once

#include "catalog/question.h"
#include "catalog/ruleset.h"
#include "compile/match/match.h"
#include "compile/world.h"

struct rt_library;

/* Where a check is decided. */
enum rule_where {
	RW_CONSTANT,  /* at compile time */
	RW_EVENT,     /* in the decider, from the record */
	RW_PROCESS,   /* bit of the process, set at its exec */
	RW_ANCESTOR,  /* bits of ancestors */
	RW_CONTAINER, /* bit of the cgroup, set by user space */
	RW_RESIDUAL,  /* user space; `why` tells why */
};
enum { RULE_WHERES = RW_RESIDUAL + 1 };

struct rule_place {
	enum rule_where where;
	uint32_t bit;	 /* PROCESS, ANCESTOR: of wire_proc_bits; CONTAINER: of wire_cgroup_bits */
	const char *why; /* RESIDUAL: half a sentence */
};

struct rule_plan {
	struct rule_place *places; /* by check id, of those that conditions name */
	size_t n_places;
	/* predicates kept as bits: the check each stands for; user space seeds with them */
	ARRAY(uint32_t)
	process_checks; /* bit → check id, on the process itself; UINT32_MAX: none */
	ARRAY(uint32_t) cgroup_checks;
	int32_t progs[64];		/* kind → index into question.progs; −1: no rule */
	int32_t map_procs, map_cgroups; /* indices into question.maps; −1: not used */
	unsigned int n_checks, n_residual;
	uint64_t table_bytes;
};

/* Users and groups by name, as they are when rules are loaded. */
struct rule_id {
	const char *name;
	uint32_t id;
};

struct rule_options {
	struct world *world;
	const struct rt_library *rt;
	int level;
	const struct rule_id *users, *groups;
	size_t n_users, n_groups;
	bool shadow; /* set `may`, but send every record */
	bool timed;  /* deciders say how long they take: struct wire_decided */
	const char *dump;
	struct buf *dump_to;
};

/*
 * Compile.  `q` was made by question_init(); q->probes stays empty: deciders are not
 * attached.  `plan` lives in rs's arena.  False: rs->diags says why (never for a rule set
 * that was loaded without errors, but for our own mistakes).
 */
bool compile_rules(struct question *q, struct ruleset *rs, const struct rule_options *o,
		   struct rule_plan *plan);
