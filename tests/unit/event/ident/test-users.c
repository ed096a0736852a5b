/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "event/ident/users.h"
#include "test.h"

#include <errno.h>

#ifndef TEST_DATA
#define TEST_DATA "tests/data"
#endif

static const char passwd[] = TEST_DATA "/procfs/passwd";

TEST(names)
{
	_cleanup_(users_done) struct users u = {0};

	CHECK_EQ(users_load(&u, passwd), 0);
	CHECK_STREQ(users_name(&u, 0), "root"); /* the first of two */
	CHECK_STREQ(users_name(&u, 1), "daemon");
	CHECK_STREQ(users_name(&u, 1000), "joe");
	CHECK_STREQ(users_name(&u, 1001), "joe");
	CHECK_STREQ(users_name(&u, UINT32_MAX - 1), "last"); /* no newline after it */
	CHECK(!users_name(&u, 2));
	CHECK(!users_name(&u, 5));
	CHECK(!users_name(&u, 7));
	CHECK(!users_name(&u, UINT32_MAX));
	CHECK_EQ(u.n, 6);
}

TEST(ids)
{
	_cleanup_(users_done) struct users u = {0};
	uint32_t uid = 5;

	CHECK_EQ(users_load(&u, passwd), 0);
	CHECK_EQ(users_id(&u, "toor", &uid), 0);
	CHECK_EQ(uid, 0);
	CHECK_EQ(users_id(&u, "joe", &uid), 0);
	CHECK_EQ(uid, 1000);
	CHECK_EQ(users_id(&u, "nobody", &uid), -ENOENT);
	CHECK_EQ(users_id(&u, "+nis", &uid), -ENOENT);
	CHECK_EQ(users_id(&u, "", &uid), -ENOENT);
	CHECK_EQ(uid, 1000);
}

TEST(nobody)
{
	struct users u = {0};
	uint32_t uid;

	CHECK_EQ(users_load(&u, TEST_DATA "/nowhere"), -ENOENT);
	CHECK(!users_name(&u, 0));
	CHECK_EQ(users_id(&u, "root", &uid), -ENOENT);
	users_done(&u);
	users_parse(&u, STR(""));
	CHECK(!users_name(&u, 0));
	users_done(&u);
}

/* Two texts, one after the other: names stay where they are found. */
TEST(more_of_them)
{
	_cleanup_(users_done) struct users u = {0};
	_cleanup_buf_ struct buf b = {0};

	users_parse(&u, STR("a:x:1:1::\n"));
	for (int i = 2; i < 1000; i++)
		buf_printf(&b, "user%d:x:%d:1::\n", i, i);
	users_parse(&u, buf_str(&b));
	CHECK_STREQ(users_name(&u, 1), "a");
	CHECK_STREQ(users_name(&u, 999), "user999");
	CHECK_EQ(u.n, 999);
}
