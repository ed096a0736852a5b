/* SPDX-License-Identifier: Apache-2.0 */
#include "event/answer/ask.h"
#include "test.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <time.h>

/* One map: its elements, and what is printed of it at the end. */
struct element {
	const char *key, *values;
};

static const struct {
	const char *key, *value;
	struct element elements[8];
	const char *text, *json;
} cases[] = {
	/* nothing was put in: nothing is said */
	{"s64", "s64", {}, "", ""},
	{NULL, "s64", {}, "", ""},
	/* without keys */
	{NULL, "s64", {{"", "5"}}, "@x: 5\n", "{\"@x\": 5}"},
	{NULL, "str8", {{"", "'a\nb'"}}, "@x: a\nb\n", "{\"@x\": \"a\\nb\"}"},
	{NULL, "(s64, str8)", {{"", "1 'y'"}}, "@x: (1, y)\n", "{\"@x\": [1,\"y\"]}"},
	{NULL, "enum", {{"", "1"}}, "@x: ONE\n", "{\"@x\": 1}"},
	{NULL,
	 "kstack",
	 {{"", "1 0 2"}},
	 "@x: \n        func_1+1\n        func_1+2\n\n",
	 "{\"@x\": \"\\n        func_1+1\\n        func_1+2\\n\"}"},
	/* values of the cpus are merged */
	{NULL, "count", {{"", "1 ; 2 ; 3"}}, "@x: 6\n", "{\"@x\": 6}"},
	{NULL, "sum", {{"", "-5 ; 2"}}, "@x: -3\n", "{\"@x\": -3}"},
	{NULL, "min", {{"", "0 0 ; -5 1 ; 7 1"}}, "@x: -5\n", "{\"@x\": -5}"},
	{NULL, "max", {{"", "0 0 ; -5 1 ; -7 1"}}, "@x: -5\n", "{\"@x\": -5}"},
	{NULL, "avg", {{"", "10 2 ; 5 1"}}, "@x: 5\n", NULL},
	{NULL,
	 "stats",
	 {{"", "6 2 ; 0 0 ; -2 2"}},
	 "@x: { .count = 4, .average = 1, .total = 4 }\n",
	 NULL},
	{NULL, "s32", {{"", "-1 ; 3"}}, "@x: 2\n", "{\"@x\": 2}"},
	/* sorted by value, then by key */
	{"str4",
	 "count",
	 {{"'b'", "3"}, {"'a'", "1 ; 1"}, {"'d'", "1"}, {"'c'", "3"}},
	 "@x[d]: 1\n@x[a]: 2\n@x[b]: 3\n@x[c]: 3\n",
	 "{\"@x\": {\"d\": 1, \"a\": 2, \"b\": 3, \"c\": 3}}"},
	{"s64",
	 "s64",
	 {{"-1", "1"}, {"1", "-1"}, {"-5", "1"}},
	 "@x[1]: -1\n@x[-5]: 1\n@x[-1]: 1\n",
	 "{\"@x\": {\"1\": -1, \"-5\": 1, \"-1\": 1}}"},
	{"s64",
	 "s8",
	 {{"1", "-3"}, {"2", "2"}, {"3", "-1"}},
	 "@x[1]: -3\n@x[3]: -1\n@x[2]: 2\n",
	 "{\"@x\": {\"1\": -3, \"3\": -1, \"2\": 2}}"},
	/* or by key alone */
	{"str4",
	 "str4",
	 {{"'b'", "'1'"}, {"'a'", "'2'"}},
	 "@x[a]: 2\n@x[b]: 1\n",
	 "{\"@x\": {\"a\": \"2\", \"b\": \"1\"}}"},
	{"(s64, str4)",
	 "bool",
	 {{"10 'a'", "1"}, {"2 'b'", "0"}, {"2 'a'", "1"}},
	 "@x[2, a]: true\n@x[2, b]: false\n@x[10, a]: true\n",
	 "{\"@x\": {\"2,a\": true, \"2,b\": false, \"10,a\": true}}"},
	/* averages */
	{"str4", "avg", {{"'b'", "20 1"}, {"'a'", "30 2 ; 30 4"}}, "@x[a]: 10\n@x[b]: 20\n", NULL},
	/* keys of all kinds */
	{"(s64, (s64, s64))",
	 "s64",
	 {{"1 2 3", "1"}},
	 "@x[1, (2, 3)]: 1\n",
	 "{\"@x\": {\"1,(2,3)\": 1}}"},
	{"{a: s64}", "s64", {{"1", "1"}}, "@x[{ .a = 1 }]: 1\n", "{\"@x\": {\"{.a=1}\": 1}}"},
	{"ptr", "s64", {{"1", "1"}}, "@x[0x1]: 1\n", "{\"@x\": {\"0x1\": 1}}"},
	{"usym", "count", {{"0x1000 1", "1"}}, "@x[0x1000]: 1\n", "{\"@x\": {\"0x1000\": 1}}"},
	{"bool", "bool", {{"1", "1"}}, "@x[true]: true\n", "{\"@x\": {\"true\": true}}"},
	{"mac",
	 "s64",
	 {{"'\5\4\3\2\1\2'", "1"}},
	 "@x[05:04:03:02:01:02]: 1\n",
	 "{\"@x\": {\"05:04:03:02:01:02\": 1}}"},
	{"buf4", "s64", {{"'ab\1'", "1"}}, "@x[ab\\x01]: 1\n", "{\"@x\": {\"ab\\\\x01\": 1}}"},
	{"kstack",
	 "count",
	 {{"1 0 2", "1"}},
	 "@x[\n        func_1+1\n        func_1+2\n]: 1\n",
	 "{\"@x\": {\"\\nfunc_1+1\\nfunc_1+2\\n\": 1}}"},
};

