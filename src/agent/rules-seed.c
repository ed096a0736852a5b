/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What deciders can't see: processes that are older than they, and containers.
 *
 * A check over a process, or over a container, is evaluated here by the evaluator that has the
 * last word anyway, on an event that has nothing but a process or a cgroup, and told to the
 * deciders as a bit.  A bit must never be set earlier than what it stands for is certain: a
 * container is there before its runtime has written down what it is.
 */
#include "agent/rules-run-internal.h"

#include "base/clock.h"

#include <stdlib.h>

/* How long a runtime may take to write down what a new container is. */
#define UNCERTAIN_NS (2 * NS_PER_S)
#define NAMELESS_NS  (10 * NS_PER_S)

enum { RECORD_ROOM = 1024, FINAL = 1 << 0, CGROUPS_KEPT = 8192 };

struct known_cgroup {
	uint64_t version; /* of what was told; 0: nothing */
	uint64_t first_ns;
};

/* An event that has nothing but a process and a cgroup. */
struct bare_event {
	union {
		struct wire_file file;
		char room[RECORD_ROOM]; /* no string, no number is there */
	} record;
	struct process nobody;
	struct cgroup nowhere;
	struct event event;
	struct rule_event re;
	struct arena arena;
};

static void bare_event_init(struct bare_event *b, const struct stream *s)
{
	*b = (struct bare_event){0};
	b->record.file.head.kind = EV_OPEN;
	b->record.file.head.size = sizeof(struct wire_file);
	b->event = (struct event){
		.head = &b->record.file.head,
		.desc = event_get(EV_OPEN),
		.kind = EV_OPEN,
		.process = &b->nobody,
		.cgroup = &b->nowhere,
		.stream = s,
	};
	b->re = (struct rule_event){.event = &b->event, .arena = &b->arena};
}

static void put_bits(const struct bare_event *b, const struct ruleset *rs, const uint32_t *checks,
		     size_t n, __u64 *bits)
{
	for (size_t i = 0; i < n; i++)
		if (checks[i] < rs->checks.n && rule_check_eval(&b->re, rs->checks.p[checks[i]]))
			bits[i / 64] |= 1ull << (i % 64);
}

/* Is what is known of it all that there will be? */
static bool is_certain(const struct cgroup *c, uint64_t age_ns)
{
	if (!c->path)
		return false;
	if (!c->container)
		return age_ns > UNCERTAIN_NS;
	return c->container->name.off || age_ns > NAMELESS_NS;
}

static void tell(struct rules_run *r, uint64_t id, const struct wire_cgroup_bits *bits)
{
	if (r->vm)
		rules_vm_cgroup(r->vm, id, bits);
	else
		runtime_rules_cgroup(r->rt, id, bits);
}

static void tell_cgroup(struct rules_run *r, const struct event *event)
{
	const struct rule_plan *plan = &r->now->plan;
	struct wire_cgroup_bits bits = {.flags = FINAL};
	struct bare_event b;

	bare_event_init(&b, r->stream);
	b.record.file.head.cgroup = event->head->cgroup;
	b.event.cgroup = event->cgroup;
	b.event.container = event->container;
	b.event.real_ns = event->real_ns;
	put_bits(&b, &r->now->rs, plan->cgroup_checks.p,
		 MIN(plan->cgroup_checks.n, (size_t)CGROUP_BITS), bits.bits);
	arena_done(&b.arena);
	tell(r, event->head->cgroup, &bits);
}

/* Nobody tells when a cgroup is gone: most of them are, and who is not is told anew. */
static void forget_all(struct rules_run *r)
{
	struct known_cgroup *k;

	map_each(&r->cgroups, i, k)
		tell(r, r->cgroups.slots[i].key - 1, NULL);
	rules_seed_forget(r);
}

void rules_seed_cgroup(struct rules_run *r, const struct event *event)
{
	const struct cgroup *c = event->cgroup;
	struct known_cgroup *k;
	uint64_t version;

	if ((!r->vm && !r->is_below) || !r->now->plan.cgroup_checks.n)
		return;
	k = map_get(&r->cgroups, event->head->cgroup + 1);
	if (!k) {
		if (r->cgroups.n >= CGROUPS_KEPT)
			forget_all(r);
		k = xalloc(sizeof(*k));
		k->first_ns = event->head->time_ns;
		map_put(&r->cgroups, event->head->cgroup + 1, k);
	}
	/* a container's record comes anew when more is known */
	version =
		1 + (c->container ? (uintptr_t)c->container ^ c->container->head.time_ns << 1 : 0);
	if (k->version == version || !is_certain(c, event->head->time_ns - k->first_ns))
		return;
	k->version = version;
	tell_cgroup(r, event);
}

void rules_seed_processes(struct rules_run *r)
{
	const struct rule_plan *plan = &r->now->plan;
	const struct processes *table = stream_processes(r->stream);
	struct bare_event b;
	struct process *p;

	if (!plan->process_checks.n)
		return;
	bare_event_init(&b, r->stream);
	map_each(&table->by_key, i, p) {
		struct wire_proc_bits bits = {.start_ns = p->start_ns};

		if (!p->has_exec || p->has_ended)
			continue;
		b.event.process = p;
		b.record.file.head.pid = p->pid;
		b.record.file.head.start_ns = p->start_ns;
		put_bits(&b, &r->now->rs, plan->process_checks.p,
			 MIN(plan->process_checks.n, (size_t)PROC_BITS), bits.bits);
		if (r->vm)
			rules_vm_process(r->vm, p->pid, &bits);
		else
			runtime_rules_process(r->rt, p->pid, &bits);
		arena_done(&b.arena);
	}
}

void rules_seed_forget(struct rules_run *r)
{
	struct known_cgroup *k;

	map_each(&r->cgroups, i, k)
		free(k);
	map_done(&r->cgroups);
}
