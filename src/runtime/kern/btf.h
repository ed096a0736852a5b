/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running kernel's types: what libbpf does not ask of them, and a small copy of
 * what it does.
 */
#pragma once

#include "isa/btf.h"

#include <stdbool.h>

/*
 * Tracepoints whose arguments differ from kernel to kernel.  A raw tracepoint's
 * prototype stands in the BTF as the typedef btf_trace_NAME → pointer → function.
 */
struct variants {
	bool uring_submit_req; /* io_uring_submit_req(req): 6.3 and newer */
	bool uring_submit_sqe; /* io_uring_submit_sqe(req, …): 6.0 to 6.2 */
	bool uring_complete;   /* io_uring_complete has the request as second argument */
	bool uring_has_cqe;    /* … and the result in a struct as third */
	bool cgroup_mkdir;
	bool bpf_loop; /* the helper: 5.17 */
};

struct kernel_btf {
	struct btf_view view;
	void *blob; /* owned */
	size_t n;
	bool is_mapped; /* by mmap, else allocated */
};

/* Opens /sys/kernel/btf/vmlinux or a file like it.  -ENOENT: this kernel has none. */
int kernel_btf_open(struct kernel_btf *k, const char *path);
void kernel_btf_close(struct kernel_btf *k);

/* The bytes alone, mapped or allocated; the types of modules are files of this kind too. */
int kernel_btf_read(const char *path, void **ret, size_t *ret_n, bool *ret_is_mapped);
void kernel_btf_unread(void *blob, size_t n, bool is_mapped);

void kernel_btf_variants(const struct kernel_btf *k, struct variants *ret);

/*
 * A memory file with the types that `names` name (NULL at the end): its descriptor, or
 * -errno.  /proc/self/fd/N is its path.
 */
int kernel_btf_reduce(const struct kernel_btf *k, const char *const *names);
