/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vm/question.h"

#include <errno.h>

struct vm_map_def question_map(const struct question_map *m)
{
	return (struct vm_map_def){
		.name = m->name,
		.type = m->type,
		.key_size = m->key_size,
		.value_size = m->value_size,
		.max_entries = m->max_entries,
		.flags = m->flags,
		.init = m->init,
		.is_frozen = m->kind == QMAP_RODATA,
		.span = m->span,
	};
}

int question_relocate(struct vm_object *o, const struct question_prog *p, struct vm_prog *v,
		      uint32_t *ret_bad)
{
	for (uint32_t i = 0; i < p->n_relocs; i++) {
		const struct question_reloc *r = &p->relocs[i];
		struct bpf_insn *at = &v->insns[r->insn];

		*ret_bad = i;
		if (r->insn + (r->kind != QRELOC_KFUNC) >= p->n_insns)
			return -EINVAL;
		switch (r->kind) {
		case QRELOC_MAP:
			insn_wide(at, BPF_PSEUDO_MAP_IDX, at->dst_reg, r->map);
			break;
		case QRELOC_MAP_VALUE:
			insn_wide(at, BPF_PSEUDO_MAP_IDX_VALUE, at->dst_reg,
				  r->map | (uint64_t)r->addend << 32);
			break;
		case QRELOC_KSYM:
			return -ENOTSUP;
		case QRELOC_KFUNC:
			array_push(&o->arena, &o->kfuncs, ((struct vm_extern){.name = r->name}));
			*at = insn_call(BPF_PSEUDO_KFUNC_CALL, (int32_t)o->kfuncs.n - 1);
			break;
		}
	}
	return 0;
}

struct vm_prog question_prog(struct arena *a, const struct question_prog *p)
{
	struct vm_func *funcs = arena_array(a, struct vm_func, p->n_funcs + 1);

	for (uint32_t i = 0; i < p->n_funcs; i++)
		funcs[i] = (struct vm_func){.name = p->funcs[i].name,
					    .insn = p->funcs[i].insn,
					    .is_callback = p->funcs[i].is_callback};
	if (!p->n_funcs)
		funcs[0] = (struct vm_func){.name = p->name};
	return (struct vm_prog){
		.name = p->name ? p->name : "",
		.section = "",
		.prog_type = p->prog_type,
		.attach_type = p->attach_type,
		.is_sleepable = p->is_sleepable,
		.insns = arena_copy(a, p->insns, MAX(p->n_insns, 1u) * sizeof(*p->insns)),
		.n_insns = p->n_insns,
		.lines = p->lines,
		.n_lines = p->n_lines,
		.funcs = funcs,
		.n_funcs = MAX(p->n_funcs, 1u),
	};
}

int question_object(const struct question *q, struct vm_object *ret)
{
	uint32_t bad;
	int r = 0;

	ret->license = q->config.license && *q->config.license ? q->config.license : "GPL";
	ret->diags = (struct diags *)&q->diags;
	for (size_t i = 0; i < q->maps.n; i++)
		array_push(&ret->arena, &ret->maps, question_map(&q->maps.p[i]));
	for (size_t i = 0; r >= 0 && i < q->progs.n; i++) {
		struct vm_prog p = question_prog(&ret->arena, &q->progs.p[i]);

		r = question_relocate(ret, &q->progs.p[i], &p, &bad);
		array_push(&ret->arena, &ret->progs, p);
	}
	return r;
}
