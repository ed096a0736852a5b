/* SPDX-License-Identifier: Apache-2.0 */
#include "event/answer/ask.h"
#include "test.h"

#include <stdio.h>

/* What the reference prints: versions up to 0.27 agree. */
static const struct {
	const char *format, *args, *values, *expected;
} cases[] = {
	{"plain\n", "()", "", "plain\n"},
	{"100%% %5% %-%", "()", "", "100% % %"},
	{"%", "()", "", "%"},
	{"50% y%", "()", "", "50% y%"},
	{"%d", "(s64)", "-5", "-5"},
	{"%d", "(s64)", "5000000000", "705032704"},
	{"%ld %lld %jd %zd %td", "(s64, s64, s64, s64, s64)",
	 "5000000000 5000000000 5000000000 5000000000 -5000000000",
	 "5000000000 5000000000 5000000000 5000000000 -5000000000"},
	{"%hhd %hd %hhu %hu", "(s64, s64, s64, s64)", "300 70000 300 70000", "44 4464 44 4464"},
	{"%u %lu", "(s64, s64)", "-1 -1", "4294967295 18446744073709551615"},
	{"%hhx %hx %x %jx", "(u64, u64, u64, u64)",
	 "0x12345678abcdef 0x12345678abcdef 0x12345678abcdef 0x12345678abcdef",
	 "ef cdef 78abcdef 12345678abcdef"},
	{"%d %d %d", "(s8, u8, s16)", "-1 255 -300", "-1 255 -300"},
	{"%x", "(s8)", "-1", "ffffffff"},
	{"%5d|%-5d|%05d|%-05d|", "(s64, s64, s64, s64)", "42 42 42 42", "   42|42   |00042|42000|"},
	{"%04d", "(s64)", "-5", "00-5"},
	{"%+d %+d % d", "(s64, s64, s64)", "5 -5 5", "+5 -5 5"},
	{"%#x %#X %#o %#x", "(u64, u64, u64, u64)", "255 255 8 0", "0xff 0XFF 010 0"},
	{"%X %o %#08x", "(u64, u64, u64)", "48879 8 255", "BEEF 10 00000xff"},
	{"%.3d %.*d", "(s64, s64)", "7 8", "7 8"},
	{"%c%c|%3c", "(s64, s64, s64)", "65 66 67", "AB|  C"},
	{"%p %p %8p|%-8p|", "(u64, u64, ptr, ptr)", "0 255 255 255", "0 0xff     0xff|0xff    |"},
	{"%i", "(s64)", "7", "7"},
	{"%d %s", "(bool, bool)", "1 0", "1 false"},
	{"%s|%5s|%-6s|", "(bool, bool, bool)", "1 1 0", "true| true|false |"},
	{"%s %s %s", "(s64, u64, s8)", "-1 18446744073709551615 -7", "-1 18446744073709551615 -7"},
	{"%s|%8s|%-8s|%.2s", "(str8, str8, str8, str8)", "'abc' 'abc' 'abc' 'abc'",
	 "abc|     abc|abc     |abc"},
	{"%s", "(str4)", "'abcd'", "abcd.."},
	{"%s", "(str4)", "'abc'", "abc"},
	{"%d %s %5s %-5s|", "(enum, enum, enum, enum)", "1 2 1 2", "1 TWO   ONE TWO  |"},
	{"%s %d", "(enum, enum)", "100 100", "100 100"},
	{"%s", "(enum)", "-1", "MINUS"},
	{"%s", "((s64, str8, (bool, s8)))", "1 'two' 1 -3", "(1, two, (true, -3))"},
	{"%5s", "((s64, s64))", "1 2", "    (1, 2)"},
	{"%5s", "({a: s64})", "1", "   { .a = 1 }"},
	{"%-4s", "([2]s64)", "1 2", "[   1,2]"},
	{"%s %s", "([3]u8, [2][2]s16)", "1 2 3 5 6 7 8", "[1,2,3] [[5,6],[7,8]]"},
	{"%r|%rx|%rh|%s|%10r", "(buf4, buf4, buf4, buf4, buf4)",
	 "'a\1b' 'a\1b' 'a\1b' 'a\1b' 'a\1b'",
	 "a\\x01b|\\x61\\x01\\x62|61 01 62|a\\x01b|    a\\x01b"},
	{"%rh.", "(buf4)", "''", "."},
	{"%gr %gr %gr %gr", "(u64, u32, u64, u64)", "0xcc0 0 0x80000001 0xc0",
	 "GFP_KERNEL 0 GFP_DMA|0x80000000 __GFP_IO|__GFP_FS"},
	{"%gr %gr %gr", "(u64, u64, u64)", "0x21c24ca 0x2c00 0xce0",
	 "GFP_TRANSHUGE GFP_NOIO|__GFP_NOWARN GFP_KERNEL|__GFP_HIGH"},
	{"%s %d", "(ptr, ptr)", "16 16", "0x10 16"},
	{"%sdst %ds", "(str4, s64)", "'x' 5", "xdst 5s"},
	{"%d", "()", "", "null"}, /* not as checked: nothing is read */
};

TEST(printf)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ask *x = ask_new(ANSWER_TEXT);
		uint32_t action = ask_action(x, QACTION_PRINTF, cases[i].format, cases[i].args);

		CHECK_EQ(ask_record(x, action, cases[i].values), 0);
		CHECK_STREQ(ask_out(x), cases[i].expected);
		ask_free(x);
	}
}

TEST(printf_json)
{
	struct ask *x = ask_new(ANSWER_JSON);
	uint32_t action = ask_action(x, QACTION_PRINTF, "a \r \n \t \\ \" b %s", "(str16)");

	ask_record(x, action, "'\x1a\x1b\xc3\xbc\x80'");
	CHECK_STREQ(ask_out(x), "{\"type\": \"printf\", \"data\": \"a \\r \\n \\t \\\\ \\\" b "
				"\\u001a\\u001b\xc3\xbc\xef\xbf\xbd\"}\n");
	ask_free(x);
}

/* A trailer of the script's own; none if it says so. */
TEST(trailer)
{
	struct ask *x = ask_new(ANSWER_TEXT);
	uint32_t action = ask_action(x, QACTION_PRINTF, "[%s]", "(str2)");

	x->q.config.str_trunc_trailer = "_xxx";
	ask_record(x, action, "'ab'");
	CHECK_STREQ(ask_out(x), "[ab_xxx]");
	x->q.config.str_trunc_trailer = "";
	ask_record(x, action, "'ab'");
	CHECK_STREQ(ask_out(x), "[ab]");
	ask_free(x);
}
