/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known once types are: sizeof, offsetof, typeinfo, is_str() … become literals,
 * and with them comptime expressions, and the branches that they choose.
 *
 * Each replacement may make others possible and bring code to light whose types nobody
 * looked at, so check.c runs another round after one that changed something.
 */
#include "compile/lang/bpftrace/check-rules.h"

bool expr_is_literal(const struct expr *e)
{
	if (e->kind == EXPR_INT || e->kind == EXPR_STRING || e->kind == EXPR_BOOL)
		return true;
	if (e->kind != EXPR_TUPLE && e->kind != EXPR_RECORD)
		return false;
	for (size_t i = 0; i < e->items.n; i++)
		if (!expr_is_literal(e->items.p[i]))
			return false;
	return true;
}

static void become(struct check *c, struct expr *e, struct expr with)
{
	with.span = e->span;
	with.op_span = e->op_span;
	*e = with;
	c->has_changed = true;
}

static void become_number(struct check *c, struct expr *e, uint64_t n)
{
	become(c, e, (struct expr){.kind = EXPR_INT, .number = n});
}

static void become_bool(struct check *c, struct expr *e, bool value)
{
	become(c, e, (struct expr){.kind = EXPR_BOOL, .number = value});
}

/* What sizeof(x) and its like ask about. */
static const struct type *asked_type(struct check *c, const struct expr *e)
{
	const struct type *t;

	if (e->ref)
		t = slot_type(c, slot_ref(c, e->ref));
	else if (e->a->kind == EXPR_MAP && e->a->map && !map_of(e->a->map)->is_scalar)
		t = slot_type(c, &map_of(e->a->map)->key);
	else
		t = expr_type(c, e->a);
	return type_complete(c->tt, t);
}

/* --- offsetof */

static void offset_literal(struct check *c, struct expr *e)
{
	const struct type *t = asked_type(c, e);
	uint64_t sum = 0;

	if (t->kind == TYPE_NONE)
		return;
	for (size_t i = 0; i < e->names.n; i++) {
		const struct type_member *m = NULL;
		uint32_t offset = 0;

		t = type_complete(c->tt, t);
		if (t->kind != TYPE_STRUCT) {
			diag(c->d, D_UNKNOWN_FIELD, e->span, "'%s' is not a C type.",
			     type_str(c, t));
			return;
		}
		m = type_member_find(c->tt, t, e->names.p[i], &offset);
		if (!m) {
			diag(c->d, D_UNKNOWN_FIELD, e->span, "'%s' has no field named '%s'",
			     type_str(c, t), e->names.p[i]);
			hint_member(c, t, e->names.p[i]);
			return;
		}
		sum += offset;
		t = m->type;
	}
	become_number(c, e, sum);
}

/* --- typeinfo */

static struct expr *literal_string(struct check *c, const struct expr *like, const char *text)
{
	struct expr *e = arena_new(c->a, struct expr);

	*e = (struct expr){.kind = EXPR_STRING, .span = like->span, .text = str_of(text)};
	return e;
}

static void typeinfo_literal(struct check *c, struct expr *e)
{
	const struct type *t = asked_type(c, e);
	struct expr record = {.kind = EXPR_RECORD}, *id;

	if (t->kind == TYPE_NONE)
		return;
	id = arena_new(c->a, struct expr);
	*id = (struct expr){.kind = EXPR_INT, .span = e->span};
	array_push(c->a, &record.names, "btf_id");
	array_push(c->a, &record.items, id);
	array_push(c->a, &record.names, "base_type");
	array_push(c->a, &record.items, literal_string(c, e, kind_str(t)));
	array_push(c->a, &record.names, "full_type");
	array_push(c->a, &record.items, literal_string(c, e, type_str(c, t)));
	become(c, e, record);
}

/* --- builtins that ask for types */

static bool type_question(struct check *c, const struct expr *e, bool *ret)
{
	const struct type *t;

	if (e->items.n != 1)
		return false;
	t = expr_type(c, e->items.p[0]);
	if (t->kind == TYPE_NONE)
		return false;
	switch ((int)e->builtin->id) {
	case BUILTIN_IS_STR:
		*ret = is_string(t);
		return true;
	case BUILTIN_IS_PTR:
		*ret = t->kind == TYPE_POINTER;
		return true;
	case BUILTIN_IS_ARRAY:
		*ret = t->kind == TYPE_ARRAY;
		return true;
	case BUILTIN_IS_INTEGER:
		*ret = is_integer(t);
		return true;
	case BUILTIN_IS_UNSIGNED_INTEGER:
		*ret = is_integer(t) && !t->is_signed;
		return true;
	}
	return false;
}

/* Room for text; of a pointer only the text knows. */
static void strcap_literal(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->items.p[0]);

	if (is_string(t))
		become_number(c, e, string_size(t));
	else if (t->kind == TYPE_ARRAY)
		become_number(c, e, t->n);
}

static void call_literal(struct check *c, struct expr *e)
{
	bool value;

	if (!e->builtin)
		return;
	if (type_question(c, e, &value))
		become_bool(c, e, value);
	else if (e->builtin->id == BUILTIN_STRCAP && e->items.n == 1)
		strcap_literal(c, e);
}

/* --- comparisons of literals with parts, and parts of literals */

static bool same_literals(const struct expr *a, const struct expr *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == EXPR_INT || a->kind == EXPR_BOOL)
		return a->number == b->number;
	if (a->kind == EXPR_STRING)
		return str_eq(a->text, b->text);
	if (a->items.n != b->items.n)
		return false;
	for (size_t i = 0; i < a->items.n; i++)
		if ((a->kind == EXPR_RECORD && strcmp(a->names.p[i], b->names.p[i])) ||
		    !same_literals(a->items.p[i], b->items.p[i]))
			return false;
	return true;
}

