/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BTF: the kernel's description of its own types, as raw bytes.
 *
 * A view indexes the types of a blob (/sys/kernel/btf/vmlinux, 3 to 6 MB, 100,000
 * types) without copying them.  From a view a small blob can be made that holds only
 * the types somebody asks for: libbpf searches the whole list for every struct that a
 * program reads, and 50 searches through 50 types are free.
 *
 * Format: Documentation/bpf/btf.rst in the kernel's tree.  Bytes are checked as they
 * are indexed; what a view returns may be followed.
 */
#pragma once

#include "base/str.h"

#include <linux/btf.h>

struct btf_view {
	const struct btf_type **by_id; /* owned; id 0 is void: NULL */
	unsigned int n;		       /* ids below this exist */
	const char *strings;	       /* borrowed, NUL at the end */
	size_t strings_n;
};

/*
 * Index the blob, which must outlive the view and be 4-aligned.  -EBADMSG: it is none.
 * Types behind one of a kind that is not known are left out.
 */
int btf_view_init(struct btf_view *v, const void *blob, size_t n);
void btf_view_done(struct btf_view *v);

/* NULL for void and for ids that there are not. */
const struct btf_type *btf_view_type(const struct btf_view *v, unsigned int id);
const char *btf_view_name(const struct btf_view *v, const struct btf_type *t);
static inline unsigned int btf_type_kind(const struct btf_type *t)
{
	return BTF_INFO_KIND(t->info);
}

/*
 * Append a blob with the structs, unions, enums and typedefs of these names (NULL at
 * the end), and what they hold by value.  Members keep their names, offsets and
 * sizes.  Pointers point to void, and named structs inside that nobody asked for have
 * their size but no members: enough to find where a member is.
 */
void btf_reduce(const struct btf_view *v, const char *const *names, struct buf *ret);
