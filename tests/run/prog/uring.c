/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes of io_uring: the same deeds without their system calls. */
#include "uring.h"

#include <arpa/inet.h>
#include <linux/openat2.h>
#include <sys/socket.h>

/* A result; what the kernel does not know is skipped, what fails is told. */
static int done(int res, const char *what)
{
	if (res == -EINVAL)
		skip("this kernel's io_uring cannot do that");
	if (res < 0) {
		errno = -res;
		die("%s", what);
	}
	return res;
}

static struct io_uring_sqe open_of(const char *path, int flags)
{
	return (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
				     .fd = AT_FDCWD,
				     .addr = (uintptr_t)path,
				     .len = 0640,
				     .open_flags = flags};
}

SCENE(probe)
{
	close(ring_make(0).fd);
	return 0;
}

/* open PATH: for reading; a new file; one that is not there. */
SCENE(open)
{
	struct ring r = ring_make(0);
	struct io_uring_sqe read_it = open_of(arg[0], O_RDONLY);
	struct io_uring_sqe make_it = open_of("made", O_WRONLY | O_CREAT);
	struct io_uring_sqe miss_it = open_of("absent", O_RDONLY);

	done(ring_do(&r, &read_it), "open");
	done(ring_do(&r, &make_it), "create");
	return ring_do(&r, &miss_it) != -ENOENT;
}

SCENE(openat2)
{
	struct ring r = ring_make(0);
	struct open_how how = {.flags = O_RDONLY};
	struct io_uring_sqe q = {.opcode = IORING_OP_OPENAT2,
				 .fd = AT_FDCWD,
				 .addr = (uintptr_t)arg[0],
				 .len = sizeof(how),
				 .off = (uintptr_t)&how};

	return done(ring_do(&r, &q), "openat2") < 0;
}

/* A thread of the kernel submits. */
SCENE(open_by_poller)
{
	struct ring r = ring_make(IORING_SETUP_SQPOLL);
	struct io_uring_sqe q = open_of(arg[0], O_RDONLY);

	tell("pid=%d\n", getpid());
	return done(ring_do(&r, &q), "open") < 0;
}

/* A worker of the kernel opens. */
SCENE(open_by_worker)
{
	struct ring r = ring_make(0);
	struct io_uring_sqe q = open_of(arg[0], O_RDONLY);

	q.flags = IOSQE_ASYNC;
	tell("pid=%d\n", getpid());
	return done(ring_do(&r, &q), "open") < 0;
}

/* Into a slot of the ring: no descriptor ever exists. */
SCENE(open_to_slot)
{
	struct ring r = ring_make(0);
	struct io_uring_sqe q = open_of(arg[0], O_RDONLY);
	int slots[4] = {-1, -1, -1, -1};

	must(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_FILES, slots, 4));
	q.file_index = 2; /* counts from 1 */
	return done(ring_do(&r, &q), "open");
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int port_of(int s)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);

	must(getsockname(s, (struct sockaddr *)&a, &n));
	return ntohs(a.sin_port);
}

static int listener(void)
{
	int l = must(socket(AF_INET, SOCK_STREAM, 0));
	struct sockaddr_in a = loopback(0);

	must(bind(l, (struct sockaddr *)&a, sizeof(a)));
	must(listen(l, 5));
	tell("port=%d\n", port_of(l));
	return l;
}

/* connect, accept and send through the ring. */
SCENE(connect)
{
	struct ring r = ring_make(0);
	int l = listener(), s = must(socket(AF_INET, SOCK_STREAM, 0)), t;
	struct sockaddr_in a = loopback(port_of(l));
	struct io_uring_sqe q = {
		.opcode = IORING_OP_CONNECT, .fd = s, .addr = (uintptr_t)&a, .off = sizeof(a)};
	char bytes[5];

	done(ring_do(&r, &q), "connect");
	tell("cport=%d\n", port_of(s));
	q = (struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = l};
	t = done(ring_do(&r, &q), "accept");
	q = (struct io_uring_sqe){
		.opcode = IORING_OP_SEND, .fd = s, .addr = (uintptr_t) "hello", .len = 5};
	done(ring_do(&r, &q), "send");
	must(read(t, bytes, 5));
	close(s);
	close(t);
	return 0;
}

/* The listener's child accepts through a ring. */
SCENE(accept)
{
	int l = listener(), s;
	struct sockaddr_in a = loopback(port_of(l));
	pid_t worker;
	char byte;

	worker = must(fork());
	if (!worker) {
		struct ring r = ring_make(0);
		struct io_uring_sqe q = {.opcode = IORING_OP_ACCEPT, .fd = l};

		s = done(ring_do(&r, &q), "accept");
		must(read(s, &byte, 1));
		close(s);
		return 0;
	}
	s = must(socket(AF_INET, SOCK_STREAM, 0));
	must(connect(s, (struct sockaddr *)&a, sizeof(a)));
	tell("worker=%d\nclient=%d\n", worker, getpid());
	close(s);
	return reap(worker);
}

enum { OP_BIND = 56, OP_LISTEN = 57 }; /* since 6.11, newer than the headers */

SCENE(listen)
{
	struct ring r = ring_make(0);
	int l = must(socket(AF_INET, SOCK_STREAM, 0));
	struct sockaddr_in a = loopback(0);
	struct io_uring_sqe q = {
		.opcode = OP_BIND, .fd = l, .addr = (uintptr_t)&a, .addr2 = sizeof(a)};

	done(ring_do(&r, &q), "bind");
	tell("port=%d\n", port_of(l));
	q = (struct io_uring_sqe){.opcode = OP_LISTEN, .fd = l, .len = 7};
	return done(ring_do(&r, &q), "listen");
}

SCENE(names)
{
	struct ring r = ring_make(0);
	struct io_uring_sqe q = {.opcode = IORING_OP_MKDIRAT, .fd = AT_FDCWD, .len = 0700};

	q.addr = (uintptr_t) "made";
	done(ring_do(&r, &q), "mkdirat");
	q = (struct io_uring_sqe){.opcode = IORING_OP_SYMLINKAT, .fd = AT_FDCWD};
	q.addr = (uintptr_t) "target";
	q.addr2 = (uintptr_t) "link";
	done(ring_do(&r, &q), "symlinkat");
	q = (struct io_uring_sqe){.opcode = IORING_OP_RENAMEAT, .fd = AT_FDCWD, .len = AT_FDCWD};
	q.addr = (uintptr_t) "link";
	q.addr2 = (uintptr_t) "moved";
	done(ring_do(&r, &q), "renameat");
	q = (struct io_uring_sqe){.opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD};
	q.addr = (uintptr_t) "moved";
	return done(ring_do(&r, &q), "unlinkat");
}
