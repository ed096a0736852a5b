/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DWARF packages: x.dwp holds what was split off x, all .dwo files in one.
 *
 * Where each unit's parts begin stands in an index, .debug_cu_index, which libdw does not
 * read; it even takes a file that has one for an ordinary program without debug
 * information.  A package of a single unit needs no index: its parts begin at 0.  So such
 * a package is shown to libdw without the index's name, which makes it a .dwo file.
 */
#ifdef HAVE_LIBDW

#include "compile/lang/bpftrace/ctypes-dwarf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PACKAGE_MAX = 1 << 30 };

static bool map_copy(struct dwarf_package *p, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    st.st_size > PACKAGE_MAX)
		return false;
	p->n = (size_t)st.st_size;
	p->bytes = mmap(NULL, p->n, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (p->bytes == MAP_FAILED)
		p->bytes = NULL;
	return p->bytes;
}

/* The section's head; its name is at *ret_name in the file. */
static bool find_section(Elf *elf, const char *name, GElf_Shdr *ret, size_t *ret_name)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr table;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) < 0 || !gelf_getshdr(elf_getscn(elf, names), &table))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *is =
			gelf_getshdr(scn, ret) ? elf_strptr(elf, names, ret->sh_name) : NULL;

		if (!is || strcmp(is, name) != 0)
			continue;
		*ret_name = table.sh_offset + ret->sh_name;
		return true;
	}
	return false;
}

/* One unit, and the index is hidden. */
static bool hide_index(const struct dwarf_package *p)
{
	static const char index[] = ".debug_cu_index";
	Elf *elf = elf_memory(p->bytes, p->n);
	GElf_Shdr head;
	uint32_t words[4]; /* version, columns, units, slots */
	size_t name;
	bool ok = elf && find_section(elf, index, &head, &name) && head.sh_offset < p->n &&
		  p->n - head.sh_offset >= sizeof(words) && name < p->n &&
		  p->n - name >= sizeof(index);

	if (elf)
		elf_end(elf);
	if (!ok)
		return false;
	memcpy(words, (char *)p->bytes + head.sh_offset, sizeof(words));
	((char *)p->bytes)[name + 1] = '_';
	return words[2] == 1;
}

bool dwarf_package_open(struct dwarf_package *p, const char *binary, Dwarf_Die *ret_unit)
{
	_cleanup_buf_ struct buf path = {0};
	Dwarf_Off next;
	size_t header;

	buf_printf(&path, "%s.dwp", binary);
	if (map_copy(p, path.p) && hide_index(p))
		p->elf = elf_memory(p->bytes, p->n);
	if (p->elf)
		p->dw = dwarf_begin_elf(p->elf, DWARF_C_READ, NULL);
	return p->dw && dwarf_nextcu(p->dw, 0, &next, &header, NULL, NULL, NULL) == 0 &&
	       dwarf_offdie(p->dw, header, ret_unit);
}

void dwarf_package_close(struct dwarf_package *p)
{
	if (p->dw)
		dwarf_end(p->dw);
	if (p->elf)
		elf_end(p->elf);
	if (p->bytes)
		munmap(p->bytes, p->n);
	*p = (struct dwarf_package){0};
}

#endif
