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
#include "runtime/bpf/socket.h"
#include "runtime/bpf/syscall.h"

#include <bpf/bpf_endian.h>

enum tcp_state {
	TCP_SYN_SENT_ = 2,
	TCP_SYN_RECV_ = 3,
	TCP_CLOSE_ = 7,
};

enum {
	EINTR_ = 4,
	EAGAIN_ = 11,
	ECONNABORTED_ = 103,
	ECONNRESET_ = 104,
	EISCONN_ = 106,
	ETIMEDOUT_ = 110,
	ECONNREFUSED_ = 111,
	EALREADY_ = 114,
	EINPROGRESS_ = 115,
	ERESTARTSYS_ = 512, /* of the kernel: EINTR, or the call is made again */
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

/* A socket's member: a direct load where the pointer comes with its type. */
#define SOCK(sk, is_typed, member) ((is_typed) ? (sk)->member : BPF_CORE_READ(sk, member))

static __always_inline void fill_sock(struct wire_conn *c, struct sock *sk, bool is_typed)
{
	c->sock = (__u64)sk;
	c->family = SOCK(sk, is_typed, __sk_common.skc_family);
	c->protocol = SOCK(sk, is_typed, sk_protocol);
	c->sport = SOCK(sk, is_typed, __sk_common.skc_num);
	if (!c->sport) /* given back already: this socket is being closed */
		c->sport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	c->dport = bpf_ntohs(SOCK(sk, is_typed, __sk_common.skc_dport));
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
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	if (!tp)
		return;
	c->sent = tp->bytes_sent - tp->bytes_retrans;
	c->received = tp->bytes_received;
	/* the peer's FIN has a sequence number of its own and was counted as a byte */
	if (c->received && (sk->__sk_common.skc_flags & (1ul << SOCK_DONE_BIT)))
		c->received--;
	c->retransmits = tp->total_retrans;
}

/* To SYN_SENT or LISTEN, in the call that asked for it: who runs is the owner. */
static __always_inline void tcp_begin(struct sock *sk, bool is_connecting)
{
	__u64 key = (__u64)sk;
	struct owner me;
	__u32 tid;

	if (!in_scope())
		return;
	owner_init(&me);
	me.is_connecting = is_connecting;
	/* a new life of this address: what was known of an old one is over */
	bpf_map_delete_elem(&owners_by_address, &key);
	owner_set(sk, &me);
	if (is_connecting) {
		tid = me.tid;
		bpf_map_update_elem(&syn_sent, &tid, &key, BPF_ANY);
	}
}

/* To ESTABLISHED or CLOSE, whoever happens to run. */
static __always_inline void tcp_step(struct sock *sk, int old, int new)
{
	struct owner *o, *on_socket = owner_on_socket(sk);
	__u64 key = (__u64)sk, opened;
	struct wire_conn c;
	int err;

	o = bpf_map_lookup_elem(&owners_by_address, &key);
	if (!o)
		o = on_socket;
	if (!o)
		return;
	opened = o->opened_ns;
	if (on_socket && on_socket->opened_ns)
		opened = on_socket->opened_ns;
	if (new == TCP_ESTABLISHED_ && !o->is_connecting) {
		o->opened_ns = bpf_ktime_get_boot_ns();
		if (o == on_socket) /* the listener's; with fast open it can be accepted already */
			o->flags |= WIRE_F_INHERITED;
	} else if (old == TCP_SYN_SENT_ || new == TCP_ESTABLISHED_) {
		conn_init(&c, EV_CONNECT);
		fill_owner(&c, o);
		fill_sock(&c, sk, true);
		if (new == TCP_ESTABLISHED_) {
			o->opened_ns = c.head.time_ns;
		} else {
			err = sk->sk_err;
			c.head.ret = -(err ? err : ECONNABORTED_);
		}
		if (wanted(EV_CONNECT) && (!c.head.ret || !(scope.bits & SCOPE_NO_FAILED)))
			record_send_fixed(&c);
	} else if (old != TCP_LISTEN_ && old != TCP_SYN_RECV_ && wanted(EV_CLOSE)) {
		conn_init(&c, EV_CLOSE);
		fill_owner(&c, o);
		fill_sock(&c, sk, true);
		fill_traffic(&c, sk);
		if (opened)
			c.duration_ns = c.head.time_ns - opened;
		record_send_fixed(&c);
	}
	if (new == TCP_CLOSE_)
		bpf_map_delete_elem(&owners_by_address, &key);
}

/* Half of all steps are of no interest: the first question is which one this is. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_tcp_state, struct sock *sk, int old, int new)
{
	__u64 key = (__u64)sk;

	switch (new) {
	case TCP_SYN_SENT_:
	case TCP_LISTEN_:
		if (sk->sk_protocol == IPPROTO_TCP_)
			tcp_begin(sk, new == TCP_SYN_SENT_);
		break;
	case TCP_SYN_RECV_:
		if (old == TCP_LISTEN_) /* made from a listener just now: a new life, too */
			bpf_map_delete_elem(&owners_by_address, &key);
		break;
	case TCP_ESTABLISHED_:
	case TCP_CLOSE_:
		if (sk->sk_protocol == IPPROTO_TCP_)
			tcp_step(sk, old, new);
		break;
	}
	return 0;
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
	if (bpf_probe_read_user(args, sizeof(args), (void *)c->arg[1]))
		return false;
	c->arg[0] = args[0];
	c->arg[1] = args[1];
	c->arg[2] = args[2];
	return true;
}

