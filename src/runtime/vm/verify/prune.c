/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States that were seen before: paths that need not be walked again.
 *
 * Where paths may meet, states are remembered.  A path that arrives in a state that an older,
 * finished one covers ends there: from the older one everything was proven, and what it
 * relied on (marked nodes) is now relied on here, too.
 *
 * A state whose paths are still being walked is on the way here: a loop.  If nothing at all
 * changed since, the loop never ends and the program is refused.  Where the runtime itself
 * bounds the loop (iterators, bpf_loop(), may_goto), it is enough that the older state covers
 * this one in every register: what holds for one round holds for the next.  Then the older
 * one's nodes are not final, so the two are linked: what is marked there later is marked here.
 * Everything between the two depends on the older one until that is finished (state.loop).
 */
#include "runtime/vm/verify/compare.h"

/* What `old` relied on, or will, is relied on in `cur`. */
static void rely(struct verifier *v, const struct state *old, struct state *cur)
{
	for (unsigned int n = 0; n < old->n_frames; n++) {
		struct frame *f = old->frames[n], *g = cur->frames[n];

		for (unsigned int i = 0; i < 10; i++)
			if (f->regs[i].type == REG_SCALAR && g->regs[i].type == REG_SCALAR)
				dep_link(&v->pool, f->regs[i].dep, g->regs[i].dep);
		for (unsigned int i = 0; i < f->n_slots && i < g->n_slots; i++) {
			struct slot *s = &f->slots[i], *t = &g->slots[i];

			dep_link(&v->pool, s->live, t->live);
			if (s->kind[0] == SLOT_SPILL && s->reg.type == REG_SCALAR &&
			    t->kind[0] == SLOT_SPILL && t->reg.type == REG_SCALAR)
				dep_link(&v->pool, s->reg.dep, t->reg.dep);
		}
	}
}

/* The unfinished state that `s` depends on; NULL: it is final. */
static struct state *loop_of(struct state *s)
{
	while (s->loop && !s->loop->branches)
		s->loop = s->loop->loop;
	return s->loop;
}

/* All that was remembered since `entry` depends on it. */
static void depend(struct state *s, struct state *entry)
{
	for (; s && s != entry; s = s->parent) {
		struct state *loop = loop_of(s);

		if (loop && loop->depth <= entry->depth)
			return;
		s->loop = entry;
	}
}

void branches_done(struct verifier *v, struct state *s)
{
	(void)v;
	for (; s && !--s->branches; s = s->parent)
		continue;
}

struct state *prune_previous(struct verifier *v, uint32_t insn, bool skip)
{
	struct state *s = v->cur->parent;

	/* the one that was remembered right here */
	if (skip && s)
		s = s->parent;
	for (; s; s = s->parent)
		if (s->insn == insn && calls_equal(s, v->cur))
			return s;
	return NULL;
}

static void widen_reg(struct comparison *c, const struct reg *old, struct reg *cur)
{
	if (old->type != REG_SCALAR || cur->type != REG_SCALAR)
		return;
	if ((old->dep && old->dep->is_marked) || (cur->dep && cur->dep->is_marked))
		return;
	if (scalars_equal(&old->v, &cur->v) && ids_match(&c->ids, old->id, cur->id))
		return;
	{
		struct dep *dep = cur->dep;

		reg_unknown(cur);
		cur->dep = dep;
	}
}

void prune_widen(struct verifier *v, const struct state *old, struct state *cur)
{
	struct comparison c = {.v = v};

	for (unsigned int n = 0; n < old->n_frames && n < cur->n_frames; n++) {
		const struct frame *f = old->frames[n];
		struct frame *g = cur->frames[n];

		for (unsigned int i = 0; i < 10; i++)
			widen_reg(&c, &f->regs[i], &g->regs[i]);
		for (unsigned int i = 0; i < f->n_slots && i < g->n_slots; i++)
			if (is_whole_scalar(&f->slots[i]) && is_whole_scalar(&g->slots[i]))
				widen_reg(&c, &f->slots[i].reg, &g->slots[i].reg);
	}
}

/* --- remembering */

static void reg_renew(struct verifier *v, struct reg *r)
{
	if (r->type == REG_SCALAR)
		r->dep = dep_new(&v->pool, r->dep, NULL);
}

