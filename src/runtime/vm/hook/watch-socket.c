/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, as a tracer sees them.
 *
 * A socket is asked itself: pidfd_getfd() (5.6) gives us the traced process's descriptor for a
 * moment, while it stands still.  A connect() that does not wait has no result yet: it is told when
 * the program asks for it (SO_ERROR, or a second connect), or closes.  The end of a
 * connection is told when the last of the traced processes closes it.
 */
#include "runtime/vm/hook/watch-internal.h"

#include "base/clock.h"
#include "base/macro.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/* Of TCP, include/net/tcp_states.h; in the last three the peer has ended its side. */
enum { STATE_SYN_SENT = 2, STATE_CLOSE_WAIT = 8, STATE_LAST_ACK = 9, STATE_CLOSING = 11 };
enum { CONNECTIONS_MAX = 65536 };

int watch_borrow(const struct tracer_task *t, int fd)
{
	_cleanup_close_ int process = (int)syscall(SYS_pidfd_open, t->pid, 0);

	return process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, fd, 0);
}

void watch_take_address(const struct sockaddr_storage *a, __u8 *addr, __u16 *port)
{
	const struct sockaddr_in6 *v6 = (const void *)a;
	const struct sockaddr_in *v4 = (const void *)a;

	if (a->ss_family == AF_INET6) {
		memcpy(addr, &v6->sin6_addr, 16);
		*port = ntohs(v6->sin6_port);
	} else if (a->ss_family == AF_INET) {
		memcpy(addr, &v4->sin_addr, 4);
		*port = ntohs(v4->sin_port);
	}
}

static int option(int fd, int name)
{
	int v = 0;
	socklen_t n = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, name, &v, &n) < 0 ? 0 : v;
}

/* What the socket is: false: none of the internet's, or it may not be asked. */
static bool ask(int fd, struct wire_conn *c)
{
	struct sockaddr_storage a = {0};
	socklen_t n = sizeof(a);
	struct stat st;

	c->family = (__u16)option(fd, SO_DOMAIN);
	c->protocol = (__u16)option(fd, SO_PROTOCOL);
	if ((c->family != AF_INET && c->family != AF_INET6) || fstat(fd, &st) < 0)
		return false;
	c->sock = st.st_ino;
	if (getsockname(fd, (struct sockaddr *)&a, &n) == 0)
		watch_take_address(&a, c->saddr, &c->sport);
	a = (struct sockaddr_storage){0};
	n = sizeof(a);
	if (getpeername(fd, (struct sockaddr *)&a, &n) == 0)
		watch_take_address(&a, c->daddr, &c->dport);
	return true;
}

/* The address that a call was given. */
static bool read_address(struct watch_vm *w, struct tracer_task *t, __u8 *addr, __u16 *port,
			 __u16 *family)
{
	struct sockaddr_storage a = {0};
	size_t n = MIN((size_t)(uint32_t)t->call.args[2], sizeof(struct sockaddr_in6));

	if (n < sizeof(a.ss_family) || tracer_read(w->tracer, t, &a, t->call.args[1], n) < 0)
		return false;
	*family = a.ss_family;
	watch_take_address(&a, addr, port);
	return true;
}

/* --- those that are open */

static struct connection *find(struct watch_vm *w, pid_t pid, int fd)
{
	for (size_t i = 0; i < w->n_connections; i++)
		if (w->connections[i].pid == pid && w->connections[i].fd == fd)
			return &w->connections[i];
	return NULL;
}

static void forget(struct watch_vm *w, struct connection *c)
{
	*c = w->connections[--w->n_connections];
}

static struct connection *keep(struct watch_vm *w, struct tracer_task *t, int fd,
			       const struct wire_conn *told)
{
	struct connection *c = find(w, t->pid, fd);

	if (!c) {
		if (w->n_connections == CONNECTIONS_MAX) {
			w->count.table_full++;
			return NULL;
		}
		if (w->n_connections == w->room) {
			w->room = w->room ? 2 * w->room : 16;
			w->connections =
				xrealloc(w->connections, w->room * sizeof(*w->connections));
		}
		c = &w->connections[w->n_connections++];
	}
	*c = (struct connection){.pid = t->pid,
				 .fd = fd,
				 .inode = told->sock,
				 .opened_ns = clock_boot_ns(),
				 .told = *told};
	/* its owner, whoever closes it */
	watch_begin(w, t, EV_CLOSE, sizeof(struct wire_conn));
	c->told.head = w->record.head;
	return c;
}

/* --- what is told */

