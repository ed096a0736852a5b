/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where answers come from: the running query's maps and stacks, this machine's symbols
 * and cgroups.
 */
#pragma once

#include "agent/trace.h"
#include "event/answer/answer.h"
#include "runtime/query.h"

struct symbols;

/* All zero: none.  Stays where it is: `answers` points into it. */
struct trace_source {
	struct answer_source answers;
	const struct question *q; /* borrowed, as the query is */
	struct query *query;
	struct symbols *symbols;      /* owned; made when first asked */
	struct trace_cgroup *cgroups; /* owned: paths that were found */
};

void trace_source_init(struct trace_source *s, const struct question *q, struct query *query,
		       const struct trace_options *o);
void trace_source_done(struct trace_source *s);
