/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of kernel functions: what their types and the ends of their parameters' names say.
 *
 *	__sz, __szk	size of the memory before it (a constant)
 *	__k		a constant
 *	__ign		not looked at
 *	__nullable, __opt	may be NULL
 *	__alloc, __refcounted_kptr, __uninit, __str, __iter, __map
 */
#include "runtime/vm/verify/kfunc.h"

#include <string.h>

struct param {
	const char *name;
	const struct btf_type *type, *to; /* behind qualifiers; what it points to */
	uint32_t to_id, raw;
	const char *to_name;
};

static bool ends(const struct param *p, const char *end)
{
	return str_ends(str_of(p->name), str_of(end));
}

static bool is_scalar(const struct btf_type *t)
{
	return t && (btf_type_kind(t) == BTF_KIND_INT || btf_type_kind(t) == BTF_KIND_ENUM ||
		     btf_type_kind(t) == BTF_KIND_ENUM64);
}

static bool is_struct(const struct btf_type *t)
{
	return t && (btf_type_kind(t) == BTF_KIND_STRUCT || btf_type_kind(t) == BTF_KIND_UNION);
}

static void param_read(const struct kfunc_call *k, unsigned int n, struct param *p)
{
	const struct btf_param *raw = &btf_type_params(k->proto)[n];
	uint32_t id;

	*p = (struct param){.name = btf_view_string(k->btf, raw->name_off), .raw = raw->type};
	p->to_name = "";
	p->type = btf_resolve(k->btf, raw->type, &id);
	if (p->type && btf_type_kind(p->type) == BTF_KIND_PTR) {
		p->to = btf_resolve(k->btf, p->type->type, &p->to_id);
		if (p->to)
			p->to_name = btf_view_name(k->btf, p->to);
	}
}

/* Numbers, and structs of numbers. */
static bool is_plain(const struct btf_view *b, const struct btf_type *t, unsigned int depth)
{
	if (is_scalar(t))
		return true;
	if (!is_struct(t) || depth > 4)
		return false;
	for (unsigned int i = 0; i < btf_type_vlen(t); i++) {
		uint32_t id;
		const struct btf_type *m = btf_resolve(b, btf_member_place(t, i).type, &id);

		if (m && btf_type_kind(m) == BTF_KIND_ARRAY) {
			if (!btf_type_array(m)->nelems)
				return false;
			m = btf_resolve(b, btf_type_array(m)->type, &id);
			if (!is_scalar(m))
				return false;
			continue;
		}
		if (!is_plain(b, m, depth + 1))
			return false;
	}
	return true;
}

bool btf_is_plain(const struct btf_view *b, uint32_t id)
{
	return is_plain(b, btf_resolve(b, id, &id), 0);
}

static int constant_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno)
{
	const struct reg *r = &cur_regs(v)[regno];

	if (!reg_is_const(r))
		return refuse(v, D_VERIFY_ARGUMENT, "R%u must be a known constant", regno);
	reg_mark(r);
	k->has_constant = true;
	k->constant = r->v.bits.value;
	return 0;
}

static int scalar_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno,
		      const struct param *p)
{
	const struct reg *r = &cur_regs(v)[regno];
	bool is_rdonly = !strcmp(p->name, "rdonly_buf_size");

	if (r->type != REG_SCALAR)
		return refuse(v, D_VERIFY_ARGUMENT, "R%u is not a scalar", regno);
	if (ends(p, "__k"))
		return constant_arg(v, k, regno);
	if (!is_rdonly && strcmp(p->name, "rdwr_buf_size"))
		return 0;
	if (!reg_is_const(r) || r->v.bits.value > UINT32_MAX)
		return refuse(v, D_VERIFY_ARGUMENT, "R%u is not a const", regno);
	reg_mark(r);
	k->is_result_rdonly = is_rdonly;
	k->result_size = r->v.bits.value;
	return 0;
}

