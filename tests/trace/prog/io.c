/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does what functions of the kernel are called for: io read | udp | tcp
 *
 * build: -g
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Nobody listens on this port of loopback: what is sent there has no reader. */
static int send_to_nobody(int type)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, type, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return 1;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return type == SOCK_DGRAM;
	return write(fd, "skep\n", 5) != 5;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char c;

	if (!strcmp(what, "udp"))
		return send_to_nobody(SOCK_DGRAM);
	if (!strcmp(what, "tcp"))
		return send_to_nobody(SOCK_STREAM);
	return read(open("/dev/null", O_RDONLY), &c, 1) != 0;
}
