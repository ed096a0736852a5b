/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that name a file, and calls of numbers.
 *
 * What leaves a descriptor is told from that: /proc has the path as the kernel resolved it.
 * What does not is told from the name as given and the folder it starts from, as
 * runtime/bpf/file.bpf.c does.  Whether an open made its file is known by looking before it.
 */
#include "runtime/vm/hook/watch-internal.h"

#include "base/macro.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum { BPF_NAME_AT_PROG = 48, BPF_NAME_AT_MAP = 28 };

static uint64_t arg(const struct tracer_task *t, int i)
{
	return i >= 0 && i < 6 ? t->call.args[i] : 0;
}

/* Flags and mode, wherever the call has them. */
static void read_flags(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d,
		       uint32_t *ret_flags, uint32_t *ret_mode)
{
	uint64_t how[2] = {0}; /* struct open_how */

	*ret_flags = *ret_mode = 0;
	if (d->bits & SYS_B_HOW) {
		tracer_read(w->tracer, t, how, arg(t, d->flags), sizeof(how));
		*ret_flags = (uint32_t)how[0];
		*ret_mode = (uint32_t)how[1];
		return;
	}
	if (d->bits & SYS_B_CREAT)
		*ret_flags = O_CREAT | O_WRONLY | O_TRUNC;
	else if (d->flags >= 0)
		*ret_flags = (uint32_t)arg(t, d->flags);
	if (d->mode >= 0)
		*ret_mode = (uint32_t)arg(t, d->mode);
}

/* The folder that a relative path starts from, as a link of /proc. */
static void dir_link(const struct tracer_task *t, int i, char *to, size_t room)
{
	int fd = i >= 0 ? (int)arg(t, i) : AT_FDCWD;

	if (fd == AT_FDCWD)
		snprintf(to, room, "cwd");
	else
		snprintf(to, room, "fd/%d", fd);
}

static struct wire_str put_dir(struct watch_vm *w, struct tracer_task *t, int i,
			       struct wire_str path)
{
	char link[32];
	struct wire_str root;

	if (!path.off)
		return path;
	if (w->record.bytes[path.off] != '/') {
		dir_link(t, i, link, sizeof(link));
		return watch_put_link(w, t, link);
	}
	root = watch_put_link(w, t, "root");
	return root.len > 1 ? root : (struct wire_str){0};
}

/* Is there a file where an open that may make one goes? */
void watch_open_begins(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d)
{
	struct watch_task *x = watch_task(w, t);
	char path[WIRE_PATH_MAX + 64], link[32];
	uint32_t flags, mode;
	struct wire_str name;
	struct stat st;

	x->was_there = true;
	read_flags(w, t, d, &flags, &mode);
	if (!(flags & O_CREAT) || d->path < 0)
		return;
	w->record.used = sizeof(struct wire_head);
	name = watch_put_user(w, t, arg(t, d->path), WIRE_PATH_MAX);
	if (!name.off)
		return;
	dir_link(t, d->dir, link, sizeof(link));
	snprintf(path, sizeof(path), "/proc/%d/%s/%s", t->tid,
		 w->record.bytes[name.off] == '/' ? "root" : link,
		 (const char *)w->record.bytes + name.off);
	x->was_there = stat(path, &st) == 0;
}

static uint16_t open_kind(uint32_t flags, bool is_new, int64_t ret)
{
	if (is_new || (ret < 0 && (flags & O_CREAT)))
		return EV_CREATE;
	return (flags & O_ACCMODE) || (flags & O_TRUNC) ? EV_WRITE : EV_OPEN;
}

void watch_open(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d)
{
	struct wire_file *f = &w->record.file;
	struct watch_facts facts;
	uint32_t flags, mode;
	int64_t ret = t->call.ret;
	char link[32];
	bool is_new;

	read_flags(w, t, d, &flags, &mode);
	is_new = ret >= 0 && !watch_task(w, t)->was_there;
	if (!watch_wants(w, open_kind(flags, is_new, ret)))
		return;
	watch_begin(w, t, open_kind(flags, is_new, ret), sizeof(*f));
	f->head.ret = ret < 0 ? ret : ret;
	f->nr = (uint32_t)t->call.nr;
	f->flags = flags;
	f->mode = mode & 07777;
	if (ret >= 0) {
		snprintf(link, sizeof(link), "fd/%d", (int)ret);
		if (watch_facts(t, link, &facts)) {
			f->inode = facts.inode;
			f->dev = facts.dev;
			f->bits = facts.bits | (is_new ? WIRE_FILE_CREATED : 0);
		}
		f->file = watch_put_link(w, t, link);
	}
	if (d->path >= 0) {
		f->path = watch_put_user(w, t, arg(t, d->path), WIRE_PATH_MAX);
		if (ret < 0 || w->config.rules) /* they ask for the name as given */
			f->dir = put_dir(w, t, d->dir, f->path);
	}
	watch_send(w);
}

