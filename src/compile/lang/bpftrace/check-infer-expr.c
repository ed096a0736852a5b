/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of expressions: literals, names, tuples, branches, types as written.
 */
#include "compile/lang/bpftrace/check-rules.h"

/* --- types as written */

static const struct type *with_suffixes(struct check *c, const struct type_ref *r,
					const struct type *t)
{
	for (size_t i = 0; i < r->suffixes.n; i++) {
		const struct type_suffix *x = &r->suffixes.p[i];

		if (x->kind == SUFFIX_POINTER)
			t = type_pointer(c->a, t, SPACE_NONE);
		else if (t->kind == TYPE_STRING && !t->size)
			t = type_string(c->a, x->n > 0 ? (uint32_t)x->n : 0);
		else
			t = type_array(c->a, t, x->n > 0 ? (uint32_t)x->n : 0);
	}
	return t;
}

static const struct type *resolve_ref(struct check *c, const struct rule *r)
{
	return with_suffixes(c, r->ref, rule_in(c, r, 0));
}

/* typeof(@m) of a map with keys is the type of its key. */
static struct slot *asked_slot(struct check *c, struct expr *e)
{
	if (e->kind == EXPR_MAP && e->map && !map_of(e->map)->is_scalar)
		return &map_of(e->map)->key;
	return slot_expr(c, e);
}

void infer_ref(struct check *c, struct type_ref *r)
{
	struct slot *in = NULL;

	if (r->of) {
		bool is_key =
			r->of->kind == EXPR_MAP && r->of->map && !map_of(r->of->map)->is_scalar;

		c->meta++;
		if (is_key)
			map_of(r->of->map)->is_asked = true;
		else
			infer_expr(c, r->of);
		c->meta--;
		in = asked_slot(c, r->of);
	} else if (r->of_type) {
		infer_ref(c, r->of_type);
		in = slot_ref(c, r->of_type);
	}
	if (in) {
		rule_add(c, slot_ref(c, r), resolve_ref, NULL, &in, 1)->ref = r;
		return;
	}
	if (!r->type)
		r->type = type_table_resolve(c->tt, r);
	if (!r->type)
		r->type = &type_none;
	slot_set(c, slot_ref(c, r), r->type);
}

/* --- maps and variables */

static const struct type *resolve_key(struct check *c, const struct rule *r)
{
	const struct type *t = rule_in(c, r, 0), *now = slot_type(c, &r->map->key);
	bool is_value = t->kind != TYPE_VOID && (!type_is_agg(t) || is_castable(t)) &&
			(!is_castable(t) || is_integer(now) || now->kind == TYPE_NONE);

	if (!is_value) {
		diag(c->d, D_MAP_KEY, r->e->span, "Value '%s' cannot be used as a map key.",
		     type_str(c, t));
		return &type_none;
	}
	return map_key_takes(c, r->map, t, r->e->span);
}

static void infer_map_access(struct check *c, struct expr *e)
{
	struct map_info *m = map_of(e->a->map);
	struct slot *in = slot_expr(c, e->b);

	infer_expr(c, e->b);
	if (m->is_scalar) {
		diag(c->d, D_MAP_KEY, e->span,
		     "%s used as a map with an explicit key (non-scalar map), previously used "
		     "without an explicit key (scalar map)",
		     m->d.name);
		return;
	}
	m->d.is_used = true;
	m->is_asked |= c->meta > 0;
	rule_add(c, &m->key, resolve_key, e, &in, 1)->map = m;
	rule_pass(c, &m->value, slot_expr(c, e));
}

static void infer_map(struct check *c, struct expr *e)
{
	struct map_info *m = map_of(e->map);

	m->d.is_used = true;
	m->is_asked |= c->meta > 0;
	if (e->is_whole)
		return;
	if (!m->is_scalar) {
		diag(c->d, D_MAP_KEY, e->span,
		     "%s used as a map without an explicit key (scalar map), previously used with "
		     "an explicit key (non-scalar map)",
		     m->d.name);
		return;
	}
	slot_set(c, &m->key, type_int(8, true));
	rule_pass(c, &m->value, slot_expr(c, e));
}

static void infer_var(struct check *c, struct expr *e)
{
	struct var_info *v = var_of(e->var);

	v->is_asked |= c->meta > 0;
	rule_pass(c, &v->slot, slot_expr(c, e));
}

