/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalars as text, in the words of the kernel's log, which its users know and its tests compare.
 *
 * Limits that say nothing are left out; those that are the same number share it:
 * "smin=smin32=-5".  Numbers above 65535 are hexadecimal.
 */
#include "runtime/vm/verify/scalar.h"

#include "base/macro.h"
#include "base/str.h"

#include <inttypes.h>

static bool is_short(int64_t v)
{
	return v >= INT16_MIN && v <= INT16_MAX;
}

static void put_unsigned(struct buf *to, uint64_t v)
{
	if (v <= UINT16_MAX)
		buf_printf(to, "%" PRIu64, v);
	else
		buf_printf(to, "0x%" PRIx64, v);
}

static void put_signed(struct buf *to, int64_t v)
{
	if (is_short(v))
		buf_printf(to, "%" PRId64, v);
	else
		buf_printf(to, "0x%" PRIx64, (uint64_t)v);
}

struct limit {
	const char *name;
	uint64_t v;
	bool is_signed, is_done;
};

/* A 32-bit number that is written as hexadecimal has no sign bits above. */
static uint64_t signed_32(int32_t v)
{
	return is_short(v) ? (uint64_t)(int64_t)v : (uint32_t)v;
}

static bool is_negative(const struct limit *l)
{
	return l->is_signed && (int64_t)l->v < 0;
}

static void put_limits(struct limit *l, unsigned int n, struct buf *to)
{
	const char *comma = "";

	for (unsigned int i = 0; i < n; i++) {
		if (l[i].is_done)
			continue;
		buf_printf(to, "%s%s=", comma, l[i].name);
		comma = ",";
		for (unsigned int k = i + 2; k < n; k += 2) {
			if (l[k].is_done || l[k].v != l[i].v ||
			    is_negative(&l[k]) != is_negative(&l[i]))
				continue;
			l[k].is_done = true;
			buf_printf(to, "%s=", l[k].name);
		}
		if (l[i].is_signed)
			put_signed(to, (int64_t)l[i].v);
		else
			put_unsigned(to, l[i].v);
	}
	if (*comma)
		buf_putc(to, ',');
}

void scalar_print(const struct scalar *s, struct buf *to)
{
	struct limit limits[] = {
		{"smin", (uint64_t)s->smin, true, s->smin == INT64_MIN},
		{"smax", (uint64_t)s->smax, true, s->smax == INT64_MAX},
		{"umin", s->umin, false, s->umin == 0},
		{"umax", s->umax, false, s->umax == UINT64_MAX},
		{"smin32", signed_32(s->smin32), true, s->smin32 == INT32_MIN},
		{"smax32", signed_32(s->smax32), true, s->smax32 == INT32_MAX},
		{"umin32", s->umin32, false, s->umin32 == 0},
		{"umax32", s->umax32, false, s->umax32 == UINT32_MAX},
	};

	if (scalar_is_const(s)) {
		put_signed(to, (int64_t)s->bits.value);
		return;
	}
	buf_puts(to, "scalar(");
	put_limits(limits, ELEMENTS(limits), to);
	if (s->bits.mask != UINT64_MAX)
		buf_printf(to, "var_off=(0x%" PRIx64 "; 0x%" PRIx64 ")", s->bits.value,
			   s->bits.mask);
	else if (to->p[to->n - 1] == ',')
		to->p[--to->n] = 0;
	buf_putc(to, ')');
}
