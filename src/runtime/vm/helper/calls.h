/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How helpers are written: what table.def and kfuncs.def name, and what they share.
 *
 *	CALL(helper_get_smp_processor_id)
 *	{
 *		return vm_current->cpu;
 *	}
 *
 * All take r1 … r5 as a … e and give r0.  What the verifier has proved of them is not checked
 * again: a map is a map, memory is as large as its size says.
 */
#pragma once

#include "runtime/vm/helper/helper.h"

#include <errno.h>

#define CALL(name) uint64_t name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)

#define HELPER(name)		CALL(helper_##name);
#define HELPER_AT(number, name) CALL(helper_##name);
#include "runtime/vm/helper/table.def"
#undef HELPER
#undef HELPER_AT

#define KFUNC(name, function) CALL(kfunc_##function);
#include "runtime/vm/helper/kfunc-table.def"
#undef KFUNC

static inline void *call_pointer(uint64_t r)
{
	return (void *)(uintptr_t)r;
}
static inline struct vm_map *call_map(uint64_t r)
{
	return (struct vm_map *)(uintptr_t)r;
}
static inline uint64_t call_number(const void *p)
{
	return (uintptr_t)p;
}
/* -errno in r0. */
static inline uint64_t call_error(int64_t r)
{
	return (uint64_t)r;
}
