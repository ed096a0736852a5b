/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts: the table is in order, and who may do what with it. */
#include "runtime/vm/verify/ctx.h"

#include "base/macro.h"
#include "test.h"

enum { PROG_TYPES = 33, NETFILTER = 32 };

TEST(tables_are_in_order)
{
	for (uint32_t type = 1; type < PROG_TYPES; type++) {
		const struct ctx_type *t = ctx_of(type, 0);

		CHECK(t && t->size && t->name);
		if (!t)
			continue;
		for (unsigned int i = 0; i < t->n; i++) {
			const struct ctx_field *f = &t->fields[i];
			bool ok = f->unit && f->size && f->size % f->unit == 0 &&
				  f->offset + f->size <= t->size &&
				  (!i || f->offset >= f[-1].offset + f[-1].size) &&
				  (f->kind == CTX_BTF) == !!f->btf;

			test_result(ok, __FILE__, __LINE__, "%s.%s", t->name, f->name);
		}
	}
	CHECK(!ctx_of(0, 0));
	CHECK(!ctx_of(PROG_TYPES, 0));
}

#define SKB(field)  offsetof(struct __sk_buff, field)
#define MD(field)   offsetof(struct xdp_md, field)
#define ADDR(field) offsetof(struct bpf_sock_addr, field)
#define SK(field)   offsetof(struct bpf_sock, field)

static const struct {
	uint32_t prog, attach;
	int64_t offset;
	uint32_t bytes;
	bool is_write, is_signed, is_fine;
} cases[] = {
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(len), 4, false, false, true},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(len), 1, false, false, true},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(len) + 3, 1, false, false, true},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(len) + 1, 2, false, false, false},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(len), 8, false, false, false},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(len), 4, true, false, false},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(data), 4, false, false, false},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(mark), 4, true, false, false},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(cb[1]), 1, true, false, true},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(cb[4]), 8, true, false, false},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(sk), 8, false, false, true},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(sk), 8, true, false, false},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, SKB(flow_keys), 8, false, false, false},
	{BPF_PROG_TYPE_SCHED_CLS, 0, SKB(mark), 4, true, false, true},
	{BPF_PROG_TYPE_SCHED_CLS, 0, SKB(mark), 2, true, false, false},
	{BPF_PROG_TYPE_SCHED_CLS, 0, SKB(data), 4, false, false, true},
	{BPF_PROG_TYPE_SCHED_CLS, 0, SKB(data), 4, false, true, false},
	{BPF_PROG_TYPE_SCHED_CLS, 0, SKB(data), 2, false, false, false},
	{BPF_PROG_TYPE_SCHED_CLS, 0, SKB(family), 4, false, false, false},
	{BPF_PROG_TYPE_SCHED_CLS, 0, SKB(tstamp_type), 1, false, false, true},
	{BPF_PROG_TYPE_SCHED_CLS, 0, SKB(tstamp_type) + 1, 1, false, false, false},
	{BPF_PROG_TYPE_CGROUP_SKB, 0, SKB(family), 4, false, false, true},
	{BPF_PROG_TYPE_SK_SKB, 0, SKB(mark), 4, false, false, false},
	{BPF_PROG_TYPE_FLOW_DISSECTOR, 0, SKB(flow_keys), 8, false, false, true},
	{BPF_PROG_TYPE_FLOW_DISSECTOR, 0, SKB(len), 4, false, false, false},
	{BPF_PROG_TYPE_XDP, BPF_XDP, MD(data), 4, false, false, true},
	{BPF_PROG_TYPE_XDP, BPF_XDP, MD(data), 4, false, true, false},
	{BPF_PROG_TYPE_XDP, BPF_XDP, MD(data), 4, true, false, false},
	{BPF_PROG_TYPE_XDP, BPF_XDP, MD(egress_ifindex), 4, false, false, false},
	{BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, MD(egress_ifindex), 4, false, false, true},
	{BPF_PROG_TYPE_XDP, BPF_XDP, sizeof(struct xdp_md), 4, false, false, false},
	{BPF_PROG_TYPE_XDP, BPF_XDP, -4, 4, false, false, false},
	{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND, ADDR(user_ip6), 8, true, false,
	 true},
	{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND, ADDR(user_ip6) + 4, 8, false, false,
	 false},
	{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND, ADDR(user_ip6), 4, false, false,
	 false},
	{BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, SK(mark), 4, true, false, true},
	{BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND, SK(mark), 4, false, false, false},
	{BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND, SK(src_ip4), 2, false, false, true},
	{BPF_PROG_TYPE_KPROBE, 0, 8, 8, false, false, true},
	{BPF_PROG_TYPE_KPROBE, 0, 8, 8, true, false, false},
	{BPF_PROG_TYPE_KPROBE, 0, 4096, 8, false, false, false},
	{BPF_PROG_TYPE_TRACEPOINT, 0, 0, 8, false, false, false},
	{BPF_PROG_TYPE_TRACEPOINT, 0, 8, 4, false, false, true},
	{BPF_PROG_TYPE_TRACEPOINT, 0, 8192, 8, false, false, false},
	{BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 88, 8, false, false, true},
	{BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 96, 8, false, false, false},
	{BPF_PROG_TYPE_SYSCALL, 0, 4000, 8, true, false, true},
	{BPF_PROG_TYPE_SYSCALL, 0, 4001, 8, true, false, false},
	{NETFILTER, 0, 8, 8, false, false, true},
	{NETFILTER, 0, 8, 4, false, false, false},
};

