/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep watch` and `skep replay`: from a question to lines.
 *
 * Wires the three halls together: asks the runtime for records, lets event/ make a
 * story of them, hands it to a sink of out/.
 */
#pragma once

#include "agent/rules.h"
#include "agent/runtime-choice.h"

#include <stdbool.h>
#include <stdint.h>

/* Exit statuses beside 0 and the watched command's own; docs/watch.md has them too. */
enum {
	EXIT_FAILED = 1,	/* something went wrong, the message says what */
	EXIT_USAGE = 2,		/* the command line is wrong */
	EXIT_CANNOT_HERE = 77,	/* this kernel or these privileges do not allow it */
	EXIT_CANNOT_EXEC = 126, /* the command is there but cannot be started */
	EXIT_NO_COMMAND = 127,	/* no such command */
};

enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct watch_options {
	uint64_t events;       /* bit mask of kinds; 0: the default view */
	const char *cgroup;    /* path in the file system or in the hierarchy; NULL: any */
	const char *container; /* name, id or beginning of an id; NULL: any */
	uint32_t pid;	       /* this process and all it starts; 0: any */
	const char *comm;      /* glob over thread names; NULL: any */
	const char *user;      /* name or number; NULL: any */
	bool json;
	uint64_t for_ns;    /* stop after this time; 0: no bound */
	uint64_t count;	    /* stop after so many lines; 0: no bound */
	const char *output; /* file to write to (0600); NULL: standard output */
	const char *record; /* file for the raw records (0600); NULL: none */
	bool show_secrets;
	bool no_failed;	  /* leave out calls that failed */
	bool verbose;	  /* say more when something goes wrong */
	bool quiet;	  /* no summary at the end */
	uint32_t ring_kb; /* size of the ring buffer; 0: the default, 4096 */
	enum colour colour;
	char **command; /* NULL at the end; NULL: watch what is there */
	enum runtime_choice runtime;
	bool all_cpus;		    /* embedded: do not bind the command to one cpu */
	struct rules_options rules; /* if there are some: alerts, and only `events` beside them */
};

/* Returns the exit status of the program. */
int watch_run(const struct watch_options *o);

struct replay_options {
	const char *file;
	uint64_t events;
	bool json;
	uint64_t count;
	const char *output;
	bool quiet;
	enum colour colour;
	struct rules_options rules;
};

int replay_run(const struct replay_options *o);
