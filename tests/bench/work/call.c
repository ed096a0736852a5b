/* SPDX-License-Identifier: Apache-2.0 */
/* A system call that nobody asks about: call */
#include "work.h"

#include <sys/syscall.h>

static void one(void)
{
	syscall(SYS_getppid);
}

int main(void)
{
	return work_main(one);
}
