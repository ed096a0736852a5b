/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which events run which programs; what cannot be had without the kernel, and what is nearest.
 */
#include "runtime/vm/hook/query-internal.h"

#include "base/clock.h"
#include "catalog/syscall-table.h"

#include <errno.h>
#include <stdio.h>

static void add(struct hooks *to, struct hook *h)
{
	if (!to->last)
		to->last = &to->first;
	*to->last = h;
	to->last = &h->next;
}

static struct hook *hook_new(struct query_vm *x, const struct question_probe *p)
{
	struct hook *h = arena_new(&x->arena, struct hook);

	h->prog = &x->progs[p->prog];
	h->cookie = p->cookie;
	return h;
}

/* --- tracepoints */

static int attach_call(struct query_vm *x, const struct question_probe *p, const char *call,
		       bool is_exit)
{
	int nr = syscall_number(call);

	if (nr < 0 || nr >= CALLS_MAX)
		return -ENOENT;
	add(is_exit ? &x->leave[nr] : &x->enter[nr], hook_new(x, p));
	call_set_add(is_exit ? tracer_exit_calls(x->tracer) : tracer_enter_calls(x->tracer), nr);
	return 0;
}

static int attach_tracepoint(struct query_vm *x, const struct question_probe *p)
{
	const char *group = p->group ? p->group : "", *event = p->target ? p->target : "";
	const struct {
		const char *group, *event;
		struct hooks *to;
		struct call_set *all;
	} others[] = {
		{"raw_syscalls", "sys_enter", &x->raw_enter, tracer_enter_calls(x->tracer)},
		{"raw_syscalls", "sys_exit", &x->raw_leave, tracer_exit_calls(x->tracer)},
		{"sched", "sched_process_exec", &x->exec, NULL},
		{"sched", "sched_process_exit", &x->end, NULL},
		{"sched", "sched_process_fork", &x->fork, NULL},
	};

	if (!strcmp(group, "syscalls") && !strncmp(event, "sys_enter_", 10))
		return attach_call(x, p, event + 10, false);
	if (!strcmp(group, "syscalls") && !strncmp(event, "sys_exit_", 9))
		return attach_call(x, p, event + 9, true);
	for (size_t i = 0; i < ELEMENTS(others); i++) {
		if (strcmp(others[i].group, group) != 0 || strcmp(others[i].event, event) != 0)
			continue;
		add(others[i].to, hook_new(x, p));
		if (others[i].all)
			others[i].all->all = true;
		return 0;
	}
	return -ENOENT;
}

/* --- clocks */

static int attach_clock(struct query_vm *x, const struct question_probe *p)
{
	struct hook *h;

	if (!p->period)
		return -EINVAL;
	h = hook_new(x, p);
	h->period_ns = p->is_freq ? MAX(NS_PER_S / p->period, 1ull) : p->period;
	h->next_ns = clock_mono_ns() + h->period_ns;
	add(&x->clocks, h);
	return 0;
}

/* --- which way a probe goes */

/* How a kind is had here: by a function, or not, and then what is nearest. */
struct way {
	int (*attach)(struct query_vm *x, const struct question_probe *p);
	bool needs_command;
	const char *why_not, *instead;
};

#define IN_KERNEL "this is a place in the kernel, which needs privileges"
#define USE_CALLS "system calls of the command can be had without: tracepoint:syscalls:*"

/* The column `vm` of attach.def. */
static const struct way way_nothing = {0}; /* query_run() does it; or another row did */
static const struct way way_clock = {.attach = attach_clock};
static const struct way way_tracepoint = {.attach = attach_tracepoint, .needs_command = true};
static const struct way way_break = {.attach = query_vm_breaks_add, .needs_command = true};
static const struct way way_kernel = {.why_not = IN_KERNEL, .instead = USE_CALLS};
static const struct way way_sample = {
	.why_not = "samples of all processors need privileges",
	.instead = "interval: runs at times, too, but sees no traced program",
};
static const struct way way_watchpoint = {
	.why_not = "the embedded runtime has no watchpoints",
	.instead = USE_CALLS,
};
static const struct way way_iter = {
	.why_not = "iterators walk the kernel's own lists, which needs privileges",
	.instead = USE_CALLS,
};

static const struct way *const ways[QATTACHES] = {
#define ATTACH(id, prog, type, access, traits, needs, feature, kern, vm, does) &way_##vm,
#include "catalog/attach.def"
#undef ATTACH
};

static int refuse(const char *what, const char *instead, struct query_error *e,
		  const struct question_probe *p)
{
	query_vm_fail(e, -ENOTSUP, "%s: %s", p->name, what);
	snprintf(e->error.hint, sizeof(e->error.hint), "%s", instead);
	return -ENOTSUP;
}

int query_vm_can(struct query_vm *x, const struct question_probe *p, struct query_error *e)
{
	const struct way *way = ways[p->attach];

	if (way->why_not)
		return refuse(way->why_not, way->instead, e, p);
	if (way->needs_command && !x->tracer)
		return refuse("without privileges only a command can be traced",
			      "give it: -c COMMAND", e, p);
	return 0;
}

static int attach(struct query_vm *x, const struct question_probe *p, struct query_error *e)
{
	const struct way *way = ways[p->attach];
	int r = query_vm_can(x, p, e);

	return r < 0 || !way->attach ? r : way->attach(x, p);
}

int query_vm_attach(struct query *base, uint32_t probe, struct query_error *e)
{
	const struct question_probe *p = &base->q->probes.p[probe];
	struct query_vm *x = VM(base);
	int r;

	*e = (struct query_error){.prog = p->prog, .probe = probe, .span = p->span};
	if (p->attach == QATTACH_NONE)
		return 0;
	if (!x->progs[p->prog].code)
		return query_vm_fail(e, -ENOTSUP, "cannot attach %s: its program was refused",
				     p->name);
	r = attach(x, p, e);
	if (r < 0 && !e->error.what[0])
		query_vm_fail(e, r, "cannot attach %s: %s", p->name, strerror(-r));
	return r;
}
