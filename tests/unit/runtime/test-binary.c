/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and libraries: this test itself, and a cache made by hand. */
#include "base/arena.h"
#include "runtime/kern/binary.h"
#include "test.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct cache {
	char old[16]; /* what older tables leave in front */
	char magic[20];
	uint32_t n, texts_n, flags, extension, unused[3];
	struct {
		int32_t flags;
		uint32_t key, value, osversion;
		uint64_t hwcap;
	} __attribute__((packed)) entries[4];
	char texts[128];
} __attribute__((packed));

#ifdef __aarch64__
enum { HERE = 0x0a03 };
#else
enum { HERE = 0x0303 };
#endif

static uint32_t text(struct cache *c, size_t *at, const char *s)
{
	uint32_t offset =
		(uint32_t)(offsetof(struct cache, texts) + *at - offsetof(struct cache, magic));

	memcpy(c->texts + *at, s, strlen(s) + 1);
	*at += strlen(s) + 1;
	return offset;
}

TEST(library_cache)
{
	static const char *const names[][2] = {
		{"libc.so.6", "/lib32/libc.so.6"},
		{"libcap.so.2", "/lib/libcap.so.2"},
		{"libc.so.6", "/lib/libc.so.6"},
		{"libssl.so", "/lib/libssl.so"},
	};
	struct cache c = {.old = "ld.so-1.7.0", .n = 4};
	struct str all = {(const char *)&c, sizeof(c)};
	size_t at = 0;

	memcpy(c.magic, "glibc-ld.so.cache1.1", sizeof(c.magic));
	for (size_t i = 0; i < ELEMENTS(names); i++) {
		c.entries[i].flags = i ? HERE : 3;
		c.entries[i].key = text(&c, &at, names[i][0]);
		c.entries[i].value = text(&c, &at, names[i][1]);
	}
	CHECK_STREQ(library_find(all, "libc"), "/lib/libc.so.6");
	CHECK_STREQ(library_find(all, "libc.so.6"), "/lib/libc.so.6");
	CHECK_STREQ(library_find(all, "libssl"), "/lib/libssl.so");
	CHECK(!library_find(all, "libss"));
	CHECK(!library_find(all, "lib"));
	CHECK(!library_find((struct str){NULL, 0}, "libc"));
	c.n = UINT32_MAX; /* more than there are */
	c.entries[3].value = 1 << 30;
	CHECK(!library_find(all, "libssl"));
	for (size_t n = 0; n < sizeof(c); n++) /* cut anywhere */
		library_find((struct str){(const char *)&c, n}, "libc");
	CHECK(library_find(all, "libcap"));
}

TEST(names)
{
	struct arena a = {0};

	CHECK(binary_find(&a, "sh", 0));
	CHECK(binary_find(&a, "/proc/self/exe", 0));
	CHECK(binary_find(&a, "libc", 0));
	CHECK(binary_find(&a, "libc", getpid()));
	CHECK(!binary_find(&a, "no-such-program", 0));
	CHECK(!binary_find(&a, "/no/such/program", 0));
	CHECK(!binary_find(&a, "", 0));
	CHECK(!binary_find(&a, "/", 0));
	arena_done(&a);
}

int test_binary_target(int x);
__attribute__((noinline, used)) int test_binary_target(int x)
{
	__asm__ volatile(".pushsection .note.stapsdt,\"?\",\"note\"\n"
			 ".balign 4\n"
			 ".4byte 992f-991f, 994f-993f, 3\n"
			 "991: .asciz \"stapsdt\"\n"
			 "992: .balign 4\n"
			 "993: .8byte test_binary_target\n"
			 ".8byte 0\n"
			 ".8byte 0\n"
			 ".asciz \"skep\"\n"
			 ".asciz \"here\"\n"
			 ".asciz \"-4@%edi\"\n"
			 "994: .balign 4\n"
			 ".popsection\n");
	return x + 1;
}

struct seen {
	unsigned int n;
	uint64_t value;
	const struct elf_view *v;
	struct binary_usdt usdt;
};

static void take(void *ctx, const struct elf_symbol *s)
{
	struct seen *seen = ctx;

	if (!strcmp(s->name, "test_binary_target")) {
		seen->n++;
		seen->value = s->value;
	}
}

static void take_usdt(void *ctx, const struct binary_usdt *u)
{
	struct seen *seen = ctx;

	seen->usdt = *u;
	seen->n++;
}

TEST(this_program)
{
	struct seen s = {0}, u = {0};
	uint64_t offset = 0, address = 0;
	struct binary b;

	CHECK_EQ(binary_open(&b, "/proc/self/exe"), 0);
	binary_symbols(&b, true, take, &s);
	CHECK(s.n >= 1);
	CHECK(elf_offset(&b.elf, s.value, &offset));
	CHECK(elf_address(&b.elf, offset, &address));
	CHECK_EQ(address, s.value);
	CHECK(elf_build_id(&b.elf).n == 20 || !elf_build_id(&b.elf).n);
	binary_usdts(&b.elf, take_usdt, &u);
	CHECK_EQ(u.n, 1);
	CHECK_STREQ(u.usdt.provider, "skep");
	CHECK_STREQ(u.usdt.name, "here");
	CHECK_STREQ(u.usdt.args, "-4@%edi");
	CHECK_EQ(u.usdt.semaphore, 0);
	CHECK_EQ(u.usdt.offset, offset);
	binary_close(&b);
	binary_close(&b);
}

TEST(no_program)
{
	struct binary b;
	struct elf_view v;
	unsigned char head[64] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1};
	struct elf_section s;
	struct elf_segment g;

	CHECK_EQ(binary_open(&b, "/no/such/file"), -ENOENT);
	CHECK_EQ(binary_open(&b, "/proc/self/maps"), -ENOEXEC);
	CHECK_EQ(binary_open(&b, "/"), -ENOEXEC);
	CHECK_EQ(elf_view_init(&v, head, 3), -ENOEXEC);
	CHECK_EQ(elf_view_init(&v, head, sizeof(head)), 0);
	CHECK(!elf_section_get(&v, 0, &s));
	CHECK(!elf_segment_get(&v, 0, &g));
	memset(head + 16, 0xff, sizeof(head) - 16); /* every offset and number wrong */
	elf_view_init(&v, head, sizeof(head));
	CHECK(!elf_section_get(&v, 0, &s));
	CHECK(!elf_segment_get(&v, 0, &g));
	CHECK(!elf_section_find(&v, ".text", &s));
}

TEST(demangling)
{
	char *s = binary_demangle("_ZN3foo3barEiPKc");

	CHECK_STREQ(s, "foo::bar(int, char const*)");
	free(s);
	CHECK(!binary_demangle("main"));
	CHECK(!binary_demangle("_Zzzz"));
	CHECK(!binary_demangle(""));
}
