/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One state for two: what holds in both.
 *
 * Numbers get the ranges of both.  Pointers of the same kind stay pointers; what differs of their
 * offsets becomes the variable part.  What has nothing in common becomes unreadable.  As a
 * trial it only says whether anything would have to change: whether one covers the other.
 */
#include "runtime/vm/verify/fixpoint.h"

#include "base/macro.h"

/* --- what does not matter */

/* Registers of frame `n` that may still be read, when the innermost one is about to run `insn`. */
static unsigned int live_regs(const struct verifier *v, const struct state *s, unsigned int n,
			      uint32_t insn)
{
	enum { SAVED = 0x3c0 };
	uint32_t call;

	if (n + 1 == s->n_frames)
		return v->info[insn].live;
	call = s->frames[n + 1]->callsite;
	return (v->info[call].live | v->info[call + 1].live) & SAVED;
}

static void forget_ties(struct reg *r, void *ctx)
{
	(void)ctx;
	r->dep = NULL;
	if (r->type != REG_SCALAR)
		return;
	r->id = 0;
	r->off = 0;
	r->is_linked = false;
}

void fix_forget(struct verifier *v, struct state *s, uint32_t insn)
{
	for (unsigned int n = 0; n < s->n_frames; n++) {
		unsigned int live = live_regs(v, s, n, insn);

		for (unsigned int i = 0; i < 10; i++)
			if (!(live >> i & 1))
				reg_none(&s->frames[n]->regs[i]);
		for (unsigned int i = 0; i < s->frames[n]->n_slots; i++)
			s->frames[n]->slots[i].live = NULL;
	}
	state_each(s, forget_ties, NULL);
}

/* --- numbers */

static uint64_t limit_above(const struct fix_flow *flow, uint64_t x, uint64_t most)
{
	for (size_t i = 0; i < flow->limits.n; i++)
		if (flow->limits.p[i] >= x && flow->limits.p[i] <= most)
			return flow->limits.p[i];
	return most;
}

static int64_t signed_above(const struct fix_flow *flow, int64_t x, int64_t most)
{
	int64_t best = most;

	for (size_t i = 0; i < flow->limits.n; i++) {
		int64_t k = (int64_t)flow->limits.p[i];

		if (k >= x && k < best)
			best = k;
	}
	return best;
}

static int64_t signed_below(const struct fix_flow *flow, int64_t x, int64_t least)
{
	int64_t best = least;

	for (size_t i = 0; i < flow->limits.n; i++) {
		int64_t k = (int64_t)flow->limits.p[i];

		if (k <= x && k > best)
			best = k;
	}
	return best;
}

/* Limits that grew go to the next number that the program compares with. */
static void widen(const struct fix_flow *flow, struct scalar *to, const struct scalar *from)
{
	struct scalar old = *to;
	uint64_t grown;

	scalar_join(to, from);
	grown = to->bits.mask & ~old.bits.mask;
	if (grown) {
		to->bits.mask |= -(grown & -grown);
		to->bits.value &= ~to->bits.mask;
	}
	if (to->umin < old.umin)
		to->umin = 0;
	if (to->umax > old.umax)
		to->umax = limit_above(flow, to->umax, UINT64_MAX);
	if (to->smin < old.smin)
		to->smin = signed_below(flow, to->smin, INT64_MIN);
	if (to->smax > old.smax)
		to->smax = signed_above(flow, to->smax, INT64_MAX);
	if (to->umin32 < old.umin32)
		to->umin32 = 0;
	if (to->umax32 > old.umax32)
		to->umax32 = (uint32_t)limit_above(flow, to->umax32, UINT32_MAX);
	if (to->smin32 < old.smin32)
		to->smin32 = (int32_t)signed_below(flow, to->smin32, INT32_MIN);
	if (to->smax32 > old.smax32)
		to->smax32 = (int32_t)signed_above(flow, to->smax32, INT32_MAX);
	scalar_sync(to);
}

