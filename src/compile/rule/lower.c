/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decider of one kind of record, as IR.
 *
 * At first all rules of the kind may match; annex.may has their bits.  The parts of their
 * conditions (what `and` joins at the top) are sorted by the last group of words that they
 * need.  A pass works out its group, evaluates the parts that can be decided with it, and
 * strikes out the rules of those that do not hold.  If no rule is left the decider returns:
 * most events end before a byte of a path was looked at.
 *
 * A part that several rules share is evaluated once for all of them; parts of the same rules
 * stand in one chain, which ends where the first of them does not hold.
 *
 * What is left and what was worked out lies in map values, not in registers: the kernel's
 * verifier knows nothing of it, so that behind a chain all ways look the same to it, and are
 * followed once.
 */
#include "compile/rule/lower.h"

#include "catalog/catalog.h"

#include <stdlib.h>

/* --- words of memory */

struct ir_val lower_word(struct lower *l, uint32_t off)
{
	ir_reg base = ir_space_addr(&l->b, IRS_SCRATCH, 0);

	return ir_load(&l->b, base, (int32_t)off, 8, false);
}

void lower_put_word(struct lower *l, uint32_t off, struct ir_val v)
{
	ir_reg base = ir_space_addr(&l->b, IRS_SCRATCH, 0);

	ir_store(&l->b, base, (int32_t)off, 8, v);
}

struct ir_val lower_stage_load(struct lower *l, size_t off, unsigned int size, bool sign)
{
	return ir_load(&l->b, l->stage, (int32_t)off, size, sign);
}

void lower_stage_store(struct lower *l, size_t off, unsigned int size, struct ir_val v)
{
	ir_store(&l->b, l->stage, (int32_t)off, size, v);
}

/* --- leaves */

static void branch_on_bit(struct lower *l, uint32_t words, uint32_t word, uint32_t bit,
			  uint32_t yes, uint32_t no)
{
	struct ir_val v = lower_word(l, words + word * 8);

	ir_branch(&l->b, IRC_SET, v, IR_I((int64_t)(1ull << bit)), yes, no);
}

/* Plain: may it be?  Negated: must it not? */
static void lower_bit(struct lower *l, const struct cond *c, uint32_t may, uint32_t must,
		      uint32_t bit, uint32_t yes, uint32_t no)
{
	if (c->is_negated)
		branch_on_bit(l, must, bit / 64, bit % 64, no, yes);
	else
		branch_on_bit(l, may, bit / 64, bit % 64, yes, no);
}

void lower_leaf(struct lower *l, const struct cond *c, uint32_t yes, uint32_t no)
{
	const struct leaf *leaf = plan_leaf(l->x, l->k, c->check);

	switch (leaf->how) {
	case LEAF_UNKNOWN:
		ir_jump(&l->b, yes);
		return;
	case LEAF_FALSE:
	case LEAF_TRUE:
		ir_jump(&l->b, (leaf->how == LEAF_TRUE) != c->is_negated ? yes : no);
		return;
	case LEAF_NUMBER:
		lower_tests(l, leaf->tests, c->is_negated, yes, no);
		return;
	case LEAF_ADDRESS:
		lower_address(l, leaf->addresses, c->is_negated, yes, no);
		return;
	case LEAF_TEXT:
		lower_bit(l, c, l->text_may[leaf->index], l->text_must[leaf->index], leaf->bit, yes,
			  no);
		return;
	case LEAF_PROCESS:
		lower_bit(l, c, l->process_may, l->process_must, leaf->bit, yes, no);
		return;
	case LEAF_ANCESTOR:
		if (leaf->index)
			lower_bit(l, c, l->ancestor_may[leaf->index], l->ancestor_must[leaf->index],
				  leaf->bit, yes, no);
		else
			lower_bit(l, c, l->any_may, l->any_must, leaf->bit, yes, no);
		return;
	case LEAF_CGROUP:
		lower_bit(l, c, l->cgroup_may, l->cgroup_must, leaf->bit, yes, no);
		return;
	}
}

