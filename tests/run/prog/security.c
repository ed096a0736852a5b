/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes of rights: who a process is, and what it may. */
#include "scene.h"

#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

SCENE(users)
{
	must(syscall(SYS_setresgid, 1, 2, 3));
	must(syscall(SYS_setregid, -1, 3));
	must(syscall(SYS_setgid, 3));
	must(syscall(SYS_setresuid, 0, 1, 2));
	must(syscall(SYS_setreuid, -1, 0));
	must(syscall(SYS_setuid, 65534));
	must_fail(syscall(SYS_setuid, 0), EPERM);
	must_fail(syscall(SYS_setgid, 0), EPERM);
	return 0;
}

/* The file is opened as nobody, by a process that was root when it began. */
SCENE(setuid_open)
{
	must(syscall(SYS_setuid, 65534));
	must(open(arg[0], O_RDONLY));
	return 0;
}

SCENE(capset)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {
		{.effective = 1 << CAP_KILL, .permitted = 1 << CAP_KILL | 1 << CAP_CHOWN}};

	must(syscall(SYS_capset, &h, d));
	d[0].permitted |= 1 << CAP_NET_RAW;
	must_fail(syscall(SYS_capset, &h, d), EPERM);
	return 0;
}

SCENE(namespaces)
{
	int net = must(open("/proc/self/ns/net", O_RDONLY));

	must(unshare(CLONE_NEWUTS | CLONE_NEWNET));
	must(setns(net, CLONE_NEWNET));
	must_fail(setns(-1, 0), EBADF);
	must_fail(unshare(1), EINVAL);
	return 0;
}

static char word[] = "before";

SCENE(ptrace)
{
	struct iovec from = {"after!", 7}, to = {word, 7};
	pid_t pid = must(fork());

	if (!pid)
		for (;;)
			pause();
	tell("child=%d\n", pid);
	must(ptrace(PTRACE_ATTACH, pid, 0, 0));
	must(waitpid(pid, NULL, 0));
	must(ptrace(PTRACE_POKEDATA, pid, word, 0x21726574666124ul));
	must(process_vm_writev(pid, &from, 1, &to, 1, 0));
	must(ptrace(PTRACE_DETACH, pid, 0, 0));
	must_fail(ptrace(PTRACE_ATTACH, 1 << 30, 0, 0), ESRCH);
	kill(pid, SIGKILL);
	return reap(pid) != 128 + SIGKILL;
}

SCENE(module)
{
	int fd = must(open(program, O_RDONLY));

	/* how they fail depends on whether this kernel has modules at all */
	return syscall(SYS_delete_module, "skep_no_such_module", O_NONBLOCK) != -1 ||
	       syscall(SYS_finit_module, fd, "answer=42", 0) != -1 ||
	       syscall(SYS_init_module, "no module", 10, "answer=43") != -1;
}

SCENE(bpf)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_ARRAY,
			    .key_size = 4,
			    .value_size = 8,
			    .max_entries = 1,
			    .map_name = "a_map"};
	struct bpf_insn insns[] = {{.code = 0xb7}, {.code = 0x95}}; /* r0 = 0; exit */

	must(syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a)));
	memset(&a, 0, sizeof(a));
	a.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	a.insns = (uintptr_t)insns;
	a.insn_cnt = 2;
	a.license = (uintptr_t) "GPL";
	strcpy(a.prog_name, "a_program");
	must(syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof(a)));
	memset(&a, 0, sizeof(a));
	a.map_fd = -1;
	must_fail(syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &a, sizeof(a)), EBADF);
	return 0;
}

/* Five ways to send a signal, each another one; all are blocked. */
SCENE(kill)
{
	siginfo_t info = {.si_code = SI_QUEUE, .si_signo = SIGHUP};
	sigset_t all;
	pid_t pid = getpid();
	int fd;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	tell("pid=%d\n", pid);
	must(syscall(SYS_kill, pid, SIGUSR1));
	must(syscall(SYS_tkill, gettid(), SIGUSR2));
	must(syscall(SYS_tgkill, pid, gettid(), SIGALRM));
	must(syscall(SYS_rt_sigqueueinfo, pid, SIGHUP, &info));
	fd = must(syscall(SYS_pidfd_open, pid, 0));
	must(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	must(kill(pid, 0));
	must_fail(kill(1 << 30, SIGTERM), ESRCH);
	return 0;
}

SCENE(memfd)
{
	must(memfd_create("a-name", MFD_CLOEXEC));
	must_fail(memfd_create("bad", 1u << 31), EINVAL);
	return 0;
}
