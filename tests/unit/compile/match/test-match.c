/* SPDX-License-Identifier: Apache-2.0 */
#include "random-match.h"
#include "test.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct {
	enum match_kind kind;
	bool ignore_case;
	const char *pattern, *text;
	bool fits;
} cases[] = {
	{MATCH_EXACT, false, "cat", "cat", true},
	{MATCH_EXACT, false, "cat", "cats", false},
	{MATCH_EXACT, false, "", "", true},
	{MATCH_EXACT, false, "", "a", false},
	{MATCH_EXACT, true, "CaT", "cAt", true},
	{MATCH_PREFIX, false, "/etc", "/etcetera", true},
	{MATCH_PREFIX, false, "/etc", "/et", false},
	{MATCH_PREFIX, false, "", "", true},
	{MATCH_SUFFIX, false, ".so", "a.so.so", true},
	{MATCH_SUFFIX, false, ".so", "a.so.", false},
	{MATCH_SUFFIX, false, "", "x", true},
	{MATCH_SUFFIX, false, "aa", "aaa", true},
	{MATCH_CONTAINS, false, "aab", "aaab", true},
	{MATCH_CONTAINS, true, "SsH", "/x/.ssh/y", true},
	{MATCH_CONTAINS, false, "", "", true},
	{MATCH_GLOB, false, "/home/*/.ssh/*", "/home/a/b/.ssh/", true}, /* * crosses / */
	{MATCH_GLOB, false, "*a*b*", "xxbxa", false},
	{MATCH_GLOB, false, "*a*b*", "xxaxb", true},
	{MATCH_GLOB, false, "[]a]x", "]x", true},
	{MATCH_GLOB, false, "[!]a]x", "bx", true},
	{MATCH_GLOB, false, "a[b", "a[b", true},
	{MATCH_GLOB, false, "a\\*", "a*", true},
	{MATCH_GLOB, false, "a\\*", "ab", false},
	{MATCH_GLOB, false, "[[:digit:]x]", "7", true},
	{MATCH_GLOB, false, "a\\", "a\\", false},
	{MATCH_GLOB, false, "", "", true},
	{MATCH_GLOB, false, "*", "", true},
	{MATCH_GLOB, false, "?", "", false},
	{MATCH_PMATCH, false, "/usr", "/usr", true},
	{MATCH_PMATCH, false, "/usr", "/usr/lib", true},
	{MATCH_PMATCH, false, "/usr", "/usrlib", false},
	{MATCH_PMATCH, false, "/usr/lib", "/usr", false},
	{MATCH_PMATCH, false, "/usr/", "//usr//x", true},
	{MATCH_PMATCH, false, "/", "", true},
	{MATCH_PMATCH, false, "/a/*/b", "/a//b", false},
	{MATCH_PMATCH, false, "/a/*/b", "/a/x/b/c", true},
	{MATCH_PMATCH, false, "/a/*/b", "/a/x/y/b", false},
	{MATCH_PMATCH, false, "/a*c/b", "/abbc/b", true},
	{MATCH_PMATCH, false, "/a[!x]c", "/a/c", false},
	{MATCH_ANY, false, "", "", true},
	{MATCH_ODD, false, "", "/a/b", false},
	{MATCH_ODD, false, "", "/a/..b/.c/d..", false},
	{MATCH_ODD, false, "", "/a/../b", true},
	{MATCH_ODD, false, "", "/a/..", true},
	{MATCH_ODD, false, "", "/a/.", true},
	{MATCH_ODD, false, "", "/a//b", true},
	{MATCH_ODD, false, "", "/a/./b", true},
	{MATCH_ODD, false, "", "a", true},
	{MATCH_ODD, false, "", "", true},
};

static bool run_one(const struct match_pattern *p, struct str text)
{
	bool refused = false;
	struct arena a = {};
	uint64_t bits = 0;
	struct match m;

	match_build(&a, p, 1, 1, &refused, &m);
	match_run(&m, text, &bits);
	arena_done(&a);
	return bits && !refused;
}

TEST(match_cases)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct match_pattern p = {cases[i].kind, cases[i].ignore_case,
					  str_of(cases[i].pattern), 0};
		struct str text = str_of(cases[i].text);
		bool one = match_one(&p, text), run = run_one(&p, text);

		test_result(one == cases[i].fits && run == cases[i].fits, __FILE__, __LINE__,
			    "%s in %s: alone %d, automaton %d, expected %d", cases[i].pattern,
			    cases[i].text, one, run, cases[i].fits);
	}
}

