/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where: cgroups by id, and the containers they lead to.
 *
 * Like the table of processes this learns from records only (WIRE_CGROUP,
 * WIRE_CONTAINER); who finds them out is live.c.
 *
 * Nobody tells when a cgroup is gone, so the table holds the last few thousand that were
 * asked for.  One that was forgotten and comes back is found out, and recorded, again.
 */
#pragma once

#include "base/map.h"
#include "base/str.h"
#include "catalog/wire/event.h"

#include <stdbool.h>

struct cgroup {
	uint64_t id;
	char *path;			  /* owned; NULL: not known */
	struct wire_container *container; /* owned; NULL: none */
	bool is_asked;			  /* somebody was asked for its path and container */
	uint32_t retries;		  /* how often it was asked about */
};

enum { CGROUPS_RECENT_MAX = 4096 };

struct cgroups {
	struct map recent, older; /* by id; when `recent` is full, it becomes `older` */
};

void cgroups_done(struct cgroups *t);
/* Made if it is new; valid until CGROUPS_RECENT_MAX others have been asked for. */
struct cgroup *cgroup_get(struct cgroups *t, uint64_t id);
void cgroup_on_path(struct cgroups *t, const struct wire_cgroup *rec);
void cgroup_on_container(struct cgroups *t, const struct wire_container *rec);
