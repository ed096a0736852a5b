/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a loop goes round, and what follows from that.
 *
 * If every round adds at least s to X (the round's data flow says so), and every round passes
 * "X + d < N" with an N that stays what it was, then round t begins with X >= start + t s, and
 * the last that goes on has X + d < N: t is bounded.  For "X + d != N" X must also hit N
 * exactly: s divides N - d - start, and that is not negative.  All this is about whole
 * numbers, so nothing that takes part may wrap in as many rounds; that is checked last.
 *
 * Once t <= T is known, whatever is only counted (Y = Y0 + k t) has its range at the head, with no
 * comparison of its own: pointers that move along, other counters.
 */
#include "runtime/vm/verify/fixpoint.h"

#include "base/macro.h"

#include <stdlib.h>

typedef __int128 wide;

struct range {
	wide lo, hi;
};

static const wide limit_32 = (wide)1 << 32, limit_31 = (wide)1 << 31, limit_62 = (wide)1 << 62;

bool fix_is_counted(const struct fix_value *back, unsigned int var)
{
	return back[var].var == var && back[var].kind == FIX_SUM && !back[var].is_shifted;
}

static bool is_whole_spill(const struct slot *s)
{
	for (unsigned int i = 0; i < 8; i++)
		if (s->kind[i] != SLOT_SPILL)
			return false;
	return true;
}

/* The register, or the one in the slot; NULL: there are only bytes. */
static struct reg *var_reg(const struct state *s, unsigned int var)
{
	struct frame *f = state_frame(s);

	if (var < VAR_SLOT)
		return &f->regs[var];
	var -= VAR_SLOT;
	return var < f->n_slots && is_whole_spill(&f->slots[var]) ? &f->slots[var].reg : NULL;
}

static bool number_of(const struct state *s, unsigned int var, struct range *ret)
{
	const struct reg *r = var_reg(s, var);

	if (!r || r->type != REG_SCALAR)
		return false;
	*ret = (struct range){r->v.smin, r->v.smax};
	return true;
}

/*
 * Y becomes what X was, plus d, while X grows by s: from the second round on Y is X + d - s.  If it
 * is so at the entry, it always is, and Y grows as X does.
 */
static bool follows(const struct fix_loop *l, const struct state *entry, unsigned int var,
		    struct fix_value *ret)
{
	const struct fix_value *y = &l->back[var], *x = &l->back[y->var];
	struct range start, leader;

	if (y->is_shifted || y->kind != FIX_SUM || x->kind != FIX_SUM || y->lo != y->hi ||
	    x->var != y->var || x->is_shifted || x->lo != x->hi || !number_of(entry, var, &start) ||
	    !number_of(entry, y->var, &leader) || start.lo != start.hi || leader.lo != leader.hi ||
	    start.lo - leader.lo != y->lo - x->lo)
		return false;
	*ret = *x;
	ret->var = (uint8_t)var;
	ret->is_32 |= y->is_32;
	ret->is_31 |= y->is_31;
	/* on the way it was the other one, a step behind or ahead */
	ret->seen_lo = MIN(x->seen_lo, y->seen_lo) - abs(y->lo) - abs(x->lo);
	ret->seen_hi = MAX(x->seen_hi, y->seen_hi) + abs(y->lo) + abs(x->lo);
	return true;
}

void fix_back_find(const struct fix_loop *l, const struct state *entry, struct fix_value *ret)
{
	memcpy(ret, l->back, sizeof(l->back));
	for (unsigned int var = 0; var < VAR_COUNT; var++)
		if (ret[var].var != var && l->back[var].var != VAR_NONE)
			follows(l, entry, var, &ret[var]);
}

static bool is_between(const struct range *r, wide lo, wide limit)
{
	return r->lo >= lo && r->hi < limit;
}

/* --- comparisons, as relations between whole numbers */

enum order { BELOW, BELOW_OR_SAME, ABOVE, ABOVE_OR_SAME, DIFFERENT, OTHER };

static enum order order_of(enum insn_jump op, bool is_taken, bool *is_signed)
{
	*is_signed = op == JUMP_JSGT || op == JUMP_JSGE || op == JUMP_JSLT || op == JUMP_JSLE;
	switch (op) {
	case JUMP_JEQ:
		return is_taken ? OTHER : DIFFERENT;
	case JUMP_JNE:
		return is_taken ? DIFFERENT : OTHER;
	case JUMP_JGT:
	case JUMP_JSGT:
		return is_taken ? ABOVE : BELOW_OR_SAME;
	case JUMP_JGE:
	case JUMP_JSGE:
		return is_taken ? ABOVE_OR_SAME : BELOW;
	case JUMP_JLT:
	case JUMP_JSLT:
		return is_taken ? BELOW : ABOVE_OR_SAME;
	case JUMP_JLE:
	case JUMP_JSLE:
		return is_taken ? BELOW_OR_SAME : ABOVE;
	case JUMP_JSET:
	case JUMP_COUNT:
		break;
	}
	return OTHER;
}

static enum order swapped(enum order o)
{
	switch (o) {
	case BELOW:
		return ABOVE;
	case BELOW_OR_SAME:
		return ABOVE_OR_SAME;
	case ABOVE:
		return BELOW;
	case ABOVE_OR_SAME:
		return BELOW_OR_SAME;
	case DIFFERENT:
	case OTHER:
		break;
	}
	return o;
}

struct trip {
	struct range x, n; /* at the entry: what is counted; what it is compared with */
	struct range step; /* of a round */
	struct range d;	   /* at the comparison */
	struct range seen; /* all that is added on the way */
	enum order stays;
	bool is_signed, is_32, cut_32, cut_31, is_square;
	const struct scalar *xs, *ns; /* for what divides; ns NULL: n is one number */
};

static wide divide(wide a, wide by)
{
	return a < 0 ? -1 : a / by;
}

/* Is n - d - x a multiple of `step` for sure? */
static bool divides(const struct trip *t, wide step)
{
	uint64_t low = (uint64_t)step - 1;

	if (step == 1)
		return true;
	if (t->x.lo == t->x.hi && t->n.lo == t->n.hi)
		return (t->n.lo - t->d.lo - t->x.lo) % step == 0;
	if (step & (step - 1) || t->xs->bits.mask & low)
		return false;
	if (t->ns && t->ns->bits.mask & low)
		return false;
	return !((uint64_t)(t->n.lo - t->d.lo - (wide)t->xs->bits.value) & low);
}

/* The rounds that stay, upwards; −1: no bound. */
static wide count_up(const struct trip *t)
{
	wide step = t->step.lo;

	if (t->stays == BELOW || t->stays == BELOW_OR_SAME)
		return divide(t->n.hi - (t->stays == BELOW) - t->d.lo - t->x.lo, step) + 1;
	if (t->stays == DIFFERENT && t->step.lo == t->step.hi && t->d.lo == t->d.hi &&
	    t->n.lo - t->d.lo - t->x.hi >= 0 && divides(t, step))
		return (t->n.hi - t->d.lo - t->x.lo) / step;
	return -1;
}

/* Downwards is upwards in a mirror. */
static wide count(const struct trip *t)
{
	struct trip m = *t;

	if (t->step.lo >= 1)
		return count_up(t);
	if (t->step.hi > -1)
		return -1;
	if (t->stays == DIFFERENT) {
		wide step = -t->step.hi;

		if (t->step.lo != t->step.hi || t->d.lo != t->d.hi ||
		    t->x.lo + t->d.lo - t->n.hi < 0 || !divides(t, step))
			return -1;
		return (t->x.hi + t->d.lo - t->n.lo) / step;
	}
	m.x = (struct range){-t->x.hi, -t->x.lo};
	m.n = (struct range){-t->n.hi, -t->n.lo};
	m.d = (struct range){-t->d.hi, -t->d.lo};
	m.step = (struct range){-t->step.hi, -t->step.lo};
	m.stays = swapped(t->stays);
	return count_up(&m);
}

static wide root_of(wide n)
{
	wide r = 0;

	for (wide bit = (wide)1 << 31; bit; bit >>= 1)
		if ((r + bit) * (r + bit) <= n)
			r += bit;
	return r;
}

/* (X + d)² below N is X + d up to the root; it grows with X if that is not negative. */
static wide count_square(struct trip t)
{
	if (t.step.lo < 1 || t.x.lo + t.d.lo < 0 || (t.stays != BELOW && t.stays != BELOW_OR_SAME))
		return -1;
	t.n.hi -= t.stays == BELOW;
	t.stays = BELOW_OR_SAME;
	if (t.n.hi < 0)
		return 0;
	t.n.hi = root_of(t.n.hi);
	return count_up(&t);
}

/* Does nothing wrap in that many rounds? */
static bool is_plain(const struct trip *t, wide trips)
{
	struct range all = {t->x.lo + MIN(t->step.lo * trips, 0) + MIN(t->seen.lo, 0),
			    t->x.hi + MAX(t->step.hi * trips, 0) + MAX(t->seen.hi, 0)};
	wide lo = t->is_signed || t->stays == DIFFERENT ? -limit_62 : 0, limit = limit_62;

	if (t->cut_32 || t->is_32) {
		lo = 0;
		limit = t->cut_31 || (t->is_32 && t->is_signed) ? limit_31 : limit_32;
	}
	if (t->is_square) {
		if (all.lo < 0 || all.hi >= limit_31)
			return false;
		all.hi *= all.hi;
	}
	return is_between(&all, lo, limit) && is_between(&t->n, lo, limit);
}

/* --- a guard, with what the entry says */

static struct range delta(const struct fix_value *x)
{
	return (struct range){x->lo, x->hi};
}

/* The other side: a number, or a variable that rounds leave alone. */
static bool other_side(const struct fix_value *backs, const struct state *entry,
		       const struct fix_value *b, struct trip *t)
{
	const struct fix_value *back = &backs[b->var];
	struct range start;

	if (!fix_is_counted(backs, b->var) || b->kind != FIX_SUM || back->lo || back->hi ||
	    b->is_shifted || !number_of(entry, b->var, &start))
		return false;
	if ((b->is_32 || back->is_32) && !is_between(&start, 0, limit_31))
		return false;
	t->n = (struct range){start.lo + b->lo, start.hi + b->hi};
	if ((b->is_32 || back->is_32) && !is_between(&t->n, 0, limit_31))
		return false;
	t->ns = b->lo || b->hi ? NULL : &var_reg(entry, b->var)->v;
	/* with a distance of its own, no divisor is known of it */
	return t->ns || t->n.lo == t->n.hi || t->stays != DIFFERENT;
}

static bool guard_trips(struct verifier *v, const struct fix_value *backs,
			const struct fix_guard *g, const struct state *entry, bool is_swapped,
			wide *ret)
{
	const struct insn_row *row = insn_row_of(v->info[g->insn].id);
	const struct fix_value *x = is_swapped ? &g->b : &g->a, *n = is_swapped ? &g->a : &g->b;
	struct trip t = {.is_32 = row->is_32};
	const struct fix_value *back;
	int32_t imm = v->p->insns[g->insn].imm;

	if (x->var == VAR_NONE || x->is_shifted || x->kind == FIX_HALVED ||
	    !fix_is_counted(backs, x->var) || !number_of(entry, x->var, &t.x))
		return false;
	back = &backs[x->var];
	t.stays = order_of(insn_jump_of(v->info[g->insn].id), g->is_taken, &t.is_signed);
	if (is_swapped)
		t.stays = swapped(t.stays);
	t.xs = &var_reg(entry, x->var)->v;
	t.step = delta(back);
	t.d = delta(x);
	t.seen = (struct range){MIN(back->seen_lo, x->seen_lo), MAX(back->seen_hi, x->seen_hi)};
	t.cut_32 = back->is_32 || x->is_32;
	t.cut_31 = back->is_31 || x->is_31;
	if (!row->is_imm) {
		if (n->var == VAR_NONE || !other_side(backs, entry, n, &t))
			return false;
	} else if (is_swapped) {
		return false;
	} else {
		t.n.lo = t.n.hi = row->is_32 && !t.is_signed ? (wide)(uint32_t)imm : (wide)imm;
	}
	t.is_square = x->kind == FIX_SQUARE;
	*ret = t.is_square ? count_square(t) : count(&t);
	return *ret >= 0 && *ret < limit_62 && is_plain(&t, *ret);
}

/* What is halved each round, and stays above 0: that ends with its last bit. */
static bool is_halving(struct verifier *v, const struct fix_value *backs, const struct fix_guard *g)
{
	const struct insn_row *row = insn_row_of(v->info[g->insn].id);
	const struct fix_value *x = &g->a;
	bool is_signed;
	enum order o = order_of(insn_jump_of(v->info[g->insn].id), g->is_taken, &is_signed);

	if (!row->is_imm || x->var == VAR_NONE || x->is_shifted || x->kind == FIX_SQUARE || x->lo ||
	    x->hi || backs[x->var].var != x->var || backs[x->var].kind != FIX_HALVED ||
	    backs[x->var].is_shifted || is_signed)
		return false;
	return (o == DIFFERENT && v->p->insns[g->insn].imm == 0) || o == ABOVE ||
	       (o == ABOVE_OR_SAME && v->p->insns[g->insn].imm != 0);
}

bool fix_trips(struct verifier *v, const struct fix_loop *l, const struct fix_value *back,
	       const struct state *entry, uint64_t *ret)
{
	enum { BITS = 64 };
	bool found = false;

	for (size_t i = 0; i < l->guards.n && !found; i++)
		if (is_halving(v, back, &l->guards.p[i])) {
			*ret = BITS;
			found = true;
		}
	for (size_t i = 0; i < l->guards.n; i++)
		for (unsigned int side = 0; side < 2; side++) {
			wide trips;

			if (!guard_trips(v, back, &l->guards.p[i], entry, side, &trips))
				continue;
			*ret = found ? MIN(*ret, (uint64_t)trips) : (uint64_t)trips;
			found = true;
		}
	return found;
}

/* --- what is counted, after any number of rounds */

/* The sum of up to `trips` steps, each between lo and hi. */
static void sum_of_steps(const struct fix_value *back, uint64_t trips, struct scalar *ret)
{
	wide lo = MIN((wide)back->lo * (wide)trips, 0), hi = MAX((wide)back->hi * (wide)trips, 0);
	struct scalar step;

	if (lo <= -limit_62 || hi >= limit_62) {
		scalar_any(ret);
	} else if (back->lo == back->hi) {
		scalar_range(ret, 0, trips);
		scalar_set(&step, (uint64_t)(int64_t)back->lo);
		scalar_alu(ret, ALU_MUL, false, &step);
	} else {
		scalar_any(ret);
		ret->smin = (int64_t)lo;
		ret->smax = (int64_t)hi;
		scalar_sync(ret);
	}
}

static void number_count(struct reg *r, const struct fix_value *back, uint64_t trips)
{
	struct range all = {
		r->v.smin + MIN((wide)back->lo * (wide)trips, 0) + MIN(back->seen_lo, 0),
		r->v.smax + MAX((wide)back->hi * (wide)trips, 0) + MAX(back->seen_hi, 0)};
	struct scalar sum;

	if (back->is_32 && !is_between(&all, 0, back->is_31 ? limit_31 : limit_32)) {
		/* it may wrap: any number, as it was or cut */
		reg_unknown(r);
		return;
	}
	if (!back->lo && !back->hi)
		return;
	sum_of_steps(back, trips, &sum);
	scalar_alu(&r->v, ALU_ADD, false, &sum);
	r->id = 0;
	r->off = 0;
	r->is_linked = false;
}

void fix_rebase(struct reg *r)
{
	enum { OFFSET_MAX = 1 << 28 };
	struct scalar least;
	int64_t off;

	/* only to the beginning: offsets that are not negative are compared without a sign */
	if (r->v.smin >= 0 || r->v.smin < -OFFSET_MAX || r->v.smax > OFFSET_MAX)
		return;
	off = r->off + r->v.smin;
	if (off != (int32_t)off)
		return;
	scalar_set(&least, (uint64_t)r->v.smin);
	r->off = (int32_t)off;
	scalar_alu(&r->v, ALU_SUB, false, &least);
}

static void pointer_count(struct verifier *v, struct reg *r, const struct fix_value *back,
			  uint64_t trips)
{
	struct scalar sum;

	if (!back->lo && !back->hi && !back->is_32)
		return;
	switch ((enum reg_type)r->type) {
	case REG_PACKET:
	case REG_PACKET_META:
		r->id = new_id(v);
		r->range = 0;
		break;
	case REG_STACK:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_MEM:
		break;
	case REG_NONE:
	case REG_SCALAR:
	case REG_CTX:
	case REG_MAP:
	case REG_PACKET_END:
	case REG_FLOW_KEYS:
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
	case REG_TP_BUFFER:
	case REG_BUFFER:
	case REG_BTF:
	case REG_ARENA:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_TYPES:
		reg_none(r);
		return;
	}
	if (back->is_32 || r->flags & F_NULL) {
		reg_none(r);
		return;
	}
	sum_of_steps(back, trips, &sum);
	scalar_alu(&r->v, ALU_ADD, false, &sum);
	fix_rebase(r);
}

/* A slot of bytes that is counted: zeros do not stay zeros. */
static void bytes_count(struct state *s, unsigned int slot)
{
	struct frame *f = state_frame(s);

	if (slot >= f->n_slots)
		return;
	for (unsigned int i = 0; i < 8; i++)
		if (f->slots[slot].kind[i] == SLOT_ZERO || f->slots[slot].kind[i] == SLOT_SPILL)
			f->slots[slot].kind[i] = SLOT_MISC;
}

void fix_accelerate(struct verifier *v, const struct fix_value *backs, uint64_t trips,
		    struct state *s)
{
	for (unsigned int var = 0; var < VAR_COUNT; var++) {
		const struct fix_value *back = &backs[var];
		struct reg *r;

		if (!fix_is_counted(backs, var))
			continue;
		r = var_reg(s, var);
		if (!r) {
			if (back->lo || back->hi || back->is_32)
				bytes_count(s, var - VAR_SLOT);
		} else if (r->type == REG_SCALAR) {
			number_count(r, back, trips);
		} else if (r->type != REG_NONE) {
			pointer_count(v, r, back, trips);
		}
	}
}