/* The C library says what a glob is. */
TEST(match_glob_is_fnmatch)
{
	static const char *const from[] = {"aAbzZ-]![^*?\\m:.", "aA[]-!\\*?", "ab*?", "[-]ac!^"};
	static const char *const classes[] = {"alnum", "alpha", "blank", "cntrl",
					      "digit", "graph", "lower", "print",
					      "punct", "space", "upper", "xdigit"};
	unsigned int wrong = 0, fits = 0;
	uint64_t state = 1;

	for (unsigned int i = 0; i < 400000; i++) {
		const char *set = from[random_number(&state, ELEMENTS(from))];
		char pattern[12] = "", text[8] = "";
		bool fold = random_number(&state, 2), refused = false, is;
		struct match_pattern p = {MATCH_GLOB, fold, {pattern, 0}, 0};
		struct arena a = {};
		struct match m;

		p.text.n = random_text(&state, set, pattern, sizeof(pattern));
		text[random_text(&state, set, text, sizeof(text))] = 0;
		if (strstr(pattern, "[:") || strstr(pattern, "[.") || strstr(pattern, "[="))
			continue;
		is = !fnmatch(pattern, text, fold ? FNM_CASEFOLD : 0);
		fits += is;
		if (is == match_one(&p, str_of(text)))
			continue;
		match_build(&a, &p, 1, 1, &refused, &m);
		wrong += !refused;
		arena_done(&a);
	}
	CHECK_EQ(wrong, 0);
	CHECK(fits > 10000);
	for (unsigned int i = 0; i < ELEMENTS(classes) * 256; i++) {
		char pattern[32], text[2] = {(char)(i & 255), 0};
		struct match_pattern p = {MATCH_GLOB, false, {pattern, 0}, 0};

		p.text.n = (size_t)snprintf(pattern, sizeof(pattern), "[[:%s:]]", classes[i / 256]);
		if (text[0])
			wrong += match_one(&p, str_of(text)) != !fnmatch(pattern, text, 0);
	}
	CHECK_EQ(wrong, 0);
}

TEST(match_strange_globs_are_refused)
{
	static const char *const strange[] = {"[[=a=]]", "[[.a.]]", "[[:none:]]", "x[a-"};

	for (size_t i = 0; i < ELEMENTS(strange); i++) {
		struct match_pattern p[2] = {{MATCH_GLOB, false, str_of(strange[i]), 0},
					     {MATCH_EXACT, false, STR("a"), 1}};
		bool refused[2] = {false};
		struct arena a = {};
		uint64_t bits = 0;
		struct match m;

		match_build(&a, p, 2, 2, refused, &m);
		match_run(&m, STR("a"), &bits);
		CHECK(refused[0] && !refused[1]);
		CHECK_EQ(bits, 2);
		arena_done(&a);
	}
}

/* Each bit as the patterns say one by one: a million of them. */
TEST(match_run_is_match_one)
{
	const char *seed = getenv("SEED"), *count = getenv("COUNT");
	unsigned long n_sets = count ? strtoul(count, NULL, 0) : 1500, wrong = 0;
	uint64_t compared = 0, set = 0;

	for (unsigned long i = 0; i < n_sets && !wrong; i++) {
		struct random_match r = {.state = (seed ? strtoul(seed, NULL, 0) : 1) + i * 7919};
		struct arena a = {};
		struct match m;

		random_patterns(&r);
		match_build(&a, r.patterns, r.n, r.n_bits, r.refused, &m);
		for (unsigned int k = 0; k < 60 && !wrong; k++) {
			char text[RANDOM_TEXT];
			struct str s = {text, random_subject(&r, text)};
			uint64_t bits[2] = {0}, want[2] = {0};

			for (size_t j = 0; j < r.n; j++) {
				uint32_t bit = r.patterns[j].bit;

				if (!r.refused[j] && match_one(&r.patterns[j], s))
					want[bit / 64] |= 1ull << (bit & 63);
				compared++;
			}
			match_run(&m, s, bits);
			wrong = memcmp(bits, want, m.n_words * 8) != 0;
			set += (uint64_t)__builtin_popcountll(bits[0]);
			if (wrong)
				fprintf(stderr, "set %lu, text '%.*s': %#lx, expected %#lx\n", i,
					(int)s.n, s.p, bits[0], want[0]);
		}
		arena_done(&a);
	}
	CHECK_EQ(wrong, 0);
	CHECK(compared > 1000000 || count);
	CHECK(set > compared / 40);
}

/* --- how large, how long */

struct many {
	struct arena arena;
	struct match_pattern *p;
	bool *refused;
	size_t n;
	struct match m;
	double ms;
};

