/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants: what literals make of each other is worked out now.
 *
 * Numbers (fold-int.c), booleans, strings ("a" + "b", comparisons, "abc" + 1 which drops
 * its first byte), str(5), "abc"[1], (1, 2).0, tuples and records compared, conditions.
 * Operators on literals of kinds that do not go together are left to the type checker.
 *
 * A condition that is `comptime` and known decides now which branch there is at all; the
 * other may hold what would not even type-check.
 */
#include "compile/lang/bpftrace/fold.h"

#include <stdio.h>

static const char does_not_fit[] = "unable to fold literals due to overflow or underflow";

struct folder {
	struct diags *d;
	struct arena *arena;
};

/* --- literals */

static bool is_scalar(const struct expr *e)
{
	return e->kind == EXPR_INT || e->kind == EXPR_BOOL || e->kind == EXPR_STRING;
}

static bool is_literal(const struct expr *e)
{
	if (e->kind != EXPR_TUPLE && e->kind != EXPR_RECORD)
		return is_scalar(e);
	for (size_t i = 0; i < e->items.n; i++)
		if (!is_literal(e->items.p[i]))
			return false;
	return true;
}

/* Of a scalar literal. */
static bool truth(const struct expr *e)
{
	return e->kind == EXPR_STRING ? e->text.n > 0 : e->number != 0;
}

static void set_string(struct expr *e, struct str text)
{
	literal_set_int(e, 0, false);
	e->kind = EXPR_STRING;
	e->text = text;
}

static const struct expr *record_item(const struct expr *e, const char *name)
{
	for (size_t i = 0; i < e->names.n; i++)
		if (!strcmp(e->names.p[i], name))
			return e->items.p[i];
	return NULL;
}

static int compare_literals(const struct expr *a, const struct expr *b);

/*
 * Tuples, or records: 1 the same, 0 not, −1: cannot be said now.  They may differ before
 * what is no literal is looked at.
 */
static int compare_aggregates(const struct expr *a, const struct expr *b)
{
	if (a->items.n != b->items.n)
		return 0;
	for (size_t i = 0; i < a->items.n; i++) {
		const struct expr *other = b->items.p[i];
		int r;

		if (a->kind == EXPR_RECORD)
			other = record_item(b, a->names.p[i]);
		r = other ? compare_literals(a->items.p[i], other) : -1;
		if (r != 1)
			return r;
	}
	return 1;
}

static int compare_literals(const struct expr *a, const struct expr *b)
{
	if (!is_literal(a) || !is_literal(b))
		return -1;
	if (a->kind != b->kind)
		return 0;
	if (a->kind == EXPR_STRING)
		return str_eq(a->text, b->text);
	if (is_scalar(a))
		return a->number == b->number && a->is_negative == b->is_negative;
	return compare_aggregates(a, b);
}

/* --- binary operators: each looks at kinds that it knows */

