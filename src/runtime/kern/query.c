/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question in the kernel: its life.  query-internal.h lists the files.
 */
#include "runtime/query.h"

#include "base/clock.h"
#include "base/macro.h"
#include "runtime/kern/cpus.h"
#include "runtime/kern/query-internal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int query_fail(struct query_error *e, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->error.what, sizeof(e->error.what), format, args);
	va_end(args);
	return r;
}

void query_hint(struct query_error *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(e->error.hint, sizeof(e->error.hint), format, args);
	va_end(args);
}

const struct btf_view *query_btf(struct query_kern *x)
{
	const struct btf_view *shared = x->config.btf ? x->config.btf(x->config.btf_ctx) : NULL;

	if (shared)
		return shared;
	if (!x->is_btf_open) {
		x->is_btf_open = true;
		if (kernel_btf_open(&x->btf, "/sys/kernel/btf/vmlinux") < 0)
			x->btf = (struct kernel_btf){0};
	}
	return x->btf.blob ? &x->btf.view : NULL;
}

/* The globals are one element of an array: mapped, they are memory like any other. */
static void map_globals(struct query_kern *x)
{
	const struct question_map *m;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	if (x->base.q->globals < 0)
		return;
	m = &x->base.q->maps.p[x->base.q->globals];
	x->globals_n = (m->value_size + page - 1) / page * page;
	p = mmap(NULL, x->globals_n, PROT_READ | PROT_WRITE, MAP_SHARED,
		 x->maps[x->base.q->globals], 0);
	x->globals = p == MAP_FAILED ? NULL : p;
}

static void set_facts(struct query_kern *x)
{
	const struct question *q = x->base.q;
	uint64_t start = clock_boot_ns(), epoch = (uint64_t)clock_boot_to_real_ns();
	uint64_t cpus = x->cpus, child = (uint64_t)x->config.child_pid;

	query_global_set(&x->base, q->global_cpid, &child, sizeof(child));
	query_global_set(&x->base, q->global_ncpus, &cpus, sizeof(cpus));
	query_global_set(&x->base, q->global_epoch_ns, &epoch, sizeof(epoch));
	query_global_set(&x->base, q->global_start_ns, &start, sizeof(start));
}

static int open_ring(struct query_kern *x, struct query_error *e)
{
	int i = x->base.q->ring, r;

	if (i < 0 || x->ring.consumer)
		return 0;
	r = ring_open(&x->ring, x->maps[i], x->ring_sizes[i]);
	return r < 0 ? query_fail(e, r, "cannot map the ring buffer") : 0;
}

static const struct query_ops ops;

static void room_for(struct query_kern *x, size_t maps, size_t progs)
{
	x->maps = xrealloc(x->maps, (maps + 1) * sizeof(*x->maps));
	x->ring_sizes = xrealloc(x->ring_sizes, (maps + 1) * sizeof(*x->ring_sizes));
	x->progs = xrealloc(x->progs, (progs + 1) * sizeof(*x->progs));
	for (; x->n_maps < maps; x->n_maps++) {
		x->maps[x->n_maps] = -1;
		x->ring_sizes[x->n_maps] = 0;
	}
	for (; x->n_progs < progs; x->n_progs++)
		x->progs[x->n_progs] = -1;
}

static struct query_kern *without_room(const struct question *q, const struct query_config *config)
{
	struct query_kern *x = xalloc(sizeof(*x));

	x->base.ops = &ops;
	x->base.q = q;
	x->config = *config;
	x->cpus = cpus_possible();
	x->can_grow = query_can_grow();
	x->tracefs.root = -1;
	x->stats = x->early_ring = -1;
	return x;
}

struct query_kern *query_kern_new(const struct question *q, const struct query_config *config)
{
	struct query_kern *x = without_room(q, config);

	room_for(x, q->maps.n, q->progs.n);
	return x;
}

/* The kernel counts for as long as the descriptor is open.  -1: it cannot. */
static int enable_stats(void)
{
	union bpf_attr a = {0};
	int fd;

	a.enable_stats.type = BPF_STATS_RUN_TIME;
	fd = bpf_call(BPF_ENABLE_STATS, &a, sizeof(a));
	return fd < 0 ? -1 : fd;
}

void query_kern_loaded(struct query_kern *x)
{
	if (x->is_btf_open)
		kernel_btf_close(&x->btf);
	x->is_btf_open = false;
	x->config.btf = NULL; /* may be gone by then */
	x->config.helper = NULL;
}

