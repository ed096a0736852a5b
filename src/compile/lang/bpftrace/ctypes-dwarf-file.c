/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a program's debug information is, and what names it has.
 *
 * In the program itself, or split off: by build id below /usr/lib/debug, beside the
 * program by .gnu_debuglink or as "x.debug", or in folders that were given.  One pass over
 * the units puts the names of their top level into an index; units whose entries stand in
 * a .dwo are followed there, or into the package x.dwp beside x.
 */
#ifdef HAVE_LIBDW

#include "compile/lang/bpftrace/ctypes-dwarf.h"

#include "isa/elf.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 24, MAX_NAMES = 4 << 20, MIN_ENTRIES = 1 << 20 };

/* --- files */

static bool has_debug(Dwarf *dw)
{
	Dwarf_Off next;
	size_t header;

	return dw && dwarf_nextcu(dw, 0, &next, &header, NULL, NULL, NULL) == 0;
}

/* libdw's own function for it brings in its readers of ten architectures, 300 kB. */
static struct str build_id(Elf *elf)
{
	struct elf_view v;
	size_t n;
	const char *bytes = elf_rawfile(elf, &n);

	return bytes && !elf_view_init(&v, bytes, n) ? elf_build_id(&v) : (struct str){NULL, 0};
}

static bool is_of(struct dwarf_file *f, Dwarf *dw)
{
	struct str id = build_id(dwarf_getelf(dw));

	return !f->id_n || !id.n || (id.n == f->id_n && !memcmp(id.p, f->id, id.n));
}

/* Opens no pipe or device, which may block; −1: none. */
static int open_regular(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && (fstat(fd, st) < 0 || !S_ISREG(st->st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool try_file(struct dwarf_file *f, const char *path)
{
	struct stat st;
	int fd = open_regular(path, &st);
	Dwarf *dw = fd < 0 ? NULL : dwarf_begin(fd, DWARF_C_READ);

	if (has_debug(dw) && is_of(f, dw)) {
		f->dw = dw;
		f->fd = fd;
		f->n_entries = MAX((size_t)st.st_size, (size_t)MIN_ENTRIES);
		return true;
	}
	if (dw)
		dwarf_end(dw);
	if (fd >= 0)
		close(fd);
	return false;
}

/* /usr/lib/debug/.build-id/ab/cdef….debug */
static bool try_build_id(struct dwarf_file *f)
{
	_cleanup_buf_ struct buf path = {0};

	if (f->id_n < 3)
		return false;
	buf_printf(&path, "/usr/lib/debug/.build-id/%02x/", f->id[0]);
	for (size_t i = 1; i < f->id_n; i++)
		buf_printf(&path, "%02x", f->id[i]);
	buf_puts(&path, ".debug");
	return try_file(f, path.p);
}

/* A folder is below the program's own if its name is not absolute. */
static bool try_folder(struct dwarf_file *f, struct str folder, const char *name)
{
	_cleanup_buf_ struct buf path = {0};
	const char *slash = strrchr(f->path, '/');
	int n = slash ? (int)(slash - f->path) : 0;

	if (!folder.n || folder.p[0] != '/') {
		buf_printf(&path, "%.*s%s%.*s%s%s", n, f->path, slash ? "/" : "", (int)folder.n,
			   folder.p, folder.n ? "/" : "", name);
		return strcmp(path.p, f->path) != 0 && try_file(f, path.p);
	}
	buf_printf(&path, "%.*s%.*s/%s", (int)folder.n, folder.p, n, f->path, name);
	if (try_file(f, path.p))
		return true;
	buf_reset(&path);
	buf_printf(&path, "%.*s/%s", (int)folder.n, folder.p, name);
	return try_file(f, path.p);
}

/* As .gnu_debuglink names it; "x.debug" for x without one. */
static bool try_link(struct dwarf_file *f, Elf *elf)
{
	GElf_Word crc;
	const char *name = dwelf_elf_gnu_debuglink(elf, &crc), *slash = strrchr(f->path, '/');

	if (!name)
		name = arena_printf(&f->arena, "%s.debug", slash ? slash + 1 : f->path);
	if (strchr(name, '/'))
		return false;
	for (const char *p = f->folders; p && *p;) {
		size_t n = strcspn(p, ":");

		if (n && try_folder(f, (struct str){p, n}, name))
			return true;
		p += n + (p[n] == ':');
	}
	return try_folder(f, STR(""), name) || try_folder(f, STR(".debug"), name) ||
	       try_folder(f, STR("/usr/lib/debug"), name);
}

static void read_build_id(struct dwarf_file *f, Elf *elf)
{
	struct str id = build_id(elf);

	if (id.n && id.n <= sizeof(f->id)) {
		memcpy(f->id, id.p, id.n);
		f->id_n = id.n;
	}
}

static void find_file(struct dwarf_file *f)
{
	struct stat st;
	int fd = open_regular(f->path, &st);
	Elf *elf;

	if (fd < 0)
		return;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		read_build_id(f, elf);
		if (!try_file(f, f->path) && !try_build_id(f))
			try_link(f, elf);
	}
	if (elf)
		elf_end(elf);
	close(fd);
}

/* --- the index */

static void put_name(struct dwarf_file *f, const char *name, Dwarf_Die *die)
{
	struct dwarf_name *entry;

	if (!name || f->n_names++ >= MAX_NAMES)
		return;
	entry = arena_new(&f->arena, struct dwarf_name);
	entry->name = name;
	entry->die = *die;
	entry->tag = dwarf_tag(die);
	entry->next = map_get(&f->names, str_hash(str_of(name)));
	map_put(&f->names, str_hash(str_of(name)), entry);
}

static const char *linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute a;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &a) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &a))
		return dwarf_formstring(&a);
	return NULL;
}

