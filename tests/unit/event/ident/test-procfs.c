/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* memfd_create() */
#endif
#include "base/clock.h"
#include "base/macro.h"
#include "event/ident/procfs.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef TEST_DATA
#define TEST_DATA "tests/data"
#endif

static void free_procfs(struct procfs **p)
{
	procfs_free(*p);
}

#define _cleanup_procfs_  _cleanup_(free_procfs)
#define _cleanup_process_ _cleanup_(procfs_process_done)

TEST(stat_names)
{
	static const struct {
		struct str line;
		int r;
		const char *comm;
		uint32_t ppid;
	} cases[] = {
		{STR("7 (x) R 6 5 4 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 1 2"), 0, "x", 6},
		{STR("7 () R 6 5 4 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99\n"), 0, "", 6},
		{STR("7 (a b) c) R 6 5 4 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99"), 0, "a b) c", 6},
		{STR("7 () S 1 () R 6 5 4 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99"), 0, ") S 1 (", 6},
		{STR("7 (x) R 6 5 4 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0"), -EBADMSG, NULL, 0},
		{STR("7 (x) R 6 5 4 0 -1 0 0 0 0 0 0 0 - 0 20 0 1 0 99"), -EBADMSG, NULL, 0},
		{STR("7 (x"), -EBADMSG, NULL, 0},
		{STR("7 (x)"), -EBADMSG, NULL, 0},
		{STR("7 )x( R 6"), -EBADMSG, NULL, 0},
		{STR("x (x) R 6"), -EBADMSG, NULL, 0},
		{STR("99999999999 (x) R 6 5 4 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99"), -EBADMSG, NULL,
		 0},
		{STR(""), -EBADMSG, NULL, 0},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct procfs_stat stat = {.pid = 12345};

		CHECK_EQ(procfs_parse_stat(cases[i].line, &stat), cases[i].r);
		if (cases[i].r < 0) {
			CHECK_EQ(stat.pid, 12345);
			continue;
		}
		CHECK_EQ(stat.pid, 7);
		CHECK_STREQ(stat.comm, cases[i].comm);
		CHECK_EQ(stat.ppid, cases[i].ppid);
		CHECK_EQ(stat.start_ticks, 99);
	}
}

TEST(numbers)
{
	uint32_t v = 7;

	CHECK_EQ(procfs_parse_uint(STR("4294967295"), &v), 0);
	CHECK_EQ(v, UINT32_MAX);
	CHECK_EQ(procfs_parse_uint(STR("0\n"), &v), 0);
	CHECK_EQ(v, 0);
	CHECK_EQ(procfs_parse_uint(STR("4294967296"), &v), -EBADMSG);
	CHECK_EQ(procfs_parse_uint(STR("1 2"), &v), -EBADMSG);
	CHECK_EQ(procfs_parse_uint(STR("-1"), &v), -EBADMSG);
	CHECK_EQ(procfs_parse_uint(STR(""), &v), -EBADMSG);
	CHECK_EQ(procfs_parse_ns(STR("mnt:[4026531841]"), &v), 0);
	CHECK_EQ(v, 4026531841u);
	CHECK_EQ(procfs_parse_ns(STR("mnt:[4026531841"), &v), -EBADMSG);
	CHECK_EQ(procfs_parse_ns(STR("mnt:[x]"), &v), -EBADMSG);
	CHECK_EQ(procfs_parse_ns(STR("/a/path"), &v), -EBADMSG);
	CHECK_EQ(v, 4026531841u);
}

TEST(status_is_whole)
{
	struct procfs_status s = {.tgid = 5};

	CHECK_EQ(procfs_parse_status(STR(""), &s), -EBADMSG);
	/* the first line is the process's own */
	CHECK_EQ(procfs_parse_status(STR("Tgid:\t1\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"), &s),
		 -EBADMSG);
	CHECK_EQ(procfs_parse_status(STR("Name:\nTgid:\t1\nUid:\t1\t2\t3\nGid:\t5\t6\t7\t8\n"), &s),
		 -EBADMSG);
	CHECK_EQ(s.tgid, 5);
	CHECK_EQ(procfs_parse_status(STR("Name:\nTgid:\t1\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8"),
				     &s),
		 0);
	CHECK_EQ(s.uid[3], 4);
	CHECK_EQ(s.gid[0], 5);
	CHECK_EQ(s.ns_pid, 1);
}

