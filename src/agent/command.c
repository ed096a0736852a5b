/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/command.h"

#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void run_janitor(int fd, const char *folder, const char *home)
{
	char c;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid(); /* a terminal's Ctrl-C or hang-up is not for us */
	prctl(PR_SET_NAME, "skep-janitor");
	/* hold nothing that somebody might wait for: a pipe behind skep ends with skep */
	for (int i = 0; i < 3; i++)
		close(i);
	while (read(fd, &c, 1) < 0 && errno == EINTR)
		;
	_exit(cgroupfs_remove(folder, home) < 0);
}

static int start_janitor(struct command *c, const char *mount)
{
	char home[CGROUP_PATH_MAX], own[CGROUP_PATH_MAX];
	int pipe_fd[2], r;

	r = cgroupfs_own(own, sizeof(own));
	if (r < 0)
		return r;
	if (snprintf(home, sizeof(home), "%s%s", mount, own) >= (int)sizeof(home))
		return -ENAMETOOLONG;
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return -errno;
	c->janitor = fork();
	if (c->janitor < 0) {
		r = -errno;
		close(pipe_fd[0]);
		close(pipe_fd[1]);
		return r;
	}
	if (!c->janitor) {
		close(pipe_fd[1]);
		run_janitor(pipe_fd[0], c->folder, home);
	}
	close(pipe_fd[0]);
	c->janitor_fd = pipe_fd[1];
	return 0;
}

/* The file that execvp would take, so that its search is no row of failed execs. */
static const char *find_program(const char *name, char *ret, size_t n)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/') || !path)
		return name;
	while (*path) {
		int len = strcspn(path, ":");

		if (snprintf(ret, n, "%.*s%s%s", len, path, len ? "/" : "", name) < (int)n &&
		    access(ret, X_OK) == 0)
			return ret;
		path += len + (path[len] == ':');
	}
	return name;
}

static void run_command(char **argv, int go_fd, int error_fd)
{
	char program[PATH_MAX];
	int err;
	char c;

	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (read(go_fd, &c, 1) != 1)
		_exit(127); /* skep is gone: so are we */
	execvp(find_program(argv[0], program, sizeof(program)), argv);
	err = errno;
	if (write(error_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/*
 * Fork into the cgroup (CLONE_INTO_CGROUP, 5.7: ef2c41cf38a7).  Moving a process there
 * afterwards waits for all cpus, which takes milliseconds.
 */
static pid_t fork_into(const char *folder)
{
	struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
	_cleanup_close_ int fd = -1;
	pid_t pid;

	if (!folder[0])
		return fork();
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	args.cgroup = fd;
	pid = fd < 0 ? -1 : syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0) {
		pid = fork();
		if (pid > 0 && cgroupfs_enter(folder, pid) < 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return -1;
		}
	}
	return pid;
}

int command_prepare(struct command *c, char **argv, const char *mount)
{
	int go[2], error[2], r;

	*c = (struct command){.go_fd = -1, .error_fd = -1, .janitor_fd = -1};
	if (mount) {
		r = cgroupfs_make(mount, c->folder, sizeof(c->folder));
		if (r < 0) {
			c->folder[0] = 0;
			return r;
		}
		r = start_janitor(c, mount);
		if (r < 0) {
			rmdir(c->folder);
			return r;
		}
	}
	if (pipe2(go, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(error, O_CLOEXEC) < 0) {
		r = -errno;
		close(go[0]);
		close(go[1]);
		return r;
	}
	c->pid = fork_into(c->folder);
	if (c->pid == 0) {
		close(go[1]);
		close(error[0]);
		close_fd(&c->janitor_fd);
		run_command(argv, go[0], error[1]);
	}
	r = c->pid < 0 ? -errno : 0;
	close(go[0]);
	close(error[1]);
	c->go_fd = go[1];
	c->error_fd = error[0];
	return r;
}

int command_go(struct command *c)
{
	int err = 0;
	ssize_t n;

	if (write(c->go_fd, "x", 1) != 1)
		return -errno;
	do
		n = read(c->error_fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	close_fd(&c->go_fd);
	close_fd(&c->error_fd);
	return n == (ssize_t)sizeof(err) ? -err : 0;
}

bool command_poll(struct command *c)
{
	if (!c->has_ended && c->pid > 0 && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->has_ended = true;
	return c->has_ended;
}

void command_signal(struct command *c, int sig)
{
	if (c->pid > 0 && !c->has_ended)
		kill(c->pid, sig);
}

void command_done(struct command *c)
{
	if (c->pid > 0 && c->go_fd >= 0) { /* it never ran */
		close_fd(&c->go_fd);
		waitpid(c->pid, &c->status, 0);
	}
	if (c->pid > 0)
		close_fd(&c->error_fd);
	if (c->janitor > 0) {
		close_fd(&c->janitor_fd);
		waitpid(c->janitor, NULL, 0);
	}
	*c = (struct command){0};
}
