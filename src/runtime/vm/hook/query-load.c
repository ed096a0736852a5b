/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question's maps and programs, made ready to run in skep itself.
 *
 * References are put in as runtime/vm/prog.h says; each program is verified as one of a user's
 * is, and becomes code.  A helper that the runtime lacks is refused on the script's own line.
 */
#include "runtime/vm/hook/query-internal.h"

#include "runtime/vm/helper/proto.h"
#include "runtime/vm/question.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RING_BYTES = 1 << 20, RING_MAX = 1 << 30, HELPER_TASK = 35, HELPER_TASK_BTF = 158 };

/* --- maps */

static uint32_t ring_bytes(const struct query_vm *x)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), n = x->config.ring_bytes, at = page;

	if (!n)
		n = x->base.q->config.perf_rb_pages * page;
	if (!n)
		n = RING_BYTES;
	while (at < n && at < RING_MAX)
		at *= 2;
	return (uint32_t)at;
}

static struct vm_map_def define(const struct query_vm *x, const struct question_map *m)
{
	struct vm_map_def d = question_map(m);

	if (m->kind == QMAP_RING) {
		d.key_size = d.value_size = 0;
		d.max_entries = d.max_entries ? d.max_entries : ring_bytes(x);
	}
	return d;
}

static int make_maps(struct query_vm *x, struct query_error *e)
{
	const struct question *q = x->base.q;
	int r;

	for (size_t i = 0; i < q->maps.n; i++)
		array_push(&x->object.arena, &x->object.maps, define(x, &q->maps.p[i]));
	for (size_t i = 0; i < q->maps.n; i++) {
		const struct question_map *m = &q->maps.p[i];

		e->span = m->span;
		r = map_create(&x->object.maps.p[i], x->cpus, &x->maps[i]);
		if (r < 0)
			return query_vm_fail(e, r, "cannot make the map %s: %s", m->name,
					     strerror(-r));
		e->span = (struct span){0};
	}
	return 0;
}

/* --- programs */

static struct span span_of(const struct question_prog *p, uint32_t insn)
{
	struct span at = p->span;

	for (uint32_t i = 0; i < p->n_lines && p->lines[i].insn <= insn; i++)
		at = p->lines[i].span;
	return at;
}

static int relocate(struct query_vm *x, const struct question_prog *p, struct vm_prog *v,
		    struct query_error *e)
{
	uint32_t bad;
	int r = question_relocate(&x->object, p, v, &bad);

	if (r >= 0)
		return 0;
	if (r == -EINVAL)
		return query_vm_fail(e, r, "the program %s is damaged", p->name);
	e->span = span_of(p, p->relocs[bad].insn);
	return query_vm_fail(
		e, r, "%s is a variable of the kernel, which cannot be read without privileges",
		p->relocs[bad].name);
}

/* What it asks about its task; −ENOTSUP: a helper that looks into the kernel, or none of ours. */
static int look_at_calls(const struct question_prog *p, unsigned int *ret_needs,
			 struct query_error *e)
{
	const struct proto *proto;

	for (uint32_t i = 0; i < p->n_insns; i++) {
		const struct bpf_insn *c = &p->insns[i];
		uint32_t helper = (uint32_t)c->imm;

		if (insn_is_wide(c)) {
			i++;
			continue;
		}
		if (c->code != (BPF_JMP | BPF_CALL) || c->src_reg)
			continue;
		*ret_needs |= helper == BPF_FUNC_get_current_comm	 ? NEEDS_COMM
			      : helper == BPF_FUNC_get_current_uid_gid	 ? NEEDS_USER
			      : helper == BPF_FUNC_get_current_cgroup_id ? NEEDS_CGROUP
									 : 0;
		if (helper == HELPER_TASK || helper == HELPER_TASK_BTF) {
			e->span = span_of(p, i);
			return query_vm_fail(e, -ENOTSUP,
					     "this looks into the kernel's own task_struct, which "
					     "cannot be read without privileges");
		}
		if (helper_of(helper))
			continue;
		proto = proto_of(helper);
		e->span = span_of(p, i);
		return query_vm_fail(e, -ENOTSUP, "the embedded runtime has no helper %s",
				     proto ? proto->name : "of this number");
	}
	return 0;
}

