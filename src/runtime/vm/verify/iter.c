/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open-coded iterators: on the stack between new and destroy.
 *
 * next() goes two ways: there is one more element, or it was the last.  The loop ends since
 * iterators end; the verifier only needs one round that covers all later ones (prune.c).
 */
#include "runtime/vm/verify/internal.h"

static int slot_index(const struct reg *r, unsigned int slots)
{
	int32_t off;

	if (r->type != REG_STACK || !reg_is_const(r))
		return -1;
	off = r->off + (int32_t)r->v.bits.value;
	if (off % 8 || off < -STACK_SIZE || off > -8 * (int32_t)slots)
		return -1;
	return (int)slot_of(off);
}

int iter_init(struct verifier *v, unsigned int regno, const struct btf_view *btf, uint32_t btf_id,
	      unsigned int slots, bool is_rcu)
{
	const struct reg *r = &cur_regs(v)[regno];
	int k = slot_index(r, slots), ret;
	struct func *func;
	struct frame *f;
	uint32_t ref;

	if (k < 0)
		return refuse(
			v, D_VERIFY_ARGUMENT,
			"expected uninitialized iterator as arg #%u: it must be on the stack at a "
			"constant, aligned offset",
			regno - 1);
	f = stack_frame_of(v, r);
	func = &v->funcs[f->func];
	if ((k + 1) * 8 > func->stack)
		func->stack = (uint16_t)((k + 1) * 8);
	frame_grow(&v->pool, f, (unsigned int)k + 1);
	for (unsigned int i = 0; i < slots; i++) {
		ret = slot_destroy_dynptr(v, f, (unsigned int)k - i);
		if (ret)
			return ret;
		if (f->slots[k - (int)i].kind[0] == SLOT_ITER)
			return refuse(v, D_VERIFY_ARGUMENT,
				      "expected uninitialized iterator as arg #%u", regno - 1);
	}
	ret = ref_acquire(v, &ref);
	for (unsigned int i = 0; i < slots && !ret; i++) {
		struct slot *s = &f->slots[k - (int)i];

		for (unsigned int b = 0; b < 8; b++)
			s->kind[b] = SLOT_ITER;
		s->live = NULL;
		reg_pointer(&s->reg, REG_STACK,
			    is_rcu ? (rcu_is_held(v) ? F_RCU : F_UNTRUSTED) : 0);
		s->reg.ref = i ? 0 : ref;
		s->reg.btf = btf;
		s->reg.btf_id = btf_id;
		s->reg.iter = ITER_ACTIVE;
		s->reg.at = v->insn;
	}
	return ret;
}

int iter_check(struct verifier *v, unsigned int regno, const struct btf_view *btf, uint32_t btf_id,
	       unsigned int slots, unsigned int *ret_flags)
{
	const struct reg *r = &cur_regs(v)[regno];
	int k = slot_index(r, slots);
	struct frame *f;

	if (k < 0)
		return refuse(v, D_VERIFY_ARGUMENT, "expected an initialized iterator as arg #%u",
			      regno - 1);
	f = stack_frame_of(v, r);
	for (unsigned int i = 0; i < slots; i++) {
		const struct slot *s;

		if ((unsigned int)k - i >= f->n_slots)
			return refuse(v, D_VERIFY_ARGUMENT,
				      "expected an initialized iterator as arg #%u", regno - 1);
		s = &f->slots[k - (int)i];
		if (s->kind[0] == SLOT_ITER && s->reg.flags & F_UNTRUSTED)
			return refuse(v, D_VERIFY_LOCK,
				      "expected an RCU CS when using an iterator");
		for (unsigned int b = 0; b < 8; b++)
			if (s->kind[b] != SLOT_ITER)
				return refuse(v, D_VERIFY_ARGUMENT,
					      "expected an initialized iterator as arg #%u",
					      regno - 1);
		if ((i == 0) != !!s->reg.ref || s->reg.btf != btf || s->reg.btf_id != btf_id)
			return refuse(v, D_VERIFY_ARGUMENT,
				      "expected an initialized iterator as arg #%u", regno - 1);
		slot_read(v, f, (unsigned int)k - i);
	}
	*ret_flags = f->slots[k].reg.flags;
	return 0;
}

int iter_destroy(struct verifier *v, unsigned int regno, unsigned int slots)
{
	const struct reg *r = &cur_regs(v)[regno];
	int k = slot_index(r, slots), ret;
	struct frame *f = stack_frame_of(v, r);

	ret = ref_release(v, f->slots[k].reg.ref);
	for (unsigned int i = 0; i < slots && !ret; i++) {
		struct slot *s = &f->slots[k - (int)i];

		for (unsigned int b = 0; b < 8; b++)
			s->kind[b] = SLOT_INVALID;
		s->reg = (struct reg){};
		s->live = NULL;
	}
	return ret;
}

static struct reg *iter_of(struct state *s, const struct reg *r, unsigned int slots)
{
	return &s->frames[r->frame]->slots[slot_index(r, slots)].reg;
}

/* The path that goes on is walked later; this one sees the end. */
int iter_next(struct verifier *v, const struct reg *at, unsigned int slots)
{
	struct reg *it = iter_of(v->cur, at, slots), *r0;
	struct state *more, *old;

	if (it->iter == ITER_ACTIVE) {
		old = prune_previous(v, v->insn, true);
		more = push_path(v, v->insn + 1);
		if (!more)
			return -E2BIG;
		iter_of(more, at, slots)->iter_depth++;
		if (old)
			prune_widen(v, old, more);
		r0 = &state_frame(more)->regs[0];
		r0->flags &= ~F_NULL;
		r0->id = 0;
	}
	iter_of(v->cur, at, slots)->iter = ITER_DRAINED;
	reg_known(&cur_regs(v)[0], 0);
	return 0;
}
