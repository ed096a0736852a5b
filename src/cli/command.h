/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subcommand: what it takes and what it does.
 *
 * Its name and one line of help are a row of commands.def; the rest is a constant
 * `command_NAME` in the file that bears its name.  main.c parses the line by the
 * command's syntax and calls `run` with the filled struct; commands.c has the lookups.
 */
#pragma once

#include "cli/options.h"

struct example {
	const char *line; /* as typed; NULL ends the list */
	const char *what; /* half a sentence */
};

struct command {
	const char *about; /* paragraphs for --help and the man page, parted by "\n" */
	struct syntax syntax;
	const struct example *examples;
	size_t size; /* of the struct that the options fill; it begins as all zero */
	/* Returns the exit status.  `operands` has NULL at the end. */
	int (*run)(const void *options, char **operands);
};

struct command_row {
	const char *name, *help;
	bool is_hidden; /* not in skep --help */
	const struct command *command;
};

/* The i-th row of commands.def; NULL after the last. */
const struct command_row *command_at(size_t i);
const struct command_row *command_find(const char *name); /* NULL: there is none */

/* Say that argv[at] is none, and what would be; returns EXIT_USAGE. */
int command_unknown(int argc, char **argv, int at);

/* "0.1.0 (abc1234)"; "(unknown)" where it was not built from a repository. */
extern const char version_text[];
