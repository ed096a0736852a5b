/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of fold share.  Nobody else includes this. */
#pragma once

#include "compile/lang/bpftrace/expander.h"

/* Make a literal of a node; its place stays. */
void literal_set_int(struct expr *e, uint64_t number, bool is_negative);
void literal_set_bool(struct expr *e, bool value);

/*
 * What a comparison or logical operator gives, when `order` says how the operands compare
 * and `a` and `b` whether they are true.  False: it is no such operator.
 */
bool fold_compare(enum expr_op op, int order, bool a, bool b, bool *ret);
/* Both operands are EXPR_INT.  False: the result does not fit, `e` is as it was. */
bool fold_int_binary(struct expr *e);
/* The same for one; an operator that is none of ! ~ − changes nothing. */
bool fold_int_unary(struct expr *e);
