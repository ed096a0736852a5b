/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules while events come: the engine behind the stream, and what the deciders have to be
 * told about processes and cgroups.
 *
 * Deciders know only what they saw themselves.  Processes that are older, and containers, are
 * told to them as bits (catalog/wire/rule.h); until then everything may match, and comes up.
 * Where there is no decider below (replay, a command that skep traces itself) the same
 * programs run here, over each record (agent/rules-vm.h).
 */
#pragma once

#include "agent/output.h"
#include "agent/rules-load.h"
#include "runtime/runtime.h"

struct live;
struct rules_run;

struct rules_run_config {
	const struct rules_options *o;
	enum colour colour;
	bool json, quiet;
	bool embedded;	 /* or replay: deciders run in skep itself */
	bool may_grow;	 /* rules that come later may ask for events that these do not */
	uint64_t count;	 /* end after so many alerts; 0: no bound */
	uint64_t events; /* kinds that are shown beside alerts; 0: none */
};

/*
 * Load and compile.  Says itself what is wrong and returns the exit status, as all here that
 * return one.  In this order: load, begin, outputs, event …, finish, done.
 */
int rules_run_load(const struct rules_run_config *c, struct rules_run **ret);
/* What the rules want to know: kinds of events, and how they come. */
void rules_run_wants(struct rules_run *r, struct runtime_config *to);
/* Give the deciders to an open runtime, before it starts; NULL: there is none below. */
int rules_run_begin(struct rules_run *r, struct runtime *rt);
/* Where alerts go.  `out` is where lines go, and is borrowed. */
int rules_run_outputs(struct rules_run *r, const struct output *out);
/*
 * From here on: what is known of who; `live`: who can be asked, NULL: nobody.  `command`: pid
 * of the watched command, 0: none.
 */
void rules_run_stream(struct rules_run *r, const struct stream *s, struct live *live,
		      uint32_t command);

/* stream_config.on_event, with the run as context. */
int rules_run_event(void *run, const struct event *event);
/*
 * Between polls: write what waits, seed processes, complete a change of rules.  `is_empty`:
 * the last poll found nothing more.  0 or −errno of the output.
 */
int rules_run_tick(struct rules_run *r, bool is_empty);
/* As many alerts as were asked for. */
bool rules_run_has_enough(const struct rules_run *r);
/* SIGHUP: read the files again; errors keep the old rules.  Files of alerts are reopened. */
void rules_run_reload(struct rules_run *r);
/* What each rule and decider saw and cost, on standard error. */
void rules_run_say_stats(struct rules_run *r);

/* Last words of the engine, and waiting for slow sinks.  0 or −errno of the output. */
int rules_run_finish(struct rules_run *r);
/* The summary, as people or programs read it. */
void rules_run_say_totals(struct rules_run *r);
/* Exit status that the rules ask for: 0, or EXIT_FAILED where shadow mode found a mistake. */
int rules_run_status(const struct rules_run *r);
void rules_run_done(struct rules_run *r); /* NULL is fine; the runtime was closed */
