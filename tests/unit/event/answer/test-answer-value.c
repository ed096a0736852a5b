/* SPDX-License-Identifier: Apache-2.0 */
#include "event/answer/ask.h"
#include "test.h"

#include <stdlib.h>
#include <time.h>

static const struct {
	const char *type, *value, *text, *json;
} cases[] = {
	{"s64", "-5", "-5", "-5"},
	{"u64", "18446744073709551615", "18446744073709551615", "\"18446744073709551615\""},
	{"s64", "9007199254740992", "9007199254740992", "9007199254740992"},
	{"s64", "9007199254740993", "9007199254740993", "\"9007199254740993\""},
	{"s64", "-9007199254740993", "-9007199254740993", "\"-9007199254740993\""},
	{"u64", "0x8000000000000000", "9223372036854775808", "9223372036854775808"},
	{"u8", "200", "200", "200"},
	{"s8", "200", "-56", "-56"},
	{"bool", "1", "true", "true"},
	{"bool", "0", "false", "false"},
	{"enum", "1", "ONE", "1"},
	{"enum", "7", "7", "7"},
	{"ptr", "50", "0x32", "50"},
	{"str8", "'abc'", "abc", "\"abc\""},
	{"str8", "''", "", "\"\""},
	{"str4", "'abcdef'", "abcd..", "\"abcd..\""},
	{"str8", "'\"\\\n\t\r\1'", "\"\\\n\t\r\1", "\"\\\"\\\\\\n\\t\\r\\u0001\""},
	{"str8", "'\xc3\xbc\xff'", "\xc3\xbc\xff", "\"\xc3\xbc\xef\xbf\xbd\""},
	{"buf8", "'ab\1\xff'", "ab\\x01\\xff", "[97,98,1,-1]"},
	{"buf8", "''", "", "[]"},
	{"[3]s32", "1 2 3", "[1,2,3]", "[1,2,3]"},
	{"[2][2]u8", "5 6 7 8", "[[5,6],[7,8]]", "[[5,6],[7,8]]"},
	{"(s64, s8, str8)", "1 -1 'a'", "(1, -1, a)", "[1,-1,\"a\"]"},
	{"()", "", "()", "[]"},
	{"{}", "", "{}", "{}"},
	{"{a: s64, b: {c: str4, d: (bool, s8)}}", "1 'x' 1 2",
	 "{ .a = 1, .b = { .c = x, .d = (true, 2) } }",
	 "{\"a\": 1, \"b\": {\"c\": \"x\", \"d\": [true,2]}}"},
	{"none", "", "null", "null"},
	{"ksym", "0x12", "func_1", "\"func_1\""},
	{"ksym", "0x1234", "0x1234", "\"0x1234\""},
	{"ksym", "0", "0", "\"0\""},
	{"usym", "0x25 7", "func_2", "\"func_2\""},
	{"usym", "0x1000 7", "0x1000", "\"0x1000\""},
	{"kstack", "2 0 2", "\n        func_2+1\n        func_2+2\n",
	 "\"\\n        func_2+1\\n        func_2+2\\n\""},
	{"ustack", "32 9 2", "\n        0x201\n        0x202\n",
	 "\"\\n        0x201\\n        0x202\\n\""},
	{"kstack", "0 0 0", "\n", "\"\\n\""},
	{"(kstack, s8)", "1 0 2 2", "(\n        func_1+1\n        func_1+2\n, 2)",
	 "[\"\\n        func_1+1\\n        func_1+2\\n\",2]"},
	{"inet", "2 '\x7f\0'", "127.0.0.0", "\"127.0.0.0\""},
	{"inet", "10 '\xfe\x80'", "fe80::", "\"fe80::\""},
	{"inet", "3 ''", "", "\"\""},
	{"mac", "'\x05\x04\x03\xff\x01\x02'", "05:04:03:FF:01:02", "\"05:04:03:FF:01:02\""},
	{"user", "0", "root", "\"root\""},
	{"user", "4294967294", "", "\"\""},
	{"err", "2", "No such file or directory", "\"No such file or directory\""},
	{"err", "-2", "No such file or directory", "\"No such file or directory\""},
	{"err", "5000", "Unknown error", "\"Unknown error\""},
	{"sig", "9", "Killed", "\"Killed\""},
	{"sig", "0", "Unknown signal 0", "\"Unknown signal 0\""},
	{"sig", "35", "Real-time signal 1", "\"Real-time signal 1\""},
	{"sig", "200", "N/A", "\"N/A\""},
	{"sys", "1", "write", "\"write\""},
	{"sys", "9999", "Unknown syscall", "\"Unknown syscall\""},
	{"cgroup", "5 0", "unified:/5", "\"unified:/5\""},
	{"cgroup", "5 1", "cpu*:/5", "\"cpu*:/5\""},
	{"time", "1500000000123456789 0 2", "2017-07-14 123456 123456789 123",
	 "\"2017-07-14 123456 123456789 123\""},
	{"time", "1000000000 0 1", "2017-07-14 000000 000000000 000",
	 "\"2017-07-14 000000 000000000 000\""},
	{"time", "5 0 2", "(?)", "\"(?)\""},
	{"time", "1500000000123456789 9 2", "(?)", "\"(?)\""},
	{"count", "7", "7", "7"},
	{"avg", "-7 2", "-3", "-3"},
	{"stats", "6 3", "{ .count = 3, .average = 2, .total = 6 }",
	 "{\"count\": 3, \"average\": 2, \"total\": 6}"},
	{"stats", "0 0", "{ .count = 0, .average = 0, .total = 0 }",
	 "{\"count\": 0, \"average\": 0, \"total\": 0}"},
	{"min", "-5 1", "-5", "-5"},
};

