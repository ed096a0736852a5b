/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep replay`: its options.  Adding one: a row here, a member in agent/watch.h.
 */
#include "cli/command.h"

#include "agent/watch.h"
#include "cli/rules-options.h"

#define OPTION(...) OPTION_IN(struct replay_options, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION_HEADING("What to show"),
	OPTION("events", 0, EVENTS, "LIST", events, EVENTS,
	       "show only these events and groups, as in skep watch"),
	OPTION("count", 0, U64, "N", count, NOTHING, "end after N lines"),
	OPTION("json", 0, FLAG, NULL, json, NOTHING, "print each event as a line of JSON"),
	OPTION("output", 'o', STRING, "FILE", output, FILE,
	       "write to this file, which only you can read, instead of standard output"),
	OPTION("color", 0, CHOICE, "auto|always|never", colour, WORDS,
	       "auto: on a terminal, unless NO_COLOR is set"),
	OPTION("quiet", 'q', FLAG, NULL, quiet, NOTHING, "no summary at the end"),

	RULES_OPTIONS(rules),
	OPTION_LAST,
};
#undef OPTION

static const struct example examples[] = {
	{"skep replay night.skep", "what skep watch --record night.skep has seen"},
	{"skep replay night.skep --events connect,accept --json", "one part of it, as JSON"},
	{NULL, NULL},
};

static int run(const void *p, char **operands)
{
	struct replay_options o = *(const struct replay_options *)p;

	o.file = operands[0];
	return replay_run(&o);
}

const struct command command_replay = {
	.about = "Show a recording as skep watch would have shown it. Needs no privileges.",
	.syntax = {.options = options,
		   .operands = OPERANDS_ONE,
		   .operand = "FILE",
		   .completes = COMPLETES_RECORDING},
	.examples = examples,
	.size = sizeof(struct replay_options),
	.run = run,
};
