/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may call which helper, with what: helpers.def as tables.
 *
 * Most of it is a set of program types per row.  What else decides is the attach type (a
 * table below) and, for very few, the hook itself; and maps have helpers of their own.
 */
#include "runtime/vm/helper/proto.h"

#include "base/macro.h"

#include <string.h>

/* Newer than the headers that this may be built with; the same numbers in all that have them. */
#define BPF_PROG_TYPE_NETFILTER	     32
#define BPF_MAP_TYPE_CGRP_STORAGE    32
#define BPF_MAP_TYPE_ARENA	     33
#define BPF_CGROUP_UNIX_CONNECT	     49
#define BPF_CGROUP_UNIX_SENDMSG	     50
#define BPF_CGROUP_UNIX_RECVMSG	     51
#define BPF_CGROUP_UNIX_GETPEERNAME  52
#define BPF_CGROUP_UNIX_GETSOCKNAME  53
#define BPF_FUNC_cgrp_storage_get    210
#define BPF_FUNC_cgrp_storage_delete 211

struct row {
	struct proto proto;
	uint64_t types; /* 1 << enum bpf_prog_type */
	uint32_t number;
};

#define T(type)	  (1ull << BPF_PROG_TYPE_##type)
#define TC	  (T(SCHED_CLS) | T(SCHED_ACT))
#define LWT	  (T(LWT_IN) | T(LWT_OUT) | T(LWT_XMIT) | T(LWT_SEG6LOCAL))
#define RAW_TP	  (T(RAW_TRACEPOINT) | T(RAW_TRACEPOINT_WRITABLE))
#define BTF_TRACE (T(TRACING) | T(LSM))
#define TRACE	  (T(KPROBE) | T(TRACEPOINT) | T(PERF_EVENT) | RAW_TP | BTF_TRACE)
/* of cgroups, in the context of a task */
#define CGROUP_TASK                                                                   \
	(T(CGROUP_SOCK) | T(CGROUP_DEVICE) | T(CGROUP_SOCK_ADDR) | T(CGROUP_SYSCTL) | \
	 T(CGROUP_SOCKOPT))
#define CGROUP (CGROUP_TASK | T(CGROUP_SKB) | T(SOCK_OPS) | T(LSM))
#define NET                                                                               \
	(TC | LWT | T(SOCKET_FILTER) | T(XDP) | T(CGROUP_SKB) | T(SOCK_OPS) | T(SK_SKB) | \
	 T(SK_MSG) | T(CGROUP_SOCK_ADDR) | T(FLOW_DISSECTOR) | T(SK_LOOKUP))
/* programs over plain memory (UNSPEC) have what all have */
#define BASE                                                                                  \
	(NET | TRACE | CGROUP | T(SK_REUSEPORT) | T(STRUCT_OPS) | T(SYSCALL) | T(NETFILTER) | \
	 T(UNSPEC))
#define ALL (BASE | T(LIRC_MODE2))

#define OR_NULL		  ARG_OR_NULL
#define RELEASE		  ARG_RELEASE
#define LOCAL		  ARG_DYNPTR_LOCAL
#define RINGBUF		  ARG_DYNPTR_RINGBUF
#define RDONLY		  ARG_RDONLY
#define A0()		  .args = {ARG_NONE}
#define A1(a)		  .args = {ARG_##a}
#define A2(a, b)	  .args = {ARG_##a, ARG_##b}
#define A3(a, b, c)	  .args = {ARG_##a, ARG_##b, ARG_##c}
#define A4(a, b, c, d)	  .args = {ARG_##a, ARG_##b, ARG_##c, ARG_##d}
#define A5(a, b, c, d, e) .args = {ARG_##a, ARG_##b, ARG_##c, ARG_##d, ARG_##e}
#define GPL		  .is_gpl = true
#define PKT		  .takes_packet = true
#define CHANGES		  .changes_packet = true
#define SLEEPS		  .may_sleep = true
#define NEEDS(what)	  .needs = NEEDS_##what
#define BTF(n, type)	  .btf[(n)-1] = type
#define OF(n, bytes)	  .sizes[(n)-1] = bytes
#define GIVES(type)	  .ret_btf = type

