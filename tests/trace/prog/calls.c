/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls functions that probes are set on.
 *
 *   calls say TEXT | add A B | times N | cpus N | narrow | bytes | own | main | stack
 *   calls watch | loop
 *
 * build: -g -fno-omit-frame-pointer -fno-inline -no-pie
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEEP __attribute__((noinline, noclone, used))

int number_of_calls = 7;
const char *greeting = "good day";
uint8_t one_byte = 100, own[] = {1, 2, 3};
uint64_t large = 0x1122334455667788;

KEEP int say(const char *text)
{
	__asm__ volatile("" ::"r"(text) : "memory");
	return (int)strlen(text);
}

KEEP long add(long a, long b)
{
	number_of_calls++;
	return a + b;
}

KEEP int six(int a, int b, int c, int d, int e, int f)
{
	__asm__ volatile("" ::: "memory");
	return a - b + c - d + e - f;
}

KEEP int tick(int i)
{
	__asm__ volatile("" ::: "memory");
	return i * i;
}

KEEP int8_t narrow(int8_t a, uint8_t b, int16_t c, uint16_t d)
{
	__asm__ volatile("" ::: "memory");
	return (int8_t)(a + b + c + d);
}

KEEP int bytes(const uint8_t *p, unsigned int n)
{
	__asm__ volatile("" ::"r"(p) : "memory");
	return (int)n;
}

KEEP int words(const char **argv)
{
	__asm__ volatile("" ::"r"(argv) : "memory");
	return argv[0] != NULL;
}

KEEP int inner(int x)
{
	__asm__ volatile("" ::: "memory");
	return x + 1;
}

KEEP int middle(int x)
{
	return inner(x) + 1;
}

KEEP int outer(int x)
{
	return middle(x) + 1;
}

/* Writes to a place that everybody knows. */
static int watched(void)
{
	volatile uint32_t *p = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	for (uint32_t i = 0; i < 5; i++) {
		*p = i;
		usleep(20000);
	}
	return 0;
}

/* tick(0…2n-1): one half on the first processor that we may use, one on the last. */
static void on_two_cpus(int n)
{
	cpu_set_t all, one;
	int first = -1, last = -1;

	sched_getaffinity(0, sizeof(all), &all);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		first = first < 0 ? i : first;
		last = i;
	}
	for (int i = 0; i < 2 * n; i++) {
		CPU_ZERO(&one);
		CPU_SET(i < n ? last : first, &one);
		sched_setaffinity(0, sizeof(one), &one);
		tick(i);
	}
}

int main(int argc, char **argv)
{
	static const uint8_t data[] = {0, 1, 'A', 'z', 0xff, 0x7f, 0x20, 0};
	static const uint8_t mac[] = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01};
	static const char *list[] = {"one", "two", "three", NULL};
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "say"))
		return say(argv[2]) < 0;
	if (!strcmp(what, "add"))
		return add(atol(argv[2]), atol(argv[3])) == 1234;
	if (!strcmp(what, "six"))
		return six(1, 2, 3, 4, 5, 6) == 1234;
	if (!strcmp(what, "narrow"))
		return narrow(-1, 255, -2, 65535) == 123;
	(void)*(const volatile uint8_t *)data; /* a page that nobody read is not there */
	if (!strcmp(what, "bytes"))
		return bytes(data, sizeof(data)) == 1234;
	if (!strcmp(what, "mac"))
		return bytes(mac, sizeof(mac)) == 1234;
	if (!strcmp(what, "own")) /* twice: somebody else may write to it */
		return bytes(own, sizeof(own)) + bytes(own, sizeof(own)) == 1234;
	if (!strcmp(what, "words"))
		return words(list) == 1234;
	if (!strcmp(what, "stack"))
		return outer(1) == 1234;
	if (!strcmp(what, "watch"))
		return watched();
	if (!strcmp(what, "times"))
		for (int i = 0; i < atoi(argv[2]); i++)
			tick(i);
	if (!strcmp(what, "cpus"))
		on_two_cpus(atoi(argv[2]));
	if (!strcmp(what, "loop"))
		for (int i = 0;; i++) {
			tick(i);
			usleep(1000);
		}
	return 0;
}
