/* SPDX-License-Identifier: Apache-2.0 */
/* `skep load`: its options.  Adding one: a row here, a member in agent/load.h. */
#include "agent/load.h"
#include "cli/command.h"

#define OPTION(...) OPTION_IN(struct load_options, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION_HEADING("What of it, and where"),
	OPTION("prog", 0, STRING, "NAMES", progs, NOTHING,
	       "only these programs, by their functions' names, a comma between; * stands for "
	       "anything"),
	OPTION("cgroup", 0, STRING, "PATH", cgroup, CGROUP,
	       "where programs on a cgroup are attached"),
	OPTION("iface", 0, STRING, "NAME", iface, NOTHING,
	       "the network interface where XDP programs are attached"),
	OPTION("type", 0, STRING, "STRUCT", type, NOTHING,
	       "the struct that its records are, if several could be"),
	OPTION("unsafe", 0, FLAG, NULL, unsafe, NOTHING,
	       "allow system(), signal() and others, of a program that `skep trace` compiled"),

	OPTION_HEADING("How long"),
	OPTION("command", 'c', STRING, "COMMAND", command, NOTHING,
	       "start this when all is attached, and end with it"),
	OPTION("for", 0, DURATION, "TIME", for_ns, NOTHING,
	       "end after this time, as 500ms, 10s or 1m30s"),

	OPTION_HEADING("Where to, and how"),
	OPTION("list", 'l', FLAG, NULL, list, NOTHING,
	       "only tell its programs, maps and sections: no privilege is needed"),
	OPTION("json", 0, FLAG, NULL, json, NOTHING, "one JSON object a line"),
	OPTION("output", 'o', STRING, "FILE", output, FILE,
	       "write to this file, which only you can read, instead of standard output"),
	OPTION("color", 0, CHOICE, "auto|always|never", colour, WORDS,
	       "auto: on a terminal, unless NO_COLOR is set"),
	OPTION("quiet", 'q', FLAG, NULL, quiet, NOTHING, "only what the programs say"),
	OPTION("verbose", 'v', FLAG, NULL, verbose, NOTHING,
	       "the kernel's own words when it refuses something"),
	OPTION_LAST,
};
#undef OPTION

static const struct example examples[] = {
	{"skep load hello.bpf.o", "what it prints with bpf_printk; Ctrl-C shows its maps"},
	{"skep load --list hello.bpf.o", "what is in it"},
	{"skep load --prog on_exec --for 10s probes.bpf.o", "one of its programs, for ten seconds"},
	{"skep load opensnoop.o", "a program that `skep trace --emit` compiled"},
	{NULL, NULL},
};

static int run(const void *p, char **operands)
{
	struct load_options o = *(const struct load_options *)p;

	o.file = operands[0];
	return load_run(&o);
}

const struct command command_load = {
	.about = "Load the programs of a compiled BPF object into the kernel, attach each where "
		 "its section's name says, and show what they print, send through ring buffers, "
		 "and leave in maps. The values are shown by the types in the object (BTF). It "
		 "ends with Ctrl-C, and nothing stays behind.\n"
		 "An object that `skep trace --emit` wrote runs as its script would.",
	.syntax = {.options = options,
		   .operands = OPERANDS_ONE,
		   .operand = "FILE",
		   .completes = COMPLETES_FILE},
	.examples = examples,
	.size = sizeof(struct load_options),
	.run = run,
};
