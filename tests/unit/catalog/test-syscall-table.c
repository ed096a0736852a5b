/* SPDX-License-Identifier: Apache-2.0 */
/* Names and numbers of system calls, against what the C library says. */
#include "base/macro.h"
#include "catalog/catalog.h"
#include "catalog/syscall-table.h"
#include "test.h"

#include <sys/syscall.h>

TEST(numbers)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
		{"accept4", SYS_accept4},
		{"bpf", SYS_bpf},
		{"execve", SYS_execve},
		{"openat", SYS_openat},
		{"sendfile", SYS_sendfile},
		{"write", SYS_write},
		{"statx", SYS_statx},
		{"io_uring_enter", 426},
		{"mseal", 462},
		{"umount2", SYS_umount2},
		{"newuname", SYS_uname},
		{"sendfile64", SYS_sendfile},
		{"umount", SYS_umount2},
		{"newfstat", SYS_fstat},
		{"no_such_call", -1},
		{"", -1},
		{"newfstatat", SYS_newfstatat},
	};

	for (size_t i = 0; i < ELEMENTS(known); i++)
		test_result(syscall_number(known[i].name) == known[i].number, __FILE__, __LINE__,
			    "%s is %d, expected %d", known[i].name, syscall_number(known[i].name),
			    known[i].number);
}

/* Each row finds itself both ways, so the table is sorted and no number stands twice. */
TEST(both_ways)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 1024; i++) {
		const char *name = syscall_number_name(i);

		if (!name)
			continue;
		n++;
		CHECK_EQ(syscall_number(name), i);
		CHECK_STREQ(syscall_name(i, false), name);
	}
	CHECK(n > 300);
	CHECK(!syscall_number_name(100000));
}
