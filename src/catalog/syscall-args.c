/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/syscall-args.h"

#include "base/macro.h"

#include <stdlib.h>
#include <string.h>

static const struct syscall_args calls[] = {
#define ARGS(name, ...) {#name, {__VA_ARGS__}},
#include "catalog/syscall-args.def"
#undef ARGS
};

static int by_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct syscall_args *)row)->name);
}

const struct syscall_args *syscall_args(const char *name)
{
	return bsearch(name, calls, ELEMENTS(calls), sizeof(*calls), by_name);
}

const struct syscall_args *syscall_args_at(size_t i)
{
	return i < ELEMENTS(calls) ? &calls[i] : NULL;
}
