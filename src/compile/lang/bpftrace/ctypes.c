/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types by name: who is asked, and in which order.
 *
 * The language's own words come first; then what the script defines, what the debug
 * information of a traced program has, the kernel's BTF, and at last the words of C
 * that BTF may lack (a kernel without BTF still knows what a uint32_t is).
 */
#include "compile/lang/bpftrace/ctypes-internal.h"

#include <stdlib.h>

enum { MAX_NESTING = 24, MAX_OBJECT = 1 << 28 };

static const struct {
	const char *name;
	enum type_kind kind;
	uint8_t size; /* of integers */
	bool is_signed;
} words[] = {
	{"avg_t", TYPE_AVG, 0, true},
	{"bool", TYPE_BOOL, 1, false},
	{"buffer", TYPE_BUFFER, 0, false},
	{"cgroup_path_t", TYPE_CGROUP, 0, false},
	{"count_t", TYPE_COUNT, 0, false},
	{"hist_t", TYPE_HIST, 0, false},
	{"inet", TYPE_INET, 0, false},
	{"int16", TYPE_INT, 2, true},
	{"int32", TYPE_INT, 4, true},
	{"int64", TYPE_INT, 8, true},
	{"int8", TYPE_INT, 1, true},
	{"ksym_t", TYPE_KSYM, 0, false},
	{"lhist_t", TYPE_LHIST, 0, false},
	{"macaddr_t", TYPE_MAC, 0, false},
	{"max_t", TYPE_MAX, 0, true},
	{"min_t", TYPE_MIN, 0, true},
	{"stats_t", TYPE_STATS, 0, true},
	{"string", TYPE_STRING, 0, false},
	{"sum_t", TYPE_SUM, 0, true},
	{"timestamp", TYPE_TIMESTAMP, 0, false},
	{"tseries_t", TYPE_TSERIES, 0, false},
	{"uavg_t", TYPE_AVG, 0, false},
	{"uint16", TYPE_INT, 2, false},
	{"uint32", TYPE_INT, 4, false},
	{"uint64", TYPE_INT, 8, false},
	{"uint8", TYPE_INT, 1, false},
	{"umax_t", TYPE_MAX, 0, false},
	{"umin_t", TYPE_MIN, 0, false},
	{"username_t", TYPE_USERNAME, 0, false},
	{"ustats_t", TYPE_STATS, 0, false},
	{"usum_t", TYPE_SUM, 0, false},
	{"usym_t", TYPE_USYM, 0, false},
	{"void", TYPE_VOID, 0, false},
};
enum { WORDS = sizeof(words) / sizeof(*words) };

struct type_table *type_table_new(struct arena *a, struct diags *d, struct world *w)
{
	struct type_table *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->arena = a;
	t->diags = d;
	t->world = w;
	return t;
}

void type_table_free(struct type_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->dwarfs.n; i++)
		ctypes_dwarf_free(t->dwarfs.p[i]);
	map_done(&t->by_btf[0]);
	map_done(&t->by_btf[1]);
	map_done(&t->origins);
	for (int i = 0; i < NAME_KINDS; i++)
		map_done(&t->names[i]);
	free(t);
}

/* --- structs that are filled later */

struct type_origin *type_origin_new(struct type_table *t, bool is_union, const char *name,
				    uint32_t size)
{
	struct type_origin *o = arena_new(t->arena, struct type_origin);

	o->type.kind = TYPE_STRUCT;
	o->type.is_union = is_union;
	o->type.name = name;
	o->type.size = size;
	o->type.align = 8;
	map_put(&t->origins, (uintptr_t)&o->type, o);
	return o;
}

struct type_origin *type_origin_find(struct type_table *t, const struct type *type)
{
	struct type_origin *o = map_get(&t->origins, (uintptr_t)type);

