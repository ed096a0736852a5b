/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Paths from dentries; path.h says how and why.
 *
 * Compiled twice: bpf_loop() came with 5.17 (e6f2dd0f8067), and a kernel that does not
 * know callbacks refuses an object that only contains one.  NO_BPF_LOOP makes the
 * variant for those; it costs the verifier a walk through every round of the loop.
 */
#include "runtime/bpf/cast.h"
#include "runtime/bpf/core.h"
#include "runtime/bpf/path.h"

#ifdef NO_BPF_LOOP
enum { PATH_DEPTH = 64 };
#else
enum { PATH_DEPTH = 512 };
#endif

static __always_inline struct mount *mount_of(__u64 vfsmnt)
{
	return (void *)(vfsmnt - bpf_core_field_offset(struct mount, mnt));
}

/*
 * A read of kernel memory is what a walk costs: so a load where there are casts, else what
 * stands side by side in the kernel's structs is read at once.  A kernel that shuffles them
 * (RANDSTRUCT) has it read one by one: which of the three it is, is known before loading.
 */

/* Of a dentry: d_parent, and d_name right behind. */
struct place {
	struct dentry *parent;
	__u32 hash, len;
	const unsigned char *name;
};

/* Of a mount: mnt_parent, mnt_mountpoint, mnt.mnt_root. */
struct mounted {
	struct mount *parent;
	struct dentry *mountpoint, *root;
};

static __always_inline void place_read(struct place *p, const struct dentry *dentry)
{
	if (can_cast) {
		const struct dentry *d = CAST_TO(dentry, dentry);

		p->parent = UNCAST(d->d_parent);
		p->len = d->d_name.len;
		p->name = d->d_name.name;
		return;
	}
	if (bpf_core_field_offset(struct dentry, d_name) ==
		    bpf_core_field_offset(struct dentry, d_parent) + 8 &&
	    bpf_core_field_offset(struct qstr, len) == 4 &&
	    bpf_core_field_offset(struct qstr, name) == 8) {
		bpf_probe_read_kernel(p, sizeof(*p), &dentry->d_parent);
		return;
	}
	p->parent = BPF_CORE_READ(dentry, d_parent);
	p->len = BPF_CORE_READ(dentry, d_name.len);
	p->name = BPF_CORE_READ(dentry, d_name.name);
}

static __always_inline void mount_read(struct mounted *m, const struct mount *mnt)
{
	__u32 at = bpf_core_field_offset(struct mount, mnt_parent);

	if (can_cast) {
		const struct mount *in = CAST_TO(mount, mnt);

		m->parent = UNCAST(in->mnt_parent);
		m->mountpoint = UNCAST(in->mnt_mountpoint);
		m->root = UNCAST(in->mnt.mnt_root);
		return;
	}
	if (bpf_core_field_offset(struct mount, mnt_mountpoint) == at + 8 &&
	    bpf_core_field_offset(struct mount, mnt) +
			    bpf_core_field_offset(struct vfsmount, mnt_root) ==
		    at + 16) {
		bpf_probe_read_kernel(m, sizeof(*m), &mnt->mnt_parent);
		return;
	}
	m->parent = BPF_CORE_READ(mnt, mnt_parent);
	m->mountpoint = BPF_CORE_READ(mnt, mnt_mountpoint);
	m->root = BPF_CORE_READ(mnt, mnt.mnt_root);
}

/* Where a walk up the tree stands. */
struct walk {
	struct scratch *s;
	struct dentry *dentry;
	struct mount *mnt; /* the mount that the walk is in, and what is known of it */
	struct mounted at;
	__u64 off; /* where in s->path the path so far begins */
};

