/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/rule/walk.h"

#include "compile/rule/walk-step.h"

#include <assert.h>

void rule_walks_init(struct rule_walks *w, const struct rule_tables *tables, struct ir_module *m,
		     bool has_loop)
{
	*w = (struct rule_walks){.tables = tables, .m = m, .has_loop = has_loop};
	w->steps = arena_array(m->arena, uint32_t, tables->tables.n + 1);
}

static struct walk_frame *frame_of(struct rule_walks *w, const struct ir_builder *b)
{
	for (size_t i = 0; i < w->frames.n; i++)
		if (w->frames.p[i].func == b->func)
			return &w->frames.p[i];
	return array_push(w->m->arena, &w->frames,
			  ((struct walk_frame){b->func, UINT32_MAX, UINT32_MAX}));
}

static ir_reg walk_frame(struct rule_walks *w, struct ir_builder *b)
{
	struct walk_frame *f = frame_of(w, b);
	uint32_t words = 1;

	for (size_t i = 0; i < w->tables->tables.n; i++)
		words = MAX(words, w->tables->tables.p[i].n_words);
	if (f->walk == UINT32_MAX)
		f->walk = ir_slot_new(b, WALK_BITS + words * 8, 8, "walk");
	return ir_slot_addr(b, f->walk, 0);
}

static const struct rule_table *table_of(const struct rule_walks *w)
{
	return &w->tables->tables.p[w->table];
}

/*
 * What is not known is computed, never branched on: verifiers would follow the rest of the
 * program once for each outcome of each walk.
 */

/* 1 if x < 0, else 0. */
static struct ir_val is_negative(struct ir_builder *b, struct ir_val x)
{
	return ir_math(b, IR_SHR, x, IR_I(63));
}

static struct ir_val is_more(struct ir_builder *b, struct ir_val x, struct ir_val than)
{
	return is_negative(b, ir_math(b, IR_SUB, than, x));
}

static bool is_plain(const struct rule_walks *w)
{
	return !w->has_loop && w->tables->turns < 0;
}

/* Nothing but calls, each followed by the verifier. */
static void plain_turns(struct ir_builder *b, uint32_t func, ir_reg frame, uint32_t rounds)
{
	uint32_t turn = ir_block_new(b), next = ir_block_new(b), done = ir_block_new(b);
	ir_reg i = ir_reg_new(b, IRC_INT, "turn");
	struct ir_val r;

	ir_set(b, i, IR_I(0));
	ir_jump(b, turn);
	ir_block_go(b, turn);
	r = IR_R(ir_call_func(b, func, (const struct ir_val[]){IR_R(i), IR_R(frame)}, 2));
	ir_branch(b, IRC_NE, r, IR_I(0), done, next);
	ir_block_go(b, next);
	ir_set(b, i, ir_math(b, IR_ADD, IR_R(i), IR_I(1)));
	ir_branch(b, IRC_ULT, IR_R(i), IR_I(rounds), turn, done);
	ir_block_go(b, done);
}

/*
 * Calls `func` with the frame until it says 1, at most `n` times, for which there is a helper;
 * or as often as a map has elements: then 1 if that was not enough; or `rounds` times.
 */
static struct ir_val turns(struct rule_walks *w, struct ir_builder *b, uint32_t func, ir_reg frame,
			   struct ir_val n, uint32_t rounds)
{
	ir_reg r;

	if (w->has_loop) {
		IR_CALL(b, BPF_FUNC_loop, IRC_INT, n, IR_R(ir_func_addr(b, func)), IR_R(frame),
			IR_I(0));
		return IR_I(0);
	}
	if (is_plain(w)) {
		plain_turns(b, func, frame, rounds);
		return IR_I(0);
	}
	r = IR_CALL(b, BPF_FUNC_for_each_map_elem, IRC_INT,
		    IR_R(ir_map_addr(b, (uint32_t)w->tables->turns)), IR_R(ir_func_addr(b, func)),
		    IR_R(frame), IR_I(0));
	return is_more(b, IR_R(r), IR_I(RULE_TURNS - 1));
}

