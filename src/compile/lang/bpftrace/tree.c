/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small truths about trees: how high they are, and what a block is whose value nobody
 * wants.
 *
 * Every phase walks the tree by recursion, so its height is bounded: nodes carry it, and
 * who builds one (parser, macros) measures it from its children.
 */
#include "compile/lang/bpftrace/tree.h"

static uint16_t higher(uint16_t a, size_t b)
{
	return b > UINT16_MAX - 1 ? UINT16_MAX - 1 : MAX(a, (uint16_t)b);
}

static uint16_t height_of(const struct expr *e)
{
	return e ? e->height : 0;
}

static uint16_t ref_height(const struct type_ref *ref)
{
	uint16_t h = 0;

	for (; ref; ref = ref->of_type) {
		h = higher(h, height_of(ref->of) + 1u);
		for (size_t i = 0; i < ref->suffixes.n; i++)
			h = higher(h, height_of(ref->suffixes.p[i].n_expr) + 1u);
	}
	return h;
}

void expr_measure(struct expr *e)
{
	uint16_t h = ref_height(e->ref);

	h = higher(h, height_of(e->a));
	h = higher(h, height_of(e->b));
	h = higher(h, height_of(e->c));
	for (size_t i = 0; i < e->items.n; i++)
		h = higher(h, height_of(e->items.p[i]));
	if (e->block)
		h = higher(h, e->block->height);
	e->height = higher(0, h + 1u);
}

void stmt_measure(struct stmt *s)
{
	uint16_t h = ref_height(s->ref);

	h = higher(h, height_of(s->a));
	h = higher(h, height_of(s->b));
	h = higher(h, height_of(s->c));
	if (s->block)
		h = higher(h, s->block->height);
	if (s->other)
		h = higher(h, s->other->height);
	s->height = higher(0, h + 1u);
}

void block_measure(struct block *b)
{
	uint16_t h = height_of(b->value);

	for (size_t i = 0; i < b->stmts.n; i++)
		h = higher(h, b->stmts.p[i]->height);
	b->height = higher(0, h + 1u);
}

/* --- expressions that stand as statements */

/* The branch of an if: a block, or a block around another if; NULL: nothing. */
static struct block *branch_block(struct arena *a, struct expr *e)
{
	struct block *b;

	if (e->kind == EXPR_NONE)
		return NULL;
	if (e->kind == EXPR_BLOCK) {
		block_drop_value(a, e->block);
		return e->block;
	}
	b = arena_new(a, struct block);
	b->span = e->span;
	array_push(a, &b->stmts, stmt_of_expr(a, e));
	block_measure(b);
	return b;
}

struct stmt *stmt_of_expr(struct arena *a, struct expr *e)
{
	struct stmt *s = arena_new(a, struct stmt);

	*s = (struct stmt){.kind = STMT_EXPR, .span = e->span, .op_span = e->span, .a = e};
	if (e->kind == EXPR_IF && e->b->kind == EXPR_BLOCK) {
		s->kind = STMT_IF;
		s->a = e->a;
		s->block = branch_block(a, e->b);
		s->other = branch_block(a, e->c);
	} else if (e->kind == EXPR_BLOCK) {
		s->kind = STMT_BLOCK;
		s->a = NULL;
		s->block = branch_block(a, e);
	}
	stmt_measure(s);
	return s;
}

void block_drop_value(struct arena *a, struct block *b)
{
	struct expr *e = b->value;

	b->value = NULL;
	if (e)
		array_push(a, &b->stmts, stmt_of_expr(a, e));
	block_measure(b);
}
