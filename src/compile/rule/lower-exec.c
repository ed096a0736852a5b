/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a process for as long as it runs a program: worked out once, at its exec.
 *
 * Each field's automaton walks its text; the answers are the bits of the process, in map
 * "procs", where later events, and its children, find them.  A text that cannot be walked
 * leaves the process out of the map: then all may be.
 */
#include "compile/rule/lower.h"
#include "compile/rule/number.h"

enum { RECORD_MASK = WIRE_RECORD_MAX - 1 };

#define PROC_STR(m) offsetof(struct wire_proc, m)

struct exec {
	struct lower *l;
	uint32_t is_unknown; /* word of scratch: some text could not be walked */
	/* words of scratch: lengths; where the arguments behind the first begin and end */
	uint32_t name_len, arg0_len, args_at, args_end, env_len;
};

static struct ir_val str_off(struct lower *l, size_t at)
{
	return lower_stage_load(l, at, 2, false);
}
static struct ir_val str_len(struct lower *l, size_t at)
{
	return lower_stage_load(l, at + offsetof(struct wire_str, len), 2, false);
}

/*
 * The arguments behind the first, without the NUL at the end; in a command line with a blank
 * before them, if there are any (event/rule/field-proc.c).
 */
static void walk_args(struct exec *e, bool has_blank)
{
	struct lower *l = e->l;
	struct ir_builder *b = &l->b;
	struct ir_val first = lower_word(l, e->args_at), end = lower_word(l, e->args_end);
	uint32_t some = ir_block_new(b), done = ir_block_new(b);

	ir_branch(b, IRC_ULE, first, end, some, done);
	ir_block_go(b, some);
	if (has_blank)
		walk_byte(&l->walks, b, ' ');
	walk_text(&l->walks, b, first, ir_math(b, IR_SUB, end, first));
	ir_jump(b, done);
	ir_block_go(b, done);
}

static void walk_name(struct exec *e)
{
	struct lower *l = e->l;
	struct ir_val at;

	/* through memory: where it knows the place the verifier counts with every byte */
	lower_put_word(l, l->spare, IR_I(offsetof(struct wire_head, comm)));
	at = ir_load(&l->b, ir_space_addr(&l->b, IRS_SCRATCH, l->spare), 0, 4, false);
	walk_text(&l->walks, &l->b, at, lower_word(l, e->name_len));
}

static void walk_arg0(struct exec *e)
{
	struct lower *l = e->l;

	walk_text(&l->walks, &l->b, str_off(l, PROC_STR(args)), lower_word(l, e->arg0_len));
}

static void walk_str(struct lower *l, size_t at)
{
	walk_text(&l->walks, &l->b, str_off(l, at), str_len(l, at));
}

/* To `missing` if the process has no such text, or an empty one. */
static void need_str(struct lower *l, size_t at, uint32_t missing)
{
	uint32_t there = ir_block_new(&l->b);

	ir_branch(&l->b, IRC_EQ, str_len(l, at), IR_I(0), missing, there);
	ir_block_go(&l->b, there);
}

/* A folder, with '/' behind it. */
static void walk_cwd(struct lower *l)
{
	struct ir_builder *b = &l->b;
	uint32_t add = ir_block_new(b), done = ir_block_new(b);
	struct ir_val last;

	walk_str(l, PROC_STR(cwd));
	last = ir_math(b, IR_ADD, str_off(l, PROC_STR(cwd)), str_len(l, PROC_STR(cwd)));
	last = ir_math(b, IR_AND, ir_math(b, IR_SUB, last, IR_I(1)), IR_I(RECORD_MASK));
	last = ir_math(b, IR_ADD, IR_R(l->stage), last);
	ir_branch(b, IRC_EQ, ir_load(b, last.reg, 0, 1, false), IR_I('/'), done, add);
	ir_block_go(b, add);
	walk_byte(&l->walks, b, '/');
	ir_jump(b, done);
	ir_block_go(b, done);
}

/* Variables with blanks between: without the NUL behind the last. */
static void walk_env(struct exec *e)
{
	struct lower *l = e->l;

	walk_text(&l->walks, &l->b, str_off(l, ANNEX(env)), lower_word(l, e->env_len));
}

