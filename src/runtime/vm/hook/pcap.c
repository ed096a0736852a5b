/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/hook/pcap.h"

#include "base/macro.h"

#include <errno.h>

enum {
	MAGIC = 0xa1b2c3d4,    /* µs */
	MAGIC_NS = 0xa1b23c4d, /* ns */
	HEAD = 24,
	PACKET_HEAD = 16,
	NG_SECTION = 0x0a0d0d0a,
	NG_ORDER = 0x1a2b3c4d,
	NG_INTERFACE = 1,
	NG_PACKET_OLD = 2,
	NG_SIMPLE = 3,
	NG_PACKET = 6,
	NG_LEAST = 12, /* bytes of a block without content */
	NG_OPTION_TSRESOL = 9,
	SNAP_MAX = 1 << 18,
};
static const uint64_t billion = 1000000000;

static uint32_t u32(const struct pcap_reader *r, size_t at)
{
	uint32_t v;

	memcpy(&v, r->bytes.p + at, sizeof(v));
	return r->is_swapped ? __builtin_bswap32(v) : v;
}

static uint16_t u16(const struct pcap_reader *r, size_t at)
{
	uint16_t v;

	memcpy(&v, r->bytes.p + at, sizeof(v));
	return r->is_swapped ? __builtin_bswap16(v) : v;
}

static size_t left(const struct pcap_reader *r)
{
	return r->bytes.n - r->at;
}

static uint64_t to_ns(uint64_t t, uint64_t units)
{
	return t / units * billion + (uint64_t)((unsigned __int128)(t % units) * billion / units);
}

int pcap_open(struct pcap_reader *r, struct str file)
{
	uint32_t magic;

	*r = (struct pcap_reader){.bytes = file, .units = 1000000};
	if (file.n < NG_LEAST)
		return -ENOEXEC;
	memcpy(&magic, file.p, sizeof(magic));
	if (magic == NG_SECTION) {
		r->is_ng = true;
		return 0;
	}
	r->is_swapped = magic == __builtin_bswap32(MAGIC) || magic == __builtin_bswap32(MAGIC_NS);
	magic = u32(r, 0);
	if ((magic != MAGIC && magic != MAGIC_NS) || file.n < HEAD)
		return -ENOEXEC;
	if (magic == MAGIC_NS)
		r->units = billion;
	r->link = u32(r, 20) & 0xffff;
	r->at = HEAD;
	return 0;
}

/* --- pcap */

static int next_plain(struct pcap_reader *r, struct pcap_packet *ret)
{
	uint32_t n;

	if (!left(r))
		return 0;
	if (left(r) < PACKET_HEAD) {
		r->is_cut = true;
		return 0;
	}
	n = u32(r, r->at + 8);
	if (n > SNAP_MAX)
		return -EBADMSG;
	if (n > left(r) - PACKET_HEAD) {
		r->is_cut = true;
		return 0;
	}
	*ret = (struct pcap_packet){
		.bytes = {r->bytes.p + r->at + PACKET_HEAD, n},
		.ns = u32(r, r->at) * billion + to_ns(u32(r, r->at + 4), r->units),
		.wire = u32(r, r->at + 12),
		.link = r->link,
	};
	r->at += PACKET_HEAD + n;
	return 1;
}

/* --- pcapng */

/* A block from r->at on, `n` bytes in all. */
static int new_section(struct pcap_reader *r, size_t n)
{
	r->n_interfaces = 0;
	return n < 28 ? -EBADMSG : 0;
}

/* if_tsresol: 10^-v, or 2^-(v & 0x7f). */
static uint64_t resolution(uint8_t v)
{
	uint64_t units = 1;

	if (v & 0x80)
		return (v & 0x7f) < 64 ? 1ull << (v & 0x7f) : 0;
	for (; v; v--)
		if (__builtin_mul_overflow(units, 10, &units))
			return 0;
	return units;
}

