/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/trace-words.h"
#include "test.h"

#include <errno.h>

static const struct {
	const char *line;
	const char *words[6];
} lines[] = {
	{"ls", {"ls"}},
	{"  ls \t-l\n/tmp  ", {"ls", "-l", "/tmp"}},
	{"sh -c 'echo \"a b\" \\x; exit'", {"sh", "-c", "echo \"a b\" \\x; exit"}},
	{"a\"b c\"d ''", {"ab cd", ""}},
	{"a\\ b \\\"c\\' \"d\\\"\\n\\$\"", {"a b", "\"c'", "d\"\\n$"}},
	{"a\\\nb", {"ab"}},
	{"end\\", {"end\\"}},
};

TEST(split)
{
	for (size_t i = 0; i < ELEMENTS(lines); i++) {
		struct trace_words w;
		size_t n = 0;

		CHECK_EQ(trace_words_split(&w, lines[i].line), 0);
		for (; n < w.n && lines[i].words[n]; n++)
			CHECK_STREQ(w.p[n], lines[i].words[n]);
		CHECK(n == w.n && !lines[i].words[n]);
		CHECK(!w.p[w.n]);
		trace_words_done(&w);
	}
}

TEST(split_refuses)
{
	static const char *const bad[] = {"", "  ", "a 'b", "\"", "a \"b\\\""};

	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		struct trace_words w;

		CHECK_EQ(trace_words_split(&w, bad[i]), -EINVAL);
		CHECK(!w.p && !w.text);
	}
}

TEST(params)
{
	static const char *const words[] = {"one",    "--",	    "--size=5", "two",
					    "--flag", "--text=a=b", "-x",	NULL};
	struct trace_options o = {.file = "tools/x.bt", .params = (char **)words};
	struct script_params p;
	struct trace_words w = {};

	trace_words_params(&w, &o, &p);
	CHECK_EQ(p.n, 3);
	CHECK_STREQ(p.positional[0], "one");
	CHECK_STREQ(p.positional[1], "two");
	CHECK_STREQ(p.positional[2], "-x");
	CHECK_EQ(p.n_named, 3);
	CHECK_STREQ(p.named[0].name, "size");
	CHECK_STREQ(p.named[0].value, "5");
	CHECK_STREQ(p.named[1].name, "flag");
	CHECK(!p.named[1].value);
	CHECK_STREQ(p.named[2].name, "text");
	CHECK_STREQ(p.named[2].value, "a=b");
	CHECK_STREQ(p.directory, "tools");
	CHECK(p.environment);
	trace_words_done(&w);
}

TEST(no_params)
{
	struct trace_options o = {.text = "begin {}", .file = NULL};
	struct script_params p;
	struct trace_words w = {};

	trace_words_params(&w, &o, &p);
	CHECK_EQ(p.n, 0);
	CHECK_EQ(p.n_named, 0);
	CHECK(!p.directory);
	trace_words_done(&w);
}
