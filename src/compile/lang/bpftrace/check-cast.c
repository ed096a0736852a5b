/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Casts where a value of one type is used as another.
 *
 * Runs when all types are known.  A literal simply takes the type that is wanted of it, if
 * it fits; all else is wrapped in an EXPR_CAST without `ref`.  A number that may not survive
 * gets a warning.  Aggregations that are read as numbers are wrapped too.
 */
#include "compile/lang/bpftrace/check-rules.h"

static bool literal_fits(const struct expr *e, const struct type *t)
{
	uint64_t max = t->size >= 8 ? UINT64_MAX : (1ull << (8 * t->size)) - 1;

	if (!is_integer(t))
		return true;
	if (e->is_negative)
		return t->is_signed &&
		       (t->size >= 8 || (int64_t)e->number >= -(int64_t)(max / 2) - 1);
	return e->number <= (t->is_signed ? max / 2 : max);
}

static void wrap(struct check *c, struct expr *e, const struct type *to)
{
	struct expr *inner = arena_copy(c->a, e, sizeof(*e));

	*e = (struct expr){.kind = EXPR_CAST,
			   .span = inner->span,
			   .op_span = inner->op_span,
			   .a = inner,
			   .type = to,
			   .height = inner->height,
			   .in_predicate = inner->in_predicate};
	slot_expr(c, e)->type = to;
}

static void warn_lossy(struct check *c, const struct expr *e, const struct type *t,
		       const struct type *to)
{
	if (is_castable(t) || is_castable(to) || type_fits(t, to))
		return;
	diag_warn(c->d, D_CAST, e->span,
		  "Expression of type: %s being cast to type: %s. This may cause unexpected "
		  "results. Use an explicit cast to suppress this warning.",
		  type_str(c, t), type_str(c, to));
}

static bool cast_number(struct check *c, struct expr *e, const struct type *t,
			const struct type *to)
{
	if (e->kind == EXPR_INT) {
		if (!literal_fits(e, to))
			return false;
		slot_expr(c, e)->type = e->type = to;
		return true;
	}
	warn_lossy(c, e, t, to);
	wrap(c, e, to);
	return true;
}

static const struct type_member *member_like(const struct type *t, const struct type *to,
					     uint32_t i)
{
	if (to->kind == TYPE_TUPLE)
		return i < t->n_members ? &t->members[i] : NULL;
	for (uint32_t k = 0; k < t->n_members; k++)
		if (!strcmp(t->members[k].name, to->members[i].name))
			return &t->members[k];
	return NULL;
}

/* Could values of `t` become `to`?  For members, which are cast where they are copied. */
static bool can_cast(struct check *c, const struct expr *e, const struct type *t,
		     const struct type *to)
{
	if (type_same(t, to))
		return true;
	if ((is_integer(t) || is_castable(t)) && (is_integer(to) || is_castable(to))) {
		warn_lossy(c, e, t, to);
		return true;
	}
	if (is_string(t) && is_string(to))
		return type_fits(t, to);
	if (t->kind != to->kind)
		return false;
	if (t->kind != TYPE_TUPLE && t->kind != TYPE_RECORD)
		return t->kind == TYPE_POINTER || t->kind == TYPE_BUFFER;
	if (t->n_members != to->n_members)
		return false;
	for (uint32_t i = 0; i < to->n_members; i++) {
		const struct type_member *m = member_like(t, to, i);

		if (!m || !can_cast(c, e, m->type, to->members[i].type))
			return false;
	}
	return true;
}

/* Items of a literal are cast in place; a record keeps its order of evaluation. */
static bool cast_items(struct check *c, struct expr *e, const struct type *to)
{
	bool in_order = true;

	if (e->items.n != to->n_members)
		return false;
	for (uint32_t i = 0; i < to->n_members; i++) {
		size_t k = i;

		if (e->kind == EXPR_RECORD)
			for (k = 0; k < e->names.n; k++)
				if (!strcmp(e->names.p[k], to->members[i].name))
					break;
		if (k >= e->items.n || !cast_to(c, e->items.p[k], to->members[i].type))
			return false;
		in_order &= k == i;
	}
	if (in_order) {
		slot_expr(c, e)->type = to;
	} else {
		const struct type **types = arena_array(c->a, const struct type *, e->items.n);

		for (size_t i = 0; i < e->items.n; i++)
			types[i] = expr_type(c, e->items.p[i]);
		slot_expr(c, e)->type =
			type_tuple(c->a, types, e->names.p, (unsigned int)e->items.n);
		wrap(c, e, to);
	}
	return true;
}