static void lower_cond(struct lower *l, const struct cond *c, uint32_t yes, uint32_t no)
{
	switch (c->kind) {
	case COND_FALSE:
	case COND_TRUE:
		ir_jump(&l->b, c->kind == COND_TRUE ? yes : no);
		return;
	case COND_LEAF:
		lower_leaf(l, c, yes, no);
		return;
	case COND_AND:
	case COND_OR:
		break;
	}
	for (size_t i = 0; i < c->args.n; i++) {
		bool is_last = i + 1 == c->args.n;
		uint32_t next = is_last ? 0 : ir_block_new(&l->b);

		if (is_last)
			lower_cond(l, c->args.p[i], yes, no);
		else if (c->kind == COND_AND)
			lower_cond(l, c->args.p[i], next, no);
		else
			lower_cond(l, c->args.p[i], yes, next);
		if (!is_last)
			ir_block_go(&l->b, next);
	}
}

/* --- parts and chains */

struct rule_mask {
	uint64_t words[RULE_WORDS];
};

/* A part of conditions, and the rules that it is a part of. */
struct part {
	struct cond *cond;
	struct rule_mask rules;
	uint32_t pass;
};

struct parts {
	ARRAY(struct part) list;
	struct part **by_id; /* of the condition */
};

static unsigned int pass_of(uint64_t needs)
{
	return needs ? 64 - (unsigned int)__builtin_clzll(needs) : 0;
}

static unsigned int count(const struct rule_mask *m)
{
	unsigned int n = 0;

	for (int i = 0; i < RULE_WORDS; i++)
		n += (unsigned int)__builtin_popcountll(m->words[i]);
	return n;
}

static void add_part(struct lower *l, struct parts *p, struct cond *c, uint32_t rule)
{
	size_t i = 0;

	while (i < p->list.n && p->list.p[i].cond != c)
		i++;
	if (i == p->list.n)
		array_push(l->m->arena, &p->list,
			   ((struct part){.cond = c, .pass = pass_of(c->needs)}));
	p->list.p[i].rules.words[rule / 64] |= 1ull << (rule % 64);
}

static int compare(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	unsigned int n = count(&x->rules), m = count(&y->rules);
	int order;

	if (x->pass != y->pass)
		return x->pass < y->pass ? -1 : 1;
	if (n != m)
		return n > m ? -1 : 1;
	order = memcmp(&x->rules, &y->rules, sizeof(x->rules));
	if (order)
		return order;
	if (x->cond->cost != y->cond->cost)
		return x->cond->cost < y->cond->cost ? -1 : 1;
	return x->cond->id < y->cond->id ? -1 : x->cond->id > y->cond->id;
}

static void collect(struct lower *l, struct parts *p)
{
	for (size_t i = 0; i < l->k->rules.n; i++) {
		const struct kind_rule *r = &l->k->rules.p[i];

		if (r->cond->kind != COND_AND) {
			if (r->cond->kind != COND_TRUE)
				add_part(l, p, r->cond, r->rule->id);
			continue;
		}
		for (size_t k = 0; k < r->cond->args.n; k++)
			add_part(l, p, r->cond->args.p[k], r->rule->id);
	}
	if (p->list.n)
		qsort(p->list.p, p->list.n, sizeof(*p->list.p), compare);
}

/* Go on in `live` if one of these rules is still left, else to `dead`. */
static void branch_if_left(struct lower *l, const struct rule_mask *m, uint32_t live, uint32_t dead)
{
	for (int i = 0; i < RULE_WORDS; i++) {
		uint32_t next;

		if (!m->words[i])
			continue;
		next = ir_block_new(&l->b);
		ir_branch(&l->b, IRC_SET, lower_stage_load(l, ANNEX(may) + (size_t)i * 8, 8, false),
			  IR_I((int64_t)m->words[i]), live, next);
		ir_block_go(&l->b, next);
	}
	ir_jump(&l->b, dead);
}

static void strike(struct lower *l, const struct rule_mask *m)
{
	for (int i = 0; i < RULE_WORDS; i++) {
		size_t at = ANNEX(may) + (size_t)i * 8;
		struct ir_val v;

		if (!m->words[i])
			continue;
		v = ir_math(&l->b, IR_AND, lower_stage_load(l, at, 8, false),
			    IR_I((int64_t)~m->words[i]));
		lower_stage_store(l, at, 8, v);
	}
}

