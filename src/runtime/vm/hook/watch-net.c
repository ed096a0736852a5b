/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls on sockets and descriptors, as calls: runtime/bpf/netcall.bpf.c for a tracer.
 *
 * The socket is asked itself, by a descriptor that is borrowed while the thread stands still;
 * of a call that names a peer, the caller's memory.
 */
#include "runtime/vm/hook/watch-internal.h"

#include "base/macro.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { DATA_MAX = 128, PIECES = 8 };

static uint64_t arg(const struct tracer_task *t, int i)
{
	return i >= 0 && i < 6 ? t->call.args[i] : 0;
}

static int option(int fd, int name)
{
	int v = 0;
	socklen_t n = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, name, &v, &n) < 0 ? 0 : v;
}

/* Abstract names begin with a NUL and get an '@'. */
static struct wire_str put_unix(struct watch_vm *w, const struct sockaddr_storage *a, size_t n)
{
	const struct sockaddr_un *u = (const void *)a;
	size_t at = offsetof(struct sockaddr_un, sun_path);
	char text[sizeof(u->sun_path) + 1] = "";

	if (n <= at)
		return (struct wire_str){0};
	n = MIN(n - at, sizeof(u->sun_path));
	memcpy(text, u->sun_path, n);
	if (!*text)
		*text = '@';
	else
		n = strnlen(text, n);
	return watch_put(w, text, n);
}

/* The two ends; of a unix socket the name of the peer, or our own. */
static void ask_ends(struct watch_vm *w, int fd)
{
	struct wire_sock *s = &w->record.sock;
	struct sockaddr_storage own = {0}, peer = {0};
	socklen_t n = sizeof(own), m = sizeof(peer);
	bool has_peer;

	if (getsockname(fd, (struct sockaddr *)&own, &n) < 0)
		n = 0;
	has_peer = getpeername(fd, (struct sockaddr *)&peer, &m) == 0;
	if (s->family == AF_UNIX) {
		bool is_named = has_peer && m > offsetof(struct sockaddr_un, sun_path);

		s->path = put_unix(w, is_named ? &peer : &own, is_named ? m : n);
		if (n > offsetof(struct sockaddr_un, sun_path) && !is_named)
			s->bits |= WIRE_SOCK_SERVER;
	} else {
		watch_take_address(&own, s->saddr, &s->sport);
		watch_take_address(&peer, s->daddr, &s->dport);
	}
	if (has_peer)
		s->bits |= WIRE_SOCK_CONNECTED;
}

