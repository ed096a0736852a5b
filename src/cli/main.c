/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skep: questions go down into the kernel, answers come up.
 *
 * This is the way from a command line to a subcommand; each is in the file that bears
 * its name.  Where to read on:
 *
 *   cli/commands.def   the table of subcommands
 *   cli/watch.c        options of `skep watch`; what it does is in agent/watch.c
 *   cli/options.c      how a command line becomes a struct
 *   cli/info.c         what this machine allows; probed by runtime/kern/features.c
 */
#include "cli/command.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/watch.h"
#include "cli/bpftrace.h"
#include "cli/help.h"
#include "cli/usage.h"

static int no_command(int argc, char **argv)
{
	struct usage_error e;

	if (argc < 2 || !*argv[1])
		usage_error_set(&e, 1, 0, 0, "a command is expected");
	else if (*argv[1] == '-')
		usage_error_set(&e, 1, 0, strlen(argv[1]), "a command is expected before options");
	else
		return command_unknown(argc, argv, 1);
	usage_error_hint(&e, "skep --help shows all");
	return usage_print(argc, argv, &e);
}

/* Called as bpftrace, through a link, skep takes bpftrace's options. */
static bool is_bpftrace(const char *name)
{
	const char *slash = name ? strrchr(name, '/') : NULL;

	return name && !strcmp(slash ? slash + 1 : name, "bpftrace");
}

/* `first` is the first word that belongs to the command. */
static int run(const struct command_row *row, int argc, char **argv, int first)
{
	const struct command *c = row->command;
	_cleanup_free_ void *options = xalloc(MAX(c->size, (size_t)1));
	_cleanup_(parsed_done) struct parsed parsed = {0};
	struct usage_error e;

	if (options_parse(&c->syntax, argc, argv, first, options, &parsed, &e) < 0) {
		if (is_bpftrace(argv[0]))
			bpftrace_usage(stderr);
		if (!e.hint[0])
			usage_error_hint(&e, "skep help %s tells more", row->name);
		return usage_print(argc, argv, &e);
	}
	return parsed.wants_help ? help_command(row) : c->run(options, parsed.operands);
}

/* What was printed must have arrived: `skep --help >/dev/full` fails. */
static int finish(int status)
{
	if ((fflush(stdout) || ferror(stdout)) && !status) {
		perror("skep: standard output");
		return EXIT_FAILED;
	}
	return status;
}

/*
 * Threads of ours end soon, and a heap of their own would stay: 4 MB with rules.  The one heap
 * grows in large steps and is not cut each time something at its end is freed: with threads each
 * cut interrupts the other processors.
 */
enum { HEAP_STEP = 256 << 10, HEAP_SPARE = 1 << 20 };

static void heap_init(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TOP_PAD, HEAP_STEP);
	mallopt(M_TRIM_THRESHOLD, HEAP_SPARE);
}

int main(int argc, char **argv)
{
	const struct command_row *row = argc > 1 ? command_find(argv[1]) : NULL;
	const char *first = argc > 1 ? argv[1] : "";

	heap_init();
	if (is_bpftrace(argv[0]))
		return finish(run(command_find("bpftrace"), argc, argv, 1));
	if (row)
		return finish(run(row, argc, argv, 2));
	if (!strcmp(first, "--help") || !strcmp(first, "-h"))
		return finish(help_program());
	if (!strcmp(first, "--version") || !strcmp(first, "-V")) {
		printf("skep %s\n", version_text);
		return finish(0);
	}
	return no_command(argc, argv);
}