static void check(enum answer_format format, size_t i)
{
	struct ask *x = ask_new(format);
	uint32_t map = ask_map(x, "@x", cases[i].key, cases[i].value);
	_cleanup_buf_ struct buf expected = {0};

	for (size_t k = 0; k < ELEMENTS(cases[i].elements) && cases[i].elements[k].values; k++)
		ask_put(x, map, cases[i].elements[k].key, cases[i].elements[k].values);
	if (format == ANSWER_TEXT)
		buf_printf(&expected, "\n\n%s", cases[i].text);
	else if (*cases[i].json)
		buf_printf(&expected, "{\"type\": \"map\", \"data\": %s}\n", cases[i].json);
	else
		buf_puts(&expected, "");
	ask_out(x);
	answer_maps(x->a);
	CHECK_STREQ(ask_out(x), expected.p ? expected.p : "");
	ask_free(x);
}

TEST(text)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		check(ANSWER_TEXT, i);
}

TEST(json)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		if (cases[i].json)
			check(ANSWER_JSON, i);
}

/* JSON has names of its own for some kinds. */
TEST(json_types)
{
	struct ask *x = ask_new(ANSWER_JSON);
	uint32_t avg = ask_map(x, "@avg", "str4", "avg"),
		 stats = ask_map(x, "@stats", NULL, "stats");

	ask_put(x, avg, "'c'", "30 1");
	ask_put(x, avg, "'d'", "40 1");
	ask_put(x, stats, "", "6 3");
	ask_out(x);
	answer_maps(x->a);
	CHECK_STREQ(ask_out(x),
		    "{\"type\": \"stats\", \"data\": {\"@avg\": {\"c\": 30, \"d\": 40}}}\n"
		    "{\"type\": \"stats\", \"data\": {\"@stats\": "
		    "{\"count\": 3, \"average\": 2, \"total\": 6}}}\n");
	ask_free(x);
}

/* Maps come by name; print(@x, top, div). */
TEST(print)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t b = ask_map(x, "@b", "str4", "avg"), a = ask_map(x, "@a", NULL, "s64"), print;

	print = ask_action(x, QACTION_PRINT_MAP, NULL, "(u32, u32)");
	x->q.actions.p[print].map = b;
	ask_put(x, b, "'a'", "10 1");
	ask_put(x, b, "'b'", "20 1");
	ask_put(x, b, "'c'", "30 1");
	ask_put(x, b, "'d'", "40 1");
	ask_put(x, a, "", "1");
	ask_record(x, print, "2 10");
	CHECK_STREQ(ask_out(x), "@b[c]: 3\n@b[d]: 4\n");
	ask_record(x, print, "10 10");
	CHECK_STREQ(ask_out(x), "@b[a]: 1\n@b[b]: 2\n@b[c]: 3\n@b[d]: 4\n");
	ask_record(x, print, "1 0");
	CHECK_STREQ(ask_out(x), "@b[d]: 40\n");
	answer_maps(x->a);
	CHECK_STREQ(ask_out(x), "\n\n@a: 1\n@b[a]: 10\n@b[b]: 20\n@b[c]: 30\n@b[d]: 40\n");
	ask_free(x);
}

