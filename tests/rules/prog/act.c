/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules look for, done one at a time: the calls that no shell makes.
 * build: -static
 */
#include "../../run/prog/scene.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

/* --- files */

/* open_by CALL PATH [w]: open, openat, openat2, creat, handle; what comes of it is not looked at */
SCENE(open_by)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = {.flags = arg[2] ? O_WRONLY | O_CREAT : O_RDONLY, .mode = arg[2] ? 0600 : 0};

	if (!strcmp(arg[0], "open"))
		syscall(SYS_open, arg[1], (int)how.flags, 0600);
	else if (!strcmp(arg[0], "openat"))
		syscall(SYS_openat, AT_FDCWD, arg[1], (int)how.flags, 0600);
	else if (!strcmp(arg[0], "openat2"))
		syscall(SYS_openat2, AT_FDCWD, arg[1], &how, sizeof(how));
	else if (!strcmp(arg[0], "creat"))
		syscall(SYS_creat, arg[1], 0600);
	else
		return 2;
	return 0;
}

/* handle PATH: found by name, opened by its handle, on the mount of the folder `/` */
SCENE(handle)
{
	struct {
		struct file_handle h;
		char room[128];
	} f = {.h = {.handle_bytes = 128}};
	int mount_id, mount_fd;

	if (name_to_handle_at(AT_FDCWD, arg[0], &f.h, &mount_id, 0) < 0)
		skip("this file system has no handles");
	mount_fd = must(open(arg[1] ? arg[1] : "/", O_RDONLY));
	if (open_by_handle_at(mount_fd, &f.h, O_RDONLY) < 0)
		skip("a handle could not be opened");
	return 0;
}

SCENE(rename_by)
{
	if (!strcmp(arg[0], "rename"))
		must(syscall(SYS_rename, arg[1], arg[2]));
	else if (!strcmp(arg[0], "renameat"))
		must(syscall(SYS_renameat, AT_FDCWD, arg[1], AT_FDCWD, arg[2]));
	else
		must(syscall(SYS_renameat2, AT_FDCWD, arg[1], AT_FDCWD, arg[2], 0));
	return 0;
}

SCENE(chmod_by)
{
	int fd = must(open(arg[1], O_RDONLY));
	mode_t mode = strtoul(arg[2], NULL, 8);

	if (!strcmp(arg[0], "chmod"))
		must(syscall(SYS_chmod, arg[1], mode));
	else if (!strcmp(arg[0], "fchmod"))
		must(syscall(SYS_fchmod, fd, mode));
	else
		must(syscall(SYS_fchmodat, AT_FDCWD, arg[1], mode));
	return 0;
}

/* --- sockets */

static struct sockaddr_in address_of(const char *ip, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};

	must(inet_pton(AF_INET, ip, &a.sin_addr) == 1 ? 0 : -1);
	return a;
}

/* connect IP PORT [udp]: whatever becomes of it */
SCENE(connect)
{
	struct sockaddr_in a = address_of(arg[0], arg[1]);
	int type = arg[2] ? SOCK_DGRAM : SOCK_STREAM;
	int s = must(socket(AF_INET, type | SOCK_NONBLOCK, 0));

	connect(s, (struct sockaddr *)&a, sizeof(a));
	return 0;
}

/* dial IP PORT: a listener of its own is there, so that it can be reached */
SCENE(dial)
{
	struct sockaddr_in a = address_of(arg[0], arg[1]);
	int l = must(socket(AF_INET, SOCK_STREAM, 0)), s = must(socket(AF_INET, SOCK_STREAM, 0));

	must(bind(l, (struct sockaddr *)&a, sizeof(a)));
	must(listen(l, 1));
	must(connect(s, (struct sockaddr *)&a, sizeof(a)));
	return 0;
}

SCENE(sendto)
{
	struct sockaddr_in a = address_of(arg[0], arg[1]);
	int s = must(socket(AF_INET, SOCK_DGRAM, 0));

	sendto(s, "hello", 5, 0, (struct sockaddr *)&a, sizeof(a));
	return 0;
}

SCENE(connect_unix)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int l = must(socket(AF_UNIX, SOCK_STREAM, 0)), s = must(socket(AF_UNIX, SOCK_STREAM, 0));

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", arg[0]);
	unlink(arg[0]);
	must(bind(l, (struct sockaddr *)&a, sizeof(a)));
	must(listen(l, 1));
	must(connect(s, (struct sockaddr *)&a, sizeof(a)));
	return 0;
}

