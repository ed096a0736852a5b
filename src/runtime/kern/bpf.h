/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bpf(2) system call, with what is newer than the headers that we build with.
 *
 * Numbers are the kernel's (include/uapi/linux/bpf.h); each says the version it came with.
 */
#pragma once

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	BPF_TRACE_KPROBE_MULTI_ = 42,	/* attach type, 5.18 */
	BPF_TRACE_UPROBE_MULTI_ = 48,	/* 6.6 */
	BPF_TRACE_KPROBE_SESSION_ = 56, /* 6.10 */
	BPF_MULTI_RETURN_ = 1,		/* BPF_F_KPROBE_MULTI_RETURN, BPF_F_UPROBE_MULTI_RETURN */
};

/* BPF_LINK_CREATE of a uprobe.multi link. */
struct bpf_link_uprobe_multi {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, uprobe_flags, pid, pad;
};

/* BPF_RAW_TRACEPOINT_OPEN with a cookie, 6.10. */
struct bpf_raw_tracepoint_cookie {
	uint64_t name;
	uint32_t prog_fd, pad;
	uint64_t cookie;
};

/* The result, or -errno. */
static inline int bpf_call(int command, const void *attr, size_t n)
{
	long r = syscall(SYS_bpf, command, attr, n);

	return r < 0 ? -errno : (int)r;
}

/*
 * Before 5.11 maps and programs count as locked memory, of which there is little by
 * default: call it after the first -EPERM and try again.  What cannot be raised is no
 * error.
 */
void bpf_raise_memlock(void);
