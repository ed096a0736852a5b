/* SPDX-License-Identifier: Apache-2.0 */
#include "event/ident/cgroup.h"

#include "base/macro.h"
#include "event/decode.h"

#include <stdlib.h>

static void forget_all(struct map *by_id)
{
	struct cgroup *c;

	map_each(by_id, i, c) {
		free(c->path);
		free(c->container);
		free(c);
	}
	map_done(by_id);
}

void cgroups_done(struct cgroups *t)
{
	forget_all(&t->recent);
	forget_all(&t->older);
}

struct cgroup *cgroup_get(struct cgroups *t, uint64_t id)
{
	struct cgroup *c = map_get(&t->recent, id);

	if (c)
		return c;
	c = map_take(&t->older, id);
	if (!c) {
		c = xalloc(sizeof(*c));
		c->id = id;
	}
	if (t->recent.n == CGROUPS_RECENT_MAX) {
		forget_all(&t->older);
		t->older = t->recent;
		t->recent = (struct map){0};
	}
	map_put(&t->recent, id, c);
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
