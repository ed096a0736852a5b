/* SPDX-License-Identifier: Apache-2.0 */
/* Where a program's lines go. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* To vm_run.print, or standard error. */
void print_text(const char *text, size_t n);
/* How many arguments are in `n` bytes at `args`; -EINVAL. */
int print_args(uint64_t args, uint32_t n);
/* One line, of at most FORMAT_ROOM; its length, or printk_text()'s errors. */
int print_format(const char *format, size_t n, const uint64_t *args, unsigned int n_args);
