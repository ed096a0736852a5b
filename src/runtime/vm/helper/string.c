/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kfuncs of strings: bpf_strcmp() and its kin.
 *
 * The verifier asks nothing of their pointers: a string may be anywhere, also nowhere (-EFAULT).
 * So they are read in pieces, with care.  None looks at more than 64 KiB (-E2BIG).
 */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/memory.h"

enum { STRING_MAX = 65536, PIECE = 128 };

struct reader {
	uint64_t from; /* where the piece is from */
	size_t n;      /* of it */
	char piece[PIECE];
};

/* Byte i of the string at `at`, or -EFAULT. */
static int byte(struct reader *r, uint64_t at, size_t i)
{
	uint64_t p = at + i;

	if (p < r->from || p - r->from >= r->n) {
		r->from = p;
		r->n = PIECE - p % PIECE;
		if (memory_read_own(r->piece, p, r->n) < 0) {
			r->n = 0;
			return -EFAULT;
		}
	}
	return (unsigned char)r->piece[p - r->from];
}

CALL(kfunc_strcmp)
{
	struct reader x = {0}, y = {0};

	for (size_t i = 0; i < STRING_MAX; i++) {
		int l = byte(&x, a, i), r = byte(&y, b, i);

		if (l < 0 || r < 0)
			return call_error(-EFAULT);
		if (l != r)
			return call_error(l < r ? -1 : 1);
		if (!l)
			return 0;
	}
	return call_error(-E2BIG);
}

/* Where `c` is among the first n bytes; its NUL may be looked for. */
static int64_t find(uint64_t s, uint64_t n, char c, bool or_end)
{
	struct reader x = {0};

	for (size_t i = 0; i < n; i++) {
		int v = i < STRING_MAX ? byte(&x, s, i) : -E2BIG;

		if (v < 0)
			return v;
		if (v == (unsigned char)c || (!v && or_end))
			return (int64_t)i;
		if (!v)
			return -ENOENT;
	}
	return n > STRING_MAX ? -E2BIG : -ENOENT;
}

CALL(kfunc_strchr)
{
	return call_error(find(a, SIZE_MAX, (char)b, false));
}

CALL(kfunc_strchrnul)
{
	return call_error(find(a, SIZE_MAX, (char)b, true));
}

CALL(kfunc_strnchr)
{
	return call_error(find(a, b, (char)c, false));
}

CALL(kfunc_strlen)
{
	return call_error(find(a, SIZE_MAX, 0, true));
}

CALL(kfunc_strnlen)
{
	int64_t r = find(a, b, 0, true);

	return call_error(r == -ENOENT ? (int64_t)b : r);
}

CALL(kfunc_strrchr)
{
	struct reader x = {0};
	int64_t last = -ENOENT;

	for (size_t i = 0; i < STRING_MAX; i++) {
		int v = byte(&x, a, i);

		if (v < 0)
			return call_error(v);
		if (v == (unsigned char)(char)b)
			last = (int64_t)i;
		if (!v)
			return call_error(last);
	}
	return call_error(-E2BIG);
}

/* How many bytes at the begin of `s` are (are not) among those of `set`. */
static int64_t span(uint64_t s, uint64_t set, bool among)
{
	struct reader x = {0}, y = {0};

	for (size_t i = 0; i < STRING_MAX; i++) {
		int v = byte(&x, s, i), w = 1;
		bool is_in = false;

		if (v < 0)
			return v;
		if (!v)
			return (int64_t)i;
		for (size_t k = 0; k < STRING_MAX && w && !is_in; k++) {
			w = byte(&y, set, k);
			if (w < 0)
				return w;
			is_in = w == v;
		}
		if (w && !is_in)
			return -E2BIG;
		if (is_in != among)
			return (int64_t)i;
	}
	return -E2BIG;
}

CALL(kfunc_strspn)
{
	return call_error(span(a, b, true));
}

CALL(kfunc_strcspn)
{
	return call_error(span(a, b, false));
}

/* Where `what` begins within the first n bytes of `s`. */
static int64_t search(uint64_t s, uint64_t what, uint64_t n)
{
	struct reader x = {0}, y = {0};

	for (size_t i = 0; i < STRING_MAX; i++) {
		for (size_t k = 0; k < STRING_MAX; k++) {
			int w = byte(&y, what, k), v;

			if (w <= 0)
				return w < 0 ? w : (int64_t)i;
			v = i + k < n ? byte(&x, s, i + k) : 0;
			if (v <= 0)
				return v < 0 ? v : -ENOENT;
			if (v != w)
				break;
			if (k == STRING_MAX - 1)
				return -E2BIG;
		}
	}
	return -E2BIG;
}

CALL(kfunc_strstr)
{
	return call_error(search(a, b, SIZE_MAX));
}

CALL(kfunc_strnstr)
{
	return call_error(search(a, b, c));
}
