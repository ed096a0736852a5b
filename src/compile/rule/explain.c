/* SPDX-License-Identifier: Apache-2.0 */
/* What `skep rules explain` says of rules: where each check is decided, and by what. */
#include "compile/rule/rule.h"

#include "catalog/catalog.h"

static const char *const where_names[] = {
	[RW_CONSTANT] = "known when rules are loaded",
	[RW_EVENT] = "in the kernel, at the event",
	[RW_PROCESS] = "in the kernel, once an exec",
	[RW_ANCESTOR] = "in the kernel, once an exec of an ancestor",
	[RW_CONTAINER] = "in the kernel, once a container",
	[RW_RESIDUAL] = "in user space",
};

enum { WHERES = RW_RESIDUAL + 1 };

/* --- the checks of a rule, each once */

struct used {
	bool *is_used; /* by check */
	size_t n;
	unsigned int counts[WHERES];
};

static void use(const struct rule_plan *plan, const struct rule_expr *e, struct used *u)
{
	if (e->kind == RULE_E_CHECK && e->check < u->n && !u->is_used[e->check]) {
		u->is_used[e->check] = true;
		u->counts[plan->places[e->check].where]++;
	}
	for (size_t i = 0; i < e->args.n; i++)
		use(plan, e->args.p[i], u);
}

/* What it takes is the rule set's arena's: explaining is done once. */
static struct used checks_of(const struct ruleset *rs, const struct rule_plan *plan,
			     const struct rule *rule)
{
	struct arena *a = (struct arena *)&rs->arena;
	struct used u = {.is_used = arena_array(a, bool, plan->n_places + 1), .n = plan->n_places};

	use(plan, rule->expr, &u);
	return u;
}

static unsigned int total(const struct used *u)
{
	unsigned int n = 0;

	for (size_t i = 0; i < WHERES; i++)
		n += u->counts[i];
	return n;
}

/* --- one rule */

static void put_events(const struct rule_plan *plan, const struct question *q,
		       const struct rule *rule, struct buf *to)
{
	uint64_t told = 0;

	buf_puts(to, "  decided by\n");
	for (unsigned int kind = 1; kind < EV_END; kind++) {
		int32_t prog = plan->progs[kind];
		const char *hook = prog < 0 ? NULL : q->progs.p[prog].btf_name;

		if (!(rule->kinds >> kind & 1) || (prog >= 0 && told >> prog % 64 & 1))
			continue;
		if (prog < 0) {
			buf_printf(to, "    %-12s no program: it cannot match\n",
				   event_get(kind)->name);
			continue;
		}
		told |= 1ull << prog % 64;
		buf_puts(to, "    ");
		for (unsigned int k = 1; k < EV_END; k++)
			if (rule->kinds >> k & 1 && plan->progs[k] == prog)
				buf_printf(to, "%s ", event_get(k)->name);
		buf_printf(to, "by %s, %u instructions, at %s\n", q->progs.p[prog].name,
			   q->progs.p[prog].n_insns, hook ? hook : "no hook with a table");
	}
}

static void put_check(const struct ruleset *rs, const struct rule_plan *plan, uint32_t check,
		      struct buf *to)
{
	const struct rule_place *p = &plan->places[check];

	buf_puts(to, "    ");
	rule_check_print(rs->checks.p[check], to);
	if (p->where == RW_PROCESS || p->where == RW_ANCESTOR || p->where == RW_CONTAINER)
		buf_printf(to, "  # bit %u", p->bit);
	else if (p->where == RW_RESIDUAL)
		buf_printf(to, "  # %s", p->why ? p->why : "");
	buf_putc(to, '\n');
}

static void put_rule(const struct ruleset *rs, const struct rule_plan *plan,
		     const struct question *q, const struct rule *rule, struct buf *to)
{
	struct used u = checks_of(rs, plan, rule);

	buf_printf(to, "%s\n", rule->name);
	put_events(plan, q, rule, to);
	for (unsigned int w = 0; w < WHERES; w++) {
		if (!u.counts[w])
			continue;
		buf_printf(to, "  %s: %u\n", where_names[w], u.counts[w]);
		for (uint32_t i = 0; i < u.n; i++)
			if (u.is_used[i] && plan->places[i].where == w)
				put_check(rs, plan, i, to);
	}
}

/* --- all of them */

static void put_share(unsigned int part, unsigned int all, struct buf *to)
{
	unsigned int tenths = all ? (unsigned int)(1000ull * part / all) : 1000;

	buf_printf(to, "%u.%u %%", tenths / 10, tenths % 10);
}

static void put_programs(const struct rule_plan *plan, const struct question *q, struct buf *to)
{
	uint32_t insns = 0;

	for (size_t i = 0; i < q->progs.n; i++)
		insns += q->progs.p[i].n_insns;
	buf_printf(to, "%zu programs, %u instructions; tables of texts: %llu bytes\n", q->progs.n,
		   insns, (unsigned long long)plan->table_bytes);
	for (size_t i = 0; i < q->progs.n; i++)
		buf_printf(to, "  %-18s %6u instructions\n", q->progs.p[i].name,
			   q->progs.p[i].n_insns);
}

static void put_all(const struct ruleset *rs, const struct rule_plan *plan,
		    const struct question *q, struct buf *to)
{
	buf_puts(to, "checks  event  exec  ancestor  container  constant  user  rule\n");
	for (size_t i = 0; i < rs->rules.n; i++) {
		struct used u = checks_of(rs, plan, rs->rules.p[i]);

		buf_printf(to, "%6u %6u %5u %9u %10u %9u %5u  %s\n", total(&u), u.counts[RW_EVENT],
			   u.counts[RW_PROCESS], u.counts[RW_ANCESTOR], u.counts[RW_CONTAINER],
			   u.counts[RW_CONSTANT], u.counts[RW_RESIDUAL], rs->rules.p[i]->name);
	}
	buf_printf(to, "%zu rules, %u checks: ", rs->rules.n, plan->n_checks);
	put_share(plan->n_checks - plan->n_residual, plan->n_checks, to);
	buf_printf(to, " decided in the kernel, %u left to user space\n", plan->n_residual);
	for (uint32_t i = 0; i < plan->n_places; i++)
		if (plan->places[i].where == RW_RESIDUAL)
			put_check(rs, plan, i, to);
	put_programs(plan, q, to);
}

void rule_explain(const struct ruleset *rs, const struct rule_plan *plan, const struct question *q,
		  const struct rule *rule, struct buf *to)
{
	if (rule)
		put_rule(rs, plan, q, rule, to);
	else
		put_all(rs, plan, q, to);
}
