/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings as JSON, built as Falco's own result (falco -V with JSON output):
 *
 *	{"falco_load_results": [{"name", "successful", "errors": [F…], "warnings": [F…]}]}
 *	F = {"code", "codedesc", "message", "context": {"locations": [L…], "snippet"}}
 *	L = {"item_type", "item_name", "position": {"name", "line", "column", "offset"}}
 *
 * As there, lines and columns of a position count from 0, and the last location is the
 * nearest to the mistake.  The offset is in bytes.
 */
#include "compile/lang/falco/load.h"

enum { SNIPPET = 160 }; /* bytes of a line that are shown */

static bool is_continued(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Bytes of the letter at the begin of `s`; 0: it is no UTF-8. */
static size_t letter(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (n > s.n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!is_continued(s.p[i]))
			return 0;
	return n;
}

static void put_json(struct buf *to, struct str s)
{
	buf_putc(to, '"');
	for (size_t i = 0, n; i < s.n; i += n) {
		unsigned char c = (unsigned char)s.p[i];

		n = letter((struct str){s.p + i, s.n - i});
		if (n != 1) {
			buf_add(to, n ? s.p + i : "\xef\xbf\xbd", n ? n : 3);
			n = n ? n : 1;
			continue;
		}
		if (c == '"' || c == '\\')
			buf_printf(to, "\\%c", c);
		else if (c == '\n')
			buf_puts(to, "\\n");
		else if (c == '\t')
			buf_puts(to, "\\t");
		else if (c < ' ' || c == 0x7f)
			buf_printf(to, "\\u%04x", c);
		else
			buf_putc(to, (char)c);
	}
	buf_putc(to, '"');
}

static void put_member(struct buf *to, const char *key, const char *value)
{
	buf_printf(to, "\"%s\": ", key);
	put_json(to, str_of(value));
}

static void put_location(const struct diags *d, const char *type, const char *name,
			 struct span span, struct buf *to)
{
	struct place p = diag_place(d, span);

	buf_putc(to, '{');
	put_member(to, "item_type", type);
	buf_puts(to, ", ");
	put_member(to, "item_name", name);
	buf_puts(to, ", \"position\": {");
	put_member(to, "name", d->sources.p[span.file].name);
	buf_printf(to, ", \"line\": %u, \"column\": %u, \"offset\": %u}}", p.line - 1, p.column - 1,
		   span.begin);
}

/* The line, cut around the place, and a ^ below. */
static void put_snippet(const struct diags *d, struct span span, struct buf *to)
{
	struct str text = d->sources.p[span.file].text;
	size_t at = MIN(span.begin, text.n), from = at, end = at, marks = 0;
	_cleanup_buf_ struct buf b = {0};

	while (from && text.p[from - 1] != '\n' && at - from < SNIPPET / 2)
		from--;
	while (end < text.n && text.p[end] != '\n' && end - at < SNIPPET / 2)
		end++;
	while (from < at && is_continued(text.p[from]))
		from++;
	while (end < text.n && is_continued(text.p[end]))
		end++;
	buf_add(&b, text.p + from, end - from);
	buf_putc(&b, '\n');
	for (size_t i = from; i < at; i++)
		marks += !is_continued(text.p[i]);
	buf_printf(&b, "%*s^\n", (int)marks, "");
	put_json(to, buf_str(&b));
}

static bool is_same(struct span a, struct span b)
{
	return a.file == b.file && a.begin == b.begin;
}

static void put_finding(const struct diags *d, const struct falco_finding *x, struct buf *to)
{
	struct span file = {x->span.file, 0, 0};

	buf_putc(to, '{');
	put_member(to, "code", falco_code_name(x->code));
	buf_puts(to, ", ");
	put_member(to, "codedesc", falco_code_help(x->code));
	buf_puts(to, ", ");
	put_member(to, "message", x->message);
	buf_puts(to, ", \"context\": {\"locations\": [");
	put_location(d, "rules content", "", file, to);
	if (x->item_type) {
		buf_puts(to, ", ");
		put_location(d, x->item_type, x->item_name, x->item_span, to);
	}
	if (!x->item_type || !is_same(x->span, x->item_span)) {
		buf_puts(to, ", ");
		put_location(d,
			     x->code == FALCO_COMPILE_CONDITION ? "condition expression"
								: "value for",
			     "", x->span, to);
	}
	buf_puts(to, "], \"snippet\": ");
	put_snippet(d, x->span, to);
	buf_puts(to, "}}");
}

static void put_findings(const struct ruleset *rs, const struct falco_result *r, size_t file,
			 bool errors, struct buf *to)
{
	bool is_first = true;

	buf_printf(to, ", \"%s\": [", errors ? "errors" : "warnings");
	for (size_t i = 0; i < r->findings.n; i++) {
		const struct falco_finding *x = &r->findings.p[i];

		if (x->file != file || x->is_error != errors)
			continue;
		if (!is_first)
			buf_puts(to, ", ");
		is_first = false;
		put_finding(&rs->diags, x, to);
	}
	buf_putc(to, ']');
}

void falco_result_json(const struct ruleset *rs, const struct falco_file *files, size_t n_files,
		       const struct falco_result *r, struct buf *to)
{
	buf_puts(to, "{\"falco_load_results\": [");
	for (size_t i = 0; i < n_files; i++) {
		buf_puts(to, i ? ", {" : "{");
		put_member(to, "name", files[i].name);
		buf_printf(to, ", \"successful\": %s", files[i].is_ok ? "true" : "false");
		put_findings(rs, r, i, true, to);
		put_findings(rs, r, i, false, to);
		buf_putc(to, '}');
	}
	buf_puts(to, "]}\n");
}
