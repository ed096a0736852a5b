/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cgroupfs.h"

#include "base/macro.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int cgroupfs_mount(char *ret, size_t n)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mounts", "re");
	char line[8192], where[4096], type[64];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %4095s %63s", where, type) == 2 && !strcmp(type, "cgroup2")) {
			if (strlen(where) >= n)
				return -ENAMETOOLONG;
			strcpy(ret, where);
			return 0;
		}
	return -ENOENT;
}

int cgroupfs_own(char *ret, size_t n)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	char line[CGROUP_PATH_MAX + 8];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "0::", 3))
			continue;
		if (strlen(line + 3) >= n)
			return -ENAMETOOLONG;
		strcpy(ret, line + 3);
		return 0;
	}
	return -ENOENT;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* `path` without links and dots, if it is a folder at or below `mount`. */
static int find_below(const char *mount, const char *path, char *ret, size_t n)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	size_t m = strlen(mount);

	if (!real || strncmp(real, mount, m) || (real[m] && real[m] != '/') || !is_folder(real))
		return -ENOENT;
	return snprintf(ret, n, "%s", real) < (int)n ? 0 : -ENAMETOOLONG;
}

int cgroupfs_find(const char *mount, const char *name, char *ret, size_t n)
{
	char path[CGROUP_PATH_MAX];
	int r = find_below(mount, name, ret, n);

	if (r != -ENOENT || snprintf(path, sizeof(path), "%s/%s", mount, name) >= (int)sizeof(path))
		return r;
	return find_below(mount, path, ret, n);
}

int cgroupfs_make(const char *mount, char *ret, size_t n)
{
	char own[CGROUP_PATH_MAX];
	int r = cgroupfs_own(own, sizeof(own));

	if (r < 0)
		return r;
	if (snprintf(ret, n, "%s%s/skep-%d", mount, strcmp(own, "/") ? own : "", getpid()) >=
	    (int)n)
		return -ENAMETOOLONG;
	return mkdir(ret, 0755) < 0 ? -errno : 0;
}

int cgroupfs_enter(const char *folder, int pid)
{
	char path[CGROUP_PATH_MAX + 16], text[16];
	_cleanup_close_ int fd = -1;
	int n = snprintf(text, sizeof(text), "%d", pid);

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, n) < 0)
		return -errno;
	return 0;
}

static void send_home(const char *folder, const char *home)
{
	char path[CGROUP_PATH_MAX + 16];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fscanf(f, "%d", &pid) == 1)
		cgroupfs_enter(home, pid);
	fclose(f);
}

/* Depth first; what cannot be removed now is tried again by the caller. */
static void remove_tree(const char *folder, const char *home)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	char below[CGROUP_PATH_MAX];

	if (!d)
		return;
	while ((entry = readdir(d)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(below, sizeof(below), "%s/%s", folder, entry->d_name) <
			    (int)sizeof(below))
			remove_tree(below, home);
	closedir(d);
	send_home(folder, home);
	rmdir(folder);
}

int cgroupfs_remove(const char *folder, const char *home)
{
	/* a process that is just ending holds its cgroup for some milliseconds */
	for (int i = 0; i < 100; i++) {
		remove_tree(folder, home);
		if (!is_folder(folder))
			return 0;
		usleep(i < 10 ? 1000 : 20000);
	}
	return -EBUSY;
}

static int walk(const char *mount, const char *folder, cgroupfs_fn fn, void *ctx, int depth)
{
	char below[CGROUP_PATH_MAX];
	struct dirent *entry;
	DIR *d = depth < 64 ? opendir(folder) : NULL;
	int r = 0;

	if (!d)
		return 0;
	while (!r && (entry = readdir(d)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(below, sizeof(below), "%s/%s", folder, entry->d_name) <
			    (int)sizeof(below))
			r = walk(mount, below, fn, ctx, depth + 1);
	closedir(d);
	return r ? r : fn(ctx, folder, folder[strlen(mount)] ? folder + strlen(mount) : "/");
}

int cgroupfs_walk(const char *mount, cgroupfs_fn fn, void *ctx)
{
	return walk(mount, mount, fn, ctx, 0);
}
