/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes of sockets, all on the loopback: who opens, uses, inherits and closes them. */
#include "scene.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

enum { LENGTH = sizeof(union address) };

/* "4", "6", or "mapped": an IPv6 socket that talks IPv4. */
static int family_of(const char *name)
{
	return *name == '4' ? AF_INET : AF_INET6;
}

static union address loopback(const char *name, int port)
{
	union address a = {0};

	a.any.sa_family = family_of(name);
	if (a.any.sa_family == AF_INET) {
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a.v4.sin_port = htons(port);
	} else {
		must(inet_pton(AF_INET6, *name == 'm' ? "::ffff:127.0.0.1" : "::1",
			       &a.v6.sin6_addr));
		a.v6.sin6_port = htons(port);
	}
	return a;
}

static int port_of(int s)
{
	union address a;
	socklen_t n = LENGTH;

	must(getsockname(s, &a.any, &n));
	return ntohs(a.v4.sin_port); /* at the same place in v6 */
}

static int bound(const char *name, int type)
{
	union address a = loopback(name, 0);
	int s = must(socket(a.any.sa_family, type, 0));

	must(bind(s, &a.any, LENGTH));
	return s;
}

static int listener(const char *name, int backlog)
{
	int l = bound(name, SOCK_STREAM);

	must(listen(l, backlog));
	tell("port=%d\nserver=%d\n", port_of(l), getpid());
	return l;
}

static int dial(const char *name, int port)
{
	union address a = loopback(name, port);
	int s = must(socket(a.any.sa_family, SOCK_STREAM, 0));

	must(connect(s, &a.any, LENGTH));
	tell("cport=%d\nclient=%d\n", port_of(s), getpid());
	return s;
}

static void give(int s, int n)
{
	static const char bytes[65536];

	for (int did; n > 0; n -= did)
		did = must(write(s, bytes, n > (int)sizeof(bytes) ? (int)sizeof(bytes) : n));
}

/* Reads so many bytes, or with -1 all until the other side is done. */
static void take(int s, int n)
{
	char bytes[65536];
	int most = sizeof(bytes), did;

	while (n) {
		did = must(read(s, bytes, n < 0 || n > most ? most : n));
		if (!did && n > 0)
			die("the other side closed early");
		if (!did)
			return;
		if (n > 0)
			n -= did;
	}
}

static void serve(int s, int in, int out)
{
	take(s, in);
	give(s, out);
	take(s, -1);
	close(s);
}

/* A process that connects, sends, receives, and closes first. */
static pid_t client(const char *name, int port, int out, int in)
{
	pid_t pid = must(fork());
	int s;

	if (pid)
		return pid;
	s = dial(name, port);
	give(s, out);
	take(s, in);
	close(s);
	exit(0);
}

/* pair FAMILY OUT BACK */
SCENE(pair)
{
	int l = listener(arg[0], 5), out = atoi(arg[1]), back = atoi(arg[2]);
	pid_t pid = client(arg[0], port_of(l), out, back);

	serve(must(accept(l, NULL, NULL)), out, back);
	close(l);
	reap_well(pid);
	return 0;
}

SCENE(listen)
{
	close(listener("4", atoi(arg[0])));
	return 0;
}

SCENE(bind_in_use)
{
	int s = bound("4", SOCK_STREAM), t = must(socket(AF_INET, SOCK_STREAM, 0));
	union address a = loopback("4", port_of(s));

	tell("port=%d\n", port_of(s));
	must_fail(bind(t, &a.any, LENGTH), EADDRINUSE);
	return 0;
}

/* Nobody listens on a port that is only bound. */
SCENE(refused)
{
	int s = bound(arg[0], SOCK_STREAM), t = must(socket(family_of(arg[0]), SOCK_STREAM, 0));
	union address a = loopback(arg[0], port_of(s));

	tell("port=%d\n", port_of(s));
	must_fail(connect(t, &a.any, LENGTH), ECONNREFUSED);
	return 0;
}

static int finish(int s, union address *a)
{
	struct pollfd p = {.fd = s, .events = POLLOUT};
	socklen_t n = sizeof(int);
	int error;

	if (!connect(s, &a->any, LENGTH))
		die("connect did not wait");
	if (errno != EINPROGRESS)
		return errno;
	must(poll(&p, 1, 5000));
	must(getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &n));
	return error;
}

SCENE(nonblocking)
{
	int l = listener("4", 5), t = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	union address a = loopback("4", port_of(l));

	return finish(t, &a);
}

