/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading rule files: the steps in their order.
 *
 * All files are read and their items collected before anything is expanded: what a later
 * file appends or replaces counts for all.
 */
#include "compile/lang/falco/condition.h"

#include <fnmatch.h>

/* --- which rules are on */

static bool is_one_of(const char *name, const char *const *patterns)
{
	for (; patterns && *patterns; patterns++)
		if (!strcmp(name, *patterns) || !fnmatch(*patterns, name, 0))
			return true;
	return false;
}

static bool has_tag(const struct rule_info *r, const char *const *tags)
{
	for (size_t i = 0; i < r->tags.n; i++)
		if (is_one_of(r->tags.p[i], tags))
			return true;
	return false;
}

/* The file's word first, then tags, then names. */
static bool is_on(const struct load *l, const struct rule_info *r)
{
	const struct falco_options *o = l->options;
	bool on = r->is_enabled;

	if (o->enable_all)
		return true;
	if (r->priority > o->least)
		return false;
	if (o->tags)
		on = has_tag(r, o->tags);
	if (has_tag(r, o->no_tags) || is_one_of(r->item.name, o->disable))
		on = false;
	return on || is_one_of(r->item.name, o->enable);
}

/* --- rules of the set */

static struct rule *rule_of(struct load *l, const struct rule_info *r)
{
	struct arena *a = &l->rs->arena;
	struct rule *x = arena_new(a, struct rule);

	x->id = UINT32_MAX;
	x->name = arena_strdup(a, r->item.name);
	x->desc = arena_strndup(a, text_str(&r->desc).p, r->desc.n);
	x->condition = (struct str){arena_strndup(a, text_str(&r->condition).p, r->condition.n),
				    r->condition.n};
	x->priority = r->priority;
	memcpy(&x->tags, &r->tags, sizeof(x->tags));
	memcpy(&x->tests, &r->tests, sizeof(x->tests));
	x->source = r->source;
	x->enabled = is_on(l, r);
	x->warn_evttypes = r->warn_evttypes;
	x->skip_if_unknown = r->skip_if_unknown;
	x->span = r->item.span;
	return x;
}

static void put_rule(struct load *l, struct rule *x)
{
	struct ruleset *rs = l->rs;

	if (x->enabled && rs->rules.n == RULES_MAX) {
		struct item item = {"rule", x->name, x->span};

		x->enabled = false;
		if (!l->options->enable_all)
			report(l, FALCO_VALIDATE, D_LIMIT, &item, x->span,
			       "more than %d rules are enabled", RULES_MAX);
	}
	if (!x->enabled) {
		array_push(&rs->arena, &rs->disabled, x);
		return;
	}
	x->id = (uint32_t)rs->rules.n;
	rs->kinds |= x->kinds;
	array_push(&rs->arena, &rs->rules, x);
}

static void compile_rule(struct load *l, struct rule_info *r)
{
	struct rule *x = rule_of(l, r);
	bool skips = false, has_output;
	struct cond *c, *parsed;

	if (r->has_unknown_source) {
		array_push(&l->rs->arena, &l->rs->skipped, x);
		return;
	}
	has_output = output_parse(l, r, &x->output, &skips);
	c = expand_rule(l, r, &parsed);
	x->expr = c ? check_rule(l, r, c, &skips) : NULL;
	if (!c && parsed)
		check_parts(l, r, parsed);
	if (x->expr && has_output) {
		x->kinds = check_kinds(c, false);
		put_rule(l, x);
	} else if (skips) {
		array_push(&l->rs->arena, &l->rs->skipped, x);
	}
}

/* --- lists and macros, for who shows them */

static void keep_names(struct load *l)
{
	struct arena *a = &l->rs->arena;

	for (size_t i = 0; i < l->macros.n; i++) {
		const struct macro_info *m = l->macros.p[i];
		struct rule_macro *x = arena_new(a, struct rule_macro);

		x->name = m->item.name;
		x->condition =
			(struct str){arena_strndup(a, text_str(&m->condition).p, m->condition.n),
				     m->condition.n};
		x->is_used = m->is_used;
		x->span = m->item.span;
		array_push(a, &l->rs->macros, x);
	}
	for (size_t i = 0; i < l->lists.n; i++) {
		const struct list_info *from = l->lists.p[i];
		struct rule_list *x = arena_new(a, struct rule_list);

		x->name = from->item.name;
		x->is_used = from->is_used;
		x->span = from->item.span;
		for (size_t k = 0; k < from->items.n; k++) {
			struct str s = from->items.p[k]->text;

			s.p = arena_strndup(a, s.p, s.n);
			array_push(a, &x->items, s);
		}
		array_push(a, &l->rs->lists, x);
	}
}

/* --- the steps */

static void read_file(struct load *l, struct falco_file *f)
{
	uint32_t source = diag_source(l->d, f->name, f->text);
	struct yaml y;

	if (!yaml_read(&l->tmp, source, l->d->sources.p[source].text, &y)) {
		struct item item = {"rules content", "", y.error_span};

		report(l, FALCO_YAML_PARSE, D_RULE_FILE, &item, y.error_span, "%s", y.error);
		return;
	}
	for (size_t i = 0; i < y.documents.n; i++)
		collect_document(l, y.documents.p[i]);
}

bool falco_load(struct ruleset *rs, struct falco_file *files, size_t n_files,
		const struct falco_options *o, struct falco_result *ret)
{
	struct load l = {.rs = rs,
			 .d = &rs->diags,
			 .options = o,
			 .files = files,
			 .n_files = n_files,
			 .first_source = (uint32_t)rs->diags.sources.n,
			 .result = ret};

	*ret = (struct falco_result){};
	rs->match_all = o->match_all;
	for (size_t i = 0; i < n_files; i++)
		files[i].is_ok = true;
	for (size_t i = 0; i < n_files; i++)
		read_file(&l, &files[i]);
	expand_all(&l);
	for (size_t i = 0; i < l.rules.n; i++)
		compile_rule(&l, l.rules.p[i]);
	if (!ret->errors) /* else users of them may be missing */
		expand_unused(&l);
	keep_names(&l);
	for (size_t i = 0; i < ELEMENTS(l.by_name); i++)
		map_done(&l.by_name[i]);
	map_done(&l.broken);
	map_done(&l.by_text);
	buf_done(&l.scratch);
	arena_done(&l.tmp);
	return !ret->errors;
}

struct rule_expr *falco_condition(struct ruleset *rs, uint32_t source)
{
	struct falco_options o = {.least = RULE_DEBUG};
	struct falco_result result = {};
	struct load l = {.rs = rs,
			 .d = &rs->diags,
			 .options = &o,
			 .result = &result,
			 .first_source = source};
	struct str s = rs->diags.sources.p[source].text;
	struct rule_info r = {.item = {"rule", "condition", {source, 0, (uint32_t)s.n}}};
	struct rule_expr *e = NULL;
	struct cond *c, *parsed;
	bool skips;

	if (s.n > TEXT_MAX)
		s.n = TEXT_MAX;
	for (size_t i = 0; i < s.n; i++) {
		char one[2] = {s.p[i]};

		text_add(&l.tmp, &r.condition, one, (struct origin){source, (uint32_t)i});
	}
	c = expand_rule(&l, &r, &parsed);
	if (c)
		e = check_rule(&l, &r, c, &skips);
	map_done(&l.by_text);
	buf_done(&l.scratch);
	arena_done(&l.tmp);
	return e;
}
