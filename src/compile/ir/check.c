/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What breaks the rules of docs/ir.md.
 *
 * First the shape of every instruction and end (indices, sizes, counts), then what needs
 * the whole function: registers that are read where some path has not written them, and
 * accesses beyond a slot.  Only what is surely wrong is reported; the kernel's verifier
 * has the last word on the rest.
 */
#include "compile/ir/op.h"

#include <stdarg.h>

/* What is known of a register. */
struct reg_note {
	uint32_t seen;	 /* the block that wrote it last, + 1 */
	uint32_t number; /* from 1; 0: it is written first in each block that reads it */
	uint32_t slot;	 /* that it points into, if one instruction alone says so: + 1; 0 */
	uint8_t writes;	 /* 0, 1, more */
	bool was_asked;	 /* for its place, when it was not known */
	int64_t off;	 /* in the slot */
};

struct checker {
	const struct ir_module *m;
	const struct ir_func *f;
	uint32_t block;
	long insn; /* −1: the end of the block */
	struct buf *why;
	bool has_calls; /* some function names another */
	struct arena arena;
	/* of the function */
	struct reg_note *regs;
	uint32_t n_numbers;
};

/* Always false. */
_printf_(2, 3) static bool wrong(struct checker *c, const char *format, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	buf_printf(c->why, "%s: b%u", c->f->name, c->block);
	if (c->insn >= 0)
		buf_printf(c->why, ", instruction %ld (%s)", c->insn,
			   ir_op_info[c->f->blocks.p[c->block].insns.p[c->insn].op].name);
	buf_printf(c->why, ": %s", text);
	return false;
}

static bool check_reg(struct checker *c, ir_reg r)
{
	return r < c->f->regs.n || wrong(c, "there is no register %%%u", r);
}

static enum ir_class class_of(const struct checker *c, struct ir_val v)
{
	return v.reg ? c->f->regs.p[v.reg].class : IRC_INT;
}

static void note_write(struct reg_note *r)
{
	r->writes |= 1 + r->writes;
}

/* Registers that are read; those that other blocks may have written get numbers. */
static bool check_uses(struct checker *c, const ir_reg *regs, unsigned int n)
{
	while (n--) {
		struct reg_note *r;

		if (!check_reg(c, regs[n]))
			return false;
		r = &c->regs[regs[n]];
		if (r->seen != c->block + 1 && !r->number)
			r->number = ++c->n_numbers;
	}
	return true;
}

/* --- one instruction */

static bool check_regs(struct checker *c, const struct ir_insn *i)
{
	ir_reg regs[IR_OPERANDS];
	unsigned int n;

	if (!check_uses(c, regs, ir_uses(i, regs)))
		return false;
	n = ir_defs(i, regs);
	while (n--) {
		if (!check_reg(c, regs[n]))
			return false;
		c->regs[regs[n]].seen = c->block + 1;
		note_write(&c->regs[regs[n]]);
	}
	return !i->c.reg || wrong(c, "a size must be a number");
}

static bool check_size(struct checker *c, const struct ir_insn *i)
{
	bool ok = true;

	switch (ir_op_info[i->op].form) {
	case IRF_EXTEND:
		ok = i->size == 16 || i->size == 32 || i->size == (i->op == IR_SWAP ? 64 : 8);
		break;
	case IRF_LOAD:
	case IRF_STORE:
		ok = i->size == 1 || i->size == 2 || i->size == 4 || i->size == 8;
		break;
	case IRF_ATOMIC:
		ok = i->size == 4 || i->size == 8;
		break;
	case IRF_FILL:
	case IRF_COPY:
		ok = i->c.imm > 0 && i->c.imm <= INT32_MAX;
		break;
	case IRF_UNARY:
	case IRF_BINARY:
	case IRF_ADDRESS:
	case IRF_SPACE:
	case IRF_CALL:
		break;
	}
	return ok || wrong(c, "wrong size %u", i->size);
}

static bool check_callf(struct checker *c, const struct ir_insn *i)
{
	const struct ir_func *to;

	if (i->index >= c->m->funcs.n)
		return wrong(c, "there is no function %u", i->index);
	to = &c->m->funcs.p[i->index];
	if (!i->index)
		return wrong(c, "the entry cannot be called");
	c->has_calls = true;
	if (i->op == IR_FUNC)
		return to->is_callback || wrong(c, "%.60s is no callback", to->name);
	return i->n_args == to->n_params ||
	       wrong(c, "%.60s takes %u arguments, not %u", to->name, to->n_params, i->n_args);
}

