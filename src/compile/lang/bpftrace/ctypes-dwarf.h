/* SPDX-License-Identifier: Apache-2.0 */
/* A program's debug information as a file with an index of names (ctypes-dwarf-file.c). */
#pragma once

#ifdef HAVE_LIBDW

#include "compile/lang/bpftrace/ctypes-internal.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

/* A name of the top level, or of a namespace in it. */
struct dwarf_name {
	struct dwarf_name *next; /* of the same hash */
	const char *name;
	Dwarf_Die die; /* maybe of a file that was split off */
	int tag;       /* DW_TAG_* */
};

struct dwarf_file {
	const char *path, *folders; /* where its debug file may be */
	Dwarf *dw;		    /* NULL: there is nothing, or it was not read yet */
	int fd;
	struct dwarf_package {
		Dwarf *dw; /* x.dwp beside x, for units that were split off; NULL */
		Elf *elf;
		void *bytes; /* a copy of ours, mapped */
		size_t n;
	} package;
	bool is_read;
	struct arena arena;
	struct map names, types;   /* by hash of the name; by address of the entry */
	size_t n_names, n_entries; /* entries: how many may still be looked at */
	unsigned char id[64];	   /* build id of the program; id_n 0: it has none */
	size_t id_n;
};

/* The file's entry of the table; nothing is opened yet. */
struct dwarf_file *dwarf_file_of(struct type_table *t, const char *binary);
/*
 * The entry behind this one and what is in it; false: it was the last.  Unlike libdw's, it
 * never goes back, which a damaged file may ask for.
 */
bool dwarf_next(Dwarf_Die *die);
/* Opened and indexed; false: it has no debug information. */
bool dwarf_file_ready(struct dwarf_file *f);
/* An entry of one of two tags, under that name; false: there is none. */
bool dwarf_file_find(struct dwarf_file *f, const char *name, int tag, int other, Dwarf_Die *ret);

/*
 * The package of a program's split units, ctypes-dwarf-package.c: *ret_unit is the entry of
 * the one that it has.  False: there is none, or it has several.
 */
bool dwarf_package_open(struct dwarf_package *p, const char *binary, Dwarf_Die *ret_unit);
void dwarf_package_close(struct dwarf_package *p);

#endif
