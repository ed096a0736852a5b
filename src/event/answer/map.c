/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map of the script, printed.
 *
 * All elements are copied, values of several cpus merged into one, then sorted: numbers by
 * value, so that the largest stand last, where a reader looks first; all else by key.
 * Where values are equal the key decides: the same map always prints the same.
 *
 * A map without keys is an array of one element that is always there; the u64 at the end
 * of its value tells whether the script ever set it (compile/lang/bpftrace/lower-map.c).
 */
#include "event/answer/answer-internal.h"

#include <linux/bpf.h>
#include <stdlib.h>

/* --- merging */

static size_t size_of(const struct type *t)
{
	switch ((int)t->kind) {
	case TYPE_COUNT:
	case TYPE_SUM:
		return 8;
	case TYPE_MIN:
	case TYPE_MAX:
		return sizeof(struct value_extreme);
	case TYPE_AVG:
	case TYPE_STATS:
		return sizeof(struct value_avg);
	}
	return t->size;
}

static void merge_extreme(const struct type *t, struct value_extreme *x, struct value_extreme y)
{
	bool less = t->is_signed ? y.value < x->value : (uint64_t)y.value < (uint64_t)x->value;
	bool more = t->is_signed ? y.value > x->value : (uint64_t)y.value > (uint64_t)x->value;

	if (y.is_set && (!x->is_set || (t->kind == TYPE_MAX ? more : less)))
		*x = y;
}

/* One more cpu's value into what is there. */
static void merge(const struct type *t, void *to, struct bytes b)
{
	struct value_extreme x, y;
	struct value_avg v, w;
	uint64_t sum;

	switch ((int)t->kind) {
	case TYPE_MIN:
	case TYPE_MAX:
		memcpy(&x, to, sizeof(x));
		memcpy(&y, b.p, sizeof(y));
		merge_extreme(t, &x, y);
		memcpy(to, &x, sizeof(x));
		break;
	case TYPE_AVG:
	case TYPE_STATS:
		memcpy(&v, to, sizeof(v));
		memcpy(&w, b.p, sizeof(w));
		v.total = (int64_t)((uint64_t)v.total + (uint64_t)w.total);
		v.count += w.count;
		memcpy(to, &v, sizeof(v));
		break;
	case TYPE_COUNT:
	case TYPE_SUM:
	case TYPE_INT:
		if (b.n > 8)
			break;
		sum = bytes_uint((struct bytes){to, b.n}, b.n) + bytes_uint(b, b.n);
		memcpy(to, &sum, b.n); /* its low bytes: both machines are little-endian */
		break;
	}
}

/* --- collecting */

struct collect {
	const struct question_map *m;
	struct items *items;
	size_t size; /* of a value */
	bool has_mark;
};

static bool is_set(const struct collect *c, const uint8_t *values, unsigned int n, size_t step)
{
	struct bytes mark = {NULL, 8};

	for (unsigned int i = 0; i < n; i++) {
		mark.p = values + i * step + question_map_room(c->m) - 8;
		if (bytes_uint(mark, 8))
			return true;
	}
	return false;
}

static int collect_one(void *ctx, const void *key, const void *values, unsigned int n, size_t step)
{
	struct collect *c = ctx;
	struct arena *arena = &c->items->arena;
	struct item item = {};
	uint8_t *value;

	if (!n || (c->has_mark && !is_set(c, values, n, step)))
		return 0;
	value = arena_copy(arena, values, c->size);
	for (unsigned int i = 1; i < n; i++)
		merge(c->m->value, value,
		      (struct bytes){(const uint8_t *)values + i * step, c->size});
	item.value = (struct bytes){value, c->size};
	if (c->m->key)
		item.key = (struct bytes){arena_copy(arena, key, c->m->key_size), c->m->key_size};
	array_push(arena, &c->items->list, item);
	return 0;
}

/* All elements; with a key that one alone. */
static void collect_from(struct answer *a, uint32_t map, const void *key, struct items *ret)
{
	const struct question_map *m = &a->q->maps.p[map];
	struct collect c = {.m = m, .items = ret, .size = size_of(m->value)};

	c.has_mark = (m->type == BPF_MAP_TYPE_ARRAY || m->type == BPF_MAP_TYPE_PERCPU_ARRAY) &&
		     !m->key && question_map_room(m) >= c.size + 8;
	if (c.size > m->value_size)
		return;
	if (key)
		a->source.map_get(a->source.ctx, map, key, collect_one, &c);
	else
		a->source.map_each(a->source.ctx, map, collect_one, &c);
}

static void collect(struct answer *a, uint32_t map, struct items *ret)
{
	collect_from(a, map, NULL, ret);
}