/* Does what is called by index exist? */
static bool check_index(struct checker *c, const struct ir_insn *i)
{
	size_t n = SIZE_MAX;

	switch ((int)i->op) {
	case IR_SLOT:
		n = c->f->slots.n;
		break;
	case IR_MAP:
	case IR_MAPVALUE:
		n = c->m->n_maps;
		break;
	case IR_KSYM:
		n = c->m->ksyms.n;
		break;
	case IR_CALLRT:
		n = c->m->rt_funcs.n;
		break;
	case IR_CALLK:
	case IR_CAST:
		n = c->m->kfuncs.n;
		break;
	case IR_FUNC:
	case IR_CALLF:
		return check_callf(c, i);
	case IR_CALL:
		return i->index || wrong(c, "helper 0");
	}
	return i->index < n || wrong(c, "index %u of %zu", i->index, n);
}

static bool check_offset(struct checker *c, const struct ir_insn *i)
{
	if (i->op == IR_SLOT && (i->off < 0 || (uint32_t)i->off > c->f->slots.p[i->index].size))
		return wrong(c, "%d is beyond the slot", i->off);
	if (i->op == IR_SCRATCH && (i->off < 0 || (uint32_t)i->off > c->m->scratch_size))
		return wrong(c, "%d is beyond the scratch", i->off);
	if ((i->op == IR_GLOBAL || i->op == IR_RODATA || i->op == IR_MAPVALUE) && i->off < 0)
		return wrong(c, "negative offset %d", i->off);
	if ((i->op == IR_MAP || i->op == IR_FUNC || i->op == IR_KSYM) && i->off)
		return wrong(c, "this address has no offset");
	return true;
}

/* What memory is reached through: a pointer of the program's own, or a typed one to read. */
static bool check_base(struct checker *c, struct ir_val base, bool writes)
{
	enum ir_class class = class_of(c, base);

	if (!base.reg)
		return wrong(c, "a number is no address");
	if (class == IRC_KPTR || class == IRC_MAP || (class == IRC_BTF && writes))
		return wrong(c, "%%%u (%s) is no address to %s", base.reg, ir_class_names[class],
			     writes ? "write to" : "read from");
	return true;
}

static bool check_classes(struct checker *c, const struct ir_insn *i)
{
	switch (ir_op_info[i->op].form) {
	case IRF_LOAD:
		if (i->op == IR_LOAD)
			return check_base(c, i->a, false);
		return class_of(c, i->a) != IRC_MAP || wrong(c, "a map is no address");
	case IRF_STORE:
	case IRF_ATOMIC:
	case IRF_FILL:
		return check_base(c, i->a, true);
	case IRF_COPY:
		return check_base(c, i->a, true) && check_base(c, i->b, false);
	case IRF_BINARY:
		if (i->op < IR_MUL || i->op > IR_SAR)
			return true;
		for (unsigned int k = 0; k < 2; k++) {
			struct ir_val v = k ? i->b : i->a;

			if (class_of(c, v) == IRC_PTR || class_of(c, v) == IRC_MAP)
				return wrong(c, "arithmetic with a pointer (%%%u)", v.reg);
		}
		return true;
	case IRF_UNARY:
	case IRF_EXTEND:
	case IRF_ADDRESS:
	case IRF_SPACE:
	case IRF_CALL:
		return true;
	}
	return true;
}

static bool check_insn(struct checker *c, const struct ir_insn *i)
{
	enum ir_form form;

	if (i->op >= IR_OPS)
		return c->insn = -1, wrong(c, "unknown operation %u", i->op);
	form = ir_op_info[i->op].form;
	if (i->n_args > IR_ARGS)
		return wrong(c, "%u arguments", i->n_args);
	if (!check_regs(c, i) || !check_size(c, i) || !check_index(c, i) || !check_offset(c, i))
		return false;
	if (i->dst && (form == IRF_STORE || form == IRF_FILL || form == IRF_COPY))
		return wrong(c, "it has no result");
	/* A load may be wanted for its error alone, an atomic for its effect. */
	if (!i->dst && form != IRF_STORE && form != IRF_FILL && form != IRF_COPY &&
	    form != IRF_CALL && form != IRF_ATOMIC && (form != IRF_LOAD || !i->b.reg))
		return wrong(c, "no result");
	if (i->dst && i->dst == i->b.reg && form == IRF_LOAD)
		return wrong(c, "one register for value and error");
	if (form == IRF_LOAD && i->op == IR_LOAD && i->b.reg)
		return wrong(c, "a plain load cannot fail");
	if (form == IRF_ATOMIC && i->want != !!i->dst)
		return wrong(c, "an old value that is not wanted");
	return check_classes(c, i);
}

