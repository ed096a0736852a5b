/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag/diag.h"

#include "test.h"

/* What is printed of one error at [begin, end) of a text. */
static void check_printed(const char *text, uint32_t begin, uint32_t end, const char *expected)
{
	struct arena a = {};
	struct diags d = {.arena = &a};
	struct buf b = {};
	uint32_t file = diag_source(&d, "x", str_of(text));

	diag(&d, D_SYNTAX, (struct span){file, begin, end}, "no");
	diags_print(&d, false, &b);
	CHECK_STREQ(b.p, expected);
	buf_done(&b);
	arena_done(&a);
}

TEST(marks)
{
	check_printed("a bee", 2, 5, "x:1:3-6: ERROR: no\na bee\n  ~~~\n");
	/* tabs stay, a letter has one mark however many bytes it has */
	check_printed("\ta bee", 3, 6, "x:1:4-7: ERROR: no\n\ta bee\n\t  ~~~\n");
	check_printed("\xc3\xa4 bee", 3, 6, "x:1:4-7: ERROR: no\n\xc3\xa4 bee\n  ~~~\n");
	/* the end of the text */
	check_printed("bee", 3, 3, "x:1:4-4: ERROR: no\nbee\n   ~\n");
	/* several lines are not shown */
	check_printed("a\nb", 0, 3, "x:1-2: ERROR: no\n");
}

TEST(terminal)
{
	check_printed("\x1b[1m bee", 5, 8, "x:1:6-9: ERROR: no\n.[1m bee\n     ~~~\n");
	check_printed("\xc2\x9b bee", 3, 6, "x:1:4-7: ERROR: no\n.. bee\n  ~~~\n");
	check_printed("\xff bee", 2, 5, "x:1:3-6: ERROR: no\n. bee\n  ~~~\n");
}

/* Names out of foreign files. */
TEST(terminal_names)
{
	struct arena a = {};
	struct diags d = {.arena = &a};
	struct buf b = {};
	uint32_t file = diag_source(&d, "a\x1b[2Jb.c", STR("x"));

	diag(&d, D_SYNTAX, (struct span){file, 0, 1}, "no %s", "\x1b]0;title\a");
	diag_hint(&d, "caf\xc3\xa9 %s", "\x7f");
	diag(&d, D_SYNTAX, (struct span){UINT32_MAX, 0, 0}, "\xff");
	diags_print(&d, false, &b);
	CHECK_STREQ(b.p, "a.[2Jb.c:1:1-2: ERROR: no .]0;title.\nx\n~\n"
			 "HINT: caf\xc3\xa9 .\nERROR: .\n");
	buf_done(&b);
	arena_done(&a);
}

TEST(places)
{
	struct arena a = {};
	struct diags d = {.arena = &a};
	struct buf b = {};
	uint32_t file = diag_source(&d, "x", STR("a bee"));

	diag(&d, D_SYNTAX, (struct span){file, 2, 5}, "no");
	diag_note(&d, (struct span){file, 0, 1}, "from here");
	diag_context(&d, (struct span){file, 2, 3}, "left");
	diag_hint(&d, "do");
	diags_print(&d, false, &b);
	CHECK_STREQ(b.p, "x:1:3-6: ERROR: no\na bee\n  ~~~\n"
			 "x:1:1-2: NOTE: from here\na bee\n~\n"
			 "x:1:3-4: ERROR: left\na bee\n  ~\n"
			 "HINT: do\n");
	buf_done(&b);
	arena_done(&a);
}

TEST(long_line)
{
	char text[4001], *word, *marks;
	struct arena a = {};
	struct diags d = {.arena = &a};
	struct buf b = {};
	uint32_t file;

	memset(text, '-', 4000);
	text[4000] = 0;
	memcpy(text + 2000, "bee", 3);
	file = diag_source(&d, "x", str_of(text));
	diag(&d, D_SYNTAX, (struct span){file, 2000, 2003}, "no");
	diags_print(&d, false, &b);
	CHECK(b.n < 500);
	word = strstr(b.p, "bee");
	marks = strstr(b.p, "~~~\n");
	/* they stand below the word: as far from the beginning of their line */
	CHECK(word && marks);
	CHECK_EQ(word - (strchr(b.p, '\n') + 1), marks - (strchr(word, '\n') + 1));
	buf_done(&b);
	arena_done(&a);
}