/* Which struct a register points to, as the kernel's types say. */
static uint32_t struct_of(struct verifier *v, const struct reg *r, const struct btf_view **btf)
{
	const char *name = NULL;

	*btf = v->kernel;
	switch ((enum reg_type)r->type) {
	case REG_BTF:
		*btf = r->btf;
		return r->btf_id;
	case REG_SOCKET:
		name = "sock";
		break;
	case REG_SOCK_COMMON:
		name = "sock_common";
		break;
	case REG_TCP_SOCK:
		name = "tcp_sock";
		break;
	case REG_MAP:
		name = "bpf_map";
		break;
	case REG_NONE:
	case REG_SCALAR:
	case REG_CTX:
	case REG_STACK:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_PACKET:
	case REG_PACKET_META:
	case REG_PACKET_END:
	case REG_FLOW_KEYS:
	case REG_XDP_SOCK:
	case REG_TP_BUFFER:
	case REG_BUFFER:
	case REG_MEM:
	case REG_ARENA:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_TYPES:
		return 0;
	}
	return v->kernel ? btf_find(v->kernel, BTF_ONE(STRUCT), name) : 0;
}

/* Types that are alike in memory but must not be taken for one another: "nf_conn___init". */
static bool is_alias(const char *a, const char *b)
{
	size_t n = strcspn(a, "_"), m;
	const char *x = strstr(a, "___init"), *y = strstr(b, "___init");

	(void)n;
	if (!x == !y)
		return false;
	m = x ? (size_t)(x - a) : (size_t)(y - b);
	return !strncmp(a, b, m);
}

static int object_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno,
		      const struct param *p)
{
	const struct reg *r = &cur_regs(v)[regno];
	const char *want = p->to_name, *have;
	const struct btf_view *btf;
	uint32_t id = struct_of(v, r, &btf), want_id = p->to_id;
	bool is_strict = k->flags & KFUNC_RELEASE && r->ref;

	if (k->flags & (KFUNC_TRUSTED_ARGS | KFUNC_RCU) && !object_is_trusted(r)) {
		if (!(k->flags & KFUNC_RCU))
			return refuse(v, D_VERIFY_REFERENCE, "R%u must be referenced or trusted",
				      regno);
		if (!(r->flags & F_RCU))
			return refuse(v, D_VERIFY_REFERENCE, "R%u must be a rcu pointer", regno);
	}
	if (r->type == REG_BTF &&
	    (r->flags & (F_UNTRUSTED | F_USER | F_PERCPU | F_NULL | F_RDONLY)) &&
	    !(r->flags & F_RCU))
		return refuse(v, D_VERIFY_ARGUMENT,
			      "arg#%u is not an object or socket that may be "
			      "used",
			      regno - 1);
	if (r->flags & F_NULL)
		return refuse(v, D_VERIFY_NULL, "Possibly NULL pointer passed to arg%u", regno - 1);
	if (ends(p, "__map")) {
		want = "bpf_map";
		want_id = v->kernel ? btf_find(v->kernel, BTF_ONE(STRUCT), "bpf_map") : 0;
	}
	if (!id)
		return refuse(v, D_VERIFY_ARGUMENT, "arg#%u is no kernel object", regno - 1);
	have = btf_view_name(btf, btf_view_type(btf, id));
	is_strict |= is_alias(have, want);
	if (types_match(btf, id, r->off, k->btf, want_id, is_strict, !(r->flags & F_ALLOC)))
		return 0;
	/* what programs see of a packet's struct stands for the whole */
	if (!strcmp(want, "__sk_buff") && !strcmp(have, "sk_buff"))
		return 0;
	if (!strcmp(want, "xdp_md") && !strcmp(have, "xdp_buff"))
		return 0;
	return refuse(
		v, D_VERIFY_ARGUMENT,
		"kernel function %s args#%u expected pointer to struct %s but R%u has a pointer "
		"to struct %s",
		k->name, regno - 1, want, regno, have);
}

static int memory_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno,
		      const struct param *p)
{
	struct reg *r = &cur_regs(v)[regno], saved = *r;
	struct region g = {.regno = regno, .size = btf_size(k->btf, p->to_id)};
	int ret;

	if (reg_is_zero(r))
		return 0;
	if (!g.size)
		return refuse(v, D_VERIFY_ARGUMENT,
			      "arg#%u reference type size cannot be determined", regno - 1);
	r->flags &= ~F_NULL;
	ret = region_access(v, &g);
	g.is_write = true;
	ret = ret ? ret : region_access(v, &g);
	cur_regs(v)[regno] = saved;
	return ret;
}

