/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From attach points to places that exist.
 *
 * Every point is split into parts, read as its provider wants it, and looked up in the
 * world; a wildcard becomes many places.  What the action asks of a place decides how
 * much is looked up: a type for `args` only where `args` is used.  At the end places
 * that look alike to the action are one checked_probe; for others the tree is copied.
 */
#include "compile/lang/bpftrace/attach-internal.h"

#include "compile/lang/bpftrace/ctypes-internal.h"
#include "compile/lang/bpftrace/expand.h"
#include "compile/lang/bpftrace/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* --- what an action uses of its hook */

static void look_name(struct attach *a, const char *name)
{
	if (!strcmp(name, "args"))
		a->uses_args = true;
	else if (!strcmp(name, "retval"))
		a->uses_retval = true;
	else if (!strcmp(name, "probe"))
		a->uses_probe = true;
	else if (!strncmp(name, "arg", 3) && name[3] >= '0' && name[3] <= '9')
		a->uses_argn = true;
}

static bool look(struct walk *w, struct expr **at)
{
	const struct expr *e = *at;

	if (e->name && (e->kind == EXPR_IDENT || e->kind == EXPR_BUILTIN || e->kind == EXPR_CALL))
		look_name(w->ctx, e->name);
	return true;
}

/* --- for those who find */

void attach_error(struct attach *a, enum diag_id id, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (a->is_quiet)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	diag(a->d, id, a->point->span, "%s", text);
}

const char *attach_name(struct attach *a, const struct spec *s)
{
	_cleanup_buf_ struct buf b = {0};

	if (a->point && a->point->name)
		return a->point->name;
	buf_puts(&b, s->hook->name);
	if (*s->target)
		buf_printf(&b, ":%s", s->target);
	if (*s->lang)
		buf_printf(&b, ":%s", s->lang);
	if (*s->ns)
		buf_printf(&b, ":%s", s->ns);
	if (s->bpf_prog)
		buf_printf(&b, ":%llu", (unsigned long long)s->bpf_prog);
	if (*s->func)
		buf_printf(&b, ":%s", s->func);
	if (*s->func && s->offset)
		buf_printf(&b, "+%llu", (unsigned long long)s->offset);
	if (s->address)
		buf_printf(&b, ":%llu", (unsigned long long)s->address);
	if (s->freq)
		buf_printf(&b, ":%llu", (unsigned long long)s->freq);
	if (s->length)
		buf_printf(&b, ":%llu", (unsigned long long)s->length);
	if (s->mode && *s->mode)
		buf_printf(&b, ":%s", s->mode);
	return arena_strndup(a->arena, b.p, b.n);
}

struct resolved *attach_add(struct attach *a, const struct spec *s)
{
	struct resolved *r = arena_new(a->arena, struct resolved);

	r->point = a->point;
	r->hook = s->hook;
	r->name = attach_name(a, s);
	r->func = *s->func ? s->func : NULL;
	r->pin = s->pin;
	*a->last = r;
	a->last = &r->next;
	a->n++;
	return r;
}

void attach_missing(struct attach *a, const struct spec *s)
{
	const char *colon = *s->target ? ":" : "";

	if (a->is_quiet)
		return;
	switch (a->q->config.missing_probes) {
	case MISSING_ERROR:
		diag(a->d, D_ATTACH_MISSING, a->point->span, "No matches for %s %s%s%s.",
		     s->hook->name, s->target, colon, s->func);
		break;
	case MISSING_WARN:
		diag_warn(a->d, D_ATTACH_MISSING, a->point->span,
			  "No matches for %s %s%s%s. Skipping.", s->hook->name, s->target, colon,
			  s->func);
		break;
	case MISSING_IGNORE:
		break;
	}
}

