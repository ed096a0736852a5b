/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `skep watch` over a command without privileges: struct runtime by a tracer.
 *
 * The system calls of catalog/syscalls.def that mean a wanted event stop at their ends, opens and
 * closes also at their beginnings.  Records are those of the kernel's programs (catalog/wire),
 * made while the thread stands still, and handed over at once: there is no ring, and nothing is
 * lost.  What cannot be seen is said by runtime_vm_blind().
 */
#include "runtime/vm/hook/watch-internal.h"

#include "base/clock.h"
#include "base/macro.h"
#include "catalog/catalog.h"
#include "catalog/syscall-numbers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GRACE_MS = 300 };

#define WATCH(rt) ((struct watch_vm *)(rt))

static const struct sys_desc *desc_of(uint64_t nr)
{
	size_t n;
	const struct syscall_desc *all = syscalls_get(&n);

	for (size_t i = 0; i < n; i++)
		if (all[i].nr >= 0 && (uint64_t)all[i].nr == nr)
			return &all[i].desc;
	return NULL;
}

/* --- events */

static void on_enter(struct watch_vm *w, struct tracer_task *t)
{
	const struct sys_desc *d;

	if (t->call.nr == SYS_close) {
		watch_close(w, t, (int)t->call.args[0]);
		return;
	}
	d = desc_of(t->call.nr);
	if (d && d->handler == SYS_OPEN)
		watch_open_begins(w, t, d);
}

static void on_exit_of(struct watch_vm *w, struct tracer_task *t)
{
	const uint64_t connections = KIND_BIT(EV_CONNECT) | KIND_BIT(EV_ACCEPT) |
				     KIND_BIT(EV_LISTEN) | KIND_BIT(EV_BIND) | KIND_BIT(EV_CLOSE);
	const struct sys_desc *d;

	if (t->call.nr == SYS_getsockopt) {
		watch_asked(w, t);
		return;
	}
	d = desc_of(t->call.nr);
	if (!d)
		return;
	switch ((enum sys_handler)d->handler) {
	case SYS_OPEN:
		watch_open(w, t, d);
		break;
	case SYS_PATH:
		watch_path(w, t, d);
		break;
	case SYS_ARGS:
		watch_args(w, t, d);
		break;
	case SYS_CREDS:
		watch_creds(w, t, d);
		break;
	case SYS_SOCK:
		if (w->config.events & connections)
			watch_socket(w, t, d);
		if (d->bits & SYS_B_NETCALL)
			watch_net(w, t, d);
		break;
	case SYS_EXEC:
		watch_exec_failed(w, t, d);
		break;
	case SYS_NET:
		watch_net(w, t, d);
		break;
	case SYS_NONE:
	case SYS_END:
		break;
	}
}

static bool on_event(void *ctx, const struct tracer_event *e)
{
	struct watch_vm *w = ctx;

	if (e->what == TRACER_REAPED)
		tracer_interrupt(w->tracer);
	if (w->is_stopped)
		return false;
	switch (e->what) {
	case TRACER_ENTER:
		on_enter(w, e->task);
		break;
	case TRACER_EXIT:
		on_exit_of(w, e->task);
		break;
	case TRACER_EXEC:
		watch_exec(w, e);
		break;
	case TRACER_FORK:
		watch_fork(w, e);
		break;
	case TRACER_END:
		watch_end(w, e);
		break;
	case TRACER_REAPED:
	case TRACER_TRAP:
		break;
	}
	return false;
}

/* --- which calls */

static bool is_wanted(const struct watch_vm *w, const struct sys_desc *d)
{
	uint64_t kinds = KIND_BIT(d->kind);

	if (d->handler == SYS_OPEN) /* which of the three it is shows at its end */
		kinds = KIND_BIT(EV_OPEN) | KIND_BIT(EV_WRITE) | KIND_BIT(EV_CREATE);
	if (d->bits & SYS_B_RMDIR)
		kinds |= KIND_BIT(EV_RMDIR);
	if (d->kind == EV_ACCEPT || d->kind == EV_CONNECT)
		kinds |= KIND_BIT(EV_CLOSE);
	if (d->bits & SYS_B_NETCALL)
		kinds |= KIND_BIT(EV_NETCALL);
	return w->config.events & kinds;
}

