/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of helpers: may this one be called here, with this, and what does it leave?
 */
#include "runtime/vm/verify/internal.h"

#include <stdio.h>

void call_clobber(struct verifier *v)
{
	struct reg *regs = cur_regs(v);

	for (unsigned int i = 0; i < 6; i++)
		reg_none(&regs[i]);
}

/* Helpers that have no row in older headers. */
enum {
	HELPER_LOOP = 181,
	HELPER_KPTR_XCHG = 194,
	HELPER_DYNPTR_FROM_MEM = 197,
	HELPER_RINGBUF_RESERVE_DYNPTR = 198,
	HELPER_RINGBUF_SUBMIT_DYNPTR = 199,
	HELPER_RINGBUF_DISCARD_DYNPTR = 200,
	HELPER_DYNPTR_WRITE = 202,
	HELPER_DYNPTR_DATA = 203,
	HELPER_USER_RINGBUF_DRAIN = 209,
};

static bool acquires(const struct verifier *v, const struct call *c)
{
	switch (c->number) {
	case BPF_FUNC_sk_lookup_tcp:
	case BPF_FUNC_sk_lookup_udp:
	case BPF_FUNC_skc_lookup_tcp:
	case BPF_FUNC_ringbuf_reserve:
	case HELPER_KPTR_XCHG:
		return true;
	case BPF_FUNC_map_lookup_elem:
		if (c->has_map) {
			uint32_t type = v->o->maps.p[c->map.map].type;

			return type == BPF_MAP_TYPE_SOCKMAP || type == BPF_MAP_TYPE_SOCKHASH;
		}
	}
	return false;
}

/* The result is the argument in another guise: it lives as long. */
static bool casts(uint32_t number)
{
	switch (number) {
	case BPF_FUNC_tcp_sock:
	case BPF_FUNC_sk_fullsock:
	case BPF_FUNC_skc_to_tcp_sock:
	case BPF_FUNC_skc_to_tcp6_sock:
	case BPF_FUNC_skc_to_udp6_sock:
	case BPF_FUNC_skc_to_tcp_timewait_sock:
	case BPF_FUNC_skc_to_tcp_request_sock:
	case 208: /* skc_to_mptcp_sock: 6.0 */
	case 178: /* skc_to_unix_sock */
		return true;
	}
	return number == BPF_FUNC_skc_to_unix_sock;
}

static bool target_allows(const struct verifier *v, uint32_t number)
{
	const char *target = v->p->target;
	char iter[128];

	if (target && v->p->prog_type == BPF_PROG_TYPE_TRACING &&
	    v->p->attach_type == BPF_TRACE_ITER) {
		snprintf(iter, sizeof(iter), "bpf_iter_%s", target);
		target = iter;
	}
	return proto_allows_target(number, v->p->prog_type, v->p->is_sleepable, target);
}

/* No helper: what the loader could not relocate for this kernel, or a number that is none. */
static int unknown_helper(struct verifier *v, uint32_t number)
{
	int r = refuse(v, D_VERIFY_CALL, "invalid func unknown#%u", number);

	for (uint32_t i = 0; i < v->p->n_missing; i++)
		if (v->p->missing[i].insn == v->insn) {
			refuse_text(v, "%s", v->p->missing[i].what);
			refuse_hint(v,
				    "ask first: bpf_core_field_exists(), bpf_core_type_exists(), "
				    "bpf_core_enum_value_exists()");
			return r;
		}
	refuse_text(v, "there is no helper with the number %u", number);
	return r;
}

static int allowed_check(struct verifier *v, struct call *c)
{
	uint32_t type = v->p->prog_type;

	c->proto = proto_for(c->number, type);
	if (!proto_of(c->number))
		return unknown_helper(v, c->number);
	c->name = proto_of(c->number)->name;
	if (!c->proto || !proto_allows(c->number, type, v->p->attach_type, v->p->is_sleepable) ||
	    !target_allows(v, c->number)) {
		refuse(v, D_VERIFY_CALL, "program of this type cannot use helper %s#%u", c->name,
		       c->number);
		refuse_text(v, "%s() is not available to programs of this type", c->name);
		return REFUSED;
	}
	if (v->c->is_unprivileged && c->proto->needs != NEEDS_NOTHING)
		return refuse(v, D_VERIFY_CALL, "program of this type cannot use helper %s#%u",
			      c->name, c->number);
	if (v->c->as_kernel && c->proto->is_gpl && !v->is_gpl)
		return refuse(
			v, D_VERIFY_CALL,
			"cannot call GPL-restricted function from non-GPL compatible program");
	if (c->proto->may_sleep && !v->may_sleep)
		return refuse(v, D_VERIFY_CALL, "helper call might sleep in a non-sleepable prog");
	return lock_check_call(v, c->name, true, c->number, c->proto->may_sleep);
}

