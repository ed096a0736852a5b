/* SPDX-License-Identifier: Apache-2.0 */
/* Tracepoints by tracefs; functions by BTF, available_filter_functions and kallsyms. */
#include "agent/world-internal.h"
#include "base/macro.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool is_exact(const char *glob)
{
	return !strpbrk(glob, "*?[");
}

/* --- tracepoints */

static void list_events(struct world_kern *w, const char *group, const char *glob, world_name_fn fn,
			void *ctx)
{
	struct arena scratch = {0};
	const char **events = NULL;
	unsigned int n = 0;

	if (is_exact(glob)) {
		if (tracefs_has_event(&w->tracefs, group, glob))
			fn(ctx, arena_printf(&w->arena, "%s:%s", group, glob));
		return;
	}
	tracefs_list(&w->tracefs, group, &scratch, &events, &n);
	for (unsigned int i = 0; i < n; i++)
		if (world_glob(glob, events[i]))
			fn(ctx, arena_printf(&w->arena, "%s:%s", group, events[i]));
	arena_done(&scratch);
}

void world_kern_tracepoints(struct world *base, const char *group, const char *event,
			    world_name_fn fn, void *ctx)
{
	struct world_kern *w = WORLD(base);
	struct arena scratch = {0};
	const char **groups = NULL;
	unsigned int n = 0;

	if (is_exact(group)) {
		list_events(w, group, event, fn, ctx);
		return;
	}
	tracefs_list(&w->tracefs, NULL, &scratch, &groups, &n);
	for (unsigned int i = 0; i < n; i++)
		if (world_glob(group, groups[i]))
			list_events(w, groups[i], event, fn, ctx);
	arena_done(&scratch);
}

/*
 * The exits of all system calls are the same records, and so are the two events behind them, since
 * there are such events (kernel/trace/trace_syscalls.c, include/trace/events/syscalls.h).  To have
 * the kernel write a format file takes 30 µs.
 */
static const struct world_field raw_enter[] = {
	{.type = "long", .name = "id", .offset = 8, .size = 8, .is_signed = true},
	{.type = "unsigned long[6]", .name = "args", .offset = 16, .size = 48},
};
static const struct world_field raw_exit[] = {
	{.type = "long", .name = "id", .offset = 8, .size = 8, .is_signed = true},
	{.type = "long", .name = "ret", .offset = 16, .size = 8, .is_signed = true},
};
static const struct world_field any_exit[] = {
	{.type = "int", .name = "__syscall_nr", .offset = 8, .size = 4, .is_signed = true},
	{.type = "long", .name = "ret", .offset = 16, .size = 8, .is_signed = true},
};

static bool know_format(struct world_format *f)
{
	static const struct {
		const char *group, *event;
		const struct world_field *fields;
		unsigned int n;
	} known[] = {
		{"raw_syscalls", "sys_enter", raw_enter, ELEMENTS(raw_enter)},
		{"raw_syscalls", "sys_exit", raw_exit, ELEMENTS(raw_exit)},
		{"syscalls", "sys_exit_*", any_exit, ELEMENTS(any_exit)},
	};

	for (size_t i = 0; i < ELEMENTS(known); i++) {
		if (strcmp(f->group, known[i].group) != 0 || !world_glob(known[i].event, f->event))
			continue;
		f->fields = known[i].fields;
		f->n = known[i].n;
		return true;
	}
	return false;
}

static void read_format(struct world_kern *w, struct world_format *f)
{
	struct tracefs_format t;
	struct world_field *fields;

	if (know_format(f))
		return;
	f->error = tracefs_format_read(&w->tracefs, f->group, f->event, &w->arena, &t);
	if (f->error < 0)
		return;
	fields = arena_array(&w->arena, struct world_field, MAX(t.fields.n, (size_t)1));
	for (size_t i = 0; i < t.fields.n; i++) {
		const struct tracefs_field *from = &t.fields.p[i];

		fields[i] = (struct world_field){
			.type = from->type,
			.name = from->name,
			.offset = from->offset,
			.size = from->size,
			.is_signed = from->is_signed,
			.is_data_loc = from->is_data_loc,
			.is_rel_loc = from->is_rel_loc,
		};
	}
	f->fields = fields;
	f->n = (unsigned int)t.fields.n;
}

int world_kern_tracepoint_fields(struct world *base, const char *group, const char *event,
				 const struct world_field **ret, unsigned int *ret_n)
{
	struct world_kern *w = WORLD(base);
	struct world_format *f = w->formats;

	while (f && (strcmp(f->event, event) != 0 || strcmp(f->group, group) != 0))
		f = f->next;
	if (!f) {
		f = arena_new(&w->arena, struct world_format);
		f->group = arena_strdup(&w->arena, group);
		f->event = arena_strdup(&w->arena, event);
		read_format(w, f);
		f->next = w->formats;
		w->formats = f;
	}
	if (f->error < 0)
		return f->error;
	*ret = f->fields;
	*ret_n = f->n;
	return 0;
}

/* --- functions */

static void read_functions(struct world_kern *w)
{
	_cleanup_close_ int fd = -1;
	ssize_t n = 1;

	if (w->is_functions_read)
		return;
	w->is_functions_read = true;
	if (!w->traceable_functions) {
		tracefs_read(&w->tracefs, "available_filter_functions", &w->functions);
		return;
	}
	fd = open(w->traceable_functions, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n > 0 && w->functions.n < 64 << 20) {
		buf_reserve(&w->functions, 1 << 16);
		n = read(fd, w->functions.p + w->functions.n, (1 << 16) - 1);
		w->functions.n += n > 0 ? (size_t)n : 0;
	}
}

