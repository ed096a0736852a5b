/* SPDX-License-Identifier: Apache-2.0 */
/* Names of addresses: of the kernel's list, of this program, of one that is gone. */
#include "runtime/kern/kallsyms.h"
#include "runtime/kern/symbols.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TEST(kallsyms)
{
	static const char text[] = "ffffffff81000000 T _text\n"
				   "ffffffff81000000 t startup_64\n"
				   "ffffffff81001000 T vfs_read\n"
				   "ffffffff81000800 d some_data\n"
				   "nonsense\n"
				   "ffffffffc0001000 t helper\t[ext4]\n"
				   "ffffffffc0001100 t vfs_read\t[ext4]\n"
				   "ffffffffc0002000 t last\t[nf]";
	const struct kallsym *s;
	struct kallsyms k;

	kallsyms_parse(&k, str_of(text));
	CHECK_EQ(k.n, 7);
	CHECK(!k.is_hidden);
	s = kallsyms_at(&k, 0xffffffff81001005);
	CHECK(s);
	CHECK_STREQ(kallsym_name(&k, s), "vfs_read");
	CHECK_STREQ(kallsym_module(&k, s), "");
	s = kallsyms_at(&k, 0xffffffffc0001001);
	CHECK_STREQ(kallsym_name(&k, s), "helper");
	CHECK_STREQ(kallsym_module(&k, s), "ext4");
	s = kallsyms_at(&k, 0xffffffffc0002001);
	CHECK_STREQ(kallsym_module(&k, s), "nf");
	CHECK_STREQ(kallsym_name(&k, kallsyms_at(&k, 0xffffffff81000000)), "_text");
	CHECK(!kallsyms_at(&k, 0xffffffff80ffffff));
	CHECK(!kallsyms_at(&k, 0xfffffffff0000000));
	CHECK_EQ(kallsyms_named(&k, "vfs_read")->address, 0xffffffff81001000);
	CHECK_EQ(kallsyms_named(&k, "helper")->address, 0xffffffffc0001000);
	CHECK(!kallsyms_named(&k, "nothing"));
	kallsyms_done(&k);
}

TEST(kallsyms_hidden)
{
	struct kallsyms k;

	kallsyms_parse(&k, STR("0000000000000000 T a\n0000000000000000 T b\n"));
	CHECK(k.is_hidden);
	CHECK(!kallsyms_at(&k, 0));
	kallsyms_done(&k);
	kallsyms_parse(&k, STR(""));
	CHECK(!kallsyms_at(&k, 5));
	CHECK(!kallsyms_named(&k, "a"));
	kallsyms_done(&k);
}

/* What the kernel says of one name is what its list has. */
TEST(kallsyms_asked)
{
	static const char *const names[] = {"_stext", "_etext", "kfree", "no_such_symbol_here"};
	struct kallsyms k;
	uint64_t address = 0;

	if (kallsyms_ask("_stext", &address) < 0) {
		test_skip("this kernel, or these privileges, let no program ask for symbols");
		return;
	}
	kallsyms_read(&k);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct kallsym *s = kallsyms_named(&k, names[i]);
		int r = kallsyms_ask(names[i], &address);

		CHECK_EQ(r, s ? 0 : -ENOENT);
		CHECK(!s || s->address == address);
	}
	CHECK_EQ(kallsyms_ask("", &address), -ENAMETOOLONG);
	kallsyms_done(&k);
}

int test_symbols_target(int x);
__attribute__((noinline, used)) int test_symbols_target(int x)
{
	__asm__ volatile("");
	return x + 1;
}

static void check_name(struct symbols *s, uint32_t pid, uint64_t address, const char *name,
		       uint64_t offset, const char *module)
{
	struct buf to = {0}, file = {0};
	uint64_t at = 99;
	bool ok = symbols_user(s, address, pid, NULL, &to, &at, &file);

	test_result(ok && to.p && !strcmp(to.p, name), __FILE__, __LINE__, "%s, expected %s",
		    to.p ? to.p : "(unknown)", name);
	CHECK_EQ(at, offset);
	test_result(file.p && strstr(file.p, module), __FILE__, __LINE__, "in %s, expected %s",
		    file.p ? file.p : "(unknown)", module);
	buf_done(&to);
	buf_done(&file);
}

TEST(this_process)
{
	struct symbols *s = symbols_new(SYMBOLS_CACHE_PID, true);
	uint64_t target = (uintptr_t)test_symbols_target, at;
	struct buf to = {0};

	check_name(s, (uint32_t)getpid(), target, "test_symbols_target", 0, "test-symbols");
	check_name(s, (uint32_t)getpid(), target + 1, "test_symbols_target", 1, "test-symbols");
	CHECK(!symbols_user(s, 16, (uint32_t)getpid(), NULL, &to, &at, NULL));
	CHECK(!symbols_user(s, target, 1u << 30, NULL, &to, &at, NULL));
	buf_done(&to);
	symbols_free(s);
	symbols_free(NULL);
}

/* Prepared while it lives, asked when it is gone. */
TEST(gone_process)
{
	struct symbols *s = symbols_new(SYMBOLS_CACHE_PID, true);
	int fds[2], status;
	char byte;
	pid_t pid;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 0 ? 0 : 1);
	}
	symbols_user_prepare(s, (uint32_t)pid);
	symbols_user_prepare(s, (uint32_t)pid);
	close(fds[0]);
	close(fds[1]);
	waitpid(pid, &status, 0);
	check_name(s, (uint32_t)pid, (uintptr_t)test_symbols_target + 2, "test_symbols_target", 2,
		   "test-symbols");
	symbols_free(s);
}

/* Code that was made at run time, and listed as compilers do. */
TEST(perf_map)
{
	struct symbols *s = symbols_new(SYMBOLS_CACHE_PID, true);
	struct buf to = {0};
	uint64_t at = 0;
	char path[64];
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	f = fopen(path, "we");
	CHECK(f);
	if (!f)
		return;
	fprintf(f, "%lx 10 LazyCompile:~main file.js:1\nnonsense\n%lx 20 later\n",
		(unsigned long)code, (unsigned long)code + 32);
	fclose(f);
	CHECK(symbols_user(s, (uintptr_t)code + 3, (uint32_t)getpid(), NULL, &to, &at, NULL));
	CHECK_STREQ(to.p, "LazyCompile:~main file.js:1");
	CHECK_EQ(at, 3);
	CHECK(!symbols_user(s, (uintptr_t)code + 20, (uint32_t)getpid(), NULL, &to, &at, NULL));
	unlink(path);
	munmap(code, 4096);
	buf_done(&to);
	symbols_free(s);
}
