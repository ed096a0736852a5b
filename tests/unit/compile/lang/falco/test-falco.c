/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule files from C: conditions, kinds of records, outputs, which rules are on, places.
 *
 * What files give, and every finding, is in tests/rules/load/.
 */
#include "compile/lang/falco/falco.h"
#include "compile/lang/falco/yaml.h"
#include "catalog/catalog.h"
#include "test.h"

#include <stdlib.h>

struct loaded {
	struct ruleset rs;
	struct falco_result result;
	struct buf text;
	bool ok;
};

static void load(struct loaded *l, const char *text, const struct falco_options *o)
{
	struct falco_options all = {.least = RULE_DEBUG};
	struct falco_file file = {.name = "stdin", .text = str_of(text)};

	*l = (struct loaded){0};
	ruleset_init(&l->rs);
	l->ok = falco_load(&l->rs, &file, 1, o ? o : &all, &l->result);
}

static void done(struct loaded *l)
{
	buf_done(&l->text);
	ruleset_done(&l->rs);
}

/* The condition as it comes out; "" if there are errors. */
static const char *condition(struct loaded *l, const char *text)
{
	struct rule_expr *e;

	*l = (struct loaded){0};
	ruleset_init(&l->rs);
	e = falco_condition(&l->rs, diag_source(&l->rs.diags, "stdin", str_of(text)));
	buf_puts(&l->text, "");
	if (e)
		rule_expr_print(&l->rs, e, &l->text);
	return l->text.p;
}

TEST(conditions)
{
	static const struct {
		const char *text, *gives;
	} cases[] = {
		{"proc.name=a", "proc.name = a"},
		{"proc.name=a and fd.num>1 or fd.num<=2",
		 "(proc.name = a and fd.num > 1) or fd.num <= 2"},
		{"not proc.name=a and fd.num=1", "not proc.name = a and fd.num = 1"},
		{"not (proc.name=a and fd.num=1)", "not (proc.name = a and fd.num = 1)"},
		{"not not proc.name=a", "proc.name = a"},
		{"((proc.name=a))", "proc.name = a"},
		{"proc.name=a and (fd.num=1 and fd.num=2)",
		 "proc.name = a and fd.num = 1 and fd.num = 2"},
		{"proc.name=a or evt.num=0", "proc.name = a"},
		{"proc.name=a and evt.num!=0", "proc.name = a"},
		{"proc.name in ()", "evt.num = 0"},
		{"not proc.name in ()", "evt.num != 0"},
		{"proc.name=a or proc.name=a", "proc.name = a or proc.name = a"},
		{"proc.name in (a,'b c',\"d\\\"\")", "proc.name in (a, \"b c\", \"d\\\"\")"},
		{"proc.name = val(proc.pname)", "proc.name = val(proc.pname)"},
		{"proc.name", ""},
		{"macro", ""},
		{"proc.name = ", ""},
		{"(proc.name = a", ""},
		{"", ""},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct loaded l;

		CHECK_STREQ(condition(&l, cases[i].text), cases[i].gives);
		CHECK_EQ(!*cases[i].gives, l.rs.diags.errors > 0);
		done(&l);
	}
}

TEST(equal_checks_are_one)
{
	struct loaded l;

	condition(&l, "proc.name=a and (fd.num=1 or not proc.name = \"a\") and proc.name = 'a'");
	CHECK_EQ(l.rs.checks.n, 2);
	done(&l);
}

TEST(literals)
{
	struct loaded l;
	const struct rule_check *c;

	condition(&l, "fd.sip = 10.1.2.3 and fd.num in (1, 0x10) and fd.sport = https");
	CHECK_EQ(l.rs.checks.n, 3);
	c = l.rs.checks.p[0];
	CHECK(c->right.p[0]->literal.is_valid);
	CHECK_EQ(c->right.p[0]->literal.ip[12], 10);
	CHECK_EQ(c->right.p[0]->literal.ip[15], 3);
	CHECK_EQ(l.rs.checks.p[1]->right.p[1]->literal.number, 16);
	CHECK_EQ(l.rs.checks.p[2]->right.p[0]->literal.number, 443);
	done(&l);
}

/* --- kinds of records */

