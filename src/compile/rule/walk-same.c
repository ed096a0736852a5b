/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are two texts of a record the same?  Cheaper than to walk the second one, too.
 *
 * Four words a turn, the last ones shifted so that only the text's bytes count.  What is read
 * behind a text are other bytes of the stage.
 */
#include "compile/rule/walk-step.h"

struct same {
	struct ir_builder b;
	ir_reg frame, x, y, sum;
	struct ir_val at_x, at_y, left;
	uint32_t stop, differs; /* it is over; and `sum` is still to be stored */
};

static struct ir_val word(struct same *s, int32_t off)
{
	return ir_math(&s->b, IR_XOR, ir_load(&s->b, s->x, off, 8, false),
		       ir_load(&s->b, s->y, off, 8, false));
}

static void add(struct same *s, struct ir_val v)
{
	ir_set(&s->b, s->sum, ir_math(&s->b, IR_OR, IR_R(s->sum), v));
}

static void step_on(struct same *s, int32_t member, struct ir_val v)
{
	ir_store(&s->b, s->frame, member, 8, v);
}

/* 32 bytes. */
static void whole(struct same *s)
{
	struct ir_builder *b = &s->b;
	uint32_t go_on = ir_block_new(b);

	for (int32_t i = 0; i < SAME_STRIDE; i += 8)
		add(s, word(s, i));
	step_on(s, SAME_LEFT, ir_math(b, IR_SUB, s->left, IR_I(SAME_STRIDE)));
	step_on(s, SAME_A, ir_math(b, IR_ADD, s->at_x, IR_I(SAME_STRIDE)));
	step_on(s, SAME_B, ir_math(b, IR_ADD, s->at_y, IR_I(SAME_STRIDE)));
	ir_branch(b, IRC_EQ, IR_R(s->sum), IR_I(0), go_on, s->differs);
	ir_block_go(b, go_on);
	ir_return(b, IR_I(0));
}

/* 0 to 31 bytes: words, then the rest of one. */
static void part(struct same *s)
{
	struct ir_builder *b = &s->b;

	for (int32_t i = 0; i < SAME_STRIDE; i += 8) {
		uint32_t some = ir_block_new(b), last = ir_block_new(b), full = ir_block_new(b);
		struct ir_val v, unused;

		ir_branch(b, IRC_ULE, s->left, IR_I(i), s->differs, some);
		ir_block_go(b, some);
		v = word(s, i);
		ir_branch(b, IRC_ULT, s->left, IR_I(i + 8), last, full);
		ir_block_go(b, last);
		unused = ir_math(b, IR_SHL, ir_math(b, IR_SUB, IR_I(i + 8), s->left), IR_I(3));
		add(s, ir_math(b, IR_SHL, v, unused));
		ir_jump(b, s->differs);
		ir_block_go(b, full);
		add(s, v);
	}
	ir_jump(b, s->differs);
}

static ir_reg text(struct same *s, ir_reg stage, struct ir_val at)
{
	ir_reg to = ir_reg_new(&s->b, IRC_PTR, NULL);

	ir_set(&s->b, to, ir_math(&s->b, IR_ADD, IR_R(stage), at));
	return to;
}

uint32_t walk_same_make(struct rule_walks *w)
{
	struct same s = {.b = {.m = w->m}};
	struct ir_builder *b = &s.b;
	uint32_t is_whole, is_part;
	struct ir_val stage;

	b->func = walk_callback(w, "same", &s.frame);
	s.stop = ir_block_new(b);
	s.differs = ir_block_new(b);
	is_whole = ir_block_new(b);
	is_part = ir_block_new(b);
	s.sum = ir_reg_new(b, IRC_INT, "sum");
	ir_set(b, s.sum, IR_I(0));
	s.left = ir_load(b, s.frame, SAME_LEFT, 8, false);
	s.at_x = ir_load(b, s.frame, SAME_A, 8, false);
	s.at_y = ir_load(b, s.frame, SAME_B, 8, false);
	walk_bound(b, s.at_x, WIRE_RECORD_MAX - 1, s.stop);
	walk_bound(b, s.at_y, WIRE_RECORD_MAX - 1, s.stop);
	stage = ir_load(b, s.frame, SAME_STAGE, 8, false);
	ir_here(b)->regs.p[stage.reg].class = IRC_PTR;
	s.x = text(&s, stage.reg, s.at_x);
	s.y = text(&s, stage.reg, s.at_y);
	ir_branch(b, IRC_UGE, s.left, IR_I(SAME_STRIDE), is_whole, is_part);
	ir_block_go(b, is_whole);
	whole(&s);
	ir_block_go(b, is_part);
	part(&s);
	ir_block_go(b, s.differs);
	ir_store(b, s.frame, SAME_DIFFERS, 8, IR_R(s.sum));
	ir_jump(b, s.stop);
	ir_block_go(b, s.stop);
	ir_return(b, IR_I(1));
	return b->func;
}
