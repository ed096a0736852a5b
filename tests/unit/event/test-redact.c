/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "base/str.h"
#include "event/redact.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef TEST_DATA
#define TEST_DATA "tests/data"
#endif

/* The visible signs of the data file, and what they stand for. */
#define SIGN_NUL     "\xe2\x90\x80"
#define SIGN_NEWLINE "\xe2\x90\xa4"
#define SIGN_MASK    "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"

static void from_signs(struct buf *b, const char *line)
{
	for (; *line && *line != '\n'; line++) {
		if (!strncmp(line, SIGN_NUL, 3))
			buf_putc(b, 0);
		else if (!strncmp(line, SIGN_NEWLINE, 3))
			buf_putc(b, '\n');
		else
			buf_putc(b, *line);
		if (b->p[b->n - 1] != *line)
			line += 2;
	}
}

static void to_signs(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!s.p[i])
			buf_puts(b, SIGN_NUL);
		else if (s.p[i] == '\n')
			buf_puts(b, SIGN_NEWLINE);
		else if (s.p[i] != REDACT_BYTE)
			buf_putc(b, s.p[i]);
		else if (!i || s.p[i - 1] != REDACT_BYTE)
			buf_puts(b, SIGN_MASK);
	}
}

/* How many masks a line shows. */
static size_t count(const char *line)
{
	size_t n = 0;

	for (; (line = strstr(line, SIGN_MASK)); line += sizeof(SIGN_MASK) - 1)
		n++;
	return n;
}

static void check_case(const char *given, const char *expected, int line)
{
	_cleanup_buf_ struct buf b = {0}, shown = {0};
	size_t masked, n;

	from_signs(&b, given);
	n = b.n;
	masked = redact_args(b.p, b.n);
	to_signs(&shown, buf_str(&b));
	test_result(!strcmp(shown.p, expected), TEST_DATA "/redact.txt", line,
		    "\"%s\", expected \"%s\"", shown.p, expected);
	test_result(masked == count(expected), TEST_DATA "/redact.txt", line, "%zu masked", masked);
	CHECK_EQ(n, b.n);
	CHECK_EQ(redact_args(b.p, b.n), 0);
	buf_reset(&shown);
	to_signs(&shown, buf_str(&b));
	test_result(!strcmp(shown.p, expected), TEST_DATA "/redact.txt", line,
		    "the second time: \"%s\"", shown.p);
}

TEST(cases)
{
	_cleanup_fclose_ FILE *f = fopen(TEST_DATA "/redact.txt", "re");
	char given[4096] = "", line[4096];
	int number = 0, cases = 0;

	CHECK(f);
	while (f && fgets(line, sizeof(line), f)) {
		number++;
		line[strcspn(line, "\n")] = 0;
		if (!*line || *line == '#')
			continue;
		if (!*given) {
			strcpy(given, line);
			continue;
		}
		check_case(given, strcmp(line, "=") ? line : given, number);
		*given = 0;
		cases++;
	}
	CHECK(!*given);
	CHECK(cases >= 80);
}

static const char *text(char *s)
{
	redact_text(s, strlen(s));
	for (char *p = s; *p; p++)
		if (*p == REDACT_BYTE)
			*p = '*';
	return s;
}

TEST(one_text)
{
	CHECK_STREQ(text((char[]){"https://joe:pw@x/?token=abc&b=1"}),
		    "https://joe:**@x/?token=***&b=1");
	CHECK_STREQ(text((char[]){"Authorization: Bearer abc"}), "Authorization: Bearer ***");
	CHECK_STREQ(text((char[]){"PASSWORD=abc cmd --x"}), "PASSWORD=*** cmd --x");
	CHECK_STREQ(text((char[]){"GET /x?a=b HTTP/1.1"}), "GET /x?a=b HTTP/1.1");
	CHECK_STREQ(text((char[]){"npm_abcdefghij"}), "npm_abcdefghij");
	CHECK(redact_text((char[]){"token=abc"}, 9));
	CHECK(!redact_text((char[]){"a=b"}, 3));
	CHECK(!redact_text(NULL, 0));
}

/* A block that was cut has no NUL at its end, and maybe half a secret. */
TEST(cut_block)
{
	char half[] = "app\0ghp_01234567", option[] = "app\0--password";
	char value[] = "app\0--password\0hun";

	CHECK_EQ(redact_args(half, sizeof(half) - 1), 1);
	CHECK(!memcmp(half + 4, "ghp_\x1a\x1a", 6));
	CHECK_EQ(redact_args(option, sizeof(option) - 1), 0);
	CHECK_EQ(redact_args(value, sizeof(value) - 1), 1);
	CHECK(!memcmp(value + 15, "\x1a\x1a\x1a", 3));
	CHECK_EQ(redact_args(NULL, 0), 0);
	CHECK_EQ(redact_args((char[]){0}, 1), 0);
}

/* find_program() looks for names by halves. */
TEST(programs_are_sorted)
{
	static const char *const names[] = {
#define PROGRAM(name, family) name,
#include "event/redact.def"
	};

	for (size_t i = 1; i < ELEMENTS(names); i++)
		CHECK(strcmp(names[i - 1], names[i]) < 0);
}

/* Names are compared in lower case, and one part at a time. */
TEST(words_are_letters)
{
	static const char *const list[] = {
#define WORD(text, bits) text,
#define BEFORE(text)	 text,
#define AFTER(text)	 text,
#include "event/redact.def"
	};

	for (size_t i = 0; i < ELEMENTS(list); i++)
		CHECK_EQ(strspn(list[i], "abcdefghijklmnopqrstuvwxyz"), strlen(list[i]));
}

/* Random pieces of what matters: length stays, NULs stay, twice is as once. */
TEST(twice_is_as_once)
{
	static const char *const pieces[] = {
		"password",
		"token",
		"=",
		":",
		" ",
		"'",
		"\"",
		"\\\"",
		"--",
		"-p",
		"-u",
		"sh",
		"-c",
		"\0",
		"://",
		"@",
		"?",
		"&",
		"Authorization",
		"Bearer ",
		"ghp_0123456789abcdef",
		"{",
		"}",
		",",
		"mysql",
		"curl",
		"x",
		"$X",
		"eyJabcdefgh.eyJ",
		"\n",
		"/",
		";",
		"-----BEGIN PRIVATE KEY-----",
	};
	unsigned int seed = 20240611;

	for (int i = 0; i < 20000; i++) {
		char once[512], twice[512], before[512];
		size_t n = 0;

		for (int k = 0; k < 16; k++) {
			const char *p = pieces[rand_r(&seed) % ELEMENTS(pieces)];
			size_t len = *p ? strlen(p) : 1;

			memcpy(before + n, p, len);
			n += len;
		}
		memcpy(once, before, n);
		redact_args(once, n);
		memcpy(twice, once, n);
		if (redact_args(twice, n) || memcmp(once, twice, n)) {
			_cleanup_buf_ struct buf shown = {0};

			to_signs(&shown, (struct str){before, n});
			test_result(false, __FILE__, __LINE__, "not stable: %s", shown.p);
			return;
		}
		for (size_t k = 0; k < n; k++)
			if (once[k] != before[k] && (!before[k] || once[k] != REDACT_BYTE))
				CHECK(false);
	}
	CHECK(true);
}