static int sized_memory_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno,
			    const struct param *p, const struct param *size)
{
	struct reg *r = &cur_regs(v)[regno], saved = *r;
	struct region g = {.regno = regno, .may_be_empty = true};
	int ret;

	if (cur_regs(v)[regno + 1].type != REG_SCALAR)
		return refuse(v, D_VERIFY_ARGUMENT, "R%u is not a scalar", regno + 1);
	if (!(reg_is_zero(r) && ends(p, "__opt"))) {
		r->flags &= ~F_NULL;
		ret = region_access_reg(v, &g, regno + 1);
		g.is_write = true;
		ret = ret ? ret : region_access_reg(v, &g, regno + 1);
		cur_regs(v)[regno] = saved;
		if (ret) {
			refuse_text(v, "arguments %u and %u, memory and its size, do not fit",
				    regno, regno + 1);
			return ret;
		}
	}
	return ends(size, "__szk") ? constant_arg(v, k, regno + 1) : 0;
}

static int alloc_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno)
{
	const struct reg *r = &cur_regs(v)[regno];

	if (r->type != REG_BTF || !(r->flags == F_ALLOC || r->flags == (F_ALLOC | F_PERCPU)))
		return refuse(v, D_VERIFY_ARGUMENT, "arg#%u expected pointer to allocated object",
			      regno - 1);
	if (k->id != (r->flags & F_PERCPU ? KFUNC_PERCPU_OBJ_DROP : KFUNC_OBJ_DROP))
		return refuse(v, D_VERIFY_ARGUMENT, "arg#%u expected for bpf_%sobj_drop_impl()",
			      regno - 1, r->flags & F_PERCPU ? "percpu_" : "");
	if (!r->ref)
		return refuse(v, D_VERIFY_REFERENCE, "allocated object must be referenced");
	k->object = *r;
	return 0;
}

static int refcounted_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno)
{
	const struct reg *r = &cur_regs(v)[regno];

	if (r->type != REG_BTF || !(r->flags & F_ALLOC) || r->flags & (F_UNTRUSTED | F_NULL))
		return refuse(v, D_VERIFY_ARGUMENT, "arg#%u is neither owning or non-owning ref",
			      regno - 1);
	k->is_owning = !(r->flags & F_NON_OWN) && r->ref;
	if (!fields_one(reg_fields(v, r), FIELD_REFCOUNT))
		return refuse(v, D_VERIFY_ARGUMENT,
			      "arg#%u doesn't point to a type with bpf_refcount field", regno - 1);
	k->object = *r;
	return 0;
}

static int dynptr_kfunc_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno,
			    const struct param *p)
{
	bool is_uninit = ends(p, "__uninit");
	struct call c = {};
	struct reg *d;
	int r;

	r = dynptr_arg(v, &c, regno, is_uninit ? ARG_DYNPTR_UNINIT : ARG_DYNPTR | ARG_RDONLY);
	if (r)
		return r;
	if (!is_uninit) {
		d = dynptr_of(v, regno);
		k->dynptr = *d;
		return 0;
	}
	if (k->id == KFUNC_DYNPTR_FROM_SKB)
		return dynptr_init_slots(v, regno, DYNPTR_SKB, 0, 0);
	if (k->id == KFUNC_DYNPTR_FROM_XDP)
		return dynptr_init_slots(v, regno, DYNPTR_XDP, 0, 0);
	if (k->id == KFUNC_DYNPTR_CLONE)
		return dynptr_init_slots(v, regno, k->dynptr.dynptr, k->dynptr.ref, 0);
	return dynptr_init_slots(v, regno, DYNPTR_LOCAL, 0, 0);
}

/* Iterators over the css tasks may sleep. */
static bool css_task_allowed(const struct verifier *v)
{
	uint32_t type = v->p->prog_type;

	return type == BPF_PROG_TYPE_LSM ||
	       (type == BPF_PROG_TYPE_TRACING && v->p->attach_type == BPF_TRACE_ITER) ||
	       v->p->is_sleepable;
}

static int iter_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno,
		    const struct param *p)
{
	unsigned int slots = (unsigned int)btf_size(k->btf, p->to_id) / 8;

	if (k->id == KFUNC_CSS_TASK_NEW && !css_task_allowed(v))
		return refuse(v, D_VERIFY_CALL,
			      "css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable "
			      "progs");
	if (!slots || strncmp(p->to_name, "bpf_iter_", 9))
		return refuse(v, D_VERIFY_ARGUMENT, "expected valid iter pointer as arg #%u",
			      regno - 1);
	if (cur_regs(v)[regno].type != REG_STACK)
		return refuse(v, D_VERIFY_ARGUMENT,
			      "arg#%u expected pointer to an iterator on stack", regno - 1);
	k->iter_slots = slots;
	if (k->flags & KFUNC_ITER_NEW)
		return iter_init(v, regno, k->btf, p->to_id, slots, k->flags & KFUNC_RCU_PROTECTED);
	k->iter_flags = 0;
	{
		int r = iter_check(v, regno, k->btf, p->to_id, slots, &k->iter_flags);

		if (r)
			return r;
	}
	return k->flags & KFUNC_ITER_DESTROY ? iter_destroy(v, regno, slots) : 0;
}

