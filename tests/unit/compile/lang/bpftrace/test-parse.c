/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From text to tree, and what expand makes of it.
 *
 * tests/golden/parse/NAME.bt is a script.  Its siblings say what is looked at: NAME.ast the
 * tree, NAME.expanded the tree after expansion with the parameters "7" and "two words" and
 * the option --size=9, NAME.err the messages.  SKEP_UPDATE=1 writes those that are there
 * anew.
 */
#include "compile/lang/bpftrace/expand.h"
#include "compile/lang/bpftrace/parse.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

struct script {
	struct arena arena;
	struct diags d;
	struct program *p;
	struct question_config config;
	bool ok;
	struct buf out; /* messages */
};

static void script_parse(struct script *s, struct str text)
{
	*s = (struct script){.config = {.max_strlen = 1024}};
	s->d.arena = &s->arena;
	s->p = parse_program(&s->d, diag_source(&s->d, "stdin", text));
	s->ok = s->p;
}

static void script_expand(struct script *s, const struct script_params *params)
{
	if (s->p)
		s->ok = expand_program(&s->d, s->p, params, &s->config);
}

static const char *script_messages(struct script *s)
{
	buf_reset(&s->out);
	diags_print(&s->d, false, &s->out);
	return s->out.p ? s->out.p : "";
}

static void script_done(struct script *s)
{
	buf_done(&s->out);
	arena_done(&s->arena);
}

/* --- golden files */

static bool read_file(const char *path, struct buf *to)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char block[4096];
	size_t n;

	while (f && (n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(to, block, n);
	return f;
}

static void write_file(const char *path, const struct buf *from)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	if (f)
		fwrite(from->p ? from->p : "", 1, from->n, f);
}

/* Is there a sibling of that kind?  Then it must hold what we have. */
static bool check_sibling(const char *base, const char *kind, const struct buf *have)
{
	_cleanup_buf_ struct buf path = {}, expected = {};

	buf_printf(&path, "%s.%s", base, kind);
	if (!read_file(path.p, &expected))
		return false;
	if (getenv("SKEP_UPDATE"))
		write_file(path.p, have);
	test_result(getenv("SKEP_UPDATE") || str_eq(buf_str(&expected), buf_str(have)), __FILE__,
		    __LINE__, "%s is\n%s", path.p, have->p ? have->p : "");
	return true;
}

static void check_golden(const char *base)
{
	static const char *const positional[] = {"7", "two words"};
	struct script_params params = {.positional = positional, .n = 2};
	typeof(*params.named) named[] = {{"size", "9"}};
	_cleanup_buf_ struct buf text = {}, path = {}, out = {};
	struct script s;
	bool any;

	buf_printf(&path, "%s.bt", base);
	read_file(path.p, &text);
	script_parse(&s, buf_str(&text));
	if (s.p)
		ast_print(s.p, &out);
	any = check_sibling(base, "ast", &out);
	params.named = (typeof(params.named))(void *)named;
	params.n_named = strstr(text.p, "getopt") ? 1 : 0;
	script_expand(&s, &params);
	buf_reset(&out);
	if (s.ok)
		ast_print(s.p, &out);
	any |= check_sibling(base, "expanded", &out);
	buf_reset(&out);
	buf_puts(&out, script_messages(&s));
	any |= check_sibling(base, "err", &out);
	test_result(any, __FILE__, __LINE__, "%s has nothing to compare with", base);
	script_done(&s);
}

TEST(golden)
{
	static const char folder[] = TEST_DATA "/../golden/parse";
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		_cleanup_buf_ struct buf base = {};
		struct str name = str_of(names[i]->d_name);

		buf_printf(&base, "%s/%.*s", folder, (int)name.n - 3, name.p);
		if (str_ends(name, STR(".bt")))
			check_golden(base.p);
		free(names[i]);
	}
	CHECK(n > 2);
	if (n >= 0)
		free(names);
}

/* --- the grammar: what is a program, and the first message of what is none */

