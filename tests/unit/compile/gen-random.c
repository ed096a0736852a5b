/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/gen-random-maker.h"

#include <linux/bpf.h>

enum { MOST_DEPTH = 3, MOST_LOOPS = 2 };

static void statement(struct maker *k);

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void random_globals(uint64_t seed, uint8_t to[RANDOM_GLOBALS])
{
	uint64_t state = seed ^ 0x5eed, v;

	for (unsigned int i = 0; i < RANDOM_GLOBALS; i += 8) {
		v = random_next(&state);
		/* Small and special numbers are where mistakes are. */
		if (v % 3 == 0)
			v = v >> 32 & 0xf;
		else if (v % 7 == 0)
			v = (uint64_t)INT64_MIN >> (v >> 32 & 63);
		memcpy(to + i, &v, 8);
	}
}

uint32_t random_pick(struct maker *k, uint32_t n)
{
	return (uint32_t)(random_next(&k->state) >> 33) % n;
}

int64_t random_number(struct maker *k)
{
	static const int64_t special[] = {0,	      1,	  -1,	     2,
					  7,	      8,	  63,	     64,
					  255,	      256,	  65535,     0x7fffffff,
					  0x80000000, 0xffffffff, INT64_MIN, INT64_MAX};

	switch (pick(k, 4)) {
	case 0:
		return special[pick(k, ELEMENTS(special))];
	case 1:
		return (int64_t)random_next(&k->state);
	case 2:
		return 1ll << pick(k, 63);
	}
	return (int64_t)pick(k, 40) - 8;
}

struct ir_val random_operand(struct maker *k)
{
	uint32_t what = pick(k, 10);

	if (what < 3)
		return IR_I(number(k));
	if (what < 6 && k->n_temps)
		return k->temps[pick(k, k->n_temps)];
	if (what < 7)
		return IR_R(k->inputs[pick(k, INPUTS)]);
	return IR_R(k->variables[pick(k, k->n_variables)]);
}

struct ir_val random_keep(struct maker *k, struct ir_val v)
{
	if (v.reg)
		k->temps[k->n_temps < ELEMENTS(k->temps) ? k->n_temps++
							 : pick(k, ELEMENTS(k->temps))] = v;
	return v;
}

/* --- values */

static enum ir_op binary_op(struct maker *k)
{
	enum ir_op op = IR_ADD + pick(k, IR_SAR - IR_ADD + 1);

	if (pick(k, 5) == 0)
		op = IR_SETEQ + pick(k, IR_SETSLE - IR_SETEQ + 1);
	if (k->o->no_signed_division && (op == IR_SDIV || op == IR_SMOD))
		op = IR_ADD;
	return op;
}

static struct ir_val compute(struct maker *k, unsigned int depth)
{
	struct ir_val x = depth && pick(k, 2) ? compute(k, depth - 1) : operand(k), y;

	switch (pick(k, 8)) {
	case 0:
		return keep(k, ir_unary(&k->b, pick(k, 2) ? IR_NEG : IR_NOT, x));
	case 1:
		return keep(k, ir_extend(&k->b, x, 8u << pick(k, 3), pick(k, 2)));
	case 2:
		return keep(k, ir_swap(&k->b, x, 16u << pick(k, 3)));
	case 3:
		y = operand(k);
		return keep(k, ir_compare(&k->b, pick(k, IRC_SET + 1), x, y));
	}
	y = depth && pick(k, 3) == 0 ? compute(k, depth - 1) : operand(k);
	return keep(k, ir_math(&k->b, binary_op(k), x, y));
}

