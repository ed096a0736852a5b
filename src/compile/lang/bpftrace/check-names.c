/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What words mean: builtins, functions, enumerators, types; and what kind of map a map is.
 *
 * A bare word is a builtin (pid), one of the numbered arguments (arg0), an enumerator or
 * a #define; the rest stays EXPR_IDENT until somebody who knows better (nsecs(boot))
 * takes it, or is reported at the end.
 *
 * A map is *scalar* (@x) or has keys (@x[1]), as its first use says; typeof(@x) says
 * nothing.  delete(@x[k]) is delete(@x, k).  @x += 1 is @x = @x + 1.  Aggregations are only
 * called as the whole value of an assignment to a map: those calls get `map`.
 */
#include "compile/lang/bpftrace/check-rules.h"

#include <stdlib.h>

static const struct builtin builtins[] = {
#define B_UNSAFE				 BUILTIN_UNSAFE
#define B_MAP_ARG				 BUILTIN_MAP_ARG
#define B_AGG					 BUILTIN_AGG
#define B_FORMAT				 BUILTIN_FORMAT
#define B_VARIABLE				 BUILTIN_VARIABLE
#define B_VOID					 BUILTIN_VOID
#define B_PURE					 BUILTIN_PURE
#define BUILTIN(id, name, min, max, flags, help) {BUILTIN_##id, name, min, max, flags, help},
#include "catalog/builtins.def"
#undef BUILTIN
};

