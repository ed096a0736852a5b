/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question on another machine: its facts are looked up again, its instructions put right.
 *
 * Where a member is differs from kernel to kernel.  An object carries the facts that its
 * programs stand on, each by name, with what it was where the script was compiled, and a
 * list of the numbers in its instructions that follow a fact (question.fixes).  Here each
 * fact is asked of this machine's own descriptions (BTF, tracefs, kallsyms, build ids);
 * where it is another one, the numbers move by as much.  What cannot be put right, a type
 * that is shown as a whole or a function's parameters, must be the same, else the program
 * does not run here.
 */
#include "agent/portable-internal.h"

#include "isa/elf.h"
#include "runtime/kern/btf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOTS = BTF_ONE(STRUCT) | BTF_ONE(UNION) | BTF_ONE(TYPEDEF) };

/* --- members */

/* By value or behind a pointer or array: the struct that a type leads to. */
static uint32_t struct_behind(const struct btf_view *v, uint32_t id)
{
	for (unsigned int i = 0; i < 32; i++) {
		const struct btf_type *t = btf_resolve(v, id, &id);
		unsigned int kind = t ? btf_type_kind(t) : BTF_KIND_UNKN;

		if (kind == BTF_KIND_PTR)
			id = t->type;
		else if (kind == BTF_KIND_ARRAY)
			id = btf_type_array(t)->type;
		else
			return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION ? id : 0;
	}
	return 0;
}

/* The entry itself, through anonymous structs and unions. */
static const struct btf_member *entry(const struct btf_view *v, uint32_t id, const char *name,
				      unsigned int depth)
{
	const struct btf_type *t = btf_view_type(v, id);

	for (unsigned int i = 0; t && depth < 16 && i < btf_type_vlen(t); i++) {
		const struct btf_member *m = &btf_type_members(t)[i], *inner;
		const char *its = btf_view_string(v, m->name_off);

		if (*its && !strcmp(its, name))
			return m;
		if (*its)
			continue;
		inner = entry(v, struct_behind(v, m->type), name, depth + 1);
		if (inner)
			return inner;
	}
	return NULL;
}

const struct btf_member *portable_member(const struct btf_view *v, const char *type,
					 const char *path, struct btf_place *ret_place,
					 uint32_t *ret_owner)
{
	_cleanup_free_ char *names = xstrdup(path);
	uint32_t id = btf_find(v, ROOTS, type);

	for (char *next = names, *name; (name = strsep(&next, "."));) {
		id = struct_behind(v, id);
		if (!id || !btf_member_find(v, id, name, ret_place))
			return NULL;
		*ret_owner = id;
		if (!next)
			return entry(v, id, name, 0);
		id = ret_place->type;
	}
	return NULL;
}

/* Bytes of a value that a program reads as a whole; of what has members: 0. */
static uint32_t scalar_size(const struct btf_view *v, uint32_t id)
{
	const struct btf_type *t = btf_resolve(v, id, NULL);
	unsigned int kind = t ? btf_type_kind(t) : BTF_KIND_UNKN;

	if (kind == BTF_KIND_PTR)
		return 8;
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION ? 0 : (uint32_t)btf_size(v, id);
}

static bool member_fact(const struct btf_view *v, struct question_fact *f, struct buf *why)
{
	struct btf_place place;
	uint32_t owner;

	if (!v || !portable_member(v, f->type, f->path, &place, &owner)) {
		buf_printf(why, "there is no member %s in struct %s", f->path, f->type);
		return false;
	}
	f->value = place.bit_offset / 8;
	f->bits = place.bits;
	f->bit_offset = place.bit_offset % 8;
	f->size = scalar_size(v, place.type);
	return true;
}

/* --- the others */