SCENE(nonblocking_refused)
{
	int s = bound("4", SOCK_STREAM), t = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	union address a = loopback("4", port_of(s));

	tell("port=%d\n", port_of(s));
	return finish(t, &a) != ECONNREFUSED;
}

/* In a network namespace without a route. */
SCENE(unreachable)
{
	int s = must(socket(AF_INET, SOCK_STREAM, 0));
	union address a = {.v4 = {.sin_family = AF_INET, .sin_port = htons(4711)}};

	must(inet_pton(AF_INET, "192.0.2.1", &a.v4.sin_addr));
	must_fail(connect(s, &a.any, LENGTH), ENETUNREACH);
	return 0;
}

/* udp_connect FAMILY: the address is fixed once, then twice something is sent. */
SCENE(udp_connect)
{
	int s = bound(arg[0], SOCK_DGRAM), t = must(socket(family_of(arg[0]), SOCK_DGRAM, 0));
	union address a = loopback(arg[0], port_of(s));

	must(connect(t, &a.any, LENGTH));
	tell("port=%d\ncport=%d\n", port_of(s), port_of(t));
	give(t, 10);
	give(t, 10);
	return 0;
}

/* datagrams FAMILY: three to one address, then two to another. */
SCENE(datagrams)
{
	int s = bound(arg[0], SOCK_DGRAM), s2 = bound(arg[0], SOCK_DGRAM);
	int t = must(socket(family_of(arg[0]), SOCK_DGRAM, 0));
	union address a = loopback(arg[0], port_of(s)), b = loopback(arg[0], port_of(s2));

	tell("port=%d\nport2=%d\n", port_of(s), port_of(s2));
	for (int i = 0; i < 5; i++)
		must(sendto(t, "hello", 5, 0, i < 3 ? &a.any : &b.any, LENGTH));
	return 0;
}

static struct msghdr message(union address *to, struct iovec *v)
{
	return (struct msghdr){
		.msg_name = to, .msg_namelen = LENGTH, .msg_iov = v, .msg_iovlen = 1};
}

/* sendmmsg: two addresses in one call. */
SCENE(many_datagrams)
{
	int s = bound("4", SOCK_DGRAM), s2 = bound("4", SOCK_DGRAM);
	int t = must(socket(AF_INET, SOCK_DGRAM, 0));
	union address a = loopback("4", port_of(s)), b = loopback("4", port_of(s2));
	struct iovec v = {"hello", 5};
	struct mmsghdr m[2] = {{.msg_hdr = message(&a, &v)}, {.msg_hdr = message(&b, &v)}};

	tell("port=%d\nport2=%d\n", port_of(s), port_of(s2));
	return must(sendmmsg(t, m, 2, 0)) != 2;
}

/* The parent listens, the child accepts. */
SCENE(prefork)
{
	int l = listener("4", 5);
	pid_t worker = must(fork()), pid;

	if (!worker) {
		serve(must(accept4(l, NULL, NULL, SOCK_CLOEXEC)), 1000, 500);
		return 0;
	}
	tell("worker=%d\n", worker);
	pid = client("4", port_of(l), 1000, 500);
	reap_well(worker);
	reap_well(pid);
	return 0;
}

/* The parent accepts, a child serves, and closes last. */
SCENE(fork_after_accept)
{
	int l = listener("4", 5), s;
	pid_t pid = client("4", port_of(l), 1000, 500), worker;

	s = must(accept(l, NULL, NULL));
	worker = must(fork());
	if (!worker) {
		serve(s, 1000, 500);
		return 0;
	}
	tell("worker=%d\n", worker);
	close(s);
	reap_well(worker);
	reap_well(pid);
	return 0;
}

/* Parent and child hold the same connections, and close each about the same time. */
SCENE(close_together)
{
	enum { ENDS = 100 };
	int l = listener("4", 5), ends[ENDS], go[2];
	pid_t pid;

	for (int i = 0; i < ENDS; i += 2) {
		ends[i] = dial("4", port_of(l));
		ends[i + 1] = must(accept(l, NULL, NULL));
	}
	must(pipe(go));
	pid = must(fork());
	for (int i = 0; i < ENDS; i++) {
		if (pid)
			give(go[1], 1);
		else
			take(go[0], 1);
		for (volatile int wait = pid ? 400 * i : 0; wait > 0; wait--)
			;
		must(close(ends[i]));
	}
	if (pid)
		reap_well(pid);
	return 0;
}

