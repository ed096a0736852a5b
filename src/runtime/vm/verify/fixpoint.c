/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program proven by loop invariants, where walking every path takes too long.
 *
 * The walk of explore.c goes round a loop as often as the program would.  Here a loop is
 * walked a few times, whatever its length: at its head stands one state that holds for every
 * round (an invariant), and the body is walked from that.  Arriving at the head again, a path
 * ends if the invariant covers what it brings; else the invariant grows, and the body is
 * walked again.  As what grows is widened, that ends.
 *
 * What makes it precise is that most of what changes in a loop is only counted.  fixpoint-round.c
 * finds by how much a round changes each variable; fixpoint-trips.c, from the comparison that
 * ends the loop, how many rounds there can be; together they give the range at the head of
 * counters and of pointers that move along, before the body is walked once.  The number of
 * rounds is also the proof that the loop ends: without one, the program is not accepted.
 *
 * Within the body paths are walked as ever, by the same functions; where they meet, a few
 * states are kept apart and the others joined, so that branches do not multiply.
 *
 * It does not handle: loops that are bounded by the runtime (iterators, bpf_loop(), may_goto),
 * which exploring proves quickly; loops with several heads; locks held across rounds.
 */
#include "runtime/vm/verify/fixpoint.h"

#include "base/macro.h"

#include <stdlib.h>

enum {
	STEPS_MAX = 1000000,
	APART_MAX = 6,	   /* states kept at a place where paths meet */
	APART_FAILED = 64, /* … if they cannot be joined */
	WIDEN_AFTER = 2,
	WIDEN_FAR_AFTER = 24,
	GIVE_UP_AFTER = 200,
};
/* Rounds of all nested loops together: more would take minutes to run. */
static const uint64_t rounds_max = 1ull << 32;

/* A loop's head, as it is reached by one chain of calls. */
struct head {
	struct state *entry;		  /* what comes from outside; owned */
	struct state *inv;		  /* what holds in every round; owned */
	struct fix_value back[VAR_COUNT]; /* of variables, for this entry */
	uint64_t trips;
	bool is_bounded, was_back;
	unsigned int grown;
	struct head *next;
};

struct fix {
	struct verifier *v;
	struct fix_flow flow;
	struct head **heads;	/* by loop */
	struct state **meeting; /* by instruction: states that were there; linked by next */
	struct state *todo;	/* paths to walk: linked by next; depth: where it comes from */
	unsigned int steps;
};

static int give_up(struct fix *f, const char *why)
{
	refuse(f->v, D_VERIFY_LOOP, "no loop invariant: %s", why);
	return REFUSED;
}

static struct state *copy_of(struct fix *f, const struct state *s)
{
	struct state *n = state_new(&f->v->pool);

	state_copy(&f->v->pool, n, s);
	return n;
}

static void replace(struct fix *f, struct state **s, const struct state *by)
{
	state_copy(&f->v->pool, *s, by);
}

/* --- heads of loops */

static struct head *head_of(struct fix *f, uint32_t loop, const struct state *s)
{
	for (struct head *h = f->heads[loop]; h; h = h->next)
		if (fix_same_calls(h->entry, s))
			return h;
	return NULL;
}

static void join_setup(struct fix *f, struct head *h, struct fix_join *j)
{
	*j = (struct fix_join){.v = f->v,
			       .flow = &f->flow,
			       .widens = h->grown > WIDEN_AFTER,
			       .widens_far = h->grown > WIDEN_FAR_AFTER};
}

/* The invariant, from what comes in and what it was so far. */
static int head_renew(struct fix *f, const struct fix_loop *l, struct head *h)
{
	struct state *inv = copy_of(f, h->entry);
	struct fix_join j;

	fix_back_find(l, h->entry, h->back);
	h->is_bounded = fix_trips(f->v, l, h->back, h->entry, &h->trips);
	if (h->is_bounded)
		fix_accelerate(f->v, h->back, h->trips, inv);
	if (h->inv) {
		join_setup(f, h, &j);
		fix_join(&j, inv, h->inv);
		state_free(&f->v->pool, h->inv);
		if (j.has_failed)
			return give_up(f, "states that cannot be one");
	}
	h->inv = inv;
	if (h->was_back && !h->is_bounded)
		return give_up(f, "a loop whose number of rounds is not known");
	return 0;
}