static int verify_one(struct query_vm *x, uint32_t i, struct verify_result *ret,
		      struct query_error *e)
{
	struct verify_config c = {0};
	int r = verify(&x->object, i, &c, &x->arena, ret);

	if (r < 0)
		return query_vm_fail(e, r, "cannot verify the program %s: %s",
				     x->object.progs.p[i].name, strerror(-r));
	if (ret->is_ok)
		return 0;
	/* why, and where, stands in the question's diagnostics */
	return query_vm_fail(e, -EACCES, "skep's own verifier refuses the program %s: %s",
			     x->object.progs.p[i].name,
			     ret->error ? ret->error : "it says no more");
}

static int load_one(struct query_vm *x, uint32_t i, struct query_error *e)
{
	const struct question_prog *p = &x->base.q->progs.p[i];
	struct query_prog *to = &x->progs[i];
	struct verify_result result = {0};
	struct code_options o = {.engine = VM_JIT, .maps = x->maps};
	char why[256] = "";
	int r = look_at_calls(p, &to->needs, e);

	if (r >= 0)
		r = relocate(x, p, &x->object.progs.p[i], e);
	if (r >= 0)
		r = verify_one(x, i, &result, e);
	if (r < 0)
		return r;
	r = code_make(&x->object, i, &result, &o, &to->code, why, sizeof(why));
	if (r < 0) { /* no JIT on this machine, or no memory that may be executed */
		o.engine = VM_INTERP;
		r = code_make(&x->object, i, &result, &o, &to->code, why, sizeof(why));
	}
	return r < 0 ? query_vm_fail(e, r, "cannot make code of %s: %s", p->name,
				     *why ? why : strerror(-r))
		     : 0;
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

/* Before anything is verified: what has no place here need not be judged. */
static int look_at_probes(struct query_vm *x, struct query_error *e)
{
	const struct question *q = x->base.q;
	int r;

	for (uint32_t i = 0; i < q->probes.n; i++) {
		const struct question_probe *p = &q->probes.p[i];

		r = p->is_optional ? 0 : query_vm_can(x, p, e);
		if (r >= 0)
			continue;
		e->probe = i;
		e->prog = p->prog;
		e->span = p->span;
		return r;
	}
	return 0;
}

int query_vm_load(struct query_vm *x, struct query_error *e)
{
	const struct question *q = x->base.q;
	int r = look_at_probes(x, e);

	if (r >= 0)
		r = make_maps(x, e);
	if (r < 0)
		return r;
	x->object.license = q->config.license && *q->config.license ? q->config.license : "GPL";
	x->object.diags = (struct diags *)&q->diags;
	for (size_t i = 0; i < q->progs.n; i++)
		array_push(&x->object.arena, &x->object.progs,
			   question_prog(&x->object.arena, &q->progs.p[i]));
	for (uint32_t i = 0; i < q->progs.n; i++) {
		r = load_one(x, i, e);
		if (r >= 0)
			continue;
		e->prog = i;
		if (!is_optional(q, i))
			return r;
		*e = (struct query_error){.prog = UINT32_MAX, .probe = UINT32_MAX};
	}
	return 0;
}

void query_vm_unload(struct query_vm *x)
{
	for (size_t i = 0; i < x->base.q->progs.n; i++)
		code_free(x->progs[i].code);
	for (size_t i = 0; i < x->base.q->maps.n; i++)
		map_unref(x->maps[i]);
	arena_done(&x->object.arena);
	arena_done(&x->arena);
	free(x->maps);
	free(x->progs);
}
