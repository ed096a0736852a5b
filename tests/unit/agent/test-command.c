/* SPDX-License-Identifier: Apache-2.0 */
/* A command that waits, runs, or never gets to run; without a cgroup, so without root. */
#include "agent/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static char *const argv_exit[] = {(char *)"sh", (char *)"-c", (char *)"exit 7", NULL};

static void wait_for(struct command *c)
{
	for (int i = 0; i < 500 && !command_poll(c); i++)
		usleep(10000);
	CHECK(c->has_ended);
}

/* The lowest descriptor that is free: the same before and after, if nothing leaks. */
static int free_fd(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

TEST(runs)
{
	struct command c;
	int before = free_fd();

	CHECK_EQ(command_prepare(&c, (char **)argv_exit, NULL), 0);
	CHECK(c.pid > 0);
	CHECK(!command_poll(&c)); /* it waits */
	CHECK_EQ(command_go(&c), 0);
	wait_for(&c);
	CHECK(WIFEXITED(c.status) && WEXITSTATUS(c.status) == 7);
	command_signal(&c, SIGKILL); /* nobody's pid any more */
	command_done(&c);
	CHECK_EQ(free_fd(), before);
}

TEST(never_runs)
{
	struct command c;
	int before = free_fd();
	pid_t pid;

	CHECK_EQ(command_prepare(&c, (char **)argv_exit, NULL), 0);
	pid = c.pid;
	command_done(&c);
	CHECK_EQ(kill(pid, 0), -1);
	CHECK_EQ(errno, ESRCH);
	CHECK_EQ(free_fd(), before);
	command_done(&c);
}

TEST(cannot_run)
{
	static const struct {
		const char *name;
		int r;
	} cases[] = {
		{"/nope", -ENOENT},
		{"there-is-no-such-program", -ENOENT},
		{"/etc/passwd", -EACCES},
		{"/", -EACCES},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *argv[] = {(char *)cases[i].name, NULL};
		struct command c;

		CHECK_EQ(command_prepare(&c, argv, NULL), 0);
		CHECK_EQ(command_go(&c), cases[i].r);
		wait_for(&c);
		command_done(&c);
	}
}

/* No cgroup can be made there: nothing stays, and a second try without one works. */
TEST(no_cgroup)
{
	struct command c;
	int before = free_fd();

	CHECK(command_prepare(&c, (char **)argv_exit, "/proc/no-such-mount") < 0);
	CHECK_EQ(c.pid, 0);
	CHECK_STREQ(c.folder, "");
	CHECK_EQ(free_fd(), before);
	command_done(&c);
	CHECK(fcntl(STDIN_FILENO, F_GETFD) >= 0);
}
