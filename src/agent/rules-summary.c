/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of a run with rules when it ends, or when somebody asks (SIGUSR1).
 *
 * The first lines are those that Falco ends with.
 */
#include "agent/rules-run-internal.h"

#include "base/log.h"
#include "event/escape.h"

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

static void put_member(struct buf *to, const char *key, uint64_t v)
{
	buf_printf(to, "%s\"%s\":%llu", to->p[to->n - 1] == '{' ? "" : ",", key,
		   (unsigned long long)v);
}

static void put_json(struct rules_run *r, const struct engine_totals *t, struct buf *to)
{
	const struct ruleset *rs = &r->now->rs;
	uint64_t matches, alerts;

	buf_puts(to, "{\"summary\":{");
	put_member(to, "alerts", t->alerts);
	buf_puts(to, ",\"by_priority\":{");
	for (int i = 0; i <= RULE_DEBUG; i++)
		if (t->by_priority[i])
			put_member(to, rule_priority_names[i], t->by_priority[i]);
	buf_puts(to, "},\"by_rule\":{");
	for (size_t i = 0; i < rs->rules.n; i++) {
		engine_rule_totals(r->engine, rs->rules.p[i], &matches, &alerts);
		if (!matches)
			continue;
		buf_puts(to, to->p[to->n - 1] == '{' ? "" : ",");
		escape_json(to, str_of(rs->rules.p[i]->name));
		buf_printf(to, ":{\"matches\":%llu,\"alerts\":%llu}", (unsigned long long)matches,
			   (unsigned long long)alerts);
	}
	buf_putc(to, '}');
	put_member(to, "internal", t->internal);
	put_member(to, "held_back", t->held_back);
	put_member(to, "not_written", r->sink->lost);
	put_member(to, "events", t->looked_at);
	put_member(to, "for_nothing", t->for_nothing);
	put_member(to, "undecided", t->undecided);
	put_member(to, "lost", t->lost);
	if (r->config.o->shadow) {
		put_member(to, "missed", t->missed);
		put_member(to, "too_many", t->too_many);
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

/* What each decider cost below. */
static void say_deciders(struct rules_run *r)
{
	fprintf(stderr, "%-12s %12s %10s\n", "decider", "runs", "ns/run");
	for (unsigned int k = 1; k < EV_END; k++) {
		uint64_t runs, ns;
		int32_t prog = r->now->plan.progs[k];

		if (prog < 0 || runtime_rules_stats(r->rt, prog, &runs, &ns) < 0)
			continue;
		fprintf(stderr, "%-12s %12llu %10llu\n", event_get(k)->name,
			(unsigned long long)runs, (unsigned long long)(runs ? ns / runs : 0));
	}
}

void rules_run_say_stats(struct rules_run *r)
{
	const struct ruleset *rs = &r->now->rs;
	uint64_t matches, alerts;
	struct buf line = {0};

	if (r->is_below)
		say_deciders(r);
	fprintf(stderr, "%12s %12s  rule\n", "matches", "alerts");
	for (size_t i = 0; i < rs->rules.n; i++) {
		engine_rule_totals(r->engine, rs->rules.p[i], &matches, &alerts);
		buf_reset(&line);
		escape_text(&line, str_of(rs->rules.p[i]->name));
		fprintf(stderr, "%12llu %12llu  %s\n", (unsigned long long)matches,
			(unsigned long long)alerts, line.p);
	}
	buf_done(&line);
}
