/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks.  That of user space is what the hook finds; the runtime is no kernel, so its "kernel
 * stack" has no frames.
 */
#include "runtime/vm/helper/calls.h"

#include <string.h>

enum { FRAMES = 127 }; /* as sysctl kernel.perf_event_max_stack */

static unsigned int find_frames(uint64_t flags, uint64_t *frames, unsigned int room)
{
	const struct vm_run *run = vm_current;

	if (!(flags & BPF_F_USER_STACK) || !run->memory || !run->memory->stack)
		return 0;
	return run->memory->stack(run->memory->ctx, run->task, frames, room);
}

static uint64_t get_stack(void *to, uint32_t n, uint64_t flags)
{
	unsigned int skip = flags & BPF_F_SKIP_FIELD_MASK, room = n / 8, found;
	uint64_t frames[FRAMES];
	int r = -EINVAL;

	memset(to, 0, n);
	if (flags & ~(uint64_t)(BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_USER_BUILD_ID))
		return call_error(r);
	if (n % 8)
		return call_error(r);
	if (flags & BPF_F_USER_BUILD_ID)
		return call_error(flags & BPF_F_USER_STACK ? -EOPNOTSUPP : -EINVAL);
	room = room + skip < FRAMES ? room + skip : FRAMES;
	found = find_frames(flags, frames, room);
	if (found < skip)
		return call_error(-EFAULT);
	found = found - skip < n / 8 ? found - skip : n / 8;
	memcpy(to, frames + skip, found * 8);
	return found * 8;
}

CALL(helper_get_stack)
{
	return get_stack(call_pointer(b), (uint32_t)c, d);
}

CALL(helper_get_task_stack)
{
	return get_stack(call_pointer(b), (uint32_t)c, d);
}

CALL(helper_get_stackid)
{
	struct vm_map *m = call_map(b);
	unsigned int skip = c & BPF_F_SKIP_FIELD_MASK, room = m->def.value_size / 8, found;
	uint64_t frames[FRAMES];

	if (c & ~(uint64_t)(BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP |
			    BPF_F_REUSE_STACKID))
		return call_error(-EINVAL);
	room = room + skip < FRAMES ? room + skip : FRAMES;
	found = find_frames(c, frames, room);
	if (found <= skip)
		return call_error(-EFAULT);
	return call_error(map_stack_id(m, frames + skip, found - skip, c));
}
