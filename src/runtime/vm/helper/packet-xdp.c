/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What XDP programs call: the packet's ends move, redirects are noted.
 *
 * Source: net/core/filter.c, bpf_xdp_*(), of Linux 6.12; for frames in one piece.
 */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/packet.h"

#include <string.h>

enum { META_MAX = 255, LENGTH_MAX = 0xffff };

CALL(helper_xdp_adjust_head)
{
	struct vm_packet *p = packet_current();
	int32_t by = (int32_t)b;
	ptrdiff_t meta = p->data - p->meta, at = p->data - p->room + by;

	if (at < PACKET_XDP_FRAME + meta || at > p->end - p->room - PACKET_ETH)
		return call_error(-EINVAL);
	if (meta)
		memmove(p->meta + by, p->meta, (size_t)meta);
	p->meta += by;
	p->data += by;
	packet_sync(p);
	return 0;
}

CALL(helper_xdp_adjust_meta)
{
	struct vm_packet *p = packet_current();
	ptrdiff_t at = p->meta - p->room + (int32_t)b, n = p->data - p->room - at;

	if (at < PACKET_XDP_FRAME || n < 0)
		return call_error(-EINVAL);
	if (n & 3 || n > META_MAX)
		return call_error(-EACCES);
	p->meta = p->room + at;
	packet_sync(p);
	return 0;
}

CALL(helper_xdp_adjust_tail)
{
	struct vm_packet *p = packet_current();
	int32_t by = (int32_t)b;

	if (by > p->hard_end - p->end || by < PACKET_ETH - (p->end - p->data))
		return call_error(-EINVAL);
	if (by > 0)
		memset(p->end, 0, (size_t)by);
	p->end += by;
	packet_sync(p);
	return 0;
}

CALL(helper_xdp_get_buff_len)
{
	return packet_n(packet_current());
}

/* Bytes [offset, offset + n) of the packet; NULL: they are not all there, and why. */
static uint8_t *bytes_at(struct vm_packet *p, uint32_t offset, uint32_t n, uint64_t *ret)
{
	*ret = 0;
	if (offset > LENGTH_MAX || n > LENGTH_MAX)
		*ret = call_error(-EFAULT);
	else if (offset + n > packet_n(p))
		*ret = call_error(-EINVAL);
	return *ret ? NULL : p->data + offset;
}

CALL(helper_xdp_load_bytes)
{
	uint64_t r;
	const uint8_t *from = bytes_at(packet_current(), (uint32_t)b, (uint32_t)d, &r);

	if (from)
		memcpy(call_pointer(c), from, (uint32_t)d);
	return r;
}

CALL(helper_xdp_store_bytes)
{
	uint64_t r;
	uint8_t *to = bytes_at(packet_current(), (uint32_t)b, (uint32_t)d, &r);

	if (to)
		memcpy(to, call_pointer(c), (uint32_t)d);
	return r;
}

/* Both of XDP (no flags) and of TC (BPF_F_INGRESS). */
CALL(helper_redirect)
{
	struct vm_packet *p = packet_current();

	if (p->is_skb ? b & ~(uint64_t)BPF_F_INGRESS : b)
		return p->is_skb ? 2 /* TC_ACT_SHOT */ : XDP_ABORTED;
	p->redirect = (uint32_t)a;
	return p->is_skb ? 7 /* TC_ACT_REDIRECT */ : XDP_REDIRECT;
}

CALL(helper_redirect_map)
{
	struct vm_packet *p = packet_current();
	struct vm_map *m = call_map(a);
	uint64_t actions = XDP_ABORTED | XDP_DROP | XDP_PASS | XDP_TX;
	uint64_t flags =
		m->def.type == BPF_MAP_TYPE_DEVMAP || m->def.type == BPF_MAP_TYPE_DEVMAP_HASH
			? BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS
			: 0;
	uint32_t key = (uint32_t)b;
	const void *value;

	if (c & ~(actions | flags))
		return XDP_ABORTED;
	value = c & BPF_F_BROADCAST ? NULL : map_lookup(m, &key, vm_current->cpu);
	if (!value && !(c & BPF_F_BROADCAST))
		return c & actions;
	p->redirect = value ? *(const uint32_t *)value : 0;
	return XDP_REDIRECT;
}
