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

/* --- what there is not */

static int refuse(const char *what, const char *instead, struct query_error *e,
		  const struct question_probe *p)
{
	query_vm_fail(e, -ENOTSUP, "%s: %s", p->name, what);
	snprintf(e->error.hint, sizeof(e->error.hint), "%s", instead);
	return -ENOTSUP;
}

static const char in_kernel[] = "this is a place in the kernel, which needs privileges";
static const char use_calls[] =
	"system calls of the command can be had without: tracepoint:syscalls:*";

int query_vm_can(struct query_vm *x, const struct question_probe *p, struct query_error *e)
{
	switch (p->attach) {
	case QATTACH_NONE:
	case QATTACH_BEGIN:
	case QATTACH_END:
	case QATTACH_TEST:
	case QATTACH_BENCH:
	case QATTACH_SELF:
	case QATTACH_INTERVAL:
		return 0;
	case QATTACH_TRACEPOINT:
	case QATTACH_UPROBE:
	case QATTACH_URETPROBE:
	case QATTACH_UPROBE_MULTI:
	case QATTACH_URETPROBE_MULTI:
		if (x->tracer)
			return 0;
		return refuse("without privileges only a command can be traced",
			      "give it: -c COMMAND", e, p);
	case QATTACH_PROFILE:
	case QATTACH_PERF:
		return refuse("samples of all processors need privileges",
			      "interval: runs at times, too, but sees no traced program", e, p);
	case QATTACH_WATCHPOINT:
		return refuse("the embedded runtime has no watchpoints", use_calls, e, p);
	case QATTACH_TP_BTF:
	case QATTACH_RAW_TP:
	case QATTACH_KPROBE:
	case QATTACH_KRETPROBE:
	case QATTACH_KPROBE_MULTI:
	case QATTACH_KRETPROBE_MULTI:
	case QATTACH_FENTRY:
	case QATTACH_FEXIT:
		return refuse(in_kernel, use_calls, e, p);
	case QATTACH_ITER:
		return refuse("iterators walk the kernel's own lists, which needs privileges",
			      use_calls, e, p);
	}
	return -EINVAL;
}

static int attach(struct query_vm *x, const struct question_probe *p, struct query_error *e)
{
	int r = query_vm_can(x, p, e);

	if (r < 0)
		return r;
	if (p->attach == QATTACH_TRACEPOINT)
		return attach_tracepoint(x, p);
	if (p->attach == QATTACH_INTERVAL)
		return attach_clock(x, p);
	if (p->attach == QATTACH_UPROBE || p->attach == QATTACH_URETPROBE ||
	    p->attach == QATTACH_UPROBE_MULTI || p->attach == QATTACH_URETPROBE_MULTI)
		return query_vm_breaks_add(x, p);
	return 0; /* query_run() */
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
