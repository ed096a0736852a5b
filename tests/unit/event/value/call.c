/* SPDX-License-Identifier: Apache-2.0 */
/* System calls: what they asked, what came of it. */
#include "event/value/look.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

CASES(results)
{
	static const struct {
		int err;
		const char *text, *json;
	} errors[] = {
		{ENOENT, "ENOENT", "\"ENOENT\""},
		{EACCES, "EACCES", "\"EACCES\""},
		{EINPROGRESS, "EINPROGRESS", "\"EINPROGRESS\""},
		{512, "EINTR", "\"EINTR\""}, /* ERESTARTSYS and its family */
		{513, "EINTR", "\"EINTR\""},
		{514, "EINTR", "\"EINTR\""},
		{516, "EINTR", "\"EINTR\""},
		{3000, "E3000", "\"E3000\""},
		{4095, "E4095", "\"E4095\""},
	};
	struct wire_file *f = look_make(EV_OPEN);

	SAME("ret", "0");
	NONE("error");
	f->head.ret = 7;
	SAME("ret", "7");
	f->head.ret = INT64_MAX;
	SAME("ret", "9223372036854775807");
	for (size_t i = 0; i < ELEMENTS(errors); i++) {
		f->head.ret = -errors[i].err;
		NONE("ret");
		IS("error", errors[i].text, errors[i].json);
	}
	f->head.ret = -4096;
	NONE("error");
	f->head.ret = INT64_MIN;
	NONE("error");
}

/* 32-bit programs on x86-64 have numbers of their own. */
static void calls_ia32(void)
{
#ifdef __x86_64__
	struct wire_sys *s = look_make(EV_PTRACE);

	s->head.flags = WIRE_F_COMPAT;
	s->nr = 26;
	s->arg[0] = PTRACE_ATTACH;
	s->arg[1] = 77;
	IS("call", "ptrace", "\"ptrace\"");
	IS("request", "PTRACE_ATTACH", "\"PTRACE_ATTACH\"");
	SAME("target_pid", "77");
	s = look_make(EV_KILL);
	s->head.flags = WIRE_F_COMPAT;
	s->nr = 270; /* tgkill */
	s->arg[0] = 1;
	s->arg[1] = 2;
	s->arg[2] = SIGINT;
	SAME("kill_pid", "1");
	IS("signal", "SIGINT", "\"SIGINT\"");
	s->nr = 238; /* tkill */
	s->arg[1] = SIGHUP;
	SAME("kill_pid", "1");
	IS("signal", "SIGHUP", "\"SIGHUP\"");
	s->nr = SYS_tgkill; /* 234: another call there, and none of ours */
	NONE("call");
	SAME("kill_pid", "1");
#endif
}

CASES(calls)
{
	struct wire_sys *s = look_make(EV_PTRACE);

	s->nr = SYS_ptrace;
	s->arg[0] = PTRACE_ATTACH;
	s->arg[1] = 77;
	IS("call", "ptrace", "\"ptrace\"");
	IS("request", "PTRACE_ATTACH", "\"PTRACE_ATTACH\"");
	SAME("target_pid", "77");
	s->arg[0] = 0x9999;
	IS("request", "PTRACE_39321", "\"PTRACE_39321\"");
	s->nr = SYS_process_vm_writev;
	s->arg[0] = 78;
	IS("request", "process_vm_writev", "\"process_vm_writev\"");
	SAME("target_pid", "78");
	s->nr = 9999;
	NONE("call");

	s = look_make(EV_KILL);
	s->nr = SYS_kill;
	s->arg[0] = 5;
	s->arg[1] = SIGTERM;
	IS("signal", "SIGTERM", "\"SIGTERM\"");
	SAME("kill_pid", "5");
	s->arg[1] = 0;
	IS("signal", "0", "\"0\"");
	s->arg[1] = 64;
	IS("signal", "SIG64", "\"SIG64\"");
	s->arg[1] = -1ull;
	IS("signal", "SIG4294967295", "\"SIG4294967295\"");
	s->arg[0] = -1; /* everybody; sign extended to 64 bits or not */
	SAME("kill_pid", "-1");
	s->arg[0] = (uint32_t)-77;
	SAME("kill_pid", "-77");
	s->nr = SYS_tgkill;
	s->arg[0] = 5;
	s->arg[1] = 6;
	s->arg[2] = SIGUSR1;
	IS("signal", "SIGUSR1", "\"SIGUSR1\"");
	SAME("kill_pid", "5"); /* the process, not the thread */
	s->nr = SYS_pidfd_send_signal;
	s->arg[1] = SIGTERM;
	IS("signal", "SIGTERM", "\"SIGTERM\"");
	IS("kill_pid", "of descriptor 5", NULL);

	s = look_make(EV_BPF);
	s->arg[0] = BPF_PROG_LOAD;
	IS("bpf_command", "BPF_PROG_LOAD", "\"BPF_PROG_LOAD\"");
	s->arg[0] = 36;
	IS("bpf_command", "BPF_TOKEN_CREATE", "\"BPF_TOKEN_CREATE\"");
	s->arg[0] = 999;
	IS("bpf_command", "BPF_999", "\"BPF_999\"");
	calls_ia32();
}

CASES(namespaces)
{
	struct wire_sys *s = look_make(EV_UNSHARE);

	NONE("unshare_flags");
	s->arg[0] = CLONE_NEWUSER | CLONE_NEWNET | 0x80 | CLONE_FS;
	IS("unshare_flags", "user|net|time|fs", "[\"user\",\"net\",\"time\",\"fs\"]");
	s = look_make(EV_SETNS);
	NONE("ns_type");
	s->arg[1] = CLONE_NEWNS;
	IS("ns_type", "mnt", "[\"mnt\"]");

	NONE("file");
	s->arg[2] = 4026531833;
	ADD(wire_sys, text, "net");
	IS("file", "net:[4026531833]", "\"net:[4026531833]\"");
	s = look_make(EV_SETNS);
	s->arg[2] = 7;
	ADD(wire_sys, text, "0123456789abcdefghi"); /* no kind has so many letters */
	IS("file", "0123456789abcdef:[7]", "\"0123456789abcdef:[7]\"");
	look_make(EV_SETNS);
	ADD(wire_sys, file, "/proc/7/ns/net");
	IS("file", "/proc/7/ns/net", "\"/proc/7/ns/net\"");
}

void cases_call(void)
{
	results();
	calls();
	namespaces();
}
