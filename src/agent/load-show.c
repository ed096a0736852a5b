/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values by BTF: what a debugger prints of a struct, on one line.
 *
 * The bytes come from programs of others and the types from a file: a type says how long
 * it is, but what counts is how many bytes there are.
 */
#include "agent/load-show.h"

#include "base/macro.h"
#include "event/escape.h"

enum { DEPTH = 16, ELEMENTS_MAX = 256 };

struct show {
	const struct btf_view *v;
	bool json;
	struct buf *to;
	unsigned int depth;
};

static void show(struct show *s, uint32_t type, struct str bytes);

static struct str part(struct str bytes, size_t at, size_t n)
{
	if (at >= bytes.n)
		return (struct str){"", 0};
	return (struct str){bytes.p + at, MIN(n, bytes.n - at)};
}

void load_show_hex(struct str bytes, bool json, struct buf *to)
{
	if (json)
		buf_putc(to, '"');
	for (size_t i = 0; i < bytes.n; i++)
		buf_printf(to, "%s%02x", i && !json ? " " : "", (unsigned char)bytes.p[i]);
	if (json)
		buf_putc(to, '"');
}

static void show_text(struct show *s, struct str text)
{
	if (s->json) {
		escape_json(s->to, text);
		return;
	}
	buf_putc(s->to, '"');
	escape_text(s->to, text);
	buf_putc(s->to, '"');
}

static uint64_t number(struct str bytes, size_t n)
{
	uint64_t x = 0;

	memcpy(&x, bytes.p, MIN(MIN(n, bytes.n), sizeof(x)));
	return x;
}

static void show_number(struct show *s, uint64_t x, size_t bits, bool is_signed, bool is_bool)
{
	if (is_bool)
		buf_puts(s->to, x ? "true" : "false");
	else if (is_signed && bits < 64)
		buf_put_s64(s->to, (int64_t)(x << (64 - bits)) >> (64 - bits));
	else if (is_signed)
		buf_put_s64(s->to, (int64_t)x);
	else
		buf_put_u64(s->to, x);
}

static void show_enum(struct show *s, const struct btf_type *t, uint64_t x, size_t bits)
{
	bool is_signed = BTF_INFO_KFLAG(t->info);
	int64_t value =
		is_signed && bits < 64 ? (int64_t)(x << (64 - bits)) >> (64 - bits) : (int64_t)x;
	const char *name;

	for (unsigned int i = 0; i < btf_type_vlen(t); i++) {
		if (btf_enumerator(s->v, t, i, &name) != value)
			continue;
		if (s->json)
			escape_json(s->to, str_of(name));
		else
			buf_puts(s->to, name);
		return;
	}
	show_number(s, x, bits, is_signed, false);
}

/* Numbers and enums of any width; bitfields come shifted down. */
static void show_scalar(struct show *s, const struct btf_type *t, uint64_t x, size_t bits)
{
	unsigned int kind = btf_type_kind(t), encoding;

	if (kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) {
		show_enum(s, t, x, bits);
		return;
	}
	encoding = btf_type_encoding(t);
	show_number(s, x, bits, encoding & BTF_INT_SIGNED, encoding & BTF_INT_BOOL);
}

static bool is_char(const struct btf_view *v, const struct btf_type *t)
{
	return t && btf_type_kind(t) == BTF_KIND_INT && t->size == 1 &&
	       ((btf_type_encoding(t) & BTF_INT_CHAR) || !strcmp(btf_view_name(v, t), "char"));
}

static void show_array(struct show *s, const struct btf_type *t, struct str bytes)
{
	const struct btf_array *a = btf_type_array(t);
	const struct btf_type *of = btf_resolve(s->v, a->type, NULL);
	size_t size = btf_size(s->v, a->type);
	size_t n = size ? MIN((size_t)a->nelems, bytes.n / size) : 0;

	if (is_char(s->v, of)) {
		show_text(s, (struct str){bytes.p, strnlen(bytes.p, bytes.n)});
		return;
	}
	buf_putc(s->to, '[');
	for (size_t i = 0; i < n && i < ELEMENTS_MAX; i++) {
		buf_puts(s->to, !i ? "" : s->json ? ", " : ",");
		show(s, a->type, part(bytes, i * size, size));
	}
	if (n > ELEMENTS_MAX)
		buf_puts(s->to, s->json ? ", \"...\"" : ",...");
	buf_putc(s->to, ']');
}

static void show_member(struct show *s, struct btf_place m, struct str bytes)
{
	const struct btf_type *t = btf_resolve(s->v, m.type, NULL);
	size_t at = m.bit_offset / 8;

	if (m.bits && t && m.bits <= 57) {
		uint64_t x = number(part(bytes, at, 8), 8) >> (m.bit_offset % 8);

		show_scalar(s, t, x & ((1ull << m.bits) - 1), m.bits);
		return;
	}
	show(s, m.type, part(bytes, at, btf_size(s->v, m.type)));
}

