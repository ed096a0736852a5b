/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/rule/explain.h"

#include "catalog/catalog.h"

const char *const rule_where_words[RULE_WHERES] = {
	[RW_CONSTANT] = "constant", [RW_EVENT] = "event",	  [RW_PROCESS] = "exec",
	[RW_ANCESTOR] = "ancestor", [RW_CONTAINER] = "container", [RW_RESIDUAL] = "user",
};

/* --- programs */

/* Those of the kinds that the program decides. */
static uint64_t kinds_of(const struct rule_plan *plan, uint64_t kinds, int32_t prog)
{
	uint64_t same = 0;

	for (unsigned int kind = 1; kind < EV_END; kind++)
		if (kinds >> kind & 1 && plan->progs[kind] == prog)
			same |= 1ull << kind;
	return same;
}

static void add_progs(const struct rule_plan *plan, const struct question *q, struct arena *a,
		      struct rule_explained *to)
{
	for (unsigned int kind = 1; kind < EV_END; kind++) {
		struct rule_explained_prog p = {.kinds = 1ull << kind};
		int32_t prog = plan->progs[kind];

		if (!(to->rule->kinds >> kind & 1))
			continue;
		if (prog >= 0) {
			p.prog = &q->progs.p[prog];
			p.kinds = kinds_of(plan, to->rule->kinds, prog);
		}
		if (!(p.kinds & ((1ull << kind) - 1))) /* else an earlier kind brought it */
			array_push(a, &to->progs, p);
	}
}

/* --- checks */

static struct rule_explained_check check_of(const struct ruleset *rs, const struct rule_plan *plan,
					    uint32_t check)
{
	const struct rule_place *p = &plan->places[check];
	struct rule_explained_check x = {.check = rs->checks.p[check], .where = p->where};

	switch (p->where) {
	case RW_CONSTANT:
	case RW_EVENT:
		break;
	case RW_PROCESS:
	case RW_ANCESTOR:
	case RW_CONTAINER:
		x.has_bit = true;
		x.bit = p->bit;
		break;
	case RW_RESIDUAL:
		x.why = p->why;
		break;
	}
	return x;
}

static void mark(const struct rule_expr *e, bool *is_used, size_t n)
{
	if (e->kind == RULE_E_CHECK && e->check < n)
		is_used[e->check] = true;
	for (size_t i = 0; i < e->args.n; i++)
		mark(e->args.p[i], is_used, n);
}

void rule_explain(const struct ruleset *rs, const struct rule_plan *plan, const struct question *q,
		  const struct rule *rule, struct arena *a, struct rule_explained *ret)
{
	bool *is_used = arena_array(a, bool, plan->n_places + 1);
	struct rule_explained x = {.rule = rule};

	add_progs(plan, q, a, &x);
	mark(rule->expr, is_used, plan->n_places);
	for (unsigned int w = 0; w < RULE_WHERES; w++) {
		size_t before = x.checks.n;

		for (uint32_t i = 0; i < plan->n_places; i++)
			if (is_used[i] && plan->places[i].where == w)
				array_push(a, &x.checks, check_of(rs, plan, i));
		x.counts[w] = (unsigned int)(x.checks.n - before);
	}
	*ret = x;
}

/* --- all of them */

static unsigned int tenths(unsigned int part, unsigned int all)
{
	return all ? (unsigned int)(1000ull * part / all) : 1000;
}

void rule_explain_all(const struct ruleset *rs, const struct rule_plan *plan,
		      const struct question *q, struct arena *a, struct rule_explained_all *ret)
{
	struct rule_explained_all x = {
		.n_checks = plan->n_checks,
		.kernel_tenths = tenths(plan->n_checks - plan->n_residual, plan->n_checks),
		.table_bytes = plan->table_bytes,
	};

	for (size_t i = 0; i < rs->rules.n; i++) {
		struct rule_explained one;

		rule_explain(rs, plan, q, rs->rules.p[i], a, &one);
		array_push(a, &x.rules, one);
	}
	for (uint32_t i = 0; i < plan->n_places; i++)
		if (plan->places[i].where == RW_RESIDUAL)
			array_push(a, &x.residual, check_of(rs, plan, i));
	for (size_t i = 0; i < q->progs.n; i++) {
		struct rule_explained_prog p = {kinds_of(plan, ~0ull, (int32_t)i), &q->progs.p[i]};

		array_push(a, &x.progs, p);
		x.insns += p.prog->n_insns;
	}
	*ret = x;
}
