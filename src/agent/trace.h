/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep trace`: a script is compiled, runs, and its answers are shown; also what
 * `skep check` and `skep explain` have in common with it.
 */
#pragma once

#include "agent/runtime-choice.h"
#include "agent/watch.h"
#include "base/str.h"

enum { TRACE_LIST_MAX = 16 };

struct world;

struct trace_options {
	/* the program: text, or a file ("-": standard input) */
	const char *text, *file;
	char **params;	     /* $1 …, and after "--" named ones; NULL at the end */
	const char *command; /* -c */
	uint32_t pid;	     /* -p */
	const char *cgroup;
	uint64_t for_ns;
	const char *output; /* -o */
	bool json, quiet, verbose, unsafe, no_warnings, dry_run, helper_errors;
	bool run_tests, run_benches;
	const char *list; /* -l: pattern; "" is all */
	bool wants_list;
	enum colour colour;
	unsigned int level; /* -O */
	const char *dump;   /* --dump=PHASE */
	const char *probe_filter;
	const char *traceable_functions;
	const char *no_feature;
	/* --include and -I; NULL at the end */
	const char *includes[TRACE_LIST_MAX + 1], *include_folders[TRACE_LIST_MAX + 1];
	const char *emit;      /* --emit: write the compiled program to this file instead */
	bool no_source;	       /* --emit without the script's words */
	struct str object;     /* instead of a program: one that --emit wrote, from `file` */
	const char *debuginfo; /* folders with debug files, a colon between */
	enum { BUFFER_LINE, BUFFER_NONE, BUFFER_FULL } buffer;
	enum { TRACE_RUN, TRACE_CHECK, TRACE_EXPLAIN } what;
	enum runtime_choice runtime;
	bool all_cpus;	     /* embedded: do not bind the command to one cpu */
	bool as_bpftrace;    /* called by that name: messages and habits of it */
	struct world *world; /* borrowed; NULL: one of its own */
};

/* Returns the exit status. */
int trace_run(const struct trace_options *o);
/* TRACE_CHECK for each file, NULL at the end: what is known of the kernel is read once. */
int trace_check_files(const struct trace_options *o, char **files);