/* Walk a field's pieces; to `missing` where the process has no such value. */
static void walk_field(struct exec *e, const struct text *t, uint32_t missing)
{
	struct lower *l = e->l;
	enum rule_field f = t->field.id;
	uint32_t there;

	if (f == RF_proc_name || f == RF_proc_cmdline) {
		there = ir_block_new(&l->b);
		ir_branch(&l->b, IRC_EQ, lower_word(l, e->name_len), IR_I(0), missing, there);
		ir_block_go(&l->b, there);
	}
	if (f == RF_proc_exepath)
		need_str(l, PROC_STR(exe), missing);
	if (f == RF_proc_cwd)
		need_str(l, PROC_STR(cwd), missing);
	if (f == RF_proc_env)
		need_str(l, ANNEX(env), missing);
	walk_begin(&l->walks, &l->b, t->table, l->stage);
	if (f == RF_proc_name || f == RF_proc_cmdline)
		walk_name(e);
	if (f == RF_proc_exe || f == RF_proc_exeline)
		walk_arg0(e);
	if (f == RF_proc_exepath)
		walk_str(l, PROC_STR(exe));
	if (f == RF_proc_cwd)
		walk_cwd(l);
	if (f == RF_proc_env)
		walk_env(e);
	if (f == RF_proc_args)
		walk_args(e, false);
	if (f == RF_proc_cmdline || f == RF_proc_exeline)
		walk_args(e, true);
}

static void put_words(struct exec *e, const struct text *t, struct ir_val is_unknown)
{
	struct lower *l = e->l;
	struct ir_val mask = ir_unary(&l->b, IR_NEG, is_unknown);
	struct ir_val known = ir_unary(&l->b, IR_NOT, mask);

	for (uint32_t w = 0; w < t->n_words; w++) {
		struct ir_val bits = walk_word(&l->walks, &l->b, w);

		bits = ir_math(&l->b, IR_XOR, bits, IR_I((int64_t)t->inverted[w]));
		lower_put_word(l, l->process_may + (t->base + w) * 8,
			       ir_math(&l->b, IR_OR, bits, mask));
		lower_put_word(l, l->process_must + (t->base + w) * 8,
			       ir_math(&l->b, IR_AND, bits, known));
	}
	lower_put_word(l, e->is_unknown,
		       ir_math(&l->b, IR_OR, lower_word(l, e->is_unknown), is_unknown));
}

static void lower_field(struct exec *e, const struct text *t)
{
	struct lower *l = e->l;
	uint32_t missing = ir_block_new(&l->b), done = ir_block_new(&l->b);

	walk_field(e, t, missing);
	put_words(e, t, walk_end(&l->walks, &l->b));
	ir_jump(&l->b, done);
	ir_block_go(&l->b, missing);
	for (uint32_t w = 0; w < t->n_words; w++) {
		lower_put_word(l, l->process_may + (t->base + w) * 8, IR_I(0));
		lower_put_word(l, l->process_must + (t->base + w) * 8, IR_I(0));
	}
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
}

static void lower_number_bit(struct exec *e, const struct proc_number *n)
{
	struct lower *l = e->l;
	uint32_t yes = ir_block_new(&l->b), done = ir_block_new(&l->b);
	uint32_t may = l->process_may + n->bit / 64 * 8, must = l->process_must + n->bit / 64 * 8;
	struct ir_val bit = IR_I((int64_t)(1ull << (n->bit % 64)));

	lower_tests(l, n->tests, false, yes, done);
	ir_block_go(&l->b, yes);
	lower_put_word(l, may, ir_math(&l->b, IR_OR, lower_word(l, may), bit));
	lower_put_word(l, must, ir_math(&l->b, IR_OR, lower_word(l, must), bit));
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
}

/* Into the map: or out of it, if not all is known. */
static void keep(struct exec *e)
{
	struct lower *l = e->l;
	uint32_t put = ir_block_new(&l->b), drop = ir_block_new(&l->b), done = ir_block_new(&l->b);
	ir_reg key = ir_slot_addr(&l->b, l->key_slot, 0);
	ir_reg map;

	ir_store(&l->b, key, 0, 4, lower_stage_load(l, offsetof(struct wire_head, pid), 4, false));
	lower_put_word(l, l->proc_value,
		       lower_stage_load(l, offsetof(struct wire_head, start_ns), 8, false));
	ir_branch(&l->b, IRC_NE, lower_word(l, e->is_unknown), IR_I(0), drop, put);
	ir_block_go(&l->b, put);
	map = ir_map_addr(&l->b, (uint32_t)l->x->plan->map_procs);
	IR_CALL(&l->b, BPF_FUNC_map_update_elem, IRC_INT, IR_R(map), IR_R(key),
		IR_R(ir_space_addr(&l->b, IRS_SCRATCH, l->proc_value)), IR_I(BPF_ANY));
	ir_jump(&l->b, done);
	ir_block_go(&l->b, drop);
	map = ir_map_addr(&l->b, (uint32_t)l->x->plan->map_procs);
	IR_CALL(&l->b, BPF_FUNC_map_delete_elem, IRC_INT, IR_R(map), IR_R(key));
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
}

