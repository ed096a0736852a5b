/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scratch variables: where each is declared, and what it is before it has a value.
 *
 * A variable lives in the block where it is declared or first assigned, and in the blocks
 * inside.  Two of one name may not be visible at once.  The body of a for loop becomes a
 * function of its own, so variables that it shares with the outside are marked.
 */
#include "compile/lang/bpftrace/check-rules.h"

static struct var_info *find(struct check *c, const char *name)
{
	uint64_t hash = str_hash(str_of(name));

	for (struct scope *s = c->scope; s; s = s->outer)
		for (struct var_info *v = map_get(&s->names, hash); v; v = v->same)
			if (!strcmp(v->v.name, name))
				return v;
	return NULL;
}

static void scope_leave(struct check *c)
{
	map_done(&c->scope->names);
	c->scope = c->scope->outer;
}

static struct var_info *declare(struct check *c, const char *name, struct span span, int origin)
{
	struct var_info *v = arena_new(c->a, struct var_info);

	v->v.name = name;
	v->v.span = span;
	v->origin = origin;
	v->origin_span = span;
	v->was_assigned = origin != ORIGIN_LET;
	v->v.is_loop = origin == ORIGIN_LOOP;
	v->depth = c->loops;
	v->same = map_put(&c->scope->names, str_hash(str_of(name)), v);
	array_push(c->a, &c->scope->vars, v);
	array_push(c->a, &c->vars, v);
	return v;
}

static void note_origin(struct check *c, const struct var_info *v)
{
	static const char *const texts[] = {
		[ORIGIN_LET] = "This is the initial declaration.",
		[ORIGIN_ASSIGN] = "This is the initial assignment.",
		[ORIGIN_PARAM] = "This is the function parameter.",
		[ORIGIN_LOOP] = "This is the loop variable.",
	};

	diag_context(c->d, v->origin_span, "%s", texts[v->origin]);
}

static void vars_in_expr(struct check *c, struct expr *e);
static void vars_in_block(struct check *c, struct block *b);

static void vars_in_ref(struct check *c, struct type_ref *r)
{
	if (!r)
		return;
	c->meta++;
	vars_in_expr(c, r->of);
	vars_in_ref(c, r->of_type);
	c->meta--;
}

/* The nearest name that is visible here, for "did you mean". */
static void hint_variable(struct check *c, const char *name)
{
	ARRAY(const char *) names = {};

	if (c->d->is_repeated)
		return;
	for (struct scope *s = c->scope; s; s = s->outer)
		for (size_t i = 0; i < s->vars.n; i++)
			array_push(c->a, &names, s->vars.p[i]->v.name);
	array_push(c->a, &names, NULL);
	if (hint_near(c, name, names.p))
		return;
	for (size_t i = c->first_var; i < c->vars.n; i++)
		if (!strcmp(c->vars.p[i]->v.name, name)) {
			diag_hint(c->d,
				  "The %s above lives in its own block; `let %s;` before "
				  "that makes one for both",
				  name, name);
			return;
		}
}

static void use_variable(struct check *c, struct expr *e, bool takes_address)
{
	struct var_info *v = find(c, e->name);

	if (!v) {
		diag(c->d, D_UNDECLARED, e->span, "Undefined or undeclared variable: %s", e->name);
		hint_variable(c, e->name);
		/* One mistake, one message; the type stays unknown. */
		v = declare(c, e->name, e->span, ORIGIN_ASSIGN);
	}
	if (takes_address) {
		v->was_assigned = true;
		v->v.is_address_taken = true;
	} else if (!v->was_assigned && !c->meta) {
		diag_warn(c->d, D_UNASSIGNED, e->span, "Variable used before it was assigned: %s",
			  e->name);
	}
	if (v->depth < c->loops && !c->meta)
		v->v.is_captured = true;
	e->var = &v->v;
}

/* find(@m, key, $x) assigns. */
static void found_variable(struct check *c, struct expr *e)
{
	struct var_info *v;

	if (e->kind != EXPR_VAR) {
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "find() expects a variable, which gets the value that it finds");
		return;
	}
	v = find(c, e->name);
	if (!v)
		v = declare(c, e->name, e->span, ORIGIN_ASSIGN);
	v->was_assigned = true;
}

static void vars_in_expr(struct check *c, struct expr *e)
{
	bool is_meta;

	if (!e)
		return;
	if (e->kind == EXPR_VAR) {
		use_variable(c, e, false);
		return;
	}
	if (e->kind == EXPR_ADDRESS && e->a->kind == EXPR_VAR) {
		use_variable(c, e->a, true);
		return;
	}
	is_meta = e->kind == EXPR_SIZEOF || e->kind == EXPR_OFFSETOF || e->kind == EXPR_TYPEINFO;
	c->meta += is_meta;
	vars_in_expr(c, e->a);
	vars_in_expr(c, e->b);
	vars_in_expr(c, e->c);
	vars_in_ref(c, e->ref);
	for (size_t i = 0; i < e->items.n; i++) {
		if (e->kind == EXPR_CALL && e->builtin && e->builtin->id == BUILTIN_FIND && i == 2)
			found_variable(c, e->items.p[i]);
		vars_in_expr(c, e->items.p[i]);
	}
	if (e->block)
		vars_in_block(c, e->block);
	c->meta -= is_meta;
}

