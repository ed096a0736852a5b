/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of operators: arithmetic, comparisons, casts, members, elements.
 *
 * Arithmetic is done in 64 bits: int64 if one side is signed or it is a subtraction, else
 * uint64.  Comparisons and logic give bool.  Pointers move by elements and are compared
 * with pointers and integers.  What is read through a pointer comes from the pointer's
 * address space.
 */
#include "compile/lang/bpftrace/check-rules.h"

static bool is_comparison(enum expr_op op)
{
	return op >= OP_EQ && op <= OP_GE;
}

static bool is_logic(enum expr_op op)
{
	return op == OP_LAND || op == OP_LOR;
}

static bool is_number(const struct type *t)
{
	return is_integer(t) || t->kind == TYPE_BOOL || is_castable(t);
}

static const struct type *invalid_binary(struct check *c, const struct expr *e,
					 const struct type *a, const struct type *b)
{
	diag(c->d, D_OPERATOR, e->span,
	     "The %s operator can not be used on expressions of types %s, %s", op_text(e->op),
	     type_str(c, a), type_str(c, b));
	return &type_none;
}

static const struct type *binary_pointers(struct check *c, const struct expr *e,
					  const struct type *a, const struct type *b)
{
	const char *left, *right;

	if (is_logic(e->op))
		return &type_bool;
	if (!is_comparison(e->op))
		return invalid_binary(c, e, a, b);
	if (!type_same(a->of, b->of)) {
		left = type_str(c, a->of);
		right = type_str(c, b->of);
		diag_warn(c->d, D_POINTER, e->span, "comparison of distinct pointer types: %s, %s",
			  left, right);
		diag_context(c->d, e->a->span, "left (%s)", left);
		diag_context(c->d, e->b->span, "right (%s)", right);
	}
	return &type_bool;
}

static const struct type *binary_pointer(struct check *c, const struct expr *e,
					 const struct type *a, const struct type *b)
{
	bool is_left = a->kind == TYPE_POINTER;
	const struct type *pointer = is_left ? a : b, *other = is_left ? b : a;

	if (other->kind == TYPE_POINTER)
		return binary_pointers(c, e, a, b);
	if ((!is_integer(other) && other->kind != TYPE_BOOL) || (e->op == OP_SUB && !is_left))
		return invalid_binary(c, e, a, b);
	if (e->op == OP_ADD || e->op == OP_SUB)
		return type_pointer(c->a, pointer->of, pointer->space);
	if (is_comparison(e->op) || is_logic(e->op))
		return &type_bool;
	return invalid_binary(c, e, a, b);
}

static const struct type *binary_integer(struct check *c, const struct expr *e,
					 const struct type *a, const struct type *b)
{
	bool a_signed = a->is_signed, b_signed = b->is_signed, same;
	uint32_t a_size = is_castable(a) ? 8 : a->size, b_size = is_castable(b) ? 8 : b->size;

	if (is_comparison(e->op) || is_logic(e->op))
		return &type_bool;
	if (a->is_sign_flexible && !b->is_sign_flexible)
		a_signed = b_signed;
	else if (b->is_sign_flexible && !a->is_sign_flexible)
		b_signed = a_signed;
	same = a_signed == b_signed && a_size == b_size && a->kind == b->kind;
	/* BPF's division knew no signs before version 4 of its instruction set. */
	if (!same && (e->op == OP_DIV || e->op == OP_MOD) && (a_signed || b_signed))
		diag_warn(c->d, D_SIGN, e->span,
			  "signed operands for '%s' can lead to undefined behavior (cast to "
			  "unsigned to silence warning)",
			  op_text(e->op));
	return type_int(8, a_signed || (!same && b_signed) || e->op == OP_SUB);
}

static const struct type *resolve_binary(struct check *c, const struct rule *r)
{
	const struct type *a = rule_in(c, r, 0), *b = rule_in(c, r, 1), *t;
	struct expr *e = r->e;
	unsigned int space = a->space ? a->space : b->space;

	if (a->kind == TYPE_BOOL && b->kind == TYPE_BOOL)
		return &type_bool;
	if (a->kind == TYPE_POINTER || b->kind == TYPE_POINTER)
		return binary_pointer(c, e, a, b);
	if (a->space && b->space && a->space != b->space && a->space != SPACE_BPF &&
	    b->space != SPACE_BPF) {
		diag_warn(c->d, D_POINTER, e->span, "Addrspace mismatch");
		space = SPACE_NONE;
	}
	if (is_number(a) && is_number(b)) {
		t = binary_integer(c, e, a, b);
		return t->kind == TYPE_INT ? type_in_space(c, t, space) : t;
	}
	if (is_comparison(e->op))
		return &type_bool;
	return type_int(8, e->op == OP_SHL || e->op == OP_SHR ? a->is_signed
							      : a->is_signed || b->is_signed);
}