/* An address where `size` bytes are, aligned: in a slot or the globals. */
static ir_reg somewhere(struct maker *k, unsigned int size, int32_t *ret_off)
{
	uint32_t room = SLOT_SIZE, in_address;
	int32_t off;

	if (pick(k, 3) == 0)
		room = RANDOM_GLOBALS;
	off = (int32_t)(pick(k, room / size) * size);
	in_address = pick(k, 2) ? pick(k, (uint32_t)off / 8 + 1) * 8 : 0;
	*ret_off = off - (int32_t)in_address;
	if (room == RANDOM_GLOBALS)
		return ir_space_addr(&k->b, IRS_GLOBAL, in_address);
	if (pick(k, 4) == 0) /* by arithmetic */
		return ir_math(&k->b, IR_ADD, IR_R(ir_slot_addr(&k->b, pick(k, k->n_slots), 0)),
			       IR_I(in_address))
			.reg;
	return ir_slot_addr(&k->b, pick(k, k->n_slots), (int32_t)in_address);
}

static void do_assign(struct maker *k)
{
	ir_reg to = k->variables[pick(k, k->n_variables)];

	ir_set(&k->b, to, compute(k, 3));
}

/* The same expression before and after something that may change it. */
static void do_again(struct maker *k)
{
	struct ir_val x = IR_R(k->variables[pick(k, k->n_variables)]), y = operand(k);
	enum ir_op op = binary_op(k);
	unsigned int times = 2 + pick(k, 2);

	while (times--) {
		struct ir_val v = ir_math(&k->b, op, x, y);

		if (pick(k, 2))
			do_assign(k);
		ir_set(&k->b, k->variables[pick(k, k->n_variables)], pick(k, 3) ? v : operand(k));
	}
}

static void do_load(struct maker *k)
{
	unsigned int size = 1u << pick(k, 4);
	int32_t off;
	ir_reg at = somewhere(k, size, &off);

	keep(k, ir_load(&k->b, at, off, size, pick(k, 2)));
}

static void do_store(struct maker *k)
{
	unsigned int size = 1u << pick(k, 4), times = 1 + pick(k, 3);
	struct ir_val v = operand(k);
	int32_t off;
	ir_reg at = somewhere(k, size, &off);

	ir_store(&k->b, at, off, size, v);
	while (--times && off >= (int32_t)size) { /* neighbours, for what merges them */
		off -= (int32_t)size;
		ir_store(&k->b, at, off, size, pick(k, 2) ? IR_I(pick(k, 3)) : operand(k));
	}
}

static void do_atomic(struct maker *k)
{
	unsigned int size = 4u << pick(k, 2);
	struct ir_val v = operand(k);
	int32_t off;
	ir_reg at = somewhere(k, size, &off);
	struct ir_insn *i;
	ir_reg old;

	if (k->o->no_fetch || pick(k, 2)) {
		ir_atomic_add(&k->b, at, off, size, v);
		return;
	}
	old = ir_reg_new(&k->b, IRC_INT, NULL);
	i = ir_add(&k->b, IR_ATOMIC_ADD + pick(k, 4));
	i->a = IR_R(at);
	i->off = off;
	i->size = (uint8_t)size;
	i->b = v;
	i->dst = old;
	i->want = true;
	keep(k, IR_R(old));
}

static void do_bytes(struct maker *k)
{
	uint32_t n = 8 + pick(k, SLOT_SIZE / 8) * 8;
	uint32_t from = pick(k, k->n_slots), to = pick(k, k->n_slots);

	n = MIN(n, SLOT_SIZE);
	if (pick(k, 4) == 0) { /* the two halves of one slot */
		ir_reg at = ir_slot_addr(&k->b, to, 0);

		ir_copy(&k->b, at, SLOT_SIZE / 2, at, 0, SLOT_SIZE / 2);
		return;
	}
	if (from == to || pick(k, 2))
		ir_zero(&k->b, ir_slot_addr(&k->b, to, 0), SLOT_SIZE - (int32_t)n, n);
	else
		ir_copy(&k->b, ir_slot_addr(&k->b, to, 0), 0, ir_slot_addr(&k->b, from, 0),
			SLOT_SIZE - (int32_t)n, n);
}

