/* SPDX-License-Identifier: Apache-2.0 */
/* Reading memory that may not be there: for helpers that follow pointers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* 0 or -EFAULT. */
typedef int (*memory_read_fn)(void *to, uint64_t from, size_t n);

/* Of this process. */
int memory_read_own(void *to, uint64_t from, size_t n);
/* Of the task that the program runs for. */
int memory_read_user(void *to, uint64_t from, size_t n);
/* Text, cut at n − 1 bytes; its length with the NUL, 0 if n is 0, or -EFAULT. */
int64_t memory_read_str(memory_read_fn read, char *to, uint64_t from, size_t n);
