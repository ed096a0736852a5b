/* SPDX-License-Identifier: Apache-2.0 */
/* System calls by the 32-bit door; pointers must be below 4 GiB. */
#pragma once

static inline int int80(int nr, unsigned long a, unsigned long b, unsigned long c)
{
	int r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(0), "D"(0)
			 : "memory"
#ifdef __x86_64__
			   ,
			   "r8", "r9", "r10", "r11"
#endif
	);
	return r;
}

enum {
	IA32_exit = 1,
	IA32_open = 5,
	IA32_creat = 8,
	IA32_unlink = 10,
	IA32_kill = 37,
	IA32_socketcall = 102,
	IA32_socket = 359,
	IA32_bind = 361,
	IA32_connect = 362,
	IA32_listen = 363,
	IA32_accept4 = 364,
};
