/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points in the kernel: functions, tracepoints, iterators.
 *
 * Functions are those the kernel says may be traced; raw tracepoints and iterators are
 * read off the kernel's BTF, which has a function for each of the former and a struct for
 * each of the latter.
 */
#include "compile/lang/bpftrace/attach-internal.h"
#include "compile/lang/bpftrace/ctypes-internal.h"

/* "module:function" apart. */
static void split_name(struct attach *a, const char *name, const char **ret_module,
		       const char **ret_function)
{
	const char *colon = strchr(name, ':');

	*ret_module = colon ? arena_strndup(a->arena, name, (size_t)(colon - name)) : "vmlinux";
	*ret_function = arena_strdup(a->arena, colon ? colon + 1 : name);
}

static attach_names functions(struct attach *a, const char *module, const char *glob)
{
	struct attach_collect c = {.arena = a->arena};

	if (a->w && a->w->ops->functions)
		a->w->ops->functions(a->w, *module ? module : NULL, glob, attach_collect_name, &c);
	attach_names_sort(&c.names);
	return c.names;
}

/* The kernel says it may be traced; where it says nothing at all, that it exists will do. */
static bool has_function(struct attach *a, const char *module, const char *function)
{
	const struct btf_view *v;
	uint32_t id;

	if (functions(a, module, function).n)
		return true;
	if (!a->o->is_offline)
		return false;
	return ctypes_btf_function(a->t, *module ? module : NULL, function, &v, &id);
}

static void suggest(struct attach *a, const struct spec *s, attach_names *names, const char *typed)
{
	const char *near;

	if (a->is_quiet || a->q->config.missing_probes == MISSING_IGNORE)
		return;
	array_push(a->arena, names, NULL);
	near = str_nearest(typed, names->p);
	if (near && strcmp(near, typed))
		diag_hint(a->d, "Did you mean \"%s:%s\"?", s->hook->name, near);
}

/* The names alone, without their modules. */
static void suggest_function(struct attach *a, const struct spec *s)
{
	attach_names all = functions(a, s->target, "*"), plain = {0};

	for (size_t i = 0; i < all.n; i++) {
		const char *module, *function;

		split_name(a, all.p[i], &module, &function);
		array_push(a->arena, &plain, function);
	}
	suggest(a, s, &plain, s->func);
}

/* What to use instead, where a kernel was built without probes on functions. */
static const struct {
	const char *function, *instead;
} stand_ins[] = {
	{"tcp_connect", "tracepoint:sock:inet_sock_set_state /args.newstate == 2/"},
	{"tcp_v4_connect", "tracepoint:sock:inet_sock_set_state /args.newstate == 2/"},
	{"tcp_v6_connect", "tracepoint:sock:inet_sock_set_state /args.newstate == 2/"},
	{"tcp_set_state", "tracepoint:sock:inet_sock_set_state"},
	{"tcp_retransmit_skb", "tracepoint:tcp:tcp_retransmit_skb"},
	{"tcp_drop", "tracepoint:skb:kfree_skb"},
	{"inet_csk_accept", "tracepoint:syscalls:sys_exit_accept4"},
	{"vfs_read", "tracepoint:syscalls:sys_enter_read"},
	{"vfs_write", "tracepoint:syscalls:sys_enter_write"},
	{"vfs_open", "tracepoint:syscalls:sys_enter_openat"},
	{"vfs_unlink", "tracepoint:syscalls:sys_enter_unlinkat"},
	{"vfs_create", "tracepoint:syscalls:sys_enter_openat"},
	{"vfs_fsync", "tracepoint:syscalls:sys_enter_fsync"},
	{"do_sys_openat2", "tracepoint:syscalls:sys_enter_openat"},
	{"do_nanosleep", "tracepoint:syscalls:sys_enter_clock_nanosleep"},
	{"hrtimer_nanosleep", "tracepoint:syscalls:sys_enter_clock_nanosleep"},
	{"cap_capable", "tracepoint:capability:cap_capable"},
	{"oom_kill_process", "tracepoint:oom:mark_victim"},
	{"finish_task_switch", "tracepoint:sched:sched_switch"},
	{"blk_account_io_start", "tracepoint:block:block_io_start"},
	{"blk_account_io_done", "tracepoint:block:block_io_done"},
	{"submit_bio", "tracepoint:block:block_bio_queue"},
};

