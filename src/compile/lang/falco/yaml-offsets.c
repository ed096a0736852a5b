/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of a scalar's text came from.
 *
 * libyaml gives the text and where the scalar begins and ends, nothing between.  So both are
 * walked side by side.  What is no blank stands in the file as it is, but for escapes in
 * quotes; blanks come and go by folding and indentation.  So the walk goes from one
 * visible byte to the next, and blanks in between get the place where the walk stands.  It
 * can be off by some blanks, never by a word.
 */
#include "compile/lang/falco/yaml.h"

struct walk {
	struct str source;
	uint32_t at, end;
	enum node_style style;
	uint32_t escape; /* the one that made the byte before; UINT32_MAX: none did */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Bytes of the escape at `at`, a backslash: \xHH 4, \uHHHH 6, \UHHHHHHHH 10, others 2. */
static uint32_t escape_size(const struct walk *w)
{
	char c = w->at + 1 < w->end ? w->source.p[w->at + 1] : 0;
	uint32_t n = c == 'x' ? 4 : c == 'u' ? 6 : c == 'U' ? 10 : 2;

	return MIN(n, w->end - w->at);
}

/* Is the escape one that makes a blank, or nothing: "\n", "\t", "\ ", a line's end? */
static bool is_blank_escape(const struct walk *w)
{
	return w->at + 1 < w->end && strchr("nrt \t\r\n", w->source.p[w->at + 1]);
}

/* The header of a block scalar, "|2-  # why", to the end of its line. */
static void skip_header(struct walk *w)
{
	const char *p = memchr(w->source.p + w->at, '\n', w->end - w->at);

	w->at = p ? (uint32_t)(p - w->source.p) + 1 : w->end;
}

static uint32_t blank(struct walk *w)
{
	uint32_t at = w->at;

	if (at < w->end && is_blank(w->source.p[at]))
		w->at++;
	else if (at < w->end && w->style == STYLE_DOUBLE && w->source.p[at] == '\\' &&
		 is_blank_escape(w))
		w->at += escape_size(w);
	return at;
}

/* A visible byte: pass blanks, then find it; what an escape made is where that begins. */
static uint32_t visible(struct walk *w, char c)
{
	uint32_t at = w->escape;

	if (at != UINT32_MAX && ((unsigned char)c & 0xc0) == 0x80)
		return at; /* the same letter goes on */
	w->escape = UINT32_MAX;
	for (; w->at < w->end; w->at++) {
		at = w->at;
		if (w->style == STYLE_DOUBLE && w->source.p[at] == '\\') {
			bool is_wanted = !is_blank_escape(w);

			w->at += escape_size(w);
			if (is_wanted)
				return w->escape = at;
			w->at--;
			continue;
		}
		if (w->source.p[at] != c)
			continue;
		w->at++;
		if (w->style == STYLE_SINGLE && c == '\'' && w->at < w->end &&
		    w->source.p[w->at] == '\'')
			w->at++;
		return at;
	}
	return UINT32_MAX;
}

const uint32_t *node_offsets(struct arena *a, struct str source, const struct node *n)
{
	struct walk w = {source, n->span.begin, (uint32_t)MIN(n->span.end, source.n), n->style,
			 UINT32_MAX};
	uint32_t *offsets = arena_array(a, uint32_t, n->text.n + 1), at;

	if (n->style == STYLE_BLOCK)
		skip_header(&w);
	else if (n->style != STYLE_PLAIN)
		w.at++;
	for (size_t i = 0; i < n->text.n; i++) {
		at = is_blank(n->text.p[i]) ? blank(&w) : visible(&w, n->text.p[i]);
		offsets[i] = at < w.end ? at : at == UINT32_MAX ? n->span.begin : n->span.end - 1;
	}
	offsets[n->text.n] = MIN(w.at, w.end);
	return offsets;
}
