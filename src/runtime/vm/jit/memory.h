/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for machine code.
 *
 * No page may be writable and executable at once.  The usual way, mmap() writable and then
 * mprotect() executable, costs two system calls, two page faults and a flushed TLB for each
 * program, 10 µs and more, and a page for ten instructions.  Here memory comes in chunks of a
 * memfd that is mapped twice: once to write, once to run.  Programs lie side by side in a chunk,
 * and to add one is a copy.
 *
 * Where that is refused (vm.memfd_noexec, a seccomp filter), or does not work (emulators),
 * each program gets pages of its own in the usual way.
 *
 * Chunks belong to the process, as malloc's do: this is state that programs share, behind a
 * lock.  A child of fork() does not write into chunks of its parent, which share pages.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct code_memory {
	uint8_t *write; /* NULL: not to be written any more */
	uint8_t *run;
	size_t n;
};

/* 0, -ENOMEM, -EPERM: no executable memory here. */
int code_memory_take(size_t n, struct code_memory *ret);
/* It is written: make it run.  0 or -errno, then it is given back. */
int code_memory_seal(struct code_memory *m);
/* From now on each program gets pages of its own: for tests. */
void code_memory_alone(void);
/* `run` as it was given. */
void code_memory_give(void *run, size_t n);
