/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs over an skb call to make it larger or smaller: room behind the link or network
 * header for tunnels, at the ends, or as much as another protocol's header takes.
 *
 * Source: net/core/filter.c, bpf_skb_adjust_room() and those around it, of Linux 6.12.
 */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/packet.h"

#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

enum { NOT_SUPPORTED = 524 /* ENOTSUPP of the kernel */, IP4 = 20, IP6 = 40, ADJUST_MAX = 0xfff };

#ifndef BPF_F_ADJ_ROOM_DECAP_L3_IPV4 /* 6.3 */
#define BPF_F_ADJ_ROOM_DECAP_L3_IPV4 (1ull << 7)
#define BPF_F_ADJ_ROOM_DECAP_L3_IPV6 (1ull << 8)
#endif

static const uint64_t encaps = BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
static const uint64_t decaps = BPF_F_ADJ_ROOM_DECAP_L3_IPV4 | BPF_F_ADJ_ROOM_DECAP_L3_IPV6;

/* n zero bytes behind the first `off`: headers stay where they are from the start. */
static void open_gap(struct vm_packet *p, size_t off, size_t n)
{
	packet_need_head(p, n);
	p->data -= n;
	p->meta = p->data;
	memmove(p->data, p->data + n, off);
	memset(p->data + off, 0, n);
	if (p->transport != PACKET_UNSET && p->transport != p->network)
		p->transport += (int32_t)n;
}

/* Take n bytes away behind the first `off`.  -ENOMEM: there are not so many. */
static int close_gap(struct vm_packet *p, size_t off, size_t n)
{
	if (off + n > packet_n(p))
		return -ENOMEM;
	memmove(p->data + n, p->data, off);
	p->data += n;
	p->meta = p->data;
	if (p->transport != PACKET_UNSET && p->transport != p->network)
		p->transport -= (int32_t)n;
	return 0;
}

static bool is_ip(const struct vm_packet *p)
{
	return p->protocol == ETH_P_IP || p->protocol == ETH_P_IPV6;
}

static size_t ip_bytes(const struct vm_packet *p)
{
	return p->protocol == ETH_P_IP ? IP4 : IP6;
}

CALL(helper_skb_change_proto)
{
	struct vm_packet *p = packet_current();
	uint16_t to = (uint16_t)((uint16_t)b >> 8 | (uint16_t)b << 8);
	size_t off = (size_t)(p->network - p->mac);
	int r = 0;

	if (c)
		return call_error(-EINVAL);
	if (p->protocol == ETH_P_IP && to == ETH_P_IPV6)
		open_gap(p, off, IP6 - IP4);
	else if (p->protocol == ETH_P_IPV6 && to == ETH_P_IP)
		r = close_gap(p, off, IP6 - IP4);
	else
		return call_error(-NOT_SUPPORTED);
	if (!r) {
		p->protocol = to;
		packet_skb(p)->hash = 0;
	}
	packet_sync(p);
	return call_error(r);
}

/* Do the flags of an encapsulation make sense?  0 or -errno. */
static int check_encap(const struct vm_packet *p, size_t n, uint64_t flags)
{
	uint8_t inner = (uint8_t)(flags >> BPF_ADJ_ROOM_ENCAP_L2_SHIFT);

	if ((flags & encaps) == encaps)
		return -EINVAL;
	if (flags & BPF_F_ADJ_ROOM_ENCAP_L4_GRE && flags & BPF_F_ADJ_ROOM_ENCAP_L4_UDP)
		return -EINVAL;
	if (flags & BPF_F_ADJ_ROOM_ENCAP_L2_ETH && inner < PACKET_ETH)
		return -EINVAL;
	if (p->is_encapsulated)
		return -EALREADY;
	return inner > n ? -EINVAL : 0;
}

static int grow(struct vm_packet *p, size_t off, size_t n, uint64_t flags)
{
	int32_t link = p->network - p->mac;
	int r = flags & encaps ? check_encap(p, n, flags) : 0;

	if (r < 0)
		return r;
	open_gap(p, off, n);
	if (!(flags & encaps))
		return 0;
	p->is_encapsulated = true;
	p->network = link;
	if (flags & (BPF_F_ADJ_ROOM_ENCAP_L4_GRE | BPF_F_ADJ_ROOM_ENCAP_L4_UDP))
		p->transport = link + (flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 ? IP6 : IP4);
	p->protocol = flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 ? ETH_P_IPV6 : ETH_P_IP;
	return 0;
}

