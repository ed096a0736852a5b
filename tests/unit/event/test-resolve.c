/* SPDX-License-Identifier: Apache-2.0 */
#include "event/resolve.h"

#include "test.h"

#include <stdlib.h>

TEST(join)
{
	static const struct {
		struct str dir, path;
		const char *expected;
	} cases[] = {
		{STR("/home/a"), STR("b"), "/home/a/b"},
		{STR("/home/a"), STR("/etc/passwd"), "/etc/passwd"},
		{STR("/home/a/"), STR("b/"), "/home/a/b"},
		{STR("/home/a"), STR(""), "/home/a"},
		{STR("/home/a"), STR("."), "/home/a"},
		{STR("/home/a"), STR("./b/./c"), "/home/a/b/c"},
		{STR("/home/a"), STR(".."), "/home"},
		{STR("/home/a"), STR("../b"), "/home/b"},
		{STR("/home/a"), STR("../../.."), "/"},
		{STR("/home/a"), STR("../../../etc"), "/etc"},
		{STR("/"), STR("x"), "/x"},
		{STR("/"), STR(".."), "/"},
		{STR("/"), STR(""), "/"},
		{STR(""), STR(""), "/"},
		{STR(""), STR("x"), "/x"},
		{STR("no/slash"), STR("x"), "/no/slash/x"},
		{STR("/a/../b/./"), STR("c"), "/b/c"},
		{STR("/a"), STR("//x///y//"), "/x/y"},
		{STR("/a"), STR("b//..//c"), "/a/c"},
		{STR("/a"), STR("..."), "/a/..."},
		{STR("/a"), STR(".b/..c/d.."), "/a/.b/..c/d.."},
		{STR("/a"), STR("/../../x"), "/x"},
		{STR("/a"), STR("b/c/../../../d"), "/d"},
		{STR("/a"), STR("b\0c"), "/a/b"},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_buf_ struct buf out = {0}, behind = {0};

		path_join(&out, cases[i].dir, cases[i].path);
		CHECK_STREQ(out.p, cases[i].expected);
		/* what is in the buffer stays, also where .. goes up */
		buf_puts(&behind, "/keep/this");
		path_join(&behind, cases[i].dir, cases[i].path);
		CHECK(!strncmp(behind.p, "/keep/this/", 11));
		CHECK_STREQ(behind.p + 10, cases[i].expected);
	}
}

TEST(none)
{
	_cleanup_buf_ struct buf out = {0};
	struct str none = {0};

	path_join(&out, none, none);
	CHECK_STREQ(out.p, "/");
	CHECK_EQ(path_base(none).n, 0);
}

TEST(base)
{
	CHECK(str_eq(path_base(STR("/usr/bin/ls")), STR("ls")));
	CHECK(str_eq(path_base(STR("ls")), STR("ls")));
	CHECK(str_eq(path_base(STR("/")), STR("")));
	CHECK(str_eq(path_base(STR("/usr/")), STR("")));
	CHECK(str_eq(path_base(STR("./a b")), STR("a b")));
}

/* Joined once or in two steps, and joined again: the same; and always a plain path. */
TEST(properties)
{
	static const char alphabet[] = "/.ab";
	size_t wrong = 0;

	srand(3);
	for (int round = 0; round < 20000; round++) {
		_cleanup_buf_ struct buf once = {0}, again = {0}, dir = {0}, steps = {0};
		char text[2][16];

		for (int k = 0; k < 2; k++) {
			size_t n = rand() % sizeof(text[k]);

			for (size_t i = 0; i < n; i++)
				text[k][i] = alphabet[rand() % (sizeof(alphabet) - 1)];
			text[k][n] = 0;
		}
		path_join(&once, str_of(text[0]), str_of(text[1]));
		path_join(&again, STR("/elsewhere"), buf_str(&once));
		path_join(&dir, STR(""), str_of(text[0]));
		path_join(&steps, buf_str(&dir), str_of(text[1]));
		wrong += !str_eq(buf_str(&once), buf_str(&again));
		wrong += !str_eq(buf_str(&once), buf_str(&steps));
		wrong += once.p[0] != '/' || strlen(once.p) != once.n;
		wrong += once.n > 1 && once.p[once.n - 1] == '/';
		wrong += strstr(once.p, "//") || strstr(once.p, "/./") || strstr(once.p, "/../");
	}
	CHECK_EQ(wrong, 0);
}
