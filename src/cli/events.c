/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/events.h"

#include <stdio.h>

#include "catalog/catalog.h"
#include "cli/json.h"

static void add_fields(struct buf *b, unsigned int kind)
{
	const struct field_desc *f;

	json_put_key(b, "fields");
	buf_putc(b, '[');
	for (size_t i = 0; (f = field_of_event(kind, i)); i++) {
		const struct type_desc *type = type_get(f->type);

		json_put_item(b);
		buf_putc(b, '{');
		json_put_member(b, "name", f->name);
		json_put_member(b, "type", type->json);
		json_put_member(b, "form", type->help);
		json_put_member(b, "help", f->help);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
}

static void add_json(struct buf *b)
{
	const struct event_desc *e;

	buf_putc(b, '[');
	for (unsigned int kind = 1; (e = event_get(kind)); kind++) {
		if (kind > 1)
			buf_puts(b, ",\n");
		buf_putc(b, '{');
		json_put_member(b, "name", e->name);
		json_put_member(b, "group", event_group_name(e->group));
		json_put_key(b, "default");
		buf_puts(b, e->view == VIEW_SHOWN ? "true" : "false");
		json_put_member(b, "help", e->help);
		add_fields(b, kind);
		buf_putc(b, '}');
	}
	buf_puts(b, "]\n");
}

static void add_table(struct buf *b)
{
	const struct event_desc *e;

	buf_printf(b, "%-10s %-9s %-8s %s\n", "EVENT", "GROUP", "DEFAULT", "WHAT HAPPENED");
	for (unsigned int kind = 1; (e = event_get(kind)); kind++)
		buf_printf(b, "%-10s %-9s %-8s %s\n", e->name, event_group_name(e->group),
			   e->view == VIEW_SHOWN ? "yes" : "no", e->help);
}

int events_list(bool json)
{
	_cleanup_buf_ struct buf b = {0};

	if (json)
		add_json(&b);
	else
		add_table(&b);
	fputs(b.p, stdout);
	return 0;
}