static void do_call(struct maker *k)
{
	uint32_t func = k->b.func + 1, n;
	struct ir_val args[IR_ARGS];

	if (k->o->no_calls || func >= k->n_funcs || k->loops)
		return;
	func += pick(k, k->n_funcs - func);
	n = k->b.m->funcs.p[func].n_params;
	for (uint32_t i = 0; i < n; i++)
		args[i] = operand(k);
	keep(k, IR_R(ir_call_func(&k->b, func, args, n)));
}

/* A pointer that is one slot or another, and one into a slot by how much is not fixed. */
static void do_pointer(struct maker *k)
{
	uint32_t yes = ir_block_new(&k->b), then = ir_block_new(&k->b);
	ir_reg p = ir_reg_new(&k->b, IRC_PTR, NULL);
	int32_t off = (int32_t)pick(k, 3) * 8;

	ir_set(&k->b, p, IR_R(ir_slot_addr(&k->b, pick(k, k->n_slots), 0)));
	ir_branch(&k->b, IRC_SLT, operand(k), IR_I(number(k)), yes, then);
	enter(k, yes);
	ir_set(&k->b, p, IR_R(ir_slot_addr(&k->b, pick(k, k->n_slots), 8)));
	ir_jump(&k->b, then);
	enter(k, then);
	do_load(k);
	ir_store(&k->b, p, off, 8, operand(k));
	do_load(k);
	keep(k, ir_load(&k->b, p, 0, 8, false));
}

/* A few fields of one object, with something between them at times. */
static void do_kernel(struct maker *k)
{
	unsigned int n = 1 + pick(k, 4);
	ir_reg base, failed;

	if (!k->o->kernel_reads)
		return;
	base = ir_reg_new(&k->b, IRC_KPTR, NULL);
	ir_set(&k->b, base,
	       IR_I((int64_t)(pick(k, 5) ? RANDOM_KERNEL_GOOD : RANDOM_KERNEL_BAD) +
		    pick(k, 4) * 4));
	while (n--) {
		unsigned int size = 1u << pick(k, 4);
		int32_t off = (int32_t)(pick(k, 96 / size) * size);
		bool want = pick(k, 5) == 0;

		keep(k,
		     ir_kload(&k->b, base, off, size, pick(k, 2), IRC_INT, want ? &failed : NULL));
		if (want)
			keep(k, IR_R(failed));
		if (pick(k, 3) == 0)
			do_store(k);
	}
}

/* Make a key, look it up; change, add or remove the element. */
static void map_once(struct maker *k, ir_reg map, struct ir_val v)
{
	/* one slot for all keys, as languages do */
	ir_reg key = ir_slot_addr(&k->b, k->n_slots, 0), p;
	uint32_t found = ir_block_new(&k->b), then = ir_block_new(&k->b);

	ir_store(&k->b, key, 0, pick(k, 3) ? 8 : 4, v); /* or the low half only */
	if (pick(k, 3) == 0)
		ir_zero(&k->b, key, 4, 4);
	if (k->o->kernel_reads && pick(k, 4) == 0)
		IR_CALL(&k->b, BPF_FUNC_probe_read_kernel, IRC_INT, IR_R(key), IR_I(4),
			IR_I((int64_t)RANDOM_KERNEL_GOOD + pick(k, 2)));
	if (pick(k, 4) == 0)
		IR_CALL(&k->b, BPF_FUNC_map_delete_elem, IRC_INT, IR_R(map), IR_R(key));
	if (pick(k, 3) == 0)
		IR_CALL(&k->b, BPF_FUNC_map_update_elem, IRC_INT, IR_R(map), IR_R(key), IR_R(key),
			IR_I(0));
	p = IR_CALL(&k->b, BPF_FUNC_map_lookup_elem, IRC_PTR, IR_R(map), IR_R(key));
	ir_branch(&k->b, IRC_NE, IR_R(p), IR_I(0), found, then);
	enter(k, found);
	ir_set(&k->b, k->variables[pick(k, k->n_variables)], ir_load(&k->b, p, 0, 8, false));
	if (pick(k, 2))
		ir_store(&k->b, p, 0, 8, operand(k));
	ir_jump(&k->b, then);
	enter(k, then);
}

