/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: what r1 points to when a program starts (ctx.h), and what its arguments are where the
 * kernel's types say so.
 */
#include "runtime/vm/verify/internal.h"

#include <stdio.h>
#include <string.h>

/* --- what a typed program attaches to */

static uint32_t func_find(struct verifier *v, const char *prefix, const char *name)
{
	char text[160];

	snprintf(text, sizeof(text), "%s%s", prefix, name);
	return btf_find(v->kernel, BTF_ONE(FUNC), text);
}

/* The prototype of the hook's function; 0: unknown. */
static void attach_find(struct verifier *v)
{
	const char *name = v->p->target;
	uint32_t type = v->p->prog_type;
	char text[160];

	if (!v->kernel || !name)
		return;
	if (type == BPF_PROG_TYPE_TRACING && v->p->attach_type == BPF_TRACE_RAW_TP) {
		snprintf(text, sizeof(text), "btf_trace_%s", name);
		v->attach_btf = btf_find(v->kernel, BTF_ONE(TYPEDEF), text);
	} else if (type == BPF_PROG_TYPE_TRACING && v->p->attach_type == BPF_TRACE_ITER) {
		v->attach_btf = func_find(v, "bpf_iter_", name);
	} else if (type == BPF_PROG_TYPE_LSM) {
		v->attach_btf = func_find(v, "bpf_lsm_", name);
	} else if (type == BPF_PROG_TYPE_TRACING) {
		v->attach_btf = func_find(v, "", name);
	}
	if (v->attach_btf)
		v->attach_proto = btf_proto(v->kernel, v->attach_btf);
}

/* Hooks whose results or arguments programs could not keep to. */
static const char *const lsm_disabled[] = {
	"vm_enough_memory",    "inode_need_killpriv", "inode_getsecurity",   "inode_listsecurity",
	"inode_copy_up_xattr", "getselfattr",	      "getprocattr",	     "setprocattr",
	"key_getsecurity",     "audit_rule_match",    "xfrm_decode_session", "ismaclabel",
	"ipc_getsecid",
};

int attach_check(struct verifier *v)
{
	attach_find(v);
	if (v->p->prog_type == BPF_PROG_TYPE_LSM && v->p->target)
		for (size_t i = 0; i < ELEMENTS(lsm_disabled); i++)
			if (!strcmp(v->p->target, lsm_disabled[i]))
				return refuse(v, D_VERIFY_CONTEXT,
					      "attach_btf_id points to disabled hook bpf_lsm_%s",
					      lsm_disabled[i]);
	return 0;
}

static bool args_are_trusted(const struct verifier *v)
{
	uint32_t type = v->p->prog_type, attach = v->p->attach_type;

	static const char *const gone[] = {
		"bpf_map_free",	      "bpf_prog_free",	   "file_alloc_security",
		"file_free_security", "sk_alloc_security", "sk_free_security",
		"task_free"};

	/* objects that are being made or torn down */
	for (size_t i = 0; type == BPF_PROG_TYPE_LSM && v->p->target && i < ELEMENTS(gone); i++)
		if (!strcmp(v->p->target, gone[i]))
			return false;
	if (type == BPF_PROG_TYPE_TRACING)
		return attach == BPF_TRACE_RAW_TP || attach == BPF_TRACE_ITER;
	return type == BPF_PROG_TYPE_LSM || type == BPF_PROG_TYPE_STRUCT_OPS;
}

static int arg_error(struct verifier *v, unsigned int arg)
{
	return refuse(v, D_VERIFY_CONTEXT, "func '%s' doesn't have %u-th argument",
		      v->p->target ? v->p->target : "?", arg + 1);
}

static bool ends_with(const char *s, const char *end)
{
	return str_ends(str_of(s), str_of(end));
}

/* What tracepoint.def says of argument `arg`: 1: may be NULL, 2: may be an error. */
static unsigned int tracepoint_arg(const struct verifier *v, unsigned int arg)
{
	static const struct {
		const char *name;
		uint64_t args;
	} table[] = {
#define TRACEPOINT(name, args) {#name, args},
#include "runtime/vm/verify/tracepoint.def"
	};

	if (v->p->prog_type != BPF_PROG_TYPE_TRACING || v->p->attach_type != BPF_TRACE_RAW_TP ||
	    arg > 15)
		return 0;
	for (size_t i = 0; i < ELEMENTS(table); i++)
		if (!strcmp(table[i].name, v->p->target))
			return (unsigned int)(table[i].args >> (4 * arg)) & 3;
	return 0;
}

