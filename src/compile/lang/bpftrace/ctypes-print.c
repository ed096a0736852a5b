/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's types in C's spelling, for -lv.
 *
 * A declaration is written from the inside out: what is declared in the middle, pointers
 * before it, sizes and parameters behind it, brackets where the two meet, and the base
 * type in front of all.
 */
#include "compile/lang/bpftrace/ctypes-internal.h"

enum { MAX_DEPTH = 16 };

struct printer {
	const struct btf_view *v;
	struct arena *arena;
	unsigned int indent; /* of nested definitions */
};

static const char *declare(struct printer *p, uint32_t id, const char *inner, unsigned int depth);
static void define(struct printer *p, const struct btf_type *t, struct buf *to, unsigned int depth);

static const char *tag_of(unsigned int kind)
{
	switch (kind) {
	case BTF_KIND_STRUCT:
		return "struct ";
	case BTF_KIND_UNION:
		return "union ";
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return "enum ";
	}
	return "";
}

/* "base inner"; pointers stand next to a space of their own. */
static const char *joined(struct printer *p, const char *base, const char *inner)
{
	return *inner ? arena_printf(p->arena, "%s %s", base, inner) : base;
}

static const char *parameters(struct printer *p, const struct btf_type *t, unsigned int depth)
{
	_cleanup_buf_ struct buf b = {0};

	for (unsigned int i = 0; i < btf_type_vlen(t); i++) {
		const struct btf_param *q = &btf_type_params(t)[i];

		buf_puts(&b, i ? ", " : "");
		buf_puts(&b, q->type || q->name_off ? declare(p, q->type, "", depth) : "...");
	}
	return arena_strdup(p->arena, b.n ? b.p : "void");
}

static const char *base_name(struct printer *p, const struct btf_type *t, unsigned int depth)
{
	unsigned int kind = btf_type_kind(t);
	const char *name = btf_view_name(p->v, t);
	_cleanup_buf_ struct buf b = {0};

	if (kind == BTF_KIND_FWD)
		return arena_printf(p->arena, "%s%s",
				    BTF_INFO_KFLAG(t->info) ? "union " : "struct ", name);
	if (*name || !*tag_of(kind))
		return arena_printf(p->arena, "%s%s", tag_of(kind), name);
	define(p, t, &b, depth);
	return arena_strndup(p->arena, b.p ? b.p : "", b.n);
}

/* const and its like: before a base type, behind a pointer's star. */
static const char *qualified(struct printer *p, const struct btf_type *t, const char *inner,
			     unsigned int depth)
{
	const char *word = btf_type_kind(t) == BTF_KIND_CONST	   ? "const"
			   : btf_type_kind(t) == BTF_KIND_VOLATILE ? "volatile"
								   : "restrict";
	const struct btf_type *of = btf_view_type(p->v, t->type);

	if (of && btf_type_kind(of) == BTF_KIND_PTR)
		return declare(p, t->type,
			       *inner ? arena_printf(p->arena, " %s %s", word, inner)
				      : arena_printf(p->arena, " %s", word),
			       depth);
	return arena_printf(p->arena, "%s %s", word, declare(p, t->type, inner, depth));
}

static const char *declare(struct printer *p, uint32_t id, const char *inner, unsigned int depth)
{
	const struct btf_type *t = btf_view_type(p->v, id), *of;

	if (!t)
		return joined(p, "void", inner);
	if (depth++ >= MAX_DEPTH)
		return joined(p, "...", inner);
	switch (btf_type_kind(t)) {
	case BTF_KIND_PTR:
		of = btf_view_type(p->v, t->type);
		while (of && btf_type_kind(of) == BTF_KIND_TYPE_TAG)
			of = btf_view_type(p->v, of->type);
		inner = arena_printf(p->arena, "*%s", inner);
		if (of && (btf_type_kind(of) == BTF_KIND_ARRAY ||
			   btf_type_kind(of) == BTF_KIND_FUNC_PROTO))
			inner = arena_printf(p->arena, "(%s)", inner);
		return declare(p, t->type, inner, depth);
	case BTF_KIND_ARRAY:
		inner = arena_printf(p->arena, "%s[%u]", inner, btf_type_array(t)->nelems);
		return declare(p, btf_type_array(t)->type, inner, depth);
	case BTF_KIND_FUNC_PROTO:
		inner = arena_printf(p->arena, "%s(%s)", inner, parameters(p, t, depth));
		return declare(p, t->type, inner, depth);
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
		return qualified(p, t, inner, depth);
	case BTF_KIND_TYPE_TAG:
		return declare(p, t->type, inner, depth);
	}
	return joined(p, base_name(p, t, depth), inner);
}

const char *ctypes_btf_declaration(struct arena *a, const struct btf_view *v, uint32_t id,
				   const char *name)
{
	struct printer p = {.v = v, .arena = a};

	return declare(&p, id, name, 0);
}

static void indent(struct buf *to, unsigned int n)
{
	while (n--)
		buf_putc(to, '\t');
}

static void define_enum(struct printer *p, const struct btf_type *t, struct buf *to)
{
	for (unsigned int i = 0; i < btf_type_vlen(t); i++) {
		const char *name;
		int64_t value = btf_enumerator(p->v, t, i, &name);

		indent(to, p->indent);
		buf_printf(to, "%s = %lld,\n", name, (long long)value);
	}
}

static void define_members(struct printer *p, const struct btf_type *t, struct buf *to,
			   unsigned int depth)
{
	for (unsigned int i = 0; i < btf_type_vlen(t); i++) {
		struct btf_place place = btf_member_place(t, i);
		const char *name = btf_view_string(p->v, btf_type_members(t)[i].name_off);

		indent(to, p->indent);
		buf_puts(to, declare(p, place.type, name, depth + 1));
		if (place.bits)
			buf_printf(to, ": %u", place.bits);
		buf_puts(to, ";\n");
	}
}

/* Without the semicolon. */
static void define(struct printer *p, const struct btf_type *t, struct buf *to, unsigned int depth)
{
	const char *name = btf_view_name(p->v, t);
	unsigned int kind = btf_type_kind(t);

	buf_printf(to, "%s%s%s{", tag_of(kind), name, *name ? " " : "");
	if (btf_type_vlen(t) && depth < MAX_DEPTH) {
		buf_putc(to, '\n');
		p->indent++;
		if (kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64)
			define_enum(p, t, to);
		else
			define_members(p, t, to, depth);
		p->indent--;
		indent(to, p->indent);
	}
	buf_putc(to, '}');
}

void ctypes_btf_define(struct arena *a, const struct btf_view *v, uint32_t id, struct buf *to)
{
	const struct btf_type *t = btf_view_type(v, id);
	struct printer p = {.v = v, .arena = a};

	if (!t)
		return;
	define(&p, t, to, 0);
	buf_puts(to, ";\n");
}
