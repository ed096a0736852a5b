/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program to be traced: functions, a variable, static probes.
 *
 *	probed N [MS]      N rounds, MS milliseconds apart (10)
 *
 * Round i calls probed_add(i, 7) and probed_name("round i"), hits the static probe
 * demo:round with i and 2i, writes i into probed_count, and, if someone has asked for it by
 * its semaphore, hits demo:asked.
 *
 * The static probes are written by hand, as <sys/sdt.h> makes them: a nop, and a note with
 * its address, the semaphore's, the provider, the name and where the arguments are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

volatile long probed_count;
__attribute__((section(".probes"))) volatile unsigned short demo_asked_semaphore;

#define NOTE(semaphore, name, args)                         \
	"990: nop\n"                                        \
	".pushsection .note.stapsdt,\"\",\"note\"\n"        \
	".balign 4\n"                                       \
	".4byte 992f-991f, 994f-993f, 3\n"                  \
	"991: .asciz \"stapsdt\"\n"                         \
	"992: .balign 4\n"                                  \
	"993: .8byte 990b, _.stapsdt.base, " semaphore "\n" \
	".asciz \"demo\"\n"                                 \
	".asciz \"" name "\"\n"                             \
	".asciz \"" args "\"\n"                             \
	"994: .balign 4\n"                                  \
	".popsection\n"

__asm__(".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"
	".weak _.stapsdt.base\n"
	".hidden _.stapsdt.base\n"
	"_.stapsdt.base: .space 1\n"
	".size _.stapsdt.base, 1\n"
	".popsection\n");

__attribute__((noinline)) long probed_add(long a, long b);
__attribute__((noinline)) long probed_add(long a, long b)
{
	__asm__ volatile("");
	return a + b;
}

__attribute__((noinline)) int probed_name(const char *name);
__attribute__((noinline)) int probed_name(const char *name)
{
	__asm__ volatile("" : : "r"(name));
	return 0;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1, sum = 0;
	useconds_t pause = (argc > 2 ? (useconds_t)atol(argv[2]) : 10) * 1000;
	char name[32];

	for (long i = 1; i <= n; i++) {
		sum += probed_add(i, 7);
		snprintf(name, sizeof(name), "round %ld", i);
		probed_name(name);
		__asm__ volatile(NOTE("0", "round", "-8@%0 -8@%1") : : "r"(i), "r"(2 * i));
		if (demo_asked_semaphore)
			__asm__ volatile(NOTE("demo_asked_semaphore", "asked", "-8@%0") : : "r"(i));
		probed_count = i;
		usleep(pause);
	}
	return sum < 0;
}