static const char *const programs[] = {
	"",
	"#!/usr/bin/env -S skep trace\nBEGIN { }",
	"BEGIN,END { exit(); }",
	"kprobe:f,kprobe:g, { 1 }",
	"k:f/pid/{ 1 }",
	"k:f /pid == 1 / 2 > 0/ { 1 }",
	"uprobe:/bin/sh:f { 1 }",
	"uprobe:/bin/sh:\"a::b(int, char)\" /arg0/ { 1 }",
	"uprobe:lib@file.c:12 { }",
	"name=kprobe:f { }",
	"i:s:1 { @ = count() }",
	"i:s:1 { @[1, \"a\"] += 1; @x++; --@x; $y = 1; $y <<= 2; delete(@[1, 2]) }",
	"i:s:1 { let $a; let $b : uint32; let $c : struct x *[4] = 0; let $d = (1, (2,)); }",
	"i:s:1 { $a = (struct x *)arg0; print($a->b.c[1].d, ((int8)$a).0) }",
	"i:s:1 { if (1) { } else if 2 { } else { 3 } }",
	"i:s:1 { while (1) { break; } unroll(3) { continue } }",
	"i:s:1 { for ($i : 0..10) { print($i) } for $k : @m { } }",
	"i:s:1 { $x = 1 ? 2 : 3 ?: 4; $y = { $z = 1; $z + 1 }; _ = f(); }",
	"i:s:1 { $r = (a = 1, b = \"x\"); print($r.a) }",
	"i:s:1 { print(sizeof(struct x), sizeof(uint8[4]), sizeof($x), offsetof(struct a, b.c)) }",
	"i:s:1 { print(1_000 + 0x1F + 017 + 1e3 + 5ms + 3ull) }",
	"i:s:1 { print(\"\\x41\\101\\n\\\"\") }",
	"i:s:1 { $p = &$x; $q = &@m; print(*$p, !$x, ~$x, -$x) }",
	"let @m = lruhash(10); i:s:1 { @m[1] = 1 }",
	"macro f(a, $b, @c) { $b += a; @c[1] = a; a } i:s:1 { f(1, $x, @y) }",
	"fn f($a : int32, $b : struct x *) : void { return; } i:s:1 { }",
	"config = { max_strlen = 5; license = \"GPL\" } import \"stdlib\"; i:s:1 { }",
	"struct a { int b; /* } */ } __attribute__((packed)); i:s:1 { }",
	"#define A 1 \\\n + 2\n#include <linux/fs.h>\ni:s:1 { /* c */ print(A); // d\n }",
};

TEST(programs)
{
	for (size_t i = 0; i < ELEMENTS(programs); i++) {
		struct script s;

		script_parse(&s, str_of(programs[i]));
		test_result(s.ok, __FILE__, __LINE__, "%s gives\n%s", programs[i],
			    script_messages(&s));
		script_done(&s);
	}
}

static const struct {
	const char *text, *message;
} mistakes[] = {
	{"i:s:1", "1:6-6: ERROR: syntax: expected '{'"},
	{"{ }", "1:1-2: ERROR: syntax: expected attach point"},
	{"i:s:1 { 1", "1:10-10: ERROR: syntax: expected ';'"},
	{"i:s:1 { 1 + ; }", "1:13-14: ERROR: syntax: expected expression"},
	{"i:s:1 { @x = 1 @y = 2 }", "1:16-18: ERROR: syntax: expected ';'"},
	{"i:s:1 { f(1 2); }", "1:13-14: ERROR: syntax: expected ')'"},
	{"i:s:1 { \"abc", "1:13-13: ERROR: syntax: unterminated string"},
	{"i:s:1 { \"\\q\" }", "1:11-12: ERROR: syntax: invalid escape character '\\q'"},
	{"i:s:1 { 5x }", "1:10-11: ERROR: syntax: invalid integer suffix 'x'"},
	{"i:s:1 { 1_ }", "1:10-11: ERROR: syntax: trailing underscore in integer literal"},
	{"i:s:1 { 99999999999999999999 }",
	 "1:9-29: ERROR: syntax: overflow error, maximum value is 18446744073709551615: "
	 "99999999999999999999"},
	{"i:s:1 { 5u++ }",
	 "1:11-13: ERROR: syntax: increment/decrement requires a variable or map"},
	{"i:s:1 { &5 }",
	 "1:10-11: ERROR: syntax: address-of operator (&) can only be used on a map or variable"},
	{"i:s:1 { $a.b = 1; }",
	 "1:9-17: ERROR: syntax: Tuples and records are immutable once created. Consider creating "
	 "a new value and assigning it instead."},
	{"i:s:1 { $0 }",
	 "1:9-11: ERROR: syntax: param $0 is out of integer range [1, 9223372036854775807]"},
	{"i:s:1 { (a = 1, a = 2) }",
	 "1:17-22: ERROR: syntax: Named argument list already contains name: a"},
	{"i:s:1 { for ($x : 5) { } }", "1:22-23: ERROR: syntax: expected map or range in for loop"},
	{"i:s:1 { } config = { a = 1 }",
	 "1:11-17: ERROR: syntax: config must appear before probes and functions"},
	{"config = { } config = { } i:s:1 { }", "1:14-20: ERROR: syntax: duplicate config block"},
	{"i:s:1 { } import \"x\";",
	 "1:11-17: ERROR: syntax: root imports must appear before probes and functions"},
	{"i:s:1 /1 { }", "1:10-11: ERROR: syntax: expected '/' to close predicate"},
	{"macro f(pid) { } i:s:1 { }",
	 "1:9-12: ERROR: syntax: builtin 'pid' can't be used as a macro argument"},
};