/* False, and said so: this kernel has no probes on functions. */
static bool has_probes(struct attach *a, const struct spec *s)
{
	bool is_kprobe = s->hook->id == HOOK_KPROBE || s->hook->id == HOOK_KRETPROBE;
	enum world_feature needed = is_kprobe ? WORLD_KPROBE : WORLD_FENTRY;

	/* one can stand in for the other, as lowering decides */
	if (a->o->is_offline || !a->w || world_has(a->w, needed) ||
	    (is_kprobe && world_has(a->w, WORLD_FENTRY)))
		return true;
	if (a->is_quiet || a->q->config.missing_probes == MISSING_IGNORE)
		return false;
	if (world_has(a->w, WORLD_EMBEDDED))
		(a->q->config.missing_probes == MISSING_WARN ? diag_warn : diag)(
			a->d, D_ATTACH_MISSING, a->point->span,
			"%s: functions of the kernel cannot be probed without privileges",
			attach_name(a, s));
	else
		(a->q->config.missing_probes == MISSING_WARN ? diag_warn : diag)(
			a->d, D_ATTACH_MISSING, a->point->span, "%s: this kernel has no %s (%s)",
			attach_name(a, s), is_kprobe ? "kprobes" : "fentry programs",
			is_kprobe ? "CONFIG_KPROBES, CONFIG_KPROBE_EVENTS"
				  : "CONFIG_FUNCTION_TRACER, "
				    "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS");
	for (size_t i = 0; i < sizeof(stand_ins) / sizeof(*stand_ins); i++)
		if (!strcmp(stand_ins[i].function, s->func)) {
			diag_hint(a->d, "Nearest to it is: %s { ... }", stand_ins[i].instead);
			return false;
		}
	diag_hint(a->d, "Tracepoints are there: skep trace -l 'tracepoint:*'");
	return false;
}

/* --- kprobe, kretprobe */

static void add_kprobe(struct attach *a, const struct spec *s, const char *module,
		       const char *function, bool is_one)
{
	struct spec found = *s;
	struct resolved *r;

	found.func = function;
	if (*s->target && module)
		found.target = module;
	r = attach_add(a, &found);
	r->function = *function ? function : NULL;
	r->module = *found.target && strcmp(found.target, "vmlinux") != 0 ? found.target : NULL;
	r->offset = s->offset;
	r->address = s->address;
	r->is_address = s->has_address;
	r->is_optional = !is_one;
}

static void find_kprobe_glob(struct attach *a, const struct spec *s)
{
	attach_names names = functions(a, s->target, s->func), plain = {0};

	for (size_t i = 0; i < names.n; i++) {
		const char *module, *function;

		if (strstr(names.p[i], ".part.") || strstr(names.p[i], "__ftrace_invalid_address"))
			continue;
		if (*s->target) {
			split_name(a, names.p[i], &module, &function);
			add_kprobe(a, s, module, function, false);
		} else {
			split_name(a, names.p[i], &module, &function);
			array_push(a->arena, &plain, function);
		}
	}
	attach_names_sort(&plain);
	for (size_t i = 0; i < plain.n; i++)
		add_kprobe(a, s, NULL, plain.p[i], false);
}

