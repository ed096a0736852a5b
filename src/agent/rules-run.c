/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules-run-internal.h"

#include "agent/rules-out.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FINISH_MS = 5000 };

static int begin_load(struct rules_run *r, uint32_t generation, struct rules_loaded **ret)
{
	const struct rules_load_options options = {
		.o = r->config.o,
		.colour = r->config.colour,
		.embedded = r->config.embedded,
		.quiet = r->config.quiet || generation > 1,
		.generation = generation,
	};

	return rules_load_begin(&options, ret);
}

int rules_run_load(const struct rules_run_config *c, struct rules_run **ret)
{
	struct rules_run *r = xalloc(sizeof(*r));
	int status;

	r->config = *c;
	r->generation = 1;
	status = rules_rate(c->o->rate, &r->rate, &r->burst) ? 0 : EXIT_USAGE;
	if (!status)
		status = rules_append_load(c->o, c->colour, &r->append);
	if (!status)
		status = begin_load(r, 1, &r->now);
	if (status) {
		rules_run_done(r);
		return status;
	}
	*ret = r;
	return 0;
}

/* Whatever rules could ask for. */
static uint64_t all_kinds(void)
{
	size_t n;
	const struct rule_event_info *events = rule_events(&n);
	uint64_t kinds = 0;

	for (size_t i = 0; i < n; i++)
		kinds |= events[i].kinds;
	return kinds;
}

void rules_run_wants(struct rules_run *r, struct runtime_config *to)
{
	r->watched = r->config.events | r->now->rs.kinds;
	if (r->config.may_grow)
		r->watched |= all_kinds();
	to->events = r->watched;
	to->rules = true;
	to->rules_env = r->has_env = r->now->rs.wants_env;
	to->rules_data = r->has_data = r->now->wants_data;
	to->rules_timed = r->config.o->stats;
	to->shown = r->config.events;
}

static struct runtime_rules deciders(const struct rules_loaded *l)
{
	return (struct runtime_rules){
		.q = &l->q,
		.progs = l->plan.progs,
		.map_procs = l->plan.map_procs,
		.map_cgroups = l->plan.map_cgroups,
		.generation = l->rs.generation,
		.kinds = l->rs.kinds,
	};
}

static int open_vm(struct rules_run *r, struct rules_loaded *l, struct rules_vm **ret)
{
	const struct rules_vm_config config = {
		.q = &l->q,
		.plan = &l->plan,
		.generation = l->rs.generation,
	};

	*ret = NULL;
	return l->has_deciders ? rules_vm_open(&config, ret) : -ENOTSUP;
}

int rules_run_begin(struct rules_run *r, struct runtime *rt)
{
	struct runtime_error e = {0};
	struct runtime_rules rules;
	int err;

	r->rt = rt;
	rules_load_end(r->now);
	rules = deciders(r->now);
	if (r->config.o->stats)
		log_note("%zu rules, %zu checks; loaded in %.1f ms, compiled in %.1f ms",
			 r->now->rs.rules.n, r->now->rs.checks.n, r->now->load_ns / 1e6,
			 r->now->compile_ns / 1e6);
	if (!rt || r->config.embedded) {
		err = open_vm(r, r->now, &r->vm);
		if (err < 0)
			log_debug("deciders do not run here: %s", strerror(-err));
		return 0;
	}
	if (!r->now->has_deciders)
		return 0;
	r->below[1] = rules; /* borrowed by the runtime */
	err = runtime_rules(rt, &r->below[1], &e);
	r->is_below = err >= 0;
	if (err >= 0 || err == -ENOTSUP)
		return 0;
	log_warning("the rules' programs were refused: %s; user space decides alone, which costs "
		    "more",
		    e.what[0] ? e.what : strerror(-err));
	if (e.log[0])
		log_debug("%s", e.log);
	return 0;
}

/* Process ids of events are those of the first pid namespace; are ours? */
static bool ids_are_ours(void)
{
	const ino_t first = 0xeffffffc; /* PROC_PID_INIT_INO, include/linux/proc_ns.h */
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == first;
}

