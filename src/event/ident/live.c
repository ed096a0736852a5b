/* SPDX-License-Identifier: Apache-2.0 */
#include "event/ident/live.h"

#include "base/macro.h"
#include "event/decode.h"
#include "event/ident/container.h"
#include "event/ident/procfs.h"
#include "event/ident/runtimes.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct live {
	struct procfs *procfs;
	struct runtimes *runtimes;
	struct users users;
	int mount_fd; /* cgroup2; -1 */
	char mount[PATH_MAX];
	char path[PATH_MAX];
};

struct live *live_new(const char *cgroup_mount)
{
	struct live *l = xalloc(sizeof(*l));

	l->procfs = procfs_new("/proc");
	l->runtimes = runtimes_new("");
	users_load(&l->users, "/etc/passwd");
	l->mount_fd = -1;
	if (cgroup_mount && strlen(cgroup_mount) < sizeof(l->mount)) {
		strcpy(l->mount, cgroup_mount);
		l->mount_fd = open(cgroup_mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return l;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	procfs_free(l->procfs);
	runtimes_free(l->runtimes);
	users_done(&l->users);
	if (l->mount_fd >= 0)
		close(l->mount_fd);
	free(l);
}

#define STR_AT(body, member) offsetof(struct body, member)

static uint64_t start_ns_of(uint64_t ticks)
{
	return ticks * procfs_ns_per_tick();
}

static bool ask_process(void *ctx, uint32_t pid, uint64_t start_ns, struct buf *out)
{
	struct procfs_process found = {0};
	struct live *l = ctx;
	struct wire_proc *p;

	if (procfs_read(l->procfs, pid, &found) < 0)
		return false;
	if (start_ns &&
	    found.stat.start_ticks != procfs_ticks_of_ns(start_ns)) { /* another process by now */
		procfs_process_done(&found);
		return false;
	}
	record_begin(out, WIRE_PROC);
	p = (struct wire_proc *)out->p;
	p->head.pid = p->head.tid = pid;
	p->head.start_ns = start_ns ? start_ns : start_ns_of(found.stat.start_ticks);
	p->head.uid = found.status.uid[0];
	p->head.gid = found.status.gid[0];
	memcpy(p->head.comm, found.stat.comm,
	       MIN(sizeof(p->head.comm) - 1, strlen(found.stat.comm)));
	p->cred = (struct wire_cred){
		.uid = found.status.uid[0],
		.euid = found.status.uid[1],
		.suid = found.status.uid[2],
		.fsuid = found.status.uid[3],
		.gid = found.status.gid[0],
		.egid = found.status.gid[1],
		.sgid = found.status.gid[2],
		.fsgid = found.status.gid[3],
		.cap_effective = found.status.cap_effective,
		.cap_permitted = found.status.cap_permitted,
		.cap_inheritable = found.status.cap_inheritable,
	};
	p->ppid = found.stat.ppid;
	p->parent_start_ns = start_ns_of(procfs_start_ticks(l->procfs, found.stat.ppid));
	p->inode = found.exe_inode;
	p->dev = found.exe_dev;
	p->nlink = found.exe_nlink;
	p->exe_bits = (found.exe_is_deleted ? WIRE_FILE_DELETED : 0) |
		      (found.exe_is_memfd ? WIRE_FILE_MEMFD : 0);
	p->loginuid = found.loginuid;
	p->sessionid = found.sessionid;
	memcpy(p->ns, found.ns, sizeof(p->ns));
	p->ns_pid = found.status.ns_pid;
	p->args_total = found.args_total;
	record_add_str(out, STR_AT(wire_proc, exe), str_of(found.exe));
	record_add_str(out, STR_AT(wire_proc, args), (struct str){found.args, found.args_n});
	record_add_str(out, STR_AT(wire_proc, cwd), str_of(found.cwd));
	record_end(out);
	procfs_process_done(&found);
	return true;
}

void live_add_args(struct live *l, struct buf *rec)
{
	const struct wire_head *h = (const struct wire_head *)rec->p;
	struct procfs_process found = {0};

	if (procfs_read(l->procfs, h->pid, &found) < 0)
		return;
	if (found.stat.start_ticks == procfs_ticks_of_ns(h->start_ns)) {
		((struct wire_proc *)rec->p)->args_total = found.args_total;
		record_add_str(rec, STR_AT(wire_proc, args),
			       (struct str){found.args, found.args_n});
		record_end(rec);
	}
	procfs_process_done(&found);
}

/* A cgroup's id is its folder's inode, and a file handle made of it opens the folder. */
const char *live_cgroup_path(struct live *l, uint64_t id)
{
	struct {
		struct file_handle h;
		uint64_t id;
	} handle = {.h = {.handle_bytes = 8, .handle_type = 0xfe}, .id = id}; /* FILEID_KERNFS */
	char link[64];
	ssize_t n;
	int fd;

	if (l->mount_fd < 0)
		return NULL;
	fd = open_by_handle_at(l->mount_fd, &handle.h, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, l->path, sizeof(l->path) - 1);
	close(fd);
	if (n < 0)
		return NULL;
	l->path[n] = 0;
	if (strncmp(l->path, l->mount, strlen(l->mount)))
		return NULL;
	return l->path[strlen(l->mount)] ? l->path + strlen(l->mount) : "/";
}

static bool ask_cgroup(void *ctx, uint64_t id, struct buf *out)
{
	const char *path = live_cgroup_path(ctx, id);

	if (!path)
		return false;
	record_begin(out, WIRE_CGROUP);
	((struct wire_head *)out->p)->cgroup = id;
	record_add_str(out, STR_AT(wire_cgroup, path), str_of(path));
	record_end(out);
	return true;
}

static void add_texts(struct buf *out, const struct container_info *info)
{
	record_add_str(out, STR_AT(wire_container, name), str_of(info->name));
	record_add_str(out, STR_AT(wire_container, image), str_of(info->image));
	record_add_str(out, STR_AT(wire_container, pod_name), str_of(info->pod_name));
	record_add_str(out, STR_AT(wire_container, pod_namespace), str_of(info->pod_namespace));
	record_add_str(out, STR_AT(wire_container, image_id), str_of(info->image_id));
	record_add_str(out, STR_AT(wire_container, digest), str_of(info->digest));
	record_add_str(out, STR_AT(wire_container, sandbox), str_of(info->sandbox));
	record_add_str(out, STR_AT(wire_container, ip), str_of(info->ip));
}

/* All of a list of texts or none of it: half a list would say something else. */
static bool add_list(struct buf *out, size_t member, const struct buf *list)
{
	if (list->n > WIRE_PATH_MAX || out->n + list->n + 1 > WIRE_RECORD_MAX)
		return false;
	if (list->n)
		record_add_str(out, member, buf_str(list));
	return true;
}

static void add_facts(struct buf *out, const struct container_info *info)
{
	struct wire_container *c;
	uint32_t bits = info->bits;

	if (info->is_sandbox)
		bits |= WIRE_CONTAINER_SANDBOX;
	if (!add_list(out, STR_AT(wire_container, labels), &info->labels) ||
	    !add_list(out, STR_AT(wire_container, pod_labels), &info->pod_labels) ||
	    !add_list(out, STR_AT(wire_container, mounts), &info->mounts))
		bits |= WIRE_CONTAINER_CUT;
	c = (struct wire_container *)out->p;
	c->start_ns = info->start_ns;
	c->bits = bits;
}

static bool ask_container(void *ctx, uint64_t id, struct str path, struct buf *out)
{
	_cleanup_container_ struct container_info info = {0};
	struct container_ref ref = {0};
	struct live *l = ctx;
	enum container_runtime runtime;
	size_t own;

	if (container_of_cgroup(path, &ref)) {
		runtime = ref.runtime;
		if (runtimes_lookup(l->runtimes, &ref, &info) >= 0)
			runtime = info.runtime;
	} else if (runtimes_find_cgroup(l->runtimes, path, &own, &info) >= 0) {
		runtime = info.runtime;
	} else {
		return false;
	}
	record_begin(out, WIRE_CONTAINER);
	((struct wire_head *)out->p)->cgroup = id;
	record_add_str(out, STR_AT(wire_container, runtime),
		       str_of(container_runtime_name(runtime)));
	record_add_str(out, STR_AT(wire_container, id), info.id ? str_of(info.id) : ref.id);
	record_add_str(out, STR_AT(wire_container, pod_uid),
		       str_of(info.pod_uid ? info.pod_uid : ref.pod_uid));
	add_texts(out, &info);
	add_facts(out, &info);
	record_end(out);
	return true;
}

static bool ask_user(void *ctx, uint32_t uid, struct buf *out)
{
	struct live *l = ctx;
	const char *name = users_name(&l->users, uid);

	/* a record all the same: nobody need ask again */
	record_begin(out, WIRE_USER);
	((struct wire_head *)out->p)->uid = uid;
	if (name)
		record_add_str(out, STR_AT(wire_user, name), str_of(name));
	record_end(out);
	return true;
}

void live_resolver(struct live *l, struct resolver *ret)
{
	*ret = (struct resolver){l, ask_process, ask_cgroup, ask_container, ask_user};
}
