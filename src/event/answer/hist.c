/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histograms: bars of 52 signs between the lowest and the highest bucket that has any.
 *
 * hist(): bucket 0 holds what is negative; then each power of two is cut into 2^bits
 * buckets.  The first ones hold one number each.  lhist(): bucket 0 is below min, the last
 * one from max on, and between them equal steps.
 *
 * Limits are written short (4K, 1M) where all limits of this histogram can be.  In JSON
 * both ends of a bucket belong to it.
 */
#include "event/answer/answer-internal.h"

#include <stdio.h>

enum { BAR = 52, HIST_BUCKETS = 66 << 5, LHIST_BUCKETS = 1002 };

/* Where a bucket begins: a number, and how it is written if it is not plain. */
struct limit {
	int64_t number;
	char text[24]; /* "": as the number */
	bool is_there; /* false: no limit to this side */
};

struct bars {
	const struct type *t;
	uint64_t *counts;
	size_t n, first, end; /* first <= bucket < end are shown */
};

static struct limit plain(int64_t v)
{
	return (struct limit){.number = v, .is_there = true};
}

/* The beginning of bucket i + 1 of a hist(), which is the end of bucket i. */
static struct limit hist_limit(uint32_t i, uint32_t bits)
{
	struct limit l = {.is_there = true};
	uint64_t mantissa = (1ull << bits) + (i & ((1u << bits) - 1));
	uint32_t power;

	if (i <= 2u << bits)
		return plain(i);
	power = (i >> bits) - 1;
	l.number = power < 64 ? (int64_t)(mantissa << power) : 0;
	snprintf(l.text, sizeof(l.text), "%llu%.1s", (unsigned long long)(mantissa << power % 10),
		 &"\0KMGTPE"[MIN(power / 10, 6u)]);
	return l;
}

static struct limit lhist_limit(int64_t v, int64_t step)
{
	struct limit l = plain(v);

	if (step % 1024)
		return l;
	if (v && v % (1 << 20) == 0)
		snprintf(l.text, sizeof(l.text), "%lldM", (long long)(v / (1 << 20)));
	else if (v && v % 1024 == 0)
		snprintf(l.text, sizeof(l.text), "%lldK", (long long)(v / 1024));
	else
		snprintf(l.text, sizeof(l.text), "%lld", (long long)v);
	return l;
}

/* The end of bucket i. */
static struct limit upper(const struct bars *b, size_t i)
{
	const struct type *t = b->t;
	int64_t v;

	if (t->kind == TYPE_HIST)
		return hist_limit((uint32_t)i, t->agg.bits);
	v = (int64_t)((uint64_t)t->agg.min + i * (uint64_t)t->agg.step);
	if (v > t->agg.max)
		return (struct limit){};
	return lhist_limit(v, t->agg.step);
}

static struct limit lower(const struct bars *b, size_t i)
{
	return i ? upper(b, i - 1) : (struct limit){};
}

static void put_limit(const struct limit *l, struct buf *to)
{
	if (l->text[0])
		buf_puts(to, l->text);
	else
		buf_put_s64(to, l->number);
}

static void put_range(struct limit from, struct limit to, struct buf *out)
{
	if (!from.is_there)
		buf_puts(out, "(...");
	else
		buf_putc(out, '[');
	if (from.is_there)
		put_limit(&from, out);
	if (from.is_there && to.is_there && !from.text[0] && !to.text[0] &&
	    from.number + 1 == to.number) {
		buf_putc(out, ']');
		return;
	}
	buf_puts(out, ", ");
	if (to.is_there)
		put_limit(&to, out);
	else
		buf_puts(out, "...");
	buf_putc(out, ')');
}

static void put_text(const struct bars *b, struct buf *to)
{
	uint64_t most = 0;

	for (size_t i = b->first; i < b->end; i++)
		most = MAX(most, b->counts[i]);
	for (size_t i = b->first; i < b->end; i++) {
		float part = most ? (float)b->counts[i] / (float)most : 0;
		int width = (int)(part * BAR);
		struct buf range = {0};

		put_range(lower(b, i), upper(b, i), &range);
		buf_printf(to, "%-16s%8llu |", range.p, (unsigned long long)b->counts[i]);
		for (int k = 0; k < BAR; k++)
			buf_putc(to, k < width ? '@' : ' ');
		buf_puts(to, "|\n");
		buf_done(&range);
	}
}

static void put_json(const struct bars *b, struct buf *to)
{
	buf_putc(to, '[');
	for (size_t i = b->first; i < b->end; i++) {
		struct limit l = lower(b, i), u = upper(b, i);

		buf_puts(to, i > b->first ? ",{" : "{");
		if (l.is_there) {
			buf_puts(to, "\"min\": ");
			form_json.put_int(to, (uint64_t)l.number, true);
			buf_puts(to, ", ");
		}
		if (u.is_there) {
			buf_puts(to, "\"max\": ");
			form_json.put_int(to, (uint64_t)u.number - 1, true);
			buf_puts(to, ", ");
		}
		buf_printf(to, "\"count\": %llu}", (unsigned long long)b->counts[i]);
	}
	buf_putc(to, ']');
}

static void load(struct bars *b, struct bytes buckets)
{
	b->n = b->t->kind == TYPE_HIST ? HIST_BUCKETS : LHIST_BUCKETS;
	b->counts = xalloc(b->n * sizeof(*b->counts));
	b->first = b->n;
	for (size_t i = 0; i + sizeof(struct bucket) <= buckets.n; i += sizeof(struct bucket)) {
		uint64_t at = bytes_uint(bytes_part(buckets, i, 8), 8);
		uint64_t count = bytes_uint(bytes_part(buckets, i + 8, 8), 8);

		if (at >= b->n || !count)
			continue;
		b->counts[at] = count;
		b->first = MIN(b->first, at);
		b->end = MAX(b->end, at + 1);
	}
}

void hist_put(struct answer *a, const struct type *t, struct bytes buckets, uint32_t div,
	      struct buf *to)
{
	struct bars b = {.t = t};

	load(&b, buckets);
	if (t->kind == TYPE_HIST && div > 1)
		for (size_t i = b.first; i < b.end; i++)
			b.counts[i] /= div;
	if (a->o.format == ANSWER_JSON)
		put_json(&b, to);
	else
		put_text(&b, to);
	cleanup_free(&b.counts);
}
