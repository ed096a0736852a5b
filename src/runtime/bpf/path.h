/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A file's path as the kernel resolved it, and the facts of its inode.
 *
 * bpf_d_path() may be called from a handful of functions only, so the path is put
 * together here: from the file's dentry up to the root of its mount, from there on
 * through the mount point, until a mount is its own parent.  That is the root of
 * the mount namespace, so a chroot hides nothing, and symlinks, "..", and detours
 * through /proc/PID/root are gone: a dentry does not know how it was reached.
 *
 * A path of more than 64 components (512 where there is bpf_loop) loses its beginning;
 * WIRE_F_CUT says so.
 */
#pragma once

#include "runtime/bpf/cast.h"
#include "runtime/bpf/core.h"

/*
 * path.bpf.c: append the path of a dentry on a mount to scratch `which`.  Global
 * functions, so that the verifier checks them once and not for every state of every
 * caller.  They return a wire_str as off << 16 | len: a BPF function returns a number.
 */
__u32 path_put(__u32 which, __u64 dentry, __u64 mnt);

/* The folder that a relative path starts from: descriptor `dirfd`, or the working one. */
__u32 dir_put(__u32 which, __s32 dirfd);

/* The root folder of the process, if it was changed (chroot); else nothing. */
__u32 root_put(__u32 which);

static __always_inline struct wire_str put_path(struct scratch *s, const struct dentry *dentry,
						const struct vfsmount *mnt)
{
	__u32 r = path_put(s->which, (__u64)dentry, (__u64)mnt);

	return (struct wire_str){.off = r >> 16, .len = (__u16)r};
}

/*
 * A read of kernel memory costs more than what is done with it, so members that stand near the
 * beginning of a struct are read together, where the running kernel has them all there:
 * NEAR says so, PICK takes one out of the bytes.
 */
enum { NEAR_MAX = 96 };

struct near {
	__u64 bytes[NEAR_MAX / 8];
};

#define NEAR(type, member) \
	(bpf_core_field_offset(type, member) + bpf_core_field_size(type, member) <= NEAR_MAX)
#define PICK(near, type, member) \
	(*(__typeof__(((type *)0)->member) *)((void *)(near) + bpf_core_field_offset(type, member)))

/* What is read of an open file, and of its inode. */
struct file_view {
	struct vfsmount *mnt;
	struct dentry *dentry;
	struct inode *inode;
	unsigned int mode;
};

struct inode_view {
	unsigned long ino, magic; /* magic: of the file system */
	__u32 dev;
	unsigned int nlink;
	unsigned short mode;
};

static __always_inline void file_read(struct file_view *v, const struct file *file)
{
	struct near near;

	if (can_cast) {
		const struct file *f = CAST_TO(file, file);

		v->mnt = UNCAST(f->f_path.mnt);
		v->dentry = UNCAST(f->f_path.dentry);
		v->inode = UNCAST(f->f_inode);
		v->mode = f->f_mode;
		return;
	}
	if (NEAR(struct file, f_path.mnt) && NEAR(struct file, f_path.dentry) &&
	    NEAR(struct file, f_inode) && NEAR(struct file, f_mode)) {
		bpf_probe_read_kernel(&near, sizeof(near), file);
		v->mnt = PICK(&near, struct file, f_path.mnt);
		v->dentry = PICK(&near, struct file, f_path.dentry);
		v->inode = PICK(&near, struct file, f_inode);
		v->mode = PICK(&near, struct file, f_mode);
		return;
	}
	v->mnt = BPF_CORE_READ(file, f_path.mnt);
	v->dentry = BPF_CORE_READ(file, f_path.dentry);
	v->inode = BPF_CORE_READ(file, f_inode);
	v->mode = BPF_CORE_READ(file, f_mode);
}

static __always_inline void inode_read(struct inode_view *v, const struct inode *inode)
{
	struct super_block *sb;
	struct near near;

	if (can_cast) {
		const struct inode *i = CAST_TO(inode, inode);

		v->ino = i->i_ino;
		v->nlink = i->i_nlink;
		v->mode = i->i_mode;
		v->magic = i->i_sb->s_magic;
		v->dev = i->i_sb->s_dev;
		return;
	}
	if (NEAR(struct inode, i_sb) && NEAR(struct inode, i_ino) && NEAR(struct inode, i_nlink) &&
	    NEAR(struct inode, i_mode)) {
		bpf_probe_read_kernel(&near, sizeof(near), inode);
		sb = PICK(&near, struct inode, i_sb);
		v->ino = PICK(&near, struct inode, i_ino);
		v->nlink = PICK(&near, struct inode, i_nlink);
		v->mode = PICK(&near, struct inode, i_mode);
	} else {
		sb = BPF_CORE_READ(inode, i_sb);
		v->ino = BPF_CORE_READ(inode, i_ino);
		v->nlink = BPF_CORE_READ(inode, i_nlink);
		v->mode = BPF_CORE_READ(inode, i_mode);
	}
	v->magic = BPF_CORE_READ(sb, s_magic);
	v->dev = BPF_CORE_READ(sb, s_dev);
}

/* enum wire_file_bit of a file on a mount. */
static __always_inline __u32 file_bits(const struct file_view *v, const struct inode_view *i)
{
	struct vfsmount *mnt = v->mnt; /* ours is no type of the kernel's */
	__u32 bits = 0;

	if (i->nlink == 0)
		bits |= WIRE_FILE_DELETED;
	if (i->mode & 06000)
		bits |= WIRE_FILE_SETID;
	if (i->magic == TMPFS_MAGIC_ || i->magic == HUGETLBFS_MAGIC_) {
		if (BPF_CORE_READ(mnt, mnt_flags) & MNT_INTERNAL_)
			bits |= WIRE_FILE_MEMFD;
		else
			bits |= WIRE_FILE_TMPFS;
	} else if (i->magic == OVERLAYFS_MAGIC_) {
		/* struct ovl_inode: the upper dentry stands right behind its inode */
		void *upper = NULL;

		bpf_probe_read_kernel(&upper, sizeof(upper),
				      (void *)v->inode + bpf_core_type_size(struct inode));
		if (upper)
			bits |= WIRE_FILE_UPPER;
	}
	return bits;
}

/* Of an fdtable: max_fds, and fd right behind; read at once, see path.bpf.c. */
struct descriptors {
	__u32 max;
	struct file **table;
};

static __always_inline void descriptors_read(struct descriptors *d)
{
	struct fdtable *fdt;

	if (can_cast) {
		fdt = CAST_TO(task_struct, this_task())->files->fdt;
		d->max = fdt->max_fds;
		d->table = fdt->fd;
		return;
	}
	fdt = BPF_CORE_READ(this_task(), files, fdt);
	if (bpf_core_field_offset(struct fdtable, fd) ==
	    bpf_core_field_offset(struct fdtable, max_fds) + 8) {
		bpf_probe_read_kernel(d, sizeof(*d), &fdt->max_fds);
		return;
	}
	d->max = BPF_CORE_READ(fdt, max_fds);
	d->table = BPF_CORE_READ(fdt, fd);
}

/* The file behind a descriptor of the running process; NULL: there is none. */
static __always_inline struct file *file_of_fd(__u32 fd)
{
	struct file *file = NULL;
	struct descriptors d;

	descriptors_read(&d);
	if (fd >= d.max)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), d.table + fd);
	return file;
}
