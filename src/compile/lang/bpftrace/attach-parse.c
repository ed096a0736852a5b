/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of an attach point, as each provider wants it.
 *
 * Parts stand between colons; a part may be quoted, and then holds colons.  "@" is a part
 * of its own: BINARY@FILE:LINE.  The messages are bpftrace's: people and scripts know
 * them.
 */
#include "compile/lang/bpftrace/attach-internal.h"
#include "compile/lang/bpftrace/lex.h"

#include <fnmatch.h>

bool attach_has_glob(const char *s)
{
	return strchr(s, '*') || (strchr(s, '[') && strchr(s, ']'));
}

/* Only the star is one for bpftrace; what else the shell knows does no harm. */
bool attach_glob(const char *pattern, const char *s)
{
	if (!attach_has_glob(pattern) && !strchr(pattern, '?'))
		return !strcmp(pattern, s);
	return fnmatch(pattern, s, FNM_NOESCAPE) == 0;
}

/* --- numbers */

bool attach_number(struct arena *a, const char *text, uint64_t *ret, const char **ret_why)
{
	*ret_why = literal_parse(a, str_of(text), ret);
	return !*ret_why;
}

/* --- parts */

static void push_part(struct attach *a, struct attach_point *point, struct buf *part)
{
	array_push(a->arena, &point->parts,
		   arena_strndup(a->arena, part->p ? part->p : "", part->n));
	buf_reset(part);
}

/* "name=kprobe:f": what comes before the sign is how the script calls it. */
static void take_name(struct attach *a, struct attach_point *point)
{
	const char *front = point->parts.p[0], *sign = strchr(front, '=');

	if (!sign || !sign[1])
		return;
	point->name = arena_strndup(a->arena, front, (size_t)(sign - front));
	point->parts.p[0] = sign + 1;
}

void attach_split(struct attach *a, struct attach_point *point)
{
	_cleanup_buf_ struct buf part = {0};
	bool in_quotes = false;

	point->parts.n = 0;
	for (const char *p = point->source; *p; p++) {
		if ((*p == ':' || *p == '@') && !in_quotes) {
			push_part(a, point, &part);
			if (*p == '@')
				array_push(a->arena, &point->parts, "@");
		} else if (*p == '"') {
			in_quotes = !in_quotes;
		} else if (in_quotes && *p == '\\' && p[1]) {
			buf_putc(&part, *++p);
		} else {
			buf_putc(&part, *p);
		}
	}
	push_part(a, point, &part);
	take_name(a, point);
}

/* --- what a provider takes */

struct parts {
	struct attach *a;
	const char *provider;
	const char *const *p; /* [0] is the provider */
	unsigned int n;
};

typedef bool (*parse_fn)(struct parts *x, struct spec *s);

static bool wrong_count(struct parts *x, int wanted, int other)
{
	struct attach *a = x->a;

	if (other >= 0)
		attach_error(a, D_ATTACH_SYNTAX,
			     "%s probe type requires %d or %d arguments, found %u", x->provider,
			     wanted, other, x->n - 1);
	else
		attach_error(a, D_ATTACH_SYNTAX, "%s probe type requires %d arguments, found %u",
			     x->provider, wanted, x->n - 1);
	return false;
}

static bool parse_begin_end(struct parts *x, struct spec *s)
{
	if (x->n == 2 && !strcmp(x->p[1], "*"))
		return true;
	return x->n == 1 || wrong_count(x, 0, -1);
}

static bool parse_self(struct parts *x, struct spec *s)
{
	if (x->n != 3)
		return wrong_count(x, 2, -1);
	s->target = x->p[1];
	s->func = x->p[2];
	return true;
}

static bool parse_named(struct parts *x, struct spec *s)
{
	if (x->n != 2)
		return wrong_count(x, 1, -1);
	s->target = x->p[1];
	return true;
}

