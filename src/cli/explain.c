/* SPDX-License-Identifier: Apache-2.0 */
/* `skep explain`: what a program becomes. */
#include "cli/command.h"
#include "cli/script.h"

#define OPTION(...) OPTION_IN(struct trace_options, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION("execute", 'e', STRING, "PROGRAM", text, NOTHING, "the program's text"),
	OPTION("dump", 0, STRING, "PHASE", dump, NOTHING,
	       "also the program behind a phase: ast, expand, check, ir, a pass's name, opt, all"),
	OPTION("unsafe", 0, FLAG, NULL, unsafe, NOTHING, "allow system(), signal() and others"),
	OPTION("command", 'c', STRING, "COMMAND", command, NOTHING,
	       "also run it over this command, then show hits, and ns a hit"),
	OPTION("for", 0, DURATION, "TIME", for_ns, NOTHING, "also run it for this time"),
	OPTION("color", 0, CHOICE, "auto|always|never", colour, WORDS,
	       "auto: on a terminal, unless NO_COLOR is set"),
	OPTION_LAST,
};
#undef OPTION

static const struct example examples[] = {
	{"skep explain opensnoop.bt", "hooks, and instructions beside the lines they come from"},
	{"skep explain --dump=ir -e 'BEGIN { @ = 1; }'", "the intermediate code"},
	{"skep explain -c 'find /usr -name x' openat.bt", "what each hit costs"},
	{NULL, NULL},
};

static int run(const void *p, char **operands)
{
	struct trace_options o = *(const struct trace_options *)p;

	o.what = TRACE_EXPLAIN;
	o.level = 2;
	script_operands(&o, operands);
	return script_is_given(&o, "explain") ? trace_run(&o) : EXIT_USAGE;
}

const struct command command_explain = {
	.about = "Show what becomes of a program: the hooks chosen for its probes and why, its "
		 "maps, and the instructions of each part beside the lines they come from. With a "
		 "command or a time it is run as well: how often each part was hit, and how long "
		 "a hit takes.",
	.syntax = {.options = options,
		   .operands = OPERANDS_ANY,
		   .operand = "PROGRAM [ARG...]",
		   .completes = COMPLETES_FILE},
	.examples = examples,
	.size = sizeof(struct trace_options),
	.run = run,
};