/* True: it is (or would be) another one now. */
static bool numbers_join(struct fix_join *j, struct scalar *to, const struct scalar *from)
{
	if (scalar_within(to, from))
		return false;
	j->has_changed = true;
	if (j->is_trial)
		return true;
	if (j->widens_far)
		scalar_widen(to, from);
	else if (j->widens)
		widen(j->flow, to, from);
	else
		scalar_join(to, from);
	return true;
}

/* --- registers */

static void lose(struct fix_join *j, struct reg *to)
{
	j->has_changed = true;
	if (!j->is_trial)
		reg_none(to);
}

static bool same_object(const struct reg *a, const struct reg *b)
{
	bool is_packet = reg_is_packet(a);

	return a->type == b->type && a->frame == b->frame && a->ref == b->ref &&
	       ((a->flags ^ b->flags) & ~F_NULL) == 0 &&
	       (is_packet || (a->extra[0] == b->extra[0] && a->extra[1] == b->extra[1] &&
			      a->extra[2] == b->extra[2]));
}

/* Kinds whose offset may vary. */
static bool may_vary(const struct reg *r)
{
	return r->type == REG_STACK || r->type == REG_MAP_VALUE || r->type == REG_MAP_KEY ||
	       r->type == REG_MEM || reg_is_packet(r);
}

/*
 * A packet pointer keeps what is known to be behind it if it is the same one; else it is one
 * of its own, with nothing known to be there.
 */
static void packets_join(struct fix_join *j, struct reg *to, const struct reg *from, bool moved)
{
	bool is_same = !moved && to->id == from->id;
	int32_t range = is_same && to->range >= 0 && from->range >= 0 ? MIN(to->range, from->range)
			: is_same && to->range == from->range	      ? to->range
								      : 0;

	/* with nothing known, the id says nothing either */
	if (!moved && to->range == 0 && (range == 0 || from->range < 0))
		return;
	if (!moved && is_same && range == to->range)
		return;
	j->has_changed = true;
	if (j->is_trial)
		return;
	to->range = range;
	if (!is_same)
		to->id = new_id(j->v);
}

static void pointers_join(struct fix_join *j, struct reg *to, const struct reg *from)
{
	struct scalar other = from->v, by;
	bool moved = to->off != from->off, grows_null = from->flags & ~to->flags & F_NULL;

	if (!same_object(to, from) ||
	    ((moved || !scalar_within(&to->v, &from->v)) && !may_vary(to))) {
		lose(j, to);
		return;
	}
	if (grows_null && !j->is_trial) {
		to->flags |= F_NULL;
		to->id = new_id(j->v);
	}
	j->has_changed |= grows_null;
	if (moved) {
		scalar_set(&by, (uint64_t)((int64_t)from->off - to->off));
		scalar_alu(&other, ALU_ADD, false, &by);
	}
	moved = numbers_join(j, &to->v, &other);
	if (moved && !j->is_trial)
		fix_rebase(to);
	if (reg_is_packet(to))
		packets_join(j, to, from, moved);
	else if (to->flags & F_NULL && moved)
		lose(j, to);
}

static void regs_join(struct fix_join *j, struct reg *to, const struct reg *from)
{
	if (to->type == REG_NONE)
		return;
	if (to->type == REG_SCALAR && from->type == REG_SCALAR)
		numbers_join(j, &to->v, &from->v);
	else if (to->type == REG_SCALAR || from->type == REG_SCALAR || from->type == REG_NONE)
		lose(j, to);
	else
		pointers_join(j, to, from);
}

/*
 * Of a variable that rounds only count: is the pointer still what it was?  Calls may have made
 * it invalid (packets that moved, locks that were given back) without naming it.
 */
static bool is_kept(const struct reg *to, const struct reg *from)
{
	if (to->type == REG_NONE || (to->type == REG_SCALAR && from->type == REG_SCALAR))
		return true;
	if (to->flags & F_NULL && reg_is_zero(from))
		return true;
	if (!same_object(to, from) || from->flags & ~to->flags & F_NULL)
		return false;
	return !reg_is_packet(to) || to->range == 0 ||
	       (to->id == from->id && from->range >= to->range);
}

