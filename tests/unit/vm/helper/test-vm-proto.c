/* SPDX-License-Identifier: Apache-2.0 */
/* The table of helpers: complete, consistent, and what some rows must say. */
#include "runtime/vm/helper/kfunc-proto.h"
#include "runtime/vm/helper/proto.h"

#include "base/macro.h"
#include "test.h"

enum { HELPERS = 211, PROG_TYPES = 33, KIND = 0xff, ARENA = 33 };

static const char *const names[] = {
#define NAME(name) "bpf_" #name
	__BPF_FUNC_MAPPER(NAME)
#undef NAME
};

/* As the headers that this is built with number and name them. */
TEST(numbers_and_names)
{
	for (uint32_t i = 1; i < ELEMENTS(names); i++) {
		CHECK(proto_of(i));
		CHECK_STREQ(proto_of(i)->name, names[i]);
		CHECK_EQ(proto_number(names[i]), i);
	}
	for (uint32_t i = 1; i <= HELPERS; i++)
		CHECK(proto_of(i));
	CHECK(!proto_of(0));
	CHECK(!proto_of(HELPERS + 1));
	CHECK(!proto_of(UINT32_MAX));
	CHECK_EQ(proto_number("bpf_nothing"), 0);
}

static bool is_memory(unsigned int kind)
{
	return kind == ARG_MEM || kind == ARG_MEM_UNINIT || kind == ARG_MEM_RW;
}

static bool is_size(unsigned int kind)
{
	return kind == ARG_SIZE || kind == ARG_SIZE_OR_ZERO;
}

static bool is_consistent(const struct proto *p)
{
	for (unsigned int i = 0; i < ELEMENTS(p->args); i++) {
		unsigned int kind = p->args[i] & KIND;
		bool is_fixed = kind == ARG_FIXED_MEM || kind == ARG_FIXED_MEM_UNINIT ||
				kind == ARG_INT_PTR || kind == ARG_LONG_PTR;
		bool has_type = kind == ARG_BTF_ID;

		if (i && kind != ARG_NONE && (p->args[i - 1] & KIND) == ARG_NONE)
			return false;
		if (is_memory(kind) && (i == 4 || !is_size(p->args[i + 1] & KIND)))
			return false;
		if (is_size(kind) && (!i || !is_memory(p->args[i - 1] & KIND)))
			return false;
		if (is_fixed != !!p->sizes[i])
			return false;
		/* the one whose type depends on the other argument */
		if (has_type != !!p->btf[i] && strcmp(p->name, "bpf_kptr_xchg"))
			return false;
	}
	return (p->ret == RET_BTF_ID || p->ret == RET_BTF_ID_OR_NULL ||
		p->ret == RET_BTF_ID_TRUSTED) == !!p->ret_btf;
}

TEST(rows_are_consistent)
{
	for (uint32_t i = 1; i <= HELPERS; i++)
		for (uint32_t type = 1; type < PROG_TYPES; type++) {
			const struct proto *p = proto_for(i, type);

			if (!p)
				continue;
			test_result(is_consistent(p), __FILE__, __LINE__, "%s", p->name);
			CHECK_STREQ(p->name, proto_of(i)->name);
		}
}

static const struct {
	uint32_t helper, prog, attach;
	bool is_sleepable, is_allowed;
} rules[] = {
	{BPF_FUNC_map_lookup_elem, BPF_PROG_TYPE_XDP, 0, false, true},
	{BPF_FUNC_map_lookup_elem, BPF_PROG_TYPE_LIRC_MODE2, 0, false, true},
	{BPF_FUNC_spin_lock, BPF_PROG_TYPE_LIRC_MODE2, 0, false, false},
	{BPF_FUNC_probe_read, BPF_PROG_TYPE_XDP, 0, false, false},
	{BPF_FUNC_probe_read, BPF_PROG_TYPE_KPROBE, 0, false, true},
	{BPF_FUNC_skb_load_bytes, BPF_PROG_TYPE_KPROBE, 0, false, false},
	{BPF_FUNC_skb_pull_data, BPF_PROG_TYPE_LWT_OUT, 0, false, true},
	{BPF_FUNC_skb_pull_data, BPF_PROG_TYPE_LWT_SEG6LOCAL, 0, false, false},
	{BPF_FUNC_copy_from_user, BPF_PROG_TYPE_KPROBE, 0, false, false},
	{BPF_FUNC_copy_from_user, BPF_PROG_TYPE_KPROBE, 0, true, true},
	{BPF_FUNC_get_retval, BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, false, false},
	{BPF_FUNC_get_retval, BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT, false, true},
	{BPF_FUNC_bind, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, false, true},
	{BPF_FUNC_bind, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND, false, false},
	{BPF_FUNC_seq_write, BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, false, true},
	{BPF_FUNC_seq_write, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, false, false},
	{BPF_FUNC_get_func_arg, BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, false, false},
	{BPF_FUNC_get_func_ip, BPF_PROG_TYPE_TRACEPOINT, 0, false, false},
	{BPF_FUNC_sys_bpf, BPF_PROG_TYPE_SYSCALL, 0, true, true},
	{BPF_FUNC_map_lookup_elem, BPF_PROG_TYPE_UNSPEC, 0, false, true},
	{BPF_FUNC_skb_load_bytes, BPF_PROG_TYPE_UNSPEC, 0, false, false},
	{BPF_FUNC_map_lookup_elem, 77, 0, false, false},
};

