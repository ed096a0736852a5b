/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value by its type: the walker.
 *
 * A row for each kind of type; what contains other values (arrays, tuples, structs) calls
 * the walker again with a part of its bytes.  A part that is not inside, or a type that
 * has no rule, is shown as null and nothing is read: the walker never trusts an offset.
 */
#include "event/answer/answer-internal.h"

#include <stdio.h>

enum { DEPTH_MAX = 32 };

struct walk {
	struct answer *a;
	const struct value_form *form;
	struct buf *to;
	uint32_t div;
	unsigned int depth;
};

static void put(const struct walk *w, const struct type *t, struct bytes b);

uint64_t bytes_uint(struct bytes b, size_t n)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	if (n > b.n)
		return 0;
	switch (n) {
	case 1:
		return b.p[0];
	case 2:
		memcpy(&two, b.p, 2);
		return two;
	case 4:
		memcpy(&four, b.p, 4);
		return four;
	case 8:
		memcpy(&eight, b.p, 8);
		return eight;
	}
	return 0;
}

static int64_t extend(uint64_t v, unsigned int bits)
{
	return bits >= 64 || !bits ? (int64_t)v : (int64_t)(v << (64 - bits)) >> (64 - bits);
}

int64_t bytes_int(struct bytes b, size_t n)
{
	return extend(bytes_uint(b, n), (unsigned int)n * 8);
}

struct bytes bytes_part(struct bytes b, size_t at, size_t n)
{
	if (at > b.n || n > b.n - at)
		return (struct bytes){NULL, 0};
	return (struct bytes){b.p + at, n};
}

/* --- numbers */

static void put_none(const struct walk *w, const struct type *t, struct bytes b)
{
	(void)t;
	(void)b;
	buf_puts(w->to, "null");
}

static void put_divided(const struct walk *w, uint64_t v, bool is_signed)
{
	if (w->div > 1)
		v = is_signed ? (uint64_t)((int64_t)v / w->div) : v / w->div;
	w->form->put_int(w->to, v, is_signed);
}

static void put_bool(const struct walk *w, const struct type *t, struct bytes b)
{
	(void)t;
	buf_puts(w->to, b.p[0] ? "true" : "false");
}

static void put_int(const struct walk *w, const struct type *t, struct bytes b)
{
	if (t->size > 8)
		put_none(w, t, b);
	else
		put_divided(w,
			    t->is_signed ? (uint64_t)bytes_int(b, t->size) : bytes_uint(b, t->size),
			    t->is_signed);
}

static void put_enum(const struct walk *w, const struct type *t, struct bytes b)
{
	uint64_t v = bytes_uint(b, t->size);
	uint64_t mask = t->size >= 8 ? UINT64_MAX : (1ull << (8 * t->size)) - 1;
	char number[24];

	for (uint32_t i = 0; i < t->n_enumerators; i++) {
		if (((uint64_t)t->enumerators[i].value & mask) != v)
			continue;
		w->form->put_named(w->a, w->to, str_of(t->enumerators[i].name), v);
		return;
	}
	snprintf(number, sizeof(number), "%llu", (unsigned long long)v);
	w->form->put_named(w->a, w->to, str_of(number), v);
}

static void put_pointer(const struct walk *w, const struct type *t, struct bytes b)
{
	uint64_t v = bytes_uint(b, 8);
	char text[24];

	(void)t;
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v);
	w->form->put_named(w->a, w->to, str_of(text), v);
}

uint64_t value_number(const struct type *t, struct bytes b)
{
	if (t->size > 8 || b.n < t->size)
		return 0;
	return t->is_signed && t->kind == TYPE_INT ? (uint64_t)bytes_int(b, t->size)
						   : bytes_uint(b, t->size);
}

/* --- texts */

static void put_string(const struct walk *w, const struct type *t, struct bytes b)
{
	struct str s = {(const char *)b.p, strnlen((const char *)b.p, t->size)};
	struct buf cut = {0};

	if (s.n < t->size || !t->size || t->is_chars) {
		w->form->put_text(w->a, w->to, s);
		return;
	}
	/* No NUL: there was more. */
	buf_put_str(&cut, s);
	buf_puts(&cut, w->a->q->config.str_trunc_trailer ? w->a->q->config.str_trunc_trailer : "");
	w->form->put_text(w->a, w->to, buf_str(&cut));
	buf_done(&cut);
}

static void put_buffer(const struct walk *w, const struct type *t, struct bytes b)
{
	size_t n = bytes_uint(b, 4);

	(void)t;
	w->form->put_bytes(w->to, (struct bytes){b.p + 4, MIN(n, b.n - 4)});
}

