/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of an event: one walk through the field's automaton gives the answers to all its
 * checks.
 *
 * A file has two names, as given and as the kernel resolved it, and a rule matches if it
 * matches with either: what may be is what either says, what must be is what both say.
 */
#include "compile/rule/lower.h"

#include <fcntl.h>

/* One string: its place, as registers. */
struct piece {
	struct ir_val off, len;
};

static struct piece load_str(struct lower *l, uint32_t at)
{
	struct piece p;

	p.off = lower_stage_load(l, at + offsetof(struct wire_str, off), 2, false);
	p.len = lower_stage_load(l, at + offsetof(struct wire_str, len), 2, false);
	return p;
}

/* --- the last '/' of a path */

enum { NAME_BYTES = 256, RECORD_MASK = WIRE_RECORD_MAX - 1 };
enum { FRAME_STAGE = 0, FRAME_OFF = 8, FRAME_LEFT = 16, FRAME_FOUND = 24, FRAME_SIZE = 32 };

/*
 * One byte, from the end: a function of (turn, frame) that returns 1 when it is done.  FOUND
 * becomes how long the path is up to and with its last '/'.
 */
static uint32_t make_look(struct lower *l)
{
	struct ir_func *f = ir_func_add(l->m, "last_slash", 2);
	struct ir_builder b = {.m = l->m, .func = ir_func_index(l->m, f)};
	uint32_t look, found, next, end;
	struct ir_val left, less, at, stage;
	ir_reg frame = 2;

	f->is_callback = world_has(l->x->o->world, WORLD_BPF_LOOP);
	f->regs.p[frame].class = IRC_PTR;
	look = ir_block_new(&b);
	found = ir_block_new(&b);
	next = ir_block_new(&b);
	end = ir_block_new(&b);
	left = ir_load(&b, frame, FRAME_LEFT, 8, false);
	ir_branch(&b, IRC_EQ, left, IR_I(0), end, look);
	ir_block_go(&b, look);
	stage = ir_load(&b, frame, FRAME_STAGE, 8, false);
	ir_here(&b)->regs.p[stage.reg].class = IRC_PTR;
	at = ir_math(&b, IR_ADD, ir_load(&b, frame, FRAME_OFF, 8, false), left);
	at = ir_math(&b, IR_AND, ir_math(&b, IR_SUB, at, IR_I(1)), IR_I(RECORD_MASK));
	at = ir_math(&b, IR_ADD, stage, at);
	ir_branch(&b, IRC_EQ, ir_load(&b, at.reg, 0, 1, false), IR_I('/'), found, next);
	ir_block_go(&b, next);
	/* left − 1, as a number that to verifiers is of one range in all turns */
	less = ir_math(&b, IR_AND, ir_math(&b, IR_ADD, left, IR_I(0xffff)), IR_I(0xffff));
	ir_store(&b, frame, FRAME_LEFT, 8, less);
	ir_return(&b, IR_I(0));
	ir_block_go(&b, found);
	less = ir_math(&b, IR_AND, ir_math(&b, IR_ADD, left, IR_I(0x10000)), IR_I(0xffff));
	ir_store(&b, frame, FRAME_FOUND, 8, less);
	ir_return(&b, IR_I(1));
	ir_block_go(&b, end);
	ir_return(&b, IR_I(1));
	return b.func;
}

/* Look at the last component: as many bytes as one may have. */
static void turns(struct lower *l, ir_reg frame)
{
	struct ir_builder *b = &l->b;
	uint32_t turn, next, done;
	struct ir_val r;
	ir_reg i;

	if (world_has(l->x->o->world, WORLD_BPF_LOOP)) {
		IR_CALL(b, BPF_FUNC_loop, IRC_INT, IR_I(NAME_BYTES),
			IR_R(ir_func_addr(b, l->last_slash)), IR_R(frame), IR_I(0));
		return;
	}
	i = ir_reg_new(b, IRC_INT, "turn");
	turn = ir_block_new(b);
	next = ir_block_new(b);
	done = ir_block_new(b);
	ir_set(b, i, IR_I(0));
	ir_jump(b, turn);
	ir_block_go(b, turn);
	r = IR_R(ir_call_func(b, l->last_slash, (const struct ir_val[]){IR_R(i), IR_R(frame)}, 2));
	ir_branch(b, IRC_NE, r, IR_I(0), done, next);
	ir_block_go(b, next);
	ir_set(b, i, ir_math(b, IR_ADD, IR_R(i), IR_I(1)));
	ir_branch(b, IRC_ULT, IR_R(i), IR_I(NAME_BYTES), turn, done);
	ir_block_go(b, done);
}

/* Bytes up to and with the last '/'; 0: there is none, or it is too far from the end. */
static struct ir_val find_slash(struct lower *l, const struct piece *p)
{
	ir_reg frame;

