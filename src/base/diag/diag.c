/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag/diag.h"

#include "base/macro.h"

#include <stdarg.h>
#include <stdlib.h>

/* Bytes of a line that are shown as they are; what is shown of a longer one. */
enum { LINE_SHOWN = 1000, LINE_PART = 240, AROUND = 100 };

static const char *const id_names[D_COUNT] = {
	[D_NONE] = "NONE",
#define DIAG(id, help) [D_##id] = #id,
#include "base/diag/ids.def"
#undef DIAG
};

const char *diag_id_name(enum diag_id id)
{
	return id_names[id];
}

uint32_t diag_source(struct diags *d, const char *name, struct str text)
{
	struct source s = {.name = arena_strdup(d->arena, name),
			   .text = {arena_strndup(d->arena, text.p, text.n), text.n}};

	array_push(d->arena, &d->sources, s);
	return (uint32_t)d->sources.n - 1;
}

uint32_t diag_source_expansion(struct diags *d, uint32_t file, struct span from)
{
	struct source s = d->sources.p[file];

	s.from = from;
	s.is_expansion = true;
	array_push(d->arena, &d->sources, s);
	return (uint32_t)d->sources.n - 1;
}

static _printf_(2, 0) char *vprint(struct arena *a, const char *format, va_list ap)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, format, ap) < 0)
		abort();
	return arena_strdup(a, text);
}

static bool is_known(const struct diags *d, const struct diagnostic *x)
{
	for (size_t i = 0; i < d->list.n; i++) {
		const struct diagnostic *o = &d->list.p[i];

		if (o->id == x->id && o->severity == x->severity && o->span.file == x->span.file &&
		    o->span.begin == x->span.begin && o->span.end == x->span.end &&
		    !strcmp(o->text, x->text))
			return true;
	}
	return false;
}

static void add(struct diags *d, const struct diagnostic *x)
{
	d->is_repeated = is_known(d, x);
	if (d->is_repeated)
		return;
	d->errors += x->severity == SEV_ERROR;
	if (d->n_shown[x->severity] == DIAGS_SHOWN) {
		d->n_dropped[x->severity]++;
		d->is_repeated = true; /* nor are its notes wanted */
		return;
	}
	d->n_shown[x->severity]++;
	array_push(d->arena, &d->list, *x);
}

static _printf_(5, 0) void record(struct diags *d, enum severity severity, enum diag_id id,
				  struct span span, const char *format, va_list ap)
{
	struct diagnostic x = {.id = id, .severity = severity, .span = span};

	if (d->quiet) {
		d->errors += severity == SEV_ERROR;
		return;
	}
	x.text = vprint(d->arena, format, ap);
	add(d, &x);
}

void diags_join(struct diags *to, const struct diags *from)
{
	for (size_t i = 0; i < from->list.n; i++)
		add(to, &from->list.p[i]);
}

void diag(struct diags *d, enum diag_id id, struct span span, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	record(d, SEV_ERROR, id, span, format, ap);
	va_end(ap);
}

void diag_warn(struct diags *d, enum diag_id id, struct span span, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	record(d, SEV_WARNING, id, span, format, ap);
	va_end(ap);
}

static _printf_(4, 0) void note(struct diags *d, struct span span, bool is_context,
				const char *format, va_list ap)
{
	struct diag_note **at, *n;

	if (d->quiet || d->is_repeated || !d->list.n)
		return;
	n = arena_new(d->arena, struct diag_note);
	n->span = span;
	n->is_context = is_context;
	n->text = vprint(d->arena, format, ap);
	at = &d->list.p[d->list.n - 1].notes;
	for (; *at; at = &(*at)->next)
		if (!strcmp((*at)->text, n->text))
			return;
	*at = n;
}

void diag_hint(struct diags *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	note(d, (struct span){}, false, format, ap);
	va_end(ap);
}

void diag_note(struct diags *d, struct span span, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	note(d, span, false, format, ap);
	va_end(ap);
}

void diag_context(struct diags *d, struct span span, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	note(d, span, true, format, ap);
	va_end(ap);
}

/* How many lines end in it.  Eight bytes at a time: there may be many warnings. */
static unsigned int newlines(const char *p, size_t n)
{
	const uint64_t one = ~0ull / 255, low = one * 127, newline = one * '\n';
	unsigned int found = 0;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t x;

		memcpy(&x, p, 8);
		x ^= newline;				 /* a byte of it is 0 where one was */
		x = ~(((x & low) + low) | x | low) >> 7; /* … is 1 there, all others 0 */
		found += (unsigned int)(x * one >> 56);	 /* the sum of the bytes */
	}
	while (n--)
		found += *p++ == '\n';
	return found;
}

/* From `at` to `end`, over `text`. */
static void advance(struct str text, size_t at, size_t end, unsigned int *line,
		    unsigned int *column)
{
	const char *last = at < end ? memrchr(text.p + at, '\n', end - at) : NULL;

	if (last) {
		*line += newlines(text.p + at, end - at);
		*column = 1;
		at = (size_t)(last + 1 - text.p);
	}
	*column += (unsigned int)(end - at);
}

struct place diag_place(const struct diags *d, struct span span)
{
	struct place p = {1, 1, 1, 1};
	struct str text = d->sources.p[span.file].text;
	size_t end = MIN(span.end, text.n), begin = MIN(span.begin, end);

	advance(text, 0, begin, &p.line, &p.column);
	p.end_line = p.line;
	p.end_column = p.column;
	advance(text, begin, end, &p.end_line, &p.end_column);
	return p;
}

