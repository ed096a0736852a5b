/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes one file that is there: open FILE */
#include "work.h"

#include <fcntl.h>

static const char *file;

static void one(void)
{
	int fd = open(file, O_RDONLY);

	if (fd < 0)
		work_fail(file);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	file = argv[1];
	return work_main(one);
}
