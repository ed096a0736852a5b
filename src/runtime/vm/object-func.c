/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions: where in which section they are, and which of them are programs.
 *
 * A symbol of type FUNC is a function.  Compilers before clang 7 gave functions no type and no
 * size: there each global symbol of a section with code begins one.  A section without any
 * symbol is one function with the section's name.
 *
 * Programs are the functions that are not in ".text" and not static.  Where all code is in
 * ".text" (snippets for virtual machines in user space have it so), its global functions are
 * the programs.
 */
#include "runtime/vm/object-internal.h"

#include <stdlib.h>

static int by_place(const void *a, const void *b)
{
	const struct object_func *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	if (x->insn != y->insn)
		return x->insn < y->insn ? -1 : 1;
	return (int)y->is_global - (int)x->is_global;
}

static void add(struct loader *l, const char *name, uint32_t section, uint64_t at, uint64_t size,
		const struct elf_symbol *s)
{
	const struct object_section *code = &l->sections[section];
	uint64_t insn = at / sizeof(struct bpf_insn), n = size / sizeof(struct bpf_insn);
	struct object_func f = {.name = object_name(l, *name ? name : code->elf.name),
				.section = section,
				.insn = (uint32_t)insn,
				.n = (uint32_t)n,
				.at = OBJECT_NONE,
				.is_global = !s || s->binding != STB_LOCAL,
				.is_hidden = s && (s->visibility == STV_HIDDEN ||
						   s->visibility == STV_INTERNAL)};

	if (at % sizeof(struct bpf_insn) || size % sizeof(struct bpf_insn) ||
	    insn >= code->n_insns || n > code->n_insns - insn) {
		object_fail(l, OBJECT_NOWHERE, "section \"%s\": function %s is not inside it",
			    code->elf.name, f.name);
		return;
	}
	array_push(&l->scratch, &l->funcs, f);
}

static bool is_function(const struct elf_symbol *s, bool is_old)
{
	return is_old ? s->type == STT_NOTYPE && s->binding != STB_LOCAL : s->type == STT_FUNC;
}

/* All symbols once: which sections have functions, and are they of the old kind? */
static void add_symbols(struct loader *l)
{
	uint8_t *has = arena_alloc(&l->scratch, l->elf.n_sections);

	for (uint32_t i = 0; i < l->n_symbols; i++)
		if (l->symbols[i].type == STT_FUNC && l->symbols[i].section < l->elf.n_sections)
			has[l->symbols[i].section] = 1;
	for (uint32_t i = 0; i < l->n_symbols; i++) {
		const struct elf_symbol *s = &l->symbols[i];
		const struct object_section *code = object_section(l, s->section);

		if (code && code->insns && is_function(s, !has[s->section])) {
			add(l, s->name, s->section, s->value, s->size, s);
			has[s->section] |= 2;
		}
	}
	for (uint32_t i = 1; i < l->elf.n_sections; i++)
		if (l->sections[i].insns && !has[i])
			add(l, "", i, 0, (uint64_t)l->sections[i].n_insns * 8, NULL);
}

/* Functions that do not say where they end go to the next one. */
static void find_ends(struct loader *l)
{
	for (size_t i = 0; i < l->funcs.n; i++) {
		struct object_func *f = &l->funcs.p[i];
		size_t k = i + 1;

		if (f->n)
			continue;
		while (k < l->funcs.n && l->funcs.p[k].section == f->section &&
		       l->funcs.p[k].insn == f->insn)
			k++;
		f->n = (k < l->funcs.n && l->funcs.p[k].section == f->section
				? l->funcs.p[k].insn
				: l->sections[f->section].n_insns) -
		       f->insn;
	}
}

/* What is called, not attached; rustc gives each function a section of its own there. */
static bool is_text(const struct object_section *s)
{
	return !strcmp(s->elf.name, ".text") || !strncmp(s->elf.name, ".text.", 6);
}

static void find_entries(struct loader *l)
{
	bool only_text = true;

	for (size_t i = 0; i < l->funcs.n; i++) {
		struct object_func *f = &l->funcs.p[i];

		f->is_entry = f->is_global && !is_text(&l->sections[f->section]);
		only_text &= !f->is_entry;
	}
	for (size_t i = 0; only_text && i < l->funcs.n; i++)
		l->funcs.p[i].is_entry = l->funcs.p[i].is_global;
}

struct object_func *object_func_around(struct loader *l, uint32_t section, uint32_t insn)
{
	size_t low = 0, high = l->funcs.n;

	/* the last that begins at or before it */
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct object_func *f = &l->funcs.p[mid];

		if (f->section < section || (f->section == section && f->insn <= insn))
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || l->funcs.p[low - 1].section != section ||
	    insn - l->funcs.p[low - 1].insn >= l->funcs.p[low - 1].n)
		return NULL;
	low--;
	/* of several names for one place the first: a global one */
	while (low && l->funcs.p[low - 1].section == section &&
	       l->funcs.p[low - 1].insn == l->funcs.p[low].insn)
		low--;
	return &l->funcs.p[low];
}

struct object_func *object_func_at(struct loader *l, uint32_t section, uint64_t insn)
{
	struct object_func *f =
		insn < UINT32_MAX ? object_func_around(l, section, (uint32_t)insn) : NULL;

	return f && f->insn == insn ? f : NULL;
}

/* Which FUNC of the types each one is: by the records, else by name. */
static void find_types(struct loader *l)
{
	const struct btf_view *v = &l->object->btf;

	for (uint32_t i = 1; i < l->elf.n_sections; i++) {
		const struct object_records *r = &l->sections[i].funcs;

		for (uint32_t k = 0; k < r->n; k++) {
			const struct bpf_func_info *info = (const void *)(r->p + k * r->step);
			const struct btf_type *t = btf_view_type(v, info->type_id);
			struct object_func *f =
				object_func_at(l, i, info->insn_off / sizeof(struct bpf_insn));

			if (f && t && btf_type_kind(t) == BTF_KIND_FUNC)
				f->btf = info->type_id;
		}
	}
	for (size_t i = 0; l->object->has_btf && i < l->funcs.n; i++) {
		struct object_func *f = &l->funcs.p[i], *first;

		if (f->btf)
			continue;
		first = object_func_at(l, f->section, f->insn);
		f->btf = first && first->btf ? first->btf : btf_find(v, BTF_ONE(FUNC), f->name);
	}
}

void object_read_funcs(struct loader *l)
{
	add_symbols(l);
	if (l->funcs.n)
		qsort(l->funcs.p, l->funcs.n, sizeof(*l->funcs.p), by_place);
	find_ends(l);
	find_entries(l);
	if (l->object->has_btf)
		find_types(l);
}
