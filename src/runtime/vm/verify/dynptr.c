/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dynptrs: memory with its bounds, 16 bytes on the stack that only helpers may touch.
 *
 * Both slots bear the dynptr's id; slices of its memory name that id, so that they go when it
 * goes.  Those of a ring buffer are references, too.
 */
#include "runtime/vm/verify/internal.h"

/* Slot of its first half; −1: the register does not point to a place for one. */
static int slot_index(struct verifier *v, const struct reg *r)
{
	int32_t off;

	if (r->type != REG_STACK || !reg_is_const(r))
		return -1;
	(void)v;
	off = r->off + (int32_t)r->v.bits.value;
	if (off % 8 || off < -STACK_SIZE || off > -16)
		return -1;
	return (int)slot_of(off);
}

struct reg *dynptr_of(struct verifier *v, unsigned int regno)
{
	struct reg *r = &cur_regs(v)[regno];
	struct frame *f;
	int k;

	if (r->type == REG_DYNPTR)
		return r;
	k = slot_index(v, r);
	if (k < 1)
		return NULL;
	f = stack_frame_of(v, r);
	/* slot k is the lower half: the first */
	if ((unsigned int)k >= f->n_slots || f->slots[k].kind[0] != SLOT_DYNPTR ||
	    f->slots[k - 1].kind[0] != SLOT_DYNPTR || !f->slots[k].reg.is_first)
		return NULL;
	return &f->slots[k].reg;
}

struct slices {
	uint32_t id;
};

static void drop_slice(struct reg *r, void *ctx)
{
	struct slices *s = ctx;

	if (r->type == REG_MEM && r->slice_of && r->slice_of == s->id)
		reg_none(r);
}

static void slot_clear(struct slot *s, uint8_t kind)
{
	for (unsigned int i = 0; i < 8; i++)
		s->kind[i] = kind;
	s->reg = (struct reg){};
	s->live = NULL;
}

static void slots_invalidate(struct frame *f, unsigned int first)
{
	slot_clear(&f->slots[first], SLOT_INVALID);
	slot_clear(&f->slots[first - 1], SLOT_INVALID);
}

/* Something is written over a slot: the whole dynptr is gone. */
int slot_destroy_dynptr(struct verifier *v, struct frame *f, unsigned int slot)
{
	struct slices s;
	struct reg *r = &f->slots[slot].reg;
	unsigned int first;

	if (f->slots[slot].kind[0] != SLOT_DYNPTR)
		return 0;
	if (!r->is_first) {
		slot++;
		r = &f->slots[slot].reg;
	}
	first = slot;
	if (r->dynptr == DYNPTR_RINGBUF) {
		unsigned int same = 0;

		for (unsigned int n = 0; n < v->cur->n_frames; n++)
			for (unsigned int i = 0; i < v->cur->frames[n]->n_slots; i++) {
				const struct slot *t = &v->cur->frames[n]->slots[i];

				same += t->kind[0] == SLOT_DYNPTR && t->reg.is_first &&
					t->reg.ref == r->ref;
			}
		if (same < 2)
			return refuse(v, D_VERIFY_REFERENCE, "cannot overwrite referenced dynptr");
	}
	s.id = r->id;
	slots_invalidate(f, first);
	state_each(v->cur, drop_slice, &s);
	return 0;
}

int dynptr_init_slots(struct verifier *v, unsigned int regno, enum dynptr_kind kind,
		      uint32_t clone_ref, uint32_t clone_id)
{
	const struct reg *r = &cur_regs(v)[regno];
	int k = slot_index(v, r), ret;
	struct frame *f;
	uint32_t ref = clone_ref, id = new_id(v);
	(void)clone_id;

	if (k < 1)
		return refuse(v, D_VERIFY_ARGUMENT, "Dynptr has to be an uninitialized dynptr");
	f = stack_frame_of(v, r);
	frame_grow(&v->pool, f, (unsigned int)k + 1);
	ret = slot_destroy_dynptr(v, f, (unsigned int)k);
	ret = ret ? ret : slot_destroy_dynptr(v, f, (unsigned int)k - 1);
	if (ret)
		return ret;
	if (kind == DYNPTR_RINGBUF && !ref) {
		ret = ref_acquire(v, &ref);
		if (ret)
			return ret;
	}
	for (int i = 0; i < 2; i++) {
		struct slot *s = &f->slots[k - i];

		slot_clear(s, SLOT_DYNPTR);
		reg_pointer(&s->reg, REG_DYNPTR, 0);
		s->reg.dynptr = kind;
		s->reg.is_first = !i;
		s->reg.id = id;
		s->reg.ref = ref;
		s->reg.at = v->insn;
	}
	return 0;
}

