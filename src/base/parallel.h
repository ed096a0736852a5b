/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several things at once: above all system calls in which the kernel works or waits for long.
 *
 * Threads are made for the work and end with it, before privileges are dropped: they are a
 * thread's.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>

/*
 * As pthread_create(), an errno or 0; signals are for the main thread.  `stack`: bytes; what
 * only makes a system call needs THREAD_STACK_SMALL.  It runs on other processors than this one,
 * if there are some.
 */
enum { THREAD_STACK_SMALL = 128 << 10, THREAD_STACK = 8 << 20 };
int thread_start(pthread_t *thread, size_t stack, void *(*fn)(void *), void *arg);

/*
 * Call fn(ctx, 0) to fn(ctx, n - 1), in any order, in at most `threads` threads; this one is
 * among them.  Returns when all have returned.
 */
void parallel_run(size_t n, unsigned int threads, void (*fn)(void *ctx, size_t i), void *ctx);

/*
 * A second thread that stays: it does one job after the other, while we do something else.  Who
 * waits for a job does it, and those before it, as far as they are not begun.
 * NULL is a helper, too, without a thread: jobs are done at once.
 */
struct helper;
struct helper *helper_start(void); /* NULL: there is one processor, or no more threads */
unsigned int helper_do(struct helper *h, void (*job)(void *ctx), void *ctx); /* the job's number */
void helper_wait(struct helper *h, unsigned int job); /* until it is done, and those before it */
/* As parallel_run(); the helper is one of the threads, when it has done its jobs, which are done
 * in any case when this returns. */
void helper_run(struct helper *h, size_t n, unsigned int threads, void (*fn)(void *ctx, size_t i),
		void *ctx);
void helper_end(struct helper *h); /* when its jobs are done */

/* How many threads work that keeps a processor busy is worth: those that we may use, few. */
unsigned int parallel_cpus(void);
