/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State files, read with care.
 *
 * They belong to root, but not always: a user's own podman keeps them in his home.
 * So what looks like a state file may be a link to another file, a pipe that
 * nobody writes to, or endless.  None of that may stop or mislead us.
 */
#include "event/ident/runtime/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A descriptor of what stands there below the root, or -errno. */
_printf_(3, 0) static int open_below(const struct runtimes *r, int flags, const char *format,
				     va_list args)
{
	char path[PATH_MAX];
	int fd, used = snprintf(path, sizeof(path), "%s", r->root), more = -1;

	if (used >= 0 && (size_t)used < sizeof(path))
		more = vsnprintf(path + used, sizeof(path) - used, format, args);
	if (more < 0 || (size_t)more >= sizeof(path) - used)
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_all(int fd, struct buf *ret)
{
	for (;;) {
		ssize_t got;

		if (ret->n > FILE_MAX)
			return -EFBIG;
		buf_reserve(ret, 4096);
		got = read(fd, ret->p + ret->n, ret->room - ret->n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return 0;
		ret->n += got;
		ret->p[ret->n] = 0;
	}
}

int file_read(const struct runtimes *r, struct buf *ret, const char *format, ...)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	va_list args;

	va_start(args, format);
	/* O_NONBLOCK: opening a pipe must not wait for its other end */
	fd = open_below(r, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, format, args);
	va_end(args);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > FILE_MAX)
		return -EFBIG;
	buf_reset(ret);
	return read_all(fd, ret);
}

int file_stamp(const struct runtimes *r, struct file_stamp *ret, const char *format, ...)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	va_list args;

	va_start(args, format);
	fd = open_below(r, O_PATH | O_NOFOLLOW, format, args);
	va_end(args);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return -errno;
	*ret = (struct file_stamp){
		.inode = st.st_ino,
		.mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + st.st_mtim.tv_nsec,
		.size = st.st_size,
	};
	return 0;
}

void folder_each(const struct runtimes *r, name_fn *each, void *arg, const char *format, ...)
{
	struct dirent *entry;
	va_list args;
	DIR *dir;
	int fd;

	va_start(args, format);
	fd = open_below(r, O_RDONLY | O_DIRECTORY | O_NONBLOCK, format, args);
	va_end(args);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		cleanup_close(&fd);
		return;
	}
	for (int n = 0; n < FOLDER_MAX && (entry = readdir(dir)); n++)
		if (entry->d_name[0] != '.' && !each(arg, entry->d_name))
			break;
	closedir(dir);
}

bool is_file_name(const char *name)
{
	return name && *name && *name != '.' && !strchr(name, '/') &&
	       strlen(name) <= CONTAINER_ID_MAX;
}
