/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Files: everything that names one in a system call.
 *
 * Calls that return a descriptor (SYS_OPEN) are told from the struct file behind
 * it: its dentry is the resolved path, its inode the facts, FMODE_CREATED whether
 * the call made it.  Calls that leave no descriptor (SYS_PATH: unlink, rename, …)
 * are told from the name as given and the folder it starts from; their parent
 * folder is resolved where the kernel lets us look at the call itself (names.bpf.c).
 */
#include "runtime/bpf/core.h"
#include "runtime/bpf/file.h"
#include "runtime/bpf/names.h"
#include "runtime/bpf/rule.h"
#include "runtime/bpf/syscall.h"

const volatile struct sys_desc sys_descs[SCOPE_SYSCALLS];
const volatile struct sys_desc sys_descs_ia32[SCOPE_SYSCALLS];

const volatile bool have_names; /* the programs of names.bpf.c are attached */

/* Every system call of the machine ends here: say no as early as possible. */
SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	const struct sys_desc *d;
	__u64 nr = sys_number(regs);
	struct scratch *s;
	bool is_compat;

	if (nr >= SCOPE_SYSCALLS)
		return 0;
	BOUND(nr, SCOPE_SYSCALLS - 1);
	if (!sys_descs[nr].handler && !sys_descs_ia32[nr].handler)
		return 0;
	is_compat = sys_is_compat();
	d = (const struct sys_desc *)(is_compat ? &sys_descs_ia32[nr] : &sys_descs[nr]);
	if (!d->handler || (ret < 0 && (scope.bits & SCOPE_NO_FAILED)) || !in_scope())
		return 0;
	s = scratch_get(SCRATCH_PROCESS);
	if (!s)
		return 0;
	s->call.desc = *d;
	s->call.nr = nr;
	s->call.flags = is_compat ? WIRE_F_COMPAT : 0;
	sys_args_read(&s->call, regs);
	bpf_tail_call(ctx, &sys_programs, d->handler);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_open, struct pt_regs *regs, long ret)
{
	struct scratch *s = sys_scratch();
	const struct sys_desc *d;
	__u32 flags = 0, mode = 0, bits = 0;
	struct file_view view = {};
	struct file *file = NULL;
	struct wire_file *f;
	__u16 kind;

	if (!s)
		return 0;
	d = &s->call.desc;
	if (d->bits & SYS_B_HOW) {
		__u64 how[2] = {};

		bpf_probe_read_user(how, sizeof(how), (void *)sys_arg(s, d->flags));
		flags = how[0];
		mode = how[1];
	} else {
		if (d->bits & SYS_B_CREAT)
			flags = O_CREAT_FLAGS;
		else if (d->flags >= 0)
			flags = sys_arg(s, d->flags);
		if (d->mode >= 0)
			mode = sys_arg(s, d->mode);
	}
	/* decide which event it is before anything is copied: reads are often not wanted */
	if (ret >= 0) {
		file = file_of_fd(ret);
		file_read(&view, file);
		bits = created_bit(&view);
	}
	kind = open_kind(flags, bits, ret);
	if (!wanted(kind))
		return 0;
	f = file_record(s, kind, ret);
	f->head.flags = s->call.flags;
	f->nr = s->call.nr;
	f->flags = flags;
	f->mode = mode & 07777;
	if (file)
		fill_file(s, f, &view, bits);
	if (d->path >= 0) {
		f->path = put_user_str(s, (void *)sys_arg(s, d->path));
		if (!file)
			f->dir = put_dir(s, d->dir >= 0 ? (int)sys_arg(s, d->dir) : AT_FDCWD_);
	}
	record_done(ctx, s);
	return 0;
}

static __always_inline struct wire_str put_named(struct scratch *s, const struct named *n, int i)
{
	__u64 off = s->used, len = n->len[i];
	struct wire_str w;

	if (!len)
		return NO_STRING;
	if (off > RECORD_ROOM - NAMED_MAX) {
		s->cut |= WIRE_F_CUT;
		return NO_STRING;
	}
	BOUND(off, RECORD_ROOM - NAMED_MAX);
	BOUND(len, NAMED_MAX - 1);
	bpf_probe_read_kernel(s->record + off, len, n->path[i]);
	s->record[off + len] = 0;
	w = (struct wire_str){.off = off, .len = len};
	s->used = off + len + 1;
	return w;
}