/* The connection is made by this program, used and closed by cat. */
SCENE(exec_after_connect)
{
	int l = listener("4", 5), s;
	pid_t pid = must(fork());

	if (!pid) {
		must(dup2(dial("4", port_of(l)), 0));
		must(dup2(open("/dev/null", O_WRONLY), 1));
		for (int fd = 3; fd < 20; fd++)
			close(fd);
		execlp("cat", "cat", NULL);
		die("cat");
	}
	s = must(accept(l, NULL, NULL));
	give(s, 500);
	shutdown(s, SHUT_WR);
	take(s, -1);
	reap_well(pid);
	return 0;
}

/* The connection's process ends; its child goes on with it. */
SCENE(parent_closes)
{
	int l = listener("4", 5), s, gone[2];
	pid_t pid;

	must(pipe(gone));
	pid = must(fork());
	if (!pid) {
		s = dial("4", port_of(l));
		if (must(fork()))
			return 0;
		close(gone[1]);
		take(gone[0], -1); /* nobody else holds the other end: the parent is gone */
		tell("child=%d\n", getpid());
		give(s, 1000);
		take(s, 500);
		close(s);
		return 0;
	}
	close(gone[1]);
	reap_well(pid);
	serve(must(accept(l, NULL, NULL)), 1000, 500);
	return 0;
}

/* Room for one descriptor in a message. */
struct passage {
	char room[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec v;
	struct msghdr m;
};

static struct msghdr *passage(struct passage *p)
{
	*p = (struct passage){0};
	p->v = (struct iovec){&p->byte, 1};
	p->m = (struct msghdr){.msg_iov = &p->v,
			       .msg_iovlen = 1,
			       .msg_control = p->room,
			       .msg_controllen = sizeof(p->room)};
	return &p->m;
}

static void pass(int through, int fd)
{
	struct passage p;
	struct cmsghdr *c = CMSG_FIRSTHDR(passage(&p));

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	must(sendmsg(through, &p.m, 0));
}

static int passed(int through)
{
	struct passage p;
	int fd;

	must(recvmsg(through, passage(&p), 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&p.m)), sizeof(int));
	return fd;
}

/* The child was there before the listener, gets it over a Unix socket, and accepts. */
SCENE(pass_listener)
{
	int pair[2], l;
	pid_t receiver, pid;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	receiver = must(fork());
	if (!receiver) {
		serve(must(accept(passed(pair[1]), NULL, NULL)), 1000, 500);
		return 0;
	}
	tell("receiver=%d\n", receiver);
	l = listener("4", 5);
	pid = client("4", port_of(l), 1000, 500);
	pass(pair[0], l);
	close(l);
	reap_well(receiver);
	reap_well(pid);
	return 0;
}

/* The same with a connection: one process makes it, another uses it. */
SCENE(pass_connection)
{
	int pair[2], l = listener("4", 5), s;
	pid_t receiver;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	receiver = must(fork());
	if (!receiver) {
		s = passed(pair[1]);
		give(s, 1000);
		take(s, 500);
		close(s);
		return 0;
	}
	tell("receiver=%d\n", receiver);
	s = dial("4", port_of(l));
	pass(pair[0], s);
	close(s);
	serve(must(accept(l, NULL, NULL)), 1000, 500);
	reap_well(receiver);
	return 0;
}

/* The descriptor changes its number twice. */
SCENE(dup)
{
	int l = listener("4", 5), s;
	pid_t pid = must(fork());

	if (!pid) {
		s = dial("4", port_of(l));
		must(dup2(s, 100));
		close(s);
		must(dup2(100, 0));
		close(100);
		give(0, 1000);
		take(0, 500);
		close(0);
		return 0;
	}
	serve(must(accept(l, NULL, NULL)), 1000, 500);
	reap_well(pid);
	return 0;
}

/* A process that is killed closes nothing itself. */
SCENE(killed)
{
	int l = listener("4", 5), s;
	pid_t pid = must(fork());

	if (!pid) {
		s = dial("4", port_of(l));
		give(s, 1000);
		for (;;)
			pause();
	}
	s = must(accept(l, NULL, NULL));
	take(s, 1000);
	must(kill(pid, SIGKILL));
	take(s, -1);
	close(s);
	return reap(pid) != 128 + SIGKILL;
}

/* Only one direction is closed, much is sent in the other one. */
SCENE(half_closed)
{
	int l = listener("4", 5), s;
	pid_t pid = must(fork());

	if (!pid) {
		s = dial("4", port_of(l));
		give(s, 10);
		must(shutdown(s, SHUT_WR));
		take(s, 100000);
		take(s, -1);
		return 0;
	}
	s = must(accept(l, NULL, NULL));
	take(s, 10);
	take(s, -1);
	give(s, 100000);
	close(s);
	reap_well(pid);
	return 0;
}

