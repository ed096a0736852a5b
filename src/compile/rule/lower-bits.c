/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits that were set before: of the process at its exec, of its ancestors at theirs, of the
 * cgroup when user space learnt of it.
 *
 * Who is not in the table, or has another start time (the number was given to a new process),
 * is unknown: all may be, nothing must be.
 */
#include "compile/rule/lower.h"

/* --- which words */

static void note_leaf(struct lower *l, const struct leaf *leaf)
{
	uint32_t word = 1u << (leaf->bit / 64);

	switch (leaf->how) {
	case LEAF_TEXT:
		l->text_words[leaf->index] |= word;
		return;
	case LEAF_PROCESS:
		l->process_words |= word;
		return;
	case LEAF_CGROUP:
		l->cgroup_words |= word;
		return;
	case LEAF_ANCESTOR:
		if (leaf->index)
			l->ancestor_words[leaf->index] |= word;
		else
			l->any_words |= word;
		return;
	case LEAF_FALSE:
	case LEAF_TRUE:
	case LEAF_UNKNOWN:
	case LEAF_NUMBER:
	case LEAF_ADDRESS:
		return;
	}
}

static void note(struct lower *l, const struct cond *c)
{
	if (c->kind == COND_LEAF)
		note_leaf(l, plan_leaf(l->x, l->k, c->check));
	for (size_t i = 0; i < c->args.n; i++)
		note(l, c->args.p[i]);
}

static uint32_t take(struct lower *l, uint32_t words)
{
	uint32_t at = l->next_scratch;

	l->next_scratch += words * 8;
	return at;
}

void lower_groups(struct lower *l)
{
	uint32_t proc_words = l->x->proc_words;

	for (size_t i = 0; i < l->k->rules.n; i++)
		note(l, l->k->rules.p[i].cond);
	/* struct wire_proc_bits: start_ns in front */
	l->proc_value = take(l, 1 + PROC_BIT_WORDS);
	l->process_may = l->proc_value + 8;
	l->process_must = take(l, proc_words);
	l->spare = take(l, 1);
	l->sides = take(l, 1 + SIDES * 3);
	l->cgroup_may = take(l, CGROUP_BIT_WORDS);
	l->cgroup_must = take(l, CGROUP_BIT_WORDS);
	l->any_may = take(l, proc_words);
	l->any_must = take(l, proc_words);
	l->any_open = take(l, 1);
	for (uint32_t i = 1; i <= ANCESTORS_MAX; i++) {
		if (!l->ancestor_words[i])
			continue;
		l->ancestor_may[i] = take(l, proc_words);
		l->ancestor_must[i] = take(l, proc_words);
	}
	for (size_t i = 0; i < l->x->texts.n; i++) {
		if (!l->text_words[i])
			continue;
		l->text_may[i] = take(l, l->x->texts.p[i].n_words);
		l->text_must[i] = take(l, l->x->texts.p[i].n_words);
	}
}

/* --- maps */

/* The value of a key on the stack; 0: there is none. */
static ir_reg lookup(struct lower *l, int32_t map, ir_reg key)
{
	return IR_CALL(&l->b, BPF_FUNC_map_lookup_elem, IRC_PTR,
		       IR_R(ir_map_addr(&l->b, (uint32_t)map)), IR_R(key));
}

static void copy_words(struct lower *l, ir_reg from, int32_t off, uint32_t words, uint32_t may,
		       uint32_t must)
{
	for (uint32_t w = 0; w < 32; w++) {
		struct ir_val v;

		if (!(words >> w & 1))
			continue;
		v = ir_load(&l->b, from, off + (int32_t)w * 8, 8, false);
		lower_put_word(l, may + w * 8, v);
		lower_put_word(l, must + w * 8, v);
	}
}

static void fill_words(struct lower *l, uint32_t words, uint32_t at, int64_t v)
{
	for (uint32_t w = 0; w < 32; w++)
		if (words >> w & 1)
			lower_put_word(l, at + w * 8, IR_I(v));
}

/* The element of a process: to `found` with its value, or to `unknown`. */
static ir_reg find_process(struct lower *l, struct ir_val pid, struct ir_val start, uint32_t found,
			   uint32_t unknown)
{
	uint32_t there = ir_block_new(&l->b);
	ir_reg key = ir_slot_addr(&l->b, l->key_slot, 0), value;

	ir_store(&l->b, key, 0, 4, pid);
	value = lookup(l, l->x->plan->map_procs, key);
	ir_branch(&l->b, IRC_EQ, IR_R(value), IR_I(0), unknown, there);
	ir_block_go(&l->b, there);
	ir_branch(&l->b, IRC_EQ,
		  ir_load(&l->b, value, offsetof(struct wire_proc_bits, start_ns), 8, false), start,
		  found, unknown);
	return value;
}

