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
};

/* Fills q->maps, progs (without code), probes, actions, losses.  False: errors recorded. */
bool lower_program(struct question *q, const struct checked *c, const struct check_options *o,
		   struct lowered *ret);
