/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work for bpftrace's tools to see: what no command of busybox does.
 *
 *	tools thread          start a thread
 *	tools resolve NAME    ask the C library for a host's addresses
 *	tools unix TEXT       send a text to itself over a UNIX socket
 *	tools shell LINE…     type lines into an interactive bash on a terminal
 *	tools eat MB          write to so much memory, three times over
 *	tools spin N          N processes that compute for a second
 *	tools stat FILE       stat() and statfs(), as old programs do it
 *	tools read FILE       pread() a block of a device, past the page cache
 *	tools setuid UID      become this user
 *
 * It is dynamically linked: tools attach to the functions of libc.so.
 */
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void *thread_body(void *arg); /* visible: a tool prints its name */
void *thread_body(void *arg)
{
	return arg;
}

static int thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, thread_body, NULL) || pthread_join(t, NULL);
}

static int resolve(const char *name)
{
	struct addrinfo *list = NULL;

	if (!getaddrinfo(name, "80", NULL, &list))
		freeaddrinfo(list);
	return 0;
}

static int over_unix(const char *text)
{
	char got[64];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 1;
	return write(pair[0], text, strlen(text)) < 0 || read(pair[1], got, sizeof(got)) <= 0;
}

static int shell(char **lines)
{
	char said[4096];
	int fd, status = 0;
	pid_t pid = forkpty(&fd, NULL, NULL, NULL);

	if (pid < 0)
		return 1;
	if (!pid) {
		execl("/bin/bash", "bash", "--norc", "-i", (char *)NULL);
		_exit(127);
	}
	for (; *lines; lines++) {
		usleep(500000);
		dprintf(fd, "%s\n", *lines);
	}
	usleep(500000);
	dprintf(fd, "exit\n");
	while (read(fd, said, sizeof(said)) > 0)
		;
	waitpid(pid, &status, 0);
	return status != 0;
}

static int eat(size_t mb)
{
	size_t n = mb << 20;
	volatile char *p = malloc(n);

	for (int turn = 0; p && turn < 3; turn++)
		for (size_t i = 0; i < n; i += 4096)
			p[i] = (char)(turn + (int)(i >> 12));
	return !p;
}

static int spin(int n)
{
	time_t end = time(NULL) + 2;

	for (int i = 0; i < n; i++)
		if (!fork()) {
			while (time(NULL) < end)
				;
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	return 0;
}

static int old_stat(const char *path)
{
	struct statfs fs;
	char room[512];

	syscall(SYS_stat, path, room);
	return statfs(path, &fs) < 0;
}

static int read_direct(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECT);
	void *block = NULL;
	int r = fd < 0 || posix_memalign(&block, 4096, 4096);

	for (int i = 0; !r && i < 8; i++)
		r = pread(fd, block, 4096, (off_t)i << 20) < 0;
	return r;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *arg = argc > 2 ? argv[2] : "";

	if (!strcmp(what, "thread"))
		return thread();
	if (!strcmp(what, "resolve"))
		return resolve(arg);
	if (!strcmp(what, "unix"))
		return over_unix(arg);
	if (!strcmp(what, "shell"))
		return shell(argv + 2);
	if (!strcmp(what, "eat"))
		return eat(strtoul(arg, NULL, 10));
	if (!strcmp(what, "spin"))
		return spin(atoi(arg));
	if (!strcmp(what, "stat"))
		return old_stat(arg);
	if (!strcmp(what, "read"))
		return read_direct(arg);
	if (!strcmp(what, "setuid"))
		return setuid((uid_t)atoi(arg)) < 0;
	fputs("usage: tools WHAT [ARG…]\n", stderr);
	return 2;
}
