/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/match/random-match.h"
#include "compile/rule/walker.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const place_names[WALKER_PLACES] = {"IR", "interpreter", "JIT", "kernel"};

/* --- texts */

static struct wire_str put(struct walker *w, uint32_t at, struct str text)
{
	memcpy(w->stage->record + at, text.p, text.n);
	return (struct wire_str){(__u16)at, (__u16)text.n};
}

static void stage_texts(struct walker *w, uint64_t *state, struct str a, struct str b,
			const char *name)
{
	struct walker_record *r = (struct walker_record *)w->stage->record;
	uint32_t at = WALKER_TEXTS + (uint32_t)random_number(state, 9), end;

	/* what stands around the texts must not count */
	for (size_t i = 0; i < sizeof(w->stage->record) && i < 600; i++)
		w->stage->record[i] = (uint8_t)("ab/.*x"[random_number(state, 6)]);
	r->a = put(w, at, a);
	end = at + (uint32_t)a.n + (uint32_t)random_number(state, 9);
	r->b = put(w, end, b);
	memset(r->name, 0, sizeof(r->name));
	memcpy(r->name, name, MIN(strlen(name), sizeof(r->name)));
}

/* --- random tables, everywhere */

enum { TABLES = 2 };

struct trial {
	struct random_match r[TABLES];
	struct match m[TABLES];
	struct arena arena;
	struct walker w;
	unsigned long runs;
};

static void expect(struct trial *t, struct str a, struct str b, const char *name,
		   struct walker_found *ret)
{
	_cleanup_buf_ struct buf text = {0};

	buf_put_str(&text, a);
	buf_putc(&text, '/');
	buf_put_str(&text, b);
	memset(ret, 0, sizeof(*ret));
	ret->same = str_eq(a, b);
	ret->length = strnlen(name, 16);
	for (uint32_t i = 0; i < TABLES; i++)
		match_run(&t->m[i], buf_str(&text), &ret->rest[walker_at(&t->w, i) + 1]);
}

static bool compare(struct trial *t, enum walker_place place, const struct walker_found *want)
{
	struct walker_found got;
	const struct walker_record *r = (const struct walker_record *)t->w.stage->record;

	t->runs++;
	if (!walker_run(&t->w, place, &got)) {
		fprintf(stderr, "%s: %s\n", place_names[place],
			t->w.error ? t->w.error : "does not run");
		return false;
	}
	if (!memcmp(&got, want, sizeof(got)))
		return true;
	fprintf(stderr, "%s: a '%.*s' b '%.*s' name '%.16s'\n", place_names[place], r->a.len,
		t->w.stage->record + r->a.off, r->b.len, t->w.stage->record + r->b.off, r->name);
	for (unsigned int i = 0; i < WALKER_OUT; i++)
		if (((uint64_t *)&got)[i] != ((const uint64_t *)want)[i])
			fprintf(stderr, "  out[%u] is %#lx, expected %#lx\n", i,
				((uint64_t *)&got)[i], ((const uint64_t *)want)[i]);
	return false;
}

