/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep trace`: its options.  Adding one: a row here, a member in agent/trace.h.
 */
#include "cli/command.h"
#include "cli/script.h"

#include "cli/usage.h"

#include <stdio.h>

struct line {
	struct trace_options trace;
	bool no_optimizer;
};

_Static_assert((int)TRACE_LIST_MAX == (int)OPTION_STRINGS_MAX, "room for all that is given");

#define OPTION(...) OPTION_IN(struct line, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION_HEADING("The program"),
	OPTION("execute", 'e', STRING, "PROGRAM", trace.text, NOTHING,
	       "the program's text, for programs that look like a file's name"),
	OPTION("unsafe", 0, FLAG, NULL, trace.unsafe, NOTHING,
	       "allow system(), signal() and others that change something"),
	OPTION("include-dir", 'I', STRINGS, "FOLDER", trace.include_folders, FILE,
	       "a folder with headers for #include; may be given several times"),
	OPTION("no-optimizer", 0, FLAG, NULL, no_optimizer, NOTHING, "compile as it stands: -O0"),

	OPTION_HEADING("Whom"),
	OPTION("command", 'c', STRING, "COMMAND", trace.command, NOTHING,
	       "start this when all is attached, and end with it; cpid is its process"),
	OPTION("pid", 'p', U32, "N", trace.pid, PID, "only this process; ends with it"),
	OPTION("cgroup", 0, STRING, "PATH", trace.cgroup, CGROUP,
	       "only tasks in this cgroup and below it; a folder of the cgroup2 file system, or "
	       "a path from its root"),

	OPTION_HEADING("Where it runs"),
	OPTION("runtime", 0, CHOICE, "auto|kernel|embedded", trace.runtime, WORDS,
	       "embedded: in skep itself, without privileges, over the command of -c alone; auto: "
	       "so only where the kernel does not allow it"),
	OPTION("all-cpus", 0, FLAG, NULL, trace.all_cpus, NOTHING,
	       "embedded: let the command run on all processors; each stop costs more then"),

	OPTION_HEADING("How long"),
	OPTION("for", 0, DURATION, "TIME", trace.for_ns, NOTHING,
	       "end after this time, as 500ms, 10s or 1m30s"),

	OPTION_HEADING("Where to, and how"),
	OPTION("json", 0, FLAG, NULL, trace.json, NOTHING,
	       "one JSON object a line, as bpftrace -f json"),
	OPTION("output", 'o', STRING, "FILE", trace.output, FILE,
	       "write to this file, which only you can read, instead of standard output"),
	OPTION("helper-errors", 'k', FLAG, NULL, trace.helper_errors, NOTHING,
	       "say which reads and updates in the kernel failed"),
	OPTION("color", 0, CHOICE, "auto|always|never", trace.colour, WORDS,
	       "auto: on a terminal, unless NO_COLOR is set"),
	OPTION("quiet", 'q', FLAG, NULL, trace.quiet, NOTHING, "only what the program prints"),
	OPTION("verbose", 'v', FLAG, NULL, trace.verbose, NOTHING,
	       "the kernel's own words when it refuses something"),

	OPTION_HEADING("Instead of running it"),
	OPTION("list", 'l', FLAG, NULL, trace.wants_list, NOTHING,
	       "list the probes that match a pattern, or that the program has; -v: with their "
	       "arguments"),
	OPTION("dry-run", 0, FLAG, NULL, trace.dry_run, NOTHING, "attach, and end"),
	OPTION("emit", 0, STRING, "FILE", trace.emit, FILE,
	       "write the compiled program to this file; `skep load` runs it elsewhere"),
	OPTION("no-source", 0, FLAG, NULL, trace.no_source, NOTHING,
	       "with --emit: without the program's text"),
	OPTION("test", 0, FLAG, NULL, trace.run_tests, NOTHING, "run its test: probes"),
	OPTION("bench", 0, FLAG, NULL, trace.run_benches, NOTHING, "run its bench: probes"),
	OPTION_LAST,
};
#undef OPTION

_Static_assert(RUNTIME_AUTO == 0 && RUNTIME_KERNEL == 1 && RUNTIME_EMBEDDED == 2,
	       "the order of the words of --runtime");

static const struct example examples[] = {
	{"skep trace 'BEGIN { printf(\"hello\\n\"); exit(); }'", "does it work here"},
	{"skep trace 'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }'",
	 "who makes system calls; Ctrl-C shows the counts"},
	{"skep trace opensnoop.bt", "a script from a file"},
	{"skep trace -c ls 't:syscalls:sys_enter_openat { print(str(args.filename)); }'",
	 "what is opened while one command runs"},
	{"skep trace --emit opensnoop.o opensnoop.bt", "compile here, `skep load` it elsewhere"},
	{"skep trace -l 'tracepoint:sched:*'", "which probes there are"},
	{NULL, NULL},
};

static int run(const void *p, char **operands)
{
	struct line line = *(const struct line *)p;
	struct trace_options *o = &line.trace;

	o->level = line.no_optimizer ? 0 : 2;
	if (o->emit && o->cgroup) {
		fputs("skep: error: --emit: a cgroup is one of this machine: leave out --cgroup\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (o->wants_list && !o->text) {
		o->list = operands[0] ? operands[0] : "";
		return trace_run(o);
	}
	script_operands(o, operands);
	return script_is_given(o, "trace") ? trace_run(o) : EXIT_USAGE;
}

const struct command command_trace = {
	.about = "Compile a program in bpftrace's language, run it in the kernel and show its "
		 "answers. It ends with Ctrl-C or exit(), and prints its maps.",
	.syntax = {.options = options,
		   .operands = OPERANDS_ANY,
		   .operand = "PROGRAM [ARG...]",
		   .completes = COMPLETES_FILE},
	.examples = examples,
	.size = sizeof(struct line),
	.run = run,
};