/* --- slots */

static bool is_all(const struct slot *s, enum slot_kind kind)
{
	for (unsigned int i = 0; i < 8; i++)
		if (s->kind[i] != kind)
			return false;
	return true;
}

static bool is_special(const struct slot *s)
{
	for (unsigned int i = 0; i < 8; i++)
		if (s->kind[i] == SLOT_DYNPTR || s->kind[i] == SLOT_ITER)
			return true;
	return false;
}

static void specials_join(struct fix_join *j, const struct slot *to, const struct slot *from)
{
	for (unsigned int i = 0; i < 8; i++)
		if (to->kind[i] != from->kind[i]) {
			j->has_failed = true;
			return;
		}
	if (to->reg.ref != from->reg.ref || to->reg.id != from->reg.id ||
	    to->reg.flags != from->reg.flags || to->reg.type != from->reg.type ||
	    to->reg.extra[0] != from->reg.extra[0] || to->reg.extra[1] != from->reg.extra[1] ||
	    to->reg.extra[2] != from->reg.extra[2])
		j->has_failed = true;
}

/* As a byte, by itself. */
static uint8_t byte_kind(const struct slot *s, unsigned int i)
{
	if (s->kind[i] != SLOT_SPILL)
		return s->kind[i];
	return s->reg.type == REG_SCALAR ? SLOT_MISC : SLOT_INVALID;
}

static void bytes_join(struct fix_join *j, struct slot *to, const struct slot *from)
{
	uint8_t kind[8];
	bool differs = false;

	for (unsigned int i = 0; i < 8; i++) {
		uint8_t a = byte_kind(to, i), b = byte_kind(from, i);

		kind[i] = a == SLOT_INVALID || b == SLOT_INVALID ? SLOT_INVALID
			  : a == b				 ? a
								 : SLOT_MISC;
		/* INVALID that may be read holds anything, as MISC does */
		differs |= kind[i] != to->kind[i];
	}
	if (!differs)
		return;
	j->has_changed = true;
	if (!j->is_trial)
		memcpy(to->kind, kind, sizeof(kind));
}

static void slots_join(struct fix_join *j, struct slot *to, const struct slot *from)
{
	struct slot zero;

	if (is_special(to) || is_special(from)) {
		specials_join(j, to, from);
		return;
	}
	if (is_all(to, SLOT_ZERO) && is_all(from, SLOT_SPILL) && from->reg.type == REG_SCALAR &&
	    !reg_is_zero(&from->reg)) {
		/* a variable that was cleared */
		j->has_changed = true;
		if (j->is_trial)
			return;
		reg_known(&to->reg, 0);
		memset(to->kind, SLOT_SPILL, sizeof(to->kind));
	}
	if (is_all(to, SLOT_SPILL) && is_all(from, SLOT_ZERO)) {
		zero = *from;
		reg_known(&zero.reg, 0);
		memset(zero.kind, SLOT_SPILL, sizeof(zero.kind));
		from = &zero;
	}
	if (to->kind[0] == SLOT_SPILL && !memcmp(to->kind, from->kind, sizeof(to->kind))) {
		regs_join(j, &to->reg, &from->reg);
		if (to->reg.type == REG_NONE && !j->is_trial)
			memset(to->kind, SLOT_INVALID, sizeof(to->kind));
		return;
	}
	bytes_join(j, to, from);
}

/* The same of a slot. */
static bool is_slot_kept(const struct slot *to, const struct slot *from)
{
	if (is_special(to) || is_special(from))
		return false;
	if (to->kind[0] != SLOT_SPILL || to->reg.type == REG_SCALAR)
		return true;
	return is_all(from, SLOT_SPILL) && is_kept(&to->reg, &from->reg);
}