/* --- blocks */

static bool check_end(struct checker *c, const struct ir_block *b)
{
	ir_reg regs[2];

	if (b->end == IRE_NONE)
		return wrong(c, "the block has no end");
	if (!check_uses(c, regs, ir_end_uses(b, regs)))
		return false;
	for (uint32_t i = 0; i < ir_n_succs(b); i++)
		if (*ir_succ((struct ir_block *)b, i) >= c->f->blocks.n)
			return wrong(c, "there is no block b%u", *ir_succ((struct ir_block *)b, i));
	for (size_t i = 0; b->end == IRE_SWITCH && i < b->cases.n; i++)
		for (size_t k = 0; k < i; k++)
			if (b->cases.p[i].value == b->cases.p[k].value)
				return wrong(c, "case %lld is there twice",
					     (long long)b->cases.p[i].value);
	return true;
}

static bool check_shapes(struct checker *c)
{
	for (c->block = 0; c->block < c->f->blocks.n; c->block++) {
		const struct ir_block *b = &c->f->blocks.p[c->block];

		for (c->insn = 0; c->insn < (long)b->insns.n; c->insn++)
			if (!check_insn(c, &b->insns.p[c->insn]))
				return false;
		c->insn = -1;
		if (!check_end(c, b))
			return false;
	}
	c->block = 0;
	return true;
}

/* --- registers are written before they are read, on every path */

/*
 * Most registers are written and read in one block alone: only those with a number are
 * followed from block to block.  Sets of numbers, `words` for each block.
 */
struct assigned {
	size_t words;
	uint64_t *reads;  /* read before the block writes them */
	uint64_t *writes; /* written by the block */
	uint64_t *in;	  /* written on all paths to the block */
	bool *dirty;	  /* blocks whose `in` changed */
};

static bool has(const uint64_t *set, uint32_t number)
{
	return set[number / 64] >> number % 64 & 1;
}

static void add(uint64_t *set, uint32_t number)
{
	set[number / 64] |= 1ull << number % 64;
}

static void note_reads(const struct checker *c, uint64_t *reads, const uint64_t *writes,
		       const ir_reg *regs, unsigned int n)
{
	while (n--) {
		uint32_t number = c->regs[regs[n]].number;

		if (number && !has(writes, number))
			add(reads, number);
	}
}

static void note_block(const struct checker *c, const struct assigned *a, uint32_t block)
{
	const struct ir_block *b = &c->f->blocks.p[block];
	uint64_t *reads = a->reads + block * a->words, *writes = a->writes + block * a->words;
	ir_reg regs[IR_OPERANDS];
	unsigned int n;

	for (size_t i = 0; i < b->insns.n; i++) {
		note_reads(c, reads, writes, regs, ir_uses(&b->insns.p[i], regs));
		n = ir_defs(&b->insns.p[i], regs);
		while (n--)
			if (c->regs[regs[n]].number)
				add(writes, c->regs[regs[n]].number);
	}
	note_reads(c, reads, writes, regs, ir_end_uses(b, regs));
}

static void flow_block(const struct ir_func *f, struct assigned *a, uint32_t b)
{
	struct ir_block *block = &f->blocks.p[b];
	const uint64_t *in = a->in + b * a->words, *writes = a->writes + b * a->words;

	a->dirty[b] = false;
	for (uint32_t s = 0; s < ir_n_succs(block); s++) {
		uint32_t next = *ir_succ(block, s);
		uint64_t *to = a->in + next * a->words;

		for (size_t w = 0; w < a->words; w++) {
			uint64_t out = in[w] | writes[w];

			a->dirty[next] |= !!(to[w] & ~out);
			to[w] &= out;
		}
	}
}

