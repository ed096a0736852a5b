/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: which rules an event matches, and which of them become alerts.
 *
 * Candidates are the rules that the kernel's decider let through, if it was the decider of
 * this rule set; else all rules for the event's kind.  They are evaluated in file order, and
 * unless the set says otherwise the first that matches is the only one.
 *
 * While rule sets change there are two: a record says by its generation which of them decided,
 * and that one judges it.  So no event is judged by neither or by both.
 *
 * What is counted of a rule, and the bucket of its rate limit, belong to its name: they outlive
 * the set that it came with.  skep's own alerts have such buckets, too.
 */
#include "event/rule/engine.h"

#include "event/rule/hosts.h"
#include "event/rule/limit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAID_MAX = 1024, SAY_BURST = 3 };
#define SAY_RATE 0.2 /* of skep's own alerts: one in five seconds, of each name */

struct tally {
	char *name; /* owned */
	struct limit limit;
	uint64_t matches, alerts;
	enum rule_priority priority;
	bool is_own; /* of an alert of skep's own */
};

/* A rule set, and which of its rules look at which kind. */
struct set {
	const struct ruleset *rules; /* NULL: none */
	struct tally **tallies;	     /* owned array; by rule id */
	uint32_t *of_kind[64];	     /* owned; ids in file order */
	size_t n_of_kind[64];
};

struct engine {
	struct engine_config config;
	struct set now, before;
	struct map tallies; /* by hash of the name: struct tally, owned */
	struct engine_totals totals;
	struct arena arena; /* of the event that is evaluated */
	struct regexes *regexes;
	struct hosts *hosts;
	struct buf message;
	uint64_t last_ns, last_real_ns;
};

static struct tally *tally_get(struct engine *e, const char *name, bool is_own)
{
	uint64_t key = str_hash(str_of(name)) | 1;
	struct tally *t = map_get(&e->tallies, key);

	if (!t) {
		t = xalloc(sizeof(*t));
		t->name = xstrdup(name);
		t->is_own = is_own;
		map_put(&e->tallies, key, t);
	}
	return t;
}

static void set_init(struct engine *e, struct set *s, const struct ruleset *rules)
{
	*s = (struct set){.rules = rules};
	s->tallies = xalloc(sizeof(struct tally *) * (rules->rules.n + 1));
	for (size_t i = 0; i < rules->rules.n; i++) {
		s->tallies[i] = tally_get(e, rules->rules.p[i]->name, false);
		s->tallies[i]->priority = rules->rules.p[i]->priority;
	}
	for (unsigned int k = 0; k < 64; k++) {
		s->of_kind[k] = xalloc(sizeof(uint32_t) * (rules->rules.n + 1));
		for (size_t i = 0; i < rules->rules.n; i++)
			if (rules->rules.p[i]->kinds >> k & 1)
				s->of_kind[k][s->n_of_kind[k]++] = i;
	}
}

static void set_done(struct set *s)
{
	for (unsigned int k = 0; k < 64; k++)
		free(s->of_kind[k]);
	free(s->tallies);
	*s = (struct set){0};
}

struct engine *engine_new(const struct engine_config *config)
{
	struct engine *e = xalloc(sizeof(*e));

	e->config = *config;
	e->regexes = regexes_new();
	e->hosts = hosts_new();
	hosts_load(e->hosts, "/etc/hosts"); /* without it no address has a name */
	set_init(e, &e->now, config->rules);
	return e;
}

void engine_free(struct engine *e)
{
	struct tally *t;

	if (!e)
		return;
	set_done(&e->now);
	set_done(&e->before);
	map_each(&e->tallies, i, t) {
		free(t->name);
		free(t);
	}
	map_done(&e->tallies);
	arena_done(&e->arena);
	regexes_free(e->regexes);
	hosts_free(e->hosts);
	buf_done(&e->message);
	free(e);
}

void engine_swap(struct engine *e, const struct ruleset *rules)
{
	engine_forget(e);
	e->before = e->now;
	set_init(e, &e->now, rules);
	e->config.rules = rules;
	e->totals.swaps++;
}

