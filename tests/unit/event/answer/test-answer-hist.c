/* SPDX-License-Identifier: Apache-2.0 */
#include "event/answer/ask.h"
#include "test.h"

#include <stdlib.h>
#include <time.h>

#define BAR52 "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"
#define BAR26 "@@@@@@@@@@@@@@@@@@@@@@@@@@                          "
#define BAR0  "                                                    "

/* Buckets as "bucket" and its count; then what is printed. */
struct count {
	const char *bucket, *counts;
};

static const struct {
	struct type agg; /* its `agg` and kind alone */
	struct count counts[8];
	const char *text, *json;
} cases[] = {
	{{.kind = TYPE_HIST},
	 {{"0", "1"}, {"3", "2"}, {"4", "1"}, {"6", "1"}},
	 "(..., 0)               1 |" BAR26 "|\n"
	 "[0]                    0 |" BAR0 "|\n"
	 "[1]                    0 |" BAR0 "|\n"
	 "[2, 4)                 2 |" BAR52 "|\n"
	 "[4, 8)                 1 |" BAR26 "|\n"
	 "[8, 16)                0 |" BAR0 "|\n"
	 "[16, 32)               1 |" BAR26 "|\n",
	 "[{\"max\": -1, \"count\": 1},{\"min\": 0, \"max\": 0, \"count\": 0},"
	 "{\"min\": 1, \"max\": 1, \"count\": 0},{\"min\": 2, \"max\": 3, \"count\": 2},"
	 "{\"min\": 4, \"max\": 7, \"count\": 1},{\"min\": 8, \"max\": 15, \"count\": 0},"
	 "{\"min\": 16, \"max\": 31, \"count\": 1}]"},
	{{.kind = TYPE_HIST},
	 {{"11", "1 ; 1"}, {"12", "1"}},
	 "[512, 1K)              2 |" BAR52 "|\n"
	 "[1K, 2K)               1 |" BAR26 "|\n",
	 "[{\"min\": 512, \"max\": 1023, \"count\": 2},{\"min\": 1024, \"max\": 2047, \"count\": "
	 "1}]"},
	{{.kind = TYPE_HIST},
	 {{"64", "1"}},
	 "[4E, 8E)               1 |" BAR52 "|\n",
	 "[{\"min\": 4611686018427387904, \"max\": \"9223372036854775807\", \"count\": 1}]"},
	{{.kind = TYPE_HIST, .agg.bits = 2}, {{"8", "1"}, {"9", "1"}, {"43", "2"}}, NULL, NULL},
	{{.kind = TYPE_HIST, .agg.bits = 2},
	 {{"8", "1"}, {"9", "2"}},
	 "[7]                    1 |" BAR26 "|\n"
	 "[8, 10)                2 |" BAR52 "|\n",
	 "[{\"min\": 7, \"max\": 7, \"count\": 1},{\"min\": 8, \"max\": 9, \"count\": 2}]"},
	{{.kind = TYPE_LHIST, .agg = {.min = 610000, .max = 670000, .step = 10000}},
	 {{"1", "1"}, {"2", "1"}},
	 "[610000, 620000)       1 |" BAR52 "|\n"
	 "[620000, 630000)       1 |" BAR52 "|\n",
	 "[{\"min\": 610000, \"max\": 619999, \"count\": 1},"
	 "{\"min\": 620000, \"max\": 629999, \"count\": 1}]"},
	{{.kind = TYPE_LHIST, .agg = {.min = 0, .max = 5120, .step = 1024}},
	 {{"1", "1"}, {"5", "1"}},
	 "[0, 1K)                1 |" BAR52 "|\n"
	 "[1K, 2K)               0 |" BAR0 "|\n"
	 "[2K, 3K)               0 |" BAR0 "|\n"
	 "[3K, 4K)               0 |" BAR0 "|\n"
	 "[4K, 5K)               1 |" BAR52 "|\n",
	 NULL},
	{{.kind = TYPE_LHIST, .agg = {.min = 0, .max = 100, .step = 10}},
	 {{"11", "1"}},
	 "[100, ...)             1 |" BAR52 "|\n",
	 "[{\"min\": 100, \"count\": 1}]"},
	{{.kind = TYPE_LHIST, .agg = {.min = 10, .max = 110, .step = 10}},
	 {{"0", "1"}},
	 "(..., 10)              1 |" BAR52 "|\n",
	 "[{\"max\": 9, \"count\": 1}]"},
	{{.kind = TYPE_LHIST, .agg = {.min = 1, .max = 10, .step = 1}},
	 {{"1", "1"}},
	 "[1]                    1 |" BAR52 "|\n",
	 "[{\"min\": 1, \"max\": 1, \"count\": 1}]"},
	/* zero() leaves empty buckets */
	{{.kind = TYPE_HIST}, {{"3", "0"}}, "", "[]"},
	/* not a bucket: left out */
	{{.kind = TYPE_LHIST, .agg = {.min = 1, .max = 10, .step = 1}},
	 {{"999999", "1"}},
	 "",
	 "[]"},
};

