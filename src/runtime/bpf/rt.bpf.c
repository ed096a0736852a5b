/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What generated code calls.
 *
 * A language's code is small when its long parts are written once, here, and linked
 * behind the program that calls them (compile/gen).  Each function is checked by the
 * kernel's verifier again for every caller, with the caller's own registers: sizes are
 * constants there, so that a loop up to `n` is bounded, and memory is whatever the
 * caller holds (stack, scratch, a map's value).
 *
 * No maps and no data of its own: code alone is linked.
 */
#include "runtime/bpf/kernel.h"

#include <bpf/bpf_helpers.h>

#define RT __attribute__((noinline, used)) __u64

/* The register is a number below `max`, in a way the verifier sees and clang keeps. */
#define BOUND(v, max) asm volatile("if %0 <= %1 goto +1; %0 = %1" : "+r"(v) : "r"(max))

/*
 * Is there something in n's upper half, 2^k bits?  Then it becomes its lower half, and `high`
 * counts it: at once, so that five registers are enough, and the code can stand where it is called.
 * The answer is the sign of a difference, not a comparison: that would be a branch, and each has
 * the verifier look at all that follows twice.  n is below 2^63.
 */
#define HALVE(n, high, k)                                      \
	do {                                                   \
		__u64 shift_ = (1ull << (1 << (k))) - 1 - (n); \
                                                               \
		asm volatile("" : "+r"(shift_));               \
		shift_ = shift_ >> 63 << (k);                  \
		(n) >>= shift_;                                \
		(high) += shift_;                              \
		asm volatile("" : "+r"(n), "+r"(high));        \
	} while (0)

/*
 * The bucket of a histogram with powers of two.  Negative numbers: 0.  0: 1.  Else two more than
 * the position of the highest bit.  Without branches: behind each of them the verifier would go
 * through all that follows once more.
 */
RT rt_log2(__s64 v);
RT rt_log2(__s64 v)
{
	__u64 n = v, high = 0;

	HALVE(n, high, 5);
	HALVE(n, high, 4);
	HALVE(n, high, 3);
	HALVE(n, high, 2);
	HALVE(n, high, 1);
	high += (n >> 1) + ((n | n >> 1) & 1) + 1; /* n is 0 to 3 */
	v >>= 63;
	asm volatile("" : "+r"(v));
	return high & ~v;
}

/*
 * The same where each power is cut into 2^bits parts.  Negative numbers: 0.  Below 2^bits: one
 * more than the number.  Else one more than the position of the highest bit (less `bits`) with the
 * `bits` bits that follow it behind.
 */
RT rt_log2_parts(__s64 v, __u64 bits);
RT rt_log2_parts(__s64 v, __u64 bits)
{
	__u64 n = v, high = 0;

	if (v < 0)
		return 0;
	if (n < 1ull << bits)
		return n + 1;
	asm volatile("" : "+r"(bits)); /* 1 << bits is worked out again */
	HALVE(n, high, 5);
	HALVE(n, high, 4);
	HALVE(n, high, 3);
	HALVE(n, high, 2);
	HALVE(n, high, 1);
	high += n >> 1; /* n is 1, 2 or 3 */
	high -= bits;
	return ((high + 1) << bits) + (((__u64)v >> high) & ((1ull << bits) - 1)) + 1;
}

/* The bucket of a histogram with equal steps: 0 below `min`, the last from `max` on. */
RT rt_linear(__s64 v, __s64 min, __s64 max, __u64 step);
RT rt_linear(__s64 v, __s64 min, __s64 max, __u64 step)
{
	if (v < min)
		return 0;
	if (v > max)
		v = max;
	return 1 + (__u64)(v - min) / step;
}

/* Do two texts of at most n bytes differ? */
RT rt_strdiff(const char *a, const char *b, __u64 n);
RT rt_strdiff(const char *a, const char *b, __u64 n)
{
	for (__u64 i = 0; i < n; i++) {
		char c = a[i];

		if (c != b[i])
			return 1;
		if (!c)
			return 0;
	}
	return 0;
}

/* Do n bytes differ? */
RT rt_memdiff(const char *a, const char *b, __u64 n);
RT rt_memdiff(const char *a, const char *b, __u64 n)
{
	for (__u64 i = 0; i < n; i++)
		if (a[i] != b[i])
			return 1;
	return 0;
}

/* memcmp(): below, at or above 0. */
RT rt_memcmp(const __u8 *a, const __u8 *b, __u64 n);
RT rt_memcmp(const __u8 *a, const __u8 *b, __u64 n)
{
	for (__u64 i = 0; i < n; i++)
		if (a[i] != b[i])
			return (__s64)a[i] - (__s64)b[i];
	return 0;
}

/* Length of a text without its NUL; n: there is none. */
RT rt_strlen(const char *s, __u64 n);
RT rt_strlen(const char *s, __u64 n)
{
	for (__u64 i = 0; i < n; i++)
		if (!s[i])
			return i;
	return n;
}

/* Where text b (of at most m bytes) is in text a (of at most n); -1: it is not. */
RT rt_strstr(const char *a, __u64 n, const char *b, __u64 m);
RT rt_strstr(const char *a, __u64 n, const char *b, __u64 m)
{
	for (__u64 i = 0; i < n; i++) {
		__u64 j;

		for (j = 0; j < m; j++) {
			if (!b[j])
				return i;
			if (i + j >= n || a[i + j] != b[j])
				break;
		}
		if (j == m)
			return i;
		if (!a[i])
			break;
	}
	return -1;
}

/* Frames of a stack up to the first that is 0, and their hash (never 0) behind `mix`. */
RT rt_stack_hash(const __u64 *frames, __u64 n, __u64 mix);
RT rt_stack_hash(const __u64 *frames, __u64 n, __u64 mix)
{
	__u64 h = 0x9e3779b97f4a7c15ull ^ mix;

	for (__u64 i = 0; i < n; i++) {
		h ^= frames[i];
		h *= 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	return h ? h : 1;
}

char _license[] SEC("license") = "Dual BSD/GPL";
