/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs: text with %field in it.
 *
 *	%proc.name  %proc.aname[2]  %evt.arg[flags]  %toupper(proc.name)
 *	%10proc.name	cut or filled with blanks to ten bytes
 *	%%		a per cent sign (ours; Falco has none)
 *	*text		printed even if a field has no value; else the alert has no text
 *
 * Where a field ends is where the longest name ends that exists: "%proc.names" is
 * proc.name and an s, as Falco has it.
 */
#include "compile/lang/falco/check.h"
#include "compile/lang/falco/condition.h"

enum { FIELD_MAX = 128 }; /* bytes; there are no longer names */

struct output_parser {
	struct load *l;
	struct rule_info *r;
	const struct text *text;
	size_t at;
	struct rule_output *to;
	bool *skips;
};

static void put_text(struct output_parser *p, size_t begin, size_t end)
{
	struct arena *a = &p->l->rs->arena;
	size_t n = end - begin;
	struct rule_piece piece = {.text = {arena_strndup(a, p->text->p + begin, n), n}};

	if (n)
		array_push(a, &p->to->pieces, piece);
}

static bool fail(struct output_parser *p, size_t begin, size_t end, bool is_unknown,
		 const char *hint, const char *why)
{
	bool skips = is_unknown && p->r->skip_if_unknown;

	report(p->l, skips ? FALCO_UNKNOWN_FILTER : FALCO_COMPILE_OUTPUT,
	       is_unknown ? D_UNKNOWN_FIELD : D_RULE_OUTPUT, &p->r->item,
	       text_span(p->text, begin, end), "%s%s", why, skips ? ": the rule is left out" : "");
	if (hint)
		diag_hint(p->l->d, "did you mean '%s'?", hint);
	*p->skips |= skips;
	return false;
}

/* The longest field that begins at `at`; 0: none, *ret_near may be meant. */
static size_t field_bytes(struct output_parser *p, const char **ret_near)
{
	struct str rest = {p->text->p + p->at, p->text->n - p->at};
	size_t n = MIN(lex_field(rest), (size_t)FIELD_MAX), end = n;
	struct rule_field_ref ref;
	const char *near = NULL;

	*ret_near = NULL;
	if (n && end < rest.n && rest.p[end] == '[') {
		const char *close = memchr(rest.p + end, ']', rest.n - end);

		if (close &&
		    rule_field_find((struct str){rest.p, (size_t)(close - rest.p) + 1}, &ref, NULL))
			return (size_t)(close - rest.p) + 1;
	}
	for (size_t i = n; i; i--) {
		if (rule_field_find((struct str){rest.p, i}, &ref, i == n ? &near : NULL))
			return i;
	}
	*ret_near = near;
	return 0;
}

static bool put_field(struct output_parser *p, uint32_t width)
{
	struct arena *a = &p->l->rs->arena;
	struct rule_piece piece = {.width = width};
	struct rule_term *t = arena_new(a, struct rule_term);
	const char *near;
	size_t n = field_bytes(p, &near), whole;

	if (!n) {
		whole = lex_field((struct str){p->text->p + p->at, p->text->n - p->at});
		return fail(p, p->at - 1, p->at + MAX(whole, (size_t)1), true, near,
			    arena_printf(&p->l->tmp, "invalid formatting token: no field '%.*s'",
					 (int)MIN(whole, (size_t)80), p->text->p + p->at));
	}
	t->kind = RULE_TERM_FIELD;
	t->text = (struct str){arena_strndup(a, p->text->p + p->at, n), n};
	t->span = text_span(p->text, p->at, p->at + n);
	rule_field_find(t->text, &t->field, NULL);
	piece.term = t;
	piece.as = t->text;
	p->l->rs->wants_env |= term_reads_env(t);
	array_push(a, &p->to->pieces, piece);
	p->at += n;
	return true;
}