void infer_binary(struct check *c, struct expr *e)
{
	struct slot *in[2] = {slot_expr(c, e->a), slot_expr(c, e->b)};

	infer_expr(c, e->a);
	infer_expr(c, e->b);
	rule_add(c, slot_expr(c, e), resolve_binary, e, in, 2);
}

/* --- unary */

static bool is_step(enum expr_op op)
{
	return op >= OP_PREINC && op <= OP_POSTDEC;
}

static const struct type *stepped(const struct expr *e, const struct type *t)
{
	return type_int(8, t->is_signed || e->op == OP_PREDEC || e->op == OP_POSTDEC);
}

static const struct type *resolve_step_map(struct check *c, const struct rule *r)
{
	const struct type *now = slot_type(c, &r->map->value);

	if (now->kind == TYPE_POINTER)
		return now;
	return map_value_takes(c, r->map, rule_in(c, r, 0), r->e->span);
}

/* Declared with a type that can be stepped; where it can't, what is assigned does not fit. */
static bool keeps_type(struct check *c, struct var_info *v)
{
	const struct type *t = slot_type(c, &v->slot);

	return v->is_sized && (t->kind == TYPE_NONE || type_is_scalar(t));
}

static const struct type *resolve_step_value(struct check *c, const struct rule *r)
{
	const struct type *t = rule_in(c, r, 0);

	if (r->var && (keeps_type(c, r->var) || slot_type(c, &r->var->slot)->kind == TYPE_POINTER))
		return slot_type(c, &r->var->slot);
	return stepped(r->e, t);
}

static const struct type *resolve_step_var(struct check *c, const struct rule *r)
{
	const struct type *now = slot_type(c, &r->var->slot);

	if (keeps_type(c, r->var))
		return &type_none;
	if (now->kind == TYPE_POINTER)
		return now;
	return var_takes(c, r->var, rule_in(c, r, 0), r->e->span);
}

/* @x++ and $x++ are assignments too. */
static bool infer_step(struct check *c, struct expr *e)
{
	struct slot *out = slot_expr(c, e), *in = slot_expr(c, e->a);
	struct rule *r;

	if (e->a->kind == EXPR_MAP || e->a->kind == EXPR_MAP_ACCESS) {
		struct map_info *m = map_of(e->a->kind == EXPR_MAP ? e->a->map : e->a->a->map);

		m->is_stepped = true;
		rule_add(c, &m->value, resolve_step_map, e, &out, 1)->map = m;
		rule_add(c, out, resolve_step_value, e, &in, 1);
		return true;
	}
	if (e->a->kind == EXPR_VAR) {
		struct var_info *v = var_of(e->a->var);

		rule_add(c, &v->slot, resolve_step_var, e, &out, 1)->var = v;
		r = rule_add(c, out, resolve_step_value, e, &in, 1);
		r->var = v;
		return true;
	}
	diag(c->d, D_OPERATOR, e->span, "The %s operator must be applied to a map or variable",
	     op_text(e->op));
	return false;
}

static const struct type *dereference(struct check *c, const struct expr *e, const struct type *t)
{
	const struct type *of;

	if (t->kind == TYPE_POINTER) {
		of = type_in_space(c, type_complete(c->tt, t->of), t->space);
		return type_with_ctx(c, of, t->is_ctx);
	}
	if (t->kind == TYPE_STRUCT && t->is_ctx)
		return t;
	if (t->kind == TYPE_STRUCT)
		diag(c->d, D_OPERATOR, e->span,
		     "Can not dereference struct/union of type '%s'. It is not a pointer.",
		     type_str(c, t));
	else if (is_integer(t))
		return type_in_space(c, type_int(8, false), t->space);
	return &type_none;
}