void walk_begin(struct rule_walks *w, struct ir_builder *b, uint32_t table, ir_reg stage)
{
	ir_reg frame = walk_frame(w, b);

	w->table = table;
	w->unknown = ir_reg_new(b, IRC_INT, "unknown");
	ir_set(b, w->unknown, IR_I(0));
	ir_store(b, frame, WALK_STAGE, 8, IR_R(stage));
	ir_store(b, frame, WALK_STATE, 8, IR_I(table_of(w)->start));
	for (uint32_t i = 0; i < table_of(w)->n_words; i++)
		ir_store(b, frame, WALK_BITS + (int32_t)i * 8, 8,
			 IR_I((int64_t)table_of(w)->always[i]));
}

static void note_unknown(struct rule_walks *w, struct ir_builder *b, struct ir_val v)
{
	ir_set(b, w->unknown, ir_math(b, IR_OR, IR_R(w->unknown), v));
}

/* A place that no record has is walked, too: the step looks where it is. */
void walk_text(struct rule_walks *w, struct ir_builder *b, struct ir_val off, struct ir_val len)
{
	uint32_t some = ir_block_new(b), done = ir_block_new(b);
	ir_reg frame = walk_frame(w, b);
	struct ir_val end = ir_math(b, IR_ADD, off, len), long_, alive;

	if (!w->steps[w->table])
		w->steps[w->table] =
			is_plain(w) ? walk_turn_make(w, w->table) : walk_step_make(w, w->table);
	note_unknown(w, b, is_more(b, end, IR_I(WIRE_RECORD_MAX)));
	ir_branch(b, IRC_EQ, len, IR_I(0), done, some);
	ir_block_go(b, some);
	ir_store(b, frame, WALK_AT, 8, off);
	ir_store(b, frame, WALK_END, 8, end);
	note_unknown(w, b,
		     turns(w, b, w->steps[w->table], frame, ir_math(b, IR_ADD, len, IR_I(1)),
			   WALK_PLAIN_MAX / WALK_STRIDE));
	if (is_plain(w)) { /* too long, and it did not end before */
		long_ = is_more(b, len, IR_I(WALK_PLAIN_MAX));
		alive = is_more(b, ir_load(b, frame, WALK_STATE, 8, false), IR_I(0));
		note_unknown(w, b, ir_math(b, IR_AND, long_, alive));
	}
	ir_jump(b, done);
	ir_block_go(b, done);
}

void walk_byte(struct rule_walks *w, struct ir_builder *b, uint8_t byte)
{
	const struct rule_table *t = table_of(w);
	uint32_t done = ir_block_new(b), rare = ir_block_new(b), plain = ir_block_new(b);
	ir_reg frame = walk_frame(w, b), from = ir_reg_new(b, IRC_PTR, NULL);
	ir_reg state = ir_reg_new(b, IRC_INT, "state");

	ir_set(b, state, ir_load(b, frame, WALK_STATE, 8, false));
	walk_bound(b, IR_R(state), t->rows_size - t->pitch, done);
	ir_set(b, from,
	       ir_math(b, IR_ADD,
		       IR_R(ir_map_value_addr(b, w->tables->map, t->rows + t->class_of[byte] * 4u)),
		       IR_R(state)));
	ir_set(b, state, ir_load(b, from, 0, 4, false));
	ir_branch(b, IRC_UGT, IR_R(state), IR_I(t->rows_size - t->pitch), rare, plain);
	ir_block_go(b, rare);
	ir_set(b, state, ir_math(b, IR_AND, IR_R(state), IR_I((int64_t)(RULE_ROW_STOP - 1))));
	walk_add_set(w, b, t, frame, state, 0, done);
	ir_jump(b, plain);
	ir_block_go(b, plain);
	ir_store(b, frame, WALK_STATE, 8, IR_R(state));
	ir_jump(b, done);
	ir_block_go(b, done);
}

