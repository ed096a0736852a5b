/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the compile line, the same for all languages: a module of IR is checked,
 * optimized, and becomes a program.
 */
#pragma once

#include "catalog/question.h"
#include "compile/gen/gen.h"
#include "compile/ir/ir.h"
#include "compile/world.h"

struct module_options {
	struct world *world;
	const struct rt_library *rt; /* functions that generated code calls */
	int level;		     /* -O0, -O2 */
	const char *dump;	     /* a phase, "all"; NULL */
	struct buf *dump_to;
};

bool module_wants_dump(const struct module_options *o, const char *phase);

/* How code is generated: asks the world, so it is for one thread. */
struct gen_options module_gen_options(const struct module_options *o);
/*
 * One module becomes one part (gen_part_init() was called): reads the question alone, so that
 * several can be made at once, unless they are dumped.  False: part->diags says why.
 */
bool module_make(const struct question *q, struct ir_module *m, const struct module_options *o,
		 const struct gen_options *options, struct gen_part *part);
/* One, and the question takes it over.  False: q->diags says why. */
bool module_generate(struct question *q, struct ir_module *m, const struct module_options *o,
		     struct question_prog *ret);
