/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a process, runs a program in it and waits for its end: exec PROGRAM */
#include "work.h"

#include <sys/wait.h>

static char *program;

static void one(void)
{
	char *args[] = {program, "one", "two", NULL};
	pid_t pid = fork();
	int status;

	if (pid < 0)
		work_fail("fork");
	if (!pid) {
		execve(program, args, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		work_fail(program);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	program = argv[1];
	return work_main(one);
}