static int connected(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int l = must(socket(AF_INET, SOCK_STREAM, 0)), s = must(socket(AF_INET, SOCK_STREAM, 0));
	socklen_t n = sizeof(a);

	must(bind(l, (struct sockaddr *)&a, n));
	must(listen(l, 1));
	must(getsockname(l, (struct sockaddr *)&a, &n));
	must(connect(s, (struct sockaddr *)&a, n));
	return s;
}

/* dup_socket [dup|dup2|dup3]: a connection becomes standard output */
SCENE(dup_socket)
{
	int s = connected();

	if (arg[0] && !strcmp(arg[0], "dup")) {
		close(0);
		must(syscall(SYS_dup, s));
	} else if (arg[0] && !strcmp(arg[0], "dup3")) {
		must(syscall(SYS_dup3, s, 0, 0));
	} else {
		must(syscall(SYS_dup2, s, 0));
	}
	return 0;
}

SCENE(dup_file)
{
	must(syscall(SYS_dup2, must(open("/dev/null", O_RDWR)), 0));
	return 0;
}

SCENE(dup_unix)
{
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	must(syscall(SYS_dup2, pair[0], 0));
	return 0;
}

SCENE(packet)
{
	must(socket(AF_PACKET, SOCK_RAW, 0));
	return 0;
}

SCENE(raw)
{
	must(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	return 0;
}

SCENE(listen)
{
	struct sockaddr_in a = address_of(arg[0], arg[1]);
	int s = must(socket(AF_INET, SOCK_STREAM, 0));

	must(bind(s, (struct sockaddr *)&a, sizeof(a)));
	must(listen(s, 1));
	return 0;
}

/* --- the kernel, and others' processes; a refusal is as good as success */

SCENE(module)
{
	if (arg[0])
		syscall(SYS_finit_module, must(open("/proc/self/exe", O_RDONLY)), "", 0);
	else
		syscall(SYS_init_module, "no module", 9, "");
	return 0;
}

SCENE(bpf)
{
	union bpf_attr attr = {0};

	syscall(SYS_bpf, atoi(arg[0]), &attr, sizeof(attr));
	return 0;
}

SCENE(traceme)
{
	must(ptrace(PTRACE_TRACEME, 0, 0, 0));
	return 0;
}

/* attach [seize|write]: to a child of its own */
SCENE(attach)
{
	static char word[] = "before";
	struct iovec v = {word, 6};
	pid_t pid = must(fork());

	if (!pid)
		for (;;)
			pause();
	if (arg[0] && !strcmp(arg[0], "write"))
		must(process_vm_writev(pid, &v, 1, &v, 1, 0));
	else if (arg[0])
		must(ptrace(PTRACE_SEIZE, pid, 0, 0));
	else
		must(ptrace(PTRACE_ATTACH, pid, 0, 0));
	kill(pid, SIGKILL);
	return 0;
}

SCENE(userfaultfd)
{
	syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */);
	return 0;
}

SCENE(setuid)
{
	must(syscall(SYS_setuid, atoi(arg[0])));
	syscall(SYS_setuid, atoi(arg[1]));
	return 0;
}

SCENE(setns)
{
	syscall(SYS_setns, must(open("/proc/self/ns/uts", O_RDONLY)), CLONE_NEWUTS);
	return 0;
}

SCENE(unshare)
{
	syscall(SYS_unshare, strtoul(arg[0], NULL, 0));
	return 0;
}

/* --- programs */

/* memfd PROGRAM ARG…: from a copy that has no file */
SCENE(memfd)
{
	int from = must(open(arg[0], O_RDONLY)), to = must(memfd_create("x", MFD_CLOEXEC));
	char block[65536];
	ssize_t n;

	while ((n = must(read(from, block, sizeof(block)))) > 0)
		must(write(to, block, n));
	must(syscall(SYS_execveat, to, "", arg, environ, AT_EMPTY_PATH));
	return 0;
}

