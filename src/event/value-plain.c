/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of no subject of their own: numbers, texts, times, sizes.
 *
 * Times are nanoseconds and sizes are bytes; people get them rounded, in the unit that keeps the
 * number short.
 */
#include "base/clock.h"
#include "event/decode.h"
#include "event/value-internal.h"
#include "event/value.h"

/* --- numbers */

VALUE(U32)
{
	return put_u64(v, u32_at(v));
}

VALUE(U64)
{
	return put_u64(v, u64_at(v));
}

VALUE(COUNT)
{
	uint64_t n = v->field->body == BODY_wire_head ? u64_at(v) : u32_at(v);

	return n && put_u64(v, n);
}

VALUE(HEX)
{
	uint64_t n = v->field->body == BODY_wire_file ? u32_at(v) : u64_at(v);

	if (!n)
		return false;
	buf_printf(v->out, v->style == JSON ? "\"0x%llx\"" : "0x%llx", (unsigned long long)n);
	return true;
}

/* --- texts */

VALUE(STR)
{
	struct wire_str s;

	memcpy(&s, v->at, sizeof(s));
	return put_str(v, record_str(record_of(v), s));
}

VALUE(PATH)
{
	return value_STR(v);
}

/* --- times and sizes */

void text_duration(struct buf *out, uint64_t ns)
{
	if (ns < 1000)
		buf_printf(out, "%lluns", (unsigned long long)ns);
	else if (ns < 1000000)
		buf_printf(out, "%.1fµs", ns / 1e3);
	else if (ns < NS_PER_S)
		buf_printf(out, "%.1fms", ns / 1e6);
	else if (ns < 60 * NS_PER_S)
		buf_printf(out, "%.2fs", ns / 1e9);
	else
		buf_printf(out, "%llum%02llus", (unsigned long long)(ns / (60 * NS_PER_S)),
			   (unsigned long long)(ns / NS_PER_S % 60));
}

void text_bytes(struct buf *out, uint64_t n)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double size = n;
	size_t u = 0;

	for (; size >= 1024 && u < ELEMENTS(units) - 1; u++)
		size /= 1024;
	buf_printf(out, u ? "%.1f%s" : "%.0f%s", size, units[u]);
}

static bool put_duration(const struct value *v, uint64_t ns)
{
	if (v->style == JSON)
		return put_u64(v, ns);
	text_duration(v->out, ns);
	return true;
}

/* 0 of a connection: it is older than skep; of all else: too short to be measured. */
VALUE(DURATION)
{
	uint64_t ns = u64_at(v);

	return (ns || (v->style == JSON && v->field->body != BODY_wire_conn)) &&
	       put_duration(v, ns);
}

VALUE(LIFETIME)
{
	const struct wire_head *h = record_of(v);

	return put_duration(v, h->time_ns - h->start_ns);
}

static bool put_size(const struct value *v, uint64_t n, uint64_t unit)
{
	if (v->style == JSON)
		return put_u64(v, n);
	text_bytes(v->out, n * unit);
	return true;
}

VALUE(KBYTES)
{
	return put_size(v, u64_at(v), 1024);
}

VALUE(BYTES)
{
	return put_size(v, u64_at(v), 1);
}
