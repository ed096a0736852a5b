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
#include "runtime/vm/verify/internal.h"

#include <stdlib.h>

enum exactness { COVERS, WITHIN, SAME };

/* Ids of one state must map to ids of the other one by one. */
struct idmap {
	uint32_t old[256], cur[256];
	unsigned int n;
};

struct comparison {
	struct verifier *v;
	struct idmap ids;
	enum exactness how;
	unsigned int temporary; /* numbers without an id are alone: each gets one of its own */
};

static bool ids_match(struct idmap *m, uint32_t old, uint32_t cur)
{
	if (!old != !cur)
		return false;
	if (!old)
		return true;
	for (unsigned int i = 0; i < m->n; i++) {
		if (m->old[i] == old)
			return m->cur[i] == cur;
		if (m->cur[i] == cur)
			return false;
	}
	if (m->n == ELEMENTS(m->old))
		return false;
	m->old[m->n] = old;
	m->cur[m->n++] = cur;
	return true;
}

/* A number that is alone in the old state may be linked to others now: that only adds facts. */
static bool scalar_ids_match(struct comparison *c, const struct reg *old, const struct reg *cur)
{
	uint32_t id = cur->id;

	if (!old->id)
		return true;
	if (old->is_linked != cur->is_linked || (old->is_linked && old->off != cur->off))
		return false;
	if (!id)
		id = UINT32_MAX - c->temporary++;
	return ids_match(&c->ids, old->id, id);
}

static bool scalars_equal(const struct scalar *a, const struct scalar *b)
{
	return a->bits.value == b->bits.value && a->bits.mask == b->bits.mask &&
	       a->umin == b->umin && a->umax == b->umax && a->smin == b->smin &&
	       a->smax == b->smax && a->umin32 == b->umin32 && a->umax32 == b->umax32 &&
	       a->smin32 == b->smin32 && a->smax32 == b->smax32;
}

static bool extra_equal(const struct reg *a, const struct reg *b)
{
	return a->extra[0] == b->extra[0] && a->extra[1] == b->extra[1] &&
	       a->extra[2] == b->extra[2];
}

static bool pointers_exact(struct comparison *c, const struct reg *old, const struct reg *cur)
{
	return old->off == cur->off && old->frame == cur->frame && extra_equal(old, cur) &&
	       scalars_equal(&old->v, &cur->v) && ids_match(&c->ids, old->id, cur->id) &&
	       ids_match(&c->ids, old->ref, cur->ref);
}

static bool packets_match(struct comparison *c, const struct reg *old, const struct reg *cur)
{
	if (old->range < 0 || cur->range < 0) {
		if (old->range != cur->range)
			return false;
	} else if (old->range > cur->range) {
		return false;
	}
	return old->off == cur->off && ids_match(&c->ids, old->id, cur->id) &&
	       scalar_within(&old->v, &cur->v);
}

static bool regs_match(struct comparison *c, const struct reg *old, const struct reg *cur)
{
	if (c->how == SAME) {
		if (old->type != cur->type || old->flags != cur->flags)
			return false;
		if (old->type == REG_SCALAR)
			return scalars_equal(&old->v, &cur->v) &&
			       old->is_linked == cur->is_linked && old->off == cur->off &&
			       ids_match(&c->ids, old->id, cur->id);
		return old->type == REG_NONE || pointers_exact(c, old, cur);
	}
	if (old->type == REG_NONE)
		return true;
	if (old->type != cur->type || old->flags != cur->flags)
		return false;
	switch ((enum reg_type)old->type) {
	case REG_SCALAR:
		if (c->how == COVERS && !(old->dep && old->dep->is_marked) && !c->v->recorded)
			return true;
		return scalar_ids_match(c, old, cur) && scalar_within(&old->v, &cur->v);
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_MEM:
	case REG_BUFFER:
	case REG_TP_BUFFER:
		return old->off == cur->off && extra_equal(old, cur) &&
		       scalar_within(&old->v, &cur->v) && ids_match(&c->ids, old->id, cur->id) &&
		       ids_match(&c->ids, old->ref, cur->ref);
	case REG_PACKET:
	case REG_PACKET_META:
		return packets_match(c, old, cur);
	case REG_ARENA:
		return true;
	case REG_NONE:
	case REG_CTX:
	case REG_STACK:
	case REG_MAP:
	case REG_PACKET_END:
	case REG_FLOW_KEYS:
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
	case REG_BTF:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_TYPES:
		return pointers_exact(c, old, cur);
	}
	return false;
}

/* --- the stack */

static bool is_whole_scalar(const struct slot *s)
{
	for (unsigned int i = 0; i < 8; i++)
		if (s->kind[i] != SLOT_SPILL)
			return false;
	return s->reg.type == REG_SCALAR;
}

static bool is_all_misc(const struct verifier *v, const struct slot *s)
{
	for (unsigned int i = 0; i < 8; i++)
		if (s->kind[i] != SLOT_MISC &&
		    !(s->kind[i] == SLOT_INVALID && v->allow_uninit_stack))
			return false;
	return true;
}

