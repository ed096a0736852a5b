/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs over an skb call to read, write and mark it (packet-room.c: to resize it).
 *
 * Source: net/core/filter.c, bpf_skb_*(), and net/core/skbuff.c, skb_vlan_*(), of Linux 6.12,
 * for an skb in one piece that no device has checked or segmented.
 */
#include "runtime/vm/helper/calls.h"
#include "runtime/vm/helper/packet.h"

#include <arpa/inet.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <string.h>

enum {
	VLAN_BYTES = 4,
	TYPE_PACKET_MAX = 3, /* PACKET_OTHERHOST */
	ECN_CE = 3,
	TAGS_MAX = 9, /* of which the first is the type itself, read again */
	OVERFLOW_UID = 65534,
};

/* --- bytes */

static uint64_t load(const uint8_t *from, const struct vm_packet *p, uint64_t to, uint32_t n)
{
	void *into = (void *)(uintptr_t)to;

	if (from && from >= p->room && n <= (size_t)(p->end - from) && from <= p->end) {
		memcpy(into, from, n);
		return 0;
	}
	memset(into, 0, n);
	return call_error(-EFAULT);
}

CALL(helper_skb_load_bytes)
{
	struct vm_packet *p = packet_current();
	uint32_t offset = (uint32_t)b;
	bool is_there = offset <= INT_MAX && offset <= packet_n(p);

	return load(is_there ? p->data + offset : NULL, p, c, (uint32_t)d);
}

CALL(helper_skb_load_bytes_relative)
{
	struct vm_packet *p = packet_current();
	uint32_t offset = (uint32_t)b;
	const uint8_t *from = NULL;

	if (offset <= 0xffff &&
	    ((uint32_t)e == BPF_HDR_START_MAC || (uint32_t)e == BPF_HDR_START_NET)) {
		int64_t at =
			(int64_t)offset + ((uint32_t)e == BPF_HDR_START_MAC ? p->mac : p->network);

		if (at >= p->room - p->data && at <= (int64_t)packet_n(p))
			from = p->data + at;
	}
	return load(from, p, c, (uint32_t)d);
}

