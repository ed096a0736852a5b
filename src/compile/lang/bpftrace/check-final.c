/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left to be asked when all types are known; then the types are written into the
 * tree.
 */
#include "compile/lang/bpftrace/check-rules.h"

struct final {
	struct visit w; /* first */
	struct check *c;
	unsigned int for_loops;
};

/* --- maps */

static const char *map_kind_word(int kind)
{
	static const char *const words[] = {
		[MAPKIND_AUTO] = "hash",
		[MAPKIND_HASH] = "hash",
		[MAPKIND_LRU] = "lruhash",
		[MAPKIND_PERCPU] = "percpuhash",
		[MAPKIND_PERCPU_LRU] = "percpulruhash",
	};

	return words[kind];
}

static void check_map_kind(struct check *c, const struct expr *e, const struct map_info *m,
			   const struct type *value)
{
	bool is_percpu = m->d.kind == MAPKIND_PERCPU || m->d.kind == MAPKIND_PERCPU_LRU;

	if (m->d.kind == MAPKIND_AUTO || is_percpu == type_is_agg(value))
		return;
	diag(c->d, D_MAP_KIND, e->span,
	     "Incompatible map types. Type from declaration: %s. Type from value/key type: %s",
	     map_kind_word(m->d.kind), type_is_agg(value) ? "percpuhash" : "hash");
	diag_hint(c->d, "Declare it as %s%s(N)", type_is_agg(value) ? "percpu" : "",
		  m->d.kind == MAPKIND_LRU || m->d.kind == MAPKIND_PERCPU_LRU ? "lruhash" : "hash");
}

static void final_map(struct check *c, struct expr *e)
{
	struct map_info *m = map_of(e->map);
	const struct type *value = slot_type(c, &m->value), *key = slot_type(c, &m->key);

	m->d.is_used = true;
	if (value->kind == TYPE_NONE || key->kind == TYPE_NONE) {
		ARRAY(const char *) names = {};

		diag(c->d, D_MAP_UNDEFINED, e->span, "Undefined map: %s", m->d.name);
		for (size_t i = 0; i < c->maps.n; i++)
			if (c->maps.p[i] != m)
				array_push(c->a, &names, c->maps.p[i]->d.name);
		array_push(c->a, &names, NULL);
		if (strlen(m->d.name) > 3)
			hint_near(c, m->d.name, names.p);
		return;
	}
	check_map_kind(c, e, m, value);
}

static void needs_percpu_lookup(struct check *c, const struct expr *e, const struct type *value)
{
	if (is_castable(value) && !world_has(c->o->world, WORLD_MAP_LOOKUP_PERCPU))
		diag(c->d, D_FEATURE, e->span,
		     "Missing required kernel feature: map_lookup_percpu_elem");
}

static void check_key(struct check *c, const struct expr *key, const struct type *t)
{
	if (t->kind == TYPE_POINTER && t->is_ctx)
		diag(c->d, D_MAP_KEY, key->span, "context cannot be part of a map key");
	if (type_is_agg(t) && !is_castable(t))
		diag(c->d, D_MAP_KEY, key->span, "%s cannot be part of a map key", type_str(c, t));
	for (uint32_t i = 0; t->kind == TYPE_TUPLE && i < t->n_members; i++)
		check_key(c, key, t->members[i].type);
}

static void final_map_access(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->b);

	if (!e->is_target)
		needs_percpu_lookup(c, e, slot_type(c, &map_of(e->a->map)->value));
	if (t->kind == TYPE_NONE || t->kind == TYPE_VOID)
		diag(c->d, D_MAP_KEY, e->b->span, "Invalid map key type: %s", type_str(c, t));
	else
		check_key(c, e->b, t);
}

/* --- operators */

