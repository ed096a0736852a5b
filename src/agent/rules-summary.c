/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of a run with rules when it ends, or when somebody asks (SIGUSR1).
 *
 * The first lines are those that Falco ends with.
 */
#include "agent/rules-run-internal.h"

#include "base/log.h"
#include "event/escape.h"
#include "out/json-part.h"

#include <ctype.h>
#include <stdio.h>

static void put_upper(struct buf *to, const char *s)
{
	for (; *s; s++)
		buf_putc(to, (char)toupper((unsigned char)*s));
}

static void put_rules(struct rules_run *r, struct buf *to)
{
	const struct ruleset *rs = &r->now->rs;
	uint64_t matches, alerts;

	buf_puts(to, "Triggered rules by rule name:\n");
	for (size_t i = 0; i < rs->rules.n; i++) {
		engine_rule_totals(r->engine, rs->rules.p[i], &matches, &alerts);
		if (!matches)
			continue;
		buf_puts(to, "   ");
		escape_text(to, str_of(rs->rules.p[i]->name));
		buf_printf(to, ": %llu", (unsigned long long)matches);
		if (matches > alerts)
			buf_printf(to, " (%llu held back)", (unsigned long long)(matches - alerts));
		buf_putc(to, '\n');
	}
}

static void put_text(struct rules_run *r, const struct engine_totals *t, struct buf *to)
{
	buf_printf(to, "Events detected: %llu\nRule counts by severity:\n",
		   (unsigned long long)t->alerts);
	for (int i = 0; i <= RULE_DEBUG; i++) {
		if (!t->by_priority[i])
			continue;
		buf_puts(to, "   ");
		put_upper(to, rule_priority_names[i]);
		buf_printf(to, ": %llu\n", (unsigned long long)t->by_priority[i]);
	}
	put_rules(r, to);
	buf_printf(to,
		   "%llu events came up = %llu that matched + %llu for nothing; %llu alerts held "
		   "back, %llu not written, %llu events lost\n",
		   (unsigned long long)t->looked_at,
		   (unsigned long long)(t->looked_at - t->for_nothing),
		   (unsigned long long)t->for_nothing, (unsigned long long)t->held_back,
		   (unsigned long long)r->sink->lost, (unsigned long long)t->lost);
	if (t->undecided)
		buf_printf(to, "%llu events had a text that was cut, and matched no rule\n",
			   (unsigned long long)t->undecided);
	if (r->config.o->shadow)
		buf_printf(to,
			   "shadow: %llu matches that the decider had ruled out, %llu pairs of "
			   "event and rule that it let through for nothing, in %llu events\n",
			   (unsigned long long)t->missed, (unsigned long long)t->too_many,
			   (unsigned long long)t->events);
}

/* `all`: those that never matched, too. */
static void put_by_rule(struct rules_run *r, bool all, struct buf *to)
{
	const struct ruleset *rs = &r->now->rs;
	uint64_t matches, alerts;

	for (size_t i = 0; i < rs->rules.n; i++) {
		engine_rule_totals(r->engine, rs->rules.p[i], &matches, &alerts);
		if (!matches && !all)
			continue;
		buf_puts(to, to->p[to->n - 1] == '{' ? "" : ",");
		escape_json(to, str_of(rs->rules.p[i]->name));
		buf_printf(to, ":{\"matches\":%llu,\"alerts\":%llu}", (unsigned long long)matches,
			   (unsigned long long)alerts);
	}
}