static const struct row rows[] = {
#define HELPER(number, name_, types, ret_, ...) \
	{{.name = "bpf_" #name_, .ret = RET_##ret_, __VA_ARGS__}, types, number},
#include "runtime/vm/helper/helpers.def"
};

/* What attaching decides: the rule of a helper in programs of `types`. */
struct attach_rule {
	uint32_t helper;
	uint64_t types;
	uint64_t attach; /* 1 << enum bpf_attach_type: only for these */
};

#define AT(type) (1ull << BPF_##type)
#define UNNAMED                                                        \
	(AT(CGROUP_INET4_GETPEERNAME) | AT(CGROUP_INET6_GETPEERNAME) | \
	 AT(CGROUP_INET4_GETSOCKNAME) | AT(CGROUP_INET6_GETSOCKNAME))
/* Hooks whose result is not an errno that a program could set. */
#define NO_RETVAL                                                                      \
	(AT(CGROUP_INET_INGRESS) | AT(CGROUP_INET_EGRESS) | AT(CGROUP_SOCK_OPS) |      \
	 AT(CGROUP_UDP4_RECVMSG) | AT(CGROUP_UDP6_RECVMSG) | AT(CGROUP_UNIX_RECVMSG) | \
	 AT(CGROUP_UNIX_GETPEERNAME) | AT(CGROUP_UNIX_GETSOCKNAME) | UNNAMED)
#define CONNECT (AT(CGROUP_INET4_CONNECT) | AT(CGROUP_INET6_CONNECT))
#define SOCK_OPTIONS                                                                   \
	(CONNECT | UNNAMED | AT(CGROUP_INET4_BIND) | AT(CGROUP_INET6_BIND) |           \
	 AT(CGROUP_UNIX_CONNECT) | AT(CGROUP_UDP4_RECVMSG) | AT(CGROUP_UDP6_RECVMSG) | \
	 AT(CGROUP_UNIX_RECVMSG) | AT(CGROUP_UDP4_SENDMSG) | AT(CGROUP_UDP6_SENDMSG) | \
	 AT(CGROUP_UNIX_SENDMSG))
#define TRAMPOLINE (AT(TRACE_FENTRY) | AT(TRACE_FEXIT) | AT(MODIFY_RETURN))

static const struct attach_rule attach_rules[] = {
	{BPF_FUNC_get_local_storage, T(LSM), AT(LSM_CGROUP)},
	{BPF_FUNC_get_retval, T(LSM), AT(LSM_CGROUP)},
	{BPF_FUNC_set_retval, T(LSM), AT(LSM_CGROUP)},
	{BPF_FUNC_get_retval, CGROUP & ~T(LSM), ~NO_RETVAL},
	{BPF_FUNC_set_retval, CGROUP & ~T(LSM), ~NO_RETVAL},
	{BPF_FUNC_bind, T(CGROUP_SOCK_ADDR), CONNECT},
	{BPF_FUNC_setsockopt, T(CGROUP_SOCK_ADDR), SOCK_OPTIONS},
	{BPF_FUNC_getsockopt, T(CGROUP_SOCK_ADDR), SOCK_OPTIONS},
	{BPF_FUNC_setsockopt, T(CGROUP_SOCKOPT), AT(CGROUP_SETSOCKOPT)},
	{BPF_FUNC_getsockopt, T(CGROUP_SOCKOPT), AT(CGROUP_SETSOCKOPT)},
	{BPF_FUNC_setsockopt, T(TRACING), AT(TRACE_ITER)},
	{BPF_FUNC_getsockopt, T(TRACING), AT(TRACE_ITER)},
	{BPF_FUNC_setsockopt, T(LSM), AT(LSM_CGROUP)},
	{BPF_FUNC_getsockopt, T(LSM), AT(LSM_CGROUP)},
	{BPF_FUNC_seq_printf, BTF_TRACE, AT(TRACE_ITER)},
	{BPF_FUNC_seq_write, BTF_TRACE, AT(TRACE_ITER)},
	{BPF_FUNC_seq_printf_btf, BTF_TRACE, AT(TRACE_ITER)},
	{BPF_FUNC_get_func_arg, BTF_TRACE, TRAMPOLINE | AT(LSM_MAC)},
	{BPF_FUNC_get_func_ret, BTF_TRACE, TRAMPOLINE | AT(LSM_MAC)},
	{BPF_FUNC_get_func_arg_cnt, BTF_TRACE, TRAMPOLINE | AT(LSM_MAC)},
	{BPF_FUNC_get_func_ip, T(TRACING), TRAMPOLINE},
	{BPF_FUNC_get_attach_cookie, T(TRACING), TRAMPOLINE | AT(TRACE_RAW_TP)},
	{BPF_FUNC_get_attach_cookie, T(LSM), AT(LSM_MAC)},
};

/* The rows are sorted: the first of a helper; NULL: there is none. */
static const struct row *first_row(uint32_t helper)
{
	size_t from = 0, to = ELEMENTS(rows);

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (rows[middle].number < helper)
			from = middle + 1;
		else
			to = middle;
	}
	return from < ELEMENTS(rows) && rows[from].number == helper ? &rows[from] : NULL;
}

const struct proto *proto_of(uint32_t helper)
{
	const struct row *row = first_row(helper);

	return row ? &row->proto : NULL;
}

const struct proto *proto_for(uint32_t helper, uint32_t prog_type)
{
	const struct row *row = first_row(helper);

	if (!row || prog_type >= 64)
		return NULL;
	for (; row < rows + ELEMENTS(rows) && row->number == helper; row++)
		if (row->types >> prog_type & 1)
			return &row->proto;
	return NULL;
}

uint32_t proto_number(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(rows); i++)
		if (!strcmp(rows[i].proto.name, name))
			return rows[i].number;
	return 0;
}

