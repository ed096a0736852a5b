/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs, functions and callbacks may return.
 *
 * Some hooks act upon the number: it must be one that they know.  All others only must not
 * show an address.
 */
#include "runtime/vm/verify/internal.h"

struct range {
	bool is_set, is_32;
	int32_t min, max;
};

static struct range between(int32_t min, int32_t max)
{
	return (struct range){.is_set = true, .min = min, .max = max};
}

static struct range sock_addr(uint32_t attach)
{
	switch (attach) {
	case BPF_CGROUP_UDP4_RECVMSG:
	case BPF_CGROUP_UDP6_RECVMSG:
	case 51: /* UNIX_RECVMSG */
	case BPF_CGROUP_INET4_GETPEERNAME:
	case BPF_CGROUP_INET6_GETPEERNAME:
	case 52: /* UNIX_GETPEERNAME */
	case BPF_CGROUP_INET4_GETSOCKNAME:
	case BPF_CGROUP_INET6_GETSOCKNAME:
	case 53: /* UNIX_GETSOCKNAME */
		return between(1, 1);
	case BPF_CGROUP_INET4_BIND:
	case BPF_CGROUP_INET6_BIND:
		return between(0, 3);
	}
	return between(0, 1);
}

static struct range tracing(uint32_t attach)
{
	switch (attach) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
		return between(0, 0);
	case BPF_TRACE_ITER:
		return between(0, 1);
	}
	return (struct range){};
}

/* LSM hooks: most return 0 or -errno, some a boolean, some nothing. */
static struct range lsm(struct verifier *v)
{
	static const char *const any[] = {"inode_getsecurity", "inode_listsecurity",
					  "inode_copy_up_xattr", "getselfattr", "key_getsecurity"};
	static const char *const boolean[] = {"xfrm_state_pol_flow_match", "audit_rule_known",
					      "audit_rule_match", "inode_xattr_skipcap"};
	const char *name = v->p->target ? v->p->target : "";
	const struct btf_type *proto =
		v->attach_proto ? btf_view_type(v->kernel, v->attach_proto) : NULL;
	bool is_void = proto && !proto->type;
	struct range r;

	if (v->p->attach_type == BPF_LSM_CGROUP)
		return is_void ? between(1, 1) : between(0, 1);
	if (is_void)
		return (struct range){};
	for (size_t i = 0; i < ELEMENTS(any); i++)
		if (!strcmp(name, any[i]))
			return (struct range){};
	for (size_t i = 0; i < ELEMENTS(boolean); i++)
		if (!strcmp(name, boolean[i])) {
			r = between(0, 1);
			r.is_32 = true;
			return r;
		}
	r = between(-4095, 0);
	r.is_32 = true;
	return r;
}

void retval_of_hook(struct verifier *v, struct scalar *s)
{
	struct range range = lsm(v);

	if (!range.is_set || v->p->attach_type == BPF_LSM_CGROUP)
		return;
	s->smin = s->smin32 = range.min;
	s->smax = s->smax32 = range.max;
	scalar_sync(s);
}

static struct range range_of(struct verifier *v)
{
	uint32_t attach = v->p->attach_type;

	switch (v->p->prog_type) {
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		return sock_addr(attach);
	case BPF_PROG_TYPE_CGROUP_SKB:
		return between(0, attach == BPF_CGROUP_INET_EGRESS ? 3 : 1);
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return between(0, 1);
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
		return v->c->as_kernel && v->attach_btf ? between(0, 0) : (struct range){};
	case BPF_PROG_TYPE_TRACING:
		return tracing(attach);
	case BPF_PROG_TYPE_KPROBE:
		return attach == 56 /* KPROBE_SESSION */ ? between(0, 1) : (struct range){};
	case BPF_PROG_TYPE_SK_LOOKUP:
		return between(0, 1);
	case BPF_PROG_TYPE_LSM:
		return lsm(v);
	case PROG_TYPE_NETFILTER:
		return between(0, 1);
	}
	return (struct range){};
}

static int not_known(struct verifier *v, unsigned int regno, const char *what)
{
	const struct reg *r = &cur_regs(v)[regno];
	char name[96];

	refuse(v, D_VERIFY_RETURN, "At %s the register %s is not a known value (%s)",
	       v->func ? "subprogram exit" : "program exit", what, reg_name(r, name, sizeof(name)));
	refuse_note_reg(v, regno);
	return REFUSED;
}

static int range_check(struct verifier *v, unsigned int regno, struct range range, const char *when)
{
	const struct reg *r = &cur_regs(v)[regno];
	bool is_fine = range.is_32 ? r->v.smin32 >= range.min && r->v.smax32 <= range.max
				   : r->v.smin >= range.min && r->v.smax <= range.max;

	reg_mark(r);
	if (is_fine)
		return 0;
	refuse(v, D_VERIFY_RETURN,
	       "At %s the register R%u has smin=%lld smax=%lld should have been "
	       "in [%d, %d]",
	       when, regno, (long long)r->v.smin, (long long)r->v.smax, range.min, range.max);
	refuse_text(v, "the result may be from %lld to %lld here, but only %d to %d mean something",
		    (long long)r->v.smin, (long long)r->v.smax, range.min, range.max);
	refuse_note_reg(v, regno);
	return REFUSED;
}

int retval_check(struct verifier *v, unsigned int regno, const char *what)
{
	const struct reg *r = &cur_regs(v)[regno];
	struct range range;
	int ret;

	/* hooks that return nothing */
	if (v->p->prog_type == BPF_PROG_TYPE_STRUCT_OPS && !v->func && r->type == REG_NONE)
		return 0;
	if (v->p->prog_type == BPF_PROG_TYPE_LSM && v->attach_proto && !v->func &&
	    v->p->attach_type != BPF_LSM_CGROUP && !btf_view_type(v->kernel, v->attach_proto)->type)
		return 0;
	ret = reg_read(v, regno);
	if (ret)
		return ret;
	if (!v->allow_store_leaks && r->type != REG_SCALAR)
		return refuse(v, D_VERIFY_LEAK, "R%u leaks addr as return value", regno);
	if (v->func && !cur_frame(v)->callback.is_exception)
		return r->type == REG_SCALAR ? 0 : not_known(v, regno, what);
	range = range_of(v);
	if (!range.is_set)
		return 0;
	if (r->type != REG_SCALAR)
		return not_known(v, regno, what);
	return range_check(v, regno, range, "program exit");
}

int retval_check_callback(struct verifier *v)
{
	const struct frame *f = cur_frame(v);
	const struct reg *r0 = &f->regs[0];
	int r = reg_read(v, 0);

	if (r)
		return r;
	if (r0->type != REG_SCALAR)
		return refuse(v, D_VERIFY_RETURN, "R0 not a scalar value");
	if (f->callback.is_async)
		return range_check(v, 0, between(0, 0), "async callback exit");
	return range_check(v, 0, between(f->callback.ret_min, f->callback.ret_max),
			   "callback return");
}
