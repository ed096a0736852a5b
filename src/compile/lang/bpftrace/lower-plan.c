/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which program serves which points.
 *
 * A hook may be had in several ways; here the cheapest that means the same is chosen:
 *
 *	tracepoint      raw, if the action does not look at args, or only at those that can
 *	                be had as well, as the id of raw_syscalls:* or a task's pid (detached
 *	                at once); else by perf event, whose context has the fields.  Not tp_btf,
 *	                where raw will do: the kernel takes 0.1 ms more to load it, since it
 *	                looks through all its types.  It will not, where members of tasks are
 *	                read thousands of times a second, and the program cannot cast
 *	rawtracepoint   tp_btf with typed arguments, else raw
 *	kprobe          by perf event, kprobe.multi for several functions; fentry where the
 *	                kernel has no kprobes
 *	uprobe          the same: uprobe.multi for several places in one program
 *	begin, end …    a raw tracepoint program that is run by test-run
 *
 * A program that is bound to its target when it is loaded (tp_btf, fentry) is made once a
 * point; others serve all points of the action, told apart by their cookie: the row in
 * question.probes.
 */
#include "compile/lang/bpftrace/lower-internal.h"

#include "catalog/tracepoint-args.h"

#include <errno.h>

/* --- what an action asks for */

enum { ASKS_ARGS = 1, ASKS_NAME = 2, ASKS_CTX = 4 };

/* Fields of `args` that do not count, since this way has them, too. */
struct but {
	bool (*has)(struct lower *L, const struct unit *u, const struct expr *field);
	struct lower *L;
	const struct unit *u;
};

static bool block_asks(const struct block *b, unsigned int what, const struct but *but);

/* args.id, args.ret */
static bool is_raw_field(struct lower *L, const struct unit *u, const struct expr *e)
{
	(void)L;
	(void)u;
	return !strcmp(e->name, "id") || !strcmp(e->name, "ret");
}

static bool expr_asks(const struct expr *e, unsigned int what, const struct but *but)
{
	if (!e || (but && e->kind == EXPR_FIELD && e->name && lower_is_args(e->a) &&
		   but->has(but->L, but->u, e)))
		return false;
	if ((e->kind == EXPR_CALL || e->kind == EXPR_BUILTIN) && e->builtin) {
		enum builtin_id id = e->builtin->id;

		if ((what & ASKS_ARGS) &&
		    (id == BUILTIN_ARGS || id == BUILTIN_CTX || id == BUILTIN_REG ||
		     id == BUILTIN_USERMODE || id == BUILTIN_ARG || id == BUILTIN_FUNC))
			return true;
		if ((what & ASKS_NAME) && (id == BUILTIN_PROBE || id == BUILTIN_FUNC))
			return true;
		if ((what & ASKS_CTX) && (id == BUILTIN_CTX || id == BUILTIN_REG ||
					  id == BUILTIN_USERMODE || id == BUILTIN_OVERRIDE))
			return true;
	}
	for (size_t i = 0; i < e->items.n; i++)
		if (expr_asks(e->items.p[i], what, but))
			return true;
	return expr_asks(e->a, what, but) || expr_asks(e->b, what, but) ||
	       expr_asks(e->c, what, but) || block_asks(e->block, what, but);
}

static bool block_asks(const struct block *b, unsigned int what, const struct but *but)
{
	if (!b)
		return false;
	for (size_t i = 0; i < b->stmts.n; i++) {
		const struct stmt *s = b->stmts.p[i];

		if (expr_asks(s->a, what, but) || expr_asks(s->b, what, but) ||
		    expr_asks(s->c, what, but) || block_asks(s->block, what, but) ||
		    block_asks(s->other, what, but))
			return true;
	}
	return expr_asks(b->value, what, but);
}

static bool asks_but(const struct checked_probe *p, unsigned int what, const struct but *but)
{
	return expr_asks(p->probe->predicate, what, but) || block_asks(p->probe->block, what, but);
}

static bool asks(const struct checked_probe *p, unsigned int what)
{
	return asks_but(p, what, NULL);
}

/* --- the choice */

static bool has_btf_tracepoint(struct lower *L, const char *event)
{
	const struct btf_view *v = lower_types(L);
	char name[128];

	if (!v || !world_has(L->w, WORLD_TP_BTF))
		return false;
	if ((size_t)snprintf(name, sizeof(name), "btf_trace_%s", event) >= sizeof(name))
		return false;
	return btf_find(v, 1u << BTF_KIND_TYPEDEF, name) != 0;
}

/*
 * Is there a raw tracepoint of this name?  Some are on every kernel; of others a type tells, which
 * is to be searched for.
 */
static bool has_raw_tracepoint(struct lower *L, const char *event)
{
	static const char *const always[] = {"sys_enter",	   "sys_exit",
					     "sched_switch",	   "sched_process_exit",
					     "sched_process_exec", "sched_process_fork",
					     "sched_wakeup",	   "sched_wakeup_new"};

	if (world_has(L->w, WORLD_EMBEDDED))
		return false;
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		if (!strcmp(always[i], event))
			return true;
	return has_btf_tracepoint(L, event);
}

