/* SPDX-License-Identifier: Apache-2.0 */
/* Calls a function that nothing but probes cares about: hit(text, number, size). */
/* build: -fno-inline */
#include "work.h"

void hit(const char *text, uint64_t number, uint64_t size);

__attribute__((noinline, used)) void hit(const char *text, uint64_t number, uint64_t size)
{
	asm volatile("" : : "r"(text), "r"(number), "r"(size));
}

static void one(void)
{
	static const char *const texts[] = {"/usr/lib/x86_64-linux-gnu/libc.so.6", "/etc/passwd",
					    "/tmp/a", "a name of middle length"};
	static uint64_t turn;

	turn++;
	hit(texts[turn % 4], turn % 32, turn * 37 % 65536);
}

int main(void)
{
	return work_main(one);
}
