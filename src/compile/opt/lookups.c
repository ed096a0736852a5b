/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map is not asked twice for the same key.
 *
 * "if (@start[tid]) { … @start[tid] … }" makes the same key again and looks it up again.
 * A lookup whose key was built by plain stores in its own block, of fixed values, has a
 * known key.  If on all ways to a second lookup of that map with the same key a first one
 * was passed, and since then no element of any map can have come or gone by this program's
 * hand, the second result is the first.  (Other cpus may change the map at any time: then
 * it is as if they had done so a little later.)
 *
 * The first result is kept in a register, so the lookup must dominate the second; "on all
 * ways" is solved along the blocks with a set of lookups each.
 *
 * needs: nothing     keeps: blocks     breaks: who reads what (leaves moves for copies)
 */
#include "compile/opt/facts.h"
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

#include <linux/bpf.h>

enum { MOST_LOOKUPS = 64, MOST_PARTS = 16 };

/* Bytes of a key that one store wrote. */
struct part {
	uint32_t at, size;
	struct ir_val v;
};

struct lookup {
	struct ir_insn *insn;
	uint32_t block, map;
	struct part parts[MOST_PARTS]; /* by place */
	unsigned int n;
};

struct searching {
	struct flow *fl;
	struct lookup *list[MOST_LOOKUPS];
	unsigned int n;
	uint64_t *in; /* by block: the lookups that still hold at its start */
	bool changed;
};

/* --- the key of one lookup */

/* Where in a slot `v` points; false: it is no fixed place of a slot. */
static bool slot_place(const struct flow *fl, struct ir_val v, uint32_t *ret_slot, int64_t *ret_off)
{
	const struct ir_insn *def = flow_def(fl, v);

	*ret_off = 0;
	for (unsigned int k = 0; def && k < 8; k++) {
		if (def->op == IR_SLOT) {
			*ret_slot = def->index;
			*ret_off += def->off;
			return true;
		}
		if ((def->op != IR_ADD || def->b.reg || def->b.imm > UINT32_MAX ||
		     def->b.imm < 0) &&
		    def->op != IR_MOV)
			return false;
		*ret_off += def->op == IR_ADD ? def->b.imm : 0;
		def = flow_def(fl, def->a);
	}
	return false;
}

/* May `i`, which is no plain store into the slot, write there?  Calls may do anything. */
static bool may_touch(const struct flow *fl, const struct ir_insn *i, uint32_t slot)
{
	uint32_t other;
	int64_t off;

	if (!(ir_op_info[i->op].flags & IRF_WRITES))
		return false;
	if (ir_op_info[i->op].form != IRF_CALL)
		return !slot_place(fl, i->a, &other, &off) || other == slot;
	return !(facts_of(i) & FACT_TELLS) &&
	       (i->op != IR_CALL || i->index != BPF_FUNC_map_lookup_elem);
}

static bool add_part(struct lookup *l, int64_t at, int64_t size, struct ir_val v)
{
	unsigned int k = l->n;

	if (l->n == MOST_PARTS)
		return false;
	for (unsigned int i = 0; i < l->n; i++)
		if (at < l->parts[i].at + (int64_t)l->parts[i].size && l->parts[i].at < at + size)
			return false; /* two stores of the same bytes: too clever for us */
	for (; k && l->parts[k - 1].at > at; k--)
		l->parts[k] = l->parts[k - 1];
	l->parts[k] = (struct part){(uint32_t)at, (uint32_t)size, v};
	l->n++;
	return true;
}

/* Zeros are cut to pieces of eight bytes at even places, so that they compare. */
static bool add_zeros(struct lookup *l, int64_t at, int64_t size)
{
	while (size) {
		int64_t n = MIN(size, 8 - at % 8);

		if (!add_part(l, at, n, IR_I(0)))
			return false;
		at += n;
		size -= n;
	}
	return true;
}

/* Backwards from the lookup, until all bytes of the key are known. */
static bool find_key(const struct flow *fl, const struct ir_block *b, size_t at, uint32_t size,
		     struct lookup *l)
{
	const struct ir_insn *call = &b->insns.p[at];
	uint32_t slot, to, missing = size;
	int64_t key, off, begin, end;

	if (!slot_place(fl, call->args[1], &slot, &key))
		return false;
	for (size_t k = at; k-- && missing;) {
		const struct ir_insn *i = &b->insns.p[k];

		if ((i->op != IR_STORE && i->op != IR_ZERO) || !slot_place(fl, i->a, &to, &off)) {
			if (may_touch(fl, i, slot))
				return false;
			continue;
		}
		begin = off + i->off - key;
		end = begin + (i->op == IR_ZERO ? i->c.imm : i->size);
		if (to != slot || end <= 0 || begin >= size)
			continue;
		if (begin < 0 || end > size || !flow_is_fixed_val(fl, i->b))
			return false;
		if (i->op == IR_ZERO ? !add_zeros(l, begin, end - begin)
				     : !add_part(l, begin, end - begin, i->b))
			return false;
		missing -= (uint32_t)(end - begin);
	}
	return !missing;
}

