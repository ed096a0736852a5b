/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which records a condition can be true of.
 *
 * Set algebra from the leaves up, as libs does it for event types (filter/ppm_codes.cpp):
 * `and` cuts sets, `or` joins them, `not` is pushed down to the checks.  Ours is over
 * kinds of records, and several calls share a kind; so both answers are supersets: a check
 * "evt.type != openat" leaves the kind of openat in.
 *
 * A check on a field that some records have not is false for those, whatever its operator.
 */
#include "compile/lang/falco/check.h"

static bool is_name(const struct rule_check *row, const char *name)
{
	for (size_t i = 0; name && i < row->right.n; i++)
		if (row->right.p[i]->kind == RULE_TERM_LITERAL &&
		    str_eq(row->right.p[i]->text, str_of(name)))
			return true;
	return false;
}

/* Kinds that have an event of these names, and kinds that have another one. */
static void events_of(const struct rule_check *row, uint64_t *ret_named, uint64_t *ret_others)
{
	const struct rule_event_info *events;
	size_t n;

	*ret_named = *ret_others = 0;
	events = rule_events(&n);
	for (size_t i = 0; i < n; i++) {
		bool is_named = is_name(row, events[i].name);
		bool is_also = events[i].as ? is_name(row, events[i].as) : is_named;

		if (is_named || is_also)
			*ret_named |= events[i].kinds;
		if (!is_named || !is_also)
			*ret_others |= events[i].kinds;
	}
}

static bool has_only_literals(const struct rule_check *row)
{
	for (size_t i = 0; i < row->right.n; i++)
		if (row->right.p[i]->kind != RULE_TERM_LITERAL)
			return false;
	return true;
}

static void about_events(struct check *c)
{
	uint64_t named, others;

	if (!has_only_literals(&c->row))
		return;
	events_of(&c->row, &named, &others);
	if (c->row.op == RULE_EQ || c->row.op == RULE_IN) {
		c->kinds = named;
		c->negated = others;
		c->is_evttype = true;
	} else if (c->row.op == RULE_NE) {
		c->kinds = others;
		c->negated = named;
		c->negated_evttype = true;
	}
}

static void constant(struct check *c, bool value)
{
	c->is_const = true;
	c->value = value;
	c->kinds = value ? ~0ull : 0;
	c->negated = value ? 0 : ~0ull;
	c->is_evttype = !value;
	c->negated_evttype = value;
}

/* evt.num counts from 1: "evt.num=0" is how rule files write "never". */
static void about_number(struct check *c)
{
	uint64_t v;

	if (c->row.op == RULE_IN && has_only_literals(&c->row)) {
		for (size_t i = 0; i < c->row.right.n; i++)
			if (c->row.right.p[i]->literal.number)
				return;
		constant(c, false);
		return;
	}
	if (c->row.right.n != 1 || !has_only_literals(&c->row))
		return;
	v = (uint64_t)c->row.right.p[0]->literal.number;
	if (v == 0 && (c->row.op == RULE_EQ || c->row.op == RULE_LE))
		constant(c, false);
	else if (v <= 1 && c->row.op == RULE_LT)
		constant(c, false);
	else if (v == 0 && (c->row.op == RULE_NE || c->row.op == RULE_GT))
		constant(c, true);
	else if (v <= 1 && c->row.op == RULE_GE)
		constant(c, true);
}

/* evt.dir is '<': events are told when the call returns. */
static void about_direction(struct check *c)
{
	if (c->row.right.n != 1 || !has_only_literals(&c->row))
		return;
	if (c->row.op == RULE_EQ)
		constant(c, str_eq(c->row.right.p[0]->text, STR("<")));
	else if (c->row.op == RULE_NE)
		constant(c, !str_eq(c->row.right.p[0]->text, STR("<")));
}

void check_events(struct check *c)
{
	const struct rule_term *t = c->row.left;

	c->kinds = c->negated = ~0ull;
	if (rule_op_info[c->row.op].values == RULE_V_LIST && !c->row.right.n) {
		constant(c, false); /* nothing is in an empty list */
		return;
	}
	if (t->kind != RULE_TERM_FIELD)
		return;
	c->kinds = rule_field_info[t->field.id].kinds;
	if (c->row.quantifier != RULE_Q_NONE)
		return;
	if (t->field.id == RF_evt_type || t->field.id == RF_syscall_type)
		about_events(c);
	else if (t->field.id == RF_evt_num)
		about_number(c);
	else if (t->field.id == RF_evt_dir)
		about_direction(c);
}

uint64_t check_kinds(const struct cond *c, bool is_negated)
{
	bool cuts = (c->kind == COND_AND) != is_negated;
	uint64_t kinds = cuts ? ~0ull : 0, some;

	if (c->kind == COND_CHECK)
		return is_negated ? c->check->negated : c->check->kinds;
	if (c->kind == COND_NOT)
		return check_kinds(c->args.p[0], !is_negated);
	for (size_t i = 0; i < c->args.n; i++) {
		some = check_kinds(c->args.p[i], is_negated);
		kinds = cuts ? kinds & some : kinds | some;
	}
	return kinds;
}

bool check_has_evttype(const struct cond *c, bool is_negated)
{
	bool one_is_enough = (c->kind == COND_AND) != is_negated;

	if (c->kind == COND_CHECK)
		return is_negated ? c->check->negated_evttype : c->check->is_evttype;
	if (c->kind == COND_NOT)
		return check_has_evttype(c->args.p[0], !is_negated);
	for (size_t i = 0; i < c->args.n; i++)
		if (check_has_evttype(c->args.p[i], is_negated) == one_is_enough)
			return one_is_enough;
	return !one_is_enough;
}
