/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A function that is called from one place alone moves there.
 *
 * Languages make functions where it is simple for them: an action of a program that serves
 * many, a function of a script.  To the kernel each is a program of its own, with memory of its
 * own and a second run of its JIT: 50 µs when it is loaded, and a call for each hit.
 *
 * It stays where it is, if it is long: then it would take the registers from what the caller
 * does all the time.  Or if its slots and the caller's together would not leave much of the
 * stack, or if both use scratch: there is one look for that in a function, and it is to come
 * behind the questions that most hits answer with no (gen/select-scratch.c).
 *
 * needs: nothing     keeps: registers, slots and blocks that there are     breaks: functions that
 * moved are empty
 */
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

enum {
	SLOTS_MAX = 256,  /* bytes, of 512 that a chain of calls has */
	SLOT_LARGE = 128, /* such a slot ends in scratch, as the generator goes about it */
	INSNS_MAX = 320,
};

/* The only call of a function. */
struct site {
	uint32_t n; /* calls, and places that name it */
	uint32_t func, block, insn;
};

static void find_sites(const struct ir_module *m, struct site *sites)
{
	for (uint32_t f = 0; f < m->funcs.n; f++) {
		for (uint32_t b = 0; b < m->funcs.p[f].blocks.n; b++) {
			const struct ir_block *block = &m->funcs.p[f].blocks.p[b];

			for (uint32_t k = 0; k < block->insns.n; k++) {
				const struct ir_insn *i = &block->insns.p[k];

				if (i->op == IR_CALLF) {
					uint32_t n = sites[i->index].n + 1;

					sites[i->index] = (struct site){n, f, b, k};
				} else if (i->op == IR_FUNC) {
					sites[i->index].n += 2;
				}
			}
		}
	}
}

static uint32_t slot_bytes(const struct ir_func *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->slots.n; i++)
		if (f->slots.p[i].size < SLOT_LARGE)
			n += (f->slots.p[i].size + 7) & ~7u;
	return n;
}

static bool uses_scratch(const struct ir_func *f)
{
	for (uint32_t i = 0; i < f->slots.n; i++)
		if (f->slots.p[i].size >= SLOT_LARGE)
			return true;
	for (uint32_t b = 0; b < f->blocks.n; b++)
		for (uint32_t k = 0; k < f->blocks.p[b].insns.n; k++)
			if (f->blocks.p[b].insns.p[k].op == IR_SCRATCH)
				return true;
	return false;
}

static bool fits(const struct ir_func *to, const struct ir_func *from)
{
	return ir_n_insns(from) + from->blocks.n <= INSNS_MAX &&
	       slot_bytes(to) + slot_bytes(from) <= SLOTS_MAX &&
	       !(uses_scratch(to) && uses_scratch(from));
}

/* How the numbers of what moves change. */
struct move {
	struct arena *arena;
	struct ir_func *to;
	uint32_t reg, slot, block; /* added to each */
	uint32_t behind;	   /* the block behind the call */
	ir_reg result;		   /* 0: not wanted */
};

static void move_val(const struct move *x, struct ir_val *v)
{
	if (v->reg)
		v->reg += x->reg;
}

static void move_insn(const struct move *x, struct ir_insn *i)
{
	struct ir_val *operands[IR_OPERANDS];
	unsigned int n;

	if (i->n_args)
		i->args = arena_copy(x->arena, i->args, i->n_args * sizeof(*i->args));
	n = ir_operands(i, operands);
	for (unsigned int k = 0; k < n; k++)
		move_val(x, operands[k]);
	if (i->dst)
		i->dst += x->reg;
	if (ir_op_info[i->op].form == IRF_LOAD)
		move_val(x, &i->b); /* written, not read */
	if (i->op == IR_SLOT)
		i->index += x->slot;
}

static void set(const struct move *x, struct ir_block *b, ir_reg to, struct ir_val v,
		struct span span)
{
	array_push(x->arena, &b->insns,
		   ((struct ir_insn){.op = IR_MOV, .dst = to, .a = v, .span = span}));
}

