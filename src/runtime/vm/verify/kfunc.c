/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of kernel functions by their types.
 *
 * The prototype comes from the kernel's BTF (or from the program's own, where no kernel is
 * given), what else is to be known from a table (helper/kfunc-proto.h).
 */
#include "runtime/vm/verify/kfunc.h"

#include <string.h>

enum kfunc_id kfunc_id_of(const char *name)
{
	static const struct {
		const char *name;
		enum kfunc_id id;
	} table[] = {
		{"bpf_obj_new_impl", KFUNC_OBJ_NEW},
		{"bpf_obj_drop_impl", KFUNC_OBJ_DROP},
		{"bpf_percpu_obj_new_impl", KFUNC_PERCPU_OBJ_NEW},
		{"bpf_percpu_obj_drop_impl", KFUNC_PERCPU_OBJ_DROP},
		{"bpf_refcount_acquire_impl", KFUNC_REFCOUNT_ACQUIRE},
		{"bpf_list_push_front_impl", KFUNC_LIST_PUSH_FRONT},
		{"bpf_list_push_back_impl", KFUNC_LIST_PUSH_BACK},
		{"bpf_list_pop_front", KFUNC_LIST_POP_FRONT},
		{"bpf_list_pop_back", KFUNC_LIST_POP_BACK},
		{"bpf_rbtree_add_impl", KFUNC_RBTREE_ADD},
		{"bpf_rbtree_remove", KFUNC_RBTREE_REMOVE},
		{"bpf_rbtree_first", KFUNC_RBTREE_FIRST},
		{"bpf_rcu_read_lock", KFUNC_RCU_LOCK},
		{"bpf_rcu_read_unlock", KFUNC_RCU_UNLOCK},
		{"bpf_preempt_disable", KFUNC_PREEMPT_DISABLE},
		{"bpf_preempt_enable", KFUNC_PREEMPT_ENABLE},
		{"bpf_cast_to_kern_ctx", KFUNC_CAST_TO_KERN_CTX},
		{"bpf_rdonly_cast", KFUNC_RDONLY_CAST},
		{"bpf_dynptr_from_skb", KFUNC_DYNPTR_FROM_SKB},
		{"bpf_dynptr_from_xdp", KFUNC_DYNPTR_FROM_XDP},
		{"bpf_dynptr_slice", KFUNC_DYNPTR_SLICE},
		{"bpf_dynptr_slice_rdwr", KFUNC_DYNPTR_SLICE_RDWR},
		{"bpf_dynptr_clone", KFUNC_DYNPTR_CLONE},
		{"bpf_throw", KFUNC_THROW},
		{"bpf_wq_set_callback_impl", KFUNC_WQ_SET_CALLBACK},
		{"bpf_iter_css_task_new", KFUNC_CSS_TASK_NEW},
		{"bpf_session_cookie", KFUNC_SESSION_COOKIE},
	};

	for (size_t i = 0; i < ELEMENTS(table); i++)
		if (!strcmp(table[i].name, name))
			return table[i].id;
	return KFUNC_PLAIN;
}

static const char *name_of(const struct verifier *v, const struct bpf_insn *i)
{
	if (i->imm < 0 || (size_t)i->imm >= v->o->kfuncs.n)
		return "";
	return v->o->kfuncs.p[i->imm].name;
}

bool kfunc_is(const struct verifier *v, const struct bpf_insn *i, const char *name)
{
	return !strcmp(name_of(v, i), name);
}

bool kfunc_is_iter_next(const struct verifier *v, const struct bpf_insn *i)
{
	const struct kfunc_proto *p = kfunc_proto_of(name_of(v, i));

	return p && p->flags & KFUNC_ITER_NEXT;
}

bool kfunc_takes_callback(const struct verifier *v, const struct bpf_insn *i)
{
	return kfunc_is(v, i, "bpf_rbtree_add_impl");
}