static const struct type *resolve_address(struct check *c, const struct rule *r)
{
	return type_pointer(c->a, rule_in(c, r, 0), SPACE_BPF);
}

static void infer_address(struct check *c, struct expr *e)
{
	struct slot *in;

	infer_expr(c, e->a);
	in = e->a->kind == EXPR_MAP ? &map_of(e->a->map)->value : slot_expr(c, e->a);
	rule_add(c, slot_expr(c, e), resolve_address, e, &in, 1);
}

/* --- tuples and records */

/* How many values there are in one, up to a limit; tuples of tuples may double at each. */
static uint32_t count_leaves(const struct type *t, uint32_t most)
{
	uint32_t n = 1;

	if (t->kind != TYPE_TUPLE && t->kind != TYPE_RECORD)
		return 1;
	for (uint32_t i = 0; i < t->n_members && n < most; i++)
		n += count_leaves(t->members[i].type, most - n);
	return n;
}

/* Nothing larger can be held anywhere: memory for one run is not more. */
static const struct type *check_tuple_size(struct check *c, const struct expr *e,
					   const struct type *t)
{
	enum { LEAVES_MAX = 4096, BYTES_MAX = 32768 };
	uint64_t size = 0;

	for (uint32_t i = 0; i < t->n_members; i++)
		size += t->members[i].type->size;
	if (size <= BYTES_MAX && count_leaves(t, LEAVES_MAX) < LEAVES_MAX)
		return t;
	diag(c->d, D_TYPE_SIZE, e->span, "%s is too large",
	     t->kind == TYPE_RECORD ? "Record" : "Tuple");
	return type_tuple(c->a, NULL, NULL, 0);
}

static const struct type *resolve_tuple(struct check *c, const struct rule *r)
{
	const struct type **types = arena_array(c->a, const struct type *, r->n_in);
	const char *const *names = r->e->kind == EXPR_RECORD ? r->e->names.p : NULL;

	for (unsigned int i = 0; i < r->n_in; i++) {
		types[i] = rule_in(c, r, i);
		if (is_castable(types[i]))
			types[i] = type_int(8, types[i]->is_signed);
	}
	return check_tuple_size(c, r->e, type_tuple(c->a, types, names, r->n_in));
}

static void infer_tuple(struct check *c, struct expr *e)
{
	struct slot **in = arena_array(c->a, struct slot *, e->items.n + 1);

	for (size_t i = 0; i < e->items.n; i++) {
		infer_expr(c, e->items.p[i]);
		in[i] = slot_expr(c, e->items.p[i]);
	}
	if (e->items.n)
		rule_add(c, slot_expr(c, e), resolve_tuple, e, in, (unsigned int)e->items.n);
	else
		slot_set(c, slot_expr(c, e), type_tuple(c->a, NULL, NULL, 0));
}

static const struct type *resolve_tuple_at(struct check *c, const struct rule *r)
{
	const struct type *t = rule_in(c, r, 0);

	if (t->kind != TYPE_TUPLE || r->e->number >= t->n_members)
		return &type_none;
	return t->members[r->e->number].type;
}

static void infer_tuple_at(struct check *c, struct expr *e)
{
	struct slot *in = slot_expr(c, e->a);

	infer_expr(c, e->a);
	rule_add(c, slot_expr(c, e), resolve_tuple_at, e, &in, 1);
}

/* --- branches */

static const struct type *resolve_branch(struct check *c, const struct rule *r)
{
	const struct type *t = rule_in(c, r, 0), *now = r->out->type;
	const struct type *made = type_promote(c, now, t);
	bool is_left = r->in[0] == slot_expr(c, r->e->b);

	if (made)
		return made;
	diag(c->d, D_TYPE_MISMATCH, r->e->span,
	     "Branches must return the same type or compatible types: have '%s' and '%s'",
	     type_str(c, is_left ? t : now), type_str(c, is_left ? now : t));
	return &type_none;
}

static void infer_if(struct check *c, struct expr *e)
{
	struct slot *b, *other;

	infer_expr(c, e->a);
	if (e->a->kind == EXPR_COMPTIME)
		return;
	infer_expr(c, e->b);
	b = slot_expr(c, e->b);
	rule_add(c, slot_expr(c, e), resolve_branch, e, &b, 1);
	if (!e->c)
		return;
	infer_expr(c, e->c);
	other = slot_expr(c, e->c);
	rule_add(c, slot_expr(c, e), resolve_branch, e, &other, 1);
}

