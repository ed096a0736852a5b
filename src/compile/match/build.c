/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of spots become states: the subset construction, made cheap for what rules ask.
 *
 * The spots of a state are of two kinds.  Sticky ones are never left, so a walk meets few
 * different sets of them: a *ground*, most often the one it began with.  The others, one or
 * two as a rule, are its *front*.  Where no spot of the front takes a byte, the state goes
 * where the bare ground goes; so a ground has a row of its own, computed once, and a state's
 * row is a copy of it with the few bytes changed that its front takes.  That makes building
 * cost what building an Aho-Corasick automaton costs, and stars come for free.
 *
 * What keeps sets small:
 *   - a pattern that matched sets its bit on the way and is forgotten, all spots of its bit,
 *     but where it began if it can begin anywhere;
 *   - behind a star nothing is gained by what stands before it in the same pattern.
 */
#include "compile/match/build.h"

#include "compile/match/slices.h"

#include <stdlib.h>

enum { WORK_OF_STATE = 128, SPOTS_MAX = 1 << 20 };

struct ground {
	uint32_t *row;	  /* n_classes; NULL: not computed yet */
	uint32_t *leads;  /* spots that it leads to, class by class … */
	uint32_t *begins; /* … from begins[c] to begins[c + 1] */
};

struct hop {
	uint32_t spot, next;
};

struct builder {
	struct arena *arena; /* the spots', too */
	const struct spots *spots;
	const struct match_limits *limits;
	uint32_t n_classes, n_bits, n_words;
	uint8_t classes[256];
	uint32_t *set_begins, *set_classes; /* classes of each set */
	struct slices grounds;		    /* spots, ascending */
	struct slices states;		    /* front, ascending; tags: ground, on */
	struct slices sets;		    /* bits, ascending */
	ARRAY(struct ground) ground_rows;
	ARRAY(uint32_t) next;
	uint64_t work;
	bool is_over;
	/* the successor that is put together */
	uint32_t turn;
	uint32_t *spot_turn, *bit_turn, *path_turn, *path_from;
	ARRAY(uint32_t) front, stuck, bits;
	/* by class: spots that the front of the state leads to */
	uint32_t *heads, *touched;
	ARRAY(struct hop) hops;
};

/* --- what a byte makes of a state */

static const struct spot *spot_at(const struct builder *b, uint32_t spot)
{
	return &b->spots->spots.p[spot];
}

static void turn_begin(struct builder *b)
{
	b->turn++;
	b->front.n = b->stuck.n = b->bits.n = 0;
}

static void enter(struct builder *b, uint32_t at)
{
	const struct spot *s = spot_at(b, at);
	uint32_t bit;

	b->work++;
	if (b->spot_turn[at] == b->turn)
		return;
	b->spot_turn[at] = b->turn;
	if (s->flags & SPOT_ON) {
		bit = b->spots->paths.p[s->path].bit;
		if (b->bit_turn[bit] != b->turn)
			array_push(b->arena, &b->bits, bit);
		b->bit_turn[bit] = b->turn;
	} else if (s->flags & SPOT_STICKY) {
		if (b->path_turn[s->path] != b->turn || b->path_from[s->path] < at)
			b->path_from[s->path] = at;
		b->path_turn[s->path] = b->turn;
		array_push(b->arena, &b->stuck, at);
	} else {
		array_push(b->arena, &b->front, at);
	}
	if (s->flags & SPOT_SKIP)
		enter(b, at + 1);
}

