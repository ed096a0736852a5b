/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet that a program of the embedded runtime looks at and edits: XDP, TC, socket filters.
 *
 * The bytes lie in a room of their own with space before and behind, as in a driver's page: XDP has
 * 256 bytes before them and a frame of 4096 that it may grow into; an skb grows as far as the
 * kernel lets it.  Before them, the context that r1 points to; behind that, the real pointers
 * (verify/ctx.h: struct ctx_more).  Helpers that move or resize the packet keep all of these
 * true; the verifier has made sure that no program uses an old pointer then.
 *
 * Where the kernel's behaviour depends on a device, it is that of BPF_PROG_TEST_RUN over the
 * loopback device: interface 1, queue 0, no checksum state, no offload.
 */
#pragma once

#include "runtime/vm/run.h"
#include "runtime/vm/verify/ctx.h"

#include <linux/bpf.h>

enum {
	PACKET_ETH = 14,	/* bytes of an Ethernet header */
	PACKET_HEADROOM = 256,	/* XDP_PACKET_HEADROOM */
	PACKET_FRAME = 4096,	/* of XDP; SKB's room is as large as it must be */
	PACKET_TAILROOM = 320,	/* struct skb_shared_info, behind every frame */
	PACKET_XDP_FRAME = 40,	/* struct xdp_frame, kept free at the frame's start */
	PACKET_SKB_MAX = 16064, /* SKB_MAX_ALLOC: 4 pages less the tailroom */
	PACKET_MAX = 65535,
	PACKET_UNSET = -1,
};

struct vm_packet {
	uint64_t ctx[40]; /* xdp_md or __sk_buff, ctx_more behind it: what r1 points to */
	bool is_skb;
	bool has_link; /* the program sees the Ethernet header */
	uint8_t *room; /* owned */
	size_t room_n;
	uint8_t *data, *end, *meta; /* in the room; meta is data where there is none */
	uint8_t *hard_end;	    /* XDP: it may grow so far */
	/* skb: where headers are, from `data`; PACKET_UNSET */
	int32_t mac, network, transport;
	bool is_encapsulated;
	uint16_t protocol; /* host order */
	/* a tag beside the bytes, as drivers keep it (vlan_proto, vlan_tci) */
	bool has_vlan;
	uint16_t vlan_proto, vlan_tci;
	uint32_t redirect; /* interface; 0: none */
	uint32_t clones;   /* bpf_clone_redirect() calls */
};

/* For programs of this type; -ENOTSUP: they see no packets. */
int packet_init(struct vm_packet *p, uint32_t prog_type);
void packet_done(struct vm_packet *p);
/* A new packet; all that a program changed of the last one is gone.  -EMSGSIZE, -EINVAL: XDP and TC
 * need an Ethernet header. */
int packet_set(struct vm_packet *p, const void *bytes, size_t n);
/* Let a run be about the packet. */
void packet_bind(struct vm_packet *p, struct vm_run *run);
/* Let the run and the context know where the packet is: helpers call it after a change. */
void packet_sync(struct vm_packet *p);

static inline struct __sk_buff *packet_skb(struct vm_packet *p)
{
	return (struct __sk_buff *)p->ctx;
}
static inline struct xdp_md *packet_xdp(struct vm_packet *p)
{
	return (struct xdp_md *)p->ctx;
}
static inline size_t packet_n(const struct vm_packet *p)
{
	return (size_t)(p->end - p->data);
}
/* The packet of the program that runs. */
static inline struct vm_packet *packet_current(void)
{
	return vm_current->packet;
}

/* skb: make the room before the packet `n` bytes larger than that, if it is not. */
void packet_need_head(struct vm_packet *p, size_t n);
void packet_need_tail(struct vm_packet *p, size_t n);
/* The Ethernet type behind the link header; that of an 802.3 frame is 4 (ETH_P_802_2). */
uint16_t packet_type(const uint8_t *bytes);
/* The bytes with the tag put back where it belongs, for files: n + 4 at most. */
size_t packet_wire(const struct vm_packet *p, uint8_t *to, size_t room);
