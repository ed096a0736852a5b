/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How libFuzzer changes rule files: items and conditions instead of bytes.
 *
 * An input is cut into items ("- rule: …" up to the next).  An edit removes, repeats or moves
 * an item, puts in a new one, or gives a condition another end.  What is new grows from the
 * tables: every field, every operator, every transformer; names are few, so that items change
 * each other and macros meet.  Now and then an input is left to libFuzzer's bytes.
 */
#include "catalog/ruleset.h"

#include <stdlib.h>

enum { ITEMS = 64, EDITS = 3, DEPTH = 4, BYTES_ONE_IN = 4, BYTES = 1500 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned int seed);

struct maker {
	uint64_t state;
	struct str items[ITEMS];
	size_t n;
};

static unsigned int below(struct maker *m, size_t n)
{
	m->state = m->state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)((m->state >> 33) % n);
}

#define PICK(m, list) ((list)[below((m), ELEMENTS(list))])

static const char *const names[] = {"a", "b", "c", "d"};

static void put_value(struct maker *m, struct buf *to)
{
	static const char *const values[] = {
		"a",	     "1",      "-1",	       "0x1f",	   "open",	 "openat", "execve",
		"true",	     "/etc/x", "/*",	       "10.0.0.1", "10.0.0.0/8", "::1",	   "https",
		"\"a b\"",   "\"\"",   "'it''s'",      "cafe",	   "O_CREAT",	 "<NA>",   "b",
		"proc.name", "[a-z]+", "\"\\x41\\n\"", "oneof",	   "\"(x|y)*\"",
	};

	buf_puts(to, PICK(m, values));
}

static void put_field(struct maker *m, struct buf *to)
{
	static const char *const arguments[] = {"[1]",	     "[flags]", ".flags",
						"[\"A B\"]", "[]",	"[/x*]"};
	const struct rule_field_info *f = &rule_field_info[1 + below(m, RULE_FIELDS - 1)];

	buf_puts(to, f->name);
	if (f->arg != RA_NONE ? below(m, 4) : !below(m, 30))
		buf_puts(to, PICK(m, arguments));
}

static void put_term(struct maker *m, struct buf *to, int depth)
{
	int which = depth < DEPTH && !below(m, 6) ? (int)below(m, RULE_TRANSFORMS) : -1;

	if (which < 0) {
		put_field(m, to);
		return;
	}
	buf_printf(to, "%s(", rule_transform_names[which]);
	put_term(m, to, depth + 1);
	for (unsigned int i = below(m, 3); i; i--) {
		buf_puts(to, ", ");
		if (below(m, 2))
			put_term(m, to, depth + 1);
		else
			buf_puts(to, "\"nt:\"");
	}
	buf_puts(to, below(m, 8) ? ")" : ")[n]");
}

static void put_check(struct maker *m, struct buf *to)
{
	static const char *const quantifiers[] = {"oneof", "anyof", "allof"};
	enum rule_op op = (enum rule_op)below(m, RULE_OPS);
	bool has_list = rule_op_info[op].values == RULE_V_LIST;

	put_term(m, to, 0);
	buf_printf(to, " %s", rule_op_info[op].text);
	if (rule_op_info[op].values == RULE_V_NONE)
		return;
	if (!has_list && !below(m, 5)) {
		buf_printf(to, " %s", PICK(m, quantifiers));
		has_list = true;
	}
	if (!below(m, 10)) {
		buf_puts(to, " val(");
		put_field(m, to);
		buf_putc(to, ')');
		return;
	}
	buf_puts(to, has_list ? " (" : " ");
	put_value(m, to);
	for (unsigned int i = has_list ? below(m, 4) : 0; i; i--) {
		buf_puts(to, ", ");
		if (below(m, 3))
			put_value(m, to);
		else
			buf_puts(to, PICK(m, names));
	}
	if (has_list)
		buf_putc(to, ')');
}

static void put_condition(struct maker *m, struct buf *to, int depth)
{
	unsigned int n = depth < DEPTH ? below(m, 3) : 0;

	if (!below(m, 4))
		buf_puts(to, below(m, 2) ? "not " : "evt.type = open and ");
	if (!n) {
		if (below(m, 4))
			put_check(m, to);
		else
			buf_puts(to, PICK(m, names));
		return;
	}
	buf_putc(to, '(');
	put_condition(m, to, depth + 1);
	for (; n; n--) {
		buf_puts(to, below(m, 2) ? " and " : " or ");
		put_condition(m, to, depth + 1);
	}
	buf_putc(to, ')');
}

