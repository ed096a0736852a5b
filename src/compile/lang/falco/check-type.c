/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types of terms, and what may be compared with what.
 *
 * The tables are those of falcosecurity/libs userspace/libsinsp/filter_compare.cpp
 * (flt_is_comparable), but for flags: we keep them as numbers with names, libs as text, so
 * they take the operators of both.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "compile/lang/falco/check.h"

#include <ctype.h>
#include <pcre2.h>

enum { REGEX_MAX = 4096 };

#define BIT(op) (1u << RULE_##op)
#define ANY	(BIT(EQ) | BIT(NE) | BIT(IN) | BIT(INTERSECTS) | BIT(EXISTS))
#define ORDER	(BIT(LT) | BIT(LE) | BIT(GT) | BIT(GE))
#define NUMBERS (ANY | ORDER)
#define LISTS	(BIT(IN) | BIT(INTERSECTS) | BIT(EXISTS))
#define BYTES \
	(ANY | BIT(CONTAINS) | BIT(STARTSWITH) | BIT(ENDSWITH) | BIT(BCONTAINS) | BIT(BSTARTSWITH))
#define STRINGS                                                                                   \
	(NUMBERS | BIT(CONTAINS) | BIT(ICONTAINS) | BIT(STARTSWITH) | BIT(ENDSWITH) | BIT(GLOB) | \
	 BIT(IGLOB) | BIT(PMATCH) | BIT(REGEX))

static const struct {
	uint32_t operators;
	const char *name;
} types[RULE_TYPES] = {
#define RULE_TYPE(id, name, value, shape, item, operators, what) {operators, what},
#include "catalog/rule-type.def"
#undef RULE_TYPE
};

bool term_is_list(const struct rule_term *t, enum rule_type type)
{
	return type == RT_STRINGS &&
	       (t->kind != RULE_TERM_FIELD || rule_field_info[t->field.id].arg != RA_INDEX_OPT);
}

/* Of an event: its type depends on the event; for Falco evt.arg is always text. */
static bool is_argument(const struct rule_term *t)
{
	return t->kind == RULE_TERM_FIELD &&
	       (t->field.id == RF_evt_arg || t->field.id == RF_evt_rawarg);
}

bool check_operator(struct load *l, struct check *c, enum rule_type type)
{
	bool is_list = term_is_list(c->row.left, type);
	uint32_t operators = types[type].operators;
	struct buf names = {};

	if (type == RT_STRINGS && !is_list)
		operators = STRINGS;
	if (is_argument(c->row.left) && c->row.left->field.id == RF_evt_arg)
		operators |= STRINGS;
	if (operators >> c->row.op & 1)
		return true;
	for (int i = 0; i < RULE_OPS; i++)
		if (operators >> i & 1)
			buf_printf(&names, "%s%s", names.n ? ", " : "", rule_op_info[i].text);
	check_fail(l, c, CHECK_BAD, c->op, arena_printf(&l->rs->arena, "there are %s", names.p),
		   "'%s' operator not supported for %s filters", rule_op_info[c->row.op].text,
		   types[type].name);
	buf_done(&names);
	return false;
}

/* --- terms */

static bool resolve_field(struct load *l, struct check *c, struct rule_term *t, enum rule_type *ret)
{
	const char *near = NULL, *hint = NULL;

	bool is_full = l->d->n_dropped[SEV_ERROR]; /* nobody reads more */

	if (!rule_field_find(t->text, &t->field, is_full ? NULL : &near)) {
		if (near)
			hint = arena_printf(&l->rs->arena, "did you mean '%s'?", near);
		return check_fail(l, c, CHECK_UNKNOWN, t->span, hint, "nonexistent field '%.*s'",
				  (int)MIN(t->text.n, (size_t)100), t->text.p);
	}
	*ret = t->field.type;
	return true;
}

static bool wants(struct load *l, struct check *c, const struct rule_term *t, const char *what)
{
	return check_fail(l, c, CHECK_BAD, t->span, NULL, "%s() %s",
			  rule_transform_names[t->transform], what);
}

/* What a transformer makes of its arguments' types; `n` of them. */
static bool transform_type(struct load *l, struct check *c, const struct rule_term *t,
			   const enum rule_type *of, size_t n, enum rule_type *ret)
{
	bool is_text =
		of[0] == RT_STRING || of[0] == RT_STRINGS || of[0] == RT_FLAGS || of[0] == RT_ENUM;

	*ret = of[0] == RT_STRINGS ? RT_STRINGS : RT_STRING;
	if (t->transform != RULE_T_GETOPT && t->index.n)
		return wants(l, c, t, "does not take an argument in brackets");
	switch (t->transform) {
	case RULE_T_TOLOWER:
	case RULE_T_TOUPPER:
	case RULE_T_BASENAME:
		return (n == 1 && is_text) || wants(l, c, t, "takes one argument, a string");
	case RULE_T_B64:
		if (of[0] == RT_BYTES)
			*ret = RT_BYTES;
		return (n == 1 && (is_text || of[0] == RT_BYTES)) ||
		       wants(l, c, t, "takes one argument, a string or a buffer");
	case RULE_T_LEN:
		*ret = RT_UINT;
		return (n == 1 && (is_text || of[0] == RT_BYTES)) ||
		       wants(l, c, t, "takes one argument, a string, a buffer or a list");
	case RULE_T_JOIN:
		*ret = RT_STRING;
		return (n >= 2 && of[0] == RT_STRING) ||
		       wants(l, c, t, "takes a separator and a list");
	case RULE_T_CONCAT:
		*ret = RT_STRING;
		return n >= 2 || wants(l, c, t, "takes two arguments or more");
	case RULE_T_GETOPT:
		*ret = RT_STRINGS;
		return n >= 2 || wants(l, c, t, "takes a list and the letters of options");
	case RULE_TRANSFORMS:
		break;
	}
	return false;
}

