/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes of processes: how they begin and end, and how they hide. */
#include "scene.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <time.h>

/* burn MS: busy for so many milliseconds of CPU time, nearly all of it in user mode. */
SCENE(burn)
{
	clock_t end = clock() + atol(arg[0]) * CLOCKS_PER_SEC / 1000;

	while (clock() < end)
		for (volatile int i = 0; i < 1000000; i++)
			;
	return 0;
}

/* fill MIB: touches so much memory. */
SCENE(fill)
{
	size_t n = atol(arg[0]) << 20;
	char *p = malloc(n);

	memset(p, 1, n);
	return p[n / 2] != 1;
}

SCENE(die_of)
{
	pid_t pid = must(fork());

	if (!pid) {
		raise(atoi(arg[0]));
		pause();
	}
	tell("child=%d\n", pid);
	return reap(pid) != 128 + atoi(arg[0]);
}

static int in_new_uts(void *unused)
{
	(void)unused;
	return 0;
}

SCENE(clone_flags)
{
	static char stack[65536];
	int pid = must(clone(in_new_uts, stack + sizeof(stack), CLONE_NEWUTS | SIGCHLD, NULL));

	tell("child=%d\n", pid);
	return reap(pid);
}

static void *exit_later(void *code)
{
	usleep(50000); /* the leader is gone by then */
	syscall(SYS_exit, (int)(long)code);
	return NULL;
}

/* The first thread ends with 7, the last one with 3; which of them counts is the kernel's. */
SCENE(leader_first)
{
	pid_t pid = must(fork());
	pthread_t thread;

	if (!pid) {
		pthread_create(&thread, NULL, exit_later, (void *)3);
		syscall(SYS_exit, 7);
	}
	tell("child=%d\n", pid);
	tell("code=%d\n", reap(pid));
	return 0;
}

static pthread_barrier_t barrier;

static void *end_together(void *unused)
{
	pthread_barrier_wait(&barrier);
	syscall(SYS_exit, 0);
	return unused;
}

/* ending_together N: processes whose threads all end at the same moment. */
SCENE(ending_together)
{
	for (int i = 0; i < atoi(arg[0]); i++) {
		pid_t pid = must(fork());
		pthread_t thread;

		if (!pid) {
			pthread_barrier_init(&barrier, NULL, 4);
			for (int j = 0; j < 3; j++)
				pthread_create(&thread, NULL, end_together, NULL);
			end_together(NULL);
		}
		reap_well(pid);
	}
	return 0;
}

/* Two forks; the parents are gone before the daemon opens its file. */
SCENE(daemon)
{
	int gone[2];
	char byte;

	must(pipe(gone));
	if (must(fork())) {
		tell("first=%d\n", getpid());
		return 0;
	}
	must(setsid());
	if (must(fork())) {
		tell("second=%d\n", getpid());
		return 0;
	}
	close(gone[1]);
	must(read(gone[0], &byte, 1)); /* nobody else holds the other end */
	tell("daemon=%d\n", getpid());
	must(open(arg[0], O_RDONLY));
	must(open("done", O_WRONLY | O_CREAT, 0600));
	return 0;
}

static int copy_to_memory(const char *path)
{
	int from = must(open(path, O_RDONLY)), to = must(memfd_create("in-memory", MFD_CLOEXEC));
	char bytes[65536];
	ssize_t n;

	while ((n = must(read(from, bytes, sizeof(bytes)))))
		must(write(to, bytes, n));
	return to;
}

/* No path at all: the descriptor is the program. */
static int exec_fd(int fd, char *name)
{
	char *argv[] = {name, NULL};

	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	die("execveat");
}

/* memfd_exec PROGRAM [HOW]: as fexecve does it, or by name through /proc. */
SCENE(memfd_exec)
{
	int fd = copy_to_memory(arg[0]);
	char path[64];

	if (!arg[1])
		return exec_fd(fd, "innocent");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	execl(path, "innocent", NULL);
	die("%s", path);
}

/* A file is opened and removed, then run. */
SCENE(exec_deleted)
{
	int fd = must(open(arg[0], O_RDONLY | O_CLOEXEC));

	must(unlink(arg[0]));
	return exec_fd(fd, "gone");
}

SCENE(exec_at)
{
	return exec_fd(must(open(arg[0], O_RDONLY | O_CLOEXEC)), "by-descriptor");
}

SCENE(vfork)
{
	pid_t pid = vfork();

	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	tell("child=%d\n", pid);
	return reap(pid);
}

static void *exec_true(void *unused)
{
	execl("/bin/true", "true", "from-a-thread", NULL);
	return unused;
}

SCENE(thread_exec)
{
	pthread_t thread;

	tell("pid=%d\n", getpid());
	pthread_create(&thread, NULL, exec_true, NULL);
	pause();
	return 1;
}