bool cast_to(struct check *c, struct expr *e, const struct type *to)
{
	const struct type *t = expr_type(c, e);

	if (type_same(t, to) || (t->kind == to->kind && is_castable(t)))
		return true;
	if ((is_integer(t) || is_castable(t)) && (is_integer(to) || is_castable(to)))
		return cast_number(c, e, t, to);
	if ((e->kind == EXPR_TUPLE && to->kind == TYPE_TUPLE) ||
	    (e->kind == EXPR_RECORD && to->kind == TYPE_RECORD))
		return cast_items(c, e, to);
	if (!can_cast(c, e, t, to))
		return false;
	if (t->kind != TYPE_BUFFER)
		wrap(c, e, to);
	return true;
}

/* --- where values meet */

static void cast_assign(struct check *c, struct stmt *s, const struct type *to, const char *name,
			const char *what)
{
	const struct type *t = expr_type(c, s->b);

	if (t->kind == TYPE_NONE || to->kind == TYPE_NONE || cast_to(c, s->b, to))
		return;
	diag(c->d, D_TYPE_MISMATCH, s->span,
	     "Type mismatch for %s: trying to assign value of type '%s' when %s type '%s'", name,
	     type_str(c, t), what, type_str(c, to));
}

static void cast_key(struct check *c, struct expr *key, struct map_info *m, struct span span)
{
	const struct type *t = expr_type(c, key), *to = slot_type(c, &m->key);

	if (t->kind == TYPE_NONE || to->kind == TYPE_NONE || m->is_scalar || cast_to(c, key, to))
		return;
	diag(c->d, D_MAP_KEY, span,
	     "Type mismatch for %s: trying to assign key of type '%s' when map already has a key "
	     "type '%s'",
	     m->d.name, type_str(c, t), type_str(c, to));
}

static bool is_comparison(enum expr_op op)
{
	return op >= OP_EQ && op <= OP_GE;
}

static void cast_strings(struct check *c, struct expr *e)
{
	/* What is only shown as text becomes text to be compared. */
	if (expr_type(c, e->a)->kind != TYPE_STRING)
		wrap(c, e->a, type_string(c->a, 64));
	if (expr_type(c, e->b)->kind != TYPE_STRING)
		wrap(c, e->b, type_string(c->a, 64));
}

static void cast_binary(struct check *c, struct expr *e)
{
	const struct type *a = expr_type(c, e->a), *b = expr_type(c, e->b), *made;

	if (is_string(a) && is_string(b)) {
		if (a->kind != TYPE_STRING || b->kind != TYPE_STRING)
			cast_strings(c, e);
		return;
	}
	if (e->op == OP_LAND || e->op == OP_LOR || is_string(a) || is_string(b) ||
	    a->kind == TYPE_NONE || b->kind == TYPE_NONE)
		return;
	made = is_comparison(e->op) ? type_promote(c, a, b) : expr_type(c, e);
	if (made && is_castable(made))
		made = type_int(8, made->is_signed);
	if (made && made->kind != TYPE_POINTER && made->kind != TYPE_NONE) {
		cast_to(c, e->a, made);
		cast_to(c, e->b, made);
	}
	a = expr_type(c, e->a);
	b = expr_type(c, e->b);
	if (a->kind == TYPE_BOOL && is_integer(b))
		wrap(c, e->a, b);
	else if (b->kind == TYPE_BOOL && is_integer(a))
		wrap(c, e->b, a);
}

static void cast_if(struct check *c, struct expr *e)
{
	const struct type *to = expr_type(c, e);

	if (to->kind == TYPE_NONE || to->kind == TYPE_VOID)
		return;
	if (expr_type(c, e->b)->kind != TYPE_NONE)
		cast_to(c, e->b, to);
	if (e->c && expr_type(c, e->c)->kind != TYPE_NONE)
		cast_to(c, e->c, to);
}

static void cast_tuple(struct check *c, struct expr *e)
{
	for (size_t i = 0; i < e->items.n; i++) {
		const struct type *t = expr_type(c, e->items.p[i]);

		if (is_castable(t))
			cast_to(c, e->items.p[i], type_int(8, t->is_signed));
	}
}

static void cast_fn_call(struct check *c, struct expr *e)
{
	for (size_t i = 0; i < c->p->fns.n; i++) {
		struct fn *f = c->p->fns.p[i];

		if (strcmp(f->name, e->name))
			continue;
		for (size_t k = 0; k < f->params.n && k < e->items.n; k++) {
			const struct type *to = slot_type(c, &var_of(f->params.p[k].var)->slot);

			if (is_integer(expr_type(c, e->items.p[k])) && is_integer(to))
				cast_to(c, e->items.p[k], to);
		}
	}
}

