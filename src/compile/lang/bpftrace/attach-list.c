/* SPDX-License-Identifier: Apache-2.0 */
/*
 * -l: what there is to attach to, and -lv: with what arguments.
 *
 * For each provider that a pattern may mean, the lines that could match are collected
 * ("vmlinux:vfs_read"), sorted, and matched as a whole: a star crosses colons.  Types
 * are listed as well: -l 'struct sock*'.
 */
#include "compile/lang/bpftrace/attach-internal.h"
#include "compile/lang/bpftrace/ctypes-internal.h"

#include <ctype.h>
#include <errno.h>

struct list {
	struct world *w;
	struct arena arena;
	struct type_table *t;
	int pid;
	bool verbose;
	struct buf *to;
	unsigned int found;
	bool has_warned; /* of a program without debug information */
	/* the pattern, after its provider */
	const char *rest, *target, *last;
	bool has_target;
};

struct lines {
	struct list *l;
	const char *glob, *prefix;
	bool without_module;
	attach_names names;
};

static void add_line(struct lines *x, const char *line)
{
	if (attach_glob(x->glob, line) && !strstr(line, ".part."))
		array_push(&x->l->arena, &x->names, arena_strdup(&x->l->arena, line));
}

static void collect_line(void *ctx, const char *name)
{
	struct lines *x = ctx;
	const char *colon = strchr(name, ':');

	if (x->without_module)
		add_line(x, colon ? colon + 1 : name);
	else
		add_line(x, colon ? name : arena_printf(&x->l->arena, "vmlinux:%s", name));
}

/* --- arguments */

static void show_field(struct list *l, const struct world_field *f)
{
	const char *bracket = f->is_data_loc || f->is_rel_loc ? NULL : strchr(f->type, '[');

	if (bracket)
		buf_printf(l->to, "    %.*s %s%s\n", (int)(bracket - f->type), f->type, f->name,
			   bracket);
	else
		buf_printf(l->to, "    %s %s\n", f->type, f->name);
}

static void show_fields(struct list *l, const char *line)
{
	const char *colon = strchr(line, ':');
	const struct world_field *f;
	unsigned int n;

	if (!colon || !l->w->ops->tracepoint_fields ||
	    l->w->ops->tracepoint_fields(l->w,
					 arena_strndup(&l->arena, line, (size_t)(colon - line)),
					 colon + 1, &f, &n) < 0)
		return;
	for (unsigned int i = 0; i < n; i++)
		show_field(l, &f[i]);
}

/* Parameters from `skip` on; `numbered`: arg0, arg1 … instead of their names. */
static void show_params(struct list *l, const struct btf_view *v, uint32_t func, unsigned int skip,
			bool numbered)
{
	const struct btf_type *proto = btf_view_type(v, btf_proto(v, func));

	for (unsigned int i = skip; proto && i < btf_type_vlen(proto); i++) {
		const struct btf_param *p = &btf_type_params(proto)[i];
		const char *type = ctypes_btf_declaration(&l->arena, v, p->type, "");

		if (numbered)
			buf_printf(l->to, "    %s arg%u\n", type, i - skip);
		else
			buf_printf(l->to, "    %s %s\n", type, btf_view_string(v, p->name_off));
	}
}

static void show_result(struct list *l, const struct btf_view *v, uint32_t func, bool says_void)
{
	const struct btf_type *proto = btf_view_type(v, btf_proto(v, func));

	if (proto && proto->type)
		buf_printf(l->to, "    %s retval\n",
			   ctypes_btf_declaration(&l->arena, v, proto->type, ""));
	else if (proto && says_void)
		buf_puts(l->to, "    void\n");
}

static void show_function(struct list *l, enum hook_id id, const char *line)
{
	const char *colon = strchr(line, ':');
	const char *module = colon ? arena_strndup(&l->arena, line, (size_t)(colon - line)) : NULL;
	const struct btf_view *v;
	uint32_t func;

	if (!ctypes_btf_function(l->t, module, colon ? colon + 1 : line, &v, &func))
		return;
	if (id != HOOK_KRETPROBE)
		show_params(l, v, func, 0, id == HOOK_KPROBE);
	if (id == HOOK_KRETPROBE || id == HOOK_FEXIT)
		show_result(l, v, func, id == HOOK_KRETPROBE);
}

