/* SPDX-License-Identifier: Apache-2.0 */
#include "event/decode.h"

#include "base/clock.h"
#include "base/macro.h"

#include <errno.h>

static bool is_inside(struct wire_str s, size_t from, size_t to)
{
	return (!s.off && !s.len) || (s.off >= from && (size_t)s.off + s.len <= to);
}

/* What rules add stands behind the record, and names strings in it. */
static bool annex_check(const char *p, size_t n, size_t body)
{
	struct wire_annex a;

	if (n % 8 || n < body + sizeof(a))
		return false;
	memcpy(&a, p + n - sizeof(a), sizeof(a));
	n -= sizeof(a);
	return a.n_ancestors <= ANCESTORS_MAX && is_inside(a.name, body, n) &&
	       is_inside(a.name2, body, n) && is_inside(a.env, body, n);
}

const struct wire_annex *record_annex(const void *record)
{
	const struct wire_head *h = record;

	if (!(h->flags & WIRE_F_ANNEX))
		return NULL;
	return (const void *)((const char *)record + h->size - sizeof(struct wire_annex));
}

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
		if (!is_inside(s, body_size(body), n))
			return -EBADMSG;
	}
	if (h.flags & WIRE_F_ANNEX && !annex_check(p, n, body_size(body)))
		return -EBADMSG;
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
