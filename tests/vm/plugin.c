/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program for one engine, as the public conformance suite asks (tests/bench/conformance):
 *
 *	vm-plugin [MEMORY] [--interp|--jit] <PROGRAM
 *
 * PROGRAM and MEMORY are pairs of hex digits.  Prints r0 in hex; what is refused goes to standard
 * error, and the exit status is 1.  It is linked with the embedded runtime alone, so that it runs
 * on machines that skep itself is not built for.
 */
#include "runtime/vm/run.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 1 << 20 };

static size_t read_hex(const char *s, uint8_t *to)
{
	size_t n = 0;
	unsigned int v;

	while (n < ROOM) {
		while (isspace((unsigned char)*s))
			s++;
		if (sscanf(s, "%2x", &v) != 1)
			break;
		to[n++] = (uint8_t)v;
		s += 2;
	}
	return n;
}

static int run(const struct vm_object *o, enum vm_engine engine, void *mem, size_t n)
{
	struct code_options options = {.engine = engine, .is_unverified = true};
	struct vm_run run = {0};
	struct vm_code *code;
	char why[200] = "";
	uint64_t r0;

	if (code_make(o, 0, NULL, &options, &code, why, sizeof(why)) < 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	r0 = code_run(code, &run, n ? mem : NULL, n);
	code_free(code);
	if (run.failure[0]) {
		fprintf(stderr, "%s\n", run.failure);
		return 1;
	}
	printf("%llx\n", (unsigned long long)r0);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *text = xalloc(3 * ROOM);
	_cleanup_free_ uint8_t *bytes = xalloc(ROOM + 8), *mem = xalloc(ROOM + 8);
	enum vm_engine engine = VM_INTERP;
	size_t n, n_mem = 0;
	struct vm_prog prog = {.name = "program", .section = ""};
	struct vm_object object = {.license = "GPL", .progs = {.p = &prog, .n = 1}};

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--jit"))
			engine = VM_JIT;
		else if (strcmp(argv[i], "--interp"))
			n_mem = read_hex(argv[i], mem);
	}
	text[fread(text, 1, 3 * ROOM - 1, stdin)] = 0;
	n = read_hex(text, bytes);
	prog.insns = (struct bpf_insn *)bytes;
	prog.n_insns = (uint32_t)(n / sizeof(*prog.insns));
	return run(&object, engine, mem, n_mem);
}