	/* a copy of one, made by the checker */
	if (!o && type->is_btf) {
		const struct type *original = type_table_btf(t, type->btf_id);

		o = original ? map_get(&t->origins, (uintptr_t)original) : NULL;
	}
	if (!o && type->name) {
		const struct type *original =
			type_table_find(t, type->is_union ? TAG_UNION : TAG_STRUCT, type->name);

		o = original ? map_get(&t->origins, (uintptr_t)original) : NULL;
	}
	return o;
}

const struct type *type_complete(struct type_table *tt, const struct type *t)
{
	struct type_origin *o;

	if (t->kind != TYPE_STRUCT || t->is_complete)
		return t;
	o = type_origin_find(tt, t);
	if (!o)
		return t;
	if (!o->type.is_complete) {
		if (o->view)
			ctypes_btf_complete(tt, o);
		else if (o->dwarf)
			ctypes_dwarf_complete(tt, o);
	}
	return &o->type;
}

static const struct type_member *find_member(struct type_table *tt, const struct type *t,
					     const char *name, uint32_t *ret_offset,
					     unsigned int depth)
{
	t = type_complete(tt, t);
	for (uint32_t i = 0; i < t->n_members; i++)
		if (t->members[i].name && !strcmp(t->members[i].name, name)) {
			*ret_offset += t->members[i].offset;
			return &t->members[i];
		}
	for (uint32_t i = 0; i < t->n_members && depth < MAX_NESTING; i++) {
		const struct type_member *m = &t->members[i], *found;
		uint32_t offset = *ret_offset + m->offset;

		if (m->name || m->type->kind != TYPE_STRUCT)
			continue;
		found = find_member(tt, m->type, name, &offset, depth + 1);
		if (found) {
			*ret_offset = offset;
			return found;
		}
	}
	return NULL;
}

const struct type_member *type_member_find(struct type_table *tt, const struct type *t,
					   const char *name, uint32_t *ret_offset)
{
	const struct type_member *m;
	uint32_t offset = 0;

	if (t->kind != TYPE_STRUCT && t->kind != TYPE_RECORD)
		return NULL;
	m = find_member(tt, t, name, &offset, 0);
	if (m && ret_offset)
		*ret_offset = offset;
	if (m)
		ctypes_note_member(tt, t, name);
	return m;
}

/* --- by name */

const struct type *type_of_chars(struct arena *a, uint32_t n)
{
	struct type *t;

	if (!n || n >= MAX_OBJECT)
		return type_array(a, type_int(1, true), 0);
	t = arena_copy(a, type_string(a, n), sizeof(*t));
	t->is_chars = true;
	return t;
}

const struct type *ctypes_word(struct type_table *t, const char *name)
{
	for (unsigned int i = 0; i < WORDS; i++) {
		struct type *made;

		if (strcmp(words[i].name, name))
			continue;
		if (words[i].kind == TYPE_VOID)
			return &type_void;
		if (words[i].kind == TYPE_BOOL)
			return &type_bool;
		if (words[i].kind == TYPE_INT)
			return type_int(words[i].size, words[i].is_signed);
		made = arena_new(t->arena, struct type);
		*made = *type_plain(t->arena, words[i].kind);
		made->is_signed = words[i].is_signed;
		return made;
	}
	return NULL;
}

uint32_t ctypes_place(const struct type_table *t, enum name_kind kind, const char *name)
{
	return (uint32_t)(uintptr_t)map_get(&t->names[kind], str_hash(str_of(name)));
}

uint32_t ctypes_remember(struct type_table *t, enum name_kind kind, const char *name, size_t place)
{
	return (uint32_t)(uintptr_t)map_put(&t->names[kind], str_hash(str_of(name)),
					    (void *)(place + 1));
}

static const struct type *find_script(struct type_table *t, int tag, const char *name)
{
	const struct named_type *n;

	if (tag == TAG_NONE)
		for (uint32_t i = ctypes_place(t, NAME_TYPEDEF, name); i; i = n->same) {
			n = &t->typedefs.p[i - 1];
			if (!strcmp(n->name, name))
				return n->type;
		}
	else
		for (uint32_t i = ctypes_place(t, NAME_TAG, name); i; i = n->same) {
			n = &t->tags.p[i - 1];
			if (n->tag == tag && !strcmp(n->name, name))
				return n->type;
		}
	return NULL;
}

