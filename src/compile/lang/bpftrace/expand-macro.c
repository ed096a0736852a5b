/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Macros: a call becomes a block, with the arguments where the parameters stand.
 *
 * Hygiene: a macro sees nothing of its caller but what it is given.  A map must be passed
 * to it; a variable that it assigns is its own, and gets a name that nobody can write
 * ($$macro_$x); one passed as "$x" is the caller's, under the caller's name.  An
 * expression that is passed was expanded where it was written and is copied as it is, so
 * the names in it keep the caller's meaning.  A variable or map that is passed as an
 * expression is wrapped into a block: its value, not the thing.
 *
 * A macro may call others but not itself.  Macros that double their argument may grow a
 * tree beyond all bounds: expand_has_room() ends that.
 */
#include "compile/lang/bpftrace/macros.h"

enum { MACRO_DEPTH = 100 };

static void macro_block(struct frame *f, struct block *b);

/* --- names */

static const struct binding *binding_find(const struct frame *f, const char *param)
{
	for (size_t i = 0; i < f->bound.n; i++)
		if (!strcmp(f->bound.p[i].param, param))
			return &f->bound.p[i];
	return NULL;
}

const struct expr *frame_value(const struct frame *f, const char *param)
{
	const struct binding *b = binding_find(f, param);

	return b ? b->value : NULL;
}

static bool is_own(const struct frame *f, const char *name)
{
	for (size_t i = 0; i < f->renamed.n; i++)
		if (!strcmp(f->renamed.p[i], name))
			return true;
	return false;
}

static void make_own(struct frame *f, const char *name)
{
	if (f->macro && !binding_find(f, name) && !is_own(f, name))
		array_push(f->x->arena, &f->renamed, name);
}

static void macro_var(struct frame *f, struct expr *e)
{
	const struct binding *b = binding_find(f, e->name);

	if (b)
		e->name = b->name;
	else if (is_own(f, e->name) && f->depth > 1)
		e->name =
			arena_printf(f->x->arena, "$$%s_%u_%s", f->macro->name, f->depth, e->name);
	else if (is_own(f, e->name))
		e->name = arena_printf(f->x->arena, "$$%s_%s", f->macro->name, e->name);
}

static void macro_map(struct frame *f, struct expr *e)
{
	const struct binding *b = binding_find(f, e->name);

	if (b)
		e->name = b->name;
	else if (f->macro)
		diag(f->x->d, D_MACRO, e->span,
		     "Unhygienic access to map: %s. Maps must be passed into the macro as "
		     "arguments.",
		     e->name);
}

/* --- one call */

static struct expr *block_expr(struct expand *x, struct block *b, struct span span)
{
	struct expr *e = arena_new(x->arena, struct expr);

	*e = (struct expr){.kind = EXPR_BLOCK, .span = span, .op_span = span, .block = b};
	expr_measure(e);
	return e;
}

/* The value of a variable or map: a block around it. */
static const struct expr *as_value(struct expand *x, struct expr *e, struct span span)
{
	struct block *b;

	if (e->kind != EXPR_VAR && e->kind != EXPR_MAP)
		return e;
	b = arena_new(x->arena, struct block);
	b->span = span;
	b->value = e;
	block_measure(b);
	return block_expr(x, b, span);
}

static void bind(struct frame *f, const struct expr *call)
{
	for (size_t i = 0; i < f->macro->params.n; i++) {
		const struct macro_param *p = &f->macro->params.p[i];
		struct binding b = {.param = p->name};

		if (p->kind == MACRO_EXPR)
			b.value = as_value(f->x, call->items.p[i], call->span);
		else
			b.name = call->items.p[i]->name;
		array_push(f->x->arena, &f->bound, b);
	}
}

static void print_chain(struct buf *to, const struct frame *f, const struct macro *again)
{
	if (f->macro != again)
		print_chain(to, f->outer, again);
	buf_printf(to, "%s > ", f->macro->name);
}

/* Is the macro being expanded already?  Then an error was recorded. */
static bool is_recursive(const struct frame *f, const struct macro *m, const struct expr *e)
{
	const struct frame *at = f;
	struct buf chain = {};

	while (at && at->macro != m)
		at = at->outer;
	if (!at && f->depth < MACRO_DEPTH)
		return false;
	if (at) {
		print_chain(&chain, f, m);
		diag(f->x->d, D_MACRO, e->span, "Recursive macro call detected. Call chain: %s%s",
		     chain.p, m->name);
	} else {
		diag(f->x->d, D_MACRO, e->span, "macros are nested too deeply");
	}
	buf_done(&chain);
	return true;
}

/* --- places within an expansion say where it was called */

static void mark_ref(struct type_ref *r, uint32_t file)
{
	for (; r; r = r->of_type)
		r->span.file = file;
}

static bool mark_expr(struct walk *w, struct expr **at)
{
	uint32_t file = *(uint32_t *)w->ctx;

	(*at)->span.file = (*at)->op_span.file = file;
	mark_ref((*at)->ref, file);
	return true;
}

static void mark_stmt(struct walk *w, struct stmt *s)
{
	uint32_t file = *(uint32_t *)w->ctx;

	s->span.file = s->op_span.file = file;
	mark_ref(s->ref, file);
}

static void mark_block(struct walk *w, struct block *b)
{
	b->span.file = *(uint32_t *)w->ctx;
}

