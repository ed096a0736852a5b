/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text whose bytes know where they came from.
 *
 * A condition is put together from pieces: the scalar of a rule, what later items append,
 * exceptions, the items of lists.  The parser sees one text; its errors are shown where the
 * piece stands that they are about, in whatever file that is.
 */
#include "compile/lang/falco/load.h"

#include <stdlib.h>

static void reserve(struct arena *a, struct text *t, size_t more)
{
	size_t room = MAX(t->room * 2, t->n + more);
	struct text grown = {.n = t->n, .room = MAX(room, (size_t)64)};

	if (t->n + more <= t->room)
		return;
	grown.p = arena_alloc(a, grown.room);
	grown.from = arena_array(a, struct origin, grown.room);
	if (t->n) {
		memcpy(grown.p, t->p, t->n);
		memcpy(grown.from, t->from, t->n * sizeof(*t->from));
	}
	*t = grown;
}

static void put(struct text *t, char c, struct origin from)
{
	t->p[t->n] = c;
	t->from[t->n++] = from;
}

void text_add(struct arena *a, struct text *t, const char *s, struct origin from)
{
	size_t n = strlen(s);

	reserve(a, t, n);
	for (size_t i = 0; i < n; i++)
		put(t, s[i], from);
}

void text_add_node(struct arena *a, const struct diags *d, struct text *t, const struct node *n)
{
	uint32_t file = n->span.file;
	const uint32_t *at = node_offsets(a, d->sources.p[file].text, n);

	reserve(a, t, n->text.n);
	for (size_t i = 0; i < n->text.n; i++)
		put(t, n->text.p[i], (struct origin){file, at[i]});
}

void text_add_text(struct arena *a, struct text *t, const struct text *more, size_t begin,
		   size_t end)
{
	reserve(a, t, end - begin);
	for (size_t i = begin; i < end; i++)
		put(t, more->p[i], more->from[i]);
}

struct span text_span(const struct text *t, size_t begin, size_t end)
{
	struct origin first, last;

	if (!t->n)
		return (struct span){};
	begin = MIN(begin, t->n);
	if (begin == t->n) { /* behind the last byte */
		first = t->from[t->n - 1];
		return (struct span){first.file, first.at + 1, first.at + 2};
	}
	first = t->from[begin];
	last = t->from[MAX(MIN(end, t->n), begin + 1) - 1];
	if (last.file != first.file || last.at < first.at)
		last = first;
	return (struct span){first.file, first.at, last.at + 1};
}