/* A pointer to a struct of the kernel's, as argument `arg` gives it. */
static int arg_pointer(struct verifier *v, const struct btf_type *ptr, const char *name,
		       unsigned int arg, struct reg *to)
{
	const struct btf_type *tag = btf_view_type(v->kernel, ptr->type), *t;
	unsigned int flags = args_are_trusted(v) ? F_TRUSTED : 0;
	bool is_iter =
		v->p->attach_type == BPF_TRACE_ITER && v->p->prog_type == BPF_PROG_TYPE_TRACING;
	uint32_t id;

	t = btf_resolve(v->kernel, ptr->type, &id);
	if (tracepoint_arg(v, arg) & 2)
		return 0; /* a number: nobody may follow it */
	if (tracepoint_arg(v, arg) & 1)
		flags |= F_NULL;
	if (is_iter && (!strcmp(name, "key") || !strcmp(name, "value")) && !t) {
		reg_pointer(to, REG_BUFFER, F_NULL | (*name == 'k' ? F_RDONLY : 0));
		to->id = new_id(v);
		return 0;
	}
	if (!t || btf_type_kind(t) == BTF_KIND_INT) {
		reg_unknown(to);
		return 0;
	}
	if (btf_type_kind(t) != BTF_KIND_STRUCT && btf_type_kind(t) != BTF_KIND_UNION)
		return refuse(v, D_VERIFY_CONTEXT, "func '%s' arg type is not a struct",
			      v->p->target);
	if (tag && btf_type_kind(tag) == BTF_KIND_TYPE_TAG) {
		const char *word = btf_view_name(v->kernel, tag);

		flags |= !strcmp(word, "user") ? F_USER : !strcmp(word, "percpu") ? F_PERCPU : 0;
	}
	/* the end of an iteration has no object; the map that is walked is always there */
	if (ends_with(name, "__nullable") ||
	    (is_iter && strcmp(name, "meta") &&
	     (strcmp(name, "map") || !strcmp(v->p->target, "bpf_map"))))
		flags |= F_NULL;
	reg_pointer(to, REG_BTF, flags);
	to->btf = v->kernel;
	to->btf_id = id;
	if (flags & F_NULL)
		to->id = new_id(v);
	return 0;
}

/* What the hook returned. */
static bool has_return(const struct verifier *v)
{
	uint32_t attach = v->p->attach_type;

	return attach == BPF_TRACE_FEXIT || attach == BPF_MODIFY_RETURN ||
	       v->p->prog_type == BPF_PROG_TYPE_LSM;
}

static int typed_access(struct verifier *v, const struct access *a, int64_t off)
{
	const struct btf_type *proto, *t;
	struct reg *to = a->value >= 0 ? &cur_regs(v)[a->value] : NULL;
	unsigned int n = 5, arg = (unsigned int)(off / 8), skip;
	const char *name = "";
	uint32_t id, type;

	if (to)
		reg_unknown(to);
	if (!v->attach_proto)
		return arg > 11 ? arg_error(v, arg) : 0;
	proto = btf_view_type(v->kernel, v->attach_proto);
	skip = v->p->attach_type == BPF_TRACE_RAW_TP && v->p->prog_type == BPF_PROG_TYPE_TRACING;
	n = btf_type_vlen(proto);
	n = n > skip ? n - skip : 0;
	if (arg > n || (arg == n && !has_return(v)))
		return arg_error(v, arg);
	type = arg == n ? proto->type : btf_type_params(proto)[arg + skip].type;
	if (arg < n)
		name = btf_view_string(v->kernel, btf_type_params(proto)[arg + skip].name_off);
	t = btf_resolve(v->kernel, type, &id);
	if (!t)
		return arg == n ? 0 : arg_error(v, arg);
	if (arg == n && to && v->p->prog_type == BPF_PROG_TYPE_LSM)
		retval_of_hook(v, &to->v);
	switch (btf_type_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return 0;
	case BTF_KIND_PTR:
		break;
	default:
		return refuse(v, D_VERIFY_CONTEXT,
			      "func '%s' arg%u has a type that is not a pointer", v->p->target,
			      arg);
	}
	if (a->bytes != 8)
		return refuse(v, D_VERIFY_CONTEXT, "func '%s' size %u must be 8", v->p->target,
			      a->bytes);
	if (v->p->attach_type == BPF_TRACE_ITER && v->p->prog_type == BPF_PROG_TYPE_TRACING)
		name = btf_view_string(v->kernel, btf_type_params(proto)[arg + skip].name_off);
	return to ? arg_pointer(v, t, name, arg, to) : 0;
}

