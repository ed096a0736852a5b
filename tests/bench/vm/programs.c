/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight small programs that compare engines: compiled to machine code and to BPF.
 *
 * Each takes memory and gives a number.  What they do is what comparisons of BPF virtual machines
 * usually run; COPY is 1 MiB where no verifier of a kernel has to follow each round of a loop.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#ifndef COPY
#define COPY (1 << 20)
#endif
#ifndef STRING
#define STRING COPY
#endif
#ifndef PRIMES
#define PRIMES 10000
#endif
#ifndef WORDS
#define WORDS 1024
#endif

#ifdef __bpf__
#define PROGRAM(name) __attribute__((section("program/" #name), used)) u64 name(void *mem)
#else
#define PROGRAM(name)                 \
	u64 native_##name(void *mem); \
	u64 native_##name(void *mem)
#endif

PROGRAM(simple)
{
	(void)mem;
	return 1;
}

PROGRAM(memory_add)
{
	u32 *m = mem;

	return (u64)(m[0] + m[1]);
}

PROGRAM(log2_int)
{
	u64 *values = mem, sum = 0;

	for (u32 i = 0; i < WORDS; i++) {
		u64 x = values[i];
		u32 bits = 0;

		for (u32 shift = 32; shift; shift >>= 1)
			if (x >> shift) {
				x >>= shift;
				bits += shift;
			}
		sum += bits;
	}
	return sum;
}

PROGRAM(primes)
{
	u32 count = 0;

	(void)mem;
	for (u32 i = 2; i < PRIMES; i++) {
		u32 is_prime = 1;

		for (u32 k = 2; k * k <= i; k++)
			if (i % k == 0) {
				is_prime = 0;
				break;
			}
		count += is_prime;
	}
	return count;
}

PROGRAM(copy)
{
	u8 *from = mem, *to = from + COPY;

	for (u32 i = 0; i < COPY; i++)
		to[i] = from[i];
	return to[COPY - 1];
}

static inline __attribute__((always_inline)) u64 compare(const signed char *a)
{
	const signed char *b = a + STRING;

	for (u32 i = 0; i < STRING; i++) {
		if (a[i] != b[i])
			return (u64)(a[i] - b[i]);
		if (!a[i])
			break;
	}
	return 0;
}

/* They differ in the middle. */
PROGRAM(strcmp_fail)
{
	return compare(mem);
}

PROGRAM(strcmp_full)
{
	return compare(mem);
}

#define CASE(n, what) \
	case n:       \
		what; \
		break;
#define CASES(n)                            \
	CASE(n + 0, a += 3 * n + 0x11)      \
	CASE(n + 1, a ^= 0x9e37 + n)        \
	CASE(n + 2, a *= 2 * n + 5)         \
	CASE(n + 3, a -= 7 * n + 0x123)     \
	CASE(n + 4, a = (a << 3) | (n & 7)) \
	CASE(n + 5, a |= 1u << (n / 8))     \
	CASE(n + 6, a = a * 5 + n + 1)      \
	CASE(n + 7, a = (a >> 1) ^ (n + 77))

PROGRAM(switch_64)
{
	const u8 *m = mem;
	u32 a = 1;

	for (u32 i = 0; i < WORDS; i++)
		switch (m[i]) {
			CASES(0)
			CASES(8)
			CASES(16)
			CASES(24)
			CASES(32)
			CASES(40)
			CASES(48)
			CASES(56)
		default:
			a++;
		}
	return a;
}