static void put_json(struct rules_run *r, const struct engine_totals *t, struct buf *to)
{
	buf_puts(to, "{\"summary\":{");
	json_add_number(to, "alerts", t->alerts);
	buf_puts(to, ",\"by_priority\":{");
	for (int i = 0; i <= RULE_DEBUG; i++)
		if (t->by_priority[i])
			json_add_number(to, rule_priority_names[i], t->by_priority[i]);
	buf_puts(to, "},\"by_rule\":{");
	put_by_rule(r, false, to);
	buf_putc(to, '}');
	json_add_number(to, "internal", t->internal);
	json_add_number(to, "held_back", t->held_back);
	json_add_number(to, "not_written", r->sink->lost);
	json_add_number(to, "events", t->looked_at);
	json_add_number(to, "for_nothing", t->for_nothing);
	json_add_number(to, "undecided", t->undecided);
	json_add_number(to, "lost", t->lost);
	if (r->config.o->shadow) {
		json_add_number(to, "missed", t->missed);
		json_add_number(to, "too_many", t->too_many);
	}
	buf_puts(to, "}}\n");
}

void rules_run_say_totals(struct rules_run *r)
{
	struct engine_totals t;
	struct buf text = {0};

	engine_totals(r->engine, &t);
	if (r->config.json)
		put_json(r, &t, &text);
	else
		put_text(r, &t, &text);
	fwrite(text.p, 1, text.n, stderr);
	buf_done(&text);
}

/* --- what it cost */

struct decider {
	unsigned int kind;
	uint64_t runs, ns; /* ns: 0 if they were not timed */
};

/* The deciders below, at most EV_END; how many. */
static size_t deciders_get(struct rules_run *r, struct decider *to)
{
	size_t n = 0;

	for (unsigned int k = 1; r->is_below && k < EV_END; k++) {
		struct decider *d = &to[n];

		d->kind = k;
		if (r->now->plan.progs[k] >= 0 &&
		    runtime_rules_stats(r->rt, k, &d->runs, &d->ns) >= 0)
			n++;
	}
	return n;
}

static void put_stats_text(struct rules_run *r, const struct decider *deciders, size_t n,
			   struct buf *to)
{
	const struct ruleset *rs = &r->now->rs;
	uint64_t matches, alerts;

	if (n)
		buf_printf(to, "%-12s %12s %10s\n", "decider", "runs", "ns/run");
	for (size_t i = 0; i < n; i++) {
		const struct decider *d = &deciders[i];

		buf_printf(to, "%-12s %12llu ", event_get(d->kind)->name,
			   (unsigned long long)d->runs);
		if (d->runs && d->ns)
			buf_printf(to, "%10llu\n", (unsigned long long)(d->ns / d->runs));
		else
			buf_printf(to, "%10s\n", "-");
	}
	buf_printf(to, "%12s %12s  rule\n", "matches", "alerts");
	for (size_t i = 0; i < rs->rules.n; i++) {
		engine_rule_totals(r->engine, rs->rules.p[i], &matches, &alerts);
		buf_printf(to, "%12llu %12llu  ", (unsigned long long)matches,
			   (unsigned long long)alerts);
		escape_text(to, str_of(rs->rules.p[i]->name));
		buf_putc(to, '\n');
	}
}

static void put_stats_json(struct rules_run *r, const struct decider *deciders, size_t n,
			   struct buf *to)
{
	buf_puts(to, "{\"stats\":{\"deciders\":{");
	for (size_t i = 0; i < n; i++) {
		json_add_key(to, event_get(deciders[i].kind)->name);
		buf_putc(to, '{');
		json_add_number(to, "runs", deciders[i].runs);
		if (deciders[i].ns)
			json_add_number(to, "ns", deciders[i].ns);
		buf_putc(to, '}');
	}
	buf_puts(to, "},\"by_rule\":{");
	put_by_rule(r, true, to);
	buf_puts(to, "}}}\n");
}

void rules_run_say_stats(struct rules_run *r)
{
	struct decider deciders[EV_END];
	size_t n = deciders_get(r, deciders);
	struct buf text = {0};

	if (r->config.json)
		put_stats_json(r, deciders, n, &text);
	else
		put_stats_text(r, deciders, n, &text);
	fwrite(text.p, 1, text.n, stderr);
	buf_done(&text);
}
