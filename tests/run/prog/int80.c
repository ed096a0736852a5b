/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 64-bit program that uses the 32-bit door.
 * build: -static -no-pie -mcmodel=small
 */
#include "int80.h"
#include "scene.h"

#include <arpa/inet.h>
#include <sys/socket.h>

/* Below 4 GiB, unlike the stack. */
static char path[64];
static struct sockaddr_in address = {.sin_family = AF_INET};
static unsigned int args[3];
static unsigned int length = sizeof(address);

static int good(int r, const char *what)
{
	if (r == -ENOSYS)
		skip("no 32-bit system calls here");
	if (r < 0) {
		errno = -r;
		die("%s", what);
	}
	return r;
}

static unsigned int low(const void *p)
{
	return (unsigned int)(uintptr_t)p;
}

SCENE(probe)
{
	good(int80(IA32_kill, getpid(), 0, 0), "kill");
	return 0;
}

SCENE(files)
{
	strcpy(path, arg[0]);
	good(int80(IA32_open, low(path), O_RDONLY, 0), "open");
	strcpy(path, "made");
	good(int80(IA32_creat, low(path), 0640, 0), "creat");
	good(int80(IA32_unlink, low(path), 0, 0), "unlink");
	good(int80(IA32_kill, getpid(), 0, 0), "kill");
	return 0;
}

static int port_of(int s)
{
	must(getsockname(s, (struct sockaddr *)&address, &length));
	return ntohs(address.sin_port);
}

/* The number of a call within socketcall(). */
enum { BIND = 2, CONNECT = 3, LISTEN = 4, ACCEPT = 5 };

static int socketcall(int call, unsigned int a, unsigned int b, unsigned int c)
{
	args[0] = a;
	args[1] = b;
	args[2] = c;
	return good(int80(IA32_socketcall, call, low(args), 0), "socketcall");
}

/* connection [socketcall]: 32-bit programs had one call for all of these. */
SCENE(connection)
{
	int l = good(int80(IA32_socket, AF_INET, SOCK_STREAM, 0), "socket");
	int s = good(int80(IA32_socket, AF_INET, SOCK_STREAM, 0), "socket"), t;
	unsigned int at = low(&address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (arg[0]) {
		socketcall(BIND, l, at, length);
		socketcall(LISTEN, l, 5, 0);
		tell("port=%d\n", port_of(l));
		socketcall(CONNECT, s, at, length);
		t = socketcall(ACCEPT, l, 0, 0);
	} else {
		good(int80(IA32_bind, l, at, length), "bind");
		good(int80(IA32_listen, l, 5, 0), "listen");
		tell("port=%d\n", port_of(l));
		good(int80(IA32_connect, s, at, length), "connect");
		t = good(int80(IA32_accept4, l, 0, 0), "accept");
	}
	must(write(s, "hello", 5));
	must(read(t, path, 5));
	close(s);
	close(t);
	return 0;
}
