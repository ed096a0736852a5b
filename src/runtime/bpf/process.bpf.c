/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Processes: exec, fork, exit, credentials, and those that are older than skep.
 *
 * Exec is taken at sched_process_exec, when the new image is in place and has not
 * run yet: path and inode are the kernel's, and the arguments are read from a
 * stack that no thread of the process could have changed.
 */
#include "runtime/bpf/core.h"
#include "runtime/bpf/path.h"
#include "runtime/bpf/rule.h"
#include "runtime/bpf/syscall.h"

static __always_inline void fill_cred(struct wire_cred *c, const struct cred *cred)
{
	c->uid = BPF_CORE_READ(cred, uid.val);
	c->euid = BPF_CORE_READ(cred, euid.val);
	c->suid = BPF_CORE_READ(cred, suid.val);
	c->fsuid = BPF_CORE_READ(cred, fsuid.val);
	c->gid = BPF_CORE_READ(cred, gid.val);
	c->egid = BPF_CORE_READ(cred, egid.val);
	c->sgid = BPF_CORE_READ(cred, sgid.val);
	c->fsgid = BPF_CORE_READ(cred, fsgid.val);
	/* 5.x has two words of 32 bits in the same 8 bytes */
	bpf_probe_read_kernel(&c->cap_effective, 8, &cred->cap_effective);
	bpf_probe_read_kernel(&c->cap_permitted, 8, &cred->cap_permitted);
	bpf_probe_read_kernel(&c->cap_inheritable, 8, &cred->cap_inheritable);
}

/* The innermost entry of a pid: namespace and number as the process sees them. */
static __always_inline __u32 fill_pid_ns(struct task_struct *task, __u32 *ret_ns)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *at;
	struct pid_namespace *ns = NULL;
	int nr = 0;

	at = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
	     level * bpf_core_type_size(struct upid);
	bpf_probe_read_kernel(&nr, sizeof(nr), (void *)at + bpf_core_field_offset(struct upid, nr));
	bpf_probe_read_kernel(&ns, sizeof(ns), (void *)at + bpf_core_field_offset(struct upid, ns));
	*ret_ns = BPF_CORE_READ(ns, ns.inum);
	return nr;
}

/* Everything of a process but its arguments and its head. */
static __always_inline void fill_proc(struct scratch *s, struct task_struct *task)
{
	struct wire_proc *p = (struct wire_proc *)s->record;
	const struct cred *cred = BPF_CORE_READ(task, real_cred);
	struct nsproxy *ns = BPF_CORE_READ(task, nsproxy);
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	fill_cred(&p->cred, cred);
	p->ppid = BPF_CORE_READ(parent, tgid);
	p->parent_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
	p->loginuid = p->sessionid = ~0u;
	if (bpf_core_field_exists(task->loginuid)) {
		p->loginuid = BPF_CORE_READ(task, loginuid.val);
		p->sessionid = BPF_CORE_READ(task, sessionid);
	}
	p->ns[NS_MNT] = BPF_CORE_READ(ns, mnt_ns, ns.inum);
	p->ns[NS_NET] = BPF_CORE_READ(ns, net_ns, ns.inum);
	p->ns[NS_UTS] = BPF_CORE_READ(ns, uts_ns, ns.inum);
	p->ns[NS_IPC] = BPF_CORE_READ(ns, ipc_ns, ns.inum);
	p->ns[NS_CGROUP] = BPF_CORE_READ(ns, cgroup_ns, ns.inum);
	p->ns[NS_TIME] = 0;
	if (bpf_core_field_exists(ns->time_ns))
		p->ns[NS_TIME] = BPF_CORE_READ(ns, time_ns, ns.inum);
	p->ns[NS_USER] = BPF_CORE_READ(cred, user_ns, ns.inum);
	p->ns_pid = fill_pid_ns(task, &p->ns[NS_PID]);
	p->inode = p->dev = p->nlink = p->exe_bits = p->args_total = 0;
	p->exe = p->path = p->args = p->cwd = NO_STRING;
	s->used = sizeof(*p);
}

