/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An object that is being read: what the files object*.c share.
 *
 *	object.c		the order of work; sections, symbols, license
 *	object-btf.c		types: .BTF is copied and completed; records of .BTF.ext
 *	object-func.c		functions: where they are, which are programs
 *	object-sections.c	what a section's name says of a program (sections.def)
 *	object-maps.c		maps: .maps
 *	object-legacy.c		maps before there were types: "maps"
 *	object-data.c		global data: .data, .rodata, .bss, arenas
 *	object-extern.c		.kconfig and .ksyms: what the kernel must add
 *	object-lines.c		which instruction is which line
 *	object-core*.c		CO-RE: offsets of fields in the kernel that is meant (object-core.h)
 *	object-link.c		a program put together from its functions; relocations
 *
 * All of it is foreign.  Numbers are checked where they are used; what is read twice is copied,
 * so that sections which lie about where they are cannot make more memory than the file has.
 */
#pragma once

#include "base/map.h"
#include "isa/elf.h"
#include "runtime/vm/object.h"

#include <elf.h>

/* Relocations as LLVM writes them (Documentation/bpf/llvm_reloc.rst). */
enum object_reloc_type {
	OBJECT_R_64_64 = 1,	  /* ldimm64 */
	OBJECT_R_64_ABS64 = 2,	  /* 8 bytes of data */
	OBJECT_R_64_ABS32 = 3,	  /* 4 bytes of data */
	OBJECT_R_64_NODYLD32 = 4, /* the same, in .BTF and .BTF.ext */
	OBJECT_R_64_32 = 10,	  /* call; older: 4 bytes of .BTF */
};

#define OBJECT_NONE UINT32_MAX
/* Newer than the headers of the oldest system that builds this. */
#define OBJECT_MAP_ARENA 33
/* Longer names are none; the kernel's limit (KSYM_NAME_LEN). */
enum { OBJECT_NAME_MAX = 512 };

struct object_reloc {
	uint32_t insn;	 /* of the section */
	uint32_t symbol; /* index; there is such one */
};

/* Records of .BTF.ext for one section. */
struct object_records {
	const char *p; /* NULL: none */
	uint32_t n, step;
};

struct object_section {
	struct elf_section elf;
	/* with code: a copy, into which CO-RE writes; NULL: has none */
	struct bpf_insn *insns;
	uint32_t n_insns;
	ARRAY(struct object_reloc) relocs; /* of code; by insn */
	struct object_records funcs, lines, core;
	struct question_line *line_table; /* by insn of the section */
	uint32_t n_lines;
	ARRAY(struct vm_missing) missing; /* by insn */
	uint32_t map;			  /* with data: its map; OBJECT_NONE */
	bool has_maps;			  /* defines them */
	bool is_ops;			  /* struct_ops: not used */
};

/* A function somewhere in a section. */
struct object_func {
	const char *name;
	uint32_t section, insn, n; /* of the section's instructions */
	uint32_t btf;		   /* FUNC; 0: unknown */
	bool is_global, is_hidden, is_entry;
	bool is_broken; /* was complained of */
	uint32_t at;	/* where it is in the program that is put together; OBJECT_NONE */
};

enum object_extern_kind { EXTERN_NONE, EXTERN_KCONFIG, EXTERN_VAR, EXTERN_FUNC };

struct object_extern {
	enum object_extern_kind kind;
	uint32_t offset;	 /* KCONFIG: in the map */
	bool is_missing;	 /* weak, and the kernel has none */
	uint32_t btf, var, func; /* FUNC and VAR: index in object.vars, .kfuncs; OBJECT_NONE */
};

/* A map, where its symbol points to. */
struct object_map {
	uint32_t section;	/* OBJECT_NONE: of no symbol */
	uint64_t offset, size;	/* of its definition */
	uint64_t values_at;	/* has_values: where in the section its slots are */
	uint32_t inner, own_id; /* legacy: as object-legacy.c says */
	bool has_values, is_legacy;
};