/* --- sorting */

static int order(uint64_t a, uint64_t b, bool is_signed)
{
	if (is_signed)
		return (int64_t)a < (int64_t)b ? -1 : (int64_t)a > (int64_t)b;
	return a < b ? -1 : a > b;
}

static int compare_keys(const struct type *t, struct bytes a, struct bytes b)
{
	int r = 0;

	if (a.n < t->size || b.n < t->size)
		return 0;
	switch ((int)t->kind) {
	case TYPE_BOOL:
	case TYPE_INT:
	case TYPE_ENUM:
	case TYPE_POINTER:
		return order(value_number(t, a), value_number(t, b), t->is_signed);
	case TYPE_TUPLE:
	case TYPE_RECORD:
		for (uint32_t i = 0; i < t->n_members && !r; i++) {
			const struct type *of;
			struct bytes x = value_member(t, i, a, &of), y = value_member(t, i, b, &of);

			r = compare_keys(of, x, y);
		}
		return r;
	}
	return t->size ? memcmp(a.p, b.p, t->size) : 0;
}

static uint64_t average(const struct type *t, struct bytes b)
{
	int64_t total = bytes_int(b, 8);
	uint64_t count = bytes_uint(bytes_part(b, 8, 8), 8);

	if (!count)
		return 0;
	return t->is_signed ? (uint64_t)(total / (int64_t)count) : (uint64_t)total / count;
}

static int compare_values(const struct type *t, const struct item *x, const struct item *y)
{
	switch ((int)t->kind) {
	case TYPE_COUNT:
	case TYPE_MIN: /* by their bits, with or without a sign: as bpftrace does it */
	case TYPE_MAX:
		return order(bytes_uint(x->value, 8), bytes_uint(y->value, 8), false);
	case TYPE_SUM:
		return order(bytes_uint(x->value, 8), bytes_uint(y->value, 8), t->is_signed);
	case TYPE_INT:
	case TYPE_ENUM:
		return order(value_number(t, x->value), value_number(t, y->value), t->is_signed);
	case TYPE_AVG:
	case TYPE_STATS:
		return order(average(t, x->value), average(t, y->value), t->is_signed);
	case TYPE_HIST:
	case TYPE_LHIST:
		return order(x->rank, y->rank, false);
	}
	return 0;
}

static int compare(const void *x, const void *y, void *ctx)
{
	const struct question_map *m = ctx;
	const struct item *a = x, *b = y;
	int r = compare_values(m->value, a, b);

	return r || !m->key ? r : compare_keys(m->key, a->key, b->key);
}

/* --- printing */

/* A tuple's parentheses go; JSON's keys have no blanks. */
static void put_key(struct answer *a, const struct type *t, struct bytes key, struct buf *to)
{
	struct buf text = {0};
	struct str s;

	value_put(a, &form_text, t, key, 0, &text);
	s = buf_str(&text);
	if (s.n >= 2 && s.p[0] == '(' && s.p[s.n - 1] == ')')
		s = (struct str){s.p + 1, s.n - 2};
	if (a->o.format == ANSWER_JSON) {
		struct buf dense = {0};

		for (size_t i = 0; i < s.n; i++)
			if (s.p[i] != ' ')
				buf_putc(&dense, s.p[i]);
		put_json_text(to, buf_str(&dense));
		buf_done(&dense);
	} else {
		buf_put_str(to, s);
	}
	buf_done(&text);
}

struct print {
	struct answer *a;
	const struct question_map *m;
	uint32_t div;
	uint64_t last; /* time series: the latest interval */
	struct buf *to;
};

static void put_value(const struct print *p, const struct item *x)
{
	const struct type *t = p->m->value;

	if (t->kind == TYPE_TSERIES)
		series_put(p->a, t, x->value, p->last, p->to);
	else if (type_has_buckets(t))
		hist_put(p->a, t, x->value, p->div, p->to);
	else
		value_put(p->a, answer_form(p->a), t, x->value, p->div, p->to);
}

static void print_text(const struct print *p, const struct item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_puts(p->to, p->m->name);
		if (p->m->key) {
			buf_putc(p->to, '[');
			put_key(p->a, p->m->key, items[i].key, p->to);
			buf_putc(p->to, ']');
		}
		buf_puts(p->to, type_has_buckets(p->m->value) ? ":\n" : ": ");
		put_value(p, &items[i]);
		buf_putc(p->to, '\n');
	}
}

static const char *json_type(const struct type *t)
{
	switch ((int)t->kind) {
	case TYPE_HIST:
	case TYPE_LHIST:
		return "hist";
	case TYPE_TSERIES:
		return "tseries";
	case TYPE_AVG:
	case TYPE_STATS:
		return "stats";
	}
	return "map";
}