/* What C programs take for granted, where BTF does not have it. */
static const struct type *find_usual(const char *name)
{
	static const struct {
		const char *name;
		uint8_t size;
		bool is_signed;
	} usual[] = {
		{"__s16", 2, true},	 {"__s32", 4, true},	    {"__s64", 8, true},
		{"__s8", 1, true},	 {"__u16", 2, false},	    {"__u32", 4, false},
		{"__u64", 8, false},	 {"__u8", 1, false},	    {"char", 1, true},
		{"int16_t", 2, true},	 {"int32_t", 4, true},	    {"int64_t", 8, true},
		{"int8_t", 1, true},	 {"intptr_t", 8, true},	    {"loff_t", 8, true},
		{"off_t", 8, true},	 {"pid_t", 4, true},	    {"ptrdiff_t", 8, true},
		{"s16", 2, true},	 {"s32", 4, true},	    {"s64", 8, true},
		{"s8", 1, true},	 {"size_t", 8, false},	    {"ssize_t", 8, true},
		{"u16", 2, false},	 {"u32", 4, false},	    {"u64", 8, false},
		{"u8", 1, false},	 {"uint16_t", 2, false},    {"uint32_t", 4, false},
		{"uint64_t", 8, false},	 {"uint8_t", 1, false},	    {"uintptr_t", 8, false},
		{"in_addr_t", 4, false}, {"sa_family_t", 2, false}, {"time_t", 8, true},
		{"uid_t", 4, false},	 {"gid_t", 4, false},	    {"mode_t", 4, false},
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (!strcmp(usual[i].name, name))
			return type_int(usual[i].size, usual[i].is_signed);
	return NULL;
}

const struct type *type_table_find(struct type_table *t, int tag, const char *name)
{
	const struct type *ret = tag == TAG_NONE ? ctypes_word(t, name) : NULL;

	if (!ret)
		ret = find_script(t, tag, name);
	if (!ret)
		ret = ctypes_dwarf_find(t, tag, name);
	if (!ret)
		ret = ctypes_btf_find(t, tag, name);
	if (!ret && tag == TAG_NONE)
		ret = find_usual(name);
	return ret;
}

const char *type_table_nearest(struct type_table *t, int tag, const char *name)
{
	size_t n = 0, room = WORDS + t->typedefs.n + t->tags.n + 2;
	const char **names = arena_array(t->arena, const char *, room);

	for (unsigned int i = 0; tag == TAG_NONE && i < WORDS; i++)
		names[n++] = words[i].name;
	for (size_t i = 0; tag == TAG_NONE && i < t->typedefs.n; i++)
		names[n++] = t->typedefs.p[i].name;
	for (size_t i = 0; tag != TAG_NONE && i < t->tags.n; i++)
		if (t->tags.p[i].tag == tag)
			names[n++] = t->tags.p[i].name;
	if (tag != TAG_NONE)
		names[n] = ctypes_btf_nearest(t, tag, name);
	return str_nearest(name, names);
}

/* --- as written */

static const char *tag_word(int tag)
{
	static const char *const tags[] = {
		[TAG_NONE] = "",
		[TAG_STRUCT] = "struct ",
		[TAG_UNION] = "union ",
		[TAG_ENUM] = "enum ",
	};

	return tags[tag];
}

static const struct type *resolve_base(struct type_table *t, const struct type_ref *ref)
{
	const struct type *base = type_table_find(t, ref->tag, ref->name);
	const char *near;

	if (!base && ref->tag == TAG_NONE)
		base = type_table_parse_c(t, ref->name);
	if (base)
		return base;
	diag(t->diags, D_UNKNOWN_TYPE, ref->span, "Cannot resolve unknown type \"%s%s\"",
	     tag_word(ref->tag), ref->name);
	near = type_table_nearest(t, ref->tag, ref->name);
	if (near)
		diag_hint(t->diags, "Did you mean \"%s%s\"?", tag_word(ref->tag), near);
	return NULL;
}

static int64_t suffix_count(const struct type_suffix *s)
{
	return s->n_expr && s->n_expr->kind == EXPR_INT ? (int64_t)s->n_expr->number : s->n;
}

static const struct type *resolve_array(struct type_table *t, const struct type_ref *ref,
					const struct type *of, const struct type_suffix *s)
{
	int64_t n = suffix_count(s);
	bool is_bare = of->kind == TYPE_STRING && !of->size;

	if (n < 0)
		n = 0;
	if (n > MAX_OBJECT || (of->size && n > MAX_OBJECT / (int64_t)of->size)) {
		diag(t->diags, D_TYPE_SIZE, ref->span, "Type is too large");
		return NULL;
	}
	if (is_bare)
		return type_string(t->arena, (uint32_t)n);
	if (of->kind == TYPE_BUFFER && of->size <= 4)
		return type_buffer(t->arena, (uint32_t)n);
	if (of->kind == TYPE_INET)
		return of;
	return type_array(t->arena, of, (uint32_t)n);
}

const struct type *type_table_resolve(struct type_table *t, const struct type_ref *ref)
{
	const struct type *type;

	if (!ref->name)
		return ref->of_type ? type_table_resolve(t, ref->of_type) : ref->type;
	type = resolve_base(t, ref);
	for (size_t i = 0; type && i < ref->suffixes.n; i++) {
		const struct type_suffix *s = &ref->suffixes.p[i];

		if (s->kind == SUFFIX_POINTER)
			type = type_pointer(t->arena, type, SPACE_NONE);
		else
			type = resolve_array(t, ref, type, s);
	}
	return type;
}

/* --- constants */

static bool define_value(struct type_table *t, struct c_define *d, int64_t *ret)
{
	if (!d->has_value) {
		if (d->is_busy || t->depth >= MAX_NESTING)
			return false;
		d->is_busy = true;
		t->depth++;
		d->has_value = ctypes_c_evaluate(t, d->text, &d->value);
		t->depth--;
		d->is_busy = false;
	}
	if (d->has_value)
		*ret = d->value;
	return d->has_value;
}

/* __NR_read, SYS_read: as <asm/unistd.h> and <sys/syscall.h> have them. */
static bool syscall_number(struct type_table *t, const char *name, int64_t *ret)
{
	struct str s = str_of(name);
	int n = -1;

	if (!t->world || !t->world->ops->syscall_number)
		return false;
	if (str_starts(s, STR("__NR_")))
		n = t->world->ops->syscall_number(t->world, name + 5);
	else if (str_starts(s, STR("SYS_")))
		n = t->world->ops->syscall_number(t->world, name + 4);
	if (n < 0)
		return false;
	*ret = n;
	return true;
}

bool type_table_constant(struct type_table *t, const char *name, int64_t *ret,
			 const struct type **ret_type)
{
	uint32_t id;

	for (uint32_t i = ctypes_place(t, NAME_CONSTANT, name); i; i = t->constants.p[i - 1].same) {
		if (strcmp(t->constants.p[i - 1].name, name))
			continue;
		*ret = t->constants.p[i - 1].value;
		if (ret_type)
			*ret_type = t->constants.p[i - 1].type;
		return true;
	}
	for (uint32_t i = ctypes_place(t, NAME_DEFINE, name); i; i = t->defines.p[i - 1].same)
		if (!strcmp(t->defines.p[i - 1].name, name)) {
			if (ret_type)
				*ret_type = type_int(8, true);
			return define_value(t, &t->defines.p[i - 1], ret);
		}
	if (syscall_number(t, name, ret)) {
		if (ret_type)
			*ret_type = type_int(8, true);
		return true;
	}
	if (!ctypes_kernel(t) || !btf_enumerator_find(ctypes_kernel(t), name, ret, &id))
		return false;
	ctypes_note_enumerator(t, name);
	if (ret_type)
		*ret_type = ctypes_btf_type(t, ctypes_kernel(t), id);
	return true;
}
