/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program over a file of packets: each packet through it, in order, and what became of them.
 *
 * Maps keep what programs put into them from packet to packet, and the clock stands at the packet's
 * own time (since the first packet began, and the machine's boot), so that the same file gives the
 * same answer every time.
 */
#pragma once

#include "runtime/vm/helper/packet.h"
#include "runtime/vm/hook/pcap.h"

/* What became of one. */
struct packets_outcome {
	uint64_t number, ns; /* from 1; of the packet */
	uint32_t n_before, n_after, value;
	const char *action;  /* "XDP_DROP"; NULL: no name for that value */
	bool is_kept;	     /* goes on: into the new file */
	uint32_t redirect;   /* interface; 0: none */
	const char *failure; /* what stopped the program; NULL */
};

/* An action and how many had it. */
struct packets_count {
	uint32_t value;
	const char *action;
	uint64_t n, bytes;
};

struct packets_report {
	uint64_t packets, too_short, too_long, failed, kept, changed;
	struct packets_count counts[16];
	unsigned int n_counts;
	bool is_cut;	       /* the file ends in the middle of a packet */
	int error;	       /* -EBADMSG: it is damaged behind the last packet that was read */
	uint32_t link_skipped; /* LINKTYPE_* of packets that were not Ethernet; 0: all were */
	uint64_t not_ethernet;
	uint64_t insns; /* interpreter, if counted */
};

struct packets_options {
	struct buf *out; /* kept packets, as a pcap file; NULL: nowhere */
	bool counts_insns;
	void (*each)(void *ctx, const struct packets_outcome *o); /* NULL */
	void *ctx;
};

/* -ENOTSUP: programs of this type see no packets; -ENOEXEC: it is no file of packets. */
int packets_run(const struct vm_code *c, struct str file, const struct packets_options *o,
		struct packets_report *ret);
/* "XDP_PASS", …; NULL.  Is a packet with it kept? */
const char *packets_action(uint32_t prog_type, uint32_t value, bool *ret_kept);
