/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of calls that the C library's headers or this architecture do not have. */
#pragma once

#include <sys/syscall.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* 6.6, the same on all architectures */
#endif

/* 32-bit programs on x86-64 only */
#define SYS_socketcall	(-1)
#define SYS_umount	(-1)
#define SYS_chown16	(-1)
#define SYS_lchown16	(-1)
#define SYS_fchown16	(-1)
#define SYS_setuid16	(-1)
#define SYS_setreuid16	(-1)
#define SYS_setresuid16 (-1)
#define SYS_setgid16	(-1)
#define SYS_setregid16	(-1)
#define SYS_setresgid16 (-1)

/* arm64 has only the *at forms */
#ifdef __aarch64__
#define SYS_open    (-1)
#define SYS_creat   (-1)
#define SYS_unlink  (-1)
#define SYS_rmdir   (-1)
#define SYS_rename  (-1)
#define SYS_link    (-1)
#define SYS_symlink (-1)
#define SYS_mkdir   (-1)
#define SYS_chmod   (-1)
#define SYS_chown   (-1)
#define SYS_lchown  (-1)
#define SYS_dup2    (-1)
#ifndef SYS_renameat
#define SYS_renameat 38
#endif
#endif