static bool one_set(uint64_t seed, bool has_loop, bool has_each, int level, unsigned int texts,
		    unsigned long *runs)
{
	static const char *const names[] = {"", "a", "bash", "fifteen-bytes-x", "sixteen-bytes-xy"};
	struct trial *t = calloc(1, sizeof(*t));
	bool ok, is_there[WALKER_PLACES] = {false};

	walker_init(&t->w);
	t->w.has_loop = has_loop;
	t->w.has_each = has_each;
	t->w.level = level;
	for (uint32_t i = 0; i < TABLES; i++) {
		t->r[i].state = seed * TABLES + i;
		random_patterns(&t->r[i]);
		rule_tables_add(&t->w.tables, t->r[i].patterns, t->r[i].n, t->r[i].n_bits, 0,
				t->r[i].refused);
		match_build(&t->arena, t->r[i].patterns, t->r[i].n, t->r[i].n_bits, t->r[i].refused,
			    &t->m[i]);
	}
	ok = walker_make(&t->w);
	if (!ok)
		fprintf(stderr, "%s\n", t->w.error);
	for (enum walker_place p = 0; ok && p < WALKER_PLACES; p++) {
		int r = walker_load(&t->w, p);

		is_there[p] = r >= 0;
		ok = r >= 0 || r == -ENOTSUP;
		if (!ok)
			fprintf(stderr, "seed %lu, %s: %d: %s\n", seed, place_names[p], r,
				t->w.error ? t->w.error : "?");
	}
	for (unsigned int k = 0; ok && k < texts; k++) {
		char a[RANDOM_TEXT], b[RANDOM_TEXT];
		uint64_t *state = &t->r[0].state;
		struct str texts_[2] = {{a, random_subject(&t->r[0], a)},
					{b, random_subject(&t->r[k % TABLES], b)}};
		const char *name = names[k % ELEMENTS(names)];
		struct walker_found want;

		if (!random_number(state, 3)) {
			texts_[1].n = texts_[0].n;
			memcpy(b, a, texts_[0].n);
			if (texts_[1].n && random_number(state, 2))
				b[random_number(state, texts_[1].n)] ^= 1;
		}
		stage_texts(&t->w, state, texts_[0], texts_[1], name);
		expect(t, texts_[0], texts_[1], name, &want);
		for (enum walker_place p = 0; ok && p < WALKER_PLACES; p++)
			ok = !is_there[p] || compare(t, p, &want);
	}
	*runs += t->runs;
	walker_done(&t->w);
	arena_done(&t->arena);
	free(t);
	return ok;
}

TEST(walk_is_match_run)
{
	const char *seed = getenv("SEED"), *count = getenv("COUNT");
	unsigned long first = seed ? strtoul(seed, NULL, 0) : 1, runs = 0;
	unsigned long n = count ? strtoul(count, NULL, 0) : 16;
	bool ok = true;

	for (unsigned long i = 0; i < n && ok; i++) {
		ok = one_set(first + i, true, false, i % 3 ? 2 : 0, 80, &runs);
		if (!ok)
			fprintf(stderr, "seed %lu\n", first + i);
	}
	CHECK(ok);
	for (unsigned long i = 0; i < n / 5 && ok; i++) {
		ok = one_set(first + i, false, true, 2, 80, &runs) &&
		     one_set(first + i, false, false, 2, 80, &runs);
		if (!ok)
			fprintf(stderr, "without bpf_loop, seed %lu\n", first + i);
	}
	CHECK(ok);
	CHECK(runs >= n * 60);
}

/* --- the edges */

struct edge {
	struct walker w;
	struct match_pattern p[8];
	bool refused[8];
	uint32_t n;
	bool is_there[WALKER_PLACES];
};

static void edge_open(struct edge *t, bool has_loop, bool has_each, unsigned int flags)
{
	bool ok;

	walker_init(&t->w);
	t->w.has_loop = has_loop;
	t->w.has_each = has_each;
	t->w.only_a = true;
	rule_tables_add(&t->w.tables, t->p, t->n, 80, flags, t->refused);
	ok = walker_make(&t->w);
	if (!ok)
		fprintf(stderr, "%s\n", t->w.error);
	for (enum walker_place p = 0; ok && p < WALKER_PLACES; p++) {
		int r = walker_load(&t->w, p);

		t->is_there[p] = r >= 0;
		ok = r >= 0 || r == -ENOTSUP;
	}
	CHECK(ok);
}

/* bits of the first word, or ~0: not known. */
static void edge_check(struct edge *t, struct wire_str text, uint64_t want)
{
	struct walker_record *r = (struct walker_record *)t->w.stage->record;

	r->a = text;
	for (enum walker_place p = 0; p < WALKER_PLACES; p++) {
		struct walker_found got;

		if (!t->is_there[p])
			continue;
		CHECK(walker_run(&t->w, p, &got));
		test_result((got.rest[0] ? ~0ull : got.rest[1]) == want, __FILE__, __LINE__,
			    "%s, %u bytes at %u: unknown %lu, bits %#lx, expected %#lx",
			    place_names[p], text.len, text.off, got.rest[0], got.rest[1], want);
	}
}