/* Now and then the same key twice, as in "if (@x[k]) { … @x[k] … }". */
static void do_map(struct maker *k)
{
	unsigned int times = 1 + pick(k, 3);
	struct ir_val v = pick(k, 2) ? IR_R(k->inputs[pick(k, INPUTS)]) : IR_I(pick(k, 2));
	ir_reg map;

	if (!k->o->map)
		return;
	map = ir_map_addr(&k->b, 0);
	while (times--)
		map_once(k, map, v);
}

/* --- blocks */

void random_enter(struct maker *k, uint32_t block)
{
	ir_block_go(&k->b, block);
	k->n_temps = 0;
}

static void body(struct maker *k, uint32_t then)
{
	unsigned int n = 1 + pick(k, 3);

	k->depth++;
	while (n--)
		statement(k);
	k->depth--;
	ir_jump(&k->b, then);
}

static void do_if(struct maker *k)
{
	uint32_t yes = ir_block_new(&k->b), no = ir_block_new(&k->b), then = ir_block_new(&k->b);
	struct ir_val x = pick(k, 2) ? compute(k, 1) : operand(k);

	if (pick(k, 3)) /* few different ones: what is asked again is decided */
		ir_branch(&k->b, pick(k, IRC_ULE + 1), IR_R(k->inputs[pick(k, INPUTS)]),
			  IR_I(1 + pick(k, 2)), yes, no);
	else
		ir_branch(&k->b, pick(k, IRC_SET + 1), x, pick(k, 3) ? IR_I(number(k)) : operand(k),
			  yes, pick(k, 3) ? no : then);
	enter(k, yes);
	body(k, then);
	enter(k, no);
	body(k, then);
	enter(k, then);
}

/* `x && y` as languages lower it. */
static void do_and(struct maker *k)
{
	uint32_t more = ir_block_new(&k->b), no = ir_block_new(&k->b), yes = ir_block_new(&k->b),
		 then = ir_block_new(&k->b);
	ir_reg v = ir_reg_new(&k->b, IRC_INT, NULL);

	ir_branch(&k->b, IRC_NE, operand(k), IR_I(0), more, no);
	enter(k, more);
	ir_branch(&k->b, IRC_NE, compute(k, 1), IR_I(0), yes, no);
	enter(k, yes);
	ir_set(&k->b, v, IR_I(1));
	ir_jump(&k->b, then);
	enter(k, no);
	ir_set(&k->b, v, IR_I(0));
	ir_jump(&k->b, then);
	enter(k, then);
	if (pick(k, 2)) {
		yes = ir_block_new(&k->b);
		then = ir_block_new(&k->b);
		ir_branch(&k->b, IRC_NE, IR_R(v), IR_I(0), yes, then);
		enter(k, yes);
		body(k, then);
		enter(k, then);
	}
	keep(k, IR_R(v));
}

static void do_switch(struct maker *k)
{
	uint32_t cases[3], n = 1 + pick(k, 3), otherwise = ir_block_new(&k->b),
			   then = ir_block_new(&k->b);
	struct ir_val v = ir_math(&k->b, IR_AND, operand(k), IR_I(3));
	struct ir_block *b;

	for (uint32_t i = 0; i < n; i++)
		cases[i] = ir_block_new(&k->b);
	b = &ir_here(&k->b)->blocks.p[k->b.block];
	b->end = IRE_SWITCH;
	b->a = v;
	b->no = otherwise;
	for (uint32_t i = 0; i < n; i++)
		array_push(k->b.m->arena, &b->cases, ((struct ir_case){i, cases[i]}));
	for (uint32_t i = 0; i < n; i++) {
		enter(k, cases[i]);
		body(k, then);
	}
	enter(k, otherwise);
	body(k, then);
	enter(k, then);
}

