/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types as arguments of macros.
 *
 * "macro size(t) { sizeof(t) }" is called as size(typeof(struct x)): where the name of the
 * parameter stands for a type, or for a part of one (t*, struct t), the argument is put.
 */
#include "compile/lang/bpftrace/macros.h"

/* A type, or an expression that names one, as bpftrace writes it. */
static const char *ref_text(struct arena *a, const struct type_ref *ref)
{
	static const char *const tags[] = {"", "struct ", "union ", "enum "};
	struct buf b = {};
	const char *text;

	buf_printf(&b, "%s%s", tags[ref->tag], ref->name);
	for (size_t i = 0; i < ref->suffixes.n; i++) {
		if (ref->suffixes.p[i].kind == SUFFIX_POINTER)
			buf_putc(&b, '*');
		else
			buf_printf(&b, "[%lld]", (long long)MAX(ref->suffixes.p[i].n, 0));
	}
	text = arena_strdup(a, b.p);
	buf_done(&b);
	return text;
}

/* What a typeof() is about: the innermost type, or an expression. */
static const struct type_ref *innermost(const struct type_ref *ref)
{
	while (ref->of_type)
		ref = ref->of_type;
	return ref;
}

/* The bare word that an argument is, as such or in typeof(); NULL. */
static const char *bare_word(const struct expr *arg)
{
	const struct type_ref *ref;

	if (arg->kind == EXPR_IDENT)
		return arg->name;
	if (arg->kind != EXPR_TYPE)
		return NULL;
	ref = innermost(arg->ref);
	if (ref->of)
		return ref->of->kind == EXPR_IDENT ? ref->of->name : NULL;
	return ref->tag == TAG_NONE && !ref->suffixes.n ? ref->name : NULL;
}

/* The argument in the place of the name, the suffixes behind it; false: not possible. */
static bool put_type(struct frame *f, struct type_ref *ref, const struct expr *arg)
{
	const char *word = bare_word(arg);
	const struct type_ref *in;
	struct type_ref old = *ref;

	if (word) {
		ref->name = word;
		return true;
	}
	if (ref->tag != TAG_NONE || arg->kind != EXPR_TYPE)
		return false;
	in = innermost(arg->ref);
	if (in->of) {
		if (ref->suffixes.n)
			return false;
		if (!expand_has_room(f->x, ref->span))
			return true;
		ref->name = NULL;
		ref->of = expr_clone(f->x->arena, in->of);
		return true;
	}
	ref->tag = in->tag;
	ref->name = in->name;
	ref->suffixes.n = ref->suffixes.room = 0;
	for (size_t i = 0; i < in->suffixes.n; i++)
		array_push(f->x->arena, &ref->suffixes, in->suffixes.p[i]);
	for (size_t i = 0; i < old.suffixes.n; i++)
		array_push(f->x->arena, &ref->suffixes, old.suffixes.p[i]);
	if (ref->suffixes.n > HEIGHT_MAX)
		ref->suffixes.n = HEIGHT_MAX;
	return true;
}

static void macro_name(struct frame *f, struct type_ref *ref)
{
	const struct expr *arg = frame_value(f, ref->name);

	if (!arg)
		return;
	if (!put_type(f, ref, arg))
		diag(f->x->d, D_MACRO, arg->span,
		     "Invalid replacement for macro '%s' type parameter '%s' which makes up the "
		     "type '%s'",
		     f->macro->name, ref->name, ref_text(f->x->arena, ref));
}

/* A bare word in typeof() or sizeof() is a type, never a call of a macro. */
static const struct expr *type_argument(const struct frame *f, const struct expr *e, bool *ret_word)
{
	const struct expr *arg = NULL;

	*ret_word = e->kind == EXPR_IDENT;
	if (*ret_word)
		arg = frame_value(f, e->name);
	if (arg)
		*ret_word = arg->kind == EXPR_TYPE;
	return arg && arg->kind == EXPR_TYPE ? arg : NULL;
}

void macro_ref(struct frame *f, struct type_ref *ref)
{
	const struct expr *arg;
	bool word;

	if (!ref)
		return;
	if (ref->of) {
		arg = type_argument(f, ref->of, &word);
		if (arg && expand_has_room(f->x, ref->span)) {
			struct expr *copy = expr_clone(f->x->arena, arg);

			ref->of = copy->ref->of;
			ref->of_type = copy->ref->of_type;
		} else if (!arg && !word) {
			macro_expr(f, &ref->of);
		}
		return;
	}
	if (ref->name)
		macro_name(f, ref);
	macro_ref(f, ref->of_type);
}

void macro_type_or_expr(struct frame *f, struct type_ref **ref, struct expr **e)
{
	const struct expr *arg;
	bool word;

	macro_ref(f, *ref);
	if (!*e)
		return;
	arg = type_argument(f, *e, &word);
	if (arg && expand_has_room(f->x, arg->span)) {
		struct expr *copy = expr_clone(f->x->arena, arg);

		*ref = copy->ref;
		*e = NULL;
	} else if (!arg && !word) {
		macro_expr(f, e);
	}
}

void macro_offsetof_path(struct frame *f, struct expr *e)
{
	const struct expr *arg = e->names.n == 1 ? frame_value(f, e->names.p[0]) : NULL, *at;
	size_t n = 1;

	if (!arg || (arg->kind != EXPR_IDENT && arg->kind != EXPR_FIELD))
		return;
	for (at = arg; at->kind == EXPR_FIELD; at = at->a)
		n++;
	if (at->kind != EXPR_IDENT) {
		diag(f->x->d, D_MACRO, arg->span,
		     "FieldAccess expressions must be made up entirely of idents (e.g. a.b.c) to "
		     "replace the second argument in `offsetof`");
		return;
	}
	e->names.p = arena_array(f->x->arena, const char *, n);
	e->names.n = e->names.room = n;
	for (at = arg; at->kind == EXPR_FIELD; at = at->a)
		e->names.p[--n] = at->name;
	e->names.p[0] = at->name;
}
