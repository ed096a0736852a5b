/* SPDX-License-Identifier: Apache-2.0 */
/* Loops, locks, and other things that a program does to itself. */
#include "runtime/vm/helper/calls.h"

#include "runtime/vm/map/room.h"

enum { LOOPS_MAX = 8 << 20 };

CALL(helper_loop)
{
	uint32_t n = (uint32_t)a;

	if (d)
		return call_error(-EINVAL);
	if (n > LOOPS_MAX)
		return call_error(-E2BIG);
	for (uint32_t i = 0; i < n; i++)
		if (code_callback(b, i, c, 0, 0, 0) || vm_current->unwind)
			return i + 1;
	return n;
}

/* Engines do it themselves (code_call); to be called it is refused as a full chain is. */
CALL(helper_tail_call)
{
	return call_error(-EINVAL);
}

CALL(helper_spin_lock)
{
	lock_take(call_pointer(a));
	return 0;
}

CALL(helper_spin_unlock)
{
	lock_give(call_pointer(a));
	return 0;
}

CALL(helper_kptr_xchg)
{
	return __atomic_exchange_n((uint64_t *)call_pointer(a), b, __ATOMIC_SEQ_CST);
}

/* Per-cpu variables of the kernel: the runtime has one of each, so all cpus have the same. */
CALL(helper_per_cpu_ptr)
{
	return (uint32_t)b < 1024 ? a : 0;
}

CALL(helper_this_cpu_ptr)
{
	return a;
}
