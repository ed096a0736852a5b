/* SPDX-License-Identifier: Apache-2.0 */
/* `skep check`: everything but the kernel's word; no privilege is needed. */
#include "agent/check-object.h"
#include "cli/command.h"
#include "cli/script.h"

/* Scripts and compiled objects: what the file is decides. */
struct check_options {
	struct trace_options script;
	struct check_object_options object;
};

#define OPTION(...) OPTION_IN(struct check_options, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION("json", 0, FLAG, NULL, script.json, NOTHING,
	       "each mistake, or program of an object, as a line of JSON, to standard output"),
	OPTION("color", 0, CHOICE, "auto|always|never", script.colour, WORDS,
	       "auto: on a terminal, unless NO_COLOR is set"),

	OPTION_HEADING("Scripts"),
	OPTION("execute", 'e', STRING, "PROGRAM", script.text, NOTHING, "the program's text"),
	OPTION("unsafe", 0, FLAG, NULL, script.unsafe, NOTHING,
	       "allow system(), signal() and others"),

	OPTION_HEADING("Compiled objects"),
	OPTION("prog", 0, STRING, "NAME", object.prog, NOTHING,
	       "only this program, by its function's name; * stands for anything"),
	OPTION("runtime", 0, CHOICE, "either|kernel|embedded", object.runtime, WORDS,
	       "whose verifier must accept: the kernel's, or that of skep's own runtime"),
	OPTION("btf", 0, STRING, "FILE", object.btf, FILE,
	       "types of the kernel that is meant, as its /sys/kernel/btf/vmlinux has them"),
	OPTION("strict-alignment", 0, FLAG, NULL, object.strict, NOTHING,
	       "refuse accesses that are not aligned, as for machines that cannot do them"),
	OPTION("verbose", 'v', FLAG, NULL, object.verbose, NOTHING,
	       "how much there was to verify, and how long it took"),
	OPTION_LAST,
};
#undef OPTION

static const struct example examples[] = {
	{"skep check opensnoop.bt", "exit status 0 if it is a program"},
	{"skep check *.bt", "if each of them is one"},
	{"skep check probes.bpf.o", "if a verifier accepts each program of this object"},
	{NULL, NULL},
};

/* No script takes another as its parameter. */
static bool are_scripts(char **operands)
{
	size_t n = 0;

	while (operands[n] && str_ends(str_of(operands[n]), STR(".bt")))
		n++;
	return n > 1 && !operands[n];
}

static int run(const void *p, char **operands)
{
	struct check_options o = *(const struct check_options *)p;

	if (!o.script.text && operands[0] && check_is_object(operands[0])) {
		o.object.json = o.script.json;
		o.object.colour = o.script.colour;
		return check_objects(&o.object, operands);
	}
	o.script.what = TRACE_CHECK;
	o.script.level = 2;
	if (!o.script.text && are_scripts(operands))
		return trace_check_files(&o.script, operands);
	script_operands(&o.script, operands);
	return script_is_given(&o.script, "check") ? trace_run(&o.script) : EXIT_USAGE;
}

const struct command command_check = {
	.about = "Read a program, work out its types, compile it, and report every mistake with "
		 "its line underlined. Nothing is loaded: no privilege is needed. Several files "
		 "whose names end in .bt are read one after the other.\n"
		 "Objects that a compiler made of C or Rust are verified: each program as the "
		 "kernel would do it, and for skep's own runtime. A line a program tells what "
		 "both say; the exit status is 0 if each program is accepted.",
	.syntax = {.options = options,
		   .operands = OPERANDS_ANY,
		   .operand = "PROGRAM [ARG...]",
		   .completes = COMPLETES_FILE},
	.examples = examples,
	.size = sizeof(struct check_options),
	.run = run,
};