/* execveat PROGRAM ARG…: by a descriptor of the file */
SCENE(execveat)
{
	int fd = must(open(arg[0], O_PATH | O_CLOEXEC));

	must(syscall(SYS_execveat, fd, "", arg, environ, AT_EMPTY_PATH));
	return 0;
}

/* as NAME PROGRAM ARG…: argument 0 is another one */
SCENE(as)
{
	char *file = arg[1];

	arg[1] = arg[0];
	execv(file, arg + 1);
	die("%s", file);
}

/* comm NAME PATH: calls itself otherwise, then reads the file */
SCENE(comm)
{
	must(prctl(PR_SET_NAME, arg[0]));
	must(open(arg[1], O_RDONLY));
	return 0;
}

/* below UID PROGRAM ARG…: a child, as another user */
SCENE(below)
{
	pid_t pid = must(fork());

	if (!pid) {
		must(setgid(atoi(arg[0])));
		must(setuid(atoi(arg[0])));
		execv(arg[1], arg + 1);
		die("%s", arg[1]);
	}
	return reap(pid);
}

/* run PROGRAM ARG…: a child */
SCENE(run)
{
	pid_t pid = must(fork());

	if (!pid) {
		execv(arg[0], arg);
		die("%s", arg[0]);
	}
	return reap(pid);
}

/* padded N PROGRAM: N bytes of arguments before one that is read from standard input */
SCENE(padded)
{
	size_t n = atoi(arg[0]);
	char word[256] = "", *argv[] = {arg[1], calloc(1, n + 1), word, NULL};

	must(read(0, word, sizeof(word) - 1));
	memset(argv[1], 'x', n);
	execv(arg[1], argv);
	die("%s", arg[1]);
}

/* tty PROGRAM ARG…: on a terminal of its own */
SCENE(tty)
{
	int master = must(posix_openpt(O_RDWR | O_NOCTTY)), slave;
	pid_t pid;
	char c[64];

	must(grantpt(master));
	must(unlockpt(master));
	pid = must(fork());
	if (!pid) {
		must(setsid());
		slave = must(open(ptsname(master), O_RDWR)); /* the session's own from now on */
		dup2(slave, 0);
		dup2(slave, 1);
		execv(arg[0], arg);
		die("%s", arg[0]);
	}
	while (read(master, c, sizeof(c)) > 0)
		;
	return reap(pid);
}

/* wait MS PROGRAM ARG…: first some time passes */
SCENE(wait)
{
	usleep(atoi(arg[0]) * 1000);
	execv(arg[1], arg + 1);
	die("%s", arg[1]);
}

/* sleep_open MS PATH: the process grows old before it opens the file */
SCENE(sleep_open)
{
	usleep(atoi(arg[0]) * 1000);
	must(open(arg[1], O_RDONLY));
	return 0;
}

/* --- races */

static char *volatile race_name;
static volatile int race_over;

static void *rewrite(void *arg)
{
	char **names = arg;
	size_t n = strlen(names[0]) + 1, m = strlen(names[1]) + 1;

	while (!race_over) {
		memcpy(race_name, names[0], n);
		memcpy(race_name, names[1], m);
	}
	return NULL;
}

/*
 * race BAD GOOD: a thread writes both names in turn into the memory from which the call
 * reads, until the bad file was really opened.  It tells how often that was.
 */
SCENE(race)
{
	struct stat bad, now;
	pthread_t thread;
	int hits = 0, fd;

	race_name = calloc(1, 4096);
	strcpy(race_name, arg[1]);
	must(stat(arg[0], &bad));
	must(pthread_create(&thread, NULL, rewrite, arg));
	for (int i = 0; i < 200000 && hits < 5; i++) {
		fd = syscall(SYS_openat, AT_FDCWD, race_name, O_RDONLY);
		if (fd < 0)
			continue;
		if (!fstat(fd, &now) && now.st_ino == bad.st_ino && now.st_dev == bad.st_dev)
			hits++;
		close(fd);
	}
	race_over = 1;
	pthread_join(thread, NULL);
	tell("hits=%d\n", hits);
	return hits ? 0 : 77;
}

/* flood SECONDS PATH: as many opens as go */
SCENE(flood)
{
	for (time_t end = time(NULL) + atoi(arg[0]); time(NULL) < end;)
		for (int i = 0; i < 1000; i++)
			close(open(arg[1], O_RDONLY));
	return 0;
}
