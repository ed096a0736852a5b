/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracepoints whose arguments differ from kernel to kernel.
 *
 * A raw tracepoint's prototype stands in the kernel's BTF as the typedef
 * btf_trace_NAME → pointer → function.  libbpf finds the tracepoint for us, but not
 * which of two prototypes it has; that takes one walk over the types.
 */
#pragma once

#include <stdbool.h>

struct variants {
	bool uring_submit_req; /* io_uring_submit_req(req): 6.3 and newer */
	bool uring_submit_sqe; /* io_uring_submit_sqe(req, …): 6.0 to 6.2 */
	bool uring_complete;   /* io_uring_complete has the request as second argument */
	bool uring_has_cqe;    /* … and the result in a struct as third */
	bool cgroup_mkdir;
	bool bpf_loop; /* the helper: 5.17 */
};

/* Reads /sys/kernel/btf/vmlinux.  0, -ENOENT: this kernel has none, or -errno. */
int variants_read(const char *path, struct variants *ret);