int dynptr_release(struct verifier *v, unsigned int regno)
{
	struct reg *d = dynptr_of(v, regno);
	uint32_t ref;
	int r;

	if (!d || cur_regs(v)[regno].type == REG_DYNPTR)
		return refuse(v, D_VERIFY_ARGUMENT, "arg %u is an unacquired reference", regno);
	ref = d->ref;
	if (!ref) {
		slots_invalidate(stack_frame_of(v, &cur_regs(v)[regno]),
				 (unsigned int)slot_index(v, &cur_regs(v)[regno]));
		return 0;
	}
	r = ref_release(v, ref);
	/* clones go with it, and the slices of all of them */
	for (unsigned int n = 0; n < v->cur->n_frames && !r; n++) {
		struct frame *f = v->cur->frames[n];

		for (unsigned int i = 1; i < f->n_slots; i++)
			if (f->slots[i].kind[0] == SLOT_DYNPTR && f->slots[i].reg.is_first &&
			    f->slots[i].reg.ref == ref) {
				struct slices s = {.id = f->slots[i].reg.id};

				slots_invalidate(f, i);
				state_each(v->cur, drop_slice, &s);
			}
	}
	return r;
}

/* Is there room for one that is to be made? */
static int uninit_arg(struct verifier *v, struct call *c, unsigned int regno)
{
	const struct reg *r = &cur_regs(v)[regno];
	struct region g = {.regno = regno, .size = 16, .is_write = true, .is_uninit = true};
	int k;

	if (r->type != REG_STACK || !reg_is_const(r))
		return refuse(v, D_VERIFY_ARGUMENT, "dynptr has to be at a constant offset");
	k = slot_index(v, r);
	if (k < 1)
		return refuse(v, D_VERIFY_ARGUMENT, "cannot pass in dynptr at an offset=%lld",
			      (long long)r->off + (long long)r->v.bits.value);
	/* a dynptr may be there: it is overwritten, if that is allowed */
	{
		struct frame *f = stack_frame_of(v, r);
		struct func *func = &v->funcs[f->func];
		int32_t off = r->off + (int32_t)r->v.bits.value;
		int ret;

		if (-off > func->stack)
			func->stack = (uint16_t)-off;
		frame_grow(&v->pool, f, (unsigned int)k + 1);
		ret = slot_destroy_dynptr(v, f, (unsigned int)k);
		ret = ret ? ret : slot_destroy_dynptr(v, f, (unsigned int)k - 1);
		if (ret)
			return ret;
		for (int i = 0; i < 2; i++)
			if (f->slots[k - i].kind[0] == SLOT_ITER)
				return refuse(v, D_VERIFY_ARGUMENT,
					      "Dynptr has to be an uninitialized dynptr");
	}
	(void)g;
	c->dynptr_uninit = regno;
	return 0;
}

int dynptr_arg(struct verifier *v, struct call *c, unsigned int regno, unsigned int arg)
{
	const struct reg *r = &cur_regs(v)[regno], *d;

	if (r->type != REG_STACK && r->type != REG_DYNPTR)
		return refuse(v, D_VERIFY_ARGUMENT,
			      "arg#%u expected pointer to stack or const struct bpf_dynptr",
			      regno - 1);
	if ((arg & 0xff) == ARG_DYNPTR_UNINIT) {
		c->dynptr = arg & ARG_DYNPTR_RINGBUF ? DYNPTR_RINGBUF : DYNPTR_LOCAL;
		if (r->type == REG_DYNPTR)
			return refuse(v, D_VERIFY_ARGUMENT,
				      "Dynptr has to be an uninitialized dynptr");
		return uninit_arg(v, c, regno);
	}
	if (r->type == REG_DYNPTR && !(arg & ARG_RDONLY))
		return refuse(v, D_VERIFY_ARGUMENT,
			      "cannot pass pointer to const bpf_dynptr, the helper mutates it");
	if (r->type == REG_DYNPTR && (r->off || !reg_is_const(r) || r->v.bits.value))
		return offset_check_fixed(v, r, regno, false);
	if (r->type == REG_STACK && !reg_is_const(r))
		return refuse(v, D_VERIFY_ARGUMENT, "dynptr has to be at a constant offset");
	if (r->type == REG_STACK && slot_index(v, r) < 1)
		return refuse(v, D_VERIFY_ARGUMENT, "cannot pass in dynptr at an offset=%lld",
			      (long long)r->off + (long long)r->v.bits.value);
	d = dynptr_of(v, regno);
	if (!d)
		return refuse(v, D_VERIFY_ARGUMENT, "Expected an initialized dynptr as arg #%u",
			      regno - 1);
	if (arg & ARG_DYNPTR_RINGBUF && d->dynptr != DYNPTR_RINGBUF)
		return refuse(v, D_VERIFY_ARGUMENT, "Expected a dynptr of type ringbuf as arg #%u",
			      regno - 1);
	if (r->type == REG_STACK) {
		int k = slot_index(v, r);

		slot_read(v, stack_frame_of(v, r), (unsigned int)k);
		slot_read(v, stack_frame_of(v, r), (unsigned int)k - 1);
	}
	return 0;
}

int dynptr_after(struct verifier *v, struct call *c)
{
	if (!c->dynptr_uninit)
		return 0;
	return dynptr_init_slots(v, c->dynptr_uninit, c->dynptr, 0, 0);
}