CALL(helper_skb_store_bytes)
{
	struct vm_packet *p = packet_current();
	uint32_t offset = (uint32_t)b, n = (uint32_t)d;

	if (e & ~(uint64_t)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
		return call_error(-EINVAL);
	if (offset > INT_MAX || n > packet_n(p) || offset > packet_n(p) - n)
		return call_error(-EFAULT);
	memcpy(p->data + offset, call_pointer(c), n);
	if (e & BPF_F_INVALIDATE_HASH)
		packet_skb(p)->hash = 0;
	return 0;
}

/* All of it is always there. */
CALL(helper_skb_pull_data)
{
	return (uint32_t)b > packet_n(packet_current()) ? call_error(-ENOMEM) : 0;
}

/* --- VLAN tags: one beside the bytes, more of them inside */

static bool is_vlan(uint16_t type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD;
}

/* Put the tag that is beside the bytes into them, behind the addresses. */
static void tag_inside(struct vm_packet *p)
{
	uint16_t words[2] = {htons(p->vlan_proto), htons(p->vlan_tci)};

	packet_need_head(p, VLAN_BYTES);
	p->data -= VLAN_BYTES;
	p->meta = p->data;
	memmove(p->data, p->data + VLAN_BYTES, 2 * ETH_ALEN);
	memcpy(p->data + 2 * ETH_ALEN, words, sizeof(words));
	p->protocol = p->vlan_proto; /* the network header is what follows the link's: the tag */
	if (p->transport != PACKET_UNSET)
		p->transport += VLAN_BYTES;
}

CALL(helper_skb_vlan_push)
{
	struct vm_packet *p = packet_current();
	uint16_t proto = ntohs((uint16_t)b);

	if (!is_vlan(proto))
		proto = ETH_P_8021Q;
	if (p->has_vlan)
		tag_inside(p);
	p->has_vlan = true;
	p->vlan_proto = proto;
	p->vlan_tci = (uint16_t)c;
	packet_sync(p);
	return 0;
}

/* Take the first tag out of the bytes; its value.  -ENOMEM: the packet ends before. */
static int tag_outside(struct vm_packet *p, uint16_t *ret)
{
	uint16_t words[2];

	if (packet_n(p) < PACKET_ETH + VLAN_BYTES)
		return -ENOMEM;
	memcpy(words, p->data + PACKET_ETH, sizeof(words));
	*ret = ntohs(words[0]);
	memmove(p->data + VLAN_BYTES, p->data, 2 * ETH_ALEN);
	p->data += VLAN_BYTES;
	p->meta = p->data;
	p->protocol = packet_type(p->data);
	p->network -= VLAN_BYTES;
	if (p->network < PACKET_ETH)
		p->network = PACKET_ETH;
	if (p->transport != PACKET_UNSET)
		p->transport -= VLAN_BYTES;
	return 0;
}

CALL(helper_skb_vlan_pop)
{
	struct vm_packet *p = packet_current();
	uint16_t tci;
	int r = 0;

	if (p->has_vlan)
		p->has_vlan = false;
	else if (is_vlan(p->protocol))
		r = tag_outside(p, &tci);
	else
		return 0;
	if (!r && is_vlan(p->protocol)) { /* the next one goes beside */
		uint16_t proto = p->protocol;

		r = tag_outside(p, &tci);
		if (!r) {
			p->has_vlan = true;
			p->vlan_proto = proto;
			p->vlan_tci = tci;
		}
	}
	packet_sync(p);
	return call_error(r);
}

/* --- marks */

CALL(helper_skb_change_type)
{
	struct __sk_buff *skb = packet_skb(packet_current());

	if (skb->pkt_type > TYPE_PACKET_MAX || (uint32_t)b > TYPE_PACKET_MAX)
		return call_error(-EINVAL);
	skb->pkt_type = (uint32_t)b;
	return 0;
}

/* Congestion experienced: 1 if the packet says so now. */
static uint64_t set_ce4(uint8_t *ip)
{
	unsigned int ecn = (ip[1] + 1u) & ECN_CE;
	uint32_t sum;
	uint16_t field;

	if (!(ecn & 2)) /* not capable, or marked already */
		return !ecn;
	memcpy(&field, ip + 10, sizeof(field));
	sum = (uint32_t)field + htons(0xfffb) + htons((uint16_t)ecn);
	sum = (sum & 0xffff) + (sum >> 16);
	field = (uint16_t)(sum + (sum >> 16));
	memcpy(ip + 10, &field, sizeof(field));
	ip[1] |= ECN_CE;
	return 1;
}

/* The type behind all tags; 0: the packet ends before. */
static uint16_t inner_type(const struct vm_packet *p)
{
	size_t at = (size_t)(p->network - p->mac - 2); /* the last two bytes of the link header */
	uint16_t type = p->protocol;

	for (int tags = 0; is_vlan(type); tags++, at += VLAN_BYTES) {
		if (tags == TAGS_MAX || at + 2 > packet_n(p))
			return 0;
		type = (uint16_t)(p->data[at] << 8 | p->data[at + 1]);
	}
	return type;
}

/* As the kernel, it takes what lies behind the link header for the IP header, tags or not. */
CALL(helper_skb_ecn_set_ce)
{
	struct vm_packet *p = packet_current();
	uint16_t type = inner_type(p);
	size_t n = type == ETH_P_IP ? 20 : type == ETH_P_IPV6 ? 40 : 0;
	uint8_t *ip = p->data + p->network;

	if (!n || packet_n(p) < (size_t)p->network + n)
		return 0;
	if (type == ETH_P_IP)
		return set_ce4(ip);
	if (!(ip[1] >> 4 & ECN_CE))
		return 0;
	ip[1] |= ECN_CE << 4;
	return 1;
}

CALL(helper_skb_set_tstamp)
{
	struct __sk_buff *skb = packet_skb(packet_current());

	switch ((uint32_t)c) {
	case BPF_SKB_TSTAMP_DELIVERY_MONO:
		if (!b)
			return call_error(-EINVAL);
		break;
	case BPF_SKB_TSTAMP_UNSPEC:
		if (b)
			return call_error(-EINVAL);
		break;
	default:
		return call_error(-EINVAL);
	}
	skb->tstamp = b;
	skb->tstamp_type = (uint8_t)c;
	return 0;
}

CALL(helper_get_hash_recalc)
{
	struct vm_packet *p = packet_current();
	struct __sk_buff *skb = packet_skb(p);

	/* the kernel's depends on a secret; this one on the packet alone */
	if (!skb->hash) {
		uint32_t h = 0x811c9dc5;

		for (size_t i = (size_t)p->network; i < packet_n(p) && i < (size_t)p->network + 40;
		     i++)
			h = (h ^ p->data[i]) * 0x01000193;
		skb->hash = h ? h : 1;
	}
	return skb->hash;
}

CALL(helper_set_hash)
{
	packet_skb(packet_current())->hash = (uint32_t)b;
	return 0;
}

CALL(helper_set_hash_invalid)
{
	packet_skb(packet_current())->hash = 0;
	return 0;
}

/* --- who sent it, which way it takes: a packet of a file has neither */

CALL(helper_get_socket_cookie)
{
	return 0;
}

CALL(helper_get_socket_uid)
{
	return OVERFLOW_UID;
}

CALL(helper_get_cgroup_classid)
{
	return 0;
}

CALL(helper_get_route_realm)
{
	return 0;
}

CALL(helper_clone_redirect)
{
	if (c & ~(uint64_t)BPF_F_INGRESS || !(uint32_t)b)
		return call_error(-EINVAL);
	packet_current()->clones++;
	return 0;
}