/* The prototype: the kernel's, else the program's. */
static bool proto_find(struct verifier *v, struct kfunc_call *k, const struct vm_extern *e)
{
	uint32_t id = v->kernel ? btf_find(v->kernel, BTF_ONE(FUNC), k->name) : 0;

	k->btf = v->kernel;
	if (!id && !v->c->as_kernel) {
		id = e->btf;
		k->btf = &v->o->btf;
	}
	if (!id)
		return false;
	k->proto = btf_view_type(k->btf, btf_proto(k->btf, id));
	if (k->proto)
		k->n = btf_type_vlen(k->proto);
	return k->proto;
}

static int allowed_check(struct verifier *v, struct kfunc_call *k, const struct bpf_insn *i)
{
	const struct kfunc_proto *p;

	if (i->imm < 0 || (size_t)i->imm >= v->o->kfuncs.n)
		return refuse(v, D_VERIFY_CALL, "kernel function call to an unknown function");
	k->name = name_of(v, i);
	k->id = kfunc_id_of(k->name);
	p = kfunc_proto_for(k->name, v->p->prog_type, v->p->attach_type);
	if (!p || !proto_find(v, k, &v->o->kfuncs.p[i->imm])) {
		refuse(v, D_VERIFY_CALL, "calling kernel function %s is not allowed", k->name);
		refuse_text(v, "the kernel function %s() is not there for programs of this type",
			    k->name);
		return REFUSED;
	}
	if (v->c->is_unprivileged)
		return refuse(v, D_VERIFY_CALL,
			      "calling kernel function is not allowed without "
			      "CAP_BPF");
	k->flags = p->flags;
	if (k->flags & KFUNC_SLEEPABLE && !v->may_sleep)
		return refuse(v, D_VERIFY_CALL,
			      "program must be sleepable to call sleepable kfunc %s", k->name);
	return 0;
}

static bool is_graph(enum kfunc_id id)
{
	return id >= KFUNC_LIST_PUSH_FRONT && id <= KFUNC_RBTREE_FIRST;
}

static void untrust(struct reg *r, void *ctx)
{
	(void)ctx;
	if (r->flags & F_RCU && r->type != REG_SCALAR) {
		r->flags &= ~(F_RCU | F_NULL);
		r->flags |= F_UNTRUSTED;
	}
}

/* Iterators that live in the section, too. */
static void section_ends(struct verifier *v)
{
	state_each(v->cur, untrust, NULL);
	for (unsigned int n = 0; n < v->cur->n_frames; n++)
		for (unsigned int i = 0; i < v->cur->frames[n]->n_slots; i++)
			if (v->cur->frames[n]->slots[i].kind[0] == SLOT_ITER)
				untrust(&v->cur->frames[n]->slots[i].reg, NULL);
}

static int sections(struct verifier *v, const struct kfunc_call *k)
{
	struct state *s = v->cur;

	if (s->lock_of && !is_graph(k->id) && k->id != KFUNC_REFCOUNT_ACQUIRE &&
	    strncmp(k->name, "bpf_iter_num_", 13))
		return refuse(v, D_VERIFY_LOCK,
			      "function calls are not allowed while holding a lock");
	if (k->id == KFUNC_RCU_LOCK || k->id == KFUNC_RCU_UNLOCK) {
		if (is_in_less(v) && s->rcu)
			return refuse(v, D_VERIFY_LOCK,
				      "Calling bpf_rcu_read_{lock,unlock} in "
				      "unnecessary rbtree callback");
		if (k->id == KFUNC_RCU_LOCK && s->rcu)
			return refuse(v, D_VERIFY_LOCK, "nested rcu read lock");
		if (k->id == KFUNC_RCU_UNLOCK && !s->rcu)
			return refuse(v, D_VERIFY_LOCK, "unmatched rcu read unlock");
		if (s->rcu)
			section_ends(v);
		s->rcu = k->id == KFUNC_RCU_LOCK;
	} else if (s->rcu && k->flags & KFUNC_SLEEPABLE) {
		return refuse(v, D_VERIFY_LOCK,
			      "kernel func %s is sleepable within rcu_read_lock region", k->name);
	}
	if (k->id == KFUNC_PREEMPT_DISABLE)
		s->preempt++;
	else if (k->id == KFUNC_PREEMPT_ENABLE && !s->preempt)
		return refuse(v, D_VERIFY_LOCK, "unmatched attempt to enable preemption");
	else if (k->id == KFUNC_PREEMPT_ENABLE)
		s->preempt--;
	else if (s->preempt && k->flags & KFUNC_SLEEPABLE)
		return refuse(v, D_VERIFY_LOCK,
			      "kernel func %s is sleepable within non-preemptible region", k->name);
	return 0;
}