static __always_inline void fill_exe(struct scratch *s, struct file *file)
{
	struct wire_proc *p = (struct wire_proc *)s->record;
	struct file_view view;
	struct inode_view i;

	file_read(&view, file);
	inode_read(&i, view.inode);
	p->inode = i.ino;
	p->dev = i.dev;
	p->nlink = i.nlink;
	p->exe_bits = file_bits(&view, &i);
	p->exe = put_path(s, view.dentry, view.mnt);
}

static __always_inline void fill_cwd(struct scratch *s, struct task_struct *task)
{
	struct wire_proc *p = (struct wire_proc *)s->record;
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	p->cwd = put_path(s, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt));
}

static __always_inline void fill_args(struct scratch *s, struct task_struct *task)
{
	struct wire_proc *p = (struct wire_proc *)s->record;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	unsigned long from = BPF_CORE_READ(mm, arg_start), to = BPF_CORE_READ(mm, arg_end);
	__u64 n = to - from;
	__u32 off = s->used;

	p->args_total = n;
	if (n > WIRE_ARGS_MAX || off > RECORD_ROOM - WIRE_ARGS_MAX - 1)
		s->cut |= WIRE_F_CUT;
	if (off > RECORD_ROOM - WIRE_ARGS_MAX - 1)
		return;
	BOUND(n, WIRE_ARGS_MAX);
	if (bpf_probe_read_user(s->record + off, n, (void *)from)) {
		s->cut |= WIRE_F_UNREAD;
		return;
	}
	p->args.off = off;
	p->args.len = n;
	s->used = off + n;
}

/*
 * Predicates over processes, as the deciders of now keep them; the map inside is theirs.  Here
 * its elements are handed on at fork, and taken away when they stop being true.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__uint(max_entries, 65536);
			__uint(map_flags, BPF_F_NO_PREALLOC);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct wire_proc_bits));
		});
} rule_procs SEC(".maps");

static __always_inline void bits_forget(__u32 pid)
{
	__u32 zero = 0;
	void *procs = bpf_map_lookup_elem(&rule_procs, &zero);

	if (procs)
		bpf_map_delete_elem(procs, &pid);
}

static __always_inline void bits_inherit(__u32 parent, __u32 child, __u64 start_ns)
{
	__u32 zero = 0;
	void *procs = bpf_map_lookup_elem(&rule_procs, &zero);
	struct wire_proc_bits *of_parent, bits;

	if (!procs)
		return;
	of_parent = bpf_map_lookup_elem(procs, &parent);
	if (!of_parent) {
		/* of somebody who had this number and whose end was not seen */
		bpf_map_delete_elem(procs, &child);
		return;
	}
	bits = *of_parent;
	bits.start_ns = start_ns;
	if (bpf_map_update_elem(procs, &child, &bits, BPF_ANY))
		count_table_full();
}

enum { EXECVEAT_X86 = 322, EXECVEAT_IA32 = 358 };

static __always_inline bool is_execveat(struct linux_binprm *bprm)
{
#if defined(__TARGET_ARCH_x86)
	struct pt_regs *regs;
	__u32 nr;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) {
		regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
		nr = BPF_CORE_READ(regs, orig_ax);
		return nr == EXECVEAT_X86 || nr == EXECVEAT_IA32;
	}
#endif
	/* elsewhere those with a descriptor alone are known */
	return bpf_core_field_exists(bprm->fdpath) && BPF_CORE_READ(bprm, fdpath);
}

