/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builtins that stand for other expressions.
 *
 * Those that are known when compiling become literals (probetype, config, kfunc_exist()),
 * those that are shorthands become what they are short for (ppid is
 * curtask->real_parent->pid).  Also here: which builtin may be used in which probe.
 */
#include "compile/lang/bpftrace/check-rules.h"

/* --- making trees */

static struct expr *made(struct check *c, const struct expr *like, enum expr_kind kind)
{
	struct expr *e = arena_new(c->a, struct expr);

	e->kind = kind;
	e->span = like->span;
	e->op_span = like->op_span;
	return e;
}

static void become_string(struct expr *e, struct str text)
{
	*e = (struct expr){
		.kind = EXPR_STRING, .span = e->span, .op_span = e->op_span, .text = text};
}

static void become_bool(struct expr *e, bool value)
{
	*e = (struct expr){
		.kind = EXPR_BOOL, .span = e->span, .op_span = e->op_span, .number = value};
}

static void become_int(struct expr *e, uint64_t value)
{
	*e = (struct expr){
		.kind = EXPR_INT, .span = e->span, .op_span = e->op_span, .number = value};
}

static struct expr *field(struct check *c, struct expr *of, const char *name)
{
	struct expr *e = made(c, of, EXPR_FIELD);

	e->a = of;
	e->name = name;
	e->is_arrow = true;
	return e;
}

static struct type_ref *ref_to(struct check *c, const struct expr *like, int tag, const char *name,
			       bool is_pointer)
{
	struct type_ref *r = arena_new(c->a, struct type_ref);

	r->span = like->span;
	r->tag = tag;
	r->name = name;
	if (is_pointer)
		array_push(c->a, &r->suffixes, ((struct type_suffix){.kind = SUFFIX_POINTER}));
	return r;
}

/* --- shorthands */

/* ppid, ppid(task): members of a task_struct. */
static void become_task_field(struct check *c, struct expr *e, const char *through,
			      const char *name)
{
	struct expr *task;

	if (e->items.n) {
		task = e->items.p[0];
	} else {
		task = made(c, e, EXPR_CALL);
		task->name = "curtask";
		task->builtin = builtin_find("curtask");
	}
	*e = *field(c, field(c, task, through), name);
}

/* (type *)((int8 *)ptr - offsetof(type, member)) */
static void become_container(struct check *c, struct expr *e)
{
	struct expr *type = e->items.p[1], *path = e->items.p[2], *offset, *base, *sum;
	struct type_ref *to;

	if (type->kind != EXPR_TYPE || !type->ref) {
		diag(c->d, D_ARGUMENT_TYPE, type->span,
		     "container_of() expects a type as its second argument");
		return;
	}
	offset = made(c, e, EXPR_OFFSETOF);
	offset->ref = type->ref;
	for (; path->kind == EXPR_FIELD; path = path->a)
		array_push(c->a, &offset->names, path->name);
	if (!path->name) {
		diag(c->d, D_ARGUMENT_TYPE, path->span,
		     "container_of() expects a member as its third argument");
		return;
	}
	array_push(c->a, &offset->names, path->name);
	for (size_t i = 0, k = offset->names.n; i + 1 < k; i++) {
		const char *swap = offset->names.p[i];

		offset->names.p[i] = offset->names.p[--k];
		offset->names.p[k] = swap;
	}
	base = made(c, e, EXPR_CAST);
	base->ref = ref_to(c, e, TAG_NONE, "int8", true);
	base->a = e->items.p[0];
	sum = made(c, e, EXPR_BINARY);
	sum->op = OP_SUB;
	sum->a = base;
	sum->b = offset;
	to = arena_new(c->a, struct type_ref);
	to->span = type->span;
	to->of_type = type->ref;
	array_push(c->a, &to->suffixes, ((struct type_suffix){.kind = SUFFIX_POINTER}));
	*e = (struct expr){
		.kind = EXPR_CAST, .span = e->span, .op_span = e->span, .a = sum, .ref = to};
}

/* --- literals */

static void add_setting(struct check *c, struct expr *e, const char *name, struct expr *value)
{
	array_push(c->a, &e->names, name);
	array_push(c->a, &e->items, value);
}

static void set_bool(struct check *c, struct expr *e, const char *name, bool value)
{
	struct expr *v = made(c, e, EXPR_BOOL);

	v->number = value;
	add_setting(c, e, name, v);
}

static void set_int(struct check *c, struct expr *e, const char *name, uint64_t value)
{
	struct expr *v = made(c, e, EXPR_INT);

	v->number = value;
	add_setting(c, e, name, v);
}

static void set_text(struct check *c, struct expr *e, const char *name, const char *value)
{
	struct expr *v = made(c, e, EXPR_STRING);

	v->text = str_of(value ? value : "");
	v->is_bare = true;
	add_setting(c, e, name, v);
}

