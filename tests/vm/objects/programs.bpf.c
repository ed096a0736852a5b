/* SPDX-License-Identifier: Apache-2.0 */
/* Programs, functions and maps of all kinds of reference; test-vm-object.c counts them. */
#include "base.h"

struct key {
	u32 a;
	u64 b;
};

struct {
	__uint(type, MAP_HASH);
	__uint(max_entries, 64);
	__uint(map_flags, 1);
	__type(key, struct key);
	__type(value, u64);
} hash SEC(".maps");

struct inner {
	__uint(type, MAP_ARRAY);
	__uint(max_entries, 3);
	__uint(key_size, 4);
	__uint(value_size, 16);
} first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, MAP_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {[1] = (void *)&second, [3] = (void *)&first}};

struct {
	__uint(type, MAP_RINGBUF);
	__uint(max_entries, 5000);
} ring SEC(".maps");

int tail(void *ctx);

struct {
	__uint(type, MAP_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps") = {.values = {[1] = (void *)&tail}};

int zero;
static volatile int hidden = 7;
int set = 5;
const volatile u32 limit = 9;

static __noinline int twice(int x)
{
	return x * 2 + hidden;
}

__noinline int global(int x)
{
	return twice(x) + zero;
}

__noinline __hidden int quiet(int x)
{
	return global(x) - set;
}

static int body(u32 i, void *ctx)
{
	zero += i;
	return i > limit;
}

SEC("tracepoint/sched/sched_switch")
int calls(void *ctx)
{
	struct key k = {.a = 1};
	u64 *v = bpf_map_lookup_elem(&hash, &k);

	return quiet(v ? *v : 3);
}

SEC("?xdp.frags")
int loops(void *ctx)
{
	bpf_loop(10, body, 0, 0);
	return 2;
}

SEC("tc")
int jump(void *ctx)
{
	u32 k = 1;
	void *m = bpf_map_lookup_elem(&outer, &k);

	if (m)
		bpf_map_lookup_elem(m, &k);
	bpf_tail_call(ctx, &jumps, 1);
	return bpf_ringbuf_query(&ring, 0) != 0;
}

SEC("tc")
TAG("comment:second of a section")
int tail(void *ctx)
{
	return twice(4);
}

SEC("lsm.s/file_open")
int sleeps(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
