/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who floods.
 *
 * Somebody may cause events without end so that others find no room.  Below, each cgroup has
 * its part of the ring once that is half full, and loses its own events beyond it; here it is
 * named.
 */
#include "agent/rules-run-internal.h"

#include "base/clock.h"
#include "event/decode.h"
#include "event/ident/live.h"

#include <stdlib.h>

#define LOOK_NS NS_PER_S

struct flooder {
	uint64_t id, lost, told;
};

static void note_flood(void *ctx, uint64_t cgroup, uint64_t lost)
{
	struct rules_run *r = ctx;
	struct flooder *f = map_get(&r->floods, cgroup + 1);

	if (!f) {
		f = xalloc(sizeof(*f));
		f->id = cgroup;
		map_put(&r->floods, cgroup + 1, f);
	}
	f->lost = lost;
}

static int tell(struct rules_run *r, struct flooder *f)
{
	const char *path = r->live ? live_cgroup_path(r->live, f->id) : NULL;
	const struct alert_number numbers[] = {
		{"cgroup.id", f->id}, {"lost", f->lost - f->told}, {"lost_so_far", f->lost}};

	f->told = f->lost;
	return engine_say(r->engine, RULE_CRITICAL, "skep internal: a cgroup floods", NULL, numbers,
			  3,
			  "cgroup %s (%llu) caused more events than its part of the ring takes; "
			  "%llu of its own were lost",
			  path	  ? path
			  : f->id ? "?"
				  : "of many",
			  (unsigned long long)f->id, (unsigned long long)numbers[1].value);
}

int rules_flood_tick(struct rules_run *r, bool is_last)
{
	uint64_t now = clock_mono_ns();
	struct flooder *f;
	int err = 0;

	if (!r->is_below || (!is_last && now - r->flood_ns < LOOK_NS))
		return 0;
	r->flood_ns = now;
	runtime_rules_floods(r->rt, note_flood, r);
	map_each(&r->floods, i, f) {
		if (f->lost != f->told && err >= 0)
			err = tell(r, f);
	}
	return err;
}

void rules_flood_done(struct rules_run *r)
{
	struct flooder *f;

	map_each(&r->floods, i, f)
		free(f);
	map_done(&r->floods);
}
