/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a field to the function that writes it, and the pieces that such functions share.
 *
 * A type without its function does not link: the table names one for each row.
 */
#include "event/value.h"

#include "event/escape.h"
#include "event/value-internal.h"

static value_fn *const writers[T_END] = {
#define TYPE(id, json, help) [T_##id] = value_##id,
#include "catalog/types.def"
#undef TYPE
};

static bool write_value(struct buf *out, enum style style, const struct event *e,
			const struct field_desc *f)
{
	struct value v = {out, style, e, f, (const char *)e->head + f->offset};

	return writers[f->type](&v);
}

bool value_text(struct buf *out, const struct event *e, const struct field_desc *f)
{
	return write_value(out, TEXT, e, f);
}

bool value_json(struct buf *out, const struct event *e, const struct field_desc *f)
{
	return write_value(out, JSON, e, f);
}

bool put_u64(const struct value *v, uint64_t n)
{
	buf_put_u64(v->out, n);
	return true;
}

bool put_s64(const struct value *v, int64_t n)
{
	buf_put_s64(v->out, n);
	return true;
}

bool put_str(const struct value *v, struct str s)
{
	if (!s.n)
		return false;
	if (v->style == JSON)
		escape_json(v->out, s);
	else
		escape_text(v->out, s);
	return true;
}

static void put_quote(const struct value *v)
{
	if (v->style == JSON)
		buf_putc(v->out, '"');
}

bool put_name(const struct value *v, const char *prefix, const char *name)
{
	put_quote(v);
	buf_puts(v->out, prefix);
	buf_puts(v->out, name);
	put_quote(v);
	return true;
}

bool put_name_or(const struct value *v, const char *prefix, const char *name, uint64_t n)
{
	if (name)
		return put_name(v, prefix, name);
	put_quote(v);
	buf_puts(v->out, prefix);
	buf_put_u64(v->out, n);
	put_quote(v);
	return true;
}

void list_add(struct list *l, const char *name)
{
	if (l->n++)
		buf_putc(l->v->out, l->v->style == JSON ? ',' : '|');
	else if (l->v->style == JSON)
		buf_putc(l->v->out, '[');
	put_name(l->v, "", name);
}

void list_add_bits(struct list *l, const struct name *table, uint64_t bits)
{
	for (; table->name; table++)
		if (table->value && (bits & table->value) == table->value) {
			list_add(l, table->name);
			bits &= ~table->value;
		}
}

bool list_end(struct list *l)
{
	if (l->v->style == JSON && l->n)
		buf_putc(l->v->out, ']');
	return l->n;
}

bool put_bits(const struct value *v, const struct name *table, uint64_t bits)
{
	struct list l = {v, 0};

	list_add_bits(&l, table, bits);
	return list_end(&l);
}
