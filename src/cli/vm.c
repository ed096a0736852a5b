/* SPDX-License-Identifier: Apache-2.0 */
/* `skep vm`: its options.  Adding one: a row here, a member in agent/vm.h. */
#include "agent/vm.h"
#include "cli/command.h"

#include "base/log.h"

#define OPTION(...) OPTION_IN(struct vm_options, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION_HEADING("Which program"),
	OPTION("prog", 0, STRING, "NAME", prog, NOTHING, "of the object's programs, this one"),
	OPTION("raw", 0, STRING, "HEX", raw, FILE,
	       "no object: instructions as pairs of hex digits, or a file of them; - is standard "
	       "input"),
	OPTION("asm", 0, STRING, "FILE", assembly, FILE,
	       "no object: instructions as text, the way disasm prints them"),
	OPTION("btf", 0, STRING, "FILE", kernel, FILE,
	       "the kernel's types, instead of this machine's"),

	OPTION_HEADING("What it works on"),
	OPTION("mem", 0, STRING, "HEX|FILE", mem, FILE,
	       "memory that r1 points to, r2 is its size; of programs that look at packets: the "
	       "packet"),
	OPTION("ctx", 0, STRING, "HEX|FILE", ctx, FILE, "the context, from its first byte on"),
	OPTION("map", 0, STRING, "NAME=HEX", map, NOTHING,
	       "this map's value of key 0, before the program runs; a file of bytes, too"),
	OPTION("pcap", 0, STRING, "FILE", pcap, FILE, "each packet of a pcap or pcapng file"),
	OPTION("out", 0, STRING, "FILE", out, FILE,
	       "of --pcap: keep the packets that go on, as the program left them"),
	OPTION("each", 0, FLAG, NULL, each, NOTHING, "of --pcap: a line for each packet"),
	OPTION("json", 0, FLAG, NULL, json, NOTHING, "of --pcap: JSON, a line each"),

	OPTION_HEADING("How"),
	OPTION("interp", 0, FLAG, NULL, interp, NOTHING, "by the interpreter"),
	OPTION("jit", 0, FLAG, NULL, jit, NOTHING,
	       "as machine code, or not at all; of disasm: show it"),
	OPTION("check", 0, FLAG, NULL, check, NOTHING,
	       "compare each instruction with what the verifier said of it"),
	OPTION("time", 0, FLAG, NULL, time, NOTHING, "say how long it took"),
	OPTION("as-kernel", 0, FLAG, NULL, as_kernel, NOTHING,
	       "verified by the kernel's rules for root, which lets addresses out"),
	OPTION("unverified", 0, FLAG, NULL, unverified, NOTHING,
	       "without the verifier: what is wrong then crashes skep, or worse"),
	OPTION("color", 0, CHOICE, "auto|always|never", colour, WORDS,
	       "auto: on a terminal, unless NO_COLOR is set"),

	OPTION_HEADING("Instead"),
	OPTION("list-helpers", 0, FLAG, NULL, list_helpers, NOTHING,
	       "which helpers and kfuncs the embedded runtime has"),
	OPTION_LAST,
};
#undef OPTION

static const struct example examples[] = {
	{"skep vm run --time prog.bpf.o", "what it returns, and how fast"},
	{"skep vm run --mem 0102ff --asm sum.s", "a few instructions, over three bytes"},
	{"skep vm run prog.bpf.o --pcap in.pcap --out out.pcap", "what it does with each packet"},
	{"skep vm disasm prog.bpf.o", "its instructions beside the lines of its source"},
	{NULL, NULL},
};

static int usage(const char *text)
{
	log_error(0, "%s", text);
	log_hint("skep help vm tells more");
	return EXIT_USAGE;
}

static int run(const void *p, char **operands)
{
	struct vm_options o = *(const struct vm_options *)p;
	const char *word = operands[0];
	int n;

	if (o.list_helpers)
		return word ? usage("--list-helpers goes with no word") : vm_list_helpers();
	if (!word)
		return usage("run or disasm is expected");
	o.file = operands[1];
	n = (o.file != NULL) + (o.raw != NULL) + (o.assembly != NULL);
	if (n != 1)
		return usage(n ? "there is more than one program: an object, --raw or --asm"
			       : "an object is expected, or --raw, or --asm");
	if (o.interp && o.jit)
		return usage("--interp and --jit exclude each other");
	if (o.check && (o.jit || o.unverified))
		return usage("--check needs the verifier and the interpreter");
	if (!strcmp(word, "disasm"))
		return vm_disasm(&o);
	if (!o.pcap && (o.out || o.each || o.json))
		return usage("--out, --each and --json go with --pcap");
	if (o.pcap && (o.mem || o.ctx || o.check))
		return usage(
			"--pcap gives the packets: --mem, --ctx and --check do not go with it");
	return o.pcap ? vm_pcap(&o) : vm_run(&o);
}

const struct command command_vm = {
	.about = "Run a BPF program outside the kernel, in skep's own runtime, or show what it is "
		 "made of. No privilege is needed. Programs of compiled objects and instructions "
		 "alone are verified first, as the kernel would; the result is r0.",
	.syntax = {.options = options,
		   .operands = OPERANDS_WORD,
		   .words = "run|disasm",
		   .operand = "FILE",
		   .completes = COMPLETES_FILE},
	.examples = examples,
	.size = sizeof(struct vm_options),
	.run = run,
};
