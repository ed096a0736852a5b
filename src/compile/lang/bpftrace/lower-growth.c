/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tables grow.
 *
 * A table that has memory for all its elements from the start never lacks it, and 4096 keys of
 * 1024 bytes are five megabytes, and two milliseconds, before the first.  Where interrupts come
 * through (system calls, functions of programs) the kernel fills up a stock of elements as soon as
 * one was taken, since Linux 6.1.  So a table that would be large grows, if only programs name it
 * that run there.
 */
#include "compile/lang/bpftrace/lower-internal.h"

#include "compile/lang/bpftrace/tree.h"

/*
 * To add and to delete an element costs 500 ns, from the stock 650: what scripts do so all the
 * time (@start[tid]) is small and shall be fast; aggregations stay.
 */
enum { LARGE = 256 };

bool lower_may_grow(const struct map_decl *m, const struct question_map *row)
{
	return row->type == BPF_MAP_TYPE_HASH && !m->holds_irqs &&
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

static bool note(struct walk *w, struct expr **at)
{
	(void)w;
	if ((*at)->map)
		(*at)->map->holds_irqs = true;
	return true;
}

/* Functions, too, as soon as there is one such action: it may call them. */
void lower_find_growth(const struct checked *c)
{
	struct walk w = {.enter = note};
	bool any = false;

	for (size_t i = 0; i < c->probes.n; i++) {
		struct probe *p = c->probes.p[i].probe;

		if (lets_interrupts_in(&c->probes.p[i]))
			continue;
		any = true;
		if (p->predicate)
			walk_expr(&w, &p->predicate);
		if (p->block)
			walk_block(&w, p->block);
	}
	for (size_t i = 0; any && i < c->program->fns.n; i++)
		if (c->program->fns.p[i]->block)
			walk_block(&w, c->program->fns.p[i]->block);
}
