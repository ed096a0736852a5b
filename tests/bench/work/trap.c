/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a system call costs whoever makes it: trap FILE N ROUNDS.  Writes the fewest nanoseconds
 * a call of ROUNDS rounds of N to FILE.  Started by the tracer, so it measures by itself.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long n = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long rounds = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	double least = 1e18;
	FILE *f;

	if (!n || !rounds)
		return 2;
	while (rounds--) {
		uint64_t start = now();
		double one;

		for (unsigned long i = 0; i < n; i++)
			syscall(SYS_getppid);
		one = (double)(now() - start) / (double)n;
		least = one < least ? one : least;
	}
	f = fopen(argv[1], "w");
	if (!f)
		return 1;
	fprintf(f, "%.1f\n", least);
	return fclose(f) ? 1 : 0;
}
