/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's types, from its BTF.
 *
 * A type is made from its id and remembered, so that one id is one type.  Structs are
 * made without members; pointers lead to structs that nobody may ever look into.  What
 * is 128 bits wide, or floating, has a size but no kind that could be computed with.
 *
 * A pointer's space: the tag "user" on what it points to says user memory; all others are
 * left open, and follow the pointer they are reached by.
 */
#include "compile/lang/bpftrace/ctypes-internal.h"

enum { MAX_DEPTH = 48 };

/* Functions that the kernel has for each tracepoint, newest kernels first. */
static const char *const raw_prefixes[] = {"__probestub_", "__traceiter_"};

static struct map *by_id(struct type_table *t, const struct btf_view *v, uint32_t id,
			 uint64_t *ret_key)
{
	unsigned int i = 0;

	if (v->base && id < v->first)
		v = v->base;
	*ret_key = id;
	if (v == ctypes_kernel(t))
		return &t->by_btf[0];
	while (i < t->modules.n && t->modules.p[i] != v)
		i++;
	if (i == t->modules.n)
		array_push(t->arena, &t->modules, v);
	*ret_key |= (uint64_t)(i + 1) << 32;
	return &t->by_btf[1];
}

static const struct type *enum_type(struct type_table *t, const struct btf_view *v,
				    const struct btf_type *b)
{
	const char *name = btf_view_name(v, b);
	bool is_signed = BTF_INFO_KFLAG(b->info);
	unsigned int n = btf_type_vlen(b);
	struct type_enumerator *e;
	struct type *ret;

	if (!*name)
		return type_int(b->size, is_signed);
	e = arena_array(t->arena, struct type_enumerator, n + 1);
	for (unsigned int i = 0; i < n; i++)
		e[i].value = btf_enumerator(v, b, i, &e[i].name);
	ret = arena_new(t->arena, struct type);
	*ret = (struct type){
		.kind = TYPE_ENUM,
		.name = name,
		.size = b->size,
		.align = b->size,
		.is_signed = is_signed,
		.enumerators = e,
		.n_enumerators = n,
		.is_complete = true,
	};
	return ret;
}

static const struct type *int_type(struct type_table *t, const struct btf_type *b)
{
	unsigned int encoding = btf_type_encoding(b);
	struct type *wide;

	if (encoding & BTF_INT_BOOL)
		return &type_bool;
	if (b->size <= 8)
		return type_int(b->size, encoding & BTF_INT_SIGNED);
	wide = arena_new(t->arena, struct type);
	*wide = (struct type){
		.kind = TYPE_INT,
		.size = b->size,
		.align = b->size > 16 ? 16 : b->size,
		.is_signed = encoding & BTF_INT_SIGNED,
		.is_complete = true,
	};
	return wide;
}

static const struct type *struct_type(struct type_table *t, const struct btf_view *v, uint32_t id,
				      const struct btf_type *b)
{
	bool is_union = btf_type_kind(b) == BTF_KIND_UNION ||
			(btf_type_kind(b) == BTF_KIND_FWD && BTF_INFO_KFLAG(b->info));
	bool is_forward = btf_type_kind(b) == BTF_KIND_FWD;
	const char *name = btf_view_name(v, b);
	struct type_origin *o;

	/* what one module only names another may define */
	if (is_forward && *name && ctypes_kernel(t)) {
		uint32_t whole = btf_find(ctypes_kernel(t),
					  is_union ? BTF_ONE(UNION) : BTF_ONE(STRUCT), name);

		if (whole)
			return ctypes_btf_type(t, ctypes_kernel(t), whole);
	}
	o = type_origin_new(t, is_union, *name ? name : NULL, is_forward ? 0 : b->size);
	if (!*name) {
		o->type.is_anonymous = true;
		o->type.spelling = arena_printf(t->arena, "%s __anonymous_%u",
						is_union ? "union" : "struct", id);
	}
	o->view = v;
	o->id = id;
	o->type.is_btf = !v->base || id < v->first;
	o->type.btf_id = o->type.is_btf ? id : 0;
	return &o->type;
}

static const struct type *from_btf(struct type_table *t, const struct btf_view *v, uint32_t id,
				   unsigned int depth);

/* Tags stand between a pointer and what it points to. */
static bool has_user_tag(const struct btf_view *v, uint32_t id)
{
	for (unsigned int i = 0; i < MAX_DEPTH; i++) {
		const struct btf_type *b = btf_view_type(v, id);

		if (!b || btf_type_kind(b) != BTF_KIND_TYPE_TAG)
			return false;
		if (!strcmp(btf_view_name(v, b), "user"))
			return true;
		id = b->type;
	}
	return false;
}

