/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/hook/pcap.h"
#include "test.h"

#include <errno.h>

static void put(struct buf *b, bool big, unsigned int bytes, uint64_t v)
{
	for (unsigned int i = 0; i < bytes; i++)
		buf_putc(b, (char)(v >> 8 * (big ? bytes - 1 - i : i)));
}

static void put_plain(struct buf *b, bool big, uint32_t magic)
{
	const uint32_t head[] = {magic, 0, 0, 0, 65535, 1};

	for (int i = 0; i < 6; i++) {
		if (i == 1) {
			put(b, big, 2, 2);
			put(b, big, 2, 4);
		} else {
			put(b, big, 4, head[i]);
		}
	}
	put(b, big, 4, 7);
	put(b, big, 4, 250000);
	put(b, big, 4, 3);
	put(b, big, 4, 1500);
	buf_puts(b, "abc");
}

TEST(plain)
{
	static const struct {
		bool big;
		uint32_t magic;
		uint64_t ns;
	} cases[] = {{false, 0xa1b2c3d4, 7250000000},
		     {true, 0xa1b2c3d4, 7250000000},
		     {false, 0xa1b23c4d, 7000250000},
		     {true, 0xa1b23c4d, 7000250000}};

	for (size_t i = 0; i < 4; i++) {
		_cleanup_buf_ struct buf b = {0};
		struct pcap_reader r;
		struct pcap_packet p;

		put_plain(&b, cases[i].big, cases[i].magic);
		CHECK_EQ(pcap_open(&r, buf_str(&b)), 0);
		CHECK_EQ(pcap_next(&r, &p), 1);
		CHECK(str_eq(p.bytes, STR("abc")));
		CHECK_EQ(p.ns, cases[i].ns);
		CHECK_EQ(p.wire, 1500);
		CHECK_EQ(p.link, 1);
		CHECK_EQ(pcap_next(&r, &p), 0);
		CHECK(!r.is_cut);
	}
}

/* A file that is still being written ends anywhere: what is whole is read. */
TEST(cut)
{
	_cleanup_buf_ struct buf b = {0};
	struct pcap_reader r;
	struct pcap_packet p;

	put_plain(&b, false, 0xa1b2c3d4);
	CHECK_EQ(pcap_open(&r, (struct str){b.p, b.n - 1}), 0);
	CHECK_EQ(pcap_next(&r, &p), 0);
	CHECK(r.is_cut);
	CHECK_EQ(pcap_open(&r, (struct str){b.p, 20}), -ENOEXEC);
	CHECK_EQ(pcap_open(&r, STR("#!/bin/sh\nexit\n")), -ENOEXEC);
}

static void put_block(struct buf *b, bool big, uint32_t type, const struct buf *body)
{
	uint32_t n = (uint32_t)(12 + ((body->n + 3) & ~3ul));

	put(b, big, 4, type);
	put(b, big, 4, n);
	buf_add(b, body->p, body->n);
	put(b, big, (unsigned int)(n - 12 - body->n), 0);
	put(b, big, 4, n);
}

static void put_section(struct buf *b, bool big)
{
	_cleanup_buf_ struct buf s = {0}, i = {0}, e = {0};

	put(&s, big, 4, 0x1a2b3c4d);
	put(&s, big, 2, 1);
	put(&s, big, 2, 0);
	put(&s, big, 8, ~0ull);
	put_block(b, big, 0x0a0d0d0a, &s);
	put(&i, big, 2, 1);
	put(&i, big, 2, 0);
	put(&i, big, 4, 0);
	put(&i, big, 2, 9); /* if_tsresol: 2^-10 s */
	put(&i, big, 2, 1);
	put(&i, big, 4, big ? 0x8a000000 : 0x8a);
	put_block(b, big, 1, &i);
	put(&e, big, 4, 0);
	put(&e, big, 4, 0);
	put(&e, big, 4, 1536); /* 1.5 s */
	put(&e, big, 4, 5);
	put(&e, big, 4, 60);
	buf_puts(&e, "hello");
	put_block(b, big, 6, &e);
}

TEST(sections_of_both_orders)
{
	_cleanup_buf_ struct buf b = {0};
	struct pcap_reader r;
	struct pcap_packet p;

	put_section(&b, true);
	put_section(&b, false);
	put_section(&b, true);
	CHECK_EQ(pcap_open(&r, buf_str(&b)), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(pcap_next(&r, &p), 1);
		CHECK(str_eq(p.bytes, STR("hello")));
		CHECK_EQ(p.ns, 1500000000);
		CHECK_EQ(p.wire, 60);
	}
	CHECK_EQ(pcap_next(&r, &p), 0);
	b.p[b.n - 32] = 0x7f; /* the last packet's interface */
	CHECK_EQ(pcap_open(&r, buf_str(&b)), 0);
	CHECK_EQ(pcap_next(&r, &p), 1);
	CHECK_EQ(pcap_next(&r, &p), 1);
	CHECK_EQ(pcap_next(&r, &p), -EBADMSG);
}

TEST(written_and_read)
{
	_cleanup_buf_ struct buf b = {0};
	struct pcap_reader r;
	struct pcap_packet p;

	pcap_write_head(&b, 1);
	pcap_write(&b, 1700000000123456789, "packet", 6);
	CHECK_EQ(pcap_open(&r, buf_str(&b)), 0);
	CHECK_EQ(pcap_next(&r, &p), 1);
	CHECK_EQ(p.ns, 1700000000123456789);
	CHECK(str_eq(p.bytes, STR("packet")));
	CHECK_EQ(pcap_next(&r, &p), 0);
}
