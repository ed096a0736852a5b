/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's events become a tree.
 *
 * libyaml counts letters, we count bytes: a table from one to the other is made for texts
 * that are not ASCII alone.  Depth and number of nodes are bounded while reading, so that
 * neither a deep file nor one full of aliases costs more than its size.
 */
#include "compile/lang/falco/yaml.h"

#include <yaml.h>

enum { NODE_BYTES = 16 }; /* that an empty node counts for */

struct anchor {
	struct str name;
	struct node *node;
};

struct reader {
	struct arena *a;
	struct str text;
	uint32_t file;
	uint32_t *bytes; /* of each letter; NULL: they are the same */
	size_t letters;
	yaml_parser_t parser;
	struct yaml *to;
	struct node *stack[YAML_DEPTH_MAX];
	unsigned int depth;
	size_t repeated; /* bytes, by aliases */
	ARRAY(struct anchor) anchors;
};

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* bytes[i]: where letter i begins; letters are what is no continuation byte. */
static void count_letters(struct reader *r)
{
	size_t n = 0;

	if (is_ascii(r->text))
		return;
	r->bytes = arena_array(r->a, uint32_t, r->text.n + 1);
	for (size_t i = 0; i < r->text.n; i++)
		if (((unsigned char)r->text.p[i] & 0xc0) != 0x80)
			r->bytes[n++] = (uint32_t)i;
	r->bytes[n] = (uint32_t)r->text.n;
	r->letters = n;
}

static uint32_t byte_of(const struct reader *r, const yaml_mark_t *mark)
{
	if (!r->bytes)
		return (uint32_t)MIN(mark->index, r->text.n);
	return r->bytes[MIN(mark->index, r->letters)];
}

static struct span span_of(const struct reader *r, const yaml_mark_t *begin, const yaml_mark_t *end)
{
	return (struct span){r->file, byte_of(r, begin), byte_of(r, end)};
}

static bool fail(struct reader *r, struct span span, const char *text)
{
	if (!r->to->error) {
		r->to->error = text;
		r->to->error_span = span;
	}
	return false;
}

static bool fail_reading(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	struct span span = span_of(r, &p->problem_mark, &p->problem_mark);
	const char *problem = p->problem ? p->problem : "this cannot be read";

	if (p->error == YAML_READER_ERROR) {
		span.begin = (uint32_t)MIN(p->problem_offset, r->text.n);
		return fail(r, (struct span){r->file, span.begin, span.begin + 1},
			    arena_printf(r->a, "not text in UTF-8: %s", problem));
	}
	span.end = span.begin + 1;
	if (!p->context)
		return fail(r, span, arena_strdup(r->a, problem));
	return fail(r, span,
		    arena_printf(r->a, "%s, %s that began in line %zu", problem, p->context,
				 p->context_mark.line + 1));
}

/* Into the container that is open, or as a document. */
static bool put(struct reader *r, struct node *n)
{
	struct node *in = r->depth ? r->stack[r->depth - 1] : NULL;

	if (!in) {
		array_push(r->a, &r->to->documents, n);
		return true;
	}
	if (in->kind == NODE_MAP && in->items.n == 2 * YAML_KEYS_MAX)
		return fail(r, n->span, "a mapping with too many keys");
	array_push(r->a, &in->items, n);
	in->weight += n->weight;
	return true;
}

static void keep_anchor(struct reader *r, const yaml_char_t *name, struct node *n)
{
	struct anchor x = {.node = n};

	if (!name)
		return;
	x.name = str_of(arena_strdup(r->a, (const char *)name));
	array_push(r->a, &r->anchors, x);
}

static bool take_alias(struct reader *r, const yaml_event_t *e)
{
	struct str name = str_of((const char *)e->data.alias.anchor);
	struct span span = span_of(r, &e->start_mark, &e->end_mark);

	for (size_t i = r->anchors.n; i-- > 0;) { /* the last of that name counts */
		struct node *n = r->anchors.p[i].node;

		if (!str_eq(r->anchors.p[i].name, name))
			continue;
		if (n->is_open)
			return fail(r, span, "an alias inside of what it stands for");
		r->repeated += n->weight;
		if (r->repeated > YAML_REPEATED_MAX)
			return fail(r, span, "aliases that repeat too much");
		return put(r, n);
	}
	return fail(r, span, arena_printf(r->a, "no anchor '%.64s' stands before", name.p));
}

static enum node_style style_of(yaml_scalar_style_t style)
{
	switch (style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
		return STYLE_SINGLE;
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		return STYLE_DOUBLE;
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE:
		return STYLE_BLOCK;
	case YAML_ANY_SCALAR_STYLE:
	case YAML_PLAIN_SCALAR_STYLE:
		break;
	}
	return STYLE_PLAIN;
}

