/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps that are defined by types: section ".maps".
 *
 *	struct {
 *		__uint(type, BPF_MAP_TYPE_HASH);	int (*type)[1]
 *		__uint(max_entries, 64);		int (*max_entries)[64]
 *		__type(key, u32);			typeof(u32) *key
 *	} m SEC(".maps");
 *
 * The variable's bytes mean nothing.  A number is the length of an array that a member points
 * to, a type is what a member points to.  The last member may be `values`: an array without a
 * length, of pointers to the inner map's definition, or to functions in a program array; only
 * there bytes are, and relocations say what each slot holds.
 *
 * Source: Documentation/bpf/map_*.rst, and the macros of libbpf's bpf_helpers.h.
 */
#include "runtime/vm/object-internal.h"

#include "base/macro.h"
#include "runtime/vm/map/field.h"

#include <unistd.h>

#define BROKEN (OBJECT_NONE - 1) /* a program that is left out */
enum { SLOTS_MAX = 1 << 16, SLOT = 8, MAPS_MAX = 1 << 12 };

struct definition {
	const char *name;
	struct vm_map_def def, inner;
	bool has_inner;
	uint32_t values; /* offset in the struct; OBJECT_NONE */
};

static bool is_map_of_maps(uint32_t type)
{
	return type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

/* __uint(): int (*x)[N]. */
static bool read_uint(const struct btf_view *v, uint32_t type, uint64_t *ret)
{
	const struct btf_type *t = btf_resolve(v, type, NULL);

	if (!t || btf_type_kind(t) != BTF_KIND_PTR)
		return false;
	t = btf_resolve(v, t->type, NULL);
	if (!t || btf_type_kind(t) != BTF_KIND_ARRAY)
		return false;
	*ret = btf_type_array(t)->nelems;
	return true;
}

/* __ulong(): an enum of one value, for numbers that are too large for an array. */
static bool read_ulong(const struct btf_view *v, uint32_t type, uint64_t *ret)
{
	const struct btf_type *t = btf_resolve(v, type, NULL);
	const char *name;

	if (!t || (btf_type_kind(t) != BTF_KIND_ENUM && btf_type_kind(t) != BTF_KIND_ENUM64))
		return read_uint(v, type, ret);
	if (btf_type_vlen(t) != 1)
		return false;
	*ret = (uint64_t)btf_enumerator(v, t, 0, &name);
	return true;
}

/* __type(): T *x.  The size must not contradict one that was given before. */
static bool read_type(const struct btf_view *v, uint32_t type, uint32_t *id, uint32_t *size)
{
	const struct btf_type *t = btf_resolve(v, type, NULL);
	uint64_t n;

	if (!t || btf_type_kind(t) != BTF_KIND_PTR)
		return false;
	n = btf_size(v, t->type);
	if (n > UINT32_MAX || (*size && *size != n))
		return false;
	*id = t->type;
	*size = (uint32_t)n;
	return true;
}

static const struct {
	const char *name;
	size_t at;
} numbers[] = {
	{"type", offsetof(struct vm_map_def, type)},
	{"max_entries", offsetof(struct vm_map_def, max_entries)},
	{"map_flags", offsetof(struct vm_map_def, flags)},
	{"key_size", offsetof(struct vm_map_def, key_size)},
	{"value_size", offsetof(struct vm_map_def, value_size)},
};

static bool read_number(const struct btf_view *v, const char *name, uint32_t type,
			struct vm_map_def *d, bool *ret_ok)
{
	for (size_t i = 0; i < ELEMENTS(numbers); i++) {
		uint32_t *to = (uint32_t *)((char *)d + numbers[i].at);
		uint64_t n = 0;

		if (strcmp(numbers[i].name, name))
			continue;
		*ret_ok = read_uint(v, type, &n);
		/* the size of a key or value may be said twice */
		*ret_ok &= !strstr(name, "_size") || !*to || *to == n;
		*to = (uint32_t)n;
		return true;
	}
	return false;
}

static bool read_definition(const struct btf_view *v, uint32_t id, struct definition *d,
			    struct vm_map_def *def, const char **ret_wrong);

/* `values`: of maps: what they are like. */
static bool read_values(const struct btf_view *v, const struct btf_place *p, struct definition *d,
			const char **ret_wrong)
{
	const struct btf_type *t = btf_resolve(v, p->type, NULL);
	uint32_t id = 0;

	if (!t || btf_type_kind(t) != BTF_KIND_ARRAY)
		return false;
	t = btf_resolve(v, btf_type_array(t)->type, NULL);
	if (!t || btf_type_kind(t) != BTF_KIND_PTR)
		return false;
	d->values = p->bit_offset / 8;
	if (!d->def.value_size)
		d->def.value_size = 4;
	if (!is_map_of_maps(d->def.type))
		return d->def.type == BPF_MAP_TYPE_PROG_ARRAY;
	t = btf_resolve(v, t->type, &id);
	if (!t || btf_type_kind(t) != BTF_KIND_STRUCT)
		return false;
	d->has_inner = true;
	return read_definition(v, id, d, &d->inner, ret_wrong);
}

/* False: `ret_wrong` names the member. */
static bool read_definition(const struct btf_view *v, uint32_t id, struct definition *d,
			    struct vm_map_def *def, const char **ret_wrong)
{
	const struct btf_type *t = btf_view_type(v, id);

	for (unsigned int i = 0; i < btf_type_vlen(t); i++) {
		const char *name = btf_view_string(v, btf_type_members(t)[i].name_off);
		struct btf_place p = btf_member_place(t, i);
		bool ok = true;

		*ret_wrong = name;
		if (!strcmp(name, "key"))
			ok = read_type(v, p.type, &def->key_type, &def->key_size);
		else if (!strcmp(name, "value"))
			ok = read_type(v, p.type, &def->value_type, &def->value_size);
		else if (!strcmp(name, "map_extra"))
			ok = read_ulong(v, p.type, &def->extra);
		else if (!strcmp(name, "values"))
			ok = def == &d->def && read_values(v, &p, d, ret_wrong);
		else if (!read_number(v, name, p.type, def, &ok))
			ok = !strcmp(name, "pinning") || !strcmp(name, "numa_node");
		if (!ok)
			return false;
	}
	*ret_wrong = "type";
	object_adjust_map(def);
	return def->type != BPF_MAP_TYPE_UNSPEC;
}

void object_adjust_map(struct vm_map_def *d)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t n = page;

	if (d->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY && !d->max_entries)
		d->max_entries = (uint32_t)sysconf(_SC_NPROCESSORS_CONF);
	if (d->type != BPF_MAP_TYPE_RINGBUF && d->type != BPF_MAP_TYPE_USER_RINGBUF)
		return;
	if (!d->max_entries)
		return;
	while (n < d->max_entries)
		n *= 2;
	if (n <= UINT32_MAX)
		d->max_entries = (uint32_t)n;
}

