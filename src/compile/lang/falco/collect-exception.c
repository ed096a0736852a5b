/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions of rules, and our tests.
 *
 *	- name: known
 *	  fields: [proc.name, fd.name]		or one field
 *	  comps: [=, startswith]		default: = for each; of one field: in
 *	  values: [[dpkg, /etc/a], [apt, /b]]	of one field: [dpkg, apt]
 *
 * They become part of the condition when that is put together (expand.c).
 */
#include "compile/lang/falco/check.h"
#include "compile/lang/falco/collect.h"
#include "compile/lang/falco/condition.h"

static bool take_entry(struct load *l, const struct item *item, struct node *n, unsigned int depth,
		       struct entry *ret)
{
	struct entry sub;

	*ret = (struct entry){.is_set = true, .node = n};
	if (n->kind == NODE_SCALAR && n->text.n)
		return true;
	if (n->kind != NODE_SEQUENCE || depth == 3) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_EXCEPTION, item, n->span,
		       n->kind == NODE_SCALAR ? "value must be non-empty"
					      : "a value or a list of values is expected here");
		return false;
	}
	ret->is_list = true;
	for (size_t i = 0; i < n->items.n; i++) {
		if (!take_entry(l, item, n->items.p[i], depth + 1, &sub))
			return false;
		array_push(&l->tmp, &ret->items, sub);
	}
	return true;
}

static bool take_part(struct load *l, const struct item *item, const struct node *map,
		      const char *key, bool is_needed, struct entry *ret)
{
	struct node *n = node_get(map, key);

	if (n)
		return take_entry(l, item, n, 0, ret);
	if (is_needed)
		report(l, FALCO_YAML_VALIDATE, D_RULE_EXCEPTION, item, item->span,
		       "this exception has no mapping for key '%s'", key);
	return !is_needed;
}

static bool take_values(struct load *l, const struct node *map, bool is_appended,
			struct exception_info *x)
{
	const struct node *values = node_get(map, "values");
	struct entry v;

	if (!values) {
		if (is_appended)
			report(l, FALCO_APPEND_NO_VALUES, D_RULE_EXCEPTION, &x->item, x->item.span,
			       "exception '%.80s' is appended with no values", x->item.name);
		return true;
	}
	if (values->kind != NODE_SEQUENCE) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_EXCEPTION, &x->item, values->span,
		       "values of an exception must be a sequence");
		return false;
	}
	for (size_t i = 0; i < values->items.n; i++) {
		if (!take_entry(l, &x->item, values->items.p[i], 1, &v))
			return false;
		array_push(&l->tmp, &x->values, v);
	}
	return true;
}

static bool take_exception(struct load *l, const struct item *rule, const struct node *map,
			   bool is_appended, struct rule_info *into)
{
	static const char *const known[] = {"name", "fields", "comps", "values", NULL};
	struct exception_info *x = arena_new(&l->tmp, struct exception_info);
	struct node *name;

	x->item = item_of(l, "exception", NULL, map);
	if (map->kind != NODE_MAP) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_EXCEPTION, rule, map->span,
		       "an exception must be a mapping of name, fields, comps and values");
		return false;
	}
	if (!take_scalar(l, &x->item, map, "name", REQUIRED, &name))
		return false;
	x->item = item_of(l, "exception", name, map);
	for (size_t i = 0; i < into->exceptions.n; i++)
		if (!strcmp(into->exceptions.p[i]->item.name, x->item.name))
			report(l, FALCO_EXCEPTION_NAME_NOT_UNIQUE, D_RULE_EXCEPTION, &x->item,
			       name->span,
			       "multiple definitions of exception '%.80s' in the same rule",
			       x->item.name);
	if (!take_part(l, &x->item, map, "fields", !is_appended, &x->fields) ||
	    !take_part(l, &x->item, map, "comps", false, &x->comps) ||
	    !take_values(l, map, is_appended, x))
		return false;
	warn_keys(l, &x->item, map, known);
	array_push(&l->tmp, &into->exceptions, x);
	return true;
}

bool take_exceptions(struct load *l, const struct item *rule, const struct node *map,
		     bool is_appended, struct rule_info *into)
{
	const struct node *list = node_get(map, "exceptions");

	if (!list || node_is_null(list))
		return true;
	if (list->kind != NODE_SEQUENCE) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_EXCEPTION, rule, list->span,
		       "exceptions of a rule must be a sequence");
		return false;
	}
	if (list->items.n > EXCEPTIONS_MAX) {
		report(l, FALCO_YAML_VALIDATE, D_LIMIT, rule, list->span,
		       "more than %d exceptions of one rule", EXCEPTIONS_MAX);
		return false;
	}
	for (size_t i = 0; i < list->items.n; i++)
		if (!take_exception(l, rule, list->items.p[i], is_appended, into))
			return false;
	return true;
}