/* "f+0x10".  True if there is no offset, too; the caller looks at has_offset. */
static bool parse_offset(struct parts *x, struct spec *s, const char *func, bool is_allowed)
{
	const char *plus = strchr(func, '+'), *why;

	if (!plus)
		return true;
	if (!is_allowed) {
		attach_error(x->a, D_ATTACH_SYNTAX, "Offset not allowed");
		return false;
	}
	if (strchr(plus + 1, '+')) {
		attach_error(x->a, D_ATTACH_SYNTAX, "Cannot take more than one offset");
		return false;
	}
	if (plus == func || !plus[1]) {
		attach_error(x->a, D_ATTACH_SYNTAX, "Invalid offset");
		return false;
	}
	if (!attach_number(x->a->arena, plus + 1, &s->offset, &why)) {
		attach_error(x->a, D_ATTACH_SYNTAX, "Invalid offset: %s", why);
		return false;
	}
	s->func = arena_strndup(x->a->arena, func, (size_t)(plus - func));
	s->has_offset = true;
	return true;
}

static bool parse_kprobe(struct parts *x, struct spec *s)
{
	const char *func, *why;

	if (x->n != 2 && x->n != 3)
		return wrong_count(x, 1, 2);
	func = x->p[x->n - 1];
	if (x->n == 3)
		s->target = x->p[1];
	if (!parse_offset(x, s, func, s->hook->id == HOOK_KPROBE))
		return false;
	if (s->has_offset)
		return true;
	if (!attach_number(x->a->arena, func, &s->address, &why)) {
		s->func = func;
		if (*func)
			return true;
		attach_error(x->a, D_ATTACH_SYNTAX,
			     "kprobes should be attached to a function or an address");
		return false;
	}
	s->has_address = true;
	if (!x->a->o->is_safe)
		return true;
	/* it is handed to the kernel as it is */
	attach_error(x->a, D_ATTACH_SYNTAX, "Probing by address requires --unsafe");
	return false;
}

/* BINARY@FILE:LINE[:COLUMN] */
static bool parse_source_place(struct parts *x, struct spec *s)
{
	struct attach *a = x->a;
	const char *why;

	if (s->hook->id != HOOK_UPROBE) {
		attach_error(a, D_ATTACH_SYNTAX, "Source code location not allowed");
		return false;
	}
	if (attach_has_glob(s->target)) {
		attach_error(a, D_ATTACH_SYNTAX, "Cannot use wildcards with source code location");
		return false;
	}
	if ((x->n != 5 && x->n != 6) || !*x->p[3] || !*x->p[4]) {
		attach_error(a, D_ATTACH_SYNTAX,
			     "Invalid uprobe arguments, expected format: "
			     "uprobe:TARGET@FILE:LINE[:COL]");
		return false;
	}
	s->file = x->p[3];
	if (!attach_number(a->arena, x->p[4], &s->line, &why)) {
		attach_error(a, D_ATTACH_SYNTAX, "Invalid line number: %s", why);
		return false;
	}
	if (x->n == 6 && !attach_number(a->arena, x->p[5], &s->column, &why)) {
		attach_error(a, D_ATTACH_SYNTAX, "Invalid column number: %s", why);
		return false;
	}
	return true;
}

/* With -p the program need not be named: it is the process's. */
static void add_own_binary(struct parts *x, const char *binary)
{
	const char **p = arena_array(x->a->arena, const char *, x->n + 1);

	p[0] = x->p[0];
	p[1] = binary;
	for (unsigned int i = 1; i < x->n; i++)
		p[i + 1] = x->p[i];
	x->p = p;
	x->n++;
}

static bool parse_uprobe(struct parts *x, struct spec *s)
{
	struct attach *a = x->a;
	const char *func, *why;

	if (a->o->pid > 0 && (x->n == 2 || (x->n == 3 && !strcmp(x->p[1], "cpp"))))
		add_own_binary(x, arena_printf(a->arena, "/proc/%d/exe", a->o->pid));
	if (x->n > 2 && !strcmp(x->p[2], "@")) {
		s->target = x->p[1];
		return parse_source_place(x, s);
	}
	if (x->n != 3 && x->n != 4)
		return wrong_count(x, 2, 3);
	s->target = x->p[1];
	if (x->n == 4)
		s->lang = x->p[2];
	if (*s->lang && strcmp(s->lang, "cpp")) {
		attach_error(a, D_ATTACH_SYNTAX, "unsupported language type: %s", s->lang);
		return false;
	}
	if (!*s->target) {
		attach_error(a, D_ATTACH_SYNTAX, "%s should have a target", x->provider);
		return false;
	}
	func = x->p[x->n - 1];
	if (!parse_offset(x, s, func, s->hook->id == HOOK_UPROBE))
		return false;
	if (s->has_offset)
		return true;
	if (!attach_number(a->arena, func, &s->address, &why)) {
		s->func = func;
		if (*func)
			return true;
		attach_error(a, D_ATTACH_SYNTAX,
			     "%s should be attached to a function and/or address", x->provider);
		return false;
	}
	s->has_address = true;
	if (attach_has_glob(s->target)) {
		attach_error(a, D_ATTACH_SYNTAX, "Cannot use wildcards with absolute address");
		return false;
	}
	return true;
}

