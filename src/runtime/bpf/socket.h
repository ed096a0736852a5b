/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Sockets behind descriptors: for connections (net.bpf.c) and calls (netcall.bpf.c). */
#pragma once

#include "runtime/bpf/path.h"

#include <bpf/bpf_endian.h>

enum { TCP_ESTABLISHED_ = 1, TCP_LISTEN_ = 10 };

/* The kernel's socket behind an open file; NULL: it is none. */
static __always_inline struct socket *socket_of(struct file *file)
{
	struct inode *inode = NULL;
	void *data = NULL;
	struct near near;

	if (!file)
		return NULL;
	if (NEAR(struct file, f_inode) && NEAR(struct file, private_data)) {
		bpf_probe_read_kernel(&near, sizeof(near), file);
		inode = PICK(&near, struct file, f_inode);
		data = PICK(&near, struct file, private_data);
	} else {
		inode = BPF_CORE_READ(file, f_inode);
		data = BPF_CORE_READ(file, private_data);
	}
	return (BPF_CORE_READ(inode, i_mode) & S_IFMT_) == S_IFSOCK_ ? data : NULL;
}

static __always_inline struct sock *sock_of_fd(__u32 fd)
{
	struct socket *socket = socket_of(file_of_fd(fd));

	return socket ? BPF_CORE_READ(socket, sk) : NULL;
}

/* The address in user memory, for calls that failed before the kernel took it over. */
static __always_inline void read_sockaddr(const void *at, __u8 *addr, __u16 *port)
{
	struct {
		__u16 family, port;
		__u32 v4; /* IPv6: flow information */
		__u8 v6[16];
	} sa = {};

	bpf_probe_read_user(&sa, 8, at);
	*port = bpf_ntohs(sa.port);
	if (sa.family == AF_INET6_) {
		bpf_probe_read_user(&sa.v6, sizeof(sa.v6), at + 8);
		__builtin_memcpy(addr, sa.v6, sizeof(sa.v6));
	} else {
		__builtin_memcpy(addr, &sa.v4, sizeof(sa.v4));
	}
}
