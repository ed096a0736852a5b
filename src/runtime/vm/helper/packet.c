/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/helper/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

enum { LOOPBACK = 1, ETHERTYPE_MIN = 0x600 /* smaller "types" are lengths */ };

int packet_init(struct vm_packet *p, uint32_t prog_type)
{
	*p = (struct vm_packet){0};
	switch (prog_type) {
	case BPF_PROG_TYPE_XDP:
		p->has_link = true;
		return 0;
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_SOCKET_FILTER: /* as on a packet socket */
		p->has_link = true;
		p->is_skb = true;
		return 0;
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
		p->is_skb = true;
		return 0;
	default:
		return -ENOTSUP;
	}
}

void packet_done(struct vm_packet *p)
{
	free(p->room);
	p->room = NULL;
}

uint16_t packet_type(const uint8_t *bytes)
{
	uint16_t type = (uint16_t)(bytes[12] << 8 | bytes[13]);

	return type >= ETHERTYPE_MIN ? type : ETH_P_802_2;
}

/* A room of zeros for `head` bytes, then n, then `tail`. */
static void take_room(struct vm_packet *p, size_t head, size_t n, size_t tail)
{
	size_t need = head + n + tail;

	if (need > p->room_n) {
		free(p->room);
		p->room = malloc(need);
		if (!p->room)
			abort();
		p->room_n = need;
	}
	memset(p->room, 0, need);
	p->data = p->room + head;
	p->end = p->data + n;
	p->meta = p->data;
	p->hard_end = p->end + tail;
}

/* Where the packet goes is known from its first byte: the group bit, all ones. */
static uint32_t destination(const uint8_t *bytes)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t none[6]; /* loopback's own address */

	if (!memcmp(bytes, all, sizeof(all)))
		return 1; /* PACKET_BROADCAST */
	if (bytes[0] & 1)
		return 2;				  /* PACKET_MULTICAST */
	return memcmp(bytes, none, sizeof(none)) ? 3 : 0; /* OTHERHOST, HOST */
}

static void set_skb(struct vm_packet *p, const uint8_t *bytes)
{
	struct __sk_buff *skb = packet_skb(p);
	int32_t link = p->has_link ? 0 : -PACKET_ETH;

	p->mac = link;
	p->network = link + PACKET_ETH;
	p->transport = PACKET_UNSET;
	p->protocol = packet_type(bytes);
	skb->pkt_type = destination(bytes);
	skb->ifindex = LOOPBACK;
	skb->wire_len = (uint32_t)packet_n(p);
}

int packet_set(struct vm_packet *p, const void *bytes, size_t n)
{
	size_t skip = p->has_link ? 0 : PACKET_ETH;
	size_t frame = PACKET_HEADROOM + n + PACKET_TAILROOM;

	if (n > PACKET_MAX)
		return -EMSGSIZE;
	if (n < PACKET_ETH)
		return -EINVAL;
	memset(p->ctx, 0, sizeof(p->ctx));
	p->is_encapsulated = p->has_vlan = false;
	p->redirect = p->clones = 0;
	take_room(p, PACKET_HEADROOM, n - skip,
		  frame < PACKET_FRAME ? PACKET_FRAME - PACKET_HEADROOM - (n - skip)
				       : PACKET_TAILROOM);
	p->hard_end -= PACKET_TAILROOM;
	memcpy(p->data, (const uint8_t *)bytes + skip, n - skip);
	if (p->is_skb)
		set_skb(p, bytes);
	else
		packet_xdp(p)->ingress_ifindex = LOOPBACK;
	packet_sync(p);
	return 0;
}

void packet_bind(struct vm_packet *p, struct vm_run *run)
{
	run->packet = p;
	run->data = p->data;
	run->data_end = p->end;
	run->data_meta = p->meta;
}

void packet_sync(struct vm_packet *p)
{
	struct ctx_more *more;

	if (p->is_skb) {
		struct __sk_buff *skb = packet_skb(p);

		skb->len = (uint32_t)packet_n(p);
		skb->protocol = htons(p->protocol);
		skb->vlan_present = p->has_vlan;
		skb->vlan_tci = p->has_vlan ? p->vlan_tci : 0;
		skb->vlan_proto = p->has_vlan ? htons(p->vlan_proto) : 0;
		more = (struct ctx_more *)((char *)p->ctx + sizeof(struct __sk_buff));
	} else {
		more = (struct ctx_more *)((char *)p->ctx + sizeof(struct xdp_md));
	}
	*more = (struct ctx_more){(uintptr_t)p->data, (uintptr_t)p->end, (uintptr_t)p->meta};
	if (vm_current && vm_current->packet == p)
		packet_bind(p, vm_current);
}

/* Move all to a larger room. */
static void move(struct vm_packet *p, size_t head, size_t tail)
{
	size_t n = packet_n(p), meta = (size_t)(p->data - p->meta), need = head + n + tail;
	uint8_t *room = malloc(need);

	if (!room)
		abort();
	memcpy(room + head - meta, p->meta, meta + n);
	free(p->room);
	p->room = room;
	p->room_n = need;
	p->data = room + head;
	p->end = p->data + n;
	p->meta = p->data - meta;
	p->hard_end = p->end + tail;
}

void packet_need_head(struct vm_packet *p, size_t n)
{
	size_t head = (size_t)(p->meta - p->room);

	if (head < n)
		move(p, (size_t)(p->data - p->room) + n, (size_t)(p->room + p->room_n - p->end));
}

void packet_need_tail(struct vm_packet *p, size_t n)
{
	size_t tail = (size_t)(p->room + p->room_n - p->end);

	if (tail < n)
		move(p, (size_t)(p->data - p->room), n);
}

size_t packet_wire(const struct vm_packet *p, uint8_t *to, size_t room)
{
	size_t n = packet_n(p), at = 2 * ETH_ALEN, tag = p->has_vlan && n >= at ? 4 : 0;
	uint16_t words[2] = {htons(p->vlan_proto), htons(p->vlan_tci)};

	if (n + tag > room)
		return 0;
	if (!tag) {
		memcpy(to, p->data, n);
		return n;
	}
	memcpy(to, p->data, at);
	memcpy(to + at, words, sizeof(words));
	memcpy(to + at + tag, p->data + at, n - at);
	return n + tag;
}