void engine_forget(struct engine *e)
{
	set_done(&e->before);
}

void engine_totals(const struct engine *e, struct engine_totals *ret)
{
	*ret = e->totals;
}

void engine_rule_totals(const struct engine *e, const struct rule *rule, uint64_t *ret_matches,
			uint64_t *ret_alerts)
{
	const struct tally *t = map_get(&e->tallies, str_hash(str_of(rule->name)) | 1);

	*ret_matches = t ? t->matches : 0;
	*ret_alerts = t ? t->alerts : 0;
}

/* --- skep's own alerts */

static int say(struct engine *e, enum rule_priority priority, const char *name,
	       const struct event *event, const struct alert_number *numbers, size_t n,
	       uint64_t held, const char *text)
{
	struct buf message = {0};
	struct alert a = {
		.event = event,
		.real_ns = event ? event->real_ns : e->last_real_ns,
		.priority = priority,
		.name = name,
		.held_back = held,
		.config = &e->config,
		.numbers = numbers,
		.n_numbers = n,
	};
	int r;

	buf_printf(&message, "%s: %s", name, text);
	a.message = buf_str(&message);
	e->totals.internal++;
	r = e->config.sink->alert(e->config.sink, &a);
	buf_done(&message);
	return r;
}

int engine_say(struct engine *e, enum rule_priority priority, const char *name,
	       const struct event *event, const struct alert_number *numbers, size_t n_numbers,
	       const char *format, ...)
{
	struct tally *t = tally_get(e, name, true);
	char text[SAID_MAX];
	va_list args;

	t->matches++;
	t->priority = priority;
	if (!limit_pass(&t->limit, SAY_RATE, SAY_BURST, event ? event->head->time_ns : e->last_ns))
		return 0;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	t->alerts++;
	return say(e, priority, name, event, numbers, n_numbers, limit_take_held(&t->limit), text);
}

static int say_lost(struct engine *e, const struct event *event)
{
	uint64_t n = event->head->ret;
	struct alert_number numbers[2];

	e->totals.lost += n;
	numbers[0] = (struct alert_number){"lost", n};
	numbers[1] = (struct alert_number){"lost_so_far", e->totals.lost};
	return engine_say(e, RULE_CRITICAL, "skep internal: events lost", event, numbers, 2,
			  "%llu events found no room on their way from the kernel: rules did not "
			  "see them",
			  (unsigned long long)n);
}

/*
 * A text was longer than what is copied, and no rule matched on what was: one might have, on
 * the whole.  Somebody may have made it that long for this.
 */
static int say_undecided(struct engine *e, const struct event *event)
{
	struct alert_number number;

	number = (struct alert_number){"undecided", ++e->totals.undecided};
	return engine_say(e, RULE_WARNING, "skep internal: text too long to decide", event, &number,
			  1,
			  "%s of process %u has a name or arguments that were cut; no rule matches "
			  "what is left",
			  event->desc->name, event->head->pid);
}

static int say_missed(struct engine *e, const struct event *event, const struct rule *rule)
{
	struct alert_number number = {"missed", ++e->totals.missed};

	return engine_say(e, RULE_CRITICAL, "skep internal: kernel and user space disagree", event,
			  &number, 1,
			  "rule \"%s\" matches %s of process %u, which its decider had ruled out",
			  rule->name, event->desc->name, event->head->pid);
}

int engine_finish(struct engine *e)
{
	struct tally *t;
	int r = 0;

	map_each(&e->tallies, i, t) {
		struct alert_number number = {"held_back", limit_take_held(&t->limit)};
		char text[SAID_MAX];

		if (!number.value)
			continue;
		snprintf(text, sizeof(text), "%llu more alerts of \"%s\" were held back",
			 (unsigned long long)number.value, t->name);
		r = say(e, RULE_NOTICE, "skep internal: alerts held back", NULL, &number, 1, 0,
			text);
		if (r < 0)
			break;
	}
	return r;
}

/* --- events */

