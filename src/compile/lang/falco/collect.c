/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The items of rule files, in order, several files as one set.
 *
 * An item is a map; the key that it has says what it is.  A list or macro that stands there
 * again replaces the one before, or is appended to it.  Each keeps two numbers: the place of
 * its first definition, and that of its last change, which says what it can see (expand.c).
 *
 * An item with an error is left out, and reading goes on, so that all errors of a file are
 * told at once.  (Falco stops at the first.)
 */
#include "compile/lang/falco/collect.h"

#include <string.h>

/* --- names */

enum { LISTS, MACROS, RULES };

static const struct item *item_at(int what, const void *p)
{
	switch (what) {
	case LISTS:
		return &((const struct list_info *)p)->item;
	case MACROS:
		return &((const struct macro_info *)p)->item;
	}
	return &((const struct rule_info *)p)->item;
}

/* Names with the same hash stand behind each other. */
static void *find(const struct load *l, int what, struct str name, uint64_t *ret_key)
{
	uint64_t key = str_hash(name);
	void *p;

	for (;; key++) {
		p = map_get(&l->by_name[what], key);
		if (!p || str_eq(str_of(item_at(what, p)->name), name))
			break;
	}
	if (ret_key)
		*ret_key = key;
	return p;
}

struct list_info *load_list(const struct load *l, struct str name)
{
	return find(l, LISTS, name, NULL);
}

struct macro_info *load_macro(const struct load *l, struct str name)
{
	return find(l, MACROS, name, NULL);
}

struct rule_info *load_rule(const struct load *l, struct str name)
{
	return find(l, RULES, name, NULL);
}

static void put(struct load *l, int what, void *p)
{
	uint64_t key;

	find(l, what, str_of(item_at(what, p)->name), &key);
	map_put(&l->by_name[what], key, p);
}

void load_add_rule(struct load *l, struct rule_info *r)
{
	array_push(&l->tmp, &l->rules, r);
	put(l, RULES, r);
}

bool load_is_broken(const struct load *l, const char *name)
{
	return map_get(&l->broken, str_hash(str_of(name))) != NULL;
}

/* --- lists */

static bool is_bare(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("()\"' \t\r\n\v\f=,", s.p[i]))
			return false;
	return s.n > 0;
}

static bool take_items(struct load *l, const struct node *map, struct list_info *into)
{
	struct nodes items = {};

	if (!take_strings(l, &into->item, map, "items", REQUIRED, &items))
		return false;
	for (size_t i = 0; i < items.list.n; i++)
		array_push(&l->tmp, &into->items, items.list.p[i]);
	return true;
}

/* Does the item append?  By `append: true` or by its overrides. */
static bool take_change(struct load *l, const struct item *item, const struct node *map,
			const char *key, bool *ret_appends)
{
	const struct override_key keys[] = {{key, true, true}};
	struct overrides o;

	*ret_appends = false;
	if (!take_append(l, item, map, ret_appends) || !take_overrides(l, item, map, keys, 1, &o))
		return false;
	if (*ret_appends && (o.append || o.replace)) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item,
		       node_get_key(map, "override")->span,
		       "'override' and 'append: true' cannot be used together");
		return false;
	}
	*ret_appends |= o.append != 0;
	return true;
}

static bool collect_list(struct load *l, const struct node *map)
{
	static const char *const known[] = {"list", "items", "append", "override", NULL};
	struct list_info *x = arena_new(&l->tmp, struct list_info), *before;
	struct node *name;
	bool appends;

	x->item = item_of(l, "list", NULL, map);
	if (!take_scalar(l, &x->item, map, "list", REQUIRED, &name))
		return false;
	x->item = item_of(l, "list", name, map);
	if (!is_bare(name->text))
		report(l, FALCO_INVALID_LIST_NAME, D_RULE_NAME, &x->item, name->span,
		       "a list's name with blanks, quotes, parentheses, '=' or ',' in it: no "
		       "condition can use it");
	if (!take_items(l, map, x) || !take_change(l, &x->item, map, "items", &appends))
		return false;
	warn_keys(l, &x->item, map, known);
	before = load_list(l, name->text);
	if (appends && !before) {
		if (!load_is_broken(l, x->item.name))
			report(l, FALCO_VALIDATE, D_RULE_ORDER, &x->item, name->span,
			       "items are appended to list '%.80s', but no list by that name "
			       "stands before",
			       name->text.p);
		return false;
	}
	x->index = x->visible = l->n_items++;
	if (!before) {
		array_push(&l->tmp, &l->lists, x);
		put(l, LISTS, x);
		return true;
	}
	before->visible = x->index;
	if (!appends) {
		before->items.n = 0;
		before->item = x->item;
	}
	for (size_t i = 0; i < x->items.n; i++)
		array_push(&l->tmp, &before->items, x->items.p[i]);
	return true;
}

