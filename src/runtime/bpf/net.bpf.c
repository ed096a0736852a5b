/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Connections, and whose they are.
 *
 * The truth about a TCP connection is its state machine, not the system call: a
 * connect() that does not block returns before anything is known, and segments
 * arrive while somebody else runs.  So lines are made where the state changes, and
 * the process is taken from the socket, where it was put down while the process
 * itself was running:
 *
 *   connect   at the step to SYN_SENT
 *   listen    at the step to LISTEN; sockets made from a listener inherit its owner
 *             (BPF_F_CLONE), until somebody accepts them
 *   accept    at the end of the call: the accepting process is the owner
 *
 * Fork, passing the descriptor or exec change nothing of that.  UDP has no states:
 * a fixed address is seen at the end of connect(), datagrams without one by a hook
 * on the cgroup (sendmsg4, sendmsg6), which reports each new address once.
 */
#include "runtime/bpf/core.h"
#include "runtime/bpf/path.h"
#include "runtime/bpf/syscall.h"

#include <bpf/bpf_endian.h>

enum tcp_state {
	TCP_ESTABLISHED_ = 1,
	TCP_SYN_SENT_ = 2,
	TCP_SYN_RECV_ = 3,
	TCP_CLOSE_ = 7,
	TCP_LISTEN_ = 10,
};

enum {
	EINTR_ = 4,
	EAGAIN_ = 11,
	ECONNABORTED_ = 103,
	EISCONN_ = 106,
	EALREADY_ = 114,
	EINPROGRESS_ = 115,
};

/* Threads whose connect() got as far as SYN_SENT: its result comes with the state. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} syn_sent SEC(".maps");

/* Tracing programs reach socket storage since 5.11 (8e4597c627fb), as task storage came. */
static __always_inline bool have_storage(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_storage_get);
}

static __always_inline void owner_init(struct owner *o)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid(), uid_gid = bpf_get_current_uid_gid();

	__builtin_memset(o, 0, sizeof(*o));
	o->start_ns = BPF_CORE_READ(this_task(), group_leader, start_boottime);
	o->cgroup = bpf_get_current_cgroup_id();
	o->pid = pid_tgid >> 32;
	o->tid = pid_tgid;
	o->uid = uid_gid;
	o->gid = uid_gid >> 32;
	bpf_get_current_comm(o->comm, sizeof(o->comm));
}

static __always_inline void owner_set_by_address(__u64 sk, const struct owner *o)
{
	if (bpf_map_update_elem(&owners_by_address, &sk, o, BPF_ANY))
		count_table_full();
}

static __always_inline void owner_set(struct sock *sk, const struct owner *o)
{
	struct owner *at;

	if (!have_storage()) {
		owner_set_by_address((__u64)sk, o);
		return;
	}
	at = bpf_sk_storage_get(&owners, sk, (void *)o, BPF_SK_STORAGE_GET_F_CREATE);
	if (at)
		*at = *o;
	else
		count_table_full();
}

static __always_inline struct owner *owner_on_socket(struct sock *sk)
{
	return have_storage() ? bpf_sk_storage_get(&owners, sk, NULL, 0) : NULL;
}

static __always_inline void conn_init(struct wire_conn *c, __u16 kind)
{
	__builtin_memset(c, 0, sizeof(*c));
	c->head.kind = kind;
	c->head.time_ns = bpf_ktime_get_boot_ns();
}

static __always_inline void fill_owner(struct wire_conn *c, const struct owner *o)
{
	c->head.start_ns = o->start_ns;
	c->head.cgroup = o->cgroup;
	c->head.pid = o->pid;
	c->head.tid = o->tid;
	c->head.uid = o->uid;
	c->head.gid = o->gid;
	c->head.flags = o->flags;
	__builtin_memcpy(c->head.comm, o->comm, sizeof(o->comm));
}

static __always_inline void fill_sock(struct wire_conn *c, struct sock *sk)
{
	c->sock = (__u64)sk;
	c->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	c->protocol = BPF_CORE_READ(sk, sk_protocol);
	c->sport = BPF_CORE_READ(sk, __sk_common.skc_num);
	if (!c->sport) /* given back already: this socket is being closed */
		c->sport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	c->dport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (c->family == AF_INET6_) {
		BPF_CORE_READ_INTO(&c->saddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&c->daddr, sk, __sk_common.skc_v6_daddr);
	} else {
		BPF_CORE_READ_INTO((__u32 *)c->saddr, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)c->daddr, sk, __sk_common.skc_daddr);
	}
}