static bool parse_usdt(struct parts *x, struct spec *s)
{
	if (x->a->o->pid > 0 && x->n == 2)
		add_own_binary(x, "");
	if (x->n != 3 && x->n != 4)
		return wrong_count(x, 2, 3);
	s->target = x->p[1];
	s->func = x->p[x->n - 1];
	if (x->n == 4)
		s->ns = x->p[2];
	if (!*s->func) {
		attach_error(x->a, D_ATTACH_SYNTAX,
			     "usdt probe must have a target function or wildcard");
		return false;
	}
	if (!*s->target && x->a->o->pid <= 0) {
		attach_error(x->a, D_ATTACH_SYNTAX,
			     "usdt probe must specify at least path or pid to probe. To target "
			     "all paths/pids set the path to '*'.");
		return false;
	}
	return true;
}

static bool parse_tracepoint(struct parts *x, struct spec *s)
{
	bool is_short = x->n == 2 && attach_has_glob(x->p[1]);

	if (x->n != 3 && !is_short)
		return wrong_count(x, 2, -1);
	s->target = is_short ? "*" : x->p[1];
	s->func = x->p[x->n - 1];
	if (*s->target && *s->func)
		return true;
	attach_error(x->a, D_ATTACH_SYNTAX, "tracepoint probe must have a target");
	return false;
}

static bool parse_rawtracepoint(struct parts *x, struct spec *s)
{
	if (x->n != 2 && x->n != 3)
		return wrong_count(x, 2, 1);
	s->target = x->n == 3 ? x->p[1] : "*";
	s->func = x->p[x->n - 1];
	if (*s->func)
		return true;
	attach_error(x->a, D_ATTACH_SYNTAX, "rawtracepoint should be attached to a function");
	return false;
}

/* interval:1s, interval:s:1 */
static bool parse_timer(struct parts *x, struct spec *s)
{
	struct attach *a = x->a;
	const char *why;

	if (x->n != 2 && x->n != 3)
		return wrong_count(x, 1, 2);
	s->target = x->n == 3 ? x->p[1] : "us";
	if (!attach_number(a->arena, x->p[x->n - 1], &s->freq, &why)) {
		attach_error(a, D_ATTACH_SYNTAX, "Invalid rate of %s probe: %s", x->provider, why);
		return false;
	}
	if (x->n == 3)
		return true;
	if (s->freq < 1000) {
		attach_error(a, D_ATTACH_SYNTAX,
			     "Invalid rate of %s probe. Minimum is 1000 or 1us. Found: %llu "
			     "nanoseconds",
			     x->provider, (unsigned long long)s->freq);
		return false;
	}
	s->freq /= 1000;
	return true;
}

static bool parse_event(struct parts *x, struct spec *s)
{
	const char *why;

	if (x->n != 2 && x->n != 3)
		return wrong_count(x, 1, 2);
	s->target = x->p[1];
	if (x->n == 2 || !strcmp(x->p[2], "*"))
		return true;
	if (attach_number(x->a->arena, x->p[2], &s->freq, &why))
		return true;
	attach_error(x->a, D_ATTACH_SYNTAX, "Invalid count for %s probe: %s", x->provider, why);
	return false;
}

static bool parse_watchpoint(struct parts *x, struct spec *s)
{
	const char *why;

	if (x->n != 4)
		return wrong_count(x, 3, -1);
	if (!attach_number(x->a->arena, x->p[1], &s->address, &why)) {
		attach_error(x->a, D_ATTACH_SYNTAX, "Invalid function/address argument: %s", why);
		return false;
	}
	if (!attach_number(x->a->arena, x->p[2], &s->length, &why)) {
		attach_error(x->a, D_ATTACH_SYNTAX, "Invalid length argument: %s", why);
		return false;
	}
	s->has_address = true;
	s->mode = x->p[3];
	return true;
}

