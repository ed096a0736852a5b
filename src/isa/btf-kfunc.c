/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The id of a function that programs may call, without going through all types before it.
 *
 * A kernel's functions are among the last of its types, so that to count up to one takes 0.5 ms.
 * But pahole writes them in the order of their names, and since 1.26 a declaration tag behind each
 * that programs may call ("bpf_kfunc", Linux 6.9), which says the function's id.  So the
 * function is found as in a dictionary, by parting what is left, and its tag has the answer.
 * Where records begin nobody knows in the middle of a blob; a function looks like nothing else:
 * a word that says so behind the place of a name.  What is found must have its tag, and the tag
 * an id; where names are in another order nothing is found, and the caller searches.
 */
#include "isa/btf-index.h"

#include <string.h>

static bool is_name(const struct btf_view *v, uint32_t off)
{
	return off && off < v->strings_n && !v->strings[off - 1];
}

/* At this place, is it a function? */
static bool is_func(const struct btf_view *v, size_t at)
{
	const struct btf_type *t = (const void *)(v->types + at);

	return btf_type_kind(t) == BTF_KIND_FUNC && btf_type_vlen(t) <= BTF_FUNC_EXTERN &&
	       !BTF_INFO_KFLAG(t->info) && is_name(v, t->name_off);
}

/* The first function from there on; `end` if there is none before it. */
static size_t next_func(const struct btf_view *v, size_t at, size_t end)
{
	while (at < end && !is_func(v, at))
		at += 4;
	return at;
}

static const struct btf_type *record_at(const struct btf_view *v, size_t at, size_t n)
{
	return n <= v->types_n && at <= v->types_n - n ? (const void *)(v->types + at) : NULL;
}

/* What the tag behind the function says. */
static uint32_t tagged_id(const struct btf_view *v, size_t func)
{
	size_t at = func + sizeof(struct btf_type);
	const struct btf_type *t =
		record_at(v, at, sizeof(struct btf_type) + sizeof(struct btf_decl_tag));

	if (!t || btf_type_kind(t) != BTF_KIND_DECL_TAG || !is_name(v, t->name_off) ||
	    strcmp(v->strings + t->name_off, "bpf_kfunc") != 0 ||
	    ((const struct btf_decl_tag *)(t + 1))->component_idx != -1)
		return 0;
	return t->type;
}

uint32_t btf_index_kfunc(const struct btf_view *v, const char *name)
{
	size_t low = 0, high = 0;

	if (v->base || v->types_n < sizeof(struct btf_type))
		return 0;
	/* from `low` on the first function may be it; from `high` on they come behind it */
	high = (v->types_n - sizeof(struct btf_type)) / 4 * 4 + 4;
	while (low < high) {
		size_t middle = low + (high - low) / 8 / 4 * 4 * 5; /* few are in front */
		size_t at = next_func(v, middle, high);
		int order = 1;

		if (at < high) {
			const struct btf_type *t = (const void *)(v->types + at);

			order = strcmp(v->strings + t->name_off, name);
		}
		if (!order)
			return tagged_id(v, at);
		if (order > 0)
			high = middle;
		else
			low = at + sizeof(struct btf_type);
	}
	return 0;
}