static void begin(struct watch_vm *w, struct tracer_task *t, unsigned int kind,
		  const struct wire_conn *c)
{
	size_t skip = sizeof(struct wire_head);

	watch_begin(w, t, kind, sizeof(*c));
	memcpy(w->record.bytes + skip, (const char *)c + skip, sizeof(*c) - skip);
}

static void tell_connect(struct watch_vm *w, struct tracer_task *t, const struct wire_conn *c,
			 int64_t ret)
{
	if (!watch_wants(w, EV_CONNECT))
		return;
	begin(w, t, EV_CONNECT, c);
	w->record.head.ret = ret;
	watch_send(w);
}

/* A connect() that was under way: what became of it?  False: it still is. */
static bool settle(struct watch_vm *w, struct tracer_task *t, struct connection *k, int fd,
		   int error)
{
	struct wire_conn c = k->told;
	struct tcp_info info = {0};
	socklen_t n = sizeof(info);

	if (!error && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 &&
	    info.tcpi_state == STATE_SYN_SENT)
		return false;
	if (!error)
		ask(fd, &c);
	if (!error && !c.dport) /* it failed, and somebody else has taken the reason */
		error = ECONNREFUSED;
	if (!c.dport) {
		c.dport = k->told.dport;
		memcpy(c.daddr, k->told.daddr, sizeof(c.daddr));
	}
	tell_connect(w, t, &c, -error);
	if (error) {
		forget(w, k);
		return true;
	}
	k->told = c;
	k->is_pending = false;
	return true;
}

static bool is_under_way(int64_t ret)
{
	enum { RESTARTED = -512 }; /* ERESTARTSYS, of the kernel: interrupted */

	return ret == -EINPROGRESS || ret == -EINTR || ret == RESTARTED;
}

static void on_connect(struct watch_vm *w, struct tracer_task *t, int fd, int borrowed,
		       struct wire_conn *c)
{
	struct connection *k = find(w, t->pid, fd);
	int64_t ret = t->call.ret;
	__u16 family = 0;

	if (k && k->inode != c->sock) {
		forget(w, k);
		k = NULL;
	}
	if (k && k->is_pending) {
		settle(w, t, k, borrowed,
		       ret < 0 && ret != -EISCONN && ret != -EALREADY ? (int)-ret : 0);
		return;
	}
	if (ret == -EISCONN || ret == -EALREADY)
		return;
	if (ret < 0 && !read_address(w, t, c->daddr, &c->dport, &family))
		return;
	if (!ret && !c->dport)
		return; /* AF_UNSPEC: the address was taken away */
	if (is_under_way(ret)) {
		k = keep(w, t, fd, c);
		if (k)
			k->is_pending = true;
		return;
	}
	tell_connect(w, t, c, ret);
	if (!ret && c->protocol == IPPROTO_TCP)
		keep(w, t, fd, c);
}

void watch_socket(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d)
{
	int fd = d->kind == EV_ACCEPT ? (int)t->call.ret : (int)t->call.args[0];
	_cleanup_close_ int borrowed = -1;
	struct wire_conn c = {0};
	__u16 family = 0;

	if (d->kind == EV_ACCEPT && t->call.ret < 0)
		return; /* no connection; EAGAIN would be most of them */
	borrowed = watch_borrow(t, fd);
	if (borrowed < 0 || !ask(borrowed, &c))
		return;
	if (d->kind == EV_CONNECT) {
		on_connect(w, t, fd, borrowed, &c);
		return;
	}
	if (d->kind == EV_LISTEN)
		c.backlog = (__u32)t->call.args[1];
	if (d->kind == EV_BIND && t->call.ret < 0)
		read_address(w, t, c.saddr, &c.sport, &family);
	if (watch_wants(w, d->kind)) {
		begin(w, t, d->kind, &c);
		w->record.head.ret = MIN(t->call.ret, (int64_t)0);
		watch_send(w);
	}
	if (d->kind == EV_ACCEPT && c.protocol == IPPROTO_TCP)
		keep(w, t, fd, &c);
}

void watch_asked(struct watch_vm *w, struct tracer_task *t)
{
	const uint64_t *a = t->call.args;
	struct connection *k = find(w, t->pid, (int)a[0]);
	_cleanup_close_ int fd = -1;
	int error = 0;

	if (!k || !k->is_pending || t->call.ret < 0 || a[1] != SOL_SOCKET || a[2] != SO_ERROR ||
	    tracer_read(w->tracer, t, &error, a[3], sizeof(error)) < 0)
		return;
	fd = watch_borrow(t, k->fd);
	if (fd >= 0)
		settle(w, t, k, fd, error);
}

/* --- the end */

