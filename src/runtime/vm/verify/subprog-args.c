/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a global function takes: by the types of its parameters, and by tags on them
 * (__arg_ctx, __arg_nonnull, __arg_nullable, __arg_trusted, __arg_arena).
 *
 * It is verified with any such arguments, and every call must give such.
 */
#include "runtime/vm/verify/internal.h"

#include <stdio.h>
#include <string.h>

enum {
	TAG_CTX = 1,
	TAG_NONNULL = 2,
	TAG_NULLABLE = 4,
	TAG_TRUSTED = 8,
	TAG_ARENA = 16,
	TAG_BAD = 32
};

static unsigned int tag_of(const char *text)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} tags[] = {
		{"arg:ctx", TAG_CTX},		{"arg:nonnull", TAG_NONNULL},
		{"arg:nullable", TAG_NULLABLE}, {"arg:trusted", TAG_TRUSTED},
		{"arg:arena", TAG_ARENA},
	};

	for (size_t i = 0; i < ELEMENTS(tags); i++)
		if (!strcmp(tags[i].name, text))
			return tags[i].bit;
	return strncmp(text, "arg:", 4) ? 0 : TAG_BAD;
}

static void tags_find(const struct btf_view *b, uint32_t func, unsigned int tags[5])
{
	memset(tags, 0, 5 * sizeof(tags[0]));
	for (unsigned int id = 1, n = btf_view_n(b); id < n; id++) {
		const struct btf_type *t = btf_view_type(b, id);
		int32_t index;

		if (!t || btf_type_kind(t) != BTF_KIND_DECL_TAG || t->type != func)
			continue;
		index = *(const int32_t *)(t + 1);
		if (index >= 0 && index < 5)
			tags[index] |= tag_of(btf_view_name(b, t));
	}
}

static int bad(struct verifier *v, unsigned int n, const char *what)
{
	return refuse(v, D_VERIFY_TYPE, "arg#%u %s", n, what);
}

/* The name of what it points to, typedef or struct, as the program type's context is called. */
static bool is_context(const struct verifier *v, const struct btf_view *b, uint32_t to)
{
	for (unsigned int i = 0; i < 16; i++) {
		const struct btf_type *t = btf_view_type(b, to);
		unsigned int kind;
		const char *name;

		if (!t || !v->ctx || !v->ctx->name)
			return false;
		kind = btf_type_kind(t);
		name = btf_view_name(b, t);
		if ((kind == BTF_KIND_STRUCT || kind == BTF_KIND_TYPEDEF) &&
		    (!strcmp(name, v->ctx->name) || (v->p->prog_type == BPF_PROG_TYPE_KPROBE &&
						     !strcmp(name, "bpf_user_pt_regs_t"))))
			return true;
		if (kind != BTF_KIND_TYPEDEF && kind != BTF_KIND_CONST && kind != BTF_KIND_VOLATILE)
			return false;
		to = t->type;
	}
	return false;
}

/* May a parameter that is tagged as context point to this?  (names that the hook could have) */
static bool context_fits(const struct verifier *v, const struct btf_view *b, uint32_t to)
{
	static const struct {
		uint32_t type;
		const char *name;
	} names[] = {
		{BPF_PROG_TYPE_KPROBE, "pt_regs"},
		{BPF_PROG_TYPE_KPROBE, "bpf_user_pt_regs_t"},
		{BPF_PROG_TYPE_PERF_EVENT, "bpf_perf_event_data"},
		{BPF_PROG_TYPE_PERF_EVENT, "pt_regs"},
		{BPF_PROG_TYPE_RAW_TRACEPOINT, "bpf_raw_tracepoint_args"},
		{BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, "bpf_raw_tracepoint_args"},
	};
	uint32_t type = v->p->prog_type, attach = v->p->attach_type, id;
	const struct btf_type *t = btf_resolve(b, to, &id);
	bool is_args = (type == BPF_PROG_TYPE_TRACING && attach != BPF_TRACE_ITER) ||
		       type == BPF_PROG_TYPE_LSM || type == BPF_PROG_TYPE_STRUCT_OPS ||
		       type == BPF_PROG_TYPE_RAW_TRACEPOINT ||
		       type == BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE;
	const char *name;

	/* void: the tag says all */
	if (!t || is_context(v, b, to) || type == BPF_PROG_TYPE_TRACEPOINT ||
	    type == BPF_PROG_TYPE_SYSCALL || type == BPF_PROG_TYPE_EXT)
		return true;
	if (btf_type_kind(t) == BTF_KIND_INT)
		return is_args && t->size == 8;
	name = btf_view_name(b, t);
	if (type == BPF_PROG_TYPE_TRACING && attach == BPF_TRACE_ITER)
		return !strncmp(name, "bpf_iter__", 10);
	if (type == BPF_PROG_TYPE_TRACING && attach == BPF_TRACE_RAW_TP)
		return !strcmp(name, "bpf_raw_tracepoint_args");
	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (names[i].type == type && !strcmp(names[i].name, name))
			return true;
	return false;
}

