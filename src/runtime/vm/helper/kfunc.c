/* SPDX-License-Identifier: Apache-2.0 */
/* kfuncs of no particular subject. */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/format.h"
#include "runtime/vm/helper/memory.h"
#include "runtime/vm/helper/print.h"

#include <string.h>

/* Locks of the kernel's that keep its objects alive: there are none. */
CALL(kfunc_nothing)
{
	return 0;
}

/* Casts, and references to what needs no counting. */
CALL(kfunc_same)
{
	return a;
}

CALL(kfunc_irq_save)
{
	memset(call_pointer(a), 0, 8);
	return 0;
}

/* Engines do it themselves (code_call). */
CALL(kfunc_throw)
{
	return 0;
}

CALL(kfunc_arena_alloc_pages)
{
	/* one node of memory: 0, or any */
	if (e || ((int32_t)d != -1 && (int32_t)d))
		return 0;
	return call_number(map_arena_alloc(call_map(a), b, (uint32_t)c));
}

CALL(kfunc_arena_free_pages)
{
	map_arena_free(call_map(a), b, (uint32_t)c);
	return 0;
}

CALL(kfunc_stream_vprintk)
{
	int n = print_args(c, (uint32_t)d);

	if (n < 0)
		return call_error(n);
	if ((int32_t)a != 1 && (int32_t)a != 2) /* BPF_STDOUT, BPF_STDERR */
		return call_error(-ENOENT);
	return call_error(
		print_format(call_pointer(b), SIZE_MAX / 2, call_pointer(c), (unsigned int)n));
}

/* Only the one that runs is known. */
CALL(kfunc_task_from_pid)
{
	const struct vm_task *t = vm_current->task;

	return t && (int32_t)a > 0 && t->tid == (uint32_t)a
		       ? helper_get_current_task_btf(0, 0, 0, 0, 0)
		       : 0;
}

CALL(kfunc_copy_from_user_str)
{
	enum { PAD_ZEROS = 1 };
	uint32_t n = (uint32_t)b;
	int64_t r;

	if (d & ~(uint64_t)PAD_ZEROS)
		return call_error(-EINVAL);
	if (!n)
		return 0;
	r = memory_read_str(memory_read_user, call_pointer(a), c, n);
	if (r < 0)
		memset(call_pointer(a), 0, n);
	else if (d & PAD_ZEROS)
		memset((char *)call_pointer(a) + r, 0, n - (size_t)r);
	return call_error(r);
}

static uint64_t count_one(void *ctx, struct vm_map *m, const void *key, void *value)
{
	return 0;
}

CALL(kfunc_map_count)
{
	int64_t n = map_each_element(call_map(a), 0, count_one, NULL);

	return n < 0 ? 0 : (uint64_t)n;
}
