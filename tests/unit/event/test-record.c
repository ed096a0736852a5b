/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: there and back, and every way in which a file can be none. */
#include "event/record.h"

#include "base/macro.h"
#include "event/made.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file in a folder of its own; both go when it is done. */
struct file {
	char folder[32], path[48];
};

static struct file file_new(void)
{
	struct file f = {.folder = "/tmp/skep-test-XXXXXX"};

	if (!mkdtemp(f.folder))
		abort();
	snprintf(f.path, sizeof(f.path), "%s/x.skep", f.folder);
	return f;
}

static void file_done(struct file *f)
{
	unlink(f->path);
	rmdir(f->folder);
}

#define _cleanup_file_ _cleanup_(file_done)

static const struct recording_head head = {
	.boot_to_real_ns = -5,
	.shown = 0x123456789abcull,
	.flags = RECORDING_HIDE_EVERYDAY,
};

/* What came back: each record's size and bytes, one after the other. */
struct back {
	struct buf bytes;
	size_t n, stop_after;
	bool is_misaligned;
};

static int take(void *ctx, const void *record, size_t n)
{
	struct back *b = ctx;
	uint32_t size;

	memcpy(&size, record, sizeof(size));
	CHECK_EQ(size, n);
	b->is_misaligned |= (uintptr_t)record % 8 != 0;
	buf_add(&b->bytes, record, n);
	return ++b->n == b->stop_after ? 7 : 0;
}

static int read_back(const char *path, struct recording_head *ret_head, struct back *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = recording_read_head(fd, ret_head);

	return r < 0 ? r : recording_read(fd, take, ret);
}

/* A record of the size that is asked for. */
static void put_sized(struct recorder *r, struct buf *all, uint32_t size, char fill)
{
	_cleanup_buf_ struct buf b = {0};
	struct wire_head *h = made(&b, EV_OPEN, size, 0);

	while (b.n < size)
		buf_putc(&b, fill);
	h->size = b.n = size;
	CHECK_EQ(recorder_put(r, b.p, b.n), 0);
	buf_add(all, b.p, b.n);
}

TEST(round_trip)
{
	_cleanup_file_ struct file f = file_new();
	_cleanup_buf_ struct buf all = {0};
	struct recording_head h = {0};
	struct recorder *r = NULL;
	struct back back = {0};
	size_t n = 0;

	CHECK_EQ(recorder_open(f.path, &head, &r), 0);
	/* all remainders of 8, and more than the buffers on both sides hold */
	for (uint32_t size = 200; size < 240; size++, n++)
		put_sized(r, &all, size, 'a');
	for (int i = 0; i < 40; i++, n++)
		put_sized(r, &all, i % 2 ? WIRE_RECORD_MAX : 9999, 'b');
	CHECK_EQ(recorder_close(r), 0);
	CHECK_EQ(read_back(f.path, &h, &back), 0);
	CHECK_EQ(back.n, n);
	CHECK(str_eq(buf_str(&back.bytes), buf_str(&all)));
	CHECK(!back.is_misaligned);
	CHECK_EQ(h.boot_to_real_ns, -5);
	CHECK_EQ(h.shown, head.shown);
	CHECK_EQ(h.flags, RECORDING_HIDE_EVERYDAY);
	buf_done(&back.bytes);
}

TEST(empty)
{
	_cleanup_file_ struct file f = file_new();
	struct recording_head h = {0};
	struct recorder *r = NULL;
	struct back back = {0};
	struct stat st;

	CHECK_EQ(recorder_open(f.path, &head, &r), 0);
	CHECK_EQ(recorder_close(r), 0);
	CHECK_EQ(recorder_close(NULL), 0);
	CHECK_EQ(stat(f.path, &st), 0);
	CHECK_EQ(st.st_size, sizeof(h));
	CHECK_EQ(read_back(f.path, &h, &back), 0);
	CHECK_EQ(back.n, 0);
}

