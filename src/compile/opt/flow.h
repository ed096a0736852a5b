/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes ask about a function: who writes a register, which block comes before which.
 *
 * Registers are not SSA, but most are written once; such a register ("fixed") has one value
 * from its definition on.  ir_check() promises that every path to a read passes a write, so
 * the one definition of a fixed register dominates its reads, and if all operands of an
 * expression are fixed, it has the same value wherever its result can be read.
 *
 * Most passes change nothing most of the time, and only two change ways between blocks.  So
 * what was found out about a function is kept from pass to pass: flow_defs() and the others
 * work it out only if it is not there.  Who adds, moves or drops instructions, or lets one write
 * something else, has to forget it: flow_forget(); who changes ends of blocks forgets their
 * order.  To read something else, or to compute the same result in another way, is neither.
 */
#pragma once

#include "compile/ir/op.h"

struct flow {
	struct arena *keep;    /* of all below */
	struct arena *scratch; /* of a pass, as long as it is at one function */
	struct ir_module *m;
	struct ir_func *f;
	bool has_defs, has_order, has_idoms;
	bool has_variables;		       /* some register is written more than once */
	size_t reg_room, block_room, way_room; /* what the tables have room for */
	/* flow_defs() */
	uint32_t *n_defs, *n_uses; /* by register; a parameter is written at the start */
	struct ir_insn **def;	   /* of fixed registers; NULL: a parameter, or not fixed */
	/* flow_order() */
	uint32_t *order, n_order;   /* reachable blocks, in reverse postorder */
	uint32_t *rank;		    /* by block: place in order; UINT32_MAX: unreachable */
	uint32_t *n_preds, **preds; /* by block */
	uint32_t *ways;		    /* what preds point into */
	uint32_t *idom;		    /* flow_idoms(): by block, the next that every way to it passes;
				       of the first: itself */
};

/* Who writes; valid until an instruction moves. */
void flow_defs(struct flow *fl);
void flow_uses(struct flow *fl); /* how often each is read, as of now; not kept */
/* Order and predecessors; valid until an end of a block changes. */
void flow_order(struct flow *fl);
void flow_idoms(struct flow *fl); /* with flow_order() */
/* Instructions moved or write something else; ends of blocks changed. */
static inline void flow_forget(struct flow *fl)
{
	fl->has_defs = false;
}
static inline void flow_forget_order(struct flow *fl)
{
	fl->has_order = fl->has_idoms = false;
}

static inline bool flow_is_fixed(const struct flow *fl, ir_reg r)
{
	return fl->n_defs[r] == 1;
}
/* A number, or a fixed register. */
static inline bool flow_is_fixed_val(const struct flow *fl, struct ir_val v)
{
	return !v.reg || fl->n_defs[v.reg] == 1;
}
/* The instruction that makes a fixed register; NULL: none. */
static inline struct ir_insn *flow_def(const struct flow *fl, struct ir_val v)
{
	return v.reg ? fl->def[v.reg] : NULL;
}
/*
 * Does `v`, as `i` (in block b) read it, have the same value right before `before` (same
 * block; NULL: the end)?
 */
bool flow_is_unchanged(const struct flow *fl, struct ir_val v, const struct ir_insn *i,
		       const struct ir_insn *before, const struct ir_block *b);

/* Make `i` an instruction that only moves or computes; dst and span stay. */
void flow_become(struct ir_insn *i, enum ir_op op, struct ir_val a, struct ir_val b);
/* Instructions whose op is IR_OPS are taken out of the block. */
void flow_sweep(struct ir_block *b);

/* Registers that are read later, for each block: sets of bits. */
struct live {
	size_t words;
	uint64_t *out; /* block * words */
};
void flow_live(struct flow *fl, struct live *ret); /* of scratch */

static inline bool live_has(const uint64_t *set, ir_reg r)
{
	return set[r / 64] >> r % 64 & 1;
}
static inline void live_set(uint64_t *set, ir_reg r, bool on)
{
	set[r / 64] = (set[r / 64] & ~(1ull << r % 64)) | (uint64_t)on << r % 64;
}
