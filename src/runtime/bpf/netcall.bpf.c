/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * System calls on sockets and descriptors, as calls: socket, connect, sendto, dup, …
 *
 * net.bpf.c tells of connections, once each, whoever runs.  Rules ask another question: what
 * did this process call, on which socket, and did it fail?  Each call is a record here, with
 * the addresses that the kernel's own socket has.  User memory is asked only for what the
 * kernel does not keep: where a datagram went, what a failed call was given.
 */
#include "runtime/bpf/rule.h"
#include "runtime/bpf/socket.h"
#include "runtime/bpf/syscall.h"

enum {
	DATA_MAX = 128,
	UNIX_PATH_MAX_ = 108,
	SOCK_BINDADDR_LOCK_ = 4,
	SOCK_BINDPORT_LOCK_ = 8,
	PIECES = 8,
	EINPROGRESS_ = 115
};

/* Where unconnected sockets last sent to, or heard from: by the inode of the socket. */
struct peer {
	__u64 address[2];
	__u64 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct peer);
} net_peers SEC(".maps");

/*
 * socketcall(call, args) of 32-bit programs: as the call that it stands for.  Numbers of
 * include/uapi/linux/net.h, and those of the calls in the 32-bit table.
 */
struct unpacked {
	__u16 nr;
	__u8 kind, bits;
	__s8 does; /* enum sys_net */
	__s8 path, path2, mode, text;
};

static __always_inline struct unpacked socketcall_of(__u64 call)
{
	switch (call) {
	case 1:
		return (struct unpacked){359, EV_SOCKET, 0, NET_NOTHING, -1, -1, -1, -1};
	case 2:
		return (struct unpacked){361, EV_NETCALL, SYS_B_FD, NET_BINDS, 1, -1, -1, -1};
	case 3:
		return (struct unpacked){362, EV_NETCALL, SYS_B_FD, NET_CONNECTS, 1, -1, -1, -1};
	case 4:
		return (struct unpacked){363, EV_NETCALL, SYS_B_FD, NET_NOTHING, -1, -1, -1, -1};
	case 5:
	case 18:
		return (struct unpacked){364, EV_NETCALL, 0, NET_NOTHING, -1, -1, -1, -1};
	case 9: /* send */
		return (struct unpacked){369, EV_NETCALL, SYS_B_FD, NET_SENDS, -1, -1, 2, 1};
	case 11:
		return (struct unpacked){369, EV_NETCALL, SYS_B_FD, NET_SENDS, 4, -1, 2, 1};
	case 10: /* recv */
		return (struct unpacked){371, EV_NETCALL, SYS_B_FD, NET_RECEIVES, -1, -1, 2, 1};
	case 12:
		return (struct unpacked){371, EV_NETCALL, SYS_B_FD, NET_RECEIVES, 4, -1, 2, 1};
	case 16:
		return (struct unpacked){370, EV_NETCALL, SYS_B_FD, NET_SENDS, -1, 1, -1, -1};
	case 17:
		return (struct unpacked){372, EV_NETCALL, SYS_B_FD, NET_RECEIVES, -1, 1, -1, -1};
	case 19:
		return (struct unpacked){337, EV_NETCALL, SYS_B_FD, NET_RECEIVES, -1, 1, -1, -1};
	case 20:
		return (struct unpacked){345, EV_NETCALL, SYS_B_FD, NET_SENDS, -1, 1, -1, -1};
	}
	return (struct unpacked){};
}

static __always_inline bool unpack(struct sys_call *c)
{
	struct unpacked u = socketcall_of(c->arg[0]);
	__u32 args[5] = {};

	if (!u.kind || bpf_probe_read_user(args, sizeof(args), (void *)c->arg[1]))
		return false;
#pragma unroll
	for (int i = 0; i < 5; i++)
		c->arg[i] = args[i];
	c->nr = u.nr;
	c->desc.kind = u.kind;
	c->desc.bits = u.bits;
	c->desc.dir = u.does;
	c->desc.path = u.path;
	c->desc.path2 = u.path2;
	c->desc.mode = u.mode;
	c->desc.text = u.text;
	return true;
}

/* --- what the kernel's socket says */

static __always_inline __u32 locks_of(struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks);
}

/*
 * Did our end wait for the other?  An accepted socket shares its listener's port, which
 * somebody chose, without having chosen it itself; that of a client was chosen by the kernel
 * (fastreuse is −1, inet_hash_connect()).  A datagram socket serves if it was bound.
 */
