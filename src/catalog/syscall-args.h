/* SPDX-License-Identifier: Apache-2.0 */
/* What system calls take, by the names that their tracepoints have. */
#pragma once

#include <stddef.h>

enum { SYSCALL_ARGS_MAX = 6 };

struct syscall_args {
	const char *name; /* of the kernel's function: "newfstat" */
	/* "const char * filename": type, space, name; NULL behind the last */
	const char *args[SYSCALL_ARGS_MAX + 1];
};

/* NULL: it is not known. */
const struct syscall_args *syscall_args(const char *name);
/* All, in order; NULL: no more. */
const struct syscall_args *syscall_args_at(size_t i);