static bool field_fact(struct world *w, struct question_fact *f, struct buf *why)
{
	_cleanup_free_ char *group = xstrdup(f->type);
	char *event = strchr(group, ':');
	const struct world_field *fields;
	unsigned int n = 0;

	if (event)
		*event++ = 0;
	if (!event || w->ops->tracepoint_fields(w, group, event, &fields, &n) < 0)
		n = 0;
	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(fields[i].name, f->path) != 0)
			continue;
		f->value = fields[i].offset;
		f->size = fields[i].size;
		return true;
	}
	buf_printf(why, "the tracepoint %s has no field %s", f->type, f->path);
	return false;
}

static uint64_t hash_members(const struct btf_view *v, const struct btf_type *t, uint64_t h,
			     unsigned int depth)
{
	for (unsigned int i = 0; depth < 8 && i < btf_type_vlen(t); i++) {
		const char *name = btf_view_string(v, btf_type_members(t)[i].name_off);
		struct btf_place m = btf_member_place(t, i);
		const struct btf_type *of = btf_resolve(v, m.type, NULL);
		uint64_t size = btf_size(v, m.type);

		h = hash_bytes(h, name, strlen(name) + 1);
		h = hash_bytes(h, &m.bit_offset, sizeof(m.bit_offset));
		h = hash_bytes(h, &m.bits, sizeof(m.bits));
		h = hash_bytes(h, &size, sizeof(size));
		if (of &&
		    (btf_type_kind(of) == BTF_KIND_STRUCT || btf_type_kind(of) == BTF_KIND_UNION))
			h = hash_members(v, of, h, depth + 1);
	}
	return h;
}

static bool enums_fact(const struct btf_view *v, struct question_fact *f)
{
	uint32_t id = btf_find(v, BTF_ONE(ENUM) | BTF_ONE(ENUM64), f->type);
	const struct btf_type *t = id ? btf_view_type(v, id) : NULL;
	const char *name;

	f->value = HASH_BEGIN;
	for (unsigned int i = 0; t && i < btf_type_vlen(t); i++) {
		int64_t value = btf_enumerator(v, t, i, &name);

		f->value = hash_bytes(f->value, name, strlen(name) + 1);
		f->value = hash_bytes(f->value, &value, sizeof(value));
	}
	return t;
}

static bool struct_fact(const struct btf_view *v, struct question_fact *f, struct buf *why)
{
	uint32_t id = v ? struct_behind(v, btf_find(v, ROOTS, f->type)) : 0;
	const struct btf_type *t = id ? btf_view_type(v, id) : NULL;

	if (!t && f->kind == QFACT_LAYOUT && v && enums_fact(v, f))
		return true;
	if (!t) {
		buf_printf(why, "there is no struct %s", f->type);
		return false;
	}
	f->value = f->kind == QFACT_SIZE ? t->size : hash_members(v, t, HASH_BEGIN, 0);
	return true;
}

/* "u64 prev, ptr next": sizes and names, in order. */
static void put_proto(const struct btf_view *v, uint32_t id, struct buf *to)
{
	const struct btf_type *t = btf_view_type(v, btf_proto(v, id));

	for (unsigned int i = 0; t && i < btf_type_vlen(t); i++) {
		const struct btf_param *p = &btf_type_params(t)[i];
		const struct btf_type *of = btf_resolve(v, p->type, NULL);

		buf_printf(to, "%s%s %u", i ? ", " : "", btf_view_string(v, p->name_off),
			   of && btf_type_kind(of) == BTF_KIND_PTR
				   ? 0u
				   : (uint32_t)btf_size(v, p->type));
	}
}

static bool proto_fact(const struct btf_view *v, struct question_fact *f, struct buf *why,
		       struct buf *text)
{
	uint32_t id = v ? btf_find(v, BTF_ONE(FUNC) | BTF_ONE(TYPEDEF), f->type) : 0;

	if (!id) {
		buf_printf(why, "there is no %s to attach to", f->type);
		return false;
	}
	put_proto(v, id, text);
	f->value = hash_bytes(HASH_BEGIN, text->p ? text->p : "", text->n);
	return true;
}