void attach_find_kprobe(struct attach *a, const struct spec *s)
{
	if (!has_probes(a, s))
		return;
	if (s->has_address) {
		add_kprobe(a, s, NULL, "", true);
		return;
	}
	if (attach_has_glob(s->func) || attach_has_glob(s->target)) {
		find_kprobe_glob(a, s);
		return;
	}
	if (*s->target && strcmp(s->target, "vmlinux") != 0 && !functions(a, s->target, "*").n)
		attach_error(a, D_ATTACH_MISSING,
			     "specified module %s in probe %s:%s:%s is not loaded.", s->target,
			     s->hook->name, s->target, s->func);
	if (has_function(a, s->target, s->func)) {
		add_kprobe(a, s, s->target, s->func, true);
		return;
	}
	if (a->q->config.missing_probes != MISSING_IGNORE && !a->is_quiet)
		diag_warn(a->d, D_ATTACH_MISSING, a->point->span,
			  "%s is not traceable (either non-existing, inlined, or marked as "
			  "\"notrace\"); attaching to it will likely fail",
			  s->func);
	if (!a->o->is_safe || a->o->is_offline) {
		add_kprobe(a, s, s->target, s->func, true);
		return;
	}
	attach_missing(a, s);
	suggest_function(a, s);
}

/* --- fentry, fexit */

static bool add_fentry(struct attach *a, const struct spec *s, const char *module,
		       const char *function, bool is_one)
{
	bool is_exit = s->hook->id == HOOK_FEXIT;
	const struct btf_view *v;
	struct spec found = *s;
	struct resolved *r;
	const char *why = "BTF data for the function not found";
	uint32_t id;

	found.target = module;
	found.func = function;
	r = attach_add(a, &found);
	r->module = module;
	r->function = function;
	r->is_optional = !is_one;
	if (!a->uses_args && !a->uses_retval)
		return true;
	if (ctypes_btf_function(a->t, module, function, &v, &id))
		r->args =
			ctypes_btf_args(a->t, v, id, 0, arena_printf(a->arena, "%s_args", r->name),
					is_exit ? &r->retval : NULL, &why);
	if (r->args)
		return true;
	attach_error(a, D_ATTACH_ARGS, "Could not parse arguments of \"%s\": %s", function, why);
	return false;
}

static void find_fentry_glob(struct attach *a, const struct spec *s)
{
	attach_names names = functions(a, s->target, s->func);

	for (size_t i = 0; i < names.n; i++) {
		const char *module, *function, *why;
		const struct btf_view *v;
		uint32_t id;

		split_name(a, names.p[i], &module, &function);
		/* only what BTF knows, and with arguments that fit, can be attached to */
		if (!ctypes_btf_function(a->t, module, function, &v, &id) ||
		    !ctypes_btf_args(a->t, v, id, 0, "args", NULL, &why))
			continue;
		if (!add_fentry(a, s, module, function, false))
			return;
	}
}

void attach_find_fentry(struct attach *a, const struct spec *s)
{
	attach_names names;
	const char *module = s->target, *function;
	struct spec named = *s;

	if (!strcmp(s->target, "bpf")) {
		attach_error(a, D_ATTACH_MISSING, "%s on BPF programs is not supported yet",
			     s->hook->name);
		return;
	}
	if (!has_probes(a, s))
		return;
	if (attach_has_glob(s->func) || attach_has_glob(s->target)) {
		find_fentry_glob(a, s);
		return;
	}
	names = functions(a, s->target, s->func);
	if (!*s->target && names.n > 1) {
		attach_error(a, D_ATTACH_SYNTAX,
			     "ambiguous attach point, please specify module containing the "
			     "function '%s'",
			     s->func);
		return;
	}
	if (names.n)
		split_name(a, names.p[0], &module, &function);
	if (!names.n && has_function(a, s->target, s->func))
		module = *s->target ? s->target : "vmlinux";
	if (!names.n && !has_function(a, s->target, s->func)) {
		attach_missing(a, s);
		suggest_function(a, s);
		return;
	}
	named.target = module;
	add_fentry(a, &named, module, s->func, true);
}

/* --- tracepoints */

