/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rule file requires: a version of the engine, plugins.
 *
 * We speak the rules of Falco's engine 0.63.0.  As there, a number alone is the middle one
 * ("57" is 0.57.0), the first number must be ours, and the rest not newer than ours.  Of
 * plugins there is one, container, whose fields are built in.
 */
#include "compile/lang/falco/collect.h"

#include <stdio.h>
#include <stdlib.h>

struct version {
	unsigned int v[3];
};

static const struct version engine = {{0, 63, 0}}, container = {{0, 4, 0}};

static bool parse_version(const char *text, struct version *ret)
{
	return sscanf(text, "%9u.%9u.%9u", &ret->v[0], &ret->v[1], &ret->v[2]) == 3;
}

/* Is what is there as good as what is wanted? */
static bool is_enough(const struct version *there, const struct version *wanted)
{
	if (there->v[0] != wanted->v[0])
		return false;
	if (there->v[1] != wanted->v[1])
		return there->v[1] > wanted->v[1];
	return there->v[2] >= wanted->v[2];
}

static bool is_number(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && n < 10 && !text[n];
}

static bool require_engine(struct load *l, const struct node *map)
{
	static const char *const known[] = {"required_engine_version", NULL};
	struct item item = item_of(l, "required_engine_version", NULL, map);
	struct version v = {};
	struct node *n;

	if (!take_scalar(l, &item, map, "required_engine_version", REQUIRED, &n))
		return false;
	if (is_number(n->text.p)) {
		v.v[1] = (unsigned int)strtoul(n->text.p, NULL, 10);
	} else if (!parse_version(n->text.p, &v)) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_VERSION, &item, n->span,
		       "unable to parse engine version '%.32s': expected x.y.z, or a number",
		       n->text.p);
		return false;
	}
	if (!is_enough(&engine, &v)) {
		report(l, FALCO_VALIDATE, D_RULE_VERSION, &item, n->span,
		       "rules require engine version %u.%u.%u, but engine version is %u.%u.%u",
		       v.v[0], v.v[1], v.v[2], engine.v[0], engine.v[1], engine.v[2]);
		return false;
	}
	warn_keys(l, &item, map, known);
	return true;
}

struct plugin {
	const char *name;
	struct version version;
	struct node *at;
};

static bool take_plugin(struct load *l, const struct item *outer, const struct node *map,
			struct plugin *ret)
{
	struct item item = item_of(l, outer->type, node_get(map, "name"), map);
	struct node *name, *version;

	if (map->kind != NODE_MAP) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_VERSION, &item, map->span,
		       "a plugin version must be a mapping of name and version");
		return false;
	}
	if (!take_scalar(l, &item, map, "name", REQUIRED, &name) ||
	    !take_scalar(l, &item, map, "version", REQUIRED, &version))
		return false;
	ret->name = name->text.p;
	ret->at = name;
	if (!parse_version(version->text.p, &ret->version)) {
		report(l, FALCO_VALIDATE, D_RULE_VERSION, &item, version->span,
		       "invalid required version '%.32s' for plugin '%.64s'", version->text.p,
		       name->text.p);
		return false;
	}
	return true;
}

static bool is_there(const struct plugin *p)
{
	return !strcmp(p->name, "container") && is_enough(&container, &p->version);
}

/* One of a plugin and its alternatives must be there. */
static bool require_plugin(struct load *l, const struct item *item, const struct node *map)
{
	const struct node *others = node_get(map, "alternatives");
	struct plugin first, other;
	bool is_good;

	if (!take_plugin(l, item, map, &first))
		return false;
	is_good = is_there(&first);
	if (others && others->kind != NODE_SEQUENCE) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_VERSION, item, others->span,
		       "'alternatives' of a plugin version must be a sequence");
		return false;
	}
	for (size_t i = 0; others && i < others->items.n; i++) {
		if (!take_plugin(l, item, others->items.p[i], &other))
			return false;
		if (!strcmp(other.name, first.name)) {
			report(l, FALCO_VALIDATE, D_RULE_VERSION, item, other.at->span,
			       "multiple alternative versions for plugin '%.64s'", first.name);
			return false;
		}
		is_good |= is_there(&other);
	}
	if (is_good)
		return true;
	report(l, FALCO_VALIDATE, D_RULE_VERSION, item, first.at->span,
	       "plugin requirement not satisfied: %.64s version %u.%u.%u", first.name,
	       first.version.v[0], first.version.v[1], first.version.v[2]);
	diag_hint(l->d, "skep has no plugins; built in is container %u.%u.%u", container.v[0],
		  container.v[1], container.v[2]);
	return false;
}

static bool require_plugins(struct load *l, const struct node *map)
{
	static const char *const known[] = {"required_plugin_versions", NULL};
	struct item item = item_of(l, "required plugin versions", NULL, map);
	const struct node *list = node_get(map, "required_plugin_versions");
	bool is_good = true;

	if (list->kind != NODE_SEQUENCE) {
		report(l, FALCO_YAML_VALIDATE, D_RULE_VERSION, &item, list->span,
		       "value of required_plugin_versions must be a sequence");
		return false;
	}
	for (size_t i = 0; i < list->items.n; i++)
		is_good &= require_plugin(l, &item, list->items.p[i]);
	warn_keys(l, &item, map, known);
	return is_good;
}

bool collect_versions(struct load *l, const struct node *map)
{
	return node_get(map, "required_engine_version") ? require_engine(l, map)
							: require_plugins(l, map);
}