static void sort(uint32_t *p, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t x = p[i];
		size_t k = i;

		for (; k && p[k - 1] > x; k--)
			p[k] = p[k - 1];
		p[k] = x;
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void sort_any(uint32_t *p, size_t n)
{
	if (n < 24)
		sort(p, n);
	else
		qsort(p, n, sizeof(*p), compare);
}

static bool is_decided(const struct builder *b, uint32_t path)
{
	return b->bit_turn[b->spots->paths.p[path].bit] == b->turn;
}

/*
 * The ground with the sticky spots that were entered: of each path the last one.  A path
 * whose bit was set begins again.
 */
static uint32_t new_ground(struct builder *b, uint32_t ground)
{
	const struct slice old = b->grounds.rows.p[ground];
	uint32_t *spots, n = 0, at;

	if (!b->stuck.n && !b->bits.n)
		return ground;
	spots = arena_array(b->arena, uint32_t, old.n + b->stuck.n + 1);
	for (uint32_t i = 0; i < old.n; i++) {
		uint32_t spot = b->grounds.pool.p[old.at + i], path = spot_at(b, spot)->path;

		if (is_decided(b, path)) {
			if (b->spots->paths.p[path].is_sticky)
				spots[n++] = b->spots->paths.p[path].first;
			continue;
		}
		if (b->path_turn[path] == b->turn)
			spot = b->path_from[path] = MAX(b->path_from[path], spot);
		spots[n++] = spot;
	}
	for (size_t i = 0; i < b->stuck.n; i++) {
		uint32_t spot = b->stuck.p[i], path = spot_at(b, spot)->path;

		if (is_decided(b, path) || b->path_from[path] != spot)
			continue;
		for (at = 0; at < n && spot_at(b, spots[at])->path != path; at++)
			;
		if (at == n)
			spots[n++] = spot;
	}
	b->work += n;
	sort_any(spots, n);
	at = slice_intern(b->arena, &b->grounds, spots, n, 0, 0);
	while (b->ground_rows.n < b->grounds.rows.n)
		array_push(b->arena, &b->ground_rows, ((struct ground){}));
	return at;
}

/* Spots of the front that still count. */
static void clean_front(struct builder *b)
{
	uint32_t n = 0;

	for (size_t i = 0; i < b->front.n; i++) {
		uint32_t spot = b->front.p[i], path = spot_at(b, spot)->path;

		if (b->bits.n && is_decided(b, path))
			continue;
		if (b->stuck.n && b->path_turn[path] == b->turn && b->path_from[path] > spot)
			continue;
		b->front.p[n++] = spot;
	}
	b->front.n = n;
	sort_any(b->front.p, n);
}

/* The state of all that was entered since turn_begin(). */
static uint32_t turn_end(struct builder *b, uint32_t ground)
{
	uint32_t on = 0, state;
	size_t before = b->states.rows.n;

	ground = new_ground(b, ground);
	clean_front(b);
	if (b->bits.n) {
		sort_any(b->bits.p, b->bits.n);
		on = slice_intern(b->arena, &b->sets, b->bits.p, (uint32_t)b->bits.n, 0, 0);
	}
	state = slice_intern(b->arena, &b->states, b->front.p, (uint32_t)b->front.n, ground, on);
	b->work += 4 + b->front.n;
	if (b->states.rows.n > before) {
		b->work += b->n_classes / 4;
		if (b->states.rows.n > b->limits->states ||
		    b->states.rows.n * (uint64_t)(b->n_classes + 2) > b->limits->cells)
			b->is_over = true;
	}
	if (b->work > WORK_OF_STATE * (b->limits->states + 512ull))
		b->is_over = true;
	return state;
}

/* --- rows */

static void hop_add(struct builder *b, uint32_t class, uint32_t spot, uint32_t *n_touched)
{
	if (!b->heads[class])
		b->touched[(*n_touched)++] = class;
	array_push(b->arena, &b->hops, ((struct hop){spot, b->heads[class]}));
	b->heads[class] = (uint32_t)b->hops.n;
}

/* Where a spot leads to, class by class. */
static void hops_of(struct builder *b, uint32_t spot, uint32_t *n_touched)
{
	const struct spot *s = spot_at(b, spot);

	for (uint32_t i = b->set_begins[s->set]; i < b->set_begins[s->set + 1]; i++)
		hop_add(b, b->set_classes[i], spot + 1, n_touched);
	for (uint32_t i = b->set_begins[s->loop]; i < b->set_begins[s->loop + 1]; i++)
		hop_add(b, b->set_classes[i], spot, n_touched);
}

static void enter_leads(struct builder *b, const struct ground *g, uint32_t class)
{
	for (uint32_t i = g->begins[class]; i < g->begins[class + 1]; i++)
		enter(b, g->leads[i]);
}

static uint32_t *ground_row(struct builder *b, uint32_t ground)
{
	const struct slice of = b->grounds.rows.p[ground];
	uint32_t n_touched = 0, n = 0, *row;
	struct ground g;

	if (b->ground_rows.p[ground].row)
		return b->ground_rows.p[ground].row;
	b->hops.n = 0;
	for (uint32_t i = 0; i < of.n; i++)
		hops_of(b, b->grounds.pool.p[of.at + i], &n_touched);
	g.begins = arena_array(b->arena, uint32_t, b->n_classes + 1);
	g.leads = arena_array(b->arena, uint32_t, b->hops.n + 1);
	row = g.row = arena_array(b->arena, uint32_t, b->n_classes);
	for (uint32_t c = 0; c < b->n_classes; c++) {
		g.begins[c] = n;
		for (uint32_t i = b->heads[c]; i; i = b->hops.p[i - 1].next)
			g.leads[n++] = b->hops.p[i - 1].spot;
		b->heads[c] = 0;
	}
	g.begins[b->n_classes] = n;
	b->ground_rows.p[ground] = g;
	for (uint32_t c = 0; c < b->n_classes && !b->is_over; c++) {
		turn_begin(b);
		enter_leads(b, &g, c);
		row[c] = turn_end(b, ground);
	}
	return row;
}

static void state_row(struct builder *b, uint32_t state)
{
	const struct slice of = b->states.rows.p[state];
	uint32_t ground = of.tag_a, n_touched = 0, at = (uint32_t)b->next.n;
	const uint32_t *row = ground_row(b, ground);
	struct ground g = b->ground_rows.p[ground];

	for (uint32_t c = 0; c < b->n_classes; c++)
		array_push(b->arena, &b->next, row[c]);
	b->hops.n = 0;
	for (uint32_t i = 0; i < of.n; i++)
		hops_of(b, b->states.pool.p[of.at + i], &n_touched);
	for (uint32_t i = 0; i < n_touched; i++) {
		uint32_t class = b->touched[i];

		if (!b->is_over) {
			turn_begin(b);
			enter_leads(b, &g, class);
			for (uint32_t k = b->heads[class]; k; k = b->hops.p[k - 1].next)
				enter(b, b->hops.p[k - 1].spot);
			b->next.p[at + class] = turn_end(b, ground);
		}
		b->heads[class] = 0;
	}
}

/* --- an attempt */

static void make_set_classes(struct builder *b)
{
	uint32_t n_sets = SET_OTHER + (uint32_t)b->spots->others.n;
	ARRAY(uint32_t) all = {};

	b->set_begins = arena_array(b->arena, uint32_t, n_sets + 1);
	for (uint32_t i = 0; i < n_sets; i++) {
		bool seen[256] = {false};

		b->set_begins[i] = (uint32_t)all.n;
		if (i >= SET_BYTE && i < SET_OTHER)
			array_push(b->arena, &all, b->classes[i - SET_BYTE]);
		for (unsigned int c = 0; i >= SET_OTHER && c < 256; c++) {
			if (!byteset_has(&b->spots->others.p[i - SET_OTHER], (uint8_t)c) ||
			    seen[b->classes[c]])
				continue;
			seen[b->classes[c]] = true;
			array_push(b->arena, &all, b->classes[c]);
		}
	}
	b->set_begins[n_sets] = (uint32_t)all.n;
	b->set_classes = all.p;
}

static void make_tables(struct builder *b)
{
	size_t n_spots = b->spots->spots.n + 1, n_paths = b->spots->paths.n + 1;

	b->n_classes = spots_classes(b->spots, b->classes);
	make_set_classes(b);
	b->spot_turn = arena_array(b->arena, uint32_t, n_spots);
	b->path_turn = arena_array(b->arena, uint32_t, n_paths);
	b->path_from = arena_array(b->arena, uint32_t, n_paths);
	b->bit_turn = arena_array(b->arena, uint32_t, b->n_bits + 1);
	b->heads = arena_array(b->arena, uint32_t, b->n_classes);
	b->touched = arena_array(b->arena, uint32_t, b->n_classes);
	slice_intern(b->arena, &b->sets, NULL, 0, 0, 0);
	slice_intern(b->arena, &b->grounds, NULL, 0, 0, 0);
	array_push(b->arena, &b->ground_rows, ((struct ground){}));
	slice_intern(b->arena, &b->states, NULL, 0, 0, 0); /* the dead one */
}

/* Bits of the spots where the text may end. */
static uint32_t end_set(struct builder *b, uint32_t state)
{
	const struct slice of = b->states.rows.p[state];

	turn_begin(b);
	for (uint32_t i = 0; i < of.n; i++) {
		const struct spot *s = spot_at(b, b->states.pool.p[of.at + i]);
		uint32_t bit = b->spots->paths.p[s->path].bit;

		if (!(s->flags & SPOT_END) || b->bit_turn[bit] == b->turn)
			continue;
		b->bit_turn[bit] = b->turn;
		array_push(b->arena, &b->bits, bit);
	}
	sort_any(b->bits.p, b->bits.n);
	return slice_intern(b->arena, &b->sets, b->bits.p, (uint32_t)b->bits.n, 0, 0);
}

/* Sets by number become words. */
static void give_sets(struct builder *b, struct arena *a, struct match *ret)
{
	ret->n_sets = (uint32_t)b->sets.rows.n;
	ret->n_words = b->n_words;
	ret->sets = arena_array(a, uint64_t, (size_t)ret->n_sets * b->n_words + 1);
	for (uint32_t i = 0; i < ret->n_sets; i++) {
		const struct slice x = b->sets.rows.p[i];

		for (uint32_t k = 0; k < x.n; k++) {
			uint32_t bit = b->sets.pool.p[x.at + k];

			ret->sets[(size_t)i * b->n_words + bit / 64] |= 1ull << (bit & 63);
		}
	}
}

static void give(struct builder *b, struct automaton *m, struct arena *a, struct match *ret)
{
	size_t n = (size_t)m->n_states * m->n_classes;

	give_sets(b, a, ret);
	ret->n_states = m->n_states;
	ret->n_classes = m->n_classes;
	ret->start = m->start;
	memcpy(ret->classes, b->classes, sizeof(ret->classes));
	ret->next = arena_array(a, uint16_t, n);
	ret->on = arena_array(a, uint16_t, m->n_states);
	ret->at_end = arena_array(a, uint16_t, m->n_states);
	for (size_t i = 0; i < n; i++)
		ret->next[i] = (uint16_t)m->next[i];
	for (uint32_t i = 0; i < m->n_states; i++) {
		ret->on[i] = (uint16_t)m->on[i];
		ret->at_end[i] = (uint16_t)m->at_end[i];
	}
}

static bool build(struct builder *b, struct arena *a, struct match *ret)
{
	struct automaton m = {};

	if (b->spots->spots.n > SPOTS_MAX)
		return false;
	make_tables(b);
	turn_begin(b);
	for (size_t i = 0; i < b->spots->paths.n; i++)
		enter(b, b->spots->paths.p[i].first);
	ret->always = arena_array(a, uint64_t, b->n_words + 1);
	for (size_t i = 0; i < b->bits.n; i++)
		ret->always[b->bits.p[i] / 64] |= 1ull << (b->bits.p[i] & 63);
	clean_front(b);
	for (size_t i = 0; i < b->stuck.n; i++)
		if (is_decided(b, spot_at(b, b->stuck.p[i])->path))
			b->stuck.p[i] = b->stuck.p[--b->stuck.n], i--;
	b->bits.n = 0;
	m.start = turn_end(b, 0);
	for (uint32_t i = 0; i < b->states.rows.n && !b->is_over; i++)
		state_row(b, i);
	if (b->is_over)
		return false;
	m.n_states = (uint32_t)b->states.rows.n;
	m.n_classes = b->n_classes;
	m.next = b->next.p;
	m.on = arena_array(b->arena, uint32_t, m.n_states);
	m.at_end = arena_array(b->arena, uint32_t, m.n_states);
	for (uint32_t i = 0; i < m.n_states; i++) {
		m.on[i] = b->states.rows.p[i].tag_b;
		m.at_end[i] = end_set(b, i);
	}
	if (b->sets.rows.n > UINT16_MAX)
		return false;
	automaton_merge(b->arena, &m);
	give(b, &m, a, ret);
	return true;
}

bool automaton_build(struct arena *a, const struct spots *spots, uint32_t n_bits,
		     const struct match_limits *limits, struct match *ret)
{
	struct builder b = {.arena = spots->arena,
			    .spots = spots,
			    .limits = limits,
			    .n_bits = n_bits,
			    .n_words = (n_bits + 63) / 64};

	*ret = (struct match){};
	return build(&b, a, ret);
}
