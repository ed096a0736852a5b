/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of the JIT's tests: made of any bytes, always valid, always ending.
 *
 * r1 is memory of JIT_MEMORY bytes: registers begin with what is in it and end in it.  No number
 * depends on an address.  Whatever the bytes are, each engine must leave the same memory.
 */
#pragma once

#include "runtime/vm/run.h"

enum { JIT_MEMORY = 256, JIT_PROGRAM_MAX = 4096 };

/* Returns the number of instructions. */
size_t jit_random(const uint8_t *bytes, size_t n, struct bpf_insn to[JIT_PROGRAM_MAX]);

/* An object of one program, for code_make(). */
struct jit_made {
	struct vm_object object;
	struct vm_prog prog;
	struct vm_map *maps[4];
};
/* NULL: not made; jit plain: without instructions that only newer processors have. */
enum jit_how { JIT_INTERP, JIT_BEST, JIT_PLAIN, JIT_HOWS };
struct vm_code *jit_code(struct jit_made *m, const struct bpf_insn *p, size_t n, enum jit_how how);
uint64_t jit_code_run(const struct vm_code *c, void *mem, uint64_t second);