static bool is_context(const struct verifier *v, const struct param *p)
{
	return v->ctx && v->ctx->name && !strcmp(p->to_name, v->ctx->name);
}

static bool is_object_like(const struct reg *r)
{
	return r->type == REG_BTF || r->type == REG_SOCKET || r->type == REG_SOCK_COMMON ||
	       r->type == REG_TCP_SOCK || r->type == REG_MAP;
}

static int string_arg_check(struct verifier *v, unsigned int regno)
{
	const struct proto p = {.name = "kfunc",
				.args = {ARG_CONST_STR, ARG_CONST_STR, ARG_CONST_STR, ARG_CONST_STR,
					 ARG_CONST_STR}};
	struct call c = {.name = "kfunc", .proto = &p};

	if (cur_regs(v)[regno].type != REG_MAP_VALUE)
		return refuse(v, D_VERIFY_ARGUMENT, "arg#%u doesn't point to a const string",
			      regno - 1);
	return arg_check(v, &c, regno - 1);
}

static int map_kfunc_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno,
			 const struct param *p)
{
	const struct reg *r = &cur_regs(v)[regno];
	struct call *c = &k->call;

	if (r->type == REG_BTF)
		return object_arg(v, k, regno, p);
	if (r->type != REG_MAP)
		return refuse(v, D_VERIFY_ARGUMENT, "pointer in R%u isn't map pointer", regno);
	if (c->has_map && (c->map.map != r->map || c->map.is_inner != r->is_inner ||
			   c->map.map_uid != r->map_uid))
		return refuse(v, D_VERIFY_ARGUMENT,
			      "workqueue pointer in R1 map_uid=%u doesn't match map pointer in R2 "
			      "map_uid=%u",
			      c->map.map_uid, r->map_uid);
	c->map = *r;
	c->has_map = true;
	return object_arg(v, k, regno, p);
}

/* Lists and trees.  False: it is none of them. */
static bool graph_arg(struct verifier *v, struct kfunc_call *k, unsigned int regno,
		      const struct param *p, int *ret)
{
	if (!strcmp(p->to_name, "bpf_list_head"))
		*ret = graph_root_check(v, k, regno, FIELD_LIST_HEAD);
	else if (!strcmp(p->to_name, "bpf_list_node"))
		*ret = graph_node_check(v, k, regno, FIELD_LIST_NODE);
	else if (!strcmp(p->to_name, "bpf_rb_root"))
		*ret = graph_root_check(v, k, regno, FIELD_RB_ROOT);
	else if (!strcmp(p->to_name, "bpf_rb_node"))
		*ret = graph_node_check(v, k, regno, FIELD_RB_NODE);
	else
		return false;
	return true;
}