static void print_json(const struct print *p, const struct item *items, size_t n)
{
	buf_printf(p->to, "{\"type\": \"%s\", \"data\": {", json_type(p->m->value));
	put_json_text(p->to, str_of(p->m->name));
	buf_puts(p->to, p->m->key ? ": {" : ": ");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_puts(p->to, ", ");
		if (p->m->key) {
			put_key(p->a, p->m->key, items[i].key, p->to);
			buf_puts(p->to, ": ");
		}
		put_value(p, &items[i]);
	}
	buf_puts(p->to, p->m->key ? "}}}\n" : "}}\n");
}

static uint64_t last_interval(const struct items *x)
{
	uint64_t last = 0;

	for (size_t i = 0; i < x->list.n; i++) {
		struct bytes b = x->list.p[i].value;

		for (size_t k = 0; k < b.n; k += sizeof(struct bucket))
			last = MAX(last, bytes_uint(bytes_part(b, k, 8), 8));
	}
	return last;
}

static void print_items(struct answer *a, const struct question_map *m, struct items *x,
			uint32_t top, uint32_t div)
{
	struct print p = {.a = a, .m = m, .div = div, .to = &a->line};
	size_t skip = 0;

	if (!x->list.n)
		return;
	if (!m->key) /* one is all that its name can stand for */
		x->list.n = 1;
	if (m->value->kind == TYPE_TSERIES) {
		p.last = last_interval(x);
	} else {
		qsort_r(x->list.p, x->list.n, sizeof(*x->list.p), compare, (void *)m);
		if (top && x->list.n > top)
			skip = x->list.n - top;
	}
	buf_reset(&a->line);
	if (a->o.format == ANSWER_JSON)
		print_json(&p, x->list.p + skip, x->list.n - skip);
	else
		print_text(&p, x->list.p + skip, x->list.n - skip);
	answer_write(a, &a->line);
}

/* NULL: it is no map that can be printed. */
static const struct question_map *map_of(const struct answer *a, uint32_t map)
{
	const struct question_map *m = map < a->q->maps.n ? &a->q->maps.p[map] : NULL;

	return m && m->kind == QMAP_NAMED && m->value && a->source.map_each ? m : NULL;
}

static struct item *add_zero(const struct question_map *m, struct items *to)
{
	struct item none = {};

	if (!type_has_buckets(m->value))
		none.value.n = size_of(m->value);
	none.value.p = arena_alloc(&to->arena, none.value.n);
	return array_push(&to->arena, &to->list, none);
}

static void print(struct answer *a, uint32_t map, uint32_t top, uint32_t div, bool zero)
{
	const struct question_map *m = map_of(a, map);
	struct items items = {};

	if (!m)
		return;
	if (type_has_buckets(m->value))
		buckets_collect(a, map, &items);
	else
		collect(a, map, &items);
	if (zero && !items.list.n && !m->key && !type_has_buckets(m->value))
		add_zero(m, &items);
	print_items(a, m, &items, top, div);
	arena_done(&items.arena);
}

void map_print(struct answer *a, uint32_t map, uint32_t top, uint32_t div)
{
	print(a, map, top, div, false);
}

void map_print_asked(struct answer *a, uint32_t map, uint32_t top, uint32_t div)
{
	print(a, map, top, div, true);
}

void map_print_element(struct answer *a, uint32_t map, struct bytes key)
{
	const struct question_map *m = map_of(a, map);
	struct print p = {.a = a, .m = m, .to = &a->line};
	bool json = a->o.format == ANSWER_JSON;
	struct items items = {};
	struct item *x = NULL;

	if (!m)
		return;
	if (type_has_buckets(m->value))
		buckets_collect(a, map, &items);
	else if (a->source.map_get && m->key && key.n == m->key_size)
		collect_from(a, map, key.p, &items);
	else
		collect(a, map, &items);
	p.last = m->value->kind == TYPE_TSERIES ? last_interval(&items) : 0;
	for (size_t i = 0; i < items.list.n && !x; i++)
		if (!m->key || (key.n && items.list.p[i].key.n >= key.n &&
				!memcmp(items.list.p[i].key.p, key.p, key.n)))
			x = &items.list.p[i];
	buf_reset(&a->line);
	if (json)
		buf_puts(&a->line, "{\"type\": \"value\", \"data\": ");
	put_value(&p, x ? x : add_zero(m, &items));
	buf_puts(&a->line, json ? "}\n" : "\n");
	answer_write(a, &a->line);
	arena_done(&items.arena);
}
