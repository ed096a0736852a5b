/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CO-RE: numbers in a program that depend on the kernel's types.
 *
 * object-core.c finds the types and puts the numbers into instructions, object-core-path.c
 * follows a field from struct to struct, object-core-match.c compares types, and
 * object-core-value.c works a number out; object-core-say.c says what is missing.
 */
#pragma once

#include "base/arena.h"
#include "isa/btf.h"

#include <linux/bpf.h>

enum { CORE_PATH_MAX = 64 };

/* One step to a field: a named member, or an element (name NULL). */
struct core_step {
	uint32_t type; /* of what the step leads out of (member) or to (element) */
	uint32_t index;
	const char *name;
};

/* The way from a type to a field, on one side: in the object's types, or in the kernel's. */
struct core_path {
	const struct btf_view *view;
	uint32_t root;	  /* as it is named: may be a typedef */
	unsigned int n;	  /* steps; the first is into the root as an array: p[0] */
	unsigned int raw; /* with those through anonymous members */
	uint64_t bits;	  /* from the root's begin */
	struct core_step steps[CORE_PATH_MAX];
};

/* What becomes of an instruction. */
struct core_value {
	uint64_t before, after;		  /* what stands there, what has to */
	bool is_poison;			  /* there is no such field: may not be reached */
	bool is_checked;		  /* `before` must stand there */
	bool is_misfit;			  /* a load or store of another size would be wrong */
	uint64_t size_before, size_after; /* of the field, 0: does not matter */
	uint32_t type_before, type_after;
};

/* Characters of a name without "___flavour". */
size_t core_name_length(const char *name);
bool core_names_equal(const char *a, const char *b);

static inline bool core_is_field(uint32_t kind)
{
	return kind <= BPF_CORE_FIELD_RSHIFT_U64;
}
static inline bool core_is_enumerator(uint32_t kind)
{
	return kind == BPF_CORE_ENUMVAL_EXISTS || kind == BPF_CORE_ENUMVAL_VALUE;
}
static inline bool core_is_enum(const struct btf_type *t)
{
	return btf_type_kind(t) == BTF_KIND_ENUM || btf_type_kind(t) == BTF_KIND_ENUM64;
}
static inline bool core_is_composite(const struct btf_type *t)
{
	return btf_type_kind(t) == BTF_KIND_STRUCT || btf_type_kind(t) == BTF_KIND_UNION;
}
/* The same kind; enums of both widths count as one. */
static inline bool core_kinds_equal(const struct btf_type *a, const struct btf_type *b)
{
	return btf_type_kind(a) == btf_type_kind(b) || (core_is_enum(a) && core_is_enum(b));
}
/* How many elements beyond its end an array may have: it ends a struct, and has no length. */
bool core_is_flexible(const struct btf_view *v, const struct core_step *from,
		      const struct btf_type *array);

/* --- object-core-match.c */

/* May a field of one type be read as one of the other?  Sizes and signs may differ. */
bool core_fields_compatible(const struct btf_view *a, uint32_t a_id, const struct btf_view *b,
			    uint32_t b_id);
/* Are they the same sort of type (TYPE_EXISTS), or alike in all they hold (TYPE_MATCHES)?  */
bool core_types_compatible(const struct btf_view *a, uint32_t a_id, const struct btf_view *b,
			   uint32_t b_id);
bool core_types_match(const struct btf_view *a, uint32_t a_id, const struct btf_view *b,
		      uint32_t b_id);

/* --- object-core-path.c */

/* The way that a record describes: "0:1:2".  False: it leads nowhere. */
bool core_path_read(const struct btf_view *v, const struct bpf_core_relo *r, struct core_path *ret);
/*
 * The same way from a type of the kernel.  1: here it is, 0: it has none, −E…: it is too
 * deep, or the kernel's types are damaged.
 */
int core_path_find(const struct core_path *local, uint32_t kind, const struct btf_view *kernel,
		   uint32_t root, struct core_path *ret);

/* --- object-core-value.c */

/* NULL `there`: the kernel has no such type or field.  0, -EINVAL, -E2BIG. */
int core_value_of(uint32_t kind, const struct core_path *here, const struct core_path *there,
		  struct core_value *ret);

/* --- object-core-say.c */

/* Why an instruction was poisoned, in words. */
char *core_describe(struct arena *a, uint32_t kind, const struct core_path *here, bool has_type,
		    bool is_misfit);
