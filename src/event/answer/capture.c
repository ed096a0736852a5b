/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skboutput(): packets into a pcap file.
 *
 * The classic format: one head, then packets, each with its time and length.  The kind of
 * link is "raw": packets begin with their IP head.
 */
#include "base/log.h"
#include "event/answer/answer-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct capture {
	struct capture *next;
	const char *path; /* the question's */
	FILE *file;	  /* owned; NULL: could not be made, which was said */
};

struct file_head {
	uint32_t magic; /* microseconds */
	uint16_t major, minor;
	int32_t zone;
	uint32_t accuracy, max_bytes, link;
};

struct packet_head {
	uint32_t seconds, microseconds, kept, whole;
};

static struct capture *capture_get(struct answer *a, const char *path)
{
	static const struct file_head head = {0xa1b2c3d4, 2, 4, 0, 0, 65535, 101};
	struct capture *c;
	int fd;

	for (c = a->captures; c; c = c->next)
		if (!strcmp(c->path, path))
			return c;
	c = xalloc(sizeof(*c));
	c->path = path;
	c->next = a->captures;
	a->captures = c;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	c->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!c->file)
		error_plain(a, "cannot write to %s (%s)", path, strerror(errno));
	else
		fwrite(&head, sizeof(head), 1, c->file);
	return c;
}

void capture_write(struct answer *a, const char *path, uint64_t boot_ns, struct bytes packet)
{
	struct capture *c = capture_get(a, path);
	uint64_t ns = boot_ns + (uint64_t)a->source.realtime_offset_ns;
	struct packet_head head = {
		.seconds = (uint32_t)(ns / 1000000000),
		.microseconds = (uint32_t)(ns % 1000000000 / 1000),
		.kept = (uint32_t)packet.n,
		.whole = (uint32_t)packet.n,
	};

	if (!c->file || !packet.n)
		return;
	fwrite(&head, sizeof(head), 1, c->file);
	fwrite(packet.p, 1, packet.n, c->file);
}

void captures_free(struct capture *c)
{
	while (c) {
		struct capture *next = c->next;

		if (c->file && fclose(c->file))
			log_error(-errno, "cannot write to %s", c->path);
		free(c);
		c = next;
	}
}
