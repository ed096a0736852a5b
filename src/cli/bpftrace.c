/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skep under the name of bpftrace: its options, so that scripts and habits go on working.
 *
 * Options that are about LLVM or headers are taken and mean nothing here.
 */
#include "agent/bpftrace-info.h"
#include "cli/bpftrace.h"
#include "cli/command.h"
#include "cli/script.h"

#include <stdio.h>
#include <stdlib.h>

struct line {
	struct trace_options trace;
	const char *format, *buffering, *debug, *mode;
	const char *debuginfo, *pid;
	bool info, version, verify_llvm_ir, usdt_file_activation;
};

_Static_assert((int)TRACE_LIST_MAX == (int)OPTION_STRINGS_MAX, "room for all that is given");

#define OPTION(...) OPTION_IN(struct line, __VA_ARGS__)

static const struct option_desc options[] = {
	OPTION("execute", 'e', STRING, "PROGRAM", trace.text, NOTHING, "the program's text"),
	OPTION("cmd", 'c', STRING, "COMMAND", trace.command, NOTHING, "run it, and end with it"),
	OPTION("pid", 'p', STRING, "PID", pid, PID, "only this process"),
	OPTION("format", 'f', STRING, "FORMAT", format, NOTHING, "text or json"),
	OPTION("output", 'o', STRING, "FILE", trace.output, FILE, "write there"),
	OPTION("buffering", 'B', STRING, "MODE", buffering, NOTHING, "none, line or full"),
	OPTION("list", 'l', FLAG, NULL, trace.wants_list, NOTHING, "list probes"),
	OPTION("quiet", 'q', FLAG, NULL, trace.quiet, NOTHING, "no messages of bpftrace's own"),
	OPTION("helper-errors", 'k', FLAG, NULL, trace.helper_errors, NOTHING,
	       "say which helpers failed"),
	OPTION("verbose", 'v', FLAG, NULL, trace.verbose, NOTHING, "more messages"),
	OPTION("version", 'V', FLAG, NULL, version, NOTHING, "print the version"),
	OPTION("info", 0, FLAG, NULL, info, NOTHING, "what this kernel allows"),
	OPTION("unsafe", 0, FLAG, NULL, trace.unsafe, NOTHING, "allow unsafe functions"),
	OPTION("dry-run", 0, FLAG, NULL, trace.dry_run, NOTHING, "attach, and end"),
	OPTION("no-warnings", 0, FLAG, NULL, trace.no_warnings, NOTHING, "no warnings"),
	OPTION("no-feature", 0, STRING, "LIST", trace.no_feature, NOTHING, "do not use these"),
	OPTION("probe-filter", 0, STRING, "REGEX", trace.probe_filter, NOTHING, "only these"),
	OPTION("traceable-functions", 0, STRING, "FILE", trace.traceable_functions, FILE,
	       "functions that may be traced"),
	OPTION("test", 0, FLAG, NULL, trace.run_tests, NOTHING, "run test: probes"),
	OPTION("bench", 0, FLAG, NULL, trace.run_benches, NOTHING, "run bench: probes"),
	OPTION("mode", 0, STRING, "MODE", mode, NOTHING, "codegen: compile only; test; bench"),
	OPTION("include-dir", 'I', STRINGS, "FOLDER", trace.include_folders, FILE,
	       "a folder with headers; may be given several times"),
	OPTION("include", 0, STRINGS, "FILE", trace.includes, FILE,
	       "as #include <FILE> at the beginning; may be given several times"),
	OPTION_HEADING("Taken, without a meaning here"),
	OPTION("debug", 'd', STRING, "STAGE", debug, NOTHING, "see skep explain --dump"),
	OPTION("verify-llvm-ir", 0, FLAG, NULL, verify_llvm_ir, NOTHING, "there is no LLVM"),
	OPTION("usdt-file-activation", 0, FLAG, NULL, usdt_file_activation, NOTHING,
	       "semaphores are counted by the kernel"),
	OPTION("debuginfo", 0, STRING, "FOLDERS", debuginfo, FILE, "where debug files are"),
	OPTION_LAST,
};
#undef OPTION

void bpftrace_usage(FILE *to)
{
	fputs("USAGE:\n    bpftrace [options] filename\n    bpftrace [options] - <stdin input>\n"
	      "    bpftrace [options] -e 'program'\n\n",
	      to);
}

/* bpftrace's own words: its tests know them. */
static bool read_pid(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (end == text)
		fprintf(stderr, "ERROR: Failed to parse pid: invalid integer: %s\n", text);
	else if (*end)
		fprintf(stderr, "ERROR: Failed to parse pid: invalid trailing bytes: %s\n", text);
	else if (n > 0x400000)
		fprintf(stderr, "ERROR: Pid out of range: %lu\n", n);
	else
		*ret = n;
	return end != text && !*end && n <= 0x400000;
}

static int run(const void *p, char **operands)
{
	struct line line = *(const struct line *)p;
	struct trace_options *o = &line.trace;

	if (line.version) {
		printf("bpftrace v0.27.1 (skep %s)\n", version_text);
		return 0;
	}
	if (line.info)
		return bpftrace_info();
	if (line.format && strcmp(line.format, "json") && strcmp(line.format, "text")) {
		fprintf(stderr, "ERROR: Invalid output format \"%s\"\n", line.format);
		fputs("Valid formats: 'text', 'json'\n", stderr);
		return 1;
	}
	if (line.pid && !read_pid(line.pid, &o->pid))
		return 1;
	o->json = line.format && !strcmp(line.format, "json");
	if (line.buffering)
		o->buffer = !strcmp(line.buffering, "none")   ? BUFFER_NONE
			    : !strcmp(line.buffering, "full") ? BUFFER_FULL
							      : BUFFER_LINE;
	o->debuginfo = line.debuginfo;
	o->level = 2;
	o->as_bpftrace = true;
	if (line.mode && !strcmp(line.mode, "codegen"))
		o->what = TRACE_CHECK;
	o->run_tests |= line.mode && !strcmp(line.mode, "test");
	o->run_benches |= line.mode && !strcmp(line.mode, "bench");
	if (o->wants_list && !o->text) {
		o->list = operands[0] ? operands[0] : "";
		return trace_run(o);
	}
	script_operands(o, operands);
	if (!o->text && !o->file) {
		fputs("USAGE: bpftrace [options] filename | bpftrace [options] -e 'program'\n",
		      stderr);
		return 1;
	}
	return trace_run(o);
}

const struct command command_bpftrace = {
	.about = "Called by the name of bpftrace, skep takes its options. skep trace is the same "
		 "with skep's own.",
	.syntax = {.options = options,
		   .operands = OPERANDS_ANY,
		   .operand = "FILE [ARG...]",
		   .completes = COMPLETES_FILE},
	.size = sizeof(struct line),
	.run = run,
};
