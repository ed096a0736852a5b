/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots and rules: run what has new inputs until nothing changes.
 */
#include "compile/lang/bpftrace/check-rules.h"

static void slot_refresh(struct check *c, struct slot *s)
{
	if (s->round == c->round)
		return;
	*s = (struct slot){.type = &type_none, .round = c->round};
}

struct slot *slot_expr(struct check *c, struct expr *e)
{
	if (!e->note)
		e->note = arena_new(c->a, struct slot);
	slot_refresh(c, e->note);
	return e->note;
}

struct slot *slot_ref(struct check *c, struct type_ref *r)
{
	if (!r->note)
		r->note = arena_new(c->a, struct slot);
	slot_refresh(c, r->note);
	return r->note;
}

const struct type *slot_type(struct check *c, struct slot *s)
{
	slot_refresh(c, s);
	return s->type;
}

const struct type *expr_type(struct check *c, struct expr *e)
{
	return slot_expr(c, e)->type;
}

void slot_set(struct check *c, struct slot *s, const struct type *t)
{
	slot_refresh(c, s);
	if (t->kind == TYPE_NONE)
		return;
	s->type = t;
	array_push(c->a, &c->seeds, s);
}

struct rule *rule_add(struct check *c, struct slot *out,
		      const struct type *(*resolve)(struct check *, const struct rule *),
		      struct expr *e, struct slot *const *in, unsigned int n)
{
	struct rule *r = arena_new(c->a, struct rule);

	slot_refresh(c, out);
	*r = (struct rule){.out = out,
			   .resolve = resolve,
			   .in = arena_copy(c->a, in, n * sizeof(*in)),
			   .n_in = n,
			   .e = e,
			   .probe = c->probe};
	for (unsigned int i = 0; i < n; i++) {
		slot_refresh(c, in[i]);
		array_push(c->a, &in[i]->users, r);
	}
	return r;
}

static const struct type *resolve_pass(struct check *c, const struct rule *r)
{
	return rule_in(c, r, 0);
}

void rule_pass(struct check *c, struct slot *from, struct slot *to)
{
	rule_add(c, to, resolve_pass, NULL, &from, 1);
}

static void wake_users(struct check *c, struct slot *s)
{
	for (size_t i = 0; i < s->users.n; i++) {
		struct rule *r = s->users.p[i];

		if (r->is_queued)
			continue;
		r->is_queued = true;
		array_push(c->a, &c->queue, r);
	}
}

static bool has_inputs(struct check *c, const struct rule *r)
{
	for (unsigned int i = 0; i < r->n_in; i++)
		if (rule_in(c, r, i)->kind == TYPE_NONE)
			return false;
	return true;
}

/*
 * Is the new type the old one, as far as others could see?  A type stops being flexible but
 * never becomes so again, and knows its address space from when it is first known.
 */
static bool is_settled(const struct type *old, const struct type *now)
{
	if (old == now)
		return true;
	if (!type_same(old, now) || old->is_ctx != now->is_ctx)
		return false;
	if (old->is_sign_flexible && !now->is_sign_flexible)
		return false;
	return old->space == now->space || old->space != SPACE_NONE;
}

static void run_queue(struct check *c)
{
	for (size_t i = 0; i < c->seeds.n; i++)
		wake_users(c, c->seeds.p[i]);
	c->seeds.n = 0;

	/* Types only grow, so this ends; the limit is for a mistake of ours. */
	for (size_t steps = 0; c->queue_head < c->queue.n && steps < 50000000; steps++) {
		struct rule *r = c->queue.p[c->queue_head++];
		const struct type *t;

		r->is_queued = false;
		if (!has_inputs(c, r))
			continue;
		t = r->resolve(c, r);
		if (t->kind == TYPE_NONE || is_settled(r->out->type, t))
			continue;
		r->out->type = t;
		wake_users(c, r->out);
		if (c->queue_head == c->queue.n)
			c->queue_head = c->queue.n = 0;
	}
	c->queue_head = c->queue.n = 0;
}

/*
 * @x++ and @x += 1 alone begin with 0, as if an int8 had been assigned.  First those that
 * are stepped so, since others may follow from them; then what is still unknown.
 */
static bool begin_with_zero(struct check *c, bool all)
{
	bool has_any = false;

	for (size_t i = 0; i < c->maps.n; i++) {
		struct map_info *m = c->maps.p[i];

		if (slot_type(c, &m->value)->kind != TYPE_NONE || !(all || m->is_stepped))
			continue;
		slot_set(c, &m->value, type_int(1, true));
		has_any = true;
	}
	return has_any;
}

void check_solve(struct check *c)
{
	run_queue(c);
	if (begin_with_zero(c, false))
		run_queue(c);
	if (begin_with_zero(c, true))
		run_queue(c);
}
