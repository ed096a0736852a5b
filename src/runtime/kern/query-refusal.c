/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verifier said, in a sentence.
 *
 * Its log is a walk through the program: "12: (79) r1 = *(u64 *)(r1 +0)", and what it knows
 * of the registers after it.  The last line before the summary ("processed 9 insns …") says
 * what is wrong, the last instruction before that line is where.  Which script line that is
 * says the program's line table; what the words mean says the table below, by a part of
 * the line.  The end of the log is kept as it is for those who want it.
 */
#include "base/macro.h"
#include "runtime/kern/query-internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* The first row whose words are in the line counts. */
static const struct {
	const char *words, *meaning, *hint;
} sayings[] = {
	{"BPF program is too large", "the program runs too many instructions",
	 "fewer turns of a loop, or a shorter string, make it smaller"},
	{"too many instructions", "the program has too many instructions", "split the action"},
	{"jumps is too complex", "the program branches in too many ways",
	 "fewer conditions inside loops make it simpler"},
	{"back-edge", "a loop whose end the kernel cannot see", "loops need a constant bound"},
	{"infinite loop detected", "a loop that may never end", "loops need a bound"},
	{"combined stack size", "the program needs more stack than the kernel gives (512 bytes)",
	 NULL},
	{"stack depth", "the program needs more stack than the kernel gives (512 bytes)", NULL},
	{"call stack of", "functions are called too deeply", NULL},
	{"unbounded memory access", "the size of a memory access has no bound", NULL},
	{"min value is negative", "an index or size that may be negative", NULL},
	{"math between", "arithmetic on a pointer that the kernel does not allow", NULL},
	{"invalid mem access 'map_value_or_null'", "a map's element is used that may not be there",
	 NULL},
	{"invalid mem access 'mem_or_null'", "memory is used that may not be there", NULL},
	{"invalid mem access 'ptr_or_null", "a pointer is followed that may be null", NULL},
	{"invalid mem access 'trusted_ptr_or_null", "a pointer is followed that may be null", NULL},
	{"invalid mem access 'scalar'", "a number is followed as if it were a pointer", NULL},
	{"invalid mem access 'inv'", "a number is followed as if it were a pointer", NULL},
	{"invalid access to map value", "an access outside of a map's value", NULL},
	{"invalid indirect read from stack", "memory is passed on that was not written before",
	 NULL},
	{"invalid read from stack", "memory is read that was not written before", NULL},
	{"invalid write to stack", "a write outside of the stack", NULL},
	{"invalid bpf_context access", "this probe has no such argument here", NULL},
	{"cannot access ptr member", "a member that programs may not touch", NULL},
	{"access beyond struct", "a read behind the end of a struct", NULL},
	{"only read is supported", "kernel memory may be read only", NULL},
	{"!read_ok", "a value is used that was never set", NULL},
	{"leaks addr", "a kernel address may not leave the program here", NULL},
	{"must be a known constant", "a value that must be a constant", NULL},
	{"bpf_override_return", "programs may not override what this function returns",
	 "it takes a kernel with CONFIG_BPF_KPROBE_OVERRIDE, and a function that is in "
	 "/sys/kernel/debug/error_injection/list"},
	{"program of this type cannot use helper",
	 "this kind of probe may not call a helper that "
	 "the program needs",
	 NULL},
	{"unknown func",
	 "this kernel does not let this kind of probe call a helper that the "
	 "program needs",
	 "a newer kernel may have it"},
	{"invalid func", "this kernel does not have a helper that the program needs",
	 "a newer kernel has it"},
	{"helper call is not allowed", "a helper is called where it is not allowed", NULL},
	{"cannot call GPL", "a helper needs a GPL-compatible license",
	 "config = { license = \"GPL\" }"},
	{"calling kernel function", "a kernel function that this kind of probe may not call", NULL},
	{"reference type", "an object of the kernel is not given back", NULL},
	{"Unreleased reference", "an object of the kernel is not given back", NULL},
	{"is not a trampoline", "this function cannot be traced", NULL},
	{"attach_btf_id is not a function", "it is no function of this kernel", NULL},
	{"does not have >= ", "this function has fewer arguments", NULL},
	{"doesn't have", "this function does not have that argument", NULL},
	{"uses reserved fields", "this kernel does not know an instruction of the program", NULL},
	{"unknown opcode", "this kernel does not know an instruction of the program", NULL},
	{"invalid BPF_LD_IMM", "this kernel does not know a kind of address in the program", NULL},
	{"number of arguments", "a function takes other arguments", NULL},
	{"missing btf func_info", "this kernel wants types for a function of the program", NULL},
	{"R0 invalid", "the result of a call is used in a way that the kernel does not allow",
	 NULL},
};

