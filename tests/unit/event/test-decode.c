/* SPDX-License-Identifier: Apache-2.0 */
#include "event/decode.h"

#include "event/made.h"
#include "test.h"

#include <errno.h>
#include <stdlib.h>

static const unsigned int identities[] = {WIRE_PROC, WIRE_CGROUP, WIRE_CONTAINER, WIRE_USER,
					  WIRE_TALLY};

/* Sets a string of a record to (off, len), as somebody hostile would. */
static void set_str(struct buf *b, size_t member, uint16_t off, uint16_t len)
{
	struct wire_str s = {off, len};

	memcpy(b->p + member, &s, sizeof(s));
}

static void check_kind(unsigned int kind)
{
	_cleanup_buf_ struct buf b = {0};
	struct wire_head *h = made(&b, kind, 1, 0);
	size_t n = b.n;

	CHECK_EQ(record_check(b.p, n), 0);
	CHECK_EQ(record_check(b.p, n - 1), -EBADMSG);
	h->size = n - 1;
	CHECK_EQ(record_check(b.p, n - 1), -EBADMSG);
	h->size = n + 4;
	CHECK_EQ(record_check(b.p, n), -EBADMSG);
	buf_add(&b, "1234", 4);
	CHECK_EQ(record_check(b.p, n + 4), 0);
}

TEST(sizes)
{
	for (unsigned int kind = 1; kind < EV_END; kind++)
		check_kind(kind);
	for (size_t i = 0; i < ELEMENTS(identities); i++)
		check_kind(identities[i]);
}

TEST(too_short)
{
	_cleanup_buf_ struct buf b = {0};

	made(&b, EV_LOST, 1, 0);
	CHECK_EQ(record_check(NULL, 0), -EBADMSG);
	for (uint32_t n = 0; n < sizeof(struct wire_head); n++) {
		memcpy(b.p, &n, sizeof(n));
		CHECK_EQ(record_check(b.p, n), -EBADMSG);
	}
}

TEST(too_long)
{
	_cleanup_buf_ struct buf b = {0};
	struct wire_head *h;

	made(&b, EV_LOST, 1, 0);
	buf_reserve(&b, 2 * WIRE_RECORD_MAX);
	h = (struct wire_head *)b.p;
	h->size = WIRE_RECORD_MAX;
	CHECK_EQ(record_check(b.p, WIRE_RECORD_MAX), 0);
	h->size = WIRE_RECORD_MAX + 1;
	CHECK_EQ(record_check(b.p, WIRE_RECORD_MAX + 1), -EBADMSG);
}

TEST(kinds)
{
	_cleanup_buf_ struct buf b = {0};
	struct wire_head *h = made(&b, EV_LOST, 1, 0);

	for (unsigned int kind = 0; kind <= UINT16_MAX; kind++) {
		int expected = body_of_kind(kind) == BODY_END		    ? -ENOTSUP
			       : body_size(body_of_kind(kind)) > sizeof(*h) ? -EBADMSG
									    : 0;

		h->kind = kind;
		if (record_check(b.p, b.n) != expected)
			CHECK_EQ(record_check(b.p, b.n), expected);
	}
	h->kind = WIRE_NONE;
	CHECK_EQ(record_check(b.p, b.n), -ENOTSUP);
}

/* Every string of every body: inside the record and behind the fixed part, or refused. */
TEST(strings)
{
	for (unsigned int kind = 1; kind <= WIRE_TALLY; kind++) {
		_cleanup_buf_ struct buf b = {0};
		enum body body = body_of_kind(kind);
		size_t member, fixed;
		struct wire_head *h;

		if (body == BODY_END)
			continue;
		h = made(&b, kind, 1, 0);
		fixed = b.n;
		buf_add(&b, "12345678", 8);
		h->size = b.n;
		for (size_t i = 0; (member = body_string(body, i)); i++) {
			const struct {
				size_t off, len;
				int expected;
			} cases[] = {
				{0, 0, 0},
				{fixed, 0, 0},
				{fixed, 8, 0},
				{fixed + 8, 0, 0},
				{fixed + 7, 1, 0},
				{0, 1, -EBADMSG},
				{0, 8, -EBADMSG},
				{1, 1, -EBADMSG},
				{fixed - 1, 1, -EBADMSG},
				{fixed, 9, -EBADMSG},
				{fixed + 8, 1, -EBADMSG},
				{fixed + 9, 0, -EBADMSG},
				{UINT16_MAX, UINT16_MAX, -EBADMSG},
				{fixed, UINT16_MAX, -EBADMSG},
			};

			for (size_t k = 0; k < ELEMENTS(cases); k++) {
				set_str(&b, member, cases[k].off, cases[k].len);
				test_result(record_check(b.p, b.n) == cases[k].expected, __FILE__,
					    __LINE__, "kind %u, string %zu: (%zu, %zu)", kind, i,
					    cases[k].off, cases[k].len);
			}
			set_str(&b, member, 0, 0);
		}
		CHECK_EQ(record_check(b.p, b.n), 0);
	}
}

TEST(unaligned)
{
	_cleanup_buf_ struct buf b = {0};
	char *odd;

	made(&b, EV_OPEN, 1, 0);
	ADD_STR(&b, wire_file, path, "/x");
	record_end(&b);
	odd = malloc(b.n + 1);
	memcpy(odd + 1, b.p, b.n);
	CHECK_EQ(record_check(odd + 1, b.n), 0);
	free(odd);
}