struct search {
	struct arena *a;
	const char *module, *glob; /* module NULL: any */
	size_t plain_n;		   /* letters of the glob before its first pattern */
	world_name_fn fn;
	void *ctx;
	unsigned int n;
};

static void found(struct search *s, const char *name, size_t n, const char *module, size_t module_n)
{
	char text[512];

	if (n < s->plain_n || memcmp(name, s->glob, s->plain_n) != 0 ||
	    n + module_n + 2 > sizeof(text))
		return;
	memcpy(text, name, n);
	text[n] = 0;
	if (!world_glob(s->glob, text))
		return;
	if (module_n) {
		memcpy(text, module, module_n);
		text[module_n] = 0;
		if (s->module && !world_glob(s->module, text))
			return;
		text[module_n] = ':';
		memcpy(text + module_n + 1, name, n);
		text[module_n + 1 + n] = 0;
	} else if (s->module && !world_glob(s->module, "vmlinux")) {
		return;
	}
	s->n++;
	s->fn(s->ctx, arena_strdup(s->a, text));
}

static void search_list(struct world_kern *w, struct search *s)
{
	const char *p = w->functions.p, *end = p + w->functions.n;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p)), *space, *module = NULL;
		size_t module_n = 0;

		if (!newline)
			newline = end;
		space = memchr(p, ' ', (size_t)(newline - p));
		if (space && newline - space > 3 && space[1] == '[' && newline[-1] == ']') {
			module = space + 2;
			module_n = (size_t)(newline - 1 - module);
		}
		if (*p != '_' || strncmp(p, "__ftrace_invalid_address", 24) != 0)
			found(s, p, (size_t)((space ? space : newline) - p), module, module_n);
		p = newline + 1;
	}
}

static void search_btf(const struct btf_view *v, const char *module, struct search *s)
{
	const struct btf_type *t;

	for (uint32_t id = MAX(v->first, 1u); (t = btf_view_type(v, id)); id++) {
		const char *name;

		if (btf_type_kind(t) != BTF_KIND_FUNC)
			continue;
		name = btf_view_name(v, t);
		found(s, name, strlen(name), module, module ? strlen(module) : 0);
	}
}

static void search_kallsyms(struct world_kern *w, struct search *s)
{
	const struct kallsyms *k = world_kallsyms(w);

	for (size_t i = 0; i < k->n; i++) {
		const struct kallsym *at = &k->all[i];
		const char *module = kallsym_module(k, at);

		if (!strchr("tTwW", at->type))
			continue;
		found(s, kallsym_name(k, at), strlen(kallsym_name(k, at)), module, strlen(module));
	}
}

/* Is there code of the kernel itself by this name?  -ENOENT: no; others: it is not known. */
static int ask_kallsyms(struct world_kern *w, struct search *s)
{
	uint64_t at, begin, end;

	if (w->is_kallsyms_read || !is_exact(s->glob) ||
	    (s->module && strcmp(s->module, "vmlinux") != 0))
		return -ENOTSUP;
	if (kallsyms_ask("_stext", &begin) || kallsyms_ask("_etext", &end))
		return -ENOTSUP;
	if (kallsyms_ask(s->glob, &at))
		return -ENOENT;
	if (at < begin || at >= end)
		return -ENOTSUP; /* of a module, or no code */
	found(s, s->glob, strlen(s->glob), NULL, 0);
	return 0;
}

/* Named in full: the BTF knows at once.  True: it was there. */
static bool search_exact(struct world *base, struct search *s)
{
	bool any = !s->module, is_vmlinux = any || !strcmp(s->module, "vmlinux");
	const struct btf_view *v =
		is_vmlinux ? base->ops->btf(base) : base->ops->module_btf(base, s->module);
	uint32_t id = v ? btf_find(v, BTF_ONE(FUNC), s->glob) : 0;

	if (!id || id < v->first)
		return false;
	found(s, s->glob, strlen(s->glob), is_vmlinux ? NULL : s->module,
	      is_vmlinux ? 0 : strlen(s->module));
	return s->n;
}

void world_kern_functions(struct world *base, const char *module, const char *glob,
			  world_name_fn fn, void *ctx)
{
	struct world_kern *w = WORLD(base);
	struct search s = {
		.a = &w->arena,
		.module = module,
		.glob = glob,
		.plain_n = strcspn(glob, "*?["),
		.fn = fn,
		.ctx = ctx,
	};
	const struct btf_view *v;

	if (module && !*module)
		s.module = NULL;
	if (!w->traceable_functions && is_exact(glob) && (!s.module || is_exact(s.module)) &&
	    search_exact(base, &s))
		return;
	read_functions(w);
	if (w->functions.n) {
		search_list(w, &s);
		return;
	}
	if (w->traceable_functions)
		return;
	/* a kernel that does not say which functions may be traced: all that there are */
	v = base->ops->btf(base);
	if (v && !is_exact(glob) && (!s.module || world_glob(s.module, "vmlinux")))
		search_btf(v, NULL, &s);
	if (!s.n && ask_kallsyms(w, &s) == -ENOTSUP)
		search_kallsyms(w, &s);
}