static void final_binary(struct check *c, struct expr *e)
{
	const struct type *a = expr_type(c, e->a), *b = expr_type(c, e->b);
	const char *left, *right;
	bool is_equal = e->op == OP_EQ || e->op == OP_NE;

	if ((is_castable(a) || type_is_int(a)) && (is_castable(b) || type_is_int(b)))
		return;
	if (a->kind == TYPE_POINTER || b->kind == TYPE_POINTER || a->kind == TYPE_NONE ||
	    b->kind == TYPE_NONE)
		return;
	left = type_str(c, a);
	right = type_str(c, b);
	if (a->kind == TYPE_ARRAY && b->kind == TYPE_ARRAY) {
		if (!is_equal)
			diag(c->d, D_OPERATOR, e->span, "The %s operator cannot be used on arrays.",
			     op_text(e->op));
		if (a->n != b->n)
			diag(c->d, D_OPERATOR, e->span,
			     "Only arrays of same size support comparison operators.");
		if (!is_integer(a->of) || !type_same(a, b))
			diag(c->d, D_OPERATOR, e->span,
			     "Only arrays of same sized integer support comparison operators.");
	} else if (!type_compatible(a, b)) {
		diag(c->d, D_TYPE_MISMATCH, e->span, "Type mismatch for '%s': comparing %s with %s",
		     op_text(e->op), left, right);
		diag_context(c->d, e->a->span, "left (%s)", left);
		diag_context(c->d, e->b->span, "right (%s)", right);
	} else if (!is_equal) {
		diag(c->d, D_OPERATOR, e->span,
		     "The %s operator can not be used on expressions of types %s, %s",
		     op_text(e->op), left, right);
	}
}

static void check_condition(struct check *c, struct span span, struct expr *cond)
{
	const struct type *t = expr_type(c, cond);

	/* Text that is known is true if there is any. */
	if (cond->kind == EXPR_STRING) {
		cond->kind = EXPR_BOOL;
		cond->number = cond->text.n > 0;
		cond->type = slot_expr(c, cond)->type = &type_bool;
		return;
	}
	if (!is_integer(t) && t->kind != TYPE_POINTER && t->kind != TYPE_BOOL)
		diag(c->d, D_CONDITION, span, "Invalid condition: %s", kind_str(t));
}

/* If one branch has a value, so must the other. */
static void check_branches(struct check *c, struct expr *e)
{
	const struct type *left = expr_type(c, e->b), *right = expr_type(c, e->c);

	if ((left->kind == TYPE_NONE) != (right->kind == TYPE_NONE) && left->kind != TYPE_VOID &&
	    right->kind != TYPE_VOID)
		diag(c->d, D_TYPE_MISMATCH, e->span,
		     "Branches must return the same type or compatible types: have '%s' and '%s'",
		     type_str(c, left), type_str(c, right));
}

static void final_index(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->a), *index = expr_type(c, e->b);
	uint64_t room = t->kind == TYPE_ARRAY ? t->n : is_string(t) ? string_size(t) : 0;

	if (t->kind == TYPE_POINTER && !type_complete(c->tt, t->of)->size)
		diag(c->d, D_INDEX, e->span,
		     "The array index operator [] cannot be used on a pointer to an unsized type "
		     "(void *).");
	if (e->b->kind == EXPR_INT && !e->b->is_negative) {
		if (room && e->b->number >= room)
			diag(c->d, D_INDEX, e->span,
			     "the index %llu is out of bounds for array of size %llu",
			     (unsigned long long)e->b->number, (unsigned long long)room);
	} else if (!is_integer(index) || (index->is_signed && !index->is_sign_flexible)) {
		diag(c->d, D_INDEX, e->span,
		     "The array index operator [] only accepts non-negative integer indices. Got: "
		     "%s",
		     type_str(c, index));
	}
}

static void final_tuple_at(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->a);

	if (t->kind != TYPE_TUPLE)
		diag(c->d, D_INDEX, e->span,
		     "Can not access index '%llu' on expression of type '%s'",
		     (unsigned long long)e->number, type_str(c, t));
	else if (e->number >= t->n_members)
		diag(c->d, D_INDEX, e->span,
		     "Invalid tuple index: %llu. Found %u elements in tuple.",
		     (unsigned long long)e->number, t->n_members);
}

/* A pointer to a pointer to a struct: all but the last are read here. */
static void final_field(struct check *c, struct expr *e)
{
	const struct type *t = expr_type(c, e->a);

	if (t->kind == TYPE_STRUCT && t->is_tracepoint_ctx && e->member && e->member_offset < 8)
		diag(c->d, D_UNKNOWN_FIELD, e->span,
		     "BPF does not support accessing common tracepoint fields");
	while (t->kind == TYPE_POINTER && t->of->kind == TYPE_POINTER) {
		struct expr *read = arena_new(c->a, struct expr);
		const struct type *of = type_in_space(c, t->of, t->space);

		*read = (struct expr){.kind = EXPR_UNARY,
				      .op = OP_DEREF,
				      .span = e->a->span,
				      .op_span = e->a->span,
				      .a = e->a};
		slot_expr(c, read)->type = read->type = of;
		e->a = read;
		t = of;
	}
}

