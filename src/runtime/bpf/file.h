/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Records about files: shared by system calls (file.bpf.c) and io_uring (uring.bpf.c). */
#pragma once

#include "runtime/bpf/core.h"
#include "runtime/bpf/path.h"

enum {
	O_ACCMODE_ = 3,
	O_TRUNC_ = 01000,
	O_CREAT_ = 0100,
	O_CREAT_FLAGS = 0100 | 01 | 01000, /* what creat() stands for */
	AT_REMOVEDIR_ = 0x200,
};

/* Fixed part of a file record, all but what the calls differ in. */
static __always_inline struct wire_file *file_record(struct scratch *s, __u16 kind, long ret)
{
	struct wire_file *f = (struct wire_file *)s->record;

	head_staged(&f->head, kind);
	f->head.ret = ret;
	f->inode = f->bytes = 0;
	f->dev = f->bits = f->flags = f->mode = f->nr = f->pad = 0;
	f->owner = f->group = ~0u;
	f->file = f->file2 = f->path = f->dir = f->path2 = f->dir2 = f->text = NO_STRING;
	s->used = sizeof(*f);
	return f;
}

/* `bits` are those that the caller knows already. */
static __always_inline void fill_file(struct scratch *s, struct wire_file *f,
				      const struct file_view *file, __u32 bits)
{
	struct inode_view i;

	inode_read(&i, file->inode);
	f->inode = i.ino;
	f->dev = i.dev;
	f->bits = bits | file_bits(file, &i);
	f->file = put_path(s, file->dentry, file->mnt);
}

/* Did the call that opened this file make it?  WIRE_FILE_CREATED, or 0. */
static __always_inline __u32 created_bit(const struct file_view *file)
{
	return file->mode & FMODE_CREATED_ ? WIRE_FILE_CREATED : 0;
}

/* Which of the three open events this is: by what happened, else by what was asked. */
static __always_inline __u16 open_kind(__u32 flags, __u32 bits, long ret)
{
	if ((bits & WIRE_FILE_CREATED) || (ret < 0 && (flags & O_CREAT_)))
		return EV_CREATE;
	return (flags & O_ACCMODE_) || (flags & O_TRUNC_) ? EV_WRITE : EV_OPEN;
}

/*
 * Where the path that was appended last starts from: for an absolute one that is the
 * process's root, which is told only if it is not the namespace's own.
 */
static __always_inline struct wire_str put_dir(struct scratch *s, int dirfd)
{
	__u32 r = s->is_relative ? dir_put(s->which, dirfd) : root_put(s->which);

	return (struct wire_str){.off = r >> 16, .len = (__u16)r};
}