typedef void (*text_fn)(struct answer *a, const struct type *t, struct bytes b, struct buf *to);

static void put_by(const struct walk *w, const struct type *t, struct bytes b, text_fn text)
{
	struct buf s = {0};

	text(w->a, t, b, &s);
	w->form->put_text(w->a, w->to, buf_str(&s));
	buf_done(&s);
}

static void put_stack(const struct walk *w, const struct type *t, struct bytes b)
{
	put_by(w, t, b, stack_text);
}

static void put_symbol(const struct walk *w, const struct type *t, struct bytes b)
{
	put_by(w, t, b, symbol_text);
}

static void put_name(const struct walk *w, const struct type *t, struct bytes b)
{
	put_by(w, t, b, name_text);
}

static void put_time(const struct walk *w, const struct type *t, struct bytes b)
{
	put_by(w, t, b, time_text);
}

/* --- what contains others */

static void put_array(const struct walk *w, const struct type *t, struct bytes b)
{
	uint32_t n = t->of && t->of->size ? t->n : 0;

	buf_puts(w->to, w->form->lists[FORM_ARRAY].open);
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_puts(w->to, w->form->lists[FORM_ARRAY].between);
		put(w, t->of, bytes_part(b, (size_t)i * t->of->size, t->of->size));
		if ((size_t)(i + 1) * t->of->size > b.n) /* a type that lies about its size */
			break;
	}
	buf_puts(w->to, w->form->lists[FORM_ARRAY].close);
}

static void put_bitfield(const struct walk *w, const struct type_member *m, struct bytes b)
{
	uint64_t v = bytes_uint(bytes_part(b, m->offset, m->type->size), m->type->size);

	v = m->bit_offset < 64 ? v >> m->bit_offset : 0;
	if (m->bits < 64)
		v &= (1ull << m->bits) - 1;
	if (m->type->is_signed)
		v = (uint64_t)extend(v, m->bits);
	put_divided(w, v, m->type->is_signed);
}

static bool is_inline(const struct type_member *m)
{
	return (!m->name || !*m->name) && m->type->kind == TYPE_STRUCT;
}

/* Members of a struct without a name stand among those around it. */
static void put_members(const struct walk *w, const struct type *t, struct bytes b, bool named,
			unsigned int *count)
{
	const char *between = w->form->lists[named ? FORM_RECORD : FORM_TUPLE].between;
	struct walk inside = *w;

	inside.depth++;
	for (uint32_t i = 0; i < t->n_members; i++) {
		const struct type_member *m = &t->members[i];

		if (named && is_inline(m) && inside.depth < DEPTH_MAX) {
			put_members(&inside, m->type, bytes_part(b, m->offset, m->type->size),
				    named, count);
			continue;
		}
		if ((*count)++)
			buf_puts(w->to, between);
		if (named) {
			buf_puts(w->to, w->form->name_open);
			buf_puts(w->to, m->name ? m->name : "");
			buf_puts(w->to, w->form->name_close);
		}
		if (m->bits)
			put_bitfield(w, m, b);
		else
			put(w, m->type, bytes_part(b, m->offset, m->type->size));
	}
}

static void put_list(const struct walk *w, const struct type *t, struct bytes b,
		     enum form_list list)
{
	unsigned int count = 0;

	if (!t->n_members) {
		buf_puts(w->to, w->form->lists[list].empty);
		return;
	}
	buf_puts(w->to, w->form->lists[list].open);
	put_members(w, t, b, list == FORM_RECORD, &count);
	buf_puts(w->to, w->form->lists[list].close);
}

static void put_tuple(const struct walk *w, const struct type *t, struct bytes b)
{
	put_list(w, t, b, FORM_TUPLE);
}

static void put_record(const struct walk *w, const struct type *t, struct bytes b)
{
	put_list(w, t, b, FORM_RECORD);
}

/* --- aggregations, merged: as values of maps; read in a program they are one number */

static void put_sum(const struct walk *w, const struct type *t, struct bytes b)
{
	put_divided(w, bytes_uint(b, 8), t->kind == TYPE_SUM && t->is_signed);
}

static void put_extreme(const struct walk *w, const struct type *t, struct bytes b)
{
	put_divided(w, bytes_uint(b, 8), t->is_signed);
}

static uint64_t average(const struct type *t, struct value_avg v)
{
	if (!v.count)
		return 0;
	return t->is_signed ? (uint64_t)(v.total / (int64_t)v.count) : (uint64_t)v.total / v.count;
}

static void put_avg(const struct walk *w, const struct type *t, struct bytes b)
{
	struct value_avg v;

	if (b.n < sizeof(v)) {
		put_divided(w, bytes_uint(b, 8), t->is_signed);
		return;
	}
	memcpy(&v, b.p, sizeof(v));
	put_divided(w, (v.count >> 63) ? 0 : average(t, v), t->is_signed);
}