static __always_inline bool is_server(struct sock *sk, __u16 protocol, __u8 state)
{
	struct inet_connection_sock *icsk = (void *)sk;
	struct inet_bind_bucket *bucket;

	if (state == TCP_LISTEN_)
		return true;
	if (protocol != IPPROTO_TCP_)
		return locks_of(sk) & (SOCK_BINDADDR_LOCK_ | SOCK_BINDPORT_LOCK_);
	bucket = BPF_CORE_READ(icsk, icsk_bind_hash);
	return bucket && BPF_CORE_READ(bucket, fastreuse) >= 0 &&
	       !(locks_of(sk) & SOCK_BINDPORT_LOCK_);
}

/* What both kinds of addresses share, and the state: struct sock begins with it. */
#define COMMON_NEAR                                                                              \
	(NEAR(struct sock_common, skc_daddr) && NEAR(struct sock_common, skc_rcv_saddr) &&       \
	 NEAR(struct sock_common, skc_dport) && NEAR(struct sock_common, skc_num) &&             \
	 NEAR(struct sock_common, skc_family) && NEAR(struct sock_common, skc_state) &&          \
	 NEAR(struct sock_common, skc_v6_daddr) && NEAR(struct sock_common, skc_v6_rcv_saddr) && \
	 bpf_core_field_offset(struct sock, __sk_common) == 0)

/* Ends of an internet socket; returns its state. */
static __always_inline __u8 fill_ends(struct wire_sock *w, struct sock *sk)
{
	struct near near;

	if (COMMON_NEAR) {
		bpf_probe_read_kernel(&near, sizeof(near), sk);
		w->sport = PICK(&near, struct sock_common, skc_num);
		w->dport = bpf_ntohs(PICK(&near, struct sock_common, skc_dport));
		if (w->family == AF_INET6_) {
			*(struct in6_addr *)w->saddr =
				PICK(&near, struct sock_common, skc_v6_rcv_saddr);
			*(struct in6_addr *)w->daddr =
				PICK(&near, struct sock_common, skc_v6_daddr);
		} else {
			*(__u32 *)w->saddr = PICK(&near, struct sock_common, skc_rcv_saddr);
			*(__u32 *)w->daddr = PICK(&near, struct sock_common, skc_daddr);
		}
		return PICK(&near, struct sock_common, skc_state);
	}
	w->sport = BPF_CORE_READ(sk, __sk_common.skc_num);
	w->dport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (w->family == AF_INET6_) {
		BPF_CORE_READ_INTO(&w->saddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&w->daddr, sk, __sk_common.skc_v6_daddr);
	} else {
		BPF_CORE_READ_INTO((__u32 *)w->saddr, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)w->daddr, sk, __sk_common.skc_daddr);
	}
	return BPF_CORE_READ(sk, __sk_common.skc_state);
}

static __always_inline void fill_inet(struct wire_sock *w, struct sock *sk)
{
	__u8 state = fill_ends(w, sk);

	if (w->dport)
		w->bits |= WIRE_SOCK_CONNECTED;
	if (is_server(sk, w->protocol, state))
		w->bits |= WIRE_SOCK_SERVER;
}

/* sun_path: of the kernel or of a user; abstract names begin with a NUL and get an '@'. */
static __always_inline struct wire_str put_unix(struct scratch *s, const void *path, bool is_user)
{
	__u32 off = s->used;
	char first = 0;
	long n;

	if (off > RECORD_ROOM - UNIX_PATH_MAX_ - 2)
		return NO_STRING;
	if (is_user)
		bpf_probe_read_user(&first, 1, path);
	else
		bpf_probe_read_kernel(&first, 1, path);
	if (!first) {
		s->record[off] = '@';
		n = is_user ? bpf_probe_read_user_str(s->record + off + 1, UNIX_PATH_MAX_, path + 1)
			    : bpf_probe_read_kernel_str(s->record + off + 1, UNIX_PATH_MAX_,
							path + 1);
		if (n <= 1)
			return NO_STRING;
		s->used = off + n + 1;
		return (struct wire_str){.off = off, .len = n};
	}
	n = is_user ? bpf_probe_read_user_str(s->record + off, UNIX_PATH_MAX_ + 1, path)
		    : bpf_probe_read_kernel_str(s->record + off, UNIX_PATH_MAX_ + 1, path);
	if (n <= 1)
		return NO_STRING;
	s->used = off + n;
	return (struct wire_str){.off = off, .len = n - 1};
}

