/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF files as bytes: sections, segments, symbols, notes.
 *
 * A view reads programs, libraries and debug files of this machine's byte order, of 32 and
 * 64 bits, in place.  They are foreign: every offset is checked where it is used, and what
 * a view returns lies within the bytes that it was given.
 *
 * Format: the System V ABI, chapters 4 and 5; elf(5).
 */
#pragma once

#include "base/str.h"

struct elf_view {
	const unsigned char *p; /* borrowed */
	size_t n;
	bool is_64;
	uint16_t type, machine; /* ET_*, EM_* */
	uint32_t n_sections, n_segments;
	uint64_t sections_at, segments_at; /* file offsets of the tables */
	uint32_t section_size, segment_size;
	struct str section_names;
};

struct elf_section {
	const char *name; /* never NULL */
	uint32_t type, link, info;
	uint64_t flags, address, offset, size, entry_size;
	struct str bytes; /* {NULL, 0}: it has none in the file */
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size;
};

struct elf_symbol {
	const char *name;
	uint64_t value, size;
	uint8_t type, binding, visibility; /* STT_*, STB_*, STV_* */
	uint16_t section;		   /* SHN_UNDEF: defined elsewhere */
};

/* -ENOEXEC: it is no ELF file of this byte order, or a damaged one. */
int elf_view_init(struct elf_view *v, const void *bytes, size_t n);

/* By index, or by name: false: there is no such one. */
bool elf_section_get(const struct elf_view *v, uint32_t i, struct elf_section *ret);
bool elf_section_find(const struct elf_view *v, const char *name, struct elf_section *ret);
bool elf_segment_get(const struct elf_view *v, uint32_t i, struct elf_segment *ret);

/* Symbols of a section of type SHT_SYMTAB or SHT_DYNSYM. */
size_t elf_symbols(const struct elf_view *v, const struct elf_section *s);
bool elf_symbol_get(const struct elf_view *v, const struct elf_section *s, size_t i,
		    struct elf_symbol *ret);
/* For many: find their names first. */
struct str elf_symbol_names(const struct elf_view *v, const struct elf_section *s);
bool elf_symbol_in(const struct elf_view *v, const struct elf_section *s, struct str names,
		   size_t i, struct elf_symbol *ret);

struct elf_relocation {
	uint64_t offset; /* in the section that s->info names */
	uint32_t type;
	uint32_t symbol; /* of the section that s->link names */
	int64_t addend;	 /* 0 in a SHT_REL: it stands where it is added */
};
/* Relocations of a section of type SHT_REL or SHT_RELA; others have none. */
size_t elf_relocations(const struct elf_view *v, const struct elf_section *s);
bool elf_relocation_get(const struct elf_view *v, const struct elf_section *s, size_t i,
			struct elf_relocation *ret);

/* Where in the file the byte of this address is; false: nowhere. */
bool elf_offset(const struct elf_view *v, uint64_t address, uint64_t *ret);
/* The other way round. */
bool elf_address(const struct elf_view *v, uint64_t offset, uint64_t *ret);

struct elf_note {
	struct str name; /* without its NUL */
	uint32_t type;
	struct str desc;
};
/* The note at *at (0 at first) of a section's bytes; moves *at behind it.  False: no more. */
bool elf_note_next(struct str notes, size_t *at, struct elf_note *ret);

/* The build id, {NULL, 0}: it has none. */
struct str elf_build_id(const struct elf_view *v);
