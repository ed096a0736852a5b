/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tables grow.
 *
 * A table that has memory for all its elements from the start never lacks it, and 4096 keys of
 * 1024 bytes are five megabytes, and two milliseconds, before the first.  Since Linux 6.1 the
 * kernel fills up a stock of elements as soon as one was taken, if only interrupts come through:
 * in system calls and functions of programs they do.  Where they wait (sched_switch) the stock
 * lasts until they come: it begins with 4 elements of at most 256 bytes, or a single larger one
 * (kernel/bpf/memalloc.c, prefill_mem_cache).  So a table that would be large grows, if actions
 * that run there name it no more often than that at all their points, and in no loop.
 */
#include "compile/lang/bpftrace/lower-internal.h"

#include "compile/lang/bpftrace/tree.h"

/*
 * To add and to delete an element costs 500 ns, from the stock 650: what scripts do so all the
 * time (@start[tid]) is small and shall be fast; aggregations stay.
 */
enum { LARGE = 256 };

/* An element as the kernel keeps it: struct htab_elem, the key and the value. */
enum { ELEMENT_HEAD = 48, STOCK = 4, STOCK_BYTES = 256 };

static uint32_t first_stock(const struct question_map *row)
{
	uint32_t key = (row->key_size + 7) & ~7u, value = (row->value_size + 7) & ~7u;

	return ELEMENT_HEAD + key + value <= STOCK_BYTES ? STOCK : 1;
}

bool lower_may_grow(const struct map_decl *m, const struct question_map *row)
{
	return row->type == BPF_MAP_TYPE_HASH && m->uses_without_irqs <= first_stock(row) &&
	       (type_is_agg(m->value) || row->key_size + row->value_size >= LARGE);
}

static bool is_system_call(const struct resolved *r)
{
	return r->group && (!strcmp(r->group, "syscalls") || !strcmp(r->group, "raw_syscalls"));
}

/* Do interrupts come through wherever this action runs? */
static bool lets_interrupts_in(const struct checked_probe *p)
{
	for (const struct resolved *r = p->points; r; r = r->next)
		if (!attach_has(r->hook->attach, QA_IRQS) && !is_system_call(r))
			return false;
	return true;
}

/* How often what the walk meets runs before interrupts come: in loops nobody knows. */
struct naming {
	unsigned int loops;
	uint32_t points;
};

static bool note(struct walk *w, struct expr **at)
{
	const struct naming *n = w->ctx;
	struct map_decl *m = (*at)->kind == EXPR_MAP ? (*at)->map : NULL;

	if (m && n->loops)
		m->uses_without_irqs = UINT32_MAX;
	else if (m && m->uses_without_irqs <= STOCK)
		m->uses_without_irqs += n->points;
	return true;
}

static bool is_loop(const struct stmt *s)
{
	return s->kind == STMT_WHILE || s->kind == STMT_FOR_MAP || s->kind == STMT_FOR_RANGE ||
	       s->kind == STMT_UNROLL;
}

static void enter_stmt(struct walk *w, struct stmt *s)
{
	((struct naming *)w->ctx)->loops += is_loop(s);
}

static void leave_stmt(struct walk *w, struct stmt *s)
{
	((struct naming *)w->ctx)->loops -= is_loop(s);
}

/* Functions, too, as soon as there is one such action: it may call them. */
void lower_find_growth(const struct checked *c)
{
	struct naming naming = {};
	struct walk w = {
		.enter = note, .stmt = enter_stmt, .left_stmt = leave_stmt, .ctx = &naming};
	bool any = false;

	for (size_t i = 0; i < c->probes.n; i++) {
		struct probe *p = c->probes.p[i].probe;

		if (lets_interrupts_in(&c->probes.p[i]))
			continue;
		any = true;
		naming.points = c->probes.p[i].n_points;
		if (p->predicate)
			walk_expr(&w, &p->predicate);
		if (p->block)
			walk_block(&w, p->block);
	}
	naming.loops = 1;
	for (size_t i = 0; any && i < c->program->fns.n; i++)
		if (c->program->fns.p[i]->block)
			walk_block(&w, c->program->fns.p[i]->block);
}
