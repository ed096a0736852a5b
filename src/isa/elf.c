/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/elf.h"

#include <elf.h>
#include <errno.h>

enum { SECTIONS_MAX = 1 << 16, SEGMENTS_MAX = 1 << 12 };

/* Bytes [at, at + n) of the file; NULL: they are not all there. */
static const void *bytes_at(const struct elf_view *v, uint64_t at, uint64_t n)
{
	return at <= v->n && n <= v->n - at ? v->p + at : NULL;
}

/* The text at an offset; "": there is none that ends. */
static const char *text_at(struct str s, uint64_t at)
{
	return at < s.n && memchr(s.p + at, 0, s.n - at) ? s.p + at : "";
}

/* Members of both widths by one name: `h` is a copy, since nothing is aligned. */
#define READ(v, at, T, ret, ...)                                       \
	do {                                                           \
		const void *p64_ = bytes_at(v, at, sizeof(Elf64_##T)); \
		const void *p32_ = bytes_at(v, at, sizeof(Elf32_##T)); \
		if ((v)->is_64 ? !p64_ : !p32_)                        \
			return false;                                  \
		if ((v)->is_64) {                                      \
			Elf64_##T h;                                   \
			memcpy(&h, p64_, sizeof(h));                   \
			*(ret) = (typeof(*(ret)))__VA_ARGS__;          \
		} else {                                               \
			Elf32_##T h;                                   \
			memcpy(&h, p32_, sizeof(h));                   \
			*(ret) = (typeof(*(ret)))__VA_ARGS__;          \
		}                                                      \
	} while (0)

struct head {
	uint64_t phoff, shoff;
	uint32_t phnum, shnum, phentsize, shentsize, shstrndx;
	uint16_t type, machine;
};

static bool read_head(const struct elf_view *v, struct head *ret)
{
	READ(v, 0, Ehdr, ret,
	     {h.e_phoff, h.e_shoff, h.e_phnum, h.e_shnum, h.e_phentsize, h.e_shentsize,
	      h.e_shstrndx, h.e_type, h.e_machine});
	return true;
}

struct raw_section {
	uint32_t name, type, link, info;
	uint64_t flags, address, offset, size, entry_size;
};

static bool read_section(const struct elf_view *v, uint32_t i, struct raw_section *ret)
{
	uint64_t at = v->sections_at + (uint64_t)i * v->section_size;

	READ(v, at, Shdr, ret,
	     {h.sh_name, h.sh_type, h.sh_link, h.sh_info, h.sh_flags, h.sh_addr, h.sh_offset,
	      h.sh_size, h.sh_entsize});
	return true;
}

static struct str section_bytes(const struct elf_view *v, const struct raw_section *s)
{
	const void *p = s->type == SHT_NOBITS ? NULL : bytes_at(v, s->offset, s->size);

	return p ? (struct str){p, s->size} : (struct str){NULL, 0};
}

int elf_view_init(struct elf_view *v, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	struct raw_section first, names;
	struct head h;

	*v = (struct elf_view){.p = p, .n = n};
	if (n < EI_NIDENT || memcmp(p, ELFMAG, SELFMAG) ||
	    (p[EI_CLASS] != ELFCLASS64 && p[EI_CLASS] != ELFCLASS32) ||
	    p[EI_DATA] != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB))
		return -ENOEXEC;
	v->is_64 = p[EI_CLASS] == ELFCLASS64;
	if (!read_head(v, &h))
		return -ENOEXEC;
	v->type = h.type;
	v->machine = h.machine;
	v->segments_at = h.phoff;
	v->n_segments = h.phoff && h.phnum < SEGMENTS_MAX ? h.phnum : 0;
	v->segment_size = h.phentsize;
	v->sections_at = h.shoff;
	v->section_size = h.shentsize;
	if (!h.shoff || h.shoff >= n)
		return 0;
	/* numbers that are too large stand in the first section */
	if (!read_section(v, 0, &first))
		return 0;
	v->n_sections = h.shnum ? h.shnum : (uint32_t)first.size;
	if (v->n_sections > SECTIONS_MAX)
		v->n_sections = 0;
	if (h.shstrndx == SHN_XINDEX)
		h.shstrndx = first.link;
	if (h.shstrndx < v->n_sections && read_section(v, h.shstrndx, &names))
		v->section_names = section_bytes(v, &names);
	return 0;
}

bool elf_section_get(const struct elf_view *v, uint32_t i, struct elf_section *ret)
{
	struct raw_section s;

	if (i >= v->n_sections || !read_section(v, i, &s))
		return false;
	*ret = (struct elf_section){
		.name = text_at(v->section_names, s.name),
		.type = s.type,
		.link = s.link,
		.info = s.info,
		.flags = s.flags,
		.address = s.address,
		.offset = s.offset,
		.size = s.size,
		.entry_size = s.entry_size,
		.bytes = section_bytes(v, &s),
	};
	return true;
}

bool elf_section_find(const struct elf_view *v, const char *name, struct elf_section *ret)
{
	struct elf_section s;

	for (uint32_t i = 1; i < v->n_sections; i++)
		if (elf_section_get(v, i, &s) && !strcmp(s.name, name)) {
			*ret = s;
			return true;
		}
	return false;
}

bool elf_segment_get(const struct elf_view *v, uint32_t i, struct elf_segment *ret)
{
	uint64_t at = v->segments_at + (uint64_t)i * v->segment_size;

	if (i >= v->n_segments)
		return false;
	READ(v, at, Phdr, ret, {h.p_type, h.p_flags, h.p_offset, h.p_vaddr, h.p_filesz, h.p_memsz});
	return true;
}

static size_t symbol_size(const struct elf_view *v)
{
	return v->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

size_t elf_symbols(const struct elf_view *v, const struct elf_section *s)
{
	return s->bytes.n / symbol_size(v);
}

struct raw_symbol {
	uint32_t name;
	uint64_t value, size;
	uint8_t info, other;
	uint16_t section;
};

static bool read_symbol(const struct elf_view *v, uint64_t at, struct raw_symbol *ret)
{
	READ(v, at, Sym, ret,
	     {h.st_name, h.st_value, h.st_size, h.st_info, h.st_other, h.st_shndx});
	return true;
}

struct str elf_symbol_names(const struct elf_view *v, const struct elf_section *s)
{
	struct raw_section names;

	if (s->link >= v->n_sections || !read_section(v, s->link, &names))
		return (struct str){NULL, 0};
	return section_bytes(v, &names);
}

bool elf_symbol_get(const struct elf_view *v, const struct elf_section *s, size_t i,
		    struct elf_symbol *ret)
{
	return elf_symbol_in(v, s, elf_symbol_names(v, s), i, ret);
}

bool elf_symbol_in(const struct elf_view *v, const struct elf_section *s, struct str names,
		   size_t i, struct elf_symbol *ret)
{
	struct raw_symbol raw;

	if (i >= elf_symbols(v, s) || !read_symbol(v, s->offset + i * symbol_size(v), &raw))
		return false;
	*ret = (struct elf_symbol){
		.name = text_at(names, raw.name),
		.value = raw.value,
		.size = raw.size,
		.type = raw.info & 15,
		.binding = raw.info >> 4,
		.visibility = raw.other & 3,
		.section = raw.section,
	};
	return true;
}

static size_t relocation_size(const struct elf_view *v, const struct elf_section *s)
{
	if (s->type == SHT_REL)
		return v->is_64 ? sizeof(Elf64_Rel) : sizeof(Elf32_Rel);
	return v->is_64 ? sizeof(Elf64_Rela) : sizeof(Elf32_Rela);
}

size_t elf_relocations(const struct elf_view *v, const struct elf_section *s)
{
	if (s->type != SHT_REL && s->type != SHT_RELA)
		return 0;
	return s->bytes.n / relocation_size(v, s);
}

struct raw_relocation {
	uint64_t offset, info;
	int64_t addend;
};

static bool read_relocation(const struct elf_view *v, bool has_addend, uint64_t at,
			    struct raw_relocation *ret)
{
	if (has_addend)
		READ(v, at, Rela, ret, {h.r_offset, h.r_info, h.r_addend});
	else
		READ(v, at, Rel, ret, {h.r_offset, h.r_info, 0});
	return true;
}

bool elf_relocation_get(const struct elf_view *v, const struct elf_section *s, size_t i,
			struct elf_relocation *ret)
{
	struct raw_relocation raw;

	if (i >= elf_relocations(v, s) ||
	    !read_relocation(v, s->type == SHT_RELA, s->offset + i * relocation_size(v, s), &raw))
		return false;
	*ret = (struct elf_relocation){
		.offset = raw.offset,
		.type = (uint32_t)(v->is_64 ? raw.info & UINT32_MAX : raw.info & 0xff),
		.symbol = (uint32_t)(v->is_64 ? raw.info >> 32 : raw.info >> 8),
		.addend = raw.addend,
	};
	return true;
}

bool elf_offset(const struct elf_view *v, uint64_t address, uint64_t *ret)
{
	struct elf_segment s;

	for (uint32_t i = 0; elf_segment_get(v, i, &s); i++)
		if (s.type == PT_LOAD && address >= s.address &&
		    address - s.address < s.memory_size) {
			*ret = address - s.address + s.offset;
			return true;
		}
	return false;
}

bool elf_address(const struct elf_view *v, uint64_t offset, uint64_t *ret)
{
	struct elf_segment s;

	for (uint32_t i = 0; elf_segment_get(v, i, &s); i++)
		if (s.type == PT_LOAD && offset >= s.offset && offset - s.offset < s.file_size) {
			*ret = offset - s.offset + s.address;
			return true;
		}
	return false;
}

bool elf_note_next(struct str notes, size_t *at, struct elf_note *ret)
{
	Elf64_Nhdr h; /* the same in both widths */
	size_t left = *at <= notes.n ? notes.n - *at : 0, name_n, desc_n;
	const char *p;

	if (left < sizeof(h))
		return false;
	p = notes.p + *at;
	memcpy(&h, p, sizeof(h));
	left -= sizeof(h);
	name_n = ((size_t)h.n_namesz + 3) & ~(size_t)3;
	if (name_n > left || h.n_descsz > left - name_n)
		return false;
	desc_n = MIN(((size_t)h.n_descsz + 3) & ~(size_t)3, left - name_n);
	*ret = (struct elf_note){
		.name = {p + sizeof(h), h.n_namesz},
		.type = h.n_type,
		.desc = {p + sizeof(h) + name_n, h.n_descsz},
	};
	if (ret->name.n && !ret->name.p[ret->name.n - 1])
		ret->name.n--;
	*at += sizeof(h) + name_n + desc_n;
	return true;
}

struct str elf_build_id(const struct elf_view *v)
{
	struct elf_section s;
	struct elf_note note;

	for (uint32_t i = 1; i < v->n_sections; i++) {
		size_t at = 0;

		if (!elf_section_get(v, i, &s) || s.type != SHT_NOTE)
			continue;
		while (elf_note_next(s.bytes, &at, &note))
			if (note.type == NT_GNU_BUILD_ID && str_eq(note.name, STR("GNU")) &&
			    note.desc.n && note.desc.n <= 64)
				return note.desc;
	}
	return (struct str){NULL, 0};
}