static bool symbol_fact(struct world *w, struct question_fact *f, struct buf *why)
{
	f->value = w->ops->kernel_address(w, f->type);
	if (!f->value)
		buf_printf(why, "there is no kernel symbol %s", f->type);
	return f->value;
}

static bool enum_fact(const struct btf_view *v, struct question_fact *f, struct buf *why)
{
	uint32_t id;
	int64_t value;

	if (!v || !btf_enumerator_find(v, f->type, &value, &id)) {
		buf_printf(why, "there is no %s", f->type);
		return false;
	}
	f->value = (uint64_t)value;
	return true;
}

static bool kernel_fact(struct question_fact *f, struct buf *why)
{
	bool is_mapped;
	void *blob;
	size_t n;

	if (kernel_btf_read("/sys/kernel/btf/vmlinux", &blob, &n, &is_mapped) < 0) {
		buf_puts(why, "the kernel does not describe its types (BTF)");
		return false;
	}
	f->value = hash_bytes(HASH_BEGIN, blob, n);
	kernel_btf_unread(blob, n, is_mapped);
	return true;
}

static bool binary_fact(struct question_fact *f, struct buf *why)
{
	_cleanup_fclose_ FILE *file = fopen(f->type, "re");
	_cleanup_buf_ struct buf all = {0};
	struct elf_view elf;
	struct str id = {0};
	char part[65536];
	size_t n;

	if (!file) {
		buf_printf(why, "there is no %s", f->type);
		return false;
	}
	while ((n = fread(part, 1, sizeof(part), file)) && all.n < 256u << 20)
		buf_add(&all, part, n);
	if (elf_view_init(&elf, all.p, all.n) >= 0)
		id = elf_build_id(&elf);
	if (!id.n) /* without one: all of it */
		id = buf_str(&all);
	f->value = hash_bytes(HASH_BEGIN, id.p, id.n);
	return true;
}

bool portable_fact(const struct question_fact *f, struct world *w, struct question_fact *ret,
		   struct buf *why)
{
	const struct btf_view *v = w->ops->btf(w);
	_cleanup_buf_ struct buf text = {0};

	*ret = *f;
	switch (f->kind) {
	case QFACT_MEMBER:
		return member_fact(v, ret, why);
	case QFACT_FIELD:
		return field_fact(w, ret, why);
	case QFACT_KSYM:
		return symbol_fact(w, ret, why);
	case QFACT_CPUS:
		ret->value = w->ops->cpus(w);
		return true;
	case QFACT_SIZE:
	case QFACT_LAYOUT:
		return struct_fact(v, ret, why);
	case QFACT_PROTO:
		return proto_fact(v, ret, why, &text);
	case QFACT_ENUM:
		return enum_fact(v, ret, why);
	case QFACT_BINARY:
		return binary_fact(ret, why);
	case QFACT_KERNEL:
		return kernel_fact(ret, why);
	}
	return false;
}

/* --- put right */

void portable_move(struct question *q, const struct question_fix *x, int64_t by)
{
	struct bpf_insn *at = (struct bpf_insn *)&q->progs.p[x->prog].insns[x->insn];
	uint64_t wide;

	by *= x->factor;
	switch (x->where) {
	case QFIX_IMM:
		at->imm = (int32_t)(at->imm + by);
		break;
	case QFIX_OFF:
		at->off = (int16_t)(at->off + by);
		break;
	case QFIX_WIDE:
		wide = (uint32_t)at[0].imm | (uint64_t)(uint32_t)at[1].imm << 32;
		wide += (uint64_t)by;
		at[0].imm = (int32_t)(uint32_t)wide;
		at[1].imm = (int32_t)(uint32_t)(wide >> 32);
		break;
	}
}