/* By what the parameter is called and points to. */
static int pointer_by_kind(struct verifier *v, struct kfunc_call *k, unsigned int n,
			   const struct param *p, unsigned int *skip)
{
	unsigned int regno = n + 1;
	const struct reg *r = &cur_regs(v)[regno];
	struct param next = {.name = ""};
	int r_graph;

	if (k->id == KFUNC_CAST_TO_KERN_CTX || is_context(v, p)) {
		if (r->type != REG_CTX)
			return refuse(v, D_VERIFY_ARGUMENT, "arg#%u expected pointer to ctx", n);
		return offset_check_fixed(v, r, regno, false);
	}
	if ((ends(p, "__nullable") || ends(p, "__opt")) && reg_is_zero(r) && ends(p, "__nullable"))
		return 0;
	if (ends(p, "__alloc"))
		return alloc_arg(v, k, regno);
	if (ends(p, "__refcounted_kptr"))
		return refcounted_arg(v, k, regno);
	if (!strcmp(p->to_name, "bpf_dynptr") || !strcmp(p->to_name, "bpf_dynptr_kern"))
		return dynptr_kfunc_arg(v, k, regno, p);
	if ((n == 0 && k->flags & (KFUNC_ITER_NEW | KFUNC_ITER_NEXT | KFUNC_ITER_DESTROY)) ||
	    ends(p, "__iter"))
		return iter_arg(v, k, regno, p);
	if (graph_arg(v, k, regno, p, &r_graph))
		return r_graph;
	if (ends(p, "__str"))
		return string_arg_check(v, regno);
	if (ends(p, "__map"))
		return map_kfunc_arg(v, k, regno, p);
	if (!strcmp(p->to_name, "bpf_wq"))
		return r->type == REG_MAP_VALUE
			       ? timer_arg(v, &k->call, regno, FIELD_WORKQUEUE, "bpf_wq")
			       : refuse(v, D_VERIFY_ARGUMENT, "arg#%u doesn't point to a map value",
					n);
	if (is_object_like(r)) {
		if (!is_struct(p->to))
			return refuse(v, D_VERIFY_ARGUMENT,
				      "kernel function %s args#%u pointer type is not supported",
				      k->name, n);
		if (offset_check_fixed(v, r, regno, true))
			return REFUSED;
		return object_arg(v, k, regno, p);
	}
	if (p->to && btf_type_kind(p->to) == BTF_KIND_FUNC_PROTO) {
		if (r->type != REG_FUNC)
			return refuse(v, D_VERIFY_ARGUMENT, "arg%u expected pointer to func", n);
		k->call.func = r->func + 1;
		return 0;
	}
	if (n + 1 < k->n) {
		param_read(k, n + 1, &next);
		if (is_scalar(next.type) && (ends(&next, "__sz") || ends(&next, "__szk")) &&
		    cur_regs(v)[regno + 1].type == REG_SCALAR)
			*skip = 1;
	}
	if (!is_plain(k->btf, p->to, 0) && !(*skip && !p->to))
		return refuse(v, D_VERIFY_ARGUMENT,
			      "arg#%u pointer type must point to scalar, or struct with scalar", n);
	return *skip ? sized_memory_arg(v, k, regno, p, &next) : memory_arg(v, k, regno, p);
}

static int pointer_arg(struct verifier *v, struct kfunc_call *k, unsigned int n,
		       const struct param *p, unsigned int *skip)
{
	unsigned int regno = n + 1;
	const struct reg *r = &cur_regs(v)[regno];
	bool is_nullable = ends(p, "__nullable");
	bool has_offset;

	if (k->flags & (KFUNC_TRUSTED_ARGS | KFUNC_RCU) &&
	    (reg_is_zero(r) || (r->type != REG_SCALAR && r->flags & F_NULL)) && !is_nullable &&
	    !ends(p, "__opt"))
		return refuse(v, D_VERIFY_NULL, "Possibly NULL pointer passed to trusted arg%u", n);
	if (r->ref) {
		k->ref = r->ref;
		if (k->flags & KFUNC_RELEASE)
			k->release = regno;
	}
	has_offset = r->off || !reg_is_const(r) || r->v.bits.value;
	if (k->flags & KFUNC_RELEASE && r->ref && has_offset)
		return refuse(
			v, D_VERIFY_ARGUMENT,
			"R%u must have zero offset when passed to release func or trusted arg "
			"to kfunc",
			regno);
	return pointer_by_kind(v, k, n, p, skip);
}

int kfunc_args_check(struct verifier *v, struct kfunc_call *k)
{
	if (k->n > 5)
		return refuse(v, D_VERIFY_CALL, "Function %s has %u > 5 args", k->name, k->n);
	for (unsigned int n = 0; n < k->n; n++) {
		unsigned int skip = 0;
		struct param p;
		int r;

		param_read(k, n, &p);
		/* __prog: the kernel fills it in */
		if (ends(&p, "__ign") || ends(&p, "__prog"))
			continue;
		r = reg_read(v, n + 1);
		if (r)
			return r;
		if (is_scalar(p.type))
			r = scalar_arg(v, k, n + 1, &p);
		else if (p.type && btf_type_kind(p.type) == BTF_KIND_PTR)
			r = pointer_arg(v, k, n, &p, &skip);
		else
			r = refuse(v, D_VERIFY_CALL, "Unrecognized arg#%u type", n);
		if (r)
			return r;
		n += skip;
	}
	if (k->flags & KFUNC_RELEASE && !k->release)
		return refuse(v, D_VERIFY_REFERENCE,
			      "release kernel function %s expects refcounted PTR_TO_BTF_ID",
			      k->name);
	return 0;
}
