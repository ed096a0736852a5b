/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes attached, and let go.
 *
 * Links of bpf(2) are cheap both ways.  A perf event on a tracepoint or a function takes
 * some 70 ms to close, in which it only waits for all cpus, and since 6.13 the link to its
 * program waits as well: many are closed at once, by threads.
 */
#include "base/macro.h"
#include "base/parallel.h"
#include "runtime/kern/query-internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { CLOSING = 64 /* threads: they only wait */ };

void query_keep(struct query_kern *x, int link, int event, bool is_slow)
{
	if (x->attached_n == x->attached_room) {
		x->attached_room = x->attached_room ? x->attached_room * 2 : 16;
		x->attached = xrealloc(x->attached, x->attached_room * sizeof(*x->attached));
	}
	x->attached[x->attached_n++] =
		(struct attached){.link = link, .event = event, .is_slow = is_slow};
}

/* --- by kind: each returns 0 or -errno */

static int keep_link(struct query_kern *x, int fd)
{
	if (fd >= 0)
		query_keep(x, fd, -1, false);
	return fd < 0 ? fd : 0;
}

static int open_raw(struct query_kern *x, const struct question_probe *p, const char *name)
{
	struct bpf_raw_tracepoint_cookie a = {
		.name = (uintptr_t)name,
		.prog_fd = (uint32_t)x->progs[p->prog],
		.cookie = p->cookie,
	};

	return keep_link(x,
			 bpf_call(BPF_RAW_TRACEPOINT_OPEN, &a,
				  p->cookie ? sizeof(a)
					    : offsetof(struct bpf_raw_tracepoint_cookie, cookie)));
}

/* The program knows where. */
int query_attach_typed(struct query_kern *x, const struct question_probe *p)
{
	return open_raw(x, p, NULL);
}

int query_attach_raw(struct query_kern *x, const struct question_probe *p)
{
	return open_raw(x, p, p->target);
}

int query_attach_trampoline(struct query_kern *x, const struct question_probe *p)
{
	union bpf_attr a = {0};

	if (!p->cookie)
		return open_raw(x, p, NULL);
	a.link_create.prog_fd = (uint32_t)x->progs[p->prog];
	a.link_create.attach_type = x->base.q->progs.p[p->prog].attach_type;
	a.link_create.tracing.cookie = p->cookie;
	return keep_link(x, bpf_call(BPF_LINK_CREATE, &a, sizeof(a)));
}

int query_attach_kprobe_multi(struct query_kern *x, const struct question_probe *p)
{
	union bpf_attr a = {0};
	bool is_session = x->base.q->progs.p[p->prog].attach_type == BPF_TRACE_KPROBE_SESSION_;

	a.link_create.prog_fd = (uint32_t)x->progs[p->prog];
	a.link_create.attach_type = is_session ? (uint32_t)BPF_TRACE_KPROBE_SESSION_
					       : (uint32_t)BPF_TRACE_KPROBE_MULTI_;
	a.link_create.kprobe_multi.cnt = p->n_targets;
	a.link_create.kprobe_multi.syms = (uintptr_t)p->targets;
	if (!p->targets)
		a.link_create.kprobe_multi.addrs = (uintptr_t)p->addresses;
	a.link_create.kprobe_multi.cookies = (uintptr_t)p->cookies;
	if (attach_has(p->attach, QA_RETURN))
		a.link_create.kprobe_multi.flags = BPF_MULTI_RETURN_;
	return keep_link(x, bpf_call(BPF_LINK_CREATE, &a, sizeof(a)));
}

int query_attach_uprobe_multi(struct query_kern *x, const struct question_probe *p)
{
	struct bpf_link_uprobe_multi a = {
		.prog_fd = (uint32_t)x->progs[p->prog],
		.attach_type = BPF_TRACE_UPROBE_MULTI_,
		.path = (uintptr_t)p->binary,
		.offsets = (uintptr_t)p->addresses,
		.ref_ctr_offsets = (uintptr_t)p->ref_ctrs,
		.cookies = (uintptr_t)p->cookies,
		.cnt = p->n_targets,
		.uprobe_flags = attach_has(p->attach, QA_RETURN) ? BPF_MULTI_RETURN_ : 0,
		.pid = p->pid > 0 ? (uint32_t)p->pid : 0,
	};

	return keep_link(x, bpf_call(BPF_LINK_CREATE, &a, sizeof(a)));
}

/* A path that is not absolute is one of the bpf file system. */
static int pin(int link, const char *path)
{
	union bpf_attr a = {0};
	char whole[512];

	if (snprintf(whole, sizeof(whole), "%s%s", *path == '/' ? "" : "/sys/fs/bpf/", path) >=
	    (int)sizeof(whole))
		return -ENAMETOOLONG;
	a.pathname = (uintptr_t)whole;
	a.bpf_fd = (uint32_t)link;
	return bpf_call(BPF_OBJ_PIN, &a, sizeof(a));
}

