/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line gives to a script: $1, $#, and getopt("name", default).
 *
 * A positional parameter is a number if it looks like one, else a string; inside str() it
 * is always a string, so that str($1) of a missing one is "" and not "0".  An option has
 * the type of its default; since its value is known now, it is a constant.
 */
#include "compile/lang/bpftrace/expander.h"

/* One option, as its first getopt() has it. */
struct option {
	const char *name, *description; /* NULL: none */
	struct expr *initial;		/* its default: a literal */
};

static const struct span no_place = {.file = UINT32_MAX};

struct params {
	struct expand *x;
	ARRAY(struct option) options;
};

const char *param_get(const struct script_params *params, uint64_t n)
{
	return n >= 1 && n <= params->n ? params->positional[n - 1] : "";
}

static void make_string(struct expr *e, const char *value)
{
	e->kind = EXPR_STRING;
	e->text = str_of(value);
}

/* False: it is no number. */
static bool make_number(struct arena *a, struct expr *e, const char *value)
{
	bool minus = *value == '-';
	uint64_t n;

	if (literal_parse(a, str_of(value + minus), &n))
		return false;
	if (minus && n > (uint64_t)INT64_MAX + 1)
		return false;
	e->kind = EXPR_INT;
	e->number = minus ? -n : n;
	e->is_negative = minus && n;
	e->source = value;
	return true;
}

static void replace_param(struct params *p, struct expr *e, bool as_string)
{
	const char *value = param_get(p->x->params, e->number);

	if (as_string) {
		make_string(e, value);
	} else if (!*value) {
		diag_warn(p->x->d, D_PARAM, e->span,
			  "Positional parameter $%llu is empty or not provided. ",
			  (unsigned long long)e->number);
		make_number(p->x->arena, e, "0");
	} else if (!make_number(p->x->arena, e, value)) {
		make_string(e, value);
	}
}

/* str($1), str($1 + 2) */
static void replace_in_str(struct params *p, struct expr *call)
{
	struct expr *e = call->items.n ? call->items.p[0] : NULL;

	if (e && e->kind == EXPR_BINARY && e->op == OP_ADD)
		e = e->a;
	if (e && e->kind == EXPR_PARAM)
		replace_param(p, e, true);
}

/* --- options */

static struct option *option_find(struct params *p, const char *name)
{
	for (size_t i = 0; i < p->options.n; i++)
		if (!strcmp(p->options.p[i].name, name))
			return &p->options.p[i];
	return NULL;
}

static bool is_same(const struct expr *a, const struct expr *b)
{
	return a->kind == b->kind && a->number == b->number && a->is_negative == b->is_negative &&
	       str_eq(a->text, b->text);
}

static const char *literal_text(struct arena *a, const struct expr *e)
{
	if (e->kind == EXPR_BOOL)
		return e->number ? "true" : "false";
	if (e->kind == EXPR_STRING)
		return arena_strndup(a, e->text.p, e->text.n);
	return e->is_negative ? arena_printf(a, "%lld", (long long)e->number)
			      : arena_printf(a, "%llu", (unsigned long long)e->number);
}

/* Known already, and otherwise?  False: an error was recorded. */
static bool option_add(struct params *p, const struct expr *call, const struct option *o)
{
	struct option *known = option_find(p, o->name);
	struct expand *x = p->x;

	if (!known) {
		array_push(x->arena, &p->options, *o);
		return true;
	}
	if (!is_same(known->initial, o->initial)) {
		diag(x->d, D_PARAM, call->span,
		     "Command line option '%s' needs to have the same default value in all places "
		     "it is used. Previous default value: %s",
		     o->name, literal_text(x->arena, known->initial));
		return false;
	}
	if (o->description && known->description && strcmp(o->description, known->description)) {
		diag(x->d, D_PARAM, call->span,
		     "Command line option '%s' must have the same description in all places it's "
		     "used. Hint: You can wrap it in a macro",
		     o->name);
		return false;
	}
	if (!known->description)
		known->description = o->description;
	return true;
}

static bool is_literal(const struct expr *e)
{
	return e->kind == EXPR_INT || e->kind == EXPR_STRING || e->kind == EXPR_BOOL;
}

/* What a getopt() says; false: an error was recorded. */
static bool option_of(struct params *p, struct expr *call, struct option *ret)
{
	struct arena *a = p->x->arena;
	struct expr **args = call->items.p;
	size_t n = call->items.n;

	if (n < 1 || n > 3) {
		diag(p->x->d, D_PARAM, call->span,
		     "The 'getopt' function can take a maximum of three arguments and a minimum "
		     "of one argument.");
		return false;
	}
	if (args[0]->kind != EXPR_STRING) {
		diag(p->x->d, D_PARAM, args[0]->span,
		     "First argument to 'getopt' must be a string literal.");
		return false;
	}
	ret->name = arena_strndup(a, args[0]->text.p, args[0]->text.n);
	if (n == 3 && args[2]->kind != EXPR_STRING) {
		diag(p->x->d, D_PARAM, args[2]->span,
		     "Function 'getopt' requires the third parameter to be a string literal.");
		return false;
	}
	if (n == 3)
		ret->description = arena_strndup(a, args[2]->text.p, args[2]->text.n);
	ret->initial = arena_new(a, struct expr);
	ret->initial->kind = EXPR_BOOL;
	ret->initial->span = ret->initial->op_span = call->span;
	ret->initial->height = 1;
	if (n == 1)
		return true;
	ret->initial = fold_expression(p->x->d, expr_clone(a, args[1]));
	if (is_literal(ret->initial))
		return true;
	diag(p->x->d, D_PARAM, args[1]->span,
	     "Second argument to 'getopt' must be a string literal, integer literal, or a boolean "
	     "literal.");
	return false;
}

