/* SPDX-License-Identifier: Apache-2.0 */
/* Casts as the script has them: what may become what. */
#include "compile/lang/bpftrace/check-rules.h"

static void cannot(struct check *c, const struct expr *e, const struct type *from,
		   const struct type *to)
{
	diag(c->d, D_CAST, e->op_span, "Cannot cast from \"%s\" to \"%s\"", type_str(c, from),
	     type_str(c, to));
}

static void cast_to_array(struct check *c, const struct expr *e, const struct type *from,
			  const struct type *to)
{
	bool of_numbers = is_integer(to->of) || to->of->kind == TYPE_BOOL;

	if (!to->n && !to->of->size)
		diag(c->d, D_CAST, e->op_span, "Could not determine size of the array");
	else if (!to->n && from->size % to->of->size)
		diag(c->d, D_CAST, e->op_span,
		     "Cannot determine array size: the element size is incompatible with the cast "
		     "integer size");
	if (is_integer(from)) {
		if (of_numbers && !(to->size <= 8 && to->size > from->size) &&
		    to->size != from->size)
			cannot(c, e, from, to);
	} else if ((from->kind != TYPE_BOOL && !is_string(from)) || to->size != from->size) {
		cannot(c, e, from, to);
	}
}

static void cast_to_enum(struct check *c, const struct expr *e, const struct type *to)
{
	if (e->a->kind != EXPR_INT)
		return;
	for (uint32_t i = 0; i < to->n_enumerators; i++)
		if ((uint64_t)to->enumerators[i].value == e->a->number)
			return;
	diag(c->d, D_CAST, e->op_span, "Enum: %s doesn't contain a variant value of %llu",
	     to->name ? to->name : "", (unsigned long long)e->a->number);
}

static bool is_cast_target(const struct type *to)
{
	if (is_integer(to) || to->kind == TYPE_POINTER || to->kind == TYPE_BOOL)
		return true;
	return to->kind == TYPE_ARRAY && (to->of->kind == TYPE_BOOL || is_integer(to->of));
}

static bool is_string_cast(struct check *c, const struct expr *e, const struct type *from,
			   const struct type *to)
{
	if (!is_string(from) || !is_string(to))
		return false;
	if (string_size(to) < string_size(from))
		cannot(c, e, from, to);
	return true;
}

void check_final_cast(struct check *c, struct expr *e)
{
	const struct type *to = expr_type(c, e), *from = expr_type(c, e->a);

	if (to->kind == TYPE_NONE) {
		diag(c->d, D_CAST, e->op_span, "Incomplete cast, unknown type");
		return;
	}
	if (from->kind == TYPE_STRUCT) {
		diag(c->d, D_CAST, e->op_span, "Cannot cast from C type \"%s\"", type_str(c, from));
		return;
	}
	if (from->kind == TYPE_NONE) {
		diag(c->d, D_CAST, e->op_span, "Cannot cast from \"%s\" type", type_str(c, from));
		return;
	}
	if (type_same(to, from)) {
		diag_warn(c->d, D_CAST, e->op_span,
			  "Unnecessary cast: expression is already of type %s", type_str(c, from));
		return;
	}
	if (is_string_cast(c, e, from, to))
		return;
	if (to->kind == TYPE_USERNAME && is_integer(from))
		return;
	if (!is_cast_target(to))
		cannot(c, e, from, to);
	if (to->kind == TYPE_ARRAY)
		cast_to_array(c, e, from, to);
	if (to->kind == TYPE_ENUM)
		cast_to_enum(c, e, to);
	if (from->kind != TYPE_POINTER && !is_castable(from) && !is_integer(from)) {
		if (to->kind == TYPE_BOOL && !is_string(from))
			cannot(c, e, from, to);
		if (is_integer(to) && from->kind != TYPE_BOOL && !from->is_ctx &&
		    from->kind != TYPE_ARRAY)
			cannot(c, e, from, to);
	}
	if (from->kind == TYPE_ARRAY && (!is_integer(to) || to->size != from->size))
		cannot(c, e, from, to);
}
