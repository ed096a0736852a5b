/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions as text, in the form that the kernel's verifier and llvm-objdump use:
 * "r1 = *(u64 *)(r2 + 8)", "if r0 == 0 goto +5", "call 113".
 */
#pragma once

#include "base/str.h"
#include "isa/insn.h"

/* What a number in an instruction stands for; each may be NULL, or give NULL: unknown. */
struct disasm_names {
	const char *(*helper)(void *ctx, int32_t id);
	/* of ldimm64 and calls with a relocation, by index of the instruction */
	const char *(*symbol)(void *ctx, size_t insn);
	void *ctx;
};

/*
 * Append the instruction at p[at], without a newline; `n` is how many there are.  Returns
 * how many slots it took: 2 for ldimm64.  What is no instruction prints as ".byte …".
 */
size_t disasm_one(const struct bpf_insn *p, size_t n, size_t at, const struct disasm_names *names,
		  struct buf *to);
/* All, one a line, each after its number: "   0: r6 = r1". */
void disasm(const struct bpf_insn *p, size_t n, const struct disasm_names *names, struct buf *to);
