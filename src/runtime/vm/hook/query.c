/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question that runs in skep itself, over a command that it traces.
 *
 * The command's threads stop at what somebody asked about; while one stands still, programs run
 * for it in this process, on this thread.  They have the kernel's helpers and maps, as
 * runtime/vm makes them: what a script prints is what it would print with privileges.  What it
 * can look at is the command and what that starts, never the rest of the machine.
 */
#include "runtime/vm/hook/query-internal.h"

#include "base/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 300, REPEAT_BYTES = 512 };

int query_vm_fail(struct query_error *e, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->error.what, sizeof(e->error.what), format, args);
	va_end(args);
	return r;
}

/* --- what is set from outside */

static int vm_global_set(struct query *base, int32_t offset, const void *p, size_t n)
{
	const struct question *q = base->q;
	struct vm_map *m;

	if (offset < 0)
		return 0;
	if (q->globals < 0)
		return -EINVAL;
	m = VM(base)->maps[q->globals];
	if ((size_t)offset + n > m->def.value_size)
		return -ERANGE;
	memcpy(m->values + offset, p, n);
	return 0;
}

static void set_facts(struct query_vm *x)
{
	const struct question *q = x->base.q;
	uint64_t start = clock_boot_ns(), epoch = (uint64_t)clock_boot_to_real_ns();
	uint64_t cpus = x->cpus, child = (uint64_t)x->config.child_pid;

	vm_global_set(&x->base, q->global_cpid, &child, sizeof(child));
	vm_global_set(&x->base, q->global_ncpus, &cpus, sizeof(cpus));
	vm_global_set(&x->base, q->global_epoch_ns, &epoch, sizeof(epoch));
	vm_global_set(&x->base, q->global_start_ns, &start, sizeof(start));
}

/* --- test runs */

static int vm_run(struct query *base, uint32_t probe, uint32_t repeat, uint32_t *ret,
		  uint64_t *ret_ns)
{
	struct query_vm *x = VM(base);
	const struct question_probe *p = &base->q->probes.p[probe];
	uint64_t ctx[REPEAT_BYTES / sizeof(uint64_t)] = {0}, begin = clock_mono_ns();

	repeat = repeat ? repeat : 1;
	for (uint32_t i = 0; i < repeat; i++)
		*ret = (uint32_t)query_vm_run_self(x, &x->progs[p->prog], p->cookie, ctx);
	*ret_ns = (clock_mono_ns() - begin) / repeat;
	return 0;
}

static int vm_stats(struct query *base, uint32_t prog, uint64_t *ret_runs, uint64_t *ret_ns)
{
	*ret_runs = VM(base)->progs[prog].runs;
	*ret_ns = VM(base)->progs[prog].ns;
	return 0;
}

/* --- records and time */

struct reader {
	query_record_fn fn;
	void *ctx;
};

static int hand_over(void *ctx, const void *record, size_t n)
{
	const struct reader *r = ctx;

	return n < sizeof(struct wire_answer) ? 0 : r->fn(r->ctx, record, n);
}

static int drain(struct query_vm *x, query_record_fn fn, void *ctx)
{
	struct reader r = {fn, ctx};
	int ring = x->base.q->ring;

	return ring < 0 ? 0 : map_ring_drain(x->maps[ring], hand_over, &r);
}

/* Programs on clocks get the registers of whom they interrupted: nobody. */
static uint64_t run_clocks(struct query_vm *x, uint64_t until)
{
	uint64_t ctx[REPEAT_BYTES / sizeof(uint64_t)] = {0}, now = clock_mono_ns();

	for (struct hook *h = x->clocks.first; h && !x->is_detached; h = h->next) {
		if (h->next_ns <= now) {
			query_vm_run_self(x, h->prog, h->cookie, ctx);
			/* what was missed while the command was served is not made up for */
			h->next_ns += ((now - h->next_ns) / h->period_ns + 1) * h->period_ns;
		}
		until = MIN(until, h->next_ns);
	}
	return until;
}