static __always_inline void fill_unix(struct scratch *s, struct wire_sock *w, struct sock *sk)
{
	struct unix_sock *u = (void *)sk, *peer;
	struct unix_address *own, *addr = NULL;
	__u32 len;

	if (!bpf_core_type_exists(struct unix_sock))
		return;
	own = BPF_CORE_READ(u, addr);
	peer = (void *)BPF_CORE_READ(u, peer);
	if (peer) {
		w->bits |= WIRE_SOCK_CONNECTED;
		addr = BPF_CORE_READ(peer, addr);
	}
	if (own && (!addr || BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN_))
		w->bits |= WIRE_SOCK_SERVER;
	if (!addr)
		addr = own;
	if (!addr)
		return;
	w->path = put_unix(s, &addr->name[0].sun_path, false);
	len = BPF_CORE_READ(addr, len);
	if (w->path.len && len > 2 && w->path.len > len - 2) /* abstract ones have no NUL */
		w->path.len = len - 2;
}

static __always_inline void fill_socket(struct scratch *s, struct wire_sock *w,
					struct socket *socket)
{
	struct sock *sk = BPF_CORE_READ(socket, sk);

	w->type = BPF_CORE_READ(socket, type);
	if (!sk)
		return;
	w->sock = (__u64)sk;
	w->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	w->protocol = BPF_CORE_READ(sk, sk_protocol);
	if (w->family == AF_INET_ || w->family == AF_INET6_)
		fill_inet(w, sk);
	else if (w->family == AF_UNIX_)
		fill_unix(s, w, sk);
}

/* --- what the caller's memory says */

/* Of a struct msghdr: the name, and the first piece of data. */
struct message {
	__u64 name, data, length;
};

static __always_inline void message_read(struct message *m, __u64 at, bool is_compat)
{
	__u64 iov = 0, n = 0, piece[2] = {};
	__u32 compat[4] = {}, compat_piece[2] = {};

	if (is_compat) {
		bpf_probe_read_user(compat, sizeof(compat), (void *)at);
		m->name = compat[0];
		iov = compat[2];
		n = compat[3];
	} else {
		bpf_probe_read_user(&m->name, 8, (void *)at);
		bpf_probe_read_user(&iov, 8, (void *)at + 16);
		bpf_probe_read_user(&n, 8, (void *)at + 24);
	}
	for (__u32 i = 0; i < PIECES; i++) {
		if (i >= n)
			break;
		if (is_compat) {
			bpf_probe_read_user(compat_piece, 8, (void *)iov + i * 8);
			piece[0] = compat_piece[0];
			piece[1] = compat_piece[1];
		} else {
			bpf_probe_read_user(piece, 16, (void *)iov + i * 16);
		}
		if (!i)
			m->data = piece[0];
		m->length += piece[1];
	}
}

/* The peer that the call's own argument names; 0: none is, or it is a path. */
static __always_inline __u16 take_name(struct scratch *s, struct wire_sock *w, __u64 at)
{
	__u16 family = 0;

	if (!at || bpf_probe_read_user(&family, sizeof(family), (void *)at))
		return 0;
	if (family == AF_UNIX_) {
		w->path = put_unix(s, (void *)at + 2, true);
		return 0;
	}
	if (family != AF_INET_ && family != AF_INET6_)
		return 0;
	__builtin_memset(w->daddr, 0, sizeof(w->daddr));
	if (w->family == AF_INET6_ && family == AF_INET_) { /* as the kernel would show it */
		w->daddr[10] = w->daddr[11] = 0xff;
		read_sockaddr((void *)at, w->daddr + 12, &w->dport);
	} else {
		read_sockaddr((void *)at, w->daddr, &w->dport);
	}
	return family;
}

/* Where a datagram goes, or came from: another peer than last time? */
static __always_inline void take_peer(struct scratch *s, struct wire_sock *w, __u64 at,
				      struct file *file)
{
	__u64 inode = BPF_CORE_READ(file, f_inode, i_ino);
	struct peer peer = {}, *last;

