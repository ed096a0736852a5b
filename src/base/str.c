/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	if (b->p)
		b->p[0] = 0;
}

void buf_reserve(struct buf *b, size_t more)
{
	size_t need = b->n + more + 1;

	if (need <= b->room)
		return;
	b->room = MAX(need, MAX(b->room * 2, (size_t)64));
	b->p = xrealloc(b->p, b->room);
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	buf_reserve(b, n);
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_put_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n <= 0)
		return;
	buf_reserve(b, n);
	va_start(args, format);
	vsnprintf(b->p + b->n, n + 1, format, args);
	va_end(args);
	b->n += n;
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	int i = sizeof(digits);

	do
		digits[--i] = '0' + v % 10;
	while (v /= 10);
	buf_add(b, digits + i, sizeof(digits) - i);
}

void buf_put_s64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_putc(b, '-');
	buf_put_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ bytes[i]) * 0x100000001b3;
	return h;
}

uint64_t str_hash(struct str s)
{
	return hash_bytes(HASH_BEGIN, s.p, s.n);
}

/* Edits between two words of at most 63 letters: insert, delete, replace, swap neighbours. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), d[64][64];

	if (n > 63 || m > 63)
		return SIZE_MAX;
	for (size_t i = 0; i <= n; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			size_t swap = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			d[i][j] = MIN(MIN(d[i - 1][j], d[i][j - 1]) + 1, swap);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = MIN(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

const char *str_nearest(const char *typed, const char *const *names)
{
	const char *best = NULL;
	size_t n = strlen(typed), least = MAX(n / 2, (size_t)1) + 1;
	bool is_cut = false; /* the best one only has letters more */

	for (; *names; names++) {
		size_t d = distance(typed, *names);
		bool has_more = n + d == strlen(*names);

		if (d < least || (best && d == least && has_more && !is_cut)) {
			least = d;
			best = *names;
			is_cut = has_more;
		}
	}
	return best;
}