static bool is_named(const struct btf_view *b, uint32_t id, const char *name)
{
	uint32_t to;
	const struct btf_type *t = btf_resolve(b, id, &to);

	return t && !strcmp(btf_view_name(b, t), name);
}

static int trusted_arg(struct verifier *v, const struct btf_type *ptr, unsigned int n,
		       unsigned int tags, struct func_arg_info *arg)
{
	const struct btf_view *b = &v->o->btf;
	uint32_t id;
	const struct btf_type *t = btf_resolve(b, ptr->type, &id);
	const char *name = t ? btf_view_name(b, t) : "", *flavour = strstr(name, "___");
	char plain[128];

	if (tags & ~(unsigned int)(TAG_TRUSTED | TAG_NULLABLE))
		return bad(v, n, "supports only __arg_nullable and __arg_trusted");
	snprintf(plain, sizeof(plain), "%.*s", flavour ? (int)(flavour - name) : (int)strlen(name),
		 name);
	id = t && v->kernel && *plain ? btf_find(v->kernel, BTF_ONE(STRUCT) | BTF_ONE(UNION), plain)
				      : 0;
	if (!id)
		return bad(v, n, "type is not known to the kernel");
	arg->kind = FUNC_BTF;
	arg->flags = F_TRUSTED | (tags & TAG_NULLABLE ? F_NULL : 0);
	arg->btf = v->kernel;
	arg->btf_id = id;
	return 0;
}

static int pointer_arg(struct verifier *v, const struct btf_type *ptr, unsigned int n,
		       unsigned int tags, struct func_arg_info *arg)
{
	const struct btf_view *b = &v->o->btf;
	uint64_t size;

	if (tags & TAG_CTX) {
		if (!context_fits(v, b, ptr->type))
			return bad(v, n, "has a type that is no context of this program type");
		arg->kind = FUNC_CTX;
		return tags & ~(unsigned int)TAG_CTX ? bad(v, n, "has invalid combination of tags")
						     : 0;
	}
	if (is_context(v, b, ptr->type)) {
		arg->kind = FUNC_CTX;
		return 0;
	}
	if (is_named(b, ptr->type, "bpf_dynptr")) {
		arg->kind = FUNC_DYNPTR;
		return tags ? bad(v, n, "has invalid combination of tags") : 0;
	}
	if (tags & TAG_TRUSTED)
		return trusted_arg(v, ptr, n, tags, arg);
	if (tags & TAG_ARENA) {
		arg->kind = FUNC_ARENA;
		return tags & ~(unsigned int)TAG_ARENA ? bad(v, n,
							     "arena cannot be combined with any "
							     "other tags")
						       : 0;
	}
	size = btf_size(b, ptr->type);
	if (!size || size > UINT32_MAX)
		return bad(v, n, "reference type size cannot be determined");
	arg->kind = FUNC_MEM;
	arg->size = (uint32_t)size;
	arg->flags = tags & TAG_NONNULL ? 0 : F_NULL;
	return 0;
}

int subprog_args_find(struct verifier *v, uint32_t func)
{
	const struct btf_view *b = &v->o->btf;
	struct func *f = &v->funcs[func];
	const struct btf_type *t, *proto;
	unsigned int tags[5], n;
	uint32_t id;

	if (f->has_args)
		return 0;
	v->insn = f->begin;
	if (!v->o->has_btf || !f->btf || !(t = btf_view_type(b, f->btf)) ||
	    !(proto = btf_view_type(b, btf_proto(b, f->btf))))
		return refuse(v, D_VERIFY_TYPE, "Missing BTF of function '%s'", f->name);
	t = btf_resolve(b, proto->type, &id);
	if (!t || (btf_type_kind(t) != BTF_KIND_INT && btf_type_kind(t) != BTF_KIND_ENUM &&
		   btf_type_kind(t) != BTF_KIND_ENUM64))
		return refuse(
			v, D_VERIFY_TYPE,
			"Global function %s() doesn't return scalar. Only those are supported.",
			f->name);
	n = btf_type_vlen(proto);
	if (n > 5)
		return refuse(v, D_VERIFY_TYPE,
			      "Global function %s() with %u > 5 args. Buggy compiler.", f->name, n);
	tags_find(b, f->btf, tags);
	for (unsigned int i = 0; i < n; i++) {
		struct func_arg_info *arg = &f->args[i];
		int r = 0;

		t = btf_resolve(b, btf_type_params(proto)[i].type, &id);
		if (tags[i] & TAG_BAD)
			return bad(v, i, "has unsupported set of tags");
		if (t && btf_type_kind(t) == BTF_KIND_PTR)
			r = pointer_arg(v, t, i, tags[i], arg);
		else if (tags[i])
			r = bad(v, i, "pointer tag on non-pointer");
		else if (!t ||
			 (btf_type_kind(t) != BTF_KIND_INT && btf_type_kind(t) != BTF_KIND_ENUM &&
			  btf_type_kind(t) != BTF_KIND_ENUM64))
			r = refuse(v, D_VERIFY_TYPE, "Arg#%u type in %s() is not supported yet.", i,
				   f->name);
		if (r)
			return r;
	}
	f->n_args = (uint8_t)n;
	f->has_args = true;
	return 0;
}

