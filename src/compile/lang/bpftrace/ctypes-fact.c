/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts: what a script takes from the kernel's types and tracepoints, by name.
 *
 * Noted where members and enumerators are looked up, and only if somebody wants to know
 * (--emit): agent/portable-find.c works out which instructions follow them.
 */
#include "compile/lang/bpftrace/ctypes-internal.h"

enum { PATH_DEPTH = 4 };

void type_table_note(struct type_table *t, struct question *q)
{
	t->facts = q;
}

void type_table_note_size(struct type_table *t, const struct type *of)
{
	while (of->kind == TYPE_ARRAY)
		of = of->of;
	if (t->facts && of->kind == TYPE_STRUCT && of->is_btf && of->name)
		question_fact_add(t->facts,
				  &(struct question_fact){.kind = QFACT_SIZE, .type = of->name});
}

void type_table_noted(struct type_table *t)
{
	if (t->facts && t->dwarfs.n)
		t->facts->has_program_types = true;
}

/* typedef struct { … } NAME; */
static bool find_typedef(const struct btf_view *v, uint32_t id, const char *name,
			 struct question_fact *f)
{
	unsigned int n = btf_view_n(v);

	for (uint32_t i = 1; i < n; i++) {
		const struct btf_type *t = btf_view_type(v, i);

		if (!t || btf_type_kind(t) != BTF_KIND_TYPEDEF || t->type != id)
			continue;
		f->type = btf_view_name(v, t);
		f->path = name;
		return true;
	}
	return false;
}

/* The struct with a name that has the anonymous struct `id` in it by value. */
static bool find_named(const struct btf_view *v, uint32_t id, struct arena *a, const char *name,
		       struct question_fact *f, unsigned int depth)
{
	unsigned int n = btf_view_n(v);

	if (find_typedef(v, id, name, f))
		return true;
	for (uint32_t outer = 1; depth < PATH_DEPTH && outer < n; outer++) {
		const struct btf_type *t = btf_view_type(v, outer);
		unsigned int kind = t ? btf_type_kind(t) : BTF_KIND_UNKN;
		const char *its = t ? btf_view_name(v, t) : "";

		if (kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION)
			continue;
		for (unsigned int i = 0; i < btf_type_vlen(t); i++) {
			const struct btf_member *m = &btf_type_members(t)[i];
			const char *member = btf_view_string(v, m->name_off), *path;
			uint32_t of = 0;

			btf_resolve(v, m->type, &of);
			if (of != id)
				continue;
			path = *member ? arena_printf(a, "%s.%s", member, name) : name;
			if (!*its)
				return find_named(v, outer, a, path, f, depth + 1);
			f->type = its;
			f->path = path;
			return true;
		}
	}
	return false;
}

/* "tracepoint:GROUP:EVENT_args" */
static void note_field(struct type_table *tt, const struct type *t, const char *name)
{
	struct str s = str_of(t->name);
	struct question_fact f = {.kind = QFACT_FIELD, .path = name, .is_movable = true};

	if (!str_starts(s, STR("tracepoint:")) || !str_ends(s, STR("_args")) ||
	    str_starts(s, STR("tracepoint:syscalls:")) || /* these are the same everywhere */
	    str_starts(s, STR("tracepoint:raw_syscalls:")))
		return;
	f.type = arena_strndup(tt->arena, s.p + 11, s.n - 11 - 5);
	question_fact_add(tt->facts, &f);
}

void ctypes_note_member(struct type_table *tt, const struct type *t, const char *name)
{
	struct question_fact f = {
		.kind = QFACT_MEMBER, .type = t->name, .path = name, .is_movable = true};

	if (!tt->facts)
		return;
	if (t->is_tracepoint_ctx && t->name)
		note_field(tt, t, name);
	else if (t->is_btf &&
		 (t->name || find_named(ctypes_kernel(tt), t->btf_id, tt->arena, name, &f, 0)))
		question_fact_add(tt->facts, &f);
}

void ctypes_note_enumerator(struct type_table *tt, const char *name)
{
	const struct question_fact f = {.kind = QFACT_ENUM, .type = name, .path = ""};

	if (tt->facts)
		question_fact_add(tt->facts, &f);
}
