/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all workloads have in common: the harness asks, they work, they answer.
 *
 * First a line `pid N` comes out.  Then each line `N [RATE]` on standard input means: do it
 * N times, at most RATE times a second if that is given; the answer is one line with the
 * nanoseconds that the work itself took (waiting for the rate is not work) and those that
 * passed.  The end of standard input ends the program.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t work_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static inline void work_fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Spins, since a sleep would add a wake-up to what is measured. */
static inline uint64_t work_paced(void (*one)(void), uint64_t n, uint64_t rate)
{
	uint64_t begin = work_now_ns(), spent = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t due = begin + i * 1000000000ull / rate, start;

		do
			start = work_now_ns();
		while (start < due);
		one();
		spent += work_now_ns() - start;
	}
	return spent;
}

static inline int work_main(void (*one)(void))
{
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	printf("pid %d\n", getpid());
	while (fgets(line, sizeof(line), stdin)) {
		char *rest;
		uint64_t n = strtoull(line, &rest, 10), rate = strtoull(rest, NULL, 10);
		uint64_t begin = work_now_ns(), spent, passed;

		if (rate) {
			spent = work_paced(one, n, rate);
			passed = work_now_ns() - begin;
		} else {
			for (uint64_t i = 0; i < n; i++)
				one();
			spent = passed = work_now_ns() - begin;
		}
		printf("%llu %llu\n", (unsigned long long)spent, (unsigned long long)passed);
	}
	return 0;
}
