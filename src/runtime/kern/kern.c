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
#include "catalog/glob.h"
#include "runtime/kern/seed.h"
#include "runtime/kern/object.h"
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

enum {
	LINKS = 32,
	RECORDS_A_POLL = 16384, /* then the caller may look at the clock again */
};

struct kern {
	struct runtime base;
	struct runtime_config config;
	struct object object;
	struct watch *skel; /* of the object */
	struct ring_buffer *ring;
	struct wire_count *counts; /* mapped, one a cpu */
	size_t counts_bytes;
	int cpus;
	int links[LINKS]; /* descriptors */
	int links_n;
	int cgroup_fd;	     /* where cgroup hooks go; owned */
	uint64_t seeds_full; /* owners of older sockets that found the table full */
	/* of the poll that runs */
	runtime_record_fn fn;
	void *ctx;
	int left; /* records that it still takes */
};

#define KERN(rt) ((struct kern *)(rt))

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

/* Which events a program of the object serves; 0 in `events`: always loaded. */
struct program_use {
	const char *name;
	uint64_t events;
};

#define E(id) KIND_BIT(EV_##id)
static const struct program_use uses[] = {
	{"on_exec", ~0ull},
	{"on_exit", ~0ull},
	{"on_fork", ~0ull},
	{"on_tcp_state", E(CONNECT) | E(ACCEPT) | E(LISTEN) | E(CLOSE)},
	{"on_sendmsg4", E(DATAGRAM)},
	{"on_sendmsg6", E(DATAGRAM)},
	{"on_uring_submit_req", E(OPEN) | E(WRITE) | E(CREATE)},
	{"on_uring_submit_sqe", E(OPEN) | E(WRITE) | E(CREATE)},
	{"on_uring_complete_cqe", E(OPEN) | E(WRITE) | E(CREATE)},
	{"on_uring_complete", E(OPEN) | E(WRITE) | E(CREATE)},
	{"on_cgroup_mkdir", ~0ull},
	{"seed_tasks", ~0ull},
	{"seed_sockets", E(CLOSE)},
};
#undef E

static const char *const handlers[SYS_END] = {
	[SYS_OPEN] = "sys_open",   [SYS_PATH] = "sys_path", [SYS_ARGS] = "sys_args",
	[SYS_CREDS] = "sys_creds", [SYS_SOCK] = "sys_sock", [SYS_EXEC] = "sys_exec",
};

/* An open may turn out to be any of the three, an unlinkat a rmdir. */
static uint64_t kinds_of_syscall(const struct sys_desc *d)
{
	uint64_t kinds = KIND_BIT(d->kind);

	if (d->handler == SYS_OPEN)
		kinds |= KIND_BIT(EV_OPEN) | KIND_BIT(EV_WRITE) | KIND_BIT(EV_CREATE);
	if (d->bits & SYS_B_SOCKETCALL)
		kinds |= KIND_BIT(EV_BIND) | KIND_BIT(EV_LISTEN) | KIND_BIT(EV_ACCEPT) |
			 KIND_BIT(EV_CLOSE);
	if (d->bits & SYS_B_RMDIR)
		kinds |= KIND_BIT(EV_RMDIR);
	if (d->kind == EV_ACCEPT) /* an accepted connection's end needs its owner */
		kinds |= KIND_BIT(EV_CLOSE);
	return kinds;
}

/* Writes the tables of system calls; returns which handlers they need. */
static unsigned int fill_syscalls(struct kern *k)
{
	const struct syscall_desc *all;
	unsigned int handlers_used = 0;
	size_t n;

	all = syscalls_get(&n);
	for (size_t i = 0; i < n; i++) {
		if (!(kinds_of_syscall(&all[i].desc) & k->config.events))
			continue;
		handlers_used |= 1u << all[i].desc.handler;
		if (all[i].nr >= 0 && all[i].nr < SCOPE_SYSCALLS)
			k->skel->rodata->sys_descs[all[i].nr] = all[i].desc;
		if (all[i].nr_ia32 >= 0 && all[i].nr_ia32 < SCOPE_SYSCALLS)
			k->skel->rodata->sys_descs_ia32[all[i].nr_ia32] = all[i].desc;
	}
	return handlers_used;
}