TEST(first_process)
{
	_cleanup_procfs_ struct procfs *p = procfs_new(TEST_DATA "/procfs");
	_cleanup_process_ struct procfs_process x = {0};

	CHECK_EQ(procfs_read(p, 1, &x), 0);
	CHECK_STREQ(x.stat.comm, "systemd");
	CHECK_EQ(x.stat.start_ticks, 24);
	CHECK_EQ(procfs_start_ticks(p, 1), 24);
	CHECK_STREQ(x.exe, "/opt/skep-test/systemd");
	CHECK_STREQ(x.cwd, "/");
	CHECK(!x.exe_is_deleted && !x.exe_is_memfd);
	CHECK_EQ(x.args_n, 18);
	CHECK_EQ(x.args_total, 18);
	CHECK(!memcmp(x.args, "/sbin/init\0splash", 18));
	CHECK_EQ(x.loginuid, UINT32_MAX);
	CHECK_EQ(x.ns[NS_MNT], 4026531832u);
	CHECK_EQ(x.ns[NS_CGROUP], 4026531838u);
	CHECK_EQ(x.ns[NS_TIME], 0); /* as before 5.6 */
	CHECK_EQ(x.status.cap_effective, 0x1ffffffffff);
}

TEST(confusing_process)
{
	_cleanup_procfs_ struct procfs *p = procfs_new(TEST_DATA "/procfs");
	_cleanup_process_ struct procfs_process x = {0};

	CHECK_EQ(procfs_read(p, 200, &x), 0);
	CHECK_STREQ(x.stat.comm, "a) R 1 (\nb)");
	CHECK_EQ(x.stat.ppid, 1);
	CHECK_EQ(x.stat.start_ticks, 123456);
	CHECK_STREQ(x.exe, "/opt/skep-test/a b");
	CHECK(x.exe_is_deleted && !x.exe_is_memfd);
	CHECK_STREQ(x.cwd, "/opt/skep-test");
	CHECK_EQ(x.status.uid[0], 1000);
	CHECK_EQ(x.status.uid[1], 0);
	CHECK_EQ(x.status.gid[2], 5);
	CHECK_EQ(x.status.cap_permitted, 0xc0);
	CHECK_EQ(x.status.cap_effective, 0x80);
	CHECK_EQ(x.loginuid, 1000);
	CHECK_EQ(x.sessionid, 3);
	CHECK_EQ(x.args_n, 26);
}

TEST(process_in_container)
{
	_cleanup_procfs_ struct procfs *p = procfs_new(TEST_DATA "/procfs");
	_cleanup_process_ struct procfs_process x = {0};

	CHECK_EQ(procfs_read(p, 300, &x), 0);
	CHECK_STREQ(x.exe, "/memfd:x");
	CHECK(x.exe_is_deleted && x.exe_is_memfd);
	CHECK_EQ(x.status.ns_pid, 7);
	CHECK_EQ(x.status.uid[0], 100000);
	CHECK_EQ(x.status.cap_effective, 0xa80425fb); /* behind 1500 groups */
	CHECK_EQ(x.stat.start_ticks, 999999999999);
	CHECK_EQ(x.args_n, WIRE_ARGS_MAX);
	CHECK_EQ(x.args_total, 6000);
}

TEST(kernel_thread)
{
	_cleanup_procfs_ struct procfs *p = procfs_new(TEST_DATA "/procfs");
	_cleanup_process_ struct procfs_process x = {0};

	CHECK_EQ(procfs_read(p, 400, &x), 0);
	CHECK_STREQ(x.stat.comm, "kworker/u8:2-events_unbound_with_more");
	CHECK(!x.exe && !x.cwd && !x.args);
	CHECK_EQ(x.args_total, 0);
	CHECK_EQ(x.loginuid, UINT32_MAX);
	CHECK_EQ(x.ns[NS_MNT], 0);
}

