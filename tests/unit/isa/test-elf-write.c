/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer writes the reader reads. */
#include "isa/elf-write.h"
#include "isa/elf.h"
#include "test.h"

TEST(round_trip)
{
	struct elf_section s;
	struct elf_symbol symbol;
	struct elf_writer w;
	struct elf_view v;
	struct buf file = {0};
	uint32_t code;

	elf_writer_init(&w);
	code = elf_write_section(&w, "tp/x", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR,
				 STR("12345678"), 8);
	elf_write_section(&w, ".odd", SHT_PROGBITS, 0, STR("abc"), 1);
	elf_write_section(&w, ".last", SHT_PROGBITS, 0, STR(""), 8);
	elf_write_symbol(&w, "main", STT_FUNC, code, 0, 8);
	elf_write_file(&w, EM_BPF, &file);
	elf_writer_done(&w);
	CHECK_EQ(elf_view_init(&v, file.p, file.n), 0);
	CHECK_EQ(v.machine, EM_BPF);
	CHECK_EQ(v.type, ET_REL);
	CHECK(elf_section_find(&v, "tp/x", &s) && str_eq(s.bytes, STR("12345678")));
	CHECK_EQ(s.offset % 8, 0);
	CHECK(elf_section_find(&v, ".odd", &s) && str_eq(s.bytes, STR("abc")));
	CHECK(elf_section_find(&v, ".last", &s) && !s.bytes.n);
	CHECK(elf_section_find(&v, ".symtab", &s));
	CHECK_EQ(elf_symbols(&v, &s), 2);
	CHECK(elf_symbol_get(&v, &s, 1, &symbol));
	CHECK_STREQ(symbol.name, "main");
	CHECK_EQ(symbol.size, 8);
	CHECK_EQ(symbol.section, code);
	buf_done(&file);
}