static int new_interface(struct pcap_reader *r, size_t n)
{
	size_t at = r->at + 16, end = r->at + n - 4;
	uint64_t units = 1000000;

	if (n < 20 || r->n_interfaces == ELEMENTS(r->interfaces))
		return -EBADMSG;
	while (end - at >= 4) {
		uint16_t option = u16(r, at), size = u16(r, at + 2);

		if (!option || size > end - at - 4)
			break;
		if (option == NG_OPTION_TSRESOL && size)
			units = resolution((uint8_t)r->bytes.p[at + 4]);
		at += 4 + ((size + 3u) & ~3u);
		if (at > end)
			break;
	}
	if (!units)
		return -EBADMSG;
	r->interfaces[r->n_interfaces].link = u16(r, r->at + 8);
	r->interfaces[r->n_interfaces].snap = u32(r, r->at + 12);
	r->interfaces[r->n_interfaces++].units = units;
	return 0;
}

/* A packet with `head` bytes before its own; `interface` and time are 0 in a simple one. */
static int ng_packet(struct pcap_reader *r, size_t n, uint32_t type, struct pcap_packet *ret)
{
	bool is_simple = type == NG_SIMPLE;
	size_t head = is_simple ? 12 : 28;
	uint32_t interface, size, wire;
	uint64_t t;

	if (n < head + 4)
		return -EBADMSG;
	interface = is_simple ? 0 : type == NG_PACKET ? u32(r, r->at + 8) : u16(r, r->at + 8);
	if (interface >= r->n_interfaces)
		return -EBADMSG;
	wire = u32(r, r->at + head - 4);
	size = is_simple ? wire : u32(r, r->at + 20);
	if (is_simple && r->interfaces[interface].snap && size > r->interfaces[interface].snap)
		size = r->interfaces[interface].snap;
	if (size > n - head - 4 || size > SNAP_MAX)
		return -EBADMSG;
	t = is_simple ? 0 : (uint64_t)u32(r, r->at + 12) << 32 | u32(r, r->at + 16);
	*ret = (struct pcap_packet){
		.bytes = {r->bytes.p + r->at + head, size},
		.ns = to_ns(t, r->interfaces[interface].units),
		.wire = wire,
		.link = r->interfaces[interface].link,
	};
	return 1;
}

static int next_block(struct pcap_reader *r, struct pcap_packet *ret)
{
	while (left(r)) {
		uint32_t type, n;
		int found = 0;

		if (left(r) < NG_LEAST) {
			r->is_cut = true;
			return 0;
		}
		memcpy(&type, r->bytes.p + r->at, sizeof(type));
		if (type == NG_SECTION) /* each section has a byte order of its own */
			r->is_swapped = !r->is_swapped ? u32(r, r->at + 8) != NG_ORDER
						       : u32(r, r->at + 8) == NG_ORDER;
		type = u32(r, r->at);
		n = u32(r, r->at + 4);
		if (n < NG_LEAST || n & 3)
			return -EBADMSG;
		if (n > left(r)) {
			r->is_cut = true;
			return 0;
		}
		if (type == NG_SECTION)
			found = new_section(r, n);
		else if (type == NG_INTERFACE)
			found = new_interface(r, n);
		else if (type == NG_PACKET || type == NG_SIMPLE || type == NG_PACKET_OLD)
			found = ng_packet(r, n, type, ret);
		if (found < 0)
			return found;
		r->at += n;
		if (found)
			return 1;
	}
	return 0;
}

int pcap_next(struct pcap_reader *r, struct pcap_packet *ret)
{
	return r->is_ng ? next_block(r, ret) : next_plain(r, ret);
}

/* --- writing */

void pcap_write_head(struct buf *to, uint32_t link)
{
	uint32_t words[6] = {MAGIC_NS, 2 | 4 << 16, 0, 0, SNAP_MAX, link};

	buf_add(to, words, sizeof(words));
}

void pcap_write(struct buf *to, uint64_t ns, const void *bytes, size_t n)
{
	uint32_t words[4] = {(uint32_t)(ns / billion), (uint32_t)(ns % billion), (uint32_t)n,
			     (uint32_t)n};

	buf_add(to, words, sizeof(words));
	buf_add(to, bytes, n);
}
