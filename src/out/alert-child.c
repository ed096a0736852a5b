/* SPDX-License-Identifier: Apache-2.0 */
#include "out/alert-child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Signals as a program expects them, a process group, and the pipes in their places. */
static int spawn(pid_t *pid, char *const *argv, int in, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	int r;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGINT);
	sigaddset(&usual, SIGTERM);
	sigaddset(&usual, SIGHUP);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	r = posix_spawnp(pid, argv[0], &files, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return -r;
}

int alert_child_start(struct alert_child *c, char *const *argv, bool wants_output)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	int r;

	*c = ALERT_CHILD_NONE;
	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	if (wants_output && pipe2(out, O_CLOEXEC) < 0) {
		r = -errno;
		close(in[0]);
		close(in[1]);
		return r;
	}
	r = spawn(&c->pid, argv, in[0], out[1]);
	close_fd(&in[0]);
	close_fd(&out[1]);
	if (r < 0) {
		close_fd(&in[1]);
		close_fd(&out[0]);
		c->pid = 0;
		return r;
	}
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	if (out[0] >= 0)
		fcntl(out[0], F_SETFL, O_NONBLOCK);
	c->to_fd = in[1];
	c->from_fd = out[0];
	return 0;
}

bool alert_child_ended(struct alert_child *c, int *ret_status)
{
	pid_t r;

	*ret_status = -1;
	if (!c->pid)
		return true;
	r = waitpid(c->pid, ret_status, WNOHANG);
	if (r == 0 || (r < 0 && errno == EINTR))
		return false;
	if (r < 0)
		*ret_status = -1;
	c->pid = 0;
	return true;
}

void alert_child_close_input(struct alert_child *c)
{
	close_fd(&c->to_fd);
}

void alert_child_done(struct alert_child *c, bool kills)
{
	close_fd(&c->to_fd);
	close_fd(&c->from_fd);
	if (c->pid && kills) { /* and whom it started: they are a process group */
		kill(-c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	*c = ALERT_CHILD_NONE;
}