static int head_enter(struct fix *f, uint32_t loop, const struct state *s, bool *goes_on)
{
	const struct fix_loop *l = &f->flow.loops.p[loop];
	struct head *h = head_of(f, loop, s);
	struct fix_join j;

	if (!h) {
		h = arena_new(&f->v->pool.arena, struct head);
		h->entry = copy_of(f, s);
		h->next = f->heads[loop];
		f->heads[loop] = h;
		*goes_on = true;
		return head_renew(f, l, h);
	}
	join_setup(f, h, &j);
	fix_join(&j, h->entry, s);
	if (j.has_failed)
		return give_up(f, "states that cannot be one");
	*goes_on = j.has_changed;
	h->grown += j.has_changed;
	return j.has_changed ? head_renew(f, l, h) : 0;
}

static int head_again(struct fix *f, uint32_t loop, const struct state *s, bool *goes_on)
{
	struct head *h = head_of(f, loop, s);
	struct fix_join j;

	if (!h)
		return give_up(f, "a loop that was not entered");
	h->was_back = true;
	if (!h->is_bounded)
		return give_up(f, "a loop whose number of rounds is not known");
	join_setup(f, h, &j);
	j.skip = h->back;
	fix_join(&j, h->inv, s);
	if (j.has_failed)
		return give_up(f, "states that cannot be one");
	*goes_on = j.has_changed;
	h->grown += j.has_changed;
	return h->grown > GIVE_UP_AFTER ? give_up(f, "it grows and grows") : 0;
}

/* --- other places where paths meet */

static int meet(struct fix *f, uint32_t insn, bool *goes_on)
{
	struct fix_join j = {.v = f->v, .flow = &f->flow, .is_trial = true};
	struct state *s, *last = NULL;
	unsigned int n = 0;

	for (s = f->meeting[insn]; s; s = s->next) {
		if (!fix_same_calls(s, f->v->cur))
			continue;
		fix_join(&j, s, f->v->cur);
		if (!j.has_changed && !j.has_failed) {
			*goes_on = false;
			return 0;
		}
		if (!j.has_failed && !last)
			last = s;
		n++;
	}
	*goes_on = true;
	if (n >= APART_MAX && last) {
		j.is_trial = false;
		last->hits++;
		j.widens = last->hits > APART_FAILED;
		j.widens_far = last->hits > 2 * APART_FAILED;
		fix_join(&j, last, f->v->cur);
		if (j.has_failed)
			return give_up(f, "states that cannot be one");
		replace(f, &f->v->cur, last);
		return 0;
	}
	if (n >= APART_FAILED)
		return give_up(f, "too many states that cannot be one");
	s = copy_of(f, f->v->cur);
	s->next = f->meeting[insn];
	f->meeting[insn] = s;
	return 0;
}

/* The current path comes from `from` to `insn`. */
static int arrive(struct fix *f, uint32_t from, uint32_t insn, bool *goes_on)
{
	struct verifier *v = f->v;
	uint32_t loop = f->flow.loop_at[insn];
	int r;

	*goes_on = true;
	/* arithmetic that is done again with one of two values: it was here already */
	if (from == insn && insn_kind(v->info[insn].id) == INSN_KIND_ALU)
		return 0;
	/* a function returns to behind its call */
	if (from < v->p->n_insns && v->info[from].func != v->info[insn].func && insn)
		from = insn - 1;
	if (loop) {
		loop--;
		fix_forget(v, v->cur, insn);
		r = from < v->p->n_insns && fix_in_loop(&f->flow.loops.p[loop], from)
			    ? head_again(f, loop, v->cur, goes_on)
			    : head_enter(f, loop, v->cur, goes_on);
		if (!r && *goes_on)
			replace(f, &v->cur, head_of(f, loop, v->cur)->inv);
		return r;
	}
	if (f->flow.preds[insn] < 2 && insn != v->funcs[v->info[insn].func].begin)
		return 0;
	fix_forget(v, v->cur, insn);
	return meet(f, insn, goes_on);
}

/* --- the walk */

/* What step() left to be walked later. */
static void take_pending(struct fix *f)
{
	struct verifier *v = f->v;

	while (v->pending) {
		struct state *s = v->pending;

		v->pending = s->next;
		v->n_pending--;
		s->depth = v->insn;
		s->next = f->todo;
		f->todo = s;
	}
}

static bool next_path(struct fix *f, uint32_t *from, uint32_t *insn)
{
	struct verifier *v = f->v;

	if (v->cur)
		state_free(&v->pool, v->cur);
	v->cur = f->todo;
	if (!v->cur)
		return false;
	f->todo = v->cur->next;
	v->cur->next = NULL;
	*from = v->cur->depth;
	*insn = v->cur->insn;
	return true;
}