TEST(mistakes)
{
	for (size_t i = 0; i < ELEMENTS(mistakes); i++) {
		_cleanup_buf_ struct buf expected = {};
		struct script s;

		buf_printf(&expected, "stdin:%s\n", mistakes[i].message);
		script_parse(&s, str_of(mistakes[i].text));
		test_result(!s.ok && strstr(script_messages(&s), expected.p) == s.out.p, __FILE__,
			    __LINE__, "%s gives\n%s", mistakes[i].text, script_messages(&s));
		script_done(&s);
	}
}

/* --- bounds */

/* `middle` between n times `before` and n times `behind`. */
static void check_nested(const char *before, const char *middle, const char *behind)
{
	enum { N = 20000 };
	_cleanup_buf_ struct buf b = {};
	struct script s;

	buf_puts(&b, "i:s:1 { $x = ");
	for (int i = 0; i < N; i++)
		buf_puts(&b, before);
	buf_puts(&b, middle);
	for (int i = 0; i < N; i++)
		buf_puts(&b, behind);
	buf_puts(&b, "; }");
	script_parse(&s, buf_str(&b));
	test_result(!s.ok && s.d.list.n >= 1, __FILE__, __LINE__, "\"%s\" has no bound", before);
	script_done(&s);
}

TEST(nesting_is_bounded)
{
	check_nested("(", "1", ")");
	check_nested("!", "1", "");
	check_nested("1 + ", "1", "");
	check_nested("", "$x", ".a");
	check_nested("{ ", "1", "}");
	check_nested("if 1 { 1 } else ", "{ 1 }", "");
	check_nested("1 ? ", "1", " : 1");
	check_nested("(", "$x", " ?: 1)");
	check_nested("(typeof(", "1", "))1");
	check_nested("sizeof(a[", "1", "])");
	check_nested("(int8)", "1", "");
	check_nested("f(", "1", ")");
}

TEST(macros_do_not_explode)
{
	_cleanup_buf_ struct buf b = {};
	struct script s;

	buf_puts(&b, "macro m0(x) { x } ");
	for (int i = 1; i < 60; i++)
		buf_printf(&b, "macro m%d(x) { m%d(x) + m%d(x) } ", i, i - 1, i - 1);
	buf_puts(&b, "i:s:1 { print(m59(1)); }");
	script_parse(&s, buf_str(&b));
	script_expand(&s, NULL);
	CHECK(!s.ok && strstr(script_messages(&s), "too large"));
	script_done(&s);
}

TEST(bytes_of_strings)
{
	static const char text[] = "i:s:1 { print(\"a\0\xff\xc3\"); }";
	struct script s;
	const struct expr *call;

	script_parse(&s, (struct str){text, sizeof(text) - 1});
	CHECK(s.ok);
	if (s.ok) {
		call = s.p->probes.p[0]->block->stmts.p[0]->a;
		CHECK_EQ(call->items.p[0]->text.n, 4);
		CHECK(!memcmp(call->items.p[0]->text.p, "a\0\xff\xc3", 4));
	}
	script_done(&s);
}
