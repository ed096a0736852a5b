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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path below the root; false if it is too long to be one. */
_printf_(4, 0) static bool path_of(const struct runtimes *r, char *path, size_t n,
				   const char *format, va_list args)
{
	int used = snprintf(path, n, "%s", r->root), more;

	if (used < 0 || (size_t)used >= n)
		return false;
	more = vsnprintf(path + used, n - used, format, args);
	return more >= 0 && (size_t)more < n - used;
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
	char path[4096];
	_cleanup_close_ int fd = -1;
	struct stat st;
	va_list args;
	bool ok;

	va_start(args, format);
	ok = path_of(r, path, sizeof(path), format, args);
	va_end(args);
	if (!ok)
		return -ENAMETOOLONG;
	/* O_NONBLOCK: opening a pipe must not wait for its other end */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
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
	char path[4096];
	struct stat st;
	va_list args;
	bool ok;

	va_start(args, format);
	ok = path_of(r, path, sizeof(path), format, args);
	va_end(args);
	if (!ok)
		return -ENAMETOOLONG;
	if (lstat(path, &st))
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
	char path[4096];
	struct dirent *entry;
	va_list args;
	DIR *dir;
	bool ok;

	va_start(args, format);
	ok = path_of(r, path, sizeof(path), format, args);
	va_end(args);
	if (!ok)
		return;
	dir = opendir(path);
	if (!dir)
		return;
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
