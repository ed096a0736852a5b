/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References: what was acquired and must be released, exactly once, on every path.
 *
 * Each has an id; registers that keep the object alive bear it.  Releasing makes all of
 * them unusable.
 */
#include "runtime/vm/verify/internal.h"

int ref_acquire(struct verifier *v, uint32_t *ret_id)
{
	struct state *s = v->cur;

	if (s->n_refs == REFS_MAX)
		return refuse(v, D_VERIFY_LIMIT, "too many references are held at once");
	s->refs[s->n_refs++] = (struct ref){
		.id = new_id(v),
		.insn = v->insn,
		.callback = cur_frame(v)->callback.kind ? s->n_frames : 0,
	};
	*ret_id = v->ids;
	return 0;
}

bool ref_is_held(const struct state *s, uint32_t id)
{
	for (unsigned int i = 0; i < s->n_refs; i++)
		if (s->refs[i].id == id)
			return true;
	return false;
}

/* Without touching registers. */
int ref_forget(struct verifier *v, uint32_t id)
{
	struct state *s = v->cur;

	for (unsigned int i = 0; i < s->n_refs; i++) {
		if (s->refs[i].id != id)
			continue;
		if (cur_frame(v)->callback.kind && s->refs[i].callback != s->n_frames)
			return refuse(v, D_VERIFY_REFERENCE,
				      "release of a reference that was acquired outside of the "
				      "callback");
		/* in order: states are compared one by one */
		for (s->n_refs--; i < s->n_refs; i++)
			s->refs[i] = s->refs[i + 1];
		return 0;
	}
	return refuse(v, D_VERIFY_REFERENCE, "reference has not been acquired before");
}

static void drop(struct reg *r, void *ctx)
{
	const struct verifier *v = ctx;

	uint32_t at = r->at;

	if (v->allow_leaks)
		reg_unknown(r);
	else
		reg_none(r);
	r->at = at;
}

struct dropped {
	struct verifier *v;
	uint32_t id;
};

static void drop_ref(struct reg *r, void *ctx)
{
	struct dropped *d = ctx;

	if (r->ref == d->id && r->type != REG_NONE)
		drop(r, d->v);
}

void refs_drop_registers(struct verifier *v, uint32_t id)
{
	struct dropped d = {.v = v, .id = id};

	state_each(v->cur, drop_ref, &d);
}

int ref_release(struct verifier *v, uint32_t id)
{
	int r = ref_forget(v, id);

	if (!r)
		refs_drop_registers(v, id);
	return r;
}

int ref_check_leaks(struct verifier *v, bool is_exception)
{
	const struct state *s = v->cur;
	uint32_t callback = cur_frame(v)->callback.kind ? s->n_frames : 0;

	if (!is_exception && s->n_frames > 1 && !callback)
		return 0;
	for (unsigned int i = 0; i < s->n_refs; i++) {
		if (!is_exception && callback && s->n_frames > 1 && s->refs[i].callback != callback)
			continue;
		refuse(v, D_VERIFY_REFERENCE, "Unreleased reference id=%u alloc_insn=%u",
		       s->refs[i].id, s->refs[i].insn);
		refuse_text(v, "what was acquired is not released on a path that ends here");
		refuse_note(v, s->refs[i].insn, "it was acquired here");
		return REFUSED;
	}
	return 0;
}

/* The packet moved: nothing is known of pointers into it. */
static void drop_packet(struct reg *r, void *ctx)
{
	if (reg_is_packet(r) || r->type == REG_PACKET_END ||
	    (r->type == REG_MEM && r->flags & F_PACKET))
		drop(r, ctx);
}

void packet_pointers_drop(struct verifier *v)
{
	state_each(v->cur, drop_packet, v);
}
