/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the checked tree to IR: maps, actions and losses of the question, one module a
 * program, one probe row an attach point.
 */
#pragma once

#include "compile/ir/ir.h"
#include "compile/lang/bpftrace/check.h"

struct lowered {
	ARRAY(struct ir_module *) modules; /* beside question.progs, same index */
	/*
	 * Called as soon as the maps of the script, and the ring, have their final form: while the
	 * rest is lowered these rows stay as they are, where they are.  NULL: nobody asks.
	 */
	void (*maps_known)(void *ctx, const struct question_map *maps, size_t n);
	void *ctx;
};

/* Fills q->maps, progs (without code), probes, actions, losses.  False: errors recorded. */
bool lower_program(struct question *q, const struct checked *c, const struct check_options *o,
		   struct lowered *ret);