#define RULE(name, condition) \
	"- rule: " name "\n  desc: d\n  output: o\n  priority: info\n  condition: " condition "\n"

static uint64_t kinds(const char *condition_text)
{
	struct loaded l;
	struct buf text = {0};
	uint64_t k;

	buf_printf(&text, RULE("r", "%s"), condition_text);
	load(&l, text.p, NULL);
	CHECK_EQ(l.rs.rules.n, 1);
	k = l.rs.rules.n ? l.rs.rules.p[0]->kinds : 0;
	CHECK_EQ(l.rs.kinds, k);
	buf_done(&text);
	done(&l);
	return k;
}

TEST(kinds_of_records)
{
	uint64_t exec = KIND_BIT(EV_EXEC), unlink = KIND_BIT(EV_UNLINK);

	CHECK_EQ(kinds("evt.type = execve"), exec);
	CHECK_EQ(kinds("evt.type in (execve, unlink)"), exec | unlink);
	CHECK_EQ(kinds("evt.type = execve and proc.name = a"), exec);
	CHECK_EQ(kinds("evt.type = execve or evt.type = unlink"), exec | unlink);
	CHECK_EQ(kinds("evt.type = execve and evt.type = unlink"), 0);
	CHECK_EQ(kinds("evt.type = execve and not proc.name = a"), exec);
	CHECK_EQ(kinds("not (not evt.type = execve or proc.name = a)") & ~exec, 0);
	CHECK_EQ(kinds("proc.name = a"), ~0ull);
	CHECK_EQ(kinds("evt.num = 0"), 0);
	/* others share the kinds: supersets */
	CHECK(kinds("evt.type = openat") & KIND_BIT(EV_OPEN));
	CHECK(kinds("not evt.type = openat") & KIND_BIT(EV_OPEN));
	CHECK(kinds("evt.type != execve") & unlink);
	/* a field that others have not */
	CHECK_EQ(kinds("fd.name = /x") & exec, rule_field_info[RF_fd_name].kinds & exec);
	CHECK_EQ(kinds("not fd.name = /x"), ~0ull);
}

/* --- which rules are on */

static const char tagged[] = RULE("low", "evt.type = open\n  tags: [a, b]")
	RULE("off",
	     "evt.type = open\n  enabled: false") "- rule: urgent\n  desc: d\n  output: o\n  "
						  "priority: critical\n"
						  "  condition: evt.type = open\n  tags: [c]\n";

static void check_on(struct falco_options o, const char *names)
{
	struct loaded l;
	struct buf text = {0};

	load(&l, tagged, &o);
	buf_puts(&text, "");
	for (size_t i = 0; i < l.rs.rules.n; i++) {
		buf_printf(&text, "%s%s", i ? " " : "", l.rs.rules.p[i]->name);
		CHECK_EQ(l.rs.rules.p[i]->id, i);
	}
	CHECK_STREQ(text.p, names);
	CHECK_EQ(l.rs.rules.n + l.rs.disabled.n, 3);
	for (size_t i = 0; i < l.rs.disabled.n; i++)
		CHECK_EQ(l.rs.disabled.p[i]->id, UINT32_MAX);
	buf_done(&text);
	done(&l);
}

TEST(rules_that_are_on)
{
	static const char *const off[] = {"off", NULL}, *const glob[] = {"u*t", NULL},
				 *const all[] = {"*", NULL}, *const a[] = {"a", NULL};
	struct falco_options o = {.least = RULE_DEBUG};

	check_on(o, "low urgent");
	check_on((struct falco_options){.least = RULE_ERROR}, "urgent");
	o.enable = off;
	check_on(o, "low off urgent");
	o.enable = NULL;
	o.disable = glob;
	check_on(o, "low");
	o.disable = all;
	o.enable = glob;
	check_on(o, "urgent");
	o = (struct falco_options){.least = RULE_DEBUG, .tags = a};
	check_on(o, "low");
	o = (struct falco_options){.least = RULE_DEBUG, .no_tags = a};
	check_on(o, "urgent");
	o = (struct falco_options){.least = RULE_DEBUG, .enable_all = true};
	check_on(o, "low off urgent");
}