static int releases(struct verifier *v, struct kfunc_call *k)
{
	if (k->release)
		return ref_release(v, cur_regs(v)[k->release].ref);
	if (k->id == KFUNC_LIST_PUSH_FRONT || k->id == KFUNC_LIST_PUSH_BACK ||
	    k->id == KFUNC_RBTREE_ADD)
		return graph_give(v, 2);
	return 0;
}

/* A struct of the program's, by the number that was passed. */
static int result_new(struct verifier *v, const struct kfunc_call *k, struct reg *r0)
{
	bool is_percpu = k->id == KFUNC_PERCPU_OBJ_NEW;
	const struct btf_type *t;
	struct reg probe;

	if (k->constant > UINT32_MAX)
		return refuse(v, D_VERIFY_ARGUMENT,
			      "local type ID argument must be in range [0, U32_MAX]");
	t = v->o->has_btf ? btf_view_type(&v->o->btf, (uint32_t)k->constant) : NULL;
	if (!t || btf_type_kind(t) != BTF_KIND_STRUCT)
		return refuse(
			v, D_VERIFY_ARGUMENT,
			"bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct");
	reg_pointer(&probe, REG_BTF, F_ALLOC | (is_percpu ? F_PERCPU : 0));
	probe.at = v->insn;
	probe.btf = &v->o->btf;
	probe.btf_id = (uint32_t)k->constant;
	if (is_percpu && t->size > 512)
		return refuse(v, D_VERIFY_ARGUMENT,
			      "bpf_percpu_obj_new type size (%u) is greater than 512", t->size);
	if (is_percpu &&
	    (reg_fields(v, &probe)->n || !btf_is_plain(&v->o->btf, (uint32_t)k->constant)))
		return refuse(v, D_VERIFY_ARGUMENT,
			      "bpf_percpu_obj_new type ID argument must be of "
			      "a struct of scalars without special fields");
	*r0 = probe;
	return 0;
}

static int result_slice(struct verifier *v, const struct kfunc_call *k, struct reg *r0)
{
	unsigned int flags = k->id == KFUNC_DYNPTR_SLICE ? F_RDONLY : 0;

	if (k->dynptr.dynptr == DYNPTR_SKB || k->dynptr.dynptr == DYNPTR_XDP)
		flags |= F_PACKET;
	if (k->id == KFUNC_DYNPTR_SLICE_RDWR && !packet_may_write(v))
		return refuse(v, D_VERIFY_ACCESS, "the prog does not allow writes to packet data");
	if (k->constant > UINT32_MAX)
		return refuse(v, D_VERIFY_ARGUMENT, "a slice is too large");
	reg_pointer(r0, REG_MEM, flags);
	r0->size = (uint32_t)k->constant;
	r0->slice_of = k->dynptr.id;
	return 0;
}

static int result_kernel_struct(struct verifier *v, const char *name, struct reg *r0,
				unsigned int flags)
{
	uint32_t id = v->kernel && name ? btf_find(v->kernel, BTF_ONE(STRUCT), name) : 0;

	if (!id)
		return refuse(v, D_VERIFY_CALL, "the kernel has no type for it");
	reg_pointer(r0, REG_BTF, flags);
	r0->btf = v->kernel;
	r0->btf_id = id;
	return 0;
}

