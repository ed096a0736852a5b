/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an alert says: a rule's output with its values, in words and as JSON.
 *
 * Behind the rule's own words stand those that the user wants behind each (append), and, as
 * Falco has it where its container plugin is loaded, what is known of the container and pod.
 * In words a value without an escape could forge a second alert: all are escaped.
 */
#include "event/rule/engine.h"

#include "base/macro.h"
#include "event/escape.h"

#include <ctype.h>

/* Falco's names of these, in its order. */
static const struct suggested {
	enum rule_field field;
	const char *word, *key;
} suggested[] = {
	{RF_container_id, "container_id", "container.id"},
	{RF_container_name, "container_name", "container.name"},
	{RF_container_image_repository, "container_image_repository", "container.image.repository"},
	{RF_container_image_tag, "container_image_tag", "container.image.tag"},
	{RF_k8s_pod_name, "k8s_pod_name", "k8s.pod.name"},
	{RF_k8s_ns_name, "k8s_ns_name", "k8s.ns.name"},
};

static struct rule_term field_term(enum rule_field id)
{
	return (struct rule_term){
		.kind = RULE_TERM_FIELD,
		.field = {.id = id, .index = -1, .type = rule_field_info[id].type},
	};
}

/* Text of a rule file: it may be laid out over lines, an alert is one. */
static void put_words(struct buf *to, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_putc(to, (unsigned char)s.p[i] < ' ' || s.p[i] == 127 ? ' ' : s.p[i]);
}

static void put_output(const struct rule_event *e, const struct rule_output *o, struct buf *to)
{
	struct buf value = {0};

	for (size_t i = 0; i < o->pieces.n; i++) {
		const struct rule_piece *p = &o->pieces.p[i];

		if (!p->term) {
			put_words(to, p->text);
			continue;
		}
		buf_reset(&value);
		rule_term_print(e, p->term, &value);
		escape_text(to, buf_str(&value));
	}
	buf_done(&value);
}

static void put_field(const struct rule_event *e, const char *word, const struct rule_term *t,
		      struct buf *to)
{
	struct buf value = {0};

	rule_term_print(e, t, &value);
	buf_printf(to, " %s=", word);
	escape_text(to, buf_str(&value));
	buf_done(&value);
}

void alert_message(const struct engine_config *config, const struct rule_event *e,
		   const struct rule *rule, bool by_resolved, struct buf *to)
{
	struct rule_term t = field_term(RF_fd_path_real);
	size_t start = to->n;

	put_output(e, &rule->output, to);
	while (to->n > start && isspace((unsigned char)to->p[to->n - 1]))
		to->p[--to->n] = 0;
	for (size_t i = 0; config->appended && config->appended[i]; i++) {
		buf_putc(to, ' ');
		put_output(e, config->appended[i], to);
	}
	if (by_resolved) /* the rule's words show the name that was given, and hide why */
		put_field(e, "fd_path_real", &t, to);
	for (size_t i = 0; !config->plain && i < ELEMENTS(suggested); i++) {
		t = field_term(suggested[i].field);
		put_field(e, suggested[i].word, &t, to);
	}
}

static bool has_key(const struct buf *to, size_t start, struct str key)
{
	struct buf quoted = {0};
	bool has;

	escape_json(&quoted, key);
	buf_putc(&quoted, ':');
	has = to->n > start && memmem(to->p + start, to->n - start, quoted.p, quoted.n);
	buf_done(&quoted);
	return has;
}

/* A number, true or false: JSON has them without quotes. */
static bool is_plain(enum rule_type type)
{
	if (rule_types[type].shape != RS_ONE)
		return false;
	switch (rule_types[type].value) {
	case RV_SIGNED:
	case RV_UNSIGNED:
	case RV_BOOL:
	case RV_PORT:
		return true;
	case RV_TEXT:
	case RV_BYTES:
	case RV_NAMED:
	case RV_ADDRESS:
		break;
	}
	return false;
}

static void put_value(struct buf *to, const struct rule_event *e, const struct rule_term *t)
{
	struct rule_value v;
	struct buf text = {0};

	if (!rule_term_get(e, t, &v)) {
		buf_puts(to, "null");
		return;
	}
	if (is_plain(v.type)) {
		rule_value_print(&v, to);
		return;
	}
	rule_term_print(e, t, &text);
	escape_json(to, buf_str(&text));
	buf_done(&text);
}

static void put_member(struct buf *to, size_t start, const struct rule_event *e, struct str key,
		       const struct rule_term *t)
{
	if (has_key(to, start, key)) /* named twice */
		return;
	if (to->n > start + 1)
		buf_putc(to, ',');
	escape_json(to, key);
	buf_putc(to, ':');
	put_value(to, e, t);
}

static void put_members(struct buf *to, size_t start, const struct rule_event *e,
			const struct rule_output *o)
{
	for (size_t i = 0; i < o->pieces.n; i++)
		if (o->pieces.p[i].term)
			put_member(to, start, e, o->pieces.p[i].as, o->pieces.p[i].term);
}

void alert_fields_json(const struct alert *a, struct buf *to)
{
	size_t start = to->n;

	buf_putc(to, '{');
	if (a->real_ns)
		buf_printf(to, "\"evt.time\":%llu", (unsigned long long)a->real_ns);
	for (size_t i = 0; i < a->n_numbers; i++) {
		buf_puts(to, to->n > start + 1 ? "," : "");
		escape_json(to, str_of(a->numbers[i].key));
		buf_printf(to, ":%llu", (unsigned long long)a->numbers[i].value);
	}
	if (a->values && a->rule) {
		put_members(to, start, a->values, &a->rule->output);
		for (size_t i = 0; a->config->appended && a->config->appended[i]; i++)
			put_members(to, start, a->values, a->config->appended[i]);
		for (size_t i = 0; !a->config->plain && i < ELEMENTS(suggested); i++) {
			struct rule_term t = field_term(suggested[i].field);

			put_member(to, start, a->values, str_of(suggested[i].key), &t);
		}
	}
	buf_putc(to, '}');
}