static void put_stats(const struct walk *w, const struct type *t, struct bytes b)
{
	const struct value_form *f = w->form;
	struct value_avg v = {};

	if (b.n < sizeof(v)) /* read in a program: its average */
		v = (struct value_avg){(int64_t)bytes_uint(b, 8), 1};
	else
		memcpy(&v, b.p, sizeof(v));
	buf_printf(w->to, "%s%scount%s", f->lists[FORM_RECORD].open, f->name_open, f->name_close);
	f->put_int(w->to, v.count, t->is_signed);
	buf_printf(w->to, "%s%saverage%s", f->lists[FORM_RECORD].between, f->name_open,
		   f->name_close);
	put_divided(w, (v.count >> 63) ? 0 : average(t, v), t->is_signed);
	buf_printf(w->to, "%s%stotal%s", f->lists[FORM_RECORD].between, f->name_open,
		   f->name_close);
	f->put_int(w->to, (uint64_t)v.total, t->is_signed);
	buf_puts(w->to, f->lists[FORM_RECORD].close);
}

/* --- by kind */

/* `least`: bytes that must be there whatever type.size says. */
static const struct {
	void (*put)(const struct walk *w, const struct type *t, struct bytes b);
	uint8_t least;
} rows[TYPE_KINDS] = {
	[TYPE_NONE] = {put_none, 0},
	[TYPE_VOID] = {put_none, 0},
	[TYPE_BOOL] = {put_bool, 1},
	[TYPE_INT] = {put_int, 1},
	[TYPE_ENUM] = {put_enum, 1},
	[TYPE_POINTER] = {put_pointer, 8},
	[TYPE_ARRAY] = {put_array, 0},
	[TYPE_STRING] = {put_string, 0},
	[TYPE_BUFFER] = {put_buffer, 4},
	[TYPE_STRUCT] = {put_record, 0},
	[TYPE_TUPLE] = {put_tuple, 0},
	[TYPE_RECORD] = {put_record, 0},
	[TYPE_KSYM] = {put_symbol, 8},
	[TYPE_USYM] = {put_symbol, sizeof(struct value_usym)},
	[TYPE_KSTACK] = {put_stack, sizeof(struct value_stack)},
	[TYPE_USTACK] = {put_stack, sizeof(struct value_stack)},
	[TYPE_INET] = {put_name, sizeof(struct value_inet)},
	[TYPE_MAC] = {put_name, 6},
	[TYPE_USERNAME] = {put_name, 4},
	[TYPE_TIMESTAMP] = {put_time, sizeof(struct value_time)},
	[TYPE_CGROUP] = {put_name, sizeof(struct value_cgroup)},
	[TYPE_STRERROR] = {put_name, 4},
	[TYPE_SIGNAL] = {put_name, 4},
	[TYPE_SYSCALL] = {put_name, 4},
	[TYPE_COUNT] = {put_sum, 8},
	[TYPE_SUM] = {put_sum, 8},
	[TYPE_MIN] = {put_extreme, 8},
	[TYPE_MAX] = {put_extreme, 8},
	[TYPE_AVG] = {put_avg, 8},
	[TYPE_STATS] = {put_stats, 8},
	[TYPE_HIST] = {put_none, 0},
	[TYPE_LHIST] = {put_none, 0},
	[TYPE_TSERIES] = {put_none, 0},
	[TYPE_STACK_MODE] = {put_none, 0},
	[TYPE_TIMESTAMP_MODE] = {put_none, 0},
};

static void put(const struct walk *w, const struct type *t, struct bytes b)
{
	struct walk inside = *w;

	inside.depth++;
	if (t->kind >= TYPE_KINDS || !rows[t->kind].put || inside.depth > DEPTH_MAX ||
	    b.n < rows[t->kind].least || (!type_is_agg(t) && b.n < t->size)) {
		put_none(w, t, b);
		return;
	}
	rows[t->kind].put(&inside, t, b);
}

void value_put(struct answer *a, const struct value_form *form, const struct type *t,
	       struct bytes b, uint32_t div, struct buf *to)
{
	const struct walk w = {.a = a, .form = form, .to = to, .div = div};

	put(&w, t, b);
}

struct bytes value_member(const struct type *t, unsigned int i, struct bytes b,
			  const struct type **ret_type)
{
	*ret_type = &type_none;
	if (!t || i >= t->n_members)
		return (struct bytes){NULL, 0};
	*ret_type = t->members[i].type;
	return bytes_part(b, t->members[i].offset, t->members[i].type->size);
}
