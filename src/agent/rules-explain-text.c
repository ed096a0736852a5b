/* SPDX-License-Identifier: Apache-2.0 */
/* What `skep rules explain` knows, for people. */
#include "agent/rules-explain.h"

#include "base/clock.h"
#include "base/macro.h"
#include "catalog/catalog.h"
#include "event/escape.h"

#include <time.h>

static const char *const where_names[RULE_WHERES] = {
	[RW_CONSTANT] = "known when rules are loaded",
	[RW_EVENT] = "in the kernel, at the event",
	[RW_PROCESS] = "in the kernel, once an exec",
	[RW_ANCESTOR] = "in the kernel, once an exec of an ancestor",
	[RW_CONTAINER] = "in the kernel, once a container",
	[RW_RESIDUAL] = "in user space",
};

/* --- one rule */

static void put_prog(const struct rule_explained_prog *p, struct buf *to)
{
	const struct question_prog *prog = p->prog;

	buf_puts(to, "    ");
	for (unsigned int kind = 1; kind < EV_END; kind++) {
		if (!(p->kinds >> kind & 1))
			continue;
		buf_printf(to, prog ? "%s " : "%-12s no program: it cannot match\n",
			   event_get(kind)->name);
	}
	if (prog)
		buf_printf(to, "by %s, %u instructions, at %s\n", prog->name, prog->n_insns,
			   prog->btf_name ? prog->btf_name : "no hook with a table");
}

static void put_check(const struct rule_explained_check *c, struct buf *to)
{
	buf_puts(to, "    ");
	rule_check_print(c->check, to);
	if (c->has_bit)
		buf_printf(to, "  # bit %u", c->bit);
	else if (c->where == RW_RESIDUAL)
		buf_printf(to, "  # %s", c->why ? c->why : "");
	buf_putc(to, '\n');
}

static void put_rule(const struct rule_explained *x, struct buf *to)
{
	const struct rule_explained_check *c = x->checks.p;

	buf_printf(to, "%s\n  decided by\n", x->rule->name);
	for (size_t i = 0; i < x->progs.n; i++)
		put_prog(&x->progs.p[i], to);
	for (unsigned int w = 0; w < RULE_WHERES; w++) {
		if (x->counts[w])
			buf_printf(to, "  %s: %u\n", where_names[w], x->counts[w]);
		for (unsigned int i = 0; i < x->counts[w]; i++)
			put_check(c++, to);
	}
}

/* --- all of them */

static const enum rule_where columns[] = {
	RW_EVENT, RW_PROCESS, RW_ANCESTOR, RW_CONTAINER, RW_CONSTANT, RW_RESIDUAL,
};

/* A row for each rule; a column is two wider than its heading. */
static void put_table(const struct rule_explained_all *x, struct buf *to)
{
	buf_puts(to, "checks");
	for (size_t i = 0; i < ELEMENTS(columns); i++)
		buf_printf(to, "  %s", rule_where_words[columns[i]]);
	buf_puts(to, "  rule\n");
	for (size_t k = 0; k < x->rules.n; k++) {
		const struct rule_explained *r = &x->rules.p[k];

		buf_printf(to, "%6zu", r->checks.n);
		for (size_t i = 0; i < ELEMENTS(columns); i++)
			buf_printf(to, "%*u", (int)strlen(rule_where_words[columns[i]]) + 2,
				   r->counts[columns[i]]);
		buf_printf(to, "  %s\n", r->rule->name);
	}
}

static void put_all(const struct rule_explained_all *x, struct buf *to)
{
	put_table(x, to);
	buf_printf(to,
		   "%zu rules, %u checks: %u.%u %% decided in the kernel, %zu left to user space\n",
		   x->rules.n, x->n_checks, x->kernel_tenths / 10, x->kernel_tenths % 10,
		   x->residual.n);
	for (size_t i = 0; i < x->residual.n; i++)
		put_check(&x->residual.p[i], to);
	buf_printf(to, "%zu programs, %u instructions; tables of texts: %llu bytes\n", x->progs.n,
		   x->insns, (unsigned long long)x->table_bytes);
	for (size_t i = 0; i < x->progs.n; i++)
		buf_printf(to, "  %-18s %6u instructions\n", x->progs.p[i].prog->name,
			   x->progs.p[i].prog->n_insns);
}

/* --- an event of a recording */

static void put_reason(const struct rule_reason *r, struct buf *to)
{
	struct buf value = {0};

	buf_puts(to, r->is_true ? "true   " : "false  ");
	rule_check_print(r->check, to);
	buf_puts(to, "  # ");
	if (r->has_value)
		rule_value_print(&r->value, &value);
	escape_text(to, r->has_value ? buf_str(&value) : STR("<NA>"));
	buf_putc(to, '\n');
	buf_done(&value);
}

static void put_event(const struct event *e, const struct rule_reasons *why, struct buf *to)
{
	const char *by = why->by_resolved ? ", by the name that the kernel resolved" : "";
	time_t second = e->real_ns / NS_PER_S;
	struct tm tm;

	localtime_r(&second, &tm);
	buf_printf(to, "%02d:%02d:%02d.%09u %s of %u ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		   (unsigned int)(e->real_ns % NS_PER_S), e->desc->name, e->head->pid);
	escape_text(to, str_of(e->process->comm));
	buf_printf(to, ": %s%s\n", why->does_match ? "matches" : "does not match", by);
	buf_printf(to, "%s%s\n", why->does_match ? "true" : "false", by);
	for (size_t i = 0; i < why->checks.n; i++)
		put_reason(&why->checks.p[i], to);
}

const struct explain_form explain_as_text = {put_rule, put_all, put_event};
