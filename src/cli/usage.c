/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/usage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent/watch.h"
#include "base/log.h"

/* Columns that are shown before and after what is at fault. */
enum { NEAR = 48 };

/* Bytes of the UTF-8 character at p; 0: none starts here, or it is a control character. */
static size_t character(const char *p)
{
	unsigned char c = *p;
	size_t n = c < 0x80		   ? 1
		   : c >= 0xc2 && c < 0xe0 ? 2
		   : c >= 0xe0 && c < 0xf0 ? 3
		   : c < 0xf5		   ? 4
					   : 0;

	if (c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xc2))
		return 0;
	if (c == 0xc2 && (unsigned char)p[1] < 0xa0)
		return 0; /* C1 controls: some terminals obey them */
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* What was typed is quoted in messages: nothing of it may steer the terminal. */
static void make_printable(char *s)
{
	size_t n;

	for (; *s; s += n) {
		n = character(s);
		if (!n) {
			*s = '?';
			n = 1;
		}
	}
}

int usage_error_set(struct usage_error *e, int argument, size_t begin, size_t n, const char *format,
		    ...)
{
	va_list args;

	*e = (struct usage_error){.argument = argument, .begin = begin, .n = n};
	va_start(args, format);
	vsnprintf(e->what, sizeof(e->what), format, args);
	va_end(args);
	make_printable(e->what);
	return -EINVAL;
}

void usage_error_hint(struct usage_error *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->hint, sizeof(e->hint), format, args);
	va_end(args);
	make_printable(e->hint);
}

enum quote { PLAIN, QUOTED, DOLLAR };

static enum quote quote_for(const char *arg)
{
	enum quote q = *arg ? PLAIN : QUOTED;

	while (*arg) {
		size_t n = character(arg);

		if (!n || *arg == '\'')
			return DOLLAR;
		if (n == 1 && strchr(" \t\"\\$`&|;<>()*?[]{}#~!", *arg))
			q = QUOTED;
		arg += n;
	}
	return q;
}

/* Add one argument as it would be typed, and tell where its bytes begin to end went. */
static void add_argument(struct buf *line, const char *arg, size_t begin, size_t end,
			 size_t *ret_from, size_t *ret_to)
{
	enum quote q = quote_for(arg);
	size_t n = strlen(arg), from = line->n, to, len;

	if (q != PLAIN)
		buf_puts(line, q == DOLLAR ? "$'" : "'");
	to = line->n;
	for (size_t i = 0; i < n; i += MAX(len, (size_t)1)) {
		if (i && i <= begin)
			from = line->n;
		len = character(arg + i);
		if (len && q == DOLLAR && (arg[i] == '\'' || arg[i] == '\\'))
			buf_putc(line, '\\');
		if (len)
			buf_add(line, arg + i, len);
		else
			buf_printf(line, "\\x%02x", (unsigned char)arg[i]);
		if (i < end)
			to = line->n;
	}
	if (n && begin >= n)
		from = to = line->n;
	if (q != PLAIN)
		buf_putc(line, '\'');
	*ret_from = from;
	*ret_to = !begin && end >= n ? line->n : to;
}

/* The text is valid UTF-8: one column each byte that does not continue a character. */
static size_t columns(const char *p, size_t n)
{
	size_t c = 0;

	for (size_t i = 0; i < n; i++)
		c += (p[i] & 0xc0) != 0x80;
	return c;
}

/* Move from `at` by at most `n` columns towards `to`. */
static size_t step(const char *p, size_t at, size_t to, size_t n)
{
	while (at != to && n) {
		at += to > at ? 1 : -1;
		n -= (p[at] & 0xc0) != 0x80;
	}
	while (at < to && (p[at] & 0xc0) == 0x80)
		at++;
	return at;
}

void usage_render(struct buf *out, int argc, char **argv, const struct usage_error *e)
{
	_cleanup_buf_ struct buf line = {0};
	size_t from = 0, to = 0, a, b, indent = 2;

	for (int i = 0; i < argc; i++) {
		size_t f, t;

		if (i)
			buf_putc(&line, ' ');
		add_argument(&line, argv[i], i == e->argument ? e->begin : 0,
			     i == e->argument ? e->begin + e->n : SIZE_MAX, &f, &t);
		if (i == e->argument) {
			from = f;
			to = t;
		}
	}
	if (e->argument >= argc) {
		buf_putc(&line, ' ');
		from = to = line.n;
	}
	a = step(line.p, from, 0, NEAR);
	b = step(line.p, to, line.n, NEAR);
	if (a < NEAR / 4)
		a = 0;
	buf_puts(out, "  ");
	if (a) {
		buf_puts(out, "… ");
		indent += 2;
	}
	buf_add(out, line.p + a, b - a - (e->argument >= argc));
	buf_puts(out, b < line.n ? " …\n" : "\n");
	buf_printf(out, "%*s", (int)(indent + columns(line.p + a, from - a)), "");
	for (size_t n = MAX(columns(line.p + from, to - from), (size_t)1); n; n--)
		buf_putc(out, '^');
	buf_putc(out, '\n');
}

int usage_print(int argc, char **argv, const struct usage_error *e)
{
	_cleanup_buf_ struct buf lines = {0};

	log_error(0, "%s", e->what);
	usage_render(&lines, argc, argv, e);
	fputs(lines.p, stderr);
	if (e->hint[0])
		log_hint("%s", e->hint);
	return EXIT_USAGE;
}