/* Arguments and paths are nobody else's business, whatever was there before. */
TEST(mode)
{
	_cleanup_file_ struct file f = file_new();
	mode_t mask = umask(0);
	struct recorder *r = NULL;
	struct stat st;
	int fd;

	CHECK_EQ(recorder_open(f.path, &head, &r), 0);
	CHECK_EQ(recorder_close(r), 0);
	CHECK_EQ(stat(f.path, &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0600);
	unlink(f.path);
	fd = open(f.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	CHECK_EQ(write(fd, &st, sizeof(st)), sizeof(st));
	close(fd);
	CHECK_EQ(recorder_open(f.path, &head, &r), 0);
	CHECK_EQ(stat(f.path, &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0600);
	CHECK_EQ(st.st_size, sizeof(struct recording_head));
	CHECK_EQ(recorder_close(r), 0);
	umask(mask);
}

TEST(no_place)
{
	struct recorder *r = NULL;

	CHECK_EQ(recorder_open("/nowhere/x.skep", &head, &r), -ENOENT);
	CHECK_EQ(recorder_open("/tmp", &head, &r), -EISDIR);
	CHECK(!r);
}

/* A full disk: told when it happens, or at the latest when the file is closed. */
TEST(full_disk)
{
	struct recorder *r = NULL;

	if (access("/dev/full", W_OK) < 0) {
		test_skip("no /dev/full");
		return;
	}
	CHECK_EQ(recorder_open("/dev/full", &head, &r), -ENOSPC);
	CHECK(!r);
}

/* A file that may not grow: the record that finds no place says so, or the end does. */
TEST(limit)
{
	_cleanup_file_ struct file f = file_new();
	_cleanup_buf_ struct buf b = {0};
	struct rlimit before, low;
	struct recorder *r = NULL;
	int failed = 0;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	low = (struct rlimit){100000, before.rlim_max};
	setrlimit(RLIMIT_FSIZE, &low);
	CHECK_EQ(recorder_open(f.path, &head, &r), 0);
	made(&b, EV_OPEN, 1, 0);
	for (int i = 0; i < 1000 && !failed; i++)
		failed = recorder_put(r, b.p, b.n);
	CHECK_EQ(failed, -EFBIG);
	recorder_close(r);
	CHECK_EQ(recorder_open(f.path, &head, &r), 0);
	for (int i = 0; i < 420; i++) /* less than the buffer of the recorder */
		CHECK_EQ(recorder_put(r, b.p, b.n), 0);
	low.rlim_cur = 10000;
	setrlimit(RLIMIT_FSIZE, &low);
	CHECK_EQ(recorder_close(r), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_DFL);
}

/* The first `n` bytes of a recording of three records, with some bytes changed. */
static void write_recording(const struct file *f, size_t n, size_t at, const void *bytes,
			    size_t len)
{
	_cleanup_buf_ struct buf all = {0};
	struct recorder *r = NULL;
	int fd;

	CHECK_EQ(recorder_open(f->path, &head, &r), 0);
	for (uint32_t size = 205; size < 208; size++)
		put_sized(r, &all, size, 'c');
	CHECK_EQ(recorder_close(r), 0);
	CHECK_EQ(truncate(f->path, n), 0);
	fd = open(f->path, O_WRONLY | O_CLOEXEC);
	CHECK_EQ(pwrite(fd, bytes, len, at), len);
	close(fd);
}

enum { HEAD = sizeof(struct recording_head), RECORD = 208, ALL = HEAD + 3 * RECORD };

/* Cut at every byte: all whole records come out, and the cut is told. */
TEST(truncated)
{
	_cleanup_file_ struct file f = file_new();
	struct recording_head h;

	for (size_t n = 0; n <= ALL; n++) {
		struct back back = {0};
		int r;

		write_recording(&f, n, 0, NULL, 0);
		r = read_back(f.path, &h, &back);
		if (n < HEAD)
			CHECK_EQ(r, -EBADMSG);
		else
			CHECK_EQ(r, (n - HEAD) % RECORD ? -EBADMSG : 0);
		CHECK_EQ(back.n, n < HEAD ? 0 : (n - HEAD) / RECORD);
		buf_done(&back.bytes);
	}
}

TEST(foreign)
{
	static const uint32_t swapped = 0x04030201, version = RECORDING_VERSION + 1, none = 0;
	static const struct {
		size_t at, n;
		const void *bytes;
		int expected;
	} cases[] = {
		{0, 4, "\177ELF", -EBADMSG},
		{0, 8, "SKEPREC\r", -EBADMSG},
		{offsetof(struct recording_head, order), 4, &swapped, -EPROTO},
		{offsetof(struct recording_head, version), 4, &version, -EPROTO},
		{offsetof(struct recording_head, machine), 4, &none, -EPROTO},
		{offsetof(struct recording_head, version), 4, &none, -EPROTO},
	};
	_cleanup_file_ struct file f = file_new();

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct recording_head h = {.shown = 99};
		struct back back = {0};

		write_recording(&f, ALL, cases[i].at, cases[i].bytes, cases[i].n);
		CHECK_EQ(read_back(f.path, &h, &back), cases[i].expected);
		CHECK_EQ(h.shown, 99); /* untouched */
		CHECK_EQ(back.n, 0);
	}
}

/* A size that cannot be: the records before it come out. */
TEST(damaged)
{
	static const uint32_t sizes[] = {0, 1, 79, WIRE_RECORD_MAX + 1, UINT32_MAX, UINT32_MAX - 7};
	_cleanup_file_ struct file f = file_new();
	struct recording_head h;

	for (size_t i = 0; i < ELEMENTS(sizes); i++)
		for (size_t k = 0; k < 3; k++) {
			struct back back = {0};

			write_recording(&f, ALL, HEAD + k * RECORD, &sizes[i], sizeof(sizes[i]));
			CHECK_EQ(read_back(f.path, &h, &back), -EBADMSG);
			CHECK_EQ(back.n, k);
			buf_done(&back.bytes);
		}
}

TEST(reader_stops)
{
	_cleanup_file_ struct file f = file_new();
	struct back back = {.stop_after = 2};
	struct recording_head h;

	write_recording(&f, ALL, 0, NULL, 0);
	CHECK_EQ(read_back(f.path, &h, &back), 7);
	CHECK_EQ(back.n, 2);
	buf_done(&back.bytes);
}

TEST(no_file)
{
	struct recording_head h;

	CHECK_EQ(recording_read_head(-1, &h), -EBADF);
	CHECK_EQ(recording_read(-1, take, NULL), -EBADF);
}
