/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sides of comparisons and pieces of outputs: fields, literals, transformers over them.
 *
 * A transformer of something that has no value has none.  (After falcosecurity/libs,
 * sinsp_filter_transformers.)
 */
#include "event/rule/field.h"

#include "base/macro.h"

/* --- texts */

/* A list becomes one text, blanks between, as Falco has it for proc.aname. */
static struct str text_of(const struct rule_event *e, const struct rule_value *v)
{
	struct buf b = {0};

	if (v->type == RT_STRING || v->type == RT_BYTES)
		return v->text;
	rule_value_print(v, &b);
	return field_keep(e, &b);
}

static bool arg_text(const struct rule_event *e, const struct rule_term *t, struct str *ret)
{
	struct rule_value v;

	if (!rule_term_get(e, t, &v))
		return false;
	*ret = text_of(e, &v);
	return true;
}

static struct str with_case(const struct rule_event *e, struct str s, bool upper)
{
	char *p = arena_strndup(e->arena, s.p ? s.p : "", s.n);

	for (size_t i = 0; i < s.n; i++)
		if (upper ? p[i] >= 'a' && p[i] <= 'z' : p[i] >= 'A' && p[i] <= 'Z')
			p[i] ^= 0x20;
	return (struct str){p, s.n};
}

static int digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* With or without '=' at the end; false: it is no base64. */
static bool decode64(const struct rule_event *e, struct str s, struct str *ret)
{
	struct buf b = {0};
	uint32_t bits = 0;
	unsigned int n = 0;

	while (s.n && s.p[s.n - 1] == '=')
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		int d = digit64(s.p[i]);

		if (d < 0) {
			buf_done(&b);
			return false;
		}
		bits = bits << 6 | (uint32_t)d;
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_putc(&b, (char)(bits >> n));
		}
	}
	*ret = field_keep(e, &b);
	return true;
}

/* --- several values */

struct list {
	ARRAY(struct str) items;
};

/* The values of args[from … to); a list's are taken one by one. */
static bool collect(const struct rule_event *e, const struct rule_term *t, size_t from, size_t to,
		    struct list *ret)
{
	struct rule_value v;

	for (size_t i = from; i < to; i++) {
		if (!rule_term_get(e, t->args.p[i], &v))
			return false;
		if (v.type == RT_STRINGS)
			for (size_t k = 0; k < v.n; k++)
				array_push(e->arena, &ret->items, v.list[k]);
		else
			array_push(e->arena, &ret->items, text_of(e, &v));
	}
	return true;
}

static bool joined(const struct rule_event *e, const struct rule_term *t, size_t from,
		   struct str separator, struct rule_value *ret)
{
	struct list list = {0};
	struct buf b = {0};

	if (!collect(e, t, from, t->args.n, &list))
		return false;
	for (size_t i = 0; i < list.items.n; i++) {
		if (i)
			buf_put_str(&b, separator);
		buf_put_str(&b, list.items.p[i]);
	}
	return set_text(ret, field_keep(e, &b));
}

/* The length of a text, the number of a list's items. */
static bool length(const struct rule_event *e, const struct rule_term *t, struct rule_value *ret)
{
	struct list list = {0};

	ret->type = RT_UINT;
	if (!collect(e, t, 0, t->args.n, &list))
		return false;
	if (t->args.n == 1 && list.items.n == 1)
		return set_number(ret, list.items.p[0].n);
	return set_number(ret, list.items.n);
}

/* --- getopt(3): short options in the order in which they stand */

struct getopt {
	const struct rule_event *e;
	struct str options; /* "ab:c" */
	struct str wanted;  /* "": all */
	struct list found;
	bool has_wanted;
};

/* 0: no such option, 1: it stands alone, 2: it takes a value. */
static int option_kind(struct str options, char c)
{
	for (size_t i = 0; i < options.n; i++)
		if (c != ':' && options.p[i] == c)
			return i + 1 < options.n && options.p[i + 1] == ':' ? 2 : 1;
	return 0;
}

static void found(struct getopt *g, struct str name, const struct str *value)
{
	if (!g->wanted.n) {
		array_push(g->e->arena, &g->found.items, name);
		if (value)
			array_push(g->e->arena, &g->found.items, *value);
		return;
	}
	if (!str_eq(g->wanted, name))
		return;
	g->found.items.n = 0; /* the last one counts */
	array_push(g->e->arena, &g->found.items, value ? *value : name);
	g->has_wanted = true;
}