void lower_process(struct lower *l)
{
	uint32_t found = ir_block_new(&l->b), unknown = ir_block_new(&l->b),
		 done = ir_block_new(&l->b);
	ir_reg value;

	value = find_process(l, lower_stage_load(l, offsetof(struct wire_head, pid), 4, false),
			     lower_stage_load(l, offsetof(struct wire_head, start_ns), 8, false),
			     found, unknown);
	ir_block_go(&l->b, found);
	copy_words(l, value, offsetof(struct wire_proc_bits, bits), l->process_words,
		   l->process_may, l->process_must);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, unknown);
	fill_words(l, l->process_words, l->process_may, -1);
	fill_words(l, l->process_words, l->process_must, 0);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
}

void lower_cgroup(struct lower *l)
{
	uint32_t there = ir_block_new(&l->b), found = ir_block_new(&l->b),
		 unknown = ir_block_new(&l->b), done = ir_block_new(&l->b);
	uint32_t slot = ir_slot_new(&l->b, 8, 8, "cgroup");
	ir_reg key = ir_slot_addr(&l->b, slot, 0), value;

	ir_store(&l->b, key, 0, 8,
		 lower_stage_load(l, offsetof(struct wire_head, cgroup), 8, false));
	value = lookup(l, l->x->plan->map_cgroups, key);
	ir_branch(&l->b, IRC_EQ, IR_R(value), IR_I(0), unknown, there);
	ir_block_go(&l->b, there);
	ir_branch(&l->b, IRC_SET,
		  ir_load(&l->b, value, offsetof(struct wire_cgroup_bits, flags), 8, false),
		  IR_I(1), found, unknown);
	ir_block_go(&l->b, found);
	copy_words(l, value, offsetof(struct wire_cgroup_bits, bits), l->cgroup_words,
		   l->cgroup_may, l->cgroup_must);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, unknown);
	fill_words(l, l->cgroup_words, l->cgroup_may, -1);
	fill_words(l, l->cgroup_words, l->cgroup_must, 0);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
}

/* --- ancestors */

#define ANCESTOR(i, m)                                                   \
	(ANNEX(ancestors) + (size_t)(i) * sizeof(struct wire_ancestor) + \
	 offsetof(struct wire_ancestor, m))

static bool find_member(const struct btf_view *v, const char *member, int32_t *ret)
{
	struct btf_place p;
	uint32_t id = btf_find(v, BTF_ONE(STRUCT), "task_struct");

	if (!id || !btf_member_find(v, id, member, &p) || p.bit_offset % 8)
		return false;
	*ret = (int32_t)(p.bit_offset / 8);
	return true;
}

/* Where the members of struct task_struct are. */
struct task_places {
	int32_t parent, pid, tgid, leader, start;
};

static bool find_places(struct lower *l, struct task_places *t)
{
	struct world *w = l->x->o->world;
	const struct btf_view *v =
		w && w->ops->btf && !world_has(w, WORLD_EMBEDDED) ? w->ops->btf(w) : NULL;

	return v && find_member(v, "real_parent", &t->parent) && find_member(v, "pid", &t->pid) &&
	       find_member(v, "tgid", &t->tgid) && find_member(v, "group_leader", &t->leader) &&
	       (find_member(v, "start_boottime", &t->start) ||
		find_member(v, "real_start_time", &t->start));
}

static ir_reg read_pointer(struct lower *l, ir_reg from, int32_t off)
{
	return ir_to_reg(&l->b, ir_kload(&l->b, from, off, 8, false, IRC_KPTR, NULL));
}

/* Who started whom, from the kernel's own structs, into the annex. */
static void climb(struct lower *l, const struct task_places *t)
{
	uint32_t done = ir_block_new(&l->b);
	ir_reg task = ir_reg_new(&l->b, IRC_KPTR, "task");
	struct ir_val flags;

	ir_set(&l->b, task, IR_R(IR_CALL(&l->b, BPF_FUNC_get_current_task, IRC_KPTR)));
	lower_stage_store(l, ANNEX(n_ancestors), 4, IR_I(0));
	for (uint32_t i = 0; i < ANCESTORS_MAX; i++) {
		uint32_t there = ir_block_new(&l->b), leads = ir_block_new(&l->b),
			 follows = ir_block_new(&l->b), known = ir_block_new(&l->b);
		ir_reg parent = read_pointer(l, task, t->parent);
		struct ir_val tgid, pid;

		ir_set(&l->b, task, IR_R(parent));
		pid = ir_kload(&l->b, task, t->pid, 4, false, IRC_INT, NULL);
		tgid = ir_kload(&l->b, task, t->tgid, 4, false, IRC_INT, NULL);
		ir_branch(&l->b, IRC_EQ, tgid, IR_I(0), done, there);
		ir_block_go(&l->b, there);
		lower_stage_store(l, ANCESTOR(i, pid), 4, tgid);
		ir_branch(&l->b, IRC_EQ, tgid, pid, leads, follows);
		ir_block_go(&l->b, follows);
		ir_set(&l->b, task, IR_R(read_pointer(l, task, t->leader)));
		ir_jump(&l->b, leads);
		ir_block_go(&l->b, leads);
		lower_stage_store(l, ANCESTOR(i, start_ns), 8,
				  ir_kload(&l->b, task, t->start, 8, false, IRC_INT, NULL));
		lower_stage_store(l, ANCESTOR(i, pad), 4, IR_I(0));
		lower_stage_store(l, ANNEX(n_ancestors), 4, IR_I(i + 1));
		ir_jump(&l->b, known);
		ir_block_go(&l->b, known);
	}
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
	flags = lower_stage_load(l, ANNEX(flags), 4, false);
	lower_stage_store(l, ANNEX(flags), 4, ir_math(&l->b, IR_OR, flags, IR_I(WIRE_A_ANCESTORS)));
}