struct given {
	struct verifier *v;
	uint32_t ref;
};

/* Per-cpu objects of the program may be read as long as the RCU section lasts. */
static void give(struct reg *r, void *ctx)
{
	struct given *g = ctx;

	if (r->ref != g->ref || r->type == REG_NONE)
		return;
	if (r->type == REG_BTF && r->flags & F_ALLOC && r->flags & F_PERCPU && rcu_is_held(g->v)) {
		r->ref = 0;
		r->flags = (r->flags & ~F_ALLOC) | F_RCU;
	} else if (g->v->allow_leaks) {
		reg_unknown(r);
	} else {
		reg_none(r);
	}
}

static int give_kptr(struct verifier *v, uint32_t ref)
{
	struct given g = {.v = v, .ref = ref};
	int r = ref_forget(v, ref);

	if (!r)
		state_each(v->cur, give, &g);
	return r;
}

/* What argument checks found is given back. */
static int release(struct verifier *v, struct call *c)
{
	const struct reg *r;

	if (!c->release)
		return 0;
	r = &cur_regs(v)[c->release];
	if ((c->proto->args[c->release - 1] & 0xff) == ARG_DYNPTR)
		return dynptr_release(v, c->release);
	if (c->ref && c->number == HELPER_KPTR_XCHG)
		return give_kptr(v, c->ref);
	if (c->ref)
		return ref_release(v, c->ref);
	if (reg_is_zero(r))
		return 0;
	return refuse(v, D_VERIFY_REFERENCE, "func %s#%u reference has not been acquired before",
		      c->name, c->number);
}

static int tail_call(struct verifier *v)
{
	if (v->cur->lock_of)
		return refuse(v, D_VERIFY_LOCK,
			      "tail_call cannot be used inside bpf_spin_lock-ed region");
	if (v->cur->n_refs)
		return refuse(v, D_VERIFY_REFERENCE, "tail_call would lead to reference leak");
	if (v->cur->rcu)
		return refuse(v, D_VERIFY_LOCK,
			      "tail_call cannot be used inside bpf_rcu_read_lock-ed region");
	if (v->cur->preempt)
		return refuse(v, D_VERIFY_LOCK,
			      "tail_call cannot be used inside bpf_preempt_disable-ed region");
	return 0;
}

static int loop(struct verifier *v, struct call *c, uint32_t *insn)
{
	const struct reg *n = &cur_regs(v)[1];

	reg_mark(n);
	if (cur_frame(v)->callback_depth < n->v.umax)
		return callback_push(v, c, CALLBACK_LOOP, 2, insn);
	cur_frame(v)->callback_depth = 0;
	return 0;
}

/* Helpers with rules of their own. */
static int special(struct verifier *v, struct call *c, uint32_t *insn, bool *changes_packet)
{
	const struct reg *regs = cur_regs(v), *d;

	switch (c->number) {
	case BPF_FUNC_tail_call:
		return tail_call(v);
	case BPF_FUNC_get_local_storage:
		if (!reg_is_zero(&regs[2]))
			return refuse(v, D_VERIFY_ARGUMENT,
				      "get_local_storage() doesn't support non-zero flags");
		reg_mark(&regs[2]);
		return 0;
	case BPF_FUNC_for_each_map_elem:
		return callback_push(v, c, CALLBACK_FOR_EACH, 2, insn);
	case BPF_FUNC_timer_set_callback:
		return callback_push(v, c, CALLBACK_TIMER, 2, insn);
	case BPF_FUNC_find_vma:
		return callback_push(v, c, CALLBACK_FIND_VMA, 3, insn);
	case BPF_FUNC_snprintf:
		return format_check(v, 3, 5);
	case HELPER_LOOP:
		return loop(v, c, insn);
	case HELPER_USER_RINGBUF_DRAIN:
		return callback_push(v, c, CALLBACK_USER_RINGBUF, 2, insn);
	case HELPER_DYNPTR_FROM_MEM:
		if (regs[1].type != REG_MAP_VALUE)
			return refuse(v, D_VERIFY_ARGUMENT,
				      "Unsupported reg type for bpf_dynptr_from_mem data");
		return 0;
	case HELPER_DYNPTR_DATA:
		d = dynptr_of(v, 1);
		if (!d)
			return refuse(v, D_VERIFY_ARGUMENT, "R1 is no dynptr");
		c->dynptr_id = d->id;
		c->ref = d->ref;
		return 0;
	case HELPER_DYNPTR_WRITE:
		d = dynptr_of(v, 1);
		if (d && d->dynptr == DYNPTR_SKB)
			*changes_packet = true;
		return 0;
	}
	return 0;
}

