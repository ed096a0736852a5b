/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time series: a line an interval, and a star where its value lies between the lowest and
 * the highest.
 *
 * All series of a map end with the latest interval of any; each begins with its own first
 * one.  An interval without a value is a line without a star.
 */
#include "event/answer/answer-internal.h"

#include <stdio.h>

enum { WIDTH = 53, LEFT = 21, INTERVALS_MAX = 1 << 20 };

struct point {
	uint64_t ns; /* since 1970 */
	int64_t value;
	bool is_there;
};

struct series {
	struct point *p; /* owned */
	size_t n;
	bool is_signed;
};

/* Fractions of a second that tell intervals apart. */
static const struct unit {
	uint64_t least; /* for intervals from here on */
	const char *name;
	unsigned int digits;
	uint64_t ns; /* of the last digit */
} units[] = {
	{1000000000, "", 0, 1000000000},
	{1000000, "ms", 3, 1000000},
	{1000, "μs", 6, 1000},
	{0, "ns", 9, 1},
};

static void load(struct series *s, const struct type *t, struct bytes buckets, uint64_t last)
{
	uint64_t earliest = last - t->agg.intervals + 1, first = last;
	size_t n = buckets.n / sizeof(struct bucket);

	s->is_signed = t->is_signed;
	if (!last || t->agg.intervals > INTERVALS_MAX || last < t->agg.intervals - 1)
		earliest = last ? 1 : 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t at = bytes_uint(bytes_part(buckets, i * sizeof(struct bucket), 8), 8);

		if (at >= earliest)
			first = MIN(first, at);
	}
	if (!last || last - first >= INTERVALS_MAX)
		return;
	s->n = last - first + 1;
	s->p = xalloc(s->n * sizeof(*s->p));
	for (size_t i = 0; i < s->n; i++)
		s->p[i].ns = (first + i) * t->agg.interval_ns;
	for (size_t i = 0; i < n; i++) {
		struct bytes b =
			bytes_part(buckets, i * sizeof(struct bucket), sizeof(struct bucket));
		uint64_t at = bytes_uint(b, 8);

		if (at < first || at > last)
			continue;
		s->p[at - first].is_there = true;
		s->p[at - first].value = bytes_int(bytes_part(b, 8, 8), 8);
	}
}

static double real(const struct series *s, int64_t v)
{
	return s->is_signed ? (double)v : (double)(uint64_t)v;
}

static void put_number(const struct series *s, int64_t v, char *to, size_t n)
{
	if (s->is_signed)
		snprintf(to, n, "%lld", (long long)v);
	else
		snprintf(to, n, "%llu", (unsigned long long)v);
}

struct span_of_values {
	int64_t low, high;
	bool is_there;
};

static struct span_of_values range(const struct series *s)
{
	struct span_of_values r = {};

	for (size_t i = 0; i < s->n; i++) {
		int64_t v = s->p[i].value;

		if (!s->p[i].is_there)
			continue;
		if (!r.is_there || real(s, v) < real(s, r.low))
			r.low = v;
		if (!r.is_there || real(s, v) > real(s, r.high))
			r.high = v;
		r.is_there = true;
	}
	if (r.is_there && r.low == r.high) { /* a line in the middle, unless at the very end */
		r.low -= s->is_signed ? r.low > INT64_MIN : r.low != 0;
		r.high += s->is_signed ? r.high < INT64_MAX : (uint64_t)r.high < UINT64_MAX;
	}
	return r;
}

static void put_scale(const struct series *s, const struct span_of_values *r, size_t indent,
		      struct buf *to)
{
	char low[24] = "null", high[24] = "null";

	if (r->is_there) {
		put_number(s, r->low, low, sizeof(low));
		put_number(s, r->high, high, sizeof(high));
	}
	buf_printf(to, "%*s%-*s%*s\n", (int)indent, "", LEFT, low, WIDTH - LEFT, high);
}

static void put_time(const struct unit *u, uint64_t ns, struct buf *to)
{
	time_format("%H:%M:%S", ns, false, to);
	if (u->digits)
		buf_printf(to, ".%0*llu", (int)u->digits,
			   (unsigned long long)(ns % 1000000000 / u->ns));
}

static void put_line(const struct series *s, const struct span_of_values *r, const struct point *p,
		     struct buf *to)
{
	double low = real(s, r->low), all = real(s, r->high) - low;
	char line[WIDTH + 1], number[24];
	int zero = 0, at;

	memset(line, ' ', WIDTH);
	line[WIDTH] = 0;
	line[0] = line[WIDTH - 1] = '|';
	if (low < 0 && low + all > 0)
		zero = (int)((float)WIDTH * (float)-low / (float)all);
	if (zero > 0)
		line[MIN(zero, WIDTH - 1)] = '.';
	if (!p->is_there) {
		buf_printf(to, "%s -\n", line);
		return;
	}
	at = WIDTH / 2;
	if (all > 0)
		at = (int)((float)(WIDTH - 1) * (float)(real(s, p->value) - low) / (float)all);
	line[MAX(0, MIN(WIDTH - 1, at))] = '*';
	put_number(s, p->value, number, sizeof(number));
	buf_printf(to, "%s %s\n", line, number);
}

static void put_text(const struct series *s, struct buf *to)
{
	struct span_of_values r = range(s);
	const struct unit *u = units;
	uint64_t interval = 0;
	char title[24], rule[WIDTH + 1];
	size_t width;

	if (!s->n) {
		buf_puts(to, "<no data>");
		return;
	}
	if (s->n > 1)
		interval = (s->p[s->n - 1].ns - s->p[0].ns) / (s->n - 1);
	while (interval < u->least)
		u++;
	width = strlen("hh:mm:ss") + (u->digits ? 1 + u->digits : 0) + 1;
	snprintf(title, sizeof(title), u->digits ? "hh:mm:ss.%s" : "hh:mm:ss%s", u->name);
	memset(rule, '_', WIDTH);
	rule[WIDTH] = 0;
	put_scale(s, &r, width, to);
	buf_printf(to, "%-*s|%.*s|\n", (int)width, title, WIDTH - 2, rule);
	for (size_t i = 0; i < s->n; i++) {
		put_time(u, s->p[i].ns, to);
		buf_putc(to, ' ');
		put_line(s, &r, &s->p[i], to);
	}
	rule[0] = rule[WIDTH - 1] = 'v';
	buf_printf(to, "%*s%s\n", (int)width, "", rule);
	put_scale(s, &r, width, to);
}

static void put_json(const struct series *s, struct buf *to)
{
	const char *between = "";

	buf_putc(to, '[');
	for (size_t i = 0; i < s->n; i++) {
		const struct point *p = &s->p[i];
		char number[24];

		if (!p->is_there)
			continue;
		buf_printf(to, "%s{\"interval_start\":\"", between);
		time_format("%Y-%m-%d %H:%M:%S.%k", p->ns, true, to);
		put_number(s, p->value, number, sizeof(number));
		buf_printf(to, "\",\"value\":%s}", number);
		between = ",";
	}
	buf_putc(to, ']');
}

void series_put(struct answer *a, const struct type *t, struct bytes buckets, uint64_t last,
		struct buf *to)
{
	struct series s = {};

	load(&s, t, buckets, last);
	if (a->o.format == ANSWER_JSON)
		put_json(&s, to);
	else
		put_text(&s, to);
	cleanup_free(&s.p);
}
