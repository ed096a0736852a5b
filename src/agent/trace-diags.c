/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/trace-diags.h"

#include "event/escape.h"

static void put_member(struct buf *to, const char *key, const char *text)
{
	buf_printf(to, "\"%s\": ", key);
	escape_json(to, str_of(text));
}

static void put_place(const struct diags *d, struct span span, struct buf *to)
{
	struct place p;

	if (span.file >= d->sources.n)
		return;
	p = diag_place(d, span);
	buf_puts(to, ", ");
	put_member(to, "file", d->sources.p[span.file].name);
	buf_printf(to, ", \"line\": %u, \"column\": %u, \"end_line\": %u, \"end_column\": %u",
		   p.line, p.column, p.end_line, p.end_column);
}

void trace_diags_json(const struct diags *d, struct buf *to)
{
	for (size_t i = 0; i < d->list.n; i++) {
		const struct diagnostic *x = &d->list.p[i];

		buf_putc(to, '{');
		put_member(to, "severity", x->severity == SEV_ERROR ? "error" : "warning");
		buf_puts(to, ", ");
		put_member(to, "id", diag_id_name(x->id));
		buf_puts(to, ", ");
		put_member(to, "message", x->text);
		put_place(d, x->span, to);
		buf_puts(to, ", \"hints\": [");
		for (const struct diag_note *n = x->notes; n; n = n->next) {
			buf_puts(to, n == x->notes ? "{" : ", {");
			put_member(to, "message", n->text);
			if (n->span.end)
				put_place(d, n->span, to);
			buf_putc(to, '}');
		}
		buf_puts(to, "]}\n");
	}
}

/* Its text begins with a line that the script has not. */
void trace_diags_clang(const struct diags *d, struct buf *to)
{
	for (size_t i = 0; i < d->list.n; i++) {
		const struct diagnostic *x = &d->list.p[i];
		bool fatal = x->id == D_IMPORT && str_ends(str_of(x->text), STR("file not found"));
		struct place p;

		if (x->severity != SEV_ERROR || x->span.file >= d->sources.n ||
		    (x->id != D_C_DECLARATION && !fatal))
			continue;
		p = diag_place(d, x->span);
		buf_printf(to, "definitions.h:%u:%u: %s: %s\n", p.line + 1, p.column,
			   fatal ? "fatal error" : "error", x->text);
	}
}
