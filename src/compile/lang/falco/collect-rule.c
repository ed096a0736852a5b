/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules: definitions, and items that change one that stands before.
 *
 *	override: {condition: append, priority: replace}	the way to do it
 *	append: true						the old way: condition, exceptions
 *	enabled: false						alone: switches a rule
 *
 * With `override` each key that can be overridden must stand in it, and the other way round.
 */
#include "compile/lang/falco/collect.h"

#include <stdlib.h>
#include <strings.h>

enum {
	CONDITION = 1 << 0,
	OUTPUT = 1 << 1,
	DESC = 1 << 2,
	TAGS = 1 << 3,
	EXCEPTIONS = 1 << 4,
	PRIORITY = 1 << 5,
	ENABLED = 1 << 6,
	WARN = 1 << 7,
	SKIP = 1 << 8,
	CAPTURE = 1 << 9,
	CAPTURE_DURATION = 1 << 10,
	ALL = (1 << 11) - 1,
};

/* In the order of the bits. */
static const struct override_key keys[] = {
	{"condition", true, true},
	{"output", true, true},
	{"desc", true, true},
	{"tags", true, true},
	{"exceptions", true, true},
	{"priority", false, true},
	{"enabled", false, true},
	{"warn_evttypes", false, true},
	{"skip-if-unknown-filter", false, true},
	{"capture", false, true},
	{"capture_duration", false, true},
};

static const char *const known[] = {
	"rule",
	"condition",
	"output",
	"desc",
	"tags",
	"exceptions",
	"priority",
	"enabled",
	"source",
	"warn_evttypes",
	"skip-if-unknown-filter",
	"capture",
	"capture_duration",
	"override",
	"append",
	"tests",
	NULL,
};

/* --- values */

static bool take_text(struct load *l, const struct item *item, const struct node *map,
		      const char *key, struct text *ret, struct item *ret_at)
{
	struct node *n;

	if (!take_scalar(l, item, map, key, REQUIRED, &n))
		return false;
	text_add_node(&l->tmp, l->d, ret, n);
	*ret_at = *item;
	ret_at->span = n->span;
	return true;
}

/* Sorted, each once, as Falco prints them. */
static void add_tag(struct load *l, struct rule_info *r, const char *tag)
{
	size_t at = 0;

	while (at < r->tags.n && strcmp(r->tags.p[at], tag) < 0)
		at++;
	if (r->tags.n == TAGS_MAX || (at < r->tags.n && !strcmp(r->tags.p[at], tag)))
		return;
	array_push(&l->rs->arena, &r->tags, tag);
	memmove(r->tags.p + at + 1, r->tags.p + at, (r->tags.n - 1 - at) * sizeof(*r->tags.p));
	r->tags.p[at] = tag;
}

static bool take_tags(struct load *l, const struct item *item, const struct node *map,
		      struct rule_info *ret)
{
	struct nodes tags = {};

	if (!take_strings(l, item, map, "tags", OPTIONAL, &tags))
		return false;
	for (size_t i = 0; i < tags.list.n; i++)
		add_tag(l, ret, arena_strdup(&l->rs->arena, tags.list.p[i]->text.p));
	return true;
}

static bool take_priority(struct load *l, const struct item *item, const struct node *map,
			  enum rule_priority *ret)
{
	struct node *n;

	if (!take_scalar(l, item, map, "priority", REQUIRED, &n))
		return false;
	for (int i = RULE_EMERGENCY; i <= RULE_DEBUG; i++) {
		if (strcasecmp(n->text.p, rule_priority_names[i]) &&
		    (i != RULE_INFO || strcasecmp(n->text.p, "info")))
			continue;
		*ret = (enum rule_priority)i;
		return true;
	}
	report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item, n->span, "invalid priority '%.32s'",
	       n->text.p);
	diag_hint(l->d, "there are EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, "
			"INFORMATIONAL (INFO) and DEBUG");
	return false;
}

