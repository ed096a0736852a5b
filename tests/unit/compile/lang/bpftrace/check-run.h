/* SPDX-License-Identifier: Apache-2.0 */
/* One program through parser, expansion and checker, on a machine made of tables. */
#pragma once

#include "compile/lang/bpftrace/check.h"

struct check_run {
	struct question q;
	struct checked checked;
	struct program *program;
	struct world *world;
	struct buf text; /* all messages */
	bool ok;
};

enum { RUN_UNSAFE = 1, RUN_BARE = 2 /* a kernel that has the least */ };

void check_run(struct check_run *r, const char *program, unsigned int flags);
void check_run_done(struct check_run *r);
/* "$x", "@m" (its value), "@m[]" (its key) as messages write it; NULL: there is none. */
const char *check_run_type(struct check_run *r, const char *name);
