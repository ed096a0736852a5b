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
 * Fill insns, relocs, lines and funcs of `prog` (arena: the question's).  question.globals
 * and rodata are the maps of those spaces, and must be there if the module uses them.
 *
 * The scratch map is made if it is not there; its sizes are the generator's: every program
 * that uses scratch gets an element (question.n_scratch), of which the module's own
 * scratch_size bytes come first, then what had no room on the stack.  So maps may move.
 * False: a diagnostic was recorded (too much stack, a runtime function that is not there).
 */
bool gen_program(struct question *q, const struct ir_module *m, const struct gen_options *o,
		 struct question_prog *prog);