static void binary_literal(struct check *c, struct expr *e)
{
	struct expr *folded;

	if (!expr_is_literal(e->a) || !expr_is_literal(e->b))
		return;
	if ((e->op == OP_EQ || e->op == OP_NE) && e->a->kind == e->b->kind &&
	    (e->a->kind == EXPR_RECORD || e->a->kind == EXPR_TUPLE || e->a->kind == EXPR_STRING)) {
		become_bool(c, e, same_literals(e->a, e->b) == (e->op == OP_EQ));
		return;
	}
	folded = fold_expression(c->d, e);
	if (folded != e)
		*e = *folded;
	c->has_changed |= expr_is_literal(e);
}

static void field_literal(struct check *c, struct expr *e)
{
	if (e->a->kind != EXPR_RECORD || !expr_is_literal(e->a))
		return;
	for (size_t i = 0; i < e->a->items.n; i++)
		if (!strcmp(e->a->names.p[i], e->name)) {
			become(c, e, *e->a->items.p[i]);
			return;
		}
}

static void index_literal(struct check *c, struct expr *e)
{
	if (expr_type(c, e->a)->kind == TYPE_TUPLE && e->b->kind == EXPR_INT &&
	    e->b->number < expr_type(c, e->a)->n_members) {
		become(c, e,
		       (struct expr){.kind = EXPR_TUPLE_AT, .a = e->a, .number = e->b->number});
		return;
	}
	if (expr_type(c, e->a)->kind == TYPE_TUPLE && e->b->kind != EXPR_INT) {
		diag(c->d, D_INDEX, e->span,
		     "Array-style access for tuples only valid for integer literals");
		return;
	}
	if (e->a->kind == EXPR_STRING && e->b->kind == EXPR_INT && e->b->number < e->a->text.n)
		become_number(c, e, (uint8_t)e->a->text.p[e->b->number]);
}

static void unary_literal(struct check *c, struct expr *e)
{
	struct expr *folded;

	if (e->a->kind != EXPR_INT && e->a->kind != EXPR_BOOL)
		return;
	folded = fold_expression(c->d, e);
	if (folded != e)
		*e = *folded;
	c->has_changed |= expr_is_literal(e);
}

static bool is_true(const struct expr *e)
{
	return e->kind == EXPR_STRING ? e->text.n > 0 : e->number != 0;
}

static void cast_literal(struct check *c, struct expr *e)
{
	if (expr_type(c, e)->kind == TYPE_BOOL && expr_is_literal(e->a) &&
	    e->a->kind != EXPR_TUPLE && e->a->kind != EXPR_RECORD)
		become_bool(c, e, is_true(e->a));
}

/* --- the walk */

static void literal_expr(struct visit *w, struct expr *e)
{
	struct check *c = w->ctx;

	switch ((int)e->kind) {
	case EXPR_SIZEOF:
		type_table_note_size(c->tt, asked_type(c, e));
		if (asked_type(c, e)->kind != TYPE_NONE)
			become_number(c, e,
				      is_string(asked_type(c, e)) ? string_size(asked_type(c, e))
								  : asked_type(c, e)->size);
		break;
	case EXPR_OFFSETOF:
		offset_literal(c, e);
		break;
	case EXPR_TYPEINFO:
		typeinfo_literal(c, e);
		break;
	case EXPR_CALL:
		call_literal(c, e);
		break;
	case EXPR_BINARY:
		binary_literal(c, e);
		break;
	case EXPR_UNARY:
		unary_literal(c, e);
		break;
	case EXPR_FIELD:
		field_literal(c, e);
		break;
	case EXPR_INDEX:
		index_literal(c, e);
		break;
	case EXPR_CAST:
		cast_literal(c, e);
		break;
	case EXPR_COMPTIME:
		if (expr_is_literal(e->a))
			become(c, e, *e->a);
		break;
	case EXPR_IF:
		if (e->is_comptime && expr_is_literal(e->a)) {
			struct expr *branch = is_true(e->a) ? e->b : e->c;

			become(c, e, branch ? *branch : (struct expr){.kind = EXPR_NONE});
		}
		break;
	}
}

/* Only the condition: which branch there is decides what is looked at. */
static bool enter_if(struct visit *w, struct expr *e)
{
	struct check *c = w->ctx;

	if (e->kind != EXPR_IF || e->a->kind != EXPR_COMPTIME)
		return true;
	visit_expr(w, e->a);
	if (expr_is_literal(e->a)) {
		e->is_comptime = true;
		literal_expr(w, e);
		c->has_changed = true;
	}
	return false;
}

static bool enter_if_stmt(struct visit *w, struct stmt *s)
{
	struct check *c = w->ctx;
	struct block *branch;

	if (s->kind != STMT_IF || s->a->kind != EXPR_COMPTIME)
		return true;
	visit_expr(w, s->a);
	if (!expr_is_literal(s->a))
		return false;
	branch = is_true(s->a) ? s->block : s->other;
	if (!branch)
		branch = arena_new(c->a, struct block);
	*s = (struct stmt){.kind = STMT_BLOCK, .span = s->span, .block = branch};
	c->has_changed = true;
	return false;
}

static void literal_tree(struct check *c, struct block *b, struct probe *p)
{
	struct visit w = {.ctx = c,
			  .enter_expr = enter_if,
			  .expr = literal_expr,
			  .enter_stmt = enter_if_stmt};

	if (p)
		visit_probe(&w, p);
	else
		visit_block(&w, b);
}

void check_literals(struct check *c)
{
	check_each_tree(c, literal_tree);
}
