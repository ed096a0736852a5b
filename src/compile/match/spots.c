/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern's path of spots.
 *
 * A text that is looked for somewhere begins with a sticky spot, which is never left: that is
 * how it can begin anywhere.  So does what stands behind the star of a glob.  In a path's
 * component a star stays on all bytes but '/', and between components any number of '/' may
 * stand.
 */
#include "compile/match/spots.h"

#include "compile/match/glob.h"

enum { COST_STAR = 1000, COST_WIDE = 50 };

/* --- sets */

static const struct byteset no_slash = {{~(1ull << '/'), ~0ull, ~0ull, ~0ull}};

static unsigned int byteset_count(const struct byteset *s)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ELEMENTS(s->w); i++)
		n += (unsigned int)__builtin_popcountll(s->w[i]);
	return n;
}

static uint32_t set_of(struct spots *s, const struct byteset *set)
{
	if (byteset_count(set) == 1)
		for (unsigned int i = 0; i < ELEMENTS(set->w); i++)
			if (set->w[i])
				return SET_BYTE + i * 64 + (uint32_t)__builtin_ctzll(set->w[i]);
	for (size_t i = 0; i < s->others.n; i++)
		if (!memcmp(&s->others.p[i], set, sizeof(*set)))
			return SET_OTHER + (uint32_t)i;
	array_push(s->arena, &s->others, *set);
	return SET_OTHER + (uint32_t)s->others.n - 1;
}

static uint32_t set_of_byte(struct spots *s, char c, bool ignore_case)
{
	struct byteset set = {};

	byteset_add(&set, (uint8_t)c);
	if (ignore_case)
		byteset_fold(&set);
	return set_of(s, &set);
}

/* --- paths */

static void path_begin(struct spots *s, uint32_t bit)
{
	array_push(s->arena, &s->paths,
		   ((struct spot_path){.first = (uint32_t)s->spots.n, .bit = bit}));
}

static void spot_add(struct spots *s, uint32_t set, uint32_t loop, unsigned int flags)
{
	struct spot_path *path = &s->paths.p[s->paths.n - 1];

	if (s->spots.n == path->first)
		path->is_sticky = flags & SPOT_STICKY;
	array_push(s->arena, &s->spots,
		   ((struct spot){.path = (uint32_t)s->paths.n - 1,
				  .set = set,
				  .loop = loop,
				  .flags = (uint8_t)flags}));
}

/* Bytes one after the other; `sticky` of the first. */
static void add_text(struct spots *s, const struct match_pattern *p, struct str text, bool anywhere,
		     enum spot_flag last)
{
	path_begin(s, p->bit);
	for (size_t i = 0; i < text.n; i++)
		spot_add(s, set_of_byte(s, text.p[i], p->ignore_case), SET_NONE,
			 !i && anywhere ? SPOT_STICKY : 0);
	spot_add(s, SET_NONE, SET_NONE, last);
}

static bool is_strange(struct str glob)
{
	struct glob_step step;
	size_t at = 0;
	int r;

	do
		r = glob_next(glob, &at, false, &step);
	while (r > 0);
	return r < 0;
}

static void add_glob(struct spots *s, const struct match_pattern *p, uint32_t *cost)
{
	bool is_star = false;
	struct glob_step step;
	size_t at = 0;

	path_begin(s, p->bit);
	while (glob_next(p->text, &at, p->ignore_case, &step) > 0) {
		if (step.is_star) {
			*cost += at > 1 && at < p->text.n ? COST_STAR : 0;
			is_star = true;
			continue;
		}
		*cost += byteset_count(&step.set) > 8 ? COST_WIDE : 0;
		spot_add(s, set_of(s, &step.set), SET_NONE, is_star ? SPOT_STICKY : 0);
		is_star = false;
	}
	spot_add(s, SET_NONE, SET_NONE, is_star ? SPOT_ON : SPOT_END);
}

/* --- paths of components */

static bool has_wildcard(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '*' || s.p[i] == '?' || s.p[i] == '[')
			return true;
	return false;
}

/* Leaves the loop of a star at the end to the caller: the spot behind the component. */
static uint32_t add_component(struct spots *s, const struct match_pattern *p, struct str text,
			      uint32_t *cost)
{
	uint32_t any = set_of(s, &no_slash), loop = SET_NONE;
	bool is_empty = true;
	struct glob_step step;
	size_t at = 0;

	if (!has_wildcard(text)) {
		for (size_t i = 0; i < text.n; i++)
			spot_add(s, set_of_byte(s, text.p[i], p->ignore_case), SET_NONE, 0);
		return SET_NONE;
	}
	while (glob_next(text, &at, p->ignore_case, &step) > 0) {
		if (step.is_star) {
			*cost += COST_STAR;
			loop = any;
			continue;
		}
		for (unsigned int i = 0; i < ELEMENTS(step.set.w); i++)
			step.set.w[i] &= no_slash.w[i];
		*cost += byteset_count(&step.set) > 8 ? COST_WIDE : 0;
		spot_add(s, set_of(s, &step.set), loop, 0);
		loop = SET_NONE;
		is_empty = false;
	}
	if (is_empty) /* stars alone: a component has at least one byte */
		spot_add(s, any, SET_NONE, 0);
	return loop;
}

