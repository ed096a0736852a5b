/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a program, always a valid one: interpreter and machine code leave the same memory.
 * The code for the other machine is only written.
 */
#include "vm/jit/jit-random.h"

#include "runtime/vm/jit/jit.h"

#include <stdlib.h>

enum { INPUTS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void fill(uint64_t *to, int input)
{
	uint64_t x = 0x9e3779b97f4a7c15ull * (uint64_t)(input + 1);

	for (size_t i = 0; i < JIT_MEMORY / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		to[i] = input ? x >> (x & 63) : i;
	}
}

static void run(const struct vm_code *const *c)
{
	uint64_t mem[JIT_HOWS][JIT_MEMORY / 8], r0[JIT_HOWS];

	for (int input = 0; input < INPUTS; input++)
		for (int how = 0; how < JIT_HOWS; how++) {
			fill(mem[how], input);
			r0[how] = jit_code_run(c[how], mem[how], JIT_MEMORY);
			must(r0[how] == r0[0] && !memcmp(mem[how], mem[0], sizeof(mem[0])));
		}
}

static void write_only(struct vm_code *c)
{
	const struct jit_machine *machines[] = {&jit_x86, &jit_arm64};

	for (size_t i = 0; i < ELEMENTS(machines); i++) {
		struct jit j = {.code = c, .machine = machines[i]};

		must(jit_write(&j) >= 0 && j.n_out);
		jit_done(&j);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct bpf_insn p[JIT_PROGRAM_MAX];
	struct jit_made made[JIT_HOWS] = {0};
	struct vm_code *c[JIT_HOWS] = {0};
	size_t n_insns = jit_random(data, n, p);
	bool has_jit = true;

	for (int how = 0; how < JIT_HOWS; how++) {
		c[how] = jit_code(&made[how], p, n_insns, (enum jit_how)how);
		has_jit &= c[how] != NULL;
	}
	must(c[JIT_INTERP]);
	write_only(c[JIT_INTERP]);
	if (has_jit)
		run((const struct vm_code *const *)c);
	for (int how = 0; how < JIT_HOWS; how++)
		code_free(c[how]);
	return 0;
}