TEST(no_process)
{
	_cleanup_procfs_ struct procfs *p = procfs_new(TEST_DATA "/procfs");
	_cleanup_procfs_ struct procfs *none = procfs_new(TEST_DATA "/nowhere");
	struct procfs_process x = {.loginuid = 5};

	CHECK_EQ(procfs_read(p, 4711, &x), -ESRCH);
	CHECK_EQ(procfs_read(none, 1, &x), -ESRCH);
	CHECK_EQ(procfs_read(p, 500, &x), -EBADMSG);
	CHECK_EQ(procfs_read(p, 601, &x), -ESRCH); /* a thread */
	CHECK_EQ(procfs_start_ticks(p, 4711), 0);
	CHECK_EQ(procfs_start_ticks(p, 500), 0);
	CHECK_EQ(x.loginuid, 5);
	procfs_free(NULL);
}

static bool write_file(const char *path, const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	return f && fputs(text, f) >= 0;
}

static bool write_stat(const char *path, int start)
{
	char line[128];

	snprintf(line, sizeof(line), "9 (x) R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d", start);
	return write_file(path, line);
}

/*
 * A process that becomes another one while it is read: its arguments are a pipe, and
 * whoever fills it exchanges `stat` first.
 */
static int read_changing(int changes, uint64_t *ret_start)
{
	char root[] = "/tmp/skep-test-XXXXXX";
	_cleanup_procfs_ struct procfs *p = NULL;
	_cleanup_process_ struct procfs_process x = {0};
	_cleanup_close_ int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t child;
	int r;

	CHECK(mkdtemp(root) && !chdir(root) && !mkdir("9", 0700));
	CHECK(write_stat("9/stat", 1) && write_stat("9/stat1", 2) && write_stat("9/stat2", 3));
	CHECK(write_file("9/status", "Name:\nTgid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8"));
	CHECK(!mkfifo("9/cmdline", 0600) && !mkfifo("9/cmdline2", 0600));
	child = fork();
	if (!child) {
		for (int i = 0; i < 2; i++) {
			int fd = open("9/cmdline", O_WRONLY);

			if (i < changes)
				rename(i ? "9/stat2" : "9/stat1", "9/stat");
			rename("9/cmdline2", "9/cmdline");
			close(fd);
			if (!changes)
				break;
		}
		_exit(0);
	}
	p = procfs_new(".");
	r = procfs_read(p, 9, &x);
	*ret_start = x.stat.start_ticks;
	waitpid(child, NULL, 0);
	CHECK(!system("rm -r 9") && !fchdir(here) && !rmdir(root));
	return r;
}

TEST(changing_process)
{
	uint64_t start;

	CHECK_EQ(read_changing(0, &start), 0);
	CHECK_EQ(start, 1);
	CHECK_EQ(read_changing(1, &start), 0);
	CHECK_EQ(start, 2);
	CHECK_EQ(read_changing(2, &start), -EAGAIN);
	CHECK_EQ(start, 0);
}

/* A child that waits to be killed; `exe`: it runs this file. */
static pid_t start_child(int exe)
{
	char *argv[] = {(char[]){"cat"}, (char[]){"-"}, NULL}, *env[] = {NULL};
	int in[2], ready[2];
	pid_t child;
	char c;

	if (pipe2(in, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		return -1;
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (exe >= 0) {
			dup2(in[0], 0);
			fexecve(exe, argv, env);
			_exit(1);
		}
		prctl(PR_SET_NAME, "x) S 1 (\ny");
		close(ready[1]);
		pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1)) /* ends with the exec, or when the name is set */
		return -1;
	close(ready[0]);
	close(in[0]);
	/* in[1] stays open: the child waits for it */
	return child;
}