/*
 * Is it somebody whom skep started, but for the command that is watched: curl, a program
 * that takes alerts?  Their doings would cause alerts, which would cause doings.
 */
static bool is_own(void *run, const struct event *e)
{
	const struct rules_run *r = run;
	const struct process *p = e->process;

	for (int i = 0; p && i < ANCESTORS_LOOKED_AT; i++) {
		if (p->pid == r->own_pid)
			return true;
		if (p->ppid == r->own_pid)
			return p->pid != r->command;
		p = process_parent(stream_processes(e->stream), p);
	}
	return false;
}

int rules_run_outputs(struct rules_run *r, const struct output *out)
{
	bool has_colour = r->config.colour == COLOUR_ALWAYS ||
			  (r->config.colour == COLOUR_AUTO && log_can_colour(out->fd));
	struct engine_config config = {
		.rules = &r->now->rs,
		.rate = r->rate,
		.burst = r->burst,
		.count = r->config.count,
		.shadow = r->config.o->shadow,
		.plain = r->config.o->plain,
		.appended = r->append ? r->append->outputs : NULL,
		.is_own_ctx = r,
	};
	int status = rules_out_open(r->config.o, out, r->config.json, has_colour, r->config.events,
				    &r->sink);

	if (status)
		return status;
	if (r->rt && ids_are_ours()) {
		r->own_pid = getpid();
		config.is_own = is_own;
	}
	config.sink = r->sink;
	r->engine = engine_new(&config);
	return 0;
}

void rules_run_stream(struct rules_run *r, const struct stream *s, struct live *live,
		      uint32_t command)
{
	r->live = live;
	r->stream = s;
	r->command = command;
	r->wants_seeds = r->is_below || r->vm;
}

/* --- events */

/*
 * Nobody below decided, or somebody did when it was recorded, by other rules: the decider in
 * skep itself says what may match, or user space looks at all of them.
 */
static int judge_here(struct rules_run *r, const struct event *event)
{
	const struct wire_head *h = event->raw ? event->raw : event->head;
	size_t n = h->size - (event->annex ? sizeof(struct wire_annex) : 0);
	struct wire_annex annex = {0};
	struct event copy = *event;

	if (event->annex)
		annex = *event->annex;
	annex.flags &= ~(__u32)WIRE_A_DECIDED;
	if (r->vm && rules_vm_decide(r->vm, h, n, &annex) < 0)
		annex.flags &= ~(__u32)WIRE_A_DECIDED;
	if (event->annex || annex.flags & WIRE_A_DECIDED)
		copy.annex = &annex;
	return engine_event(r->engine, &copy);
}

int rules_run_event(void *run, const struct event *event)
{
	struct rules_run *r = run;

	r->newest_ns = MAX(r->newest_ns, event->head->time_ns);
	if (event->kind == EV_LOST)
		return engine_event(r->engine, event);
	rules_seed_cgroup(r, event);
	return r->is_below ? engine_event(r->engine, event) : judge_here(r, event);
}

/* --- between events */

bool rules_run_has_enough(const struct rules_run *r)
{
	struct engine_totals t;

	engine_totals(r->engine, &t);
	return t.has_enough;
}

static void say_problem(struct rules_run *r)
{
	uint64_t now = clock_mono_ns();

	if (!r->sink->problem[0] || (r->said_ns && now - r->said_ns < 5 * NS_PER_S))
		return;
	log_warning("alerts: %s", r->sink->problem);
	r->sink->problem[0] = 0;
	r->said_ns = now;
}

/*
 * All records from before a point in time were seen, if nothing more waits, or if newer
 * ones come already: the ring keeps its order but for what two cpus do at the same moment.
 */
static bool is_past(const struct rules_run *r, bool is_empty, uint64_t ns)
{
	return is_empty || r->newest_ns > ns + 100 * NS_PER_MS;
}

