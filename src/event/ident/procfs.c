/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readers of /proc/PID; the parsers are in procfs-parse.c.
 *
 * The folder /proc/PID is opened first and all is read through it.  The kernel ties the
 * open folder to the process, not to the number, so nothing read through it can be of a
 * later process with the same pid; such reads fail with ESRCH.  What stays is exec: it
 * changes the program, the arguments and maybe the user while the process is the same.
 * So `stat` is read before and after: the start time must be equal, and so must the
 * address of the arguments, which each exec draws anew (unless the system's address space
 * randomisation is off).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* statx() */
#endif
#include "event/ident/procfs.h"

#include "base/clock.h"
#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	STAT_MAX = 4096,
	STATUS_MAX = 1 << 20,	  /* 65536 groups, ten digits each, stand before what we want */
	ARGS_COUNT_MAX = 1 << 23, /* an exec takes 6 MiB at most: 3/4 of _STK_LIM */
};

struct procfs {
	int fd;
};

struct procfs *procfs_new(const char *root)
{
	struct procfs *p = xalloc(sizeof(*p));

	p->fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p;
}

void procfs_free(struct procfs *p)
{
	if (!p)
		return;
	cleanup_close(&p->fd);
	free(p);
}

uint64_t procfs_ns_per_tick(void)
{
	long hz = sysconf(_SC_CLK_TCK);

	return NS_PER_S / (hz > 0 ? hz : 100);
}

uint64_t procfs_ticks_of_ns(uint64_t start_ns)
{
	return start_ns / procfs_ns_per_tick();
}

static int open_process(const struct procfs *p, uint32_t pid)
{
	char name[16];
	int fd;

	if (p->fd < 0)
		return -ESRCH;
	snprintf(name, sizeof(name), "%u", pid);
	fd = openat(p->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return fd;
}

/* Append at most `max` bytes of what comes from fd. */
static int read_some(int fd, size_t max, struct buf *b)
{
	size_t begin = b->n;

	while (b->n - begin < max) {
		size_t room = MIN(max - (b->n - begin), (size_t)4096);
		ssize_t n;

		buf_reserve(b, room);
		n = read(fd, b->p + b->n, room);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		b->n += n;
		b->p[b->n] = 0;
	}
	return 0;
}

static int read_file(int dir, const char *name, size_t max, struct buf *b)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	buf_reset(b);
	return read_some(fd, max, b);
}

static int read_stat(int dir, struct procfs_stat *ret)
{
	_cleanup_buf_ struct buf b = {0};
	int r = read_file(dir, "stat", STAT_MAX, &b);

	return r < 0 ? r : procfs_parse_stat(buf_str(&b), ret);
}

uint64_t procfs_start_ticks(const struct procfs *p, uint32_t pid)
{
	_cleanup_close_ int dir = open_process(p, pid);
	struct procfs_stat stat;

	return dir >= 0 && read_stat(dir, &stat) >= 0 ? stat.start_ticks : 0;
}

/* The kernel's mark behind the path of a file that has lost this name. */
static const struct str deleted_mark = STR(" (deleted)");

/* The target of a link; NULL: there is none, or it is not for us. */
static char *read_link(int dir, const char *name)
{
	char target[PATH_MAX + 16];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));

	return n > 0 ? xstrndup(target, n) : NULL;
}

static bool cut_mark(char *path)
{
	struct str s = str_of(path);

	if (!path || s.n <= deleted_mark.n || !str_ends(s, deleted_mark))
		return false;
	path[s.n - deleted_mark.n] = 0;
	return true;
}

/*
 * The program's file through the link, in whatever mount namespace it is.  Not fstat():
 * that would ask the server of a FUSE file system, which may be the watched one's, and
 * wait for it.
 */
static void read_exe(int dir, struct procfs_process *x)
{
	struct statx st;

	x->exe = read_link(dir, "exe");
	if (!x->exe)
		return;
	if (!statx(dir, "exe", AT_STATX_DONT_SYNC, STATX_INO | STATX_NLINK, &st)) {
		x->exe_inode = st.stx_ino;
		x->exe_dev = st.stx_dev_major << 20 | st.stx_dev_minor;
		x->exe_nlink = st.stx_nlink;
	}
	/* with a name left, the mark may be part of it, or another hard link is that name */
	x->exe_is_deleted = !x->exe_nlink && cut_mark(x->exe);
	x->exe_is_memfd = x->exe_is_deleted && str_starts(str_of(x->exe), STR("/memfd:"));
}

