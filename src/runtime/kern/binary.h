/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs and libraries on disk: symbols, static probes, where they are found by name.
 *
 * Symbols come from .symtab, else from the file that .gnu_debugdata holds (xz), else from
 * the debug file of the same build id under /usr/lib/debug; .dynsym always counts too.
 */
#pragma once

#include "base/arena.h"
#include "isa/elf.h"

struct binary {
	struct elf_view elf;
	void *bytes; /* mapped, owned */
	size_t n;
	struct elf_view debug; /* of the symbols that are elsewhere; p NULL: none */
	void *debug_bytes;     /* owned */
	size_t debug_n;
	bool is_debug_mapped;
};

/* -ENOENT, -EACCES …; -ENOEXEC: it is no ELF file. */
int binary_open(struct binary *b, const char *path);
void binary_close(struct binary *b);

typedef void (*binary_symbol_fn)(void *ctx, const struct elf_symbol *s);
/* Each defined function (STT_FUNC, IFUNC), or each object, of the tables. */
void binary_symbols(struct binary *b, bool functions, binary_symbol_fn fn, void *ctx);

/* "foo(int)" of "_Z3fooi"; NULL: it is no name of C++.  Caller frees. */
char *binary_demangle(const char *name);

struct binary_usdt {
	const char *provider, *name, *args; /* borrowed from the binary */
	uint64_t offset;		    /* in the file */
	uint64_t semaphore;		    /* file offset; 0: none */
};
typedef void (*binary_usdt_fn)(void *ctx, const struct binary_usdt *u);
/* Notes of .note.stapsdt; damaged ones are left out. */
void binary_usdts(const struct elf_view *v, binary_usdt_fn fn, void *ctx);

/*
 * The path of a library in ld.so.cache's bytes: "libc.so.6" exactly, or "libc" for
 * libc.so, libc.so.6 ….  Borrows from the bytes; NULL: it is not in there.
 */
const char *library_find(struct str cache, const char *name);

/*
 * "libc", "bash", "./a.out" → a path, by the root folder of process `pid` (0: ours); in
 * the arena.  NULL: there is no such file.
 */
const char *binary_find(struct arena *a, const char *named, int pid);
