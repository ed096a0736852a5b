/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists, macros and exceptions go into conditions.
 *
 * Lists are put in as text, as Falco does it: wherever a list's name stands between blanks,
 * parentheses, commas, '=' or the ends of the condition, even inside a string in quotes.
 * A list in a list is put in too, however deep (Falco stops at the second level and then
 * compares with the name).
 *
 * Macros are put in as trees.  A macro sees the macros that were first defined before its
 * own last change; a rule sees all.  The tree of a macro is shared by all who use it; its
 * size is counted as if it were copied, so that macros which double each other are an
 * error and not a full memory.
 */
#include "compile/lang/falco/collect.h"
#include "compile/lang/falco/condition.h"

/* --- lists */

static void flatten(struct load *l, struct list_info *x, unsigned int depth)
{
	x->is_open = true;
	for (size_t i = 0; i < x->items.n; i++) {
		struct node *n = x->items.p[i];
		struct list_info *in = load_list(l, n->text);

		if (in)
			in->is_used |= in != x;
		if (in && !in->is_flat && !in->is_open && depth < LISTS_DEEP_MAX)
			flatten(l, in, depth + 1);
		if (in && !in->is_flat && !in->is_open) {
			report(l, FALCO_VALIDATE, D_LIMIT, &x->item, n->span,
			       "lists within lists, deeper than %d", LISTS_DEEP_MAX);
			break;
		}
		for (size_t k = 0; k < (in ? in->flat.n : 1); k++) {
			if (x->flat.n == ITEMS_MAX || l->n_flat == FLAT_MAX) {
				report(l, FALCO_VALIDATE, D_LIMIT, &x->item, x->item.span,
				       "a list of more than %d items, with those of lists in it",
				       ITEMS_MAX);
				goto done;
			}
			l->n_flat++;
			array_push(&l->tmp, &x->flat, in ? in->flat.p[k] : n);
		}
	}
done:
	x->is_open = false;
	x->is_flat = true;
}