static void read_args(int dir, struct procfs_process *x)
{
	_cleanup_close_ int fd = openat(dir, "cmdline", O_RDONLY | O_CLOEXEC);
	_cleanup_buf_ struct buf b = {0};
	uint64_t total;

	if (fd < 0 || read_some(fd, WIRE_ARGS_MAX + 1, &b) < 0 || !b.n)
		return;
	total = b.n;
	if (total > WIRE_ARGS_MAX) {
		if (x->stat.arg_end > x->stat.arg_start + total)
			total = x->stat.arg_end - x->stat.arg_start;
		while (!x->stat.arg_end && total < ARGS_COUNT_MAX) {
			char rest[4096];
			ssize_t n = read(fd, rest, sizeof(rest));

			if (n <= 0)
				break;
			total += n;
		}
	}
	x->args_n = MIN(b.n, (size_t)WIRE_ARGS_MAX);
	x->args_total = MIN(total, (uint64_t)UINT32_MAX);
	x->args = TAKE(b.p);
}

static uint32_t read_id(int dir, const char *name, struct buf *b)
{
	uint32_t id;

	return read_file(dir, name, 32, b) < 0 || procfs_parse_uint(buf_str(b), &id) < 0
		       ? UINT32_MAX
		       : id;
}

static void read_namespaces(int dir, struct procfs_process *x)
{
	static const char *const names[NS_COUNT] = {
		[NS_MNT] = "ns/mnt",	   [NS_PID] = "ns/pid",	  [NS_NET] = "ns/net",
		[NS_USER] = "ns/user",	   [NS_UTS] = "ns/uts",	  [NS_IPC] = "ns/ipc",
		[NS_CGROUP] = "ns/cgroup", [NS_TIME] = "ns/time",
	};

	for (int i = 0; i < NS_COUNT; i++) {
		char target[64];
		ssize_t n = readlinkat(dir, names[i], target, sizeof(target));

		if (n > 0)
			procfs_parse_ns((struct str){target, n}, &x->ns[i]);
	}
}

/* What stands between the two readings of `stat`. */
static int read_rest(int dir, struct procfs_process *x)
{
	_cleanup_buf_ struct buf b = {0};
	int r = read_file(dir, "status", STATUS_MAX, &b);

	if (r >= 0)
		r = procfs_parse_status(buf_str(&b), &x->status);
	if (r < 0)
		return r;
	x->loginuid = read_id(dir, "loginuid", &b);
	x->sessionid = read_id(dir, "sessionid", &b);
	read_namespaces(dir, x);
	read_exe(dir, x);
	x->cwd = read_link(dir, "cwd");
	cut_mark(x->cwd);
	read_args(dir, x);
	return 0;
}

static int read_once(const struct procfs *p, uint32_t pid, struct procfs_process *x)
{
	_cleanup_close_ int dir = open_process(p, pid);
	struct procfs_stat after;
	int r;

	if (dir < 0)
		return dir;
	r = read_stat(dir, &x->stat);
	if (r < 0)
		return r;
	r = read_rest(dir, x);
	if (r >= 0)
		r = read_stat(dir, &after);
	if (r < 0)
		return r == -ESRCH ? -EAGAIN : r; /* ended: maybe there is another by now */
	if (x->status.tgid != x->stat.pid)
		return -ESRCH;
	return after.start_ticks == x->stat.start_ticks && after.arg_start == x->stat.arg_start
		       ? 0
		       : -EAGAIN;
}

int procfs_read(const struct procfs *p, uint32_t pid, struct procfs_process *ret)
{
	int r = -EAGAIN;

	for (int i = 0; i < 2 && r == -EAGAIN; i++) {
		struct procfs_process x = {0};

		r = read_once(p, pid, &x);
		if (r < 0)
			procfs_process_done(&x);
		else
			*ret = x;
	}
	return r;
}

void procfs_process_done(struct procfs_process *x)
{
	free(x->exe);
	free(x->cwd);
	free(x->args);
	*x = (struct procfs_process){0};
}