const struct builtin *builtin_find(const char *name)
{
	size_t low = 0, high = BUILTINS;

	/* The rows are sorted by id, which is the name in capitals. */
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(name, builtins[mid].name);

		if (!order)
			return &builtins[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	for (size_t i = 0; i < BUILTINS; i++)
		if (!strcmp(name, builtins[i].name))
			return &builtins[i];
	return NULL;
}

/* The names under which bpftrace's own library calls some of them. */
static const struct builtin *find_any(const char *name)
{
	if (!strncmp(name, "__builtin_", 10))
		name += 10;
	return builtin_find(name);
}

struct map_info *map_info_get(struct check *c, const char *name, struct span span)
{
	uint64_t hash = str_hash(str_of(name));
	struct map_info *m = map_get(&c->map_names, hash);

	while (m && strcmp(m->d.name, name))
		m = m->same;
	if (m)
		return m;
	m = arena_new(c->a, struct map_info);
	m->same = map_put(&c->map_names, hash, m);
	m->d.name = name;
	m->d.span = span;
	for (size_t i = 0; i < c->p->lets.n; i++)
		if (!strcmp(c->p->lets.p[i].name, name))
			m->let = &c->p->lets.p[i];
	array_push(c->a, &c->maps, m);
	array_push(c->a, &c->ret->maps, &m->d);
	return m;
}

struct expr *agg_call_in(struct expr *e)
{
	while (e && e->kind == EXPR_BLOCK && e->block)
		e = e->block->value;
	if (e && e->kind == EXPR_CALL && e->builtin && (e->builtin->flags & BUILTIN_AGG))
		return e;
	return NULL;
}

/* --- words */

struct names {
	struct visit w; /* first */
	struct check *c;
	ARRAY(struct expr *) late; /* maps within typeof: seen after all else */
	unsigned int meta;
	const char *within; /* sizeof, offsetof …: for messages */
};

static bool is_arg_name(const char *name, uint64_t *ret)
{
	char *end;

	if (strncmp(name, "arg", 3) || name[3] < '0' || name[3] > '9')
		return false;
	*ret = strtoul(name + 3, &end, 10);
	return !*end;
}

static bool is_removed(struct check *c, const struct expr *e)
{
	if (strncmp(e->name, "sarg", 4) || e->name[4] < '0' || e->name[4] > '9')
		return false;
	diag(c->d, D_DEPRECATED, e->span,
	     "sarg* is deleted. This was deprecated in v0.21 and was last available in v0.24.");
	diag_hint(c->d, "Use *(reg(\"sp\") + <stack_offset>) instead.");
	return true;
}

/* Enumerators are 8 bytes wide, whatever their enum is; NULL: a #define, as wide as it needs. */
static const struct type *enumerator_type(struct check *c, const struct type *t, const char *name,
					  int64_t value)
{
	struct type_enumerator *only;
	struct type *wide;

	if (!t || (t->kind != TYPE_ENUM && t->size == 8))
		return NULL;
	wide = type_copy(c, t);
	wide->size = wide->align = 8;
	if (t->kind != TYPE_ENUM) { /* an enum without a name is a number, but for its own */
		only = arena_new(c->a, struct type_enumerator);
		*only = (struct type_enumerator){name, value};
		wide->kind = TYPE_ENUM;
		wide->name = "(unnamed)";
		wide->enumerators = only;
		wide->n_enumerators = 1;
	}
	return wide;
}

static void name_ident(struct names *n, struct expr *e)
{
	struct check *c = n->c;
	const struct builtin *b = find_any(e->name);
	const struct type *t = NULL;
	uint64_t number;
	int64_t value;

	if (is_arg_name(e->name, &number)) {
		b = builtin_find("arg");
		e->number = number;
	}
	if (b && (!b->min || b->id == BUILTIN_ARG)) {
		e->kind = EXPR_CALL;
		e->builtin = b;
		e->is_bare = true;
	} else if (!is_removed(c, e) && c->tt && type_table_constant(c->tt, e->name, &value, &t)) {
		e->kind = EXPR_INT;
		e->number = (uint64_t)value;
		e->is_negative = value < 0;
		e->type = enumerator_type(c, t, e->name, value);
	}
}

static const struct fn *find_fn(struct check *c, const char *name)
{
	for (size_t i = 0; i < c->p->fns.n; i++)
		if (!strcmp(c->p->fns.p[i]->name, name))
			return c->p->fns.p[i];
	return NULL;
}

static void name_call(struct names *n, struct expr *e)
{
	if (!e->builtin && !find_fn(n->c, e->name))
		e->builtin = find_any(e->name);
	/* delete(@x[k]) */
	if (e->builtin && e->builtin->id == BUILTIN_DELETE && e->items.n == 1 &&
	    e->items.p[0]->kind == EXPR_MAP_ACCESS) {
		struct expr *access = e->items.p[0], *map = access->a, *key = access->b;

		e->items.n = 0;
		array_push(n->c->a, &e->items, map);
		array_push(n->c->a, &e->items, key);
	}
}

/* sizeof(Foo), typeof(uint8): the parser cannot tell types from names. */
static struct type_ref *as_type(struct check *c, struct expr *e)
{
	struct type_ref *r;

	if (!e || e->kind != EXPR_IDENT || find_any(e->name) || !c->tt ||
	    !type_table_find(c->tt, TAG_NONE, e->name))
		return NULL;
	r = arena_new(c->a, struct type_ref);
	r->span = e->span;
	r->name = e->name;
	return r;
}

static void name_ref(struct check *c, struct type_ref *r)
{
	for (; r; r = r->of_type) {
		struct type_ref *of = as_type(c, r->of);

		if (of) {
			r->of_type = of;
			r->of = NULL;
		}
	}
}

/* --- maps */

static struct map_info *touch(struct names *n, struct expr *map, bool is_scalar)
{
	struct map_info *m = map_info_get(n->c, map->name, map->span);

	map->map = &m->d;
	if (!m->is_known) {
		m->is_known = true;
		m->is_scalar = is_scalar;
	}
	return m;
}

/* The map as such, as these take it, says nothing about its keys. */
static void name_whole_map(struct names *n, struct expr *e)
{
	struct map_info *m = map_info_get(n->c, e->name, e->span);

	e->map = &m->d;
	e->is_whole = true;
}

static void name_map_call(struct names *n, struct expr *e)
{
	enum builtin_id id = e->builtin->id;
	struct expr *first = e->items.n ? e->items.p[0] : NULL;
	bool has_key = (id == BUILTIN_DELETE && e->items.n == 2) || id == BUILTIN_HAS_KEY ||
		       id == BUILTIN_FIND;

	if (!first || first->kind != EXPR_MAP)
		return;
	if (!(e->builtin->flags & BUILTIN_MAP_ARG) && id != BUILTIN_PRINT && id != BUILTIN_LEN)
		return;
	name_whole_map(n, first);
	if (has_key || id == BUILTIN_LEN) {
		struct map_info *m = map_of(first->map);

		if (!m->is_known) {
			m->is_known = true;
			m->is_scalar = false;
		}
	} else if (id == BUILTIN_DELETE && !map_of(first->map)->is_known) {
		map_of(first->map)->is_known = true;
		map_of(first->map)->is_scalar = true;
	}
}

static void names_in_expr(struct names *n, struct expr *e);

static void names_in_ref(struct names *n, struct type_ref *r)
{
	if (!r)
		return;
	if (!n->meta)
		n->within = "typeof or typeinfo";
	name_ref(n->c, r);
	n->meta++;
	names_in_expr(n, r->of);
	names_in_ref(n, r->of_type);
	n->meta--;
}

static void names_in_meta(struct names *n, struct expr *e)
{
	struct type_ref *r = as_type(n->c, e->a);

	if (r) {
		e->ref = r;
		e->a = NULL;
	}
	n->within = e->kind == EXPR_SIZEOF     ? "sizeof"
		    : e->kind == EXPR_OFFSETOF ? "offsetof"
					       : "typeof or typeinfo";
	n->meta++;
	names_in_expr(n, e->a);
	n->meta--;
	names_in_ref(n, e->ref);
}

/* container_of(ptr, type, member): the second and third are no values. */
static void name_container_of(struct names *n, struct expr *e)
{
	for (size_t i = 1; i < e->items.n && i < 3; i++) {
		struct expr *arg = e->items.p[i];

		if (i == 1 && arg->kind == EXPR_IDENT) {
			arg->ref = arena_new(n->c->a, struct type_ref);
			arg->ref->span = arg->span;
			arg->ref->name = arg->name;
			arg->kind = EXPR_TYPE;
		} else if (i == 1) {
			names_in_ref(n, arg->ref);
		}
	}
	if (e->items.n)
		names_in_expr(n, e->items.p[0]);
}

static bool has_words(const struct builtin *b)
{
	return b && (b->id == BUILTIN_NSECS || b->id == BUILTIN_KSTACK || b->id == BUILTIN_USTACK ||
		     b->id == BUILTIN_PID || b->id == BUILTIN_TID);
}

static void names_in_call(struct names *n, struct expr *e)
{
	name_call(n, e);
	if (e->builtin) {
		name_map_call(n, e);
		if (e->builtin->id == BUILTIN_CONTAINER_OF) {
			name_container_of(n, e);
			return;
		}
	}
	for (size_t i = 0; i < e->items.n; i++) {
		struct expr *arg = e->items.p[i];

		/* nsecs(boot), kstack(perf), pid(init): words of their own */
		if (arg->kind == EXPR_IDENT && has_words(e->builtin))
			continue;
		if (arg->kind == EXPR_MAP && arg->is_whole)
			continue;
		names_in_expr(n, arg);
	}
}

static void name_map(struct names *n, struct expr *e)
{
	if (n->meta) {
		name_whole_map(n, e);
		e->is_whole = false;
		array_push(n->c->a, &n->late, e);
		return;
	}
	touch(n, e, true);
}

static void names_in_block(struct names *n, struct block *b);

static void names_in_expr(struct names *n, struct expr *e)
{
	if (!e)
		return;
	switch (e->kind) {
	case EXPR_IDENT:
		name_ident(n, e);
		return;
	case EXPR_CALL:
	case EXPR_BUILTIN:
		e->kind = EXPR_CALL;
		names_in_call(n, e);
		return;
	case EXPR_SIZEOF:
	case EXPR_OFFSETOF:
	case EXPR_TYPEINFO:
		names_in_meta(n, e);
		return;
	case EXPR_MAP:
		name_map(n, e);
		return;
	case EXPR_MAP_ACCESS:
		if (n->meta) {
			name_whole_map(n, e->a);
			array_push(n->c->a, &n->late, e);
		} else {
			touch(n, e->a, false);
		}
		e->a->is_whole = true;
		names_in_expr(n, e->b);
		return;
	case EXPR_ADDRESS:
		if (e->a->kind == EXPR_MAP) {
			name_whole_map(n, e->a);
			return;
		}
		break;
	case EXPR_INT:
	case EXPR_BOOL:
	case EXPR_STRING:
	case EXPR_NONE:
	case EXPR_PARAM:
	case EXPR_PARAM_COUNT:
	case EXPR_COMPTIME:
	case EXPR_VAR:
	case EXPR_BINARY:
	case EXPR_UNARY:
	case EXPR_FIELD:
	case EXPR_INDEX:
	case EXPR_TUPLE_AT:
	case EXPR_CAST:
	case EXPR_TUPLE:
	case EXPR_RECORD:
	case EXPR_IF:
	case EXPR_BLOCK:
	case EXPR_TYPE:
		break;
	}
	names_in_expr(n, e->a);
	names_in_expr(n, e->b);
	names_in_expr(n, e->c);
	names_in_ref(n, e->ref);
	for (size_t i = 0; i < e->items.n; i++)
		names_in_expr(n, e->items.p[i]);
	if (e->block)
		names_in_block(n, e->block);
}

/* $x += e becomes $x = $x + e. */
static void expand_compound(struct check *c, struct stmt *s)
{
	struct expr *e = arena_new(c->a, struct expr);

	e->kind = EXPR_BINARY;
	e->op = s->op;
	e->a = expr_clone(c->a, s->a);
	e->b = s->b;
	e->span = s->op_span.end ? s->op_span : s->span;
	e->op_span = e->span;
	s->b = e;
	s->has_op = false;
}

/* Does it end in a call of an aggregation?  Names are not resolved yet. */
static bool is_agg_value(const struct expr *e)
{
	const struct builtin *b;

	while (e && e->kind == EXPR_BLOCK)
		e = e->block->value;
	if (!e || e->kind != EXPR_CALL || !e->name)
		return false;
	b = find_any(e->name);
	return b && (b->flags & BUILTIN_AGG);
}

/* @x = { a; count() } becomes { a; @x = count() }. */
static void sink_assignment(struct check *c, struct stmt *s)
{
	while (s->kind == STMT_ASSIGN_MAP && s->b->kind == EXPR_BLOCK && is_agg_value(s->b)) {
		struct stmt *inner = arena_copy(c->a, s, sizeof(*s));

		struct block *b = s->b->block;

		inner->b = b->value;
		*s = (struct stmt){.kind = STMT_BLOCK, .span = inner->span, .block = b};
		s->block->value = NULL;
		array_push(c->a, &s->block->stmts, inner);
		s = inner;
	}
}

static void names_in_stmt(struct names *n, struct stmt *s)
{
	struct expr *agg;

	if (s->kind == STMT_ASSIGN_MAP && n->meta) {
		diag(n->c->d, D_OPERATOR, s->span, "Map assignments not allowed inside of %s",
		     n->within);
		return;
	}
	if (s->has_op && s->b) {
		expand_compound(n->c, s);
		if (s->kind == STMT_ASSIGN_MAP) {
			struct expr *map = s->a->kind == EXPR_MAP ? s->a : s->a->a;

			map_info_get(n->c, map->name, map->span)->is_stepped = true;
		}
	}
	sink_assignment(n->c, s);
	if (s->kind == STMT_FOR_MAP) {
		touch(n, s->b, false);
		s->b->is_whole = true;
		map_of(s->b->map)->d.is_iterated = true;
	} else {
		names_in_expr(n, s->a);
		names_in_ref(n, s->ref);
		names_in_expr(n, s->b);
		names_in_expr(n, s->c);
	}
	if (s->kind == STMT_ASSIGN_MAP && (agg = agg_call_in(s->b)))
		agg->map = s->a->kind == EXPR_MAP ? s->a->map : s->a->a->map;
	if (s->block)
		names_in_block(n, s->block);
	if (s->other)
		names_in_block(n, s->other);
}

static void names_in_block(struct names *n, struct block *b)
{
	for (size_t i = 0; i < b->stmts.n; i++)
		names_in_stmt(n, b->stmts.p[i]);
	names_in_expr(n, b->value);
}

static bool report_agg(struct visit *w, struct expr *e)
{
	struct check *c = w->ctx;

	if (e->kind == EXPR_CALL && e->builtin && (e->builtin->flags & BUILTIN_AGG) && !e->map) {
		diag(c->d, D_AGGREGATION, e->span, "%s() must be assigned directly to a map",
		     e->builtin->name);
		diag_hint(c->d, "@x = %s(...); (int64)@x reads it", e->builtin->name);
	}
	return true;
}

static void report_agg_tree(struct check *c, struct block *b, struct probe *p)
{
	struct visit w = {.ctx = c, .enter_expr = report_agg};

	if (p)
		visit_probe(&w, p);
	else
		visit_block(&w, b);
}

void check_names(struct check *c)
{
	struct names n = {.c = c};

	for (size_t i = 0; i < c->p->fns.n; i++) {
		struct fn *f = c->p->fns.p[i];

		for (size_t k = 0; k < f->params.n; k++)
			names_in_ref(&n, f->params.p[k].ref);
		names_in_ref(&n, f->result);
		names_in_block(&n, f->block);
	}
	for (size_t i = 0; i < c->ret->probes.n; i++) {
		names_in_expr(&n, c->ret->probes.p[i].probe->predicate);
		names_in_block(&n, c->ret->probes.p[i].probe->block);
	}
	for (size_t i = 0; i < n.late.n; i++) {
		struct expr *e = n.late.p[i];
		struct map_info *m = map_of(e->kind == EXPR_MAP ? e->map : e->a->map);

		if (!m->is_known) {
			m->is_known = true;
			m->is_scalar = e->kind == EXPR_MAP;
		}
	}
	if (!c->d->errors)
		check_each_tree(c, report_agg_tree);
}