static void stop_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TEST(live_child)
{
	_cleanup_procfs_ struct procfs *p = procfs_new("/proc");
	_cleanup_process_ struct procfs_process x = {0};
	uint64_t before = procfs_ticks_of_ns(clock_boot_ns());
	pid_t child = start_child(-1);
	uint64_t after = procfs_ticks_of_ns(clock_boot_ns());
	char exe[4096];
	struct stat st;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	CHECK(child > 0 && n > 0);
	exe[n] = 0;
	CHECK_EQ(procfs_read(p, child, &x), 0);
	CHECK_EQ(x.stat.pid, child);
	CHECK_EQ(x.stat.ppid, getpid());
	CHECK_STREQ(x.stat.comm, "x) S 1 (\ny");
	CHECK(x.stat.start_ticks >= before && x.stat.start_ticks <= after);
	CHECK_EQ(x.status.uid[0], getuid());
	CHECK_EQ(x.status.gid[1], getegid());
	CHECK_STREQ(x.exe, exe);
	CHECK(!stat(exe, &st));
	CHECK_EQ(x.exe_inode, st.st_ino);
	CHECK_EQ(x.exe_dev, major(st.st_dev) << 20 | minor(st.st_dev));
	CHECK_EQ(x.exe_nlink, st.st_nlink);
	CHECK(!x.exe_is_deleted);
	CHECK(x.args_n && x.args_total >= x.args_n);
	CHECK(x.ns[NS_MNT] && x.ns[NS_NET]);
	stop_child(child);
	CHECK_EQ(procfs_read(p, child, &x), -ESRCH);
}

static int copy_of_cat(int to)
{
	_cleanup_close_ int from = open("/bin/cat", O_RDONLY | O_CLOEXEC);
	char bytes[65536];
	ssize_t n;

	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, n) != n)
			return -1;
	return n;
}

TEST(live_memfd)
{
	_cleanup_procfs_ struct procfs *p = procfs_new("/proc");
	_cleanup_process_ struct procfs_process x = {0};
	_cleanup_close_ int exe = memfd_create("strange name", MFD_CLOEXEC);
	pid_t child;

	CHECK(exe >= 0 && !copy_of_cat(exe));
	child = start_child(exe);
	CHECK(child > 0);
	CHECK_EQ(procfs_read(p, child, &x), 0);
	CHECK_STREQ(x.exe, "/memfd:strange name");
	CHECK(x.exe_is_memfd && x.exe_is_deleted);
	CHECK_EQ(x.exe_nlink, 0);
	CHECK_EQ(x.args_n, 6);
	CHECK(!memcmp(x.args, "cat\0-", 6));
	stop_child(child);
}

/* The mark is the kernel's only if no name is left. */
TEST(live_deleted)
{
	char dir[] = "/tmp/skep-test-XXXXXX", path[64];
	_cleanup_procfs_ struct procfs *p = procfs_new("/proc");
	struct procfs_process x = {0};
	int to, exe;
	pid_t child;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x (deleted)", dir);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	CHECK(to >= 0 && !copy_of_cat(to));
	close(to);
	exe = open(path, O_RDONLY | O_CLOEXEC);
	child = start_child(exe);
	close(exe);
	CHECK(child > 0);
	CHECK_EQ(procfs_read(p, child, &x), 0);
	CHECK_STREQ(x.exe, path);
	CHECK(!x.exe_is_deleted);
	procfs_process_done(&x);
	CHECK(!unlink(path) && !rmdir(dir));
	CHECK_EQ(procfs_read(p, child, &x), 0);
	CHECK_STREQ(x.exe, path);
	CHECK(x.exe_is_deleted && !x.exe_is_memfd);
	procfs_process_done(&x);
	stop_child(child);
}

static void *print_tid(void *p)
{
	_cleanup_procfs_ struct procfs *live = procfs_new("/proc");
	struct procfs_process x = {0};

	*(int *)p = procfs_read(live, gettid(), &x);
	procfs_process_done(&x);
	return NULL;
}

TEST(live_thread)
{
	pthread_t thread;
	int r = 0;

	CHECK(!pthread_create(&thread, NULL, print_tid, &r));
	pthread_join(thread, NULL);
	CHECK_EQ(r, -ESRCH);
}

TEST(ticks)
{
	CHECK_EQ(procfs_ns_per_tick() * sysconf(_SC_CLK_TCK), NS_PER_S);
	CHECK_EQ(procfs_ticks_of_ns(procfs_ns_per_tick() * 5 - 1), 4);
	CHECK_EQ(procfs_ticks_of_ns(procfs_ns_per_tick() * 5), 5);
}
