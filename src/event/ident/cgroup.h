/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where: cgroups by id, and the containers they lead to.
 *
 * Like the table of processes this learns from records only (WIRE_CGROUP,
 * WIRE_CONTAINER); who finds them out is live.c.
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
	uint32_t retries;		  /* the container's name was not there yet */
};

struct cgroups {
	struct map by_id;
};

void cgroups_done(struct cgroups *t);
struct cgroup *cgroup_get(struct cgroups *t, uint64_t id); /* made if it is new */
void cgroup_on_path(struct cgroups *t, const struct wire_cgroup *rec);
void cgroup_on_container(struct cgroups *t, const struct wire_container *rec);
