/* SPDX-License-Identifier: Apache-2.0 */
#include "event/record.h"

#include "base/macro.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BUFFER = 1 << 16,
	ORDER = 0x01020304,
#ifdef __x86_64__
	MACHINE = EM_X86_64,
#elif defined(__aarch64__)
	MACHINE = EM_AARCH64,
#else
#error "which machine is this?"
#endif
};

static const char magic[8] = {'S', 'K', 'E', 'P', 'R', 'E', 'C', '\n'};

struct recorder {
	int fd;
	size_t n;
	char p[BUFFER];
};

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t r = write(fd, p, n);

		if (r < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += r;
		n -= r;
	}
	return 0;
}

static int recorder_flush(struct recorder *r)
{
	size_t n = r->n;

	r->n = 0;
	return write_all(r->fd, r->p, n);
}

int recorder_open(const char *path, const struct recording_head *head, struct recorder **ret)
{
	struct recording_head h = *head;
	struct recorder *r;
	struct stat st;
	int fd, err;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	/* the file may have been there, readable for others; a device stays as it is */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		fchmod(fd, 0600);
	memcpy(h.magic, magic, sizeof(magic));
	h.order = ORDER;
	h.version = RECORDING_VERSION;
	h.machine = MACHINE;
	err = write_all(fd, (const char *)&h, sizeof(h));
	if (err < 0) {
		close(fd);
		return err;
	}
	r = xalloc(sizeof(*r));
	r->fd = fd;
	*ret = r;
	return 0;
}

int recorder_put(struct recorder *r, const void *record, size_t n)
{
	size_t padded = (n + 7) & ~(size_t)7;
	int err;

	if (r->n + padded > BUFFER) {
		err = recorder_flush(r);
		if (err < 0)
			return err;
	}
	memcpy(r->p + r->n, record, n);
	memset(r->p + r->n + n, 0, padded - n);
	r->n += padded;
	return 0;
}

int recorder_close(struct recorder *r)
{
	int err;

	if (!r)
		return 0;
	err = recorder_flush(r);
	if (close(r->fd) < 0 && !err)
		err = -errno;
	free(r);
	return err;
}

/* Reads as much as there is, up to n. */
static ssize_t read_full(int fd, char *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t r = read(fd, p + have, n - have);

		if (r < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!r)
			break;
		have += r;
	}
	return have;
}

int recording_read_head(int fd, struct recording_head *ret)
{
	struct recording_head h;
	ssize_t n = read_full(fd, (char *)&h, sizeof(h));

	if (n < 0)
		return n;
	if (n < (ssize_t)sizeof(h) || memcmp(h.magic, magic, sizeof(magic)))
		return -EBADMSG;
	if (h.order != ORDER || h.version != RECORDING_VERSION || h.machine != MACHINE)
		return -EPROTO;
	*ret = h;
	return 0;
}

int recording_read(int fd, recording_fn fn, void *ctx)
{
	_cleanup_free_ char *p = xalloc(BUFFER);
	size_t have = 0, at;
	uint32_t size;
	ssize_t n;
	int r;

	for (;;) {
		n = read_full(fd, p + have, BUFFER - have);
		if (n < 0)
			return n;
		have += n;
		if (!have)
			return 0;
		for (at = 0; have - at >= sizeof(struct wire_head);) {
			size_t padded;

			memcpy(&size, p + at, sizeof(size));
			if (size < sizeof(struct wire_head) || size > WIRE_RECORD_MAX)
				return -EBADMSG;
			padded = (size + 7) & ~(size_t)7;
			if (padded > have - at)
				break;
			r = fn(ctx, p + at, size);
			if (r)
				return r;
			at += padded;
		}
		if (!at) /* a whole buffer, or the rest of the file, holds no whole record */
			return -EBADMSG;
		memmove(p, p + at, have - at);
		have -= at;
	}
}