	if (!at || w->protocol == IPPROTO_TCP_)
		return;
	if (!take_name(s, w, at)) {
		if (w->path.off)
			w->bits |= WIRE_SOCK_ADDRESSED;
		return;
	}
	__builtin_memcpy(peer.address, w->daddr, sizeof(peer.address));
	peer.port = w->dport;
	last = bpf_map_lookup_elem(&net_peers, &inode);
	if (last && last->port == peer.port && last->address[0] == peer.address[0] &&
	    last->address[1] == peer.address[1])
		return;
	w->bits |= WIRE_SOCK_ADDRESSED;
	bpf_map_update_elem(&net_peers, &inode, &peer, BPF_ANY);
}

static __always_inline struct wire_str put_data(struct scratch *s, __u64 at, __u64 n)
{
	__u64 off = s->used;

	if (!at || !n || off > RECORD_ROOM - DATA_MAX - 1)
		return NO_STRING;
	BOUND(off, RECORD_ROOM - DATA_MAX - 1);
	BOUND(n, DATA_MAX);
	if (bpf_probe_read_user(s->record + off, n, (void *)at))
		return NO_STRING;
	s->used = off + n;
	return (struct wire_str){.off = off, .len = n};
}

/* --- the calls */

static __always_inline struct wire_sock *sock_record(struct scratch *s, long ret)
{
	struct wire_sock *w = (struct wire_sock *)s->record;

	__builtin_memset((void *)w + sizeof(w->head), 0, sizeof(*w) - sizeof(w->head));
	head_staged(&w->head, s->call.desc.kind);
	w->head.ret = ret;
	w->head.flags = s->call.flags;
	w->nr = s->call.nr;
#pragma unroll
	for (int i = 0; i < 5; i++)
		w->arg[i] = sys_arg(s, i);
	s->used = sizeof(*w);
	return w;
}

/* Addresses, length and data of a call on the socket behind `file`. */
static __always_inline void fill_call(struct scratch *s, struct wire_sock *w, struct file *file,
				      long ret)
{
	const struct sys_desc *d = &s->call.desc;
	struct socket *socket = socket_of(file);
	struct message m = {};

	if (socket)
		fill_socket(s, w, socket);
	if (d->path2 >= 0)
		message_read(&m, sys_arg(s, d->path2), s->call.flags & WIRE_F_COMPAT);
	if (d->path >= 0)
		m.name = sys_arg(s, d->path);
	if (d->text >= 0)
		m.data = sys_arg(s, d->text);
	if (d->mode >= 0)
		m.length = sys_arg(s, d->mode);
	w->length = m.length;
	switch (d->dir) {
	case NET_CONNECTS:
		if (!(w->bits & WIRE_SOCK_CONNECTED))
			take_name(s, w, m.name);
		if (!ret || ret == -EINPROGRESS_)
			w->bits |= WIRE_SOCK_ADDRESSED;
		break;
	case NET_BINDS:
		if (ret < 0 && m.name)
			read_sockaddr((void *)m.name, w->saddr, &w->sport);
		break;
	case NET_RECEIVES:
		if (ret < 0)
			break;
		/* fall through */
	case NET_SENDS:
		take_peer(s, w, m.name, file);
		break;
	}
	if (rules_data && ret > 0)
		w->data = put_data(s, m.data, m.length < (__u64)ret ? m.length : (__u64)ret);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_net, struct pt_regs *regs, long ret)
{
	struct scratch *s = sys_scratch();
	struct wire_sock *w;
	struct socket *socket;
	struct file *file;

	if (!s)
		return 0;
	if (s->call.desc.bits & SYS_B_SOCKETCALL) {
		if (!unpack(&s->call))
			return 0;
	} else if (s->call.desc.bits & SYS_B_NETCALL) {
		s->call.desc.kind = EV_NETCALL;
	}
	if (!wanted(s->call.desc.kind))
		return 0;
	w = sock_record(s, ret);
	w->fd = s->call.desc.bits & SYS_B_FD ? (__s32)w->arg[0] : (__s32)ret;
	file = file_of_fd(w->fd < 0 ? (__u32)w->arg[0] : (__u32)w->fd);
	switch (w->head.kind) {
	case EV_SOCKET:
		w->family = w->arg[0];
		w->type = w->arg[1] & 0xf; /* SOCK_TYPE_MASK */
		w->protocol = w->arg[2];
		break;
	case EV_DUP:
		socket = socket_of(file);
		if (socket) {
			fill_socket(s, w, socket);
			w->bits |= WIRE_SOCK_IS_SOCKET;
		}
		break;
	case EV_NETCALL:
		fill_call(s, w, file, ret);
		break;
	}
	record_done(ctx, s);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
