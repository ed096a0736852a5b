/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel as a runtime: load, attach, read the ring.
 *
 * Only what was asked for is loaded: programs whose events nobody wants are left
 * out, and the scope is written into read-only data before loading, so that the
 * verifier removes the rest.  All attachments are links, which the kernel undoes
 * when their descriptors go: a killed skep leaves nothing attached.
 */
#include "runtime/runtime.h"

#include "base/macro.h"
#include "catalog/catalog.h"
#include "runtime/kern/kern-internal.h"
#include "runtime/kern/seed.h"
#include "watch.skel.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RECORDS_A_POLL = 16384 }; /* then the caller may look at the clock again */

/* libbpf talks through a global callback; the last lines are kept for an error. */
static char log_tail[4096];
static size_t log_n;

_printf_(2, 0) static int keep_log(enum libbpf_print_level level, const char *format, va_list args)
{
	_cleanup_free_ char *text = NULL;
	size_t n, keep;

	if (level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	n = strlen(text);
	keep = n >= sizeof(log_tail) ? 0 : MIN(log_n, sizeof(log_tail) - 1 - n);
	memmove(log_tail, log_tail + log_n - keep, keep);
	n = MIN(n, sizeof(log_tail) - 1);
	memcpy(log_tail + keep, text + strlen(text) - n, n);
	log_n = keep + n;
	log_tail[log_n] = 0;
	return 0;
}

static int fail(struct runtime_error *e, int r, const char *what, const char *hint)
{
	snprintf(e->what, sizeof(e->what), "%s", what);
	snprintf(e->hint, sizeof(e->hint), "%s", hint);
	snprintf(e->log, sizeof(e->log), "%s", log_tail);
	return r;
}

/* A refusal, in words of the person who can do something about it. */
static int fail_load(struct runtime_error *e, int r)
{
	if (r == -EPERM)
		return fail(e, -EPERM, "the kernel does not let this user load BPF programs",
			    "run as root, or give the file the capabilities it needs: setcap "
			    "cap_bpf,cap_perfmon,cap_net_admin,cap_sys_ptrace,"
			    "cap_dac_read_search+ep skep; `skep info` shows what is missing");
	if (r == -ENOENT || r == -ESRCH)
		return fail(e, -ENOTSUP, "this kernel lacks something that skep needs",
			    "CONFIG_DEBUG_INFO_BTF=y and the tracepoints of Linux 5.10 or newer; "
			    "`skep info` shows which");
	return fail(e, r, "cannot load skep's programs into the kernel",
		    "`skep info` shows what this kernel allows; the kernel's own words follow "
		    "with -v");
}

static int fill_maps(struct kern *k, unsigned int handlers_used)
{
	uint32_t zero = 0;
	int r, fd;

	if (k->config.cgroup_fd >= 0) {
		r = bpf_map_update_elem(bpf_map__fd(k->skel->maps.scope_cgroups), &zero,
					&k->config.cgroup_fd, BPF_ANY);
		if (r < 0)
			return r;
	}
	for (uint32_t h = 1; h < SYS_END; h++) {
		struct bpf_program *p;

		if (!(handlers_used & (1u << h)))
			continue;
		p = bpf_object__find_program_by_name(k->skel->obj, kern_handlers[h]);
		fd = bpf_program__fd(p);
		r = bpf_map_update_elem(bpf_map__fd(k->skel->maps.sys_programs), &h, &fd, BPF_ANY);
		if (r < 0)
			return r;
	}
	return kern_rules_fill(k);
}

static int map_counts(struct kern *k)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *p;

	k->counts_bytes = (k->cpus * sizeof(struct wire_count) + page - 1) / page * page;
	p = mmap(NULL, k->counts_bytes, PROT_READ, MAP_SHARED, bpf_map__fd(k->skel->maps.counts),
		 0);
	if (p == MAP_FAILED)
		return -errno;
	k->counts = p;
	return 0;
}

