/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions, exactly, on one event.
 *
 * Logic has two values: a check of something that is missing is false, whatever its operator,
 * and `not` of it is true.  A left side may be several values.  fd.ip and fd.port are both
 * ends, evt.type is the call's name and the one it counts as: one of them is enough, for !=
 * all must differ.  proc.aname without a number is any ancestor, for != too, as in Falco.  Of
 * a list that a transformer made, `in` wants all items, `intersects` one.
 */
#include "event/rule/compare.h"
#include "event/rule/field.h"
#include "event/rule/hosts.h"

#include "base/macro.h"

enum { VALUES_MAX = 8 };

/* --- one left value against the right side */

static bool operand_of(const struct rule_event *e, const struct rule_term *t, struct operand *ret,
		       struct rule_value *room)
{
	*ret = (struct operand){.text = t->text};
	if (t->kind == RULE_TERM_LITERAL)
		return true;
	if (!rule_term_get(e, t, room))
		return false;
	ret->value = room;
	return true;
}

static bool one_to_one(const struct rule_event *e, const struct rule_check *c,
		       const struct rule_value *v, size_t i)
{
	struct rule_value room;
	struct operand right;

	return operand_of(e, c->right.p[i], &right, &room) && compare(e, c->op, v, &right);
}

static bool one_value(const struct rule_event *e, const struct rule_check *c,
		      const struct rule_value *v)
{
	bool is_list = rule_op_info[c->op].values == RULE_V_LIST;
	size_t hits = 0;

	if (c->op == RULE_EXISTS)
		return true;
	if (!is_list && c->quantifier == RULE_Q_NONE)
		return c->right.n && one_to_one(e, c, v, 0);
	for (size_t i = 0; i < c->right.n; i++) {
		hits += one_to_one(e, c, v, i);
		if (hits && (c->quantifier == RULE_Q_ANYOF || c->quantifier == RULE_Q_NONE))
			return true;
	}
	switch (c->quantifier) {
	case RULE_Q_NONE:
	case RULE_Q_ANYOF:
		return false;
	case RULE_Q_ONEOF:
		return hits == 1;
	case RULE_Q_ALLOF:
		return c->right.n && hits == c->right.n;
	}
	return false;
}

/* --- several left values */

/* Both ends of a connection, the two names of a call. */
static bool ends(const struct rule_event *e, const struct rule_check *c,
		 const struct rule_value *values, size_t n)
{
	bool all = c->op == RULE_NE;

	for (size_t i = 0; i < n; i++)
		if (one_value(e, c, &values[i]) != all)
			return !all;
	return n && all;
}

static bool both_ends(const struct rule_event *e, const struct rule_check *c,
		      const struct rule_value *v)
{
	struct rule_value values[2];
	size_t n = MIN(v->n, ELEMENTS(values));

	for (size_t i = 0; i < n; i++)
		values[i] = rule_value_item(v, i);
	return ends(e, c, values, n);
}

/* Names of the record's event: its own, the one it counts as; all that a fork may be. */
static bool event_names(const struct rule_event *e, const struct rule_check *c)
{
	const struct wire_head *h = e->event->head;
	const struct rule_event_info *own = rule_event_of(h), *rows;
	struct rule_value values[VALUES_MAX];
	size_t n = 0, n_rows;

	if (!own)
		return false;
	values[n++] = (struct rule_value){.type = RT_STRING, .text = str_of(own->name)};
	if (own->as)
		values[n++] = (struct rule_value){.type = RT_STRING, .text = str_of(own->as)};
	rows = rule_events(&n_rows);
	for (size_t i = 0; rule_event_nr(h) < 0 && i < n_rows && n < VALUES_MAX; i++)
		if (&rows[i] != own && rule_event_is(h, &rows[i]))
			values[n++] = (struct rule_value){.type = RT_STRING,
							  .text = str_of(rows[i].name)};
	return ends(e, c, values, n);
}

/* The address whose name the field is; RF_NONE: it is no such field. */
static enum rule_field address_of(const struct rule_term *t)
{
	static const enum rule_field pairs[][2] = {
		{RF_fd_cip_name, RF_fd_cip},
		{RF_fd_sip_name, RF_fd_sip},
		{RF_fd_lip_name, RF_fd_lip},
		{RF_fd_rip_name, RF_fd_rip},
	};

	for (size_t i = 0; t->kind == RULE_TERM_FIELD && i < ELEMENTS(pairs); i++)
		if (t->field.id == pairs[i][0])
			return pairs[i][1];
	return RF_NONE;
}

/*
 * fd.sip.name = host: is the address one of the host's?  Only these operators ask so; others
 * see the name that the address has.
 */