static bool take_scalar(struct reader *r, const yaml_event_t *e)
{
	struct node *n = arena_new(r->a, struct node);
	const char *value = (const char *)e->data.scalar.value;

	n->kind = NODE_SCALAR;
	n->style = style_of(e->data.scalar.style);
	n->span = span_of(r, &e->start_mark, &e->end_mark);
	while (n->span.end > n->span.begin && strchr(" \t\r\n", r->text.p[n->span.end - 1]))
		n->span.end--;
	n->text = (struct str){arena_strndup(r->a, value, e->data.scalar.length),
			       e->data.scalar.length};
	n->weight = NODE_BYTES + (uint32_t)n->text.n;
	keep_anchor(r, e->data.scalar.anchor, n);
	return put(r, n);
}

static bool open_container(struct reader *r, const yaml_event_t *e, enum node_kind kind,
			   const yaml_char_t *anchor)
{
	struct node *n = arena_new(r->a, struct node);

	n->kind = kind;
	n->span = span_of(r, &e->start_mark, &e->end_mark);
	n->span.end = MAX(n->span.end, n->span.begin + 1);
	n->is_open = true;
	n->weight = NODE_BYTES;
	if (r->depth == YAML_DEPTH_MAX)
		return fail(r, n->span, "nested too deep");
	keep_anchor(r, anchor, n);
	r->stack[r->depth++] = n;
	return true;
}

static bool close_container(struct reader *r)
{
	struct node *n = r->stack[--r->depth];

	n->is_open = false;
	if (n->kind == NODE_MAP && n->items.n)
		n->span = span_join(n->span, n->items.p[0]->span);
	return put(r, n);
}

/* False: the end, or an error. */
static bool take(struct reader *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		return true;
	case YAML_STREAM_END_EVENT:
		return false;
	case YAML_DOCUMENT_END_EVENT:
		r->anchors.n = 0;
		return true;
	case YAML_ALIAS_EVENT:
		return take_alias(r, e);
	case YAML_SCALAR_EVENT:
		return take_scalar(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_container(r, e, NODE_SEQUENCE, e->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return open_container(r, e, NODE_MAP, e->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_container(r);
	}
	return true;
}

bool yaml_read(struct arena *a, uint32_t file, struct str text, struct yaml *ret)
{
	struct reader r = {.a = a, .text = text, .file = file, .to = ret};
	yaml_event_t e;
	bool goes_on = true;

	*ret = (struct yaml){};
	if (text.n > YAML_BYTES_MAX)
		return fail(&r, (struct span){file, 0, 1}, "larger than 4 MiB");
	count_letters(&r);
	if (!yaml_parser_initialize(&r.parser))
		return fail(&r, (struct span){file, 0, 1}, "no memory");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const yaml_char_t *)text.p, text.n);
	while (goes_on) {
		if (!yaml_parser_parse(&r.parser, &e)) {
			fail_reading(&r);
			break;
		}
		goes_on = take(&r, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&r.parser);
	return !ret->error;
}

static size_t find(const struct node *map, const char *key)
{
	struct str s = str_of(key);

	for (size_t i = 0; map->kind == NODE_MAP && i + 1 < map->items.n; i += 2)
		if (map->items.p[i]->kind == NODE_SCALAR && str_eq(map->items.p[i]->text, s))
			return i;
	return SIZE_MAX;
}

struct node *node_get(const struct node *map, const char *key)
{
	size_t i = find(map, key);

	return i == SIZE_MAX ? NULL : map->items.p[i + 1];
}

struct node *node_get_key(const struct node *map, const char *key)
{
	size_t i = find(map, key);

	return i == SIZE_MAX ? NULL : map->items.p[i];
}

static bool is_one_of(const struct node *n, const char *const *words)
{
	for (; *words; words++)
		if (str_eq(n->text, str_of(*words)))
			return true;
	return false;
}

bool node_is_null(const struct node *n)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};

	return n->kind == NODE_SCALAR && n->style == STYLE_PLAIN && is_one_of(n, words);
}

bool node_bool(const struct node *n, bool *ret)
{
	static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES",
					  "y",	  "Y",	  "on",	  "On",	 "ON",	NULL};
	static const char *const no[] = {"false", "False", "FALSE", "no",  "No",  "NO",
					 "n",	  "N",	   "off",   "Off", "OFF", NULL};
	bool is_yes = n->kind == NODE_SCALAR && is_one_of(n, yes);

	if (!is_yes && (n->kind != NODE_SCALAR || !is_one_of(n, no)))
		return false;
	*ret = is_yes;
	return true;
}
