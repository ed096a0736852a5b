/* SPDX-License-Identifier: Apache-2.0 */
/* One pattern over one text: short and slow, the meaning of compile/match. */
#include "compile/match/glob.h"
#include "compile/match/match.h"

static uint8_t small(char c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool same(struct str a, struct str b, bool ignore_case)
{
	for (size_t i = 0; i < a.n && i < b.n; i++)
		if (ignore_case ? small(a.p[i]) != small(b.p[i]) : a.p[i] != b.p[i])
			return false;
	return a.n == b.n;
}

static struct str part(struct str s, size_t at, size_t n)
{
	return (struct str){s.p + at, n};
}

/* Steps in order; where it does not go on, the last star takes one byte more. */
static bool fits_glob(struct str pattern, struct str text, bool ignore_case)
{
	size_t at = 0, i = 0, star_at = SIZE_MAX, star_i = 0;

	for (;;) {
		struct glob_step step;
		size_t next = at;
		int r = glob_next(pattern, &next, ignore_case, &step);

		if (r < 0)
			return false;
		if (r && step.is_star) {
			star_at = at = next;
			star_i = i;
			continue;
		}
		if (r && i < text.n && byteset_has(&step.set, (uint8_t)text.p[i])) {
			at = next;
			i++;
			continue;
		}
		if (!r && i == text.n)
			return true;
		if (star_at == SIZE_MAX || star_i >= text.n)
			return false;
		at = star_at;
		i = ++star_i;
	}
}

/* What is strange behind the place where a text does not fit is strange all the same. */
static bool is_glob(struct str pattern)
{
	struct glob_step step;
	size_t at = 0;
	int r;

	do
		r = glob_next(pattern, &at, false, &step);
	while (r > 0);
	return r == 0;
}

static bool has_wildcard(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '*' || s.p[i] == '?' || s.p[i] == '[')
			return true;
	return false;
}

static bool fits_path(struct str pattern, struct str text, bool ignore_case)
{
	struct str want, have;
	size_t i = 0, k = 0;

	while (path_component(pattern, &i, &want))
		if (has_wildcard(want) && !is_glob(want))
			return false;
	i = 0;
	while (path_component(pattern, &i, &want)) {
		if (!path_component(text, &k, &have))
			return false;
		if (has_wildcard(want) ? !fits_glob(want, have, ignore_case)
				       : !same(want, have, ignore_case))
			return false;
	}
	return true;
}

static bool is_odd(struct str s)
{
	if (!s.n || s.p[0] != '/')
		return true;
	for (size_t i = 0; i < s.n; i++) {
		struct str rest = part(s, i, s.n - i);

		if (str_starts(rest, STR("//")) || str_starts(rest, STR("/./")) ||
		    str_starts(rest, STR("/../")))
			return true;
	}
	return str_ends(s, STR("/")) || str_ends(s, STR("/.")) || str_ends(s, STR("/.."));
}

static bool contains(struct str s, struct str what, bool ignore_case)
{
	for (size_t i = 0; i + what.n <= s.n; i++)
		if (same(part(s, i, what.n), what, ignore_case))
			return true;
	return false;
}

bool match_one(const struct match_pattern *p, struct str text)
{
	struct str want = p->text;

	switch (p->kind) {
	case MATCH_EXACT:
		return same(text, want, p->ignore_case);
	case MATCH_PREFIX:
		return text.n >= want.n && same(part(text, 0, want.n), want, p->ignore_case);
	case MATCH_SUFFIX:
		return text.n >= want.n &&
		       same(part(text, text.n - want.n, want.n), want, p->ignore_case);
	case MATCH_CONTAINS:
		return contains(text, want, p->ignore_case);
	case MATCH_GLOB:
		return is_glob(want) && fits_glob(want, text, p->ignore_case);
	case MATCH_PMATCH:
		return fits_path(want, text, p->ignore_case);
	case MATCH_ANY:
		return true;
	case MATCH_ODD:
		return is_odd(text);
	}
	return false;
}
