/* SPDX-License-Identifier: Apache-2.0 */
/* `skep check`: everything but the kernel's word; no privilege is needed. */
#include "cli/command.h"
#include "cli/script.h"

#define OPTION(...) OPTION_IN(struct trace_options, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION("execute", 'e', STRING, "PROGRAM", text, NOTHING, "the program's text"),
	OPTION("unsafe", 0, FLAG, NULL, unsafe, NOTHING, "allow system(), signal() and others"),
	OPTION("json", 0, FLAG, NULL, json, NOTHING,
	       "each mistake as a line of JSON, to standard output"),
	OPTION("color", 0, CHOICE, "auto|always|never", colour, WORDS,
	       "auto: on a terminal, unless NO_COLOR is set"),
	OPTION_LAST,
};
#undef OPTION

static const struct example examples[] = {
	{"skep check opensnoop.bt", "exit status 0 if it is a program"},
	{"skep check *.bt", "if each of them is one"},
	{NULL, NULL},
};

/* No script takes another as its parameter. */
static bool are_files(char **operands)
{
	size_t n = 0;

	while (operands[n] && str_ends(str_of(operands[n]), STR(".bt")))
		n++;
	return n > 1 && !operands[n];
}

static int run(const void *p, char **operands)
{
	struct trace_options o = *(const struct trace_options *)p;

	o.what = TRACE_CHECK;
	o.level = 2;
	if (!o.text && are_files(operands))
		return trace_check_files(&o, operands);
	script_operands(&o, operands);
	return script_is_given(&o, "check") ? trace_run(&o) : EXIT_USAGE;
}

const struct command command_check = {
	.about = "Read a program, work out its types, compile it, and report every mistake with "
		 "its line underlined. Nothing is loaded: no privilege is needed. Several files "
		 "whose names end in .bt are read one after the other.",
	.syntax = {.options = options,
		   .operands = OPERANDS_ANY,
		   .operand = "PROGRAM [ARG...]",
		   .completes = COMPLETES_FILE},
	.examples = examples,
	.size = sizeof(struct trace_options),
	.run = run,
};