static void choose_calls(const struct watch_vm *w, struct tracer_config *c)
{
	size_t n;
	const struct syscall_desc *all = syscalls_get(&n);

	for (size_t i = 0; i < n; i++) {
		if (!is_wanted(w, &all[i].desc))
			continue;
		call_set_add(&c->exit, all[i].nr);
		if (all[i].desc.handler == SYS_OPEN)
			call_set_add(&c->enter, all[i].nr);
	}
	if (w->config.events & KIND_BIT(EV_CLOSE))
		call_set_add(&c->enter, SYS_close);
	if (w->config.events & KIND_BIT(EV_CONNECT))
		call_set_add(&c->exit, SYS_getsockopt);
}

uint64_t runtime_vm_blind(uint64_t events, const char **ret_more)
{
	*ret_more = "calls of 32-bit programs, and what io_uring does";
	return events & KIND_BIT(EV_DATAGRAM);
}

/* --- struct runtime */

static int vm_follow(struct runtime *rt, uint32_t pid)
{
	(void)rt;
	(void)pid; /* all that there is, is the command's */
	return 0;
}

static int vm_start(struct runtime *rt, struct runtime_error *e)
{
	(void)rt;
	(void)e;
	return 0;
}

static bool is_child_gone(const struct watch_vm *w)
{
	int status;

	return w->has_child && tracer_has_ended(w->tracer, &status);
}

static int vm_poll(struct runtime *rt, int timeout_ms, runtime_record_fn fn, void *ctx)
{
	struct watch_vm *w = WATCH(rt);
	uint64_t before = 0, after = 0, end = clock_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;

	if (timeout_ms <= 0 || w->is_stopped || is_child_gone(w))
		return 0;
	for (int k = 0; k < 64; k++)
		before += w->count.sent[k];
	w->fn = fn;
	w->ctx = ctx;
	w->refused = 0;
	tracer_poll(w->tracer, end);
	w->fn = NULL;
	if (w->refused < 0)
		return w->refused;
	for (int k = 0; k < 64; k++)
		after += w->count.sent[k];
	return (int)(after - before);
}

static void vm_stop(struct runtime *rt)
{
	WATCH(rt)->is_stopped = true;
}

static void vm_counts(struct runtime *rt, struct wire_count *ret)
{
	*ret = WATCH(rt)->count;
}

static void vm_close(struct runtime *rt)
{
	struct watch_vm *w = WATCH(rt);

	tracer_close(w->tracer, is_child_gone(w) ? 0 : GRACE_MS);
	free(w->connections);
	free(w);
}

static int vm_take_child(struct runtime *rt, int pid, struct runtime_error *e)
{
	struct watch_vm *w = WATCH(rt);
	int r = tracer_seize(w->tracer, pid, e);

	w->has_child = r >= 0;
	return r;
}

static struct str vm_orders(struct runtime *rt)
{
	return tracer_orders(WATCH(rt)->tracer);
}

static bool vm_child_ended(struct runtime *rt, int *ret_status)
{
	struct watch_vm *w = WATCH(rt);

	return w->has_child && tracer_has_ended(w->tracer, ret_status);
}

static unsigned int vm_left(const struct runtime *rt)
{
	const struct watch_vm *w = (const struct watch_vm *)rt;

	return is_child_gone(w) ? tracer_processes(w->tracer) : 0;
}

static const struct runtime_ops ops = {
	.name = "embedded",
	.follow = vm_follow,
	.start = vm_start,
	.poll = vm_poll,
	.stop = vm_stop,
	.counts = vm_counts,
	.close = vm_close,
	.take_child = vm_take_child,
	.orders = vm_orders,
	.child_ended = vm_child_ended,
	.left = vm_left,
};

int runtime_open_vm(const struct runtime_config *config, struct runtime **ret,
		    struct runtime_error *e)
{
	struct watch_vm *w = xalloc(sizeof(*w));
	struct tracer_config c = {.fn = on_event, .ctx = w, .all_cpus = config->all_cpus};
	int r;

	w->base.ops = &ops;
	w->config = *config;
	w->tick_ns = NS_PER_S / (uint64_t)MAX(sysconf(_SC_CLK_TCK), 1);
	snprintf(w->comm, sizeof(w->comm), "%s", config->comm ? config->comm : "");
	snprintf(w->cgroup_mount, sizeof(w->cgroup_mount), "%s",
		 config->cgroup_root ? config->cgroup_root : "");
	choose_calls(w, &c);
	r = tracer_new(&c, &w->tracer, e);
	if (r < 0) {
		free(w);
		return r;
	}
	*ret = &w->base;
	return 0;
}