struct loader {
	const struct object_options *options;
	struct vm_object *object;
	struct diags *diags;
	struct arena *arena;  /* the object's */
	struct arena scratch; /* until the object is read */
	struct elf_view elf;
	struct object_section *sections; /* elf.n_sections */
	struct map names;		 /* hash of a section's name → the first one with it */
	struct elf_symbol *symbols;
	uint32_t n_symbols;
	struct object_extern *externs;	 /* by symbol */
	ARRAY(struct object_func) funcs; /* by section, insn */
	ARRAY(struct object_map) maps;	 /* beside object.maps */
	char *btf;			 /* a copy: types, that get completed */
	size_t btf_n;
	char *ext;
	size_t ext_n;
	uint32_t kconfig; /* map; OBJECT_NONE */
	uint32_t arena_map, arena_section;
	size_t left;	    /* bytes of sections that may still be copied */
	size_t relocs_left; /* relocations that the file has room for */
	size_t insns_left;  /* that programs may still have */
	bool has_handlers;  /* some program has one for exceptions */
	bool has_failed;
};

/* Say what is wrong; the object counts as damaged, and reading goes on. */
void object_fail(struct loader *l, struct span span, const char *format, ...) _printf_(3, 4);
#define OBJECT_NOWHERE ((struct span){.file = UINT32_MAX})
/* A copy of a section's bytes, 16-aligned; NULL: it has none, or all sections say too much. */
void *object_copy(struct loader *l, const struct object_section *s);
/* A name that outlives the file's bytes. */
const char *object_name(struct loader *l, const char *name);
/* By index; NULL: there is no such one. */
struct object_section *object_section(struct loader *l, uint32_t i);
struct object_section *object_section_named(struct loader *l, const char *name);

/* --- object-btf.c */
void object_read_btf(struct loader *l);
/* Put sizes and offsets into DATASECs, as the kernel wants them. */
void object_complete_btf(struct loader *l);
/* The DATASEC of this name, or 0; its variable at this offset. */
uint32_t object_datasec(const struct loader *l, const char *name);
static inline const struct btf_var_secinfo *object_secinfos(const struct btf_type *t)
{
	return (const struct btf_var_secinfo *)(t + 1);
}

/* --- object-func.c */
void object_read_funcs(struct loader *l);
/* The function that begins there, or that has the instruction; NULL. */
struct object_func *object_func_at(struct loader *l, uint32_t section, uint64_t insn);
struct object_func *object_func_around(struct loader *l, uint32_t section, uint32_t insn);

/* --- object-sections.c: fills type, attach type, target, flags of `p` by its section */
void object_section_type(struct loader *l, const struct object_func *f, struct vm_prog *p);

/* --- object-maps.c, object-legacy.c, object-data.c */
void object_read_maps(struct loader *l);
void object_read_legacy_maps(struct loader *l, uint32_t section);
void object_read_data(struct loader *l);
/* Its index, or OBJECT_NONE: too many. */
uint32_t object_add_map(struct loader *l, const struct vm_map_def *d, const struct object_map *at);
/* What programs manage inside their values. */
void object_find_fields(struct loader *l);
/* What stands in slots of maps; programs must be there. */
void object_read_values(struct loader *l);
/* OBJECT_NONE: no map is there. */
uint32_t object_map_at(const struct loader *l, uint32_t section, uint64_t offset);
/* Sizes as libbpf adjusts them: ring buffers, perf event arrays. */
void object_adjust_map(struct vm_map_def *d);

/* --- object-extern.c */
void object_read_externs(struct loader *l);

/* --- object-lines.c */
void object_read_lines(struct loader *l);
struct span object_span(const struct object_section *s, uint32_t insn);

/* --- object-core.c */
void object_apply_core(struct loader *l);

/* --- object-link.c */
void object_link(struct loader *l);