static void show_program_function(struct list *l, const char *line)
{
	const char *colon = strrchr(line, ':'), *binary;

	if (!colon)
		return;
	binary = arena_strndup(&l->arena, line, (size_t)(colon - line));
	if (!ctypes_dwarf_signature(l->t, binary, colon + 1, l->to) && !l->has_warned) {
		diag_warn(l->t->diags, D_ATTACH_ARGS, (struct span){0},
			  "No DWARF found for \"%s\", cannot show parameter info", binary);
		l->has_warned = true;
	}
}

static void show_arguments(struct list *l, enum hook_id id, const char *line)
{
	const struct btf_view *v;
	uint32_t func;

	if (id == HOOK_TRACEPOINT) {
		show_fields(l, line);
	} else if (id == HOOK_FENTRY || id == HOOK_FEXIT || id == HOOK_KPROBE ||
		   id == HOOK_KRETPROBE) {
		show_function(l, id, line);
	} else if (id == HOOK_UPROBE) {
		show_program_function(l, line);
	} else if (id == HOOK_RAWTRACEPOINT) {
		const char *colon = strchr(line, ':');

		if (colon && ctypes_btf_raw_tracepoint(l->t, NULL, colon + 1, &v, &func))
			show_params(l, v, func, 1, false);
	} else if (id == HOOK_ITER) {
		const char *name = arena_printf(&l->arena, "bpf_iter_%s", line);

		if (ctypes_btf_function(l->t, NULL, name, &v, &func))
			show_params(l, v, func, 1, false);
	}
}

/* --- lines of a provider */

static void collect_functions(struct lines *x, bool with_module)
{
	struct list *l = x->l;
	const char *module = l->has_target ? l->target : NULL;

	x->without_module = !with_module;
	if (l->w->ops->functions)
		l->w->ops->functions(l->w, module, "*", collect_line, x);
}

/* What BTF has no function for cannot be attached to. */
static void drop_unknown(struct lines *x)
{
	size_t n = 0;

	for (size_t i = 0; i < x->names.n; i++) {
		const char *line = x->names.p[i], *colon = strchr(line, ':');
		const struct btf_view *v;
		uint32_t id;

		if (colon &&
		    ctypes_btf_function(x->l->t,
					arena_strndup(&x->l->arena, line, (size_t)(colon - line)),
					colon + 1, &v, &id))
			x->names.p[n++] = line;
	}
	x->names.n = n;
}

static void collect_raw(struct lines *x)
{
	attach_names all = {0};

	if (!ctypes_kernel(x->l->t))
		return;
	attach_raw_tracepoints(&x->l->arena, ctypes_kernel(x->l->t), "*", &all);
	for (size_t i = 0; i < all.n; i++)
		add_line(x, arena_printf(&x->l->arena, "vmlinux:%s", all.p[i]));
}

static void collect_iters(struct lines *x)
{
	if (ctypes_kernel(x->l->t))
		attach_iters(&x->l->arena, ctypes_kernel(x->l->t), x->glob, &x->names);
}

static void collect_events(struct lines *x, enum hook_id id)
{
	for (const struct hook_event *e = hook_events(id); e && e->name; e++) {
		add_line(x, arena_printf(&x->l->arena, "%s:", e->name));
		if (e->alias)
			add_line(x, arena_printf(&x->l->arena, "%s:", e->alias));
	}
}

static void collect_units(struct lines *x)
{
	static const char *const units[] = {"hz:", "ms:", "s:", "us:"};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		add_line(x, units[i]);
}

static void collect_programs(struct lines *x, enum hook_id id)
{
	struct list *l = x->l;
	const char *target = l->has_target ? l->target : "*";
	const struct world_symbol *s;
	const struct world_usdt *u;
	attach_names files = {0};
	unsigned int n;

	/* all programs of the machine are too much of an answer */
	if (l->pid <= 0 && (!*target || !strcmp(target, "*")))
		return;
	attach_binaries(&l->arena, l->w, target, l->pid, &files);
	for (size_t i = 0; i < files.n; i++) {
		const char *shown =
			strchr(target, '/') && !attach_has_glob(target) ? target : files.p[i];

		if (shown == target)
			x->glob = l->rest;
		else if (!attach_has_glob(target))
			x->glob = arena_printf(&l->arena, "%s:%s", shown,
					       l->rest + strlen(target) + 1);
		if (id == HOOK_USDT) {
			if (!l->w->ops->usdts ||
			    l->w->ops->usdts(l->w, files.p[i], "*", "*", &u, &n) < 0)
				continue;
			for (unsigned int k = 0; k < n; k++)
				add_line(x, arena_printf(&l->arena, "%s:%s:%s", shown,
							 u[k].provider, u[k].name));
			continue;
		}
		if (!l->w->ops->symbols ||
		    l->w->ops->symbols(l->w, files.p[i], "*", true, &s, &n) < 0)
			continue;
		for (unsigned int k = 0; k < n; k++)
			add_line(x, arena_printf(&l->arena, "%s:%s", shown, s[k].name));
	}
}