static bool is_lookup(const struct ir_insn *i)
{
	return i->op == IR_CALL && i->index == BPF_FUNC_map_lookup_elem;
}

static void note_lookup(struct searching *s, uint32_t block, size_t at)
{
	struct flow *fl = s->fl;
	struct ir_block *b = &fl->f->blocks.p[block];
	struct ir_insn *i = &b->insns.p[at];
	struct lookup *l;
	const struct ir_insn *map;

	if (i->n_args != 2 || !i->dst || !flow_is_fixed(fl, i->dst) || s->n == MOST_LOOKUPS)
		return;
	map = flow_def(fl, i->args[0]);
	if (!map || map->op != IR_MAP || !fl->m->map_keys || !fl->m->map_keys[map->index])
		return;
	l = arena_new(s->fl->scratch, struct lookup);
	*l = (struct lookup){.insn = i, .block = block, .map = map->index};
	if (!find_key(fl, b, at, fl->m->map_keys[map->index], l))
		return;
	s->list[s->n++] = l;
}

static bool same_key(const struct lookup *x, const struct lookup *y)
{
	if (x->map != y->map || x->n != y->n)
		return false;
	for (unsigned int i = 0; i < x->n; i++)
		if (x->parts[i].at != y->parts[i].at || x->parts[i].size != y->parts[i].size ||
		    !ir_val_eq(x->parts[i].v, y->parts[i].v))
			return false;
	return true;
}

/* --- which lookups hold where */

/* The lookups that hold at instruction `until` of a block (NULL: its end), if `set` did before. */
static uint64_t through(const struct searching *s, uint32_t block, const struct ir_insn *until,
			uint64_t set)
{
	const struct ir_block *b = &s->fl->f->blocks.p[block];

	for (size_t i = 0; i < b->insns.n && &b->insns.p[i] != until; i++) {
		const struct ir_insn *insn = &b->insns.p[i];

		if (ir_op_info[insn->op].form != IRF_CALL) /* keeps all */
			continue;
		if (!(facts_of(insn) & FACT_KEEPS_MAPS))
			set = 0;
		for (unsigned int k = 0; k < s->n; k++)
			if (s->list[k]->insn == insn)
				set |= 1ull << k;
	}
	return set;
}

static void solve(struct searching *s)
{
	struct flow *fl = s->fl;
	uint64_t *made = arena_array(fl->scratch, uint64_t, fl->f->blocks.n);
	uint64_t *kept = arena_array(fl->scratch, uint64_t, fl->f->blocks.n);
	bool changed = true;

	s->in = arena_array(fl->scratch, uint64_t, fl->f->blocks.n);
	for (uint32_t k = 0; k < fl->n_order; k++) {
		uint32_t b = fl->order[k];

		s->in[b] = k ? UINT64_MAX : 0;
		made[b] = through(s, b, NULL, 0);
		kept[b] = through(s, b, NULL, UINT64_MAX); /* with what is made */
	}
	while (changed) {
		changed = false;
		for (uint32_t k = 1; k < fl->n_order; k++) {
			uint32_t b = fl->order[k];
			uint64_t set = UINT64_MAX;

			for (uint32_t p = 0; p < fl->n_preds[b]; p++)
				set &= made[fl->preds[b][p]] |
				       (s->in[fl->preds[b][p]] & kept[fl->preds[b][p]]);
			changed |= set != s->in[b];
			s->in[b] = set;
		}
	}
}

static void reuse(struct searching *s)
{
	const struct ir_reg_info *regs = s->fl->f->regs.p;

	for (unsigned int k = 1; k < s->n; k++) {
		struct lookup *l = s->list[k];
		uint64_t set = through(s, l->block, l->insn, s->in[l->block]);

		for (unsigned int j = 0; j < k; j++) {
			const struct lookup *first = s->list[j];

			/* One that was replaced itself is a move by now, and holds no more. */
			if (!(set >> j & 1) || first->insn->op != IR_CALL || !same_key(first, l) ||
			    regs[first->insn->dst].class != regs[l->insn->dst].class)
				continue;
			flow_become(l->insn, IR_MOV, IR_R(first->insn->dst), (struct ir_val){});
			s->changed = true;
			break;
		}
	}
}

bool opt_lookups(struct flow *fl)
{
	struct searching s = {.fl = fl};

	flow_defs(fl);
	flow_order(fl);
	for (uint32_t k = 0; k < fl->n_order; k++) {
		const struct ir_block *b = &fl->f->blocks.p[fl->order[k]];

		for (size_t i = 0; i < b->insns.n; i++)
			if (is_lookup(&b->insns.p[i]))
				note_lookup(&s, fl->order[k], i);
	}
	if (s.n > 1) {
		solve(&s);
		reuse(&s);
	}
	return s.changed;
}
