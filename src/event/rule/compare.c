/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value against another.
 *
 * Text is compared byte by byte, numbers as numbers, addresses as such or with a network.  An
 * IPv4 address is in no IPv6 network, and differs from every IPv6 address: as in Falco, != is
 * true then.  What a literal has to be for a type is catalog/rule-literal.c's matter; one that
 * is none is equal to nothing.  (Meaning after falcosecurity/libs, filter_compare.cpp.)
 */
#include "event/rule/compare.h"

#include "base/macro.h"

#include <fnmatch.h>

/* --- text */

static int order(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

static bool contains(struct str s, struct str what)
{
	return str_has(s, what);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool contains_nocase(struct str s, struct str what)
{
	for (size_t at = 0; at + what.n <= s.n; at++) {
		size_t i = 0;

		while (i < what.n && lower(s.p[at + i]) == lower(what.p[i]))
			i++;
		if (i == what.n)
			return true;
	}
	return false;
}

static bool glob(const struct rule_event *e, struct str pattern, struct str s, int flags)
{
	return !fnmatch(arena_strndup(e->arena, pattern.p ? pattern.p : "", pattern.n),
			arena_strndup(e->arena, s.p ? s.p : "", s.n), flags);
}

/* The next component of a path; false: there is none. */
static bool component(struct str *rest, struct str *ret)
{
	size_t n = 0;

	while (rest->n && rest->p[0] == '/')
		rest->p++, rest->n--;
	while (n < rest->n && rest->p[n] != '/')
		n++;
	*ret = (struct str){rest->p, n};
	rest->p += n;
	rest->n -= n;
	return n > 0;
}

static bool is_glob(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '*' || s.p[i] == '?' || s.p[i] == '[')
			return true;
	return false;
}

/* Is `s` this path, or below it? */
static bool path_match(const struct rule_event *e, struct str pattern, struct str s)
{
	struct str want, have;

	while (component(&pattern, &want)) {
		if (!component(&s, &have))
			return false;
		if (is_glob(want) ? !glob(e, want, have, 0) : !str_eq(want, have))
			return false;
	}
	return true;
}

static int digit(char c)
{
	return c >= '0' && c <= '9'		    ? c - '0'
	       : lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10
						    : -1;
}

/* "48656c6c6f" → "Hello"; false: it is no such text. */
static bool from_hex(const struct rule_event *e, struct str hex, struct str *ret)
{
	char *p = arena_alloc(e->arena, hex.n / 2 + 1);

	if (hex.n % 2)
		return false;
	for (size_t i = 0; i < hex.n; i += 2) {
		int high = digit(hex.p[i]), low = digit(hex.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		p[i / 2] = (char)(high << 4 | low);
	}
	*ret = (struct str){p, hex.n / 2};
	return true;
}

static bool compare_text(const struct rule_event *e, enum rule_op op, struct str a, struct str b)
{
	struct str bytes;

	switch (op) {
	case RULE_EXISTS:
		return true;
	case RULE_EQ:
	case RULE_IN:
	case RULE_INTERSECTS:
		return str_eq(a, b);
	case RULE_NE:
		return !str_eq(a, b);
	case RULE_LT:
		return order(a, b) < 0;
	case RULE_LE:
		return order(a, b) <= 0;
	case RULE_GT:
		return order(a, b) > 0;
	case RULE_GE:
		return order(a, b) >= 0;
	case RULE_CONTAINS:
		return contains(a, b);
	case RULE_ICONTAINS:
		return contains_nocase(a, b);
	case RULE_BCONTAINS:
		return from_hex(e, b, &bytes) && contains(a, bytes);
	case RULE_STARTSWITH:
		return !b.n || str_starts(a, b);
	case RULE_BSTARTSWITH:
		return from_hex(e, b, &bytes) && (!bytes.n || str_starts(a, bytes));
	case RULE_ENDSWITH:
		return !b.n || str_ends(a, b);
	case RULE_GLOB:
		return glob(e, b, a, 0);
	case RULE_IGLOB:
		return glob(e, b, a, FNM_CASEFOLD);
	case RULE_REGEX:
		return regex_fits(e->regexes, b, a);
	case RULE_PMATCH:
		return path_match(e, b, a);
	case RULE_OPS:
		break;
	}
	return false;
}

/* --- numbers */

/* The order of two numbers as −1, 0, 1, by an operator. */
static bool by_order(enum rule_op op, int sign)
{
	return rule_op_info[op].order >> (sign + 1) & 1;
}

/* Operators of text on a number see its digits. */
static bool compare_digits(const struct rule_event *e, enum rule_op op, const struct rule_value *v,
			   const struct operand *right)
{
	struct buf b = {0};
	bool does;

	rule_value_print(v, &b);
	does = compare_text(e, op, buf_str(&b), right->text);
	buf_done(&b);
	return does;
}

static bool compare_number(const struct rule_event *e, enum rule_op op, const struct rule_value *v,
			   const struct operand *right)
{
	struct rule_literal literal = {.is_valid = true};
	int sign;

	if (right->value)
		literal.number = right->value->number;
	else
		rule_literal_parse(v->type, right->text, &literal);
	if (rule_types[v->type].value == RV_SIGNED)
		sign = ((int64_t)v->number > literal.number) -
		       ((int64_t)v->number < literal.number);
	else
		sign = (v->number > (uint64_t)literal.number) -
		       (v->number < (uint64_t)literal.number);
	if (rule_op_info[op].order == RULE_O_TEXT)
		return compare_digits(e, op, v, right);
	return literal.is_valid ? by_order(op, sign) : op == RULE_NE || op == RULE_EXISTS;
}

/* --- addresses */

static bool is_v4(const uint8_t ip[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(ip, mapped, sizeof(mapped));
}

static bool is_inside(const uint8_t ip[16], const struct rule_literal *net)
{
	unsigned int whole = net->prefix / 8, rest = net->prefix % 8;

	if (is_v4(ip) != (is_v4(net->ip) && net->prefix >= 96))
		return false;
	return !memcmp(ip, net->ip, whole) &&
	       (!rest || !((ip[whole] ^ net->ip[whole]) >> (8 - rest)));
}

static bool compare_ip(enum rule_op op, const struct rule_value *v, const struct operand *right)
{
	struct rule_literal literal = {.is_valid = true, .prefix = 128};
	bool is_in;

	if (right->value)
		memcpy(literal.ip, right->value->ip[0], sizeof(literal.ip));
	else
		rule_literal_parse(RT_IP, right->text, &literal);
	is_in = literal.is_valid && is_inside(v->ip[0], &literal);
	if (op != RULE_EQ && op != RULE_NE && op != RULE_IN && op != RULE_INTERSECTS &&
	    op != RULE_EXISTS)
		return false;
	return by_order(op, !is_in);
}

bool compare(const struct rule_event *e, enum rule_op op, const struct rule_value *v,
	     const struct operand *right)
{
	switch (rule_types[v->type].value) {
	case RV_TEXT:
	case RV_BYTES:
	case RV_NAMED:
		return compare_text(e, op, v->text,
				    right->value ? right->value->text : right->text);
	case RV_SIGNED:
	case RV_UNSIGNED:
	case RV_BOOL:
	case RV_PORT:
		return compare_number(e, op, v, right);
	case RV_ADDRESS:
		return compare_ip(op, v, right);
	}
	return false;
}
