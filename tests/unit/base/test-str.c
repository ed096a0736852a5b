/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "test.h"

#include <stdio.h>

TEST(compare)
{
	struct str none = {0};

	CHECK(str_eq(none, STR("")));
	CHECK(str_eq(str_of(NULL), none));
	CHECK(str_eq(STR("a\0b"), STR("a\0b")));
	CHECK(!str_eq(STR("a\0b"), STR("a\0c")));
	CHECK(!str_eq(STR("a"), STR("ab")));
	CHECK(str_starts(STR("abc"), STR("ab")));
	CHECK(str_starts(STR("abc"), STR("abc")));
	CHECK(!str_starts(STR("ab"), STR("abc")));
	CHECK(!str_starts(STR("abc"), STR("bc")));
	CHECK(str_starts(STR("abc"), STR("")));
	CHECK(str_ends(STR("abc"), STR("bc")));
	CHECK(!str_ends(STR("bc"), STR("abc")));
	CHECK(!str_ends(STR("abc"), STR("ab")));
	CHECK(str_ends(STR(""), STR("")));
}

TEST(nothing_added)
{
	struct buf b = {0};

	CHECK_EQ(buf_str(&b).n, 0);
	CHECK_STREQ(buf_str(&b).p, "");
	buf_put_str(&b, (struct str){0});
	CHECK_STREQ(b.p, "");
	buf_reset(&b);
	buf_done(&b);
	buf_done(&b);
	CHECK(!b.p && !b.n && !b.room);
}

TEST(growth)
{
	_cleanup_buf_ struct buf b = {0};
	size_t wrong = 0;

	for (int i = 0; i < 10000; i++) {
		buf_putc(&b, 'a' + i % 26);
		wrong += b.n != (size_t)i + 1 || b.p[b.n] || b.room <= b.n;
	}
	for (int i = 0; i < 10000; i++)
		wrong += b.p[i] != 'a' + i % 26;
	CHECK_EQ(wrong, 0);
	buf_reset(&b);
	CHECK_EQ(b.n, 0);
	CHECK_STREQ(b.p, "");
	buf_add(&b, "x\0y", 3);
	CHECK_EQ(b.n, 3);
	CHECK(!memcmp(b.p, "x\0y", 4));
}

/* Room for exactly what was reserved, and for the NUL. */
TEST(reserve)
{
	for (size_t n = 1; n < 300; n++) {
		_cleanup_buf_ struct buf b = {0};
		char *before;

		buf_reserve(&b, n);
		before = b.p;
		for (size_t i = 0; i < n; i++)
			buf_putc(&b, '.');
		CHECK(b.p == before);
		CHECK_EQ(strlen(b.p), n);
	}
}

TEST(numbers)
{
	static const struct {
		uint64_t u;
		const char *expected;
	} unsigneds[] = {
		{0, "0"},
		{9, "9"},
		{10, "10"},
		{4294967296, "4294967296"},
		{UINT64_MAX, "18446744073709551615"},
	};
	static const struct {
		int64_t s;
		const char *expected;
	} signeds[] = {
		{0, "0"},
		{-1, "-1"},
		{INT64_MAX, "9223372036854775807"},
		{INT64_MIN, "-9223372036854775808"},
	};
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < ELEMENTS(unsigneds); i++) {
		buf_reset(&b);
		buf_put_u64(&b, unsigneds[i].u);
		CHECK_STREQ(b.p, unsigneds[i].expected);
	}
	for (size_t i = 0; i < ELEMENTS(signeds); i++) {
		buf_reset(&b);
		buf_put_s64(&b, signeds[i].s);
		CHECK_STREQ(b.p, signeds[i].expected);
	}
}

TEST(printf)
{
	_cleanup_buf_ struct buf b = {0};
	char wide[400];

	buf_puts(&b, "a");
	buf_printf(&b, "%s", "");
	buf_printf(&b, "-%d-%s", 42, "x");
	CHECK_STREQ(b.p, "a-42-x");
	buf_reset(&b);
	buf_printf(&b, "%399d", 7);
	snprintf(wide, sizeof(wide), "%399d", 7);
	CHECK_STREQ(b.p, wide);
	CHECK_EQ(b.n, 399);
}

TEST(nearest)
{
	static const char *const names[] = {"open", "exec", "connect", "unlink", "process", NULL};
	const char *const prints[] = {"print", "printf", NULL};
	static const char *const none[] = {NULL};
	char word[200];

	CHECK_STREQ(str_nearest("opne", names), "open");
	CHECK_STREQ(str_nearest("exce", names), "exec");
	CHECK_STREQ(str_nearest("conect", names), "connect");
	CHECK_STREQ(str_nearest("unlinks", names), "unlink");
	CHECK_STREQ(str_nearest("proces", names), "process");
	CHECK_STREQ(str_nearest("exec", names), "exec");
	CHECK_STREQ(str_nearest("prinf", prints), "printf");
	CHECK(!str_nearest("", names));
	CHECK(!str_nearest("zzzzz", names));
	CHECK(!str_nearest("open", none));
	memset(word, 'o', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	CHECK(!str_nearest(word, names));
	word[63] = 0;
	CHECK(!str_nearest(word, names));
}