static const struct type *array_type(struct type_table *t, const struct btf_view *v,
				     const struct btf_type *b, unsigned int depth)
{
	const struct btf_array *array = btf_type_array(b);
	const struct type *of = from_btf(t, v, array->type, depth);

	/* Bytes of any name are text, as bpftrace has it. */
	if (of->kind == TYPE_INT && of->size == 1)
		return type_of_chars(t->arena, array->nelems);
	if ((uint64_t)of->size * array->nelems > UINT32_MAX / 2)
		return type_array(t->arena, of, 0);
	return type_array(t->arena, of, array->nelems);
}

static const struct type *make(struct type_table *t, const struct btf_view *v, uint32_t id,
			       const struct btf_type *b, unsigned int depth)
{
	switch (btf_type_kind(b)) {
	case BTF_KIND_INT:
		return int_type(t, b);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return enum_type(t, v, b);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_FWD:
		return struct_type(t, v, id, b);
	case BTF_KIND_PTR:
		return type_pointer(t->arena, from_btf(t, v, b->type, depth),
				    has_user_tag(v, b->type) ? SPACE_USER : SPACE_NONE);
	case BTF_KIND_ARRAY:
		return array_type(t, v, b, depth);
	case BTF_KIND_VAR:
		return from_btf(t, v, b->type, depth);
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_FUNC:
		return &type_void;
	}
	return &type_none; /* floats, sections */
}

static const struct type *from_btf(struct type_table *t, const struct btf_view *v, uint32_t id,
				   unsigned int depth)
{
	uint32_t resolved;
	const struct btf_type *b = btf_resolve(v, id, &resolved);
	const struct type *ret;
	struct map *known;
	uint64_t key;

	if (!b)
		return &type_void;
	if (depth >= MAX_DEPTH)
		return &type_none;
	known = by_id(t, v, resolved, &key);
	ret = map_get(known, key);
	if (!ret) {
		ret = make(t, v, resolved, b, depth + 1);
		map_put(known, key, (void *)(uintptr_t)ret);
	}
	return ret;
}

const struct type *ctypes_btf_type(struct type_table *t, const struct btf_view *v, uint32_t id)
{
	return from_btf(t, v, id, 0);
}

const struct type *type_table_btf(struct type_table *t, uint32_t btf_id)
{
	return ctypes_kernel(t) && (!btf_id || btf_view_type(ctypes_kernel(t), btf_id))
		       ? from_btf(t, ctypes_kernel(t), btf_id, 0)
		       : NULL;
}

/* The kinds of BTF that a tag means. */
static const uint32_t kinds[] = {
	[TAG_NONE] = BTF_ONE(INT) | BTF_ONE(TYPEDEF),
	[TAG_STRUCT] = BTF_ONE(STRUCT),
	[TAG_UNION] = BTF_ONE(UNION),
	[TAG_ENUM] = BTF_ONE(ENUM) | BTF_ONE(ENUM64),
};

const char *ctypes_btf_nearest(struct type_table *t, int tag, const char *name)
{
	unsigned int end = ctypes_kernel(t) ? btf_view_n(ctypes_kernel(t)) : 0, n = 0;
	const char **names = arena_array(t->arena, const char *, end + 1);

	for (unsigned int id = 1; id < end; id++) {
		const struct btf_type *type = btf_view_type(ctypes_kernel(t), id);

		/* A wrong letter is rarely the first one; the others are too many to compare. */
		if (type && (kinds[tag] >> btf_type_kind(type) & 1) &&
		    *btf_view_name(ctypes_kernel(t), type) == *name)
			names[n++] = btf_view_name(ctypes_kernel(t), type);
	}
	return str_nearest(name, names);
}

const struct type *ctypes_btf_find(struct type_table *t, int tag, const char *name)
{
	uint32_t id = 0;

	if (!ctypes_kernel(t))
		return NULL;
	id = btf_find(ctypes_kernel(t), kinds[tag], name);
	/* without a tag a struct's name will do */
	if (!id && tag == TAG_NONE)
		id = btf_find(ctypes_kernel(t), BTF_TYPES & ~BTF_ONE(FWD), name);
	if (!id && tag != TAG_NONE && tag != TAG_ENUM)
		id = btf_find(ctypes_kernel(t), BTF_ONE(FWD), name);
	return id ? from_btf(t, ctypes_kernel(t), id, 0) : NULL;
}