struct ir_val walk_end(struct rule_walks *w, struct ir_builder *b)
{
	ir_reg frame = walk_frame(w, b), state = ir_reg_new(b, IRC_INT, "state");
	uint32_t done = ir_block_new(b);

	ir_set(b, state, ir_load(b, frame, WALK_STATE, 8, false));
	walk_add_set(w, b, table_of(w), frame, state, 1, done);
	ir_jump(b, done);
	ir_block_go(b, done);
	return IR_R(w->unknown);
}

struct ir_val walk_word(struct rule_walks *w, struct ir_builder *b, uint32_t i)
{
	assert(i < table_of(w)->n_words);
	return ir_load(b, walk_frame(w, b), WALK_BITS + (int32_t)i * 8, 8, false);
}

struct ir_val walk_comm_length(struct ir_builder *b, ir_reg stage, int32_t off, unsigned int room)
{
	ir_reg n = ir_reg_new(b, IRC_INT, "length");
	uint32_t done = ir_block_new(b);

	for (unsigned int i = 0; i < room; i++) {
		uint32_t next = ir_block_new(b);

		ir_set(b, n, IR_I(i));
		ir_branch(b, IRC_EQ, ir_load(b, stage, off + (int32_t)i, 1, false), IR_I(0), done,
			  next);
		ir_block_go(b, next);
	}
	ir_set(b, n, IR_I(room));
	ir_jump(b, done);
	ir_block_go(b, done);
	return IR_R(n);
}

struct ir_val walk_same(struct rule_walks *w, struct ir_builder *b, ir_reg stage,
			struct ir_val off_a, struct ir_val len_a, struct ir_val off_b,
			struct ir_val len_b)
{
	uint32_t compare = ir_block_new(b), done = ir_block_new(b);
	ir_reg same = ir_reg_new(b, IRC_INT, "same"), frame;
	struct walk_frame *f = frame_of(w, b);
	struct ir_val open;

	if (!w->same)
		w->same = walk_same_make(w);
	if (f->same == UINT32_MAX)
		f->same = ir_slot_new(b, SAME_SIZE, 8, "same");
	ir_set(b, same, IR_I(0));
	ir_branch(b, IRC_NE, len_a, len_b, done, compare);
	ir_block_go(b, compare);
	walk_bound(b, ir_math(b, IR_ADD, off_a, len_a), WIRE_RECORD_MAX, done);
	walk_bound(b, ir_math(b, IR_ADD, off_b, len_b), WIRE_RECORD_MAX, done);
	frame = ir_slot_addr(b, f->same, 0);
	ir_store(b, frame, SAME_STAGE, 8, IR_R(stage));
	ir_store(b, frame, SAME_A, 8, off_a);
	ir_store(b, frame, SAME_B, 8, off_b);
	/* cut, though it is below: what the comparison finds out of it is not found out of len_a */
	ir_store(b, frame, SAME_LEFT, 8, ir_math(b, IR_AND, len_a, IR_I(WALK_AT_MASK)));
	ir_store(b, frame, SAME_DIFFERS, 8, IR_I(0));
	open = turns(w, b, w->same, frame,
		     ir_math(b, IR_ADD, ir_math(b, IR_SHR, len_a, IR_I(5)), IR_I(1)),
		     WALK_PLAIN_MAX / SAME_STRIDE);
	if (is_plain(w))
		open = is_more(b, len_a, IR_I(WALK_PLAIN_MAX));
	ir_set(b, same,
	       ir_compare(b, IRC_EQ,
			  ir_math(b, IR_OR, ir_load(b, frame, SAME_DIFFERS, 8, false), open),
			  IR_I(0)));
	ir_jump(b, done);
	ir_block_go(b, done);
	return IR_R(same);
}
