/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a recording, and as one record from the kernel: nothing is read outside of
 * it, every record is accounted for, and what comes out are lines, whatever was in it.
 */
#include "event/decode.h"
#include "event/record.h"
#include "event/stream.h"
#include "out/out.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int memory_file(const uint8_t *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	ssize_t r = pwrite(fd, data, n, 0);

	assert(r == (ssize_t)n);
	return fd;
}

/* All that a sink wrote. */
static struct buf lines_of(struct sink *sink, int fd)
{
	struct buf all = {0};
	int r = sink->flush(sink);
	off_t n = lseek(fd, 0, SEEK_END);

	assert(r == 0 && n >= 0);
	buf_reserve(&all, n);
	all.n = pread(fd, all.p, n, 0);
	assert(all.n == (size_t)n);
	sink->free(sink);
	close(fd);
	return all;
}

/* One line an event; no byte in it that a terminal obeys. */
static size_t check_text(struct buf all)
{
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++) {
		unsigned char c = all.p[i];

		assert((c >= 0x20 && c != 0x7f) || c == '\n');
		n += c == '\n';
	}
	assert(!all.n || all.p[all.n - 1] == '\n');
	buf_done(&all);
	return n;
}

static size_t check_json(struct buf all)
{
	struct str rest = buf_str(&all);
	size_t n = 0;

	for (; rest.n; n++) {
		const char *nl = memchr(rest.p, '\n', rest.n);
		json_t *line;

		assert(nl);
		line = json_loadb(rest.p, nl - rest.p, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
				  NULL);
		assert(json_is_object(line));
		json_decref(line);
		rest.n -= nl + 1 - rest.p;
		rest.p = nl + 1;
	}
	buf_done(&all);
	return n;
}

/* Somebody who knows nothing: a live run, but it says the same every time. */
static bool no_process(void *ctx, uint32_t pid, uint64_t start_ns, struct buf *out)
{
	return false;
}

static bool no_cgroup(void *ctx, uint64_t id, struct buf *out)
{
	return false;
}

static bool no_container(void *ctx, uint64_t id, struct str path, struct buf *out)
{
	return false;
}

static bool no_user(void *ctx, uint32_t uid, struct buf *out)
{
	return false;
}

static const struct resolver nobody = {NULL, no_process, no_cgroup, no_container, no_user};

/* A stream, and how many records of which kind went in. */
struct run {
	struct stream *stream;
	uint64_t events, identities, bad;
};

static int feed(void *ctx, const void *record, size_t n)
{
	struct run *r = ctx;
	uint16_t kind = 0;

	if (record_check(record, n) < 0)
		r->bad++;
	else
		memcpy(&kind, (const char *)record + offsetof(struct wire_head, kind),
		       sizeof(kind));
	/* what is lost is told like an event, where somebody asks */
	r->identities += kind >= EV_END || kind == EV_LOST;
	r->events += kind && kind < EV_END && kind != EV_LOST;
	return stream_feed(r->stream, record, n);
}

static void run(bool is_json, const struct recording_head *head, const struct resolver *resolver,
		const uint8_t *data, size_t n)
{
	int fd = memfd_create("lines", MFD_CLOEXEC);
	struct sink *sink = is_json ? sink_json_new(fd) : sink_text_new(fd, false);
	struct stream_config config = {
		.shown = head ? head->shown | KIND_BIT(EV_LOST) : events_all(),
		.hide_everyday = head && (head->flags & RECORDING_HIDE_EVERYDAY),
		.boot_to_real_ns = head ? head->boot_to_real_ns : 0,
		.resolver = resolver,
		.sink = sink,
	};
	struct run r = {.stream = stream_new(&config)};
	struct stream_totals t;
	struct buf lines;
	size_t shown;
	int from;

	if (head) {
		from = memory_file(data + sizeof(*head), n - sizeof(*head));
		recording_read(from, feed, &r);
		close(from);
	} else {
		feed(&r, data, n);
	}
	stream_totals(r.stream, &t);
	lines = lines_of(sink, fd);
	shown = is_json ? check_json(lines) : check_text(lines);
	assert(shown >= t.shown); /* more: those that tell of losses */
	assert(t.shown + t.filtered >= r.events);
	assert(t.shown + t.filtered <= r.events + r.identities);
	assert(t.bad == r.bad);
	stream_free(r.stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct recording_head head;
	uint32_t size = n;
	uint8_t *record;
	int fd = memory_file(data, n), r;

	r = recording_read_head(fd, &head);
	close(fd);
	if (r >= 0) {
		run(false, &head, NULL, data, n);
		run(true, &head, NULL, data, n);
		return 0;
	}
	/* a block of its own, aligned as in the ring; most inputs would fail at their size */
	record = malloc(n);
	memcpy(record, data, n);
	if (n >= sizeof(struct wire_head))
		memcpy(record, &size, sizeof(size));
	run(false, NULL, &nobody, record, n);
	run(true, NULL, &nobody, record, n);
	free(record);
	return 0;
}
