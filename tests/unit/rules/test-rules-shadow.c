/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a decider rules out does not match.
 *
 * Rule sets by chance are compiled and decide records by chance, in the embedded runtime; the
 * exact evaluator then looks at the same records.  A rule that matches and was ruled out is a
 * mistake of one of the two.  SKEP_RANDOM=N looks at about N pairs of an event and a rule set
 * (10,000 without); SKEP_SEED=S begins elsewhere; SKEP_RULES=FILE takes these rules.
 */
#include "rules/rules-build.h"
#include "rules/rules-random.h"
#include "test.h"

#include "agent/rules-explain.h"
#include "agent/rules-vm.h"
#include "agent/world.h"
#include "base/clock.h"
#include "event/decode.h"
#include "event/rule/engine.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVENTS_A_SET = 2000, RULES_A_SET = 5, ROUNDS = 10000, SHOWN = 5 };

/* One rule set, and the run line that its records go through. */
struct shadow {
	struct ruleset rs;
	struct question q;
	struct rule_plan plan;
	struct rules_vm *vm;
	struct stream *stream;
	struct regexes *regexes;
	struct arena arena;
	struct sink sink;
	/* the event that is under way */
	const struct wire_annex *annex;
	uint64_t number;
	bool is_seeding;
	/* all sets together */
	uint64_t events, pairs, matched, may, missed, sent;
	uint64_t seed;
};

static int ignore(struct sink *sink, const struct event *e)
{
	(void)sink;
	(void)e;
	return 0;
}

/* Bits of a cgroup, as user space works them out. */
static void seed_cgroup(struct shadow *s, struct rule_event *e)
{
	struct wire_cgroup_bits bits = {.flags = 1};

	for (size_t i = 0; i < s->plan.cgroup_checks.n; i++)
		if (rule_check_eval(e, s->rs.checks.p[s->plan.cgroup_checks.p[i]]))
			bits.bits[i / 64] |= 1ull << (i % 64);
	rules_vm_cgroup(s->vm, e->event->head->cgroup, &bits);
}

static void say_missed(struct shadow *s, struct rule_event *e, const struct rule *rule)
{
	_cleanup_buf_ struct buf text = {0};
	struct rule_reasons why;

	if (s->missed++ >= SHOWN)
		return;
	rule_why(e, &s->rs, rule, &why);
	explain_as_text.event(e->event, &why, &text);
	test_result(false, __FILE__, __LINE__,
		    "seed %llu, a record of kind %u matches and was ruled out: %.*s\n%s",
		    (unsigned long long)s->seed, e->event->kind, (int)rule->condition.n,
		    rule->condition.p, text.p);
}

static int on_event(void *ctx, const struct event *event)
{
	struct shadow *s = ctx;
	struct rule_event e = {.event = event,
			       .annex = s->annex,
			       .arena = &s->arena,
			       .regexes = s->regexes,
			       .number = s->number};

	if (s->is_seeding) {
		seed_cgroup(s, &e);
		arena_done(&s->arena);
		return 0;
	}
	for (size_t i = 0; i < s->rs.rules.n; i++) {
		const struct rule *rule = s->rs.rules.p[i];
		bool may = s->annex->may[i / 64] >> (i % 64) & 1, by_resolved, does;

		if (!(rule->kinds >> event->kind & 1))
			continue;
		s->pairs++;
		if (!(s->annex->flags & WIRE_A_DECIDED))
			continue;
		does = rule_match(&e, &s->rs, rule, &by_resolved);
		s->matched += does;
		s->may += may;
		if (does && !may)
			say_missed(s, &e, rule);
	}
	arena_done(&s->arena);
	return 0;
}

/* The record with its annex behind it, as the kernel sends it. */
static void feed(struct shadow *s, struct buf *record, const struct wire_annex *annex)
{
	static const char zeros[8];
	struct wire_head *h;

	buf_add(record, zeros, -record->n & 7);
	buf_add(record, annex, sizeof(*annex));
	h = (struct wire_head *)record->p;
	h->size = (uint32_t)record->n;
	h->flags |= WIRE_F_ANNEX;
	s->annex = annex;
	CHECK_EQ(record_check(record->p, record->n), 0);
	stream_feed(s->stream, record->p, record->n);
}

static void begin_stream(struct shadow *s)
{
	const struct stream_config config = {
		.shown = ~0ull,
		.sink = &s->sink,
		.on_event = on_event,
		.on_event_ctx = s,
		.boot_to_real_ns = 1700000000ll * NS_PER_S,
	};
	static const struct wire_annex none;
	struct buf record = {0};

	s->sink.event = ignore;
	s->stream = stream_new(&config);
	s->regexes = regexes_new();
	for (unsigned int i = 0; (i = random_identity(i, &record));)
		stream_feed(s->stream, record.p, record.n);
	s->is_seeding = true;
	s->annex = &none;
	for (uint64_t cgroup = 1; cgroup <= 2; cgroup++) {
		record_begin(&record, EV_KILL);
		((struct wire_head *)record.p)->cgroup = cgroup;
		((struct wire_head *)record.p)->pid = 9999;
		record_end(&record);
		stream_feed(s->stream, record.p, record.n);
	}
	s->is_seeding = false;
	buf_done(&record);
}

