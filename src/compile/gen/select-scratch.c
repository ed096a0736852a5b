/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lookup for all scratch that a function uses, and where it stands.
 *
 * It cannot fail, but the verifier wants to see what happens then: the function returns 0.
 *
 * Most programs begin with questions that most hits answer with no: another system call,
 * another process, a predicate.  These hits shall not pay for the lookup, so it is made as
 * late as is simple: from the function's start on, as long as only one of the ways leads to
 * scratch at all, and no other way leads there.  And before a record is reserved: returning
 * with one in hand is what verifiers before Linux 6.15, which think that the lookup can fail,
 * refuse.
 */
#include "compile/gen/select.h"

#include "compile/ir/op.h"

#include <linux/bpf.h>

void select_scratch(struct select *s)
{
	uint32_t object = select_temporary(s), fail, go_on;

	select_put(s, (struct mach_insn){.op = MACH_STORE,
					 .code = STORE_ELEMENT,
					 .size = 4,
					 .a = MACH_FP,
					 .object = object});
	select_put(s, (struct mach_insn){.op = MACH_WIDE,
					 .code = WIDE_MAP,
					 .dst = MACH_R(1),
					 .index = s->c->scratch_map});
	select_put(s, (struct mach_insn){.op = MACH_ADDR, .dst = MACH_R(2), .object = object});
	select_helper(s, BPF_FUNC_map_lookup_elem, 2);
	select_put(s, (struct mach_insn){.op = MACH_MOV, .dst = s->scratch, .a = MACH_R(0)});
	fail = mach_block_new(s->c);
	go_on = mach_block_new(s->c);
	select_put(s, (struct mach_insn){
			      .op = MACH_BRANCH, .code = BPF_JEQ, .a = s->scratch, .index = fail});
	s->c->blocks.p[s->block].next = go_on;
	s->c->blocks.p[fail].is_unlikely = true;
	s->block = fail;
	select_put(s, (struct mach_insn){.op = MACH_IMM, .dst = MACH_R(0)});
	select_put(s, (struct mach_insn){.op = MACH_EXIT});
	s->block = go_on;
}

static bool makes_address(const struct select *s, const struct ir_block *b)
{
	for (size_t k = 0; k < b->insns.n; k++) {
		const struct ir_insn *i = &b->insns.p[k];

		if (i->op == IR_SCRATCH || (i->op == IR_SLOT && s->plan->scratch[i->index] >= 0))
			return true;
	}
	return false;
}

/* Blocks from which there is a way to scratch, and how many ways lead into each. */
static bool *find_ways(const struct select *s, uint32_t *n_preds)
{
	const struct ir_func *f = s->f;
	bool *leads = arena_array(s->c->arena, bool, f->blocks.n), changed = true;

	for (uint32_t b = 0; b < f->blocks.n; b++) {
		leads[b] = makes_address(s, &f->blocks.p[b]);
		for (uint32_t k = 0; k < ir_n_succs(&f->blocks.p[b]); k++)
			n_preds[*ir_succ(&f->blocks.p[b], k)]++;
	}
	while (changed) {
		changed = false;
		for (uint32_t b = f->blocks.n; b-- > 0;)
			for (uint32_t k = 0; !leads[b] && k < ir_n_succs(&f->blocks.p[b]); k++)
				changed |= leads[b] = leads[*ir_succ(&f->blocks.p[b], k)];
	}
	return leads;
}

static bool reserves_record(const struct ir_block *b)
{
	for (size_t k = 0; k < b->insns.n; k++)
		if (b->insns.p[k].op == IR_CALL && b->insns.p[k].index == BPF_FUNC_ringbuf_reserve)
			return true;
	return false;
}

uint32_t select_scratch_block(const struct select *s)
{
	uint32_t *n_preds = arena_array(s->c->arena, uint32_t, s->f->blocks.n), at = 0;
	const bool *leads = find_ways(s, n_preds);

	if (s->plan->spills_there)
		return 0;
	while (!makes_address(s, &s->f->blocks.p[at]) && !reserves_record(&s->f->blocks.p[at])) {
		struct ir_block *b = &s->f->blocks.p[at];
		uint32_t next = at, ways = 0;

		for (uint32_t k = 0; k < ir_n_succs(b); k++)
			if (leads[*ir_succ(b, k)]) {
				next = *ir_succ(b, k);
				ways++;
			}
		if (ways != 1 || n_preds[next] != 1)
			break;
		at = next;
	}
	return at;
}