static int result_object(struct verifier *v, const struct call *c, struct reg *r0,
			 unsigned int flags)
{
	const char *name = c->proto->ret_btf;
	uint32_t id = v->kernel && name ? btf_find(v->kernel, BTF_ONE(STRUCT), name) : 0;

	if (!id)
		return refuse(v, D_VERIFY_CALL, "invalid return type of func %s#%u", c->name,
			      c->number);
	reg_pointer(r0, REG_BTF, flags);
	r0->btf = v->kernel;
	r0->btf_id = id;
	return 0;
}

static int result_percpu(struct verifier *v, const struct call *c, struct reg *r0, bool may_be_null)
{
	unsigned int null = may_be_null ? F_NULL : 0;
	(void)v;

	if (c->object.type == REG_MEM) {
		reg_pointer(r0, REG_MEM,
			    null | (c->number == BPF_FUNC_per_cpu_ptr ||
						    c->number == BPF_FUNC_this_cpu_ptr
					    ? F_RDONLY
					    : 0));
		r0->size = c->object.size;
		return 0;
	}
	if (c->object.flags & F_RCU)
		reg_pointer(r0, REG_BTF, F_ALLOC | F_RCU);
	else
		reg_pointer(r0, REG_BTF, null);
	r0->btf = c->object.btf;
	r0->btf_id = c->object.btf_id;
	return 0;
}

static int result_kptr(struct verifier *v, const struct call *c, struct reg *r0)
{
	const struct btf_view *btf;
	unsigned int flags = F_NULL;
	uint32_t id;

	if (!c->kptr)
		return refuse(v, D_VERIFY_ARGUMENT, "off doesn't point to kptr");
	kptr_type(v, c->kptr, &btf, &id);
	if (btf != v->kernel)
		flags |= F_ALLOC;
	if (c->kptr->kind == FIELD_KPTR_PERCPU)
		flags |= F_PERCPU | F_ALLOC;
	reg_pointer(r0, REG_BTF, flags);
	r0->btf = btf;
	r0->btf_id = id;
	return 0;
}

static int result(struct verifier *v, const struct call *c)
{
	struct reg *r0 = &cur_regs(v)[0];

	switch ((enum proto_ret)c->proto->ret) {
	case RET_INTEGER:
		reg_unknown(r0);
		return 0;
	case RET_VOID:
		return 0;
	case RET_MAP_VALUE_OR_NULL:
	case RET_MAP_VALUE:
		if (!c->has_map)
			return refuse(v, D_VERIFY_CALL, "%s() has no map", c->name);
		reg_pointer(r0, REG_MAP_VALUE, c->proto->ret == RET_MAP_VALUE ? 0 : F_NULL);
		r0->map = c->map.map;
		r0->map_uid = c->map.map_uid;
		r0->is_inner = c->map.is_inner;
		if (c->proto->ret == RET_MAP_VALUE &&
		    fields_one(reg_fields(v, r0), FIELD_SPIN_LOCK))
			r0->id = new_id(v);
		return 0;
	case RET_SOCKET_OR_NULL:
		reg_pointer(r0, REG_SOCKET, F_NULL);
		return 0;
	case RET_TCP_SOCK_OR_NULL:
		reg_pointer(r0, REG_TCP_SOCK, F_NULL);
		return 0;
	case RET_SOCK_COMMON_OR_NULL:
		reg_pointer(r0, REG_SOCK_COMMON, F_NULL);
		return 0;
	case RET_ALLOC_MEM_OR_NULL:
		reg_pointer(r0, REG_MEM, F_NULL | F_RINGBUF);
		r0->size = c->alloc_size;
		return 0;
	case RET_DYNPTR_MEM_OR_NULL:
		reg_pointer(r0, REG_MEM, F_NULL);
		r0->size = c->alloc_size;
		r0->slice_of = c->dynptr_id;
		return 0;
	case RET_BTF_ID_OR_NULL:
		return result_object(v, c, r0, F_NULL);
	case RET_BTF_ID_TRUSTED:
		return result_object(v, c, r0, F_TRUSTED);
	case RET_BTF_ID:
		return result_object(v, c, r0, 0);
	case RET_MEM_OR_BTF_ID:
		return result_percpu(v, c, r0, false);
	case RET_MEM_OR_BTF_ID_OR_NULL:
		return result_percpu(v, c, r0, true);
	case RET_KPTR_OR_NULL:
		return result_kptr(v, c, r0);
	}
	return refuse(v, D_VERIFY_CALL, "unknown return type of func %s#%u", c->name, c->number);
}