void query_prepare_kern(const struct question *q, const struct query_config *config,
			struct query **ret)
{
	static const struct question_map ring = {
		.name = "ring", .kind = QMAP_RING, .type = BPF_MAP_TYPE_RINGBUF};
	struct query_kern *x = without_room(q, config);

	*ret = &x->base;
	x->early_ring = query_map_create(x, &ring, &x->early_size);
	if (x->early_ring >= 0 && ring_open(&x->ring, x->early_ring, x->early_size) < 0)
		x->ring = (struct ring){0};
}

void query_prepare_maps(struct query *base, const struct question_map *maps, size_t n)
{
	struct query_kern *x = (struct query_kern *)base;

	room_for(x, n, 0);
	for (size_t i = 0; i < n; i++) {
		if (maps[i].kind == QMAP_NAMED)
			x->maps[i] = query_map_create(x, &maps[i], &x->ring_sizes[i]);
		if (maps[i].kind == QMAP_RING && !maps[i].max_entries && x->early_ring >= 0) {
			x->maps[i] = x->early_ring;
			x->ring_sizes[i] = x->early_size;
			x->early_ring = -1;
		}
	}
}

static int load_progs(struct query_kern *x, struct query_error *e)
{
	int r = 0;

	if (query_loads_begin(x))
		return 0;
	query_progs_try(x, NULL, NULL);
	for (uint32_t i = 0; r >= 0 && i < x->base.q->progs.n; i++)
		if (x->progs[i] < 0)
			r = query_prog_load(x, i, e);
	return r;
}

int query_open_kern(const struct question *q, const struct query_config *config, struct query **ret,
		    struct query_error *e)
{
	struct query_kern *x =
		config->prepared ? (struct query_kern *)config->prepared : without_room(q, config);
	int r;

	room_for(x, q->maps.n, q->progs.n);
	x->config = *config;
	x->config.prepared = NULL;
	if (x->tracefs.root < 0 && config->tracefs_fd > 0)
		x->tracefs.root = fcntl(config->tracefs_fd, F_DUPFD_CLOEXEC, 0);
	*e = (struct query_error){.prog = UINT32_MAX, .probe = UINT32_MAX};
	if (config->wants_stats)
		x->stats = enable_stats();
	r = query_maps_create(x, e);
	if (r >= 0)
		r = open_ring(x, e);
	if (r >= 0)
		map_globals(x);
	if (r >= 0)
		r = load_progs(x, e);
	if (r < 0) {
		query_close(&x->base);
		return r;
	}
	if (!x->loads)
		query_kern_loaded(x);
	set_facts(x);
	*ret = &x->base;
	return 0;
}

static void query_kern_close(struct query *base)
{
	struct query_kern *x = (struct query_kern *)base;
	query_loads_end(x, true);
	query_kern_detach(&x->base);
	ring_close(&x->ring);
	if (x->globals)
		munmap(x->globals, x->globals_n);
	for (size_t i = 0; i < x->n_progs; i++)
		if (x->progs[i] >= 0)
			close(x->progs[i]);
	for (size_t i = 0; i < x->n_maps; i++)
		if (x->maps[i] >= 0)
			close(x->maps[i]);
	if (x->is_btf_open)
		kernel_btf_close(&x->btf);
	if (x->early_ring >= 0)
		close(x->early_ring);
	tracefs_close(&x->tracefs);
	if (x->stats >= 0)
		close(x->stats);
	free(x->maps);
	free(x->ring_sizes);
	free(x->progs);
	free(x->attached);
	free(x);
}

/* --- test runs */

/* A raw tracepoint's program gets no more than these, all 0. */
enum { RAW_ARGS = 12, PACKET = 64 };

static int run_raw_tp(int fd, uint32_t repeat, uint32_t *ret, uint64_t *ret_ns)
{
	uint64_t args[RAW_ARGS] = {0}, start = clock_mono_ns();
	union bpf_attr a = {0};
	int r;

	a.test.prog_fd = (uint32_t)fd;
	a.test.ctx_in = (uintptr_t)args;
	a.test.ctx_size_in = sizeof(args);
	for (uint32_t i = 0; i < repeat; i++) {
		r = bpf_call(BPF_PROG_TEST_RUN, &a, sizeof(a));
		if (r < 0)
			return r;
	}
	*ret = a.test.retval;
	*ret_ns = (clock_mono_ns() - start) / repeat;
	return 0;
}

