/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a walk does with the next bytes.
 *
 * A byte costs two loads that wait for nothing (the byte, its class), one that waits for the
 * one before (the row's entry), and one comparison: entries of dead states and of states that
 * set bits are larger than any row's offset, so that the comparison which verifiers want to
 * see before a table is read finds them, too.  Such a byte ends the turn: the function notes
 * where it stands, sets the bits, and is called again.
 */
#include "compile/rule/walk-step.h"

void walk_bound(struct ir_builder *b, struct ir_val x, uint64_t max, uint32_t otherwise)
{
	uint32_t ok = ir_block_new(b);

	ir_branch(b, IRC_UGT, x, IR_I((int64_t)max), otherwise, ok);
	ir_here(b)->blocks.p[b->block].unlikely = true;
	ir_block_go(b, ok);
}

uint32_t walk_callback(struct rule_walks *w, const char *name, ir_reg *ret_frame)
{
	bool of_map = !w->has_loop && w->tables->turns >= 0;
	struct ir_func *f = ir_func_add(w->m, name, of_map ? 4 : 2);

	if (of_map) {
		f->regs.p[1].class = IRC_MAP;
		f->regs.p[2].class = f->regs.p[3].class = IRC_PTR;
	}
	*ret_frame = of_map ? 4 : 2;
	f->regs.p[*ret_frame].class = IRC_PTR;
	return ir_func_index(w->m, f);
}

static ir_reg pointer(struct ir_builder *b, ir_reg base, struct ir_val off)
{
	ir_reg to = ir_reg_new(b, IRC_PTR, NULL);

	ir_set(b, to, ir_math(b, IR_ADD, IR_R(base), off));
	return to;
}

static ir_reg load_pointer(struct ir_builder *b, ir_reg base, int32_t off)
{
	struct ir_val v = ir_load(b, base, off, 8, false);

	ir_here(b)->regs.p[v.reg].class = IRC_PTR;
	return v.reg;
}

void walk_add_set(struct rule_walks *w, struct ir_builder *b, const struct rule_table *t,
		  ir_reg frame, ir_reg state, unsigned int column, uint32_t otherwise)
{
	uint32_t at = t->rows + (t->n_classes + column) * 4;
	struct ir_val set;
	ir_reg from;

	walk_bound(b, IR_R(state), t->rows_size - t->pitch, otherwise);
	from = pointer(b, ir_map_value_addr(b, w->tables->map, at), IR_R(state));
	set = ir_load(b, from, 0, 4, false);
	walk_bound(b, set, t->sets_size - t->n_words * 8, otherwise);
	from = pointer(b, ir_map_value_addr(b, w->tables->map, t->sets), set);
	for (uint32_t i = 0; i < t->n_words; i++) {
		int32_t off = WALK_BITS + (int32_t)i * 8;
		struct ir_val have = ir_load(b, frame, off, 8, false);

		ir_store(b, frame, off, 8,
			 ir_math(b, IR_OR, have, ir_load(b, from, (int32_t)i * 8, 8, false)));
	}
}

/* --- the bytes of a turn */

struct step {
	struct rule_walks *w;
	const struct rule_table *t;
	struct ir_builder b;
	ir_reg turn, frame, text, left, state;
	uint32_t over; /* the text has ended, or there is nothing more to find */
	uint32_t stop; /* the same, and the frame is as it has to be */
};

/* The text ends at byte k, or the state behind it is in s->state. */
static void one_byte(struct step *s, unsigned int k)
{
	uint32_t map = s->w->tables->map;
	struct ir_builder *b = &s->b;
	ir_reg from;

	if (k) {
		uint32_t on = ir_block_new(b);

		ir_branch(b, IRC_ULE, IR_R(s->left), IR_I(k), s->over, on);
		ir_block_go(b, on);
	}
	from = pointer(b, ir_map_value_addr(b, map, s->t->classes),
		       ir_load(b, s->text, (int32_t)k, 1, false));
	from = pointer(b, ir_map_value_addr(b, map, s->t->rows),
		       ir_math(b, IR_SHL, ir_load(b, from, 0, 1, false), IR_I(2)));
	from = pointer(b, from, IR_R(s->state));
	ir_set(b, s->state, ir_load(b, from, 0, 4, false));
}

/* Where an entry is marked, to `rare`; goes on in a new block. */
static void look_for_mark(struct step *s, uint32_t rare)
{
	walk_bound(&s->b, IR_R(s->state), s->t->rows_size - s->t->pitch, rare);
}

static void clear_mark(struct step *s)
{
	uint32_t lives = ir_block_new(&s->b);

	ir_set(&s->b, s->state,
	       ir_math(&s->b, IR_AND, IR_R(s->state), IR_I((int64_t)(RULE_ROW_STOP - 1))));
	ir_branch(&s->b, IRC_EQ, IR_R(s->state), IR_I(0), s->over, lives);
	ir_block_go(&s->b, lives);
}

/* Everything up to the first byte. */
static void step_begin(struct step *s, const char *name, uint32_t table, bool counts_turns)
{
	const char *full = arena_printf(s->w->m->arena, "%s%u", name, table);
	struct ir_builder *b = &s->b;
	struct ir_val at;
	uint32_t go_on;

	*b = (struct ir_builder){.m = s->w->m, .func = walk_callback(s->w, full, &s->frame)};
	s->turn = 1;
	s->stop = ir_block_new(b);
	s->over = ir_block_new(b);
	go_on = ir_block_new(b);
	s->state = ir_reg_new(b, IRC_INT, "state");
	at = ir_load(b, s->frame, WALK_AT, 8, false);
	if (counts_turns) {
		at = ir_math(b, IR_ADD, at, ir_math(b, IR_SHL, IR_R(s->turn), IR_I(3)));
		at = ir_math(b, IR_AND, at, IR_I(WALK_AT_MASK));
	}
	s->left = ir_to_reg(b, ir_math(b, IR_SUB, ir_load(b, s->frame, WALK_END, 8, false), at));
	/* nothing is left, or less than nothing */
	ir_branch(b, IRC_SLE, IR_R(s->left), IR_I(0), s->stop, go_on);
	ir_block_go(b, go_on);
	walk_bound(b, at, WIRE_RECORD_MAX - 1, s->stop);
	ir_set(b, s->state, ir_load(b, s->frame, WALK_STATE, 8, false));
	walk_bound(b, IR_R(s->state), s->t->rows_size - s->t->pitch, s->stop);
	s->text = pointer(b, load_pointer(b, s->frame, WALK_STAGE), at);
}

static void step_end(struct step *s)
{
	struct ir_builder *b = &s->b;

	ir_block_go(b, s->over);
	ir_store(b, s->frame, WALK_STATE, 8, IR_R(s->state));
	ir_jump(b, s->stop);
	ir_block_go(b, s->stop);
	ir_return(b, IR_I(1));
}

static void step_on(struct step *s, unsigned int bytes)
{
	struct ir_builder *b = &s->b;
	struct ir_val at = ir_load(b, s->frame, WALK_AT, 8, false);

	at = ir_math(b, IR_ADD, at, IR_I(bytes));
	ir_store(b, s->frame, WALK_AT, 8, ir_math(b, IR_AND, at, IR_I(WALK_AT_MASK)));
}

uint32_t walk_step_make(struct rule_walks *w, uint32_t table)
{
	struct step s = {.w = w, .t = &w->tables->tables.p[table]};
	struct ir_builder *b = &s.b;
	uint32_t leave, rare_state;

	step_begin(&s, "walk", table, false);
	leave = ir_block_new(b);
	rare_state = ir_block_new(b);
	for (unsigned int k = 0; k < WALK_STRIDE; k++) {
		uint32_t rare = ir_block_new(b), on;

		one_byte(&s, k);
		look_for_mark(&s, rare);
		on = b->block;
		ir_block_go(b, rare);
		step_on(&s, k + 1);
		ir_jump(b, rare_state);
		ir_block_go(b, on);
	}
	step_on(&s, WALK_STRIDE);
	ir_jump(b, leave);
	ir_block_go(b, rare_state);
	clear_mark(&s);
	walk_add_set(w, b, s.t, s.frame, s.state, 0, s.stop);
	ir_jump(b, leave);
	ir_block_go(b, leave);
	ir_store(b, s.frame, WALK_STATE, 8, IR_R(s.state));
	ir_return(b, IR_I(0));
	step_end(&s);
	return b->func;
}

/* --- where the verifier follows each turn */

/* Sets the bits of the frame's state. */
static uint32_t set_bits_make(struct rule_walks *w, uint32_t table)
{
	struct ir_func *f = ir_func_add(w->m, arena_printf(w->m->arena, "bits%u", table), 1);
	struct ir_builder at = {.m = w->m, .func = ir_func_index(w->m, f)}, *b = &at;
	struct ir_val state;
	uint32_t done;

	f->regs.p[1].class = IRC_PTR;
	done = ir_block_new(b);
	state = ir_load(b, 1, WALK_STATE, 8, false);
	walk_add_set(w, b, &w->tables->tables.p[table], 1, state.reg, 0, done);
	ir_jump(b, done);
	ir_block_go(b, done);
	ir_return(b, IR_I(0));
	return at.func;
}

/*
 * Turn n does the bytes from 8 × n on, whatever was found before: so what the verifier knows
 * behind a turn is the same on all ways through it, and it follows one of them.
 */
uint32_t walk_turn_make(struct rule_walks *w, uint32_t table)
{
	uint32_t set_bits = set_bits_make(w, table);
	struct step s = {.w = w, .t = &w->tables->tables.p[table]};
	struct ir_builder *b = &s.b;

	step_begin(&s, "turn", table, true);
	for (unsigned int k = 0; k < WALK_STRIDE; k++) {
		uint32_t rare = ir_block_new(b), on;

		one_byte(&s, k);
		look_for_mark(&s, rare);
		on = b->block;
		ir_block_go(b, rare);
		clear_mark(&s);
		look_for_mark(&s, s.over);
		ir_store(b, s.frame, WALK_STATE, 8, IR_R(s.state));
		ir_call_func(b, set_bits, &IR_R(s.frame), 1);
		ir_jump(b, on);
		ir_block_go(b, on);
	}
	ir_store(b, s.frame, WALK_STATE, 8, IR_R(s.state));
	ir_return(b, IR_I(0));
	step_end(&s);
	return b->func;
}