bool dwarf_next(Dwarf_Die *die)
{
	const void *before = die->addr;

	return dwarf_siblingof(die, die) == 0 && (const char *)die->addr > (const char *)before;
}

static void index_children(struct dwarf_file *f, Dwarf_Die *parent, unsigned int depth)
{
	Dwarf_Die die;

	if (depth > MAX_DEPTH || dwarf_child(parent, &die) != 0)
		return;
	do {
		if (!f->n_entries)
			return;
		f->n_entries--;
		switch (dwarf_tag(&die)) {
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
		case DW_TAG_enumeration_type:
			if (dwarf_hasattr(&die, DW_AT_declaration))
				break;
			put_name(f, dwarf_diename(&die), &die);
			break;
		case DW_TAG_typedef:
		case DW_TAG_base_type:
			put_name(f, dwarf_diename(&die), &die);
			break;
		case DW_TAG_subprogram:
			if (dwarf_hasattr(&die, DW_AT_declaration))
				break;
			put_name(f, dwarf_diename(&die), &die);
			put_name(f, linkage_name(&die), &die);
			break;
		case DW_TAG_namespace:
			index_children(f, &die, depth + 1);
			break;
		}
	} while (dwarf_next(&die));
}

/* The unit's entry; of a skeleton: that of the file that was split off. */
static bool unit_die(struct dwarf_file *f, Dwarf_Off at, size_t header, Dwarf_Die *ret,
		     bool *is_alone)
{
	Dwarf_Die split = {0};
	uint8_t type = 0;

	if (!dwarf_offdie(f->dw, at + header, ret))
		return false;
	if (dwarf_cu_info(ret->cu, NULL, &type, NULL, &split, NULL, NULL, NULL) == 0 &&
	    type == DW_UT_skeleton) {
		if (split.addr)
			*ret = split;
		else
			*is_alone = true;
	}
	return true;
}

bool dwarf_file_ready(struct dwarf_file *f)
{
	bool is_alone = false;
	Dwarf_Off at = 0, next;
	size_t header;
	Dwarf_Die die;

	if (f->is_read)
		return f->dw;
	f->is_read = true;
	find_file(f);
	if (!f->dw)
		return false;
	while (dwarf_nextcu(f->dw, at, &next, &header, NULL, NULL, NULL) == 0 && next > at) {
		if (unit_die(f, at, header, &die, &is_alone))
			index_children(f, &die, 0);
		at = next;
	}
	if (is_alone && dwarf_package_open(&f->package, f->path, &die))
		index_children(f, &die, 0);
	return true;
}

struct dwarf_file *dwarf_file_of(struct type_table *t, const char *binary)
{
	struct dwarf_file *f;

	for (size_t i = 0; i < t->dwarfs.n; i++)
		if (!strcmp(t->dwarfs.p[i]->path, binary))
			return t->dwarfs.p[i];
	f = calloc(1, sizeof(*f));
	if (!f)
		abort();
	f->path = arena_strdup(t->arena, binary);
	f->folders = t->debuginfo;
	array_push(t->arena, &t->dwarfs, f);
	return f;
}

bool dwarf_file_find(struct dwarf_file *f, const char *name, int tag, int other, Dwarf_Die *ret)
{
	if (!dwarf_file_ready(f))
		return false;
	for (struct dwarf_name *n = map_get(&f->names, str_hash(str_of(name))); n; n = n->next)
		if ((n->tag == tag || n->tag == other) && !strcmp(n->name, name)) {
			*ret = n->die;
			return true;
		}
	return false;
}

void ctypes_dwarf_free(struct dwarf_file *f)
{
	if (f->dw) {
		dwarf_end(f->dw);
		close(f->fd);
	}
	dwarf_package_close(&f->package);
	map_done(&f->names);
	map_done(&f->types);
	arena_done(&f->arena);
	free(f);
}

#endif