/* One argument, "-abc"; *i is moved on if the next one is a value. */
static void cluster(struct getopt *g, const struct list *argv, size_t *i)
{
	struct str arg = argv->items.p[*i], value;

	for (size_t k = 1; k < arg.n; k++) {
		struct str name = {arg.p + k, 1};
		int kind = option_kind(g->options, arg.p[k]);

		if (kind < 2) {
			if (kind || !g->wanted.n)
				found(g, kind ? name : STR("?"), NULL);
			continue;
		}
		if (k + 1 < arg.n)
			value = (struct str){arg.p + k + 1, arg.n - k - 1};
		else if (*i + 1 < argv->items.n)
			value = argv->items.p[++*i];
		else
			value = STR(""); /* missing */
		found(g, name, &value);
		return;
	}
}

static bool getopt_of(const struct rule_event *e, const struct rule_term *t, struct rule_value *ret)
{
	struct getopt g = {.e = e, .wanted = t->index};
	struct list argv = {0};

	if (t->args.n < 2 || !collect(e, t, 0, t->args.n - 1, &argv) ||
	    !arg_text(e, t->args.p[t->args.n - 1], &g.options))
		return false;
	for (size_t i = 0; i < argv.items.n; i++) {
		struct str a = argv.items.p[i];

		if (str_starts(a, STR("--")) && a.n > 2)
			continue; /* long ones are left out */
		if (a.n < 2 || a.p[0] != '-' || str_eq(a, STR("--")))
			break;
		cluster(&g, &argv, &i);
	}
	if (g.wanted.n) {
		ret->type = RT_STRING;
		return g.has_wanted && set_text(ret, g.found.items.p[0]);
	}
	ret->type = RT_STRINGS;
	ret->list = g.found.items.p;
	ret->n = g.found.items.n;
	return true;
}

/* --- all of them */

static bool transform(const struct rule_event *e, const struct rule_term *t, struct rule_value *ret)
{
	const char *slash;
	struct str s = {0};

	*ret = (struct rule_value){.type = RT_STRING};
	if (!t->args.n)
		return false;
	switch (t->transform) {
	case RULE_T_TOLOWER:
	case RULE_T_TOUPPER:
		return arg_text(e, t->args.p[0], &s) &&
		       set_text(ret, with_case(e, s, t->transform == RULE_T_TOUPPER));
	case RULE_T_B64:
		return arg_text(e, t->args.p[0], &s) && decode64(e, s, &ret->text);
	case RULE_T_BASENAME:
		if (!arg_text(e, t->args.p[0], &s))
			return false;
		slash = s.n ? memrchr(s.p, '/', s.n) : NULL;
		if (slash)
			s = (struct str){slash + 1, s.n - (size_t)(slash + 1 - s.p)};
		return set_text(ret, s);
	case RULE_T_LEN:
		return length(e, t, ret);
	case RULE_T_JOIN:
		return arg_text(e, t->args.p[0], &s) && joined(e, t, 1, s, ret);
	case RULE_T_CONCAT:
		return joined(e, t, 0, (struct str){0}, ret);
	case RULE_T_GETOPT:
		return getopt_of(e, t, ret);
	case RULE_TRANSFORMS:
		break;
	}
	return false;
}

bool rule_term_get(const struct rule_event *e, const struct rule_term *t, struct rule_value *ret)
{
	switch (t->kind) {
	case RULE_TERM_FIELD:
		return rule_field_get(e, &t->field, ret);
	case RULE_TERM_LITERAL:
		*ret = (struct rule_value){.type = RT_STRING, .text = t->text};
		return true;
	case RULE_TERM_TRANSFORM:
		return transform(e, t, ret);
	}
	return false;
}

bool rule_term_shown(const struct rule_event *e, const struct rule_term *t, struct rule_value *ret)
{
	struct rule_event out = *e;

	out.is_output = true;
	return rule_term_get(&out, t, ret);
}

void rule_term_print(const struct rule_event *e, const struct rule_term *t, struct buf *to)
{
	struct rule_value v;

	if (rule_term_shown(e, t, &v))
		rule_value_print(&v, to);
	else
		buf_puts(to, "<NA>");
}
