/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of calls that the C library's headers or this architecture do not have. */
#pragma once

#include <sys/syscall.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* 6.6, the same on all architectures */
#endif

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
#ifndef SYS_renameat
#define SYS_renameat 38
#endif
#endif
