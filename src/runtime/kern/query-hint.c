/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would help when the kernel says no.
 *
 * Three reasons: privileges (which capability, which sysctl), a kernel without the thing
 * (which option, and what stands in for it), or a name that there is not.
 */
#include "base/macro.h"
#include "runtime/kern/features.h"
#include "runtime/kern/privileges.h"
#include "runtime/kern/query-internal.h"

#include <stdio.h>

/* Functions that people trace, and tracepoints that tell the same. */
static const struct {
	const char *function, *instead;
} stand_ins[] = {
	{"__alloc_pages", "tracepoint:kmem:mm_page_alloc"},
	{"account_page_dirtied", "tracepoint:writeback:writeback_dirty_folio"},
	{"blk_account_io_done", "tracepoint:block:block_rq_complete"},
	{"blk_account_io_start", "tracepoint:block:block_rq_issue"},
	{"blk_mq_start_request", "tracepoint:block:block_rq_issue"},
	{"cap_capable", "tracepoint:capability:cap_capable"},
	{"do_exit", "tracepoint:sched:sched_process_exit"},
	{"do_filp_open", "tracepoint:syscalls:sys_exit_openat"},
	{"do_nanosleep", "tracepoint:syscalls:sys_enter_clock_nanosleep"},
	{"do_sys_open", "tracepoint:syscalls:sys_enter_openat"},
	{"do_sys_openat2", "tracepoint:syscalls:sys_enter_openat"},
	{"do_unlinkat", "tracepoint:syscalls:sys_enter_unlinkat"},
	{"finish_task_switch", "tracepoint:sched:sched_switch"},
	{"inet_csk_accept", "tracepoint:syscalls:sys_exit_accept4"},
	{"kfree_skb", "tracepoint:skb:kfree_skb"},
	{"kmem_cache_alloc", "tracepoint:kmem:kmem_cache_alloc"},
	{"kmem_cache_free", "tracepoint:kmem:kmem_cache_free"},
	{"ksys_read", "tracepoint:syscalls:sys_enter_read"},
	{"ksys_write", "tracepoint:syscalls:sys_enter_write"},
	{"oom_kill_process", "tracepoint:oom:mark_victim"},
	{"shrink_node", "tracepoint:vmscan:mm_vmscan_direct_reclaim_begin"},
	{"submit_bio", "tracepoint:block:block_bio_queue"},
	{"swap_readpage", "tracepoint:exceptions:page_fault_user"},
	{"tcp_close", "tracepoint:sock:inet_sock_set_state"},
	{"tcp_connect", "tracepoint:sock:inet_sock_set_state"},
	{"tcp_drop", "tracepoint:skb:kfree_skb"},
	{"tcp_recvmsg", "tracepoint:sock:sock_recv_length"},
	{"tcp_retransmit_skb", "tracepoint:tcp:tcp_retransmit_skb"},
	{"tcp_sendmsg", "tracepoint:sock:sock_send_length"},
	{"tcp_set_state", "tracepoint:sock:inet_sock_set_state"},
	{"tcp_v4_connect", "tracepoint:sock:inet_sock_set_state"},
	{"tcp_v6_connect", "tracepoint:sock:inet_sock_set_state"},
	{"try_to_wake_up", "tracepoint:sched:sched_waking"},
	{"vfs_create", "tracepoint:syscalls:sys_enter_openat"},
	{"vfs_fsync", "tracepoint:syscalls:sys_enter_fsync"},
	{"vfs_open", "tracepoint:syscalls:sys_enter_openat"},
	{"vfs_read", "tracepoint:syscalls:sys_enter_read"},
	{"vfs_unlink", "tracepoint:syscalls:sys_enter_unlinkat"},
	{"vfs_write", "tracepoint:syscalls:sys_enter_write"},
	{"wake_up_new_task", "tracepoint:sched:sched_wakeup_new"},
};

static const char *stand_in(const char *function)
{
	for (size_t i = 0; function && i < ELEMENTS(stand_ins); i++)
		if (!strcmp(stand_ins[i].function, function))
			return stand_ins[i].instead;
	return NULL;
}

/* The row of features.def that a program or probe stands on; FEATURE_END: none. */
static enum feature_id feature_of_prog(const struct question_prog *p)
{
	if (p->prog_type == BPF_PROG_TYPE_TRACING) {
		switch (p->attach_type) {
		case BPF_TRACE_RAW_TP:
			return FEATURE_tp_btf;
		case BPF_TRACE_ITER:
			return FEATURE_iter_task;
		default:
			return FEATURE_fentry;
		}
	}
	if (p->prog_type == BPF_PROG_TYPE_LSM)
		return FEATURE_lsm;
	if (p->attach_type == BPF_TRACE_KPROBE_MULTI_)
		return FEATURE_kprobe_multi;
	if (p->attach_type == BPF_TRACE_UPROBE_MULTI_)
		return FEATURE_uprobe_multi;
	return FEATURE_END;
}

