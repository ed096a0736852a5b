/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alert as a line.
 *
 * The text is Falco's, so that what reads Falco's log reads this: time of day, priority, and
 * the rule's output.  The JSON has Falco's keys and types first; what skep knows beyond them
 * stands in keys of its own, in the form of `skep watch --json`: the event's name, the process
 * with its ancestors, the connection, the container.
 */
#include "out/alert.h"

#include "base/clock.h"
#include "event/escape.h"
#include "out/json-part.h"

#include <time.h>

static const char *colour_of(enum rule_priority p)
{
	switch (p) {
	case RULE_EMERGENCY:
	case RULE_ALERT:
	case RULE_CRITICAL:
		return "1;31";
	case RULE_ERROR:
		return "31";
	case RULE_WARNING:
		return "33";
	case RULE_NOTICE:
		return "36";
	case RULE_INFO:
		return "32";
	case RULE_DEBUG:
		return "2";
	}
	return "0";
}

/* Local time, as Falco has it. */
static void put_clock(struct buf *to, uint64_t real_ns)
{
	time_t second = real_ns / NS_PER_S;
	struct tm tm;

	localtime_r(&second, &tm);
	buf_printf(to, "%02d:%02d:%02d.%09u: ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		   (unsigned int)(real_ns % NS_PER_S));
}

static void put_text(const struct alert_form *f, const struct alert *a, struct buf *to)
{
	const char *word = rule_priority_names[a->priority];

	put_clock(to, a->real_ns);
	if (f->has_colour)
		buf_printf(to, "\033[%sm%s\033[0m ", colour_of(a->priority), word);
	else
		buf_printf(to, "%s ", word);
	buf_put_str(to, a->message);
	if (a->was_cut)
		buf_puts(to, " (a text was cut)");
	if (a->held_back)
		buf_printf(to, " (%llu held back before)", (unsigned long long)a->held_back);
}

static void put_tags(struct buf *to, const struct rule *rule)
{
	json_add_key(to, "tags");
	buf_putc(to, '[');
	for (size_t i = 0; rule && i < rule->tags.n; i++) {
		buf_puts(to, i ? "," : "");
		escape_json(to, str_of(rule->tags.p[i]));
	}
	buf_putc(to, ']');
}

static bool is_connection(const struct event *e)
{
	return e->desc->body == BODY_wire_conn || e->desc->body == BODY_wire_sock;
}

static void put_event(struct buf *to, const struct event *e)
{
	json_add_string(to, "event", str_of(e->desc->name));
	json_add_marks(to, e->head->flags);
	if (is_connection(e)) {
		json_add_key(to, "connection");
		buf_putc(to, '{');
		json_add_fields(to, e);
		buf_putc(to, '}');
	}
	if (e->kind == EV_LOST)
		return;
	json_add_process(to, e);
	if (e->container)
		json_add_container(to, e->container);
}

static void put_json(const struct alert_form *f, const struct alert *a, struct buf *to)
{
	struct alert_form plain = {.as = ALERT_AS_TEXT};
	struct buf text = {0};

	buf_putc(to, '{');
	json_add_string(to, "hostname", str_of(f->hostname));
	put_text(&plain, a, &text);
	json_add_string(to, "output", buf_str(&text));
	buf_done(&text);
	json_add_string(to, "priority", str_of(rule_priority_names[a->priority]));
	json_add_string(to, "rule", str_of(a->name));
	json_add_string(to, "source", a->rule ? str_of(a->rule->source) : STR("internal"));
	put_tags(to, a->rule);
	json_add_time(to, a->real_ns);
	json_add_key(to, "output_fields");
	alert_fields_json(a, to);
	if (a->by_resolved) {
		json_add_key(to, "by_resolved_name");
		buf_puts(to, "true");
	}
	if (a->held_back)
		json_add_number(to, "held_back", a->held_back);
	if (a->event)
		put_event(to, a->event);
	buf_putc(to, '}');
}

void alert_form_put(const struct alert_form *f, const struct alert *a, struct buf *to)
{
	switch (f->as) {
	case ALERT_AS_TEXT:
		put_text(f, a, to);
		break;
	case ALERT_AS_JSON:
		put_json(f, a, to);
		break;
	}
	buf_putc(to, '\n');
}