static bool is_host_check(const struct rule_check *c)
{
	return (c->op == RULE_EQ || c->op == RULE_NE || c->op == RULE_IN) &&
	       c->quantifier == RULE_Q_NONE && address_of(c->left) != RF_NONE;
}

static bool host_check(const struct rule_event *e, const struct rule_check *c)
{
	struct rule_field_ref ip = {.id = address_of(c->left), .index = -1, .type = RT_IP};
	struct rule_value v, room;
	struct operand right;
	bool is_one = false;

	if (!e->hosts || !rule_field_get(e, &ip, &v))
		return false;
	for (size_t i = 0; i < c->right.n && !is_one; i++) {
		if (!operand_of(e, c->right.p[i], &right, &room))
			return false;
		is_one = hosts_has(e->hosts, right.value ? right.value->text : right.text, v.ip[0]);
	}
	return is_one != (c->op == RULE_NE);
}

static bool list(const struct rule_event *e, const struct rule_check *c, const struct rule_value *v)
{
	bool of_ancestors = c->left->kind == RULE_TERM_FIELD;
	bool all = c->op == RULE_IN && !of_ancestors;

	if (c->op == RULE_EXISTS)
		return true;
	for (size_t i = 0; i < v->n; i++) {
		struct rule_value item = rule_value_item(v, i);

		if (one_value(e, c, &item) != all)
			return !all;
	}
	return all;
}

/* --- checks and conditions */

bool rule_check_eval(const struct rule_event *e, const struct rule_check *c)
{
	struct rule_value v;

	if (c->left->kind == RULE_TERM_FIELD && c->left->field.id == RF_evt_type)
		return event_names(e, c);
	if (is_host_check(c))
		return host_check(e, c);
	if (!rule_term_get(e, c->left, &v))
		return false;
	switch (rule_types[v.type].shape) {
	case RS_ENDS:
		return both_ends(e, c, &v);
	case RS_LIST:
		return list(e, c, &v);
	case RS_ONE:
		return one_value(e, c, &v);
	}
	return false;
}

bool rule_expr_eval(const struct rule_event *e, const struct ruleset *rs, const struct rule_expr *x)
{
	switch (x->kind) {
	case RULE_E_CONST:
		return x->value;
	case RULE_E_CHECK:
		return rule_check_eval(e, rs->checks.p[x->check]);
	case RULE_E_NOT:
		return !rule_expr_eval(e, rs, x->args.p[0]);
	case RULE_E_AND:
		for (size_t i = 0; i < x->args.n; i++)
			if (!rule_expr_eval(e, rs, x->args.p[i]))
				return false;
		return true;
	case RULE_E_OR:
		for (size_t i = 0; i < x->args.n; i++)
			if (rule_expr_eval(e, rs, x->args.p[i]))
				return true;
		return false;
	}
	return false;
}

/* Did the kernel end up somewhere else than the name says? */
static bool names_differ(struct rule_event *e)
{
	struct str given[2], real[2];

	if (!file_of(e))
		return false;
	e->use_resolved = false;
	given[0] = path_first(e);
	given[1] = path_second(e);
	e->use_resolved = true;
	real[0] = path_first(e);
	real[1] = path_second(e);
	e->use_resolved = false;
	return !str_eq(given[0], real[0]) || !str_eq(given[1], real[1]);
}

bool rule_match(struct rule_event *e, const struct ruleset *rs, const struct rule *rule,
		bool *ret_resolved)
{
	bool does;

	*ret_resolved = false;
	e->use_resolved = false;
	if (rule_expr_eval(e, rs, rule->expr))
		return true;
	if (!names_differ(e))
		return false;
	e->use_resolved = true;
	does = rule_expr_eval(e, rs, rule->expr);
	e->use_resolved = false;
	*ret_resolved = does;
	return does;
}

/* --- why */

static void why_expr(const struct rule_event *e, const struct ruleset *rs,
		     const struct rule_expr *x, struct rule_reasons *to)
{
	if (x->kind == RULE_E_CHECK) {
		struct rule_reason r = {.check = rs->checks.p[x->check]};

		r.is_true = rule_check_eval(e, r.check);
		r.has_value = rule_term_shown(e, r.check->left, &r.value);
		array_push(e->arena, &to->checks, r);
	}
	for (size_t i = 0; i < x->args.n; i++)
		why_expr(e, rs, x->args.p[i], to);
}

void rule_why(struct rule_event *e, const struct ruleset *rs, const struct rule *rule,
	      struct rule_reasons *ret)
{
	struct rule_reasons why = {0};

	why.does_match = rule_match(e, rs, rule, &why.by_resolved);
	e->use_resolved = why.by_resolved;
	why_expr(e, rs, rule->expr, &why);
	e->use_resolved = false;
	*ret = why;
}
