/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evt.arg.X and evt.rawarg.X: arguments, by the rows of catalog/rule-arg.def.
 *
 * evt.arg is text, as Falco prints it: names of flags and errors, the user's name for a uid,
 * a path made absolute.  evt.rawarg is the number, or the path as it was given.
 */
#include "event/rule/field.h"

#include "base/macro.h"

static uint64_t number_at(const struct wire_head *h, const struct rule_arg_info *a)
{
	const char *p = (const char *)h + a->offset;
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch (a->from) {
	case RAF_U16:
		memcpy(&v16, p, sizeof(v16));
		return v16;
	case RAF_U32:
		memcpy(&v32, p, sizeof(v32));
		return a->type == RT_INT ? (uint64_t)(int32_t)v32 : v32;
	case RAF_UID:
	case RAF_GID:
		memcpy(&v32, p, sizeof(v32));
		return (uint64_t)(int32_t)v32;
	case RAF_U64:
	case RAF_FD:
	case RAF_ERRNO:
		memcpy(&v64, p, sizeof(v64));
		return v64;
	case RAF_OPEN:
		return ((const struct wire_file *)h)->flags |
		       (uint64_t)((const struct wire_file *)h)->bits << 32;
	case RAF_NONE:
	case RAF_NAME:
	case RAF_NAME2:
	case RAF_STR:
	case RAF_EXE:
	case RAF_TUPLE:
		break;
	}
	return 0;
}

static void print_number(const struct rule_arg_info *a, uint64_t n, struct buf *to)
{
	if (a->format == 'o')
		buf_printf(to, "%llo", (unsigned long long)n);
	else if (a->format == 'x')
		buf_printf(to, "%llX", (unsigned long long)n);
	else if (a->from == RAF_ERRNO || a->type == RT_INT)
		buf_put_s64(to, n);
	else /* of flags the low half, as Falco has them */
		buf_put_u64(to, a->names ? (uint32_t)n : n);
}

/* "<f>/etc/hosts", or the number alone. */
static struct str fd_text(const struct rule_event *e, int64_t fd)
{
	struct rule_field_ref name = {.id = RF_fd_name, .index = -1, .type = RT_STRING};
	struct rule_field_ref type = {.id = RF_fd_typechar, .index = -1, .type = RT_STRING};
	struct rule_value n, t;
	struct buf b = {0};

	if (fd >= 0 && rule_field_get(e, &name, &n) && n.text.n && rule_field_get(e, &type, &t)) {
		buf_printf(&b, "<%.*s>", (int)t.text.n, t.text.p);
		buf_put_str(&b, n.text);
	} else {
		buf_put_s64(&b, fd);
	}
	return field_keep(e, &b);
}

static bool text_of_number(const struct rule_event *e, const struct rule_arg_info *a,
			   struct rule_value *v)
{
	struct buf b = {0};

	v->number = number_at(record_of(e), a);
	if (a->from == RAF_FD)
		return set_text(v, fd_text(e, (int64_t)v->number));
	if (a->from == RAF_UID)
		return set_text(v, (uint32_t)v->number == ~0u ? STR("<NONE>")
							      : user_text(e, v->number));
	if (a->from == RAF_GID)
		return set_text(v, (uint32_t)v->number == ~0u ? STR("<NONE>")
							      : group_text(e, v->number));
	if (a->names)
		rule_names_print(a->names, v->number, &b);
	if (!b.n)
		print_number(a, v->number, &b);
	return set_text(v, field_keep(e, &b));
}

static bool raw_number(const struct rule_event *e, const struct rule_arg_info *a,
		       struct rule_value *v)
{
	struct buf b = {0};

	v->number = number_at(record_of(e), a);
	if (a->raw == RT_INT)
		buf_put_s64(&b, v->number);
	else
		buf_put_u64(&b, v->number);
	return set_text(v, field_keep(e, &b));
}

static bool of_process(const struct rule_event *e, const struct rule_arg_info *a,
		       struct rule_value *v)
{
	struct rule_field_ref f = {.id = a->offset, .index = -1};
	struct buf b = {0};

	f.type = rule_field_info[f.id].type;
	if (!rule_field_get(e, &f, v))
		return false;
	rule_value_print(v, &b);
	v->text = field_keep(e, &b);
	return true;
}

bool arg_get(const struct rule_event *e, const struct rule_arg_info *a, bool raw,
	     struct rule_value *v)
{
	const struct wire_head *h = record_of(e);
	struct wire_str s;

	switch (a->from) {
	case RAF_NONE:
		return false;
	case RAF_NAME:
		return set_known(v, path_first(e));
	case RAF_NAME2:
		return set_known(v, path_second(e));
	case RAF_STR:
		memcpy(&s, (const char *)h + a->offset, sizeof(s));
		return set_known(v, record_str(h, s));
	case RAF_U16:
	case RAF_U32:
	case RAF_U64:
	case RAF_OPEN:
	case RAF_UID:
	case RAF_GID:
	case RAF_FD:
	case RAF_ERRNO:
		return raw ? raw_number(e, a, v) : text_of_number(e, a, v);
	case RAF_EXE:
		return of_process(e, a, v);
	case RAF_TUPLE:
		return sock_name(e, v);
	}
	return false;
}

static bool is_number(enum rule_type t)
{
	return t == RT_INT || t == RT_UINT;
}

/*
 * A rule that names an argument has the type of the first row; what another event has under
 * this name is made text if it is a number, and missing if it is none.
 */
static bool get(const struct rule_event *e, const struct rule_field_ref *f, bool raw,
		struct rule_value *v)
{
	const struct rule_arg_info *a = rule_arg_of(e->event->head, f->arg);

	if (!a || !arg_get(e, a, raw, v))
		return false;
	v->type = f->type;
	return !is_number(f->type) || is_number(raw ? a->raw : a->type);
}

FIELD(evt_arg)
{
	return get(e, f, false, v);
}
FIELD(evt_rawarg)
{
	return get(e, f, true, v);
}

FIELD(evt_args)
{
	size_t n;
	const struct rule_arg_info *rows = rule_args(&n);
	struct buf b = {0};

	for (size_t i = 0; i < n; i++) {
		struct rule_value one = {0};

		if (!(rows[i].kinds >> (e->event->kind & 63) & 1))
			continue;
		if (rule_arg_of(e->event->head, str_of(rows[i].name)) != &rows[i] ||
		    !arg_get(e, &rows[i], false, &one))
			continue;
		if (b.n)
			buf_putc(&b, ' ');
		buf_printf(&b, "%s=", rows[i].name);
		buf_put_str(&b, one.text);
	}
	return set_text(v, field_keep(e, &b));
}
FIELD(evt_info)
{
	return field_evt_args(e, f, v);
}