static void collect(struct lines *x, enum hook_id id)
{
	struct list *l = x->l;

	switch (id) {
	case HOOK_KPROBE:
	case HOOK_KRETPROBE:
		collect_functions(x, l->has_target);
		break;
	case HOOK_FENTRY:
	case HOOK_FEXIT:
		collect_functions(x, true);
		drop_unknown(x);
		break;
	case HOOK_TRACEPOINT:
		if (l->w->ops->tracepoints)
			l->w->ops->tracepoints(l->w, "*", "*", collect_line, x);
		break;
	case HOOK_RAWTRACEPOINT:
		collect_raw(x);
		break;
	case HOOK_ITER:
		collect_iters(x);
		break;
	case HOOK_SOFTWARE:
	case HOOK_HARDWARE:
		collect_events(x, id);
		break;
	case HOOK_PROFILE:
	case HOOK_INTERVAL:
		collect_units(x);
		break;
	case HOOK_UPROBE:
	case HOOK_URETPROBE:
	case HOOK_USDT:
		collect_programs(x, id);
		break;
	case HOOK_SELF:
		add_line(x, "signal:SIGUSR1");
		break;
	case HOOK_BEGIN:
	case HOOK_END:
	case HOOK_TEST:
	case HOOK_BENCH:
	case HOOK_WATCHPOINT:
	case HOOKS:
		break;
	}
}

/* Which of a pattern's parts is matched against what, by provider. */
static const char *glob_of(struct list *l, enum hook_id id)
{
	switch (id) {
	case HOOK_UPROBE:
	case HOOK_URETPROBE:
	case HOOK_USDT:
	case HOOK_TRACEPOINT:
	case HOOK_FENTRY:
	case HOOK_FEXIT:
	case HOOK_RAWTRACEPOINT:
		return l->has_target ? l->rest : arena_printf(&l->arena, "*:%s", l->rest);
	case HOOK_SOFTWARE:
	case HOOK_HARDWARE:
	case HOOK_PROFILE:
	case HOOK_INTERVAL:
		/* lines end with a colon, patterns need not */
		return attach_has_glob(l->rest) || str_ends(str_of(l->rest), STR(":"))
			       ? l->rest
			       : arena_printf(&l->arena, "%s:", l->rest);
	case HOOK_BEGIN:
	case HOOK_END:
	case HOOK_SELF:
	case HOOK_TEST:
	case HOOK_BENCH:
	case HOOK_KPROBE:
	case HOOK_KRETPROBE:
	case HOOK_WATCHPOINT:
	case HOOK_ITER:
	case HOOKS:
		break;
	}
	return l->rest;
}

static void list_provider(struct list *l, const struct hook *hook)
{
	struct lines x = {.l = l};

	x.glob = glob_of(l, hook->id);
	collect(&x, hook->id);
	attach_names_sort(&x.names);
	for (size_t i = 0; i < x.names.n; i++) {
		buf_printf(l->to, "%s:%s\n", hook->name, x.names.p[i]);
		l->found++;
		if (l->verbose)
			show_arguments(l, hook->id, x.names.p[i]);
	}
}

/* What this kernel cannot do is listed only when it is asked for by name. */
static bool is_here(struct list *l, enum hook_id id)
{
	if (id == HOOK_KPROBE)
		return world_has(l->w, WORLD_KPROBE) || world_has(l->w, WORLD_FENTRY);
	return id != HOOK_FENTRY || world_has(l->w, WORLD_FENTRY);
}