static __always_inline void fill_traffic(struct wire_conn *c, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	c->sent = BPF_CORE_READ(tp, bytes_sent) - BPF_CORE_READ(tp, bytes_retrans);
	c->received = BPF_CORE_READ(tp, bytes_received);
	/* the peer's FIN has a sequence number of its own and was counted as a byte */
	if (c->received && (BPF_CORE_READ(sk, __sk_common.skc_flags) & (1ul << SOCK_DONE_BIT)))
		c->received--;
	c->retransmits = BPF_CORE_READ(tp, total_retrans);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_tcp_state, struct sock *sk, int old, int new)
{
	__u64 key = (__u64)sk, opened = 0;
	struct owner *o, *on_socket, me;
	struct wire_conn c;
	__u32 tid;

	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP_)
		return 0;
	if (new == TCP_SYN_SENT_ || new == TCP_LISTEN_) {
		if (!in_scope())
			return 0;
		owner_init(&me);
		me.is_connecting = new == TCP_SYN_SENT_;
		/* a new life of this address: what was known of an old one is over */
		bpf_map_delete_elem(&owners_by_address, &key);
		owner_set(sk, &me);
		if (new == TCP_SYN_SENT_) {
			tid = me.tid;
			bpf_map_update_elem(&syn_sent, &tid, &key, BPF_ANY);
		}
		return 0;
	}
	if (new != TCP_ESTABLISHED_ &&new != TCP_CLOSE_)
		return 0;
	on_socket = owner_on_socket(sk);
	if (new == TCP_ESTABLISHED_ && on_socket && !on_socket->is_connecting)
		bpf_map_delete_elem(&owners_by_address, &key); /* made from a listener just now */
	o = bpf_map_lookup_elem(&owners_by_address, &key);
	if (!o)
		o = on_socket;
	if (!o)
		return 0;
	opened = o->opened_ns;
	if (on_socket && on_socket->opened_ns)
		opened = on_socket->opened_ns;
	if (new == TCP_ESTABLISHED_ && !o->is_connecting) {
		o->opened_ns = bpf_ktime_get_boot_ns();
		o->flags |= WIRE_F_INHERITED;
	} else if (old == TCP_SYN_SENT_ || new == TCP_ESTABLISHED_) {
		conn_init(&c, EV_CONNECT);
		fill_owner(&c, o);
		fill_sock(&c, sk);
		if (new == TCP_ESTABLISHED_) {
			o->opened_ns = c.head.time_ns;
		} else {
			int err = BPF_CORE_READ(sk, sk_err);

			c.head.ret = -(err ? err : ECONNABORTED_);
		}
		if (wanted(EV_CONNECT) && (!c.head.ret || !(scope.bits & SCOPE_NO_FAILED)))
			record_send_fixed(&c);
	} else if (new == TCP_CLOSE_ &&
		   old != TCP_LISTEN_ &&old != TCP_SYN_RECV_ &&wanted(EV_CLOSE)) {
		conn_init(&c, EV_CLOSE);
		fill_owner(&c, o);
		fill_sock(&c, sk);
		fill_traffic(&c, sk);
		if (opened)
			c.duration_ns = c.head.time_ns - opened;
		record_send_fixed(&c);
	}
	if (new == TCP_CLOSE_)
		bpf_map_delete_elem(&owners_by_address, &key);
	return 0;
}

static __always_inline struct sock *sock_of_fd(__u32 fd)
{
	struct file *file = file_of_fd(this_task(), fd);
	struct socket *socket;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT_) != S_IFSOCK_)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
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

/*
 * socketcall(call, args): how 32-bit programs of old ask for all socket calls.  The
 * arguments are in user memory; see include/uapi/linux/net.h for the numbers.
 */
