/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of ring buffers and of perf event arrays. */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/dynptr.h"

#include <string.h>

CALL(helper_ringbuf_reserve)
{
	return call_number(map_ring_reserve(call_map(a), b, c));
}

CALL(helper_ringbuf_submit)
{
	map_ring_submit(map_ring_of(call_pointer(a)), call_pointer(a), b, false);
	return 0;
}

CALL(helper_ringbuf_discard)
{
	map_ring_submit(map_ring_of(call_pointer(a)), call_pointer(a), b, true);
	return 0;
}

CALL(helper_ringbuf_output)
{
	return call_error(map_ring_output(call_map(a), call_pointer(b), c, d));
}

CALL(helper_ringbuf_query)
{
	return map_ring_query(call_map(a), b);
}

CALL(helper_ringbuf_reserve_dynptr)
{
	struct dynptr *p = call_pointer(d);
	void *sample;

	dynptr_clear(p);
	if (c)
		return call_error(-EINVAL);
	if ((uint32_t)b > DYNPTR_SIZE_MAX)
		return call_error(-E2BIG);
	sample = map_ring_reserve(call_map(a), (uint32_t)b, 0);
	if (!sample)
		return call_error(-EINVAL);
	dynptr_init(p, DYNPTR_RING, sample, (uint32_t)b);
	return 0;
}

static uint64_t finish(struct dynptr *p, uint64_t flags, bool discard)
{
	if (p->data)
		map_ring_submit(map_ring_of(p->data), p->data, flags, discard);
	dynptr_clear(p);
	return 0;
}

CALL(helper_ringbuf_submit_dynptr)
{
	return finish(call_pointer(a), b, false);
}

CALL(helper_ringbuf_discard_dynptr)
{
	return finish(call_pointer(a), b, true);
}

/* --- the other way: records of user space */

struct drained {
	uint64_t function, ctx;
};

static int take_record(void *ctx, const void *record, uint32_t n)
{
	const struct drained *x = ctx;
	struct dynptr p;
	uint64_t r;

	dynptr_init(&p, DYNPTR_LOCAL, (void *)(uintptr_t)record, n);
	r = code_callback(x->function, call_number(&p), x->ctx, 0, 0, 0);
	return r || vm_current->unwind;
}

CALL(helper_user_ringbuf_drain)
{
	struct drained x = {.function = b, .ctx = c};

	return call_error(map_user_ring_drain(call_map(a), d, take_record, &x));
}

/* --- perf event array */

/* Bytes of the packet that come behind the record (skb, XDP: in the flags). */
static int64_t packet_bytes(uint64_t flags)
{
	uint64_t n = (flags & BPF_F_CTXLEN_MASK) >> 32;
	const struct vm_run *run = vm_current;

	if (n && !run->data)
		return -EINVAL;
	return n > (uint64_t)(run->data_end - run->data) ? -EFAULT : (int64_t)n;
}

CALL(helper_perf_event_output)
{
	const struct vm_run *run = vm_current;
	struct vm_map *m = call_map(b);
	uint64_t index = c & BPF_F_INDEX_MASK;
	int64_t more;
	char *to;

	if (c & ~(uint64_t)(BPF_F_INDEX_MASK | BPF_F_CTXLEN_MASK))
		return call_error(-EINVAL);
	more = packet_bytes(c);
	if (more < 0)
		return call_error(more);
	if (index == BPF_F_CURRENT_CPU)
		index = run->cpu;
	if (index >= m->def.max_entries)
		return call_error(-E2BIG);
	if (index >= m->cpus)
		return call_error(-ENOENT); /* nobody has opened an event there */
	if (index != run->cpu)
		return call_error(-EOPNOTSUPP);
	to = map_ring_reserve(m, e + (uint64_t)more, 0);
	if (!to)
		return call_error(-ENOSPC);
	memcpy(to, call_pointer(d), e);
	if (more)
		memcpy(to + e, run->data, (size_t)more);
	map_ring_submit(m, to, 0, false);
	return 0;
}
