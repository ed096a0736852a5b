/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that walks call, several bytes a turn; and the frame that they share with them. */
#pragma once

#include "catalog/wire/rule.h"
#include "compile/rule/walk.h"

/* The frame of a walk. */
enum {
	WALK_STAGE = 0,
	WALK_AT = 8,   /* next byte of the text, from the stage's beginning */
	WALK_END = 16, /* behind its last */
	WALK_STATE = 24,
	WALK_BITS = 32,
};

/* The frame of a comparison. */
enum {
	SAME_STAGE = 0,
	SAME_A = 8,
	SAME_B = 16,
	SAME_LEFT = 24,	   /* bytes */
	SAME_DIFFERS = 32, /* all bits in which they differ */
	SAME_SIZE = 40,
};

/*
 * Positions are cut to this, which changes none: so that to verifiers they are numbers of one
 * range, on whatever way they came about, and numbers of their own: what is found out of them
 * is not found out of the caller's, who would go on with one more kind of state for each turn.
 */
enum { WALK_AT_MASK = 2 * WIRE_RECORD_MAX - 1 };

enum { WALK_STRIDE = 8, SAME_STRIDE = 32 };

/*
 * Callbacks of bpf_loop(): f(turn, frame), or of bpf_for_each_map_elem(): f(map, key, value,
 * frame).  1: it is over.  Index of the function.
 */
uint32_t walk_step_make(struct rule_walks *w, uint32_t table);
uint32_t walk_turn_make(struct rule_walks *w, uint32_t table); /* for where there is no such loop */
uint32_t walk_same_make(struct rule_walks *w);

/* Adds a function that is such a callback, or is called plainly; register of its frame. */
uint32_t walk_callback(struct rule_walks *w, const char *name, ir_reg *ret_frame);

/*
 * `state` is a row's offset, of a number that may be any: go to `otherwise` if it is outside
 * of the table, else or the set in column n_classes + `column` into the frame's bits.
 */
void walk_add_set(struct rule_walks *w, struct ir_builder *b, const struct rule_table *t,
		  ir_reg frame, ir_reg state, unsigned int column, uint32_t otherwise);
/* Go to `otherwise` if x > max; goes on in a new block. */
void walk_bound(struct ir_builder *b, struct ir_val x, uint64_t max, uint32_t otherwise);