/* --- an option's value: NULL, or what is wrong with it */

static const char *set_bool(struct expr *e, const char *value)
{
	if (value && !text_is_true(value) && !text_is_false(value))
		return "expects a boolean (e.g. 'true')";
	e->number = !value || text_is_true(value);
	return NULL;
}

static const char *set_integer(struct arena *a, struct expr *e, const char *value)
{
	bool is_signed = e->is_negative, minus = value && *value == '-';
	const char *wrong;
	uint64_t n;

	if (!value)
		return "expects an integer";
	wrong = literal_parse(a, str_of(value + (minus && is_signed)), &n);
	if (wrong && !strncmp(wrong, "overflow", 8))
		return "value is out of range";
	if (wrong)
		return arena_strndup(a, wrong, strcspn(wrong, ":"));
	if (is_signed && n > (uint64_t)INT64_MAX + minus)
		return "value is out of range";
	e->number = minus ? -n : n;
	e->is_negative = minus && n;
	return NULL;
}

/* The literal as its option's type: "(uint64)5". */
static struct expr *typed(struct arena *a, struct expr *e, bool is_signed)
{
	struct expr *cast;

	if (e->kind != EXPR_INT)
		return e;
	cast = arena_new(a, struct expr);
	*cast = (struct expr){.kind = EXPR_CAST, .span = e->span, .op_span = e->span, .a = e};
	cast->ref = arena_new(a, struct type_ref);
	cast->ref->span = e->span;
	cast->ref->name = is_signed ? "int64" : "uint64";
	expr_measure(cast);
	return cast;
}

static void set_option(struct params *p, struct expr *e, const char *name, const char *value)
{
	const char *wrong = NULL;

	if (e->kind == EXPR_BOOL)
		wrong = set_bool(e, value);
	else if (e->kind == EXPR_INT)
		wrong = set_integer(p->x->arena, e, value);
	else if (value)
		make_string(e, value);
	else
		wrong = "expects a string";
	if (wrong)
		diag(p->x->d, D_PARAM, no_place, "program command line option --%s %s (value: %s)",
		     name, wrong, value ? value : "true");
}

static void replace_option(struct params *p, struct expr **at)
{
	const struct script_params *params = p->x->params;
	struct option o = {};
	struct expr *e;
	bool is_signed;

	if (!option_of(p, *at, &o) || !option_add(p, *at, &o))
		return;
	e = expr_clone(p->x->arena, o.initial);
	e->span = e->op_span = (*at)->span;
	is_signed = e->is_negative;
	for (unsigned int i = 0; i < params->n_named; i++)
		if (!strcmp(params->named[i].name, o.name))
			set_option(p, e, o.name, params->named[i].value);
	*at = typed(p->x->arena, e, is_signed);
}

static void print_options(const struct params *p, bool lines, struct buf *to)
{
	for (size_t i = 0; i < p->options.n; i++) {
		const struct option *o = &p->options.p[i];

		if (!lines) {
			buf_printf(to, "%s --%s", i ? "," : "", o->name);
			continue;
		}
		buf_printf(to, "\n\t--%s", o->name);
		if (o->description)
			buf_printf(to, ": %s", o->description);
	}
}

/* Options of the command line that the script does not know. */
static void check_unknown(struct params *p)
{
	const struct script_params *params = p->x->params;
	struct buf unknown = {}, known = {};
	bool help = false;

	for (unsigned int i = 0; i < params->n_named; i++) {
		const char *name = params->named[i].name;

		if (option_find(p, name))
			continue;
		if (!strcmp(name, "help"))
			help = true;
		else
			buf_printf(&unknown, "%s--%s", unknown.n ? ", " : "", name);
	}
	if (unknown.n)
		diag(p->x->d, D_PARAM, no_place, "unexpected program command line options: %s",
		     unknown.p);
	else if (help)
		diag(p->x->d, D_PARAM, no_place, "the options of this script:");
	print_options(p, help, &known);
	if ((unknown.n || help) && known.n)
		diag_hint(p->x->d, "expected program options:%s", known.p);
	else if (unknown.n || help)
		diag_hint(p->x->d, "no custom program options defined.");
	buf_done(&unknown);
	buf_done(&known);
}

static bool enter(struct walk *w, struct expr **at)
{
	struct params *p = w->ctx;
	struct expr *e = *at;

	if (e->kind == EXPR_CALL && !strcmp(e->name, "str"))
		replace_in_str(p, e);
	if (e->kind == EXPR_PARAM) {
		replace_param(p, e, false);
	} else if (e->kind == EXPR_PARAM_COUNT) {
		e->kind = EXPR_INT;
		e->number = p->x->params->n;
	}
	return true;
}

static void leave(struct walk *w, struct expr **at)
{
	if ((*at)->kind == EXPR_CALL && !strcmp((*at)->name, "getopt"))
		replace_option(w->ctx, at);
}

void expand_params(struct expand *x)
{
	struct params p = {.x = x};
	struct walk w = {.enter = enter, .leave = leave, .ctx = &p};

	walk_program(&w, x->p, false);
	check_unknown(&p);
}