static struct ask *ask_hist(enum answer_format format, const struct type *agg, const char *key)
{
	struct ask *x = ask_new(format);
	uint32_t map = ask_map(x, "@h", key, agg->kind == TYPE_TSERIES ? "tseries" : "hist");
	struct type *t = arena_copy(&x->q.arena, x->q.maps.p[map].value, sizeof(*t));

	t->kind = agg->kind;
	t->agg = agg->agg;
	t->is_signed = agg->is_signed;
	x->q.maps.p[map].value = t;
	return x;
}

static void check(enum answer_format format, size_t i, const char *expected)
{
	struct ask *x = ask_hist(format, &cases[i].agg, NULL);
	_cleanup_buf_ struct buf all = {0};

	for (size_t k = 0; k < ELEMENTS(cases[i].counts) && cases[i].counts[k].bucket; k++)
		ask_put(x, 0, cases[i].counts[k].bucket, cases[i].counts[k].counts);
	ask_out(x);
	answer_maps(x->a);
	if (format == ANSWER_JSON)
		buf_printf(&all, "{\"type\": \"hist\", \"data\": {\"@h\": %s}}\n", expected);
	else
		buf_printf(&all, "\n\n@h:\n%s\n", expected);
	CHECK_STREQ(ask_out(x), all.p);
	ask_free(x);
}

TEST(hist)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		if (cases[i].text)
			check(ANSWER_TEXT, i, cases[i].text);
		if (cases[i].json)
			check(ANSWER_JSON, i, cases[i].json);
	}
}

/* Ordered by the sum of their counts; top counts histograms, div the events. */
TEST(keys)
{
	static const struct type agg = {.kind = TYPE_HIST};
	struct ask *x = ask_hist(ANSWER_TEXT, &agg, "(s64, str4)");
	uint32_t print = ask_action(x, QACTION_PRINT_MAP, NULL, "(u32, u32)");

	ask_put(x, 0, "1 'a' 3", "4");
	ask_put(x, 0, "2 'b' 3", "1 ; 2");
	ask_put(x, 0, "1 'a' 4", "2");
	ask_record(x, print, "0 0");
	CHECK_STREQ(ask_out(x), "@h[2, b]:\n"
				"[2, 4)                 3 |" BAR52 "|\n"
				"\n"
				"@h[1, a]:\n"
				"[2, 4)                 4 |" BAR52 "|\n"
				"[4, 8)                 2 |" BAR26 "|\n"
				"\n");
	ask_record(x, print, "1 2");
	CHECK_STREQ(ask_out(x), "@h[1, a]:\n"
				"[2, 4)                 2 |" BAR52 "|\n"
				"[4, 8)                 1 |" BAR26 "|\n"
				"\n");
	ask_free(x);
}

TEST(keys_json)
{
	static const struct type agg = {.kind = TYPE_HIST};
	struct ask *x = ask_hist(ANSWER_JSON, &agg, "(str4, s64)");

	ask_put(x, 0, "'a' 3 10", "1");
	ask_put(x, 0, "'b' 2 3", "2");
	ask_out(x);
	answer_maps(x->a);
	CHECK_STREQ(ask_out(x), "{\"type\": \"hist\", \"data\": {\"@h\": "
				"{\"a,3\": [{\"min\": 256, \"max\": 511, \"count\": 1}], "
				"\"b,2\": [{\"min\": 2, \"max\": 3, \"count\": 2}]}}}\n");
	ask_free(x);
}

/* --- time series: elements are value, meta, interval */

static struct type series(enum tseries_agg how, bool is_signed, uint32_t n)
{
	return (struct type){
		.kind = TYPE_TSERIES,
		.is_signed = is_signed,
		.agg = {.interval_ns = 100000000, .intervals = n, .agg = (uint8_t)how},
	};
}

static void in_utc(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
}