/* The new set goes below first; records say by its generation who decided them. */
static bool swap_below(struct rules_run *r, struct rules_loaded *new, uint32_t generation)
{
	struct runtime_rules rules = deciders(new);
	struct runtime_error e = {0};
	struct rules_vm *vm;
	int err = 0;

	if (r->vm) {
		if (open_vm(r, new, &vm) < 0)
			return false;
		rules_vm_close(r->vm);
		r->vm = vm;
	} else if (r->is_below) {
		r->below[generation & 1] = rules;
		err = new->has_deciders ? runtime_rules(r->rt, &r->below[generation & 1], &e)
					: -ENOTSUP;
		if (err < 0)
			log_error(err, "the new rules: %s", e.what);
	}
	return err >= 0;
}

/* What nobody asked for at the start is not collected. */
static void say_unwatched(const struct rules_run *r, const struct rules_loaded *new)
{
	uint64_t kinds = new->rs.kinds & ~r->watched;
	struct buf names = {0};

	if (r->rt && new->rs.wants_env && !r->has_env)
		buf_puts(&names, "environments");
	if (r->rt && new->wants_data && !r->has_data)
		buf_printf(&names, "%swhat is sent", names.n ? ", " : "");
	for (unsigned int k = 1; r->rt && k < EV_END; k++)
		if (kinds & KIND_BIT(k))
			buf_printf(&names, "%s%s", names.n ? ", " : "", event_get(k)->name);
	if (names.n)
		log_warning("the new rules ask for %s, which this run does not watch; start skep "
			    "again for them",
			    names.p);
	buf_done(&names);
}

/* What was being compiled is there. */
static void change(struct rules_run *r)
{
	struct rules_loaded *new = r->next;

	r->next = NULL;
	rules_load_end(new);
	say_unwatched(r, new);
	engine_swap(r->engine, &new->rs);
	if (!swap_below(r, new, r->generation + 1)) {
		engine_swap(r->engine, &r->now->rs);
		engine_forget(r->engine);
		rules_unload(new);
		log_warning("the old rules stay");
		return;
	}
	r->generation++;
	r->swapped_ns = clock_boot_ns();
	r->before = r->now;
	r->now = new;
	rules_seed_forget(r);
	r->wants_seeds = r->is_below || r->vm;
	log_note("%zu rules are in force now", new->rs.rules.n);
}

int rules_run_tick(struct rules_run *r, bool is_empty)
{
	int err;

	if (r->next && rules_load_is_done(r->next)) {
		change(r);
		if (!r->before && r->reload_again) /* it did not come into force */
			rules_run_reload(r);
	}
	if (r->before && is_past(r, is_empty, r->swapped_ns)) {
		engine_forget(r->engine);
		rules_unload(r->before);
		r->before = NULL;
		if (r->reload_again)
			rules_run_reload(r);
	}
	if (r->wants_seeds && is_past(r, is_empty, r->swapped_ns)) {
		r->wants_seeds = false;
		rules_seed_processes(r);
	}
	err = rules_flood_tick(r, false);
	if (err >= 0)
		err = r->sink->flush(r->sink);
	say_problem(r);
	return err;
}

void rules_run_reload(struct rules_run *r)
{
	if (r->sink->reopen)
		r->sink->reopen(r->sink);
	if (r->before || r->next) { /* twice at once: the first change first */
		r->reload_again = true;
		return;
	}
	r->reload_again = false;
	if (begin_load(r, r->generation + 1, &r->next))
		log_warning("the old rules stay");
}

/* --- the end */

int rules_run_finish(struct rules_run *r)
{
	int err = rules_flood_tick(r, true);

	if (err >= 0)
		err = engine_finish(r->engine);
	if (err >= 0)
		err = r->sink->flush(r->sink);
	if (r->sink->finish)
		r->sink->finish(r->sink, FINISH_MS);
	say_problem(r);
	return err;
}

int rules_run_status(const struct rules_run *r)
{
	struct engine_totals t;

	engine_totals(r->engine, &t);
	return t.missed ? EXIT_FAILED : 0;
}

void rules_run_done(struct rules_run *r)
{
	if (!r)
		return;
	engine_free(r->engine);
	if (r->sink)
		r->sink->free(r->sink);
	rules_vm_close(r->vm);
	rules_seed_forget(r);
	rules_flood_done(r);
	rules_unload(r->before);
	rules_unload(r->next);
	rules_unload(r->now);
	rules_append_free(r->append);
	free(r);
}
