/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small relocatable ELF file, section by section: BPF objects as compilers make them.
 *
 * Sections and symbols are added, then the whole is laid out: header, sections' bytes, the
 * table of sections.  Symbol and string tables are made at the end.
 */
#pragma once

#include "base/arena.h"

#include <elf.h>

struct elf_new_section {
	const char *name; /* borrowed, as the bytes */
	uint32_t type;
	uint64_t flags;
	struct str bytes;
	uint32_t align;
};

struct elf_writer {
	struct arena arena;
	ARRAY(struct elf_new_section) sections; /* number i + 1 in the file */
	ARRAY(Elf64_Sym) symbols;		/* local ones only */
	struct buf strings;
};

void elf_writer_init(struct elf_writer *w);
void elf_writer_done(struct elf_writer *w);
/* Returns its number in the file. */
uint32_t elf_write_section(struct elf_writer *w, const char *name, uint32_t type, uint64_t flags,
			   struct str bytes, uint32_t align);
/* `type`: STT_FUNC, STT_OBJECT. */
void elf_write_symbol(struct elf_writer *w, const char *name, unsigned int type, uint32_t section,
		      uint64_t value, uint64_t size);
/* Append the file. */
void elf_write_file(struct elf_writer *w, uint16_t machine, struct buf *to);