static void cast_call(struct check *c, struct expr *e)
{
	enum builtin_id id;

	if (!e->builtin) {
		cast_fn_call(c, e);
		return;
	}
	id = e->builtin->id;
	if ((id == BUILTIN_DELETE || id == BUILTIN_HAS_KEY || id == BUILTIN_FIND) &&
	    e->items.n > 1 && e->items.p[0]->kind == EXPR_MAP)
		cast_key(c, e->items.p[1], map_of(e->items.p[0]->map), e->items.p[1]->span);
	if (id == BUILTIN_USYM && is_integer(expr_type(c, e->items.p[0])))
		cast_to(c, e->items.p[0], type_int(8, false));
	if (id == BUILTIN_PERCPU_KADDR && e->items.n == 2 &&
	    is_integer(expr_type(c, e->items.p[1])))
		cast_to(c, e->items.p[1], type_int(4, false));
	if ((e->builtin->flags & BUILTIN_AGG) && e->items.n &&
	    is_integer(expr_type(c, e->items.p[0])))
		cast_to(c, e->items.p[0], type_int(8, expr_type(c, e->items.p[0])->is_signed));
}

static void cast_expr(struct visit *w, struct expr *e)
{
	struct check *c = w->ctx;

	switch ((int)e->kind) {
	case EXPR_BINARY:
		cast_binary(c, e);
		break;
	case EXPR_IF:
		cast_if(c, e);
		break;
	case EXPR_TUPLE:
	case EXPR_RECORD:
		cast_tuple(c, e);
		break;
	case EXPR_CALL:
		cast_call(c, e);
		break;
	case EXPR_MAP_ACCESS:
		if (e->a->map)
			cast_key(c, e->b, map_of(e->a->map), e->span);
		break;
	}
}

static void cast_return(struct check *c, struct stmt *s)
{
	const struct type *t = s->a ? expr_type(c, s->a) : &type_void, *to;

	if (!c->fn) {
		if (s->a && is_integer(t) && t->size != 8)
			cast_to(c, s->a, type_int(8, true));
		return;
	}
	to = slot_type(c, slot_ref(c, c->fn->result));
	if (to->kind == TYPE_NONE || t->kind == TYPE_NONE)
		return;
	if (s->a ? cast_to(c, s->a, to) : to->kind == TYPE_VOID)
		return;
	diag(c->d, D_RETURN, s->span, "Function %s is of type %s, cannot return %s", c->fn->name,
	     type_str(c, to), type_str(c, t));
}

static void cast_range(struct check *c, struct stmt *s)
{
	const struct type *to = slot_type(c, &var_of(s->a->var)->slot);

	if (!is_integer(to))
		return;
	cast_to(c, s->b, to);
	cast_to(c, s->c, to);
}

static void cast_stmt(struct visit *w, struct stmt *s)
{
	struct check *c = w->ctx;

	switch ((int)s->kind) {
	case STMT_ASSIGN_MAP: {
		struct map_info *m = map_of(s->a->kind == EXPR_MAP ? s->a->map : s->a->a->map);

		if (!agg_call_in(s->b))
			cast_assign(c, s, slot_type(c, &m->value), m->d.name,
				    "map already has a value");
		break;
	}
	case STMT_LET:
	case STMT_ASSIGN_VAR:
		if (s->b)
			cast_assign(c, s, slot_type(c, &var_of(s->a->var)->slot), s->a->name,
				    "variable already has a");
		break;
	case STMT_RETURN:
		cast_return(c, s);
		break;
	case STMT_FOR_RANGE:
		cast_range(c, s);
		break;
	}
}

static void check_fn_end(struct check *c, struct fn *f)
{
	const struct type *to = slot_type(c, slot_ref(c, f->result));

	if (f->always_returns || to->kind == TYPE_VOID || to->kind == TYPE_NONE)
		return;
	diag(c->d, D_RETURN, f->block->span, "Function %s is of type %s, cannot return void",
	     f->name, type_str(c, to));
}

void check_casts(struct check *c)
{
	struct visit w = {.ctx = c, .expr = cast_expr, .stmt = cast_stmt};

	for (size_t i = 0; i < c->p->fns.n; i++) {
		c->fn = c->p->fns.p[i];
		visit_block(&w, c->fn->block);
		check_fn_end(c, c->fn);
	}
	c->fn = NULL;
	for (size_t i = 0; i < c->ret->probes.n; i++)
		visit_probe(&w, c->ret->probes.p[i].probe);
}