TEST(too_many_rules)
{
	struct buf text = {0};
	struct falco_options all = {.least = RULE_DEBUG, .enable_all = true};
	struct loaded l;

	for (int i = 0; i <= RULES_MAX; i++)
		buf_printf(&text, RULE("r%d", "evt.type = open"), i);
	load(&l, text.p, NULL);
	CHECK(!l.ok);
	CHECK_EQ(l.rs.rules.n, RULES_MAX);
	done(&l);
	load(&l, text.p, &all); /* to look at, they may be more */
	CHECK(l.ok);
	CHECK_EQ(l.rs.disabled.n, 1);
	done(&l);
	buf_done(&text);
}

/* --- outputs */

static bool wants_env(const char *text)
{
	struct loaded l;
	bool wants;

	load(&l, text, NULL);
	CHECK_EQ(l.rs.rules.n, 1);
	wants = l.rs.wants_env;
	done(&l);
	return wants;
}

TEST(environment)
{
	CHECK(!wants_env(RULE("r", "evt.type = execve and proc.name = a")));
	CHECK(wants_env(RULE("r", "evt.type = execve and proc.env contains x")));
	CHECK(wants_env(RULE("r", "evt.type = execve and toupper(proc.env[A]) = x")));
	CHECK(wants_env(RULE("r", "evt.type = execve and evt.arg.env contains x")));
	CHECK(wants_env("- rule: r\n  desc: d\n  priority: info\n  condition: evt.type = open\n"
			"  output: '%tolower(proc.env[A])'\n"));
}

static void check_output(const char *text, const char *pieces)
{
	struct buf yaml = {0}, got = {0};
	struct loaded l;

	buf_printf(&yaml,
		   "- rule: r\n  desc: d\n  priority: info\n  condition: evt.type = open\n"
		   "  output: '%s'\n",
		   text);
	load(&l, yaml.p, NULL);
	buf_puts(&got, "");
	for (size_t i = 0; l.rs.rules.n && i < l.rs.rules.p[0]->output.pieces.n; i++) {
		const struct rule_piece *p = &l.rs.rules.p[0]->output.pieces.p[i];

		buf_puts(&got, i ? "|" : "");
		if (p->term)
			buf_printf(&got, "%u:%.*s", p->width, (int)p->as.n, p->as.p);
		else
			buf_put_str(&got, p->text);
	}
	CHECK_STREQ(got.p, pieces);
	buf_done(&yaml);
	buf_done(&got);
	done(&l);
}

TEST(outputs)
{
	check_output("text", "text");
	check_output("*a %proc.name b", "a |0:proc.name| b");
	check_output("%proc.name%fd.name", "0:proc.name|0:fd.name");
	check_output("%proc.aname[2], %evt.arg.flags", "0:proc.aname[2]|, |0:evt.arg.flags");
	check_output("100%% %12fd.name", "100|%| |12:fd.name");
	check_output("%proc.names.", "0:proc.name|s.");
	check_output("%toupper(proc.name)!", "0:toupper(proc.name)|!");
	check_output("%no.field", "");
	check_output("a %", "");
}

/* --- places of a scalar's bytes */

static void check_offsets(const char *text, const char *word)
{
	struct arena a = {0};
	struct yaml y;
	const struct node *n;
	const uint32_t *at;
	const char *in;

	CHECK(yaml_read(&a, 0, str_of(text), &y));
	n = y.documents.p[0]->items.p[1];
	at = node_offsets(&a, str_of(text), n);
	in = strstr(n->text.p, word);
	CHECK(in);
	for (size_t i = 0; in && word[i]; i++)
		CHECK_EQ(text[at[in - n->text.p + i]], word[i]);
	arena_done(&a);
}

TEST(places)
{
	check_offsets("a: plain word", "word");
	check_offsets("a: plain\n   in lines\n\n   with a word", "word");
	check_offsets("a: >\n  folded\n    deep\n\n  with a word\n", "word");
	check_offsets("a: |+4 # why a word\n    literal a word\n\n", "word");
	check_offsets("a: 'it''s a word'", "word");
	check_offsets("a: \"x\\n\\t\\x41\\u00e9\\\n  with\\\" a word\"", "word");
	check_offsets("# \xc3\xa9\xe2\x82\xac\n\xc3\xa9: \xc3\xa9 word", "word");
	check_offsets("\xef\xbb\xbf"
		      "a: word",
		      "word");
}

