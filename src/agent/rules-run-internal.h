/* SPDX-License-Identifier: Apache-2.0 */
/* One run with rules, shared by the files rules-run*.c. */
#pragma once

#include "agent/rules-run.h"
#include "agent/rules-vm.h"
#include "event/rule/engine.h"

enum { ANCESTORS_LOOKED_AT = 32 };

/* --append-output: a text with fields, parsed as the output of a rule. */
struct rules_append {
	struct ruleset rs;
	const struct rule_output *outputs[2]; /* NULL at the end */
};
/* *ret stays NULL if there is no such option.  The exit status. */
int rules_append_load(const struct rules_options *o, enum colour colour, struct rules_append **ret);
void rules_append_free(struct rules_append *a);

struct rules_run {
	struct rules_run_config config;
	double rate;
	unsigned int burst;
	struct rules_append *append;
	/* the set in force, and the one whose records may still come; owned */
	struct rules_loaded *now, *before;
	struct rules_loaded *next; /* being compiled, to take the place of `now`; owned */
	uint32_t generation;
	struct runtime *rt;	       /* borrowed; NULL: replay */
	struct runtime_rules below[2]; /* by generation: what the runtime was given */
	struct rules_vm *vm;	       /* deciders in skep itself; NULL: none */
	bool is_below;		       /* deciders are in the kernel */
	uint64_t watched;	       /* kinds of events that come */
	bool has_env, has_data;	       /* and what comes with them */
	struct alert_sink *sink;
	struct engine *engine;
	const struct stream *stream;
	struct live *live; /* borrowed; NULL: replay */
	uint32_t own_pid, command;
	struct map floods;  /* cgroup → struct flooder, owned */
	uint64_t flood_ns;  /* when it was asked last */
	struct map cgroups; /* id → struct known_cgroup, owned */
	bool wants_seeds, reload_again;
	uint64_t swapped_ns, newest_ns, said_ns;
};

/* --- rules-seed.c: bits of what deciders did not see themselves */

/* If more is known of this event's cgroup than the deciders were told, tell them. */
void rules_seed_cgroup(struct rules_run *r, const struct event *event);
/* All processes that are known: deciders know those better that they saw themselves. */
void rules_seed_processes(struct rules_run *r);
/* Other deciders: they know nothing. */
void rules_seed_forget(struct rules_run *r);

/* --- rules-flood.c */

/* Say which cgroups lost events for they caused too many; now and then. */
int rules_flood_tick(struct rules_run *r, bool is_last);
void rules_flood_done(struct rules_run *r);
