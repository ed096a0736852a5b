/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the compile line, the same for all languages: a module of IR is checked,
 * optimized, and becomes a program.
 */
#pragma once

#include "catalog/question.h"
#include "compile/ir/ir.h"
#include "compile/world.h"

struct rt_library;

struct module_options {
	struct world *world;
	const struct rt_library *rt; /* functions that generated code calls */
	int level;		     /* -O0, -O2 */
	const char *dump;	     /* a phase, "all"; NULL */
	struct buf *dump_to;
};

bool module_wants_dump(const struct module_options *o, const char *phase);
/* False: q->diags says why. */
bool module_generate(struct question *q, struct ir_module *m, const struct module_options *o,
		     struct question_prog *ret);