static void final_items(struct check *c, struct expr *e)
{
	for (size_t i = 0; i < e->items.n; i++)
		if (is_multi(expr_type(c, e->items.p[i])))
			diag(c->d, D_AGGREGATION, e->items.p[i]->span,
			     "Map type %s cannot exist inside a %s.",
			     type_str(c, expr_type(c, e->items.p[i])),
			     e->kind == EXPR_RECORD ? "record" : "tuple");
}

static void final_ident(struct check *c, struct expr *e)
{
	ARRAY(const char *) names = {};

	diag(c->d, D_UNKNOWN_NAME, e->span, "Unknown identifier: '%s'", e->name);
#define B_VARIABLE 1
#define B_PURE	   0
#define B_UNSAFE   0
#define B_MAP_ARG  0
#define B_AGG	   0
#define B_FORMAT   0
#define B_VOID	   0
#define BUILTIN(id, word, min, max, flags, help) \
	if (flags)                               \
		array_push(c->a, &names, word);
#include "catalog/builtins.def"
#undef BUILTIN
	array_push(c->a, &names, NULL);
	hint_near(c, e->name, names.p);
}

static void final_loop_builtin(struct final *f, struct expr *e)
{
	enum builtin_id id = e->builtin->id;

	if (!f->for_loops)
		return;
	if (id == BUILTIN_ARG)
		diag(f->c->d, D_NOT_HERE, e->span, "'arg%llu' builtin is not allowed in a for-loop",
		     (unsigned long long)e->number);
	else if (id == BUILTIN_RETVAL)
		diag(f->c->d, D_NOT_HERE, e->span,
		     "'__builtin_retval' builtin is not allowed in a for-loop");
	else if ((id == BUILTIN_CTX || id == BUILTIN_ARGS) && expr_type(f->c, e)->is_ctx)
		diag(f->c->d, D_NOT_HERE, e->span, "'%s' builtin is not allowed in a for-loop",
		     e->builtin->name);
}

/* --- the walk */

static void needs_value(struct check *c, struct expr *e)
{
	if (e && (e->kind == EXPR_IF || e->kind == EXPR_BLOCK) &&
	    expr_type(c, e)->kind == TYPE_NONE)
		diag(c->d, D_TYPE_MISMATCH, e->span, "Expected a value, this has none");
}

/* A block, or an if, may be without a value: as a statement, but not as an operand. */
static void final_operands(struct check *c, struct expr *e)
{
	switch ((int)e->kind) {
	case EXPR_BINARY:
	case EXPR_INDEX:
		needs_value(c, e->b);
		needs_value(c, e->a);
		break;
	case EXPR_UNARY:
	case EXPR_FIELD:
		needs_value(c, e->a);
		break;
	}
}

static void final_expr(struct visit *w, struct expr *e)
{
	struct final *f = (struct final *)w;
	struct check *c = f->c;

	final_operands(c, e);
	switch ((int)e->kind) {
	case EXPR_IDENT:
		final_ident(c, e);
		break;
	case EXPR_CALL:
		if (e->builtin)
			final_loop_builtin(f, e);
		check_final_call(c, e);
		break;
	case EXPR_MAP:
		final_map(c, e);
		if (!e->is_whole && !e->is_target)
			needs_percpu_lookup(c, e, slot_type(c, &map_of(e->map)->value));
		break;
	case EXPR_MAP_ACCESS:
		final_map_access(c, e);
		break;
	case EXPR_VAR:
		if (expr_type(c, e)->kind == TYPE_NONE)
			diag(c->d, D_UNASSIGNED, e->span,
			     "Could not resolve the type of this variable");
		break;
	case EXPR_BINARY:
		final_binary(c, e);
		break;
	case EXPR_IF:
		check_condition(c, e->span, e->a);
		check_branches(c, e);
		break;
	case EXPR_FIELD:
		final_field(c, e);
		break;
	case EXPR_INDEX:
		final_index(c, e);
		break;
	case EXPR_TUPLE_AT:
		final_tuple_at(c, e);
		break;
	case EXPR_CAST:
		if (e->ref)
			check_final_cast(c, e);
		break;
	case EXPR_TUPLE:
	case EXPR_RECORD:
		final_items(c, e);
		break;
	}
	e->type = expr_type(c, e);
}

