/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passes over IR: one a file, one row each in passes.def, run in the table's order.
 */
#pragma once

#include "compile/ir/ir.h"

struct flow; /* one function in the passes' hands: flow.h */

struct opt_pass {
	const char *name, *help;
	/* One of the two; true: something changed. */
	bool (*run)(struct flow *fl);
	bool (*run_whole)(struct ir_module *m);
	int level; /* -O: run from this level on; 0: always */
};

extern const struct opt_pass opt_passes[]; /* name NULL at the end */

/* One alone, once, over all functions; true: something changed. */
bool opt_run_pass(const struct opt_pass *pass, struct ir_module *m);

/*
 * Run all of `level` in the table's order.  `after`, if not NULL, is called behind each pass that
 * changed something: dumps, checks.
 */
void opt_run(struct ir_module *m, int level,
	     void (*after)(void *ctx, const struct opt_pass *pass, const struct ir_module *m),
	     void *ctx);
