/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "runtime/kern/packed.h"
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

enum { SIZE = 100000 };

/* What gzip makes of so many lines; the caller frees. */
static void pack(struct buf *plain, struct buf *packed)
{
	z_stream s = {0};

	for (unsigned int i = 0; plain->n < SIZE; i++)
		buf_printf(plain, "line %u\n", i * i % 7919);
	CHECK_EQ(deflateInit2(&s, 9, Z_DEFLATED, MAX_WBITS | 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	buf_reserve(packed, plain->n);
	s.next_in = (Bytef *)plain->p;
	s.avail_in = plain->n;
	s.next_out = (Bytef *)packed->p;
	s.avail_out = plain->n;
	CHECK_EQ(deflate(&s, Z_FINISH), Z_STREAM_END);
	packed->n = s.total_out;
	deflateEnd(&s);
}

TEST(all_or_the_first_bytes)
{
	_cleanup_buf_ struct buf plain = {0}, packed = {0};

	pack(&plain, &packed);
	for (size_t i = 0; i < 5; i++) {
		size_t max = ((size_t[]){0, 1, SIZE / 2, plain.n, SIZE_MAX})[i];
		size_t n = MIN(max, plain.n);
		_cleanup_buf_ struct buf to = {0};

		buf_puts(&to, "before");
		CHECK_EQ(packed_read(buf_str(&packed), max, &to), 0);
		CHECK_EQ(to.n, n + 6);
		CHECK(!memcmp(to.p, "before", 6) && !memcmp(to.p + 6, plain.p, n) && !to.p[n + 6]);
	}
}

TEST(what_was_not_packed)
{
	_cleanup_buf_ struct buf plain = {0}, packed = {0}, to = {0};

	pack(&plain, &packed);
	CHECK_EQ(packed_read((struct str){0}, SIZE, &to), -EBADMSG);
	CHECK_EQ(packed_read((struct str){"abc", 3}, SIZE, &to), -EBADMSG);
	CHECK_EQ(packed_read((struct str){plain.p, 1000}, SIZE, &to), -EBADMSG);
	CHECK_EQ(packed_read((struct str){"\x10\0\0\0\x10\0\0\0", 8}, SIZE, &to), -EBADMSG);
	CHECK_EQ(to.n, 0);
	/* it ends too early, and what stands there is no size */
	CHECK_EQ(packed_read((struct str){packed.p, packed.n / 2}, SIZE, &to), -EBADMSG);
	/* its size is a lie */
	packed.p[packed.n - 3] ^= 0x7f;
	CHECK_EQ(packed_read(buf_str(&packed), SIZE_MAX, &to), -EBADMSG);
	CHECK_EQ(to.n, 0);
}

/* n numbers, then the new bytes; their memory is the caller's. */
static struct str delta(struct buf *b, const uint32_t *numbers, size_t n, const char *fresh)
{
	buf_reset(b);
	buf_add(b, numbers, n * sizeof(*numbers)); /* tests run where these are little-endian */
	buf_puts(b, fresh);
	return buf_str(b);
}

TEST(patches)
{
	const struct str old = {"0123456789", 10};
	const uint32_t good[] = {12, 3, 0, 2, 4, 3, 0, 3, 2, 0, 0};
	_cleanup_buf_ struct buf b = {0}, to = {0};

	CHECK_EQ(packed_patch(old, delta(&b, good, ELEMENTS(good), "abcde"), &to), 0);
	CHECK_STREQ(to.p, "2345abc012de");
	/* nothing of it */
	CHECK_EQ(packed_patch(old, delta(&b, (uint32_t[]){0, 0}, 2, ""), &to), 0);
	CHECK_EQ(to.n, 12);
}

TEST(patches_that_are_none)
{
	const struct str old = {"0123456789", 10};
	static const struct {
		uint32_t n, numbers[8];
		const char *fresh;
	} bad[] = {
		{0, {0}, "abc"},		   /* no head */
		{2, {0, 1}, ""},		   /* no row */
		{2, {0, UINT32_MAX}, ""},	   /* nor so many */
		{2, {UINT32_MAX, 0}, ""},	   /* so much is not made */
		{5, {4, 1, 0, 2, 3}, ""},	   /* fewer bytes */
		{5, {2, 1, 0, 2, 3}, ""},	   /* more */
		{5, {3, 1, 3, 0, 0}, "ab"},	   /* new bytes that are not there */
		{5, {3, 1, 3, 0, 0}, "abcd"},	   /* … that nobody takes */
		{5, {3, 1, 0, 8, 3}, ""},	   /* behind the old ones */
		{5, {3, 1, 0, 11, 0}, ""},	   /* … */
		{5, {3, 1, 0, UINT32_MAX, 4}, ""}, /* … */
		{5, {3, 1, 0, 4, UINT32_MAX}, ""}, /* … */
		{5, {3, 1, UINT32_MAX, 0, 3}, "abc"},
	};

	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		_cleanup_buf_ struct buf b = {0}, to = {0};
		struct str d = delta(&b, bad[i].numbers, bad[i].n, bad[i].fresh);

		CHECK_EQ(packed_patch(old, d, &to), -EBADMSG);
	}
}
