/* SPDX-License-Identifier: Apache-2.0 */
/* Opens one file as often as the argument says, as fast as it can. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 0;

	for (long i = 0; i < n; i++) {
		int fd = open("/etc/hostname", O_RDONLY);

		if (fd < 0)
			return 1;
		close(fd);
	}
	return 0;
}