TEST(round_trip)
{
	_cleanup_buf_ struct buf b = {0};
	struct wire_file *f = made(&b, EV_RENAME, 7, 3);

	ADD_STR(&b, wire_file, path, "old");
	ADD_STR(&b, wire_file, dir, "");
	ADD_STR(&b, wire_file, path2, "a\0b");
	record_end(&b);
	CHECK_EQ(record_check(b.p, b.n), 0);
	CHECK_EQ(f->head.size, b.n);
	CHECK_EQ(f->head.kind, EV_RENAME);
	CHECK(str_eq(record_str(f, f->path), STR("old")));
	CHECK_STREQ(record_str(f, f->path).p, "old"); /* a NUL stands behind each */
	CHECK(record_str(f, f->dir).p && !record_str(f, f->dir).n);
	CHECK(str_eq(record_str(f, f->path2), STR("a\0b")));
	CHECK(!record_str(f, f->file).p);
	CHECK_EQ(record_str(f, f->file).n, 0);
	/* the buffer is used again */
	record_begin(&b, WIRE_USER);
	record_end(&b);
	CHECK_EQ(b.n, sizeof(struct wire_user));
	CHECK_EQ(record_check(b.p, b.n), 0);
}

/* What does not fit is cut or left out, and the record stays whole. */
TEST(full)
{
	_cleanup_buf_ struct buf b = {0}, text = {0};
	struct wire_container *c = made(&b, WIRE_CONTAINER, 1, 0);
	size_t added = 0, member;

	while (text.n < 2 * WIRE_PATH_MAX)
		buf_putc(&text, 'x');
	record_add_str(&b, offsetof(struct wire_container, id), (struct str){0});
	CHECK_EQ(c->id.off, 0);
	for (size_t i = 0; (member = body_string(BODY_wire_container, i)); i++) {
		record_add_str(&b, member, buf_str(&text));
		record_end(&b);
		CHECK_EQ(record_check(b.p, b.n), 0);
	}
	for (size_t i = 0; (member = body_string(BODY_wire_container, i)); i++) {
		struct wire_str s;

		memcpy(&s, b.p + member, sizeof(s));
		added += !!s.off;
		CHECK_EQ(s.len, s.off ? WIRE_PATH_MAX : 0);
	}
	CHECK_EQ(added, 3);
}

/* Bytes of a good record changed at will: what passes the check may be followed. */
TEST(random_changes)
{
	_cleanup_buf_ struct buf b = {0}, good = {0};
	size_t passed = 0, wrong = 0;

	srand(2);
	for (int round = 0; round < 20000; round++) {
		unsigned int kind = 1 + rand() % (EV_END - 1);
		struct wire_head *h;
		size_t member;

		made(&good, kind, 1, 0);
		for (size_t i = 0; (member = body_string(body_of_kind(kind), i)); i++)
			record_add_str(&good, member, STR("some text"));
		record_end(&good);
		buf_reset(&b);
		buf_put_str(&b, buf_str(&good));
		for (int i = 0; i < 4; i++)
			b.p[sizeof(*h) + rand() % (b.n - sizeof(*h) + 1)] = rand() % 2 ? 0 : rand();
		h = (struct wire_head *)b.p;
		if (record_check(b.p, b.n) < 0)
			continue;
		passed++;
		for (size_t i = 0; (member = body_string(body_of_kind(kind), i)); i++) {
			struct wire_str at;
			struct str s;

			memcpy(&at, b.p + member, sizeof(at));
			s = record_str(h, at);
			wrong += s.n && (s.p < b.p + body_size(body_of_kind(kind)) ||
					 s.p + s.n > b.p + b.n);
		}
	}
	CHECK(passed > 100);
	CHECK_EQ(wrong, 0);
}

/* What rules add stands behind a record, and must be whole, and point into it. */
TEST(decode_annex)
{
	struct {
		struct wire_file f;
		char text[16];
		struct wire_annex a;
	} r = {.f.head = {.size = sizeof(r), .kind = EV_OPEN, .flags = WIRE_F_ANNEX}};
	uint16_t text = offsetof(typeof(r), text);

	CHECK_EQ(record_check(&r, sizeof(r)), 0);
	CHECK(record_annex(&r) == &r.a);
	r.a.name = (struct wire_str){text, 16};
	CHECK_EQ(record_check(&r, sizeof(r)), 0);
	r.a.name = (struct wire_str){text, 17};
	CHECK_EQ(record_check(&r, sizeof(r)), -EBADMSG);
	r.a.name = (struct wire_str){text - 1, 1};
	CHECK_EQ(record_check(&r, sizeof(r)), -EBADMSG);
	r.a.name = (struct wire_str){0};
	r.a.env = (struct wire_str){65535, 1};
	CHECK_EQ(record_check(&r, sizeof(r)), -EBADMSG);
	r.a.env = (struct wire_str){0};
	r.a.n_ancestors = ANCESTORS_MAX + 1;
	CHECK_EQ(record_check(&r, sizeof(r)), -EBADMSG);
	r.a.n_ancestors = ANCESTORS_MAX;
	CHECK_EQ(record_check(&r, sizeof(r)), 0);
	r.f.head.size = sizeof(r.f) + 8; /* no room for it */
	CHECK_EQ(record_check(&r, r.f.head.size), -EBADMSG);
	r.f.head.flags = 0;
	CHECK_EQ(record_check(&r, r.f.head.size), 0);
	CHECK(!record_annex(&r));
}
