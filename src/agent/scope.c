/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/scope.h"

#include "base/log.h"
#include "catalog/glob.h"
#include "event/ident/container.h"
#include "event/ident/procfs.h"
#include "event/ident/runtimes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads /proc/PID/NAME, or what fits; an empty text if it is not there. */
static struct str read_proc(uint32_t pid, const char *name, char *text, size_t n)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	f = fopen(path, "re");
	return (struct str){text, f ? fread(text, 1, n, f) : 0};
}

/* Do process ids mean here what they mean to the kernel? */
static bool in_first_pid_namespace(void)
{
	const ino_t first = 0xeffffffc; /* PROC_PID_INIT_INO, include/linux/proc_ns.h */
	struct stat st;

	return stat("/proc/self/ns/pid", &st) < 0 || st.st_ino == first;
}

int watch_scope_check_pids(void)
{
	if (in_first_pid_namespace())
		return 0;
	log_error(0, "the kernel knows processes by other ids than this pid namespace");
	log_hint("in a container: start it with the host's pid namespace (--pid=host); or choose "
		 "by --cgroup, --container, --user or --comm");
	return EXIT_CANNOT_HERE;
}

static int check_pid(uint32_t pid)
{
	struct procfs_status status;
	char text[4096];

	if (procfs_parse_status(read_proc(pid, "status", text, sizeof(text)), &status) < 0) {
		log_error(0, "--pid %u: there is no such process", pid);
		return EXIT_USAGE;
	}
	if (status.tgid != pid) {
		log_error(0, "--pid %u: this is a thread", pid);
		log_hint("its process is --pid %u", status.tgid);
		return EXIT_USAGE;
	}
	return watch_scope_check_pids();
}

/* The cgroup whose container has this id. */
struct search {
	const char *id;
	struct runtimes *runtimes;
	char *folder;
	size_t n;
};

static int is_container(void *ctx, const char *folder, const char *path)
{
	struct search *s = ctx;
	struct container_ref ref;
	_cleanup_container_ struct container_info info = {0};
	size_t own;

	if (container_of_cgroup(str_of(path), &ref)) {
		if (ref.cgroup_n != strlen(path) || !str_eq(ref.id, str_of(s->id)))
			return 0;
	} else if (runtimes_find_cgroup(s->runtimes, str_of(path), &own, &info) < 0 ||
		   own != strlen(path) || !info.id || strcmp(info.id, s->id)) {
		return 0;
	}
	snprintf(s->folder, s->n, "%s", folder);
	return 1;
}

static int no_container(struct runtimes *r, const char *wanted, int err)
{
	char **names = runtimes_names(r);
	const char *near = names ? str_nearest(wanted, (const char *const *)names) : NULL;

	if (err == -EEXIST) {
		log_error(0, "--container %s: more than one container's id begins with that",
			  wanted);
		log_hint("give more of the id, or the name");
	} else {
		log_error(0, "--container %s: no container has this name or id", wanted);
		if (near)
			log_hint("did you mean %s?", near);
		for (size_t i = 0; names && names[i] && i < 10; i++)
			log_hint("known: %s", names[i]);
	}
	if (names)
		runtimes_names_free(names);
	return EXIT_USAGE;
}

static int find_container(struct watch_scope *s, const char *wanted)
{
	struct runtimes *r = runtimes_new("");
	_cleanup_container_ struct container_info info = {0};
	struct search search = {NULL, r, s->folder, sizeof(s->folder)};
	int err = runtimes_resolve(r, wanted, &info), status = 0;

	if (err < 0) {
		status = no_container(r, wanted, err);
	} else {
		search.id = info.id;
		if (cgroupfs_walk(s->mount, is_container, &search) != 1) {
			log_error(0, "--container %s: %s has no cgroup below %s; is it running?",
				  wanted, info.id, s->mount);
			status = EXIT_USAGE;
		}
	}
	runtimes_free(r);
	return status;
}

static void no_user(const struct users *users, const char *wanted)
{
	_cleanup_free_ const char **names = xalloc((users->n + 1) * sizeof(*names));
	const char *near;

	for (size_t i = 0; i < users->n; i++)
		names[i] = users->names.p + users->list[i].name;
	near = str_nearest(wanted, names);
	log_error(0, "--user %s: no such user in /etc/passwd", wanted);
	if (near)
		log_hint("did you mean %s?", near);
	else
		log_hint("users that /etc/passwd does not have are named by their number");
}