TEST(walk_edges)
{
	struct edge t = {.p = {{MATCH_SUFFIX, false, STR("z"), 0},
			       {MATCH_PREFIX, false, STR("aa"), 1},
			       {MATCH_CONTAINS, false, STR("\xff\x80"), 2},
			       {MATCH_EXACT, false, STR(""), 3},
			       {MATCH_ANY, false, STR(""), 4},
			       {MATCH_CONTAINS, true, STR("b c"), 5}},
			 .n = 6};
	uint8_t *record;

	edge_open(&t, true, false, 0);
	record = t.w.stage->record;
	memset(record + WALKER_TEXTS, 'a', WIRE_RECORD_MAX - WALKER_TEXTS);
	edge_check(&t, (struct wire_str){WALKER_TEXTS, 0}, 1 << 3 | 1 << 4);
	edge_check(&t, (struct wire_str){0, 0}, 1 << 3 | 1 << 4);
	edge_check(&t, (struct wire_str){WALKER_TEXTS, 1}, 1 << 4);
	edge_check(&t, (struct wire_str){WALKER_TEXTS, 4096}, 1 << 1 | 1 << 4);
	record[WIRE_RECORD_MAX - 1] = 'z'; /* the last byte that there is */
	edge_check(&t, (struct wire_str){100, WIRE_RECORD_MAX - 100}, 1 | 1 << 1 | 1 << 4);
	edge_check(&t, (struct wire_str){WIRE_RECORD_MAX - 3, 3}, 1 | 1 << 1 | 1 << 4);
	/* places that no record has */
	edge_check(&t, (struct wire_str){WIRE_RECORD_MAX - 3, 4}, ~0ull);
	edge_check(&t, (struct wire_str){100, 0xffff}, ~0ull);
	edge_check(&t, (struct wire_str){0xffff, 0xffff}, ~0ull);
	memcpy(record + 1000, "\xff\x80 B C", 6);
	edge_check(&t, (struct wire_str){1000, 6}, 1 << 2 | 1 << 4 | 1 << 5);
	record[1004] = 0; /* a NUL is a byte as any other */
	edge_check(&t, (struct wire_str){1000, 6}, 1 << 2 | 1 << 4);
	walker_done(&t.w);
}

TEST(walk_arguments)
{
	struct edge t = {.p = {{MATCH_CONTAINS, false, STR("rm -rf /"), 0},
			       {MATCH_SUFFIX, false, STR(" /"), 1}},
			 .n = 2};

	edge_open(&t, true, false, RULE_TABLE_BLANKS);
	memcpy(t.w.stage->record + 500, "rm\0-rf\0/", 8);
	edge_check(&t, (struct wire_str){500, 8}, 3);
	edge_check(&t, (struct wire_str){500, 7}, 0);
	walker_done(&t.w);
}

TEST(walk_without_loop)
{
	struct edge t = {.p = {{MATCH_PREFIX, false, STR("/usr"), 0},
			       {MATCH_CONTAINS, false, STR("b"), 1},
			       {MATCH_SUFFIX, false, STR("aa"), 2}},
			 .n = 3};
	uint8_t *record;

	edge_open(&t, false, false, 0);
	record = t.w.stage->record;
	memset(record + WALKER_TEXTS, 'a', WIRE_RECORD_MAX - WALKER_TEXTS);
	edge_check(&t, (struct wire_str){WALKER_TEXTS, 0}, 0);
	edge_check(&t, (struct wire_str){WALKER_TEXTS, WALK_PLAIN_MAX - 1}, 4);
	edge_check(&t, (struct wire_str){WALKER_TEXTS, WALK_PLAIN_MAX + 1}, ~0ull);
	edge_check(&t, (struct wire_str){WIRE_RECORD_MAX - 3, 4}, ~0ull);
	memcpy(record + 1000, "/usr/lib/b", 10);
	edge_check(&t, (struct wire_str){1000, 10}, 3);
	walker_done(&t.w);
}

