/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From IR to eBPF.
 *
 * Instructions are selected block by block, registers allocated by linear scan over live
 * intervals (r6 to r9 live across calls; constants and addresses are made again rather
 * than kept), what does not fit is spilled to the stack, and large slots move to the
 * scratch map: generating never fails for lack of registers or stack.  Runtime functions
 * (runtime/bpf/rt.bpf.c) that a module calls are linked behind it.
 */
#pragma once

#include "catalog/question.h"
#include "compile/ir/ir.h"

struct rt_library; /* the runtime functions, read from their object */

/* Reads the object (ELF) of the runtime functions; -EBADMSG: it is none. */
int rt_library_open(const void *object, size_t n, struct rt_library **ret);
void rt_library_close(struct rt_library *lib);

struct gen_options {
	int cpu;		     /* instruction set version, 1 to 4; 3 is Linux 5.1, 4 is 6.6 */
	const struct rt_library *rt; /* NULL: the module calls no runtime functions */
	bool spill_all;		     /* tests: as if there were no registers to keep values in */
};

/*
 * One program of a question, made apart from it: several may be at once.  It does not move.
 */
struct gen_part {
	struct question_prog *prog; /* borrowed: insns, relocs, lines, funcs are filled in */
	struct arena arena;	    /* of these */
	struct diags diags;	    /* of this program; arena is the same */
	uint32_t scratch_size;	    /* bytes it needs of scratch; 0: none */
	const uint32_t *elements;   /* instructions whose imm names its element of scratch */
	uint32_t n_elements;
};

void gen_part_init(struct gen_part *part, struct question_prog *prog);
/*
 * Make it.  question.globals and rodata are the maps of those spaces, and must be there if the
 * module uses them.  False: a diagnostic was recorded (too much stack, a runtime function that
 * is not there).
 */
bool gen_part(const struct question *q, const struct ir_module *m, const struct gen_options *o,
	      struct gen_part *part);
/*
 * The question takes it over, in the order of its programs.  No map may have been added
 * since the part was made but scratch: that is made here if it is not there, and its sizes are
 * the generator's.  Every program that uses scratch gets an element (question.n_scratch), of
 * which the module's own scratch_size bytes come first, then what had no room on the stack.
 */
void gen_join(struct question *q, struct gen_part *part);

/* All of it at once. */
bool gen_program(struct question *q, const struct ir_module *m, const struct gen_options *o,
		 struct question_prog *prog);