static int compare_names(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

void attach_names_sort(attach_names *names)
{
	size_t n = 0;

	if (names->n)
		qsort(names->p, names->n, sizeof(*names->p), compare_names);
	for (size_t i = 0; i < names->n; i++)
		if (!n || strcmp(names->p[n - 1], names->p[i]))
			names->p[n++] = names->p[i];
	names->n = n;
}

void attach_collect_name(void *ctx, const char *name)
{
	struct attach_collect *c = ctx;

	/* it may be a buffer that is used again */
	array_push(c->arena, &c->names, arena_strdup(c->arena, name));
}

/* --- one point */

static void (*const finders[HOOKS])(struct attach *a, const struct spec *s) = {
	[HOOK_BEGIN] = attach_find_special,
	[HOOK_END] = attach_find_special,
	[HOOK_SELF] = attach_find_special,
	[HOOK_TEST] = attach_find_special,
	[HOOK_BENCH] = attach_find_special,
	[HOOK_KPROBE] = attach_find_kprobe,
	[HOOK_KRETPROBE] = attach_find_kprobe,
	[HOOK_UPROBE] = attach_find_uprobe,
	[HOOK_URETPROBE] = attach_find_uprobe,
	[HOOK_USDT] = attach_find_usdt,
	[HOOK_TRACEPOINT] = attach_find_tracepoint,
	[HOOK_RAWTRACEPOINT] = attach_find_rawtracepoint,
	[HOOK_PROFILE] = attach_find_timer,
	[HOOK_INTERVAL] = attach_find_timer,
	[HOOK_SOFTWARE] = attach_find_event,
	[HOOK_HARDWARE] = attach_find_event,
	[HOOK_WATCHPOINT] = attach_find_watchpoint,
	[HOOK_FENTRY] = attach_find_fentry,
	[HOOK_FEXIT] = attach_find_fentry,
	[HOOK_ITER] = attach_find_iter,
};

static void hint_providers(struct attach *a)
{
	_cleanup_buf_ struct buf b = {0};

	for (unsigned int i = 0; i < HOOKS; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", hooks[i].name);
	diag_hint(a->d, "There are %s", b.p);
}

static void unknown_provider(struct attach *a, const char *name)
{
	const char *names[HOOKS + 1] = {0}, *near;

	attach_error(a, D_ATTACH_SYNTAX, "Invalid probe type: %s", name);
	for (unsigned int i = 0; i < HOOKS; i++)
		names[i] = hooks[i].name;
	near = str_nearest(name, names);
	if (near)
		diag_hint(a->d, "Did you mean \"%s\"?", near);
	else
		hint_providers(a);
}

/* bpftrace makes a program of each match; it, and so its users, bound their number. */
static bool is_within_limit(struct attach *a, const struct spec *s, unsigned int found)
{
	bool is_multi = (s->hook->id == HOOK_KPROBE || s->hook->id == HOOK_KRETPROBE ||
			 s->hook->id == HOOK_UPROBE || s->hook->id == HOOK_URETPROBE) &&
			!a->uses_probe;
	bool has_glob = attach_has_glob(s->target) || attach_has_glob(s->func);

	if (!(s->hook->flags & HOOK_GLOB) || !has_glob || is_multi)
		return true;
	a->programs += found;
	if (a->programs <= a->q->config.max_bpf_progs)
		return true;
	attach_error(a, D_ATTACH_LIMIT,
		     "Your program is trying to generate more than %llu BPF programs, which "
		     "exceeds the current limit of %llu",
		     (unsigned long long)a->programs,
		     (unsigned long long)a->q->config.max_bpf_progs);
	diag_hint(a->d, "You can increase the limit through the BPFTRACE_MAX_BPF_PROGS "
			"environment variable.");
	a->is_over = true;
	return false;
}

static void resolve_spec(struct attach *a, const struct spec *s)
{
	unsigned int before = a->n;

	finders[s->hook->id](a, s);
	is_within_limit(a, s, a->n - before);
}

/* "*:vfs_read": all providers that have such a thing; where it does not fit is no error. */
static void resolve_any_provider(struct attach *a, struct attach_point *point)
{
	const char *glob = point->parts.p[0];
	unsigned int wanted = HOOK_LIST_KERNEL, before = a->n;

	if (a->o->pid > 0 || (point->parts.n > 1 && strchr(point->parts.p[1], '/')))
		wanted = HOOK_LIST_USER;
	a->is_quiet = true;
	for (unsigned int i = 0; i < HOOKS; i++) {
		struct spec s;

		if (!(hooks[i].flags & wanted) || !attach_glob(glob, hooks[i].name))
			continue;
		point->parts.p[0] = hooks[i].name;
		if (attach_parse(a, point, &s))
			resolve_spec(a, &s);
	}
	a->is_quiet = false;
	point->parts.p[0] = glob;
	if (a->n == before && wanted == HOOK_LIST_KERNEL)
		attach_error(a, D_ATTACH_SYNTAX, "No probe type matched for %s", glob);
}

/* False: the point is empty, as behind a trailing comma. */
static bool resolve_point(struct attach *a, struct attach_point *point)
{
	const struct hook *hook;
	struct spec s;

	a->point = point;
	/* expand.c has split it, unless nobody called that (tests) */
	if (!point->parts.n)
		attach_split(a, point);
	if (!*point->parts.p[0])
		return false;
	if (attach_has_glob(point->parts.p[0])) {
		resolve_any_provider(a, point);
		return true;
	}
	hook = hook_find(point->parts.p[0]);
	if (!hook) {
		unknown_provider(a, point->parts.p[0]);
		return true;
	}
	point->provider = hook->name;
	if (attach_parse(a, point, &s))
		resolve_spec(a, &s);
	return true;
}

/* --- one probe */

static bool same_place_type(const struct type *x, const struct type *y)
{
	if (!x || !y)
		return x == y;
	if (x->kind == TYPE_POINTER && y->kind == TYPE_POINTER && x->space != y->space)
		return false;
	return type_same(x, y);
}

/* Structs of arguments have names of their own; what counts is where what is. */
static bool same_args(const struct type *x, const struct type *y)
{
	if (!x || !y || x == y)
		return x == y;
	if (x->n_members != y->n_members)
		return false;
	for (uint32_t i = 0; i < x->n_members; i++) {
		const struct type_member *m = &x->members[i], *n = &y->members[i];

		if (strcmp(m->name, n->name) || m->offset != n->offset || m->bits != n->bits ||
		    m->is_data_loc != n->is_data_loc || m->is_rel_loc != n->is_rel_loc ||
		    m->loc_offset != n->loc_offset || !same_place_type(m->type, n->type))
			return false;
	}
	return true;
}

static bool is_alike(struct attach *a, const struct resolved *x, const struct resolved *y)
{
	if (x->hook != y->hook || !same_args(x->args, y->args) ||
	    !same_place_type(x->retval, y->retval))
		return false;
	/* where a static probe's arguments are is part of the code */
	if (a->uses_argn && x->usdt_arg && y->usdt_arg &&
	    strcmp(x->usdt_arg->args, y->usdt_arg->args) != 0)
		return false;
	return true;
}

/* Take from the list those that are like its first. */
static struct checked_probe take_alike(struct attach *a)
{
	struct checked_probe ret = {.points = a->first};
	struct resolved **to = &ret.points, **at = &a->first;
	const struct resolved *head = a->first;

	while (*at) {
		struct resolved *r = *at;

		if (!is_alike(a, head, r)) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		*to = r;
		to = &r->next;
		ret.n_points++;
	}
	*to = NULL;
	return ret;
}

static void group(struct attach *a, struct checked *ret)
{
	bool is_first = true;

	while (a->first) {
		struct checked_probe p = take_alike(a);

		/* the first keeps the tree; the copies are made of what is not yet changed */
		p.probe = is_first ? a->probe : probe_clone(a->arena, a->probe);
		is_first = false;
		array_push(a->arena, &ret->probes, p);
	}
}

static void nothing_left(struct attach *a)
{
	if (a->q->config.missing_probes == MISSING_ERROR) {
		diag(a->d, D_ATTACH_MISSING, a->probe->span,
		     "Probe has no valid attach points. If this is expected, set the "
		     "'missing_probes' config variable to 'warn'.");
	} else if (a->q->config.missing_probes == MISSING_WARN) {
		diag_warn(a->d, D_ATTACH_MISSING, a->probe->span,
			  "Probe has no valid attach points. It is being removed which may cause "
			  "issues with program behavior.");
	}
	if (a->q->config.missing_probes == MISSING_IGNORE)
		return;
	if (a->nearest)
		diag_hint(a->d, "Did you mean \"%s\"?", a->nearest);
	else if (a->point && a->point->parts.n > 2)
		diag_hint(a->d, "What there is: -l '%s:%s:*'", a->point->parts.p[0],
			  a->point->parts.p[1]);
	else if (a->point && a->point->parts.n > 1)
		diag_hint(a->d, "What there is: -l '%s:*'", a->point->parts.p[0]);
}

/* Tests and benchmarks are there only for those who ask for them. */
static void drop_unwanted(struct attach *a)
{
	for (struct resolved **at = &a->first; *at;) {
		enum hook_id id = (*at)->hook->id;

		if ((id == HOOK_TEST && !a->o->is_test) || (id == HOOK_BENCH && !a->o->is_bench)) {
			*at = (*at)->next;
			a->n--;
		} else {
			at = &(*at)->next;
		}
	}
}

static void resolve_probe(struct attach *a, struct probe *probe, struct checked *ret)
{
	struct walk walk = {.enter = look, .ctx = a};
	unsigned int errors = a->d->errors;
	bool any = false;

	a->probe = probe;
	a->first = NULL;
	a->last = &a->first;
	a->n = 0;
	a->nearest = NULL;
	a->has_iter = a->uses_args = a->uses_retval = a->uses_argn = a->uses_probe = false;
	if (probe->predicate)
		walk_expr(&walk, &probe->predicate);
	walk_block(&walk, probe->block);
	for (size_t i = 0; i < probe->points.n && !a->is_over; i++)
		any |= resolve_point(a, probe->points.p[i]);
	if (!any && a->q->config.missing_probes == MISSING_ERROR)
		diag(a->d, D_ATTACH_SYNTAX, probe->span, "No attach points for probe");
	else if (!a->n && a->d->errors == errors)
		nothing_left(a);
	a->total += a->n;
	drop_unwanted(a);
	if (a->n)
		group(a, ret);
}

bool attach_resolve(struct question *q, struct type_table *t, struct program *p,
		    const struct check_options *o, struct checked *ret)
{
	struct attach a = {
		.q = q,
		.d = &q->diags,
		.arena = &q->arena,
		.t = t,
		.w = o->world,
		.o = o,
		.program = p,
	};
	unsigned int errors = a.d->errors;

	ret->program = p;
	t->debuginfo = o->debuginfo;
	for (size_t i = 0; i < p->probes.n && !a.is_over; i++)
		resolve_probe(&a, p->probes.p[i], ret);
	if (a.total > q->config.max_probes && !a.is_over) {
		diag(a.d, D_ATTACH_LIMIT, a.probe->span,
		     "Can't attach to %llu probes because it exceeds the current limit of %llu "
		     "probes.",
		     (unsigned long long)a.total, (unsigned long long)q->config.max_probes);
		diag_hint(a.d, "You can increase the limit through the BPFTRACE_MAX_PROBES "
			       "environment variable, but BE CAREFUL since a high number of "
			       "probes attached can cause your system to crash.");
	}
	return a.d->errors == errors;
}