/* False: it is no socket, or it may not be asked. */
static bool ask_socket(struct watch_vm *w, struct tracer_task *t, int fd)
{
	struct wire_sock *s = &w->record.sock;
	_cleanup_close_ int own = watch_borrow(t, fd);
	struct stat st;

	if (own < 0 || fstat(own, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	s->sock = st.st_ino;
	s->family = (__u16)option(own, SO_DOMAIN);
	s->type = (__u16)option(own, SO_TYPE);
	if (s->family == AF_INET || s->family == AF_INET6)
		s->protocol = (__u16)option(own, SO_PROTOCOL);
	if (s->family == AF_INET || s->family == AF_INET6 || s->family == AF_UNIX)
		ask_ends(w, own);
	if (option(own, SO_ACCEPTCONN))
		s->bits |= WIRE_SOCK_SERVER;
	return true;
}

/* Of a struct msghdr: where the name is, and the first piece of data. */
static void read_message(struct watch_vm *w, struct tracer_task *t, uint64_t at, uint64_t *ret_name,
			 uint64_t *ret_data, uint64_t *ret_length)
{
	struct msghdr m = {0};
	struct iovec pieces[PIECES] = {{0}};

	if (tracer_read(w->tracer, t, &m, at, sizeof(m)) < 0)
		return;
	*ret_name = (uintptr_t)m.msg_name;
	m.msg_iovlen = MIN(m.msg_iovlen, (size_t)PIECES);
	if (m.msg_iovlen && tracer_read(w->tracer, t, pieces, (uintptr_t)m.msg_iov,
					m.msg_iovlen * sizeof(*pieces)) < 0)
		return;
	*ret_data = (uintptr_t)pieces[0].iov_base;
	for (size_t i = 0; i < m.msg_iovlen; i++)
		*ret_length += pieces[i].iov_len;
}

/* An internet address, or of another family that alone.  False: it cannot be read. */
static bool read_address(struct watch_vm *w, struct tracer_task *t, uint64_t at,
			 struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){0};
	if (!at || tracer_read(w->tracer, t, &ret->ss_family, at, sizeof(ret->ss_family)) < 0)
		return false;
	if (ret->ss_family == AF_INET6)
		return tracer_read(w->tracer, t, ret, at, sizeof(struct sockaddr_in6)) >= 0;
	return ret->ss_family != AF_INET ||
	       tracer_read(w->tracer, t, ret, at, sizeof(struct sockaddr_in)) >= 0;
}

/* The peer that an argument names.  False: it names none. */
static bool take_name(struct watch_vm *w, struct tracer_task *t, uint64_t at)
{
	struct wire_sock *s = &w->record.sock;
	struct sockaddr_storage a;

	if (!read_address(w, t, at, &a))
		return false;
	if (a.ss_family == AF_UNIX) {
		s->path = watch_put_user(w, t, at + offsetof(struct sockaddr_un, sun_path),
					 sizeof(((struct sockaddr_un *)0)->sun_path));
		return s->path.off;
	}
	if (a.ss_family != AF_INET && a.ss_family != AF_INET6)
		return false;
	memset(s->daddr, 0, sizeof(s->daddr));
	if (s->family == AF_INET6 && a.ss_family == AF_INET) { /* as the kernel would show it */
		s->daddr[10] = s->daddr[11] = 0xff;
		watch_take_address(&a, s->daddr + 12, &s->dport);
	} else {
		watch_take_address(&a, s->daddr, &s->dport);
	}
	return true;
}

static void fill_call(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d)
{
	struct wire_sock *s = &w->record.sock;
	uint64_t name = 0, data = 0, length = 0;
	struct sockaddr_storage a;
	int64_t ret = t->call.ret;
	char text[DATA_MAX];

	if (d->path2 >= 0)
		read_message(w, t, arg(t, d->path2), &name, &data, &length);
	if (d->path >= 0)
		name = arg(t, d->path);
	if (d->text >= 0)
		data = arg(t, d->text);
	if (d->mode >= 0)
		length = arg(t, d->mode);
	s->length = length;
	switch (d->dir) {
	case NET_CONNECTS:
		if (!(s->bits & WIRE_SOCK_CONNECTED))
			take_name(w, t, name);
		if (!ret || ret == -EINPROGRESS)
			s->bits |= WIRE_SOCK_ADDRESSED | WIRE_SOCK_CONNECTED;
		break;
	case NET_SENDS:
	case NET_RECEIVES:
		if ((ret >= 0 || d->dir == NET_SENDS) && s->protocol != IPPROTO_TCP &&
		    take_name(w, t, name))
			s->bits |= WIRE_SOCK_ADDRESSED;
		break;
	case NET_BINDS:
		if (ret < 0 && read_address(w, t, name, &a))
			watch_take_address(&a, s->saddr, &s->sport);
		break;
	case NET_NOTHING: /* accept, listen */
		s->bits |= WIRE_SOCK_SERVER;
		break;
	}
	length = MIN(MIN(length, (uint64_t)MAX(ret, (int64_t)0)), (uint64_t)DATA_MAX);
	if (w->config.rules_data && length && tracer_read(w->tracer, t, text, data, length) >= 0)
		s->data = watch_put(w, text, length);
}

void watch_net(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d)
{
	unsigned int kind = d->bits & SYS_B_NETCALL ? EV_NETCALL : d->kind;
	struct wire_sock *s = &w->record.sock;

	if (!watch_wants(w, kind))
		return;
	watch_begin(w, t, kind, sizeof(*s));
	s->head.ret = t->call.ret;
	s->nr = (uint32_t)t->call.nr;
	for (int i = 0; i < 5; i++)
		s->arg[i] = arg(t, i);
	s->fd = d->bits & SYS_B_FD ? (int)arg(t, 0) : (int)t->call.ret;
	if (kind == EV_SOCKET) {
		s->family = (__u16)arg(t, 0);
		s->type = arg(t, 1) & 0xf; /* SOCK_TYPE_MASK of the kernel */
		s->protocol = (__u16)arg(t, 2);
	} else if (ask_socket(w, t, s->fd < 0 ? (int)arg(t, 0) : s->fd) && kind == EV_DUP) {
		s->bits |= WIRE_SOCK_IS_SOCKET;
	}
	if (kind == EV_NETCALL)
		fill_call(w, t, d);
	watch_send(w);
}
