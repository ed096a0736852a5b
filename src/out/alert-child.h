/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is fed: its standard input is a pipe of ours, which never makes us wait.
 *
 * It is in a process group of its own, so that the Ctrl-C that ends skep does not end it
 * before it has read the last alert.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct alert_child {
	pid_t pid;   /* 0: none runs */
	int to_fd;   /* its input; -1: closed */
	int from_fd; /* its output; -1: it writes where we do */
};

#define ALERT_CHILD_NONE ((struct alert_child){.to_fd = -1, .from_fd = -1})

/* Start argv[0], found by PATH.  0 or −errno. */
int alert_child_start(struct alert_child *c, char *const *argv, bool wants_output);
/* Has it ended?  *ret_status as wait() has it; −1: somebody else was told. */
bool alert_child_ended(struct alert_child *c, int *ret_status);
/* End of its input: it may read what is in the pipe. */
void alert_child_close_input(struct alert_child *c);
/* Close all; a program that still runs is left alone, or ended with its children (`kills`). */
void alert_child_done(struct alert_child *c, bool kills);
