/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histograms and time series as maps keep them: one element a bucket, its number behind
 * the key.  Here they come together again, one item a key.  A histogram without keys may be
 * an array of its buckets (question.h).
 */
#include "event/answer/answer-internal.h"

#include <linux/bpf.h>
#include <stdlib.h>

/* One element of the map. */
struct entry {
	const uint8_t *key; /* NULL: it has none */
	struct bucket bucket;
};

struct collect {
	const struct question_map *m;
	struct arena *arena;
	ARRAY(struct entry) list;
};

static uint64_t sum(const uint8_t *values, unsigned int n, size_t step)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < n; i++)
		total += bytes_uint((struct bytes){values + i * step, 8}, 8);
	return total;
}

static bool precedes(const struct type *t, int64_t x, int64_t y)
{
	return t->is_signed ? x < y : (uint64_t)x < (uint64_t)y;
}

/* Two cpus' values of the same interval. */
static void join(const struct type *t, struct value_tseries *x, const struct value_tseries *y)
{
	switch ((enum tseries_agg)t->agg.agg) {
	case TSERIES_NONE: /* `meta` is the time: the later one */
		if ((uint64_t)y->meta > (uint64_t)x->meta)
			*x = *y;
		break;
	case TSERIES_AVG:
		x->value = (int64_t)((uint64_t)x->value + (uint64_t)y->value);
		x->meta += y->meta;
		break;
	case TSERIES_MAX:
		if (precedes(t, x->value, y->value))
			x->value = y->value;
		break;
	case TSERIES_MIN:
		if (precedes(t, y->value, x->value))
			x->value = y->value;
		break;
	case TSERIES_SUM:
		x->value = (int64_t)((uint64_t)x->value + (uint64_t)y->value);
		break;
	}
}

/* Cpus may have used a slot for different turns of the ring: the latest counts. */
static struct bucket latest(const struct type *t, const uint8_t *values, unsigned int n,
			    size_t step)
{
	struct value_tseries x = {}, v;

	for (unsigned int i = 0; i < n; i++) {
		memcpy(&v, values + i * step, sizeof(v));
		if (v.epoch > x.epoch)
			x = v;
		else if (v.epoch && v.epoch == x.epoch)
			join(t, &x, &v);
	}
	if (t->agg.agg == TSERIES_AVG && x.meta)
		x.value = t->is_signed ? x.value / (int64_t)x.meta
				       : (int64_t)((uint64_t)x.value / x.meta);
	return (struct bucket){x.epoch, (uint64_t)x.value};
}

static int collect_one(void *ctx, const void *key, const void *values, unsigned int n, size_t step)
{
	struct collect *c = ctx;
	const struct question_map *m = c->m;
	struct entry e = {.key = arena_copy(c->arena, key, m->key_size)};

	if (m->value->kind == TYPE_TSERIES) {
		e.bucket = latest(m->value, values, n, step);
	} else {
		e.bucket.at = bytes_uint((struct bytes){e.key + m->bucket_offset, 8}, 8);
		e.bucket.value = sum(values, n, step);
	}
	array_push(c->arena, &c->list, e);
	return 0;
}

/* All buckets at once; if it was ever set there is at least one. */
static int collect_row(void *ctx, const void *key, const void *values, unsigned int n, size_t step)
{
	struct collect *c = ctx;
	uint32_t mark = question_map_room(c->m) - 8;
	const uint8_t *at = values;

	(void)key;
	if (!sum(at + mark, n, step))
		return 0;
	for (uint32_t i = 0; i < mark / 8; i++) {
		struct bucket b = {i, sum(at + i * 8, n, step)};

		if (b.value || !i)
			array_push(c->arena, &c->list, ((struct entry){.bucket = b}));
	}
	return 0;
}

static int compare(const void *x, const void *y, void *ctx)
{
	const struct entry *a = x, *b = y;
	const struct question_map *m = ctx;
	int r = m->bucket_offset ? memcmp(a->key, b->key, m->bucket_offset) : 0;

	return r ? r : a->bucket.at < b->bucket.at ? -1 : a->bucket.at > b->bucket.at;
}

static size_t same_key(const struct collect *c, size_t i)
{
	size_t n = c->m->bucket_offset, end = i + 1;

	while (end < c->list.n && (!n || !memcmp(c->list.p[i].key, c->list.p[end].key, n)))
		end++;
	return end - i;
}

void buckets_collect(struct answer *a, uint32_t map, struct items *ret)
{
	const struct question_map *m = &a->q->maps.p[map];
	struct collect c = {.m = m, .arena = &ret->arena};
	size_t least = m->value->kind == TYPE_TSERIES ? sizeof(struct value_tseries) : 8;
	bool is_row = m->type == BPF_MAP_TYPE_ARRAY;

	if (question_map_room(m) < least ||
	    (!is_row && (m->key_size < 8 || m->bucket_offset > m->key_size - 8)))
		return;
	a->source.map_each(a->source.ctx, map, is_row ? collect_row : collect_one, &c);
	if (c.list.n)
		qsort_r(c.list.p, c.list.n, sizeof(*c.list.p), compare, (void *)m);
	for (size_t i = 0, n; i < c.list.n; i += n) {
		struct bucket *b;
		struct item x = {.key = {c.list.p[i].key, m->bucket_offset}};

		n = same_key(&c, i);
		b = arena_array(&ret->arena, struct bucket, n);
		for (size_t k = 0; k < n; k++) {
			b[k] = c.list.p[i + k].bucket;
			x.rank += b[k].value;
		}
		x.value = (struct bytes){(const uint8_t *)b, n * sizeof(*b)};
		array_push(&ret->arena, &ret->list, x);
	}
}
