/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/command.h"

#include "base/log.h"
#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ORDERS_MAX = 32 << 10 };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

_Noreturn static void run_janitor(int fd, const char *folder, const char *home)
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

static int start_janitor(struct command *c)
{
	int pipe_fd[2], r = 0;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (!pid) {
		/* the folder above is our own cgroup */
		_cleanup_free_ char *home = xstrdup(c->folder);

		close(pipe_fd[1]);
		run_janitor(pipe_fd[0], c->folder, dirname(home));
	}
	if (pid < 0)
		r = -errno;
	else
		c->janitor = pid;
	close_fd(&pipe_fd[0]);
	if (pid < 0)
		close_fd(&pipe_fd[1]);
	c->janitor_fd = pipe_fd[1];
	return r;
}

/* A cgroup for the command, and who removes it. */
static int make_cgroup(struct command *c, const char *mount)
{
	int r = cgroupfs_make(mount, c->folder, sizeof(c->folder));

	if (r >= 0) {
		r = start_janitor(c);
		if (r < 0)
			rmdir(c->folder);
	}
	if (r < 0)
		c->folder[0] = 0;
	return r;
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
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
		    is_program(ret))
			return ret;
		path += len + (path[len] == ':');
	}
	return name;
}

static bool read_all(int fd, void *to, size_t n)
{
	for (size_t have = 0; have < n;) {
		ssize_t got = read(fd, (char *)to + have, n - have);

		if (got <= 0 && (!got || errno != EINTR))
			return false;
		have += got > 0 ? (size_t)got : 0;
	}
	return true;
}

/* What we wait for: a length and so many bytes of orders. */
static int take_orders(int fd, command_obey_fn obey)
{
	char orders[ORDERS_MAX];
	uint32_t n;

	if (!read_all(fd, &n, sizeof(n)) || n > sizeof(orders) || !read_all(fd, orders, n))
		_exit(127); /* skep is gone: so are we */
	return n && obey ? obey(orders, n) : 0;
}

_Noreturn static void run_command(char **argv, int go_fd, int error_fd, command_obey_fn obey)
{
	char program[PATH_MAX];
	int err;

	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	err = -take_orders(go_fd, obey);
	if (!err) {
		execvp(find_program(argv[0], program, sizeof(program)), argv);
		err = errno;
	}
	if (write(error_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/*
 * Fork into the cgroup (CLONE_INTO_CGROUP, 5.7: ef2c41cf38a7).  Moving a process there
 * afterwards waits for all cpus, which takes milliseconds.  As fork(), but -errno.
 */
static pid_t fork_into(const char *folder)
{
	struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
	_cleanup_close_ int fd = -1;
	pid_t pid;
	int r;

	if (folder[0]) {
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		args.cgroup = fd;
		pid = fd < 0 ? -1 : syscall(SYS_clone3, &args, sizeof(args));
		if (pid >= 0)
			return pid;
	}
	pid = fork();
	if (pid < 0)
		return -errno;
	r = pid && folder[0] ? cgroupfs_enter(folder, pid) : 0;
	if (r < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return r;
	}
	return pid;
}

int command_prepare(struct command *c, char **argv, const char *mount)
{
	return command_prepare_traced(c, argv, mount, NULL);
}

int command_prepare_traced(struct command *c, char **argv, const char *mount, command_obey_fn obey)
{
	int go[2] = {-1, -1}, error[2] = {-1, -1}, r;

	*c = COMMAND_NONE;
	r = mount ? make_cgroup(c, mount) : 0;
	if (r >= 0 && (pipe2(go, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0))
		r = -errno;
	if (r >= 0) {
		r = fork_into(c->folder);
		if (!r) {
			close_fd(&go[1]);
			close_fd(&error[0]);
			close_fd(&c->janitor_fd);
			run_command(argv, go[0], error[1], obey);
		}
	}
	close_fd(&go[0]);
	close_fd(&error[1]);
	c->go_fd = go[1];
	c->error_fd = error[0];
	if (r < 0) {
		command_done(c);
		return r;
	}
	c->pid = r;
	return 0;
}

int command_send(struct command *c, struct str orders)
{
	uint32_t n = (uint32_t)orders.n;

	if (orders.n > ORDERS_MAX)
		return -EMSGSIZE;
	/* both fit into the pipe */
	if (write(c->go_fd, &n, sizeof(n)) != sizeof(n) ||
	    write(c->go_fd, orders.p, orders.n) != (ssize_t)orders.n)
		return -errno;
	return 0;
}

static int wait_for_exec(struct command *c, int timeout_ms)
{
	struct pollfd p = {.fd = c->error_fd, .events = POLLIN};
	int err = 0;
	ssize_t n;

	if (!poll(&p, 1, timeout_ms))
		return -EAGAIN;
	do
		n = read(c->error_fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	close_fd(&c->go_fd);
	close_fd(&c->error_fd);
	return n == (ssize_t)sizeof(err) ? -err : 0;
}

int command_started(struct command *c)
{
	return wait_for_exec(c, 0);
}

int command_go(struct command *c)
{
	int r = command_send(c, (struct str){"", 0});

	return r < 0 ? r : wait_for_exec(c, -1);
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
	bool has_run = c->go_fd < 0;
	int status = 0;

	close_fd(&c->go_fd);
	close_fd(&c->error_fd);
	close_fd(&c->janitor_fd);
	if (c->pid > 0 && !has_run)
		waitpid(c->pid, NULL, 0);
	if (c->janitor > 0 && waitpid(c->janitor, &status, 0) > 0 && status)
		log_warning("the cgroup %s could not be removed", c->folder);
	*c = COMMAND_NONE;
}