static int walk(struct fix *f, uint32_t begin)
{
	struct verifier *v = f->v;
	uint32_t insn = begin, from = UINT32_MAX;

	for (;;) {
		bool goes_on;
		int r;

		if (++f->steps > STEPS_MAX)
			return give_up(f, "too many steps");
		v->insn = insn;
		r = arrive(f, from, insn, &goes_on);
		if (r)
			return r;
		if (!goes_on) {
			if (!next_path(f, &from, &insn))
				return 0;
			continue;
		}
		v->cur->insn = insn;
		v->cur->parent = NULL;
		v->insns_explored++;
		v->insns[insn].is_reached = true;
		if (v->recorded)
			states_note(v);
		r = step(v, &insn);
		take_pending(f);
		if (r < 0)
			return r;
		from = v->insn;
		if (r == STEP_NEXT)
			insn = v->insn + 1 +
			       (v->info[v->insn].id >= INSN_WIDE &&
				v->info[v->insn].id <= INSN_WIDE_MAP_IDX_VALUE);
		else if (r == STEP_EXIT && !next_path(f, &from, &insn))
			return 0;
	}
}

/* --- all loops together */

/* Rounds of the loops that are around `insn`, in the first `frames` calls of `s`. */
static uint64_t rounds_around(struct fix *f, const struct state *s, unsigned int frame,
			      uint32_t insn)
{
	uint64_t sum = 1;

	for (size_t i = 0; i < f->flow.loops.n; i++) {
		uint64_t most = 0;

		if (!fix_in_loop(&f->flow.loops.p[i], insn))
			continue;
		for (const struct head *h = f->heads[i]; h; h = h->next)
			if (h->entry->n_frames == frame + 1 && h->was_back)
				most = MAX(most, h->trips);
		if (__builtin_mul_overflow(sum, most + 1, &sum))
			return UINT64_MAX;
	}
	(void)s;
	return sum;
}

static int rounds_check(struct fix *f)
{
	for (size_t i = 0; i < f->flow.loops.n; i++)
		for (const struct head *h = f->heads[i]; h; h = h->next) {
			const struct state *s = h->entry;
			uint64_t all =
				rounds_around(f, s, s->n_frames - 1, f->flow.loops.p[i].head);

			for (unsigned int n = 1; n < s->n_frames; n++)
				if (__builtin_mul_overflow(
					    all, rounds_around(f, s, n - 1, s->frames[n]->callsite),
					    &all))
					all = UINT64_MAX;
			if (all > rounds_max)
				return give_up(f, "loops that go round for minutes");
		}
	return 0;
}

static bool is_handled(const struct verifier *v)
{
	for (uint32_t i = 0; i < v->p->n_insns; i++)
		if (v->info[i].is_iter_next || v->info[i].calls_callback || v->info[i].is_may_goto)
			return false;
	return true;
}

static int prove(struct fix *f, uint32_t func)
{
	struct verifier *v = f->v;
	uint32_t n = v->p->n_insns;
	int r;

	r = fix_flow_find(v, &f->flow);
	if (r)
		return give_up(f, "loops of several heads, or too many");
	f->heads = arena_array(&v->pool.arena, struct head *, f->flow.loops.n + 1);
	f->meeting = arena_array(&v->pool.arena, struct state *, n);
	v->func = func;
	v->cur = state_new(&v->pool);
	v->insn = v->funcs[func].begin;
	r = subprog_init(v, func);
	r = r ? r : walk(f, v->funcs[func].begin);
	return r ? r : rounds_check(f);
}

int fixpoint(struct verifier *v, uint32_t func)
{
	struct fix f = {.v = v};
	uint32_t n = v->p->n_insns;
	struct verify_insn *insns = arena_copy(&v->pool.arena, v->insns, n * sizeof(*insns));
	uint8_t *types = arena_array(&v->pool.arena, uint8_t, n);
	int r;

	if (!is_handled(v))
		return give_up(&f, "loops that the runtime bounds");
	for (uint32_t i = 0; i < n; i++)
		types[i] = v->info[i].access_type;
	r = prove(&f, func);
	if (!r)
		return 0;
	/* ways that no path goes may have been looked at: that is not to stay */
	memcpy(v->insns, insns, n * sizeof(*insns));
	for (uint32_t i = 0; i < n; i++)
		v->info[i].access_type = types[i];
	return r;
}