/* Programs on packets: the kernel itself repeats and takes the time. */
static int run_packet(int fd, uint32_t repeat, uint32_t *ret, uint64_t *ret_ns)
{
	unsigned char packet[PACKET] = {0};
	union bpf_attr a = {0};
	int r;

	a.test.prog_fd = (uint32_t)fd;
	a.test.data_in = (uintptr_t)packet;
	a.test.data_size_in = sizeof(packet);
	a.test.repeat = repeat;
	r = bpf_call(BPF_PROG_TEST_RUN, &a, sizeof(a));
	if (r < 0)
		return r;
	*ret = a.test.retval;
	*ret_ns = a.test.duration;
	return 0;
}

static int query_kern_run(struct query *base, uint32_t probe, uint32_t repeat, uint32_t *ret,
			  uint64_t *ret_ns)
{
	struct query_kern *x = (struct query_kern *)base;
	uint32_t prog = x->base.q->probes.p[probe].prog;
	uint64_t runs = 0, ns = 0, runs_then, ns_then;
	bool has_stats;
	int r;

	if (!repeat)
		repeat = 1;
	if (x->base.q->progs.p[prog].prog_type != BPF_PROG_TYPE_RAW_TRACEPOINT)
		return run_packet(x->progs[prog], repeat, ret, ret_ns);
	has_stats = x->stats >= 0 && query_stats(&x->base, prog, &runs, &ns) >= 0;
	r = run_raw_tp(x->progs[prog], repeat, ret, ret_ns);
	/* the program's own time, without the system call's, if that is counted */
	if (r >= 0 && has_stats && query_stats(&x->base, prog, &runs_then, &ns_then) >= 0 &&
	    runs_then > runs)
		*ret_ns = (ns_then - ns) / (runs_then - runs);
	return r;
}

/* --- records */

static int query_kern_poll(struct query *base, int timeout_ms, query_record_fn fn, void *ctx)
{
	struct query_kern *x = (struct query_kern *)base;
	int n = ring_drain(&x->ring, fn, ctx);

	if (n || !timeout_ms)
		return n;
	n = ring_wait(&x->ring, timeout_ms);
	return n > 0 ? ring_drain(&x->ring, fn, ctx) : n;
}

static int query_kern_poll_fd(struct query *base)
{
	struct query_kern *x = (struct query_kern *)base;
	return x->ring.consumer ? x->ring.fd : -1;
}

/* --- globals, losses, stacks, statistics */

static int query_kern_global_set(struct query *base, int32_t offset, const void *p, size_t n)
{
	struct query_kern *x = (struct query_kern *)base;
	const struct question *q = x->base.q;
	const struct question_map *m;
	_cleanup_free_ char *whole = NULL;
	union bpf_attr a = {0};
	uint32_t zero = 0;
	int r;

	if (offset < 0)
		return 0;
	if (q->globals < 0)
		return -EINVAL;
	m = &q->maps.p[q->globals];
	if ((size_t)offset + n > m->value_size)
		return -ERANGE;
	if (x->globals) {
		memcpy((char *)x->globals + offset, p, n);
		return 0;
	}
	whole = xalloc(m->value_size);
	a.map_fd = (uint32_t)x->maps[q->globals];
	a.key = (uintptr_t)&zero;
	a.value = (uintptr_t)whole;
	r = bpf_call(BPF_MAP_LOOKUP_ELEM, &a, sizeof(a));
	if (r < 0)
		return r;
	memcpy(whole + offset, p, n);
	return bpf_call(BPF_MAP_UPDATE_ELEM, &a, sizeof(a));
}

static int query_kern_stats(struct query *base, uint32_t prog, uint64_t *ret_runs, uint64_t *ret_ns)
{
	struct query_kern *x = (struct query_kern *)base;
	struct bpf_prog_info info = {0};
	union bpf_attr a = {0};
	int r;

	a.info.bpf_fd = (uint32_t)x->progs[prog];
	a.info.info = (uintptr_t)&info;
	a.info.info_len = sizeof(info);
	r = bpf_call(BPF_OBJ_GET_INFO_BY_FD, &a, sizeof(a));
	if (r < 0)
		return r;
	*ret_runs = info.run_cnt;
	*ret_ns = info.run_time_ns;
	return 0;
}

static const struct query_ops ops = {
	.name = "kernel",
	.await = query_kern_await,
	.run = query_kern_run,
	.attach = query_kern_attach,
	.iterates = query_kern_iterates,
	.detach = query_kern_detach,
	.poll = query_kern_poll,
	.poll_fd = query_kern_poll_fd,
	.map_each = query_kern_map_each,
	.map_get = query_kern_map_get,
	.map_clear = query_kern_map_clear,
	.map_zero = query_kern_map_zero,
	.global_set = query_kern_global_set,
	.stats = query_kern_stats,
	.close = query_kern_close,
};
