/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Internet checksum (RFC 1071, updates: RFC 1624), kept right while a packet is edited.
 *
 * A sum is a 32-bit number in one's complement; what stands in a header is its fold to 16
 * bits, inverted.  Numbers are in the packet's byte order throughout: the sum does not mind.
 */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/packet.h"

#include <string.h>

enum { NOT_SUPPORTED = 524 /* ENOTSUPP of the kernel */, OFFSET_MAX = 0xffff };

static uint32_t add(uint32_t a, uint32_t b)
{
	uint32_t sum = a + b;

	return sum + (sum < a);
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint16_t add16(uint16_t a, uint16_t b)
{
	uint16_t sum = (uint16_t)(a + b);

	return (uint16_t)(sum + (sum < a));
}

/*
 * The field's new value, when `from` becomes `to`: `bytes` of them, 0: `to` is a difference.
 * -EINVAL: no such size.
 */
static int replaced(uint16_t *field, unsigned int bytes, uint64_t from, uint64_t to)
{
	uint16_t old = (uint16_t) ~*field;

	switch (bytes) {
	case 0:
		if (from)
			return -EINVAL;
		*field = fold(add((uint32_t)to, ~(uint32_t)*field));
		return 0;
	case 2:
		*field = (uint16_t)~add16(add16(old, (uint16_t)~from), (uint16_t)to);
		return 0;
	case 4:
		*field = fold(add(add(~(uint32_t)*field, ~(uint32_t)from), (uint32_t)to));
		return 0;
	default:
		return -EINVAL;
	}
}

/* The field at an offset; NULL: not there. */
static uint8_t *field_at(uint32_t offset)
{
	struct vm_packet *p = packet_current();

	if (offset > OFFSET_MAX || offset & 1 || offset + 2 > packet_n(p))
		return NULL;
	return p->data + offset;
}

CALL(helper_l3_csum_replace)
{
	uint8_t *at = field_at((uint32_t)b);
	uint16_t field;
	int r;

	if (e & ~(uint64_t)BPF_F_HDR_FIELD_MASK)
		return call_error(-EINVAL);
	if (!at)
		return call_error(-EFAULT);
	memcpy(&field, at, sizeof(field));
	r = replaced(&field, e & BPF_F_HDR_FIELD_MASK, c, d);
	memcpy(at, &field, sizeof(field));
	return call_error(r);
}

CALL(helper_l4_csum_replace)
{
	uint64_t known =
		BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR | BPF_F_HDR_FIELD_MASK;
	uint8_t *at = field_at((uint32_t)b);
	uint16_t field;
	int r;

	if (e & ~known)
		return call_error(-EINVAL);
	if (!at)
		return call_error(-EFAULT);
	memcpy(&field, at, sizeof(field));
	/* UDP: 0 says that there is none */
	if (e & BPF_F_MARK_MANGLED_0 && !(e & BPF_F_MARK_ENFORCE) && !field)
		return 0;
	r = replaced(&field, e & BPF_F_HDR_FIELD_MASK, c, d);
	if (!r && e & BPF_F_MARK_MANGLED_0 && !field)
		field = 0xffff;
	memcpy(at, &field, sizeof(field));
	return call_error(r);
}

/* Of packets whose checksum a device computed: these are not. */
CALL(helper_csum_update)
{
	return call_error(-NOT_SUPPORTED);
}

CALL(helper_csum_level)
{
	if (b == BPF_CSUM_LEVEL_QUERY)
		return call_error(-EACCES);
	return b > BPF_CSUM_LEVEL_QUERY ? call_error(-EINVAL) : 0;
}
