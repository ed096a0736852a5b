/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of statements: what assignments make of variables and maps.
 *
 * A variable or map takes the type that all its assignments fit into (type_promote()).
 * Aggregations are not values that can be assigned: @b = @a copies the number, if there is
 * one and @b is an integer already; else it is a mistake and the message says what to
 * write.
 */
#include "compile/lang/bpftrace/check-rules.h"

/* May a value of this type be put where there is `now`? */
static bool is_assignable(const struct type *t, const struct type *now, bool to_map)
{
	if (t->kind == TYPE_VOID)
		return false;
	if (type_is_agg(t) && !is_castable(t))
		return false;
	if (!is_integer(now) && is_castable(t))
		return !to_map && now->kind == TYPE_NONE;
	return true;
}

/* A type that an earlier round was asked for must not change. */
static const struct type *locked_type(struct check *c, const struct type *locked,
				      const struct type *t, const char *name, struct span span)
{
	const struct type *made = type_promote(c, locked, t);

	if (!made || !type_same(made, locked))
		diag(c->d, D_LOCKED_TYPE, span,
		     "Type mismatch for %s: this type has been locked because it was used in "
		     "another part of the type graph that was already resolved (e.g. `sizeof`, "
		     "`typeinfo`, etc.). The new type '%s' doesn't fit into the locked type '%s'",
		     name, type_str(c, t), type_str(c, locked));
	return locked;
}

const struct type *var_takes(struct check *c, struct var_info *v, const struct type *t,
			     struct span span)
{
	const struct type *now = slot_type(c, &v->slot), *made;

	if (v->locked)
		return locked_type(c, v->locked, t, v->v.name, span);
	made = type_promote(c, now, t);
	if (made)
		return made;
	diag(c->d, D_TYPE_MISMATCH, span,
	     "Type mismatch for %s: trying to assign value of type '%s' when variable already has "
	     "a type '%s'",
	     v->v.name, type_str(c, t), type_str(c, now));
	return &type_none;
}

const struct type *map_value_takes(struct check *c, struct map_info *m, const struct type *t,
				   struct span span)
{
	const struct type *now = slot_type(c, &m->value), *made = NULL;

	if (m->locked_value)
		return locked_type(c, m->locked_value, t, m->d.name, span);
	if (!is_castable(now))
		made = type_promote(c, now, t);
	if (!made) {
		diag(c->d, D_TYPE_MISMATCH, span,
		     "Type mismatch for %s: trying to assign value of type '%s' when map already "
		     "has a type '%s'",
		     m->d.name, type_str(c, t), type_str(c, now));
		return &type_none;
	}
	if ((made->kind == TYPE_STRUCT || made->kind == TYPE_ARRAY) && !made->is_internal) {
		struct type *own = type_copy(c, made);

		own->is_internal = true;
		own->space = SPACE_BPF;
		return own;
	}
	return made;
}

const struct type *map_key_takes(struct check *c, struct map_info *m, const struct type *t,
				 struct span span)
{
	const struct type *now = slot_type(c, &m->key), *made;

	if (m->is_scalar)
		return type_int(8, true);
	if (m->locked_key)
		return locked_type(c, m->locked_key, t, m->d.name, span);
	made = type_promote(c, now, t);
	if (made)
		return made;
	diag(c->d, D_MAP_KEY, span,
	     "Argument mismatch for %s: trying to access with arguments: '%s' when map expects "
	     "arguments: '%s'",
	     m->d.name, type_str(c, t), type_str(c, now));
	return &type_none;
}

/* --- assignments */

static const char *agg_example(const struct type *t)
{
	switch ((int)t->kind) {
	case TYPE_COUNT:
		return "count()";
	case TYPE_SUM:
		return "sum(retval)";
	case TYPE_MIN:
		return "min(retval)";
	case TYPE_MAX:
		return "max(retval)";
	case TYPE_AVG:
		return "avg(retval)";
	case TYPE_HIST:
		return "hist(retval)";
	case TYPE_LHIST:
		return "lhist(rand %10, 0, 10, 1)";
	case TYPE_TSERIES:
		return "tseries(rand %10, 10s, 1)";
	case TYPE_STATS:
		return "stats(arg2)";
	}
	return NULL;
}

