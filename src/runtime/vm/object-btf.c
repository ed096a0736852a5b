/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types of an object, and what is said of its instructions.
 *
 * .BTF describes the program's own types, functions and global variables.  The compiler writes
 * it before it knows where variables lie: a DATASEC ("section .data has these variables") has
 * size 0 and offsets that relocations complete.  .BTF.ext has three lists, each by section:
 * which function begins at an instruction, which line it comes from, and which number in it
 * depends on the kernel (CO-RE).
 *
 * Both are copied, since they are written to and must be aligned.  Format:
 * Documentation/bpf/btf.rst, section 4.
 */
#include "runtime/vm/object-internal.h"

#include <linux/btf.h>
#include <stdlib.h>

struct ext_head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len;
	uint32_t func_off, func_len, line_off, line_len, core_off, core_len;
};
enum { EXT_HEAD_MIN = 24 }; /* before CO-RE */

struct ext_section {
	uint32_t name, n;
};

/* Numbers in a section that are relative to a symbol: + its value. */
static void relocate(struct loader *l, uint32_t section, char *p, size_t n)
{
	struct elf_relocation r;
	uint32_t value;

	for (uint32_t i = 1; i < l->elf.n_sections; i++) {
		const struct elf_section *s = &l->sections[i].elf;

		if (s->info != section)
			continue;
		for (size_t k = 0; elf_relocation_get(&l->elf, s, k, &r); k++) {
			bool is_32 = r.type == OBJECT_R_64_ABS32 ||
				     r.type == OBJECT_R_64_NODYLD32 || r.type == OBJECT_R_64_32;

			if (!is_32 || n < sizeof(value) || r.offset > n - sizeof(value) ||
			    r.symbol >= l->n_symbols)
				continue;
			memcpy(&value, p + r.offset, sizeof(value));
			value += (uint32_t)l->symbols[r.symbol].value + (uint32_t)r.addend;
			memcpy(p + r.offset, &value, sizeof(value));
		}
	}
}

static char *copy_relocated(struct loader *l, const char *name, size_t *ret_n)
{
	struct object_section *s = object_section_named(l, name);
	char *p = s ? object_copy(l, s) : NULL;

	if (!p)
		return NULL;
	*ret_n = s->elf.bytes.n;
	relocate(l, (uint32_t)(s - l->sections), p, *ret_n);
	return p;
}

/* --- .BTF.ext */

static void give(struct object_section *s, int list, struct object_records r)
{
	struct object_records *to = list == 0 ? &s->funcs : list == 1 ? &s->lines : &s->core;

	if (!to->p)
		*to = r;
}

/* One list: the size of its records, then section by section.  False: it is damaged. */
static bool read_list(struct loader *l, int list, const char *p, size_t n, uint32_t least)
{
	struct ext_section head;
	uint32_t step;

	if (n < sizeof(step))
		return n == 0;
	memcpy(&step, p, sizeof(step));
	if (step < least || step % 4 || step > 4096)
		return false;
	p += sizeof(step);
	n -= sizeof(step);
	while (n >= sizeof(head)) {
		struct object_section *s;

		memcpy(&head, p, sizeof(head));
		p += sizeof(head);
		n -= sizeof(head);
		if ((uint64_t)head.n * step > n)
			return false;
		s = object_section_named(l, btf_view_string(&l->object->btf, head.name));
		if (s && s->insns)
			give(s, list, (struct object_records){p, head.n, step});
		p += (size_t)head.n * step;
		n -= (size_t)head.n * step;
	}
	return true;
}

static bool list_at(struct loader *l, const struct ext_head *h, int list, uint32_t off,
		    uint32_t len, uint32_t least)
{
	uint64_t at = (uint64_t)h->hdr_len + off;

	return at % 4 == 0 && at + len <= l->ext_n && read_list(l, list, l->ext + at, len, least);
}

