/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, texts, times, sizes. */
#include "event/value.h"

#include "event/value/look.h"

CASES(numbers)
{
	struct wire_fork *f = look_make(EV_FORK);
	struct wire_file *file;
	struct wire_conn *c;
	struct wire_head *h;

	f->child_pid = UINT32_MAX;
	f->child_start_ns = UINT64_MAX;
	SAME("child_pid", "4294967295");
	SAME("child_start_ns", "18446744073709551615");
	f->child_pid = f->child_start_ns = 0;
	SAME("child_pid", "0");
	SAME("child_start_ns", "0");

	h = look_make(EV_LOST);
	NONE("lost_count");
	h->ret = 12;
	SAME("lost_count", "12");
	h->ret = 5000000000;
	SAME("lost_count", "5000000000");

	file = look_make(EV_MOUNT);
	NONE("mount_flags");
	file->flags = 0x80001001;
	IS("mount_flags", "0x80001001", "\"0x80001001\"");
	c = look_make(EV_CLOSE);
	NONE("socket");
	c->sock = 0xffff888012345678ull;
	IS("socket", "0xffff888012345678", "\"0xffff888012345678\"");
	NONE("retransmits");
	c->retransmits = 3;
	SAME("retransmits", "3");
}

CASES(texts)
{
	look_make(EV_MEMFD);
	NONE("text");
	ADD(wire_sys, text, "");
	NONE("text");
	ADD(wire_sys, text, "my \"mem\"\n\033[1m");
	IS("text", "my \"mem\"\\n\\e[1m", "\"my \\\"mem\\\"\\n\\u001b[1m\"");

	look_make(EV_SYMLINK);
	NONE("target");
	ADD(wire_file, path2, "../up here");
	IS("target", "../up here", "\"../up here\"");
}

CASES(times)
{
	struct wire_exit *x = look_make(EV_EXIT);
	struct wire_conn *c;

	x->head.start_ns = x->head.time_ns - 1500000;
	IS("duration", "1.5ms", "1500000");
	IS("cpu", NULL, "0");
	x->cpu_ns = 61 * NS_PER_S;
	IS("cpu", "1m01s", "61000000000");
	IS("peak_memory", "0B", "0");
	x->peak_kb = 3 * 1024 + 512;
	IS("peak_memory", "3.5MiB", "3584");

	c = look_make(EV_CLOSE);
	NONE("duration"); /* 0: older than skep */
	c->duration_ns = 2500;
	IS("duration", "2.5µs", "2500");
	IS("sent", "0B", "0");
	c->sent = 1536;
	IS("sent", "1.5KiB", "1536");
}

TEST(durations)
{
	static const struct {
		uint64_t ns;
		const char *expected;
	} cases[] = {
		{0, "0ns"},
		{999, "999ns"},
		{1000, "1.0µs"},
		{999949, "999.9µs"},
		{1000000, "1.0ms"},
		{1499999, "1.5ms"},
		{NS_PER_S, "1.00s"},
		{59 * NS_PER_S, "59.00s"},
		{60 * NS_PER_S, "1m00s"},
		{3600 * NS_PER_S, "60m00s"},
		{UINT64_MAX, "307445734m33s"},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_buf_ struct buf out = {0};

		text_duration(&out, cases[i].ns);
		CHECK_STREQ(out.p, cases[i].expected);
	}
}

TEST(bytes)
{
	static const struct {
		uint64_t n;
		const char *expected;
	} cases[] = {
		{0, "0B"},
		{1023, "1023B"},
		{1024, "1.0KiB"},
		{1536, "1.5KiB"},
		{1 << 20, "1.0MiB"},
		{5ull << 30, "5.0GiB"},
		{1ull << 40, "1.0TiB"},
		{UINT64_MAX, "16777216.0TiB"},
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_buf_ struct buf out = {0};

		text_bytes(&out, cases[i].n);
		CHECK_STREQ(out.p, cases[i].expected);
	}
}

void cases_plain(void)
{
	numbers();
	texts();
	times();
}