TEST(who_may_call)
{
	for (size_t i = 0; i < ELEMENTS(rules); i++)
		CHECK_EQ(proto_allows(rules[i].helper, rules[i].prog, rules[i].attach,
				      rules[i].is_sleepable),
			 rules[i].is_allowed);
	CHECK(proto_allows_target(BPF_FUNC_d_path, BPF_PROG_TYPE_TRACING, false, "filp_close"));
	CHECK(!proto_allows_target(BPF_FUNC_d_path, BPF_PROG_TYPE_TRACING, false, "schedule"));
	CHECK(!proto_allows_target(BPF_FUNC_d_path, BPF_PROG_TYPE_TRACING, false, NULL));
	CHECK(proto_allows_target(BPF_FUNC_map_lookup_elem, BPF_PROG_TYPE_XDP, false, NULL));
}

TEST(rows_differ_by_program_type)
{
	const struct proto *ctx = proto_for(BPF_FUNC_get_socket_cookie, BPF_PROG_TYPE_SCHED_CLS);
	const struct proto *sock = proto_for(BPF_FUNC_get_socket_cookie, BPF_PROG_TYPE_TRACING);

	CHECK_EQ(ctx->args[0], ARG_CTX);
	CHECK_EQ(sock->args[0], ARG_BTF_ID_SOCK_COMMON | ARG_OR_NULL);
}

TEST(which_maps)
{
	CHECK(proto_takes_map(BPF_FUNC_map_lookup_elem, BPF_MAP_TYPE_HASH));
	CHECK(proto_takes_map(BPF_FUNC_map_lookup_elem, BPF_MAP_TYPE_HASH_OF_MAPS));
	CHECK(!proto_takes_map(BPF_FUNC_map_update_elem, BPF_MAP_TYPE_HASH_OF_MAPS));
	CHECK(!proto_takes_map(BPF_FUNC_map_lookup_elem, BPF_MAP_TYPE_RINGBUF));
	CHECK(!proto_takes_map(BPF_FUNC_map_lookup_elem, ARENA));
	CHECK(!proto_takes_map(BPF_FUNC_map_lookup_elem, 0));
	CHECK(!proto_takes_map(BPF_FUNC_map_lookup_elem, ARENA + 1));
	CHECK(proto_takes_map(BPF_FUNC_ringbuf_reserve, BPF_MAP_TYPE_RINGBUF));
	CHECK(!proto_takes_map(BPF_FUNC_ringbuf_reserve, BPF_MAP_TYPE_ARRAY));
	CHECK(proto_takes_map(BPF_FUNC_timer_init, BPF_MAP_TYPE_ARRAY));
	CHECK(!proto_takes_map(BPF_FUNC_map_update_elem, BPF_MAP_TYPE_SOCKMAP));
	CHECK(proto_takes_map_in(BPF_FUNC_map_update_elem, BPF_MAP_TYPE_SOCKMAP,
				 BPF_PROG_TYPE_SCHED_CLS, 0));
	CHECK(!proto_takes_map_in(BPF_FUNC_map_update_elem, BPF_MAP_TYPE_SOCKMAP,
				  BPF_PROG_TYPE_SOCK_OPS, 0));
	CHECK(proto_takes_map_in(BPF_FUNC_map_delete_elem, BPF_MAP_TYPE_SOCKMAP,
				 BPF_PROG_TYPE_SOCK_OPS, 0));
}

static const char *const kfunc_names[] = {
#define KFUNC(name, hooks, flags) #name,
#include "runtime/vm/helper/kfuncs.def"
};

TEST(kfuncs)
{
	const struct kfunc_proto *k;

	for (size_t i = 0; i < ELEMENTS(kfunc_names); i++) {
		CHECK(!i || strcmp(kfunc_names[i - 1], kfunc_names[i]) <= 0);
		CHECK(kfunc_proto_of(kfunc_names[i]));
	}
	k = kfunc_proto_for("bpf_iter_num_next", BPF_PROG_TYPE_XDP, 0);
	CHECK(k && k->flags == (KFUNC_ITER_NEXT | KFUNC_RET_NULL));
	CHECK(!kfunc_proto_for("bpf_obj_new_impl", BPF_PROG_TYPE_SOCKET_FILTER, 0));
	CHECK(kfunc_proto_for("bpf_obj_new_impl", BPF_PROG_TYPE_TRACEPOINT, 0));
	CHECK(!kfunc_proto_for("bpf_sock_destroy", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY));
	CHECK(kfunc_proto_for("bpf_sock_destroy", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER));
	/* its flags depend on the program type */
	k = kfunc_proto_for("hid_bpf_hw_request", BPF_PROG_TYPE_SYSCALL, 0);
	CHECK(k && k->flags == 0);
	k = kfunc_proto_for("hid_bpf_hw_request", BPF_PROG_TYPE_STRUCT_OPS, 0);
	CHECK(k && k->flags == KFUNC_SLEEPABLE);
	CHECK(!kfunc_proto_of("bpf_nothing"));
}
