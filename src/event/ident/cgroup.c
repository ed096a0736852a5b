/* SPDX-License-Identifier: Apache-2.0 */
#include "event/ident/cgroup.h"

#include "base/macro.h"
#include "event/decode.h"

#include <stdlib.h>

void cgroups_done(struct cgroups *t)
{
	struct cgroup *c;

	map_each(&t->by_id, i, c) {
		free(c->path);
		free(c->container);
		free(c);
	}
	map_done(&t->by_id);
}

struct cgroup *cgroup_get(struct cgroups *t, uint64_t id)
{
	struct cgroup *c = map_get(&t->by_id, id);

	if (!c) {
		c = xalloc(sizeof(*c));
		c->id = id;
		map_put(&t->by_id, id, c);
	}
	return c;
}

void cgroup_on_path(struct cgroups *t, const struct wire_cgroup *rec)
{
	struct cgroup *c = cgroup_get(t, rec->head.cgroup);
	struct str path = record_str(rec, rec->path);

	free(c->path);
	c->path = xstrndup(path.p, path.n);
}

void cgroup_on_container(struct cgroups *t, const struct wire_container *rec)
{
	struct cgroup *c = cgroup_get(t, rec->head.cgroup);

	free(c->container);
	c->container = xalloc(rec->head.size);
	memcpy(c->container, rec, rec->head.size);
}
