/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A relocation in words: what the kernel lacks, for the verifier's refusal of code that
 * needs it.
 */
#include "runtime/vm/object-core.h"

static const char *word(const struct btf_type *t)
{
	switch (btf_type_kind(t)) {
	case BTF_KIND_STRUCT:
		return "struct ";
	case BTF_KIND_UNION:
		return "union ";
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return "enum ";
	default:
		return "";
	}
}

/* "parts[2].y" */
static void put_path(const struct core_path *p, struct buf *to)
{
	for (unsigned int i = 1; i < p->n; i++)
		if (p->steps[i].name)
			buf_printf(to, "%s%.64s", i > 1 ? "." : "", p->steps[i].name);
		else
			buf_printf(to, "[%u]", p->steps[i].index);
}

char *core_describe(struct arena *a, uint32_t kind, const struct core_path *here, bool has_type,
		    bool is_misfit)
{
	const struct btf_type *t = btf_view_type(here->view, here->root);
	const char *name = btf_view_name(here->view, t);
	int n = (int)core_name_length(name);
	_cleanup_buf_ struct buf text = {0};

	if (!has_type) {
		buf_printf(&text, "the kernel's types have no %s%.*s", word(t), n, name);
	} else if (core_is_enumerator(kind)) {
		buf_printf(&text, "the kernel's %s%.*s has no %.64s", word(t), n, name,
			   here->steps[0].name);
	} else if (is_misfit) {
		buf_printf(&text, "the kernel's %s%.*s has another size of ", word(t), n, name);
		put_path(here, &text);
		buf_puts(&text, ", and this access cannot follow it");
	} else {
		buf_printf(&text, "the kernel's %s%.*s has no ", word(t), n, name);
		put_path(here, &text);
		buf_puts(&text, here->n > 1 ? ", or of another type" : "element like this");
	}
	return arena_strndup(a, text.p, text.n);
}