static void add_tracepoint(struct attach *a, const struct spec *s, const char *name, bool is_one)
{
	struct spec found = *s;
	struct resolved *r;

	split_name(a, name, &found.target, &found.func);
	r = attach_add(a, &found);
	r->group = found.target;
	r->event = found.func;
	r->is_optional = !is_one;
	if (!a->uses_args)
		return;
	r->args = type_table_tracepoint_args(a->t, found.target, found.func);
	if (!r->args)
		attach_error(a, D_ATTACH_ARGS, "Tracepoint not found: %s:%s", found.target,
			     found.func);
}

static void missing_tracepoint(struct attach *a, const struct spec *s)
{
	struct attach_collect c = {.arena = a->arena};
	const char *typed = arena_printf(a->arena, "%s:%s", s->target, s->func);

	attach_missing(a, s);
	if (!strcmp(s->target, "syscall")) {
		if (!a->is_quiet)
			diag_hint(a->d, "Did you mean \"tracepoint:syscalls:%s\"?", s->func);
		return;
	}
	if (a->w && a->w->ops->tracepoints)
		a->w->ops->tracepoints(a->w, s->target, "*", attach_collect_name, &c);
	if (!c.names.n && a->w && a->w->ops->tracepoints)
		a->w->ops->tracepoints(a->w, "*", "*", attach_collect_name, &c);
	if (!c.names.n && !a->is_quiet)
		diag_hint(a->d, "None is visible at all: they are listed in /sys/kernel/tracing "
				"(tracefs), for root only");
	if (!a->is_quiet && world_has(a->w, WORLD_EMBEDDED))
		diag_hint(a->d, "What can be had without privileges: syscalls, raw_syscalls, and "
				"sched_process_exec, _exit and _fork of sched");
	suggest(a, s, &c.names, typed);
}

bool attach_hint_group(struct attach *a, const char *event)
{
	struct attach_collect c = {.arena = a->arena};

	if (a->w && a->w->ops->tracepoints && *event)
		a->w->ops->tracepoints(a->w, "*", event, attach_collect_name, &c);
	if (c.names.n)
		diag_hint(a->d, "Did you mean \"tracepoint:%s\"?", c.names.p[0]);
	return c.names.n;
}

void attach_find_tracepoint(struct attach *a, const struct spec *s)
{
	bool has_glob = attach_has_glob(s->target) || attach_has_glob(s->func);
	struct attach_collect c = {.arena = a->arena};

	if (a->w && a->w->ops->tracepoints)
		a->w->ops->tracepoints(a->w, s->target, s->func, attach_collect_name, &c);
	attach_names_sort(&c.names);
	for (size_t i = 0; i < c.names.n; i++)
		add_tracepoint(a, s, c.names.p[i], !has_glob);
	if (!c.names.n && !has_glob)
		missing_tracepoint(a, s);
}

void attach_raw_tracepoints(struct arena *a, const struct btf_view *v, const char *glob,
			    attach_names *ret)
{
	static const char *const prefixes[] = {"__probestub_", "__traceiter_", "btf_trace_"};

	for (unsigned int id = v->base ? v->first : 1, end = btf_view_n(v); id < end; id++) {
		const struct btf_type *t = btf_view_type(v, id);
		unsigned int kind = t ? btf_type_kind(t) : 0;
		const char *name;

		if (kind != BTF_KIND_FUNC && kind != BTF_KIND_TYPEDEF)
			continue;
		name = btf_view_name(v, t);
		for (unsigned int i = kind == BTF_KIND_FUNC ? 0 : 2; i < 3; i++) {
			size_t n = strlen(prefixes[i]);

			if (strncmp(name, prefixes[i], n) != 0)
				continue;
			if (attach_glob(glob, name + n))
				array_push(a, ret, name + n);
			break;
		}
	}
	attach_names_sort(ret);
}

static const struct btf_view *module_view(struct attach *a, const char *module)
{
	if (!strcmp(module, "vmlinux") || attach_glob(module, "vmlinux"))
		return ctypes_kernel(a->t);
	return a->w && a->w->ops->module_btf && !attach_has_glob(module)
		       ? a->w->ops->module_btf(a->w, module)
		       : NULL;
}

