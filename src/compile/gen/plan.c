/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which slots may leave the stack.
 *
 * Scratch is a map's value, and the verifier treats it so: a pointer that is put there
 * comes back as a number, and some helpers want their context on the stack.  Slots that
 * are used like that are pinned; all others may move.
 */
#include "compile/gen/mach.h"

enum { SMALL = 64 }; /* a called function may put pointers into what is this small */

struct planner {
	const struct ir_func *f;
	const struct ir_insn **defs; /* by register: the last that writes it */
	struct slot_plan *plan;
};

/* The slot that a register points into; UINT32_MAX: none, or nobody knows. */
static uint32_t slot_of(const struct planner *p, struct ir_val v)
{
	for (int hops = 0; v.reg && hops < 16; hops++) {
		const struct ir_insn *d = p->defs[v.reg];

		if (!d)
			break;
		if (d->op == IR_SLOT)
			return d->index;
		if (d->op != IR_MOV && d->op != IR_ADD && d->op != IR_SUB)
			break;
		v = d->op == IR_ADD && !d->a.reg ? d->b : d->a;
	}
	return UINT32_MAX;
}

static void pin(struct planner *p, struct ir_val v, uint32_t below)
{
	uint32_t slot = slot_of(p, v);

	if (slot < p->f->slots.n && p->f->slots.p[slot].size < below)
		p->plan->is_pinned[slot] = true;
}

/* Helpers whose context, or object, has to be on the stack. */
static bool wants_stack(uint32_t helper)
{
	enum {
		FOR_EACH_MAP_ELEM = 164,
		FIND_VMA = 180,
		LOOP = 181,
		DYNPTR_FIRST = 197,
		DYNPTR_LAST = 203,
		USER_RINGBUF_DRAIN = 209
	};

	return helper == FOR_EACH_MAP_ELEM || helper == FIND_VMA || helper == LOOP ||
	       helper == USER_RINGBUF_DRAIN || (helper >= DYNPTR_FIRST && helper <= DYNPTR_LAST);
}

static void plan_insn(struct planner *p, const struct ir_insn *i)
{
	enum ir_class class = i->b.reg ? p->f->regs.p[i->b.reg].class : IRC_INT;
	uint32_t below = 0;

	if (i->op == IR_STORE && (class == IRC_PTR || class == IRC_BTF || class == IRC_MAP))
		pin(p, i->a, UINT32_MAX);
	if (i->op == IR_CALLK || (i->op == IR_CALL && wants_stack(i->index)))
		below = UINT32_MAX;
	else if (i->op == IR_CALLF)
		below = SMALL;
	for (unsigned int k = 0; below && k < i->n_args; k++)
		pin(p, i->args[k], below);
}

void plan_func(struct arena *a, const struct ir_func *f, struct slot_plan *ret)
{
	struct planner p = {.f = f, .plan = ret};

	ret->scratch = arena_array(a, int32_t, f->slots.n + 1);
	ret->is_pinned = arena_array(a, bool, f->slots.n + 1);
	for (uint32_t s = 0; s < f->slots.n; s++)
		ret->scratch[s] = -1;
	p.defs = arena_array(a, const struct ir_insn *, f->regs.n + 1);
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		for (uint32_t k = 0; k < f->blocks.p[b].insns.n; k++) {
			const struct ir_insn *i = &f->blocks.p[b].insns.p[k];

			p.defs[i->dst] = i;
			if (i->op == IR_SCRATCH)
				ret->uses_scratch = true;
		}
	}
	p.defs[0] = NULL;
	for (uint32_t b = 0; b < f->blocks.n; b++)
		for (uint32_t k = 0; k < f->blocks.p[b].insns.n; k++)
			plan_insn(&p, &f->blocks.p[b].insns.p[k]);
}

/* The largest that can move; UINT32_MAX: none. */
static uint32_t largest(const struct slot_plan *p, const struct ir_func *f)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t s = 0; s < f->slots.n; s++)
		if (p->scratch[s] < 0 && !p->is_pinned[s] &&
		    (best == UINT32_MAX || f->slots.p[s].size > f->slots.p[best].size))
			best = s;
	return best;
}

static void move(struct slot_plan *p, const struct ir_func *f, uint32_t slot, uint32_t *at)
{
	*at = (*at + 7) & ~7u;
	p->scratch[slot] = (int32_t)*at;
	p->uses_scratch = true;
	*at += f->slots.p[slot].size;
}

void plan_move_huge(struct slot_plan *p, const struct ir_func *f, uint32_t *at)
{
	uint32_t s;

	while ((s = largest(p, f)) != UINT32_MAX && f->slots.p[s].size > MACH_STACK)
		move(p, f, s, at);
}

uint32_t plan_move(struct slot_plan *p, const struct ir_func *f, uint32_t bytes, uint32_t *at)
{
	uint32_t saved = 0, s;

	while (saved < bytes && (s = largest(p, f)) != UINT32_MAX) {
		move(p, f, s, at);
		saved += (f->slots.p[s].size + 7) & ~7u;
	}
	return saved;
}