uint32_t object_add_map(struct loader *l, const struct vm_map_def *d, const struct object_map *at)
{
	if (l->maps.n == MAPS_MAX) {
		object_fail(l, OBJECT_NOWHERE, "more than %d maps", MAPS_MAX);
		return OBJECT_NONE;
	}
	array_push(l->arena, &l->object->maps, *d);
	array_push(&l->scratch, &l->maps, *at);
	return (uint32_t)l->maps.n - 1;
}

static void add(struct loader *l, const struct definition *d, struct object_map at)
{
	struct vm_map_def def = d->def;
	uint32_t i;

	def.name = d->name;
	if (d->has_inner) {
		struct vm_map_def *inner = arena_new(l->arena, struct vm_map_def);

		*inner = d->inner;
		inner->name = arena_printf(l->arena, "%.*s.inner", OBJECT_NAME_MAX, d->name);
		def.inner = inner;
	}
	i = object_add_map(l, &def, &at);
	if (def.type == OBJECT_MAP_ARENA && l->arena_map == OBJECT_NONE)
		l->arena_map = i;
}

static void read_var(struct loader *l, uint32_t section, const struct btf_var_secinfo *info)
{
	const struct btf_view *v = &l->object->btf;
	const struct btf_type *var = btf_view_type(v, info->type), *t;
	struct definition d = {.values = OBJECT_NONE};
	struct object_map at = {.section = section, .offset = info->offset, .size = info->size};
	const char *wrong = NULL;
	uint32_t id = 0;

	if (!var || btf_type_kind(var) != BTF_KIND_VAR)
		return;
	d.name = btf_view_name(v, var);
	t = btf_resolve(v, var->type, &id);
	if (!t || btf_type_kind(t) != BTF_KIND_STRUCT) {
		object_fail(l, OBJECT_NOWHERE, "map %.128s: its definition is no struct", d.name);
		return;
	}
	if (!read_definition(v, id, &d, &d.def, &wrong)) {
		object_fail(l, OBJECT_NOWHERE, "map %.128s: its definition is wrong at \"%.128s\"",
			    d.name, wrong);
		return;
	}
	at.values_at = d.values == OBJECT_NONE ? 0 : at.offset + d.values;
	at.has_values = d.values != OBJECT_NONE;
	add(l, &d, at);
}