/* The end of [off, off + len) without a NUL that stands there. */
static struct ir_val end_of(struct lower *l, struct ir_val off, struct ir_val len)
{
	struct ir_builder *b = &l->b;
	struct ir_val end = ir_math(b, IR_ADD, off, len), last, is_nul;

	last = ir_math(b, IR_AND, ir_math(b, IR_SUB, end, IR_I(1)), IR_I(RECORD_MASK));
	last = ir_load(b, ir_math(b, IR_ADD, IR_R(l->stage), last).reg, 0, 1, false);
	is_nul = ir_compare(b, IRC_EQ, last, IR_I(0));
	return ir_math(b, IR_SUB, end, is_nul);
}

static void measure_env(struct exec *e)
{
	struct lower *l = e->l;
	struct ir_val off = str_off(l, ANNEX(env)), end;

	end = end_of(l, off, str_len(l, ANNEX(env)));
	lower_put_word(l, e->env_len, ir_math(&l->b, IR_SUB, end, off));
}

/*
 * How long the name is, and the first argument, and where the others are.  All through
 * memory: what the verifier knew of the lengths it would follow apart.
 */
static void measure(struct exec *e)
{
	struct lower *l = e->l;
	struct ir_builder *b = &l->b;
	uint32_t copy = ir_block_new(b), shorter = ir_block_new(b), split = ir_block_new(b),
		 done = ir_block_new(b);
	struct ir_val off = str_off(l, PROC_STR(args)), len = str_len(l, PROC_STR(args)), from, n;

	lower_put_word(l, e->name_len,
		       walk_comm_length(b, l->stage, offsetof(struct wire_head, comm), WIRE_COMM));
	lower_put_word(l, e->arg0_len, len);
	lower_put_word(l, e->args_at, off);
	lower_put_word(l, e->args_end, off);
	ir_branch(b, IRC_EQ, len, IR_I(0), done, copy);
	/* copied to nowhere: the helper tells its length; behind a cut one stands something else */
	ir_block_go(b, copy);
	from = ir_math(b, IR_ADD, IR_R(l->stage), ir_math(b, IR_AND, off, IR_I(RECORD_MASK)));
	n = IR_R(IR_CALL(b, BPF_FUNC_probe_read_kernel_str, IRC_INT,
			 IR_R(ir_space_addr(b, IRS_SCRATCH, l->next_scratch)), IR_I(WIRE_ARGS_MAX),
			 from));
	l->next_scratch += WIRE_ARGS_MAX;
	n = ir_math(b, IR_SUB, n, IR_I(1));
	ir_branch(b, IRC_ULT, n, len, shorter, split);
	ir_block_go(b, shorter);
	lower_put_word(l, e->arg0_len, n);
	ir_jump(b, split);
	ir_block_go(b, split);
	n = ir_math(b, IR_ADD, lower_word(l, e->arg0_len), IR_I(1));
	lower_put_word(l, e->args_at, ir_math(b, IR_ADD, off, n));
	lower_put_word(l, e->args_end, end_of(l, off, len));
	ir_jump(b, done);
	ir_block_go(b, done);
	measure_env(e);
}

void lower_exec(struct lower *l)
{
	struct exec e = {.l = l};

	if (l->x->plan->map_procs < 0)
		return;
	e.is_unknown = l->next_scratch;
	e.arg0_len = l->next_scratch + 8;
	e.name_len = l->next_scratch + 16;
	e.args_at = l->next_scratch + 24;
	e.args_end = l->next_scratch + 32;
	e.env_len = l->next_scratch + 40;
	l->next_scratch += 48;
	lower_put_word(l, e.is_unknown, IR_I(0));
	for (uint32_t w = 0; w < PROC_BIT_WORDS; w++)
		lower_put_word(l, l->process_may + w * 8, IR_I(0));
	for (uint32_t w = 0; w < l->x->proc_words; w++)
		lower_put_word(l, l->process_must + w * 8, IR_I(0));
	measure(&e);
	for (size_t i = 0; i < l->x->proc_texts.n; i++)
		lower_field(&e, &l->x->proc_texts.p[i]);
	for (size_t i = 0; i < l->x->proc_numbers.n; i++)
		lower_number_bit(&e, &l->x->proc_numbers.p[i]);
	keep(&e);
}
