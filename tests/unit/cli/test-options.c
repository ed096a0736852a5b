/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of command lines: every kind of value, every error and where it points. */
#include "cli/options.h"

#include <errno.h>

#include "catalog/catalog.h"
#include "cli/values.h"
#include "test.h"

struct opts {
	bool flag, loud;
	const char *string, *list[OPTION_STRINGS_MAX + 1];
	uint32_t u32, size_kb;
	uint64_t u64, time_ns, events;
	const char *glob;
	enum { RED, GREEN, BLUE } choice;
};

#define OPTION(...) OPTION_IN(struct opts, __VA_ARGS__)

static const struct option_desc table[] = {
	OPTION_HEADING("All kinds"),
	OPTION("flag", 'f', FLAG, NULL, flag, NOTHING, "a flag"),
	OPTION("loud", 'l', FLAG, NULL, loud, NOTHING, "another"),
	OPTION("string", 's', STRING, "TEXT", string, FILE, "text"),
	OPTION("item", 'I', STRINGS, "TEXT", list, FILE, "several texts"),
	OPTION("number", 0, U32, "N", u32, NOTHING, "a number"),
	OPTION("big", 'b', U64, "N", u64, NOTHING, "a big number"),
	OPTION("time", 0, DURATION, "TIME", time_ns, NOTHING, "a time"),
	OPTION("size", 0, SIZE, "SIZE", size_kb, NOTHING, "a size"),
	OPTION("events", 0, EVENTS, "LIST", events, EVENTS, "events"),
	OPTION("glob", 0, GLOB, "GLOB", glob, NOTHING, "a pattern"),
	OPTION("choice", 0, CHOICE, "red|green|blue", choice, WORDS, "a colour"),
	OPTION_LAST,
};

/* A parsed line: the words after "skep", with NULL at the end. */
struct line {
	int argc, r;
	char *argv[16];
	struct opts o;
	struct parsed parsed;
	struct usage_error e;
};

static void line_done(struct line *l)
{
	parsed_done(&l->parsed);
}

static struct line parse(enum operands operands, const char *const *words)
{
	const struct syntax syntax = {.options = table,
				      .operands = operands,
				      .operand = "FILE",
				      .completes = COMPLETES_FILE};
	struct line l = {.argc = 1, .argv = {(char *)"skep"}};

	for (; *words; words++)
		l.argv[l.argc++] = (char *)*words;
	l.r = options_parse(&syntax, l.argc, l.argv, 1, &l.o, &l.parsed, &l.e);
	return l;
}

#define PARSE(operands, ...)                 \
	_cleanup_(line_done) struct line l = \
		parse(operands, (const char *const[]){__VA_ARGS__, NULL})

TEST(several_times)
{
	PARSE(OPERANDS_NONE, "-I", "one", "--item=two", "-Ithree");

	CHECK_EQ(l.r, 0);
	CHECK_STREQ(l.o.list[0], "one");
	CHECK_STREQ(l.o.list[1], "two");
	CHECK_STREQ(l.o.list[2], "three");
	CHECK(!l.o.list[3]);
}

TEST(every_kind)
{
	PARSE(OPERANDS_NONE, "--flag", "--string", "a b", "--number=7", "--big",
	      "18446744073709551615", "--time", "1m30s", "--size=16M", "--events", "exec",
	      "--choice=blue");

	CHECK_EQ(l.r, 0);
	CHECK(l.o.flag);
	CHECK(!l.o.loud);
	CHECK_STREQ(l.o.string, "a b");
	CHECK_EQ(l.o.u32, 7);
	CHECK(l.o.u64 == UINT64_MAX);
	CHECK_EQ(l.o.time_ns, 90000000000);
	CHECK_EQ(l.o.size_kb, 16384);
	CHECK(l.o.events == (KIND_BIT(EV_EXEC) | KIND_BIT(EV_LOST)));
	CHECK_EQ(l.o.choice, BLUE);
	CHECK_EQ(l.parsed.n_operands, 0);
}

TEST(short_forms)
{
	PARSE(OPERANDS_NONE, "-fl", "-s", "x", "-b5");

	CHECK_EQ(l.r, 0);
	CHECK(l.o.flag && l.o.loud);
	CHECK_STREQ(l.o.string, "x");
	CHECK_EQ(l.o.u64, 5);
}