static void add_rawtracepoint(struct attach *a, const struct spec *s, const char *module,
			      const char *event, bool is_one)
{
	const struct btf_view *v;
	struct spec found = *s;
	struct resolved *r;
	const char *why = "BTF data for the tracepoint not found";
	uint32_t id;

	found.target = module;
	found.func = event;
	r = attach_add(a, &found);
	r->module = strcmp(module, "vmlinux") ? module : NULL;
	r->event = event;
	r->is_optional = !is_one;
	if (!a->uses_args)
		return;
	if (ctypes_btf_raw_tracepoint(a->t, module, event, &v, &id))
		r->args = ctypes_btf_args(a->t, v, id, 1,
					  arena_printf(a->arena, "%s_args", r->name), NULL, &why);
	if (!r->args)
		attach_error(a, D_ATTACH_ARGS, "Could not parse arguments of \"%s\": %s", event,
			     why);
}

void attach_find_rawtracepoint(struct attach *a, const struct spec *s)
{
	/* "*" for the module is what stands there when none was written */
	bool has_glob = attach_has_glob(s->func) ||
			(attach_has_glob(s->target) && strcmp(s->target, "*") != 0);
	const struct btf_view *v;
	attach_names names = {0};

	if (!ctypes_kernel(a->t)) {
		attach_error(
			a, D_ATTACH_ARGS,
			"rawtracepoints require kernel BTF. Try using a 'tracepoint' instead.");
		return;
	}
	v = module_view(a, s->target);
	if (v)
		attach_raw_tracepoints(a->arena, v, s->func, &names);
	for (size_t i = 0; i < names.n; i++)
		add_rawtracepoint(a, s, v == ctypes_kernel(a->t) ? "vmlinux" : s->target,
				  names.p[i], !has_glob);
	if (names.n || has_glob)
		return;
	if (strcmp(s->target, "*") != 0) {
		attach_missing(a, s);
		return;
	}
	/* as for a wildcard, it is the whole probe that has nothing left */
	attach_raw_tracepoints(a->arena, v, "*", &names);
	array_push(a->arena, &names, NULL);
	a->nearest = str_nearest(s->func, names.p);
	if (a->nearest)
		a->nearest = arena_printf(a->arena, "rawtracepoint:%s", a->nearest);
	if (!strncmp(s->func, "sys_enter_", 10) || !strncmp(s->func, "sys_exit_", 9))
		a->nearest = arena_printf(a->arena, "tracepoint:syscalls:%s", s->func);
}

/* --- iterators */

void attach_iters(struct arena *a, const struct btf_view *v, const char *glob, attach_names *ret)
{
	static const char prefix[] = "bpf_iter__", not [] = "__safe_trusted";
	size_t n = strlen(prefix);

	for (unsigned int id = 1, end = btf_view_n(v); id < end; id++) {
		const struct btf_type *t = btf_view_type(v, id);
		const char *name;

		if (!t || btf_type_kind(t) != BTF_KIND_STRUCT)
			continue;
		name = btf_view_name(v, t);
		if (!strncmp(name, prefix, n) && !str_ends(str_of(name), str_of(not )) &&
		    attach_glob(glob, name + n))
			array_push(a, ret, name + n);
	}
	attach_names_sort(ret);
}

void attach_find_iter(struct attach *a, const struct spec *s)
{
	attach_names all = {0};
	struct resolved *r;

	if (!*s->func) {
		attach_error(a, D_ATTACH_SYNTAX, "iter should specify a iterator's name");
		return;
	}
	if (ctypes_kernel(a->t)) {
		attach_iters(a->arena, ctypes_kernel(a->t), s->func, &all);
		if (!all.n) {
			attach_error(a, D_ATTACH_MISSING,
				     "iter %s not available for your kernel version.", s->func);
			attach_iters(a->arena, ctypes_kernel(a->t), "*", &all);
			suggest(a, s, &all, s->func);
			return;
		}
	}
	r = attach_add(a, s);
	r->event = r->function = s->func;
}
