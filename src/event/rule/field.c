/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a field to its value, and from a value to its text.
 *
 * Numbers that rules compare as text (flags, enums) carry both: v.number is what the record
 * has, v.text what Falco would print.
 */
#include "event/rule/field.h"

#include "base/macro.h"
#include "event/escape.h"
#include "event/redact.h"

#include <arpa/inet.h>

static field_fn *const fields[RULE_FIELDS] = {
#define RULE_FIELD(id, name, type, class, arg, kinds, help) [RF_##id] = field_##id,
#include "catalog/rule-field.def"
#undef RULE_FIELD
};

struct str field_keep(const struct rule_event *e, struct buf *b)
{
	struct str s = {arena_strndup(e->arena, b->p ? b->p : "", b->n), b->n};

	buf_done(b);
	return s;
}

bool is_open_kind(unsigned int kind)
{
	return kind == EV_OPEN || kind == EV_WRITE || kind == EV_CREATE;
}

bool rule_field_get(const struct rule_event *e, const struct rule_field_ref *f,
		    struct rule_value *ret)
{
	struct rule_value v = {.type = f->type};

	if (f->id == RF_NONE || !(rule_field_info[f->id].kinds >> (e->event->kind & 63) & 1))
		return false;
	if (!fields[f->id](e, f, &v))
		return false;
	*ret = v;
	return true;
}

static void print_ip(const uint8_t ip[16], struct buf *to)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];

	if (!memcmp(ip, mapped, sizeof(mapped)))
		inet_ntop(AF_INET, ip + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, ip, text, sizeof(text));
	buf_puts(to, text);
}

/* Bytes that are no text are shown as dots, as Falco does. */
static void print_bytes(struct str s, struct buf *to)
{
	for (size_t i = 0; i < s.n; i++)
		buf_putc(to, s.p[i] >= ' ' && s.p[i] < 127 ? s.p[i] : '.');
}

static void print_list(const struct rule_value *v, struct buf *to)
{
	buf_putc(to, '(');
	for (size_t i = 0; i < v->n; i++) {
		if (i)
			buf_putc(to, ',');
		switch (v->type) {
		case RT_IPS:
			print_ip(v->ip[i], to);
			break;
		case RT_PORTS:
			buf_put_u64(to, v->port[i]);
			break;
		case RT_STRINGS:
			buf_put_str(to, v->list[i]);
			break;
		case RT_STRING:
		case RT_BYTES:
		case RT_INT:
		case RT_UINT:
		case RT_BOOL:
		case RT_IP:
		case RT_NET:
		case RT_PORT:
		case RT_RELTIME:
		case RT_ABSTIME:
		case RT_FLAGS:
		case RT_ENUM:
			break;
		}
	}
	buf_putc(to, ')');
}

/* proc.aname and its kin without a number: Falco prints them with blanks between. */
static void print_words(const struct rule_value *v, struct buf *to)
{
	for (size_t i = 0; i < v->n; i++) {
		if (i)
			buf_putc(to, ' ');
		buf_put_str(to, v->list[i]);
	}
}

void rule_value_print(const struct rule_value *v, struct buf *to)
{
	switch (v->type) {
	case RT_STRING:
	case RT_FLAGS:
	case RT_ENUM:
		buf_put_str(to, v->text);
		return;
	case RT_BYTES:
		print_bytes(v->text, to);
		return;
	case RT_INT:
		buf_put_s64(to, v->number);
		return;
	case RT_UINT:
	case RT_PORT:
	case RT_RELTIME:
	case RT_ABSTIME:
		buf_put_u64(to, v->number);
		return;
	case RT_BOOL:
		buf_puts(to, v->number ? "true" : "false");
		return;
	case RT_IP:
	case RT_NET:
		print_ip(v->ip[0], to);
		return;
	case RT_STRINGS:
		print_words(v, to);
		return;
	case RT_IPS:
	case RT_PORTS:
		print_list(v, to);
		return;
	}
}

void rule_value_json(const struct rule_value *v, struct buf *to)
{
	struct buf text = {0};

	switch (v->type) {
	case RT_INT:
	case RT_UINT:
	case RT_PORT:
	case RT_RELTIME:
	case RT_ABSTIME:
	case RT_BOOL:
		rule_value_print(v, to);
		return;
	case RT_STRING:
	case RT_BYTES:
	case RT_IP:
	case RT_NET:
	case RT_FLAGS:
	case RT_ENUM:
	case RT_STRINGS:
	case RT_IPS:
	case RT_PORTS:
		rule_value_print(v, &text);
		escape_json(to, buf_str(&text));
		buf_done(&text);
		return;
	}
}

void rule_field_print(const struct rule_event *e, const struct rule_field_ref *f, struct buf *to)
{
	struct rule_event out = *e;
	struct rule_value v;

	out.is_output = true;
	if (rule_field_get(&out, f, &v))
		rule_value_print(&v, to);
	else
		buf_puts(to, "<NA>");
}