void object_read_maps(struct loader *l)
{
	struct object_section *s = object_section_named(l, ".maps");
	uint32_t id = object_datasec(l, ".maps");
	const struct btf_type *t = id ? btf_view_type(&l->object->btf, id) : NULL;

	if (s)
		s->has_maps = true;
	if (s && !t)
		object_fail(l, OBJECT_NOWHERE,
			    "section \".maps\": there are no types for it; compile with -g");
	for (unsigned int i = 0; s && t && i < btf_type_vlen(t); i++)
		read_var(l, (uint32_t)(s - l->sections), &object_secinfos(t)[i]);
	for (uint32_t i = 1; i < l->elf.n_sections; i++)
		if (!strcmp(l->sections[i].elf.name, "maps") ||
		    !strncmp(l->sections[i].elf.name, "maps/", 5))
			object_read_legacy_maps(l, i);
}

uint32_t object_map_at(const struct loader *l, uint32_t section, uint64_t offset)
{
	for (size_t i = 0; i < l->maps.n; i++)
		if (l->maps.p[i].section == section && l->maps.p[i].offset == offset)
			return (uint32_t)i;
	return OBJECT_NONE;
}

/* Locks, timers, pointers in values; types that lie about their size have none. */
static void find_fields(struct loader *l, struct vm_map_def *d)
{
	const struct vm_field *fields;
	uint32_t n, end = 0;

	if (!d->value_type ||
	    fields_find(&l->object->btf, d->value_type, l->arena, &fields, &n) < 0)
		return;
	for (uint32_t i = 0; i < n; i++) {
		if (fields[i].offset < end || fields[i].offset > d->value_size ||
		    fields[i].size > d->value_size - fields[i].offset)
			return;
		end = fields[i].offset + fields[i].size;
	}
	d->fields = fields;
	d->n_fields = n;
}

void object_find_fields(struct loader *l)
{
	for (size_t i = 0; l->object->has_btf && i < l->object->maps.n; i++) {
		struct vm_map_def *d = &l->object->maps.p[i];

		find_fields(l, d);
		if (d->inner)
			find_fields(l, (struct vm_map_def *)d->inner);
	}
}

/* --- slots */

/* What a symbol stands for in a slot: the index of a map, or of a program. */
static uint32_t slot_value(struct loader *l, const struct vm_map_def *d, const struct elf_symbol *s)
{
	const struct object_func *f;

	if (is_map_of_maps(d->type))
		return object_map_at(l, s->section, s->value);
	f = object_func_at(l, s->section, s->value / sizeof(struct bpf_insn));
	for (uint32_t i = 0; f && i < l->object->progs.n; i++)
		if (l->object->progs.p[i].name == f->name)
			return i;
	return f && f->is_broken ? BROKEN : OBJECT_NONE;
}

/* Room for all slots that the definition has; false: the file has not so many bytes. */
static bool make_slots(struct loader *l, const struct object_map *m, struct vm_map_def *d)
{
	uint64_t end = MIN(m->offset + m->size, l->sections[m->section].elf.size);
	uint64_t n = end > m->values_at ? MIN((end - m->values_at) / SLOT, (uint64_t)SLOTS_MAX) : 0;
	uint32_t *values;

	if (n * SLOT > l->left)
		return false;
	l->left -= n * SLOT;
	values = arena_array(l->arena, uint32_t, n);
	for (uint64_t i = 0; i < n; i++)
		values[i] = OBJECT_NONE;
	d->values = values;
	d->n_values = (uint32_t)n;
	return true;
}

static void read_slot(struct loader *l, uint32_t section, const struct elf_relocation *r)
{
	const struct elf_symbol *s = r->symbol < l->n_symbols ? &l->symbols[r->symbol] : NULL;

	for (uint32_t i = 0; s && i < l->maps.n; i++) {
		const struct object_map *m = &l->maps.p[i];
		struct vm_map_def *d = &l->object->maps.p[i];
		uint64_t slot = (r->offset - m->values_at) / SLOT;
		uint32_t value;

		if (m->section != section || !m->has_values || r->offset < m->values_at ||
		    r->offset >= m->offset + m->size)
			continue;
		value = slot_value(l, d, s);
		if (!d->values && !make_slots(l, m, d))
			return;
		if (value == BROKEN)
			return;
		if (value == OBJECT_NONE || (r->offset - m->values_at) % SLOT ||
		    slot >= d->n_values)
			object_fail(l, OBJECT_NOWHERE, "map %.128s: slot %llu cannot hold %s",
				    d->name, (unsigned long long)slot, s->name);
		else
			((uint32_t *)d->values)[slot] = value;
		return;
	}
}

void object_read_values(struct loader *l)
{
	struct elf_relocation r;

	for (uint32_t i = 1; i < l->elf.n_sections; i++) {
		const struct elf_section *s = &l->sections[i].elf;
		const struct object_section *to = object_section(l, s->info);

		if (!to || !to->has_maps)
			continue;
		for (size_t k = 0; elf_relocation_get(&l->elf, s, k, &r); k++) {
			if (!l->relocs_left)
				return;
			l->relocs_left--;
			read_slot(l, s->info, &r);
		}
	}
}