static bool special_match(struct comparison *c, const struct slot *old, const struct slot *cur)
{
	if (old->kind[0] == SLOT_DYNPTR)
		return old->reg.dynptr == cur->reg.dynptr &&
		       old->reg.is_first == cur->reg.is_first &&
		       old->reg.flags == cur->reg.flags &&
		       ids_match(&c->ids, old->reg.ref, cur->reg.ref);
	return old->reg.btf == cur->reg.btf && old->reg.btf_id == cur->reg.btf_id &&
	       old->reg.iter == cur->reg.iter && old->reg.type == cur->reg.type &&
	       old->reg.flags == cur->reg.flags &&
	       ids_match(&c->ids, old->reg.ref, cur->reg.ref);
}

static bool bytes_match(struct comparison *c, const struct slot *old, const struct slot *cur)
{
	for (unsigned int i = 0; i < 8; i++) {
		uint8_t a = old->kind[i], b = cur->kind[i];

		if (a == b)
			continue;
		if (c->how != COVERS)
			return false;
		/* who must not show addresses may not find one where there was none */
		if (b == SLOT_SPILL && cur->reg.type != REG_SCALAR && !c->v->allow_store_leaks)
			return false;
		if (a == SLOT_INVALID || (a == SLOT_MISC && c->v->allow_uninit_stack) ||
		    (a == SLOT_MISC && b == SLOT_ZERO))
			continue;
		return false;
	}
	return true;
}

static bool slots_match(struct comparison *c, const struct slot *old, const struct slot *cur)
{
	struct reg any;
	bool old_misc, cur_misc;

	if (c->how == COVERS && !(old->live && old->live->is_marked))
		return true;
	if (c->how == COVERS) {
		old_misc = is_all_misc(c->v, old);
		cur_misc = is_all_misc(c->v, cur);
		reg_none(&any);
		reg_unknown(&any);
		if (is_whole_scalar(old) && cur_misc)
			return regs_match(c, &old->reg, &any);
		if (old_misc && (is_whole_scalar(cur) || cur_misc))
			return true;
	}
	if (!bytes_match(c, old, cur))
		return false;
	if (old->kind[0] == SLOT_DYNPTR || old->kind[0] == SLOT_ITER)
		return cur->kind[0] == old->kind[0] && special_match(c, old, cur);
	if (old->kind[0] == SLOT_SPILL)
		return cur->kind[0] == SLOT_SPILL && regs_match(c, &old->reg, &cur->reg);
	return true;
}

static bool stacks_match(struct comparison *c, const struct frame *old, const struct frame *cur)
{
	static const struct slot empty;

	for (unsigned int i = 0; i < old->n_slots; i++) {
		const struct slot *s = i < cur->n_slots ? &cur->slots[i] : &empty;

		if (i >= cur->n_slots && c->how != COVERS)
			return false;
		if (!slots_match(c, &old->slots[i], s))
			return false;
	}
	return true;
}

/* --- states */

/* Registers of frame `n` that matter, when the innermost one is about to run `insn`. */
static unsigned int live_regs(const struct verifier *v, const struct state *s, unsigned int n,
			      uint32_t insn)
{
	uint32_t call;

	if (n + 1 == s->n_frames)
		return v->info[insn].live;
	call = s->frames[n + 1]->callsite;
	if (s->frames[n + 1]->callback.kind)
		return v->info[call].live | (v->info[call + 1].live & 0x7c0);
	return v->info[call + 1].live & 0x7c0;
}

static bool calls_equal(const struct state *a, const struct state *b)
{
	if (a->n_frames != b->n_frames)
		return false;
	for (unsigned int i = 0; i < a->n_frames; i++)
		if (a->frames[i]->callsite != b->frames[i]->callsite ||
		    a->frames[i]->callback.kind != b->frames[i]->callback.kind ||
		    a->frames[i]->func != b->frames[i]->func)
			return false;
	return true;
}

static bool states_match(struct verifier *v, const struct state *old, const struct state *cur,
			 enum exactness how)
{
	struct comparison c;

	if (!calls_equal(old, cur) || old->n_refs != cur->n_refs || old->rcu != cur->rcu ||
	    old->preempt != cur->preempt || !old->lock_of != !cur->lock_of ||
	    old->is_sleepable != cur->is_sleepable)
		return false;
	c.v = v;
	c.how = how;
	c.ids.n = 0;
	c.temporary = 0;
	if (old->lock_of && (old->lock_of != cur->lock_of ||
			     !ids_match(&c.ids, old->lock_id, cur->lock_id)))
		return false;
	for (unsigned int n = 0; n < old->n_frames; n++) {
		const struct frame *f = old->frames[n], *g = cur->frames[n];
		unsigned int live = live_regs(v, cur, n, v->insn);

		/* it went fewer rounds from there */
		if (f->callback_depth > g->callback_depth)
			return false;
		for (unsigned int i = 0; i < 10; i++)
			if (live >> i & 1 && !regs_match(&c, &f->regs[i], &g->regs[i]))
				return false;
		if (!stacks_match(&c, f, g))
			return false;
	}
	for (unsigned int i = 0; i < old->n_refs; i++)
		if (old->refs[i].callback != cur->refs[i].callback ||
		    !ids_match(&c.ids, old->refs[i].id, cur->refs[i].id))
			return false;
	return true;
}

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
