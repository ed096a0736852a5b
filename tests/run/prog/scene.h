/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test program is a set of scenes: `PROG SCENE [ARG…]` plays one.
 *
 * Scenes make the calls themselves, without wrappers that hide them, tell the case
 * what it cannot know with tell(), and end with status 0, or 77 where the kernel
 * cannot do it.  What goes wrong ends the program with a message.
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct scene {
	const char *name;
	int (*play)(char **arg);
	struct scene *next;
};

static struct scene *scenes;
static char *program; /* path of the program itself */

#define SCENE(id)                                               \
	static int play_##id(char **arg);                       \
	__attribute__((constructor)) static void add_##id(void) \
	{                                                       \
		static struct scene s = {#id, play_##id, NULL}; \
		s.next = scenes;                                \
		scenes = &s;                                    \
	}                                                       \
	static int play_##id(char **arg __attribute__((unused)))

#define die(...)                                           \
	do {                                               \
		dprintf(2, "%s:%d: ", __FILE__, __LINE__); \
		dprintf(2, __VA_ARGS__);                   \
		dprintf(2, ": %s\n", strerror(errno));     \
		exit(1);                                   \
	} while (0)

/* The value of a call that does not fail. */
#define must(call)                         \
	({                                 \
		long must_ = (long)(call); \
		if (must_ == -1)           \
			die("%s", #call);  \
		must_;                     \
	})

/* A call that fails in just this way. */
#define must_fail(call, code)                                 \
	do {                                                  \
		errno = 0;                                    \
		if ((long)(call) != -1 || errno != (code))    \
			die("%s: not " #code ", but", #call); \
	} while (0)

/* One line without a buffer, so that fork cannot write it twice. */
#define tell(...) dprintf(1, __VA_ARGS__)

static inline void skip(const char *why)
{
	dprintf(2, "%s\n", why);
	exit(77);
}

/* Waits for a child; its exit status, or 128 + the signal. */
static inline int reap(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline void reap_well(pid_t pid)
{
	if (reap(pid))
		die("child %d", pid);
}

int main(int argc, char **argv)
{
	program = argv[0];
	for (struct scene *s = scenes; s && argc > 1; s = s->next)
		if (!strcmp(s->name, argv[1]))
			return s->play(argv + 2);
	dprintf(2, "%s: no such scene\n", argc > 1 ? argv[1] : "");
	return 2;
}
