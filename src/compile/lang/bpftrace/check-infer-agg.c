/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of aggregations: @x = count() makes @x a map of counts, for good.
 *
 * Arguments of sum(), min(), max(), avg(), stats() decide the sign.  hist(), lhist() and
 * tseries() carry their buckets in the type; two calls on one map must have the same.
 */
#include "compile/lang/bpftrace/check-rules.h"

static const struct type *agg_takes(struct check *c, struct map_info *m, const struct type *t,
				    struct span span)
{
	const struct type *now = slot_type(c, &m->value), *made;

	if (now->kind == TYPE_NONE)
		return t;
	if (now->kind == t->kind) {
		made = type_promote(c, now, t);
		if (made)
			return made;
	}
	diag(c->d, D_AGGREGATION, span,
	     "Type mismatch for %s: trying to assign value of type '%s' when map already has a "
	     "type '%s'",
	     m->d.name, type_str(c, t), type_str(c, now));
	return &type_none;
}

static uint64_t literal(const struct expr *e, size_t i)
{
	return i < e->items.n && e->items.p[i]->kind == EXPR_INT ? e->items.p[i]->number : 0;
}

static enum tseries_agg tseries_function(const struct expr *e)
{
	static const struct {
		const char *name;
		enum tseries_agg agg;
	} names[] = {{"avg", TSERIES_AVG},
		     {"max", TSERIES_MAX},
		     {"min", TSERIES_MIN},
		     {"sum", TSERIES_SUM}};

	if (e->items.n > 3 && e->items.p[3]->kind == EXPR_STRING)
		for (size_t i = 0; i < 4; i++)
			if (str_eq(e->items.p[3]->text, str_of(names[i].name)))
				return names[i].agg;
	return TSERIES_NONE;
}

static enum type_kind agg_kind(enum builtin_id id)
{
	switch ((int)id) {
	case BUILTIN_COUNT:
		return TYPE_COUNT;
	case BUILTIN_SUM:
		return TYPE_SUM;
	case BUILTIN_MIN:
		return TYPE_MIN;
	case BUILTIN_MAX:
		return TYPE_MAX;
	case BUILTIN_AVG:
		return TYPE_AVG;
	case BUILTIN_STATS:
		return TYPE_STATS;
	case BUILTIN_HIST:
		return TYPE_HIST;
	case BUILTIN_LHIST:
		return TYPE_LHIST;
	case BUILTIN_TSERIES:
		return TYPE_TSERIES;
	}
	return TYPE_NONE;
}

static bool same_buckets(const struct type *a, const struct type *b)
{
	return a->agg.bits == b->agg.bits && a->agg.min == b->agg.min && a->agg.max == b->agg.max &&
	       a->agg.step == b->agg.step && a->agg.interval_ns == b->agg.interval_ns &&
	       a->agg.intervals == b->agg.intervals && a->agg.agg == b->agg.agg;
}

static void report_buckets(struct check *c, const struct expr *e)
{
	if (e->builtin->id == BUILTIN_HIST)
		diag(c->d, D_AGGREGATION, e->span, "Different bits in a single hist unsupported");
	else
		diag(c->d, D_AGGREGATION, e->span,
		     "Different %s bounds in a single map unsupported", e->builtin->name);
}

/* count(), hist(), lhist(), tseries(): the same whatever they are given. */
static const struct type *resolve_fixed(struct check *c, const struct rule *r)
{
	const struct type *now = slot_type(c, &r->map->value);
	struct type *t = type_copy(c, type_plain(c->a, agg_kind(r->e->builtin->id)));

	if (t->kind == TYPE_HIST) {
		t->agg.bits = (uint32_t)literal(r->e, 1);
	} else if (t->kind == TYPE_LHIST) {
		t->agg.min = (int64_t)literal(r->e, 1);
		t->agg.max = (int64_t)literal(r->e, 2);
		t->agg.step = (int64_t)literal(r->e, 3);
	} else if (t->kind == TYPE_TSERIES) {
		t->agg.interval_ns = literal(r->e, 1);
		t->agg.intervals = (uint32_t)literal(r->e, 2);
		t->agg.agg = (uint8_t)tseries_function(r->e);
	}
	if (now->kind == t->kind && is_multi(t)) {
		if (!same_buckets(now, t))
			report_buckets(c, r->e);
		return &type_none;
	}
	return agg_takes(c, r->map, t, r->e->span);
}

static const struct type *resolve_signed(struct check *c, const struct rule *r)
{
	const struct type *in = rule_in(c, r, 0), *made;
	struct expr *e = r->e;
	struct type *t;

	if (!is_integer(in)) {
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "%s() only supports integer arguments (%s provided)", e->builtin->name,
		     type_str(c, in));
		return &type_none;
	}
	made = r->map->agg_argument ? type_promote(c, r->map->agg_argument, in) : in;
	if (!made) {
		diag(c->d, D_ARGUMENT_TYPE, e->span,
		     "Type mismatch for %s: trying to call function with type '%s' when it already "
		     "has a type '%s'",
		     e->builtin->name, type_str(c, in), type_str(c, r->map->agg_argument));
		return &type_none;
	}
	r->map->agg_argument = made;
	t = type_copy(c, type_plain(c->a, agg_kind(e->builtin->id)));
	t->is_signed = in->is_signed;
	return agg_takes(c, r->map, t, e->span);
}

void infer_agg_call(struct check *c, struct expr *e, struct map_info *m)
{
	enum type_kind kind = agg_kind(e->builtin->id);
	bool is_fixed = kind == TYPE_COUNT || is_multi(type_plain(c->a, kind));
	struct slot *in = slot_expr(c, e);

	if (!is_fixed) {
		if (!e->items.n)
			return;
		in = slot_expr(c, e->items.p[0]);
	}
	rule_add(c, &m->value, is_fixed ? resolve_fixed : resolve_signed, e, &in, 1)->map = m;
}
