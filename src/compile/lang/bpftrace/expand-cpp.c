/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C preprocessor, as far as a script's preamble needs it.
 *
 * #include: expand-include.c says what it leads to.  #if and its like decide what stays
 * in program.c; #define, #undef are noted for expressions (here and in the script) and
 * left in program.c for the reader of C types.
 */
#include "compile/lang/bpftrace/expander.h"
#include "compile/lang/bpftrace/parse.h"

enum { INCLUDE_DEPTH = 16, CONDITION_DEPTH = 64 };

/* Conditionals that are open: each was or is true, or what is around it is not. */
struct condition {
	bool is_active, was_active, is_outer_active, has_else;
	struct span span;
};

struct cpp {
	struct expand *x;
	struct program *to; /* its `c` gets what is left */
	bool is_system;	    /* in a header of the system: its defines are all that is wanted */
	ARRAY(const char *) read;
	struct condition open[CONDITION_DEPTH];
	unsigned int n;
};

/* --- the table of defines */

uint64_t expand_hash(struct str s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3;
	return h;
}

struct define *define_find(struct expand *x, struct str name)
{
	struct define *d = map_get(&x->defines, expand_hash(name));

	while (d && !str_eq(str_of(d->name), name))
		d = d->next;
	return d && !d->is_gone ? d : NULL;
}

static void define_add(struct expand *x, struct define *d)
{
	struct define *old = define_find(x, str_of(d->name));

	if (old)
		old->is_gone = true;
	d->next = map_put(&x->defines, expand_hash(str_of(d->name)), d);
}

static void define_plain(struct expand *x, const char *name, const char *body)
{
	struct define *d = arena_new(x->arena, struct define);

	*d = (struct define){.name = name, .body = body};
	define_add(x, d);
}

/* --- one directive */

/* Without comments and joined lines: blanks in their place. */
static const char *without_comments(struct arena *a, struct str s)
{
	char *to = arena_strndup(a, s.p, s.n);
	char quote = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (to[i] == '\\' && i + 1 < s.n) {
			if (to[i + 1] == '\n')
				to[i] = to[i + 1] = ' ';
			i++;
		} else if (quote) {
			quote = to[i] == quote ? 0 : quote;
		} else if (to[i] == '"' || to[i] == '\'') {
			quote = to[i];
		} else if (to[i] == '/' && to[i + 1] == '/') {
			to[i] = 0;
			break;
		} else if (to[i] == '/' && to[i + 1] == '*') {
			const char *stop = strstr(to + i + 2, "*/");
			size_t end = stop ? (size_t)(stop - to) + 2 : s.n;

			memset(to + i, ' ', end - i);
			i = end - 1;
		}
	}
	for (size_t n = strlen(to); n && lex_is_space((unsigned char)to[n - 1]); n--)
		to[n - 1] = 0;
	return to;
}

static const char *skip_blanks(const char *p)
{
	while (lex_is_space((unsigned char)*p))
		p++;
	return p;
}

static struct str take_name(const char **p)
{
	const char *begin = *p = skip_blanks(*p);

	while (lex_is_body((unsigned char)**p))
		++*p;
	return (struct str){begin, (size_t)(*p - begin)};
}

/* "(a, b)" behind a name; false: not well formed. */
static bool take_params(struct expand *x, struct define *d, const char **p)
{
	d->has_params = true;
	for (++*p; **p; ++*p) {
		struct str name = take_name(p);

		if (name.n)
			array_push(x->arena, &d->params, arena_strndup(x->arena, name.p, name.n));
		*p = skip_blanks(*p);
		if (**p == ')') {
			++*p;
			return true;
		}
		if (**p != ',' || !name.n)
			return false;
	}
	return false;
}

static void do_define(struct expand *x, const char *p, struct span span)
{
	struct define *d = arena_new(x->arena, struct define);
	struct str name = take_name(&p);

	if (!name.n || (*p == '(' && !take_params(x, d, &p)))
		return;
	if (str_eq(name, str_of(skip_blanks(p)))) /* the C libraries say so of enumerators */
		return;
	d->name = arena_strndup(x->arena, name.p, name.n);
	d->body = skip_blanks(p);
	d->span = span;
	define_add(x, d);
}

static void do_undef(struct expand *x, const char *p)
{
	struct define *d = define_find(x, take_name(&p));

	if (d)
		d->is_gone = true;
}

