/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads of kernel memory that lie close together become one.
 *
 * Each kload costs a helper call.  Two or more of the same base in one block, with nothing
 * between them that could change memory or time (no write but to the stack, no call but
 * other kloads), are done by one probe_read_kernel of the whole span into a slot, where
 * the first stood; the others become loads from that slot.  The span begins and ends with
 * bytes that would be read anyway, so it fails where one of them would; then all of it
 * gives 0, and a helper that fails has cleared what it was to fill.
 *
 * Reads that want their error are left alone.  One slot serves all groups of a function,
 * since no two groups overlap.
 *
 * needs: nothing     keeps: blocks, registers     breaks: who reads what, adds a slot
 */
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

#include <linux/bpf.h>

enum { MOST_SPAN = 64, MOST_READS = 16 };

struct group {
	size_t at[MOST_READS]; /* instructions of the block */
	unsigned int n;
	int64_t begin, end; /* bytes from the base */
};

struct probing {
	struct ir_module *m;
	struct ir_func *f;
	uint32_t slot; /* + 1 */
	bool changed;
};

static bool is_candidate(const struct ir_func *f, const struct ir_insn *i)
{
	return i->op == IR_KLOAD && i->a.reg && i->dst && !i->b.reg &&
	       f->regs.p[i->a.reg].class != IRC_BTF && !(i->off % i->size);
}

/* May reads on both sides of `i` be done at once? */
static bool is_neutral(const struct ir_func *f, const struct ir_insn *i)
{
	unsigned int flags = ir_op_info[i->op].flags;

	if (i->op == IR_KLOAD)
		return true;
	if (i->op == IR_STORE || i->op == IR_ZERO || i->op == IR_LOAD)
		return i->a.reg && f->regs.p[i->a.reg].class == IRC_PTR;
	return flags == IRF_PURE;
}

static bool add(struct group *g, const struct ir_insn *i, size_t at)
{
	int64_t begin = MIN(g->begin, (int64_t)i->off);
	int64_t end = MAX(g->end, (int64_t)i->off + i->size);

	if (g->n == MOST_READS || end - begin > MOST_SPAN)
		return false;
	g->begin = begin;
	g->end = end;
	g->at[g->n++] = at;
	return true;
}

/* All that may go together with the read at `first`. */
static void collect(const struct ir_func *f, const struct ir_block *b, size_t first,
		    struct group *g)
{
	const struct ir_insn *head = &b->insns.p[first];
	ir_reg regs[2];
	unsigned int n;

	*g = (struct group){.begin = head->off, .end = (int64_t)head->off + head->size};
	g->at[g->n++] = first;
	if (head->dst == head->a.reg)
		return;
	for (size_t i = first + 1; i < b->insns.n; i++) {
		const struct ir_insn *insn = &b->insns.p[i];

		if (!is_neutral(f, insn))
			return;
		if (is_candidate(f, insn) && insn->a.reg == head->a.reg && !add(g, insn, i))
			return;
		n = ir_defs(insn, regs);
		while (n--)
			if (regs[n] == head->a.reg)
				return;
	}
}

static ir_reg new_reg(struct probing *p, enum ir_class class)
{
	array_push(p->m->arena, &p->f->regs, (struct ir_reg_info){.class = class});
	return (ir_reg)(p->f->regs.n - 1);
}

static uint32_t slot_of(struct probing *p, uint32_t size)
{
	struct ir_slot *slot;

	if (!p->slot) {
		array_push(p->m->arena, &p->f->slots,
			   ((struct ir_slot){.size = size, .align = 8, .name = "read"}));
		p->slot = (uint32_t)p->f->slots.n;
	}
	slot = &p->f->slots.p[p->slot - 1];
	slot->size = MAX(slot->size, size);
	return p->slot - 1;
}

/* The call in front of the first, and loads for all of the group. */
static void merge(struct probing *p, struct ir_block *b, const struct group *g)
{
	struct ir_insn first = b->insns.p[g->at[0]];
	uint32_t pad = (uint32_t)(g->begin & 7), n = (uint32_t)(g->end - g->begin);
	uint32_t slot = slot_of(p, (pad + n + 7) & ~7u);
	ir_reg to = new_reg(p, IRC_PTR), from = first.a.reg;
	struct ir_insn code[3] = {
		{.op = IR_SLOT, .dst = to, .index = slot, .off = (int32_t)pad},
		{.op = IR_ADD, .a = first.a, .b = IR_I(g->begin)},
		{.op = IR_CALL, .index = BPF_FUNC_probe_read_kernel, .n_args = 3},
	};

	if (g->begin)
		from = code[1].dst = new_reg(p, IRC_KPTR);
	code[2].args = arena_copy(p->m->arena, (struct ir_val[]){IR_R(to), IR_I(n), IR_R(from)},
				  3 * sizeof(struct ir_val));
	for (unsigned int k = 0; k < g->n; k++) {
		struct ir_insn *i = &b->insns.p[g->at[k]];

		i->op = IR_LOAD;
		i->a = IR_R(to);
		i->off -= (int32_t)g->begin;
	}
	for (unsigned int k = 0; k < 3; k++) {
		size_t at = g->at[0] + k - (k == 2 && !g->begin);

		if (k == 1 && !g->begin)
			continue;
		code[k].span = first.span;
		array_push(p->m->arena, &b->insns, code[k]);
		memmove(b->insns.p + at + 1, b->insns.p + at,
			(b->insns.n - 1 - at) * sizeof(*b->insns.p));
		b->insns.p[at] = code[k];
	}
	p->changed = true;
}

static void run_block(struct probing *p, struct ir_block *b)
{
	struct group g;

	for (size_t i = 0; i < b->insns.n; i++) {
		if (!is_candidate(p->f, &b->insns.p[i]))
			continue;
		collect(p->f, b, i, &g);
		if (g.n < 2)
			continue;
		merge(p, b, &g);
		i = g.at[g.n - 1] + 3; /* no other group inside of this one */
	}
}

bool opt_probes(struct flow *fl)
{
	struct probing p = {.m = fl->m, .f = fl->f};

	for (size_t b = 0; b < fl->f->blocks.n; b++)
		run_block(&p, &fl->f->blocks.p[b]);
	if (p.changed)
		flow_forget(fl);
	return p.changed;
}
