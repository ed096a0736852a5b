/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/elf-write.h"

void elf_writer_init(struct elf_writer *w)
{
	*w = (struct elf_writer){0};
	buf_putc(&w->strings, 0);
	array_push(&w->arena, &w->symbols, ((Elf64_Sym){0}));
}

void elf_writer_done(struct elf_writer *w)
{
	arena_done(&w->arena);
	buf_done(&w->strings);
	*w = (struct elf_writer){0};
}

static uint32_t put_string(struct elf_writer *w, const char *s)
{
	size_t at = w->strings.n;

	buf_add(&w->strings, s, strlen(s) + 1);
	return (uint32_t)at;
}

uint32_t elf_write_section(struct elf_writer *w, const char *name, uint32_t type, uint64_t flags,
			   struct str bytes, uint32_t align)
{
	array_push(&w->arena, &w->sections,
		   ((struct elf_new_section){name, type, flags, bytes, align}));
	return (uint32_t)w->sections.n;
}

void elf_write_symbol(struct elf_writer *w, const char *name, unsigned int type, uint32_t section,
		      uint64_t value, uint64_t size)
{
	array_push(&w->arena, &w->symbols,
		   ((Elf64_Sym){
			   .st_name = put_string(w, name),
			   .st_info = ELF64_ST_INFO(STB_LOCAL, type),
			   .st_shndx = (uint16_t)section,
			   .st_value = value,
			   .st_size = size,
		   }));
}

static void pad(struct buf *to, size_t start, uint32_t align)
{
	while ((to->n - start) % align)
		buf_putc(to, 0);
}

static Elf64_Shdr put_section(struct elf_writer *w, const struct elf_new_section *s, size_t start,
			      struct buf *to)
{
	Elf64_Shdr h = {
		.sh_name = put_string(w, s->name),
		.sh_type = s->type,
		.sh_flags = s->flags,
		.sh_size = s->bytes.n,
		.sh_addralign = s->align,
	};

	pad(to, start, s->align);
	h.sh_offset = to->n - start;
	buf_put_str(to, s->bytes);
	return h;
}

void elf_write_file(struct elf_writer *w, uint16_t machine, struct buf *to)
{
	size_t start = to->n, n = w->sections.n;
	Elf64_Shdr *table = arena_array(&w->arena, Elf64_Shdr, n + 3);
	struct str symbols = {(const char *)w->symbols.p, w->symbols.n * sizeof(Elf64_Sym)};
	struct elf_new_section last[] = {
		{".symtab", SHT_SYMTAB, 0, symbols, 8},
		{".strtab", SHT_STRTAB, 0, {0}, 1},
	};
	Elf64_Ehdr head = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_REL,
		.e_machine = machine,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(head),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = (uint16_t)(n + 3),
		.e_shstrndx = (uint16_t)(n + 2),
	};

	buf_add(to, &head, sizeof(head));
	for (size_t i = 0; i < n; i++)
		table[i + 1] = put_section(w, &w->sections.p[i], start, to);
	table[n + 1] = put_section(w, &last[0], start, to);
	table[n + 1].sh_link = (uint32_t)n + 2;
	table[n + 1].sh_info = (uint32_t)w->symbols.n; /* all are local */
	table[n + 1].sh_entsize = sizeof(Elf64_Sym);
	table[n + 2].sh_name = put_string(w, last[1].name); /* the last string: now it is whole */
	last[1].bytes = buf_str(&w->strings);
	table[n + 2].sh_type = SHT_STRTAB;
	table[n + 2].sh_addralign = 1;
	table[n + 2].sh_size = last[1].bytes.n;
	table[n + 2].sh_offset = to->n - start;
	buf_put_str(to, last[1].bytes);
	pad(to, start, 8);
	head.e_shoff = to->n - start;
	buf_add(to, table, (n + 3) * sizeof(*table));
	memcpy(to->p + start, &head, sizeof(head));
}
