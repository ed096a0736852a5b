/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding out, in a live run, what no record has told: /proc, the cgroup file
 * system, the runtimes' state files, /etc/passwd.
 *
 * What is found becomes a record; nothing is kept here but what saves reading the
 * same file again.
 */
#pragma once

#include "event/stream.h"

struct live;

/* `cgroup_mount`: where cgroup2 is mounted; NULL: nowhere. */
struct live *live_new(const char *cgroup_mount);
void live_free(struct live *l);

void live_resolver(struct live *l, struct resolver *ret);

/* The path of a cgroup; NULL: it is gone.  Borrowed until the next call. */
const char *live_cgroup_path(struct live *l, uint64_t id);

/* Add the arguments, from /proc, to a WIRE_PROC record that came from an iterator. */
void live_add_args(struct live *l, struct buf *rec);