static void sleep_until(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static bool is_child_gone(const struct query_vm *x)
{
	int status;

	return x->has_child && tracer_has_ended(x->tracer, &status);
}

static int vm_poll(struct query *base, int timeout_ms, query_record_fn fn, void *ctx)
{
	struct query_vm *x = VM(base);
	int n = drain(x, fn, ctx);
	uint64_t end, next;

	if (n || timeout_ms <= 0)
		return n;
	end = clock_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	do {
		next = run_clocks(x, end);
		if (x->has_child && !is_child_gone(x))
			tracer_poll(x->tracer, next);
		else
			sleep_until(next);
		run_clocks(x, end);
		n = drain(x, fn, ctx);
	} while (!n && !is_child_gone(x) && clock_mono_ns() < end);
	return n;
}

static int vm_poll_fd(struct query *base)
{
	return base->q->ring < 0 ? -1 : map_ring_fd(VM(base)->maps[base->q->ring]);
}

/* --- the command */

static int vm_take_child(struct query *base, int pid, struct query_error *e)
{
	struct query_vm *x = VM(base);
	int r = tracer_seize(x->tracer, pid, &e->error);

	x->has_child = r >= 0;
	return r;
}

static struct str vm_orders(struct query *base)
{
	struct query_vm *x = VM(base);

	return x->has_child ? tracer_orders(x->tracer) : (struct str){"", 0};
}

static bool vm_child_ended(struct query *base, int *ret_status)
{
	struct query_vm *x = VM(base);

	return x->has_child && tracer_has_ended(x->tracer, ret_status);
}

static unsigned int vm_left(const struct query *base)
{
	const struct query_vm *x = (const struct query_vm *)base;

	return is_child_gone(x) ? tracer_processes(x->tracer) : 0;
}

/* --- life */

static void vm_detach(struct query *base)
{
	VM(base)->is_detached = true;
}

static void vm_close(struct query *base)
{
	struct query_vm *x = VM(base);

	tracer_close(x->tracer, is_child_gone(x) ? 0 : GRACE_MS);
	query_vm_breaks_done(x);
	query_vm_unload(x);
	free(x);
}

static const struct query_ops ops = {
	.name = "embedded",
	.run = vm_run,
	.attach = query_vm_attach,
	.detach = vm_detach,
	.poll = vm_poll,
	.poll_fd = vm_poll_fd,
	.map_each = query_vm_map_each,
	.map_get = query_vm_map_get,
	.map_clear = query_vm_map_clear,
	.map_zero = query_vm_map_zero,
	.global_set = vm_global_set,
	.stats = vm_stats,
	.close = vm_close,
	.take_child = vm_take_child,
	.orders = vm_orders,
	.child_ended = vm_child_ended,
	.left = vm_left,
};

/* As many as the kernel has values for in per-cpu maps. */
static unsigned int possible_cpus(void)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int last = 0, at;
	int n;

	/* "0-3", "0,2-5": one more than the last number */
	while (f && (n = fscanf(f, "%u", &at)) != EOF)
		if (n == 1)
			last = at;
		else if (fgetc(f) == EOF)
			break;
	return MAX(last + 1, (unsigned int)MAX(sysconf(_SC_NPROCESSORS_CONF), 1));
}

int query_open_vm(const struct question *q, const struct query_config *config, struct query **ret,
		  struct query_error *e)
{
	struct tracer_config t = {.all_cpus = config->all_cpus, .fn = query_vm_event};
	struct query_vm *x = xalloc(sizeof(*x));
	int r = 0;

	*e = (struct query_error){.prog = UINT32_MAX, .probe = UINT32_MAX};
	x->base = (struct query){.ops = &ops, .q = q};
	x->config = *config;
	x->cpus = possible_cpus();
	x->maps = xalloc((q->maps.n + 1) * sizeof(*x->maps));
	x->progs = xalloc((q->progs.n + 1) * sizeof(*x->progs));
	query_vm_memory(x);
	t.ctx = x;
	if (config->child_pid > 0)
		r = tracer_new(&t, &x->tracer, &e->error);
	if (r >= 0)
		r = query_vm_load(x, e);
	if (r < 0) {
		vm_close(&x->base);
		return r;
	}
	set_facts(x);
	*ret = &x->base;
	return 0;
}
