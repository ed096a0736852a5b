/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of values: found by their types' names, kept out of copies.
 *
 * The kernel knows them by BTF: a member whose type is struct bpf_timer is a timer, a pointer
 * that is tagged "kptr" is a reference it owns.  They may sit in structs in structs and in
 * arrays; a section of global variables is a struct of these.  Mirrors btf_parse_fields() of
 * kernel/bpf/btf.c.
 */
#include "runtime/vm/map/field.h"

#include "runtime/vm/map/owned.h"
#include "runtime/vm/map/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 256, DEPTH_MAX = 8 };

/* By the name of the struct. */
static const struct {
	const char *name;
	uint8_t kind, size;
	bool is_single;
} structs[] = {
	{"bpf_spin_lock", FIELD_SPIN_LOCK, 4, true},
	{"bpf_res_spin_lock", FIELD_RES_SPIN_LOCK, 4, true},
	{"bpf_timer", FIELD_TIMER, 16, true},
	{"bpf_wq", FIELD_WORKQUEUE, 16, true},
	{"bpf_task_work", FIELD_TASK_WORK, 8, true},
	{"bpf_refcount", FIELD_REFCOUNT, 4, true},
	{"bpf_list_head", FIELD_LIST_HEAD, 16, false},
	{"bpf_list_node", FIELD_LIST_NODE, 24, false},
	{"bpf_rb_root", FIELD_RB_ROOT, 16, false},
	{"bpf_rb_node", FIELD_RB_NODE, 32, false},
};

/* By the pointer's tag. */
static const struct {
	const char *tag;
	enum vm_field_kind kind;
} tags[] = {
	{"kptr_untrusted", FIELD_KPTR_UNTRUSTED},
	{"kptr", FIELD_KPTR},
	{"percpu_kptr", FIELD_KPTR_PERCPU},
};

struct finder {
	const struct btf_view *btf;
	struct vm_field found[FIELDS_MAX];
	uint32_t n;
	int error;
};

static void note(struct finder *f, enum vm_field_kind kind, uint32_t offset, uint32_t size,
		 uint32_t type)
{
	if (offset % (size < 8 ? 4 : 8))
		return; /* as the kernel: then it is none */
	if (f->n == FIELDS_MAX) {
		f->error = -E2BIG;
		return;
	}
	f->found[f->n++] =
		(struct vm_field){.kind = kind, .offset = offset, .size = size, .type = type};
}

/* A decl tag "contains:TYPE:MEMBER" at member `index` of `parent`: what a head or root holds. */
static void find_contained(struct finder *f, struct vm_field *field, uint32_t parent, int index)
{
	const char *colon, *text;
	struct btf_place place;
	char name[128];

	for (unsigned int id = 1, n = btf_view_n(f->btf); id < n; id++) {
		const struct btf_type *t = btf_view_type(f->btf, id);

		if (!t || btf_type_kind(t) != BTF_KIND_DECL_TAG || t->type != parent ||
		    *(const int32_t *)(t + 1) != index)
			continue;
		text = btf_view_name(f->btf, t);
		if (strncmp(text, "contains:", 9))
			continue;
		text += 9;
		colon = strchr(text, ':');
		if (!colon || (size_t)(colon - text) >= sizeof(name))
			continue;
		memcpy(name, text, colon - text);
		name[colon - text] = 0;
		field->type = btf_find(f->btf, BTF_ONE(STRUCT), name);
		if (field->type && btf_member_find(f->btf, field->type, colon + 1, &place))
			field->node = place.bit_offset / 8;
		return;
	}
}

static void find_in(struct finder *f, uint32_t type, uint32_t offset, unsigned int depth,
		    uint32_t parent, int index);

static void find_pointer(struct finder *f, const struct btf_type *t, uint32_t offset)
{
	const struct btf_type *tag = btf_view_type(f->btf, t->type);

	if (!tag || btf_type_kind(tag) != BTF_KIND_TYPE_TAG)
		return;
	for (unsigned int i = 0; i < ELEMENTS(tags); i++)
		if (!strcmp(btf_view_name(f->btf, tag), tags[i].tag)) {
			uint32_t to = 0;

			btf_resolve(f->btf, tag->type, &to);
			note(f, tags[i].kind, offset, 8, to);
		}
}

static void find_struct(struct finder *f, const struct btf_type *t, uint32_t id, uint32_t offset,
			unsigned int depth, uint32_t parent, int index)
{
	const char *name = btf_view_name(f->btf, t);

	for (unsigned int i = 0; i < ELEMENTS(structs); i++) {
		if (strcmp(name, structs[i].name))
			continue;
		for (uint32_t k = 0; k < f->n && structs[i].is_single; k++)
			if (f->found[k].kind == structs[i].kind)
				f->error = -E2BIG;
		note(f, structs[i].kind, offset, structs[i].size, 0);
		if (!f->error &&
		    (structs[i].kind == FIELD_LIST_HEAD || structs[i].kind == FIELD_RB_ROOT))
			find_contained(f, &f->found[f->n - 1], parent, index);
		return;
	}
	for (unsigned int i = 0; i < btf_type_vlen(t) && !f->error; i++) {
		struct btf_place place = btf_member_place(t, i);

		if (!place.bits && !(place.bit_offset % 8))
			find_in(f, place.type, offset + place.bit_offset / 8, depth + 1, id, i);
	}
}

