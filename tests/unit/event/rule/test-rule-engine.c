/* SPDX-License-Identifier: Apache-2.0 */
/* The engine over rules that are always true or always false, and a sink that writes down. */
#include "event/rule/engine.h"

#include "base/clock.h"
#include "event/rule/limit.h"
#include "test.h"

#include <errno.h>

enum { RULES = 3 };

/* Three rules about opens, in file order; the last is about execs, too. */
struct made {
	struct ruleset rs;
	struct rule rules[RULES];
	struct rule *pointers[RULES];
	struct rule_expr exprs[RULES];
	struct rule_piece pieces[RULES];
};

static void made_init(struct made *m, uint32_t generation, bool a, bool b, bool c)
{
	static const char *const names[RULES] = {"a", "b", "c"};
	const bool values[RULES] = {a, b, c};

	*m = (struct made){0};
	ruleset_init(&m->rs);
	m->rs.generation = generation;
	for (unsigned int i = 0; i < RULES; i++) {
		m->exprs[i] = (struct rule_expr){.kind = RULE_E_CONST, .value = values[i]};
		m->pieces[i].text = STR("rule matched\n");
		m->rules[i] = (struct rule){
			.id = i,
			.name = names[i],
			.expr = &m->exprs[i],
			.priority = RULE_WARNING,
			.source = "syscall",
			.enabled = true,
			.kinds = KIND_BIT(EV_OPEN) | (i == 2 ? KIND_BIT(EV_EXEC) : 0),
		};
		m->rules[i].output.pieces.p = &m->pieces[i];
		m->rules[i].output.pieces.n = 1;
		m->pointers[i] = &m->rules[i];
	}
	m->rs.rules.p = m->pointers;
	m->rs.rules.n = RULES;
}

/* "name(held)" of each alert, and blanks between. */
struct notes {
	struct alert_sink sink;
	struct buf text;
	struct alert last;
	uint64_t numbers[4];
	int error;
};

static int note(struct alert_sink *sink, const struct alert *a)
{
	struct notes *n = (struct notes *)sink;

	buf_printf(&n->text, "%s%s", n->text.n ? " " : "", a->name);
	if (a->held_back)
		buf_printf(&n->text, "(%llu)", (unsigned long long)a->held_back);
	n->last = *a;
	for (size_t i = 0; i < a->n_numbers && i < 4; i++)
		n->numbers[i] = a->numbers[i].value;
	return n->error;
}

struct run {
	struct made made;
	struct notes notes;
	struct engine_config config;
	struct engine *engine;
	struct wire_file record;
	struct wire_annex annex;
	struct event event;
	struct process process;
	struct cgroup cgroup;
};

static void run_init(struct run *r, bool a, bool b, bool c)
{
	*r = (struct run){0};
	made_init(&r->made, 1, a, b, c);
	r->notes.sink.alert = note;
	r->config = (struct engine_config){
		.rules = &r->made.rs,
		.sink = &r->notes.sink,
		.plain = true,
	};
	r->record.head.kind = EV_OPEN;
	r->record.head.size = sizeof(r->record);
	r->record.head.time_ns = NS_PER_S;
	r->event = (struct event){
		.head = &r->record.head,
		.desc = event_get(EV_OPEN),
		.kind = EV_OPEN,
		.real_ns = 1700000000ull * NS_PER_S,
		.process = &r->process,
		.cgroup = &r->cgroup,
	};
}

static void run_start(struct run *r)
{
	r->engine = engine_new(&r->config);
}

static void run_done(struct run *r)
{
	engine_free(r->engine);
	buf_done(&r->notes.text);
	ruleset_done(&r->made.rs);
}

static const char *says(struct run *r)
{
	return r->notes.text.p ? r->notes.text.p : "";
}

/* What one event makes it say. */
static const char *send(struct run *r)
{
	buf_reset(&r->notes.text);
	CHECK_EQ(engine_event(r->engine, &r->event), r->notes.error);
	return says(r);
}

static void decide(struct run *r, uint32_t generation, uint64_t may)
{
	r->annex.flags = WIRE_A_DECIDED;
	r->annex.generation = generation;
	r->annex.may[0] = may;
	r->event.annex = &r->annex;
}