TEST(short_bundle_ends_with_value)
{
	PARSE(OPERANDS_NONE, "-fs", "--", "-l");

	CHECK_EQ(l.r, -EINVAL);
	CHECK_EQ(l.e.argument, 1);
	CHECK_STREQ(l.e.what, "--string needs a value: TEXT");
}

TEST(a_value_may_begin_with_a_minus)
{
	PARSE(OPERANDS_NONE, "--events", "-kill", "-s", "-");

	CHECK_EQ(l.r, 0);
	CHECK(l.o.events == (events_in_view(VIEW_SHOWN) & ~KIND_BIT(EV_KILL)));
	CHECK_STREQ(l.o.string, "-");
}

TEST(an_option_is_no_value)
{
	PARSE(OPERANDS_NONE, "--string", "--flag");

	CHECK_EQ(l.r, -EINVAL);
	CHECK_EQ(l.e.argument, 1);
	CHECK_STREQ(l.e.hint, "if '--flag' is the value: --string=--flag");
}

TEST(an_option_is_a_value_after_equals)
{
	PARSE(OPERANDS_NONE, "--string=--flag");

	CHECK_EQ(l.r, 0);
	CHECK_STREQ(l.o.string, "--flag");
	CHECK(!l.o.flag);
}

TEST(last_one_wins)
{
	PARSE(OPERANDS_NONE, "--number", "1", "--number", "2");

	CHECK_EQ(l.r, 0);
	CHECK_EQ(l.o.u32, 2);
}

TEST(globs_and_losses)
{
	PARSE(OPERANDS_NONE, "--glob", "*fifteen[a-z]letters*", "--events", "lost");

	CHECK_EQ(l.r, 0);
	CHECK_STREQ(l.o.glob, "*fifteen[a-z]letters*");
	CHECK(l.o.events == KIND_BIT(EV_LOST));
}

TEST(help_stops)
{
	PARSE(OPERANDS_ONE, "--flag", "--help", "--no-such");

	CHECK_EQ(l.r, 0);
	CHECK(l.parsed.wants_help);
}

TEST(help_after_dashes_is_the_commands)
{
	PARSE(OPERANDS_COMMAND, "--", "ls", "--help", "--", "-h");

	CHECK_EQ(l.r, 0);
	CHECK(!l.parsed.wants_help);
	CHECK_EQ(l.parsed.n_operands, 4);
	CHECK_STREQ(l.parsed.operands[3], "-h");
	CHECK(!l.parsed.operands[4]);
}

TEST(operands_between_options)
{
	PARSE(OPERANDS_ONE, "--flag", "file", "--loud");

	CHECK_EQ(l.r, 0);
	CHECK(l.o.flag && l.o.loud);
	CHECK_EQ(l.parsed.n_operands, 1);
	CHECK_STREQ(l.parsed.operands[0], "file");
}

TEST(operand_that_looks_like_an_option)
{
	PARSE(OPERANDS_ONE, "--", "--flag");

	CHECK_EQ(l.r, 0);
	CHECK(!l.o.flag);
	CHECK_STREQ(l.parsed.operands[0], "--flag");
}