TEST(accesses)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct ctx_access a = {
			.offset = cases[i].offset,
			.bytes = cases[i].bytes,
			.prog_type = cases[i].prog,
			.attach_type = cases[i].attach,
			.is_write = cases[i].is_write,
			.is_signed = cases[i].is_signed,
		};
		const struct ctx_field *f;
		bool is_fine = ctx_check(ctx_of(a.prog_type, a.attach_type), &a, &f);

		test_result(is_fine == cases[i].is_fine, __FILE__, __LINE__, "case %zu", i);
	}
}

TEST(pointers_are_behind_the_struct)
{
	struct ctx_access a = {.offset = MD(data_end), .bytes = 4, .prog_type = BPF_PROG_TYPE_XDP};
	const struct ctx_type *t = ctx_of(BPF_PROG_TYPE_XDP, 0);
	const struct ctx_field *f;

	CHECK(ctx_check(t, &a, &f));
	CHECK_EQ(f->kind, CTX_PACKET_END);
	CHECK_EQ(f->real_offset, t->more + offsetof(struct ctx_more, data_end));
	CHECK_EQ(f->real_bytes, 8);
}

TEST(sockets)
{
	CHECK(ctx_object_check(CTX_OBJECT_SOCK, SK(mark), 4));
	CHECK(!ctx_object_check(CTX_OBJECT_SOCK_COMMON, SK(mark), 4));
	CHECK(ctx_object_check(CTX_OBJECT_SOCK_COMMON, SK(family), 4));
	CHECK(ctx_object_check(CTX_OBJECT_SOCK, SK(dst_port), 2));
	CHECK(ctx_object_check(CTX_OBJECT_SOCK, SK(dst_port), 4));
	CHECK(!ctx_object_check(CTX_OBJECT_SOCK, SK(dst_port) + 2, 2));
	CHECK(!ctx_object_check(CTX_OBJECT_SOCK, sizeof(struct bpf_sock), 4));
	CHECK(ctx_object_check(CTX_OBJECT_TCP_SOCK, offsetof(struct bpf_tcp_sock, bytes_acked), 8));
	CHECK(!ctx_object_check(CTX_OBJECT_TCP_SOCK, 0, 8));
	CHECK(ctx_object_check(CTX_OBJECT_XDP_SOCK, 0, 4));
	CHECK(!ctx_object_check(CTX_OBJECT_XDP_SOCK, 4, 4));
}