/* The queue is full, nobody answers, and the client gives up. */
SCENE(abandoned)
{
	int l = listener("4", 0), t;
	union address a = loopback("4", port_of(l));

	dial("4", port_of(l));
	t = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	must_fail(connect(t, &a.any, LENGTH), EINPROGRESS);
	tell("gave_up=%d\n", port_of(t));
	usleep(10000);
	close(t);
	return 0;
}

/* A connection that waits in the queue until the listener ends. */
SCENE(unaccepted)
{
	int l = listener("4", 5), s = dial("4", port_of(l));

	give(s, 10);
	close(s);
	close(l);
	return 0;
}

static void reset(int s)
{
	struct linger now = {1, 0};

	must(setsockopt(s, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	close(s);
}

/* dead_on_accept N: connections that are reset before they are accepted; then a child's. */
SCENE(dead_on_accept)
{
	int n = atoi(arg[0]), l = listener("4", n), s[256];
	union address a = loopback("4", port_of(l));
	pid_t pid;

	for (int i = 0; i < n; i++) {
		s[i] = must(socket(AF_INET, SOCK_STREAM, 0));
		must(connect(s[i], &a.any, LENGTH));
		reset(s[i]);
	}
	for (int i = 0; i < n; i++)
		s[i] = must(accept(l, NULL, NULL));
	for (int i = 0; i < n; i++)
		close(s[i]);
	pid = must(fork());
	if (!pid) {
		for (int i = 0; i < n; i++) {
			s[i] = must(socket(AF_INET, SOCK_STREAM, 0));
			must(connect(s[i], &a.any, LENGTH));
		}
		return 0;
	}
	tell("child=%d\n", pid);
	reap_well(pid);
	return 0;
}

/* A socket that connects to itself: both sides open at once. */
SCENE(self)
{
	int s = bound("4", SOCK_STREAM);
	union address a = loopback("4", port_of(s));

	tell("port=%d\n", port_of(s));
	must(connect(s, &a.any, LENGTH));
	give(s, 100);
	take(s, 100);
	return 0;
}

/* TCP fast open: a connection without connect(). */
SCENE(fastopen)
{
	int l = listener("4", 5), s = must(socket(AF_INET, SOCK_STREAM, 0)), t;
	union address a = loopback("4", port_of(l));

	must(sendto(s, "hello", 5, MSG_FASTOPEN, &a.any, LENGTH));
	tell("cport=%d\n", port_of(s));
	t = must(accept(l, NULL, NULL));
	take(t, 5);
	close(s);
	take(t, -1);
	close(t);
	return 0;
}

/* The client does not say good-bye. */
SCENE(reset)
{
	int l = listener("4", 5), s = dial("4", port_of(l)), t = must(accept(l, NULL, NULL));
	char byte;

	give(s, 1000);
	take(t, 1000);
	give(t, 500);
	take(s, 500);
	reset(s);
	must_fail(read(t, &byte, 1), ECONNRESET);
	close(t);
	return 0;
}

static volatile union address shared; /* written by one thread, read by the kernel */
static volatile int stop;

static void *flip(void *ports)
{
	while (!stop) {
		shared.v4.sin_port = htons(((int *)ports)[0]);
		shared.v4.sin_port = htons(((int *)ports)[1]);
	}
	return NULL;
}

/* flip N: a second thread changes the address while connect() runs. */
SCENE(flip)
{
	int n = atoi(arg[0]), l[2], ports[2], count[2] = {0};
	pthread_t thread;

	for (int i = 0; i < 2; i++) {
		l[i] = bound("4", SOCK_STREAM);
		must(listen(l[i], 4096));
		ports[i] = port_of(l[i]);
	}
	*(union address *)&shared = loopback("4", ports[0]);
	pthread_create(&thread, NULL, flip, ports);
	for (int i = 0; i < n; i++) {
		int s = must(socket(AF_INET, SOCK_STREAM, 0));
		union address a;
		socklen_t length = LENGTH;

		must(connect(s, (struct sockaddr *)&shared, LENGTH));
		must(getpeername(s, &a.any, &length));
		count[ntohs(a.v4.sin_port) == ports[1]]++;
		close(s);
	}
	stop = 1;
	pthread_join(thread, NULL);
	tell("port=%d\nport2=%d\ncount=%d\ncount2=%d\n", ports[0], ports[1], count[0], count[1]);
	return 0;
}