static bool is_transformer(const struct output_parser *p)
{
	struct str rest = {p->text->p + p->at, p->text->n - p->at};

	for (int i = 0; i < RULE_TRANSFORMS; i++) {
		struct str name = str_of(rule_transform_names[i]);

		if (rest.n > name.n && str_starts(rest, name) && rest.p[name.n] == '(')
			return true;
	}
	return false;
}

static bool put_transformer(struct output_parser *p, uint32_t width)
{
	struct arena *a = &p->l->rs->arena;
	struct rule_piece piece = {.width = width};
	struct check c = {};
	enum rule_type type;
	const char *why;
	size_t end;

	piece.term = condition_term(p->l, p->text, p->at, &end, &why);
	if (!piece.term)
		return fail(p, p->at - 1, end, false, NULL, why);
	if (!term_resolve(p->l, &c, piece.term, &type))
		return fail(p, p->at - 1, end, c.state == CHECK_UNKNOWN, NULL, c.message);
	p->l->rs->wants_env |= term_reads_env(piece.term);
	piece.as = (struct str){arena_strndup(a, p->text->p + p->at, end - p->at), end - p->at};
	array_push(a, &p->to->pieces, piece);
	p->at = end;
	return true;
}

/* Behind a '%'. */
static bool put_piece(struct output_parser *p)
{
	uint32_t width = 0;
	size_t begin = p->at - 1;

	if (p->at == p->text->n)
		return fail(p, begin, p->at, false, NULL,
			    "invalid formatting syntax: the output ends with a %");
	if (p->text->p[p->at] == '%') {
		put_text(p, p->at, p->at + 1);
		p->at++;
		return true;
	}
	for (; p->at < p->text->n && p->text->p[p->at] >= '0' && p->text->p[p->at] <= '9'; p->at++)
		width = MIN(width * 10 + (uint32_t)(p->text->p[p->at] - '0'), 4096u);
	if (p->at == p->text->n)
		return fail(p, begin, p->at, false, NULL,
			    "invalid formatting syntax: the output ends with a number");
	return is_transformer(p) ? put_transformer(p, width) : put_field(p, width);
}

static void warn_container_info(struct output_parser *p)
{
	for (size_t i = 0; i < p->to->pieces.n; i++) {
		const struct rule_term *t = p->to->pieces.p[i].term;

		if (!t || t->kind != RULE_TERM_FIELD)
			continue;
		if (t->field.id == RF_container_info)
			report(p->l, FALCO_DEPRECATED_ITEM, D_DEPRECATED, &p->r->item, t->span,
			       "%%container.info is deprecated");
		else if (t->field.id == RF_evt_dir || t->field.id == RF_evt_latency ||
			 t->field.id == RF_evt_wait_latency)
			report(p->l, FALCO_DEPRECATED_FIELD, D_DEPRECATED, &p->r->item, t->span,
			       "usage of deprecated field '%s' in the output",
			       rule_field_info[t->field.id].name);
	}
}

bool output_parse(struct load *l, struct rule_info *r, struct rule_output *ret, bool *ret_skip)
{
	struct output_parser p = {.l = l, .r = r, .text = &r->output, .to = ret, .skips = ret_skip};
	bool is_good = true;
	size_t begin;

	ret->text = (struct str){arena_strndup(&l->rs->arena, text_str(&r->output).p, r->output.n),
				 r->output.n};
	ret->span = text_span(&r->output, 0, r->output.n);
	if (r->output.n && r->output.p[0] == '*') {
		ret->allows_missing = true;
		p.at++;
	}
	for (begin = p.at; p.at < r->output.n && is_good;) {
		if (r->output.p[p.at++] != '%')
			continue;
		put_text(&p, begin, p.at - 1);
		is_good = put_piece(&p);
		begin = p.at;
	}
	if (!is_good)
		return false;
	put_text(&p, begin, r->output.n);
	warn_container_info(&p);
	return true;
}
