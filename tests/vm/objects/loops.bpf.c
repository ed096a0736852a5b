/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops for the verifier: right_… must be proven by loop invariants, wrong_… by nobody.
 *
 * The first three are those that explorers give up on: a copy of 64 KiB byte by byte, the
 * logarithms of 4096 numbers, a hash over 16 Ki words.
 */
#include "base.h"

enum { SIZE = 64 << 10, NUMBERS = 4096, WORDS = 16 << 10, ELEMENTS = 1000 };

struct element {
	u64 a, b;
	u32 c;
};
struct value {
	union {
		u8 bytes[2 * SIZE];
		u32 words[SIZE / 2];
		u64 numbers[SIZE / 4];
	};
	u64 n;
	struct element elements[ELEMENTS];
	char text[256];
	u32 counts[64];
};

struct {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct value);
} values SEC(".maps");

struct xdp {
	u32 data, data_end;
};
struct sk_buff {
	u32 before[19], data, data_end;
};

static u32 (*random)(void) = (void *)7;
static long (*pull_data)(void *skb, u32 n) = (void *)39;

#define LOOP(name)                                                              \
	static __attribute__((always_inline)) int body_##name(struct value *v); \
	SEC("xdp") int name(void *ctx)                                          \
	{                                                                       \
		u32 key = 0;                                                    \
		struct value *v = bpf_map_lookup_elem(&values, &key);           \
                                                                                \
		return v ? body_##name(v) : 0;                                  \
	}                                                                       \
	static __attribute__((always_inline)) int body_##name(struct value *v)

LOOP(right_copy)
{
	volatile u8 *from = v->bytes, *to = v->bytes + SIZE;

	for (int i = 0; i < SIZE; i++)
		to[i] = from[i];
	return 1;
}

LOOP(wrong_copy)
{
	volatile u8 *from = v->bytes, *to = v->bytes + SIZE;

	for (int i = 0; i <= (int)(sizeof(*v) - SIZE); i++)
		to[i] = from[i];
	return 1;
}

static __attribute__((always_inline)) int log2_of(u64 x)
{
	int r = 0;

	if (x >> 32) {
		x >>= 32;
		r += 32;
	}
	if (x >> 16) {
		x >>= 16;
		r += 16;
	}
	if (x >> 8) {
		x >>= 8;
		r += 8;
	}
	if (x >> 4) {
		x >>= 4;
		r += 4;
	}
	if (x >> 2) {
		x >>= 2;
		r += 2;
	}
	return r + (x >> 1 != 0);
}

LOOP(right_log2)
{
	for (int i = 0; i < NUMBERS; i++)
		v->numbers[NUMBERS + i] = log2_of(v->numbers[i]);
	return 1;
}

LOOP(wrong_log2)
{
	u64 *end = (u64 *)(v + 1) - NUMBERS;

	for (int i = 0; i <= NUMBERS; i++)
		end[i] = log2_of(v->numbers[i]);
	return 1;
}

LOOP(right_hash)
{
	u32 h = 0x811c9dc5;

	for (int i = 0; i < WORDS; i++) {
		h ^= v->words[i];
		h *= 0x01000193;
		h = h << 5 | h >> 27;
	}
	return h;
}

LOOP(wrong_hash)
{
	u32 h = 0x811c9dc5;

	/* from the end, and one too far */
	for (int i = WORDS; i >= 0; i--)
		h = h * 0x01000193 ^ ((u32 *)(v + 1))[i - WORDS];
	return h;
}

LOOP(right_elements)
{
	u64 sum = 0;

	for (int i = 0; i < ELEMENTS; i++) {
		sum += v->elements[i].a;
		v->elements[i].c = i;
	}
	return sum;
}

LOOP(right_some_elements)
{
	u64 n = v->n;
	u64 sum = 0;

	if (n > ELEMENTS)
		n = ELEMENTS;
	for (u64 i = 0; i < n; i++)
		sum += v->elements[i].b;
	return sum;
}

LOOP(wrong_some_elements)
{
	u64 n = v->n;
	u64 sum = 0;

	if (n > 2 * ELEMENTS)
		n = 2 * ELEMENTS;
	for (u64 i = 0; i < n; i++)
		sum += v->elements[i].b;
	return sum;
}