/* What names.bpf.c saw inside this call, if it is there. */
static __always_inline void take_names(struct scratch *s, struct wire_file *f)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct named *n = bpf_map_lookup_elem(&names, &tid);

	if (!n)
		return;
	if (n->kind == f->head.kind) {
		f->file = put_named(s, n, 0);
		f->file2 = put_named(s, n, 1);
		f->head.flags &= ~WIRE_F_LEXICAL;
		s->cut |= n->cut;
	}
	bpf_map_delete_elem(&names, &tid);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_path, struct pt_regs *regs, long ret)
{
	struct scratch *s = sys_scratch();
	const struct sys_desc *d;
	__u32 flags = 0;
	struct file_view view;
	struct wire_file *f;
	struct file *file;
	__u16 kind;
	int at;

	if (!s)
		return 0;
	d = &s->call.desc;
	kind = d->kind;
	if (d->flags >= 0)
		flags = sys_arg(s, d->flags);
	if ((d->bits & SYS_B_RMDIR) && (flags & AT_REMOVEDIR_))
		kind = EV_RMDIR;
	if (!wanted(kind))
		return 0;
	f = file_record(s, kind, ret);
	f->head.flags = s->call.flags;
	f->nr = s->call.nr;
	f->flags = flags;
	if (d->mode >= 0)
		f->mode = sys_arg(s, d->mode) & 07777;
	if (d->bits & SYS_B_OWNER) {
		at = d->path >= 0 ? d->path + 1 : 1;
		f->owner = sys_arg(s, at);
		f->group = sys_arg(s, at + 1);
	}
	if (d->bits & SYS_B_FD) {
		file = file_of_fd(sys_arg(s, 0));
		if (file) {
			file_read(&view, file);
			fill_file(s, f, &view, created_bit(&view));
		}
	}
	if (d->path >= 0) {
		f->path = put_user_str(s, (void *)sys_arg(s, d->path));
		f->dir = put_dir(s, d->dir >= 0 ? (int)sys_arg(s, d->dir) : AT_FDCWD_);
		f->head.flags |= WIRE_F_LEXICAL;
	}
	if (d->path2 >= 0) {
		f->path2 = put_user_str(s, (void *)sys_arg(s, d->path2));
		if (kind == EV_RENAME || kind == EV_LINK)
			f->dir2 = put_dir(s, d->dir2 >= 0 ? (int)sys_arg(s, d->dir2) : AT_FDCWD_);
	}
	if (have_names)
		take_names(s, f);
	if (d->text >= 0)
		f->text = put_user_text(s, (void *)sys_arg(s, d->text), WIRE_NAME_MAX);
	record_done(ctx, s);
	return 0;
}

/* bpf(command, attr, size): where union bpf_attr has the name, if it reaches that far. */
static __always_inline struct wire_str put_bpf_name(struct scratch *s, const __u64 *arg)
{
	__u32 at = arg[0] == BPF_PROG_LOAD ? 48 : 28;

	if ((arg[0] != BPF_PROG_LOAD && arg[0] != BPF_MAP_CREATE) ||
	    (__u32)arg[2] < at + BPF_OBJ_NAME_LEN)
		return NO_STRING;
	return put_user_text(s, (void *)(arg[1] + at), BPF_OBJ_NAME_LEN);
}

/* Calls whose arguments are numbers, and perhaps one name. */
SEC("tp_btf/sys_exit")
int BPF_PROG(sys_args, struct pt_regs *regs, long ret)
{
	struct scratch *s = sys_scratch();
	const struct sys_desc *d;
	struct wire_sys *w;

	if (!s)
		return 0;
	d = &s->call.desc;
	w = (struct wire_sys *)s->record;
	head_staged(&w->head, d->kind);
	w->head.ret = ret;
	w->head.flags = s->call.flags;
	w->nr = s->call.nr;
	w->pad = 0;
	w->file = w->text = NO_STRING;
	s->used = sizeof(*w);
#pragma unroll
	for (int i = 0; i < 5; i++)
		w->arg[i] = sys_arg(s, i);
	if (d->bits & SYS_B_FD_FILE) {
		struct file *file = file_of_fd(sys_arg(s, 0));
		struct inode *inode = BPF_CORE_READ(file, f_inode);

		if (file && BPF_CORE_READ(inode, i_sb, s_magic) == NSFS_MAGIC_) {
			struct ns_common *ns = BPF_CORE_READ(inode, i_private);

			w->arg[2] = BPF_CORE_READ(inode, i_ino);
			w->text = put_kernel_str(s, BPF_CORE_READ(ns, ops, name));
		} else if (file) {
			w->file = put_path(s, BPF_CORE_READ(file, f_path.dentry),
					   BPF_CORE_READ(file, f_path.mnt));
		}
	}
	if (d->text >= 0)
		w->text = put_user_str(s, (void *)sys_arg(s, d->text));
	if (d->kind == EV_BPF)
		w->text = put_bpf_name(s, w->arg);
	record_done(ctx, s);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
