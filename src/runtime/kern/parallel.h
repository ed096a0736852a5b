/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several system calls at once: those in which the kernel works or waits for long.
 *
 * Threads are made for the work and end with it; nothing of ours runs in them but the call.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>

/* As pthread_create(), with a small stack; signals are for the main thread. */
int thread_start(pthread_t *thread, void *(*fn)(void *), void *arg);

/*
 * Call fn(ctx, 0) to fn(ctx, n - 1), in any order, in at most `threads` threads; this one is
 * among them.  Returns when all have returned.
 */
void parallel_run(size_t n, unsigned int threads, void (*fn)(void *ctx, size_t i), void *ctx);

/* How many threads work that keeps a processor busy is worth: those that we may use, few. */
unsigned int parallel_cpus(void);