/* print(@x[k]): aggregations are read over all cpus when they are printed. */
TEST(print_element)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t map = ask_map(x, "@x", "(str4, s64)", "stats"), print, both;

	print = ask_action(x, QACTION_PRINT_MAP_KEY, NULL, "((str4, s64))");
	both = ask_action(x, QACTION_PRINT_MAP_KEY, NULL, "(s64, str8)");
	x->q.actions.p[print].map = map;
	ask_put(x, map, "'a' 1", "10 1 ; 5 2");
	ask_put(x, map, "'a' 2", "1 1");
	ask_record(x, print, "'a' 1");
	CHECK_STREQ(ask_out(x), "{ .count = 3, .average = 5, .total = 15 }\n");
	ask_record(x, print, "'a' 3");
	CHECK_STREQ(ask_out(x), "{ .count = 0, .average = 0, .total = 0 }\n");
	ask_record(x, both, "1 'two'");
	CHECK_STREQ(ask_out(x), "two\n");
	ask_free(x);
}

/* A map without keys in which nothing is yet, asked for by name. */
TEST(print_unset)
{
	static const struct {
		const char *value, *text;
	} unset[] = {
		{"s64", "@x: 0\n"},
		{"count", "@x: 0\n"},
		{"str4", "@x: \n"},
		{"stats", "@x: { .count = 0, .average = 0, .total = 0 }\n"},
		{"{a: s64, b: (s64, str4)}", "@x: { .a = 0, .b = (0, ) }\n"},
		{"hist", ""},
	};

	for (size_t i = 0; i < ELEMENTS(unset); i++) {
		struct ask *x = ask_new(ANSWER_TEXT);
		uint32_t print;

		ask_map(x, "@x", NULL, unset[i].value);
		print = ask_action(x, QACTION_PRINT_MAP, NULL, "(u32, u32)");
		ask_record(x, print, "0 0");
		CHECK_STREQ(ask_out(x), unset[i].text);
		ask_free(x);
	}
}

/* The array of a map without keys: a mark behind the value says whether it was set. */
TEST(mark)
{
	static const char *const marks[] = {"0 0 ; 0 0", "0 0 ; 0 1"};

	for (size_t i = 0; i < 2; i++) {
		struct ask *x = ask_new(ANSWER_TEXT);
		uint32_t map = ask_map(x, "@x", NULL, "(s64, u64)");
		struct question_map *m = &x->q.maps.p[map];

		ask_put(x, map, "", marks[i]);
		m->value = ask_type(x, "s64");
		m->value_size = 16;
		m->key_size = 4;
		m->type = BPF_MAP_TYPE_PERCPU_ARRAY;
		ask_out(x);
		answer_maps(x->a);
		CHECK_STREQ(ask_out(x), i ? "\n\n@x: 0\n" : "\n\n");
		ask_free(x);
	}
}

TEST(clear_and_zero)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t map = ask_map(x, "@x", "s64", "count"), clear, zero;

	zero = ask_action(x, QACTION_ZERO, NULL, NULL);
	clear = ask_action(x, QACTION_CLEAR, NULL, NULL);
	ask_put(x, map, "5", "3 ; 4");
	CHECK_EQ(ask_record(x, zero, NULL), 0);
	answer_maps(x->a);
	CHECK_STREQ(ask_out(x), "\n\n@x[5]: 0\n");
	CHECK_EQ(ask_record(x, clear, NULL), 0);
	answer_maps(x->a);
	CHECK_STREQ(ask_out(x), "\n\n");
	ask_free(x);
}
