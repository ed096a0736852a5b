/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's own answer to "which file?" for calls that leave no descriptor.
 *
 * When unlink() returns, the file is gone and the path is only what the caller wrote.
 * Inside the call, the security hooks get what the kernel found: a dentry on a mount.
 * Where the kernel lets us look there (fentry), its path is put aside for the thread,
 * and sys_path() takes it when the call returns.  Elsewhere a path stays lexical, and
 * the event says so (WIRE_F_LEXICAL).
 *
 * fentry programs can be preempted, and the next thread on this cpu may come here too
 * (only the same program is kept out, since 5.12).  The paths are put together in one
 * scratch buffer a cpu, so who finds somebody at work there goes without.
 *
 * Needs CONFIG_SECURITY_PATH, which AppArmor and TOMOYO bring with them.
 */
#include "runtime/bpf/core.h"
#include "runtime/bpf/names.h"
#include "runtime/bpf/path.h"

enum { WALK_AT = 8192 }; /* where in the scratch record paths are put together */

/* Append one path as the i-th of the value that is built at the record's start. */
static __always_inline void put_named(struct scratch *s, int i, const struct dentry *dentry_,
				      const struct vfsmount *mnt)
{
	struct named *n = (struct named *)s->record;
	const struct dentry *dentry;
	struct wire_str w;
	__u64 off, len;

	/* a pointer with a type may not go to path_put(), which takes numbers; a copy has none */
	bpf_probe_read_kernel(&dentry, sizeof(dentry), &dentry_);
	s->used = WALK_AT;
	w = put_path(s, dentry, mnt);
	len = w.len;
	off = w.off;
	if (!off)
		return;
	if (len > NAMED_MAX - 1) { /* the end says more than the beginning */
		off += len - (NAMED_MAX - 1);
		s->cut |= WIRE_F_CUT;
	}
	BOUND(off, WIRE_RECORD_MAX - NAMED_MAX);
	BOUND(len, NAMED_MAX - 1);
	bpf_probe_read_kernel(n->path[i], len, s->record + off);
	n->len[i] = len;
}

static __always_inline void leave(struct scratch *s)
{
	__sync_fetch_and_add(&s->users, -1);
}

/* False: somebody else is at work in this buffer, now preempted by us. */
static __always_inline bool enter(struct scratch *s)
{
	__sync_fetch_and_add(&s->users, 1);
	if (*(volatile __u32 *)&s->users == 1)
		return true;
	leave(s);
	return false;
}

static __always_inline struct scratch *named_begin(enum wire_kind kind)
{
	__u32 tid = bpf_get_current_pid_tgid(), which = SCRATCH_NAMES;
	struct scratch *s;
	struct named *n;

	if (!wanted(kind) || !in_scope())
		return NULL;
	/* threads of the kernel, io_uring's too, end no system call that would take the name */
	if (BPF_CORE_READ(this_task(), flags) & (PF_KTHREAD_ | PF_IO_WORKER_))
		return NULL;
	s = bpf_map_lookup_elem(&scratches, &which);
	if (!s || !enter(s)) {
		bpf_map_delete_elem(&names, &tid); /* of an earlier call */
		return NULL;
	}
	s->which = which;
	s->cut = 0;
	n = (struct named *)s->record;
	n->kind = kind;
	n->len[0] = n->len[1] = 0;
	return s;
}

static __always_inline int named_end(struct scratch *s)
{
	__u32 tid = bpf_get_current_pid_tgid();

	((struct named *)s->record)->cut = s->cut;
	bpf_map_update_elem(&names, &tid, s->record, BPF_ANY);
	leave(s);
	return 0;
}

/* dir and dentry: a name in a folder; path: a file that is there. */
#define NAME_IN_DIR(hook, kind)                                                  \
	SEC("fentry/security_path_" #hook)                                       \
	int BPF_PROG(name_##hook, const struct path *dir, struct dentry *dentry) \
	{                                                                        \
		struct scratch *s = named_begin(kind);                           \
                                                                                 \
		if (!s)                                                          \
			return 0;                                                \
		put_named(s, 0, dentry, BPF_CORE_READ(dir, mnt));                \
		return named_end(s);                                             \
	}

#define NAME_OF_PATH(hook, kind)                                                        \
	SEC("fentry/security_path_" #hook)                                              \
	int BPF_PROG(name_##hook, const struct path *path)                              \
	{                                                                               \
		struct scratch *s = named_begin(kind);                                  \
                                                                                        \
		if (!s)                                                                 \
			return 0;                                                       \
		put_named(s, 0, BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt)); \
		return named_end(s);                                                    \
	}

NAME_IN_DIR(unlink, EV_UNLINK)
NAME_IN_DIR(rmdir, EV_RMDIR)
NAME_IN_DIR(mkdir, EV_MKDIR)
NAME_IN_DIR(symlink, EV_SYMLINK)
NAME_OF_PATH(chmod, EV_CHMOD)
NAME_OF_PATH(chown, EV_CHOWN)
NAME_OF_PATH(chroot, EV_CHROOT)

SEC("fentry/security_path_link")
int BPF_PROG(name_link, struct dentry *old, const struct path *dir, struct dentry *new)
{
	struct scratch *s = named_begin(EV_LINK);

	if (!s)
		return 0;
	/* a hard link stays on its file system: both names are on the folder's mount */
	put_named(s, 0, old, BPF_CORE_READ(dir, mnt));
	put_named(s, 1, new, BPF_CORE_READ(dir, mnt));
	return named_end(s);
}

SEC("fentry/security_path_rename")
int BPF_PROG(name_rename, const struct path *old_dir, struct dentry *old,
	     const struct path *new_dir, struct dentry *new)
{
	struct scratch *s = named_begin(EV_RENAME);

	if (!s)
		return 0;
	put_named(s, 0, old, BPF_CORE_READ(old_dir, mnt));
	put_named(s, 1, new, BPF_CORE_READ(new_dir, mnt));
	return named_end(s);
}

char _license[] SEC("license") = "Dual BSD/GPL";