static void become_config(struct check *c, struct expr *e)
{
	static const char *const stacks[] = {"bpftrace", "perf", "raw", "build_id"};
	static const char *const missing[] = {"error", "warn", "ignore"};
	const struct question_config *q = &c->q->config;

	*e = (struct expr){.kind = EXPR_RECORD, .span = e->span, .op_span = e->op_span};
	set_bool(c, e, "cpp_demangle", q->cpp_demangle);
	set_bool(c, e, "lazy_symbolication", q->lazy_symbolication);
	set_bool(c, e, "print_maps_on_exit", q->print_maps_on_exit);
	set_bool(c, e, "use_blazesym", false);
	set_bool(c, e, "show_debug_info", q->show_debug_info);
	set_int(c, e, "log_size", q->log_size);
	set_int(c, e, "max_bpf_progs", q->max_bpf_progs);
	set_int(c, e, "max_cat_bytes", q->max_cat_bytes);
	set_int(c, e, "max_map_keys", q->max_map_keys);
	set_int(c, e, "max_probes", q->max_probes);
	set_int(c, e, "max_strlen", q->max_strlen);
	set_int(c, e, "on_stack_limit", q->on_stack_limit);
	set_int(c, e, "perf_rb_pages", q->perf_rb_pages);
	set_text(c, e, "str_trunc_trailer", q->str_trunc_trailer);
	set_text(c, e, "missing_probes", missing[q->missing_probes]);
	set_text(c, e, "stack_mode", stacks[q->stack_mode]);
	set_text(c, e, "license", q->license);
}

static bool has_kfunc(struct check *c, const char *name)
{
	const struct type *result = NULL;

	return c->tt && type_table_function_args(c->tt, NULL, name, &result);
}

static void become_kfunc(struct check *c, struct expr *e)
{
	const char *name = e->builtin->name;

	if (!e->items.n || e->items.p[0]->kind != EXPR_STRING) {
		diag(c->d, D_ARGUMENT_VALUE, e->span, "%s() accepts a string literal only", name);
		return;
	}
	/* Which programs may call one is not in BTF; that it is there is the best guess. */
	become_bool(
		e, has_kfunc(c, arena_strndup(c->a, e->items.p[0]->text.p, e->items.p[0]->text.n)));
}

static void become_probe(struct check *c, struct expr *e)
{
	const struct checked_probe *p = c->probe;

	if (p && p->n_points == 1 && p->points->name)
		become_string(e, str_of(p->points->name));
}

static void become_probetype(struct check *c, struct expr *e)
{
	const char *provider = probe_provider(c->probe);

	if (provider &&
	    (!strcmp(provider, "begin") || !strcmp(provider, "end") || !strcmp(provider, "self")))
		become_string(e, STR("special"));
	else if (provider)
		become_string(e, str_of(provider));
	else
		diag(c->d, D_NOT_HERE, e->span,
		     "__builtin_probetype can only be used inside of a probe.");
}

static void become_native(struct check *c, struct expr *e)
{
	switch ((int)e->builtin->id) {
	case BUILTIN_PPID:
		become_task_field(c, e, "real_parent", "pid");
		break;
	case BUILTIN_PCOMM:
		become_task_field(c, e, "real_parent", "comm");
		break;
	case BUILTIN_LEADER_TID:
		become_task_field(c, e, "group_leader", "pid");
		break;
	case BUILTIN_LEADER_COMM:
		become_task_field(c, e, "group_leader", "comm");
		break;
	case BUILTIN_CONTAINER_OF:
		if (e->items.n == 3)
			become_container(c, e);
		break;
	case BUILTIN_CONFIG:
		become_config(c, e);
		break;
	case BUILTIN_DEFAULT_STR_LENGTH:
		become_int(e, c->q->config.max_strlen);
		break;
	case BUILTIN_KFUNC_EXIST:
	case BUILTIN_KFUNC_ALLOWED:
		become_kfunc(c, e);
		break;
	case BUILTIN_PROBE:
		become_probe(c, e);
		break;
	case BUILTIN_PROBETYPE:
		become_probetype(c, e);
		break;
	case BUILTIN_IS_LITERAL:
		if (e->items.n == 1)
			become_bool(e, expr_is_literal(e->items.p[0]));
		break;
	case BUILTIN_IS_SCALAR:
		if (e->items.n == 1 && e->items.p[0]->kind == EXPR_MAP &&
		    map_of(e->items.p[0]->map)->is_known)
			become_bool(e, map_of(e->items.p[0]->map)->is_scalar);
		else if (e->items.n == 1 && e->items.p[0]->kind == EXPR_MAP)
			diag(c->d, D_MAP_UNDEFINED, e->span, "Unknown map: %s",
			     e->items.p[0]->name);
		else if (e->items.n == 1)
			diag(c->d, D_ARGUMENT_TYPE, e->span,
			     "is_scalar() expects a map for the first argument");
		break;
	}
}

/* --- where builtins may be used */

static void only_in(struct check *c, const struct expr *e, const char *const *providers,
		    const char *text)
{
	if (c->probe && !is_provider(c->probe, providers))
		diag(c->d, D_NOT_HERE, e->span, "%s", text);
}