/* One step up: a component, or through a mount point.  Returns 1 at the top. */
static long walk_step(__u64 i, struct walk *w)
{
	struct scratch *s = w->s;
	struct dentry *dentry = w->dentry;
	__u64 off = w->off, len;
	struct place p;

	if (dentry == w->at.root) {
		if (w->at.parent == w->mnt || !w->at.parent)
			return 1;
		w->dentry = w->at.mountpoint;
		w->mnt = w->at.parent;
		mount_read(&w->at, w->mnt);
		return 0;
	}
	place_read(&p, dentry);
	len = p.len & 255; /* NAME_MAX */
	if (off <= len + 1) {
		s->cut |= WIRE_F_CUT;
		return 1;
	}
	off = (off - len) & (WIRE_PATH_MAX - 1);
	BOUND(len, 255);
	bpf_probe_read_kernel(&s->path[off], len, p.name);
	if (dentry == p.parent) {
		/* no folder holds it: memfd, pipe, an unmounted tree */
		w->off = off;
		return 1;
	}
	off = (off - 1) & (WIRE_PATH_MAX - 1);
	s->path[off] = '/';
	w->off = off;
	w->dentry = p.parent;
	return 0;
}

__noinline __u32 path_put(__u32 which, __u64 dentry, __u64 vfsmnt)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &which);
	struct mount *mnt = mount_of(vfsmnt);
	struct walk w = {.s = s, .dentry = (void *)dentry, .mnt = mnt, .off = WIRE_PATH_MAX};
	__u64 off, len;
	__u32 used;
	int i = 0;

	if (!s || !dentry || !vfsmnt)
		return 0;
	mount_read(&w.at, mnt);
#ifdef NO_BPF_LOOP
	while (i < PATH_DEPTH && !walk_step(i, &w))
		i++;
#else
	i = bpf_loop(PATH_DEPTH, walk_step, &w, 0);
#endif
	if (i == PATH_DEPTH)
		s->cut |= WIRE_F_CUT;
	off = w.off;
	if (off >= WIRE_PATH_MAX) {
		off = WIRE_PATH_MAX - 1;
		s->path[off] = '/';
	}
	used = s->used;
	if (used > RECORD_ROOM - WIRE_PATH_MAX - 1) {
		s->cut |= WIRE_F_CUT;
		return 0;
	}
	len = (WIRE_PATH_MAX - off) & (WIRE_PATH_MAX - 1);
	bpf_probe_read_kernel(s->record + used, len, &s->path[off & (WIRE_PATH_MAX - 1)]);
	s->record[used + len] = 0;
	s->used = used + len + 1;
	return used << 16 | len;
}

__noinline __u32 dir_put(__u32 which, __s32 dirfd)
{
	struct file_view view;
	struct fs_struct *fs;
	struct file *file;

	if (dirfd != AT_FDCWD_) {
		file = file_of_fd(dirfd);
		if (!file)
			return 0;
		file_read(&view, file);
	} else if (can_cast) {
		fs = CAST_TO(task_struct, this_task())->fs;
		view.dentry = UNCAST(fs->pwd.dentry);
		view.mnt = UNCAST(fs->pwd.mnt);
	} else {
		fs = BPF_CORE_READ(this_task(), fs);
		view.dentry = BPF_CORE_READ(fs, pwd.dentry);
		view.mnt = BPF_CORE_READ(fs, pwd.mnt);
	}
	return path_put(which, (__u64)view.dentry, (__u64)view.mnt);
}

__noinline __u32 root_put(__u32 which)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &which);
	struct vfsmount *vfsmnt;
	struct dentry *dentry;
	struct fs_struct *fs;
	struct mounted at;

	if (can_cast) {
		fs = CAST_TO(task_struct, this_task())->fs;
		dentry = UNCAST(fs->root.dentry);
		vfsmnt = UNCAST(fs->root.mnt);
	} else {
		fs = BPF_CORE_READ(this_task(), fs);
		dentry = BPF_CORE_READ(fs, root.dentry);
		vfsmnt = BPF_CORE_READ(fs, root.mnt);
	}
	if (!s || !vfsmnt)
		return 0;
	/* without a walk: the root of a mount that is its own parent */
	mount_read(&at, mount_of((__u64)vfsmnt));
	if (dentry == at.root && at.parent == mount_of((__u64)vfsmnt))
		return 0;
	return path_put(which, (__u64)dentry, (__u64)vfsmnt);
}

char _license[] SEC("license") = "Dual BSD/GPL";