static bool is_delimiter(char c)
{
	return strchr(" \t\r\n(),=", c) != NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* An item with a byte of `odd` gets quotes, if it has none. */
static void put_quoted(struct load *l, struct text *to, const struct node *n, const char *odd)
{
	bool is_quoted = n->text.n && (n->text.p[0] == '"' || n->text.p[0] == '\'');
	bool quotes = !is_quoted && strpbrk(n->text.p, odd);
	struct origin from = {n->span.file, n->span.begin};

	if (quotes)
		text_add(&l->tmp, to, "\"", from);
	text_add_node(&l->tmp, l->d, to, n);
	if (quotes)
		text_add(&l->tmp, to, "\"", from);
}

static void put_item(struct load *l, struct text *to, const struct node *n)
{
	put_quoted(l, to, n, " ");
}

/* The list in place of [at, end): with the blanks around it, and a comma if it is empty. */
static size_t put_list(struct load *l, struct text *to, const struct text *text, size_t at,
		       size_t end, const struct list_info *x)
{
	struct origin from = text->from[at];

	while (to->n && is_blank(to->p[to->n - 1]))
		to->n--;
	while (end < text->n && is_blank(text->p[end]))
		end++;
	if (!x->flat.n && to->n && to->p[to->n - 1] == ',')
		to->n--;
	else if (!x->flat.n && end < text->n && text->p[end] == ',')
		end++;
	if (to->n)
		text_add(&l->tmp, to, " ", from);
	for (size_t i = 0; i < x->flat.n && to->n <= TEXT_MAX; i++) {
		if (i)
			text_add(&l->tmp, to, ", ", from);
		put_item(l, to, x->flat.p[i]);
	}
	text_add(&l->tmp, to, " ", from);
	return end;
}

/* A list whose name, with blanks or the like in it, stands at `at`. */
static struct list_info *odd_list(const struct load *l, const struct text *text, size_t at,
				  size_t *ret_end)
{
	struct str rest = {text->p + at, text->n - at};

	for (size_t i = 0; i < l->odd_lists.n; i++) {
		struct str name = str_of(l->odd_lists.p[i]->item.name);

		if (!str_starts(rest, name) || (name.n < rest.n && !is_delimiter(rest.p[name.n])))
			continue;
		*ret_end = at + name.n;
		return l->odd_lists.p[i];
	}
	return NULL;
}

/* False: too large; reported. */
static bool put_lists(struct load *l, const struct item *item, const struct text *text,
		      struct text *ret)
{
	size_t at = 0, end;

	while (at < text->n && ret->n <= TEXT_MAX && l->n_text <= TEXTS_MAX) {
		struct list_info *x = NULL;

		for (end = at; end < text->n && !is_delimiter(text->p[end]);)
			end++;
		if (l->odd_lists.n)
			x = odd_list(l, text, at, &end);
		if (!x && end > at)
			x = load_list(l, (struct str){text->p + at, end - at});
		if (x) {
			x->is_used = true;
			end = put_list(l, ret, text, at, end, x);
		} else {
			end = MAX(end, at + 1);
			text_add_text(&l->tmp, ret, text, at, end);
		}
		at = end;
	}
	l->n_text += ret->n;
	if (ret->n <= TEXT_MAX && l->n_text <= TEXTS_MAX)
		return true;
	report(l, FALCO_COMPILE_CONDITION, D_LIMIT, item, item->span,
	       "the condition has more than %d bytes, with its lists",
	       ret->n > TEXT_MAX ? TEXT_MAX : TEXTS_MAX);
	return false;
}

/* --- exceptions */

static void put(struct load *l, struct text *to, const char *s, const struct node *at)
{
	text_add(&l->tmp, to, s, (struct origin){at->span.file, at->span.begin});
}

static bool fail(struct load *l, const struct exception_info *x, struct span span, const char *text)
{
	report(l, FALCO_VALIDATE, D_RULE_EXCEPTION, &x->item, span, "%s", text);
	return false;
}

/* A value of an exception: regular expressions may have any letters. */
static void put_compared(struct load *l, struct text *to, const struct node *n,
			 const struct entry *comp)
{
	bool is_regex = comp && !comp->is_list && str_starts(comp->node->text, STR("regex"));

	put_quoted(l, to, n, is_regex && !strpbrk(n->text.p, "\"'\\") ? " ,()=" : " ");
}

/* field in (value, value) */
static bool put_one_field(struct load *l, const struct exception_info *x, struct text *to)
{
	for (size_t i = 0; i < x->values.n && to->n <= TEXT_MAX; i++) {
		const struct entry *v = &x->values.p[i];

		if (v->is_list)
			return fail(l, x, v->node->span,
				    "expected a value here: the exception has a single field");
		if (!i) {
			put(l, to, " and not ((", v->node);
			text_add_node(&l->tmp, l->d, to, x->fields.node);
			put(l, to, " ", v->node);
			if (x->comps.is_set)
				text_add_node(&l->tmp, l->d, to, x->comps.node);
			else
				put(l, to, "in", v->node);
		}
		put(l, to, i ? ", " : " (", v->node);
		put_compared(l, to, v->node, x->comps.is_set ? &x->comps : NULL);
	}
	if (x->values.n)
		put(l, to, ")))", x->fields.node);
	return true;
}

/* A value behind its operator: a list for list operators. */
static bool put_value(struct load *l, const struct exception_info *x, const struct entry *v,
		      const struct entry *comp, struct text *to)
{
	bool is_open = !v->is_list && v->node->text.p[0] == '(';

	if (!v->is_list && !exception_takes_list(comp)) {
		put_compared(l, to, v->node, comp);
		return true;
	}
	if (!is_open)
		put(l, to, "(", v->node);
	if (!v->is_list && is_open)
		text_add_node(&l->tmp, l->d, to, v->node);
	else if (!v->is_list)
		put_compared(l, to, v->node, comp);
	for (size_t i = 0; i < v->items.n && to->n <= TEXT_MAX; i++) {
		if (v->items.p[i].is_list)
			return fail(l, x, v->items.p[i].node->span,
				    "expected a value here, not a list");
		if (i)
			put(l, to, ", ", v->node);
		put_compared(l, to, v->items.p[i].node, comp);
	}
	if (!is_open)
		put(l, to, ")", v->node);
	return true;
}

/* (field op value and field op value) */
static bool put_tuple(struct load *l, const struct exception_info *x, const struct entry *tuple,
		      struct text *to)
{
	if (!tuple->is_list || tuple->items.n != x->fields.items.n)
		return fail(l, x, tuple->node->span,
			    "fields and values lists must have equal length");
	for (size_t k = 0; k < tuple->items.n && to->n <= TEXT_MAX; k++) {
		const struct entry *comp = x->comps.is_set ? &x->comps.items.p[k] : NULL;

		put(l, to, k ? " and " : "(", tuple->node);
		text_add_node(&l->tmp, l->d, to, x->fields.items.p[k].node);
		put(l, to, " ", tuple->node);
		if (comp)
			text_add_node(&l->tmp, l->d, to, comp->node);
		else
			put(l, to, "=", tuple->node);
		put(l, to, " ", tuple->node);
		if (!put_value(l, x, &tuple->items.p[k], comp, to))
			return false;
	}
	put(l, to, tuple->items.n ? ")" : "", tuple->node);
	return true;
}

/* (condition) and not (exception) and not … */
static bool put_exceptions(struct load *l, const struct rule_info *r, struct text *to)
{
	struct origin begin = {r->item.span.file, r->item.span.begin};

	if (!r->exceptions.n) {
		*to = r->condition;
		return true;
	}
	if (r->condition.n)
		begin = r->condition.from[0];
	text_add(&l->tmp, to, "(", begin);
	text_add_text(&l->tmp, to, &r->condition, 0, r->condition.n);
	text_add(&l->tmp, to, ")", r->condition.n ? r->condition.from[r->condition.n - 1] : begin);
	for (size_t i = 0; i < r->exceptions.n && to->n <= TEXT_MAX; i++) {
		const struct exception_info *x = r->exceptions.p[i];

		if (!x->fields.is_list && !put_one_field(l, x, to))
			return false;
		for (size_t k = 0; x->fields.is_list && k < x->values.n && to->n <= TEXT_MAX; k++) {
			put(l, to, k ? " or " : " and not (", x->fields.node);
			if (!put_tuple(l, x, &x->values.p[k], to))
				return false;
		}
		if (x->fields.is_list && x->values.n)
			put(l, to, ")", x->fields.node);
	}
	return true;
}

/* --- macros */

/* One condition in which macros are put in. */
struct expansion {
	struct load *l;
	const struct item *item;
	uint32_t visible; /* macros of lower index are */
	size_t nodes;
	uint32_t depth;
	bool has_failed, has_stopped; /* stopped: at a limit; else it goes on, to report more */
};

static struct cond *expand(struct expansion *x, struct cond *c);

static struct cond *give_up(struct expansion *x)
{
	x->has_failed = true;
	return NULL;
}

static struct cond *stop(struct expansion *x, struct span span, const char *what, int limit)
{
	if (!x->has_stopped)
		report(x->l, FALCO_COMPILE_CONDITION, D_LIMIT, x->item, span,
		       "the condition has more than %d %s, with its macros", limit, what);
	x->has_stopped = true;
	return give_up(x);
}

static struct cond *undefined(struct expansion *x, const struct cond *c, const struct macro_info *m)
{
	struct load *l = x->l;
	const char **names, *near;

	if (!m && load_is_broken(l, c->name.p))
		return give_up(x);
	report(l, FALCO_VALIDATE, D_UNKNOWN_NAME, x->item, c->span,
	       "undefined macro '%.80s' used in filter", c->name.p);
	if (m) {
		diag_note(l->d, m->item.span, "it is defined here: macros see those above them");
		return give_up(x);
	}
	if (l->d->is_repeated)
		return give_up(x);
	if (load_list(l, c->name)) {
		diag_hint(l->d, "'%.80s' is a list; a list stands behind 'in'", c->name.p);
		return give_up(x);
	}
	names = arena_array(&l->tmp, const char *, l->macros.n + 1);
	for (size_t i = 0; i < l->macros.n; i++)
		names[i] = l->macros.p[i]->item.name;
	near = str_nearest(c->name.p, names);
	if (near)
		diag_hint(l->d, "did you mean '%s'?", near);
	return give_up(x);
}

static struct cond *put_macro(struct expansion *x, const struct cond *c)
{
	struct macro_info *m = load_macro(x->l, c->name);
	struct cond *r;

	if (!m || m->index >= x->visible)
		return undefined(x, c, m);
	m->is_used = true;
	if (m->is_open) {
		report(x->l, FALCO_VALIDATE, D_MACRO, x->item, c->span,
		       "reference loop in macro '%.80s'", c->name.p);
		return give_up(x);
	}
	if (m->expanded) {
		x->nodes += m->expanded->size;
		if (x->depth + m->expanded->depth > DEPTH_MAX)
			return stop(x, c->span, "levels", DEPTH_MAX);
		return m->expanded;
	}
	if (!m->tree)
		return give_up(x); /* reported */
	m->is_open = true;
	x->depth++;
	r = expand(x, m->tree);
	x->depth--;
	m->is_open = false;
	return r;
}

/* The tree without names; what has none is shared. */
static struct cond *expand(struct expansion *x, struct cond *c)
{
	struct load *l = x->l;
	struct cond *to;

	if (x->has_stopped)
		return NULL;
	if (++x->nodes > TREE_MAX || ++l->n_visits > VISITS_MAX)
		return stop(x, x->item->span, "parts", TREE_MAX);
	if (x->depth > DEPTH_MAX)
		return stop(x, x->item->span, "levels", DEPTH_MAX);
	if (c->kind == COND_CHECK)
		return c;
	if (c->kind == COND_NAME)
		return put_macro(x, c);
	to = arena_new(&l->tmp, struct cond);
	to->kind = c->kind;
	to->span = c->span;
	to->size = 1;
	x->depth++;
	for (size_t i = 0; i < c->args.n; i++) {
		struct cond *arg = expand(x, c->args.p[i]);

		if (!arg)
			continue;
		array_push(&l->tmp, &to->args, arg);
		to->size += arg->size;
		to->depth = MAX(to->depth, arg->depth + 1);
	}
	x->depth--;
	return x->has_failed ? NULL : to;
}

static void parse_macro(struct load *l, struct macro_info *m)
{
	struct text text = {};

	if (put_lists(l, &m->item, &m->condition, &text))
		m->tree = condition_parse(l, &m->item, &text);
}

void expand_all(struct load *l)
{
	for (size_t i = 0; i < l->lists.n; i++) {
		if (!l->lists.p[i]->is_flat)
			flatten(l, l->lists.p[i], 0);
		if (strpbrk(l->lists.p[i]->item.name, " \t\r\n(),="))
			array_push(&l->tmp, &l->odd_lists, l->lists.p[i]);
	}
	for (size_t i = 0; i < l->macros.n; i++)
		parse_macro(l, l->macros.p[i]);
	for (size_t i = 0; i < l->macros.n; i++) {
		struct macro_info *m = l->macros.p[i];
		struct expansion x = {.l = l, .item = &m->item, .visible = m->visible};
		struct cond *c;

		if (!m->tree)
			continue;
		m->is_open = true;
		c = expand(&x, m->tree);
		m->is_open = false;
		if (x.has_failed)
			m->tree = NULL;
		else
			m->expanded = c;
	}
}

struct cond *expand_rule(struct load *l, struct rule_info *r, struct cond **ret_parsed)
{
	struct expansion x = {.l = l, .item = &r->item, .visible = UINT32_MAX};
	struct text text = {}, whole = {};
	struct cond *c;

	*ret_parsed = NULL;
	if (!put_exceptions(l, r, &whole) || !put_lists(l, &r->item, &whole, &text))
		return NULL;
	c = *ret_parsed = condition_parse(l, &r->item, &text);
	return c ? expand(&x, c) : NULL;
}

void expand_unused(struct load *l)
{
	for (size_t i = 0; i < l->macros.n; i++)
		if (!l->macros.p[i]->is_used)
			report(l, FALCO_UNUSED_MACRO, D_RULE_UNUSED, &l->macros.p[i]->item,
			       l->macros.p[i]->item.span,
			       "macro '%.80s' is not referred to by any rule or macro",
			       l->macros.p[i]->item.name);
	for (size_t i = 0; i < l->lists.n; i++)
		if (!l->lists.p[i]->is_used)
			report(l, FALCO_UNUSED_LIST, D_RULE_UNUSED, &l->lists.p[i]->item,
			       l->lists.p[i]->item.span,
			       "list '%.80s' is not referred to by any rule, macro or list",
			       l->lists.p[i]->item.name);
}
