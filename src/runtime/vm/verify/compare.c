/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does one state cover another?
 *
 * COVERS: the older one was walked to the end, so only what mattered to it is compared: numbers
 * that are marked, slots that were read.  WITHIN: it is not finished, so all is.  SAME: nothing
 * changed at all.  Ids only say who belongs together: those of one state are mapped to
 * those of the other.
 */
#include "runtime/vm/verify/compare.h"

bool ids_match(struct idmap *m, uint32_t old, uint32_t cur)
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

bool scalars_equal(const struct scalar *a, const struct scalar *b)
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

bool is_whole_scalar(const struct slot *s)
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
		       old->reg.is_first == cur->reg.is_first && old->reg.flags == cur->reg.flags &&
		       ids_match(&c->ids, old->reg.ref, cur->reg.ref);
	return old->reg.btf == cur->reg.btf && old->reg.btf_id == cur->reg.btf_id &&
	       old->reg.iter == cur->reg.iter && old->reg.type == cur->reg.type &&
	       old->reg.flags == cur->reg.flags && ids_match(&c->ids, old->reg.ref, cur->reg.ref);
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

bool calls_equal(const struct state *a, const struct state *b)
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

bool states_match(struct verifier *v, const struct state *old, const struct state *cur,
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
	if (old->lock_of &&
	    (old->lock_of != cur->lock_of || !ids_match(&c.ids, old->lock_id, cur->lock_id)))
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