/* A section of variables: each has its own tags. */
static void find_section(struct finder *f, const struct btf_type *t)
{
	const struct btf_var_secinfo *v = (const struct btf_var_secinfo *)(t + 1);

	for (unsigned int i = 0; i < btf_type_vlen(t) && !f->error; i++) {
		const struct btf_type *var = btf_view_type(f->btf, v[i].type);

		if (var && btf_type_kind(var) == BTF_KIND_VAR)
			find_in(f, var->type, v[i].offset, 1, v[i].type, -1);
	}
}

static void find_in(struct finder *f, uint32_t type, uint32_t offset, unsigned int depth,
		    uint32_t parent, int index)
{
	uint32_t id = 0;
	const struct btf_type *t = btf_resolve(f->btf, type, &id);

	if (!t || depth > DEPTH_MAX || f->error)
		return;
	switch (btf_type_kind(t)) {
	case BTF_KIND_STRUCT: /* unions have none: whose would it be? */
		find_struct(f, t, id, offset, depth, parent, index);
		break;
	case BTF_KIND_PTR:
		find_pointer(f, t, offset);
		break;
	case BTF_KIND_DATASEC:
		find_section(f, t);
		break;
	case BTF_KIND_ARRAY: {
		const struct btf_array *a = btf_type_array(t);
		uint64_t size = btf_size(f->btf, a->type);
		uint32_t before = f->n;

		for (uint32_t i = 0; i < a->nelems && !f->error && size; i++) {
			find_in(f, a->type, offset + i * (uint32_t)size, depth + 1, parent, index);
			if (f->n == before)
				break; /* nothing in the first: nothing in any */
		}
		break;
	}
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct vm_field *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

int fields_find(const struct btf_view *btf, uint32_t type, struct arena *a,
		const struct vm_field **ret, uint32_t *ret_n)
{
	struct finder *f = xalloc(sizeof(*f));
	int r;

	f->btf = btf;
	find_in(f, type, 0, 0, 0, -1);
	r = f->error;
	if (!r) {
		qsort(f->found, f->n, sizeof(f->found[0]), by_offset);
		*ret = f->n ? arena_copy(a, f->found, f->n * sizeof(f->found[0])) : NULL;
		*ret_n = f->n;
	}
	free(f);
	return r;
}

bool fields_fit(const struct vm_map_def *d)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < d->n_fields; i++) {
		const struct vm_field *f = &d->fields[i];

		if (f->offset < end || (uint64_t)f->offset + f->size > d->value_size)
			return false;
		end = (uint64_t)f->offset + f->size;
	}
	return true;
}

bool fields_have(const struct vm_map_def *d, enum vm_field_kind kind)
{
	for (uint32_t i = 0; i < d->n_fields; i++)
		if (d->fields[i].kind == kind)
			return true;
	return false;
}

/* Piece i of a value: what stands between its fields i − 1 and i. */
static uint32_t piece_of(const struct vm_map_def *d, uint32_t i, uint32_t *ret_n)
{
	uint32_t at = i ? d->fields[i - 1].offset + d->fields[i - 1].size : 0;

	*ret_n = (i < d->n_fields ? d->fields[i].offset : d->value_size) - at;
	return at;
}

void fields_copy(const struct vm_map_def *d, void *to, const void *from)
{
	for (uint32_t i = 0, n; i <= d->n_fields; i++) {
		uint32_t at = piece_of(d, i, &n);

		memcpy((char *)to + at, (const char *)from + at, n);
	}
}

void fields_copy_out(const struct vm_map_def *d, void *to, const void *from)
{
	for (uint32_t i = 0; i < d->n_fields; i++)
		memset((char *)to + d->fields[i].offset, 0, d->fields[i].size);
	fields_copy(d, to, from);
}

void fields_zero(const struct vm_map_def *d, void *value)
{
	for (uint32_t i = 0, n; i <= d->n_fields; i++) {
		uint32_t at = piece_of(d, i, &n);

		memset((char *)value + at, 0, n);
	}
}

void fields_copy_locked(const struct vm_map_def *d, void *to, const void *from, void *locked)
{
	uint32_t *lock = NULL;

	for (uint32_t i = 0; i < d->n_fields; i++)
		if (d->fields[i].kind == FIELD_SPIN_LOCK)
			lock = (uint32_t *)((char *)locked + d->fields[i].offset);
	if (lock)
		lock_take(lock);
	fields_copy(d, to, from);
	if (lock)
		lock_give(lock);
}

void fields_free(const struct vm_map_def *d, void *value)
{
	for (uint32_t i = 0; i < d->n_fields; i++)
		owned_field_free(&d->fields[i], (char *)value + d->fields[i].offset);
}
