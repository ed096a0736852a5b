/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime library: functions written in C, in an object that clang made.
 *
 * All stand in .text; a symbol says where each begins and how long it is.  Calls among them
 * are relative already, or have a relocation to the section or to a symbol.  Code alone is
 * linked: an object whose functions refer to data or maps is refused.  Stack frames are
 * read off the displacements from r10.
 */
#include "compile/gen/mach.h"
#include "isa/insn.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>

struct rt_library {
	struct arena arena;
	ARRAY(struct rt_func) funcs; /* by address */
};

struct reader {
	struct rt_library *lib;
	Elf *elf;
	struct bpf_insn *text; /* a copy, in the arena */
	uint32_t n_text;
	size_t text_index; /* of the section */
	Elf_Data *symbols, *relocs;
	size_t n_symbols, n_relocs;
	size_t strings;
};

static int read_sections(struct reader *r)
{
	size_t names;
	Elf_Scn *section = NULL;
	GElf_Shdr h;
	Elf_Data *d;

	if (elf_getshdrstrndx(r->elf, &names))
		return -EBADMSG;
	while ((section = elf_nextscn(r->elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &h) || !(d = elf_getdata(section, NULL)))
			continue;
		name = elf_strptr(r->elf, names, h.sh_name);
		if (!name)
			return -EBADMSG;
		if (!strcmp(name, ".text") && d->d_buf) {
			r->n_text = d->d_size / sizeof(struct bpf_insn);
			r->text = arena_copy(&r->lib->arena, d->d_buf, d->d_size);
			r->text_index = elf_ndxscn(section);
		} else if (h.sh_type == SHT_SYMTAB && h.sh_entsize) {
			r->symbols = d;
			r->n_symbols = h.sh_size / h.sh_entsize;
			r->strings = h.sh_link;
		} else if (!strcmp(name, ".rel.text") && h.sh_entsize) {
			r->relocs = d;
			r->n_relocs = h.sh_size / h.sh_entsize;
		}
	}
	return r->text && r->symbols ? 0 : -EBADMSG;
}

static int func_compare(const void *a, const void *b)
{
	const struct rt_func *x = a, *y = b;

	return x->insns < y->insns ? -1 : x->insns > y->insns;
}

static int read_funcs(struct reader *r)
{
	struct rt_library *lib = r->lib;

	for (size_t i = 0; i < r->n_symbols; i++) {
		const char *name;
		GElf_Sym s;

		if (!gelf_getsym(r->symbols, (int)i, &s) || GELF_ST_TYPE(s.st_info) != STT_FUNC ||
		    s.st_shndx != r->text_index)
			continue;
		name = elf_strptr(r->elf, r->strings, s.st_name);
		if (!name || s.st_value % sizeof(struct bpf_insn) || !s.st_size ||
		    s.st_value > r->n_text * sizeof(struct bpf_insn) ||
		    s.st_size > r->n_text * sizeof(struct bpf_insn) - s.st_value)
			return -EBADMSG;
		array_push(&lib->arena, &lib->funcs,
			   ((struct rt_func){
				   .name = arena_strdup(&lib->arena, name),
				   .insns = r->text + s.st_value / sizeof(struct bpf_insn),
				   .n_insns = s.st_size / sizeof(struct bpf_insn),
			   }));
	}
	if (lib->funcs.n)
		qsort(lib->funcs.p, lib->funcs.n, sizeof(*lib->funcs.p), func_compare);
	return 0;
}

/* Calls through a relocation become relative ones. */
static int read_relocs(struct reader *r)
{
	for (size_t i = 0; i < r->n_relocs; i++) {
		struct bpf_insn *insn;
		GElf_Rel rel;
		GElf_Sym s;
		uint32_t at;

		if (!gelf_getrel(r->relocs, (int)i, &rel) ||
		    !gelf_getsym(r->symbols, (int)GELF_R_SYM(rel.r_info), &s))
			return -EBADMSG;
		at = rel.r_offset / sizeof(*insn);
		if (at >= r->n_text || s.st_shndx != r->text_index)
			return -EBADMSG;
		insn = &r->text[at];
		if (!insn_is_local_call(insn))
			return -EBADMSG;
		if (GELF_ST_TYPE(s.st_info) == STT_SECTION)
			insn->imm -= (int32_t)at; /* counts from the section's start */
		else
			insn->imm = (int32_t)(s.st_value / sizeof(*insn)) - (int32_t)at - 1;
	}
	return 0;
}

