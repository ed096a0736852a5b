/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers and kfuncs of dynptrs: of memory, of reserved records, of packets.
 *
 * A packet's bytes may move while there is a dynptr of them, so that names the packet; here all of
 * a packet is one piece, and a slice of it is always a pointer into it.
 */
#include "runtime/vm/helper/dynptr.h"

#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/packet.h"

static bool is_packet(const struct dynptr *p)
{
	return dynptr_kind(p) == DYNPTR_SKB || dynptr_kind(p) == DYNPTR_XDP;
}

/* Where n bytes at `offset` are; NULL: the packet ends before them. */
static char *bytes_at(const struct dynptr *p, uint32_t offset, uint32_t n)
{
	const struct vm_packet *packet = p->data;
	uint64_t at = (uint64_t)p->offset + offset;

	if (!is_packet(p))
		return (char *)p->data + at;
	return at + n <= packet_n(packet) ? (char *)packet->data + at : NULL;
}

CALL(helper_dynptr_from_mem)
{
	struct dynptr *p = call_pointer(d);

	dynptr_clear(p);
	if ((uint32_t)b > DYNPTR_SIZE_MAX)
		return call_error(-E2BIG);
	if (c)
		return call_error(-EINVAL);
	dynptr_init(p, DYNPTR_LOCAL, call_pointer(a), (uint32_t)b);
	return 0;
}

CALL(helper_dynptr_read)
{
	const struct dynptr *p = call_pointer(c);
	const char *from;

	if (!p->data || e)
		return call_error(-EINVAL);
	if (!dynptr_has(p, (uint32_t)d, (uint32_t)b))
		return call_error(-E2BIG);
	from = bytes_at(p, (uint32_t)d, (uint32_t)b);
	if (!from)
		return call_error(dynptr_kind(p) == DYNPTR_SKB ? -EFAULT : -EINVAL);
	memmove(call_pointer(a), from, (uint32_t)b);
	return 0;
}

CALL(helper_dynptr_write)
{
	const struct dynptr *p = call_pointer(a);
	uint64_t allowed = 0;
	char *to;

	if (!p->data || dynptr_is_rdonly(p))
		return call_error(-EINVAL);
	if (!dynptr_has(p, (uint32_t)b, (uint32_t)d))
		return call_error(-E2BIG);
	if (dynptr_kind(p) == DYNPTR_SKB)
		allowed = BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH;
	if (e & ~allowed)
		return call_error(-EINVAL);
	to = bytes_at(p, (uint32_t)b, (uint32_t)d);
	if (!to)
		return call_error(dynptr_kind(p) == DYNPTR_SKB ? -EFAULT : -EINVAL);
	memmove(to, call_pointer(c), (uint32_t)d);
	return 0;
}

CALL(helper_dynptr_data)
{
	const struct dynptr *p = call_pointer(a);

	if (!p->data || !dynptr_has(p, (uint32_t)b, (uint32_t)c) || dynptr_is_rdonly(p) ||
	    is_packet(p))
		return 0;
	return call_number(bytes_at(p, (uint32_t)b, (uint32_t)c));
}

/* --- kfuncs */

static uint64_t slice(const struct dynptr *p, uint32_t offset, uint32_t n)
{
	if (!p->data || !dynptr_has(p, offset, n))
		return 0;
	return call_number(bytes_at(p, offset, n));
}

CALL(kfunc_dynptr_slice)
{
	return slice(call_pointer(a), (uint32_t)b, (uint32_t)d);
}

CALL(kfunc_dynptr_slice_rdwr)
{
	const struct dynptr *p = call_pointer(a);

	return dynptr_is_rdonly(p) ? 0 : slice(p, (uint32_t)b, (uint32_t)d);
}

CALL(kfunc_dynptr_adjust)
{
	struct dynptr *p = call_pointer(a);
	uint32_t from = (uint32_t)b, to = (uint32_t)c, n = dynptr_size(p);

	if (!p->data || from > to)
		return call_error(-EINVAL);
	if (from > n || to > n)
		return call_error(-ERANGE);
	p->offset += from;
	p->size = (p->size & ~(uint32_t)DYNPTR_SIZE_MAX) | (to - from);
	return 0;
}

CALL(kfunc_dynptr_is_null)
{
	return !((const struct dynptr *)call_pointer(a))->data;
}

CALL(kfunc_dynptr_is_rdonly)
{
	const struct dynptr *p = call_pointer(a);

	return p->data && dynptr_is_rdonly(p);
}

/* Of 32 bits: the error, too. */
CALL(kfunc_dynptr_size)
{
	const struct dynptr *p = call_pointer(a);

	return p->data ? dynptr_size(p) : (uint32_t)-EINVAL;
}

CALL(kfunc_dynptr_clone)
{
	const struct dynptr *p = call_pointer(a);
	struct dynptr *to = call_pointer(b);

	if (!p->data) {
		dynptr_clear(to);
		return call_error(-EINVAL);
	}
	*to = *p;
	return 0;
}

/* (to, its offset, from, its offset, bytes) */
CALL(kfunc_dynptr_copy)
{
	const struct dynptr *to = call_pointer(a), *from = call_pointer(c);
	char *x, *y;

	if (!to->data || !from->data || dynptr_is_rdonly(to))
		return call_error(-EINVAL);
	if (!dynptr_has(from, (uint32_t)d, (uint32_t)e) ||
	    !dynptr_has(to, (uint32_t)b, (uint32_t)e))
		return call_error(-E2BIG);
	x = bytes_at(to, (uint32_t)b, (uint32_t)e);
	y = bytes_at(from, (uint32_t)d, (uint32_t)e);
	if (!x || !y)
		return call_error(-EFAULT);
	memmove(x, y, (uint32_t)e);
	return 0;
}

CALL(kfunc_dynptr_memset)
{
	const struct dynptr *p = call_pointer(a);
	char *to;

	if (!p->data || dynptr_is_rdonly(p))
		return call_error(-EINVAL);
	if (!dynptr_has(p, (uint32_t)b, (uint32_t)c))
		return call_error(-E2BIG);
	to = bytes_at(p, (uint32_t)b, (uint32_t)c);
	if (!to)
		return call_error(-EFAULT);
	memset(to, (int)d, (uint32_t)c);
	return 0;
}

static uint64_t from_packet(unsigned int kind, uint64_t flags, struct dynptr *p)
{
	struct vm_packet *packet = packet_current();

	dynptr_clear(p);
	if (flags || !packet)
		return call_error(-EINVAL);
	dynptr_init(p, kind, packet, (uint32_t)packet_n(packet));
	return 0;
}

/* Sockets' filters may not write: the kernel's verifier sees to the other kinds. */
CALL(kfunc_dynptr_from_skb)
{
	const struct vm_code *code = vm_current->code;
	bool rdonly = code && code->prog->prog_type == BPF_PROG_TYPE_SOCKET_FILTER;

	return from_packet(DYNPTR_SKB | (rdonly ? DYNPTR_RDONLY : 0), b, call_pointer(c));
}

CALL(kfunc_dynptr_from_xdp)
{
	return from_packet(DYNPTR_XDP, b, call_pointer(c));
}