static int shrink(struct vm_packet *p, size_t off, size_t n, uint64_t flags)
{
	int r;

	if (flags & ~(uint64_t)(BPF_F_ADJ_ROOM_FIXED_GSO | decaps | BPF_F_ADJ_ROOM_NO_CSUM_RESET))
		return -EINVAL;
	r = close_gap(p, off, n);
	if (r < 0)
		return r;
	if (flags & BPF_F_ADJ_ROOM_DECAP_L3_IPV6)
		p->protocol = ETH_P_IPV6;
	else if (flags & BPF_F_ADJ_ROOM_DECAP_L3_IPV4)
		p->protocol = ETH_P_IP;
	return 0;
}

/* The least that must be left behind the network header; -EINVAL: nonsense. */
static int least_left(const struct vm_packet *p, bool shrinks, uint64_t flags)
{
	if (!(flags & decaps))
		return (int)ip_bytes(p);
	if (!shrinks || (flags & decaps) == decaps)
		return -EINVAL;
	return flags & BPF_F_ADJ_ROOM_DECAP_L3_IPV4 ? IP4 : IP6;
}

CALL(helper_skb_adjust_room)
{
	struct vm_packet *p = packet_current();
	uint64_t known = BPF_F_ADJ_ROOM_FIXED_GSO | encaps | BPF_F_ADJ_ROOM_ENCAP_L4_GRE |
			 BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2_ETH | decaps |
			 BPF_F_ADJ_ROOM_ENCAP_L2(BPF_ADJ_ROOM_ENCAP_L2_MASK) |
			 BPF_F_ADJ_ROOM_NO_CSUM_RESET;
	int64_t by = (int32_t)b;
	uint64_t n = (uint64_t)(by < 0 ? -by : by), flags = d, left;
	size_t off = (size_t)(p->network - p->mac);
	int least, r;

	if (flags & ~known)
		return call_error(-EINVAL);
	if (n > ADJUST_MAX)
		return call_error(-EFAULT);
	if (!is_ip(p) || ((uint32_t)c != BPF_ADJ_ROOM_NET && (uint32_t)c != BPF_ADJ_ROOM_MAC))
		return call_error(-NOT_SUPPORTED);
	if ((uint32_t)c == BPF_ADJ_ROOM_NET)
		off += ip_bytes(p);
	least = least_left(p, by < 0, flags);
	if (least < 0)
		return call_error(-EINVAL);
	left = packet_n(p) - (size_t)p->network;
	if (by < 0 ? n >= left || left - n < (uint64_t)least : packet_n(p) + n > PACKET_SKB_MAX)
		return call_error(-NOT_SUPPORTED);
	r = by < 0 ? shrink(p, off, n, flags) : grow(p, off, n, flags);
	packet_sync(p);
	return call_error(r);
}

CALL(helper_skb_change_tail)
{
	struct vm_packet *p = packet_current();
	uint32_t to = (uint32_t)b, n = (uint32_t)packet_n(p);
	int32_t least = p->transport != PACKET_UNSET && p->transport > 0 ? p->transport
			: p->network > 0				 ? p->network
									 : 0;

	if (c || to > PACKET_SKB_MAX || to < (uint32_t)least)
		return call_error(-EINVAL);
	if (p->is_encapsulated) /* so Linux 6.18; 6.12 does it */
		return call_error(-NOT_SUPPORTED);
	if (to > n) {
		packet_need_tail(p, to - n);
		memset(p->end, 0, to - n);
	}
	p->end = p->data + to;
	packet_sync(p);
	return 0;
}

CALL(helper_skb_change_head)
{
	struct vm_packet *p = packet_current();
	uint32_t more = (uint32_t)b;
	uint64_t to = packet_n(p) + more;

	if (c || to > PACKET_SKB_MAX)
		return call_error(-EINVAL);
	packet_need_head(p, more);
	p->data -= more;
	p->meta = p->data;
	memset(p->data, 0, more);
	p->network += (int32_t)more;
	if (p->transport != PACKET_UNSET)
		p->transport += (int32_t)more;
	packet_sync(p);
	return 0;
}
