/* SPDX-License-Identifier: Apache-2.0 */
/*
 * #define in expressions of the script.
 *
 * A macro's text is parsed as an expression of the script's own language, once, and each
 * use gets a copy; messages show the text, and where it was used.  "#define SIZE(x) sizeof(x) + 1"
 * works too: the arguments are put where the parameters' names stand.  Text that is no expression
 * is an error only where it is used.
 */
#include "compile/lang/bpftrace/expander.h"
#include "compile/lang/bpftrace/parse.h"

struct expansion {
	struct expand *x;
	bool unknown_is_0;
};

/* What stands at one use. */
struct use {
	struct expand *x;
	const struct define *d;
	const struct expr *call; /* NULL: a bare name */
	struct span span;	 /* of the use */
	uint32_t source;	 /* for places in the copy */
};

struct names {
	struct expand *x;
	const struct define *d;
};

/* "(x) - 1" is a cast of -1, unless x is a parameter or a define. */
static bool is_value(void *ctx, struct str name)
{
	const struct names *n = ctx;

	for (size_t i = 0; i < n->d->params.n; i++)
		if (str_eq(name, str_of(n->d->params.p[i])))
			return true;
	return define_find(n->x, name);
}

static const struct expr *define_value(struct expand *x, struct define *d)
{
	unsigned int errors = x->d->errors;
	struct names names = {x, d};
	bool quiet = x->d->quiet;

	if (d->is_parsed)
		return d->value;
	d->is_parsed = true;
	x->d->quiet = true;
	d->source = diag_source(x->d, d->name, str_of(d->body));
	d->value = parse_expression_where(x->d, d->source, is_value, &names);
	x->d->quiet = quiet;
	x->d->errors = errors;
	return d->value;
}

/* As bpftrace shows it: without blanks outside strings. */
static const char *plain_body(struct arena *a, const char *body)
{
	char *to = arena_strdup(a, body), *end = to;
	bool quoted = false;

	for (const char *p = body; *p; p++) {
		quoted ^= *p == '"';
		if (quoted || !lex_is_space((unsigned char)*p))
			*end++ = *p;
	}
	*end = 0;
	return to;
}

/* A copy takes the place of its use, and parameters the arguments. */
static bool enter_copy(struct walk *w, struct expr **at)
{
	const struct use *u = w->ctx;
	struct expr *e = *at;

	if (u->call && e->kind == EXPR_IDENT) {
		for (size_t i = 0; i < u->d->params.n && i < u->call->items.n; i++) {
			if (strcmp(u->d->params.p[i], e->name))
				continue;
			if (expand_has_room(u->x, u->span))
				*at = expr_clone(u->x->arena, u->call->items.p[i]);
			return false;
		}
	}
	e->span.file = e->op_span.file = u->source;
	for (struct type_ref *r = e->ref; r; r = r->of_type)
		r->span.file = u->source;
	return true;
}

static const char *chain(struct expand *x, const struct define *again)
{
	struct buf b = {};
	const char *text;
	bool in = false;

	for (unsigned int i = 0; i < x->n_open; i++) {
		in = in || x->open[i] == again;
		if (in)
			buf_printf(&b, "%s%s", b.n ? "->" : "", x->open[i]->name);
	}
	text = arena_strdup(x->arena, b.p ? b.p : again->name);
	buf_done(&b);
	return text;
}

/* Reading the system's headers takes a while: names in capitals are worth it. */
static bool is_constant_name(const char *name)
{
	for (; *name; name++)
		if (*name >= 'a' && *name <= 'z')
			return false;
	return true;
}

/* The define that a name or call stands for; NULL: none. */
static struct define *define_of(struct expand *x, const struct expr *e)
{
	struct define *d;

	if (e->kind != EXPR_IDENT && e->kind != EXPR_CALL)
		return NULL;
	d = define_find(x, str_of(e->name));
	if (!d && !x->has_system_defines && is_constant_name(e->name)) {
		expand_system_headers(x);
		d = define_find(x, str_of(e->name));
	}
	if (!d || d->has_params != (e->kind == EXPR_CALL) || !*d->body)
		return NULL;
	return d;
}

static bool may_expand(struct expand *x, const struct define *d, const struct expr *e)
{
	if (x->n_open == ELEMENTS(x->open)) {
		diag(x->d, D_MACRO, e->span, "macros are nested too deeply");
		return false;
	}
	if (d->is_open) {
		diag(x->d, D_MACRO, e->span, "Macro recursion: %s", chain(x, d));
		return false;
	}
	if (d->has_params && d->params.n != e->items.n) {
		diag(x->d, D_MACRO, e->span, "macro %s takes %zu arguments, not %zu", d->name,
		     d->params.n, e->items.n);
		return false;
	}
	return expand_has_room(x, e->span);
}

/* Puts the value at *at and goes into it; false: an error. */
static bool expand_use(struct walk *w, struct define *d, struct expr **at)
{
	struct expansion *v = w->ctx;
	struct expand *x = v->x;
	struct expr *e = *at, *copy;
	struct use u = {x, d, d->has_params ? e : NULL, e->span, 0};
	struct walk renew = {.enter = enter_copy, .ctx = &u};
	const struct expr *value = define_value(x, d);

	if (!value) {
		diag(x->d, D_MACRO, e->span, "unable to expand macro as an expression: %s",
		     plain_body(x->arena, d->body));
		return false;
	}
	copy = expr_clone(x->arena, value);
	u.source = diag_source_expansion(x->d, d->source, e->span);
	walk_expr(&renew, &copy);
	d->is_open = true;
	x->open[x->n_open++] = d;
	walk_expr(w, &copy);
	x->n_open--;
	d->is_open = false;
	expand_check_height(x, copy);
	*at = copy;
	return true;
}

static bool enter(struct walk *w, struct expr **at)
{
	const struct expansion *v = w->ctx;
	struct define *d = define_of(v->x, *at);

	if (d) {
		/* The arguments belong to the place of the call: they go first. */
		for (size_t i = 0; i < (*at)->items.n; i++)
			walk_expr(w, &(*at)->items.p[i]);
		if (may_expand(v->x, d, *at))
			expand_use(w, d, at);
		return false;
	}
	if (v->unknown_is_0 && ((*at)->kind == EXPR_IDENT || (*at)->kind == EXPR_CALL)) {
		(*at)->kind = EXPR_INT;
		(*at)->items.n = 0;
		(*at)->name = NULL;
	}
	return true;
}

void expand_define_expr(struct expand *x, struct expr **at, bool unknown_is_0)
{
	struct expansion v = {x, unknown_is_0};
	struct walk w = {.enter = enter, .ctx = &v};

	walk_expr(&w, at);
}

static void check_block(struct walk *w, struct expr **at)
{
	const struct expansion *v = w->ctx;

	expand_check_height(v->x, *at);
}

void expand_defines(struct expand *x)
{
	struct expansion v = {x, false};
	struct walk w = {.enter = enter, .leave = check_block, .ctx = &v};

	if (x->defines.n)
		walk_program(&w, x->p, false);
}
