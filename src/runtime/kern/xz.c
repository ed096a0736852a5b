/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/kern/xz.h"

#include <errno.h>
#include <lzma.h>

enum { PART = 256 << 10, UNPACKED_MAX = 256 << 20, MEMORY_MAX = 128 << 20 };

int xz_unpack(struct str packed, struct buf *to)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret r = lzma_stream_decoder(&s, MEMORY_MAX, 0);

	s.next_in = (const uint8_t *)packed.p;
	s.avail_in = packed.n;
	while (r == LZMA_OK && to->n < UNPACKED_MAX) {
		buf_reserve(to, PART);
		s.next_out = (uint8_t *)to->p + to->n;
		s.avail_out = PART - 1;
		r = lzma_code(&s, LZMA_FINISH);
		to->n += PART - 1 - s.avail_out;
		to->p[to->n] = 0;
	}
	lzma_end(&s);
	return r == LZMA_STREAM_END ? 0 : -EBADMSG;
}