static void many_add(struct many *t, enum match_kind kind, const char *text)
{
	t->p = realloc(t->p, (t->n + 1) * sizeof(*t->p));
	t->p[t->n] = (struct match_pattern){
		.kind = kind, .text = str_of(arena_strdup(&t->arena, text)), .bit = (uint32_t)t->n};
	t->n++;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static unsigned int many_build(struct many *t)
{
	unsigned int refused = 0;

	t->refused = calloc(t->n, sizeof(*t->refused));
	t->ms = now_ms();
	match_build(&t->arena, t->p, t->n, (uint32_t)t->n, t->refused, &t->m);
	t->ms = now_ms() - t->ms;
	for (size_t i = 0; i < t->n; i++)
		refused += t->refused[i];
	return refused;
}

static void many_done(struct many *t)
{
	arena_done(&t->arena);
	free(t->refused);
	free(t->p);
}

/* About what Falco's rules ask of a file's name. */
TEST(match_size_of_rules)
{
	static const char *const tops[] = {"/etc/",   "/usr/bin/", "/var/lib/",
					   "/root/.", "/proc/",	   "/dev/shm/"};
	struct many t = {};
	char text[64];

	for (unsigned int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "%sname%u-%u", tops[i % ELEMENTS(tops)], i * 37 % 91,
			 i);
		many_add(&t, i < 134 ? MATCH_PREFIX : MATCH_EXACT, text);
	}
	for (unsigned int i = 0; i < 70; i++) {
		snprintf(text, sizeof(text), "/.part%u/%x", i * 13 % 17, i * 7);
		many_add(&t, i % 8 ? MATCH_CONTAINS : MATCH_SUFFIX, text);
	}
	many_add(&t, MATCH_GLOB, "/home/*/.ssh/*");
	many_add(&t, MATCH_GLOB, "/proc/*/environ");
	many_add(&t, MATCH_GLOB, "*/.aws/*");
	many_add(&t, MATCH_GLOB, "/dev/tty[0-9]*");
	many_add(&t, MATCH_PMATCH, "/usr/lib");
	many_add(&t, MATCH_PMATCH, "/home/*/bin");
	many_add(&t, MATCH_ODD, "");
	CHECK_EQ(many_build(&t), 0);
	fprintf(stderr, "# %zu patterns: %u states of %u classes in %.1f ms\n", t.n, t.m.n_states,
		t.m.n_classes, t.ms);
	CHECK(t.m.n_states < 20000);
	CHECK(t.ms < 500); /* a few, but tests run beside other things and under sanitizers */
	many_done(&t);
}

/* Sets whose automaton is of exponential size: the dear ones are refused, the same ones always. */
TEST(match_cuts)
{
	struct many t = {}, again = {};
	uint64_t bits[8] = {0};
	char text[64];

	for (unsigned int i = 0; i < 60; i++) {
		snprintf(text, sizeof(text), i % 2 ? "*%c*%c*%c?????????x" : "*%c%c*%c*",
			 'a' + i % 13, 'a' + i % 7, 'a' + i % 5);
		many_add(&t, MATCH_GLOB, text);
		many_add(&again, MATCH_GLOB, text);
	}
	many_add(&t, MATCH_PREFIX, "/usr/bin");
	many_add(&again, MATCH_PREFIX, "/usr/bin");
	CHECK(many_build(&t) > 0);
	fprintf(stderr, "# %zu dear patterns: %u states in %.1f ms\n", t.n, t.m.n_states, t.ms);
	many_build(&again);
	CHECK(t.m.n_states <= MATCH_STATES_MAX);
	CHECK(!memcmp(t.refused, again.refused, t.n * sizeof(bool)));
	CHECK_EQ(t.m.n_states, again.m.n_states);
	CHECK(!t.refused[60]);
	match_run(&t.m, STR("/usr/bin/x"), bits);
	CHECK(bits[0] >> 60 & 1);
	many_done(&t);
	many_done(&again);
}

/* Long texts are walked, and a walk that can find nothing more ends. */
TEST(match_long_and_dead)
{
	struct match_pattern p[2] = {{MATCH_PREFIX, false, STR("/a"), 0},
				     {MATCH_SUFFIX, false, STR("z"), 1}};
	bool refused[2] = {false};
	char text[70000];
	struct arena a = {};
	uint64_t bits = 0;
	struct match m;

	memset(text, 'y', sizeof(text));
	text[sizeof(text) - 1] = 'z';
	match_build(&a, p, 2, 2, refused, &m);
	match_run(&m, (struct str){text, sizeof(text)}, &bits);
	CHECK_EQ(bits, 2);
	match_build(&a, p, 1, 1, refused, &m);
	CHECK_EQ(m.next[m.start * m.n_classes + m.classes['y']], MATCH_DEAD);
	for (uint32_t c = 0; c < m.n_classes; c++)
		CHECK_EQ(m.next[c], MATCH_DEAD);
	CHECK_EQ(m.at_end[MATCH_DEAD], 0);
	match_build(&a, NULL, 0, 0, NULL, &m);
	CHECK_EQ(m.start, MATCH_DEAD);
	arena_done(&a);
}