/* --- one rule set */

static void say_diags(const char *what, const struct diags *d, const struct buf *text)
{
	_cleanup_buf_ struct buf why = {0};

	diags_print(d, false, &why);
	test_result(false, __FILE__, __LINE__, "%s: %s\n%s", what, why.p ? why.p : "", text->p);
}

static void run_events(struct shadow *s, struct random *r, uint64_t n)
{
	struct wire_annex annex;
	struct buf record = {0};

	begin_stream(s);
	for (uint64_t i = 0; i < n && s->missed < SHOWN; i++) {
		int sends;

		random_record(r, i, &record, &annex);
		s->number = i + 1;
		sends = rules_vm_decide(s->vm, record.p, record.n, &annex);
		CHECK(sends >= 0);
		s->sent += (uint64_t)sends;
		s->events++;
		feed(s, &record, &annex);
	}
	stream_free(s->stream);
	regexes_free(s->regexes);
	buf_done(&record);
}

/* True: it was a rule set. */
static bool one_set(struct shadow *s, struct world *world, struct random *r, uint64_t n_events,
		    bool interpret)
{
	struct rules_vm_config config = {
		.q = &s->q, .plan = &s->plan, .generation = 1, .interpret = interpret};
	struct buf text = {0};
	bool ok;

	memset(r->lives, 0, sizeof(r->lives)); /* each set is the same by its seed alone */
	s->seed = r->state;
	if (getenv("SKEP_RULES"))
		build_read(getenv("SKEP_RULES"), &text);
	else
		random_rules(r, RULES_A_SET, &text);
	ok = build_load(&s->rs, "random.yaml", buf_str(&text));
	if (ok && !build_compile(&s->rs, world, &s->q, &s->plan)) {
		say_diags("not compiled", &s->rs.diags, &text);
		s->missed++;
	} else if (ok && rules_vm_open(&config, &s->vm) < 0) {
		say_diags("refused", &s->q.diags, &text);
		s->missed++;
	} else if (ok) {
		run_events(s, r, n_events);
		rules_vm_close(s->vm);
	} else if (getenv("SKEP_VERBOSE")) {
		_cleanup_buf_ struct buf why = {0};

		diags_print(&s->rs.diags, false, &why);
		fprintf(stderr, "%s\n", why.p);
	}
	if (ok)
		question_done(&s->q);
	ruleset_done(&s->rs);
	buf_done(&text);
	return ok;
}

TEST(no_rule_that_matches_is_ruled_out)
{
	const struct world_kern_options options = {0};
	struct world *world = world_vm_new(&options);
	struct random r = {.state = build_number("SKEP_SEED", 0x123456789abcdef)};
	uint64_t rounds = build_number("SKEP_RANDOM", ROUNDS), begin = clock_mono_ns();
	uint64_t a_set = rounds > 100000 ? EVENTS_A_SET : EVENTS_A_SET / 4;
	unsigned int sets = 0, refused = 0;
	struct shadow s = {0};

	while (s.events < rounds && s.missed < SHOWN && refused < 100 + 4 * sets) {
		if (one_set(&s, world, &r, a_set, sets % 8 == 7))
			sets++;
		else
			refused++;
	}
	CHECK_EQ(s.missed, 0);
	CHECK(s.events >= rounds);
	CHECK(s.matched > s.events / 50);
	printf("# %u rule sets (%u were none), %llu events, %llu rules evaluated: %llu matched, "
	       "%llu let through, %.1f s\n",
	       sets, refused, (unsigned long long)s.events, (unsigned long long)s.pairs,
	       (unsigned long long)s.matched, (unsigned long long)s.may,
	       (double)(clock_mono_ns() - begin) / NS_PER_S);
	world_free(world);
}

/* Sets of rules that found something, by what the generator was before it made them. */
TEST(what_was_found)
{
	static const uint64_t seeds[] = {
		7347384035452254186, /* move_mount() is a mount, but its flags are others */
	};
	const struct world_kern_options options = {0};
	struct world *world = world_vm_new(&options);
	struct shadow s = {0};

	for (size_t i = 0; i < ELEMENTS(seeds); i++) {
		struct random r = {.state = seeds[i]};

		CHECK(one_set(&s, world, &r, EVENTS_A_SET, false));
	}
	CHECK_EQ(s.missed, 0);
	world_free(world);
}