static void let_variable(struct check *c, struct stmt *s)
{
	struct span span = s->op_span.end ? s->op_span : s->a->span;
	struct var_info *v;

	vars_in_expr(c, s->b);
	vars_in_ref(c, s->ref);
	v = find(c, s->a->name);
	if (v) {
		diag(c->d, D_REDECLARED, span,
		     "Variable %s was already declared. Variable shadowing is not allowed.",
		     s->a->name);
		note_origin(c, v);
	} else {
		v = declare(c, s->a->name, span, ORIGIN_LET);
	}
	v->v.is_declared = s->ref != NULL;
	if (s->b)
		v->was_assigned = true;
	s->a->var = &v->v;
}

static void assign_variable(struct check *c, struct stmt *s)
{
	struct var_info *v;

	vars_in_expr(c, s->b);
	v = find(c, s->a->name);
	if (!v)
		v = declare(c, s->a->name, s->span, ORIGIN_ASSIGN);
	v->was_assigned = true;
	if (v->depth < c->loops)
		v->v.is_captured = true;
	s->a->var = &v->v;
}

static void loop_variable(struct check *c, struct stmt *s)
{
	struct var_info *v = find(c, s->a->name);
	struct scope scope = {};

	if (v) {
		diag(c->d, D_REDECLARED, s->a->span,
		     "Loop declaration shadows existing variable: %s", s->a->name);
		note_origin(c, v);
	}
	vars_in_expr(c, s->b);
	vars_in_expr(c, s->c);

	scope.outer = c->scope;
	c->scope = &scope;
	c->loops++;
	s->a->var = &declare(c, s->a->name, s->a->span, ORIGIN_LOOP)->v;
	vars_in_block(c, s->block);
	c->loops--;
	scope_leave(c);
}

static void vars_in_stmt(struct check *c, struct stmt *s)
{
	switch (s->kind) {
	case STMT_LET:
		let_variable(c, s);
		return;
	case STMT_ASSIGN_VAR:
		assign_variable(c, s);
		return;
	case STMT_FOR_MAP:
	case STMT_FOR_RANGE:
		loop_variable(c, s);
		return;
	case STMT_EXPR:
	case STMT_ASSIGN_MAP:
	case STMT_DISCARD:
	case STMT_IF:
	case STMT_WHILE:
	case STMT_UNROLL:
	case STMT_BREAK:
	case STMT_CONTINUE:
	case STMT_RETURN:
	case STMT_BLOCK:
	case STMT_IMPORT:
		break;
	}
	vars_in_expr(c, s->a);
	vars_in_expr(c, s->b);
	if (s->block)
		vars_in_block(c, s->block);
	if (s->other)
		vars_in_block(c, s->other);
}

static void vars_in_block(struct check *c, struct block *b)
{
	struct scope scope = {.outer = c->scope};

	c->scope = &scope;
	for (size_t i = 0; i < b->stmts.n; i++)
		vars_in_stmt(c, b->stmts.p[i]);
	vars_in_expr(c, b->value);
	scope_leave(c);
}

static void vars_in_fn(struct check *c, struct fn *f)
{
	struct scope scope = {};

	c->scope = &scope;
	/* typeof() in one may name any of the others. */
	for (size_t i = 0; i < f->params.n; i++) {
		struct fn_param *p = &f->params.p[i];

		p->var = &declare(c, p->name, p->span, ORIGIN_PARAM)->v;
		p->var->is_declared = true;
	}
	for (size_t i = 0; i < f->params.n; i++)
		vars_in_ref(c, f->params.p[i].ref);
	vars_in_ref(c, f->result);
	vars_in_block(c, f->block);
	scope_leave(c);
}

void check_variables(struct check *c)
{
	struct scope scope = {};

	for (size_t i = 0; i < c->p->fns.n; i++)
		vars_in_fn(c, c->p->fns.p[i]);
	for (size_t i = 0; i < c->ret->probes.n; i++) {
		scope = (struct scope){};
		c->scope = &scope;
		c->first_var = c->vars.n;
		vars_in_expr(c, c->ret->probes.p[i].probe->predicate);
		vars_in_block(c, c->ret->probes.p[i].probe->block);
		scope_leave(c);
	}
	for (size_t i = 0; i < c->vars.n; i++)
		if (!c->vars.p[i]->was_assigned)
			diag_warn(c->d, D_UNASSIGNED, c->vars.p[i]->origin_span,
				  "Variable %s was never assigned to.", c->vars.p[i]->v.name);
}
