/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks: where the story goes.  One file each; all are `struct sink` (event/stream.h).
 *
 * A sink collects its lines and writes them when enough are there or when flush() is
 * called, which happens whenever nothing more is waiting.
 */
#pragma once

#include "event/stream.h"

/* A line an event, for people.  None closes `fd`. */
struct sink *sink_text_new(int fd, bool has_colour);

/* One JSON object a line; docs/watch.md has the schema. */
struct sink *sink_json_new(int fd);

/* Write the buffer and empty it; -errno, and then a part of it may be written. */
int sink_write(int fd, struct buf *b);

enum {
	SINK_FULL = 1 << 16, /* bytes at which a sink writes without being asked */
	JSON_VERSION = 1,
};
