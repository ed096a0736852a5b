/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The Hello World of eBPF: a line whenever a program is executed. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tracepoint/syscalls/sys_enter_execve")
int hello(void *ctx)
{
	bpf_printk("Hello, World!");
	return 0;
}