static void move_end(const struct move *x, struct ir_block *b)
{
	move_val(x, &b->a);
	move_val(x, &b->b);
	for (uint32_t k = 0; k < ir_n_succs(b); k++)
		*ir_succ(b, k) += x->block;
	if (b->end != IRE_RETURN)
		return;
	if (x->result)
		set(x, b, x->result, b->a, b->span);
	b->a = IR_I(0);
	b->end = IRE_JUMP;
	b->yes = x->behind;
}

/* They are nobody's else: their instructions stay where they are. */
static void move_blocks(const struct move *x, const struct ir_func *from)
{
	for (uint32_t k = 0; k < from->blocks.n; k++) {
		struct ir_block *b = array_push(x->arena, &x->to->blocks, from->blocks.p[k]);

		for (uint32_t i = 0; i < b->insns.n; i++)
			move_insn(x, &b->insns.p[i]);
		move_end(x, b);
	}
}

/* Cut the block behind the call; what is behind is a block of its own. */
static struct ir_insn cut(const struct move *x, const struct site *at)
{
	struct ir_block behind = x->to->blocks.p[at->block], *before;
	struct ir_insn call = behind.insns.p[at->insn];

	behind.insns.n = behind.insns.room = 0;
	behind.insns.p = NULL;
	before = &x->to->blocks.p[at->block];
	for (uint32_t k = at->insn + 1; k < before->insns.n; k++)
		array_push(x->arena, &behind.insns, before->insns.p[k]);
	array_push(x->arena, &x->to->blocks, behind);
	before = &x->to->blocks.p[at->block];
	before->insns.n = at->insn;
	before->cases.n = before->cases.room = 0;
	before->cases.p = NULL;
	before->end = IRE_JUMP;
	before->unlikely = false;
	before->a = before->b = IR_I(0);
	return call;
}

static void empty(struct ir_func *f)
{
	f->blocks.n = 1;
	f->blocks.p[0] = (struct ir_block){.end = IRE_RETURN, .span = f->span};
	f->slots.n = 0;
	f->regs.n = f->n_params + 1;
}

static void move_func(struct ir_module *m, struct ir_func *from, const struct site *at)
{
	struct ir_func *to = &m->funcs.p[at->func];
	struct move x = {.arena = m->arena,
			 .to = to,
			 .reg = to->regs.n - 1,
			 .slot = to->slots.n,
			 .behind = to->blocks.n,
			 .block = to->blocks.n + 1};
	struct ir_insn call = cut(&x, at);
	struct ir_block *before;

	x.result = call.dst;
	for (uint32_t i = 1; i < from->regs.n; i++)
		array_push(m->arena, &to->regs, from->regs.p[i]);
	for (uint32_t i = 0; i < from->slots.n; i++)
		array_push(m->arena, &to->slots, from->slots.p[i]);
	move_blocks(&x, from);
	before = &to->blocks.p[at->block];
	for (uint32_t i = 0; i < from->n_params; i++)
		set(&x, before, x.reg + 1 + i, call.args[i], call.span);
	before->yes = x.block;
	empty(from);
}

bool opt_inline(struct ir_module *m)
{
	struct arena a = {};
	struct site *sites = NULL;
	bool changed = false;

	for (uint32_t f = 1; f < m->funcs.n; f++) {
		struct ir_func *from = &m->funcs.p[f];

		if (!sites) {
			sites = arena_array(&a, struct site, m->funcs.n);
			find_sites(m, sites);
		}
		if (sites[f].n != 1 || sites[f].func == f || from->is_callback ||
		    !fits(&m->funcs.p[sites[f].func], from))
			continue;
		move_func(m, from, &sites[f]);
		sites = NULL; /* a move moves other calls, too */
		changed = true;
	}
	arena_done(&a);
	return changed;
}