static void flow(const struct checker *c, struct assigned *a)
{
	const struct ir_func *f = c->f;
	bool changed = true;

	memset(a->in, 0xff, f->blocks.n * a->words * sizeof(*a->in));
	memset(a->in, 0, a->words * sizeof(*a->in));
	memset(a->dirty, true, f->blocks.n);
	for (ir_reg r = 1; r <= f->n_params; r++)
		if (c->regs[r].number)
			add(a->in, c->regs[r].number);
	while (changed) {
		changed = false;
		for (uint32_t b = 0; b < f->blocks.n; b++)
			if (a->dirty[b]) {
				changed = true;
				flow_block(f, a, b);
			}
	}
}

static bool check_read(struct checker *c, const uint64_t *missing, const ir_reg *regs,
		       unsigned int n)
{
	while (n--) {
		const struct reg_note *r = &c->regs[regs[n]];
		const char *name = c->f->regs.p[regs[n]].name;

		if (r->number && has(missing, r->number))
			return wrong(c, "%%%u is read but not written on every path%s%.40s",
				     regs[n], name ? ": " : "", name ?: "");
	}
	return true;
}

/* Say where the first of those that are missing is read. */
static bool check_missing(struct checker *c, uint64_t *missing)
{
	const struct ir_block *b = &c->f->blocks.p[c->block];
	ir_reg regs[IR_OPERANDS];

	for (c->insn = 0; c->insn < (long)b->insns.n; c->insn++) {
		const struct ir_insn *i = &b->insns.p[c->insn];

		if (!check_read(c, missing, regs, ir_uses(i, regs)))
			return false;
	}
	c->insn = -1;
	return check_read(c, missing, regs, ir_end_uses(b, regs));
}

static bool check_assigned(struct checker *c)
{
	size_t n_blocks = c->f->blocks.n, words = c->n_numbers / 64 + 1;
	struct assigned a = {.words = words};

	a.reads = arena_array(&c->arena, uint64_t, n_blocks * words);
	a.writes = arena_array(&c->arena, uint64_t, n_blocks * words);
	a.in = arena_array(&c->arena, uint64_t, n_blocks * words);
	a.dirty = arena_array(&c->arena, bool, n_blocks);
	for (uint32_t b = 0; b < n_blocks; b++)
		note_block(c, &a, b);
	flow(c, &a);
	for (c->block = 0; c->block < n_blocks; c->block++) {
		uint64_t *missing = a.reads + c->block * words, any = 0;

		for (size_t w = 0; w < words; w++)
			any |= missing[w] &= ~a.in[c->block * words + w];
		if (any)
			return check_missing(c, missing);
	}
	return true;
}

/* --- fixed places in slots */

/* True: the place is new, and somebody asked for it before. */
static bool follow(struct reg_note *regs, const struct ir_insn *i)
{
	struct reg_note *to = &regs[i->dst], *from = &regs[i->a.reg];

	if ((i->op != IR_SLOT && i->op != IR_ADD && i->op != IR_MOV) || to->writes != 1 || to->slot)
		return false;
	if (i->op == IR_SLOT) {
		to->slot = i->index + 1;
		to->off = i->off;
	} else if (i->a.reg && !i->b.reg) {
		from->was_asked = true;
		to->slot = from->slot;
		to->off =
			(int64_t)((uint64_t)from->off + (i->op == IR_ADD ? (uint64_t)i->b.imm : 0));
	}
	return to->slot && to->was_asked;
}

static void follow_all(const struct ir_func *f, struct reg_note *regs)
{
	bool again = true;

	for (ir_reg r = 1; r <= f->n_params; r++)
		note_write(&regs[r]); /* a parameter is never a known place */
	/* what stands in the order of its making is there after one round */
	for (unsigned int round = 0; again && round < 2; round++) {
		again = false;
		for (size_t b = 0; b < f->blocks.n; b++)
			for (size_t i = 0; i < f->blocks.p[b].insns.n; i++)
				again |= follow(regs, &f->blocks.p[b].insns.p[i]);
	}
}

static bool check_access(struct checker *c, struct ir_val base, int64_t off, int64_t n)
{
	const struct reg_note *p = &c->regs[base.reg];
	int64_t begin;

	if (!base.reg || !p->slot)
		return true;
	begin = (int64_t)((uint64_t)p->off + (uint64_t)off);
	return (begin >= 0 && begin <= UINT32_MAX &&
		begin + n <= c->f->slots.p[p->slot - 1].size) ||
	       wrong(c, "bytes %lld to %lld of slot %u, which has %u", (long long)begin,
		     (long long)((uint64_t)begin + (uint64_t)n), p->slot - 1,
		     c->f->slots.p[p->slot - 1].size);
}

