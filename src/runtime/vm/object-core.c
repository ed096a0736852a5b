/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CO-RE: a program compiled once runs where the kernel's structs are others.
 *
 * A record of .BTF.ext names an instruction, a type of the object, a way through it and a kind of
 * question: at which byte is task->pid, how large is it, is there such an enumerator?  The
 * compiler has put in the answer for its own declarations.  Here the type is looked for by name
 * in the kernel's types, the way is followed there, and the answer replaces the number.
 *
 * Several types of the kernel may bear the name (sources that declare the same thing twice,
 * or "___flavours"); all that have the way must agree.  If none has it, the
 * question "is it there" is answered with 0, and every other instruction is replaced by a call of
 * a helper that there is not: no harm where a program asks first and so never gets there.
 *
 * Semantics: libbpf's, as Documentation/bpf/llvm_reloc.rst and its headers describe them.
 * Without types of a kernel all stays as the compiler had it.
 */
#include "runtime/vm/object-core.h"
#include "runtime/vm/object-internal.h"

#include "base/macro.h"

#include <stdlib.h>

/* What a verifier knows as "bad relocation"; libbpf's number. */
enum { POISON = 0xbad2310 };

/* Types of the kernel for one of the object's. */
struct candidates {
	uint32_t *ids;
	uint32_t n;
};

/* A type of the kernel with a flavour, which no search by name finds. */
struct flavour {
	uint32_t id;
	uint64_t hash; /* of the name before it */
};

struct core {
	struct loader *l;
	const struct btf_view *here, *kernel;
	struct map candidates; /* id of the object's type → struct candidates */
	ARRAY(struct flavour) flavours;
	bool has_flavours; /* they were looked for */
};

/* Where a relocation is, for messages. */
struct place_in {
	struct object_section *section;
	struct object_func *func;
	uint32_t insn;
};

/* --- candidates */

static uint64_t stem_hash(const char *name)
{
	return str_hash((struct str){name, core_name_length(name)});
}

static void find_flavours(struct core *c)
{
	unsigned int n = btf_view_n(c->kernel);

	c->has_flavours = true;
	for (unsigned int id = 1; id < n; id++) {
		const struct btf_type *t = btf_view_type(c->kernel, id);
		const char *name;

		if (!t || !(BTF_TYPES >> btf_type_kind(t) & 1) || !t->name_off)
			continue;
		name = btf_view_name(c->kernel, t);
		if (strstr(name, "___") && name[core_name_length(name)])
			array_push(&c->l->scratch, &c->flavours,
				   ((struct flavour){id, stem_hash(name)}));
	}
}

static uint32_t kinds_like(const struct btf_type *t)
{
	return core_is_enum(t) ? BTF_ONE(ENUM) | BTF_ONE(ENUM64) : 1u << btf_type_kind(t);
}

static struct candidates *find_candidates(struct core *c, uint32_t local)
{
	const struct btf_type *t = btf_view_type(c->here, local);
	const char *name = btf_view_name(c->here, t);
	struct candidates *ret = map_get(&c->candidates, local);
	const char *stem;
	ARRAY(uint32_t) ids = {0};
	uint64_t hash;

	if (ret)
		return ret;
	if (!c->has_flavours)
		find_flavours(c);
	stem = arena_strndup(&c->l->scratch, name, core_name_length(name));
	for (uint32_t id = btf_find(c->kernel, kinds_like(t), stem); id;
	     id = btf_find_next(c->kernel, kinds_like(t), stem, id))
		array_push(&c->l->scratch, &ids, id);
	hash = str_hash(str_of(stem));
	for (size_t i = 0; i < c->flavours.n; i++) {
		const struct btf_type *k = btf_view_type(c->kernel, c->flavours.p[i].id);

		if (c->flavours.p[i].hash == hash && core_kinds_equal(k, t) &&
		    core_names_equal(btf_view_name(c->kernel, k), name))
			array_push(&c->l->scratch, &ids, c->flavours.p[i].id);
	}
	ret = arena_new(&c->l->scratch, struct candidates);
	*ret = (struct candidates){ids.p, (uint32_t)ids.n};
	map_put(&c->candidates, local, ret);
	return ret;
}

/* --- the number */

static void complain(struct core *c, const struct place_in *at, const struct bpf_core_relo *r,
		     const char *what)
{
	const struct btf_type *t = btf_view_type(c->here, r->type_id);

	at->func->is_broken = true;
	object_fail(c->l, object_span(at->section, at->insn),
		    "function %s: the relocation by type \"%.128s\" cannot be done: %s",
		    at->func->name, t ? btf_view_name(c->here, t) : "", what);
}

/* Of all candidates that have the way; those that have not are dropped.  NULL: fine. */
static const char *agree(struct core *c, const struct bpf_core_relo *r,
			 const struct core_path *local, struct core_value *ret)
{
	struct candidates *all = find_candidates(c, r->type_id);
	struct core_path path;
	struct core_value value;
	uint32_t kept = 0;
	uint64_t bits = 0;

	for (uint32_t i = 0; i < all->n; i++) {
		int found = core_path_find(local, r->kind, c->kernel, all->ids[i], &path);

		if (found == 0)
			continue;
		if (found < 0 || core_value_of(r->kind, local, &path, &value) < 0)
			return "the kernel's type is not understood";
		if (!kept) {
			*ret = value;
			bits = path.bits;
		} else if (path.bits != bits || value.after != ret->after) {
			return "the kernel has several such types, and they differ";
		}
		all->ids[kept++] = all->ids[i];
	}
	if (kept)
		all->n = kept;
	else if (core_value_of(r->kind, local, NULL, ret) < 0)
		return "its own type does not fit it";
	return NULL;
}