static int text_compare(struct str a, struct str b)
{
	int r = memcmp(a.p ? a.p : "", b.p ? b.p : "", MIN(a.n, b.n));

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

static struct str text_join(struct arena *arena, struct str a, struct str b)
{
	char *to = arena_alloc(arena, a.n + b.n + 1);

	memcpy(to, a.p ? a.p : "", a.n);
	memcpy(to + a.n, b.p ? b.p : "", b.n);
	return (struct str){to, a.n + b.n};
}

static void fold_strings(struct folder *f, struct expr *e)
{
	struct str a = e->a->text, b = e->b->text;
	bool holds;

	if (fold_compare(e->op, text_compare(a, b), a.n, b.n, &holds))
		literal_set_bool(e, holds);
	else if (e->op == OP_ADD)
		set_string(e, text_join(f->arena, a, b));
	else
		diag(f->d, D_CONSTANT, e->span, "illegal literal operation with strings");
}

/* "abc" + 1 */
static void fold_string_offset(struct folder *f, struct expr *e, struct str text, uint64_t n)
{
	if (n >= text.n) {
		diag_warn(f->d, D_CONSTANT, e->span, "literal string will always be empty");
		n = text.n;
	}
	set_string(e, (struct str){text.p + n, text.n - n});
}

/* Results for false false, false true, true false, true true: bits 0 to 3. */
static const unsigned char bool_results[] = {
	[OP_ADD] = 0xe, [OP_SUB] = 0x6,	 [OP_MUL] = 0x8, [OP_DIV] = 0x8, [OP_MOD] = 0x0,
	[OP_AND] = 0x8, [OP_OR] = 0xe,	 [OP_XOR] = 0x6, [OP_SHL] = 0x2, [OP_SHR] = 0x4,
	[OP_EQ] = 0x9,	[OP_NE] = 0x6,	 [OP_LT] = 0x2,	 [OP_LE] = 0xb,	 [OP_GT] = 0x4,
	[OP_GE] = 0xd,	[OP_LAND] = 0x8, [OP_LOR] = 0xe,
};

static void fold_bools(struct folder *f, struct expr *e)
{
	unsigned int a = e->a->number != 0, b = e->b->number != 0;

	if ((e->op == OP_DIV || e->op == OP_MOD) && !b)
		diag(f->d, D_CONSTANT, e->span, does_not_fit);
	else
		literal_set_bool(e, bool_results[e->op] >> (2 * a + b) & 1);
}

static bool has_kinds(const struct expr *e, enum expr_kind a, enum expr_kind b)
{
	return e->a->kind == a && e->b->kind == b;
}

static bool is_aggregate(const struct expr *e)
{
	return e->kind == EXPR_TUPLE || e->kind == EXPR_RECORD;
}

static void fold_aggregates(struct expr *e)
{
	int same = compare_aggregates(e->a, e->b);

	if (same >= 0 && (e->op == OP_EQ || e->op == OP_NE))
		literal_set_bool(e, same == (e->op == OP_EQ));
}

static void fold_binary(struct folder *f, struct expr *e)
{
	bool logical = e->op == OP_LAND || e->op == OP_LOR;

	if (has_kinds(e, EXPR_INT, EXPR_INT)) {
		if (!fold_int_binary(e))
			diag(f->d, D_CONSTANT, e->span, does_not_fit);
	} else if (has_kinds(e, EXPR_STRING, EXPR_STRING)) {
		fold_strings(f, e);
	} else if (has_kinds(e, EXPR_STRING, EXPR_INT) || has_kinds(e, EXPR_INT, EXPR_STRING)) {
		const struct expr *s = e->a->kind == EXPR_STRING ? e->a : e->b;
		const struct expr *n = s == e->a ? e->b : e->a;

		if (e->op == OP_ADD && !n->is_negative)
			fold_string_offset(f, e, s->text, n->number);
	} else if (has_kinds(e, EXPR_BOOL, EXPR_BOOL)) {
		fold_bools(f, e);
	} else if (logical && is_scalar(e->a) && is_scalar(e->b)) {
		literal_set_bool(e, e->op == OP_LAND ? truth(e->a) && truth(e->b)
						     : truth(e->a) || truth(e->b));
	} else if (e->a->kind == e->b->kind && is_aggregate(e->a)) {
		fold_aggregates(e);
	}
}

static void fold_unary(struct folder *f, struct expr **at)
{
	struct expr *e = *at, *a = e->a;

	if (a->kind == EXPR_BOOL && e->op == OP_NOT) {
		literal_set_bool(e, !a->number);
	} else if (a->kind == EXPR_INT) {
		if (e->op == OP_NEG && !a->number)
			*at = a;
		else if (!fold_int_unary(e))
			diag(f->d, D_CONSTANT, e->span, "negative value will underflow");
	}
}

/* --- the rest */

/* str(5), str("abc", 2) */
static void fold_str(struct folder *f, struct expr *e)
{
	const struct expr *a = e->items.n ? e->items.p[0] : NULL;
	const struct expr *n = e->items.n > 1 ? e->items.p[1] : NULL;
	struct str text;

	if (!a || strcmp(e->name, "str") || e->items.n > 2 || (n && n->kind != EXPR_INT))
		return;
	if (a->kind == EXPR_STRING)
		text = a->text;
	else if (a->kind == EXPR_INT)
		text = str_of(a->is_negative ? arena_printf(f->arena, "%lld", (long long)a->number)
					     : arena_printf(f->arena, "%llu",
							    (unsigned long long)a->number));
	else
		return;
	if (n && !n->is_negative)
		text.n = MIN(text.n, n->number);
	set_string(e, text);
}

static void fold_index(struct expr *e)
{
	struct str s = e->a->text;
	uint64_t i = e->b->number;

	if (e->a->kind != EXPR_STRING || e->b->kind != EXPR_INT || e->b->is_negative || i > s.n)
		return;
	literal_set_int(e, i < s.n ? (uint64_t)(signed char)s.p[i] : 0, false);
}

/* A part of a literal tuple or record stands for itself. */
static void fold_part(struct expr **at)
{
	struct expr *e = *at, *a = e->a;

	if (e->kind == EXPR_TUPLE_AT && a->kind == EXPR_TUPLE && is_literal(a)) {
		if (e->number < a->items.n)
			*at = a->items.p[e->number];
	} else if (e->kind == EXPR_FIELD && a->kind == EXPR_RECORD && is_literal(a)) {
		const struct expr *item = record_item(a, e->name);

		for (size_t i = 0; item && i < a->items.n; i++)
			if (a->items.p[i] == item)
				*at = a->items.p[i];
	}
}

static void fold_if(struct expr **at)
{
	struct expr *e = *at;

	if (!is_scalar(e->a))
		return;
	if (is_literal(e->b) && is_literal(e->c))
		*at = truth(e->a) ? e->b : e->c;
	else
		literal_set_bool(e->a, truth(e->a));
}

/* { 5 } is 5. */
static void fold_block(struct expr **at)
{
	const struct block *b = (*at)->block;

	if (!b->stmts.n && b->value && (is_literal(b->value) || b->value->kind == EXPR_TUPLE))
		*at = b->value;
}

static void leave(struct walk *w, struct expr **at)
{
	struct expr *e = *at;

	if (e->kind == EXPR_BINARY)
		fold_binary(w->ctx, e);
	else if (e->kind == EXPR_UNARY)
		fold_unary(w->ctx, at);
	else if (e->kind == EXPR_CALL)
		fold_str(w->ctx, e);
	else if (e->kind == EXPR_INDEX)
		fold_index(e);
	else if (e->kind == EXPR_TUPLE_AT || e->kind == EXPR_FIELD)
		fold_part(at);
	else if (e->kind == EXPR_IF)
		fold_if(at);
	else if (e->kind == EXPR_BLOCK)
		fold_block(at);
	else if (e->kind == EXPR_COMPTIME && (is_literal(e->a) || e->a->kind == EXPR_COMPTIME))
		*at = e->a;
}

/* Is it comptime, and known?  Then *ret says what it is. */
static bool is_known(struct walk *w, struct expr *condition, bool *ret)
{
	if (condition->kind != EXPR_COMPTIME)
		return false;
	walk_expr(w, &condition->a);
	if (!is_scalar(condition->a))
		return false;
	*ret = truth(condition->a);
	return true;
}

static bool enter(struct walk *w, struct expr **at)
{
	bool holds;

	while ((*at)->kind == EXPR_IF && is_known(w, (*at)->a, &holds))
		*at = holds ? (*at)->b : (*at)->c;
	return true;
}

static void enter_stmt(struct walk *w, struct stmt *s)
{
	struct folder *f = w->ctx;
	bool holds;

	if (s->kind != STMT_IF || !is_known(w, s->a, &holds))
		return;
	s->kind = STMT_BLOCK;
	s->a = NULL;
	s->block = holds ? s->block : s->other;
	s->other = NULL;
	if (!s->block) {
		s->block = arena_new(f->arena, struct block);
		s->block->span = s->span;
		s->block->height = 1;
	}
}

static void leave_stmt(struct walk *w, struct stmt *s)
{
	(void)w;
	if (s->kind == STMT_IF && is_scalar(s->a))
		literal_set_bool(s->a, truth(s->a));
}

/* Nothing is left of a comptime if without its branch. */
static void leave_block(struct walk *w, struct block *b)
{
	size_t n = 0;

	(void)w;
	for (size_t i = 0; i < b->stmts.n; i++) {
		struct stmt *s = b->stmts.p[i];

		if (s->kind != STMT_EXPR || s->a->kind != EXPR_NONE)
			b->stmts.p[n++] = s;
	}
	b->stmts.n = n;
	if (b->value && b->value->kind == EXPR_NONE)
		b->value = NULL;
}

struct expr *fold_expression(struct diags *d, struct expr *e)
{
	struct folder f = {d, d->arena};
	struct walk w = {enter, leave, enter_stmt, leave_stmt, leave_block, &f};

	walk_expr(&w, &e);
	return e;
}

void fold_program(struct diags *d, struct program *p)
{
	struct folder f = {d, d->arena};
	struct walk w = {enter, leave, enter_stmt, leave_stmt, leave_block, &f};

	walk_program(&w, p, false);
}