/*
 * Words of ancestor `i`: those asked for by its number, and those asked for of any.  User space
 * looks no further than to the first that it does not know, so neither does what must be.
 */
static void unknown_ancestor(struct lower *l, uint32_t i)
{
	if (l->any_words)
		lower_put_word(l, l->any_open, IR_I(0));
	fill_words(l, l->ancestor_words[i], l->ancestor_may[i], -1);
	fill_words(l, l->ancestor_words[i], l->ancestor_must[i], 0);
	fill_words(l, l->any_words, l->any_may, -1);
}

static void take_ancestor(struct lower *l, uint32_t i, ir_reg value)
{
	int32_t bits = offsetof(struct wire_proc_bits, bits);

	copy_words(l, value, bits, l->ancestor_words[i], l->ancestor_may[i], l->ancestor_must[i]);
	for (uint32_t w = 0; w < PROC_BIT_WORDS; w++) {
		struct ir_val v;

		if (!(l->any_words >> w & 1))
			continue;
		v = ir_load(&l->b, value, bits + (int32_t)w * 8, 8, false);
		lower_put_word(l, l->any_may + w * 8,
			       ir_math(&l->b, IR_OR, lower_word(l, l->any_may + w * 8), v));
		v = ir_math(&l->b, IR_AND, v, lower_word(l, l->any_open));
		lower_put_word(l, l->any_must + w * 8,
			       ir_math(&l->b, IR_OR, lower_word(l, l->any_must + w * 8), v));
	}
}

static void look_up(struct lower *l, uint32_t i, uint32_t done)
{
	uint32_t there, found, unknown, next;
	ir_reg value;

	if (!l->ancestor_words[i] && !l->any_words)
		return;
	there = ir_block_new(&l->b);
	found = ir_block_new(&l->b);
	unknown = ir_block_new(&l->b);
	next = ir_block_new(&l->b);
	ir_branch(&l->b, IRC_ULT, lower_stage_load(l, ANNEX(n_ancestors), 4, false), IR_I(i), done,
		  there);
	ir_block_go(&l->b, there);
	value = find_process(l, lower_stage_load(l, ANCESTOR(i - 1, pid), 4, false),
			     lower_stage_load(l, ANCESTOR(i - 1, start_ns), 8, false), found,
			     unknown);
	ir_block_go(&l->b, found);
	take_ancestor(l, i, value);
	ir_jump(&l->b, next);
	ir_block_go(&l->b, unknown);
	unknown_ancestor(l, i);
	ir_jump(&l->b, next);
	ir_block_go(&l->b, next);
}

void lower_ancestors(struct lower *l)
{
	uint32_t walk = ir_block_new(&l->b), known = ir_block_new(&l->b),
		 unknown = ir_block_new(&l->b), done = ir_block_new(&l->b), deepest = 0;
	struct task_places t;

	for (uint32_t i = 1; i <= ANCESTORS_MAX; i++) {
		fill_words(l, l->ancestor_words[i], l->ancestor_may[i], 0);
		fill_words(l, l->ancestor_words[i], l->ancestor_must[i], 0);
		deepest = l->ancestor_words[i] || l->any_words ? i : deepest;
	}
	fill_words(l, l->any_words, l->any_may, 0);
	fill_words(l, l->any_words, l->any_must, 0);
	lower_put_word(l, l->any_open, IR_I(-1));
	ir_branch(&l->b, IRC_SET, lower_stage_load(l, ANNEX(flags), 4, false),
		  IR_I(WIRE_A_ANCESTORS), known, walk);
	ir_block_go(&l->b, walk);
	if (find_places(l, &t)) {
		climb(l, &t);
		ir_jump(&l->b, known);
	} else {
		ir_jump(&l->b, unknown);
	}
	ir_block_go(&l->b, known);
	for (uint32_t i = 1; i <= deepest; i++)
		look_up(l, i, done);
	/* there may be more of them */
	fill_words(l, l->any_words, l->any_may, -1);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, unknown);
	for (uint32_t i = 1; i <= ANCESTORS_MAX; i++)
		unknown_ancestor(l, i);
	ir_jump(&l->b, done);
	ir_block_go(&l->b, done);
}
