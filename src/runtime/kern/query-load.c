/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of a query: put together and loaded.
 *
 * Descriptors of maps, addresses of kernel variables and numbers of kernel functions are
 * put in here, in a copy.  A program with callbacks gets a few types: the kernel wants a
 * description of a function whose address is taken.  It is loaded without a log
 * first, since writing one costs more than verifying; if it is refused, once more with
 * the log, which query-refusal.c reads.
 */
#include "base/macro.h"
#include "isa/btf-write.h"
#include "isa/insn.h"
#include "runtime/kern/module-btf.h"
#include "runtime/kern/query-internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifndef BPF_PSEUDO_KFUNC_CALL
#define BPF_PSEUDO_KFUNC_CALL 2
#endif

enum {
	LOG_ROOM = 16 << 20,
};

/* What one load is made of. */
struct query_load {
	union bpf_attr attr;
	struct bpf_insn *insns;	     /* owned */
	struct bpf_func_info *funcs; /* owned */
	int btf, module;	     /* owned descriptors; -1 */
};

static void load_done(struct query_load *l)
{
	free(l->insns);
	free(l->funcs);
	if (l->btf >= 0)
		close(l->btf);
	if (l->module >= 0)
		close(l->module);
}

/* --- relocations */

static int put_ksym(struct query_kern *x, struct bpf_insn *at, const struct question_reloc *r)
{
	const struct btf_view *v = query_btf(x);
	uint32_t id = v ? btf_find(v, BTF_ONE(VAR), r->name) : 0;

	if (!id)
		return -ENOENT;
	insn_wide(at, BPF_PSEUDO_BTF_ID, at->dst_reg, id);
	return 0;
}

static int put_kfunc(struct query_kern *x, struct bpf_insn *at, const struct question_reloc *r)
{
	const struct btf_view *v = query_btf(x);
	uint32_t id = v ? btf_kfunc(v, r->name) : 0;

	if (v && !id)
		id = btf_find(v, BTF_ONE(FUNC), r->name);
	if (!id)
		return -ENOENT;
	*at = insn_call(BPF_PSEUDO_KFUNC_CALL, (int32_t)id);
	return 0;
}

static int put(struct query_kern *x, struct bpf_insn *at, const struct question_reloc *r)
{
	switch (r->kind) {
	case QRELOC_MAP:
		insn_wide(at, BPF_PSEUDO_MAP_FD, at->dst_reg, (uint32_t)x->maps[r->map]);
		return 0;
	case QRELOC_MAP_VALUE:
		insn_wide(at, BPF_PSEUDO_MAP_VALUE, at->dst_reg,
			  (uint32_t)x->maps[r->map] | (uint64_t)r->addend << 32);
		return 0;
	case QRELOC_KSYM:
		return put_ksym(x, at, r);
	case QRELOC_KFUNC:
		return put_kfunc(x, at, r);
	}
	return -EINVAL;
}

static struct span span_of(const struct question_prog *p, uint32_t insn)
{
	struct span at = p->span;

	for (uint32_t i = 0; i < p->n_lines && p->lines[i].insn <= insn; i++)
		at = p->lines[i].span;
	return at;
}

static int relocate(struct query_kern *x, const struct question_prog *p, struct query_load *l,
		    struct query_error *e)
{
	l->insns = xalloc(MAX(p->n_insns, 1u) * sizeof(*l->insns));
	memcpy(l->insns, p->insns, p->n_insns * sizeof(*l->insns));
	for (uint32_t i = 0; i < p->n_relocs; i++) {
		const struct question_reloc *r = &p->relocs[i];
		bool is_wide = r->kind != QRELOC_KFUNC;

		if (r->insn + is_wide >= p->n_insns ||
		    ((r->kind == QRELOC_MAP || r->kind == QRELOC_MAP_VALUE) &&
		     r->map >= x->base.q->maps.n))
			return query_fail(e, -EINVAL, "the program %s is damaged", p->name);
		if (put(x, &l->insns[r->insn], r) < 0) {
			e->span = span_of(p, r->insn);
			return query_fail(e, -ENOENT, "this kernel has no %s named %s",
					  r->kind == QRELOC_KFUNC ? "function for programs"
								  : "variable",
					  r->name);
		}
	}
	return 0;
}

/* --- types of functions */

enum { PARAMS_MAX = 5 };

