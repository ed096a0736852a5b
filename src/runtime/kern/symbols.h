/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of addresses: the kernel's (kallsyms), and processes' (ELF symbols of what they
 * have mapped, .gnu_debugdata, debug files by build id, /tmp/perf-PID.map).
 *
 * All lazy: nothing is read before the first question; results are cached.
 */
#pragma once

#include "base/str.h"

struct symbols;

enum symbols_cache { SYMBOLS_CACHE_PID, SYMBOLS_CACHE_PROGRAM, SYMBOLS_CACHE_NONE };

struct symbols *symbols_new(enum symbols_cache cache, bool demangle);
void symbols_free(struct symbols *s);

/* Append the name to `to`; *ret_offset is the distance from its beginning.  False: unknown. */
bool symbols_kernel(struct symbols *s, uint64_t address, struct buf *to, uint64_t *ret_offset);
/*
 * The same in process `pid`; `binary`, if not NULL, is what the probe was attached to, for
 * a process that has gone.  *ret_module gets the file's path.
 */
bool symbols_user(struct symbols *s, uint64_t address, uint32_t pid, const char *binary,
		  struct buf *to, uint64_t *ret_offset, struct buf *ret_module);
/* Remember a process's mappings while it lives: its stacks may be asked for later. */
void symbols_user_prepare(struct symbols *s, uint32_t pid);