/* A byte of a letter that began before it, in UTF-8. */
static bool is_continued(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Where p is a place in it. */
static struct str line_of(struct str text, size_t begin, struct place p)
{
	const char *line = text.p + MIN(begin, text.n) - (p.column - 1), *end = text.p + text.n;
	const char *stop = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;

	return (struct str){line, (size_t)((stop ? stop : end) - line)};
}

/* The part of a long line that is shown: what is underlined and some of what is around. */
static struct str window(struct str line, struct place *p)
{
	unsigned int from = 0, to = (unsigned int)line.n;

	if (line.n <= LINE_SHOWN)
		return line;
	if (p->column > AROUND)
		from = p->column - 1 - AROUND;
	while (from < to && is_continued(line.p[from]))
		from++;
	to = MIN(to, from + LINE_PART);
	while (to < line.n && is_continued(line.p[to]))
		to++;
	p->column -= MIN(from, p->column - 1);
	p->end_column = MIN(p->end_column - MIN(from, p->end_column - 1), to - from + 1);
	return (struct str){line.p + from, to - from};
}

/* Bytes of the visible letter that begins the text, 1 to 4; 0: it is none. */
static size_t letter(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (c == '\t')
		return 1;
	if (n > s.n || c < ' ' || c == 0x7f ||
	    (c == 0xc2 && n == 2 && (unsigned char)s.p[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!is_continued(s.p[i]))
			return 0;
	return n;
}

/* What is visible to its end; else a dot for each byte that is not. */
static void print_visible(struct str s, bool has_lines, struct buf *to)
{
	while (s.n) {
		size_t run = 0, n;

		do {
			n = has_lines && s.p[run] == '\n'
				    ? 1
				    : letter((struct str){s.p + run, s.n - run});
			run += n;
		} while (n && run < s.n);
		buf_add(to, s.p, run);
		if (!n) {
			buf_putc(to, '.');
			run++;
		}
		s.p += run;
		s.n -= run;
	}
}

/* What names of foreign files make of a message must not talk to the terminal either. */
static void print_text(const char *text, struct buf *to)
{
	print_visible(str_of(text), true, to);
}

/*
 * The line and its marks.  A script may come from anywhere: what would talk to the
 * terminal is a dot.  Tabs stay, and a letter of several bytes gets one mark, so that the
 * marks stand below what they mean.
 */
static void print_line(struct str line, struct place p, struct buf *to)
{
	line = window(line, &p);
	print_visible(line, false, to);
	buf_putc(to, '\n');
	p.end_column = MAX(p.end_column, p.column + 1); /* the end of the text has a mark too */
	for (unsigned int i = 1; i < p.end_column; i++) {
		char c = i <= line.n ? line.p[i - 1] : ' ';

		if (!is_continued(c))
			buf_putc(to, i >= p.column ? '~' : c == '\t' ? '\t' : ' ');
	}
	buf_putc(to, '\n');
}

/* "stdin:1:9-14: ERROR: text", then the line and what is underlined in it. */
static void print_one(const struct diags *d, struct span span, const char *word, const char *style,
		      const char *text, bool colour, struct buf *to)
{
	const struct source *s = &d->sources.p[span.file];
	struct place p = diag_place(d, span);

	print_text(s->name, to);
	if (p.line != p.end_line) {
		buf_printf(to, ":%u-%u: ", p.line, p.end_line);
	} else {
		buf_printf(to, ":%u:%u-%u: ", p.line, p.column, p.end_column);
	}
	buf_printf(to, "%s%s%s: ", colour ? style : "", word, colour ? "\033[0m" : "");
	print_text(text, to);
	buf_putc(to, '\n');
	if (p.line != p.end_line)
		return;
	print_line(line_of(s->text, span.begin, p), p, to);
}

/* Notes with a place, then the calls of the macros that led here. */
static void print_places(const struct diags *d, const struct diagnostic *x, bool colour,
			 struct buf *to)
{
	bool error = x->severity == SEV_ERROR;
	const char *word = error ? "ERROR" : "WARNING", *style = error ? "\033[31m" : "\033[33m";
	uint32_t file = x->span.file;

	for (const struct diag_note *n = x->notes; n; n = n->next)
		if (n->span.end && n->span.file < d->sources.n)
			print_one(d, n->span, n->is_context ? word : "NOTE",
				  n->is_context ? style : "\033[36m", n->text, colour, to);
	for (; file < d->sources.n && d->sources.p[file].is_expansion;
	     file = d->sources.p[file].from.file)
		print_one(d, d->sources.p[file].from, word, style, "expanded from", colour, to);
}

static void print_dropped(const struct diags *d, enum severity severity, const char *word,
			  const char *what, struct buf *to)
{
	unsigned int n = d->n_dropped[severity];

	if (n)
		buf_printf(to, "%s: %u more %s%s not shown\n", word, n, what,
			   n == 1 ? " is" : "s are");
}

void diags_print(const struct diags *d, bool colour, struct buf *to)
{
	for (size_t i = 0; i < d->list.n; i++) {
		const struct diagnostic *x = &d->list.p[i];
		bool error = x->severity == SEV_ERROR;

		if (x->span.file >= d->sources.n) {
			buf_puts(to, error ? "ERROR: " : "WARNING: ");
			print_text(x->text, to);
			buf_putc(to, '\n');
		} else {
			print_one(d, x->span, error ? "ERROR" : "WARNING",
				  error ? "\033[31m" : "\033[33m", x->text, colour, to);
		}
		print_places(d, x, colour, to);
		for (const struct diag_note *n = x->notes; n; n = n->next)
			if (!n->span.end || n->span.file >= d->sources.n) {
				buf_puts(to, "HINT: ");
				print_text(n->text, to);
				buf_putc(to, '\n');
			}
	}
	print_dropped(d, SEV_WARNING, "WARNING", "warning", to);
	print_dropped(d, SEV_ERROR, "ERROR", "error", to);
}