/* Lengths and numbers of cpus have limits. */
static void result_refine(struct verifier *v, const struct call *c)
{
	struct reg *r0 = &cur_regs(v)[0];

	switch (c->number) {
	case BPF_FUNC_get_stack:
	case BPF_FUNC_get_task_stack:
	case BPF_FUNC_probe_read_str:
	case BPF_FUNC_probe_read_kernel_str:
	case BPF_FUNC_probe_read_user_str:
		r0->v.smax = (int64_t)MIN(c->size_max, (uint64_t)INT32_MAX);
		r0->v.smax32 = (int32_t)r0->v.smax;
		r0->v.smin = -4095;
		r0->v.smin32 = -4095;
		scalar_sync(&r0->v);
		break;
	case BPF_FUNC_get_smp_processor_id:
		scalar_range(&r0->v, 0, 8191);
		break;
	}
}

static int map_compatible(struct verifier *v, const struct call *c)
{
	const struct vm_map_def *m;

	if (!c->has_map)
		return 0;
	m = reg_map(v, &c->map);
	if (c->map.type == REG_MAP &&
	    !proto_takes_map_in(c->number, m->type, v->p->prog_type, v->p->attach_type))
		return refuse(v, D_VERIFY_MAP, "cannot pass map_type %u into func %s#%u", m->type,
			      c->name, c->number);
	return 0;
}

static void note_map(struct verifier *v, const struct call *c)
{
	struct verify_insn *to = &v->insns[v->insn];

	if (!c->has_map)
		return;
	if (c->map.is_inner) {
		/* any of those that are in the outer one */
		v->info[v->insn].has_map = true;
		to->is_map_const = false;
		to->map = UINT32_MAX;
		return;
	}
	if (!v->info[v->insn].has_map)
		to->is_map_const = true;
	else if (to->map != c->map.map)
		to->is_map_const = false;
	v->info[v->insn].has_map = true;
	to->map = c->map.map;
}

int call_step(struct verifier *v, const struct bpf_insn *i, uint32_t *insn)
{
	struct call c = {.number = (uint32_t)i->imm};
	bool changes_packet;
	struct reg *r0;
	int r = allowed_check(v, &c);

	if (r)
		return r;
	changes_packet = c.proto->changes_packet;
	for (unsigned int n = 0; n < 5 && !r; n++)
		r = arg_check(v, &c, n);
	if (r) {
		refuse_hint(v, "the call is %s()", c.name);
		return r;
	}
	note_map(v, &c);
	r = map_compatible(v, &c);
	for (unsigned int k = 0; k < c.n_raw && !r; k++)
		stack_raw_written(v, &c.raw[k]);
	r = r ? r : dynptr_after(v, &c);
	r = r ? r : release(v, &c);
	r = r ? r : special(v, &c, insn, &changes_packet);
	if (r)
		return r;
	call_clobber(v);
	r = result(v, &c);
	if (r)
		return r;
	r0 = &cur_regs(v)[0];
	r0->at = v->insn;
	if (r0->flags & F_NULL)
		r0->id = new_id(v);
	if (casts(c.number) || c.number == HELPER_DYNPTR_DATA) {
		r0->ref = c.ref;
	} else if (acquires(v, &c)) {
		uint32_t id;

		r = ref_acquire(v, &id);
		if (r)
			return r;
		r0->id = r0->ref = id;
	}
	result_refine(v, &c);
	if (changes_packet)
		packet_pointers_drop(v);
	return 0;
}