/* Remember the current state; from here on its numbers have nodes of their own. */
static void remember(struct verifier *v, uint32_t insn)
{
	struct state *s = state_new(&v->pool), *cur = v->cur;

	for (unsigned int n = 0; n < cur->n_frames; n++) {
		struct frame *f = cur->frames[n];

		for (unsigned int i = 0; i < 10; i++)
			reg_renew(v, &f->regs[i]);
		for (unsigned int i = 0; i < f->n_slots; i++) {
			f->slots[i].live = dep_new(&v->pool, f->slots[i].live, NULL);
			if (f->slots[i].kind[0] == SLOT_SPILL)
				reg_renew(v, &f->slots[i].reg);
		}
	}
	state_copy(&v->pool, s, cur);
	s->insn = insn;
	s->branches = 1;
	s->loop = NULL;
	s->depth = cur->parent ? cur->parent->depth + 1 : 0;
	s->parent = cur->parent;
	cur->parent = s;
	s->next = v->info[insn].explored;
	v->info[insn].explored = s;
	v->states++;
	v->peak++;
	v->prev_jumps = v->jumps;
	v->prev_insns = v->insns_explored;
}

/* Iterators go on: a state that is the same but for how often is no endless loop. */
static bool iters_differ(const struct state *a, const struct state *b)
{
	for (unsigned int n = 0; n < a->n_frames; n++) {
		const struct frame *f = a->frames[n], *g = b->frames[n];

		for (unsigned int i = 0; i < f->n_slots && i < g->n_slots; i++) {
			if (f->slots[i].kind[0] != SLOT_ITER || g->slots[i].kind[0] != SLOT_ITER)
				continue;
			if (f->slots[i].reg.iter == ITER_ACTIVE &&
			    f->slots[i].reg.iter_depth != g->slots[i].reg.iter_depth)
				return true;
		}
	}
	return false;
}

/* The iterator that the call at hand advances is alive. */
static bool iter_is_active(struct verifier *v)
{
	const struct reg *r = &cur_regs(v)[1];
	struct frame *f;
	unsigned int k;

	if (r->type != REG_STACK || !reg_is_const(r))
		return false;
	f = stack_frame_of(v, r);
	k = slot_of(r->off + (int32_t)r->v.bits.value);
	return k < f->n_slots && f->slots[k].kind[0] == SLOT_ITER &&
	       f->slots[k].reg.iter == ITER_ACTIVE;
}

enum { MISS, HIT, SKIP };

/* `s` is on the way here. */
static int compare_loop(struct verifier *v, struct state *s, uint32_t insn)
{
	const struct insn_info *f = &v->info[insn];
	struct frame *a = state_frame(s), *b = cur_frame(v);
	bool is_hit = false;

	if (a->callback.is_async && a->async_entry != b->async_entry)
		return MISS;
	if (f->is_iter_next) {
		is_hit = states_match(v, s, v->cur, WITHIN) && iter_is_active(v);
	} else if (f->calls_callback) {
		is_hit = states_match(v, s, v->cur, WITHIN);
	} else {
		if (f->is_may_goto)
			is_hit = s->may_goto != v->cur->may_goto &&
				 states_match(v, s, v->cur, WITHIN);
		if (!is_hit && states_match(v, s, v->cur, SAME) && !iters_differ(s, v->cur) &&
		    s->may_goto == v->cur->may_goto &&
		    s->callback_unroll == v->cur->callback_unroll)
			return refuse(v, D_VERIFY_LOOP, "infinite loop detected at insn %u", insn);
	}
	if (!is_hit)
		return MISS;
	rely(v, s, v->cur);
	depend(v->cur->parent, s);
	return HIT;
}

static int compare_done(struct verifier *v, struct state *s)
{
	struct state *loop = loop_of(s);

	if (!states_match(v, s, v->cur, loop ? WITHIN : COVERS))
		return MISS;
	rely(v, s, v->cur);
	if (loop)
		depend(v->cur->parent, loop);
	return HIT;
}

int prune(struct verifier *v, uint32_t insn)
{
	const struct insn_info *f = &v->info[insn];
	bool is_forced = v->test_state_freq || f->is_checkpoint;
	bool wants = is_forced ||
		     (v->jumps - v->prev_jumps >= 2 && v->insns_explored - v->prev_insns >= 8);
	struct state **at = &v->info[insn].explored, *s;

	while ((s = *at) != NULL) {
		int r;

		if (s->branches) {
			r = compare_loop(v, s, insn);
			if (r < 0)
				return r;
			if (r == MISS && !is_forced && v->jumps - v->prev_jumps < 20 &&
			    v->insns_explored - v->prev_insns < 100)
				wants = false;
		} else {
			r = compare_done(v, s);
		}
		if (r == HIT) {
			s->hits++;
			return 1;
		}
		if (wants)
			s->misses++;
		/* useless ones go; their nodes live on */
		if (s->misses > s->hits * 3 + (f->is_checkpoint && s->branches ? 64 : 3)) {
			*at = s->next;
			v->peak--;
			continue;
		}
		at = &s->next;
	}
	if (wants)
		remember(v, insn);
	return 0;
}