TEST(result_as_json)
{
	struct falco_file file = {.name = "a \"b\".yaml", .text = STR("- rule: \xc3\xa9\n")};
	struct falco_options o = {.least = RULE_DEBUG};
	struct falco_result result;
	struct buf text = {0};
	struct ruleset rs;

	ruleset_init(&rs);
	CHECK(!falco_load(&rs, &file, 1, &o, &result));
	CHECK(!file.is_ok);
	falco_result_json(&rs, &file, 1, &result, &text);
	CHECK(strstr(text.p, "\"name\": \"a \\\"b\\\".yaml\", \"successful\": false"));
	CHECK(strstr(text.p, "\"code\": \"LOAD_ERR_YAML_VALIDATE\""));
	CHECK(strstr(text.p, "\"item_name\": \"\xc3\xa9\""));
	CHECK(strstr(text.p, "\"line\": 0, \"column\": 8, \"offset\": 8"));
	buf_done(&text);
	ruleset_done(&rs);
}

/* --- texts that would grow: each is told soon, or loaded at once */

static void check_growing(const struct buf *text, const char *error)
{
	struct buf messages = {0};
	struct loaded l;

	load(&l, text->p, NULL);
	diags_print(&l.rs.diags, false, &messages);
	buf_puts(&messages, "");
	CHECK_EQ(l.ok, !error);
	CHECK(!error || strstr(messages.p, error));
	CHECK(l.rs.arena.used < 64 << 20);
	buf_done(&messages);
	done(&l);
}

TEST(lists_that_grow)
{
	struct buf chain = {0}, doubled = {0}, alias = {0};

	for (int i = 0; i < 20000; i++)
		buf_printf(&chain, "- list: l%d\n  items: [l%d]\n", i, i + 1);
	check_growing(&chain, "lists within lists, deeper than 100");
	buf_puts(&doubled, "- list: l0\n  items: [a, b, c]\n");
	for (int i = 1; i < 64; i++)
		buf_printf(&doubled, "- list: l%d\n  items: [l%d, l%d]\n", i, i - 1, i - 1);
	check_growing(&doubled, "more than 100000 items");
	buf_puts(&alias, "- list: l\n  items: &a [a, b, c, d, e, f, g, h, i, j, k, l, m, n]\n");
	for (int i = 0; i < 100000; i++)
		buf_printf(&alias, "- list: l\n  items: *a\n");
	check_growing(&alias, "aliases that repeat too much");
	buf_done(&chain);
	buf_done(&doubled);
	buf_done(&alias);
}

TEST(macros_that_grow)
{
	struct buf names = {0}, doubled = {0}, ahead = {0}, many = {0};

	buf_puts(&names, "- macro: m0\n  condition: proc.name = a\n");
	buf_puts(&doubled, names.p);
	for (int i = 1; i < 20000; i++)
		buf_printf(&names, "- macro: m%d\n  condition: m%d\n", i, i - 1);
	buf_puts(&names, RULE("r", "evt.type = open and m19999"));
	check_growing(&names, NULL);
	for (int i = 1; i < 64; i++)
		buf_printf(&doubled, "- macro: m%d\n  condition: m%d and m%d\n", i, i - 1, i - 1);
	check_growing(&doubled, "more than 20000 parts");
	for (int i = 0; i < 10000; i++) /* the second definition sees those of the first */
		buf_printf(&ahead, "- macro: m%d\n  condition: m%d or m%d\n", i % 5000,
			   i % 5000 + 1, i % 5000 + 1);
	check_growing(&ahead, "more than 1000 levels");
	buf_puts(&many, "- macro: m\n  condition: proc.name = a");
	for (int i = 0; i < 9000; i++)
		buf_printf(&many, " or proc.name = a%d", i);
	buf_putc(&many, '\n');
	for (int i = 0; i < 5000; i++)
		buf_printf(&many, RULE("r%d", "evt.num=0 and m"), i);
	check_growing(&many, "more than 1000000 parts");
	buf_done(&names);
	buf_done(&doubled);
	buf_done(&ahead);
	buf_done(&many);
}
