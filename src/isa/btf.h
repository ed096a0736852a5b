/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BTF: the kernel's description of its own types, as raw bytes.
 *
 * A view finds the types of a blob (/sys/kernel/btf/vmlinux, 3 to 6 MB, 130,000 types)
 * without copying them.  Types have different sizes and no table says where each is, so
 * somebody must walk; a view walks only as far as the ids that are asked for, which for
 * structs and typedefs is not far: functions come last.  From a view a small blob can be
 * made that holds only the types somebody asks for: libbpf searches the whole list for
 * every struct that a program reads, and 50 searches through 50 types are free.
 *
 * Format: Documentation/bpf/btf.rst in the kernel's tree.  Bytes are checked as they
 * are walked over; what a view returns may be followed.  A view is for one thread: it
 * remembers what it has found, even where it is const.
 */
#pragma once

#include "base/str.h"

#include <linux/btf.h>

struct btf_index; /* where types are, and names → ids: what was found out so far */

struct btf_view {
	const char *types; /* borrowed: the first type */
	size_t types_n;
	const char *strings; /* borrowed, NUL at the end */
	size_t strings_n;
	const struct btf_view *base; /* of a split (a module's): borrowed; NULL: none */
	unsigned int first;	     /* ids below are the base's; 0 without one */
	struct btf_index *index;     /* owned */
};

/*
 * Index the blob, which must outlive the view and be 4-aligned.  -EBADMSG: it is none.
 * Types behind one of a kind that is not known are left out.
 */
int btf_view_init(struct btf_view *v, const void *blob, size_t n);
/* The same for a module's blob, whose ids and strings continue those of `base`. */
int btf_view_init_split(struct btf_view *v, const struct btf_view *base, const void *blob,
			size_t n);
void btf_view_done(struct btf_view *v);

/* Ids below this exist; the whole list is walked for it (0.7 ms for a kernel's). */
unsigned int btf_view_n(const struct btf_view *v);
/* NULL for void and for ids that there are not. */
const struct btf_type *btf_view_type(const struct btf_view *v, unsigned int id);
const char *btf_view_name(const struct btf_view *v, const struct btf_type *t);
static inline unsigned int btf_type_kind(const struct btf_type *t)
{
	return BTF_INFO_KIND(t->info);
}

/* A name by its offset in the strings; "" for what is outside. */
const char *btf_view_string(const struct btf_view *v, uint32_t off);

/* --- by name: a search, 10 µs to 1 ms in a kernel's; who asks often gets an index */

#define BTF_ONE(kind) (1u << BTF_KIND_##kind)
#define BTF_TYPES                                                                         \
	(BTF_ONE(INT) | BTF_ONE(STRUCT) | BTF_ONE(UNION) | BTF_ONE(ENUM) | BTF_ONE(FWD) | \
	 BTF_ONE(TYPEDEF) | BTF_ONE(FLOAT) | BTF_ONE(ENUM64))

/*
 * The id of the first type of this name whose kind is in the mask (BTF_ONE(STRUCT) | …);
 * 0: there is none.  A split finds its own first, then its base's.
 */
uint32_t btf_find(const struct btf_view *v, uint32_t kinds, const char *name);
/*
 * The id of a function that programs may call, in 20 µs; 0: there is none, or the blob does not say
 * which those are, or has them in no order: btf_find() knows.
 */
uint32_t btf_kfunc(const struct btf_view *v, const char *name);
/* Several may bear one name (static functions): the next behind `id`; 0: no more. */
uint32_t btf_find_next(const struct btf_view *v, uint32_t kinds, const char *name, uint32_t id);

/* --- following types; ids that lead nowhere give 0, NULL or false */

/* Behind typedefs, qualifiers and tags: what it really is.  NULL: void. */
const struct btf_type *btf_resolve(const struct btf_view *v, uint32_t id, uint32_t *ret_id);
/* Bytes of a value; 0: it has no size (void, function, forward). */
uint64_t btf_size(const struct btf_view *v, uint32_t id);
/* The prototype of a FUNC, of a pointer to a function, or of a typedef of one (as
 * btf_trace_NAME is): FUNC_PROTO's id, 0: none. */
uint32_t btf_proto(const struct btf_view *v, uint32_t id);

static inline const struct btf_member *btf_type_members(const struct btf_type *t)
{
	return (const struct btf_member *)(t + 1);
}
static inline const struct btf_param *btf_type_params(const struct btf_type *t)
{
	return (const struct btf_param *)(t + 1);
}
static inline const struct btf_array *btf_type_array(const struct btf_type *t)
{
	return (const struct btf_array *)(t + 1);
}
static inline unsigned int btf_type_vlen(const struct btf_type *t)
{
	return BTF_INFO_VLEN(t->info);
}
/* Encoding of an INT: BTF_INT_SIGNED | BTF_INT_CHAR | BTF_INT_BOOL. */
static inline unsigned int btf_type_encoding(const struct btf_type *t)
{
	return BTF_INT_ENCODING(*(const uint32_t *)(t + 1));
}

/* Where a member is: offset from the struct's start in bits; `bits` 0: no bitfield. */
struct btf_place {
	uint32_t type;
	uint32_t bit_offset;
	uint32_t bits;
};
/* Member `i` of a struct or union. */
struct btf_place btf_member_place(const struct btf_type *t, unsigned int i);
/* By name, through anonymous structs and unions too.  `id` may be a typedef of one. */
bool btf_member_find(const struct btf_view *v, uint32_t id, const char *name,
		     struct btf_place *ret);
/* Value `i` of an ENUM or ENUM64 (as its sign says), and its name. */
int64_t btf_enumerator(const struct btf_view *v, const struct btf_type *t, unsigned int i,
		       const char **ret_name);
/* An enumerator of any enum of the view, by name (a scan: 0.2 ms).  False: none. */
bool btf_enumerator_find(const struct btf_view *v, const char *name, int64_t *ret,
			 uint32_t *ret_id);

/*
 * Append a blob with the structs, unions, enums and typedefs of these names (NULL at
 * the end), and what they hold by value.  Members keep their names, offsets and
 * sizes.  Pointers point to void, and named structs inside that nobody asked for have
 * their size but no members: enough to find where a member is.
 */
void btf_reduce(const struct btf_view *v, const char *const *names, struct buf *ret);