static const enum feature_id feature_of_probe[QATTACHES] = {
#define ATTACH(id, prog, type, access, traits, needs, feature, kern, vm, does) FEATURE_##feature,
#include "catalog/attach.def"
#undef ATTACH
};

/* Which privilege is missing: 1 and a hint, or 0: none is. */
static bool hint_privileges(uint64_t caps, struct query_error *e)
{
	struct privileges who;
	uint64_t missing;
	char names[96];

	privileges_read(&who);
	missing = privileges_missing(&who, caps);
	if (missing) {
		privileges_print(missing, names, sizeof(names));
		query_hint(e, "it needs %s: run it as root, or setcap %s on the program%s", names,
			   "cap_bpf,cap_perfmon",
			   who.unprivileged_bpf_disabled > 0
				   ? " (kernel.unprivileged_bpf_disabled is set)"
				   : "");
		return true;
	}
	if (who.in_user_namespace)
		query_hint(e, "root of a user namespace (a rootless container) is not enough");
	else if (who.is_filtered)
		query_hint(e, "a seccomp filter is in force; it may refuse bpf(2)");
	else if (!strcmp(who.lockdown, "confidentiality"))
		query_hint(e, "lockdown is \"confidentiality\": kernel memory may not be read");
	else
		return false;
	return true;
}

static void hint_feature(enum feature_id id, const char *function, struct query_error *e)
{
	const struct feature *f = feature_get(id);
	const char *instead = stand_in(function);

	if (instead)
		query_hint(e, "it is built without %s; the nearest that it has: %s",
			   f->option ? f->option : "that", instead);
	else if (id == FEATURE_fentry || id == FEATURE_kprobe)
		query_hint(e,
			   "it is built without %s; static events still work: "
			   "`skep trace -l 'tracepoint:*'` lists them",
			   f->option ? f->option : "that");
	else if (f->option)
		query_hint(e, "it needs Linux %s, built with %s%s%s", f->since, f->option,
			   f->instead ? "; instead: " : "", f->instead ? f->instead : "");
	else
		query_hint(e, "it needs Linux %s%s%s", f->since, f->instead ? "; instead: " : "",
			   f->instead ? f->instead : "");
}

void query_load_hint(const struct question_prog *p, int r, struct query_error *e)
{
	enum feature_id id = p ? feature_of_prog(p) : FEATURE_END;
	uint64_t caps = CAPABILITY_BIT(BPF) | CAPABILITY_BIT(PERFMON);

	if (r == -EPERM && hint_privileges(caps, e)) {
		query_fail(e, r, "not allowed to load BPF programs");
		return;
	}
	if (id != FEATURE_END && p) {
		query_fail(e, r, "this kernel has no %s (%s): %s", feature_get(id)->name,
			   p->btf_name ? p->btf_name : p->name, strerror(-r));
		hint_feature(id, p->btf_name, e);
		return;
	}
	if (r == -E2BIG)
		query_fail(e, r, "the program %s has too many instructions", p ? p->name : "");
	else
		query_fail(e, r, "the kernel refused the program %s: %s", p ? p->name : "",
			   strerror(-r));
}

void query_attach_hint(const struct query_kern *x, const struct question_probe *p, int r,
		       struct query_error *e)
{
	enum feature_id id = feature_of_probe[p->attach];
	const char *function = p->target ? p->target : x->base.q->progs.p[p->prog].btf_name;

	if (r == -EACCES || r == -EPERM) {
		if (hint_privileges(CAPABILITY_BIT(BPF) | CAPABILITY_BIT(PERFMON), e))
			return;
		if (id == FEATURE_kprobe)
			query_hint(e, "functions on the kernel's blacklist cannot be traced");
		return;
	}
	if ((r == -ENOENT || r == -EOPNOTSUPP) && !strncmp(p->name, "hardware:", 9))
		query_hint(e, "this machine has no such counter, as virtual machines often have "
			      "none; nearest to it is: software:cpu-clock:1000000 { ... }");
	else if (r == -ENOTSUP && id != FEATURE_END)
		hint_feature(id, function, e);
	else if (r == -EBUSY && p->attach == QATTACH_WATCHPOINT)
		query_hint(e, "the processor has few watchpoints, and others use them");
	else if ((r == -ENOSPC || r == -EMFILE) && p->attach == QATTACH_WATCHPOINT)
		query_hint(e, "the processor watches at most four places at once");
	else if (r == -EMFILE)
		query_hint(e, "ulimit -n allows too few open files");
}
