/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes of calls on sockets and descriptors, as calls: who is the peer, who the server? */
#include "scene.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int port_of(int s)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);

	must(getsockname(s, (struct sockaddr *)&a, &n));
	return ntohs(a.sin_port);
}

static int bound(int type)
{
	struct sockaddr_in a = loopback(0);
	int s = must(socket(AF_INET, type, 0));

	must(bind(s, (struct sockaddr *)&a, sizeof(a)));
	return s;
}

SCENE(socket)
{
	must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	must(socket(AF_NETLINK, SOCK_RAW, 0));
	must_fail(socket(AF_UNIX, 9, 0), ESOCKTNOSUPPORT);
	return 0;
}

SCENE(tcp)
{
	int l = bound(SOCK_STREAM), s = must(socket(AF_INET, SOCK_STREAM, 0)), t;
	struct sockaddr_in a = loopback(port_of(l));
	char bytes[100];

	must(listen(l, 5));
	must(connect(s, (struct sockaddr *)&a, sizeof(a)));
	t = must(accept4(l, NULL, NULL, 0));
	must(send(s, "12345", 5, 0));
	must(recv(t, bytes, sizeof(bytes), 0));
	must(send(t, "123", 3, 0));
	must(recv(s, bytes, sizeof(bytes), 0));
	tell("port=%d\ncport=%d\nlistener=%d\nserver=%d\nclient=%d\n", port_of(l), port_of(s), l, t,
	     s);
	return 0;
}

SCENE(refused)
{
	int l = bound(SOCK_STREAM), s = must(socket(AF_INET, SOCK_STREAM, 0));
	struct sockaddr_in a = loopback(port_of(l));

	must_fail(connect(s, (struct sockaddr *)&a, sizeof(a)), ECONNREFUSED);
	must_fail(bind(must(socket(AF_INET, SOCK_STREAM, 0)), (struct sockaddr *)&a, sizeof(a)),
		  EADDRINUSE);
	must_fail(sendto(s, "1", 1, MSG_NOSIGNAL, NULL, 0), EPIPE);
	must_fail(recv(-1, NULL, 0, 0), EBADF);
	tell("port=%d\n", port_of(l));
	return 0;
}

/* Two peers; the first twice; by each call that sends or receives. */
SCENE(udp)
{
	int one = bound(SOCK_DGRAM), two = bound(SOCK_DGRAM),
	    s = must(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in a = loopback(port_of(one)), b = loopback(port_of(two)), from;
	struct iovec pieces[2] = {{(char[]){"12"}, 2}, {(char[]){"345"}, 3}};
	struct mmsghdr m = {.msg_hdr = {.msg_name = &b,
					.msg_namelen = sizeof(b),
					.msg_iov = pieces,
					.msg_iovlen = 2}};
	socklen_t n = sizeof(from);
	char bytes[100];

	must(sendto(s, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)));
	must(sendto(s, "xy", 2, 0, (struct sockaddr *)&a, sizeof(a)));
	must(sendmsg(s, &m.msg_hdr, 0));
	m.msg_hdr.msg_name = &a;
	must(sendmmsg(s, &m, 1, 0));
	must(recvfrom(one, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &n));
	pieces[0].iov_base = bytes;
	m.msg_hdr.msg_name = &from;
	must(recvmsg(two, &m.msg_hdr, 0));
	must(connect(s, (struct sockaddr *)&b, sizeof(b)));
	must(send(s, "1", 1, 0));
	/* the kernel takes this address, connected or not */
	must(sendto(s, "1", 1, 0, (struct sockaddr *)&a, sizeof(a)));
	tell("one=%d\ntwo=%d\ncport=%d\n", port_of(one), port_of(two), port_of(s));
	return 0;
}

/* unix NAME: a path, or if it begins with @ an abstract one. */
SCENE(unix)
{
	int l = must(socket(AF_UNIX, SOCK_STREAM, 0)), s = must(socket(AF_UNIX, SOCK_STREAM, 0));
	struct sockaddr_un a = {.sun_family = AF_UNIX},
			   none = {.sun_family = AF_UNIX, .sun_path = "none"};
	socklen_t n = offsetof(struct sockaddr_un, sun_path) + strlen(arg[0]);

	strcpy(a.sun_path, arg[0]);
	if (*arg[0] == '@')
		*a.sun_path = 0;
	must(bind(l, (struct sockaddr *)&a, n));
	must(listen(l, 5));
	must_fail(connect(s, (struct sockaddr *)&none, sizeof(none)), ENOENT);
	must(connect(s, (struct sockaddr *)&a, n));
	must(accept(l, NULL, NULL));
	must(send(s, "12", 2, 0));
	return 0;
}

SCENE(dup)
{
	int l = bound(SOCK_STREAM), s = must(socket(AF_INET, SOCK_STREAM, 0));
	struct sockaddr_in a = loopback(port_of(l));

	must(listen(l, 1));
	must(connect(s, (struct sockaddr *)&a, sizeof(a)));
	must(syscall(SYS_dup, 0));
#ifdef SYS_dup2
	must(syscall(SYS_dup2, s, 50));
#else
	must(syscall(SYS_dup3, s, 50, 0));
#endif
	must(syscall(SYS_dup3, s, 51, O_CLOEXEC));
	must_fail(syscall(SYS_dup, 999), EBADF);
	tell("port=%d\ns=%d\n", port_of(l), s);
	return 0;
}

SCENE(userfaultfd)
{
	must_fail(syscall(SYS_userfaultfd, 1 << 30), EINVAL);
	return syscall(SYS_userfaultfd, 0) < 0 && errno == ENOSYS ? 77 : 0;
}