/* The set whose decider saw it; *ret_may: what it said, NULL: nobody decided. */
static struct set *set_of(struct engine *e, const struct wire_annex *a, const __u64 **ret_may)
{
	*ret_may = NULL;
	if (!a || !(a->flags & WIRE_A_DECIDED))
		return &e->now;
	if (e->before.rules && a->generation == e->before.rules->generation) {
		*ret_may = a->may;
		return &e->before;
	}
	if (a->generation == e->now.rules->generation)
		*ret_may = a->may;
	return &e->now;
}

static int fire(struct engine *e, struct rule_event *re, const struct rule *rule, struct tally *t,
		bool by_resolved)
{
	const struct event *event = re->event;
	struct alert a = {
		.rule = rule,
		.event = event,
		.real_ns = event->real_ns,
		.priority = rule->priority,
		.name = rule->name,
		.by_resolved = by_resolved,
		.was_cut = event->head->flags & WIRE_F_CUT,
		.values = re,
		.config = &e->config,
	};
	int r;

	t->matches++;
	if (!limit_pass(&t->limit, e->config.rate, e->config.burst, event->head->time_ns)) {
		e->totals.held_back++;
		return 0;
	}
	a.held_back = limit_take_held(&t->limit);
	t->alerts++;
	e->totals.alerts++;
	e->totals.has_enough = e->totals.alerts == e->config.count;
	e->totals.by_priority[rule->priority]++;
	re->use_resolved = false;
	re->is_output = true;
	buf_reset(&e->message);
	alert_message(&e->config, re, rule, by_resolved, &e->message);
	a.message = buf_str(&e->message);
	r = e->config.sink->alert(e->config.sink, &a);
	re->is_output = false;
	return r;
}

/* One look at an event: which rules it was held against, and what came of it. */
struct look {
	size_t candidates, matches;
	int r; /* of the sink */
};

static bool may_match(const __u64 *may, uint32_t id)
{
	return !may || (id < RULES_MAX && may[id / 64] >> (id % 64) & 1);
}

static void look_at(struct engine *e, const struct set *s, struct rule_event *re, const __u64 *may,
		    uint32_t id, struct look *look)
{
	const struct rule *rule = s->rules->rules.p[id];
	bool may_it = may_match(may, id), by_resolved = false, does;

	if (!may_it && !e->config.shadow)
		return;
	look->candidates += may_it;
	if (look->matches && !s->rules->match_all && !e->config.shadow)
		return;
	e->totals.evaluated++;
	does = rule_match(re, s->rules, rule, &by_resolved);
	e->totals.too_many += e->config.shadow && may && may_it && !does;
	if (!does || (e->config.is_own && e->config.is_own(e->config.is_own_ctx, re->event)))
		return;
	if (!may_it)
		look->r = say_missed(e, re->event, rule);
	look->matches++;
	if (look->r >= 0 && (look->matches == 1 || s->rules->match_all))
		look->r = fire(e, re, rule, s->tallies[id], by_resolved);
}

int engine_event(struct engine *e, const struct event *event)
{
	struct rule_event re = {
		.event = event,
		.arena = &e->arena,
		.regexes = e->regexes,
		.hosts = e->hosts,
	};
	unsigned int kind = event->kind;
	struct look look = {0};
	const __u64 *may;
	struct set *s;

	e->last_ns = MAX(e->last_ns, event->head->time_ns);
	e->last_real_ns = MAX(e->last_real_ns, event->real_ns);
	if (e->totals.has_enough)
		return 0;
	if (kind == EV_LOST)
		return say_lost(e, event);
	re.annex = event->annex;
	s = set_of(e, re.annex, &may);
	if (kind >= 64 || !s->n_of_kind[kind])
		return 0;
	re.number = ++e->totals.events;
	for (size_t i = 0; i < s->n_of_kind[kind] && look.r >= 0 && !e->totals.has_enough; i++)
		look_at(e, s, &re, may, s->of_kind[kind][i], &look);
	arena_done(&e->arena);
	e->totals.looked_at += look.candidates != 0;
	if (look.candidates && !look.matches)
		e->totals.for_nothing++;
	if (look.candidates && !look.matches && look.r >= 0 && event->head->flags & WIRE_F_CUT)
		look.r = say_undecided(e, event);
	return look.r;
}
