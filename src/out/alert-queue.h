/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts that wait to be written: a queue of bounded size, and writing without waiting.
 */
#pragma once

#include "base/str.h"

#include <stdint.h>

enum { ALERT_QUEUE_MAX = 4 << 20 }; /* bytes of a queue */

struct alert_message {
	struct alert_message *next;
	size_t n;
	char text[];
};

/* All zero: empty. */
struct alert_queue {
	struct alert_message *first, *last; /* owned */
	size_t n, bytes;
	size_t written; /* bytes of the first */
};

/* Copies the text.  False: there is no room. */
bool alert_queue_put(struct alert_queue *q, struct str text);
/* Drop the first. */
void alert_queue_next(struct alert_queue *q);
void alert_queue_done(struct alert_queue *q);

/*
 * Write what a descriptor takes without waiting.  0: all of it is written, or the rest has to
 * wait; −errno: it takes nothing any more.
 */
int alert_queue_write(struct alert_queue *q, int fd);
/*
 * The same file, so that writing to it never waits, where that can be had without changing
 * it for others who have it open (a pipe, a terminal); else a plain copy.  The caller's.
 */
int alert_fd_patient(int fd);
/* Milliseconds that are left until `end_ns` of the monotonic clock, 0 to `max`. */
int alert_wait_ms(uint64_t end_ns, int max);
