/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Paths from dentries; path.h says how and why.
 *
 * Compiled twice: bpf_loop() came with 5.17 (e6f2dd0f8067), and a kernel that does not
 * know callbacks refuses an object that only contains one.  NO_BPF_LOOP makes the
 * variant for those; it costs the verifier a walk through every round of the loop.
 */
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

/* Where a walk up the tree stands. */
struct walk {
	struct scratch *s;
	struct dentry *dentry, *root; /* root: of the mount that the walk is in */
	struct mount *mnt;
	__u64 off; /* where in s->path the path so far begins */
};

/* One step up: a component, or through a mount point.  Returns 1 at the top. */
static long walk_step(__u64 i, struct walk *w)
{
	struct scratch *s = w->s;
	/* locals: BPF_CORE_READ would take `w->mnt` for a member of a kernel's struct */
	struct dentry *dentry = w->dentry, *parent;
	struct mount *mnt = w->mnt, *up;
	const unsigned char *name;
	__u64 off = w->off, len;

	if (dentry == w->root) {
		up = BPF_CORE_READ(mnt, mnt_parent);
		if (up == mnt || !up)
			return 1;
		w->dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
		w->mnt = up;
		w->root = BPF_CORE_READ(up, mnt.mnt_root);
		return 0;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	len = BPF_CORE_READ(dentry, d_name.len) & 255; /* NAME_MAX */
	name = BPF_CORE_READ(dentry, d_name.name);
	if (off < len + 1) {
		s->cut |= WIRE_F_CUT;
		return 1;
	}
	off = (off - len) & (WIRE_PATH_MAX - 1);
	BOUND(len, 255);
	bpf_probe_read_kernel(&s->path[off], len, name);
	if (dentry == parent) {
		/* no folder holds it: memfd, pipe, an unmounted tree */
		w->off = off;
		return 1;
	}
	off = (off - 1) & (WIRE_PATH_MAX - 1);
	s->path[off] = '/';
	w->off = off;
	w->dentry = parent;
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
	w.root = BPF_CORE_READ(mnt, mnt.mnt_root);
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
	if (used > WIRE_RECORD_MAX - WIRE_PATH_MAX - 1)
		return 0;
	len = (WIRE_PATH_MAX - off) & (WIRE_PATH_MAX - 1);
	bpf_probe_read_kernel(s->record + used, len, &s->path[off & (WIRE_PATH_MAX - 1)]);
	s->record[used + len] = 0;
	s->used = used + len + 1;
	return used << 16 | len;
}

__noinline __u32 dir_put(__u32 which, __s32 dirfd)
{
	struct task_struct *task = this_task();
	struct fs_struct *fs;
	struct file *file;

	if (dirfd == AT_FDCWD_) {
		fs = BPF_CORE_READ(task, fs);
		return path_put(which, (__u64)BPF_CORE_READ(fs, pwd.dentry),
				(__u64)BPF_CORE_READ(fs, pwd.mnt));
	}
	file = file_of_fd(task, dirfd);
	if (!file)
		return 0;
	return path_put(which, (__u64)BPF_CORE_READ(file, f_path.dentry),
			(__u64)BPF_CORE_READ(file, f_path.mnt));
}

__noinline __u32 root_put(__u32 which)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &which);
	struct fs_struct *fs = BPF_CORE_READ(this_task(), fs);
	struct dentry *dentry = BPF_CORE_READ(fs, root.dentry);
	struct vfsmount *vfsmnt = BPF_CORE_READ(fs, root.mnt);
	struct mount *mnt = mount_of((__u64)vfsmnt);

	if (!s || !vfsmnt)
		return 0;
	/* the usual case, without a walk: the root of a mount that is its own parent */
	if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root) && BPF_CORE_READ(mnt, mnt_parent) == mnt)
		return 0;
	return path_put(which, (__u64)dentry, (__u64)vfsmnt);
}

char _license[] SEC("license") = "Dual BSD/GPL";
