/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of the fixpoint: loops and what they do to variables, joins of states,
 * how often a loop goes round.  What it is all about: fixpoint.c.
 */
#pragma once

#include "runtime/vm/verify/internal.h"

/* Variables of a function: r0 … r9, then the slots of its stack. */
enum { VAR_SLOT = 10, VAR_COUNT = VAR_SLOT + SLOTS_MAX, VAR_NONE = 0xff };

/*
 * A value, by what a variable was when the loop's head was last reached: that, plus something
 * from lo to hi; the square of that; or the variable halved, once at least.  NONE: nothing is
 * known of it.
 */
enum fix_kind { FIX_SUM, FIX_SQUARE, FIX_HALVED };
struct fix_value {
	uint8_t var;
	uint8_t kind;	 /* enum fix_kind */
	bool is_32;	 /* it was cut to 32 bits on the way: true only if that changed nothing */
	bool is_31;	 /* … and was sign-extended from there */
	bool is_shifted; /* it is 32 bits to the left */
	int32_t lo, hi;
	int32_t seen_lo, seen_hi; /* the same, of all that it was on the way here */
};

/* A conditional jump that every round passes, on one side. */
struct fix_guard {
	uint32_t insn;
	bool is_taken;	       /* the side that stays */
	struct fix_value a, b; /* operands; b.var NONE: the immediate, or unknown */
};

struct fix_loop {
	uint32_t head, func;
	uint64_t *body; /* bits: instructions */
	uint32_t size;
	struct fix_value back[VAR_COUNT]; /* what came of each variable in a round */
	ARRAY(struct fix_guard) guards;
};

struct fix_flow {
	ARRAY(struct fix_loop) loops;
	uint32_t *loop_at;	/* by instruction: index + 1 of the loop that begins there */
	uint8_t *preds;		/* by instruction: ways to it, at most 2 */
	ARRAY(uint64_t) limits; /* numbers of the program where widening stops; sorted */
};

static inline bool fix_in_loop(const struct fix_loop *l, uint32_t insn)
{
	return l->body[insn / 64] >> insn % 64 & 1;
}
/* What the program's loops are.  -E2BIG: too many; -ENOTSUP: loops of several heads. */
int fix_flow_find(struct verifier *v, struct fix_flow *ret);
/* What a round of the loop does to each variable, and its guards. */
void fix_round_find(struct verifier *v, struct fix_loop *l, const struct fix_flow *flow);
/* Where an instruction leads, inside its function; how many ways (0 to 2). */
unsigned int fix_ways(const struct verifier *v, uint32_t insn, uint32_t to[2]);

/* --- fixpoint-join.c */
struct fix_join {
	struct verifier *v;
	const struct fix_flow *flow;
	const struct fix_value *skip; /* of a loop: leave variables alone that it only counts */
	bool is_trial;		      /* change nothing: would it? */
	bool widens, widens_far;
	bool has_changed, has_failed; /* out */
};
/* Make `to` hold `from`, too.  has_failed: the two cannot be one. */
void fix_join(struct fix_join *j, struct state *to, const struct state *from);
/* Forget what does not matter at `insn`, and what ties numbers together. */
void fix_forget(struct verifier *v, struct state *s, uint32_t insn);
bool fix_same_calls(const struct state *a, const struct state *b);

/* --- fixpoint-trips.c */
/*
 * What rounds do to each variable (VAR_COUNT of them), for who enters in `entry`: the loop's own
 * values, and those of variables that run behind another one.
 */
void fix_back_find(const struct fix_loop *l, const struct state *entry, struct fix_value *ret);
/* Is the variable one that rounds only count up or down, or leave alone? */
bool fix_is_counted(const struct fix_value *back, unsigned int var);
/* How often the head can be reached again, at most, by who enters in `entry`. */
bool fix_trips(struct verifier *v, const struct fix_loop *l, const struct fix_value *back,
	       const struct state *entry, uint64_t *ret);
/* From what it is at the entry to what it can be in any of `trips` rounds. */
void fix_accelerate(struct verifier *v, const struct fix_value *back, uint64_t trips,
		    struct state *s);
/* The variable part of a pointer's offset begins at 0, if it can. */
void fix_rebase(struct reg *r);
