/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of jumps, found again.
 *
 * BPF has no jump to an address in a register, so that compilers make a switch of 64 cases a
 * tree of comparisons of one register with constants.  Whatever the tree's shape: where it
 * leads is a function of that register's value, constant between the constants.  This file
 * runs through the tree once for each stretch between two of them, and if what lies between
 * the outer stretches (which must lead to one place) is small enough, the root becomes a table.
 */
#include "runtime/vm/jit/jit.h"

#include <stdlib.h>

enum {
	NODES_MIN = 6, /* smaller trees are faster as they are */
	NODES_MAX = 1024,
	DENSITY = 8, /* entries for each node, at most */
};

struct tree {
	const struct jit *j;
	uint8_t reg;
	bool is_32;
	uint32_t *seen; /* operation → root + 1 whose tree it was last looked at for */
	uint32_t nodes[NODES_MAX];
	size_t n;
};

/* From `value` on, up to the next edge, the tree leads to `to`. */
struct edge {
	uint64_t value;
	uint32_t to;
};

static const struct jit_op *skip(const struct jit *j, uint32_t *i)
{
	while (*i + 1 < j->n && j->ops[*i].id == INSN_NONE)
		(*i)++;
	return &j->ops[*i];
}

static bool is_node(const struct tree *t, const struct jit_op *o)
{
	return o->id != INSN_NONE && !o->is_table && insn_kind(o->id) == INSN_KIND_JUMP &&
	       insn_row_of(o->id)->is_imm && insn_row_of(o->id)->is_32 == t->is_32 &&
	       o->a == t->reg && insn_jump_of(o->id) != JUMP_JSET;
}

static void add_node(struct tree *t, uint32_t at)
{
	uint32_t root = t->n ? t->nodes[0] : at;

	if (!is_node(t, skip(t->j, &at)) || t->n == NODES_MAX || t->seen[at] == root + 1)
		return;
	t->seen[at] = root + 1;
	t->nodes[t->n++] = at;
}

/* Where value v leads from the root. */
static uint32_t follow(const struct tree *t, uint64_t v)
{
	uint32_t at = t->nodes[0];

	for (size_t steps = 0; steps <= t->n; steps++) {
		const struct jit_op *o = skip(t->j, &at);

		if (!is_node(t, o))
			break;
		at = insn_jump_eval(insn_jump_of(o->id), t->is_32, v, o->imm) ? (uint32_t)o->off
									      : at + 1;
	}
	return at;
}

static int compare(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

/* Where the function may change, ascending; the first is 0. */
static size_t find_edges(const struct tree *t, struct edge *edges)
{
	uint64_t top = t->is_32 ? UINT32_MAX : UINT64_MAX;
	size_t n = 0, kept = 0;

	edges[n++].value = 0;
	edges[n++].value = top / 2 + 1;
	for (size_t i = 0; i < t->n; i++) {
		uint64_t v = t->j->ops[t->nodes[i]].imm & top;

		edges[n++].value = v;
		if (v != top)
			edges[n++].value = v + 1;
	}
	qsort(edges, n, sizeof(*edges), compare);
	for (size_t i = 0; i < n; i++) {
		if (kept && edges[i].value == edges[kept - 1].value)
			continue;
		edges[i].to = follow(t, edges[i].value);
		if (!kept || edges[i].to != edges[kept - 1].to)
			edges[kept++] = edges[i];
	}
	return kept;
}

/*
 * The widest stretch of one target is what is outside; it may go on from the top to 0.  The
 * window begins behind it and ends before it.
 */
static bool find_window(const struct tree *t, const struct edge *edges, size_t n, uint64_t *ret_low,
			uint64_t *ret_n, uint32_t *ret_otherwise)
{
	uint64_t top = t->is_32 ? UINT32_MAX : UINT64_MAX, gap = 0;
	/* the last one and the first one are the same stretch */
	bool wraps = n > 2 && edges[n - 1].to == edges[0].to;

	for (size_t i = wraps; i < n; i++) {
		size_t next = i + 1 < n ? i + 1 : wraps;
		uint64_t size = (edges[next].value - edges[i].value) & top;

		if (size <= gap)
			continue;
		gap = size;
		*ret_low = edges[next].value;
		*ret_n = (edges[i].value - edges[next].value) & top;
		*ret_otherwise = edges[i].to;
	}
	return gap && *ret_n;
}

static void make_table(struct jit *j, const struct tree *t, uint64_t low, uint32_t n,
		       uint32_t otherwise)
{
	uint64_t top = t->is_32 ? UINT32_MAX : UINT64_MAX;
	struct jit_table *to;

	j->tables = xrealloc(j->tables, sizeof(*j->tables) * (j->n_tables + 1));
	to = &j->tables[j->n_tables];
	*to = (struct jit_table){
		.op = t->nodes[0], .is_32 = t->is_32, .low = low, .n = n, .otherwise = otherwise};
	to->targets = xalloc(sizeof(*to->targets) * n);
	for (uint32_t i = 0; i < n; i++)
		to->targets[i] = follow(t, (low + i) & top);
	j->ops[to->op].is_table = true;
	j->ops[to->op].imm = j->n_tables++;
}

static void try_tree(struct jit *j, uint32_t root, uint32_t *seen)
{
	const struct jit_op *o = &j->ops[root];
	struct tree t = {.j = j, .reg = o->a, .is_32 = insn_row_of(o->id)->is_32, .seen = seen};
	uint64_t low = 0, n = 0;
	uint32_t otherwise = 0;
	struct edge *edges;

	add_node(&t, root);
	for (size_t i = 0; i < t.n; i++) {
		add_node(&t, (uint32_t)j->ops[t.nodes[i]].off);
		if (t.nodes[i] + 1 < j->n)
			add_node(&t, t.nodes[i] + 1);
	}
	if (t.n < NODES_MIN || t.n == NODES_MAX)
		return;
	edges = xalloc(sizeof(*edges) * (2 * t.n + 2));
	if (find_window(&t, edges, find_edges(&t, edges), &low, &n, &otherwise) &&
	    n <= DENSITY * t.n) {
		make_table(j, &t, low, (uint32_t)n, otherwise);
		for (size_t i = 1; i < t.n; i++)
			j->ops[t.nodes[i]].is_in_tree = true;
	}
	free(edges);
}

/* A root is a comparison with another one behind it. */
static bool is_root(const struct jit *j, uint32_t i)
{
	const struct jit_op *o = &j->ops[i], *next;

	if (o->id == INSN_NONE || insn_kind(o->id) != INSN_KIND_JUMP || o->is_in_tree ||
	    !insn_row_of(o->id)->is_imm || insn_jump_of(o->id) == JUMP_JSET || i + 1 >= j->n)
		return false;
	i++;
	next = skip(j, &i);
	return next->id != INSN_NONE && insn_kind(next->id) == INSN_KIND_JUMP && next->a == o->a;
}

void jit_trees(struct jit *j)
{
	uint32_t *seen = NULL;

	for (uint32_t i = 0; i < j->n; i++) {
		if (!is_root(j, i))
			continue;
		if (!seen)
			seen = xalloc(sizeof(*seen) * j->n);
		try_tree(j, i, seen);
	}
	free(seen);
}