/* Where the bits are: in the integer that its type says, or bytewise if they cross it. */
static void place_bits(struct type_member *m, uint32_t bit_offset, uint32_t bits)
{
	uint32_t unit = m->type->size ? m->type->size : 4;

	m->bits = bits;
	m->offset = bit_offset / (8 * unit) * unit;
	m->bit_offset = bit_offset - 8 * m->offset;
	if (m->bit_offset + bits <= 8 * unit)
		return;
	m->offset = bit_offset / 8;
	m->bit_offset = bit_offset % 8;
	m->type = type_int(8, m->type->is_signed);
}

void ctypes_btf_complete(struct type_table *t, struct type_origin *o)
{
	const struct btf_type *b = btf_view_type(o->view, o->id);
	unsigned int n = b && btf_type_kind(b) != BTF_KIND_FWD ? btf_type_vlen(b) : 0;
	struct type_member *members = arena_array(t->arena, struct type_member, n + 1);

	for (unsigned int i = 0; i < n; i++) {
		struct btf_place place = btf_member_place(b, i);
		const char *name = btf_view_string(o->view, btf_type_members(b)[i].name_off);

		members[i].name = *name ? name : NULL;
		members[i].type = from_btf(t, o->view, place.type, 0);
		members[i].offset = place.bit_offset / 8;
		if (place.bits)
			place_bits(&members[i], place.bit_offset, place.bits);
	}
	o->type.members = members;
	o->type.n_members = n;
	o->type.is_complete = true;
}

/* --- functions */

static bool find_function(const struct btf_view *v, const char *name, uint32_t *ret)
{
	*ret = v ? btf_find(v, BTF_ONE(FUNC), name) : 0;
	return *ret;
}

bool ctypes_btf_function(struct type_table *t, const char *module, const char *function,
			 const struct btf_view **ret_view, uint32_t *ret_id)
{
	*ret_view = ctypes_kernel(t);
	if (module && *module && strcmp(module, "vmlinux") && t->world && t->world->ops->module_btf)
		*ret_view = t->world->ops->module_btf(t->world, module);
	return find_function(*ret_view, function, ret_id);
}

bool ctypes_btf_raw_tracepoint(struct type_table *t, const char *module, const char *event,
			       const struct btf_view **ret_view, uint32_t *ret_id)
{
	_cleanup_buf_ struct buf name = {0};

	for (size_t i = 0; i < sizeof(raw_prefixes) / sizeof(*raw_prefixes); i++) {
		buf_reset(&name);
		buf_printf(&name, "%s%s", raw_prefixes[i], event);
		if (ctypes_btf_function(t, module, name.p, ret_view, ret_id))
			return true;
	}
	return false;
}

/* A parameter's pointer is the kernel's unless its tag says otherwise. */
static const struct type *in_kernel(struct type_table *t, const struct type *type)
{
	if (type->kind != TYPE_POINTER || type->space != SPACE_NONE)
		return type;
	return type_pointer(t->arena, type->of, SPACE_KERNEL);
}

const struct type *ctypes_btf_args(struct type_table *t, const struct btf_view *v, uint32_t func,
				   unsigned int skip, const char *name,
				   const struct type **ret_result, const char **ret_why)
{
	const struct btf_type *proto = btf_view_type(v, btf_proto(v, func));
	struct type_origin *o;
	struct type_member *m;
	unsigned int n, slot = 0;

	*ret_why = "not a function";
	if (!proto)
		return NULL;
	n = btf_type_vlen(proto);
	*ret_why = "functions with more than 6 parameters are not supported.";
	if (n > 6)
		return NULL;
	n = n > skip ? n - skip : 0;
	m = arena_array(t->arena, struct type_member, n + 1);
	for (unsigned int i = 0; i < n; i++) {
		const struct btf_param *p = &btf_type_params(proto)[i + skip];
		const char *param = btf_view_string(v, p->name_off);

		m[i].name = *param ? param : arena_printf(t->arena, "arg%u", i);
		m[i].type = in_kernel(t, from_btf(t, v, p->type, 0));
		m[i].offset = 8 * slot;
		slot += m[i].type->size > 8 ? (m[i].type->size + 7) / 8 : 1;
	}
	if (ret_result)
		*ret_result = in_kernel(t, from_btf(t, v, proto->type, 0));
	o = type_origin_new(t, false, name, 8 * slot);
	o->type.members = m;
	o->type.n_members = n;
	o->type.is_complete = true;
	return &o->type;
}
