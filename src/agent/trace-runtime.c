/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a script runs: in the kernel, or in skep itself.
 *
 * The kernel is faster by far and sees the whole machine, so it is taken wherever it may be.
 * Where bpf(2) is refused, or is not there, a command that skep starts can be traced as any
 * user may trace programs of his own.
 */
#include "agent/trace-internal.h"

#include "agent/runtime-choice.h"
#include "agent/world.h"
#include "base/log.h"

#include <errno.h>

enum { START_POLL_MS = 5 };

bool trace_has_choice(const struct trace *t)
{
	const struct trace_options *o = t->o;

	return o->runtime == RUNTIME_AUTO && o->what == TRACE_RUN && !o->emit && !o->wants_list &&
	       !o->pid && !o->cgroup;
}

void trace_choose(struct trace *t)
{
	const struct trace_options *o = t->o;
	int r;

	t->is_embedded = o->runtime == RUNTIME_EMBEDDED;
	if (!trace_has_choice(t))
		return;
	/* the question that a compilation asks first tells as well */
	trace_open_world(t);
	if (world_has(t->world, WORLD_CPU_V4))
		return;
	r = runtime_kernel_refuses();
	if (r >= 0)
		return;
	if (!o->command) {
		t->may_hint = true;
		return;
	}
	t->is_embedded = true;
	world_free(t->world);
	t->world = NULL;
	if (!o->quiet)
		log_note("%s: this runs in skep itself, over the command alone",
			 runtime_refusal(r));
}

int trace_go(struct trace *t)
{
	int r;

	if (!query_keeps_child(t->query))
		return command_go(&t->command);
	r = command_send(&t->command, query_orders(t->query));
	while (r >= 0 || r == -EAGAIN) {
		r = command_started(&t->command);
		if (r != -EAGAIN)
			return r;
		trace_poll(t, START_POLL_MS);
	}
	return r;
}

bool trace_command_ended(struct trace *t)
{
	if (!query_keeps_child(t->query))
		return command_poll(&t->command);
	if (!t->command.has_ended)
		t->command.has_ended = query_child_ended(t->query, &t->command.status);
	return t->command.has_ended;
}