static bool enter_final_expr(struct visit *w, struct expr *e)
{
	struct check *c = ((struct final *)w)->c;

	if (e->kind == EXPR_ADDRESS && e->a->kind == EXPR_VAR) {
		e->type = expr_type(c, e);
		e->a->type = expr_type(c, e->a);
		if (e->type->kind == TYPE_NONE)
			diag(c->d, D_UNASSIGNED, e->span, "No type available for variable %s",
			     e->a->name);
		return false;
	}
	/* Words that are no values. */
	if (e->kind == EXPR_CALL && e->builtin && (e->builtin->flags & BUILTIN_VARIABLE) &&
	    e->items.n && e->items.p[0]->kind == EXPR_IDENT &&
	    (e->builtin->id == BUILTIN_KSTACK || e->builtin->id == BUILTIN_USTACK)) {
		e->type = expr_type(c, e);
		e->items.n = 0; /* the type says it all */
		return false;
	}
	return e->kind != EXPR_TYPE;
}

static bool is_declarable(const struct type *t)
{
	return !type_is_agg(t) && t->kind != TYPE_VOID;
}

static void final_assign(struct final *f, struct stmt *s)
{
	struct check *c = f->c;
	const struct type *t;

	if (s->b)
		visit_expr(&f->w, s->b);
	if (s->ref) {
		t = slot_type(c, slot_ref(c, s->ref));
		if (t->kind == TYPE_NONE && !c->d->errors)
			diag(c->d, D_UNKNOWN_TYPE, s->ref->span,
			     "Type cannot be resolved: still none");
		else if (t->kind != TYPE_NONE && !is_declarable(t))
			diag(c->d, D_UNKNOWN_TYPE, s->ref->span,
			     "Invalid variable declaration type: %s", type_str(c, t));
		s->ref->type = t;
	}
	t = slot_type(c, &var_of(s->a->var)->slot);
	s->a->type = t;
	if (s->b && t->kind == TYPE_NONE && !c->d->errors)
		diag(c->d, D_TYPE_MISMATCH, s->span, "Invalid expression for assignment");
}

static void final_loop(struct final *f, struct stmt *s)
{
	struct check *c = f->c;
	bool is_for = s->kind != STMT_WHILE;

	if (s->kind == STMT_FOR_MAP && !world_has(c->o->world, WORLD_FOR_EACH_MAP))
		diag(c->d, D_FEATURE, s->span,
		     "Missing required kernel feature: for_each_map_elem");
	if (is_for)
		s->a->type = slot_type(c, &var_of(s->a->var)->slot);
	else
		visit_expr(&f->w, s->a);
	if (s->kind == STMT_FOR_MAP)
		final_map(c, s->b);
	if (s->kind == STMT_FOR_RANGE) {
		visit_expr(&f->w, s->b);
		visit_expr(&f->w, s->c);
	}
	c->loops++;
	f->for_loops += is_for;
	visit_block(&f->w, s->block);
	f->for_loops -= is_for;
	c->loops--;
}

static bool enter_final_stmt(struct visit *w, struct stmt *s)
{
	struct final *f = (struct final *)w;

	switch ((int)s->kind) {
	case STMT_LET:
	case STMT_ASSIGN_VAR:
		final_assign(f, s);
		return false;
	case STMT_WHILE:
	case STMT_FOR_MAP:
	case STMT_FOR_RANGE:
		final_loop(f, s);
		return false;
	case STMT_ASSIGN_MAP:
		map_of(s->a->map ? s->a->map : s->a->a->map)->is_written = true;
		s->a->is_target = true;
		break;
	}
	return true;
}

static bool is_step(const struct expr *e)
{
	return e->kind == EXPR_UNARY && e->op >= OP_PREINC;
}

static void warn_discarded(struct check *c, struct span span, struct expr *e)
{
	const struct type *t = expr_type(c, e);

	if (!is_step(e) && t->kind != TYPE_NONE && t->kind != TYPE_VOID)
		diag_warn(c->d, D_DISCARDED, span, "Return value discarded.");
}

static void final_stmt(struct visit *w, struct stmt *s)
{
	struct check *c = ((struct final *)w)->c;

	switch ((int)s->kind) {
	case STMT_EXPR:
		warn_discarded(c, s->span, s->a);
		s->a->is_discarded = true;
		break;
	case STMT_DISCARD:
		s->a->is_discarded = true;
		break;
	case STMT_BLOCK:
		if (s->block->value)
			warn_discarded(c, s->span, s->block->value);
		break;
	case STMT_IF:
	case STMT_WHILE:
		check_condition(c, s->span, s->a);
		break;
	case STMT_RETURN:
		if (s->a && !c->fn && !is_integer(expr_type(c, s->a)))
			diag(c->d, D_RETURN, s->span,
			     "Probe return values can only be integers. Found %s",
			     type_str(c, expr_type(c, s->a)));
		break;
	}
}

