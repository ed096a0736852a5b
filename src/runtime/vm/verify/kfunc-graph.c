/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and trees of the program's objects: who owns a node.
 *
 * Adding gives the reference away: what is left is a pointer that is good until the lock is
 * given back.  Removing gives a reference again.  All of it only with the lock that is in the
 * same map value or object as the head.
 */
#include "runtime/vm/verify/kfunc.h"

bool is_in_less(const struct verifier *v)
{
	for (unsigned int n = 0; n < v->cur->n_frames; n++)
		if (v->cur->frames[n]->callback.kind == CALLBACK_LESS)
			return true;
	return false;
}

void non_owning_set(struct verifier *v, struct reg *r)
{
	r->flags |= F_NON_OWN;
	if (fields_one(reg_fields(v, r), FIELD_REFCOUNT))
		r->flags |= F_RCU;
}

void graph_node_reg(struct verifier *v, struct reg *to, const struct vm_field *root)
{
	reg_pointer(to, REG_BTF, F_ALLOC);
	to->btf = &v->o->btf;
	to->btf_id = root->type;
	to->off = (int32_t)root->node;
}

static bool owns_memory(const struct reg *r)
{
	return r->type == REG_MAP_VALUE ? !r->flags : r->type == REG_BTF && r->flags == F_ALLOC;
}

int graph_root_check(struct verifier *v, struct kfunc_call *k, unsigned int regno,
		     enum vm_field_kind kind)
{
	const struct reg *r = &cur_regs(v)[regno];
	const struct vm_field *f;

	if (!owns_memory(r))
		return refuse(v, D_VERIFY_ARGUMENT,
			      "arg#%u expected pointer to map value or allocated object",
			      regno - 1);
	if (r->type == REG_BTF && !r->ref)
		return refuse(v, D_VERIFY_REFERENCE, "allocated object must be referenced");
	if (!reg_is_const(r))
		return refuse(v, D_VERIFY_ARGUMENT,
			      "R%u doesn't have constant offset. a head has to be at the constant "
			      "offset",
			      regno);
	f = fields_at(reg_fields(v, r), (uint32_t)(r->off + (int32_t)r->v.bits.value), 1u << kind);
	if (!f || !f->type)
		return refuse(v, D_VERIFY_ARGUMENT, "no list head or tree root at offset=%lld",
			      (long long)r->off + (long long)r->v.bits.value);
	if (!v->cur->lock_of)
		return refuse(v, D_VERIFY_LOCK, "bpf_spin_lock must be held for a list or tree");
	if (v->cur->lock_of != lock_identity(r) || v->cur->lock_id != r->id)
		return refuse(v, D_VERIFY_LOCK,
			      "held lock and object are not in the same allocation");
	k->root = f;
	return 0;
}

int graph_node_check(struct verifier *v, struct kfunc_call *k, unsigned int regno,
		     enum vm_field_kind kind)
{
	const struct reg *r = &cur_regs(v)[regno];
	int64_t off = r->off + (int64_t)r->v.bits.value;

	if (k->id == KFUNC_RBTREE_REMOVE) {
		if (r->type != REG_BTF || !(r->flags & F_NON_OWN) || r->ref)
			return refuse(v, D_VERIFY_REFERENCE,
				      "rbtree_remove node input must be non-owning ref");
		if (is_in_less(v))
			return refuse(v, D_VERIFY_CALL, "rbtree_remove not allowed in rbtree cb");
	} else if (r->type != REG_BTF || r->flags != F_ALLOC) {
		return refuse(v, D_VERIFY_ARGUMENT, "arg#%u expected pointer to allocated object",
			      regno - 1);
	} else if (!r->ref) {
		return refuse(v, D_VERIFY_REFERENCE, "allocated object must be referenced");
	}
	if (!reg_is_const(r))
		return refuse(v, D_VERIFY_ARGUMENT, "R%u doesn't have constant offset", regno);
	if (!fields_at(reg_fields(v, r), (uint32_t)off, 1u << kind))
		return refuse(v, D_VERIFY_ARGUMENT, "no node at offset=%lld", (long long)off);
	if (!k->root || r->btf_id != k->root->type)
		return refuse(v, D_VERIFY_ARGUMENT,
			      "the list or tree holds objects of another struct");
	if (off != k->root->node)
		return refuse(v, D_VERIFY_ARGUMENT,
			      "arg#1 offset=%lld, but expected the node at "
			      "offset=%u",
			      (long long)off, k->root->node);
	k->object = *r;
	return 0;
}

struct giving {
	struct verifier *v;
	uint32_t ref;
};

static void give(struct reg *r, void *ctx)
{
	struct giving *g = ctx;

	if (r->type == REG_BTF && r->ref == g->ref) {
		r->ref = 0;
		non_owning_set(g->v, r);
	}
}

int graph_give(struct verifier *v, unsigned int regno)
{
	struct giving g = {.v = v, .ref = cur_regs(v)[regno].ref};

	if (!g.ref || !ref_is_held(v->cur, g.ref))
		return refuse(v, D_VERIFY_REFERENCE, "reference has not been acquired before");
	state_each(v->cur, give, &g);
	return ref_forget(v, g.ref);
}