/* skep makes no captures: looked at, and left out. */
static bool take_capture(struct load *l, const struct item *item, const struct node *map,
			 uint32_t which)
{
	struct node *n;
	bool unused;
	char *end;

	if (which & CAPTURE && !take_bool(l, item, map, "capture", &unused))
		return false;
	if (!(which & CAPTURE_DURATION))
		return true;
	if (!take_scalar(l, item, map, "capture_duration", OPTIONAL, &n))
		return false;
	if (!n)
		return true;
	strtoul(n->text.p, &end, 0);
	if (!*end)
		return true;
	report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item, n->span,
	       "'capture_duration' is not a number");
	return false;
}

/* The keys in `which`; the first four and priority must be there then. */
static bool take_keys(struct load *l, const struct node *map, uint32_t which, bool appends,
		      struct rule_info *r)
{
	const struct item *item = &r->item;
	struct item unused;

	if (which & CONDITION &&
	    !take_text(l, item, map, "condition", &r->condition, &r->condition_at))
		return false;
	if (which & OUTPUT && !take_text(l, item, map, "output", &r->output, &r->output_at))
		return false;
	if (which & DESC && !take_text(l, item, map, "desc", &r->desc, &unused))
		return false;
	if (which & PRIORITY && !take_priority(l, item, map, &r->priority))
		return false;
	if (which & TAGS && !take_tags(l, item, map, r))
		return false;
	if (which & EXCEPTIONS && !take_exceptions(l, item, map, appends, r))
		return false;
	if (which & ENABLED && !take_bool(l, item, map, "enabled", &r->is_enabled))
		return false;
	if (which & WARN && !take_bool(l, item, map, "warn_evttypes", &r->warn_evttypes))
		return false;
	if (which & SKIP && !take_bool(l, item, map, "skip-if-unknown-filter", &r->skip_if_unknown))
		return false;
	return take_capture(l, item, map, which);
}

/* --- changes of rules that stand before */

static void append_text(struct load *l, struct text *to, const struct text *more)
{
	if (to->n && more->n)
		text_add(&l->tmp, to, " ", more->from[0]);
	text_add_text(&l->tmp, to, more, 0, more->n);
}

static bool fail(struct load *l, const struct exception_info *x, struct span span, const char *text)
{
	report(l, FALCO_VALIDATE, D_RULE_EXCEPTION, &x->item, span, "%s", text);
	return false;
}

static bool append_exception(struct load *l, struct rule_info *r, struct exception_info *x)
{
	struct exception_info *before = NULL;

	for (size_t i = 0; i < r->exceptions.n && !before; i++)
		if (!strcmp(r->exceptions.p[i]->item.name, x->item.name))
			before = r->exceptions.p[i];
	if (!before && r->exceptions.n >= EXCEPTIONS_MAX)
		return fail(l, x, x->item.span, "too many exceptions of one rule");
	if (!before) {
		if (!x->fields.is_set)
			return fail(l, x, x->item.span,
				    "a new exception must have fields property with a list of "
				    "fields");
		if (!x->values.n)
			return fail(l, x, x->item.span,
				    "a new exception must have values property with a list of "
				    "values");
		if (!r->has_unknown_source && !exception_check(l, x))
			return false;
		array_push(&l->tmp, &r->exceptions, x);
		return true;
	}
	if (x->fields.is_set)
		return fail(l, x, x->item.span,
			    "can not append exception fields to existing exception, only values");
	if (x->comps.is_set)
		return fail(l, x, x->item.span,
			    "can not append exception comps to existing exception, only values");
	for (size_t i = 0; i < x->values.n; i++)
		array_push(&l->tmp, &before->values, x->values.p[i]);
	return true;
}

static bool append_to(struct load *l, struct rule_info *r, const struct rule_info *u)
{
	append_text(l, &r->condition, &u->condition);
	append_text(l, &r->output, &u->output);
	append_text(l, &r->desc, &u->desc);
	for (size_t i = 0; i < u->tags.n; i++)
		add_tag(l, r, u->tags.p[i]);
	for (size_t i = 0; i < u->exceptions.n; i++)
		if (!append_exception(l, r, u->exceptions.p[i]))
			return false;
	return true;
}