/* The next line from `p`, without its end; NULL: no more. */
static const char *next_line(const char *p, struct str *ret)
{
	size_t n;

	if (!p || !*p)
		return NULL;
	n = strcspn(p, "\n");
	*ret = (struct str){p, n};
	return p[n] ? p + n + 1 : p + n;
}

/* "12: (79) …": its number; −1: it is another line. */
static long instruction(struct str line)
{
	size_t i = 0;
	long at = 0;

	while (i < line.n && i < 9 && isdigit((unsigned char)line.p[i]))
		at = at * 10 + (line.p[i++] - '0');
	return i && i + 2 < line.n && line.p[i] == ':' && line.p[i + 1] == ' ' &&
			       line.p[i + 2] == '('
		       ? at
		       : -1;
}

/* "… insn 12 …": errors that are found before the walk name it themselves. */
static long named_instruction(struct str line)
{
	static const char word[] = "insn ";
	const char *at = line.n ? memmem(line.p, line.n, word, sizeof(word) - 1) : NULL;

	if (!at || !isdigit((unsigned char)at[sizeof(word) - 1]))
		return -1;
	return strtol(at + sizeof(word) - 1, NULL, 10);
}

static bool is_noise(struct str line)
{
	static const struct str begins[] = {
		STR("processed "),   STR("verification time"),
		STR("stack depth "), STR("mark_precise"),
		STR("max_states"),   STR("arg#"),
		STR("func#"),	     STR("regs="),
		STR("from "),	     STR("parent didn't"),
		STR("last_idx"),     STR("; "),
		STR("frame"),	     STR("caller:"),
		STR("callee:"),	     STR("returning from"),
		STR("Func#"),	     STR("Validating"),
		STR("old state:"),   STR("cur state:"),
	};

	if (!line.n || isspace((unsigned char)line.p[0]) || instruction(line) >= 0)
		return true;
	/* "12: R1=ctx(…)": what is known of registers */
	if (isdigit((unsigned char)line.p[0]) && memchr(line.p, ':', MIN(line.n, (size_t)9)))
		return true;
	for (size_t i = 0; i < ELEMENTS(begins); i++)
		if (str_starts(line, begins[i]))
			return true;
	return false;
}

static struct span span_at(const struct question_prog *p, long insn)
{
	struct span at = p->span;

	for (uint32_t i = 0; insn >= 0 && i < p->n_lines && p->lines[i].insn <= insn; i++)
		at = p->lines[i].span;
	return at;
}

static void keep_end(const char *log, struct runtime_error *e)
{
	size_t n = strlen(log), room = sizeof(e->log) - 1;
	const char *from = log;

	if (n > room) {
		from = log + n - room;
		from += strcspn(from, "\n");
		from += *from == '\n';
	}
	snprintf(e->log, sizeof(e->log), "%s", from);
}

static void say(const struct question_prog *p, struct str line, int r, struct query_error *e)
{
	char text[200];

	snprintf(text, sizeof(text), "%.*s", (int)MIN(line.n, sizeof(text) - 1), line.p);
	for (size_t i = 0; i < ELEMENTS(sayings); i++) {
		if (!strstr(text, sayings[i].words))
			continue;
		query_fail(e, r, "the kernel refused this: %s (\"%.120s\")", sayings[i].meaning,
			   text);
		if (sayings[i].hint)
			query_hint(e, "%s", sayings[i].hint);
		return;
	}
	query_fail(e, r, "the kernel refused the program %s: %s", p->name, text);
}

void query_refusal(const struct question_prog *p, const char *log, int r, struct query_error *e)
{
	struct str line, last = {NULL, 0};
	long insn = -1;

	for (const char *at = log; (at = next_line(at, &line));) {
		long here = instruction(line);

		if (here >= 0)
			insn = here;
		if (!is_noise(line))
			last = line;
	}
	keep_end(log, &e->error);
	e->span = p->span;
	if (!last.n) {
		query_load_hint(p, r, e);
		return;
	}
	if (named_instruction(last) >= 0)
		insn = named_instruction(last);
	e->span = span_at(p, insn);
	say(p, last, r, e);
}
