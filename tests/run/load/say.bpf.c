/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * An object for tests of `skep load`: each way in which a program says something, but only
 * of processes of the name "skep-loadtest", which load.py starts.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum colour { RED, GREEN };

struct event {
	__u32 pid;
	char comm[16];
	enum colour colour;
	__u8 low : 3;
	__u8 high : 5;
	__s16 numbers[3];
	union {
		__u32 number;
		char letter;
	};
};

struct key {
	__u32 pid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct key);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} by_cpu SEC(".maps");

int seen;					    /* a global variable */
const struct event *unused __attribute__((unused)); /* keeps the type in the object */

static int is_ours(void)
{
	static const char ours[] = "skep-loadtest";
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	for (unsigned int i = 0; i < sizeof(ours); i++)
		if (comm[i] != ours[i])
			return 0;
	return 1;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int on_exec(void *ctx)
{
	if (!is_ours())
		return 0;
	bpf_printk("hello from %s", "say");
	seen++;
	return 0;
}

SEC("tp/syscalls/sys_enter_execve")
int on_record(void *ctx)
{
	struct event *e;

	if (!is_ours())
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return 0;
	e->pid = 7;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	e->colour = GREEN;
	e->low = 5;
	e->high = 17;
	e->numbers[0] = -1;
	e->numbers[1] = 2;
	e->numbers[2] = 3;
	e->number = 65;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

SEC("tp/syscalls/sys_enter_execve")
int on_sample(void *ctx)
{
	struct key k = {.pid = 9, .comm = "sample"};

	if (is_ours())
		bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, &k, sizeof(k));
	return 0;
}

SEC("tp/syscalls/sys_enter_execve")
int on_count(void *ctx)
{
	struct key k = {.pid = 1};
	__u64 one = 1, *n;
	__u32 slot = 1;

	if (!is_ours())
		return 0;
	bpf_get_current_comm(k.comm, sizeof(k.comm));
	bpf_map_update_elem(&counts, &k, &one, BPF_ANY);
	n = bpf_map_lookup_elem(&by_cpu, &slot);
	if (n)
		*n += 41;
	return 0;
}
