/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: the rows of ctx.def as tables, and what an access to one may be.
 */
#include "runtime/vm/verify/ctx.h"

#include "base/macro.h"

#include <linux/bpf_perf_event.h>

/* Newer than the headers that this may be built with. */
#define BPF_PROG_TYPE_NETFILTER 32

/* The end of struct bpf_sock_ops: skb_hwtstamp came with 6.2. */
struct sock_ops {
	struct bpf_sock_ops old;
	uint64_t skb_hwtstamp;
};
struct nf_ctx {
	uint64_t state, skb; /* pointers */
};

enum {
	MAX_TRACE_SIZE = 8192, /* of a record: PERF_MAX_TRACE_SIZE */
	MAX_ARGS = 12,	       /* MAX_BPF_FUNC_ARGS */
	MAX_SYSCALL_CTX = UINT16_MAX,
	MAY_BE_NULL = 0x80,
};

#define T(type)	 (1ull << BPF_PROG_TYPE_##type)
#define AT(type) (1ull << BPF_##type)
#define EVERY	 UINT64_MAX
#define NONE	 0
#define TC	 (T(SCHED_CLS) | T(SCHED_ACT))
#define CGSKB	 T(CGROUP_SKB)
#define LWT	 (T(LWT_IN) | T(LWT_OUT) | T(LWT_XMIT) | T(LWT_SEG6LOCAL))
#define SKB	 (T(SOCKET_FILTER) | CGSKB | LWT | TC | T(SK_SKB))
#define DIRECT	 (CGSKB | LWT | TC | T(SK_SKB) | T(FLOW_DISSECTOR))
#define SOCK_LIFE (AT(CGROUP_INET_SOCK_CREATE) | AT(CGROUP_INET_SOCK_RELEASE))
#define ADDR_4                                                                              \
	(AT(CGROUP_INET4_BIND) | AT(CGROUP_INET4_CONNECT) | AT(CGROUP_INET4_GETPEERNAME) |  \
	 AT(CGROUP_INET4_GETSOCKNAME) | AT(CGROUP_UDP4_SENDMSG) | AT(CGROUP_UDP4_RECVMSG))
#define ADDR_6                                                                              \
	(AT(CGROUP_INET6_BIND) | AT(CGROUP_INET6_CONNECT) | AT(CGROUP_INET6_GETPEERNAME) |  \
	 AT(CGROUP_INET6_GETSOCKNAME) | AT(CGROUP_UDP6_SENDMSG) | AT(CGROUP_UDP6_RECVMSG))
