/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tests:` of a rule, skep's own key: what must set it off, and what must not.
 *
 *	tests:
 *	- name: cat of the file
 *	  run: cat /etc/shadow		a command, or
 *	  replay: shadow.skep		a recording beside the rule file
 *	  expect: alert			or none
 *	  needs: kernel container	what there must be; else it is skipped
 *	  output: /etc/shadow		a piece of the alert's text
 *
 * Falco leaves the key out, with a warning.
 */
#include "compile/lang/falco/collect.h"

static bool fail(struct load *l, const struct item *item, struct span span, const char *text)
{
	report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item, span, "%s", text);
	return false;
}

static bool take_expect(struct load *l, const struct item *item, const struct node *map, bool *ret)
{
	struct node *n;

	*ret = true;
	if (!take_scalar(l, item, map, "expect", OPTIONAL, &n))
		return false;
	if (!n || str_eq(n->text, STR("alert")))
		return true;
	*ret = false;
	return str_eq(n->text, STR("none")) ||
	       fail(l, item, n->span, "a test expects 'alert' or 'none'");
}

static bool take_test(struct load *l, const struct item *rule, const struct node *map,
		      struct rule_info *into)
{
	static const char *const known[] = {"name",  "run",    "replay", "expect",
					    "needs", "output", NULL};
	struct item item = item_of(l, "test", node_get(map, "name"), map);
	struct rule_test t = {.span = item.span};

	if (map->kind != NODE_MAP)
		return fail(l, rule, map->span,
			    "a test must be a mapping of name, run or replay, and expect");
	if (!take_string(l, &item, map, "name", REQUIRED, &t.name) ||
	    !take_string(l, &item, map, "run", OPTIONAL, &t.run) ||
	    !take_string(l, &item, map, "replay", OPTIONAL, &t.replay) ||
	    !take_string(l, &item, map, "needs", OPTIONAL, &t.needs) ||
	    !take_string(l, &item, map, "output", OPTIONAL, &t.output) ||
	    !take_expect(l, &item, map, &t.expects))
		return false;
	warn_keys(l, &item, map, known);
	if (!t.run == !t.replay)
		return fail(l, &item, item.span, "a test has either 'run' or 'replay'");
	array_push(&l->rs->arena, &into->tests, t);
	return true;
}

bool take_tests(struct load *l, const struct item *item, const struct node *map,
		struct rule_info *into)
{
	const struct node *list = node_get(map, "tests");

	if (!list || node_is_null(list))
		return true;
	if (list->kind != NODE_SEQUENCE)
		return fail(l, item, list->span, "tests of a rule must be a sequence");
	for (size_t i = 0; i < list->items.n; i++)
		if (!take_test(l, item, list->items.p[i], into))
			return false;
	return true;
}