static void infer_block_expr(struct check *c, struct expr *e)
{
	infer_block(c, e->block);
	if (e->block->value)
		rule_pass(c, slot_expr(c, e->block->value), slot_expr(c, e));
}

/* --- what becomes a literal after the round */

static const struct type *resolve_small(struct check *c, const struct rule *r)
{
	(void)c;
	(void)r;
	return type_int(1, false);
}

static const struct type *resolve_typeinfo(struct check *c, const struct rule *r)
{
	static const char *const names[] = {"btf_id", "base_type", "full_type"};
	const struct type *t = rule_in(c, r, 0);
	const char *base = kind_str(t), *full = type_str(c, t);
	const struct type *types[] = {
		type_int(8, false),
		type_string(c->a, (uint32_t)strlen(base) + 1),
		type_string(c->a, (uint32_t)strlen(full) + 1),
	};

	return type_tuple(c->a, types, names, 3);
}

/* sizeof(x) and its like: x has a type, but no value is computed. */
static void infer_meta(struct check *c, struct expr *e)
{
	struct slot *in;

	c->meta++;
	if (e->ref) {
		infer_ref(c, e->ref);
		in = slot_ref(c, e->ref);
	} else {
		if (e->a->kind == EXPR_MAP && e->a->map && !map_of(e->a->map)->is_scalar)
			map_of(e->a->map)->is_asked = true;
		else
			infer_expr(c, e->a);
		in = asked_slot(c, e->a);
	}
	c->meta--;
	rule_add(c, slot_expr(c, e), e->kind == EXPR_TYPEINFO ? resolve_typeinfo : resolve_small, e,
		 &in, 1);
}

/* --- all */

static void infer_literal(struct check *c, struct expr *e)
{
	const struct type *t;

	if (e->type && e->kind == EXPR_INT)
		t = e->type;
	else if (e->kind == EXPR_BOOL)
		t = &type_bool;
	else if (e->kind == EXPR_STRING)
		t = type_in_space(c, type_string(c->a, (uint32_t)e->text.n + 1), SPACE_BPF);
	else if (e->is_negative)
		t = type_of_negative((int64_t)e->number);
	else
		t = type_of_number(e->number);
	slot_set(c, slot_expr(c, e), t);
}

void infer_expr(struct check *c, struct expr *e)
{
	if (!e)
		return;
	switch (e->kind) {
	case EXPR_INT:
	case EXPR_BOOL:
	case EXPR_STRING:
		infer_literal(c, e);
		return;
	case EXPR_PARAM:
	case EXPR_PARAM_COUNT:
		slot_set(c, slot_expr(c, e), type_int(8, e->kind == EXPR_PARAM));
		return;
	case EXPR_NONE:
	case EXPR_IDENT:
		slot_expr(c, e);
		return;
	case EXPR_BUILTIN:
	case EXPR_CALL:
		infer_call(c, e);
		return;
	case EXPR_TYPE:
		infer_ref(c, e->ref);
		return;
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
		infer_meta(c, e);
		return;
	case EXPR_COMPTIME:
		infer_expr(c, e->a);
		array_push(c->a, &c->comptimes, e);
		return;
	case EXPR_MAP:
		infer_map(c, e);
		return;
	case EXPR_MAP_ACCESS:
		infer_map_access(c, e);
		return;
	case EXPR_VAR:
		infer_var(c, e);
		return;
	case EXPR_ADDRESS:
		infer_address(c, e);
		return;
	case EXPR_BINARY:
		infer_binary(c, e);
		return;
	case EXPR_UNARY:
		infer_unary(c, e);
		return;
	case EXPR_FIELD:
		infer_field(c, e);
		return;
	case EXPR_INDEX:
		infer_index(c, e);
		return;
	case EXPR_TUPLE_AT:
		infer_tuple_at(c, e);
		return;
	case EXPR_CAST:
		infer_cast(c, e);
		return;
	case EXPR_TUPLE:
	case EXPR_RECORD:
		infer_tuple(c, e);
		return;
	case EXPR_IF:
		infer_if(c, e);
		return;
	case EXPR_BLOCK:
		infer_block_expr(c, e);
		return;
	}
}