static struct ask *ask_made(enum answer_format format)
{
	struct ask *x = ask_new(format);

	setenv("TZ", "UTC", 1);
	tzset();
	array_push(&x->q.arena, &x->q.formats, "%Y-%m-%d %f %k %l");
	array_push(&x->q.arena, &x->q.strings, "cpu*");
	x->source.realtime_offset_ns = 1499999999000000000;
	return x;
}

static void check(enum answer_format format, const char *type, const char *value,
		  const char *expected)
{
	struct ask *x = ask_made(format);
	_cleanup_buf_ struct buf args = {0}, line = {0};
	uint32_t action;

	buf_printf(&args, "(%s)", type);
	buf_printf(&line, format == ANSWER_JSON ? "{\"type\": \"value\", \"data\": %s}\n" : "%s\n",
		   expected);
	action = ask_action(x, QACTION_PRINT, NULL, args.p);
	CHECK_EQ(ask_record(x, action, value), 0);
	CHECK_STREQ(ask_out(x), line.p);
	ask_free(x);
}

TEST(text)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		check(ANSWER_TEXT, cases[i].type, cases[i].value, cases[i].text);
}

TEST(json)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		check(ANSWER_JSON, cases[i].type, cases[i].value, cases[i].json);
}

static void check_stack(enum type_kind kind, enum stack_mode mode, unsigned int limit,
			const char *value, const char *expected)
{
	struct ask *x = ask_made(ANSWER_TEXT);
	uint32_t action = ask_action(x, QACTION_PRINT, NULL, "(kstack)");
	const struct type *t = type_stack(&x->q.arena, kind, limit, mode);

	x->q.actions.p[action].args = type_tuple(&x->q.arena, &t, NULL, 1);
	ask_record(x, action, value);
	CHECK_STREQ(ask_out(x), expected);
	ask_free(x);
}

TEST(stack_modes)
{
	check_stack(TYPE_KSTACK, STACK_BPFTRACE, 1, "1 0 2", "\n        func_1+1\n\n");
	check_stack(TYPE_KSTACK, STACK_PERF, 9, "1 0 2", "\n\t11 func_1+1\n\t12 func_1+2\n\n");
	check_stack(TYPE_USTACK, STACK_PERF, 9, "1 7 2",
		    "\n\t11 func_1+1 (/bin/p7)\n\t12 func_1+2 (/bin/p7)\n\n");
	check_stack(TYPE_USTACK, STACK_PERF, 9, "32 7 2",
		    "\n\t201 0x201 ([unknown])\n\t202 0x202 ([unknown])\n\n");
	check_stack(TYPE_KSTACK, STACK_RAW, 9, "1 0 2", "\n11\n12\n\n");
	check_stack(TYPE_USTACK, STACK_BUILD_ID, 9, "1 0 2", "\n11\n12\n\n");
}

/* As a struct of the kernel comes: bitfields, a struct without a name, a hole. */
TEST(structs)
{
	static const uint8_t value[16] = {0xb5, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 0x2a};
	struct ask *x = ask_made(ANSWER_TEXT);
	struct arena *a = &x->q.arena;
	struct type_member inside[] = {{.name = "x", .type = type_int(4, false)},
				       {.name = "y", .type = type_int(4, true), .offset = 4}};
	struct type anonymous = {
		.kind = TYPE_STRUCT, .size = 8, .align = 4, .members = inside, .n_members = 2};
	struct type_member members[] = {
		{.name = "low", .type = type_int(4, false), .bits = 3},
		{.name = "mid", .type = type_int(4, true), .bit_offset = 3, .bits = 3},
		{.name = "flag", .type = &type_bool, .bit_offset = 7, .bits = 1},
		{.type = &anonymous, .offset = 4},
		{.name = "outside", .type = type_int(8, false), .offset = 12},
		{.name = "b", .type = type_int(1, true), .offset = 12},
	};
	struct type t = {
		.kind = TYPE_STRUCT, .size = 16, .align = 4, .members = members, .n_members = 6};
	const struct type *types[] = {&t};
	uint32_t action = ask_action(x, QACTION_PRINT, NULL, "()");
	uint8_t record[8 + 16] = {(uint8_t)action};

	memcpy(record + 8, value, sizeof(value));
	x->q.actions.p[action].args = type_tuple(a, types, NULL, 1);
	ask_out(x);
	CHECK_EQ(answer_record(x->a, (const void *)record, sizeof(record)), 0);
	CHECK_STREQ(ask_out(x), "{ .low = 5, .mid = -2, .flag = 1, .x = 7, .y = 9, "
				".outside = null, .b = 42 }\n");
	ask_free(x);
}