static bool replace_in(struct load *l, struct rule_info *r, const struct rule_info *u,
		       uint32_t which)
{
	for (size_t i = 0; which & EXCEPTIONS && i < u->exceptions.n; i++)
		if (!r->has_unknown_source && !exception_check(l, u->exceptions.p[i]))
			return false;
	if (which & CONDITION) {
		r->condition = u->condition;
		r->condition_at = u->condition_at;
	}
	if (which & OUTPUT) {
		r->output = u->output;
		r->output_at = u->output_at;
	}
	if (which & DESC)
		r->desc = u->desc;
	if (which & TAGS)
		memcpy(&r->tags, &u->tags, sizeof(r->tags));
	if (which & EXCEPTIONS)
		memcpy(&r->exceptions, &u->exceptions, sizeof(r->exceptions));
	if (which & PRIORITY)
		r->priority = u->priority;
	if (which & ENABLED)
		r->is_enabled = u->is_enabled;
	if (which & WARN)
		r->warn_evttypes = u->warn_evttypes;
	if (which & SKIP)
		r->skip_if_unknown = u->skip_if_unknown;
	return true;
}

/* The rule that is meant; NULL: reported. */
static struct rule_info *find_before(struct load *l, const struct item *item, const char *source,
				     const char *what)
{
	struct rule_info *r = load_rule(l, str_of(item->name));

	if (!r) {
		if (!load_is_broken(l, item->name))
			report(l, FALCO_VALIDATE, D_RULE_ORDER, item, item->span,
			       "%s, but no rule by that name already exists", what);
		return NULL;
	}
	if (source && *source && strcmp(source, r->source)) {
		report(l, FALCO_VALIDATE, D_RULE_ITEM, item, item->span,
		       "rule has been re-defined with a different source: '%.32s', not '%.32s'",
		       source, r->source);
		return NULL;
	}
	return r;
}

static void take_over_tests(struct load *l, struct rule_info *r, const struct rule_info *u)
{
	for (size_t i = 0; i < u->tests.n; i++)
		array_push(&l->rs->arena, &r->tests, u->tests.p[i]);
}

/* Each key that can be overridden stands in `override`, and the other way round. */
static bool check_override(struct load *l, const struct item *item, const struct node *map,
			   const struct overrides *o)
{
	for (size_t i = 0; i < ELEMENTS(keys); i++) {
		const struct node *key = node_get_key(map, keys[i].name);
		bool is_named = (o->append | o->replace) >> i & 1;

		if (is_named && !key) {
			report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item,
			       node_get_key(map, "override")->span,
			       "an %s override for '%s' was specified but '%s' is not defined",
			       o->append >> i & 1 ? "append" : "replace", keys[i].name,
			       keys[i].name);
			return false;
		}
		if (key && !is_named) {
			report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, item, key->span,
			       "unexpected key '%s': no corresponding entry under 'override' is "
			       "defined",
			       keys[i].name);
			return false;
		}
	}
	return true;
}

static bool override_rule(struct load *l, const struct node *map, struct rule_info *u,
			  const struct overrides *o)
{
	struct rule_info more = *u, *r;

	if (!check_override(l, &u->item, map, o) || !take_keys(l, map, o->append, true, u) ||
	    !take_keys(l, map, o->replace, false, &more))
		return false;
	r = find_before(l, &u->item, u->source,
			o->append ? "rule uses 'override.<key>: append'"
				  : "an 'override.<key>: replace' was requested");
	if (!r || !append_to(l, r, u) || !replace_in(l, r, &more, o->replace))
		return false;
	take_over_tests(l, r, u);
	l->n_items++;
	return true;
}

static bool append_rule(struct load *l, const struct node *map, struct rule_info *u)
{
	uint32_t which = (node_get(map, "condition") ? CONDITION : 0) |
			 (node_get(map, "exceptions") ? EXCEPTIONS : 0);
	struct rule_info *r;

	if (!take_keys(l, map, which, true, u))
		return false;
	r = find_before(l, &u->item, u->source, "rule uses 'append'");
	if (!r)
		return false;
	if (!which) {
		report(l, FALCO_VALIDATE, D_RULE_ITEM, &u->item, u->item.span,
		       "appended rule must have exceptions or condition property");
		return false;
	}
	if (!append_to(l, r, u))
		return false;
	take_over_tests(l, r, u);
	l->n_items++;
	return true;
}