static void put_exceptions(struct maker *m, struct buf *to)
{
	buf_printf(to, "  exceptions:\n  - name: %s\n", PICK(m, names));
	if (below(m, 2)) {
		buf_puts(to, "    fields: [");
		put_field(m, to);
		buf_printf(to, ", proc.name]\n    comps: [%s, \"%s\"]\n    values: [[",
			   rule_op_info[below(m, RULE_OPS)].text,
			   rule_op_info[below(m, RULE_OPS)].text);
	} else {
		buf_puts(to, "    fields: ");
		put_field(m, to);
		buf_puts(to, "\n    values: [[");
	}
	put_value(m, to);
	buf_puts(to, ", ");
	put_value(m, to);
	buf_puts(to, below(m, 2) ? "]]\n" : "], a]\n");
}

static void put_rule(struct maker *m, struct buf *to)
{
	static const char *const more[] = {
		"  override: {condition: append}\n",
		"  override: {condition: replace}\n",
		"  append: true\n",
		"  skip-if-unknown-filter: true\n",
		"  enabled: false\n",
		"  override: {exceptions: append}\n",
		"  tags: [a, b]\n",
		"  tests: [{name: t, run: x}]\n",
	};

	buf_printf(to, "- rule: %s\n", PICK(m, names));
	if (below(m, 5)) {
		buf_puts(to, "  desc: d\n  priority: info\n  output: \"x %");
		put_term(m, to, 0);
		buf_puts(to, " %10fd.name\"\n");
	}
	buf_puts(to, below(m, 2) ? "  condition: " : "  condition: >\n    ");
	put_condition(m, to, 0);
	buf_putc(to, '\n');
	if (!below(m, 3))
		put_exceptions(m, to);
	if (!below(m, 2))
		buf_puts(to, PICK(m, more));
}

static void put_item(struct maker *m, struct buf *to)
{
	switch (below(m, 5)) {
	case 0:
		buf_printf(to, "- list: %s\n  items: [", PICK(m, names));
		put_value(m, to);
		for (unsigned int i = below(m, 4); i; i--)
			buf_printf(to, ", %s", PICK(m, names));
		buf_puts(to, "]\n");
		break;
	case 1:
	case 2:
		buf_printf(to, "- macro: %s\n  condition: ", PICK(m, names));
		put_condition(m, to, 1);
		buf_putc(to, '\n');
		break;
	default:
		put_rule(m, to);
		break;
	}
	if (!below(m, 8))
		buf_puts(to, below(m, 2) ? "  override: {items: append}\n" : "=== +\n");
}

static void cut(struct maker *m, struct str s)
{
	size_t from = 0;

	for (size_t i = 1; i <= s.n && m->n < ITEMS; i++) {
		if (i < s.n && !(s.p[i] == '-' && s.p[i - 1] == '\n'))
			continue;
		m->items[m->n++] = (struct str){s.p + from, i - from};
		from = i;
	}
}

static void edit(struct maker *m, struct buf *fresh)
{
	size_t at = m->n ? below(m, m->n) : 0, other = m->n ? below(m, m->n) : 0;
	struct str x;

	switch (below(m, 4)) {
	case 0:
		if (m->n > 1)
			m->items[at] = m->items[--m->n];
		break;
	case 1:
		if (m->n) {
			x = m->items[at];
			m->items[at] = m->items[other];
			m->items[other] = x;
		}
		break;
	default:
		put_item(m, fresh);
		if (m->n < ITEMS)
			m->items[m->n++] = buf_str(fresh);
		break;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned int seed)
{
	struct maker m = {.state = seed};
	struct buf fresh[EDITS] = {0}, to = {0};
	size_t done = 0;

	if (!below(&m, BYTES_ONE_IN))
		return LLVMFuzzerMutate(data, n, room);
	cut(&m, (struct str){(const char *)data, n});
	for (unsigned int i = 1 + below(&m, EDITS); i; i--)
		edit(&m, &fresh[i - 1]);
	for (size_t i = 0; i < m.n; i++)
		buf_put_str(&to, m.items[i]);
	done = MIN(to.n, MIN(room, (size_t)BYTES));
	if (done)
		memcpy(data, to.p, done);
	for (size_t i = 0; i < EDITS; i++)
		buf_done(&fresh[i]);
	buf_done(&to);
	return done;
}