/* Reading it to the end runs the program for each object. */
static void *read_iterator(void *arg)
{
	struct iterator *i = arg;
	char text[4096];
	ssize_t n;

	do {
		n = read(i->fd, text, sizeof(text));
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	__atomic_store_n(&i->is_done, true, __ATOMIC_RELEASE);
	return NULL;
}

static int run_iterator(struct query_kern *x, int link)
{
	union bpf_attr a = {0};
	struct iterator *i;
	int fd, r;

	a.iter_create.link_fd = (uint32_t)link;
	fd = bpf_call(BPF_ITER_CREATE, &a, sizeof(a));
	if (fd < 0)
		return fd;
	i = xalloc(sizeof(*i));
	i->fd = fd;
	r = -thread_start(&i->thread, THREAD_STACK_SMALL, read_iterator, i);
	if (r < 0) {
		close(fd);
		free(i);
		return r;
	}
	i->next = x->iterators;
	x->iterators = i;
	return 0;
}

bool query_kern_iterates(const struct query *base)
{
	const struct query_kern *x = (const struct query_kern *)base;
	for (const struct iterator *i = x->iterators; i; i = i->next)
		if (!__atomic_load_n(&i->is_done, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

static void end_iterators(struct query_kern *x)
{
	struct iterator *i, *next;

	for (i = x->iterators; i; i = next) {
		next = i->next;
		pthread_join(i->thread, NULL);
		close(i->fd);
		free(i);
	}
	x->iterators = NULL;
}

int query_attach_iter(struct query_kern *x, const struct question_probe *p)
{
	union bpf_attr a = {0};
	int link, r;

	a.link_create.prog_fd = (uint32_t)x->progs[p->prog];
	a.link_create.attach_type = BPF_TRACE_ITER;
	link = bpf_call(BPF_LINK_CREATE, &a, sizeof(a));
	if (link < 0)
		return link;
	r = p->pin && *p->pin ? pin(link, p->pin) : run_iterator(x, link);
	query_keep(x, link, -1, false);
	return r;
}

/* query_run() does it; or another row did. */
int query_attach_nothing(struct query_kern *x, const struct question_probe *p)
{
	(void)x;
	(void)p;
	return 0;
}

static int (*const attach[QATTACHES])(struct query_kern *x, const struct question_probe *p) = {
#define ATTACH(id, prog, type, access, traits, needs, feature, kern, vm, does) query_attach_##kern,
#include "catalog/attach.def"
#undef ATTACH
};

/* Where the usual words of an error mislead. */
static const char *reason(int r)
{
	switch (-r) {
	case EILSEQ:
		return "the place is inside of an instruction";
	default:
		return strerror(-r);
	}
}

int query_kern_attach(struct query *base, uint32_t probe, struct query_error *e)
{
	struct query_kern *x = (struct query_kern *)base;
	const struct question_probe *p = &x->base.q->probes.p[probe];
	size_t before = x->attached_n;
	int r;

	*e = (struct query_error){.prog = p->prog, .probe = probe, .span = p->span};
	if (p->attach == QATTACH_NONE)
		return 0;
	if (x->progs[p->prog] < 0) {
		struct query_error why = *e;

		/* an optional probe's program was refused when the query was opened */
		r = query_prog_retry(x, p->prog, &why);
		*e = why;
		e->prog = p->prog;
		e->probe = probe;
		if (r < 0)
			return r;
	}
	r = attach[p->attach](x, p);
	if (r >= 0)
		return 0;
	while (x->attached_n > before) { /* those of some cpus */
		struct attached *a = &x->attached[--x->attached_n];

		if (a->link >= 0)
			close(a->link);
		if (a->event >= 0)
			close(a->event);
	}
	if (r == -524 /* the kernel's own ENOTSUPP */ || r == -EOPNOTSUPP)
		r = -ENOTSUP;
	query_fail(e, r, "cannot attach %s: %s", p->name, reason(r));
	query_attach_hint(x, p, r, e);
	return r;
}

/* --- letting go */

static void let_go(const struct attached *a)
{
	if (a->link >= 0)
		close(a->link);
	if (a->event >= 0)
		close(a->event);
}

static void let_one_go(void *ctx, size_t i)
{
	let_go((const struct attached *)ctx + i);
}

void query_kern_detach(struct query *base)
{
	struct query_kern *x = (struct query_kern *)base;
	size_t n_slow = 0;

	end_iterators(x);
	for (size_t i = 0; i < x->attached_n; i++) {
		if (x->attached[i].is_slow)
			x->attached[n_slow++] = x->attached[i];
		else
			let_go(&x->attached[i]);
	}
	parallel_run(n_slow, CLOSING, let_one_go, x->attached);
	x->attached_n = 0;
}
