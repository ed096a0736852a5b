/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `skep rules explain` knows, for programs: an object a rule, one for all, and with a
 * recording one an event, a line each.
 *
 * Members that do not apply are left out; docs/detection.md has them.
 */
#include "agent/rules-explain.h"

#include "catalog/catalog.h"
#include "event/escape.h"
#include "out/json-part.h"

static void put_bool(struct buf *to, const char *key, bool value)
{
	json_add_key(to, key);
	buf_puts(to, value ? "true" : "false");
}

static void put_check_text(const struct rule_check *c, struct buf *to)
{
	struct buf text = {0};

	rule_check_print(c, &text);
	json_add_string(to, "check", buf_str(&text));
	buf_done(&text);
}

/* --- rules */

static void put_prog(const struct rule_explained_prog *p, struct buf *to)
{
	bool is_first = true;

	json_add_key(to, "events");
	buf_putc(to, '[');
	for (unsigned int kind = 1; kind < EV_END; kind++) {
		if (!(p->kinds >> kind & 1))
			continue;
		buf_puts(to, is_first ? "" : ",");
		escape_json(to, str_of(event_get(kind)->name));
		is_first = false;
	}
	buf_putc(to, ']');
	if (!p->prog)
		return;
	json_add_string(to, "program", str_of(p->prog->name));
	json_add_number(to, "instructions", p->prog->n_insns);
	json_add_string(to, "hook", str_of(p->prog->btf_name));
}

static void put_progs(const char *key, const struct rule_explained_prog *p, size_t n,
		      struct buf *to)
{
	json_add_key(to, key);
	buf_putc(to, '[');
	for (size_t i = 0; i < n; i++) {
		buf_puts(to, i ? ",{" : "{");
		put_prog(&p[i], to);
		buf_putc(to, '}');
	}
	buf_putc(to, ']');
}

static void put_checks(const char *key, const struct rule_explained_check *c, size_t n,
		       struct buf *to)
{
	json_add_key(to, key);
	buf_putc(to, '[');
	for (size_t i = 0; i < n; i++) {
		buf_puts(to, i ? ",{" : "{");
		put_check_text(c[i].check, to);
		json_add_string(to, "decided", str_of(rule_where_words[c[i].where]));
		if (c[i].has_bit)
			json_add_number(to, "bit", c[i].bit);
		json_add_string(to, "why", str_of(c[i].why));
		buf_putc(to, '}');
	}
	buf_putc(to, ']');
}

static void put_object(const struct rule_explained *x, struct buf *to)
{
	buf_putc(to, '{');
	json_add_string(to, "name", str_of(x->rule->name));
	put_progs("decided_by", x->progs.p, x->progs.n, to);
	json_add_key(to, "counts");
	buf_putc(to, '{');
	for (unsigned int w = 0; w < RULE_WHERES; w++)
		json_add_number(to, rule_where_words[w], x->counts[w]);
	buf_putc(to, '}');
	put_checks("checks", x->checks.p, x->checks.n, to);
	buf_putc(to, '}');
}

static void put_rule(const struct rule_explained *x, struct buf *to)
{
	put_object(x, to);
	buf_putc(to, '\n');
}

static void put_all(const struct rule_explained_all *x, struct buf *to)
{
	buf_puts(to, "{\"rules\":[");
	for (size_t i = 0; i < x->rules.n; i++) {
		buf_puts(to, i ? ",\n" : "\n");
		put_object(&x->rules.p[i], to);
	}
	buf_puts(to, "\n]");
	json_add_number(to, "different_checks", x->n_checks);
	json_add_key(to, "kernel_percent");
	buf_printf(to, "%u.%u", x->kernel_tenths / 10, x->kernel_tenths % 10);
	put_checks("user_checks", x->residual.p, x->residual.n, to);
	put_progs("programs", x->progs.p, x->progs.n, to);
	json_add_number(to, "instructions", x->insns);
	json_add_number(to, "table_bytes", x->table_bytes);
	buf_puts(to, "}\n");
}

/* --- an event of a recording */

static void put_reason(const struct rule_reason *r, struct buf *to)
{
	put_check_text(r->check, to);
	put_bool(to, "result", r->is_true);
	json_add_key(to, "value");
	if (r->has_value)
		rule_value_json(&r->value, to);
	else
		buf_puts(to, "null");
}

static void put_event(const struct event *e, const struct rule_reasons *why, struct buf *to)
{
	buf_putc(to, '{');
	json_add_time(to, e->real_ns);
	json_add_string(to, "event", str_of(e->desc->name));
	json_add_number(to, "pid", e->head->pid);
	json_add_string(to, "process", str_of(e->process->comm));
	put_bool(to, "matches", why->does_match);
	put_bool(to, "by_resolved", why->by_resolved);
	json_add_key(to, "checks");
	buf_putc(to, '[');
	for (size_t i = 0; i < why->checks.n; i++) {
		buf_puts(to, i ? ",{" : "{");
		put_reason(&why->checks.p[i], to);
		buf_putc(to, '}');
	}
	buf_puts(to, "]}\n");
}

const struct explain_form explain_as_json = {put_rule, put_all, put_event};