/* With the slashes around it, as bpftrace shows it. */
static struct span predicate_span(struct check *c, const struct expr *e)
{
	struct str text = c->d->sources.p[e->span.file].text;
	struct span span = e->span;

	while (span.begin > 0 && text.p[span.begin] != '/')
		span.begin--;
	while (span.end < text.n && text.p[span.end] != '/')
		span.end++;
	span.end += span.end < text.n;
	return span;
}

static void final_lets(struct check *c)
{
	static const char *const words[] = {"hash", "lruhash", "percpuhash", "percpulruhash"};

	for (size_t i = 0; i < c->p->lets.n; i++) {
		struct map_let *let = &c->p->lets.p[i];
		struct map_info *m = map_info_get(c, let->name, let->span);

		for (int k = 0; k < 4; k++)
			if (!strcmp(let->kind, words[k]))
				m->d.kind = MAPKIND_HASH + k;
		if (m->d.kind == MAPKIND_AUTO) {
			diag(c->d, D_MAP_KIND, let->span, "Invalid bpf map type: %s", let->kind);
			diag_hint(c->d,
				  "Valid map types: hash, lruhash, percpuhash, percpulruhash");
		}
		if (let->n && let->n->kind == EXPR_INT)
			m->d.max_entries = let->n->number;
	}
}

static void final_fns(struct check *c, struct final *f)
{
	for (size_t i = 0; i < c->p->fns.n; i++) {
		struct fn *fn = c->p->fns.p[i];

		c->fn = fn;
		for (size_t k = 0; k < fn->params.n; k++)
			if (slot_type(c, slot_ref(c, fn->params.p[k].ref))->kind == TYPE_NONE)
				diag(c->d, D_UNKNOWN_TYPE, fn->params.p[k].span,
				     "Unable to resolve argument type.");
		visit_block(&f->w, fn->block);
		fn->type = slot_type(c, slot_ref(c, fn->result));
		if (fn->type->kind == TYPE_NONE)
			diag(c->d, D_UNKNOWN_TYPE, fn->result->span,
			     "Unable to resolve suitable return type.");
	}
	c->fn = NULL;
}

/* Read, never written, and called nearly as another: as good as surely a mistake. */
static void warn_of_typo(struct check *c, const struct map_info *m)
{
	enum { LONG_ENOUGH = 5 };
	ARRAY(const char *) names = {};
	const char *near;

	if (m->is_written || m->is_stepped || m->let || strlen(m->d.name) < LONG_ENOUGH)
		return;
	for (size_t i = 0; i < c->maps.n; i++)
		if (c->maps.p[i]->is_written || c->maps.p[i]->is_stepped)
			array_push(c->a, &names, c->maps.p[i]->d.name);
	array_push(c->a, &names, NULL);
	near = str_nearest(m->d.name, names.p);
	if (!near || strlen(near) + 1 < strlen(m->d.name) || strlen(near) > strlen(m->d.name) + 1)
		return;
	diag_warn(c->d, D_MAP_UNDEFINED, m->d.span, "Nothing is ever put into %s", m->d.name);
	diag_hint(c->d, "Did you mean \"%s\"?", near);
}

static void final_types(struct check *c)
{
	for (size_t i = 0; i < c->vars.n; i++)
		c->vars.p[i]->v.type = slot_type(c, &c->vars.p[i]->slot);
	for (size_t i = 0; i < c->maps.n; i++) {
		struct map_info *m = c->maps.p[i];

		m->d.key = m->is_scalar ? NULL : slot_type(c, &m->key);
		m->d.value = slot_type(c, &m->value);
		if (m->is_signed_series) {
			struct type *t = type_copy(c, m->d.value);

			t->is_signed = true;
			m->d.value = t;
		}
		if (m->let && !m->d.is_used)
			diag_warn(c->d, D_MAP_UNUSED, m->let->span, "Unused map: %s", m->d.name);
		warn_of_typo(c, m);
	}
}

void check_final(struct check *c)
{
	struct final f = {.w = {.enter_expr = enter_final_expr,
				.expr = final_expr,
				.enter_stmt = enter_final_stmt,
				.stmt = final_stmt},
			  .c = c};

	final_lets(c);
	final_fns(c, &f);
	for (size_t i = 0; i < c->ret->probes.n; i++) {
		struct probe *p = c->ret->probes.p[i].probe;

		c->probe = &c->ret->probes.p[i];
		if (p->predicate) {
			visit_expr(&f.w, p->predicate);
			check_condition(c, predicate_span(c, p->predicate), p->predicate);
		}
		visit_block(&f.w, p->block);
	}
	c->probe = NULL;
	final_types(c);
}
