/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests: TEST(name) { … } registers itself, CHECK reports and goes on.
 *
 * Output is TAP; with a name as argument only that test runs.  A test that made no
 * check at all counts as failed: it could not have failed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *t);
void test_result(bool ok, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void test_skip(const char *reason);

#define TEST(id)                                                          \
	static void test_##id(void);                                      \
	__attribute__((constructor)) static void test_register_##id(void) \
	{                                                                 \
		static struct test t = {#id, test_##id, NULL};            \
		test_register(&t);                                        \
	}                                                                 \
	static void test_##id(void)

#define CHECK(x) test_result(!!(x), __FILE__, __LINE__, "%s", #x)

#define CHECK_EQ(a, b)                                                                         \
	do {                                                                                   \
		long long a_ = (long long)(a), b_ = (long long)(b);                            \
		test_result(a_ == b_, __FILE__, __LINE__, "%s is %lld, expected %lld", #a, a_, \
			    b_);                                                               \
	} while (0)

#define CHECK_STREQ(a, b)                                                            \
	do {                                                                         \
		const char *a_ = (a), *b_ = (b);                                     \
		test_result(a_ &&b_ && !strcmp(a_, b_), __FILE__, __LINE__,          \
			    "%s is \"%s\", expected \"%s\"", #a, a_ ? a_ : "(null)", \
			    b_ ? b_ : "(null)");                                     \
	} while (0)
