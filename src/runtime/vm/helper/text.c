/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in text, comparison, checksums: helpers that only compute. */
#include "runtime/vm/helper/calls.h"

#include <ctype.h>
#include <string.h>

/* Digits of `base` at `p`: how many; 0: none, −1: it does not fit. */
static int digits(const char *p, unsigned int base, uint64_t *ret)
{
	uint64_t v = 0;
	bool overflow = false;
	int n = 0;

	for (;; n++) {
		unsigned int c = (unsigned char)p[n], digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			digit = (c | 32) - 'a' + 10;
		else
			break;
		if (digit >= base)
			break;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
			overflow = true;
	}
	*ret = v;
	return overflow ? -1 : n;
}

/* As __bpf_strtoull(): bytes used, or -errno. */
static int number(const char *text, size_t n, uint64_t flags, uint64_t *ret, bool *ret_negative)
{
	unsigned int base = flags & 0x1f;
	size_t at = 0, left;
	char s[64] = "";
	int prefix = 0, r;

	if (!n || (base && base != 8 && base != 10 && base != 16) || (flags & ~0x1full))
		return -EINVAL;
	while (at < n && (isspace((unsigned char)text[at]) || (unsigned char)text[at] == 0xa0))
		at++;
	*ret_negative = at < n && text[at] == '-';
	at += *ret_negative;
	if (at == n)
		return -EINVAL;
	left = n - at < sizeof(s) - 1 ? n - at : sizeof(s) - 1;
	memcpy(s, text + at, left);
	if (!base)
		base = s[0] != '0'					     ? 10
		       : (s[1] | 32) == 'x' && isxdigit((unsigned char)s[2]) ? 16
									     : 8;
	if (base == 16 && s[0] == '0' && (s[1] | 32) == 'x')
		prefix = 2;
	r = digits(s + prefix, base, ret);
	if (r < 0)
		return -ERANGE;
	return r ? (int)at + prefix + r : -EINVAL;
}

CALL(helper_strtol)
{
	int64_t *to = call_pointer(d);
	bool negative;
	uint64_t v;
	int r;

	*to = 0;
	r = number(call_pointer(a), b, c, &v, &negative);
	if (r < 0)
		return call_error(r);
	if (negative ? (int64_t)-v > 0 : (int64_t)v < 0)
		return call_error(-ERANGE);
	*to = (int64_t)(negative ? -v : v);
	return call_error(r);
}

CALL(helper_strtoul)
{
	uint64_t *to = call_pointer(d), v;
	bool negative;
	int r;

	*to = 0;
	r = number(call_pointer(a), b, c, &v, &negative);
	if (r >= 0 && negative)
		r = -EINVAL;
	if (r >= 0)
		*to = v;
	return call_error(r);
}

CALL(helper_strncmp)
{
	const unsigned char *x = call_pointer(a), *y = call_pointer(c);

	for (uint32_t i = 0, n = (uint32_t)b; i < n; i++) {
		if (x[i] != y[i])
			return call_error(x[i] < y[i] ? -1 : 1);
		if (!x[i])
			break;
	}
	return 0;
}

/* The sum of 16-bit words and of `sum`, in 32 bits: csum_partial(). */
static uint32_t add_up(const uint8_t *p, uint32_t n, uint64_t sum)
{
	uint32_t word = 0;

	for (; n >= 4; p += 4, n -= 4) {
		memcpy(&word, p, 4);
		sum += word;
	}
	word = 0;
	memcpy(&word, p, n);
	sum += word;
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return (uint32_t)(sum + (sum >> 32));
}

/*
 * The Internet checksum of what is there now, less that of what was there: 16 bits, not
 * complemented, of any number of bytes, as since Linux 6.13.
 */
CALL(helper_csum_diff)
{
	uint32_t n_from = (uint32_t)b, n_to = (uint32_t)d, sum = (uint32_t)e;
	uint64_t all;

	if (n_to)
		sum = add_up(call_pointer(c), n_to, sum);
	if (n_from && n_to) {
		all = (uint64_t)sum + (uint32_t)~add_up(call_pointer(a), n_from, 0);
		sum = (uint32_t)(all + (all >> 32));
	} else if (n_from) {
		sum = ~add_up(call_pointer(a), n_from, (uint32_t)~sum);
	}
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return sum & 0xffff;
}