/*
 * Is this result of connect() none, or one that on_tcp_state tells?  A second call on the
 * same socket returns what became of the first.
 */
static __always_inline bool is_told_by_state(long ret, __u16 protocol)
{
	switch (ret) {
	case -EINTR_:
	case -EISCONN_:
	case -EALREADY_:
	case -EINPROGRESS_:
	case -ERESTARTSYS_:
		return true;
	case 0:
	case -ECONNABORTED_:
	case -ECONNRESET_:
	case -ETIMEDOUT_:
	case -ECONNREFUSED_:
		return protocol == IPPROTO_TCP_;
	}
	return false;
}

/* The connection behind a call, if the call is what tells about it. */
static __always_inline void tell_call(struct scratch *s, long ret)
{
	__u32 tid = bpf_get_current_pid_tgid();
	const struct sys_desc *d;
	struct wire_conn c;
	struct owner me;
	struct sock *sk;
	__u64 *syn, key;

	d = &s->call.desc;
	if (d->kind == EV_ACCEPT && ret < 0)
		return; /* no connection; EAGAIN would be most of them */
	sk = sock_of_fd(d->kind == EV_ACCEPT ? ret : sys_arg(s, 0));
	if (!sk)
		return;
	conn_init(&c, d->kind);
	fill_sock(&c, sk, false);
	if (c.family != AF_INET_ && c.family != AF_INET6_)
		return;
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
			return; /* told by on_tcp_state */
		}
		if (is_told_by_state(ret, c.protocol))
			return;
		if (ret < 0)
			read_sockaddr((void *)sys_arg(s, 1), c.daddr, &c.dport);
		else if (!c.dport)
			return; /* AF_UNSPEC: the address was taken away */
		break;
	case EV_ACCEPT:
		me.opened_ns = c.head.time_ns; /* the socket itself may know better */
		/* on_tcp_state forgets it; a socket that is closed has had its end already */
		if (c.protocol == IPPROTO_TCP_ &&
		    BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_CLOSE_)
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
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_sock, struct pt_regs *regs, long ret)
{
	struct scratch *s = sys_scratch();
	struct sys_call *c;
	__u64 first, second;
	__u8 kind;

	if (!s)
		return 0;
	c = &s->call;
	kind = c->desc.kind;
	first = c->arg[0];
	second = c->arg[1];
	if (!(c->desc.bits & SYS_B_SOCKETCALL) || unpack_socketcall(c))
		tell_call(s, ret);
	if (!(c->desc.bits & SYS_B_NETCALL))
		return 0;
	/* as it came: the next handler unpacks for itself */
	c->desc.kind = kind;
	c->arg[0] = first;
	c->arg[1] = second;
	bpf_tail_call(ctx, &sys_programs, SYS_NET);
	return 0;
}

static __always_inline int on_datagram(struct bpf_sock_addr *ctx, __u16 family)
{
	struct bpf_sock *sk = ctx->sk;
	struct owner me, *o;
	struct wire_conn c;
	__u64 dest[2];

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
	__builtin_memcpy(dest, c.daddr, sizeof(dest));
	if (o->dest_port == c.dport && o->dest[0] == dest[0] && o->dest[1] == dest[1])
		return 1;
	o->dest_port = c.dport;
	__builtin_memcpy(o->dest, dest, sizeof(dest));
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