int subprog_args_set(struct verifier *v, uint32_t func)
{
	struct func *f = &v->funcs[func];
	struct reg *regs = cur_regs(v);
	int r = subprog_args_find(v, func);

	if (r)
		return r;
	for (unsigned int i = 0; i < f->n_args; i++) {
		const struct func_arg_info *arg = &f->args[i];
		struct reg *to = &regs[i + 1];

		switch ((enum func_arg)arg->kind) {
		case FUNC_SCALAR:
			reg_unknown(to);
			break;
		case FUNC_CTX:
			reg_pointer(to, REG_CTX, 0);
			break;
		case FUNC_MEM:
			reg_pointer(to, REG_MEM, arg->flags);
			to->size = arg->size;
			break;
		case FUNC_DYNPTR:
			reg_pointer(to, REG_DYNPTR, 0);
			to->dynptr = DYNPTR_LOCAL;
			to->is_first = true;
			to->id = new_id(v);
			break;
		case FUNC_BTF:
			reg_pointer(to, REG_BTF, arg->flags);
			to->btf = arg->btf;
			to->btf_id = arg->btf_id;
			break;
		case FUNC_ARENA:
			reg_pointer(to, REG_ARENA, 0);
			break;
		}
		if (to->flags & F_NULL)
			to->id = new_id(v);
	}
	return 0;
}

static int mem_arg_check(struct verifier *v, unsigned int regno, const struct func_arg_info *arg)
{
	struct reg *r = &cur_regs(v)[regno], saved = *r;
	struct region g = {.regno = regno, .size = arg->size};
	int ret;

	if (reg_is_zero(r))
		return arg->flags & F_NULL ? 0 : bad(v, regno - 1, "is expected to be non-NULL");
	if (r->flags & F_NULL && !(arg->flags & F_NULL))
		return bad(v, regno - 1, "is expected to be non-NULL");
	r->flags &= ~F_NULL;
	ret = region_access(v, &g);
	g.is_write = true;
	ret = ret ? ret : region_access(v, &g);
	cur_regs(v)[regno] = saved;
	return ret;
}

static int arg_match(struct verifier *v, unsigned int regno, const struct func_arg_info *arg)
{
	const struct reg *r = &cur_regs(v)[regno];
	struct call c = {};
	int ret;

	switch ((enum func_arg)arg->kind) {
	case FUNC_SCALAR:
		return r->type == REG_SCALAR
			       ? 0
			       : refuse(v, D_VERIFY_ARGUMENT, "R%u is not a scalar", regno);
	case FUNC_CTX:
		if (r->type != REG_CTX)
			return bad(v, regno - 1, "expects a pointer to the context");
		return offset_check_fixed(v, r, regno, false);
	case FUNC_MEM:
		return mem_arg_check(v, regno, arg);
	case FUNC_ARENA:
		return r->type == REG_ARENA || r->type == REG_SCALAR
			       ? 0
			       : refuse(v, D_VERIFY_ARGUMENT,
					"R%u is not a pointer to arena or scalar.", regno);
	case FUNC_DYNPTR:
		return dynptr_arg(v, &c, regno, ARG_DYNPTR | ARG_RDONLY);
	case FUNC_BTF:
		if (reg_is_zero(r) && arg->flags & F_NULL)
			return 0;
		if (r->type != REG_BTF || r->flags & (F_UNTRUSTED | F_USER | F_PERCPU | F_ALLOC) ||
		    !(r->flags & (F_TRUSTED | F_RCU) || r->ref) ||
		    (r->flags & F_NULL && !(arg->flags & F_NULL)))
			return bad(v, regno - 1, "expects a trusted pointer");
		ret = offset_check_fixed(v, r, regno, false);
		if (ret)
			return ret;
		return types_match(r->btf, r->btf_id, r->off, arg->btf, arg->btf_id, false, true)
			       ? 0
			       : bad(v, regno - 1, "expects another type");
	}
	return REFUSED;
}

int subprog_args_check(struct verifier *v, uint32_t func)
{
	struct func *f = &v->funcs[func];
	uint32_t here = v->insn;
	int r = subprog_args_find(v, func);

	if (r)
		return r;
	v->insn = here;
	for (unsigned int i = 0; i < f->n_args; i++) {
		r = reg_read(v, i + 1);
		r = r ? r : arg_match(v, i + 1, &f->args[i]);
		if (r)
			return r;
	}
	return 0;
}
