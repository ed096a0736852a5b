/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that make random programs share; others include gen-random.h. */
#pragma once

#include "compile/gen-random.h"

enum { VARIABLES = 5, INPUTS = 3, SLOTS = 3, SLOT_SIZE = 32 };

/* One module being made, in one of its functions. */
struct maker {
	struct ir_builder b;
	const struct random_options *o;
	uint64_t state;
	uint32_t n_funcs;
	ir_reg variables[VARIABLES + 5];
	ir_reg inputs[INPUTS]; /* written once, at the start */
	unsigned int n_variables, n_slots;
	struct ir_val temps[8]; /* made in this block, may be read until it ends */
	unsigned int n_temps, depth, loops;
	uint32_t large, large_size; /* a slot, if wide */
	uint32_t budget;	    /* statements left in the function */
};

uint32_t random_pick(struct maker *k, uint32_t n); /* below n */
int64_t random_number(struct maker *k);
struct ir_val random_operand(struct maker *k); /* a number, or a register that holds one */
struct ir_val random_keep(struct maker *k, struct ir_val v); /* later operands may be it */
void random_enter(struct maker *k, uint32_t block);
void random_statement_more(struct maker *k); /* one of those of gen-random-more.c */

#define pick	random_pick
#define number	random_number
#define operand random_operand
#define keep	random_keep
#define enter	random_enter