bool term_resolve(struct load *l, struct check *c, struct rule_term *t, enum rule_type *ret)
{
	enum rule_type *of;

	switch (t->kind) {
	case RULE_TERM_FIELD:
		return resolve_field(l, c, t, ret);
	case RULE_TERM_LITERAL:
		*ret = RT_STRING;
		t->literal.is_valid = true;
		return true;
	case RULE_TERM_TRANSFORM:
		break;
	}
	of = arena_array(&l->tmp, enum rule_type, t->args.n + 1);
	if (!t->args.n)
		return wants(l, c, t, "has no argument");
	for (size_t i = 0; i < t->args.n; i++)
		if (!term_resolve(l, c, t->args.p[i], &of[i]))
			return false;
	return transform_type(l, c, t, of, t->args.n, ret);
}

/* --- values */

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isxdigit((unsigned char)s.p[i]))
			return false;
	return s.n && s.n % 2 == 0;
}

/* By the same engine and options as event/rule/regex.c; it refuses what would be large. */
static bool check_regex(struct load *l, struct check *c, const struct rule_term *t)
{
	uint32_t options = PCRE2_UTF | PCRE2_MULTILINE | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
			   PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
	PCRE2_UCHAR why[128] = "larger than 4096 bytes";
	pcre2_code *code = NULL;
	PCRE2_SIZE at;
	int error;

	if (t->text.n <= REGEX_MAX) {
		code = pcre2_compile((PCRE2_SPTR)t->text.p, t->text.n, options, &error, &at, NULL);
		if (!code)
			pcre2_get_error_message(error, why, sizeof(why));
	}
	if (!code)
		return check_fail(l, c, CHECK_BAD, t->span, NULL, "not a regular expression: %s",
				  (const char *)why);
	pcre2_code_free(code);
	return true;
}

static const char *what_is(enum rule_type type)
{
	switch (rule_types[type].value) {
	case RV_BOOL:
		return "neither true nor false";
	case RV_ADDRESS:
		return "no ip address or network";
	case RV_PORT:
		return "no port: a number up to 65535, or the name of a service";
	case RV_UNSIGNED:
		return "no number from 0 on";
	case RV_SIGNED:
	case RV_TEXT:
	case RV_BYTES:
	case RV_NAMED:
		break;
	}
	return "not a number";
}

static bool is_event_name(const struct rule_term *left)
{
	return left->kind == RULE_TERM_FIELD &&
	       (left->field.id == RF_evt_type || left->field.id == RF_syscall_type);
}

static bool check_event(struct load *l, struct check *c, const struct rule_term *t)
{
	const struct rule_event_info *events;
	const char **names, *near, *hint = NULL;
	size_t n;

	if (rule_event_find(t->text))
		return true;
	events = rule_events(&n);
	names = arena_array(&l->tmp, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		names[i] = events[i].name;
	near = l->d->n_dropped[SEV_ERROR] ? NULL : str_nearest(t->text.p, names);
	if (near)
		hint = arena_printf(&l->rs->arena, "did you mean '%s'?", near);
	return check_fail(l, c, CHECK_UNKNOWN, t->span, hint, "unknown event type '%.*s'",
			  (int)MIN(t->text.n, (size_t)64), t->text.p);
}

static bool check_literal(struct load *l, struct check *c, enum rule_type type, struct rule_term *t)
{
	enum rule_op op = c->row.op;
	bool is_good = rule_literal_parse(type, t->text, &t->literal);

	if ((op == RULE_BCONTAINS || op == RULE_BSTARTSWITH) && !is_hex(t->text))
		return check_fail(l, c, CHECK_BAD, t->span, NULL,
				  "'%s' takes bytes as pairs of hex digits", rule_op_info[op].text);
	if (op == RULE_REGEX)
		return check_regex(l, c, t);
	if (is_event_name(c->row.left) && (op == RULE_EQ || op == RULE_NE || op == RULE_IN))
		return check_event(l, c, t);
	if (is_good || is_argument(c->row.left))
		return true;
	return check_fail(l, c, CHECK_BAD, t->span, NULL, "'%.*s' is %s",
			  (int)MIN(t->text.n, (size_t)80), t->text.p, what_is(type));
}

static bool is_same(enum rule_type a, enum rule_type b)
{
	bool is_text_a = a == RT_STRING || a == RT_FLAGS || a == RT_ENUM;
	bool is_text_b = b == RT_STRING || b == RT_FLAGS || b == RT_ENUM;

	return a == b || (is_text_a && is_text_b) || (a == RT_STRINGS && is_text_b) ||
	       (b == RT_STRINGS && is_text_a);
}

bool check_values(struct load *l, struct check *c, enum rule_type type)
{
	enum rule_type other;

	for (size_t i = 0; i < c->row.right.n; i++) {
		struct rule_term *t = c->row.right.p[i];

		if (t->kind == RULE_TERM_LITERAL) {
			if (!check_literal(l, c, type, t))
				return false;
			continue;
		}
		if (!term_resolve(l, c, t, &other))
			return false;
		if (!is_same(type, other))
			return check_fail(l, c, CHECK_BAD, t->span, NULL,
					  "a value of type %s cannot be compared with one of type "
					  "%s",
					  rule_types[type].name, rule_types[other].name);
	}
	return true;
}
