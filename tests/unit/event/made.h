/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records made by hand, as the kernel programs would send them.
 *
 *	struct wire_file *f = made(&b, EV_OPEN, 12, 5);
 *	f->flags = O_CLOEXEC;
 *	ADD_STR(&b, wire_file, path, "/etc/passwd");
 *	record_end(&b);
 *
 * Process N of these tests has the id N and began in second N after the boot; times
 * count from second 1000 on.
 */
#pragma once

#include "base/clock.h"
#include "event/decode.h"

#include <stddef.h>
#include <stdio.h>

#define MADE_START(pid) ((uint64_t)(pid)*NS_PER_S)
#define MADE_TIME(ms)	(1000 * NS_PER_S + (uint64_t)(ms)*NS_PER_MS)

/* Appends a string; `what` is a literal and may hold NULs. */
#define ADD_STR(b, body, member, what) record_add_str(b, offsetof(struct body, member), STR(what))

/* A record's fixed part in `b`.  It stays where it is while strings are added. */
static inline void *made(struct buf *b, unsigned int kind, uint32_t pid, uint64_t ms)
{
	struct wire_head *h;

	buf_reserve(b, WIRE_RECORD_MAX);
	record_begin(b, kind);
	h = (struct wire_head *)b->p;
	h->time_ns = MADE_TIME(ms);
	h->start_ns = MADE_START(pid);
	h->cgroup = 1;
	h->pid = h->tid = pid;
	snprintf(h->comm, sizeof(h->comm), "comm%u", pid);
	record_end(b);
	return h;
}
