/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/syscall-table.h"

#include "base/macro.h"

#include <stdlib.h>
#include <string.h>

#ifdef __aarch64__
#define HERE(x86_64, arm64) arm64
#else
#define HERE(x86_64, arm64) x86_64
#endif

static const struct call {
	const char *name;
	int number;
} calls[] = {
#define CALL(name, x86_64, arm64) {#name, HERE(x86_64, arm64)},
#include "catalog/syscall-table.def"
#undef CALL
};

/* What the kernel calls its function, and so the tracepoint. */
static const struct {
	const char *kernel, *user;
} spellings[] = {
	{"newfstat", "fstat"}, {"newlstat", "lstat"},	   {"newstat", "stat"},
	{"newuname", "uname"}, {"sendfile64", "sendfile"}, {"umount", "umount2"},
};

static int by_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct call *)row)->name);
}

int syscall_number(const char *name)
{
	const struct call *c;

	for (size_t i = 0; i < ELEMENTS(spellings); i++)
		if (!strcmp(spellings[i].kernel, name))
			name = spellings[i].user;
	c = bsearch(name, calls, ELEMENTS(calls), sizeof(*calls), by_name);
	return c ? c->number : -1;
}

const char *syscall_number_name(unsigned int number)
{
	for (size_t i = 0; i < ELEMENTS(calls); i++)
		if (calls[i].number >= 0 && (unsigned int)calls[i].number == number)
			return calls[i].name;
	return NULL;
}