static bool check_bounds(struct checker *c, const struct ir_insn *i)
{
	switch (ir_op_info[i->op].form) {
	case IRF_LOAD:
		if (i->op != IR_LOAD)
			return true;
		return check_access(c, i->a, i->off, i->size);
	case IRF_STORE:
	case IRF_ATOMIC:
		return check_access(c, i->a, i->off, i->size);
	case IRF_FILL:
		return check_access(c, i->a, i->off, i->c.imm);
	case IRF_COPY:
		return check_access(c, i->a, i->off, i->c.imm) &&
		       check_access(c, i->b, (int32_t)i->index, i->c.imm);
	case IRF_UNARY:
	case IRF_BINARY:
	case IRF_EXTEND:
	case IRF_ADDRESS:
	case IRF_SPACE:
	case IRF_CALL:
		return true;
	}
	return true;
}

static bool check_slots(struct checker *c)
{
	const struct ir_func *f = c->f;
	bool ok = true;

	if (!f->slots.n)
		return true;
	follow_all(f, c->regs);
	for (c->block = 0; ok && c->block < f->blocks.n; c->block++)
		for (c->insn = 0; ok && c->insn < (long)f->blocks.p[c->block].insns.n; c->insn++)
			ok = check_bounds(c, &f->blocks.p[c->block].insns.p[c->insn]);
	return ok;
}

/* --- functions and the module */

static bool check_func(struct checker *c)
{
	const struct ir_func *f = c->f;

	c->block = 0;
	c->insn = -1;
	if (f->n_params > IR_ARGS || f->n_params >= f->regs.n)
		return wrong(c, "%u parameters", f->n_params);
	for (size_t i = 0; i < f->slots.n; i++) {
		uint32_t align = f->slots.p[i].align;

		if (!f->slots.p[i].size || !align || align & (align - 1) || align > 8)
			return wrong(c, "slot %zu: size %u, align %u", i, f->slots.p[i].size,
				     align);
	}
	c->regs = arena_array(&c->arena, struct reg_note, f->regs.n);
	c->n_numbers = 0;
	return check_shapes(c) && check_assigned(c) && check_slots(c);
}

/* A call chain that comes back to a function: the kernel has no recursion. */
static bool calls_itself(const struct ir_module *m, size_t at, uint8_t *state)
{
	const struct ir_func *f = &m->funcs.p[at];
	bool found = false;

	state[at] = 1; /* being walked */
	for (size_t b = 0; !found && b < f->blocks.n; b++)
		for (size_t i = 0; !found && i < f->blocks.p[b].insns.n; i++) {
			const struct ir_insn *insn = &f->blocks.p[b].insns.p[i];

			if (insn->op != IR_CALLF && insn->op != IR_FUNC)
				continue;
			found = state[insn->index] == 1 ||
				(!state[insn->index] && calls_itself(m, insn->index, state));
		}
	state[at] = 2;
	return found;
}

static bool check_recursion(struct checker *c)
{
	_cleanup_free_ uint8_t *state = xalloc(c->m->funcs.n);

	for (size_t i = 0; i < c->m->funcs.n; i++) {
		c->f = &c->m->funcs.p[i];
		c->block = 0;
		c->insn = -1;
		if (!state[i] && calls_itself(c->m, i, state))
			return wrong(c, "functions that call each other in a circle");
	}
	return true;
}

static bool check_module(struct checker *c)
{
	const struct ir_module *m = c->m;

	for (size_t i = 0; i < m->funcs.n; i++) {
		c->f = &m->funcs.p[i];
		c->block = 0;
		c->insn = -1;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(m->funcs.p[k].name, c->f->name))
				return wrong(c, "two functions have this name");
		if (!check_func(c))
			return false;
	}
	return !c->has_calls || check_recursion(c);
}

bool ir_check(const struct ir_module *m, struct buf *why)
{
	struct checker c = {.m = m, .why = why, .insn = -1};
	bool ok;

	if (!m->funcs.n) {
		buf_puts(why, "a module without functions");
		return false;
	}
	ok = check_module(&c);
	arena_done(&c.arena);
	return ok;
}