static void stacks_join(struct fix_join *j, struct frame *to, const struct frame *from,
			const struct fix_value *skip)
{
	static const struct slot empty;

	for (unsigned int i = 0; i < to->n_slots; i++) {
		const struct slot *other = i < from->n_slots ? &from->slots[i] : &empty;

		if (!skip || !fix_is_counted(skip, VAR_SLOT + i) ||
		    !is_slot_kept(&to->slots[i], other))
			slots_join(j, &to->slots[i], other);
	}
	/* what only `from` has: nothing is known of it in the other */
	for (unsigned int i = to->n_slots; i < from->n_slots; i++)
		j->has_failed |= is_special(&from->slots[i]);
}

/* --- states */

bool fix_same_calls(const struct state *a, const struct state *b)
{
	if (a->n_frames != b->n_frames)
		return false;
	for (unsigned int i = 0; i < a->n_frames; i++)
		if (a->frames[i]->callsite != b->frames[i]->callsite ||
		    a->frames[i]->callback.kind != b->frames[i]->callback.kind ||
		    a->frames[i]->async_entry != b->frames[i]->async_entry ||
		    a->frames[i]->func != b->frames[i]->func)
			return false;
	return true;
}

static bool same_duties(const struct state *a, const struct state *b)
{
	if (a->n_refs != b->n_refs || a->rcu != b->rcu || a->preempt != b->preempt || a->lock_of ||
	    b->lock_of || a->is_sleepable != b->is_sleepable)
		return false;
	for (unsigned int i = 0; i < a->n_refs; i++)
		if (a->refs[i].id != b->refs[i].id || a->refs[i].callback != b->refs[i].callback)
			return false;
	return true;
}

/* --- ids: pointers that are one object in `to` must be one in `from` */

enum { POINTERS_MAX = 256 };

struct pairs {
	struct reg *to[POINTERS_MAX];
	const struct reg *from[POINTERS_MAX];
	unsigned int n;
	bool is_full;
};

static void pair_add(struct pairs *p, struct reg *to, const struct reg *from)
{
	if (to->type == REG_NONE || to->type == REG_SCALAR || !to->id)
		return;
	p->is_full = p->n == POINTERS_MAX;
	if (p->is_full)
		return;
	p->to[p->n] = to;
	p->from[p->n++] = from;
}

static void pairs_find(struct pairs *p, struct state *to, const struct state *from)
{
	for (unsigned int n = 0; n < to->n_frames; n++) {
		struct frame *f = to->frames[n];
		const struct frame *g = from->frames[n];

		for (unsigned int i = 0; i < 10; i++)
			pair_add(p, &f->regs[i], &g->regs[i]);
		for (unsigned int i = 0; i < f->n_slots && i < g->n_slots; i++)
			if (f->slots[i].kind[0] == SLOT_SPILL && g->slots[i].kind[0] == SLOT_SPILL)
				pair_add(p, &f->slots[i].reg, &g->slots[i].reg);
	}
}

static void ids_split(struct fix_join *j, struct state *to, const struct state *from)
{
	struct pairs p = {.n = 0};

	pairs_find(&p, to, from);
	j->has_failed |= p.is_full;
	for (unsigned int i = 1; i < p.n; i++)
		for (unsigned int k = 0; k < i; k++) {
			if (p.to[i]->id != p.to[k]->id || p.from[i]->id == p.from[k]->id)
				continue;
			j->has_changed = true;
			if (j->is_trial)
				return;
			p.to[i]->id = new_id(j->v);
			break;
		}
}

void fix_join(struct fix_join *j, struct state *to, const struct state *from)
{
	j->has_changed = j->has_failed = false;
	if (!fix_same_calls(to, from) || !same_duties(to, from)) {
		j->has_failed = true;
		return;
	}
	for (unsigned int n = 0; n < to->n_frames; n++) {
		struct frame *f = to->frames[n];
		const struct frame *g = from->frames[n];
		const struct fix_value *skip = n + 1 == to->n_frames ? j->skip : NULL;

		for (unsigned int i = 0; i < 10; i++)
			if (!skip || !fix_is_counted(skip, i) || !is_kept(&f->regs[i], &g->regs[i]))
				regs_join(j, &f->regs[i], &g->regs[i]);
		stacks_join(j, f, g, skip);
	}
	ids_split(j, to, from);
}
