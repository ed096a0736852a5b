/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a script, shared by the files trace*.c. */
#pragma once

#include "agent/command.h"
#include "agent/trace-source.h"
#include "agent/trace-words.h"
#include "agent/trace.h"
#include "compile/world.h"
#include "event/answer/answer.h"
#include "runtime/query.h"

struct helper;
struct rt_library;

struct trace {
	const struct trace_options *o;
	struct world *world;
	struct rt_library *rt;
	struct question q;
	struct query *query;
	struct trace_source source;
	struct answer *answer;
	struct trace_words params, command_words;
	struct command command;
	struct helper *helper;		       /* while it is compiled and loaded; NULL */
	int rt_error;			       /* of opening rt */
	const struct question_map *early_maps; /* for the helper: see trace_maps_known() */
	size_t n_early_maps;
	int cgroup_fd; /* --cgroup: its folder, owned; 0: none */
	FILE *out;
	struct buf text;
	bool runs;	  /* in the end: not only looked at */
	bool has_exited;  /* the script said exit() */
	bool waits;	  /* something is attached that may still happen */
	bool is_embedded; /* runs in skep itself: trace_choose() */
	bool may_hint;	  /* without privileges, and -c was not given */
	int error;	  /* of the records' reader */
};

/*
 * The steps before a run, in this order (trace-compile.c, trace-attach.c).  Each says
 * itself what is wrong, and returns the exit status.
 */
void trace_choose(struct trace *t); /* the kernel, or skep's own runtime */
bool trace_has_choice(const struct trace *t);
void trace_open_world(struct trace *t);
int trace_compile(struct trace *t);	/* chooses, too */
int trace_open_object(struct trace *t); /* instead: of a program that was compiled elsewhere */
int trace_filter(struct trace *t);	/* --probe-filter: take away what it does not match */
int trace_open_cgroup(struct trace *t); /* --cgroup: its folder */
int trace_prepare_command(struct trace *t);
/* By t->helper, while the script is compiled. */
void trace_config_known(struct trace *t);
void trace_maps_known(void *trace, const struct question_map *maps, size_t n);
int trace_load(struct trace *t);
int trace_attach(struct trace *t, unsigned int *ret); /* how many there are in *ret */
int trace_load_rest(struct trace *t);

/* Let the command execute; 0 or -errno of that.  Has it ended? */
int trace_go(struct trace *t);
bool trace_command_ended(struct trace *t);

/* skep trace -l */
int trace_list(const struct trace_options *o);

/* Warnings as well as errors of q.diags, once each. */
void trace_say_diags(struct trace *t);
bool trace_wants_colour(const struct trace_options *o);

/* Show all that is in the ring. */
void trace_drain(struct trace *t);
/* Show what comes within this time. */
void trace_poll(struct trace *t, int timeout_ms);
/* The answers' options of this run: where to, and how. */
struct answer_options trace_answer_options(const struct trace *t);

/* --test and --bench: run such probes one by one, in bpftrace's form.  The exit status. */
int trace_run_tests(struct trace *t);
int trace_run_benches(struct trace *t);

/* skep explain: what became of the script. */
void trace_explain(struct trace *t);
void trace_explain_run(struct trace *t); /* behind a run: hits, and ns a hit */