static const struct type *resolve_unary(struct check *c, const struct rule *r)
{
	const struct type *t = rule_in(c, r, 0);
	struct expr *e = r->e;
	bool is_valid;

	if (t->kind == TYPE_BOOL)
		is_valid = e->op == OP_NOT;
	else
		is_valid = is_integer(t) ||
			   (e->op == OP_DEREF && (t->kind == TYPE_POINTER || t->is_ctx));
	if (!is_valid) {
		diag(c->d, D_OPERATOR, e->span,
		     "The %s operator can not be used on expressions of type '%s'", op_text(e->op),
		     type_str(c, t));
		return &type_none;
	}
	if (e->op == OP_DEREF)
		return dereference(c, e, t);
	if (e->op == OP_NOT)
		return &type_bool;
	return type_int(8, t->is_signed);
}

void infer_unary(struct check *c, struct expr *e)
{
	struct slot *in = slot_expr(c, e->a);

	infer_expr(c, e->a);
	if (is_step(e->op) && infer_step(c, e))
		return;
	rule_add(c, slot_expr(c, e), resolve_unary, e, &in, 1);
}

/* --- casts */

static const struct type *cast_type(struct check *c, const struct rule *r, const struct type *to,
				    const struct type *from)
{
	unsigned int space = from->space;

	if (to->kind == TYPE_ARRAY && !to->n && to->of->size && !(from->size % to->of->size))
		to = type_array(c->a, to->of, from->size / to->of->size);
	if (to->kind == TYPE_ARRAY && (is_integer(from) || from->kind == TYPE_BOOL) &&
	    !to->is_internal) {
		struct type *own = type_copy(c, to);

		own->is_internal = true;
		to = own;
	}
	if (from->is_ctx && !is_integer(to))
		to = type_with_ctx(c, to, true);
	if (space == SPACE_NONE)
		space = r->probe ? probe_space(r->probe) : SPACE_KERNEL;
	return type_in_space(c, to, space);
}

static const struct type *resolve_cast(struct check *c, const struct rule *r)
{
	return cast_type(c, r, rule_in(c, r, 0), rule_in(c, r, 1));
}

void infer_cast(struct check *c, struct expr *e)
{
	struct slot *in[2] = {NULL, slot_expr(c, e->a)};

	infer_expr(c, e->a);
	if (!e->ref) {
		if (e->type)
			slot_set(c, slot_expr(c, e), e->type);
		return;
	}
	if (e->ref->tag == TAG_ENUM && e->ref->name && !e->ref->suffixes.n &&
	    !type_table_find(c->tt, TAG_ENUM, e->ref->name)) {
		diag(c->d, D_UNKNOWN_TYPE, e->op_span, "Unknown enum: %s", e->ref->name);
		return;
	}
	infer_ref(c, e->ref);
	in[0] = slot_ref(c, e->ref);
	rule_add(c, slot_expr(c, e), resolve_cast, e, in, 2);
}

/* --- members */

/* Where a pointer to a pointer to … a struct leads, and the space it is read from. */
static const struct type *struct_behind(struct check *c, const struct type *t)
{
	unsigned int space = t->space;
	bool is_ctx = t->is_ctx;

	while (t->kind == TYPE_POINTER) {
		if (t->space)
			space = t->space;
		t = t->of;
	}
	t = type_complete(c->tt, t);
	return type_with_ctx(c, type_in_space(c, t, space), is_ctx);
}

typedef ARRAY(const char *) member_names;

/* Those inside anonymous structs and unions too. */
static void list_members(struct check *c, const struct type *t, member_names *names, int depth)
{
	t = type_complete(c->tt, t);
	for (uint32_t i = 0; i < t->n_members; i++) {
		const struct type_member *m = &t->members[i];

		if (m->name && *m->name)
			array_push(c->a, names, m->name);
		else if (depth < 8 && m->type->kind == TYPE_STRUCT)
			list_members(c, m->type, names, depth + 1);
	}
}

