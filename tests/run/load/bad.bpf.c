/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Programs that do not load or attach, each for a reason of its own, for tests of what
 * `skep load` says then.  None of them ever runs.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, int[4]);
} numbers SEC(".maps");

SEC("tp/syscalls/sys_enter_execve")
int no_bound(void *ctx)
{
	int i = bpf_get_prandom_u32(), zero = 0;
	int *v = bpf_map_lookup_elem(&numbers, &zero);

	if (!v)
		return 0;
	return v[i]; /* the line at fault */
}

SEC("fentry/there_is_no_such_function")
int no_function(void *ctx)
{
	return 0;
}

SEC("tp/sched/there_is_no_such_event")
int no_event(void *ctx)
{
	return 0;
}

SEC("xdp")
int no_interface(void *ctx)
{
	return 2;
}

SEC("cgroup_skb/egress")
int no_cgroup(void *ctx)
{
	return 1;
}

SEC("tc")
int for_tc(void *ctx)
{
	return 0;
}

SEC("kprobe")
int no_place(void *ctx)
{
	return 0;
}

struct task_struct {
	int there_is_no_such_member;
} __attribute__((preserve_access_index));

SEC("raw_tp/sched_process_exec")
int no_member(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *t = (void *)ctx->args[0];

	return BPF_CORE_READ(t, there_is_no_such_member);
}