static void mark_expansion(struct expand *x, struct block *b, struct span call)
{
	uint32_t file = diag_source_expansion(x->d, b->span.file, call);
	struct walk w = {
		.enter = mark_expr, .stmt = mark_stmt, .left_block = mark_block, .ctx = &file};

	walk_block(&w, b);
}

static void expand_call(struct frame *f, struct expr **at)
{
	const struct macro *m = macro_find(f->table, f->x, *at);
	struct frame in = {.x = f->x, .table = f->table, .macro = m, .outer = f};
	struct block *b;

	if (!m || is_recursive(f, m, *at) || !expand_has_room(f->x, (*at)->span))
		return;
	in.depth = f->depth + 1;
	bind(&in, *at);
	b = block_clone(f->x->arena, m->block);
	mark_expansion(f->x, b, (*at)->span);
	macro_block(&in, b);
	*at = block_expr(f->x, b, b->span);
}

/* --- expressions */

/* A bare word: a parameter, or a macro without any. */
static void macro_word(struct frame *f, struct expr **at)
{
	const struct expr *value = frame_value(f, (*at)->name);

	if (!value)
		expand_call(f, at);
	else if (expand_has_room(f->x, (*at)->span))
		*at = expr_clone(f->x->arena, value);
}

static void macro_children(struct frame *f, struct expr *e)
{
	if (e->kind == EXPR_SIZEOF || e->kind == EXPR_TYPEINFO || e->kind == EXPR_OFFSETOF)
		macro_type_or_expr(f, &e->ref, &e->a);
	else
		macro_ref(f, e->ref);
	if (e->kind == EXPR_OFFSETOF)
		macro_offsetof_path(f, e);
	else if (e->kind != EXPR_SIZEOF && e->kind != EXPR_TYPEINFO)
		macro_expr(f, &e->a);
	macro_expr(f, &e->b);
	macro_expr(f, &e->c);
	for (size_t i = 0; i < e->items.n; i++)
		macro_expr(f, &e->items.p[i]);
	macro_block(f, e->block);
}

void macro_expr(struct frame *f, struct expr **at)
{
	struct expr *e = *at;

	if (!e || f->x->is_too_big)
		return;
	if (e->kind == EXPR_IDENT) {
		macro_word(f, at);
	} else {
		macro_children(f, e);
		if (e->kind == EXPR_VAR)
			macro_var(f, e);
		else if (e->kind == EXPR_MAP)
			macro_map(f, e);
		else if (e->kind == EXPR_CALL)
			expand_call(f, at);
	}
	expr_measure(*at);
	expand_check_height(f->x, *at);
}

/* --- statements */

static void macro_let(struct frame *f, struct stmt *s)
{
	const char *name = s->a->name;

	if (f->macro && binding_find(f, name)) {
		diag(f->x->d, D_MACRO, s->op_span, "Variable declaration shadows macro arg %s",
		     name);
		return;
	}
	make_own(f, name);
	macro_ref(f, s->ref);
	macro_expr(f, &s->a);
	macro_expr(f, &s->b);
}

static void macro_stmt(struct frame *f, struct stmt **at)
{
	struct stmt *s = *at;
	bool was_block = s->a && s->a->kind == EXPR_BLOCK;
	struct span span = s->span;

	if (s->kind == STMT_LET) {
		macro_let(f, s);
	} else {
		if (s->kind == STMT_ASSIGN_VAR)
			make_own(f, s->a->name);
		macro_expr(f, &s->a);
		macro_expr(f, &s->b);
		macro_expr(f, &s->c);
		macro_block(f, s->block);
		macro_block(f, s->other);
	}
	if (s->kind == STMT_EXPR && !was_block && s->a->kind == EXPR_BLOCK) {
		*at = s = stmt_of_expr(f->x->arena, s->a);
		s->span = s->op_span = span;
	}
	stmt_measure(s);
}

static void macro_block(struct frame *f, struct block *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->stmts.n && !f->x->is_too_big; i++)
		macro_stmt(f, &b->stmts.p[i]);
	macro_expr(f, &b->value);
	block_measure(b);
}

/* --- the program */

/* typeof() as an argument that no macro took. */
static bool enter(struct walk *w, struct expr **at)
{
	struct expand *x = w->ctx;

	if ((*at)->kind == EXPR_CALL && !strcmp((*at)->name, "container_of"))
		return false;
	if ((*at)->kind == EXPR_TYPE)
		diag(x->d, D_MACRO, (*at)->span,
		     "When used as a call argument, `typeof` builtin only valid for macro calls "
		     "that are expecting a type parameter");
	return true;
}

void expand_macros(struct expand *x)
{
	struct macro_table table;
	struct walk types = {.enter = enter, .ctx = x};
	struct frame f = {.x = x, .table = &table};

	macro_table_init(&table, x);
	for (size_t i = 0; i < x->p->fns.n; i++) {
		for (size_t k = 0; k < x->p->fns.p[i]->params.n; k++)
			macro_ref(&f, x->p->fns.p[i]->params.p[k].ref);
		macro_ref(&f, x->p->fns.p[i]->result);
		macro_block(&f, x->p->fns.p[i]->block);
	}
	for (size_t i = 0; i < x->p->probes.n; i++) {
		macro_expr(&f, &x->p->probes.p[i]->predicate);
		macro_block(&f, x->p->probes.p[i]->block);
	}
	walk_program(&types, x->p, false);
	macro_table_done(&table);
	x->p->macros.n = 0;
}