void hint_member(struct check *c, const struct type *t, const char *name)
{
	_cleanup_buf_ struct buf b = {};
	member_names names = {};

	list_members(c, t, &names, 0);
	array_push(c->a, &names, NULL);
	if (hint_near(c, name, names.p) || names.n < 2 || names.n > 25)
		return;
	for (size_t i = 0; i + 1 < names.n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", names.p[i]);
	diag_hint(c->d, "Its fields are: %s", b.p);
}

static bool is_function_args(struct check *c, const struct rule *r)
{
	static const char *const names[] = {"fentry", "fexit",	       "uprobe",
					    "kprobe", "rawtracepoint", NULL};

	(void)c;
	return r->e->a->kind == EXPR_CALL && r->e->a->builtin &&
	       r->e->a->builtin->id == BUILTIN_ARGS && is_provider(r->probe, names);
}

static const struct type *missing_member(struct check *c, const struct rule *r,
					 const struct type *t)
{
	struct expr *e = r->e;

	if (is_function_args(c, r))
		diag(c->d, D_UNKNOWN_FIELD, e->span, "Can't find function parameter %s", e->name);
	else if (t->kind == TYPE_RECORD)
		diag(c->d, D_UNKNOWN_FIELD, e->span, "Record does not contain a field named '%s'",
		     e->name);
	else if (!t->n_members)
		diag(c->d, D_UNKNOWN_FIELD, e->span, "Unknown struct/union: '%s'", type_str(c, t));
	else
		diag(c->d, D_UNKNOWN_FIELD, e->span,
		     "Struct/union of type '%s' does not contain a field named '%s'",
		     type_str(c, t), e->name);
	hint_member(c, t, e->name);
	return &type_none;
}

static const struct type *resolve_field(struct check *c, const struct rule *r)
{
	const struct type *t = struct_behind(c, rule_in(c, r, 0)), *made;
	struct expr *e = r->e;
	const struct type_member *m = NULL;
	uint32_t offset = 0;

	if (t->kind != TYPE_STRUCT && t->kind != TYPE_RECORD) {
		diag(c->d, D_UNKNOWN_FIELD, e->span,
		     "Can not access field '%s' on expression of type '%s'", e->name,
		     type_str(c, t));
		return &type_none;
	}
	if (t->kind == TYPE_STRUCT)
		m = type_member_find(c->tt, t, e->name, &offset);
	for (uint32_t i = 0; t->kind == TYPE_RECORD && i < t->n_members; i++)
		if (!strcmp(t->members[i].name, e->name))
			m = &t->members[i];
	if (!m)
		return missing_member(c, r, t);
	e->member = m;
	e->member_offset = t->kind == TYPE_RECORD ? m->offset : offset;
	made = m->type;
	if (made->kind == TYPE_NONE) {
		diag(c->d, D_UNKNOWN_FIELD, e->span, "%s has unsupported type", e->name);
		return &type_none;
	}
	if (t->is_ctx && (made->kind == TYPE_ARRAY || made->kind == TYPE_STRUCT))
		made = type_with_ctx(c, made, true);
	if (t->space && made->space != SPACE_USER && made->space != SPACE_KERNEL)
		made = type_in_space(c, made, t->space);
	return made;
}

void infer_field(struct check *c, struct expr *e)
{
	struct slot *in = slot_expr(c, e->a);

	infer_expr(c, e->a);
	rule_add(c, slot_expr(c, e), resolve_field, e, &in, 1);
}

/* --- elements */

static const struct type *tuple_element(struct check *c, const struct expr *e, const struct type *t)
{
	if (e->b->kind != EXPR_INT)
		return &type_none;
	if (e->b->number < t->n_members)
		return t->members[e->b->number].type;
	diag(c->d, D_INDEX, e->span, "Invalid tuple index: %llu. Found %u elements in tuple.",
	     (unsigned long long)e->b->number, t->n_members);
	return &type_none;
}

static const struct type *resolve_index(struct check *c, const struct rule *r)
{
	const struct type *t = rule_in(c, r, 0), *of;
	struct expr *e = r->e;

	if (t->kind == TYPE_ARRAY || t->kind == TYPE_POINTER) {
		of = t->of;
	} else if (is_string(t)) {
		of = type_int(1, true);
	} else if (t->kind == TYPE_TUPLE) {
		return tuple_element(c, e, t);
	} else {
		diag(c->d, D_INDEX, e->span,
		     "The array index operator [] can only be used on arrays, pointers, and "
		     "tuples, found %s.",
		     type_str(c, t));
		return &type_none;
	}
	of = type_complete(c->tt, of);
	return of->space && of->kind == TYPE_POINTER ? of : type_in_space(c, of, t->space);
}

void infer_index(struct check *c, struct expr *e)
{
	struct slot *in = slot_expr(c, e->a);

	infer_expr(c, e->a);
	infer_expr(c, e->b);
	rule_add(c, slot_expr(c, e), resolve_index, e, &in, 1);
}
