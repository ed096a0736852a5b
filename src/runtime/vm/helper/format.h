/* SPDX-License-Identifier: Apache-2.0 */
/* printf() as programs may use it: the kernel's checks, its conversions, its results. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	FORMAT_ARGS = 12,   /* MAX_BPRINTF_VARARGS */
	FORMAT_ROOM = 1024, /* MAX_BPRINTF_BUF: of one line of trace_printk */
};

/*
 * Write `format` (its NUL is among its n bytes) with the arguments into `to`, always with a NUL
 * if there is room for one.  The whole length, which may be more than fitted; -EINVAL: the
 * format is not allowed; -ENOSPC: its strings are too long.
 */
int printk_text(char *to, size_t room, const char *format, size_t n, const uint64_t *args,
		unsigned int n_args);