bool proto_allows(uint32_t helper, uint32_t prog_type, uint32_t attach_type, bool is_sleepable)
{
	const struct proto *p = proto_for(helper, prog_type);

	if (!p || (p->may_sleep && !is_sleepable))
		return false;
	for (size_t i = 0; i < ELEMENTS(attach_rules); i++) {
		const struct attach_rule *rule = &attach_rules[i];

		if (rule->helper == helper && rule->types >> prog_type & 1)
			return attach_type < 64 && rule->attach >> attach_type & 1;
	}
	return true;
}

/* Functions of the kernel at which a path may be looked at without a deadlock. */
static bool may_see_path(const char *target)
{
	static const char *const names[] = {
		"security_file_permission",
		"security_inode_getattr",
		"security_file_open",
		"security_path_truncate",
		"vfs_truncate",
		"vfs_fallocate",
		"dentry_open",
		"vfs_getattr",
		"filp_close",
	};

	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (!strcmp(names[i], target))
			return true;
	return !strncmp(target, "bpf_iter_", strlen("bpf_iter_"));
}

bool proto_allows_target(uint32_t helper, uint32_t prog_type, bool is_sleepable, const char *target)
{
	switch (helper) {
	case BPF_FUNC_d_path:
		return prog_type == BPF_PROG_TYPE_LSM ? is_sleepable
						      : target && may_see_path(target);
	case BPF_FUNC_ima_inode_hash:
	case BPF_FUNC_ima_file_hash:
		return is_sleepable;
	case BPF_FUNC_sk_storage_get:
	case BPF_FUNC_sk_storage_delete:
		/* not where the storage itself is being worked on */
		return prog_type != BPF_PROG_TYPE_TRACING || !target ||
		       strncmp(target, "bpf_sk_storage", strlen("bpf_sk_storage"));
	case BPF_FUNC_setsockopt:
	case BPF_FUNC_getsockopt:
		return prog_type != BPF_PROG_TYPE_TRACING ||
		       (target &&
			(!strcmp(target, "bpf_iter_tcp") || !strcmp(target, "bpf_iter_unix")));
	}
	return true;
}

/* Helpers and maps that are only for each other. */
struct map_rule {
	uint32_t helper;
	uint64_t maps; /* 1 << enum bpf_map_type */
};

#define M(type)	 (1ull << BPF_MAP_TYPE_##type)
#define PERF	 M(PERF_EVENT_ARRAY)
#define QUEUES	 (M(QUEUE) | M(STACK))
#define STORAGES (M(SK_STORAGE) | M(INODE_STORAGE) | M(TASK_STORAGE) | M(CGRP_STORAGE))
#define SOCKMAPS (M(SOCKMAP) | M(SOCKHASH))
#define DEVMAPS	 (M(DEVMAP) | M(DEVMAP_HASH) | M(XSKMAP))
/* For which there are helpers of their own: no others take them. */
#define SPECIAL                                                                                   \
	(M(PROG_ARRAY) | PERF | M(RINGBUF) | M(USER_RINGBUF) | M(STACK_TRACE) | M(CGROUP_ARRAY) | \
	 M(CGROUP_STORAGE) | M(PERCPU_CGROUP_STORAGE) | DEVMAPS | M(CPUMAP) | M(ARRAY_OF_MAPS) |  \
	 M(HASH_OF_MAPS) | SOCKMAPS | M(REUSEPORT_SOCKARRAY) | QUEUES | STORAGES |                \
	 M(BLOOM_FILTER) | M(ARENA) | M(STRUCT_OPS))
#define PLAIN (~SPECIAL)