static int on_ring_record(void *ctx, void *record, size_t n)
{
	struct kern *k = ctx;
	int r = k->fn(k->ctx, record, n);

	if (r < 0)
		return r;
	return --k->left ? 0 : -EAGAIN;
}

/* libbpf goes on for as long as records arrive, which in a flood is for ever. */
static int consume(struct kern *k)
{
	int limit = k->links_n ? RECORDS_A_POLL : INT_MAX, n;

	k->left = limit;
	n = ring_buffer__consume(k->ring);
	return k->left ? n : limit;
}

/* All that is filled or opened once the maps are there. */
static int set_up_maps(struct kern *k, unsigned int handlers_used)
{
	int r = fill_maps(k, handlers_used);

	if (r >= 0)
		r = map_counts(k);
	if (r < 0)
		return r;
	k->ring = ring_buffer__new(bpf_map__fd(k->skel->maps.ring), on_ring_record, k, NULL);
	return k->ring ? 0 : -errno;
}

static int kern_follow(struct runtime *rt, uint32_t pid)
{
	uint8_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(KERN(rt)->skel->maps.scope_pids), &pid, &one,
				   BPF_ANY);
}

static int kern_start(struct runtime *rt, struct runtime_error *e)
{
	struct kern *k = KERN(rt);
	struct bpf_program *p;

	kern_rules_start(k);
	bpf_object__for_each_program(p, k->skel->obj)
	{
		const char *name = bpf_program__name(p);
		int link;

		/* handlers are tail-called, iterators are read */
		if (!bpf_program__autoload(p) ||
		    (strncmp(name, "on_", 3) && strncmp(name, "name_", 5)))
			continue;
		if (bpf_program__type(p) == BPF_PROG_TYPE_CGROUP_SOCK_ADDR)
			link = bpf_link_create(bpf_program__fd(p), k->cgroup_fd,
					       bpf_program__expected_attach_type(p), NULL);
		else
			link = bpf_raw_tracepoint_open(NULL, bpf_program__fd(p));
		/* loads but cannot be attached: arm64 before 6.0; names are lexical then */
		if (link < 0 && !strncmp(name, "name_", 5))
			continue;
		if (link < 0) {
			char what[128];

			snprintf(what, sizeof(what), "cannot attach %s (%s)", name,
				 bpf_program__section_name(p));
			return fail(e, link, what, "`skep info` shows what this kernel allows");
		}
		assert(k->links_n < LINKS);
		k->links[k->links_n++] = link;
	}
	return 0;
}

static int kern_seed(struct runtime *rt, runtime_record_fn fn, void *ctx)
{
	struct kern *k = KERN(rt);
	struct bpf_program *sockets = k->skel->progs.seed_sockets;

	if (!bpf_program__autoload(k->skel->progs.seed_tasks))
		return 0;
	return seed_run(k->skel->progs.seed_tasks, bpf_program__autoload(sockets) ? sockets : NULL,
			bpf_map__fd(k->skel->maps.owners_by_address), fn, ctx, &k->seeds_full);
}

static int kern_poll(struct runtime *rt, int timeout_ms, runtime_record_fn fn, void *ctx)
{
	struct kern *k = KERN(rt);
	struct epoll_event event;
	int n, r;

	k->fn = fn;
	k->ctx = ctx;
	n = consume(k);
	if (n || !timeout_ms)
		return n;
	k->skel->bss->reader_sleeps = 1;
	r = epoll_wait(ring_buffer__epoll_fd(k->ring), &event, 1, timeout_ms) < 0 ? -errno : 0;
	k->skel->bss->reader_sleeps = 0;
	return r < 0 && r != -EINTR ? r : consume(k);
}

