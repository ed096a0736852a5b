/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of programs, shown as people read them.
 *
 * Programs count nanoseconds of one of the kernel's clocks; strftime() in a script only
 * notes which format is wanted, and the calendar is done here, in the local zone.
 * %f, %k and %l stand for micro-, nano- and milliseconds of the second.
 */
#include "event/answer/answer-internal.h"

#include <time.h>

enum { TEXT_MAX = 4096 };

/* The three letters are replaced before strftime() sees the format. */
static void expand(const char *format, uint64_t ns, struct buf *to)
{
	for (const char *p = format; *p; p++) {
		if (*p != '%' || !p[1]) {
			buf_putc(to, *p);
			continue;
		}
		p++;
		switch (*p) {
		case 'f':
			buf_printf(to, "%06u", (unsigned int)(ns / 1000));
			break;
		case 'k':
			buf_printf(to, "%09u", (unsigned int)ns);
			break;
		case 'l':
			buf_printf(to, "%03u", (unsigned int)(ns / 1000000));
			break;
		default:
			buf_putc(to, '%');
			buf_putc(to, *p);
			break;
		}
	}
}

void time_format(const char *format, uint64_t realtime_ns, bool utc, struct buf *to)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	struct buf expanded = {0};
	char text[TEXT_MAX];
	struct tm tm;
	size_t n = 0;

	expand(format, realtime_ns % 1000000000, &expanded);
	/* A last character keeps an empty result apart from one that did not fit. */
	buf_putc(&expanded, '.');
	if (utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n = strftime(text, sizeof(text), expanded.p, &tm);
#pragma GCC diagnostic pop
	}
	if (n)
		buf_add(to, text, n - 1);
	else
		buf_puts(to, "(?)");
	buf_done(&expanded);
}

void time_text(struct answer *a, const struct type *t, struct bytes b, struct buf *to)
{
	struct value_time v;
	uint64_t ns;

	(void)t;
	memcpy(&v, b.p, sizeof(v));
	ns = v.ns;
	if (v.mode == TIME_MONOTONIC || v.mode == TIME_BOOT)
		ns += (uint64_t)a->source.realtime_offset_ns;
	if (ns < 1000000000 || v.format >= a->q->formats.n)
		buf_puts(to, "(?)");
	else
		time_format(a->q->formats.p[v.format], ns, false, to);
}
