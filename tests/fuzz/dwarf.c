/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a program with debug information: every name is asked for, as a type, as a
 * function with arguments, and as a line; members are inside of what has them.
 *
 * The bytes are read by libdw, which has no sanitizer in it: what it reads beyond a file's
 * end shows only where a page ends.  Built without it, there is nothing to ask.
 */
#include "catalog/question.h"
#include "compile/lang/bpftrace/ctypes-dwarf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#ifdef HAVE_LIBDW

enum { NAMES = 64, DEPTH = 4, MEMBERS = 16 };

static void look(struct type_table *t, const struct type *type, unsigned int depth)
{

	type = type_complete(t, type);
	if (type->kind == TYPE_POINTER || type->kind == TYPE_ARRAY) {
		if (type->of && depth < DEPTH)
			look(t, type->of, depth + 1);
		return;
	}
	if (type->kind == TYPE_INT)
		assert(type->size && type->size <= 8 && !(type->size & (type->size - 1)));
	if (type->kind != TYPE_STRUCT || depth > DEPTH)
		return;
	for (uint32_t i = 0; i < type->n_members && i < MEMBERS; i++) {
		const struct type_member *m = &type->members[i];

		assert(m->type && m->offset <= type->size);
		assert(type->is_internal || m->bits || m->type->size <= type->size - m->offset);
		look(t, m->type, depth + 1);
	}
}

static void ask(struct type_table *t, const char *path, const char *name)
{
	const struct type *type, *result = NULL;
	struct buf text = {0};
	const char *why;

	for (int tag = TAG_NONE; tag <= TAG_ENUM; tag++) {
		type = ctypes_dwarf_find(t, tag, name);
		if (type)
			look(t, type, 0);
	}
	type = ctypes_dwarf_args(t, path, name, &result, &why);
	if (type)
		look(t, type, 0);
	if (type && result)
		look(t, result, 0);
	ctypes_dwarf_signature(t, path, name, &text);
	buf_done(&text);
}

static void read_file(const char *path)
{
	const struct dwarf_name *entry;
	struct dwarf_file *f;
	struct type_table *t;
	struct question q;
	uint64_t address;
	const char *why;
	int left = NAMES;

	question_init(&q);
	t = type_table_new(&q.arena, &q.diags, NULL);
	type_table_add_dwarf(t, path);
	f = dwarf_file_of(t, path);
	if (dwarf_file_ready(f)) {
		map_each(&f->names, i, entry) {
			for (; entry && left > 0; entry = entry->next, left--)
				ask(t, path, entry->name);
		}
		ctypes_dwarf_line(t, path, "seed.c", 9, 0, &address, &why);
	}
	type_table_free(t);
	question_done(&q);
}

#else

static void read_file(const char *path)
{
	(void)path;
}

#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	ssize_t r = write(fd, data, n);
	char path[32];

	assert(r == (ssize_t)n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_file(path);
	close(fd);
	return 0;
}
