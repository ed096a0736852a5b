/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deciders over records: the stage is a map's value in this process, so a record is copied
 * there, the program of its kind runs, and the annex is taken back.
 */
#include "agent/rules-vm.h"

#include "base/macro.h"
#include "catalog/catalog.h"
#include "runtime/vm/load.h"
#include "runtime/vm/question.h"

#include <errno.h>
#include <stdlib.h>

struct rules_vm {
	struct rules_vm_config config;
	struct vm_object object;
	struct vm_loaded loaded;
	struct wire_stage *stage; /* in the map */
	struct vm_map *procs, *cgroups;
	struct vm_run run;
};

/* Maps that the kernel's programs lend to deciders are made here. */
static void complete(struct rules_vm *v, uint32_t *ret_stage)
{
	for (uint32_t i = 0; i < v->object.maps.n; i++) {
		struct vm_map_def *d = &v->object.maps.p[i];

		if (!strcmp(d->name, RULE_MAP_STAGE)) {
			d->type = BPF_MAP_TYPE_ARRAY;
			*ret_stage = i;
		} else if (!strcmp(d->name, RULE_MAP_SEND)) {
			d->type = BPF_MAP_TYPE_PROG_ARRAY;
		}
	}
}

static int load(struct rules_vm *v)
{
	struct vm_load_options o = {.engine = v->config.interpret ? VM_INTERP : VM_JIT,
				    .may_interpret = true};
	const struct rule_plan *plan = v->config.plan;
	uint32_t stage = 0, key = 0;
	int r = question_object(v->config.q, &v->object);

	if (r < 0)
		return r;
	complete(v, &stage);
	r = load_begin(&v->object, 1, &v->loaded);
	for (uint32_t i = 0; r >= 0 && i < v->object.progs.n; i++)
		r = load_prog(&v->loaded, i, &o);
	if (r < 0)
		return r;
	v->stage = map_lookup(v->loaded.maps[stage], &key, 0);
	v->procs = plan->map_procs < 0 ? NULL : v->loaded.maps[plan->map_procs];
	v->cgroups = plan->map_cgroups < 0 ? NULL : v->loaded.maps[plan->map_cgroups];
	return v->stage ? 0 : -EINVAL;
}

int rules_vm_open(const struct rules_vm_config *c, struct rules_vm **ret)
{
	struct rules_vm *v = xalloc(sizeof(*v));
	int r;

	v->config = *c;
	r = load(v);
	if (r < 0) {
		if (v->loaded.why[0])
			diag((struct diags *)&c->q->diags, D_REFUSED, (struct span){0}, "%s",
			     v->loaded.why);
		rules_vm_close(v);
		v = NULL;
	}
	*ret = v;
	return r;
}

void rules_vm_close(struct rules_vm *v)
{
	if (!v)
		return;
	load_done(&v->loaded);
	arena_done(&v->object.arena);
	free(v);
}

/* What the kernel's programs do at fork and exit (runtime/bpf/process.bpf.c). */
static void follow(struct rules_vm *v, const struct wire_head *h, size_t n)
{
	const struct wire_fork *f = (const void *)h;
	struct wire_proc_bits *of_parent, *own, bits;

	if (!v->procs)
		return;
	if (h->kind == EV_EXIT) {
		map_user_delete(v->procs, &h->pid);
	} else if (h->kind == EV_FORK && n >= sizeof(*f)) {
		own = map_lookup(v->procs, &f->child_pid, 0);
		if (own && own->start_ns == f->child_start_ns)
			return; /* its exec was told first: by another cpu */
		of_parent = map_lookup(v->procs, &h->pid, 0);
		if (!of_parent || of_parent->start_ns != h->start_ns) {
			map_user_delete(v->procs, &f->child_pid);
			return;
		}
		bits = *of_parent;
		bits.start_ns = f->child_start_ns;
		map_user_update(v->procs, &f->child_pid, &bits, BPF_ANY);
	}
}

int rules_vm_decide(struct rules_vm *v, const void *record, size_t n, struct wire_annex *annex)
{
	const struct wire_head *h = record;
	int32_t prog;
	uint64_t r;

	annex->flags &= ~(__u32)WIRE_A_DECIDED;
	if (n < sizeof(*h) || n > WIRE_RECORD_MAX || h->kind >= EV_END)
		return 1;
	follow(v, h, n);
	/* an exec that failed is told by another hook, without a decider */
	if (h->kind == EV_EXEC && h->ret < 0)
		return 1;
	prog = v->config.plan->progs[h->kind];
	if (prog < 0) { /* no rule is for this kind */
		memset(annex->may, 0, sizeof(annex->may));
		annex->generation = v->config.generation;
		annex->flags |= WIRE_A_DECIDED;
		return 0;
	}
	memcpy(v->stage->record, record, n);
	if (n < sizeof(v->stage->record)) /* a fixed part may be read that a short record lacks */
		memset(v->stage->record + n, 0, MIN(sizeof(v->stage->record) - n, (size_t)512));
	v->stage->annex = *annex;
	v->run = (struct vm_run){0};
	r = code_run(v->loaded.codes[prog], &v->run, NULL, 0);
	if (v->run.failure[0])
		return 1;
	*annex = v->stage->annex;
	return r != 0;
}

int rules_vm_process(struct rules_vm *v, uint32_t pid, const struct wire_proc_bits *bits)
{
	return v->procs ? map_user_update(v->procs, &pid, bits, BPF_NOEXIST) : 0;
}

int rules_vm_cgroup(struct rules_vm *v, uint64_t id, const struct wire_cgroup_bits *bits)
{
	if (!v->cgroups)
		return 0;
	return bits ? map_user_update(v->cgroups, &id, bits, BPF_ANY)
		    : map_user_delete(v->cgroups, &id);
}