TEST(walk_each)
{
	struct edge t = {.p = {{MATCH_PREFIX, false, STR("/usr"), 0},
			       {MATCH_CONTAINS, false, STR("b"), 1},
			       {MATCH_SUFFIX, false, STR("aa"), 2}},
			 .n = 3};

	edge_open(&t, false, true, 0);
	memset(t.w.stage->record + WALKER_TEXTS, 'a', WIRE_RECORD_MAX - WALKER_TEXTS);
	edge_check(&t, (struct wire_str){WALKER_TEXTS, 0}, 0);
	edge_check(&t, (struct wire_str){WALKER_TEXTS, 4096}, 4);
	edge_check(&t, (struct wire_str){WALKER_TEXTS, 8 * RULE_TURNS + 1}, ~0ull);
	memset(t.w.stage->record + 1000, 'b', 4096); /* each byte sets a bit */
	edge_check(&t, (struct wire_str){1000, 500}, 2);
	edge_check(&t, (struct wire_str){1000, 4096}, ~0ull);
	walker_done(&t.w);
}

/* One answer a pattern, up to the last that a table has; and a pattern that has no room. */
TEST(walk_many_bits)
{
	struct match_pattern *p = calloc(RULE_TABLE_BITS, sizeof(*p));
	bool *refused = calloc(RULE_TABLE_BITS, sizeof(*refused));
	struct walker_record *r;
	struct walker_found got;
	struct walker w;
	int in_kernel;

	walker_init(&w);
	w.only_a = true;
	for (uint32_t i = 0; i < RULE_TABLE_BITS; i++) {
		char *text = arena_printf(&w.q.arena, "/x%u/", i * 7919 % 10007);

		p[i] = (struct match_pattern){MATCH_PREFIX, false, str_of(text), i};
	}
	rule_tables_add(&w.tables, p, RULE_TABLE_BITS, RULE_TABLE_BITS, 0, refused);
	CHECK(walker_make(&w));
	CHECK(walker_load(&w, WALKER_JIT) >= 0);
	in_kernel = walker_load(&w, WALKER_KERNEL);
	CHECK(in_kernel >= 0 || in_kernel == -ENOTSUP);
	r = (struct walker_record *)w.stage->record;
	r->a = (struct wire_str){300, (__u16)p[1000].text.n};
	memcpy(w.stage->record + 300, p[1000].text.p, p[1000].text.n);
	for (enum walker_place place = WALKER_JIT; place < WALKER_PLACES; place++) {
		if (place == WALKER_KERNEL && in_kernel < 0)
			continue;
		CHECK(walker_run(&w, place, &got));
		for (uint32_t i = 0; i < RULE_TABLE_BITS / 64; i++)
			CHECK_EQ(got.rest[1 + i], i == 1000 / 64 ? 1ull << (1000 & 63) : 0);
	}
	walker_done(&w);
	free(p);
	free(refused);
}

/* All tables together stay below what a map may hold: what has no room is refused, and said. */
TEST(tables_are_bounded)
{
	static struct match_pattern p[64];
	static bool refused[64];
	struct rule_tables t;
	unsigned int n_refused = 0;
	struct question q;

	question_init(&q);
	rule_tables_init(&t, &q);
	for (unsigned int i = 0; i < 40; i++) {
		for (unsigned int k = 0; k < ELEMENTS(p); k++) {
			char *text = arena_printf(&q.arena, "*%c%c*%u", 'a' + i % 26, 'a' + k % 26,
						  i * 64 + k);

			p[k] = (struct match_pattern){MATCH_GLOB, false, str_of(text), k};
		}
		memset(refused, 0, sizeof(refused));
		rule_tables_add(&t, p, ELEMENTS(p), 64, 0, refused);
		for (unsigned int k = 0; k < ELEMENTS(p); k++)
			n_refused += refused[k];
	}
	CHECK(n_refused > 0);
	CHECK(rule_tables_finish(&t) <= 4 << 20);
	CHECK(q.maps.p[t.map].value_size <= 4 << 20);
	question_done(&q);
}