/* In the order of their names, as bpftrace has it. */
static void list_providers(struct list *l, const char *glob)
{
	bool with_programs = l->pid > 0;
	attach_names names = {0};

	if (l->has_target && *l->target && !attach_has_glob(l->target) && l->w->ops->binary &&
	    strchr(l->target, '/') && l->w->ops->binary(l->w, l->target, l->pid))
		with_programs = true;
	for (unsigned int i = 0; i < HOOKS; i++)
		if (attach_glob(glob, hooks[i].name) && is_here(l, hooks[i].id) &&
		    ((hooks[i].flags & HOOK_LIST_KERNEL) ||
		     ((hooks[i].flags & HOOK_LIST_USER) && with_programs)))
			array_push(&l->arena, &names, hooks[i].name);
	attach_names_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		list_provider(l, hook_find(names.p[i]));
}

/* --- types */

static const char *type_tag(const char *pattern, uint32_t *ret_kinds)
{
	static const struct {
		const char *word;
		uint32_t kinds;
	} tags[] = {
		{"struct ", BTF_ONE(STRUCT)},
		{"union ", BTF_ONE(UNION)},
		{"enum ", BTF_ONE(ENUM) | BTF_ONE(ENUM64)},
	};

	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
		if (str_starts(str_of(pattern), str_of(tags[i].word))) {
			*ret_kinds = tags[i].kinds;
			return tags[i].word;
		}
	return NULL;
}

static void list_types(struct list *l, const char *tag, uint32_t kinds, const char *glob)
{
	const struct btf_view *v = ctypes_kernel(l->t);
	attach_names names = {0};

	for (unsigned int id = 1, n = v ? btf_view_n(v) : 0; id < n; id++) {
		const struct btf_type *t = btf_view_type(v, id);

		if (t && (kinds & 1u << btf_type_kind(t)) && *btf_view_name(v, t) &&
		    attach_glob(glob, btf_view_name(v, t)))
			array_push(&l->arena, &names, btf_view_name(v, t));
	}
	attach_names_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		l->found++;
		if (!l->verbose) {
			buf_printf(l->to, "%s%s\n", tag, names.p[i]);
			continue;
		}
		buf_puts(l->to, "vmlinux: ");
		ctypes_btf_define(&l->arena, v, btf_find(v, kinds, names.p[i]), l->to);
		buf_putc(l->to, '\n');
	}
}

/* --- a pattern */

static void list_one(struct list *l, const char *pattern)
{
	const char *colon, *provider, *tag;
	const struct hook *hook;
	uint32_t kinds;

	tag = type_tag(pattern, &kinds);
	if (tag) {
		list_types(l, tag, kinds, pattern + strlen(tag));
		return;
	}
	if (!*pattern)
		pattern = "*:*";
	else if (!strchr(pattern, ':'))
		pattern = arena_printf(&l->arena, "*:%s", pattern);
	colon = strchr(pattern, ':');
	provider = arena_strndup(&l->arena, pattern, (size_t)(colon - pattern));
	l->rest = colon[1] ? colon + 1 : "*";
	colon = strchr(l->rest, ':');
	l->has_target = colon && (colon[1] || !strchr(colon, 0));
	l->target =
		l->has_target ? arena_strndup(&l->arena, l->rest, (size_t)(colon - l->rest)) : "";
	if (attach_has_glob(provider) || !*provider) {
		list_providers(l, *provider ? provider : "*");
		return;
	}
	hook = hook_find(provider);
	if (hook)
		list_provider(l, hook);
}

int attach_list_pid(struct world *w, const char *pattern, int pid, bool verbose, struct buf *to,
		    struct diags *d)
{
	struct list l = {.w = w, .pid = pid, .verbose = verbose, .to = to};
	const char *at = pattern ? pattern : "";

	l.t = type_table_new(&l.arena, d, w);
	do {
		size_t n = strcspn(at, ","), from = 0, till = n;

		while (from < till && isspace((unsigned char)at[from]))
			from++;
		while (till > from && isspace((unsigned char)at[till - 1]))
			till--;
		list_one(&l, arena_strndup(&l.arena, at + from, till - from));
		at += n + (at[n] == ',');
	} while (*at);
	type_table_free(l.t);
	arena_done(&l.arena);
	return (int)l.found;
}

int attach_list(struct world *w, const char *pattern, bool verbose, struct buf *to, struct diags *d)
{
	return attach_list_pid(w, pattern, -1, verbose, to, d);
}
