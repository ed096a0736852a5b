/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attach points: from "t:sched:sched_*" to a list of places that exist.
 *
 * Providers are rows of catalog/hooks.def.  Wildcards are expanded against the world;
 * points of one action whose `args` have the same type stay together (one program can
 * serve them), others become copies of the action.
 */
#pragma once

#include "compile/lang/bpftrace/check.h"
#include "compile/lang/bpftrace/ctypes.h"

/*
 * Fill ret->probes.  Missing probes: an error, a warning or nothing, as
 * q->config.missing_probes says.  False: errors were recorded.
 */
bool attach_resolve(struct question *q, struct type_table *t, struct program *p,
		    const struct check_options *o, struct checked *ret);

/* For -l: the names of all probes that match a pattern; with `verbose` their arguments. */
int attach_list(struct world *w, const char *pattern, bool verbose, struct buf *to,
		struct diags *d);
/* The same for what process `pid` has mapped (−1: none): programs' functions and probes too. */
int attach_list_pid(struct world *w, const char *pattern, int pid, bool verbose, struct buf *to,
		    struct diags *d);