/* --- macros */

static bool is_identifier(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i], low = (char)(c | 0x20);

		if (low >= 'a' && low <= 'z')
			continue;
		if (!i || !((c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return s.n > 0;
}

static void append_text(struct load *l, struct text *to, const struct text *more)
{
	if (to->n)
		text_add(&l->tmp, to, " ", to->from[to->n - 1]);
	text_add_text(&l->tmp, to, more, 0, more->n);
}

static bool collect_macro(struct load *l, const struct node *map)
{
	static const char *const known[] = {"macro", "condition", "append", "override", NULL};
	struct macro_info *x = arena_new(&l->tmp, struct macro_info), *before;
	struct node *name, *condition;
	bool appends;

	x->item = item_of(l, "macro", NULL, map);
	if (!take_scalar(l, &x->item, map, "macro", REQUIRED, &name))
		return false;
	x->item = item_of(l, "macro", name, map);
	if (!is_identifier(name->text))
		report(l, FALCO_INVALID_MACRO_NAME, D_RULE_NAME, &x->item, name->span,
		       "a macro's name that is not a letter with letters, digits and '_' behind "
		       "it: no condition can use it");
	if (!take_scalar(l, &x->item, map, "condition", REQUIRED, &condition) ||
	    !take_change(l, &x->item, map, "condition", &appends))
		return false;
	warn_keys(l, &x->item, map, known);
	text_add_node(&l->tmp, l->d, &x->condition, condition);
	before = load_macro(l, name->text);
	if (appends && !before) {
		if (!load_is_broken(l, x->item.name))
			report(l, FALCO_VALIDATE, D_RULE_ORDER, &x->item, name->span,
			       "macro '%.80s' is appended to, but no macro by that name stands "
			       "before",
			       name->text.p);
		return false;
	}
	x->index = x->visible = l->n_items++;
	if (!before) {
		array_push(&l->tmp, &l->macros, x);
		put(l, MACROS, x);
		return true;
	}
	before->visible = x->index;
	if (appends) {
		append_text(l, &before->condition, &x->condition);
	} else {
		before->condition = x->condition;
		before->item = x->item;
	}
	return true;
}

/* --- documents */

static void mark_broken(struct load *l, const struct node *map, const char *key)
{
	const struct node *name = node_get(map, key);

	if (name && name->kind == NODE_SCALAR)
		map_put(&l->broken, str_hash(name->text), l);
}

static void collect_item(struct load *l, const struct node *map)
{
	static const struct {
		const char *key;
		bool (*collect)(struct load *, const struct node *);
	} kinds[] = {{"required_engine_version", collect_versions},
		     {"required_plugin_versions", collect_versions},
		     {"list", collect_list},
		     {"macro", collect_macro},
		     {"rule", collect_rule}};
	struct item item = item_of(l, "rules content item", NULL, map);

	if (map->kind != NODE_MAP) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, &item, map->span,
		       "unexpected element: an item is a mapping, as '- rule: name'");
		return;
	}
	for (size_t i = 0; i < ELEMENTS(kinds); i++) {
		if (!node_get(map, kinds[i].key))
			continue;
		if (!kinds[i].collect(l, map))
			mark_broken(l, map, kinds[i].key);
		return;
	}
	report(l, FALCO_UNKNOWN_ITEM, D_RULE_KEY, &item, map->span,
	       "unknown top level item: it is no rule, macro, list or required version");
}

void collect_document(struct load *l, const struct node *document)
{
	struct item item = item_of(l, "rules content", NULL, document);

	if (node_is_null(document))
		return;
	if (document->kind != NODE_SEQUENCE) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_FILE, &item, document->span,
		       document->kind == NODE_MAP
			       ? "rules content is not a YAML array of objects: each item begins "
				 "with '- '"
			       : "rules content is not YAML: a list of items is expected");
		return;
	}
	for (size_t i = 0; i < document->items.n; i++)
		if (!node_is_null(document->items.p[i]))
			collect_item(l, document->items.p[i]);
}