static uint32_t func_at(const struct rt_library *lib, const struct bpf_insn *insn)
{
	for (uint32_t i = 0; i < lib->funcs.n; i++)
		if (lib->funcs.p[i].insns == insn)
			return i + 1;
	return 0;
}

/* How far below r10 an instruction reaches: accesses, and addresses that are made. */
static uint32_t reach(const struct bpf_insn *p, uint32_t i)
{
	const struct bpf_insn *insn = &p[i];
	unsigned int class = BPF_CLASS(insn->code);
	unsigned int base = class == BPF_LDX ? insn->src_reg : insn->dst_reg;

	if ((class == BPF_LDX || class == BPF_STX || class == BPF_ST) && base == 10 &&
	    insn->off < 0)
		return (uint32_t)-insn->off;
	if (i && insn->code == (BPF_ALU64 | BPF_ADD | BPF_K) && insn->imm < 0 &&
	    p[i - 1].code == (BPF_ALU64 | BPF_MOV | BPF_X) && p[i - 1].src_reg == 10 &&
	    p[i - 1].dst_reg == insn->dst_reg)
		return (uint32_t)-insn->imm;
	return 0;
}

static int read_calls(struct reader *r, struct rt_func *f)
{
	uint32_t *calls = arena_array(&r->lib->arena, uint32_t, f->n_insns);

	for (uint32_t i = 0; i < f->n_insns; i++) {
		const struct bpf_insn *insn = &f->insns[i];
		int64_t at = (insn - r->text) + (int64_t)insn->imm + 1;
		uint32_t n = reach(f->insns, i);

		f->frame = MAX(f->frame, n);
		if (insn_is_wide(insn) && insn->src_reg)
			return -EBADMSG;
		if (!insn_is_local_call(insn))
			continue;
		if (at < 0 || at >= r->n_text || !(calls[i] = func_at(r->lib, r->text + at)))
			return -EBADMSG;
	}
	f->calls = calls;
	return 0;
}

enum { PLAIN_MAX = 64 };

static bool is_plain(const struct rt_func *f)
{
	for (uint32_t i = 0; i < f->n_insns; i++) {
		const struct bpf_insn *insn = &f->insns[i];

		if (insn->dst_reg > 5 || insn->src_reg > 5 || insn->code == (BPF_JMP | BPF_CALL))
			return false;
	}
	return f->n_insns && f->n_insns <= PLAIN_MAX;
}

static int rt_read(struct reader *r)
{
	int error = read_sections(r);

	if (error >= 0)
		error = read_funcs(r);
	if (error >= 0 && r->relocs)
		error = read_relocs(r);
	for (uint32_t i = 0; error >= 0 && i < r->lib->funcs.n; i++) {
		error = read_calls(r, &r->lib->funcs.p[i]);
		r->lib->funcs.p[i].is_plain = is_plain(&r->lib->funcs.p[i]);
	}
	return error;
}

int rt_library_open(const void *object, size_t n, struct rt_library **ret)
{
	struct reader r = {};
	int error = -EBADMSG;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOTSUP;
	r.elf = elf_memory((char *)object, n);
	if (!r.elf)
		return -EBADMSG;
	r.lib = xalloc(sizeof(*r.lib));
	if (elf_kind(r.elf) == ELF_K_ELF)
		error = rt_read(&r);
	elf_end(r.elf);
	if (error < 0) {
		rt_library_close(r.lib);
		return error;
	}
	*ret = r.lib;
	return 0;
}

void rt_library_close(struct rt_library *lib)
{
	if (!lib)
		return;
	arena_done(&lib->arena);
	free(lib);
}

const struct rt_func *rt_find(const struct rt_library *lib, const char *name)
{
	for (uint32_t i = 0; lib && i < lib->funcs.n; i++)
		if (!strcmp(lib->funcs.p[i].name, name))
			return &lib->funcs.p[i];
	return NULL;
}

const struct rt_func *rt_func(const struct rt_library *lib, uint32_t i)
{
	return &lib->funcs.p[i];
}

uint32_t rt_count(const struct rt_library *lib)
{
	return lib ? lib->funcs.n : 0;
}

uint32_t rt_index(const struct rt_library *lib, const struct rt_func *f)
{
	return (uint32_t)(f - lib->funcs.p);
}
