/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attach points, from text to parts: "uprobe:/bin/$1:f" is ["uprobe", "/bin/bash", "f"].
 *
 * Parts end at colons; an "@" before a source file is a part of its own.  Quotes protect
 * colons, blanks and "$" and go away.  A positional parameter's text is looked at again,
 * so it may hold colons and quotes, and parameters too.
 */
#include "compile/lang/bpftrace/expander.h"

#include "catalog/hooks.h"

enum { POINT_MAX = 65536 };

struct splitter {
	struct expand *x;
	struct attach_point *point;
	const char *text;
	struct buf part, source;
	bool is_quoted;
};

static void end_part(struct splitter *s)
{
	const char *part = s->part.p ? s->part.p : "";

	array_push(s->x->arena, &s->point->parts, arena_strdup(s->x->arena, part));
	buf_reset(&s->part);
}

/* "$2" at *p: its value goes before what follows.  False: an error. */
static bool take_param(struct splitter *s, const char **p)
{
	const char *begin = *p + 1, *end = begin, *value, *wrong;
	struct arena *a = s->x->arena;
	uint64_t n;

	while (*begin != '0' && lex_is_digit((unsigned char)*end))
		end++;
	if (end == begin && *begin) {
		diag(s->x->d, D_PARAM, s->point->span,
		     "invalid trailing character for positional param: %c. Try quoting this entire "
		     "part if this is intentional e.g. \"$%c\".",
		     *begin, *begin);
		return false;
	}
	wrong = literal_parse(a, (struct str){begin, (size_t)(end - begin)}, &n);
	if (wrong) {
		diag(s->x->d, D_PARAM, s->point->span, "positional parameter is not valid: %s",
		     wrong);
		return false;
	}
	value = param_get(s->x->params, n);
	if (strlen(value) + strlen(end) + s->source.n > POINT_MAX) {
		diag(s->x->d, D_PARAM, s->point->span, "attach point is too long");
		return false;
	}
	*p = arena_printf(a, "%s%s", value, end);
	return true;
}

/* Appends to s->part, ends parts.  False: an error was recorded. */
static bool split(struct splitter *s)
{
	unsigned int turns = 0;
	const char *p = s->text;

	while (*p) {
		if (*p == '$' && !s->is_quoted) {
			if (++turns > 64) {
				diag(s->x->d, D_PARAM, s->point->span,
				     "too many parameters in an attach point");
				return false;
			}
			if (!take_param(s, &p))
				return false;
			continue;
		}
		buf_putc(&s->source, *p);
		if ((*p == ':' || *p == '@') && !s->is_quoted) {
			end_part(s);
			if (*p == '@')
				array_push(s->x->arena, &s->point->parts, "@");
		} else if (*p == '"') {
			s->is_quoted = !s->is_quoted;
		} else if (*p == '\\' && s->is_quoted && p[1]) {
			p++;
			buf_putc(&s->source, *p);
			buf_putc(&s->part, *p);
		} else {
			buf_putc(&s->part, *p);
		}
		p++;
	}
	end_part(s);
	return true;
}

/* "name=kprobe" is a name and a provider. */
static void take_name(struct expand *x, struct attach_point *point)
{
	const char *first = point->parts.p[0], *equals = strchr(first, '=');
	const struct hook *hook;

	if (equals && equals[1]) {
		point->name = arena_strndup(x->arena, first, (size_t)(equals - first));
		point->parts.p[0] = first = equals + 1;
	}
	hook = hook_find(first);
	point->provider = hook ? hook->name : first;
}

/* False: an error was recorded. */
static bool split_point(struct expand *x, struct attach_point *point)
{
	struct splitter s = {.x = x, .point = point, .text = point->source};
	bool ok;

	point->parts.n = 0;
	ok = split(&s);
	if (ok) {
		point->source = arena_strdup(x->arena, s.source.p ? s.source.p : "");
		take_name(x, point);
	}
	buf_done(&s.part);
	buf_done(&s.source);
	return ok;
}

void expand_points(struct expand *x)
{
	for (size_t i = 0; i < x->p->probes.n; i++) {
		struct probe *probe = x->p->probes.p[i];
		size_t kept = 0;

		for (size_t k = 0; k < probe->points.n; k++) {
			struct attach_point *point = probe->points.p[k];

			/* An empty provider is a stray comma or colon. */
			if (split_point(x, point) && *point->parts.p[0])
				probe->points.p[kept++] = point;
		}
		probe->points.n = kept;
		if (!kept && x->config->missing_probes == MISSING_ERROR)
			diag(x->d, D_ATTACH_SYNTAX, probe->span, "No attach points for probe");
	}
}
