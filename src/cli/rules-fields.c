/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rules-fields.h"

#include "base/log.h"
#include "catalog/catalog.h"
#include "catalog/rule-field.h"
#include "cli/json.h"

#include <fnmatch.h>
#include <stdio.h>

static bool fits(const char *name, const char *pattern)
{
	return !pattern || strstr(name, pattern) || !fnmatch(pattern, name, 0);
}

static int print(struct buf *b, size_t n, const char *pattern, const char *what)
{
	if (n)
		fputs(b->p, stdout);
	else
		log_error(0, "no %s fits \"%s\"", what, pattern);
	return n ? 0 : 1;
}

/* "[index]" or "[name]": what the field takes. */
static const char *arg_text(enum rule_arg_kind arg)
{
	switch (arg) {
	case RA_NONE:
		return "";
	case RA_INDEX_OPT:
		return "[n]?";
	case RA_INDEX:
		return "[n]";
	case RA_NAME:
		return "[name]";
	case RA_NAME_OPT:
		return "[name]?";
	}
	return "";
}

/* The names of kinds as a JSON array; of all kinds: empty. */
static void add_kinds_json(struct buf *b, uint64_t kinds)
{
	json_put_key(b, "events");
	buf_putc(b, '[');
	for (unsigned int k = 1; kinds != ~0ull && event_get(k); k++) {
		if (!(kinds >> k & 1))
			continue;
		json_put_item(b);
		json_put_string(b, event_get(k)->name);
	}
	buf_putc(b, ']');
}

static void add_kinds(struct buf *b, uint64_t kinds, const char *none)
{
	size_t before = b->n;

	for (unsigned int k = 1; event_get(k); k++)
		if (kinds >> k & 1)
			buf_printf(b, "%s%s", b->n > before ? " " : "", event_get(k)->name);
	if (b->n == before)
		buf_puts(b, none);
}

static void add_row(struct buf *b, const char *name, enum rule_type type, enum rule_class class,
		    const char *help)
{
	buf_printf(b, "%-36s %-12s %-28s %s\n", name, rule_types[type].name, rule_class_name(class),
		   help);
}

static void add_row_json(struct buf *b, const char *name, enum rule_type type,
			 enum rule_class class, const char *argument)
{
	json_put_item(b);
	buf_puts(b, "\n{");
	json_put_member(b, "name", name);
	json_put_member(b, "type", rule_types[type].name);
	json_put_member(b, "argument", argument);
	json_put_member(b, "decided", rule_class_name(class));
}

static void add_field(struct buf *b, bool json, const struct rule_field_info *f)
{
	_cleanup_buf_ struct buf name = {0};

	if (json) {
		add_row_json(b, f->name, f->type, f->class, arg_text(f->arg));
		add_kinds_json(b, f->kinds);
		json_put_member(b, "help", f->help);
		buf_putc(b, '}');
		return;
	}
	buf_printf(&name, "%s%s", f->name, arg_text(f->arg));
	add_row(b, name.p, f->type, f->class, f->help);
}

/* evt.arg by all names that it takes, a row for each meaning. */
static size_t add_arguments(struct buf *b, bool json, const char *pattern)
{
	size_t found = 0, n;
	const struct rule_arg_info *rows = rule_args(&n);

	for (size_t i = 0; i < n; i++) {
		_cleanup_buf_ struct buf name = {0}, kinds = {0};

		buf_printf(&name, "evt.arg.%s", rows[i].name);
		if (!fits(name.p, pattern))
			continue;
		found++;
		if (json) {
			add_row_json(b, name.p, rows[i].type, rows[i].class, "");
			add_kinds_json(b, rows[i].kinds);
			buf_putc(b, '}');
			continue;
		}
		buf_puts(&kinds, rows[i].only ? "of " : "");
		if (rows[i].only)
			buf_puts(&kinds, rows[i].only);
		else if (rows[i].kinds == ~0ull)
			buf_puts(&kinds, "of all");
		else
			add_kinds(&kinds, rows[i].kinds, "-");
		add_row(b, name.p, rows[i].type, rows[i].class, kinds.p);
	}
	return found;
}

int rules_fields(bool json, const char *pattern)
{
	_cleanup_buf_ struct buf b = {0};
	size_t n = 0;

	if (json)
		buf_putc(&b, '[');
	else
		buf_printf(&b, "%-36s %-12s %-28s %s\n", "FIELD", "TYPE", "DECIDED", "WHAT IT IS");
	for (size_t i = 1; i < RULE_FIELDS; i++) {
		const struct rule_field_info *f = &rule_field_info[i];

		if (!fits(f->name, pattern))
			continue;
		n++;
		add_field(&b, json, f);
	}
	n += add_arguments(&b, json, pattern);
	if (json)
		buf_puts(&b, "\n]\n");
	return print(&b, n, pattern, "field");
}

static void add_event_json(struct buf *b, const struct rule_event_info *e)
{
	json_put_item(b);
	buf_puts(b, "\n{");
	json_put_member(b, "name", e->name);
	json_put_member(b, "category", e->category);
	add_kinds_json(b, e->kinds);
	if (e->as)
		json_put_member(b, "counts_as", e->as);
	buf_putc(b, '}');
}

int rules_events(bool json, const char *pattern)
{
	_cleanup_buf_ struct buf b = {0}, kinds = {0};
	const struct rule_event_info *rows;
	size_t n = 0, n_rows;

	if (json)
		buf_putc(&b, '[');
	else
		buf_printf(&b, "%-20s %-10s %-18s %s\n", "EVENT", "CATEGORY", "COUNTS AS",
			   "SKEP'S EVENTS");
	rows = rule_events(&n_rows);
	for (size_t i = 0; i < n_rows; i++) {
		if (!fits(rows[i].name, pattern))
			continue;
		n++;
		if (json) {
			add_event_json(&b, &rows[i]);
			continue;
		}
		buf_reset(&kinds);
		add_kinds(&kinds, rows[i].kinds, "none: rules on it alone never report anything");
		buf_printf(&b, "%-20s %-10s %-18s %s\n", rows[i].name, rows[i].category,
			   rows[i].as ? rows[i].as : "-", kinds.p);
	}
	if (json)
		buf_puts(&b, "\n]\n");
	return print(&b, n, pattern, "event");
}