static int write_funcs(const struct question_prog *p, struct bpf_func_info *infos, struct buf *blob)
{
	struct btf_writer w;
	uint32_t u64, protos[PARAMS_MAX + 1] = {0}, params[PARAMS_MAX];

	btf_writer_init(&w);
	u64 = btf_write_int(&w, "u64", 8, 0);
	for (unsigned int i = 0; i < PARAMS_MAX; i++)
		params[i] = u64;
	for (uint32_t i = 0; i < p->n_funcs; i++) {
		const struct question_func *f = &p->funcs[i];
		uint32_t n = MIN(f->n_params, (uint32_t)PARAMS_MAX);

		if (!protos[n])
			protos[n] = btf_write_proto(&w, u64, params, NULL, n);
		infos[i].insn_off = f->insn;
		/* not global: those would be verified apart from their callers */
		infos[i].type_id = btf_write_func(&w, f->name && *f->name ? f->name : "f",
						  protos[n], BTF_FUNC_STATIC);
	}
	btf_write_blob(&w, blob);
	btf_writer_done(&w);
	return 0;
}

static bool needs_types(const struct question_prog *p)
{
	for (uint32_t i = 0; i < p->n_funcs; i++)
		if (p->funcs[i].is_callback)
			return true;
	return false;
}

static int add_types(const struct question_prog *p, struct query_load *l)
{
	_cleanup_buf_ struct buf blob = {0};
	union bpf_attr a = {0};

	if (!needs_types(p))
		return 0;
	l->funcs = xalloc(p->n_funcs * sizeof(*l->funcs));
	write_funcs(p, l->funcs, &blob);
	a.btf = (uintptr_t)blob.p;
	a.btf_size = (uint32_t)blob.n;
	l->btf = bpf_call(BPF_BTF_LOAD, &a, sizeof(a));
	if (l->btf < 0)
		return l->btf;
	l->attr.prog_btf_fd = (uint32_t)l->btf;
	l->attr.func_info = (uintptr_t)l->funcs;
	l->attr.func_info_cnt = p->n_funcs;
	l->attr.func_info_rec_size = sizeof(*l->funcs);
	return 0;
}

/* --- what tracing programs attach to */

static uint32_t find_target(const struct btf_view *v, const struct question_prog *p)
{
	char name[256];

	switch (p->attach_type) {
	case BPF_TRACE_RAW_TP:
		snprintf(name, sizeof(name), "btf_trace_%s", p->btf_name);
		return btf_find(v, BTF_ONE(TYPEDEF), name);
	case BPF_TRACE_ITER:
		snprintf(name, sizeof(name), "bpf_iter_%s", p->btf_name);
		return btf_find(v, BTF_ONE(FUNC), name);
	case BPF_LSM_MAC:
		snprintf(name, sizeof(name), "bpf_lsm_%s", p->btf_name);
		return btf_find(v, BTF_ONE(FUNC), name);
	default:
		return btf_find(v, BTF_ONE(FUNC), p->btf_name);
	}
}

static int add_target(struct query_kern *x, const struct question_prog *p, struct query_load *l,
		      struct query_error *e)
{
	const struct btf_view *v;
	struct module_btf module;

	if (!p->btf_name)
		return 0;
	v = query_btf(x);
	if (!v) {
		query_hint(e, "it was built without CONFIG_DEBUG_INFO_BTF=y; distributions' "
			      "kernels since 2021 have it");
		return query_fail(e, -ENOTSUP, "this kernel does not describe its types (BTF)");
	}
	if (!p->btf_module || !strcmp(p->btf_module, "vmlinux")) {
		l->attr.attach_btf_id = find_target(v, p);
	} else if (module_btf_open(&module, v, p->btf_module) >= 0) {
		l->attr.attach_btf_id = find_target(&module.view, p);
		l->module = module_btf_fd(p->btf_module);
		l->attr.attach_btf_obj_fd = l->module < 0 ? 0 : (uint32_t)l->module;
		module_btf_close(&module);
	}
	if (!l->attr.attach_btf_id) {
		e->span = p->span;
		return query_fail(e, -ENOENT, "this kernel has no %s named %s",
				  p->attach_type == BPF_TRACE_RAW_TP ? "tracepoint"
				  : p->attach_type == BPF_TRACE_ITER ? "iterator"
								     : "function",
				  p->btf_name);
	}
	return 0;
}

/* --- the load */

static void fill_attr(const struct query_kern *x, const struct question_prog *p,
		      struct query_load *l)
{
	const char *license = x->base.q->config.license;

