/* SPDX-License-Identifier: Apache-2.0 */
/* The automaton that the kernel programs run, against the C library's fnmatch(). */
#include "catalog/glob.h"

#include "base/macro.h"
#include "test.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

static bool matches(const char *pattern, const char *name)
{
	struct scope_glob g;

	CHECK_EQ(glob_compile(pattern, &g), 0);
	return glob_matches(&g, name);
}

TEST(by_hand)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
		{"", "", true},
		{"", "x", false},
		{"*", "", true},
		{"*", "anything at all", true},
		{"?", "", false},
		{"nginx", "nginx", true},
		{"nginx", "ngin", false},
		{"nginx", "nginxx", false},
		{"nginx*", "nginx", true},
		{"*nginx", "my nginx", true},
		{"*a*b*", "xxaxxbxx", true},
		{"*a*b*", "xxbxxaxx", false},
		{"**a", "a", true},
		{"a**b", "ab", true},
		{"kworker/?:*", "kworker/0:1H-kb", true},
		{"[a-c]x", "bx", true},
		{"[a-c]x", "dx", false},
		{"[!a-c]x", "dx", true},
		{"[!a-c]x", "ax", false},
		{"[^a-c]x", "dx", true},
		{"[]x]", "]", true},
		{"[!]x]", "]", false},
		{"[a-]", "-", true},
		{"[-a]", "-", true},
		{"[*?]", "*", true},
		{"[*?]", "a", false},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"\\[a]", "[a]", true},
		{"a\\?", "a?", true},
		{"a\\?", "ab", false},
		{"a]", "a]", true},
		{"\xc3\xbc?", "\xc3\xbc!", true}, /* bytes, not letters */
		{"??", "\xc3\xbc", true},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		test_result(matches(cases[i].pattern, cases[i].name) == cases[i].matches, __FILE__,
			    __LINE__, "'%s' and '%s'", cases[i].pattern, cases[i].name);
}

TEST(length)
{
	struct scope_glob g;
	char pattern[80];

	memset(pattern, '?', sizeof(pattern));
	pattern[31] = 0;
	CHECK_EQ(glob_compile(pattern, &g), 0);
	pattern[31] = '*'; /* no token of its own */
	pattern[32] = 0;
	CHECK_EQ(glob_compile(pattern, &g), 0);
	pattern[31] = '?';
	g.last = 77;
	CHECK_EQ(glob_compile(pattern, &g), -E2BIG);
	CHECK_EQ(g.last, 77);
	memset(pattern, '*', sizeof(pattern) - 1);
	pattern[sizeof(pattern) - 1] = 0;
	CHECK_EQ(glob_compile(pattern, &g), 0);
	CHECK(glob_matches(&g, "x"));
	/* the longest name that a thread has, matched to its last byte */
	CHECK(matches("???????????????", "fifteen letters"));
	CHECK(!matches("??????????????", "fifteen letters"));
	CHECK(matches("*s", "fifteen letters"));
}

static const char letters[] = "ab-*?[]!^\\";

static char letter(void)
{
	return letters[rand() % (sizeof(letters) - 1)];
}

/* A pattern as people may write it: every class is closed, nothing ends in a backslash. */
static void make_pattern(char *p)
{
	for (int tokens = rand() % 6; tokens; tokens--)
		switch (rand() % 8) {
		case 0:
		case 1:
			*p++ = '*';
			break;
		case 2:
			*p++ = '?';
			break;
		case 3:
			*p++ = '\\';
			*p++ = letter();
			break;
		case 4:
			*p++ = '[';
			if (rand() % 2)
				*p++ = "!^"[rand() % 2];
			for (int n = 1 + rand() % 3; n; n--)
				*p++ = "ab*?"[rand() % 4];
			if (rand() % 3 == 0)
				p = stpcpy(p, "a-c");
			*p++ = ']';
			break;
		default:
			*p++ = "ab-!^]"[rand() % 6];
		}
	*p = 0;
}

static void make_name(char *p)
{
	for (int n = rand() % 16; n; n--)
		*p++ = rand() % 2 ? "ab"[rand() % 2] : letter();
	*p = 0;
}

TEST(as_fnmatch)
{
	size_t both = 0, wrong = 0;

	srand(5);
	for (int i = 0; i < 200000; i++) {
		char pattern[80], name[16];
		bool expected;

		make_pattern(pattern);
		make_name(name);
		expected = !fnmatch(pattern, name, 0);
		both += expected;
		if (matches(pattern, name) != expected && !wrong++)
			test_result(false, __FILE__, __LINE__, "'%s' and '%s': fnmatch says %d",
				    pattern, name, expected);
	}
	CHECK(both > 5000);
	CHECK_EQ(wrong, 0);
}

/* A name that fits on purpose: made from its pattern. */
TEST(fitting_names)
{
	size_t wrong = 0;

	srand(6);
	for (int i = 0; i < 20000; i++) {
		char pattern[80], name[16], *p = pattern, *q = name;

		for (int n = rand() % 15; n; n--) {
			char c = "abc"[rand() % 3];

			*q++ = c;
			switch (rand() % 4) {
			case 0:
				*p++ = '?';
				break;
			case 1:
				*p++ = '*';
				break;
			case 2:
				p = stpcpy(p, "[a-c]");
				break;
			default:
				*p++ = c;
			}
		}
		*p = *q = 0;
		wrong += !matches(pattern, name);
	}
	CHECK_EQ(wrong, 0);
}