/* "defined X" and "defined(X)" become numbers before the rest is an expression. */
static const char *replace_defined(struct expand *x, const char *p)
{
	struct buf b = {};
	const char *text;

	while (*p) {
		struct str word = {p, 0};

		while (lex_is_body((unsigned char)p[word.n]))
			word.n++;
		if (!word.n) {
			buf_putc(&b, *p++);
			continue;
		}
		p += word.n;
		if (!str_eq(word, STR("defined"))) {
			buf_put_str(&b, word);
			continue;
		}
		p = skip_blanks(p);
		bool open = *p == '(';

		p += open;
		buf_puts(&b, define_find(x, take_name(&p)) ? "1" : "0");
		p = skip_blanks(p);
		p += open && *p == ')';
	}
	text = arena_strndup(x->arena, b.p ? b.p : "", b.n);
	buf_done(&b);
	return text;
}

/* What is no expression, or not constant, is false. */
static bool is_true(struct expand *x, const char *p)
{
	unsigned int errors = x->d->errors;
	bool quiet = x->d->quiet, is_too_big = x->is_too_big;
	struct expr *e;

	p = replace_defined(x, p);
	x->d->quiet = true;
	e = parse_expression(x->d, diag_source(x->d, "#if", str_of(p)));
	if (e) {
		expand_define_expr(x, &e, true);
		e = fold_expression(x->d, e);
	}
	x->d->quiet = quiet;
	x->d->errors = errors;
	x->is_too_big = is_too_big;
	return e && (e->kind == EXPR_INT || e->kind == EXPR_BOOL) && e->number;
}

static void process(struct cpp *c, const struct program *from);

/* One of the system's headers, for the second time. */
static bool was_read(struct cpp *c, const char *path)
{
	for (size_t i = 0; c->is_system && i < c->read.n; i++)
		if (!strcmp(c->read.p[i], path))
			return true;
	array_push(c->x->arena, &c->read, path);
	return false;
}

static void include_file(struct cpp *c, const char *path, struct span span)
{
	struct program inside = {};
	struct buf b = {};
	int r;

	if (was_read(c, path))
		return;
	r = expand_read_file(path, &b);
	if (r < 0) {
		diag(c->x->d, D_IMPORT, span, "error reading \"%s\": %s", path, strerror(-r));
	} else {
		expand_split_c(c->x->arena, c->x->d, diag_source(c->x->d, path, buf_str(&b)),
			       &inside);
		c->x->include_depth++;
		process(c, &inside);
		c->x->include_depth--;
	}
	buf_done(&b);
}

/* <name> or "name" of an #include that begins at `span`. */
static struct span name_span(const struct diags *d, struct span span)
{
	const char *text;

	if (!span.end)
		return span;
	text = d->sources.p[span.file].text.p;
	while (span.begin < span.end && text[span.begin] != '<' && text[span.begin] != '"')
		span.begin++;
	while (span.end > span.begin + 1 && lex_is_space((unsigned char)text[span.end - 1]))
		span.end--;
	return span;
}

/* `p`: what stands behind "include". */
static void do_include(struct cpp *c, const char *p, struct span span)
{
	const char *name, *path;

	if (c->x->include_depth >= INCLUDE_DEPTH) {
		diag(c->x->d, D_IMPORT, span, "#include is nested too deeply");
		return;
	}
	switch (include_find(c->x, skip_blanks(p), span, &name, &path)) {
	case INCLUDE_OWN:
		include_file(c, path, span);
		break;
	case INCLUDE_SYSTEM:
		if (c->is_system)
			include_file(c, path, span);
		else
			array_push(c->x->arena, &c->x->system_headers, path);
		break;
	case INCLUDE_KERNEL:
		break;
	case INCLUDE_MISSING:
		diag(c->x->d, D_IMPORT, name_span(c->x->d, span), "'%s' file not found", name);
		diag_hint(c->x->d, "Folders with headers are named by -I");
		break;
	}
}

void expand_system_headers(struct expand *x)
{
	unsigned int errors = x->d->errors;
	struct program nothing = {};
	struct cpp c = {.x = x, .to = &nothing, .is_system = true};
	size_t used = x->arena->used;
	bool quiet = x->d->quiet;

	x->has_system_defines = true;
	x->d->quiet = true; /* their types and conditions are not the script's business */
	for (size_t i = 0; i < x->system_headers.n; i++) {
		x->include_depth = 0;
		include_file(&c, x->system_headers.p[i], (struct span){});
	}
	x->used += x->arena->used - used; /* it is not the script that is large */
	x->d->quiet = quiet;
	x->d->errors = errors;
}

