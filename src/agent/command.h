/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command that `skep watch -- CMD` runs: in a cgroup of its own, started only
 * when everybody is watching, and never left behind.
 *
 * Beside the command a janitor is forked.  It holds nothing but a pipe to skep and
 * sleeps; when skep is gone, however it went, the pipe ends, and the janitor sends
 * whoever is still in the cgroup back home and removes it.
 */
#pragma once

#include "agent/cgroupfs.h"
#include "base/str.h"

#include <sys/types.h>

struct command {
	pid_t pid;
	pid_t janitor;
	int go_fd;		      /* one byte: execute; -1 from then on */
	int error_fd;		      /* errno of a failed execvp; closed by a good one */
	int janitor_fd;		      /* closed: clean up */
	char folder[CGROUP_PATH_MAX]; /* its cgroup; "" where there is no cgroup2 */
	bool has_ended;
	int status; /* as wait() gives it */
};

#define COMMAND_NONE ((struct command){.go_fd = -1, .error_fd = -1, .janitor_fd = -1})

/*
 * Fork the command, which waits.  `mount` NULL: no cgroup.  On -errno nothing is left
 * behind, and *c is COMMAND_NONE.
 */
int command_prepare(struct command *c, char **argv, const char *mount);

/* Let it execute.  0, or -errno of execvp. */
int command_go(struct command *c);

/*
 * The same for a command that is traced: the child gets `orders`, which it hands to the function
 * that command_prepare_traced() was given, and does not get far before somebody serves it.  Serve
 * it until command_started() is no longer -EAGAIN.
 */
typedef int (*command_obey_fn)(const void *orders, size_t n); /* between fork and exec */
int command_prepare_traced(struct command *c, char **argv, const char *mount, command_obey_fn obey);
int command_send(struct command *c, struct str orders);
int command_started(struct command *c);

/* Has it ended by now? */
bool command_poll(struct command *c);

/* Nothing, if it has ended. */
void command_signal(struct command *c, int sig);

/*
 * Clean up: a command that never got to run ends, one that runs goes on in our cgroup.
 * Warns if the cgroup could not be removed.  *c is COMMAND_NONE then.
 */
void command_done(struct command *c);
