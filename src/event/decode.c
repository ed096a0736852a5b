/* SPDX-License-Identifier: Apache-2.0 */
#include "event/decode.h"

#include "base/clock.h"
#include "base/macro.h"

#include <errno.h>

int record_check(const void *record, size_t n)
{
	const char *p = record;
	struct wire_head h;
	struct wire_str s;
	enum body body;
	size_t member;

	if (n < sizeof(h))
		return -EBADMSG;
	memcpy(&h, p, sizeof(h));
	if (h.size != n || n > WIRE_RECORD_MAX)
		return -EBADMSG;
	body = body_of_kind(h.kind);
	if (body == BODY_END)
		return -ENOTSUP;
	if (n < body_size(body))
		return -EBADMSG;
	for (size_t i = 0; (member = body_string(body, i)); i++) {
		memcpy(&s, p + member, sizeof(s));
		if (!s.off && !s.len)
			continue;
		if (s.off < body_size(body) || (size_t)s.off + s.len > n)
			return -EBADMSG;
	}
	return 0;
}

struct str record_str(const void *record, struct wire_str s)
{
	return s.off ? (struct str){(const char *)record + s.off, s.len} : (struct str){0};
}

void record_begin(struct buf *out, unsigned int kind)
{
	struct wire_head h = {.kind = kind, .time_ns = clock_boot_ns()};
	size_t n = body_size(body_of_kind(kind));

	buf_reset(out);
	buf_reserve(out, n);
	memset(out->p, 0, n);
	memcpy(out->p, &h, sizeof(h));
	out->n = n;
}

void record_add_str(struct buf *out, size_t member, struct str s)
{
	struct wire_str w;

	s.n = MIN(s.n, (size_t)WIRE_PATH_MAX);
	if (out->n + s.n + 1 > WIRE_RECORD_MAX || !s.p)
		return;
	w = (struct wire_str){.off = out->n, .len = s.n};
	buf_put_str(out, s);
	buf_putc(out, 0);
	memcpy(out->p + member, &w, sizeof(w));
}

void record_end(struct buf *out)
{
	uint32_t size = out->n;

	memcpy(out->p + offsetof(struct wire_head, size), &size, sizeof(size));
}