/* --- conditionals */

static bool is_active(const struct cpp *c)
{
	return !c->n || c->open[c->n - 1].is_active;
}

static void open_condition(struct cpp *c, bool holds, struct span span)
{
	bool outer = is_active(c);

	if (c->n == CONDITION_DEPTH) {
		diag(c->x->d, D_C_DECLARATION, span, "conditionals are nested too deeply");
		return;
	}
	c->open[c->n++] = (struct condition){
		.is_active = outer && holds,
		.was_active = holds,
		.is_outer_active = outer,
		.span = span,
	};
}

/* #else, #elif */
static void turn_condition(struct cpp *c, const char *condition, struct span span)
{
	struct condition *o = c->n ? &c->open[c->n - 1] : NULL;

	if (!o || o->has_else) {
		diag(c->x->d, D_C_DECLARATION, span, "#%s without #if",
		     condition ? "elif" : "else");
		return;
	}
	o->has_else = !condition;
	o->is_active =
		o->is_outer_active && !o->was_active && (!condition || is_true(c->x, condition));
	o->was_active |= o->is_active;
}

static void close_condition(struct cpp *c, struct span span)
{
	if (c->n)
		c->n--;
	else
		diag(c->x->d, D_C_DECLARATION, span, "#endif without #if");
}

/* True: the directive is a conditional, and done. */
static bool do_condition(struct cpp *c, struct str word, const char *p, struct span span)
{
	if (str_eq(word, STR("ifdef")))
		open_condition(c, define_find(c->x, take_name(&p)), span);
	else if (str_eq(word, STR("ifndef")))
		open_condition(c, !define_find(c->x, take_name(&p)), span);
	else if (str_eq(word, STR("if")))
		open_condition(c, is_active(c) && is_true(c->x, p), span);
	else if (str_eq(word, STR("elif")))
		turn_condition(c, p, span);
	else if (str_eq(word, STR("else")))
		turn_condition(c, NULL, span);
	else if (str_eq(word, STR("endif")))
		close_condition(c, span);
	else
		return false;
	return true;
}

static void do_directive(struct cpp *c, const struct c_text *t)
{
	struct str text = c->x->d->sources.p[t->span.file].text;
	const char *p = without_comments(c->x->arena, (struct str){text.p + t->span.begin,
								   t->span.end - t->span.begin});
	struct str word;

	p += *p == '#';
	word = take_name(&p);
	if (do_condition(c, word, p, t->span) || !is_active(c))
		return;
	if (str_eq(word, STR("define")))
		do_define(c->x, p, t->span);
	else if (str_eq(word, STR("undef")))
		do_undef(c->x, p);
	else if (str_eq(word, STR("include")))
		do_include(c, p, t->span);
	else if (str_eq(word, STR("error")))
		diag(c->x->d, D_C_DECLARATION, t->span, "#error%s", p);
	array_push(c->x->arena, &c->to->c, *t);
}

static void process(struct cpp *c, const struct program *from)
{
	unsigned int outer = c->n;

	for (size_t i = 0; i < from->c.n; i++) {
		if (from->c.p[i].is_preprocessor)
			do_directive(c, &from->c.p[i]);
		else if (is_active(c))
			array_push(c->x->arena, &c->to->c, from->c.p[i]);
	}
	if (c->n > outer)
		diag(c->x->d, D_C_DECLARATION, c->open[c->n - 1].span,
		     "unterminated conditional directive");
	c->n = outer;
}

void expand_conditionals(struct expand *x)
{
	struct program left = {};
	struct cpp c = {.x = x, .to = &left};

	define_plain(x, "BPFTRACE_HAVE_BTF", "1");
	define_plain(x, "__KERNEL__", "1");
#if defined(__x86_64__)
	define_plain(x, "__x86_64__", "1");
#elif defined(__aarch64__)
	define_plain(x, "__aarch64__", "1");
#endif
	for (const char *const *name = x->params->includes; name && *name; name++)
		do_include(&c, arena_printf(x->arena, "<%s>", *name), (struct span){});
	process(&c, x->p);
	x->p->c = left.c;
}