void lower_attach_by(struct unit *u, enum question_attach kind)
{
	static const enum access accesses[QATTACHES] = {
#define ATTACH(id, prog, type, access, traits, needs, feature, kern, vm, does) ACCESS_##access,
#include "catalog/attach.def"
#undef ATTACH
	};
	const struct attach_kind *k = &attach_kinds[kind];

	u->attach = kind;
	u->prog_type = k->prog_type;
	u->attach_type = k->attach_type;
	u->access = accesses[kind];
	u->has_typed_ctx = k->prog_type == BPF_PROG_TYPE_TRACING;
	u->is_filtered = k->traits & QA_FILTER;
}

/* Bound to its target when it is loaded. */
static void by_trampoline(struct unit *u, enum question_attach kind, const char *name,
			  const char *module)
{
	lower_attach_by(u, kind);
	u->btf_name = name;
	u->btf_module = module && *module && strcmp(module, "vmlinux") != 0 ? module : NULL;
}

bool lower_is_raw_syscall(const struct checked_probe *p, const struct resolved *r)
{
	return r->hook->id == HOOK_TRACEPOINT && r->group && !strcmp(r->group, "raw_syscalls") &&
	       (!strcmp(r->event, "sys_enter") || !strcmp(r->event, "sys_exit")) &&
	       !asks_but(p, ASKS_ARGS, &(struct but){.has = is_raw_field});
}

/* --- the column `plan` of hooks.def: a better way than the plain one, which is set already */

static void plan_as_is(struct lower *L, struct unit *u)
{
	(void)L;
	(void)u;
}

static void plan_tracepoint(struct lower *L, struct unit *u)
{
	bool is_enter = !strcmp(u->point->event, "sys_enter");

	/* at the exit the number is among the registers */
	if (lower_is_raw_syscall(u->probe, u->point) &&
	    (is_enter || world_has(L->w, WORLD_TASK_PT_REGS) || world_has(L->w, WORLD_CAST)) &&
	    has_raw_tracepoint(L, u->point->event)) {
		lower_attach_by(u, QATTACH_RAW_TP);
		u->access = is_enter ? ACCESS_SYS_ENTER : ACCESS_SYS_EXIT;
		return;
	}
	if (!asks(u->probe, ASKS_ARGS)) {
		if (has_raw_tracepoint(L, u->point->event))
			lower_attach_by(u, QATTACH_RAW_TP);
		return;
	}
	/* the offsets are those of this kernel */
	if (L->o->is_portable || world_has(L->w, WORLD_EMBEDDED) ||
	    asks_but(u->probe, ASKS_ARGS, &(struct but){lower_raw_has, L, u}))
		return;
	if (!world_has(L->w, WORLD_CAST) && tracepoint_is_often(u->point->group, u->point->event) &&
	    asks_but(u->probe, ASKS_ARGS, &(struct but){lower_raw_is_plain, L, u}) &&
	    has_btf_tracepoint(L, u->point->event))
		by_trampoline(u, QATTACH_TP_BTF_FIELDS, u->point->event, NULL);
	else
		lower_attach_by(u, QATTACH_RAW_FIELDS);
}

static void plan_raw(struct lower *L, struct unit *u)
{
	if (has_btf_tracepoint(L, u->point->event))
		by_trampoline(u, QATTACH_TP_BTF, u->point->event, NULL);
}

static void plan_function(struct lower *L, struct unit *u)
{
	(void)L;
	by_trampoline(u, u->attach, u->point->function, u->point->module);
}

static void plan_iter(struct lower *L, struct unit *u)
{
	(void)L;
	by_trampoline(u, u->attach, u->point->event, NULL);
}

static void plan_kprobe(struct lower *L, struct unit *u)
{
	bool is_return = attach_has(u->attach, QA_RETURN);

	if (!world_has(L->w, WORLD_KPROBE) && world_has(L->w, WORLD_FENTRY) && !u->point->offset &&
	    !u->point->is_address && !asks(u->probe, ASKS_CTX))
		by_trampoline(u, is_return ? QATTACH_FEXIT : QATTACH_FENTRY, u->point->function,
			      u->point->module);
	else if (u->probe->n_points > 1 && world_has(L->w, WORLD_KPROBE_MULTI))
		lower_attach_by(u, is_return ? QATTACH_KRETPROBE_MULTI : QATTACH_KPROBE_MULTI);
}

static bool is_one_binary(const struct checked_probe *p)
{
	for (const struct resolved *r = p->points; r; r = r->next)
		if (!r->binary || strcmp(r->binary, p->points->binary) != 0 ||
		    (r->usdt_arg && r->usdt_arg->semaphore))
			return false;
	return true;
}

static void plan_uprobe(struct lower *L, struct unit *u)
{
	bool is_return = attach_has(u->attach, QA_RETURN);

	if (u->probe->n_points > 1 && world_has(L->w, WORLD_UPROBE_MULTI) &&
	    u->probe->points->binary && is_one_binary(u->probe))
		lower_attach_by(u, is_return ? QATTACH_URETPROBE_MULTI : QATTACH_UPROBE_MULTI);
}

