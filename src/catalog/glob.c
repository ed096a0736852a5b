/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/glob.h"

#include <errno.h>
#include <string.h>

enum { TOKENS = 31 };

/* Is there a closing bracket?  One that comes first, also behind a '!', is a member. */
static bool is_class(const char *p)
{
	p += *p == '!' || *p == '^';
	return *p && strchr(p + 1, ']');
}

/* Sets bit `i` for every byte that the class at `p` takes; returns what follows it. */
static const char *compile_class(const char *p, struct scope_glob *g, int i)
{
	bool set[256] = {false}, is_not = *p == '!' || *p == '^', is_first = true;

	for (p += is_not; *p && (*p != ']' || is_first); is_first = false) {
		unsigned char from, to;

		p += *p == '\\' && p[1];
		from = to = *p++;

		if (*p == '-' && p[1] && p[1] != ']') {
			to = p[1];
			p += 2;
		}
		for (int c = from; c <= to; c++)
			set[c] = true;
	}
	for (int c = 1; c < 256; c++)
		if (set[c] != is_not)
			g->accept[c] |= 1u << i;
	return *p ? p + 1 : p;
}

int glob_compile(const char *pattern, struct scope_glob *ret)
{
	struct scope_glob g = {0};
	const char *p = pattern;
	int i = 0;

	while (*p) {
		if (*p == '*') {
			g.loop |= 1u << i;
			p++;
			continue;
		}
		if (i == TOKENS)
			return -E2BIG;
		if (*p == '?') {
			for (int c = 1; c < 256; c++)
				g.accept[c] |= 1u << i;
			p++;
		} else if (*p == '[' && is_class(p + 1)) {
			p = compile_class(p + 1, &g, i);
		} else {
			p += *p == '\\' && p[1];
			g.accept[(unsigned char)*p++] |= 1u << i;
		}
		i++;
	}
	g.last = 1u << i;
	*ret = g;
	return 0;
}

bool glob_matches(const struct scope_glob *g, const char *name)
{
	uint32_t s = 1;

	for (int i = 0; i < 16 && name[i]; i++)
		s = ((s & g->accept[(unsigned char)name[i]]) << 1) | (s & g->loop);
	return s & g->last;
}