static void read_ext(struct loader *l)
{
	struct ext_head h = {0};
	bool ok;

	l->ext = copy_relocated(l, ".BTF.ext", &l->ext_n);
	if (!l->ext)
		return;
	memcpy(&h, l->ext, MIN(l->ext_n, sizeof(h)));
	if (l->ext_n < EXT_HEAD_MIN || h.magic != BTF_MAGIC || h.hdr_len < EXT_HEAD_MIN ||
	    h.version != BTF_VERSION) {
		object_fail(l, OBJECT_NOWHERE, "section \".BTF.ext\" is damaged");
		return;
	}
	if (h.hdr_len < sizeof(h))
		h.core_off = h.core_len = 0;
	/* what one list has is of use, even if another is damaged */
	ok = list_at(l, &h, 0, h.func_off, h.func_len, sizeof(struct bpf_func_info));
	ok = list_at(l, &h, 1, h.line_off, h.line_len, sizeof(struct bpf_line_info)) && ok;
	ok = list_at(l, &h, 2, h.core_off, h.core_len, sizeof(struct bpf_core_relo)) && ok;
	if (!ok)
		object_fail(l, OBJECT_NOWHERE, "section \".BTF.ext\": a list is damaged");
}

void object_read_btf(struct loader *l)
{
	l->btf = copy_relocated(l, ".BTF", &l->btf_n);
	if (!l->btf)
		return;
	if (btf_view_init(&l->object->btf, l->btf, l->btf_n) < 0) {
		object_fail(l, OBJECT_NOWHERE, "section \".BTF\" is damaged");
		return;
	}
	l->object->has_btf = true;
	l->has_handlers = memmem(l->btf, l->btf_n, "exception_callback:", 19) != NULL;
	read_ext(l);
}

/* --- DATASECs */

uint32_t object_datasec(const struct loader *l, const char *name)
{
	return l->object->has_btf ? btf_find(&l->object->btf, BTF_ONE(DATASEC), name) : 0;
}

/* The type as it is in our copy, to be written to. */
static struct btf_type *own_type(const struct loader *l, const struct btf_type *t)
{
	return (struct btf_type *)(l->btf + ((const char *)t - l->btf));
}

/* Symbols of data by their names; of two the first. */
static void index_symbols(struct loader *l, struct map *names)
{
	for (uint32_t i = 1; i < l->n_symbols; i++) {
		const struct elf_symbol *s = &l->symbols[i];
		uint64_t hash = str_hash(str_of(s->name));

		if (*s->name && object_section(l, s->section) && !map_get(names, hash))
			map_put(names, hash, (void *)s);
	}
}

/* Where the variable is: as relocations have said, else (LLVM before 13) by its symbol. */
static void complete_var(struct loader *l, const struct object_section *s, const struct map *names,
			 struct btf_var_secinfo *info)
{
	const struct btf_view *v = &l->object->btf;
	const struct btf_type *var = btf_view_type(v, info->type);
	const struct elf_symbol *y;

	if (!var || btf_type_kind(var) != BTF_KIND_VAR)
		return;
	if (!info->size)
		info->size = (uint32_t)btf_size(v, var->type);
	if (!s || info->offset)
		return;
	y = map_get(names, str_hash(str_of(btf_view_name(v, var))));
	if (y && &l->sections[y->section] == s && !strcmp(y->name, btf_view_name(v, var)))
		info->offset = (uint32_t)y->value;
}

static int by_offset(const void *a, const void *b)
{
	const struct btf_var_secinfo *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static void complete(struct loader *l, struct btf_type *t, const struct map *names)
{
	const struct object_section *s = object_section_named(l, btf_view_name(&l->object->btf, t));
	struct btf_var_secinfo *info = (struct btf_var_secinfo *)(t + 1);

	if (s && !t->size)
		t->size = (uint32_t)MIN(s->elf.size, (uint64_t)UINT32_MAX);
	for (unsigned int i = 0; i < btf_type_vlen(t); i++)
		complete_var(l, s, names, &info[i]);
	qsort(info, btf_type_vlen(t), sizeof(*info), by_offset);
}

void object_complete_btf(struct loader *l)
{
	const struct btf_view *v = &l->object->btf;
	unsigned int n = l->object->has_btf ? btf_view_n(v) : 0;
	struct map names = {0};

	if (n)
		index_symbols(l, &names);
	for (unsigned int id = 1; id < n; id++) {
		const struct btf_type *t = btf_view_type(v, id);

		if (btf_type_kind(t) == BTF_KIND_DATASEC)
			complete(l, own_type(l, t), &names);
	}
	map_done(&names);
}