/* What is wrong, and which bytes of the second word are underlined. */
static const struct {
	const char *words[4];
	enum operands operands;
	int argument;
	size_t begin, n;
	const char *what, *hint;
} errors[] = {
	{{"--fla"}, 0, 1, 0, 5, "there is no option --fla", "did you mean --flag?"},
	{{"--num=3"}, 0, 1, 0, 5, "there is no option --num", "did you mean --number?"},
	{{"--xyzzyx"}, 0, 1, 0, 8, "there is no option --xyzzyx", ""},
	{{"--=x"}, 0, 1, 0, 2, "there is no option --", ""},
	{{"-fx"}, 0, 1, 2, 1, "there is no option -x", ""},
	{{"-time"}, 0, 1, 1, 1, "there is no option -t", "did you mean --time?"},
	{{"--flag=1"}, 0, 1, 6, 2, "--flag takes no value", ""},
	{{"--string"}, 0, 1, 0, 8, "--string needs a value: TEXT", ""},
	{{"--string="}, 0, 1, 0, 9, "--string: expected TEXT, found nothing", ""},
	{{"--number", "0"}, 0, 2, 0, 1, "--number: expected a number from 1 to 4294967295", ""},
	{{"--number", "4294967296"},
	 0,
	 2,
	 0,
	 10,
	 "--number: expected a number from 1 to 4294967295",
	 ""},
	{{"--number", " 1"}, 0, 2, 0, 2, "--number: expected a number from 1 to 4294967295", ""},
	{{"--big=-1"}, 0, 1, 6, 2, "--big: expected a number from 1", ""},
	{{"-b1x"}, 0, 1, 2, 2, "--big: expected a number from 1", ""},
	{{"--time=10"}, 0, 1, 7, 2, "--time: expected a time such as 10s", "did you mean 10s?"},
	{{"--time", "1.5s"},
	 0,
	 2,
	 0,
	 4,
	 "--time: expected a time such as 10s",
	 "units are ns, us, ms, s, m, h and d, as in 1m30s"},
	{{"--size", "12M"},
	 0,
	 2,
	 0,
	 3,
	 "--size: expected a power of two from 4K to 1G, such as 16M",
	 ""},
	{{"--events=exec,opne,kill"},
	 0,
	 1,
	 14,
	 4,
	 "--events: there is no event or group 'opne'",
	 "did you mean open?"},
	{{"--events", "-kil"},
	 0,
	 2,
	 1,
	 3,
	 "--events: there is no event or group 'kil'",
	 "did you mean kill?"},
	{{"--events=,"}, 0, 1, 9, 1, "--events: expected a list that leaves something to show", ""},
	{{"--events=exec,-exec"},
	 0,
	 1,
	 9,
	 10,
	 "--events: expected a list that leaves something to show",
	 ""},
	{{"--glob", "sixteen letters!"},
	 0,
	 2,
	 0,
	 16,
	 "--glob: expected at most 15 letters; the kernel cuts the names of threads",
	 "did you mean sixteen letters?"},
	{{"--glob=*????????????????"},
	 0,
	 1,
	 7,
	 17,
	 "--glob: expected at most 15 letters; the kernel cuts the names of threads",
	 ""},
	{{"--choice", "gren"},
	 0,
	 2,
	 0,
	 4,
	 "--choice: expected red|green|blue",
	 "did you mean green?"},
	{{"x"}, OPERANDS_NONE, 1, 0, 1, "'x' is one word too many", ""},
	{{"x", "y"}, OPERANDS_PERHAPS, 2, 0, 1, "'y' is one word too many", ""},
	{{"--", "x", "y"}, OPERANDS_ONE, 3, 0, 1, "'y' is one word too many", ""},
	{{"--flag"}, OPERANDS_ONE, 2, 0, 0, "FILE is missing", ""},
	{{"--flag", "ls"},
	 OPERANDS_COMMAND,
	 2,
	 0,
	 2,
	 "'ls' is neither an option nor the value of one",
	 "to watch a command, write -- before it: skep skep -- ls"},
	{{"--"}, OPERANDS_COMMAND, 1, 0, 2, "a command is expected after --", ""},
	{{"--", ""}, OPERANDS_COMMAND, 2, 0, 0, "the command's name is empty", ""},
	{{"--\033[31m\xff"}, 0, 1, 0, 8, "there is no option --?[31m?", ""},
};

TEST(errors_point_at_bytes)
{
	for (size_t i = 0; i < ELEMENTS(errors); i++) {
		_cleanup_(line_done) struct line l = parse(errors[i].operands, errors[i].words);

		CHECK_EQ(l.r, -EINVAL);
		CHECK_STREQ(l.e.what, errors[i].what);
		CHECK_STREQ(l.e.hint, errors[i].hint);
		CHECK_EQ(l.e.argument, errors[i].argument);
		CHECK_EQ(l.e.begin, errors[i].begin);
		CHECK_EQ(l.e.n, errors[i].n);
	}
}

static const struct {
	const char *argv[6];
	int argument;
	size_t begin, n;
	const char *lines;
} rendered[] = {
	{{"skep", "watch", "--x"}, 2, 0, 3, "  skep watch --x\n             ^^^\n"},
	{{"skep", "--for=3x", "z"}, 1, 6, 2, "  skep --for=3x z\n             ^^\n"},
	{{"skep", "replay"}, 2, 0, 0, "  skep replay\n              ^\n"},
	{{"skep", "a b", "c"}, 1, 0, 3, "  skep 'a b' c\n       ^^^^^\n"},
	{{"skep", "a b", "c"}, 1, 2, 1, "  skep 'a b' c\n          ^\n"},
	{{"skep", "it's"}, 1, 0, 4, "  skep $'it\\'s'\n       ^^^^^^^^\n"},
	{{"skep", "é=ü"}, 1, 3, 2, "  skep é=ü\n         ^\n"},
	{{"skep", "\033\xff"}, 1, 1, 1, "  skep $'\\x1b\\xff'\n             ^^^^\n"},
	{{"skep", ""}, 1, 0, 0, "  skep ''\n       ^^\n"},
};