static bool parse_bpf_program(struct parts *x, struct spec *s)
{
	const char *why;

	s->target = "bpf";
	if (x->n == 2) {
		attach_error(x->a, D_ATTACH_SYNTAX,
			     "the 'bpf' variant of this probe requires a bpf program name and "
			     "optional bpf program id");
		return false;
	}
	s->func = x->p[x->n - 1];
	if (x->n == 4 && strcmp(x->p[2], "*") &&
	    !attach_number(x->a->arena, x->p[2], &s->bpf_prog, &why)) {
		attach_error(x->a, D_ATTACH_SYNTAX, "bpf program id must be a number or '*'");
		return false;
	}
	return true;
}

static bool parse_fentry(struct parts *x, struct spec *s)
{
	if (x->n < 2 || x->n > 4)
		return wrong_count(x, 1, 3);
	if (!strcmp(x->p[1], "bpf"))
		return parse_bpf_program(x, s);
	if (x->n == 4) {
		attach_error(x->a, D_ATTACH_SYNTAX,
			     "Only the 'bpf' variant of this probe supports 4 arguments");
		return false;
	}
	s->func = x->p[x->n - 1];
	if (x->n == 3)
		s->target = x->p[1];
	else if (attach_has_glob(s->func))
		s->target = "*";
	if (*s->func)
		return true;
	attach_error(x->a, D_ATTACH_SYNTAX, "fentry/fexit should specify a function");
	return false;
}

static bool parse_iter(struct parts *x, struct spec *s)
{
	if (x->n != 2 && x->n != 3) {
		attach_error(x->a, D_ATTACH_SYNTAX, "%s probe type takes 2 arguments (1 optional)",
			     x->provider);
		return false;
	}
	if (x->a->has_iter) {
		attach_error(x->a, D_ATTACH_SYNTAX, "%s probe only supports one attach point.",
			     x->provider);
		return false;
	}
	if (attach_has_glob(x->p[1]) || (x->n == 3 && attach_has_glob(x->p[2]))) {
		attach_error(x->a, D_ATTACH_SYNTAX, "%s probe type does not support wildcards",
			     x->provider);
		return false;
	}
	s->func = x->p[1];
	s->pin = x->n == 3 ? x->p[2] : NULL;
	x->a->has_iter = true;
	return true;
}

static const parse_fn parsers[HOOKS] = {
	[HOOK_BEGIN] = parse_begin_end,
	[HOOK_END] = parse_begin_end,
	[HOOK_SELF] = parse_self,
	[HOOK_TEST] = parse_named,
	[HOOK_BENCH] = parse_named,
	[HOOK_KPROBE] = parse_kprobe,
	[HOOK_KRETPROBE] = parse_kprobe,
	[HOOK_UPROBE] = parse_uprobe,
	[HOOK_URETPROBE] = parse_uprobe,
	[HOOK_USDT] = parse_usdt,
	[HOOK_TRACEPOINT] = parse_tracepoint,
	[HOOK_RAWTRACEPOINT] = parse_rawtracepoint,
	[HOOK_PROFILE] = parse_timer,
	[HOOK_INTERVAL] = parse_timer,
	[HOOK_SOFTWARE] = parse_event,
	[HOOK_HARDWARE] = parse_event,
	[HOOK_WATCHPOINT] = parse_watchpoint,
	[HOOK_FENTRY] = parse_fentry,
	[HOOK_FEXIT] = parse_fentry,
	[HOOK_ITER] = parse_iter,
};

bool attach_parse(struct attach *a, const struct attach_point *point, struct spec *ret)
{
	const struct hook *hook = hook_find(point->parts.p[0]);
	struct parts x = {a, NULL, point->parts.p, (unsigned int)point->parts.n};

	if (!hook)
		return false;
	*ret = (struct spec){.hook = hook, .target = "", .lang = "", .ns = "", .func = ""};
	x.provider = hook->name;
	if (parsers[hook->id](&x, ret))
		return true;
	if (a->is_quiet || !*hook->parts)
		return false;
	if (hook->id != HOOK_TRACEPOINT || x.n != 2 || !attach_hint_group(a, x.p[1]))
		diag_hint(a->d, "It is written %s:%s", hook->name, hook->parts);
	return false;
}
