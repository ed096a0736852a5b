/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one program and says how long and how large it was: launch MARK PROGRAM [ARG...]
 *
 * Output: nanoseconds from before exec to the first output that has MARK in it (0: there
 * was none), nanoseconds to its end, those on a processor, its peak resident memory in kB,
 * its exit status; then what it said, all of it.  A program of its own, and small: the memory of
 * who forks counts as the child's until it executes, and Python would be the largest thing
 * measured.
 */
/* build: -static */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char text[1 << 20];

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t ns_of(struct timeval t)
{
	return t.tv_sec * 1000000000ull + t.tv_usec * 1000ull;
}

int main(int argc, char **argv)
{
	volatile uint64_t first = 0; /* volatile: vfork() */
	uint64_t start, end;
	struct rusage usage;
	int fds[2], status;
	volatile size_t have = 0;
	ssize_t n;
	pid_t pid;

	if (argc < 3 || pipe2(fds, O_CLOEXEC) < 0)
		return 2;
	start = now_ns();
	pid = vfork();
	if (!pid) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	close(fds[1]);
	while (pid > 0 && (n = read(fds[0], text + have, sizeof(text) - 1 - have)) > 0) {
		have += n;
		text[have] = 0;
		if (!first && strstr(text, argv[1]))
			first = now_ns() - start;
		if (have == sizeof(text) - 1)
			have /= 2; /* enough was said */
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 1;
	end = now_ns() - start;
	printf("%llu %llu %llu %ld %d\n", (unsigned long long)first, (unsigned long long)end,
	       (unsigned long long)(ns_of(usage.ru_utime) + ns_of(usage.ru_stime)), usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fwrite(text, 1, have, stdout);
	return 0;
}