static bool add_components(struct spots *s, const struct match_pattern *p, uint32_t *cost)
{
	uint32_t slash = SET_BYTE + '/', loop = SET_NONE;
	struct str name;
	size_t at = 0, n = 0;

	while (path_component(p->text, &at, &name))
		if (has_wildcard(name) && is_strange(name))
			return false;
	path_begin(s, p->bit);
	for (at = 0; path_component(p->text, &at, &name); n++) {
		if (n)
			spot_add(s, slash, loop, 0);
		spot_add(s, SET_NONE, slash, SPOT_SKIP);
		loop = add_component(s, p, name, cost);
	}
	if (n)
		spot_add(s, slash, loop, SPOT_END);
	spot_add(s, SET_NONE, SET_NONE, SPOT_ON);
	return true;
}

/* --- */

static void add_odd(struct spots *s, const struct match_pattern *p)
{
	static const char *const inside[] = {"//", "/./", "/../"}, *const last[] = {"/", "/.",
										    "/.."};
	struct match_pattern plain = {.bit = p->bit};

	for (unsigned int i = 0; i < ELEMENTS(inside); i++) {
		add_text(s, &plain, str_of(inside[i]), true, SPOT_ON);
		add_text(s, &plain, str_of(last[i]), true, SPOT_END);
	}
	path_begin(s, p->bit);
	spot_add(s, set_of(s, &no_slash), SET_NONE, SPOT_END);
	spot_add(s, SET_NONE, SET_NONE, SPOT_ON);
}

bool spots_add(struct spots *s, const struct match_pattern *p, uint32_t *ret_cost)
{
	*ret_cost = (uint32_t)MIN(p->text.n, (size_t)UINT16_MAX) / 16;
	switch (p->kind) {
	case MATCH_EXACT:
		add_text(s, p, p->text, false, SPOT_END);
		return true;
	case MATCH_PREFIX:
		add_text(s, p, p->text, false, SPOT_ON);
		return true;
	case MATCH_SUFFIX:
		add_text(s, p, p->text, true, p->text.n ? SPOT_END : SPOT_ON);
		return true;
	case MATCH_CONTAINS:
		add_text(s, p, p->text, true, SPOT_ON);
		return true;
	case MATCH_GLOB:
		if (is_strange(p->text))
			return false;
		add_glob(s, p, ret_cost);
		return true;
	case MATCH_PMATCH:
		return add_components(s, p, ret_cost);
	case MATCH_ANY:
		add_text(s, p, STR(""), false, SPOT_ON);
		return true;
	case MATCH_ODD:
		add_odd(s, p);
		return true;
	}
	return false;
}

/* Bytes of `set` leave their class for a new one, if others stay in it. */
static uint32_t split(uint16_t of[256], uint32_t n, const struct byteset *set)
{
	uint16_t becomes[512] = {0};
	bool has_out[512] = {false};

	for (unsigned int c = 0; c < 256; c++)
		if (!byteset_has(set, (uint8_t)c))
			has_out[of[c]] = true;
	for (unsigned int c = 0; c < 256; c++) {
		uint16_t old = of[c];

		if (!byteset_has(set, (uint8_t)c) || !has_out[old])
			continue;
		if (!becomes[old])
			becomes[old] = (uint16_t)n++;
		of[c] = becomes[old];
	}
	return n;
}

uint32_t spots_classes(const struct spots *s, uint8_t classes[256])
{
	uint16_t of[256] = {0};
	int32_t number[512];
	uint32_t n = 1;

	for (size_t i = 0; i < s->spots.n; i++)
		if (s->spots.p[i].set >= SET_BYTE && s->spots.p[i].set < SET_OTHER)
			of[s->spots.p[i].set - SET_BYTE] = 1;
	for (unsigned int c = 0; c < 256; c++)
		of[c] = of[c] ? (uint16_t)n++ : 0;
	for (size_t i = 0; i < s->others.n; i++)
		n = split(of, n, &s->others.p[i]);
	/* no gaps: class 0 may be empty */
	for (unsigned int i = 0; i < ELEMENTS(number); i++)
		number[i] = -1;
	n = 0;
	for (unsigned int c = 0; c < 256; c++) {
		if (number[of[c]] < 0)
			number[of[c]] = (int32_t)n++;
		classes[c] = (uint8_t)number[of[c]];
	}
	return n;
}
