/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compile line of rules, every phase by name.
 *
 *	plan     conditions, kind of record by kind of record     plan.c, cond.c
 *	tables   one automaton a field                            tables.c, compile/match
 *	lower    a module of IR a kind                            lower.c and its parts
 *	opt, gen as for every language                            compile/module.c
 */
#include "compile/module.h"
#include "compile/rule/lower.h"

#include "catalog/catalog.h"

#include <assert.h>

enum { PROCS_MAX = 65536, CGROUPS_MAX = 8192 };

static int32_t add_map(struct question *q, const struct question_map *m)
{
	array_push(&q->arena, &q->maps, *m);
	return (int32_t)q->maps.n - 1;
}

/* Those that rule sets bring along, and those that they are lent (wire/rule.h). */
static void add_maps(struct pushdown *x)
{
	struct question *q = x->q;
	bool has_exec = x->plan->process_checks.n > 0;

	x->map_stage = add_map(q, &(struct question_map){.name = RULE_MAP_STAGE,
							 .kind = QMAP_OTHER,
							 .key_size = 4,
							 .value_size = sizeof(struct wire_stage),
							 .max_entries = 1});
	x->map_send = add_map(q, &(struct question_map){.name = RULE_MAP_SEND,
							.kind = QMAP_OTHER,
							.key_size = 4,
							.value_size = 4,
							.max_entries = 1});
	x->plan->map_procs = x->plan->map_cgroups = -1;
	if (has_exec)
		x->plan->map_procs = add_map(
			q, &(struct question_map){.name = "procs",
						  .kind = QMAP_OTHER,
						  .type = BPF_MAP_TYPE_HASH,
						  .flags = BPF_F_NO_PREALLOC,
						  .key_size = 4,
						  .value_size = sizeof(struct wire_proc_bits),
						  .max_entries = PROCS_MAX});
	if (x->plan->cgroup_checks.n)
		x->plan->map_cgroups = add_map(
			q, &(struct question_map){.name = "cgroups",
						  .kind = QMAP_OTHER,
						  .type = BPF_MAP_TYPE_HASH,
						  .flags = BPF_F_NO_PREALLOC,
						  .key_size = 8,
						  .value_size = sizeof(struct wire_cgroup_bits),
						  .max_entries = CGROUPS_MAX});
}

/*
 * Where the records of a kind come from: the hook whose table the decider is put into.  NULL:
 * hooks that have none; user space decides, and so does the embedded runtime.
 */
static const char *hook_of(unsigned int kind)
{
	if (kind == EV_EXEC)
		return "sched_process_exec";
	if (kind == EV_EXIT || kind == EV_FORK || kind == EV_LOST ||
	    body_of_kind(kind) == BODY_wire_conn)
		return NULL;
	return "sys_exit";
}

/*
 * The three kinds of opens are read by the same code: where they have the same rules, as they
 * nearly always have, one program is enough for all.
 */
static bool is_shared(const struct rule_kind *a, const struct rule_kind *b)
{
	if (!a || !b || a->rules.n != b->rules.n || !a->rules.n)
		return false;
	for (size_t i = 0; i < a->rules.n; i++)
		if (a->rules.p[i].rule != b->rules.p[i].rule ||
		    !cond_is_same(a->rules.p[i].cond, b->rules.p[i].cond))
			return false;
	return true;
}

static void share_opens(struct pushdown *x)
{
	struct rule_kind **k = x->kinds;

	if (!is_shared(k[EV_OPEN], k[EV_WRITE]) || !is_shared(k[EV_OPEN], k[EV_CREATE]))
		return;
	k[EV_OPEN]->kinds |= 1ull << EV_WRITE | 1ull << EV_CREATE;
	k[EV_WRITE]->kinds = k[EV_CREATE]->kinds = 0;
}

static bool make_program(struct pushdown *x, unsigned int kind, const struct module_options *o)
{
	struct rule_kind *k = x->kinds[kind];
	struct ir_module *m = lower_kind(x, k);
	struct question_prog prog = {
		.name = arena_printf(&x->q->arena, "rule_%.10s", event_get(kind)->name),
		.prog_type = BPF_PROG_TYPE_TRACING,
		.attach_type = BPF_TRACE_RAW_TP,
		.btf_name = hook_of(kind),
	};

	m->map_names = NULL;
	if (!module_generate(x->q, m, o, &prog))
		return false;
	for (unsigned int i = 1; i < EV_END; i++)
		if (k->kinds >> i & 1)
			x->plan->progs[i] = (int32_t)x->q->progs.n;
	array_push(&x->q->arena, &x->q->progs, prog);
	return true;
}

/* What the later phases found wrong is our own mistake; it stands in the question. */
static void take_diags(struct pushdown *x)
{
	for (size_t i = 0; i < x->q->diags.list.n; i++)
		diag(&x->rs->diags, x->q->diags.list.p[i].id, (struct span){0}, "%s",
		     x->q->diags.list.p[i].text);
}

bool compile_rules(struct question *q, struct ruleset *rs, const struct rule_options *o,
		   struct rule_plan *plan)
{
	struct pushdown x = {.q = q, .rs = rs, .o = o, .plan = plan, .arena = &rs->arena};
	const struct module_options options = {.world = o->world,
					       .rt = o->rt,
					       .level = o->level,
					       .dump = o->dump,
					       .dump_to = o->dump_to};
	bool ok = true;

	*plan = (struct rule_plan){0};
	for (unsigned int kind = 0; kind < 64; kind++)
		plan->progs[kind] = -1;
	assert(rs->rules.n <= RULES_MAX); /* the loader's matter */
	rule_tables_init(&x.tables, q);
	if (!world_has(o->world, WORLD_BPF_LOOP) && world_has(o->world, WORLD_FOR_EACH_MAP))
		rule_tables_add_turns(&x.tables);
	plan_rules(&x);
	plan->table_bytes = rule_tables_finish(&x.tables);
	add_maps(&x);
	share_opens(&x);
	for (unsigned int kind = 1; ok && kind < EV_END; kind++)
		if (x.kinds[kind] && x.kinds[kind]->kinds &&
		    (x.kinds[kind]->rules.n || (kind == EV_EXEC && plan->map_procs >= 0)))
			ok = make_program(&x, kind, &options);
	if (!ok)
		take_diags(&x);
	return ok;
}