static void field_value(struct verifier *v, const struct ctx_field *f, struct reg *to)
{
	unsigned int null = f && f->may_be_null ? F_NULL : 0;

	if (!f) {
		reg_unknown(to);
		return;
	}
	switch ((enum ctx_kind)f->kind) {
	case CTX_NUMBER:
		reg_unknown(to);
		return;
	case CTX_PACKET:
		reg_pointer(to, REG_PACKET, 0);
		return;
	case CTX_PACKET_END:
		reg_pointer(to, REG_PACKET_END, 0);
		return;
	case CTX_PACKET_META:
		reg_pointer(to, REG_PACKET_META, 0);
		return;
	case CTX_SOCK:
		reg_pointer(to, REG_SOCKET, null);
		break;
	case CTX_SOCK_COMMON:
		reg_pointer(to, REG_SOCK_COMMON, null);
		break;
	case CTX_FLOW_KEYS:
		reg_pointer(to, REG_FLOW_KEYS, 0);
		return;
	case CTX_CTX:
		reg_pointer(to, REG_CTX, 0);
		return;
	case CTX_TP_BUFFER:
		reg_pointer(to, REG_TP_BUFFER, 0);
		return;
	case CTX_BTF:
		to->btf_id = v->kernel && f->btf ? btf_find(v->kernel, BTF_ONE(STRUCT), f->btf) : 0;
		if (!to->btf_id) {
			reg_unknown(to);
			return;
		}
		{
			uint32_t id = to->btf_id;

			reg_pointer(to, REG_BTF, F_TRUSTED | null);
			to->btf = v->kernel;
			to->btf_id = id;
		}
		break;
	}
	if (null)
		to->id = new_id(v);
}

static int mem_ctx_access(struct verifier *v, const struct access *a, int64_t off)
{
	if (off < 0 || off + a->bytes > v->p->mem_size)
		return refuse(v, D_VERIFY_BOUNDS,
			      "invalid access to memory, mem_size=%u off=%lld "
			      "size=%u",
			      v->p->mem_size, (long long)off, a->bytes);
	if (!a->is_write && a->value >= 0)
		reg_unknown(&cur_regs(v)[a->value]);
	return 0;
}

int ctx_access(struct verifier *v, const struct access *a)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	const struct ctx_field *f = NULL;
	struct ctx_access c = {.bytes = a->bytes,
			       .prog_type = v->p->prog_type,
			       .attach_type = v->p->attach_type,
			       .is_write = a->is_write,
			       .is_signed = a->is_signed};
	int ret = offset_check_fixed(v, r, a->regno, false);
	int64_t off = (int64_t)a->off + r->off;

	if (ret)
		return ret;
	if (!v->ctx)
		return mem_ctx_access(v, a, off);
	c.offset = off;
	if (!ctx_check(v->ctx, &c, &f)) {
		ret = refuse(v, D_VERIFY_CONTEXT, "invalid bpf_context access off=%lld size=%u",
			     (long long)off, a->bytes);
		refuse_text(v, "%u byte(s) at offset %lld of %s cannot be %s%s", a->bytes,
			    (long long)off, v->ctx->name ? v->ctx->name : "the context",
			    a->is_write ? "written" : "read", f ? " by this program" : "");
		return ret;
	}
	if (f)
		v->insns[v->insn].field = (uint16_t)(f - v->ctx->fields);
	if (v->ctx->form == CTX_FORM_TYPED)
		return typed_access(v, a, off);
	if (!a->is_write && a->value >= 0)
		field_value(v, f, &cur_regs(v)[a->value]);
	return 0;
}

int sock_access(struct verifier *v, const struct access *a, int32_t off)
{
	const struct reg *r = &cur_regs(v)[a->regno];
	enum ctx_object o = r->type == REG_SOCKET	 ? CTX_OBJECT_SOCK
			    : r->type == REG_SOCK_COMMON ? CTX_OBJECT_SOCK_COMMON
			    : r->type == REG_TCP_SOCK	 ? CTX_OBJECT_TCP_SOCK
							 : CTX_OBJECT_XDP_SOCK;
	char name[96];

	if (r->v.smin < 0)
		return refuse(v, D_VERIFY_BOUNDS, "R%u min value is negative", a->regno);
	if (reg_is_const(r) && !r->v.bits.value && ctx_object_check(o, off, a->bytes))
		return 0;
	return refuse(v, D_VERIFY_BOUNDS, "R%u invalid %s access off=%d size=%u", a->regno,
		      reg_name(r, name, sizeof(name)), off, a->bytes);
}
