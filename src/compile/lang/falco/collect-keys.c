/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of items: what must stand there, of which kind, and what is not known. */
#include "compile/lang/falco/collect.h"

struct item item_of(struct load *l, const char *type, const struct node *name,
		    const struct node *map)
{
	struct item x = {.type = type, .name = "", .span = map->span};

	if (name && name->kind == NODE_SCALAR) {
		x.name = arena_strdup(&l->rs->arena, name->text.p);
		x.span = name->span;
	}
	return x;
}

static bool fail(struct load *l, const struct item *item, struct span span, const char *key,
		 const char *text)
{
	report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item, span, "'%s' %s", key, text);
	return false;
}

/* The key is not there. */
static bool may_lack(struct load *l, const struct item *item, const char *key,
		     enum presence presence)
{
	if (presence != REQUIRED)
		return true;
	report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item, item->span,
	       "this %s has no mapping for key '%s'", item->type, key);
	return false;
}

bool take_scalar(struct load *l, const struct item *item, const struct node *map, const char *key,
		 enum presence presence, struct node **ret)
{
	struct node *n = node_get(map, key);

	*ret = NULL;
	if (!n)
		return may_lack(l, item, key, presence);
	if (n->kind != NODE_SCALAR)
		return fail(l, item, n->span, key,
			    "is not a scalar value: text or a number is expected");
	if (!n->text.n || node_is_null(n)) {
		if (presence == MAY_BE_EMPTY)
			return true;
		return fail(l, item, node_get_key(map, key)->span, key, "is empty");
	}
	*ret = n;
	return true;
}

bool take_string(struct load *l, const struct item *item, const struct node *map, const char *key,
		 enum presence presence, const char **ret)
{
	struct node *n;

	if (!take_scalar(l, item, map, key, presence, &n))
		return false;
	if (n)
		*ret = arena_strndup(&l->rs->arena, n->text.p, n->text.n);
	return true;
}

bool take_bool(struct load *l, const struct item *item, const struct node *map, const char *key,
	       bool *ret)
{
	struct node *n;

	if (!take_scalar(l, item, map, key, OPTIONAL, &n))
		return false;
	if (n && !node_bool(n, ret))
		return fail(l, item, n->span, key, "is neither true nor false");
	return true;
}

bool take_strings(struct load *l, const struct item *item, const struct node *map, const char *key,
		  enum presence presence, struct nodes *into)
{
	const struct node *n = node_get(map, key);

	if (!n)
		return may_lack(l, item, key, presence);
	if (n->kind != NODE_SEQUENCE)
		return fail(l, item, n->span, key, "is not a sequence: a list is expected");
	for (size_t i = 0; i < n->items.n; i++) {
		if (n->items.p[i]->kind != NODE_SCALAR)
			return fail(l, item, n->items.p[i]->span, key,
				    "has an item that is not a scalar value");
		array_push(&l->tmp, &into->list, n->items.p[i]);
	}
	return true;
}

static bool is_known(struct str key, const char *const *known)
{
	for (; *known; known++)
		if (str_eq(key, str_of(*known)))
			return true;
	return false;
}

void warn_keys(struct load *l, const struct item *item, const struct node *map,
	       const char *const *known)
{
	const char *near;

	for (size_t i = 0; i + 1 < map->items.n; i += 2) {
		const struct node *key = map->items.p[i];

		if (key->kind != NODE_SCALAR) {
			report(l, FALCO_UNKNOWN_KEY, D_RULE_KEY, item, key->span,
			       "a key that is no text: it is left out");
			continue;
		}
		if (is_known(key->text, known)) {
			if (node_get_key(map, key->text.p) != key)
				report(l, FALCO_UNKNOWN_KEY, D_RULE_KEY, item, key->span,
				       "key '%.64s' stands here twice; the first one counts",
				       key->text.p);
			continue;
		}
		report(l, FALCO_UNKNOWN_KEY, D_RULE_KEY, item, key->span,
		       "unknown key '%.64s' of this %s: it is left out", key->text.p, item->type);
		near = l->d->is_repeated ? NULL : str_nearest(key->text.p, known);
		if (near)
			diag_hint(l->d, "did you mean '%s'?", near);
		else if (str_eq(key->text, STR("<<")))
			diag_hint(l->d, "YAML's merge keys are not known in rule files");
	}
}

bool take_append(struct load *l, const struct item *item, const struct node *map, bool *ret)
{
	if (!take_bool(l, item, map, "append", ret))
		return false;
	if (!*ret)
		return true;
	report(l, FALCO_DEPRECATED_ITEM, D_DEPRECATED, item, node_get_key(map, "append")->span,
	       "'append' key is deprecated");
	diag_hint(l->d, "write 'override' with an 'append' entry: {%s: append}",
		  strcmp(item->type, "list") ? "condition" : "items");
	return true;
}

static bool take_override(struct load *l, const struct item *item, const struct node *key,
			  const struct node *value, const struct override_key *keys, size_t n,
			  struct overrides *ret)
{
	bool appends = str_eq(value->text, STR("append"));
	bool replaces = str_eq(value->text, STR("replace"));
	size_t i = 0;

	while (i < n && !str_eq(key->text, str_of(keys[i].name)))
		i++;
	if (!appends && !replaces) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item, value->span,
		       "invalid override operation '%.64s' for key '%.64s': there are%s%s%s",
		       value->text.p, key->text.p, i < n && keys[i].may_append ? " append" : "",
		       i < n && keys[i].may_replace ? " replace" : "", i < n ? "" : " none");
		return false;
	}
	if (appends && (i == n || !keys[i].may_append)) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item, key->span,
		       "key '%.64s' cannot be appended to%s", key->text.p,
		       i < n ? ", use 'replace' instead" : "");
		return false;
	}
	if (replaces && (i == n || !keys[i].may_replace)) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item, key->span,
		       "key '%.64s' cannot be replaced", key->text.p);
		return false;
	}
	*(appends ? &ret->append : &ret->replace) |= 1u << i;
	return true;
}

bool take_overrides(struct load *l, const struct item *item, const struct node *map,
		    const struct override_key *keys, size_t n, struct overrides *ret)
{
	const struct node *o = node_get(map, "override");

	*ret = (struct overrides){};
	if (!o)
		return true;
	if (o->kind != NODE_MAP)
		return fail(l, item, o->span, "override",
			    "is not a mapping of keys to append or replace");
	for (size_t i = 0; i + 1 < o->items.n; i += 2) {
		const struct node *key = o->items.p[i], *value = o->items.p[i + 1];

		if (key->kind != NODE_SCALAR || value->kind != NODE_SCALAR)
			return fail(l, item, key->span, "override",
				    "is not a mapping of keys to append or replace");
		if (!take_override(l, item, key, value, keys, n, ret))
			return false;
	}
	return true;
}
