/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connects to itself over TCP, accepts, and closes both ends, in a network namespace of
 * its own.  No address stays in TIME_WAIT there, or the ports would run out in a second.
 */
#include "work.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int listener;
static struct sockaddr_in server = {.sin_family = AF_INET};

static void one(void)
{
	int client = socket(AF_INET, SOCK_STREAM, 0), peer;

	if (connect(client, (struct sockaddr *)&server, sizeof(server)) < 0)
		work_fail("connect");
	peer = accept(listener, NULL, NULL);
	if (peer < 0)
		work_fail("accept");
	close(client);
	close(peer);
}

static void enter_namespace(void)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd, control;

	if (unshare(CLONE_NEWNET) < 0)
		work_fail("a network namespace");
	control = socket(AF_INET, SOCK_DGRAM, 0);
	if (ioctl(control, SIOCSIFFLAGS, &loopback) < 0)
		work_fail("lo");
	close(control);
	fd = open("/proc/sys/net/ipv4/tcp_max_tw_buckets", O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		work_fail("tcp_max_tw_buckets");
	close(fd);
}

int main(void)
{
	socklen_t n = sizeof(server);

	enter_namespace();
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&server, sizeof(server)) < 0 ||
	    listen(listener, 16) < 0 || getsockname(listener, (struct sockaddr *)&server, &n) < 0)
		work_fail("listen");
	return work_main(one);
}