static const struct map_rule map_rules[] = {
	{BPF_FUNC_map_lookup_elem, PLAIN | DEVMAPS | SOCKMAPS | M(ARRAY_OF_MAPS) | M(HASH_OF_MAPS)},
	{BPF_FUNC_map_push_elem, QUEUES | M(BLOOM_FILTER)},
	{BPF_FUNC_map_pop_elem, QUEUES},
	{BPF_FUNC_map_peek_elem, QUEUES | M(BLOOM_FILTER)},
	{BPF_FUNC_map_lookup_percpu_elem, M(PERCPU_ARRAY) | M(PERCPU_HASH) | M(LRU_PERCPU_HASH)},
	{BPF_FUNC_for_each_map_elem,
	 M(ARRAY) | M(PERCPU_ARRAY) | M(HASH) | M(PERCPU_HASH) | M(LRU_HASH) | M(LRU_PERCPU_HASH)},
	{BPF_FUNC_tail_call, M(PROG_ARRAY)},
	{BPF_FUNC_perf_event_read, PERF},
	{BPF_FUNC_perf_event_output, PERF},
	{BPF_FUNC_perf_event_read_value, PERF},
	{BPF_FUNC_skb_output, PERF},
	{BPF_FUNC_xdp_output, PERF},
	{BPF_FUNC_ringbuf_output, M(RINGBUF)},
	{BPF_FUNC_ringbuf_reserve, M(RINGBUF)},
	{BPF_FUNC_ringbuf_query, M(RINGBUF)},
	{BPF_FUNC_ringbuf_reserve_dynptr, M(RINGBUF)},
	{BPF_FUNC_user_ringbuf_drain, M(USER_RINGBUF)},
	{BPF_FUNC_get_stackid, M(STACK_TRACE)},
	{BPF_FUNC_current_task_under_cgroup, M(CGROUP_ARRAY)},
	{BPF_FUNC_skb_under_cgroup, M(CGROUP_ARRAY)},
	{BPF_FUNC_redirect_map, DEVMAPS | M(CPUMAP)},
	{BPF_FUNC_sk_redirect_map, M(SOCKMAP)},
	{BPF_FUNC_msg_redirect_map, M(SOCKMAP)},
	{BPF_FUNC_sock_map_update, M(SOCKMAP)},
	{BPF_FUNC_sk_redirect_hash, M(SOCKHASH)},
	{BPF_FUNC_msg_redirect_hash, M(SOCKHASH)},
	{BPF_FUNC_sock_hash_update, M(SOCKHASH)},
	{BPF_FUNC_get_local_storage, M(CGROUP_STORAGE) | M(PERCPU_CGROUP_STORAGE)},
	{BPF_FUNC_sk_select_reuseport, M(REUSEPORT_SOCKARRAY) | SOCKMAPS},
	{BPF_FUNC_sk_storage_get, M(SK_STORAGE)},
	{BPF_FUNC_sk_storage_delete, M(SK_STORAGE)},
	{BPF_FUNC_inode_storage_get, M(INODE_STORAGE)},
	{BPF_FUNC_inode_storage_delete, M(INODE_STORAGE)},
	{BPF_FUNC_task_storage_get, M(TASK_STORAGE)},
	{BPF_FUNC_task_storage_delete, M(TASK_STORAGE)},
	{BPF_FUNC_cgrp_storage_get, M(CGRP_STORAGE)},
	{BPF_FUNC_cgrp_storage_delete, M(CGRP_STORAGE)},
	{BPF_FUNC_kptr_xchg, PLAIN | STORAGES},
};

bool proto_takes_map(uint32_t helper, uint32_t map_type)
{
	uint64_t maps = PLAIN;

	for (size_t i = 0; i < ELEMENTS(map_rules); i++)
		if (map_rules[i].helper == helper)
			maps = map_rules[i].maps;
	return map_type != BPF_MAP_TYPE_UNSPEC && map_type <= BPF_MAP_TYPE_ARENA &&
	       maps >> map_type & 1;
}

bool proto_takes_map_in(uint32_t helper, uint32_t map_type, uint32_t prog_type,
			uint32_t attach_type)
{
	uint64_t both =
		T(SOCKET_FILTER) | TC | T(XDP) | T(SK_REUSEPORT) | T(FLOW_DISSECTOR) | T(SK_LOOKUP);
	bool is_update = helper == BPF_FUNC_map_update_elem;

	if (map_type >= 64 || prog_type >= 64 || !(SOCKMAPS >> map_type & 1) ||
	    (!is_update && helper != BPF_FUNC_map_delete_elem))
		return proto_takes_map(helper, map_type);
	if (prog_type == BPF_PROG_TYPE_TRACING)
		return attach_type == BPF_TRACE_ITER;
	return (both | (is_update ? 0 : T(SOCK_OPS))) >> prog_type & 1;
}
