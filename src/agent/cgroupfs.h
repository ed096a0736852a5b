/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroup2 hierarchy as a file system: where it is mounted, where we are in it, and
 * a cgroup of our own for the command that we run.
 *
 * On hybrid systems (v1 controllers beside a v2 tree) only the v2 tree is used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CGROUP_PATH_MAX = 4096 };

/* Where cgroup2 is mounted, from /proc/self/mounts.  0 or -errno; -ENOENT: nowhere. */
int cgroupfs_mount(char *ret, size_t n);

/* Our own path in it, from /proc/self/cgroup; "/" is the root. */
int cgroupfs_own(char *ret, size_t n);

/*
 * The folder of a cgroup that a user names: a path in the file system that leads below
 * `mount`, or a path from the hierarchy's root.  Without links, dots and a slash at the
 * end.  -ENOENT: there is none.
 */
int cgroupfs_find(const char *mount, const char *name, char *ret, size_t n);

/* Make `mount`/own/skep-PID and write its path; the caller removes it.  0 or -errno. */
int cgroupfs_make(const char *mount, char *ret, size_t n);

/* Move a process into it; 0 is the caller. */
int cgroupfs_enter(const char *folder, int pid);

/*
 * Remove a cgroup and those below it.  Processes that are still in there go back to
 * `home`: they live on.  -EBUSY: after two seconds it is still there.
 */
int cgroupfs_remove(const char *folder, const char *home);

/*
 * Call `fn` for the mount and every cgroup below it, the deepest first, until it returns
 * other than 0; returns that.  `folder` is in the file system, `path` in the hierarchy.
 */
typedef int (*cgroupfs_fn)(void *ctx, const char *folder, const char *path);
int cgroupfs_walk(const char *mount, cgroupfs_fn fn, void *ctx);
