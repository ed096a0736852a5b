/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 32-bit program, without a C library: opens and removes, ends with 3.
 * build: -m32 -static -nostdlib -ffreestanding -fno-stack-protector -fno-pie -no-pie
 */
#include "int80.h"

void _start(void);

void _start(void)
{
	int fd = int80(IA32_open, (unsigned long)"/etc/passwd", 0, 0);
	int gone = int80(IA32_unlink, (unsigned long)"victim", 0, 0);

	int80(IA32_exit, fd < 0 || gone < 0 ? 1 : 3, 0, 0);
}