static void report_copy(struct check *c, const struct rule *r, const struct type *t)
{
	const char *example = agg_example(t);

	if (!example) {
		diag(c->d, D_TYPE_MISMATCH, r->s->span, "Value '%s' cannot be assigned to a map.",
		     type_str(c, t));
		return;
	}
	diag(c->d, D_AGGREGATION, r->s->span,
	     "Map value '%s' cannot be assigned from one map to another. The function that "
	     "returns this type must be called directly e.g. `%s = %s;`.",
	     type_str(c, t), r->map->d.name, example);
	if (is_castable(t) && r->e->map)
		diag_hint(c->d,
			  "Add a cast to integer if you want the value of the aggregate, e.g. "
			  "`%s = (int64)%s;`.",
			  r->map->d.name, r->e->map->name);
	else if (is_castable(t) && r->e->kind == EXPR_MAP_ACCESS)
		diag_hint(c->d,
			  "Add a cast to integer if you want the value of the aggregate, e.g. "
			  "`%s = (int64)%s;`.",
			  r->map->d.name, r->e->a->name);
}

static const struct type *resolve_map_assign(struct check *c, const struct rule *r)
{
	const struct type *t = rule_in(c, r, 0);

	if (!is_assignable(t, slot_type(c, &r->map->value), true)) {
		report_copy(c, r, t);
		return &type_none;
	}
	return map_value_takes(c, r->map, t, r->s->span);
}

static const struct type *resolve_var_assign(struct check *c, const struct rule *r)
{
	const struct type *t = rule_in(c, r, 0);

	if (!is_assignable(t, slot_type(c, &r->var->slot), false)) {
		diag(c->d, D_TYPE_MISMATCH, r->s->span,
		     "Value '%s' cannot be assigned to a scratch variable.", type_str(c, t));
		return &type_none;
	}
	return var_takes(c, r->var, t, r->s->span);
}

static void infer_map_assign(struct check *c, struct stmt *s)
{
	struct map_info *m = map_of(s->a->kind == EXPR_MAP ? s->a->map : s->a->a->map);
	struct expr *agg = agg_call_in(s->b);
	struct slot *in;
	struct rule *r;

	infer_expr(c, s->a);
	infer_expr(c, s->b);
	if (agg) {
		infer_agg_call(c, agg, m);
		return;
	}
	in = slot_expr(c, s->b);
	r = rule_add(c, &m->value, resolve_map_assign, s->b, &in, 1);
	r->s = s;
	r->map = m;
}

static void infer_var_assign(struct check *c, struct stmt *s)
{
	struct var_info *v = var_of(s->a->var);
	struct slot *in = slot_expr(c, s->b);
	struct rule *r;

	if (v->is_sized)
		return;
	r = rule_add(c, &v->slot, resolve_var_assign, s->b, &in, 1);
	r->s = s;
	r->var = v;
}

/* A declared type stays, but for `string` without a size. */
static void declare_as(struct check *c, struct var_info *v, struct type_ref *r)
{
	const struct type *t = slot_type(c, slot_ref(c, r));

	v->is_sized = t->kind == TYPE_NONE || t->size;
	if (t->kind != TYPE_NONE)
		slot_set(c, &v->slot, t);
	else
		rule_pass(c, slot_ref(c, r), &v->slot);
}

static void infer_let(struct check *c, struct stmt *s)
{
	struct var_info *v = var_of(s->a->var);

	if (s->b)
		infer_expr(c, s->b);
	if (s->ref) {
		infer_ref(c, s->ref);
		declare_as(c, v, s->ref);
	}
	infer_expr(c, s->a);
	if (s->b)
		infer_var_assign(c, s);
}

/* --- loops */

static const struct type *resolve_pair(struct check *c, const struct rule *r)
{
	const struct type *types[2] = {rule_in(c, r, 0), rule_in(c, r, 1)};

	if (type_is_agg(types[1]) && !is_castable(types[1]))
		diag(c->d, D_AGGREGATION, r->e->span, "Loop expression does not support type: %s",
		     type_str(c, types[1]));
	return type_tuple(c->a, types, NULL, 2);
}

