/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a value that are not plain bytes (prog.h, struct vm_field), and kernel pointers among
 * them: what they give, what may be put into them.
 */
#include "runtime/vm/verify/internal.h"

static const struct fields no_fields;

static const struct fields *type_fields(struct verifier *v, uint32_t type)
{
	struct fields *f = map_get(&v->local_fields, type);

	if (f)
		return f;
	f = arena_new(&v->pool.arena, struct fields);
	if (type && v->o->has_btf &&
	    fields_find(&v->o->btf, type, &v->pool.arena, &f->f, &f->n) < 0) {
		f->n = 0;
		f->is_bad = true;
	}
	/* the kernel does not look at a type that has more */
	if (v->c->as_kernel && f->n > 11)
		f->n = 0;
	map_put(&v->local_fields, type, f);
	return f;
}

static const struct fields *def_fields(struct verifier *v, const struct vm_map_def *m)
{
	return type_fields(v, m->value_type);
}

const struct fields *reg_fields(struct verifier *v, const struct reg *r)
{
	if (r->type == REG_MAP_VALUE || r->type == REG_MAP) {
		const struct vm_map_def *m = reg_map(v, r);

		return m ? def_fields(v, m) : &no_fields;
	}
	if (r->type == REG_BTF && r->btf == &v->o->btf)
		return type_fields(v, r->btf_id);
	return &no_fields;
}

const struct vm_field *fields_at(const struct fields *f, uint32_t off, unsigned int kinds)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->f[i].offset == off && kinds & 1u << f->f[i].kind)
			return &f->f[i];
	return NULL;
}

const struct vm_field *fields_one(const struct fields *f, enum vm_field_kind kind)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->f[i].kind == kind)
			return &f->f[i];
	return NULL;
}

/* What a kernel pointer points to: the kernel's type of that name, else the program's own. */
void kptr_type(struct verifier *v, const struct vm_field *f, const struct btf_view **btf,
	       uint32_t *id)
{
	const struct btf_type *t = btf_view_type(&v->o->btf, f->type);
	uint32_t found = 0;

	*btf = &v->o->btf;
	*id = f->type;
	if (t && v->kernel)
		found = btf_find(v->kernel,
				 btf_type_kind(t) == BTF_KIND_UNION ? BTF_ONE(UNION)
								    : BTF_ONE(STRUCT),
				 btf_view_name(&v->o->btf, t));
	if (found) {
		*btf = v->kernel;
		*id = found;
	}
}

/* Objects that live until a grace period has passed: such a pointer may be read under RCU. */
static bool is_rcu_protected(struct verifier *v, const struct btf_view *btf, uint32_t id)
{
	static const char *const names[] = {"task_struct", "cgroup",	     "prog_test_ref_kfunc",
					    "bpf_cpumask", "bpf_crypto_ctx", "task_struct"};
	const char *name = btf_view_name(btf, btf_view_type(btf, id));

	(void)v;
	if (btf != v->kernel)
		return true;
	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static unsigned int load_flags(struct verifier *v, const struct vm_field *f,
			       const struct btf_view *btf, uint32_t id)
{
	unsigned int flags = F_NULL;

	if (f->kind != FIELD_KPTR_UNTRUSTED && rcu_is_held(v) && is_rcu_protected(v, btf, id)) {
		flags |= F_RCU;
		if (f->kind == FIELD_KPTR_PERCPU)
			flags |= F_PERCPU;
		else if (btf != v->kernel)
			flags |= F_ALLOC;
		if (type_fields(v, btf == v->kernel ? 0 : id)->n && btf != v->kernel &&
		    (fields_one(type_fields(v, id), FIELD_LIST_NODE) ||
		     fields_one(type_fields(v, id), FIELD_RB_NODE)))
			flags |= F_NON_OWN;
		return flags;
	}
	return flags | F_UNTRUSTED;
}

/* May register `regno` be put there? */
int kptr_match(struct verifier *v, const struct vm_field *f, const struct reg *r,
	       unsigned int regno)
{
	const struct btf_view *btf;
	unsigned int allowed = F_NULL | F_TRUSTED | F_RCU;
	char name[96];
	uint32_t id;

	kptr_type(v, f, &btf, &id);
	if (f->kind == FIELD_KPTR_UNTRUSTED)
		allowed |= F_UNTRUSTED;
	if (btf != v->kernel || f->kind == FIELD_KPTR_PERCPU)
		allowed |= F_ALLOC;
	if (f->kind == FIELD_KPTR_PERCPU)
		allowed |= F_PERCPU;
	if (r->type == REG_BTF && !(r->flags & ~allowed) && r->btf &&
	    (r->btf == btf || (r->btf == v->kernel && btf == v->kernel))) {
		int ret = offset_check_fixed(v, r, regno, true);

		if (ret)
			return ret;
		if (types_match(r->btf, r->btf_id, r->off, btf, id, f->kind != FIELD_KPTR_UNTRUSTED,
				true))
			return 0;
	}
	return refuse(v, D_VERIFY_TYPE, "invalid kptr access, R%u type=%s", regno,
		      reg_name(r, name, sizeof(name)));
}

int kptr_access(struct verifier *v, const struct access *a, const struct vm_field *f)
{
	const struct btf_view *btf;
	uint32_t id;
	struct reg *r;
	unsigned int flags;

	if (a->is_atomic || a->is_signed)
		return refuse(v, D_VERIFY_ACCESS,
			      "kptr in map can only be accessed using BPF_MEM instruction mode");
	if (a->is_write && f->kind != FIELD_KPTR_UNTRUSTED)
		return refuse(v, D_VERIFY_ACCESS, "store to referenced kptr disallowed");
	if (!a->is_write) {
		if (a->value < 0)
			return 0;
		kptr_type(v, f, &btf, &id);
		flags = load_flags(v, f, btf, id);
		r = &cur_regs(v)[a->value];
		reg_pointer(r, REG_BTF, flags);
		r->btf = btf;
		r->btf_id = id;
		r->id = new_id(v);
		return 0;
	}
	if (a->value < 0) {
		if (BPF_CLASS(cur_insn(v)->code) == BPF_ST && cur_insn(v)->imm)
			return refuse(v, D_VERIFY_ACCESS,
				      "BPF_ST imm must be 0 when storing to kptr at off=%u",
				      f->offset);
		return 0;
	}
	r = &cur_regs(v)[a->value];
	if (reg_is_zero(r))
		return 0;
	return kptr_match(v, f, r, (unsigned int)a->value);
}