static void check_ctx(struct check *c, const struct expr *e)
{
	static const char *const tracepoint[] = {"tracepoint", NULL};
	static const char *const others[] = {"kprobe",	 "kretprobe",  "uprobe",   "uretprobe",
					     "usdt",	 "profile",    "interval", "software",
					     "hardware", "watchpoint", "iter",	   NULL};

	if (is_provider(c->probe, tracepoint))
		diag(c->d, D_NOT_HERE, e->span, "Use args instead of ctx in tracepoint");
	else if (!is_provider(c->probe, others))
		diag(c->d, D_NOT_HERE, e->span, "The ctx builtin can not be used with '%s' probes",
		     probe_provider(c->probe));
}

/* Before get_func_ip (5.15; in uretprobes 6.6) a name says where the action is attached. */
static void check_func(struct check *c, const struct expr *e)
{
	static const char *const with[] = {"kprobe", "kretprobe", "uprobe", "uretprobe",
					   "fentry", "fexit",	  NULL};

	if (!is_provider(c->probe, with))
		diag(c->d, D_NOT_HERE, e->span, "The func builtin can not be used with '%s' probes",
		     probe_provider(c->probe));
}

static void check_args(struct check *c, const struct expr *e)
{
	static const char *const with[] = {"tracepoint", "rawtracepoint", "fentry",
					   "fexit",	 "uprobe",	  NULL};
	static const char *const traced[] = {"fentry", "fexit", NULL};

	if (!is_provider(c->probe, with))
		diag(c->d, D_NOT_HERE, e->span,
		     "The args builtin can only be used with tracepoint, rawtracepoint, "
		     "fentry/fexit, and uprobe probes (%s used here)",
		     probe_provider(c->probe));
	else if (is_provider(c->probe, traced) && c->probe->points->module &&
		 !strcmp(c->probe->points->module, "bpf"))
		diag(c->d, D_NOT_HERE, e->span,
		     "The args builtin cannot be used for 'fentry/fexit:bpf' probes");
}

static void check_arg(struct check *c, const struct expr *e)
{
	static const char *const with[] = {"kprobe", "uprobe", "usdt", "rawtracepoint", NULL};
	static const char *const usdt[] = {"usdt", NULL};
	static const char *const tracepoint[] = {"tracepoint", NULL};

	if (!is_provider(c->probe, with))
		diag(c->d, D_NOT_HERE, e->span,
		     "The arg%llu builtin can only be used with 'kprobes', 'uprobes' and 'usdt' "
		     "probes",
		     (unsigned long long)e->number);
	if (is_provider(c->probe, tracepoint))
		diag_hint(c->d, "Here they have names: -lv '%s' shows them",
			  c->probe->points->name);
	else if (e->number >= 6 && !is_provider(c->probe, usdt))
		diag(c->d, D_LIMIT, e->span, "x86_64 doesn't support arg%llu",
		     (unsigned long long)e->number);
}

static void check_retval(struct check *c, const struct expr *e)
{
	static const char *const with[] = {"kretprobe", "uretprobe", "fentry", "fexit", NULL};
	static const char *const entry[] = {"kprobe", "uprobe", NULL};
	static const char *const tracepoint[] = {"tracepoint", NULL};

	only_in(c, e, with,
		is_provider(c->probe, tracepoint)
			? "The retval builtin can only be used with 'kretprobe' and 'uretprobe' "
			  "and 'fentry' probes (try to use args.ret instead)"
			: "The retval builtin can only be used with 'kretprobe' and 'uretprobe' "
			  "and 'fentry' probes");
	if (is_provider(c->probe, entry))
		diag_hint(c->d, "It is known when the function returns: %.1sret%s",
			  probe_provider(c->probe), probe_provider(c->probe) + 1);
}

static void check_place(struct check *c, const struct expr *e)
{
	switch ((int)e->builtin->id) {
	case BUILTIN_CTX:
		check_ctx(c, e);
		break;
	case BUILTIN_FUNC:
		check_func(c, e);
		break;
	case BUILTIN_ARGS:
		check_args(c, e);
		break;
	case BUILTIN_ARG:
		check_arg(c, e);
		break;
	case BUILTIN_RETVAL:
		check_retval(c, e);
		break;
	}
}

static void native_expr(struct visit *w, struct expr *e)
{
	struct check *c = w->ctx;

	if (e->kind != EXPR_CALL || !e->builtin)
		return;
	if (c->probe)
		check_place(c, e);
	become_native(c, e);
}

void check_natives(struct check *c)
{
	struct visit w = {.ctx = c, .expr = native_expr};

	for (size_t i = 0; i < c->p->fns.n; i++)
		visit_block(&w, c->p->fns.p[i]->block);
	for (size_t i = 0; i < c->ret->probes.n; i++) {
		c->probe = &c->ret->probes.p[i];
		visit_probe(&w, c->probe->probe);
	}
	c->probe = NULL;
}