static void put_names(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d)
{
	struct wire_file *f = &w->record.file;

	if (d->path >= 0) {
		f->path = watch_put_user(w, t, arg(t, d->path), WIRE_PATH_MAX);
		f->dir = put_dir(w, t, d->dir, f->path);
		f->head.flags |= WIRE_F_LEXICAL;
	}
	if (d->path2 >= 0) {
		f->path2 = watch_put_user(w, t, arg(t, d->path2), WIRE_PATH_MAX);
		if (f->head.kind == EV_RENAME || f->head.kind == EV_LINK)
			f->dir2 = put_dir(w, t, d->dir2, f->path2);
	}
	if (d->text >= 0)
		f->text = watch_put_user(w, t, arg(t, d->text), WIRE_NAME_MAX);
}

void watch_path(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d)
{
	struct wire_file *f = &w->record.file;
	uint32_t flags = d->flags >= 0 ? (uint32_t)arg(t, d->flags) : 0;
	uint16_t kind = d->kind;
	struct watch_facts facts;
	char link[32];

	if ((d->bits & SYS_B_RMDIR) && (flags & AT_REMOVEDIR))
		kind = EV_RMDIR;
	if (!watch_wants(w, kind))
		return;
	watch_begin(w, t, kind, sizeof(*f));
	f->head.ret = t->call.ret;
	f->nr = (uint32_t)t->call.nr;
	f->flags = flags;
	if (d->mode >= 0)
		f->mode = (uint32_t)arg(t, d->mode) & 07777;
	if (d->bits & SYS_B_OWNER) {
		int at = d->path >= 0 ? d->path + 1 : 1;

		f->owner = (uint32_t)arg(t, at);
		f->group = (uint32_t)arg(t, at + 1);
	}
	if (d->bits & SYS_B_FD) {
		snprintf(link, sizeof(link), "fd/%d", (int)arg(t, 0));
		if (watch_facts(t, link, &facts)) {
			f->inode = facts.inode;
			f->dev = facts.dev;
			f->bits = facts.bits;
			f->file = watch_put_link(w, t, link);
		}
	}
	put_names(w, t, d);
	watch_send(w);
}

/* --- numbers */

/* "mnt:[4026531841]": a namespace; else a file. */
static void put_fd_file(struct watch_vm *w, struct tracer_task *t)
{
	struct wire_sys *s = &w->record.sys;
	struct wire_str name;
	char link[32], kind[16];
	unsigned long long inode;

	snprintf(link, sizeof(link), "fd/%d", (int)arg(t, 0));
	name = watch_put_link(w, t, link);
	if (!name.off)
		return;
	if (sscanf((char *)w->record.bytes + name.off, "%15[a-z_]:[%llu]", kind, &inode) == 2) {
		s->arg[2] = inode;
		s->text = watch_put(w, kind, strlen(kind));
	} else {
		s->file = name;
	}
}

static void put_bpf_name(struct watch_vm *w, struct tracer_task *t)
{
	const __u64 *a = w->record.sys.arg;
	uint32_t at = a[0] == BPF_PROG_LOAD ? BPF_NAME_AT_PROG : BPF_NAME_AT_MAP;

	if ((a[0] == BPF_PROG_LOAD || a[0] == BPF_MAP_CREATE) &&
	    (uint32_t)a[2] >= at + BPF_OBJ_NAME_LEN)
		w->record.sys.text = watch_put_user(w, t, a[1] + at, BPF_OBJ_NAME_LEN);
}

void watch_args(struct watch_vm *w, struct tracer_task *t, const struct sys_desc *d)
{
	struct wire_sys *s = &w->record.sys;

	watch_begin(w, t, d->kind, sizeof(*s));
	s->head.ret = t->call.ret;
	s->nr = (uint32_t)t->call.nr;
	for (int i = 0; i < 5; i++)
		s->arg[i] = arg(t, i);
	if (d->bits & SYS_B_FD_FILE)
		put_fd_file(w, t);
	if (d->text >= 0)
		s->text = watch_put_user(w, t, arg(t, d->text), WIRE_PATH_MAX);
	if (d->kind == EV_BPF)
		put_bpf_name(w, t);
	watch_send(w);
}