static bool variant_fits(const struct kern *k, const char *name)
{
	const struct variants *v = &k->object.variants;

	if (!strcmp(name, "on_uring_submit_req"))
		return v->uring_submit_req && v->uring_complete;
	if (!strcmp(name, "on_uring_submit_sqe"))
		return v->uring_submit_sqe && v->uring_complete;
	if (!strncmp(name, "on_uring_complete", 17))
		return v->uring_complete && (v->uring_submit_req || v->uring_submit_sqe) &&
		       v->uring_has_cqe == !strcmp(name, "on_uring_complete_cqe");
	if (!strcmp(name, "on_cgroup_mkdir"))
		return v->cgroup_mkdir;
	if (!strncmp(name, "on_sendmsg", 10))
		return k->cgroup_fd >= 0;
	return true;
}

/* name_unlink sits in security_path_unlink, and so on. */
static bool can_name(struct kern *k, const char *program)
{
	char function[64];

	snprintf(function, sizeof(function), "security_path_%s", program + 5);
	if (!object_can_fentry(&k->object, function))
		return false;
	k->skel->rodata->have_names = true;
	return true;
}

static void choose_programs(struct kern *k, unsigned int handlers_used)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, k->skel->obj)
	{
		const char *name = bpf_program__name(p);
		bool load = false;

		for (size_t i = 0; i < ELEMENTS(uses); i++)
			if (!strcmp(uses[i].name, name))
				load = (uses[i].events & k->config.events) && variant_fits(k, name);
		for (int h = 1; h < SYS_END; h++)
			if (!strcmp(handlers[h], name))
				load = handlers_used & (1u << h);
		if (!strcmp(name, "on_sys_exit"))
			load = handlers_used;
		if (!strncmp(name, "name_", 5))
			load = (handlers_used & (1u << SYS_PATH)) && can_name(k, name);
		if (!strncmp(name, "seed_", 5) && !k->config.seeds)
			load = false;
		bpf_program__set_autoload(p, load);
	}
}

/* -E2BIG: the glob is too long. */
static int fill_scope(struct kern *k)
{
	const struct runtime_config *c = &k->config;
	struct scope *s = (struct scope *)&k->skel->rodata->scope;

	s->events = c->events;
	s->self = getpid();
	s->ring_size = c->ring_kb * 1024;
	s->wake_at = s->ring_size / 4;
	s->page_kb = sysconf(_SC_PAGESIZE) / 1024;
	if (c->cgroup_fd >= 0)
		s->bits |= SCOPE_CGROUP;
	if (c->follow)
		s->bits |= SCOPE_TREE;
	if (c->by_user) {
		s->bits |= SCOPE_USER;
		s->uid = c->uid;
	}
	if (c->no_failed)
		s->bits |= SCOPE_NO_FAILED;
	if (!c->comm)
		return 0;
	s->bits |= SCOPE_COMM;
	return glob_compile(c->comm, (struct scope_glob *)&k->skel->rodata->scope_glob);
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
		p = bpf_object__find_program_by_name(k->skel->obj, handlers[h]);
		fd = bpf_program__fd(p);
		r = bpf_map_update_elem(bpf_map__fd(k->skel->maps.sys_programs), &h, &fd, BPF_ANY);
		if (r < 0)
			return r;
	}
	return 0;
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
	r = k->cpus < 0 ? k->cpus : fill_scope(k);
	if (r < 0) {
		fail(e, r,
		     r == -E2BIG ? "the pattern for thread names is too long"
				 : "cannot count the processors",
		     "");
		goto out;
	}
	handlers_used = fill_syscalls(k);
	choose_programs(k, handlers_used);
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