static bool switch_rule(struct load *l, const struct node *map, struct rule_info *u)
{
	struct rule_info *r;
	struct node *n;

	if (!take_scalar(l, &u->item, map, "enabled", REQUIRED, &n) ||
	    !take_bool(l, &u->item, map, "enabled", &u->is_enabled))
		return false;
	report(l, FALCO_DEPRECATED_ITEM, D_DEPRECATED, &u->item, node_get_key(map, "enabled")->span,
	       "the standalone 'enabled' key usage is deprecated");
	diag_hint(l->d, "write 'override' with a 'replace' entry besides: {enabled: replace}");
	r = find_before(l, &u->item, NULL, "rule has 'enabled' key");
	if (r)
		r->is_enabled = u->is_enabled;
	return r != NULL;
}

/* --- definitions */

static void trim(struct text *t)
{
	size_t from = 0;

	while (t->n && strchr(" \t\r\n", t->p[t->n - 1]))
		t->n--;
	while (from < t->n && strchr(" \t\r\n", t->p[from]))
		from++;
	t->p += from;
	t->from += from;
	t->n -= from;
	t->room -= from;
}

static bool define_rule(struct load *l, const struct node *map, struct rule_info *u)
{
	struct rule_info *before;
	struct text output;

	if (!take_keys(l, map, ALL, false, u))
		return false;
	output = u->output;
	trim(&output);
	u->output = output;
	before = load_rule(l, str_of(u->item.name));
	if (before && !find_before(l, &u->item, u->source, ""))
		return false;
	u->has_unknown_source = strcmp(u->source, "syscall") != 0;
	if (u->has_unknown_source)
		report(l, FALCO_UNKNOWN_SOURCE, D_UNSUPPORTED, &u->item,
		       node_get(map, "source")->span, "unknown source '%.32s': the rule is skipped",
		       u->source);
	for (size_t i = 0; !u->has_unknown_source && i < u->exceptions.n; i++)
		if (!exception_check(l, u->exceptions.p[i]))
			return false;
	u->index = before ? before->index : l->n_items;
	l->n_items++;
	if (before)
		*before = *u;
	else
		load_add_rule(l, u);
	return true;
}

static bool is_definition(const struct node *map)
{
	return node_get(map, "condition") || node_get(map, "output") || node_get(map, "desc") ||
	       node_get(map, "priority");
}

bool collect_rule(struct load *l, const struct node *map)
{
	struct rule_info *u = arena_new(&l->tmp, struct rule_info);
	bool appends = false;
	struct overrides o;
	struct node *name;

	u->is_enabled = u->warn_evttypes = true;
	u->item = item_of(l, "rule", NULL, map);
	if (!take_scalar(l, &u->item, map, "rule", REQUIRED, &name))
		return false;
	u->item = item_of(l, "rule", name, map);
	if (!take_string(l, &u->item, map, "source", MAY_BE_EMPTY, &u->source) ||
	    !take_append(l, &u->item, map, &appends) ||
	    !take_overrides(l, &u->item, map, keys, ELEMENTS(keys), &o) ||
	    !take_tests(l, &u->item, map, u))
		return false;
	warn_keys(l, &u->item, map, known);
	if (appends && (o.append || o.replace)) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_ITEM, &u->item,
		       node_get_key(map, "override")->span,
		       "'override' and 'append: true' cannot be used together");
		return false;
	}
	if (o.append || o.replace)
		return override_rule(l, map, u, &o);
	if (appends)
		return append_rule(l, map, u);
	if (!is_definition(map) && !u->tests.n)
		return switch_rule(l, map, u);
	if (!u->source)
		u->source = "syscall";
	return define_rule(l, map, u);
}
