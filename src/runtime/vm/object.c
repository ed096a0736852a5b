/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which an object is read.
 *
 * A BPF object is a relocatable ELF file.  Each section with code has programs, one a function,
 * and its name says where they attach; ".text" has what they call.  Compilers leave holes where
 * they cannot know: a map's descriptor, the distance to another function, where the kernel that
 * runs has a field.  Relocations list the holes, and here they are filled:
 *
 *	types → maps → data → externs → functions → lines → CO-RE → programs
 *
 * Each step may find something wrong; it says so and the next goes on with what there is, so
 * that one damaged program does not hide the others.
 *
 * Sources: the ELF specification; Documentation/bpf/{llvm_reloc,btf}.rst and
 * Documentation/bpf/libbpf/ in the kernel's tree.
 */
#include "runtime/vm/object-internal.h"

#include "base/macro.h"
#include "runtime/vm/map/owned.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* All programs of an object together have not more instructions. */
enum { INSNS_MAX = 1 << 22, FILE_MAX = 1 << 28, SECTIONS_MAX = 1 << 13 };

void object_fail(struct loader *l, struct span span, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		abort();
	l->has_failed = true;
	if (span.file < l->diags->sources.n)
		diag(l->diags, D_OBJECT, span, "%s", text);
	else
		diag(l->diags, D_OBJECT, span, "%s: %s", l->options->name, text);
}

struct object_section *object_section(struct loader *l, uint32_t i)
{
	return i && i < l->elf.n_sections ? &l->sections[i] : NULL;
}

struct object_section *object_section_named(struct loader *l, const char *name)
{
	struct object_section *s = map_get(&l->names, str_hash(str_of(name)));

	return s && !strcmp(s->elf.name, name) ? s : NULL;
}

const char *object_name(struct loader *l, const char *name)
{
	return arena_strndup(l->arena, name, strnlen(name, OBJECT_NAME_MAX - 1));
}

void *object_copy(struct loader *l, const struct object_section *s)
{
	if (!s->elf.bytes.n || s->elf.bytes.n > l->left)
		return NULL;
	l->left -= s->elf.bytes.n;
	return arena_copy(l->arena, s->elf.bytes.p, s->elf.bytes.n);
}

/* --- the file */

static int check_head(const struct loader *l, const unsigned char *p, size_t n)
{
	struct diags *d = l->diags;
	const char *name = l->options->name;

	if (n < EI_NIDENT || memcmp(p, ELFMAG, SELFMAG)) {
		diag(d, D_OBJECT, OBJECT_NOWHERE, "%s is no object file (ELF)", name);
		return -ENOEXEC;
	}
	if (p[EI_DATA] != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)) {
		diag(d, D_OBJECT, OBJECT_NOWHERE,
		     "%s is an object for machines of another byte order", name);
		diag_hint(d, "compile it with -target %s",
			  __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "bpfel" : "bpfeb");
		return -ENOEXEC;
	}
	if (n > FILE_MAX) {
		diag(d, D_OBJECT, OBJECT_NOWHERE, "%s is too large for an object", name);
		return -ENOEXEC;
	}
	return 0;
}

/* Compilers before clang 7 knew no number for BPF's machine and wrote 0. */
static int open_elf(struct loader *l, const void *bytes, size_t n)
{
	int r = check_head(l, bytes, n);

	if (r < 0)
		return r;
	r = elf_view_init(&l->elf, bytes, n);
	if (r < 0 || !l->elf.n_sections || l->elf.n_sections > SECTIONS_MAX || !l->elf.is_64) {
		diag(l->diags, D_OBJECT, OBJECT_NOWHERE, "%s is damaged: its head is no object's",
		     l->options->name);
		return -ENOEXEC;
	}
	if (l->elf.machine != EM_BPF && l->elf.machine != EM_NONE) {
		diag(l->diags, D_OBJECT, OBJECT_NOWHERE,
		     "%s is an object for another processor than BPF", l->options->name);
		diag_hint(l->diags, "clang makes one: clang -target bpf -g -O2 -c FILE.bpf.c");
		return -ENOEXEC;
	}
	return 0;
}

/* Borrowed still; none if it is too long to be one. */
static const char *short_name(const char *name)
{
	return strlen(name) < OBJECT_NAME_MAX ? name : "";
}

static void read_sections(struct loader *l)
{
	l->sections = arena_array(&l->scratch, struct object_section, l->elf.n_sections);
	for (uint32_t i = 0; i < l->elf.n_sections; i++) {
		struct object_section *s = &l->sections[i];

		s->map = OBJECT_NONE;
		if (!elf_section_get(&l->elf, i, &s->elf))
			s->elf = (struct elf_section){.name = ""};
		s->elf.name = short_name(s->elf.name);
		if (*s->elf.name && !object_section_named(l, s->elf.name))
			map_put(&l->names, str_hash(str_of(s->elf.name)), s);
		if (s->elf.type != SHT_PROGBITS || !(s->elf.flags & SHF_EXECINSTR))
			continue;
		if (s->elf.bytes.n % sizeof(struct bpf_insn)) {
			object_fail(l, OBJECT_NOWHERE,
				    "section \"%s\" ends in the middle of an instruction",
				    s->elf.name);
			continue;
		}
		s->insns = object_copy(l, s);
		s->n_insns = s->insns ? s->elf.bytes.n / sizeof(struct bpf_insn) : 0;
	}
}