static void tell_close(struct watch_vm *w, const struct connection *k, int fd)
{
	struct wire_conn c = k->told;
	struct tcp_info info = {0};
	socklen_t n = sizeof(info);

	if (!watch_wants(w, EV_CLOSE))
		return;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 &&
	    n > offsetof(struct tcp_info, tcpi_bytes_retrans)) {
		c.sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
		c.received = info.tcpi_bytes_received;
		/* the peer's FIN has a sequence number of its own and was counted as a byte */
		if (c.received &&
		    (info.tcpi_state == STATE_CLOSE_WAIT || info.tcpi_state == STATE_LAST_ACK ||
		     info.tcpi_state == STATE_CLOSING))
			c.received--;
		c.retransmits = info.tcpi_total_retrans;
	}
	c.head.time_ns = clock_boot_ns();
	c.duration_ns = c.head.time_ns - k->opened_ns;
	w->record.conn = c;
	w->record.used = sizeof(c);
	watch_send(w);
}

struct descriptor {
	pid_t pid;
	int fd;
};

/*
 * Has this thread begun to close it, and perhaps not got to it yet?  It stopped at the beginning
 * of close() and was let go; what it does now /proc tells unless it runs.
 */
static bool closes(void *ctx, struct tracer_task *t)
{
	const struct descriptor *d = ctx;
	char text[128];

	if (t->pid != d->pid || t->has_ended || t->call.nr != SYS_close ||
	    (int)t->call.args[0] != d->fd)
		return false;
	return !watch_read(t->tid, "syscall", text, sizeof(text)) || !strncmp(text, "running", 7) ||
	       strtol(text, NULL, 10) == SYS_close;
}

/* A descriptor of a process for this socket that nobody closes; −1. */
static int find_fd(struct watch_vm *w, pid_t pid, uint64_t inode)
{
	char path[64], text[64], wanted[64];
	struct dirent *e;
	int found = -1;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	snprintf(wanted, sizeof(wanted), "socket:[%llu]", (unsigned long long)inode);
	d = opendir(path);
	while (d && found < 0 && (e = readdir(d))) {
		struct descriptor one = {pid, atoi(e->d_name)};
		ssize_t n = *e->d_name == '.'
				    ? -1
				    : readlinkat(dirfd(d), e->d_name, text, sizeof(text) - 1);

		if (n <= 0)
			continue;
		text[n] = 0;
		if (!strcmp(text, wanted) && !tracer_each(w->tracer, closes, &one))
			found = one.fd;
	}
	if (d)
		closedir(d);
	return found;
}

struct holder {
	struct watch_vm *w;
	struct connection *k;
	pid_t but; /* a process that ends */
};

static bool is_held_by(void *ctx, struct tracer_task *t)
{
	struct holder *h = ctx;
	int fd;

	if (t->tid != t->pid || t->pid == h->but || t->has_ended)
		return false;
	fd = find_fd(h->w, t->pid, h->k->inode);
	if (fd < 0)
		return false;
	h->k->pid = t->pid;
	h->k->fd = fd;
	return true;
}

/* Does somebody else that is traced keep it open?  Then it is his from here on. */
static bool is_shared(struct watch_vm *w, struct connection *k, bool ends)
{
	struct holder h = {.w = w, .k = k, .but = ends ? k->pid : 0};

	return tracer_each(w->tracer, is_held_by, &h);
}

static void close_one(struct watch_vm *w, struct tracer_task *t, int fd, bool ends)
{
	struct connection *k = find(w, t->pid, fd);
	_cleanup_close_ int borrowed = -1;
	struct stat st;

	if (!k)
		return;
	borrowed = watch_borrow(t, fd);
	if (borrowed < 0 || fstat(borrowed, &st) < 0 || st.st_ino != k->inode) {
		forget(w, k); /* another file has this number by now */
		return;
	}
	if (k->is_pending) {
		if (!settle(w, t, k, borrowed, 0))
			tell_connect(w, t, &k->told, -ECONNABORTED);
		k = find(w, t->pid, fd);
		if (!k)
			return;
	}
	if (!k->is_pending && is_shared(w, k, ends))
		return;
	if (!k->is_pending)
		tell_close(w, k, borrowed);
	k = find(w, t->pid, fd);
	if (k)
		forget(w, k);
}

void watch_close(struct watch_vm *w, struct tracer_task *t, int fd)
{
	close_one(w, t, fd, false);
}

void watch_sockets_of(struct watch_vm *w, struct tracer_task *t)
{
	for (size_t i = w->n_connections; i-- > 0;)
		if (i < w->n_connections && w->connections[i].pid == t->pid)
			close_one(w, t, w->connections[i].fd, true);
}