TEST(series)
{
	struct type agg = series(TSERIES_NONE, true, 5);
	struct ask *x = ask_hist(ANSWER_TEXT, &agg, NULL);

	in_utc();
	ask_put(x, 0, "0", "9 1 10");
	ask_put(x, 0, "1", "9 1 6 ; 3 5 6");
	ask_put(x, 0, "2", "-4 1 7 ; 5 1 2");
	ask_put(x, 0, "4", "9 1 9");
	ask_out(x);
	answer_maps(x->a);
	CHECK_STREQ(ask_out(x),
		    "\n\n@h:\n"
		    "             -4                                                  9\n"
		    "hh:mm:ss.ms  |___________________________________________________|\n"
		    "00:00:00.600 |               .           *                       | 3\n"
		    "00:00:00.700 *               .                                   | -4\n"
		    "00:00:00.800 |               .                                   | -\n"
		    "00:00:00.900 |               .                                   * 9\n"
		    "00:00:01.000 |               .                                   * 9\n"
		    "             v___________________________________________________v\n"
		    "             -4                                                  9\n"
		    "\n");
	ask_free(x);
}

TEST(series_aggregations)
{
	static const struct {
		enum tseries_agg how;
		const char *value;
	} how[] = {
		{TSERIES_AVG, "4"},  {TSERIES_MAX, "8"},  {TSERIES_MIN, "5"},
		{TSERIES_SUM, "13"}, {TSERIES_NONE, "5"},
	};

	in_utc();
	for (size_t i = 0; i < ELEMENTS(how); i++) {
		struct type agg = series(how[i].how, false, 5);
		struct ask *x = ask_hist(ANSWER_JSON, &agg, NULL);
		_cleanup_buf_ struct buf expected = {0};

		ask_put(x, 0, "0", "8 1 5 ; 5 2 5 ; 77 9 0");
		ask_out(x);
		answer_maps(x->a);
		buf_printf(&expected,
			   "{\"type\": \"tseries\", \"data\": {\"@h\": [{\"interval_start\":"
			   "\"1970-01-01 00:00:00.500000000\",\"value\":%s}]}}\n",
			   how[i].value);
		CHECK_STREQ(ask_out(x), expected.p);
		ask_free(x);
	}
}

/* A histogram that is an array: two stripes of eight buckets, then whether it was set. */
TEST(rows)
{
	static const struct {
		uint64_t first[9], second[9];
		const char *text;
	} lines[] = {
		{{0, 0, 0, 1, [8] = 1},
		 {0, 0, 0, 1, 1, [8] = 1},
		 "\n\n@h:\n[2, 4)                 2 |" BAR52 "|\n"
		 "[4, 8)                 1 |" BAR26 "|\n\n"},
		{{[8] = 1}, {0}, "\n\n@h:\n\n"},
		{{0}, {0}, "\n\n"},
	};

	for (size_t i = 0; i < ELEMENTS(lines); i++) {
		struct type agg = {.kind = TYPE_HIST};
		struct ask *x = ask_hist(ANSWER_TEXT, &agg, NULL);
		struct question_map *m = &x->q.maps.p[0];

		m->type = BPF_MAP_TYPE_ARRAY;
		m->n_stripes = 2;
		m->stripe_step = QMAP_STRIPE_GAP + sizeof(lines[i].first);
		x->n_items[0] = 1;
		x->items[0][0].n = 2;
		memcpy(x->items[0][0].values[0], lines[i].first, sizeof(lines[i].first));
		memcpy(x->items[0][0].values[1], lines[i].second, sizeof(lines[i].second));
		ask_out(x);
		answer_maps(x->a);
		CHECK_STREQ(ask_out(x), lines[i].text);
		ask_free(x);
	}
}

/* The latest interval of all series is the end of each. */
TEST(series_keys)
{
	struct type agg = series(TSERIES_NONE, true, 3);
	struct ask *x = ask_hist(ANSWER_JSON, &agg, "str8");

	ask_put(x, 0, "'two' 0", "4 1 9");
	ask_put(x, 0, "'one' 0", "5 1 6");
	ask_put(x, 0, "'one' 1", "6 1 7");
	ask_out(x);
	answer_maps(x->a);
	CHECK_STREQ(ask_out(x),
		    "{\"type\": \"tseries\", \"data\": {\"@h\": {\"one\": "
		    "[{\"interval_start\":\"1970-01-01 00:00:00.700000000\",\"value\":6}], "
		    "\"two\": "
		    "[{\"interval_start\":\"1970-01-01 00:00:00.900000000\",\"value\":4}]}}}\n");
	ask_free(x);
}

TEST(series_empty)
{
	struct type agg = series(TSERIES_NONE, true, 3);
	struct ask *x = ask_hist(ANSWER_TEXT, &agg, NULL);

	ask_put(x, 0, "0", "0 0 0");
	ask_out(x);
	answer_maps(x->a);
	CHECK_STREQ(ask_out(x), "\n\n@h:\n<no data>\n");
	ask_free(x);
}
