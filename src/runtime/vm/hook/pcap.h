/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of packets: pcap and pcapng are read, pcap is written.
 *
 * libpcap would do it, but its static library wants those of D-Bus and systemd, which the static
 * binary cannot have.  What is read is foreign: every length is checked, and a file that ends in
 * the middle of a packet gives all that came before.
 *
 * Formats: pcap-savefile(5); draft-ietf-opsawg-pcapng, blocks SHB, IDB, EPB, SPB, PB.
 */
#pragma once

#include "base/str.h"

struct pcap_reader {
	struct str bytes; /* borrowed: the whole file */
	size_t at;
	bool is_ng, is_swapped;
	uint32_t link;	/* LINKTYPE_*: 1: Ethernet; of pcapng the current interface's */
	uint64_t units; /* of the time stamps, in a second */
	/* pcapng: interfaces of the section */
	struct {
		uint32_t link, snap;
		uint64_t units;
	} interfaces[64];
	unsigned int n_interfaces;
	bool is_cut; /* the file ends in the middle of something */
};

struct pcap_packet {
	struct str bytes; /* within the file */
	uint64_t ns;	  /* since 1970 */
	uint32_t wire;	  /* bytes it had; more than there are if it was cut when captured */
	uint32_t link;
};

/* -ENOEXEC: it is no such file. */
int pcap_open(struct pcap_reader *r, struct str file);
/* 1: a packet, 0: the end, -EBADMSG: the file is damaged from here on. */
int pcap_next(struct pcap_reader *r, struct pcap_packet *ret);

/* Append the head of a file with time stamps in ns, and a packet. */
void pcap_write_head(struct buf *to, uint32_t link);
void pcap_write(struct buf *to, uint64_t ns, const void *bytes, size_t n);