static void infer_for_map(struct check *c, struct stmt *s)
{
	struct map_info *m = map_of(s->b->map);
	struct slot *in[2] = {&m->key, &m->value};

	if (m->is_scalar)
		diag(c->d, D_MAP_KEY, s->b->span,
		     "%s has no explicit keys (scalar map), and cannot be used for iteration",
		     m->d.name);
	infer_expr(c, s->a);
	rule_add(c, &var_of(s->a->var)->slot, resolve_pair, s->b, in, 2);
	infer_block(c, s->block);
}

static const struct type *resolve_range(struct check *c, const struct rule *r)
{
	const struct type *a = rule_in(c, r, 0), *b = rule_in(c, r, 1), *made;
	struct span span = {r->s->span.file, r->s->span.begin, r->s->c->span.end};

	if (a->kind != TYPE_INT && a->kind != TYPE_ENUM)
		diag(c->d, D_TYPE_MISMATCH, span,
		     "Loop range requires an integer for the start value");
	if (b->kind != TYPE_INT && b->kind != TYPE_ENUM)
		diag(c->d, D_TYPE_MISMATCH, span,
		     "Loop range requires an integer for the end value");
	if (!is_integer(a) || !is_integer(b) || a->size == b->size)
		return a;
	made = type_promote(c, a, b);
	return made ? made : a;
}

static void infer_for_range(struct check *c, struct stmt *s)
{
	struct slot *in[2] = {slot_expr(c, s->b), slot_expr(c, s->c)};
	struct rule *r;

	infer_expr(c, s->a);
	infer_expr(c, s->b);
	infer_expr(c, s->c);
	r = rule_add(c, &var_of(s->a->var)->slot, resolve_range, s->a, in, 2);
	r->s = s;
	infer_block(c, s->block);
}

/* --- all */

static void infer_stmt(struct check *c, struct stmt *s)
{
	switch (s->kind) {
	case STMT_LET:
		infer_let(c, s);
		return;
	case STMT_ASSIGN_VAR:
		infer_expr(c, s->b);
		infer_expr(c, s->a);
		infer_var_assign(c, s);
		return;
	case STMT_ASSIGN_MAP:
		infer_map_assign(c, s);
		return;
	case STMT_FOR_MAP:
		infer_for_map(c, s);
		return;
	case STMT_FOR_RANGE:
		infer_for_range(c, s);
		return;
	case STMT_IF:
		if (s->a->kind == EXPR_COMPTIME) {
			/* Which branch there is is not known yet. */
			infer_expr(c, s->a);
			return;
		}
		break;
	case STMT_EXPR:
	case STMT_DISCARD:
	case STMT_WHILE:
	case STMT_UNROLL:
	case STMT_BREAK:
	case STMT_CONTINUE:
	case STMT_RETURN:
	case STMT_BLOCK:
	case STMT_IMPORT:
		break;
	}
	infer_expr(c, s->a);
	if (s->block)
		infer_block(c, s->block);
	if (s->other)
		infer_block(c, s->other);
}

void infer_block(struct check *c, struct block *b)
{
	for (size_t i = 0; i < b->stmts.n; i++)
		infer_stmt(c, b->stmts.p[i]);
	infer_expr(c, b->value);
}

static void infer_fn(struct check *c, struct fn *f)
{
	c->fn = f;
	c->probe = NULL;
	for (size_t i = 0; i < f->params.n; i++) {
		struct fn_param *p = &f->params.p[i];
		struct var_info *v = var_of(p->var);

		infer_ref(c, p->ref);
		declare_as(c, v, p->ref);
	}
	infer_ref(c, f->result);
	infer_block(c, f->block);
	c->fn = NULL;
}

void infer_program(struct check *c)
{
	for (size_t i = 0; i < c->p->fns.n; i++)
		infer_fn(c, c->p->fns.p[i]);
	for (size_t i = 0; i < c->ret->probes.n; i++) {
		struct checked_probe *p = &c->ret->probes.p[i];

		c->probe = p;
		infer_expr(c, p->probe->predicate);
		infer_block(c, p->probe->block);
	}
	c->probe = NULL;
}