/* The environment as the new program gets it. */
static __always_inline void put_env(struct scratch *s, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	unsigned long from = BPF_CORE_READ(mm, env_start), to = BPF_CORE_READ(mm, env_end);
	__u64 n = to - from, off = s->used;

	if (n > WIRE_ARGS_MAX || off > RECORD_ROOM - WIRE_ARGS_MAX - 1)
		s->annex.flags |= WIRE_A_ENV_CUT;
	if (off > RECORD_ROOM - WIRE_ARGS_MAX - 1)
		return;
	BOUND(n, WIRE_ARGS_MAX);
	if (bpf_probe_read_user(s->record + off, n, (void *)from)) {
		s->annex.flags |= WIRE_A_ENV_CUT;
		return;
	}
	s->annex.env = (struct wire_str){.off = off, .len = n};
	s->used = off + n;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct wire_proc *p;
	struct scratch *s;

	/* what was true of the old program is not of the new one; its decider says what is */
	if (rules_on)
		bits_forget(bpf_get_current_pid_tgid() >> 32);
	if (!in_scope())
		return 0;
	s = scratch_get(SCRATCH_PROCESS);
	if (!s)
		return 0;
	p = (struct wire_proc *)s->record;
	head_init(&p->head, EV_EXEC);
	fill_proc(s, task);
	fill_exe(s, BPF_CORE_READ(task, mm, exe_file));
	p->path = put_kernel_str(s, BPF_CORE_READ(bprm, filename));
	fill_cwd(s, task);
	fill_args(s, task);
	if (rules_on)
		bpf_tail_call(ctx, &rules_exec, RULE_ANNEX);
	else
		record_send(s);
	return 0;
}

/* The second half of on_exec(), with rules; whatever they say, it is sent. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(rule_annex_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct scratch *s = scratch_again();

	if (!s)
		return 0;
	annex_init(s, EV_EXEC);
	annex_task(s);
	if (is_execveat(bprm))
		s->annex.flags |= WIRE_A_EXECVEAT;
	if (rules_env)
		put_env(s, task);
	decider_enter(s, EV_EXEC);
	bpf_tail_call(ctx, &rules_exec, EV_EXEC);
	bpf_tail_call(ctx, &rules_exec, RULE_SEND);
	return 0;
}

/* execve that failed: the caller lives on, its old image is what the record shows. */
SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exec, struct pt_regs *regs, long ret)
{
	struct scratch *s = sys_scratch();
	struct wire_proc *p;

	if (ret >= 0 || !s)
		return 0;
	p = (struct wire_proc *)s->record;
	head_staged(&p->head, EV_EXEC);
	fill_proc(s, this_task());
	p->head.ret = ret;
	p->head.flags = s->call.flags;
	p->path = put_user_str(s, (void *)sys_arg(s, s->call.desc.path));
	record_done(ctx, s);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(on_fork, struct task_struct *child, unsigned long flags)
{
	struct wire_fork f = {};
	__u32 pid = BPF_CORE_READ(child, tgid), parent = bpf_get_current_pid_tgid() >> 32, ns;
	__u8 one = 1;

	if (pid != (__u32)BPF_CORE_READ(child, pid))
		return 0;
	/* a child is followed whatever its parent is called and whoever runs it */
	if ((scope.bits & SCOPE_TREE) && parent != scope.self &&
	    bpf_map_lookup_elem(&scope_pids, &parent) &&
	    bpf_map_update_elem(&scope_pids, &pid, &one, BPF_ANY))
		count_table_full();
	if (rules_on)
		bits_inherit(parent, pid, BPF_CORE_READ(child, start_boottime));
	if (!in_scope())
		return 0;
	head_init(&f.head, EV_FORK);
	f.child_pid = pid;
	f.child_start_ns = BPF_CORE_READ(child, start_boottime);
	f.flags = flags;
	f.child_cgroup = BPF_CORE_READ(child, cgroups, dfl_cgrp, kn, id);
	f.child_ns_pid = fill_pid_ns(child, &ns);
	record_send_fixed(&f);
	return 0;
}

/* Processes whose end was told: threads that end together all look like the last one. */
struct ended {
	__u64 start_ns;
	__u32 pid, pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ended);
	__type(value, __u8);
} told_ended SEC(".maps");

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct wire_exit e = {};
	__u32 pid = BPF_CORE_READ(task, tgid);
	struct ended ended = {.pid = pid};
	bool is_asked;
	__u8 one = 1;

	if (BPF_CORE_READ(signal, live.counter) != 0)
		return 0;
	is_asked = in_scope();
	/* in the tree, asked for or not: the number may be given to a stranger next */
	if (scope.bits & SCOPE_TREE)
		bpf_map_delete_elem(&scope_pids, &pid);
	if (rules_on)
		bits_forget(pid);
	if (!is_asked)
		return 0;
	head_init(&e.head, EV_EXIT);
	ended.start_ns = e.head.start_ns;
	if (bpf_map_update_elem(&told_ended, &ended, &one, BPF_NOEXIST) == -EEXIST_)
		return 0;
	e.status = BPF_CORE_READ(task, exit_code);
	if (BPF_CORE_READ(signal, group_exit_code))
		e.status = BPF_CORE_READ(signal, group_exit_code);
	/* threads that are gone are in the signal struct, this one and a waiting leader not yet */
	e.user_ns = BPF_CORE_READ(signal, utime) + BPF_CORE_READ(task, utime);
	e.system_ns = BPF_CORE_READ(signal, stime) + BPF_CORE_READ(task, stime);
	e.cpu_ns =
		BPF_CORE_READ(signal, sum_sched_runtime) + BPF_CORE_READ(task, se.sum_exec_runtime);
	if (leader != task) {
		e.cpu_ns += BPF_CORE_READ(leader, se.sum_exec_runtime);
		e.user_ns += BPF_CORE_READ(leader, utime);
		e.system_ns += BPF_CORE_READ(leader, stime);
	}
	e.peak_kb = BPF_CORE_READ(signal, maxrss) * scope.page_kb;
	e.ppid = BPF_CORE_READ(task, real_parent, tgid);
	record_send_fixed(&e);
	return 0;
}