	if (!l->last_slash) {
		l->last_slash = make_look(l);
		l->slash_slot = ir_slot_new(&l->b, FRAME_SIZE, 8, "slash");
	}
	frame = ir_slot_addr(&l->b, l->slash_slot, 0);
	ir_store(&l->b, frame, FRAME_STAGE, 8, IR_R(l->stage));
	ir_store(&l->b, frame, FRAME_OFF, 8, p->off);
	ir_store(&l->b, frame, FRAME_LEFT, 8, p->len);
	ir_store(&l->b, frame, FRAME_FOUND, 8, IR_I(0));
	turns(l, frame);
	return ir_load(&l->b, frame, FRAME_FOUND, 8, false);
}

/*
 * A call on a folder itself (mkdir, an open with O_DIRECTORY) has the folder for its
 * fd.directory, and no fd.filename: to `whole` if it is one.
 */
static void look_for_folder(struct lower *l, uint32_t whole)
{
	uint32_t no = ir_block_new(&l->b), maybe;
	struct ir_val flags;

	if (l->k->kind == EV_MKDIR || l->k->kind == EV_RMDIR || l->k->kind == EV_CHROOT) {
		ir_jump(&l->b, whole);
		ir_block_go(&l->b, no);
		return;
	}
	if (l->k->kind != EV_OPEN && l->k->kind != EV_WRITE && l->k->kind != EV_CREATE) {
		ir_jump(&l->b, no);
		ir_block_go(&l->b, no);
		return;
	}
	maybe = ir_block_new(&l->b);
	flags = lower_stage_load(l, offsetof(struct wire_file, flags), 4, false);
	ir_branch(&l->b, IRC_SET, flags, IR_I(O_DIRECTORY), maybe, no);
	ir_block_go(&l->b, maybe);
	ir_branch(&l->b, IRC_SET, flags, IR_I(O_TMPFILE & ~O_DIRECTORY), no, whole);
	ir_block_go(&l->b, no);
}

/*
 * Narrow `p` to the part that the field is about.  What has no '/' goes to `unknown`; where
 * there is no value, to `missing`.
 */
static void take_part(struct lower *l, const struct text_source *s, struct piece *p,
		      uint32_t unknown, uint32_t missing)
{
	struct ir_builder *b = &l->b;
	uint32_t whole, found, below, root, done;
	ir_reg off, len;
	struct ir_val n;

	if (s->part == SOURCE_WHOLE)
		return;
	off = ir_reg_new(b, IRC_INT, "off");
	len = ir_reg_new(b, IRC_INT, "len");
	whole = s->part == SOURCE_LAST ? missing : ir_block_new(b);
	found = ir_block_new(b);
	done = ir_block_new(b);
	ir_set(b, off, p->off);
	ir_set(b, len, p->len);
	look_for_folder(l, whole);
	n = find_slash(l, p);
	ir_branch(b, IRC_EQ, n, IR_I(0), unknown, found);
	ir_block_go(b, found);
	if (s->part == SOURCE_LAST) {
		ir_set(b, off, ir_math(b, IR_ADD, p->off, n));
		ir_set(b, len, ir_math(b, IR_SUB, p->len, n));
		ir_jump(b, done);
	} else { /* "/etc" of "/etc/passwd", "/" of "/passwd" */
		below = ir_block_new(b);
		root = ir_block_new(b);
		ir_set(b, len, n);
		ir_branch(b, IRC_EQ, n, IR_I(1), root, below);
		ir_block_go(b, below);
		ir_set(b, len, ir_math(b, IR_SUB, n, IR_I(1)));
		ir_jump(b, done);
		ir_block_go(b, root);
		ir_jump(b, done);
		ir_block_go(b, whole);
		ir_jump(b, done);
	}
	ir_block_go(b, done);
	p->off = IR_R(off);
	p->len = IR_R(len);
}

/* --- the words of a group */

static void set_words(struct lower *l, uint32_t text, int64_t may, int64_t must)
{
	for (uint32_t w = 0; w < l->x->texts.p[text].n_words; w++) {
		if (!(l->text_words[text] >> w & 1))
			continue;
		lower_put_word(l, l->text_may[text] + w * 8, IR_I(may));
		lower_put_word(l, l->text_must[text] + w * 8, IR_I(must));
	}
}

/* What was just walked: alone, or beside the other name. */
static void put_answers(struct lower *l, uint32_t text, struct ir_val is_unknown, bool is_second)
{
	const struct text *t = &l->x->texts.p[text];
	struct ir_val mask = ir_unary(&l->b, IR_NEG, is_unknown);

	for (uint32_t w = 0; w < t->n_words; w++) {
		uint32_t may = l->text_may[text] + w * 8, must = l->text_must[text] + w * 8;
		struct ir_val bits, yes, sure;

		if (!(l->text_words[text] >> w & 1))
			continue;
		bits = walk_word(&l->walks, &l->b, w);
		bits = ir_math(&l->b, IR_XOR, bits, IR_I((int64_t)t->inverted[w]));
		yes = ir_math(&l->b, IR_OR, bits, mask);
		sure = ir_math(&l->b, IR_AND, bits, ir_unary(&l->b, IR_NOT, mask));
		sure = ir_math(&l->b, IR_AND, sure, IR_I((int64_t)~t->unsure[w]));
		if (is_second) {
			yes = ir_math(&l->b, IR_OR, yes, lower_word(l, may));
			sure = ir_math(&l->b, IR_AND, sure, lower_word(l, must));
		}
		lower_put_word(l, may, yes);
		lower_put_word(l, must, sure);
	}
}

