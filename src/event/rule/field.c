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

static void print_one(const struct rule_value *v, struct buf *to)
{
	switch (rule_types[v->type].value) {
	case RV_TEXT:
	case RV_NAMED:
		buf_put_str(to, v->text);
		return;
	case RV_BYTES:
		print_bytes(v->text, to);
		return;
	case RV_SIGNED:
		buf_put_s64(to, v->number);
		return;
	case RV_UNSIGNED:
	case RV_PORT:
		buf_put_u64(to, v->number);
		return;
	case RV_BOOL:
		buf_puts(to, v->number ? "true" : "false");
		return;
	case RV_ADDRESS:
		print_ip(v->ip[0], to);
		return;
	}
}

struct rule_value rule_value_item(const struct rule_value *v, size_t i)
{
	struct rule_value item = {.type = rule_types[v->type].item};

	if (rule_types[v->type].shape == RS_LIST) {
		item.text = v->list[i];
	} else {
		memcpy(item.ip[0], v->ip[i], sizeof(v->ip[i]));
		item.number = v->port[i];
	}
	return item;
}

static void print_items(const struct rule_value *v, const char *between, struct buf *to)
{
	for (size_t i = 0; i < v->n; i++) {
		struct rule_value item = rule_value_item(v, i);

		if (i)
			buf_puts(to, between);
		print_one(&item, to);
	}
}

void rule_value_print(const struct rule_value *v, struct buf *to)
{
	switch (rule_types[v->type].shape) {
	case RS_ONE:
		print_one(v, to);
		return;
	case RS_LIST: /* proc.aname and its kin without a number, as Falco prints them */
		print_items(v, " ", to);
		return;
	case RS_ENDS:
		buf_putc(to, '(');
		print_items(v, ",", to);
		buf_putc(to, ')');
		return;
	}
}

/* A number, true or false: JSON has them without quotes. */
static bool is_plain(enum rule_type type)
{
	if (rule_types[type].shape != RS_ONE)
		return false;
	switch (rule_types[type].value) {
	case RV_SIGNED:
	case RV_UNSIGNED:
	case RV_BOOL:
	case RV_PORT:
		return true;
	case RV_TEXT:
	case RV_BYTES:
	case RV_NAMED:
	case RV_ADDRESS:
		break;
	}
	return false;
}

void rule_value_json(const struct rule_value *v, struct buf *to)
{
	struct buf text = {0};

	if (is_plain(v->type)) {
		rule_value_print(v, to);
		return;
	}
	rule_value_print(v, &text);
	escape_json(to, buf_str(&text));
	buf_done(&text);
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
