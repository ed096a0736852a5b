/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as records, with a rule that always matches and says every field: each alert is one
 * line in both forms, the text has no byte that a terminal obeys, and the JSON is JSON.
 *
 * The input is records, one behind the other, each with two bytes before it that say how long it
 * is; the record is made whole at its head only.
 */
#include "event/rule/engine.h"
#include "out/alert.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A rule set of one rule, whose output is every field, with its name as key. */
struct made {
	struct ruleset rs;
	struct rule rule, *rules[1];
	struct rule_expr always;
	struct rule_term terms[RULE_FIELDS];
	struct rule_piece pieces[RULE_FIELDS];
	const char *tags[1];
};

static void made_init(struct made *m)
{
	size_t n = 0;

	*m = (struct made){.always = {.kind = RULE_E_CONST, .value = true}};
	ruleset_init(&m->rs);
	for (unsigned int i = 1; i < RULE_FIELDS; i++) {
		struct rule_term *t = &m->terms[n];

		t->kind = RULE_TERM_FIELD;
		t->field = (struct rule_field_ref){i, {0}, -1, rule_field_info[i].type};
		if (rule_field_info[i].arg == RA_NAME)
			t->field.arg = i == RF_evt_type_is ? STR("open") : STR("flags");
		m->pieces[n].term = t;
		m->pieces[n++].as = str_of(rule_field_info[i].name);
	}
	m->tags[0] = "tag";
	m->rule = (struct rule){
		.name = "always",
		.expr = &m->always,
		.priority = RULE_ERROR,
		.source = "syscall",
		.enabled = true,
		.kinds = ~0ull,
		.tags = {m->tags, 1, 1},
	};
	m->rule.output.pieces.p = m->pieces;
	m->rule.output.pieces.n = n;
	m->rules[0] = &m->rule;
	m->rs.rules.p = m->rules;
	m->rs.rules.n = 1;
	m->rs.kinds = ~0ull;
	m->rs.generation = 1;
}

static void check_text(const struct buf *line)
{
	for (size_t i = 0; i + 1 < line->n; i++)
		assert((unsigned char)line->p[i] >= 0x20 && line->p[i] != 0x7f);
	assert(line->p[line->n - 1] == '\n');
}

static int check_alert(struct alert_sink *sink, const struct alert *a)
{
	static const struct alert_form text = {.as = ALERT_AS_TEXT};
	static const struct alert_form json = {.as = ALERT_AS_JSON, .hostname = "host"};
	struct buf line = {0};
	json_t *object;

	alert_form_put(&text, a, &line);
	check_text(&line);
	buf_reset(&line);
	alert_form_put(&json, a, &line);
	check_text(&line);
	object = json_loadb(line.p, line.n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	assert(json_is_object(object));
	assert(json_is_object(json_object_get(object, "output_fields")));
	json_decref(object);
	buf_done(&line);
	return 0;
}

static int on_event(void *ctx, const struct event *event)
{
	return engine_event(ctx, event);
}

static int ignore(struct sink *sink, const struct event *e)
{
	return 0;
}

static void feed(struct stream *s, const uint8_t *data, size_t n)
{
	char *record;
	uint16_t size;

	while (n > 2) {
		memcpy(&size, data, 2);
		data += 2;
		n -= 2;
		size = MIN(size, n);
		record = xalloc(size + 8u);
		memcpy(record, data, size);
		if (size >= sizeof(struct wire_head))
			((struct wire_head *)record)->size = size;
		stream_feed(s, record, size);
		free(record);
		data += size;
		n -= size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct alert_sink sink = {.alert = check_alert};
	struct sink events = {.event = ignore};
	struct made made;
	struct engine_config config = {.rules = &made.rs, .sink = &sink, .shadow = n & 1};
	struct stream_config stream = {.sink = &events, .on_event = on_event};
	struct engine_totals totals;
	struct stream *s;

	made_init(&made);
	stream.on_event_ctx = engine_new(&config);
	s = stream_new(&stream);
	feed(s, data, n);
	engine_finish(stream.on_event_ctx);
	engine_totals(stream.on_event_ctx, &totals);
	assert(totals.alerts <= totals.events);
	stream_free(s);
	engine_free(stream.on_event_ctx);
	ruleset_done(&made.rs);
	return 0;
}
