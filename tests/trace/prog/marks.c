/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Static probes (USDT), as <sys/sdt.h> would build them in: a nop, and a note that says
 * where it stands, how it is called and where its arguments are.
 *
 *   marks:start          no arguments
 *   marks:values         an int of -5, a u64, a byte, a text
 *   marks:guarded        has a semaphore: is passed only while somebody listens; with an
 *                        argument, the program tells if nobody does
 *   other:start          the same name of another provider
 *
 * build: -O1 -g -no-pie
 */
#include <stdint.h>
#include <stdio.h>

/* clang-format off */
#define NOTE(provider, name, semaphore, arguments)                                        \
	".pushsection .note.stapsdt, \"\", \"note\"\n"                                    \
	".balign 4\n"                                                                     \
	".4byte 992f - 991f, 994f - 993f, 3\n"                                            \
	"991: .asciz \"stapsdt\"\n"                                                       \
	"992: .balign 4\n"                                                                \
	"993: .8byte 990b\n"                                                              \
	".8byte _.stapsdt.base\n"                                                         \
	".8byte " semaphore "\n"                                                          \
	".asciz \"" provider "\"\n"                                                       \
	".asciz \"" name "\"\n"                                                           \
	".asciz \"" arguments "\"\n"                                                      \
	"994: .balign 4\n"                                                                \
	".popsection\n"                                                                   \
	".ifndef _.stapsdt.base\n"                                                        \
	".pushsection .stapsdt.base, \"aG\", \"progbits\", .stapsdt.base, comdat\n"       \
	".weak _.stapsdt.base\n"                                                          \
	".hidden _.stapsdt.base\n"                                                        \
	"_.stapsdt.base: .space 1\n"                                                      \
	".size _.stapsdt.base, 1\n"                                                       \
	".popsection\n"                                                                   \
	".endif\n"
/* clang-format on */

__attribute__((section(".probes"), used)) volatile uint16_t marks_guarded_semaphore;

__attribute__((noinline)) static void start(void)
{
	__asm__ volatile("990: nop\n" NOTE("marks", "start", "0", ""));
	__asm__ volatile("990: nop\n" NOTE("other", "start", "0", ""));
}

__attribute__((noinline)) static void values(int a, uint64_t b, uint8_t c, const char *text)
{
	__asm__ volatile("990: nop\n" NOTE("marks", "values", "0", "-4@%0 8@%1 1@%2 8@%3")
			 :
			 : "nor"(a), "nor"(b), "nor"(c), "nor"(text));
}

__attribute__((noinline)) static void guarded(int n, int is_loud)
{
	if (marks_guarded_semaphore)
		__asm__ volatile(
			"990: nop\n" NOTE("marks", "guarded", "marks_guarded_semaphore", "-4@%0")
			:
			: "nor"(n));
	else if (is_loud)
		puts("nobody listens");
}

int main(int argc, char **argv)
{
	static const char text[] = "a text";

	(void)argv;
	(void)*(const volatile char *)text; /* a page that nobody read is not there */
	start();
	values(-5, 0x1122334455667788, 200, text);
	guarded(9, argc > 1);
	return 0;
}