/* What the kernel calls a program's context. */
static const char *kernel_context(uint32_t type)
{
	switch (type) {
	case BPF_PROG_TYPE_XDP:
		return "xdp_buff";
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
	case BPF_PROG_TYPE_SK_SKB:
		return "sk_buff";
	case BPF_PROG_TYPE_PERF_EVENT:
		return "bpf_perf_event_data_kern";
	case BPF_PROG_TYPE_KPROBE:
		return "pt_regs";
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		return "bpf_sock_addr_kern";
	case BPF_PROG_TYPE_SOCK_OPS:
		return "bpf_sock_ops_kern";
	}
	return NULL;
}

/* Results that do not follow from the prototype.  1: it is one. */
static int result_special(struct verifier *v, const struct kfunc_call *k, struct reg *r0)
{
	int r = 0;

	switch (k->id) {
	case KFUNC_OBJ_NEW:
	case KFUNC_PERCPU_OBJ_NEW:
		r = result_new(v, k, r0);
		break;
	case KFUNC_REFCOUNT_ACQUIRE:
		reg_pointer(r0, REG_BTF, F_ALLOC);
		r0->btf = k->object.btf;
		r0->btf_id = k->object.btf_id;
		break;
	case KFUNC_LIST_POP_FRONT:
	case KFUNC_LIST_POP_BACK:
	case KFUNC_RBTREE_REMOVE:
	case KFUNC_RBTREE_FIRST:
		graph_node_reg(v, r0, k->root);
		break;
	case KFUNC_CAST_TO_KERN_CTX:
		r = result_kernel_struct(v, kernel_context(v->p->prog_type), r0, F_TRUSTED);
		break;
	case KFUNC_RDONLY_CAST: {
		const struct btf_type *t = v->kernel && k->constant <= UINT32_MAX
						   ? btf_view_type(v->kernel, (uint32_t)k->constant)
						   : NULL;

		if (!t || btf_type_kind(t) != BTF_KIND_STRUCT)
			return refuse(v, D_VERIFY_ARGUMENT,
				      "kfunc bpf_rdonly_cast type ID argument must be of a struct");
		reg_pointer(r0, REG_BTF, F_UNTRUSTED);
		r0->btf = v->kernel;
		r0->btf_id = (uint32_t)k->constant;
		break;
	}
	case KFUNC_DYNPTR_SLICE:
	case KFUNC_DYNPTR_SLICE_RDWR:
		r = result_slice(v, k, r0);
		break;
	case KFUNC_PLAIN:
	case KFUNC_OBJ_DROP:
	case KFUNC_PERCPU_OBJ_DROP:
	case KFUNC_LIST_PUSH_FRONT:
	case KFUNC_LIST_PUSH_BACK:
	case KFUNC_RBTREE_ADD:
	case KFUNC_RCU_LOCK:
	case KFUNC_RCU_UNLOCK:
	case KFUNC_PREEMPT_DISABLE:
	case KFUNC_PREEMPT_ENABLE:
	case KFUNC_DYNPTR_FROM_SKB:
	case KFUNC_DYNPTR_FROM_XDP:
	case KFUNC_DYNPTR_CLONE:
	case KFUNC_THROW:
	case KFUNC_WQ_SET_CALLBACK:
	case KFUNC_CSS_TASK_NEW:
	case KFUNC_SESSION_COOKIE:
		return 0;
	}
	return r ? r : 1;
}

/* By the prototype. */
static int result_typed(struct verifier *v, struct kfunc_call *k, const struct btf_type *t,
			struct reg *r0)
{
	uint32_t id;
	const struct btf_type *to = btf_resolve(k->btf, t->type, &id);