/* Parts [from, to) have the same rules. */
static void lower_chain(struct lower *l, const struct parts *p, size_t from, size_t to)
{
	const struct rule_mask *m = &p->list.p[from].rules;
	uint32_t live = ir_block_new(&l->b), fail = ir_block_new(&l->b), next = ir_block_new(&l->b);

	branch_if_left(l, m, live, next);
	ir_block_go(&l->b, live);
	for (size_t i = from; i < to; i++) {
		uint32_t good = i + 1 == to ? next : ir_block_new(&l->b);

		lower_cond(l, p->list.p[i].cond, good, fail);
		if (i + 1 < to)
			ir_block_go(&l->b, good);
	}
	ir_block_go(&l->b, fail);
	strike(l, m);
	ir_jump(&l->b, next);
	ir_block_go(&l->b, next);
}

static void lower_group(struct lower *l, unsigned int group)
{
	if (group < PASS_TEXTS)
		lower_text(l, group);
	else if (group == PASS_SOCKET)
		lower_sides(l);
	else if (group == PASS_PROCESS)
		lower_process(l);
	else if (group == PASS_CGROUP)
		lower_cgroup(l);
	else if (group == PASS_ANCESTORS)
		lower_ancestors(l);
}

/* The rules that need a group for any part of them. */
static struct rule_mask rules_with(const struct lower *l, unsigned int group)
{
	struct rule_mask m = {0};

	for (size_t i = 0; i < l->k->rules.n; i++) {
		const struct kind_rule *r = &l->k->rules.p[i];

		if (r->cond->needs >> group & 1)
			m.words[r->rule->id / 64] |= 1ull << (r->rule->id % 64);
	}
	return m;
}

static void leave_if_none(struct lower *l, uint32_t none)
{
	uint32_t next = ir_block_new(&l->b);
	struct ir_val all = IR_I(0);

	for (int i = 0; i < RULE_WORDS; i++)
		all = ir_math(&l->b, IR_OR, all,
			      lower_stage_load(l, ANNEX(may) + (size_t)i * 8, 8, false));
	ir_branch(&l->b, IRC_EQ, all, IR_I(0), none, next);
	ir_block_go(&l->b, next);
}

/* One pass: 0 is what needs no group, i + 1 is behind group i. */
static void lower_pass(struct lower *l, const struct parts *p, unsigned int pass, size_t *at)
{
	uint32_t work = 0, skip = 0;

	if (pass) {
		struct rule_mask m = rules_with(l, pass - 1);

		work = ir_block_new(&l->b);
		skip = ir_block_new(&l->b);
		branch_if_left(l, &m, work, skip);
		ir_block_go(&l->b, work);
		lower_group(l, pass - 1);
	}
	while (*at < p->list.n && p->list.p[*at].pass == pass) {
		size_t from = *at;

		while (*at < p->list.n && p->list.p[*at].pass == pass &&
		       !memcmp(&p->list.p[*at].rules, &p->list.p[from].rules,
			       sizeof(struct rule_mask)))
			++*at;
		lower_chain(l, p, from, *at);
	}
	if (pass) {
		ir_jump(&l->b, skip);
		ir_block_go(&l->b, skip);
	}
}

/* --- the whole */

static void begin(struct lower *l, uint32_t nobody)
{
	struct pushdown *x = l->x;
	uint32_t found = ir_block_new(&l->b), ours = ir_block_new(&l->b);
	ir_reg key;

	l->key_slot = ir_slot_new(&l->b, 4, 4, "key");
	key = ir_slot_addr(&l->b, l->key_slot, 0);
	ir_store(&l->b, key, 0, 4, IR_I(0));
	l->stage = IR_CALL(&l->b, BPF_FUNC_map_lookup_elem, IRC_PTR,
			   IR_R(ir_map_addr(&l->b, (uint32_t)x->map_stage)), IR_R(key));
	ir_branch(&l->b, IRC_EQ, IR_R(l->stage), IR_I(0), nobody, found);
	ir_block_go(&l->b, found);
	for (unsigned int kind = 1; kind < EV_END; kind++) {
		uint32_t next;

		if (!(l->k->kinds >> kind & 1))
			continue;
		next = ir_block_new(&l->b);
		ir_branch(&l->b, IRC_EQ,
			  lower_stage_load(l, offsetof(struct wire_head, kind), 2, false),
			  IR_I(kind), ours, next);
		ir_block_go(&l->b, next);
	}
	ir_jump(&l->b, nobody);
	ir_block_go(&l->b, ours);
}