static int find_user(struct watch_scope *s, const char *wanted)
{
	struct users users = {0};
	unsigned long uid;
	int status = 0;

	s->by_user = true;
	if (wanted[strspn(wanted, "0123456789")] == 0) {
		uid = strtoul(wanted, NULL, 10);
		if (uid >= UINT32_MAX) { /* (uid_t)-1 is nobody's */
			log_error(0, "--user %s: expected a name, or a number below 4294967295",
				  wanted);
			return EXIT_USAGE;
		}
		s->uid = uid;
		return 0;
	}
	users_load(&users, "/etc/passwd");
	if (users_id(&users, wanted, &s->uid) < 0) {
		no_user(&users, wanted);
		status = EXIT_USAGE;
	}
	users_done(&users);
	return status;
}

/* What can not both be true of a process. */
static int check_combination(const struct watch_options *o)
{
	if (o->cgroup && o->container) {
		log_error(0, "--cgroup and --container name the same thing: give one of them");
		return EXIT_USAGE;
	}
	if (o->command && (o->cgroup || o->container || o->pid)) {
		log_error(0, "--%s does not go with a command, which is watched alone",
			  o->cgroup	 ? "cgroup"
			  : o->container ? "container"
					 : "pid");
		return EXIT_USAGE;
	}
	return 0;
}

int watch_scope_init(struct watch_scope *s, const struct watch_options *o)
{
	int status = check_combination(o);

	*s = (struct watch_scope){.cgroup_fd = -1};
	if (!status && o->pid)
		status = check_pid(o->pid);
	if (status)
		return status;
	if (cgroupfs_mount(s->mount, sizeof(s->mount)) < 0)
		s->mount[0] = 0;
	if ((o->cgroup || o->container) && !s->mount[0]) {
		log_error(0, "there is no cgroup2 file system to look in");
		log_hint("mount -t cgroup2 none /sys/fs/cgroup/unified");
		return EXIT_CANNOT_HERE;
	}
	if (o->cgroup && cgroupfs_find(s->mount, o->cgroup, s->folder, sizeof(s->folder)) < 0) {
		log_error(0, "--cgroup %s: there is no such cgroup below %s", o->cgroup, s->mount);
		return EXIT_USAGE;
	}
	if (o->container)
		status = find_container(s, o->container);
	if (!status && o->user)
		status = find_user(s, o->user);
	if (!status && s->folder[0]) {
		s->cgroup_fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (s->cgroup_fd < 0) {
			log_error(-errno, "%s", s->folder);
			status = EXIT_FAILED;
		}
	}
	return status;
}

void watch_scope_done(struct watch_scope *s)
{
	if (s->cgroup_fd >= 0)
		close(s->cgroup_fd);
	s->cgroup_fd = -1;
}

bool watch_scope_has(const struct watch_scope *s, const struct watch_options *o,
		     const struct wire_proc *p, const char *cgroup_path)
{
	struct scope_glob glob;

	if (s->folder[0]) {
		const char *path = s->folder + strlen(s->mount);
		size_t n = strlen(path);

		if (!cgroup_path || strncmp(cgroup_path, path, n) ||
		    (cgroup_path[n] && cgroup_path[n] != '/'))
			return false;
	}
	if (s->by_user && p->head.uid != s->uid)
		return false;
	if (o->comm && (glob_compile(o->comm, &glob) < 0 || !glob_matches(&glob, p->head.comm)))
		return false;
	return !o->pid || p->head.pid == o->pid;
}

static uint32_t parent_of(uint32_t pid)
{
	struct procfs_stat process;
	char text[1024];
	struct str s = read_proc(pid, "stat", text, sizeof(text));

	return procfs_parse_stat(s, &process) < 0 ? 0 : process.ppid;
}

int watch_follow_tree(struct runtime *rt, uint32_t pid)
{
	struct dirent *entry;
	int r = runtime_follow(rt, pid);
	DIR *d = opendir("/proc");

	if (!d)
		return -errno;
	while (r >= 0 && (entry = readdir(d))) {
		uint32_t one = strtoul(entry->d_name, NULL, 10), up = one;

		for (int i = 0; up > 1 && up != pid && i < 64; i++)
			up = parent_of(up);
		if (one > 1 && one != pid && up == pid)
			r = runtime_follow(rt, one);
	}
	closedir(d);
	return r;
}
