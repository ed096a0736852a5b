/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The C programs on a record's way through rules; rule.h has the whole way.
 */
#include "runtime/bpf/rule.h"
#include "runtime/bpf/syscall.h"

/* A folder argument of the call that ends. */
static __always_inline __s32 dirfd_of(const struct scratch *s, int i)
{
	return i >= 0 ? (__s32)sys_arg(s, i) : AT_FDCWD_;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(rule_annex, struct pt_regs *regs, long ret)
{
	struct scratch *s = scratch_again();
	__u32 kind;

	if (!s)
		return 0;
	kind = ((struct wire_head *)s->record)->kind;
	annex_init(s, kind);
	annex_task(s);
	if (is_file_kind(kind))
		annex_names(s, dirfd_of(s, s->call.desc.dir), dirfd_of(s, s->call.desc.dir2));
	decider_enter(s, kind);
	bpf_tail_call(ctx, &rules_sys, kind);
	/* nobody decides: a failed exec, what is only shown, or all while there are no rules */
	if ((s->annex.flags & WIRE_A_ALWAYS) || (rules_undecided >> (kind & 63) & 1))
		bpf_tail_call(ctx, &rules_sys, RULE_SEND);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(rule_send_sys, struct pt_regs *regs, long ret)
{
	struct scratch *s = scratch_again();

	if (s)
		stage_send(s);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(rule_send_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct scratch *s = scratch_again();

	if (s)
		stage_send(s);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