/* many N: /bin/true so many times, one after the other. */
SCENE(many)
{
	for (int i = 0; i < atoi(arg[0]); i++) {
		pid_t pid = must(fork());

		if (!pid) {
			execl("/bin/true", "/bin/true", NULL);
			die("/bin/true");
		}
		reap_well(pid);
	}
	return 0;
}

/* The name of the thread and argv[0] are what the program wants them to be. */
SCENE(lie)
{
	must(prctl(PR_SET_NAME, "kworker/0:1"));
	must(open(arg[0], O_RDONLY));
	execl(program, "[kthreadd]", "open", arg[0], NULL);
	return 1;
}

SCENE(open)
{
	must(open(arg[0], O_RDONLY));
	return 0;
}

/* The memory of argv is the process's own: what stood there at the exec is told. */
SCENE(rewrite_args)
{
	memset(arg[0], '*', strlen(arg[0]));
	must(open("/etc/passwd", O_RDONLY));
	return 0;
}

/* A name of the thread that wants to write to the terminal. */
SCENE(odd_name)
{
	must(prctl(PR_SET_NAME, "\033[2J\nfake \xff"));
	must(open(arg[0], O_RDONLY));
	return 0;
}

/* No arguments at all, not even a name. */
SCENE(no_args)
{
	char *nothing[] = {NULL};

	execve("/bin/true", nothing, nothing);
	return 1;
}

/* pid_reuse A B: two processes with one number after the other, each opens its file. */
SCENE(pid_reuse)
{
	pid_t want[1] = {0};

	for (int i = 0; i < 2; i++) {
		struct clone_args c = {.exit_signal = SIGCHLD};
		long pid;

		if (want[0]) {
			c.set_tid = (uintptr_t)want;
			c.set_tid_size = 1;
		}
		pid = syscall(SYS_clone3, &c, sizeof(c));
		if (pid < 0 && (errno == ENOSYS || errno == EPERM))
			skip("clone3 cannot choose a process id here");
		must(pid);
		if (!pid) {
			must(open(arg[i], O_RDONLY));
			_exit(0);
		}
		reap_well(pid);
		want[0] = pid;
	}
	tell("pid=%d\n", want[0]);
	return 0;
}

/* long_args N: /bin/true with N arguments of 99 bytes. */
SCENE(long_args)
{
	int n = atoi(arg[0]);
	char **argv = calloc(n + 2, sizeof(*argv));

	argv[0] = "true";
	for (int i = 0; i < n; i++) {
		argv[i + 1] = malloc(100);
		snprintf(argv[i + 1], 100, "%099d", i);
	}
	execv("/bin/true", argv);
	return 1;
}

SCENE(odd_args)
{
	execl("/bin/true", "true", "new\nline", "\033[31mred\033[0m", "quote\"\\",
	      "not\xff\xfeutf8", "", "last", NULL);
	return 1;
}

/* In a pid namespace of its own this is process 1. */
SCENE(first_in_namespace)
{
	int pid;

	must(unshare(CLONE_NEWPID));
	pid = must(fork());
	if (!pid) {
		if (getpid() != 1)
			die("pid %d", getpid());
		must(open(arg[0], O_RDONLY));
		return 0;
	}
	tell("outside=%d\n", pid);
	return reap(pid);
}

#ifdef __x86_64__
/* Where the child stops at openat(path), other bytes are put in the path's place. */
static void replace_path(pid_t pid, const char *path, const char *other)
{
	struct user_regs_struct r;
	long word;

	must(ptrace(PTRACE_GETREGS, pid, 0, &r));
	if (r.orig_rax != SYS_openat || r.rsi != (uintptr_t)path)
		return;
	for (size_t i = 0; i <= strlen(other); i += sizeof(word)) {
		memcpy(&word, other + i, sizeof(word)); /* behind an argument there is more */
		must(ptrace(PTRACE_POKEDATA, pid, path + i, word));
	}
}

/* The tracer lets the child ask for one file and gives it another. */
SCENE(traced_open)
{
	static char path[64];
	pid_t pid;
	int status;

	strcpy(path, arg[0]);
	pid = must(fork());
	if (!pid) {
		must(ptrace(PTRACE_TRACEME, 0, 0, 0));
		raise(SIGSTOP);
		return must(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY)) < 0;
	}
	tell("child=%d\n", pid);
	must(waitpid(pid, &status, 0));
	do {
		must(ptrace(PTRACE_SYSCALL, pid, 0, 0));
		must(waitpid(pid, &status, 0));
		if (WIFSTOPPED(status))
			replace_path(pid, path, arg[1]);
	} while (WIFSTOPPED(status));
	return WEXITSTATUS(status);
}
#endif

/* leave_cgroup PROCS PATH: out of the cgroup that the command was started in. */
SCENE(leave_cgroup)
{
	int fd = must(open(arg[0], O_WRONLY));

	must(write(fd, "0", 1));
	must(open(arg[1], O_RDONLY));
	return 0;
}