static void kern_counts(struct runtime *rt, struct wire_count *ret)
{
	struct kern *k = KERN(rt);

	*ret = (struct wire_count){.table_full = k->seeds_full};
	for (int cpu = 0; cpu < k->cpus; cpu++) {
		const struct wire_count *c = &k->counts[cpu];

		for (int i = 0; i < 64; i++) {
			ret->sent[i] += __atomic_load_n(&c->sent[i], __ATOMIC_RELAXED);
			ret->lost[i] += __atomic_load_n(&c->lost[i], __ATOMIC_RELAXED);
		}
		ret->table_full += __atomic_load_n(&c->table_full, __ATOMIC_RELAXED);
		ret->lost_sum += c->lost_sum;
	}
}

static void kern_stop(struct runtime *rt)
{
	struct kern *k = KERN(rt);

	while (k->links_n > 0)
		close(k->links[--k->links_n]);
}

static void kern_close(struct runtime *rt)
{
	struct kern *k = KERN(rt);

	kern_stop(rt);
	rules_kern_free(k->rules);
	ring_buffer__free(k->ring);
	if (k->counts)
		munmap(k->counts, k->counts_bytes);
	object_close(&k->object);
	if (k->cgroup_fd >= 0)
		close(k->cgroup_fd);
	free(k);
}

static const struct runtime_ops kern_ops = {
	.name = "kernel",
	.follow = kern_follow,
	.start = kern_start,
	.seed = kern_seed,
	.poll = kern_poll,
	.stop = kern_stop,
	.counts = kern_counts,
	.close = kern_close,
	.rules = kern_rules,
	.rules_process = kern_rules_process,
	.rules_cgroup = kern_rules_cgroup,
	.rules_stats = kern_rules_stats,
	.rules_floods = kern_rules_floods,
};

static int open_cgroup(const struct runtime_config *c)
{
	if (c->cgroup_fd >= 0)
		return fcntl(c->cgroup_fd, F_DUPFD_CLOEXEC, 3);
	return c->cgroup_root ? open(c->cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

int runtime_open_kern(const struct runtime_config *config, struct runtime **ret,
		      struct runtime_error *e)
{
	struct kern *k = xalloc(sizeof(*k));
	unsigned int handlers_used;
	int r;

	k->base.ops = &kern_ops;
	k->config = *config;
	k->cgroup_fd = open_cgroup(config);
	k->cpus = libbpf_num_possible_cpus();
	log_n = 0;
	log_tail[0] = 0;
	libbpf_set_print(keep_log);
	r = object_open(&k->object);
	if (r == -ENOENT) {
		r = fail(e, -ENOTSUP, "this kernel does not describe its types (BTF)",
			 "it was built without CONFIG_DEBUG_INFO_BTF=y; distributions' kernels "
			 "since "
			 "2021 have it");
		goto out;
	}
	if (r < 0) {
		fail(e, r, "cannot read skep's own BPF object", "this is a bug");
		goto out;
	}
	k->skel = k->object.skel;
	r = k->cpus < 0 ? k->cpus : kern_choose_scope(k);
	if (r < 0) {
		fail(e, r,
		     r == -E2BIG ? "the pattern for thread names is too long"
				 : "cannot count the processors",
		     "");
		goto out;
	}
	handlers_used = kern_choose_syscalls(k);
	k->has_handlers = handlers_used;
	kern_choose_programs(k, handlers_used);
	kern_rules_choose(k);
	bpf_map__set_max_entries(k->skel->maps.ring, config->ring_kb * 1024);
	bpf_map__set_max_entries(k->skel->maps.counts, k->cpus);
	r = watch__load(k->skel);
	object_loaded(&k->object);
	if (r < 0) {
		r = fail_load(e, r);
		goto out;
	}
	r = set_up_maps(k, handlers_used);
	if (r < 0) {
		fail(e, r, "cannot set up the tables between kernel and skep", "");
		goto out;
	}
	*ret = &k->base;
	return 0;
out:
	kern_close(&k->base);
	return r;
}