static __always_inline bool unpack_socketcall(struct sys_call *c)
{
	__u32 args[3] = {};

	switch (c->arg[0]) {
	case 2:
		c->desc.kind = EV_BIND;
		break;
	case 3:
		c->desc.kind = EV_CONNECT;
		break;
	case 4:
		c->desc.kind = EV_LISTEN;
		break;
	case 5:
	case 18:
		c->desc.kind = EV_ACCEPT;
		break;
	default:
		return false;
	}
	bpf_probe_read_user(args, sizeof(args), (void *)c->arg[1]);
	c->arg[0] = args[0];
	c->arg[1] = args[1];
	c->arg[2] = args[2];
	return true;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_sock, struct pt_regs *regs, long ret)
{
	struct scratch *s = sys_scratch();
	__u32 tid = bpf_get_current_pid_tgid();
	const struct sys_desc *d;
	struct wire_conn c;
	struct owner me;
	struct sock *sk;
	__u64 *syn, key;

	if (!s)
		return 0;
	if ((s->call.desc.bits & SYS_B_SOCKETCALL) && !unpack_socketcall(&s->call))
		return 0;
	d = &s->call.desc;
	if (d->kind == EV_ACCEPT && ret < 0)
		return 0; /* no connection; EAGAIN would be most of them */
	sk = sock_of_fd(d->kind == EV_ACCEPT ? ret : sys_arg(s, 0));
	if (!sk)
		return 0;
	conn_init(&c, d->kind);
	fill_sock(&c, sk);
	if (c.family != AF_INET_ && c.family != AF_INET6_)
		return 0;
	owner_init(&me);
	fill_owner(&c, &me);
	c.head.flags = s->call.flags;
	c.head.ret = ret < 0 ? ret : 0;
	key = (__u64)sk;
	switch (d->kind) {
	case EV_CONNECT:
		syn = bpf_map_lookup_elem(&syn_sent, &tid);
		if (syn && *syn == key) {
			bpf_map_delete_elem(&syn_sent, &tid);
			return 0; /* told by on_tcp_state */
		}
		if (ret == -EINPROGRESS_ || ret == -EALREADY_ || ret == -EISCONN_ ||
		    ret == -EINTR_ || (ret == 0 && c.protocol == IPPROTO_TCP_))
			return 0;
		if (ret < 0)
			read_sockaddr((void *)sys_arg(s, 1), c.daddr, &c.dport);
		else if (!c.dport)
			return 0; /* AF_UNSPEC: the address was taken away */
		break;
	case EV_ACCEPT:
		me.opened_ns = c.head.time_ns; /* the socket itself may know better */
		if (BPF_CORE_READ(sk, __sk_common.skc_state) !=
		    TCP_CLOSE_) /* else its end is over */
			owner_set_by_address(key, &me);
		break;
	case EV_LISTEN:
		c.backlog = sys_arg(s, 1);
		break;
	case EV_BIND:
		if (ret < 0)
			read_sockaddr((void *)sys_arg(s, 1), c.saddr, &c.sport);
		break;
	}
	if (wanted(d->kind))
		record_send_fixed(&c);
	return 0;
}

/* The hook's place in the cgroup tree already decides SCOPE_CGROUP. */
static __always_inline bool in_scope_of_hook(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (pid == scope.self)
		return false;
	if ((scope.bits & SCOPE_TREE) && !bpf_map_lookup_elem(&scope_pids, &pid))
		return false;
	if ((scope.bits & SCOPE_USER) && (__u32)bpf_get_current_uid_gid() != scope.uid)
		return false;
	if (scope.bits & SCOPE_COMM) {
		char comm[WIRE_COMM] = {};

		bpf_get_current_comm(comm, sizeof(comm));
		return comm_matches(comm);
	}
	return true;
}

static __always_inline int on_datagram(struct bpf_sock_addr *ctx, __u16 family)
{
	struct bpf_sock *sk = ctx->sk;
	struct owner me, *o;
	struct wire_conn c;
	__u64 hi = 0, lo;

	if (!sk || !in_scope_of_hook())
		return 1;
	owner_init(&me);
	o = bpf_sk_storage_get(&owners, sk, &me, BPF_SK_STORAGE_GET_F_CREATE);
	if (!o)
		return 1;
	conn_init(&c, EV_DATAGRAM);
	fill_owner(&c, &me);
	c.family = family;
	c.protocol = ctx->protocol;
	c.dport = bpf_ntohs(ctx->user_port);
	c.sport = sk->src_port;
	if (family == AF_INET_) {
		__u32 ip = ctx->user_ip4;

		__builtin_memcpy(c.daddr, &ip, 4);
	} else {
		__u32 ip[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
			       ctx->user_ip6[3]};

		__builtin_memcpy(c.daddr, ip, 16);
	}
	__builtin_memcpy(&hi, c.daddr, 8);
	__builtin_memcpy(&lo, c.daddr + 8, 8);
	lo ^= (__u64)c.dport << 48 | 1; /* never 0: a fresh socket has sent nothing */
	if (o->dest_hi == hi && o->dest_lo == lo)
		return 1;
	o->dest_hi = hi;
	o->dest_lo = lo;
	record_send_fixed(&c);
	return 1;
}

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *ctx)
{
	return on_datagram(ctx, AF_INET_);
}

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *ctx)
{
	return on_datagram(ctx, AF_INET6_);
}

/* Sockets that were there before skep, with the process that holds them. */
SEC("iter/task_file")
int seed_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct {
		__u64 key;
		struct owner o;
	} out = {};
	struct socket *socket;
	struct sock *sk;
	__u16 family;

	if (!task || !file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT_) != S_IFSOCK_)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if ((family != AF_INET_ && family != AF_INET6_) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP_)
		return 0;
	out.key = (__u64)sk;
	out.o.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	out.o.cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	out.o.pid = BPF_CORE_READ(task, tgid);
	out.o.tid = out.o.pid;
	out.o.uid = BPF_CORE_READ(task, cred, uid.val);
	out.o.gid = BPF_CORE_READ(task, cred, gid.val);
	out.o.flags = WIRE_F_SEEDED;
	bpf_probe_read_kernel_str(out.o.comm, sizeof(out.o.comm), task->comm);
	bpf_seq_write(ctx->meta->seq, &out, sizeof(out));
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