static void all_may(struct lower *l)
{
	struct rule_mask m = {0};
	struct ir_val flags;

	for (size_t i = 0; i < l->k->rules.n; i++)
		m.words[l->k->rules.p[i].rule->id / 64] |= 1ull << (l->k->rules.p[i].rule->id % 64);
	for (int i = 0; i < RULE_WORDS; i++)
		lower_stage_store(l, ANNEX(may) + (size_t)i * 8, 8, IR_I((int64_t)m.words[i]));
	flags = lower_stage_load(l, ANNEX(flags), 4, false);
	lower_stage_store(l, ANNEX(flags), 4, ir_math(&l->b, IR_OR, flags, IR_I(WIRE_A_DECIDED)));
	lower_stage_store(l, ANNEX(generation), 4, IR_I(l->x->rs->generation));
}

/* By the record's own kind: opens share a decider. */
static void note_time(struct lower *l)
{
	const int32_t ns = offsetof(struct wire_stage, decided.ns);
	struct ir_builder *b = &l->b;
	struct ir_val took, kind;
	ir_reg at, now;

	if (!l->x->o->timed)
		return;
	now = IR_CALL(b, BPF_FUNC_ktime_get_ns, IRC_INT);
	took = ir_math(b, IR_SUB, IR_R(now),
		       lower_stage_load(l, offsetof(struct wire_stage, decided.began_ns), 8,
					false));
	kind = ir_math(b, IR_AND, lower_stage_load(l, offsetof(struct wire_head, kind), 2, false),
		       IR_I(63));
	at = ir_reg_new(b, IRC_PTR, NULL);
	ir_set(b, at, ir_math(b, IR_ADD, IR_R(l->stage), ir_math(b, IR_SHL, kind, IR_I(3))));
	ir_store(b, at, ns, 8, ir_math(b, IR_ADD, ir_load(b, at, ns, 8, false), took));
}

static void finish(struct lower *l, uint32_t none, uint32_t nobody)
{
	struct pushdown *x = l->x;
	uint32_t send = ir_block_new(&l->b), quiet = ir_block_new(&l->b);

	leave_if_none(l, none);
	ir_jump(&l->b, send);
	ir_block_go(&l->b, none);
	if (x->o->shadow)
		ir_jump(&l->b, send);
	else
		ir_branch(&l->b, IRC_SET, lower_stage_load(l, ANNEX(flags), 4, false),
			  IR_I(WIRE_A_ALWAYS), send, quiet);
	ir_block_go(&l->b, quiet);
	note_time(l);
	ir_return(&l->b, IR_I(0));
	ir_block_go(&l->b, send);
	note_time(l);
	IR_CALL(&l->b, BPF_FUNC_tail_call, IRC_INT, IR_R(l->ctx),
		IR_R(ir_map_addr(&l->b, (uint32_t)x->map_send)), IR_I(0));
	ir_return(&l->b, IR_I(1));
	ir_block_go(&l->b, nobody);
	ir_return(&l->b, IR_I(1));
}

struct ir_module *lower_kind(struct pushdown *x, struct rule_kind *k)
{
	struct lower l = {.x = x, .k = k};
	struct parts parts = {0};
	uint32_t nobody, none;
	size_t at = 0;

	l.m = arena_new(x->arena, struct ir_module);
	ir_module_init(l.m, x->arena, arena_printf(x->arena, "rules_%s", event_get(k->kind)->name));
	ir_func_add(l.m, "main", 1);
	l.b = (struct ir_builder){.m = l.m};
	l.ctx = 1;
	ir_here(&l.b)->regs.p[1].class = IRC_PTR;
	l.m->n_maps = (uint32_t)x->q->maps.n;
	rule_walks_init(&l.walks, &x->tables, l.m, world_has(x->o->world, WORLD_BPF_LOOP));
	lower_groups(&l);
	nobody = ir_block_new(&l.b);
	none = ir_block_new(&l.b);
	begin(&l, nobody);
	all_may(&l);
	if (k->kind == EV_EXEC)
		lower_exec(&l);
	collect(&l, &parts);
	if (parts.list.n) {
		lower_pass(&l, &parts, 0, &at);
		leave_if_none(&l, none);
	}
	for (unsigned int group = 0; group < 64; group++) {
		if (!(k->groups >> group & 1))
			continue;
		lower_pass(&l, &parts, group + 1, &at);
		leave_if_none(&l, none);
	}
	finish(&l, none, nobody);
	l.m->scratch_size = l.next_scratch;
	return l.m;
}
