/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/binary.h"

#include "base/macro.h"
#include "runtime/kern/xz.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libiberty/demangle.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map_file(const char *path, void **ret, size_t *ret_n)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf32_Ehdr))
		return -ENOEXEC;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	*ret_n = (size_t)st.st_size;
	return 0;
}

int binary_open(struct binary *b, const char *path)
{
	int r;

	*b = (struct binary){0};
	r = map_file(path, &b->bytes, &b->n);
	if (r < 0)
		return r;
	r = elf_view_init(&b->elf, b->bytes, b->n);
	if (r < 0)
		binary_close(b);
	return r;
}

void binary_close(struct binary *b)
{
	if (b->bytes)
		munmap(b->bytes, b->n);
	if (b->debug_bytes && b->is_debug_mapped)
		munmap(b->debug_bytes, b->debug_n);
	else
		free(b->debug_bytes);
	*b = (struct binary){0};
}

/* --- symbols */

static bool find_table(const struct elf_view *v, uint32_t type, struct elf_section *ret)
{
	for (uint32_t i = 1; i < v->n_sections; i++)
		if (elf_section_get(v, i, ret) && ret->type == type && ret->bytes.n)
			return true;
	return false;
}

static bool open_debugdata(struct binary *b)
{
	struct elf_section s;
	struct buf out = {0};

	if (!elf_section_find(&b->elf, ".gnu_debugdata", &s) || !s.bytes.n ||
	    xz_unpack(s.bytes, &out) < 0 || elf_view_init(&b->debug, out.p, out.n) < 0) {
		buf_done(&out);
		b->debug = (struct elf_view){0};
		return false;
	}
	b->debug_bytes = out.p; /* handed over */
	b->debug_n = out.n;
	return true;
}

static bool open_debug_file(struct binary *b)
{
	struct str id = elf_build_id(&b->elf);
	char path[256] = "/usr/lib/debug/.build-id/";
	size_t at = strlen(path);

	if (id.n < 2)
		return false;
	for (size_t i = 0; i < id.n; i++)
		at += (size_t)snprintf(path + at, sizeof(path) - at, "%s%02x", i == 1 ? "/" : "",
				       (unsigned char)id.p[i]);
	snprintf(path + at, sizeof(path) - at, ".debug");
	if (map_file(path, &b->debug_bytes, &b->debug_n) < 0)
		return false;
	b->is_debug_mapped = true;
	if (elf_view_init(&b->debug, b->debug_bytes, b->debug_n) < 0)
		b->debug = (struct elf_view){0};
	return b->debug.p;
}

static void each_symbol(const struct elf_view *v, const struct elf_section *table, bool functions,
			binary_symbol_fn fn, void *ctx)
{
	struct str names = elf_symbol_names(v, table);
	size_t n = elf_symbols(v, table);
	struct elf_symbol s;

	for (size_t i = 1; i < n; i++) {
		if (!elf_symbol_in(v, table, names, i, &s) || s.section == SHN_UNDEF || !*s.name)
			continue;
		if (functions ? s.type == STT_FUNC || s.type == STT_GNU_IFUNC
			      : s.type == STT_OBJECT)
			fn(ctx, &s);
	}
}

void binary_symbols(struct binary *b, bool functions, binary_symbol_fn fn, void *ctx)
{
	struct elf_section table;

	if (find_table(&b->elf, SHT_SYMTAB, &table)) {
		each_symbol(&b->elf, &table, functions, fn, ctx);
	} else if (b->debug.p || (!b->debug_bytes && (open_debugdata(b) || open_debug_file(b)))) {
		if (find_table(&b->debug, SHT_SYMTAB, &table))
			each_symbol(&b->debug, &table, functions, fn, ctx);
	}
	if (find_table(&b->elf, SHT_DYNSYM, &table))
		each_symbol(&b->elf, &table, functions, fn, ctx);
}

char *binary_demangle(const char *name)
{
	if (name[0] != '_' || name[1] != 'Z')
		return NULL;
	return cplus_demangle_v3(name, DMGL_PARAMS | DMGL_ANSI);
}

/* --- static probes */

enum { NT_STAPSDT_ = 3 };

static uint64_t word(const struct elf_view *v, const char *p, size_t i)
{
	uint64_t wide;
	uint32_t narrow;

	if (v->is_64) {
		memcpy(&wide, p + i * sizeof(wide), sizeof(wide));
		return wide;
	}
	memcpy(&narrow, p + i * sizeof(narrow), sizeof(narrow));
	return narrow;
}

/* The text at *at, which must end within; moves behind it. */
static const char *text(struct str s, size_t *at)
{
	const char *p = s.p + *at, *end = *at < s.n ? memchr(p, 0, s.n - *at) : NULL;

	if (!end)
		return NULL;
	*at += (size_t)(end - p) + 1;
	return p;
}

/* The linker may have moved the file: by as much as it moved .stapsdt.base. */
static bool parse_usdt(const struct elf_view *v, struct str desc, uint64_t base,
		       struct binary_usdt *ret)
{
	size_t at = 3 * (v->is_64 ? 8 : 4);
	uint64_t pc, was, semaphore;

	if (desc.n < at)
		return false;
	*ret = (struct binary_usdt){0};
	pc = word(v, desc.p, 0);
	was = word(v, desc.p, 1);
	semaphore = word(v, desc.p, 2);
	ret->provider = text(desc, &at);
	ret->name = ret->provider ? text(desc, &at) : NULL;
	ret->args = ret->name ? text(desc, &at) : NULL;
	if (!ret->args)
		return false;
	if (base) {
		pc += base - was;
		semaphore += semaphore ? base - was : 0;
	}
	if (semaphore && !elf_offset(v, semaphore, &ret->semaphore))
		return false;
	return elf_offset(v, pc, &ret->offset);
}

void binary_usdts(const struct elf_view *v, binary_usdt_fn fn, void *ctx)
{
	struct elf_section notes, base = {0};
	struct binary_usdt u;
	struct elf_note note;
	size_t at = 0;

	if (!elf_section_find(v, ".note.stapsdt", &notes) || !notes.bytes.n)
		return;
	elf_section_find(v, ".stapsdt.base", &base);
	while (elf_note_next(notes.bytes, &at, &note))
		if (note.type == NT_STAPSDT_ && str_eq(note.name, STR("stapsdt")) &&
		    parse_usdt(v, note.desc, base.address, &u))
			fn(ctx, &u);
}
