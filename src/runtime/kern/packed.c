/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/packed.h"

#include "base/macro.h"

#include <endian.h>
#include <errno.h>
#include <zlib.h>

enum { GZIP = 16, UNPACKED_MAX = 16 << 20 };

static uint32_t number(const char *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return le32toh(n);
}

/* Appends exactly `n` bytes. */
static int inflate_n(struct str packed, size_t n, struct buf *to)
{
	z_stream s = {.next_in = (Bytef *)packed.p, .avail_in = packed.n};
	int r;

	if (inflateInit2(&s, MAX_WBITS | GZIP) != Z_OK)
		return -ENOMEM;
	buf_reserve(to, n);
	s.next_out = (Bytef *)to->p + to->n;
	s.avail_out = n;
	r = inflate(&s, Z_SYNC_FLUSH);
	inflateEnd(&s);
	if (s.avail_out || (r != Z_OK && r != Z_STREAM_END))
		return -EBADMSG;
	to->n += n;
	to->p[to->n] = 0;
	return 0;
}

int packed_read(struct str packed, size_t max, struct buf *to)
{
	uint32_t n;

	if (packed.n < sizeof(n))
		return -EBADMSG;
	n = number(packed.p + packed.n - sizeof(n)); /* gzip's last word: how much it was */
	return n > UNPACKED_MAX ? -EBADMSG : inflate_n(packed, MIN(n, max), to);
}

int packed_patch(struct str old, struct str delta, struct buf *to)
{
	enum { HEAD = 8, ROW = 12 };
	const char *row = delta.p + HEAD, *fresh;
	size_t begin = to->n, n_rows, left;

	if (delta.n < HEAD)
		return -EBADMSG;
	n_rows = number(delta.p + 4);
	if ((delta.n - HEAD) / ROW < n_rows || number(delta.p) > UNPACKED_MAX)
		return -EBADMSG;
	fresh = row + n_rows * ROW;
	left = delta.n - HEAD - n_rows * ROW;
	buf_reserve(to, number(delta.p));
	for (; n_rows; n_rows--, row += ROW) {
		size_t n_fresh = number(row), from = number(row + 4), n = number(row + 8);

		if (n_fresh > left || from > old.n || n > old.n - from)
			return -EBADMSG;
		buf_add(to, fresh, n_fresh);
		buf_add(to, old.p + from, n);
		fresh += n_fresh;
		left -= n_fresh;
	}
	return to->n - begin == number(delta.p) && !left ? 0 : -EBADMSG;
}