static void read_symbols(struct loader *l)
{
	struct object_section *s = NULL;
	struct str names;

	for (uint32_t i = 1; i < l->elf.n_sections && !s; i++)
		if (l->sections[i].elf.type == SHT_SYMTAB)
			s = &l->sections[i];
	if (!s)
		return;
	names = elf_symbol_names(&l->elf, &s->elf);
	l->n_symbols = (uint32_t)elf_symbols(&l->elf, &s->elf);
	l->symbols = arena_array(&l->scratch, struct elf_symbol, l->n_symbols + 1);
	l->externs = arena_array(&l->scratch, struct object_extern, l->n_symbols + 1);
	for (uint32_t i = 0; i < l->n_symbols; i++) {
		if (!elf_symbol_in(&l->elf, &s->elf, names, i, &l->symbols[i]))
			l->symbols[i] = (struct elf_symbol){.name = ""};
		l->symbols[i].name = short_name(l->symbols[i].name);
	}
}

static int by_insn(const void *a, const void *b)
{
	const struct object_reloc *x = a, *y = b;

	return (x->insn > y->insn) - (x->insn < y->insn);
}

/* Those of code; the others are read where their sections are. */
static void read_relocs(struct loader *l, const struct object_section *s)
{
	struct object_section *to = object_section(l, s->elf.info);
	struct elf_relocation r;

	if (!to || !to->insns)
		return;
	for (size_t i = 0; elf_relocation_get(&l->elf, &s->elf, i, &r); i++) {
		struct object_reloc reloc = {(uint32_t)(r.offset / sizeof(struct bpf_insn)),
					     r.symbol};

		if (r.offset / sizeof(struct bpf_insn) >= to->n_insns ||
		    r.offset % sizeof(struct bpf_insn) || r.symbol >= l->n_symbols ||
		    !l->relocs_left) {
			object_fail(l, OBJECT_NOWHERE, "section \"%s\": relocation %zu is damaged",
				    to->elf.name, i);
			return;
		}
		l->relocs_left--;
		array_push(&l->scratch, &to->relocs, reloc);
	}
	if (to->relocs.n)
		qsort(to->relocs.p, to->relocs.n, sizeof(*to->relocs.p), by_insn);
}

static void read_license(struct loader *l)
{
	const struct object_section *s = object_section_named(l, "license");

	if (s && s->elf.bytes.n)
		l->object->license = arena_strndup(
			l->arena, s->elf.bytes.p, strnlen(s->elf.bytes.p, MIN(s->elf.bytes.n, 64)));
}

static int read_all(struct loader *l)
{
	bool has_code = false;

	read_sections(l);
	read_symbols(l);
	for (uint32_t i = 1; i < l->elf.n_sections; i++) {
		read_relocs(l, &l->sections[i]);
		has_code |= l->sections[i].insns != NULL;
	}
	if (!has_code && l->elf.machine != EM_BPF) {
		diag(l->diags, D_OBJECT, OBJECT_NOWHERE, "%s has no program in it",
		     l->options->name);
		return -ENOEXEC;
	}
	read_license(l);
	object_read_btf(l);
	object_complete_btf(l);
	object_read_maps(l);
	object_read_data(l);
	object_read_externs(l);
	object_find_fields(l);
	object_read_funcs(l);
	object_read_lines(l);
	object_apply_core(l);
	object_link(l);
	object_read_values(l);
	return l->has_failed ? -EBADMSG : 0;
}

int object_read(const void *bytes, size_t n, const struct object_options *o, struct diags *diags,
		struct vm_object *ret)
{
	struct loader l = {
		.options = o,
		.object = ret,
		.diags = diags,
		.arena = &ret->arena,
		.kconfig = OBJECT_NONE,
		.arena_map = OBJECT_NONE,
		.left = n,
		.relocs_left = n / sizeof(Elf64_Rel),
		.insns_left = INSNS_MAX,
	};
	int r;

	*ret = (struct vm_object){.diags = diags, .license = ""};
	r = open_elf(&l, bytes, n);
	if (r == 0)
		r = read_all(&l);
	map_done(&l.names);
	arena_done(&l.scratch);
	return r;
}

void object_done(struct vm_object *o)
{
	owned_done(o);
	if (o->has_btf)
		btf_view_done(&o->btf);
	arena_done(&o->arena);
	*o = (struct vm_object){.license = ""};
}