static void do_loop(struct maker *k)
{
	uint32_t head = ir_block_new(&k->b), in = ir_block_new(&k->b), step = ir_block_new(&k->b),
		 then = ir_block_new(&k->b);
	ir_reg i = ir_reg_new(&k->b, IRC_INT, "i");

	if (k->loops == MOST_LOOPS) {
		ir_jump(&k->b, then);
		for (uint32_t b = head; b <= step; b++) {
			enter(k, b);
			ir_jump(&k->b, then);
		}
		enter(k, then);
		return;
	}
	ir_set(&k->b, i, IR_I(0));
	ir_jump(&k->b, head);
	enter(k, head);
	ir_branch(&k->b, IRC_ULT, IR_R(i), IR_I(1 + pick(k, 4)), in, then);
	enter(k, in);
	k->loops++;
	body(k, step);
	k->loops--;
	enter(k, step);
	ir_set(&k->b, i, ir_math(&k->b, IR_ADD, IR_R(i), IR_I(1)));
	ir_jump(&k->b, head);
	enter(k, then);
}

static void statement(struct maker *k)
{
	static void (*const simple[])(struct maker *) = {do_assign, do_assign, do_load,	 do_store,
							 do_atomic, do_bytes,  do_again, do_pointer,
							 do_call,   do_kernel, do_map,	 do_map};
	static void (*const nested[])(struct maker *) = {do_if, do_if, do_and, do_switch, do_loop};

	if (!k->budget)
		return;
	k->budget--;
	if (k->o->wide && pick(k, 2)) {
		random_statement_more(k);
		return;
	}
	if (k->depth < MOST_DEPTH && pick(k, 3) == 0)
		nested[pick(k, ELEMENTS(nested))](k);
	else
		simple[pick(k, ELEMENTS(simple))](k);
}

/* --- functions */

static void begin(struct maker *k, uint32_t func)
{
	uint32_t n_params = k->b.m->funcs.p[func].n_params;
	unsigned int n = 0;

	k->b.func = func;
	k->b.block = 0;
	k->n_temps = k->depth = k->loops = 0;
	k->n_slots = 1 + pick(k, SLOTS);
	for (unsigned int i = 0; func && i < n_params; i++)
		k->variables[n++] = i + 1;
	for (unsigned int i = 0; i < INPUTS; i++)
		k->inputs[i] =
			ir_load(&k->b, ir_space_addr(&k->b, IRS_GLOBAL, i * 8), 0, 8, false).reg;
	for (unsigned int i = 0; i < VARIABLES; i++) {
		ir_reg at = ir_space_addr(&k->b, IRS_GLOBAL, pick(k, RANDOM_GLOBALS / 8) * 8);

		k->variables[n] = ir_reg_new(&k->b, IRC_INT, pick(k, 2) ? "$v" : NULL);
		ir_set(&k->b, k->variables[n++],
		       pick(k, 3) ? ir_load(&k->b, at, 0, 8, false) : IR_I(number(k)));
	}
	k->n_variables = n;
	for (unsigned int i = 0; i < k->n_slots; i++) {
		uint32_t slot = ir_slot_new(&k->b, SLOT_SIZE, 8, NULL);

		ir_zero(&k->b, ir_slot_addr(&k->b, slot, 0), 0, SLOT_SIZE);
	}
	if (k->o->map || k->o->wide)
		ir_zero(&k->b, ir_slot_addr(&k->b, ir_slot_new(&k->b, 8, 8, "key"), 0), 0, 8);
}