	if (!to) {
		reg_unknown(r0);
		return 0;
	}
	if (btf_type_kind(to) == BTF_KIND_STRUCT || btf_type_kind(to) == BTF_KIND_UNION) {
		unsigned int flags = 0;

		if (k->flags & KFUNC_ITER_NEXT)
			flags = k->iter_flags & F_RCU ? F_RCU : F_TRUSTED;
		reg_pointer(r0, REG_BTF, flags);
		r0->btf = k->btf;
		r0->btf_id = id;
		return 0;
	}
	if (k->id == KFUNC_SESSION_COOKIE)
		k->result_size = 8;
	if (!k->result_size) {
		k->result_size = btf_size(k->btf, id);
		k->is_result_rdonly = true;
	}
	if (!k->result_size)
		return refuse(v, D_VERIFY_CALL,
			      "kernel function %s returns pointer type that is not supported",
			      k->name);
	reg_pointer(r0, REG_MEM, k->is_result_rdonly ? F_RDONLY : 0);
	r0->size = (uint32_t)k->result_size;
	r0->ref = k->ref;
	return 0;
}

static int result(struct verifier *v, struct kfunc_call *k)
{
	struct reg *r0 = &cur_regs(v)[0];
	uint32_t id;
	const struct btf_type *t = btf_resolve(k->btf, k->proto->type, &id);
	bool may_be_null = k->flags & KFUNC_RET_NULL;
	int r;

	if (!t)
		return 0;
	if (btf_type_kind(t) != BTF_KIND_PTR) {
		reg_unknown(r0);
		return 0;
	}
	/* who owns the object knows that the count is not 0 */
	if (k->id == KFUNC_REFCOUNT_ACQUIRE && k->is_owning)
		may_be_null = false;
	r = result_special(v, k, r0);
	r = r < 0 ? r : r ? 0 : result_typed(v, k, t, r0);
	if (r || r0->type == REG_SCALAR)
		return r;
	if (may_be_null) {
		r0->flags |= F_NULL;
		r0->id = new_id(v);
	}
	if (k->flags & KFUNC_ACQUIRE) {
		uint32_t ref;

		r = ref_acquire(v, &ref);
		if (r)
			return r;
		if (may_be_null)
			r0->id = ref;
		r0->ref = ref;
	} else if (k->id == KFUNC_RBTREE_FIRST) {
		non_owning_set(v, r0);
	}
	if (!r0->id && fields_one(reg_fields(v, r0), FIELD_SPIN_LOCK))
		r0->id = new_id(v);
	return 0;
}

static int throw(struct verifier * v, uint32_t *insn)
{
	int r = 0;

	if (!v->exception_func)
		r = retval_check(v, 1, "R1");
	return r ? r : exit_check(v, insn, true);
}

int kfunc_step(struct verifier *v, const struct bpf_insn *i, uint32_t *insn)
{
	struct kfunc_call k = {};
	int r;

	r = allowed_check(v, &k, i);
	r = r ? r : kfunc_args_check(v, &k);
	if (!r && k.id == KFUNC_RBTREE_ADD)
		r = callback_push(v, &k.call, CALLBACK_LESS, 3, insn);
	if (!r && k.id == KFUNC_WQ_SET_CALLBACK)
		r = callback_push(v, &k.call, CALLBACK_WORK, 2, insn);
	r = r ? r : sections(v, &k);
	r = r ? r : releases(v, &k);
	if (r)
		return r;
	if (k.id == KFUNC_THROW)
		return throw(v, insn);
	if (k.flags & KFUNC_ITER_NEXT) {
		struct reg at = cur_regs(v)[1];

		call_clobber(v);
		r = result(v, &k);
		cur_regs(v)[0].at = v->insn;
		return r ? r : iter_next(v, &at, k.iter_slots);
	}
	call_clobber(v);
	r = result(v, &k);
	cur_regs(v)[0].at = v->insn;
	return r;
}