static const char *what_differs(const struct question_fact *f)
{
	switch (f->kind) {
	case QFACT_MEMBER:
		return "is of another kind in this kernel";
	case QFACT_FIELD:
		return "is a field of another size here";
	case QFACT_KSYM:
		return "is at another address here";
	case QFACT_CPUS:
		return "the number of processors is another one";
	case QFACT_SIZE:
	case QFACT_LAYOUT:
		return "is laid out in another way in this kernel";
	case QFACT_PROTO:
		return "has other parameters in this kernel";
	case QFACT_ENUM:
		return "is another number in this kernel";
	case QFACT_BINARY:
		return "is another version here";
	case QFACT_KERNEL:
		return "it is bound to the very kernel it was compiled for";
	}
	return "";
}

static bool differs(const struct question_fact *f, struct buf *why)
{
	buf_printf(why, "%s%s%s%s%s", f->type, *f->path ? "." : "", f->path, *f->type ? " " : "",
		   what_differs(f));
	return false;
}

/* What a program reads there must be of the same shape. */
static bool is_same_shape(const struct question_fact *a, const struct question_fact *b)
{
	return a->size == b->size && a->bits == b->bits && a->bit_offset == b->bit_offset &&
	       (!a->bits || !((a->value ^ b->value) & 7));
}

static bool fit_binary(struct question *q, struct world *w, const char *binary, struct buf *why);

static bool fit(struct question *q, uint32_t i, struct world *w, struct buf *why)
{
	const struct question_fact *f = &q->facts.p[i];
	struct question_fact here;
	int64_t by;

	if (!portable_fact(f, w, &here, why))
		return false;
	if (f->kind == QFACT_BINARY && here.value != f->value && f->is_movable)
		return fit_binary(q, w, f->type, why);
	if (!is_same_shape(f, &here) || (here.value != f->value && !f->is_movable))
		return differs(f, why);
	by = (int64_t)(here.value - f->value);
	for (size_t k = 0; by && k < q->fixes.n; k++)
		if (q->fixes.p[k].fact == i)
			portable_move(q, &q->fixes.p[k], by);
	return true;
}

bool portable_fit(struct question *q, struct world *w, struct buf *why)
{
	for (uint32_t i = 0; i < q->facts.n; i++)
		if (!fit(q, i, w, why))
			return false;
	return true;
}

/* --- symbols of programs: where they are in this version */

static bool find_symbol(struct world *w, const char *binary, const char *name, uint64_t *ret)
{
	const struct world_symbol *symbols;
	unsigned int n = 0;

	if (!name || w->ops->symbols(w, binary, name, true, &symbols, &n) < 0)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(symbols[i].name, name) != 0)
			continue;
		*ret = symbols[i].offset;
		return true;
	}
	return false;
}

static bool fit_probe(struct world *w, struct question_probe *p, struct buf *why)
{
	uint64_t at;

	/* arguments of a usdt probe are in registers that the compiler chose */
	if (!strncmp(p->name, "usdt:", 5) || !find_symbol(w, p->binary, p->target, &at)) {
		buf_printf(why, "%s is another version here, and %s cannot be found in it",
			   p->binary, p->name);
		return false;
	}
	p->address = at + p->offset;
	return true;
}

static bool fit_binary(struct question *q, struct world *w, const char *binary, struct buf *why)
{
	for (size_t i = 0; i < q->probes.n; i++) {
		struct question_probe *p = &q->probes.p[i];

		if (!p->binary || strcmp(p->binary, binary) != 0)
			continue;
		if (!fit_probe(w, p, why))
			return false;
		/* one attachment for several: the rows behind it have their names */
		for (uint32_t k = 0; p->addresses && k < p->n_targets; k++) {
			struct question_probe one;

			if (i + k >= q->probes.n)
				break;
			one = q->probes.p[i + k];
			if (!one.binary || !fit_probe(w, &one, why))
				return false;
			((uint64_t *)p->addresses)[k] = one.address;
		}
	}
	return true;
}
