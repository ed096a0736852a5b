/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldimm64: numbers of 64 bits, maps and places in their values, functions, kernel variables.
 */
#include "runtime/vm/verify/internal.h"

static int wide_map_value(struct verifier *v, const struct bpf_insn *i, struct reg *dst)
{
	const struct vm_map_def *m = &v->o->maps.p[i->imm];
	uint32_t off = (uint32_t)i[1].imm;

	if (m->type == MAP_TYPE_ARENA) {
		v->arena_map = (uint32_t)i->imm + 1;
		reg_unknown(dst);
		return 0;
	}
	if (m->type != BPF_MAP_TYPE_ARRAY || m->max_entries != 1)
		return refuse(v, D_VERIFY_MAP, "invalid direct value access for map");
	if (off >= m->value_size)
		return refuse(v, D_VERIFY_BOUNDS, "direct value offset of %u is not allowed", off);
	reg_pointer(dst, REG_MAP_VALUE, 0);
	dst->map = (uint32_t)i->imm;
	dst->off = (int32_t)off;
	return 0;
}

/* The address of a kernel function, asked for to know if there is one; or of no type at all. */
static bool is_bare_address(const struct verifier *v, const struct vm_extern *var,
			    bool *ret_is_func)
{
	const struct btf_type *t = v->o->has_btf ? btf_view_type(&v->o->btf, var->btf) : NULL;

	*ret_is_func = t && btf_type_kind(t) == BTF_KIND_FUNC;
	return *ret_is_func || (t && !btf_resolve(&v->o->btf, t->type, NULL));
}

/*
 * Whether there is one, and where, only the machine knows: our own runtime has some of the
 * kernel's functions and none of its variables; the kernel has what its types say, and more.
 */
static int wide_address(struct verifier *v, const struct vm_extern *var, bool is_func,
			struct reg *dst)
{
	bool is_ours = !v->c->as_kernel;

	if (is_ours && !is_func && !var->is_weak)
		return refuse(v, D_VERIFY_INSTRUCTION, "unknown kernel variable '%s'", var->name);
	if (is_ours && !is_func)
		reg_known(dst, 0);
	else if (is_func && !is_ours && var->kernel)
		reg_pointer(dst, REG_MEM, F_RDONLY);
	else
		reg_unknown(dst);
	return 0;
}

/* A variable of the kernel's. */
static int wide_var(struct verifier *v, const struct bpf_insn *i, struct reg *dst)
{
	const struct vm_extern *var;
	const struct btf_type *t, *of;
	uint32_t id, type;
	bool is_func;

	if (i->imm < 0 || (size_t)i->imm >= v->o->vars.n)
		return refuse(v, D_VERIFY_INSTRUCTION, "invalid variable");
	var = &v->o->vars.p[i->imm];
	if (is_bare_address(v, var, &is_func))
		return wide_address(v, var, is_func, dst);
	/* a weak one is 0 in our own runtime */
	id = v->kernel && (v->c->as_kernel || !var->is_weak)
		     ? btf_find(v->kernel, BTF_ONE(VAR), var->name)
		     : 0;
	if (!id) {
		if (var->is_weak) {
			reg_known(dst, 0);
			return 0;
		}
		return refuse(v, D_VERIFY_INSTRUCTION, "unknown kernel variable '%s'", var->name);
	}
	t = btf_view_type(v->kernel, id);
	of = btf_resolve(v->kernel, t->type, &type);
	if (of && (btf_type_kind(of) == BTF_KIND_STRUCT || btf_type_kind(of) == BTF_KIND_UNION)) {
		/* variables with types in the kernel's BTF are those of its per-cpu section */
		reg_pointer(dst, REG_BTF, F_PERCPU);
		dst->btf = v->kernel;
		dst->btf_id = type;
	} else {
		reg_pointer(dst, REG_MEM, F_RDONLY | F_PERCPU);
		dst->size = of ? (uint32_t)btf_size(v->kernel, type) : 0;
	}
	return 0;
}

int wide_step(struct verifier *v, const struct bpf_insn *i, enum insn_id id)
{
	struct reg *dst = &cur_regs(v)[i->dst_reg];
	int r = reg_write(v, i->dst_reg);

	if (r)
		return r;
	if (id == INSN_WIDE_MAP_IDX || id == INSN_WIDE_MAP_IDX_VALUE)
		if (i->imm < 0 || (size_t)i->imm >= v->o->maps.n)
			return refuse(v, D_VERIFY_MAP, "there is no map %d", i->imm);
	if (id == INSN_WIDE) {
		reg_known(dst, (uint32_t)i->imm | (uint64_t)(uint32_t)i[1].imm << 32);
	} else if (id == INSN_WIDE_MAP_IDX) {
		if (i[1].imm)
			return refuse(v, D_VERIFY_INSTRUCTION, "unrecognized bpf_ld_imm64 insn");
		reg_pointer(dst, REG_MAP, 0);
		dst->map = (uint32_t)i->imm;
		if (v->o->maps.p[i->imm].type == MAP_TYPE_ARENA)
			v->arena_map = (uint32_t)i->imm + 1;
	} else if (id == INSN_WIDE_MAP_IDX_VALUE) {
		r = wide_map_value(v, i, dst);
	} else if (id == INSN_WIDE_FUNC) {
		uint32_t func = v->info[v->info[v->insn].target].func;

		if (v->funcs[func].is_global)
			return refuse(v, D_VERIFY_TYPE, "callback function not static");
		v->funcs[func].is_callback = true;
		reg_pointer(dst, REG_FUNC, 0);
		dst->func = func;
	} else if (id == INSN_WIDE_VAR) {
		r = wide_var(v, i, dst);
	} else {
		return refuse(v, D_VERIFY_INSTRUCTION, "unrecognized bpf_ld_imm64 insn");
	}
	dst->at = v->insn;
	return r;
}