LOOP(right_histogram)
{
	for (int i = 0; i < 256; i++)
		v->counts[v->text[i] & 63]++;
	return 0;
}

LOOP(wrong_histogram)
{
	for (int i = 0; i < 256; i++)
		v->counts[v->text[i] & 127]++;
	return 0;
}

LOOP(right_square)
{
	for (int i = 0; i < 16; i++)
		for (int k = 0; k < 16; k++)
			v->text[i * 16 + k] ^= k;
	return 0;
}

LOOP(right_sort)
{
	for (int i = 0; i < 500; i++)
		for (int k = 0; k < 500 - i; k++)
			if (v->numbers[k] > v->numbers[k + 1]) {
				u64 x = v->numbers[k];

				v->numbers[k] = v->numbers[k + 1];
				v->numbers[k + 1] = x;
			}
	return 0;
}

LOOP(right_primes)
{
	int n = 0;

	for (u32 i = 2; i < 10000; i++) {
		int is_prime = 1;

		for (u32 k = 2; k * k <= i; k++)
			if (i % k == 0) {
				is_prime = 0;
				break;
			}
		n += is_prime;
	}
	return n;
}

LOOP(right_words)
{
	int n = 0;

	for (int i = 0; i < 256; i++)
		if (v->text[i] != ' ' && n < 64)
			v->counts[n++] = i;
	return n;
}

LOOP(wrong_words)
{
	int n = 0;

	for (int i = 0; i < 256; i++)
		if (v->text[i] != ' ' && n <= 64)
			v->counts[n++] = i;
	return n;
}

LOOP(right_branches)
{
	int n = 0;

	for (int i = 0; i < 200; i++) {
		u64 a = v->elements[i].a;

		if (a & 1)
			n++;
		if (a & 2)
			n += 2;
		if (a & 4)
			n -= 3;
		if (a & 8)
			n ^= 5;
		if (a & 16)
			n *= 7;
		if (a & 32)
			n |= 9;
		if (a & 64)
			n += i;
		if (a & 128)
			v->counts[i & 63]++;
	}
	return n;
}

static __noinline u64 sum_of(struct value *v, u32 n)
{
	u64 sum = 0;

	if (!v || n > ELEMENTS)
		return 0;
	for (u32 i = 0; i < n; i++)
		sum += v->elements[i].a;
	return sum;
}

LOOP(right_calls)
{
	u64 sum = 0;

	for (u32 i = 0; i < 300; i++)
		sum += sum_of(v, i);
	return sum;
}

LOOP(wrong_endless)
{
	u64 x = v->n;

	while (x != 12345) {
		x = x * 5 + v->numbers[x & 7];
		v->counts[x & 63]++;
	}
	return x;
}

/* The counter is too narrow for its end. */
LOOP(wrong_type)
{
	u32 end = sizeof(v->text);

	for (u8 i = 0; i < end; i++)
		v->text[i] = v->counts[i & 63];
	return 0;
}

SEC("xdp") int right_packet(struct xdp *ctx)
{
	u8 *p = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	u32 sum = 0;

	for (u32 i = 0; i < 1000; i++) {
		if (p + i + 1 > end)
			break;
		sum += p[i];
	}
	return sum;
}

SEC("xdp") int wrong_packet(struct xdp *ctx)
{
	u8 *p = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	u32 sum = 0;

	for (u32 i = 0; i < 1000; i++) {
		if (p + i > end)
			break;
		sum += p[i];
	}
	return sum;
}

/* The packet is somewhere else after the call. */
SEC("tc") int wrong_moved_packet(struct sk_buff *ctx)
{
	u8 *p = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	u32 sum = 0;

	if (p + 32 > end)
		return 0;
	for (u32 i = 0; i < 3000; i++) {
		sum += p[i & 31];
		if (sum & 1)
			pull_data(ctx, 32);
	}
	return sum;
}

SEC("tc") int right_same_packet(struct sk_buff *ctx)
{
	u8 *p = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	u32 sum = 0;

	if (p + 32 > end)
		return 0;
	for (u32 i = 0; i < 3000; i++)
		sum += p[i & 31] + (u32)random();
	return sum;
}

char _license[] SEC("license") = "GPL";