/* Members of anonymous structs and unions count as the outer one's. */
static void show_members(struct show *s, const struct btf_type *t, struct str bytes, bool *ret_any)
{
	for (unsigned int i = 0; i < btf_type_vlen(t) && s->depth < DEPTH; i++) {
		const char *name = btf_view_string(s->v, btf_type_members(t)[i].name_off);
		struct btf_place m = btf_member_place(t, i);
		const struct btf_type *inner = btf_resolve(s->v, m.type, NULL);

		if (m.bit_offset / 8 >= bytes.n)
			continue;
		if (!*name && inner &&
		    (btf_type_kind(inner) == BTF_KIND_STRUCT ||
		     btf_type_kind(inner) == BTF_KIND_UNION)) {
			s->depth++;
			show_members(s, inner, part(bytes, m.bit_offset / 8, inner->size), ret_any);
			s->depth--;
			continue;
		}
		buf_puts(s->to, *ret_any ? ", " : "");
		*ret_any = true;
		if (s->json)
			escape_json(s->to, str_of(name));
		else
			buf_printf(s->to, ".%s", name);
		buf_puts(s->to, s->json ? ": " : " = ");
		show_member(s, m, bytes);
	}
}

static void show_struct(struct show *s, const struct btf_type *t, struct str bytes)
{
	bool any = false;

	buf_puts(s->to, s->json ? "{" : "{ ");
	show_members(s, t, bytes, &any);
	buf_puts(s->to, s->json ? "}" : " }");
}

static void show(struct show *s, uint32_t type, struct str bytes)
{
	const struct btf_type *t = btf_resolve(s->v, type, NULL);
	unsigned int kind = t ? btf_type_kind(t) : BTF_KIND_UNKN;

	if (s->depth++ >= DEPTH)
		kind = BTF_KIND_UNKN;
	if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
		show_struct(s, t, bytes);
	else if (kind == BTF_KIND_ARRAY)
		show_array(s, t, bytes);
	else if (kind == BTF_KIND_PTR && bytes.n >= 8)
		buf_printf(s->to, s->json ? "\"0x%llx\"" : "0x%llx",
			   (unsigned long long)number(bytes, 8));
	else if ((kind == BTF_KIND_INT || kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) &&
		 bytes.n && t->size <= 8)
		show_scalar(s, t, number(bytes, t->size), t->size * 8);
	else
		load_show_hex(bytes, s->json, s->to);
	s->depth--;
}

void load_show(const struct btf_view *v, uint32_t type, struct str bytes, bool json, struct buf *to)
{
	struct show s = {.v = v, .json = json, .to = to};

	if (!v || !type)
		load_show_hex(bytes, json, to);
	else
		show(&s, type, bytes);
}

/* --- which struct is it */

static bool is_struct(const struct btf_type *t)
{
	return t && btf_type_kind(t) == BTF_KIND_STRUCT;
}

/* "events" and "event", "exec_events" and "exec_event_t" … begin alike. */
static bool is_alike(const char *map, const char *name)
{
	size_t n = strlen(map);

	if (n > 1 && map[n - 1] == 's')
		n--;
	return !strncmp(map, name, n) && (!name[n] || !strcmp(name + n, "_t"));
}

/* const struct event *unused; */
static uint32_t pointed_to(const struct btf_view *v, const struct btf_type *var, size_t n)
{
	const struct btf_type *p = btf_resolve(v, var->type, NULL), *t;
	uint32_t id;

	if (!p || btf_type_kind(p) != BTF_KIND_PTR)
		return 0;
	t = btf_resolve(v, p->type, &id);
	return is_struct(t) && t->size <= n ? id : 0;
}

uint32_t load_show_record(const struct btf_view *v, const char *map, size_t n, const char *named)
{
	uint32_t only = 0, n_of_size = 0, pointed = 0, alike = 0, id;

	if (!v)
		return 0;
	if (named)
		return btf_find(v, BTF_ONE(STRUCT) | BTF_ONE(UNION) | BTF_ONE(TYPEDEF), named);
	for (id = 1; id < btf_view_n(v); id++) {
		const struct btf_type *t = btf_view_type(v, id);

		if (!t)
			continue;
		if (btf_type_kind(t) == BTF_KIND_VAR && !pointed)
			pointed = pointed_to(v, t, n);
		if (!is_struct(t) || !*btf_view_name(v, t))
			continue;
		if (is_alike(map, btf_view_name(v, t)) && t->size && t->size <= n)
			alike = id;
		/* a ring's records are as they were sent, a perf event's are padded */
		if (t->size == n || (t->size < n && n - t->size < 8)) {
			only = id;
			n_of_size++;
		}
	}
	return alike ? alike : pointed ? pointed : n_of_size == 1 ? only : 0;
}