/* --- do fields and comparisons fit? */

static bool fail(struct load *l, const struct exception_info *x, struct span span, const char *text)
{
	report(l, FALCO_VALIDATE, D_RULE_EXCEPTION, &x->item, span, "%s", text);
	return false;
}

/* "startswith oneof": an operator, and a quantifier if `ret_is_quantified`. */
static bool is_operator(struct str text, bool *ret_is_list, bool *ret_is_quantified)
{
	static const char *const quantifiers[] = {"oneof", "anyof", "allof"};
	size_t n = 0;

	while (text.n && strchr(" \t\r\n", text.p[0]))
		text.p++, text.n--;
	while (text.n && strchr(" \t\r\n", text.p[text.n - 1]))
		text.n--;
	while (n < text.n && text.p[n] != ' ')
		n++;
	*ret_is_list = *ret_is_quantified = false;
	for (int i = 0; i < RULE_OPS; i++) {
		bool is_text = rule_op_info[i].values == RULE_V_ONE && (i < RULE_LT || i > RULE_GE);

		if (!str_eq((struct str){text.p, n}, str_of(rule_op_info[i].text)) &&
		    !(i == RULE_EQ && n == 2 && !memcmp(text.p, "==", 2)))
			continue;
		*ret_is_list = rule_op_info[i].values == RULE_V_LIST;
		for (size_t q = 0; is_text && n < text.n && q < ELEMENTS(quantifiers); q++)
			*ret_is_quantified |= str_eq((struct str){text.p + n + 1, text.n - n - 1},
						     str_of(quantifiers[q]));
		return n == text.n || *ret_is_quantified;
	}
	return false;
}

bool exception_takes_list(const struct entry *comp)
{
	bool is_list, is_quantified;

	return comp && is_operator(comp->node->text, &is_list, &is_quantified) &&
	       (is_list || is_quantified);
}

static bool check_field(struct load *l, const struct exception_info *x, const struct entry *field)
{
	struct text text = {};
	struct check c = {};
	enum rule_type type;
	const char *why;
	size_t end;

	if (field->is_list)
		return fail(l, x, field->node->span, "a field is expected here, not a list");
	text_add_node(&l->tmp, l->d, &text, field->node);
	c.row.left = condition_term(l, &text, 0, &end, &why);
	if (c.row.left && end == text.n && term_resolve(l, &c, c.row.left, &type))
		return true;
	report(l, FALCO_VALIDATE, D_UNKNOWN_FIELD, &x->item, field->node->span,
	       "'%.80s' is not a supported filter field", field->node->text.p);
	if (c.hint)
		diag_hint(l->d, "%s", c.hint);
	return false;
}

static bool check_one_field(struct load *l, struct exception_info *x)
{
	bool is_list = true, is_quantified = false;

	if (x->comps.is_set && x->comps.is_list)
		return fail(l, x, x->comps.node->span, "fields and comps must both be strings");
	if (x->comps.is_set && (!is_operator(x->comps.node->text, &is_list, &is_quantified) ||
				!(is_list || is_quantified)))
		return fail(l, x, x->comps.node->span,
			    "of a single field, comps must be in, pmatch or intersects, or an "
			    "operator with a modifier, as 'startswith oneof'");
	return check_field(l, x, &x->fields);
}

bool exception_check(struct load *l, struct exception_info *x)
{
	bool is_list, is_quantified;

	if (!x->fields.is_set)
		return fail(l, x, x->item.span,
			    "an exception must have fields property with a list of fields");
	if (!x->fields.is_list)
		return check_one_field(l, x);
	if (x->comps.is_set && !x->comps.is_list)
		return fail(l, x, x->comps.node->span, "fields and comps must both be lists");
	if (x->comps.is_set && x->comps.items.n != x->fields.items.n)
		return fail(l, x, x->comps.node->span,
			    "fields and comps lists must have equal length");
	for (size_t i = 0; i < x->comps.items.n; i++) {
		const struct entry *e = &x->comps.items.p[i];

		if (e->is_list || !is_operator(e->node->text, &is_list, &is_quantified)) {
			report(l, FALCO_VALIDATE, D_OPERATOR, &x->item, e->node->span,
			       "'%.32s' is not a supported comparison operator",
			       e->is_list ? "a list" : e->node->text.p);
			return false;
		}
	}
	for (size_t i = 0; i < x->fields.items.n; i++)
		if (!check_field(l, x, &x->fields.items.p[i]))
			return false;
	return true;
}
