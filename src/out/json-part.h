/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces of JSON that events and alerts have in common: who did it, and where.
 *
 * Each is a member of the object that `out` ends in: a comma is put before it where one is
 * needed.  Members without a value are left out.
 */
#pragma once

#include "event/stream.h"

/* "key": and the comma before it. */
void json_add_key(struct buf *out, const char *key);
void json_add_number(struct buf *out, const char *key, uint64_t v);
/* Nothing, if it is empty. */
void json_add_string(struct buf *out, const char *key, struct str s);
/* "time": "2026-02-03T04:05:06.000000007Z" */
void json_add_time(struct buf *out, uint64_t real_ns);

/* "process": {…}, with its ancestors. */
void json_add_process(struct buf *out, const struct event *e);
/* "container": {…} */
void json_add_container(struct buf *out, const struct wire_container *c);
/* What is special about a record: "io_uring": true … */
void json_add_marks(struct buf *out, uint16_t flags);
/* The fields of the event's kind that have a value, as members. */
void json_add_fields(struct buf *out, const struct event *e);
