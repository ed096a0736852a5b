/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the type table share.
 *
 * A struct is made when its name is first asked for, and filled when a member is: its
 * origin says from where.  Types that are structs are changed in place by their origin
 * until they are complete, and never afterwards.
 */
#pragma once

#include "base/map.h"
#include "compile/lang/bpftrace/ctypes.h"

struct dwarf_file;

/* Where the members of a struct come from. */
struct type_origin {
	struct type type; /* first: the map of origins is by its address */
	const struct btf_view *view;
	uint32_t id; /* in the view */
	struct dwarf_file *dwarf;
	void *die;	   /* a Dwarf_Die */
	bool is_local_def; /* of the script, and its body has been read */
};

struct named_type {
	int tag;
	const char *name;
	const struct type *type;
	uint32_t same; /* place of an older one of the same hash, from 1; 0: none */
};

struct c_constant {
	const char *name;
	int64_t value;
	const struct type *type;
	uint32_t same; /* as above */
};

struct c_define {
	const char *name;
	struct str text;
	bool is_busy; /* being evaluated: it names itself */
	bool has_value;
	int64_t value;
	uint32_t same; /* as above */
};

/* The tables of the script's names. */
enum name_kind { NAME_TAG, NAME_TYPEDEF, NAME_CONSTANT, NAME_DEFINE, NAME_KINDS };

struct type_table {
	struct arena *arena;
	struct diags *diags;
	struct world *world;
	const struct btf_view *btf; /* by ctypes_kernel() */
	bool is_btf_asked;
	struct map by_btf[2]; /* of vmlinux, of modules: id → type */
	ARRAY(const struct btf_view *) modules;
	struct map origins;
	ARRAY(struct named_type) tags, typedefs; /* the script's */
	ARRAY(struct c_constant) constants;
	ARRAY(struct c_define) defines;
	struct map names[NAME_KINDS]; /* place of the newest of a hash in its table, from 1 */
	ARRAY(struct dwarf_file *) dwarfs;
	struct question *facts; /* where what is looked up is noted; NULL: nobody wants it */
	const char *debuginfo;	/* folders with debug files, a colon between; NULL */
	unsigned int n_anonymous;
	unsigned int depth; /* defines that name defines */
};

/* The kernel's types, opened when somebody asks for them; NULL: it has none. */
static inline const struct btf_view *ctypes_kernel(struct type_table *t)
{
	if (!t->is_btf_asked && t->world && t->world->ops->btf)
		t->btf = t->world->ops->btf(t->world);
	t->is_btf_asked = true;
	return t->btf;
}

/* A struct or union without members yet. */
struct type_origin *type_origin_new(struct type_table *t, bool is_union, const char *name,
				    uint32_t size);
struct type_origin *type_origin_find(struct type_table *t, const struct type *type);
/* The newest of a name's hash: a place in that table, from 1; 0: there is none. */
uint32_t ctypes_place(const struct type_table *t, enum name_kind kind, const char *name);
/* The next to be added to the table is at `place`, from 0; returns its `same`. */
uint32_t ctypes_remember(struct type_table *t, enum name_kind kind, const char *name, size_t place);
/* Arrays of char are text, where they have a size. */
const struct type *type_of_chars(struct arena *a, uint32_t n);

/* --- by words of the language */
const struct type *ctypes_word(struct type_table *t, const char *name);

/* --- ctypes-c.c */

/* Plain char: as a type it is int8, but arrays of it are text. */
extern const struct type ctype_char;
/* The number an expression of C gives; false: it is none.  All of `text` must be one. */
bool ctypes_c_evaluate(struct type_table *t, struct str text, int64_t *ret);

/* --- ctypes-btf.c */

const struct type *ctypes_btf_type(struct type_table *t, const struct btf_view *v, uint32_t id);
const struct type *ctypes_btf_find(struct type_table *t, int tag, const char *name);
const char *ctypes_btf_nearest(struct type_table *t, int tag, const char *name);
void ctypes_btf_complete(struct type_table *t, struct type_origin *o);
/*
 * Parameters of a FUNC as a struct: at 8 × the slot each.  NULL: *ret_why says why not.
 * `skip` first ones are left out.
 */
const struct type *ctypes_btf_args(struct type_table *t, const struct btf_view *v, uint32_t func,
				   unsigned int skip, const char *name,
				   const struct type **ret_result, const char **ret_why);
/* A FUNC by name in the module's BTF, NULL: anywhere; its view and id.  False: none. */
bool ctypes_btf_function(struct type_table *t, const char *module, const char *function,
			 const struct btf_view **ret_view, uint32_t *ret_id);
/* The function whose parameters are a raw tracepoint's. */
bool ctypes_btf_raw_tracepoint(struct type_table *t, const char *module, const char *event,
			       const struct btf_view **ret_view, uint32_t *ret_id);

/* --- ctypes-fact.c: noted if somebody wants it */
void ctypes_note_member(struct type_table *tt, const struct type *t, const char *name);
void ctypes_note_enumerator(struct type_table *tt, const char *name);

/* --- ctypes-print.c: C's spelling */

/* "struct file *name"; with "" for the name: "struct file *". */
const char *ctypes_btf_declaration(struct arena *a, const struct btf_view *v, uint32_t id,
				   const char *name);
/* "struct x {…};", a member a line. */
void ctypes_btf_define(struct arena *a, const struct btf_view *v, uint32_t id, struct buf *to);

/* --- ctypes-dwarf.c */

const struct type *ctypes_dwarf_find(struct type_table *t, int tag, const char *name);
void ctypes_dwarf_complete(struct type_table *t, struct type_origin *o);
void ctypes_dwarf_free(struct dwarf_file *f);
/* Parameters of a function, at 8 × the place each; NULL: *ret_why says why not. */
const struct type *ctypes_dwarf_args(struct type_table *t, const char *binary, const char *function,
				     const struct type **ret_result, const char **ret_why);
/* Append "    struct Foo* foo" lines, one a parameter.  False: no debug information. */
bool ctypes_dwarf_signature(struct type_table *t, const char *binary, const char *function,
			    struct buf *to);
/* The address of a line; column 0: any.  False: *ret_why, NULL: no debug information. */
bool ctypes_dwarf_line(struct type_table *t, const char *binary, const char *source, uint64_t line,
		       uint64_t column, uint64_t *ret_address, const char **ret_why);