static void walk_piece(struct lower *l, uint32_t text, const struct text_source *s, struct piece p,
		       bool is_second, uint32_t unknown, uint32_t missing)
{
	take_part(l, s, &p, unknown, missing);
	walk_begin(&l->walks, &l->b, l->x->texts.p[text].table, l->stage);
	walk_text(&l->walks, &l->b, p.off, p.len);
	put_answers(l, text, walk_end(&l->walks, &l->b), is_second);
}

/* Is there a string?  To `there` or `missing`. */
static void branch_on_str(struct lower *l, const struct piece *p, uint32_t there, uint32_t missing)
{
	uint32_t more = ir_block_new(&l->b);

	ir_branch(&l->b, IRC_EQ, p->off, IR_I(0), missing, more);
	ir_block_go(&l->b, more);
	ir_branch(&l->b, IRC_EQ, p->len, IR_I(0), missing, there);
}

/* One string alone: raw paths, texts of calls. */
static void walk_one(struct lower *l, uint32_t text, const struct text_source *s, uint32_t unknown,
		     uint32_t done)
{
	struct piece p = load_str(l, s->given.at);
	uint32_t there = ir_block_new(&l->b), missing = ir_block_new(&l->b),
		 other = ir_block_new(&l->b), walk = ir_block_new(&l->b);

	if (s->needs_bytes || s->instead.at)
		branch_on_str(l, &p, there, s->instead.at ? other : missing);
	else
		ir_branch(&l->b, IRC_EQ, p.off, IR_I(0), missing, there);
	ir_block_go(&l->b, missing);
	set_words(l, text, 0, 0);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, there);
	walk_piece(l, text, s, p, false, unknown, missing);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, other);
	p = load_str(l, s->instead.at);
	ir_branch(&l->b, IRC_EQ, p.off, IR_I(0), missing, walk);
	ir_block_go(&l->b, walk);
	if (s->instead.at)
		walk_piece(l, text, s, p, false, unknown, missing);
	ir_jump(&l->b, done);
}

/*
 * Two names.  Which is which, event/rule/field-fd.c says: given is the annex's name, without
 * one what the path says (not looked at here), without a path the resolved one; resolved is
 * the kernel's, without one the given.
 */
static void walk_two(struct lower *l, uint32_t text, const struct text_source *s, uint32_t unknown,
		     uint32_t done)
{
	struct piece given = load_str(l, s->given.at), real = load_str(l, s->resolved.at),
		     path = load_str(l, s->raw.at);
	uint32_t has_given = ir_block_new(&l->b), no_given = ir_block_new(&l->b),
		 only_real = ir_block_new(&l->b), walk_real = ir_block_new(&l->b),
		 second = ir_block_new(&l->b), compare = ir_block_new(&l->b),
		 other = ir_block_new(&l->b), missing = ir_block_new(&l->b);
	uint32_t lexical = ir_block_new(&l->b);
	struct ir_val same;

	ir_branch(&l->b, IRC_SET, lower_stage_load(l, ANNEX(flags), 4, false), IR_I(WIRE_A_LEXICAL),
		  lexical, no_given);
	ir_block_go(&l->b, lexical);
	branch_on_str(l, &given, has_given, no_given);
	ir_block_go(&l->b, no_given);
	branch_on_str(l, &path, unknown, only_real);
	ir_block_go(&l->b, only_real);
	branch_on_str(l, &real, walk_real, missing);
	ir_block_go(&l->b, missing);
	set_words(l, text, 0, 0);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, walk_real);
	walk_piece(l, text, s, real, false, unknown, missing);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, has_given);
	walk_piece(l, text, s, given, false, unknown, missing);
	ir_jump(&l->b, second);
	ir_block_go(&l->b, second);
	branch_on_str(l, &real, compare, done);
	ir_block_go(&l->b, compare);
	same = walk_same(&l->walks, &l->b, l->stage, given.off, given.len, real.off, real.len);
	ir_branch(&l->b, IRC_NE, same, IR_I(0), done, other);
	ir_block_go(&l->b, other);
	walk_piece(l, text, s, real, true, unknown, missing);
	ir_jump(&l->b, done);
}

void lower_text(struct lower *l, uint32_t text)
{
	const struct text *t = &l->x->texts.p[text];
	uint32_t unknown = ir_block_new(&l->b), done = ir_block_new(&l->b);
	struct text_source s;

	source_find(&t->field, l->k->kind, &s);
	if (s.resolved.at)
		walk_two(l, text, &s, unknown, done);
	else
		walk_one(l, text, &s, unknown, done);
	ir_block_go(&l->b, unknown);
	set_words(l, text, -1, 0);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
	if (s.is_partial)
		for (uint32_t w = 0; w < t->n_words; w++)
			lower_put_word(l, l->text_must[text] + w * 8, IR_I(0));
}