TEST(first_match)
{
	struct engine_totals t;
	struct run r;
	uint64_t matches, alerts;

	run_init(&r, false, true, true);
	run_start(&r);
	CHECK_STREQ(send(&r), "b");
	CHECK(r.notes.last.rule == &r.made.rules[1]);
	CHECK_EQ(r.notes.last.priority, RULE_WARNING);
	engine_totals(r.engine, &t);
	CHECK_EQ(t.events, 1);
	CHECK_EQ(t.evaluated, 2);
	CHECK_EQ(t.alerts, 1);
	CHECK_EQ(t.by_priority[RULE_WARNING], 1);
	engine_rule_totals(r.engine, &r.made.rules[1], &matches, &alerts);
	CHECK_EQ(matches, 1);
	CHECK_EQ(alerts, 1);
	run_done(&r);
}

TEST(all_matches)
{
	struct run r;

	run_init(&r, false, true, true);
	r.made.rs.match_all = true;
	run_start(&r);
	CHECK_STREQ(send(&r), "b c");
	run_done(&r);
}

TEST(other_kinds)
{
	struct engine_totals t;
	struct run r;

	run_init(&r, true, true, true);
	run_start(&r);
	r.event.kind = r.record.head.kind = EV_EXEC;
	r.event.desc = event_get(EV_EXEC);
	CHECK_STREQ(send(&r), "c");
	r.event.kind = r.record.head.kind = EV_UNLINK;
	CHECK_STREQ(send(&r), "");
	engine_totals(r.engine, &t);
	CHECK_EQ(t.events, 1);
	run_done(&r);
}

TEST(decided_below)
{
	struct engine_totals t;
	struct run r;

	run_init(&r, true, true, false);
	run_start(&r);
	decide(&r, 1, 1 << 1);
	CHECK_STREQ(send(&r), "b"); /* a was ruled out: it is not asked */
	decide(&r, 1, 1 << 2);
	CHECK_STREQ(send(&r), ""); /* over-approximated */
	decide(&r, 1, 0);
	CHECK_STREQ(send(&r), ""); /* sent for who it is about, not for rules */
	decide(&r, 7, 1 << 1);
	CHECK_STREQ(send(&r), "a"); /* of a set that is not known: nobody decided */
	r.annex.flags = 0;
	r.annex.generation = 1;
	CHECK_STREQ(send(&r), "a");
	engine_totals(r.engine, &t);
	CHECK_EQ(t.events, 5);
	CHECK_EQ(t.looked_at, 4);
	CHECK_EQ(t.for_nothing, 1);
	run_done(&r);
}

/* While sets change, a record is judged by the one whose deciders saw it, and by no other. */
TEST(swap)
{
	uint64_t matches, alerts;
	struct made new;
	struct run r;

	run_init(&r, true, false, false);
	run_start(&r);
	made_init(&new, 2, false, false, true);
	CHECK_STREQ(send(&r), "a");
	engine_swap(r.engine, &new.rs);
	decide(&r, 1, 7);
	CHECK_STREQ(send(&r), "a");
	decide(&r, 2, 7);
	CHECK_STREQ(send(&r), "c");
	decide(&r, 1, 7);
	CHECK_STREQ(send(&r), "a");
	engine_forget(r.engine);
	CHECK_STREQ(send(&r), "c"); /* too late for the old one */
	engine_rule_totals(r.engine, &new.rules[0], &matches, &alerts);
	CHECK_EQ(matches, 3); /* by name, over all sets */
	run_done(&r);
	ruleset_done(&new.rs);
}

TEST(rate)
{
	struct engine_totals t;
	struct run r;

	run_init(&r, true, false, false);
	r.config.rate = 1;
	r.config.burst = 2;
	run_start(&r);
	CHECK_STREQ(send(&r), "a");
	CHECK_STREQ(send(&r), "a");
	CHECK_STREQ(send(&r), "");
	CHECK_STREQ(send(&r), "");
	r.record.head.time_ns += NS_PER_S / 2;
	CHECK_STREQ(send(&r), "");
	r.record.head.time_ns += NS_PER_S / 2;
	CHECK_STREQ(send(&r), "a(3)");
	r.record.head.time_ns -= NS_PER_S / 2; /* another cpu's, a little late */
	CHECK_STREQ(send(&r), "");
	r.record.head.time_ns += 3600 * NS_PER_S; /* no more than the burst was saved */
	CHECK_STREQ(send(&r), "a(1)");
	CHECK_STREQ(send(&r), "a");
	CHECK_STREQ(send(&r), "");
	engine_totals(r.engine, &t);
	CHECK_EQ(t.alerts, 5);
	CHECK_EQ(t.held_back, 5);
	buf_reset(&r.notes.text);
	CHECK_EQ(engine_finish(r.engine), 0);
	CHECK_STREQ(says(&r), "skep internal: alerts held back");
	CHECK_EQ(r.notes.numbers[0], 1);
	run_done(&r);
}