TEST(usage_underlines)
{
	for (size_t i = 0; i < ELEMENTS(rendered); i++) {
		struct usage_error e = {.argument = rendered[i].argument,
					.begin = rendered[i].begin,
					.n = rendered[i].n};
		_cleanup_buf_ struct buf b = {0};
		int argc = 0;

		while (rendered[i].argv[argc])
			argc++;
		usage_render(&b, argc, (char **)rendered[i].argv, &e);
		CHECK_STREQ(b.p, rendered[i].lines);
	}
}

TEST(usage_cuts_long_lines)
{
	struct usage_error e = {.argument = 2, .begin = 0, .n = 3};
	char before[200], after[200];
	char *argv[] = {(char *)"skep", before, (char *)"bad", after, NULL};
	_cleanup_buf_ struct buf b = {0};

	memset(before, 'a', sizeof(before) - 1);
	memset(after, 'z', sizeof(after) - 1);
	before[sizeof(before) - 1] = after[sizeof(after) - 1] = 0;
	usage_render(&b, 4, argv, &e);
	CHECK(b.n < 250);
	CHECK(strstr(b.p, "… aaa"));
	CHECK(strstr(b.p, "zzz …\n"));
	CHECK_EQ(strstr(strchr(b.p, '\n'), "^^^") - strchr(b.p, '\n') - 1,
		 strstr(b.p, "bad") - b.p - strlen("…") + 1);
}

TEST(durations)
{
	static const struct {
		const char *text;
		uint64_t ns;
		int r;
	} cases[] = {
		{"1ns", 1, 0},
		{"500ms", 500000000, 0},
		{"10s", 10000000000, 0},
		{"1m30s", 90000000000, 0},
		{"2h", 7200000000000, 0},
		{"1d", 86400000000000, 0},
		{"1d1h1m1s1ms1us1ns", 90061001001001, 0},
		{"0s", 0, -ERANGE},
		{"", 0, -EINVAL},
		{"s", 0, -EINVAL},
		{"1", 0, -EINVAL},
		{"1x", 0, -EINVAL},
		{"1 s", 0, -EINVAL},
		{"-1s", 0, -EINVAL},
		{"1s ", 0, -EINVAL},
		{"99999999999999999999s", 0, -ERANGE},
		{"300000d", 0, -ERANGE},
		{"200000d200000d", 0, -ERANGE},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		uint64_t ns = 0;

		CHECK_EQ(duration_parse(cases[i].text, &ns), cases[i].r);
		CHECK_EQ(ns, cases[i].ns);
	}
}

TEST(sizes)
{
	static const struct {
		const char *text;
		uint32_t kb;
		int r;
	} cases[] = {
		{"4K", 4, 0},	     {"4096", 4, 0},
		{"16M", 16384, 0},   {"16MiB", 16384, 0},
		{"1g", 1048576, 0},  {"2K", 0, -ERANGE},
		{"2G", 0, -ERANGE},  {"3M", 0, -ERANGE},
		{"0", 0, -ERANGE},   {"", 0, -EINVAL},
		{"M", 0, -EINVAL},   {"4X", 0, -EINVAL},
		{"4Mx", 0, -EINVAL}, {"17179869184G", 0, -ERANGE},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		uint32_t kb = 0;

		CHECK_EQ(size_parse(cases[i].text, &kb), cases[i].r);
		CHECK_EQ(kb, cases[i].kb);
	}
}

TEST(words)
{
	CHECK_EQ(word_find("a|bc|d", STR("bc")), 1);
	CHECK_EQ(word_find("a|bc|d", STR("d")), 2);
	CHECK_EQ(word_find("a|bc|d", STR("b")), -1);
	CHECK_EQ(word_find("a|bc|d", STR("a|bc")), -1);
	CHECK(!word_at("a|bc", 2).p);
	CHECK(str_eq(word_nearest("always|never", "nevr"), STR("never")));
	CHECK(!word_nearest("always|never", "qqqqqq").p);
}