/* Filters; a slot that may be too large for the stack; scratch is what a run before left. */
static void begin_wide(struct maker *k)
{
	static const uint32_t sizes[] = {64, 72, 256, 600};

	if (!k->o->wide)
		return;
	for (uint32_t n = pick(k, 3); n; n--) { /* filters, in front of all else */
		uint32_t no = ir_block_new(&k->b), go = ir_block_new(&k->b);

		ir_branch(&k->b, IRC_EQ, IR_R(k->inputs[pick(k, INPUTS)]), IR_I(pick(k, 3)), no,
			  go);
		enter(k, no);
		ir_return(&k->b, IR_I(pick(k, 100)));
		enter(k, go);
	}
	k->large_size = sizes[pick(k, ELEMENTS(sizes))];
	k->large = ir_slot_new(&k->b, k->large_size, 8, "large");
	ir_zero(&k->b, ir_slot_addr(&k->b, k->large, 0), 0, k->large_size);
	if (!k->b.func)
		ir_zero(&k->b, ir_space_addr(&k->b, IRS_SCRATCH, 0), 0, RANDOM_SCRATCH);
}

/* All that a function knows, in one number of 32 bits. */
static void finish(struct maker *k)
{
	struct ir_val sum = IR_I(0x1234);

	for (unsigned int i = 0; i < k->n_variables; i++) {
		sum = ir_math(&k->b, IR_MUL, sum, IR_I(0x01000193));
		sum = ir_math(&k->b, IR_XOR, sum, IR_R(k->variables[i]));
	}
	for (unsigned int i = 0; i < k->n_slots; i++)
		for (int32_t off = 0; off < SLOT_SIZE; off += 8) {
			struct ir_val v = ir_load(&k->b, ir_slot_addr(&k->b, i, 0), off, 8, false);

			sum = ir_math(&k->b, IR_MUL, sum, IR_I(0x01000193));
			sum = ir_math(&k->b, IR_ADD, sum, v);
		}
	for (unsigned int i = 0; k->o->wide && i < 8; i++) {
		ir_reg at = ir_slot_addr(&k->b, k->large, 0);
		int32_t off = (int32_t)(i < 4 ? i : k->large_size / 8 - i + 3) * 8;

		sum = ir_math(&k->b, IR_XOR, sum, ir_load(&k->b, at, off, 8, false));
		at = ir_space_addr(&k->b, IRS_SCRATCH, pick(k, RANDOM_SCRATCH / 8) * 8);
		sum = ir_math(&k->b, IR_ADD, sum, ir_load(&k->b, at, 0, 8, false));
	}
	sum = ir_math(&k->b, IR_XOR, sum, ir_math(&k->b, IR_SHR, sum, IR_I(32)));
	if (!k->b.func) {
		ir_store(&k->b, ir_space_addr(&k->b, IRS_GLOBAL, 0), 0, 8, sum);
		sum = ir_extend(&k->b, sum, 32, false);
	}
	ir_return(&k->b, sum);
}

void random_module(struct ir_module *m, struct arena *a, uint64_t seed,
		   const struct random_options *o)
{
	struct maker k = {.b = {.m = m}, .o = o, .state = seed};
	unsigned int most = o->functions ? o->functions : 3;

	ir_module_init(m, a, "random");
	if (o->map || o->wide) {
		m->n_maps = o->wide ? 3 : 1;
		m->map_keys = arena_copy(a, (uint32_t[]){8, 4, 4}, 3 * sizeof(uint32_t));
	}
	if (o->wide)
		m->scratch_size = RANDOM_SCRATCH;
	ir_func_add(m, "entry", 1);
	k.n_funcs = 1 + pick(&k, most);
	for (uint32_t i = 1; i < k.n_funcs; i++)
		ir_func_add(m, (char[]){'f', (char)('0' + i), 0}, 1 + pick(&k, 4));
	for (uint32_t i = 0; i < k.n_funcs; i++) {
		k.budget = o->statements ? o->statements : 24;
		begin(&k, i);
		begin_wide(&k);
		while (k.budget)
			statement(&k);
		finish(&k);
	}
}