	l->attr.prog_type = p->prog_type;
	l->attr.expected_attach_type = p->attach_type;
	l->attr.insns = (uintptr_t)l->insns;
	l->attr.insn_cnt = p->n_insns;
	l->attr.license = (uintptr_t)(license && *license ? license : "GPL");
	if (p->is_sleepable)
		l->attr.prog_flags |= BPF_F_SLEEPABLE;
	snprintf(l->attr.prog_name, sizeof(l->attr.prog_name), "%.15s", p->name ? p->name : "");
}

static int load_once(struct query_load *l)
{
	int r = bpf_call(BPF_PROG_LOAD, &l->attr, sizeof(l->attr));

	if (r == -EPERM) {
		bpf_raise_memlock();
		r = bpf_call(BPF_PROG_LOAD, &l->attr, sizeof(l->attr));
	}
	/* the verifier gives way to signals and other work */
	for (int i = 0; r == -EAGAIN && i < 5; i++)
		r = bpf_call(BPF_PROG_LOAD, &l->attr, sizeof(l->attr));
	return r;
}

/* Pages of the log are there only when the kernel writes them. */
static int load_logged(struct query_load *l, const struct question_prog *p, struct query_error *e)
{
	char *log = mmap(NULL, LOG_ROOM, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int r;

	if (log == MAP_FAILED)
		return -errno;
	l->attr.log_buf = (uintptr_t)log;
	l->attr.log_size = LOG_ROOM;
	l->attr.log_level = 1;
	r = load_once(l);
	log[LOG_ROOM - 1] = 0;
	if (r < 0)
		query_refusal(p, log, r, e);
	else
		snprintf(e->error.log, sizeof(e->error.log), "%.*s", 4000, log);
	munmap(log, LOG_ROOM);
	return r;
}

static bool is_optional(const struct question *q, uint32_t prog)
{
	bool is_used = false;

	for (size_t i = 0; i < q->probes.n; i++) {
		if (q->probes.p[i].prog != prog)
			continue;
		if (!q->probes.p[i].is_optional)
			return false;
		is_used = true;
	}
	return is_used;
}

static int prepare(struct query_kern *x, const struct question_prog *p, struct query_load *l,
		   struct query_error *e)
{
	int r = relocate(x, p, l, e);

	if (r >= 0)
		r = add_target(x, p, l, e);
	if (r < 0)
		return r;
	fill_attr(x, p, l);
	r = add_types(p, l);
	if (r < 0)
		query_fail(e, r, "the kernel does not take the types of %s", p->name);
	return r;
}

static int load(struct query_kern *x, uint32_t i, struct query_error *e)
{
	const struct question_prog *p = &x->base.q->progs.p[i];
	struct query_load l = {.btf = -1, .module = -1};
	int r = prepare(x, p, &l, e);

	if (r >= 0) {
		r = load_once(&l);
		if (r < 0) {
			int first = r;

			r = load_logged(&l, p, e);
			if (r < 0 && first != -ENOSPC)
				r = first;
		}
		x->progs[i] = r < 0 ? -1 : r;
	}
	load_done(&l);
	return r;
}

/* --- apart: query-loads.c */

struct query_load *query_load_new(struct query_kern *x, uint32_t i)
{
	struct query_load *l = xalloc(sizeof(*l));
	struct query_error ignored;

	*l = (struct query_load){.btf = -1, .module = -1};
	if (prepare(x, &x->base.q->progs.p[i], l, &ignored) >= 0)
		return l;
	query_load_free(l);
	return NULL;
}

int query_load_try(struct query_load *l)
{
	return load_once(l);
}

void query_load_free(struct query_load *l)
{
	if (l)
		load_done(l);
	free(l);
}

int query_prog_load(struct query_kern *x, uint32_t i, struct query_error *e)
{
	int r = load(x, i, e);

	if (r >= 0)
		return 0;
	if (is_optional(x->base.q, i)) { /* query_attach() will say so */
		*e = (struct query_error){.prog = UINT32_MAX, .probe = UINT32_MAX};
		return 0;
	}
	e->prog = i;
	for (uint32_t k = 0; k < x->base.q->probes.n && e->probe == UINT32_MAX; k++)
		if (x->base.q->probes.p[k].prog == i)
			e->probe = k;
	return r;
}

int query_prog_retry(struct query_kern *x, uint32_t i, struct query_error *e)
{
	int r = load(x, i, e);

	return r < 0 ? r : 0;
}
