/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine for tests: a handful of tracepoints, functions and programs, as tables.
 *
 * Its kernel types are those of the kernel that runs the test (the file that BTF names,
 * else /sys/kernel/btf/vmlinux), or none when that is not readable.
 */
#pragma once

#include "compile/world.h"

/* All features but those in `without` (1 << enum world_feature). */
struct world *world_fake_new(uint64_t without);
/* With kernel types of this file; NULL: without any. */
struct world *world_fake_new_btf(uint64_t without, const char *path);
/* With those of a blob, which is copied. */
struct world *world_fake_new_blob(uint64_t without, const void *blob, size_t n);
bool world_fake_has_btf(struct world *w);
/* Free what was answered: for worlds that live long. */
void world_fake_forget(struct world *w);
void world_fake_free(struct world *w);