/* setuid and its sisters, capset: what the caller is afterwards. */
SEC("tp_btf/sys_exit")
int BPF_PROG(sys_creds, struct pt_regs *regs, long ret)
{
	struct scratch *s = sys_scratch();
	struct wire_creds *c;

	if (!s)
		return 0;
	c = (struct wire_creds *)s->record;
	head_staged(&c->head, s->call.desc.kind);
	c->head.ret = ret;
	c->head.flags = s->call.flags;
	c->nr = s->call.nr;
	c->pad = 0;
#pragma unroll
	for (int i = 0; i < 3; i++)
		c->arg[i] = sys_arg(s, i);
	fill_cred(&c->cred, BPF_CORE_READ(this_task(), cred));
	s->used = sizeof(*c);
	record_done(ctx, s);
	return 0;
}

/* Processes that were there before skep; read through bpf_iter, see kern/seed.c. */
SEC("iter/task")
int seed_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	struct wire_proc *p;
	struct scratch *s;
	struct file *exe;
	__u64 size;

	if (!task || BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid) ||
	    (BPF_CORE_READ(task, flags) & PF_KTHREAD_))
		return 0;
	s = scratch_get(SCRATCH_ITER);
	if (!s)
		return 0;
	p = (struct wire_proc *)s->record;
	__builtin_memset(&p->head, 0, sizeof(p->head));
	p->head.kind = WIRE_PROC;
	p->head.time_ns = bpf_ktime_get_boot_ns();
	p->head.start_ns = BPF_CORE_READ(task, start_boottime);
	p->head.pid = BPF_CORE_READ(task, tgid);
	p->head.tid = p->head.pid;
	p->head.cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	bpf_probe_read_kernel_str(p->head.comm, sizeof(p->head.comm), task->comm);
	fill_proc(s, task);
	p->head.uid = p->cred.uid;
	p->head.gid = p->cred.gid;
	exe = BPF_CORE_READ(task, mm, exe_file);
	if (exe)
		fill_exe(s, exe);
	fill_cwd(s, task);
	size = s->used;
	p->head.size = size;
	BOUND(size, WIRE_RECORD_MAX);
	bpf_seq_write(seq, s->record, size);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
