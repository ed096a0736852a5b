/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/file.h"

#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART = 1 << 16 };

int file_read_fd(int fd, size_t most, struct buf *to)
{
	ssize_t n;

	for (;;) {
		buf_reserve(to, PART);
		n = read(fd, to->p + to->n, PART);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		to->n += (size_t)n;
		if (to->n > most)
			return -EFBIG;
	}
}

int file_read_all(const char *path, size_t most, struct buf *to)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : file_read_fd(fd, most, to);
}

static int write_all(int fd, struct str bytes)
{
	for (size_t at = 0; at < bytes.n;) {
		ssize_t n = write(fd, bytes.p + at, bytes.n - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int file_write(const char *path, struct str bytes)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : write_all(fd, bytes);
}

int file_replace(const char *path, struct str bytes)
{
	_cleanup_free_ char *beside = xalloc(strlen(path) + 8);
	int fd, r;

	snprintf(beside, strlen(path) + 8, "%s.XXXXXX", path);
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes);
	if (fchmod(fd, 0644) < 0 && !r)
		r = -errno;
	close(fd);
	if (!r && rename(beside, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(beside);
	return r;
}