TEST(limits)
{
	struct limit l = {0};

	for (int i = 0; i < 100; i++)
		CHECK(limit_pass(&l, 0, 0, 0));
	CHECK(limit_pass(&l, 0.5, 0, 10 * NS_PER_S)); /* a burst of 0 is one of 1 */
	CHECK(!limit_pass(&l, 0.5, 0, 11 * NS_PER_S));
	CHECK(limit_pass(&l, 0.5, 0, 12 * NS_PER_S));
	CHECK_EQ(limit_take_held(&l), 1);
	CHECK_EQ(limit_take_held(&l), 0);
}

TEST(shadow)
{
	struct engine_totals t;
	struct run r;

	run_init(&r, true, false, false);
	r.config.shadow = true;
	run_start(&r);
	decide(&r, 1, 1 << 1);
	CHECK_STREQ(send(&r), "skep internal: kernel and user space disagree a");
	engine_totals(r.engine, &t);
	CHECK_EQ(t.missed, 1);
	CHECK_EQ(t.too_many, 1);
	CHECK_EQ(t.evaluated, 3);
	decide(&r, 1, 1);
	CHECK_STREQ(send(&r), "a");
	engine_totals(r.engine, &t);
	CHECK_EQ(t.missed, 1);
	run_done(&r);
}

TEST(losses)
{
	struct engine_totals t;
	struct run r;

	run_init(&r, true, false, false);
	run_start(&r);
	r.event.kind = r.record.head.kind = EV_LOST;
	r.event.desc = event_get(EV_LOST);
	r.record.head.ret = 5;
	CHECK_STREQ(send(&r), "skep internal: events lost");
	CHECK(!r.notes.last.rule);
	CHECK_EQ(r.notes.numbers[0], 5);
	CHECK_STREQ(send(&r), "skep internal: events lost");
	CHECK_EQ(r.notes.numbers[1], 10);
	CHECK_STREQ(send(&r), "skep internal: events lost");
	CHECK_STREQ(send(&r), ""); /* bounded: a flood of losses is no flood of alerts */
	engine_totals(r.engine, &t);
	CHECK_EQ(t.lost, 20);
	CHECK_EQ(t.internal, 3);
	CHECK_EQ(t.alerts, 0);
	run_done(&r);
}

TEST(cut_texts)
{
	struct run r;

	run_init(&r, false, false, true);
	r.record.head.flags = WIRE_F_CUT;
	run_start(&r);
	CHECK_STREQ(send(&r), "c");
	CHECK(r.notes.last.was_cut);
	r.made.exprs[2].value = false;
	CHECK_STREQ(send(&r), "skep internal: text too long to decide");
	decide(&r, 1, 0); /* no rule could have matched, however it goes on */
	CHECK_STREQ(send(&r), "");
	run_done(&r);
}

static bool is_ours(void *ctx, const struct event *event)
{
	return *(bool *)ctx;
}

TEST(own_helpers)
{
	bool ours = true;
	struct run r;

	run_init(&r, true, false, false);
	r.config.is_own = is_ours;
	r.config.is_own_ctx = &ours;
	run_start(&r);
	CHECK_STREQ(send(&r), "");
	ours = false;
	CHECK_STREQ(send(&r), "a");
	run_done(&r);
}

TEST(sink_errors)
{
	struct run r;

	run_init(&r, true, true, true);
	r.made.rs.match_all = true;
	r.notes.error = -EPIPE;
	run_start(&r);
	CHECK_STREQ(send(&r), "a"); /* and no further */
	run_done(&r);
}

TEST(messages)
{
	struct engine_config config = {.plain = true};
	struct rule_output appended = {0};
	struct rule_piece piece = {.text = STR("tail")};
	const struct rule_output *list[] = {&appended, NULL};
	struct rule_event re = {0};
	struct buf text = {0};
	struct run r;

	run_init(&r, true, true, true);
	re.event = &r.event;
	r.made.pieces[0].text = STR("laid out\n\tover\x1b[31m lines \n");
	alert_message(&config, &re, &r.made.rules[0], false, &text);
	CHECK_STREQ(text.p, "laid out  over [31m lines");
	buf_reset(&text);
	appended.pieces.p = &piece;
	appended.pieces.n = 1;
	config.appended = list;
	alert_message(&config, &re, &r.made.rules[1], false, &text);
	CHECK_STREQ(text.p, "rule matched tail");
	buf_done(&text);
	run_done(&r);
}
