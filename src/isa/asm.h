/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text becomes instructions: exactly the text that disasm.h prints, and labels.
 *
 *	r0 = 0			# a comment, as is what follows a ;
 *	if r1 == 0 goto done
 *	r0 = *(u32 *)(r1 + 4)
 *	call twice		# a function behind a label
 *   done:
 *	exit
 *
 * A line is an instruction, behind any number of labels; the numbers of a listing ("12:") are
 * labels that nobody uses.  Jumps, calls and func[…] take a label or a distance ("+3").  What is
 * no instruction can be written too, for tests: ".byte code 0xDS off imm".
 */
#pragma once

#include "base/diag/diag.h"
#include "isa/insn.h"

/* Names of helpers: "call map_lookup_elem"; they come before labels.  NULL: there are none. */
struct asm_names {
	bool (*helper)(void *ctx, struct str name, int32_t *ret);
	void *ctx;
};

struct asm_program {
	struct bpf_insn *insns; /* ldimm64 are two of them */
	struct span *spans;	/* of each */
	size_t n;
};

/* Assemble the source `file` of d->sources into the arena.  False: d has errors, with spans. */
bool asm_parse(struct diags *d, uint32_t file, const struct asm_names *names, struct arena *arena,
	       struct asm_program *ret);