static const char *work_out(struct core *c, const struct bpf_core_relo *r, struct core_path *local,
			    struct core_value *ret)
{
	const struct btf_type *t = btf_view_type(c->here, r->type_id);

	if (!t || !core_path_read(c->here, r, local))
		return "it is damaged";
	if (r->kind == BPF_CORE_TYPE_ID_LOCAL) {
		*ret = (struct core_value){.before = r->type_id, .after = r->type_id};
		return NULL;
	}
	if (!*btf_view_name(c->here, t))
		return "the type has no name";
	return agree(c, r, local, ret);
}

/* --- into the instruction */

static void poison(struct bpf_insn *insn)
{
	int n = insn_is_wide(insn) ? 2 : 1;

	for (int i = 0; i < n; i++)
		insn[i] = insn_call(0, POISON);
}

static const char *patch_memory(struct bpf_insn *insn, const struct core_value *v)
{
	if (v->is_checked && (int64_t)v->before != insn->off)
		return "the instruction has another offset than its type says";
	if (v->after > INT16_MAX)
		return "the field is too far from the beginning";
	if (v->is_misfit) {
		poison(insn);
		return NULL;
	}
	insn->off = (int16_t)v->after;
	if (v->size_before == v->size_after)
		return NULL;
	if (insn_bytes(insn) != v->size_before)
		return "the instruction reads another size than its type has";
	if (v->size_after != 1 && v->size_after != 2 && v->size_after != 4 && v->size_after != 8)
		return "the kernel's field is of a size that no instruction reads";
	insn->code = (uint8_t)(BPF_MODE(insn->code) | insn_size((unsigned int)v->size_after) |
			       BPF_CLASS(insn->code));
	return NULL;
}

static const char *patch_wide(struct bpf_insn *insn, const struct core_value *v)
{
	uint64_t imm = (uint32_t)insn[0].imm | (uint64_t)(uint32_t)insn[1].imm << 32;

	if (insn[0].src_reg || insn[0].off || insn[1].code || insn[1].dst_reg || insn[1].src_reg ||
	    insn[1].off)
		return "the instruction is no number";
	if (v->is_poison) {
		poison(insn);
		return NULL;
	}
	if (v->is_checked && imm != v->before)
		return "the instruction has another number than its type says";
	insn[0].imm = (int32_t)v->after;
	insn[1].imm = (int32_t)(v->after >> 32);
	return NULL;
}

/* NULL: done. */
static const char *patch(struct bpf_insn *insn, uint32_t left, const struct core_value *v)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		return insn_is_wide(insn) && left > 1 ? patch_wide(insn, v)
						      : "the instruction is no number";
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_SRC(insn->code) != BPF_K)
			break;
		if (v->is_poison)
			poison(insn);
		else if (v->is_checked && insn->imm != (int32_t)v->before)
			return "the instruction has another number than its type says";
		else
			insn->imm = (int32_t)v->after;
		return NULL;
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		if (!v->is_poison)
			return patch_memory(insn, v);
		poison(insn);
		return NULL;
	}
	return "the instruction is none that has a number";
}

/* Why it is poisoned: whoever gets there is told. */
static void remember(struct core *c, const struct place_in *at, uint32_t kind,
		     const struct core_path *local, const struct core_value *v)
{
	const struct candidates *all = map_get(&c->candidates, local->root);
	struct vm_missing missing = {
		.insn = at->insn,
		.what = core_describe(c->l->arena, kind, local, all && all->n, !v->is_poison),
	};

	array_push(&c->l->scratch, &at->section->missing, missing);
}

static void apply(struct core *c, const struct place_in *at, const struct bpf_core_relo *r)
{
	uint32_t left = at->func->insn + at->func->n - at->insn;
	struct bpf_insn *insn = &at->section->insns[at->insn];
	struct core_value v = {0};
	struct core_path local;
	const char *wrong;

	if (!c->kernel && r->kind != BPF_CORE_TYPE_ID_LOCAL)
		return;
	wrong = work_out(c, r, &local, &v);
	if (!wrong)
		wrong = patch(insn, left, &v);
	if (wrong)
		complain(c, at, r, wrong);
	else if (insn->code == (BPF_JMP | BPF_CALL))
		remember(c, at, r->kind, &local, &v);
}

static int by_insn(const void *a, const void *b)
{
	const struct vm_missing *x = a, *y = b;

	return (x->insn > y->insn) - (x->insn < y->insn);
}

void object_apply_core(struct loader *l)
{
	struct core c = {.l = l, .here = &l->object->btf, .kernel = l->options->kernel};

	for (uint32_t i = 1; i < l->elf.n_sections; i++) {
		struct object_section *s = &l->sections[i];

		for (uint32_t k = 0; k < s->core.n; k++) {
			const struct bpf_core_relo *r =
				(const void *)(s->core.p + (size_t)k * s->core.step);
			struct place_in at = {.section = s,
					      .insn = r->insn_off / sizeof(struct bpf_insn)};

			/* weak functions that a linker has replaced leave records behind */
			at.func = object_func_around(l, i, at.insn);
			if (at.func && r->insn_off % sizeof(struct bpf_insn) == 0)
				apply(&c, &at, r);
		}
		if (s->missing.n)
			qsort(s->missing.p, s->missing.n, sizeof(*s->missing.p), by_insn);
	}
	map_done(&c.candidates);
}