static void (*const plans[HOOKS])(struct lower *L, struct unit *u) = {
#define HOOK(id, name, aliases, prog_type, space, flags, attach, plan, parts, help) plan_##plan,
#include "catalog/hooks.def"
#undef HOOK
};

static void choose(struct lower *L, struct unit *u, const struct hook *hook)
{
	u->provider = hook->id;
	lower_attach_by(u, hook->attach);
	plans[hook->id](L, u);
}

/* Is the target part of the loaded program? */
static bool is_bound(const struct unit *u)
{
	return u->prog_type == BPF_PROG_TYPE_TRACING;
}

void lower_plan(struct lower *L, const struct checked_probe *p,
		void (*fn)(struct lower *L, struct unit *u))
{
	bool is_named = asks(p, ASKS_NAME);

	for (const struct resolved *r = p->points; r; r = r->next) {
		struct unit *u;

		if (lower_is_syscall_point(L, r) || lower_joins_dispatch(L, p))
			continue;
		u = arena_new(L->a, struct unit);
		*u = (struct unit){.probe = p, .point = r, .n_points = 1, .is_named = is_named};
		choose(L, u, r->hook);
		if (is_bound(u) || u->prog_type == BPF_PROG_TYPE_RAW_TRACEPOINT) {
			fn(L, u);
			continue;
		}
		u->n_points = p->n_points;
		u->has_cookie = u->n_points > 1 && world_has(L->w, WORLD_ATTACH_COOKIE);
		if (u->n_points > 1 && is_named && !u->has_cookie) {
			u->n_points = 1; /* no cookies: a program each */
			fn(L, u);
			continue;
		}
		fn(L, u);
		return;
	}
}

/* --- rows of question.probes */

static void row_values(struct question_probe *q, const struct resolved *r)
{
	q->name = r->name;
	q->func = r->func;
	q->group = r->group;
	q->target = r->function ? r->function : r->event;
	q->module = r->module;
	q->binary = r->binary;
	q->offset = r->offset;
	q->address = r->address;
	q->period = r->period;
	q->is_freq = r->is_freq;
	q->perf_type = r->perf_type;
	q->perf_config = r->perf_config;
	q->length = r->length;
	q->mode = r->mode;
	q->number = (uint32_t)r->number;
	q->pin = r->pin;
	q->is_optional = r->is_optional;
	q->span = r->point ? r->point->span : (struct span){};
	if (r->binary) {
		/* the place in the file */
		if (r->usdt_arg) {
			q->address = r->usdt_arg->offset;
			q->ref_ctr = r->usdt_arg->semaphore;
		} else if (r->symbol) {
			q->address = r->symbol->offset + r->offset;
		} else {
			q->address = r->offset;
		}
	}
}

static void multi_targets(struct lower *L, const struct unit *u, struct question_probe *row)
{
	const char **names = arena_array(L->a, const char *, u->n_points);
	uint64_t *addresses = arena_array(L->a, uint64_t, u->n_points);
	uint64_t *cookies = arena_array(L->a, uint64_t, u->n_points);
	uint32_t n = 0;

	for (const struct resolved *r = u->point; r && n < u->n_points; r = r->next, n++) {
		struct question_probe tmp = {0};

		row_values(&tmp, r);
		names[n] = tmp.target;
		addresses[n] = tmp.address;
		cookies[n] = u->row + n;
	}
	row->targets = row->binary ? NULL : names;
	row->addresses = row->binary ? addresses : NULL;
	row->cookies = cookies;
	row->n_targets = n;
	row->counts_as = 0;
	for (const struct resolved *r = u->point; r && n; r = r->next, n--)
		row->counts_as += !r->is_uncounted;
}

void lower_probe_row(struct lower *L, const struct unit *u)
{
	uint32_t n = 0;

	for (const struct resolved *r = u->point; r && n < u->n_points; r = r->next, n++) {
		struct question_probe row = {
			.prog = u->index, .pid = -1, .counts_as = !r->is_uncounted};

		row_values(&row, r);
		row.attach = u->attach;
		row.cookie = u->has_cookie ? u->row + n : 0;
		if (attach_has(u->attach, QA_PID))
			row.pid = L->o->pid;
		if (attach_has(u->attach, QA_MULTI)) {
			if (!n) {
				multi_targets(L, u, &row);
			} else { /* its name only */
				row.attach = QATTACH_NONE;
				row.counts_as = 0;
			}
		}
		array_push(L->a, &L->q->probes, row);
	}
}

const char *lower_prog_name(struct lower *L, const struct unit *u)
{
	const struct resolved *r = u->point;
	const char *from = r->function ? r->function
			   : r->event  ? r->event
			   : r->hook   ? r->hook->name
				       : "prog";
	char name[16];
	size_t n = 0;

	for (; *from && n < 15; from++)
		name[n++] = (*from >= 'a' && *from <= 'z') || (*from >= 'A' && *from <= 'Z') ||
					    (*from >= '0' && *from <= '9')
				    ? *from
				    : '_';
	name[n] = 0;
	return arena_strdup(L->a, n ? name : "prog");
}
