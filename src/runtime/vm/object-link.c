/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program put together: its entry, behind it what that calls, and no reference left open.
 *
 * In the file functions lie in sections of their own, and calls between sections are
 * relocations.  The kernel takes one stream of instructions, so each program gets its own copy
 * of every function that it reaches, in the order in which calls are met (as libbpf does it).
 *
 *	call, by relocation	symbol's place + imm + 1 is the callee (imm −1: the symbol's)
 *	call, without		the callee is imm + 1 away in the same section
 *	ldimm64 of a function	symbol's place + imm bytes
 *	ldimm64 of data		symbol's place + imm bytes in its section's map
 *	ldimm64 of a map	the one that is defined there
 *	ldimm64, call of extern	object-extern.c
 */
#include "runtime/vm/object-internal.h"

#include "base/macro.h"

#include <stdarg.h>
#include <stdio.h>

enum { FUNCS_MAX = 1024, PROGRAM_MAX = 1 << 20, BPF_INSN = sizeof(struct bpf_insn) };

/* The program in the making. */
struct link {
	struct loader *l;
	struct vm_prog *prog;
	ARRAY(struct bpf_insn) insns;
	ARRAY(struct object_func *) funcs; /* as they stand */
	ARRAY(struct object_func *) callbacks;
	struct object_func *handler; /* of exceptions; NULL */
	bool is_broken;
};

/* An instruction in the function that is worked on. */
struct site {
	struct link *k;
	struct object_func *func;
	struct object_section *section;
	uint32_t insn; /* of the section */
	uint32_t at;   /* of the program */
};

static _printf_(2, 3) void fail(const struct site *s, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	s->k->is_broken = true;
	object_fail(s->k->l, object_span(s->section, s->insn), "function %s: %s", s->func->name,
		    text);
}

static const struct object_reloc *find_reloc(const struct object_section *s, uint32_t insn)
{
	size_t low = 0, high = s->relocs.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->relocs.p[mid].insn < insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->relocs.n && s->relocs.p[low].insn == insn ? &s->relocs.p[low] : NULL;
}

static bool append(struct link *k, struct object_func *f);

/* Where the function begins in the program; it is appended if it is not there yet. */
static bool reach(const struct site *s, uint32_t section, int64_t insn, uint32_t *ret_at,
		  struct object_func **ret)
{
	struct object_func *f = insn < 0 ? NULL : object_func_at(s->k->l, section, (uint64_t)insn);

	if (!f) {
		fail(s, "there is no function where it calls to");
		return false;
	}
	if (f->at == OBJECT_NONE && !append(s->k, f))
		return false;
	*ret_at = f->at;
	*ret = f;
	return true;
}

/* --- calls */

static void link_extern_call(const struct site *s, const struct elf_symbol *y,
			     const struct object_extern *e)
{
	struct bpf_insn *insn = &s->k->insns.p[s->at];

	if (e->kind != EXTERN_FUNC) {
		fail(s, "%s is called, and defined nowhere", y->name);
		return;
	}
	insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
	insn->off = 0;
	insn->imm = (int32_t)e->func;
}

static void link_call(const struct site *s, const struct object_reloc *r)
{
	struct loader *l = s->k->l;
	const struct bpf_insn *insn = &s->k->insns.p[s->at];
	const struct elf_symbol *y = r ? &l->symbols[r->symbol] : NULL;
	uint32_t section = y ? y->section : s->func->section, at;
	int64_t to = (int64_t)(y ? y->value / BPF_INSN : s->insn) + insn->imm + 1;
	struct object_func *f;

	if (y && y->section == SHN_UNDEF) {
		link_extern_call(s, y, &l->externs[r->symbol]);
		return;
	}
	if (y && y->value % BPF_INSN)
		fail(s, "%s is called in the middle of an instruction", y->name);
	else if (reach(s, section, to, &at, &f))
		s->k->insns.p[s->at].imm = (int32_t)(at - s->at - 1);
}

/* --- ldimm64 */

static void link_function(const struct site *s, const struct elf_symbol *y)
{
	int64_t to = (int64_t)y->value + s->k->insns.p[s->at].imm;
	struct bpf_insn *insn;
	struct object_func *f;
	uint32_t at;

	if (to % BPF_INSN) {
		fail(s, "the address of %s is in the middle of an instruction", y->name);
		return;
	}
	if (!reach(s, y->section, to / BPF_INSN, &at, &f))
		return;
	array_push(&s->k->l->scratch, &s->k->callbacks, f);
	insn = &s->k->insns.p[s->at];
	insn->src_reg = BPF_PSEUDO_FUNC;
	insn->imm = (int32_t)(at - s->at - 1);
}

static void set_map(const struct site *s, uint32_t map, bool is_value, uint64_t offset)
{
	struct bpf_insn *insn = &s->k->insns.p[s->at];

	insn[0].src_reg = is_value ? BPF_PSEUDO_MAP_IDX_VALUE : BPF_PSEUDO_MAP_IDX;
	insn[0].imm = (int32_t)map;
	insn[1].imm = (int32_t)offset;
}

static void link_extern_value(const struct site *s, const struct elf_symbol *y,
			      const struct object_extern *e)
{
	struct bpf_insn *insn = &s->k->insns.p[s->at];
	struct loader *l = s->k->l;

	switch (e->kind) {
	case EXTERN_NONE:
		fail(s, "%s is used, and defined nowhere", y->name);
		break;
	case EXTERN_KCONFIG:
		if (l->kconfig != OBJECT_NONE)
			set_map(s, l->kconfig, true, e->offset);
		break;
	case EXTERN_VAR:
	case EXTERN_FUNC:
		insn[0].src_reg = e->is_missing ? 0 : BPF_PSEUDO_BTF_ID;
		insn[0].imm = e->is_missing ? 0 : (int32_t)e->var;
		insn[1].imm = 0;
		break;
	}
}

static void link_wide(const struct site *s, const struct object_reloc *r)
{
	struct loader *l = s->k->l;
	const struct elf_symbol *y = &l->symbols[r->symbol];
	const struct object_section *to = object_section(l, y->section);
	uint64_t offset = y->value + (uint64_t)(int64_t)s->k->insns.p[s->at].imm;
	uint32_t map;

	if (s->insn + 1 == s->func->insn + s->func->n) {
		fail(s, "it ends in the middle of an instruction");
		return;
	}
	if (y->section == SHN_UNDEF) {
		link_extern_value(s, y, &l->externs[r->symbol]);
		return;
	}
	if (to && to->insns) {
		link_function(s, y);
		return;
	}
	if (to && to->has_maps) {
		map = object_map_at(l, y->section, offset);
		if (map == OBJECT_NONE)
			fail(s, "\"%s\" is no map", y->name);
		else
			set_map(s, map, false, 0);
		return;
	}
	if (to && to->map != OBJECT_NONE)
		set_map(s, to->map, true, offset);
	else
		fail(s, "%s is in section \"%s\", which is not loaded", y->name,
		     to ? to->elf.name : "*COM*");
}

/* --- all of a function */

/* References that nobody has relocated point to what there is. */
static void check_open(const struct site *s)
{
	const struct bpf_insn *insn = &s->k->insns.p[s->at];
	const struct vm_object *o = s->k->l->object;
	uint32_t imm = (uint32_t)insn->imm;
	bool ok = true;

	if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		ok = imm < o->kfuncs.n;
	else if (!insn_is_wide(insn))
		return;
	else if (insn->src_reg == BPF_PSEUDO_MAP_IDX || insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE)
		ok = imm < o->maps.n;
	else if (insn->src_reg == BPF_PSEUDO_BTF_ID)
		ok = imm < o->vars.n;
	else
		ok = insn->src_reg != BPF_PSEUDO_FUNC;
	if (!ok)
		fail(s, "an instruction names something that the object has not");
}

static void link_insn(const struct site *s)
{
	const struct bpf_insn *insn = &s->k->insns.p[s->at];
	const struct object_reloc *r = find_reloc(s->section, s->insn);

	if (insn_is_local_call(insn))
		link_call(s, r);
	else if (r && insn->code == (BPF_JMP | BPF_CALL))
		link_call(s, r);
	else if (r && insn_is_wide(insn))
		link_wide(s, r);
	else if (r)
		fail(s, "an instruction is relocated that refers to nothing");
	else
		check_open(s);
}

static bool append(struct link *k, struct object_func *f)
{
	struct loader *l = k->l;
	struct site s = {.k = k, .func = f, .section = &l->sections[f->section]};

	if (k->funcs.n == FUNCS_MAX || f->n > PROGRAM_MAX - k->insns.n || f->n > l->insns_left) {
		object_fail(l, object_span(s.section, f->insn),
			    "program %s has too many functions or instructions", k->prog->name);
		k->is_broken = true;
		return false;
	}
	k->is_broken |= f->is_broken;
	l->insns_left -= f->n;
	f->at = (uint32_t)k->insns.n;
	array_push(&l->scratch, &k->funcs, f);
	for (uint32_t i = 0; i < f->n; i++)
		array_push(&l->scratch, &k->insns, s.section->insns[f->insn + i]);
	for (uint32_t i = 0; i < f->n && !k->is_broken; i++) {
		s.insn = f->insn + i;
		s.at = f->at + i;
		link_insn(&s);
		i += insn_is_wide(&k->insns.p[s.at]);
	}
	return !k->is_broken;
}

/* --- what goes with it */

static void add_funcs(struct link *k)
{
	const struct btf_view *v = &k->l->object->btf;
	struct vm_func *funcs = arena_array(k->l->arena, struct vm_func, k->funcs.n);

	for (size_t i = 0; i < k->funcs.n; i++) {
		const struct object_func *f = k->funcs.p[i];
		const struct btf_type *t = f->btf ? btf_view_type(v, f->btf) : NULL;

		funcs[i] = (struct vm_func){
			.name = f->name,
			.insn = f->at,
			.btf = f->btf,
			.is_global = t && f->is_global && !f->is_hidden &&
				     btf_type_vlen(t) == BTF_FUNC_GLOBAL,
			.is_exception = f == k->handler,
		};
		for (size_t c = 0; c < k->callbacks.n && !funcs[i].is_callback; c++)
			funcs[i].is_callback = k->callbacks.p[c] == f;
	}
	k->prog->funcs = funcs;
	k->prog->n_funcs = (uint32_t)k->funcs.n;
}

/* The first line of the section that is at `insn` or behind. */
static uint32_t first_line(const struct object_section *s, uint32_t insn)
{
	uint32_t low = 0, high = s->n_lines;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (s->line_table[mid].insn < insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void add_lines(struct link *k)
{
	ARRAY(struct question_line) lines = {0};

	for (size_t i = 0; i < k->funcs.n; i++) {
		const struct object_func *f = k->funcs.p[i];
		const struct object_section *s = &k->l->sections[f->section];
		uint32_t end = first_line(s, f->insn + f->n);

		for (uint32_t n = first_line(s, f->insn); n < end; n++)
			array_push(&k->l->scratch, &lines,
				   ((struct question_line){s->line_table[n].insn - f->insn + f->at,
							   s->line_table[n].span}));
	}
	k->prog->lines = arena_copy(k->l->arena, lines.p, lines.n * sizeof(*lines.p));
	k->prog->n_lines = (uint32_t)lines.n;
}

static size_t first_missing(const struct object_section *s, uint32_t insn)
{
	size_t low = 0, high = s->missing.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->missing.p[mid].insn < insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void add_missing(struct link *k)
{
	ARRAY(struct vm_missing) list = {0};

	for (size_t i = 0; i < k->funcs.n; i++) {
		const struct object_func *f = k->funcs.p[i];
		const struct object_section *s = &k->l->sections[f->section];

		for (size_t n = first_missing(s, f->insn);
		     n < s->missing.n && s->missing.p[n].insn - f->insn < f->n; n++)
			array_push(&k->l->scratch, &list,
				   ((struct vm_missing){s->missing.p[n].insn - f->insn + f->at,
							s->missing.p[n].what}));
	}
	k->prog->missing = arena_copy(k->l->arena, list.p, list.n * sizeof(*list.p));
	k->prog->n_missing = (uint32_t)list.n;
}

static struct object_func *find_handler(const struct link *k, const char *name)
{
	for (size_t i = 0; i < k->l->funcs.n; i++)
		if (!k->l->funcs.p[i].is_entry && !strcmp(k->l->funcs.p[i].name, name))
			return &k->l->funcs.p[i];
	return NULL;
}

/*
 * By name, as a tag of the entry's says: "exception_callback:NAME".  Two tags are none: what
 * the verifier says of that is right.
 */
static struct object_func *exception_handler(const struct link *k, const struct object_func *f)
{
	static const char prefix[] = "exception_callback:";
	const struct btf_view *v = &k->l->object->btf;
	unsigned int n = f->btf && k->l->has_handlers ? btf_view_n(v) : 0, found = 0;
	struct object_func *handler = NULL;

	for (unsigned int id = 1; id < n; id++) {
		const struct btf_type *t = btf_view_type(v, id);
		const char *name;

		if (btf_type_kind(t) != BTF_KIND_DECL_TAG || t->type != f->btf)
			continue;
		name = btf_view_name(v, t);
		if (strncmp(name, prefix, sizeof(prefix) - 1))
			continue;
		handler = find_handler(k, name + sizeof(prefix) - 1);
		found++;
	}
	return found == 1 ? handler : NULL;
}

static void link_program(struct loader *l, struct object_func *entry)
{
	struct vm_prog prog = {.name = entry->name};
	struct link k = {.l = l, .prog = &prog};

	object_section_type(l, entry, &prog);
	if (append(&k, entry))
		k.handler = exception_handler(&k, entry);
	if (k.handler && k.handler->at == OBJECT_NONE)
		append(&k, k.handler);
	if (!k.is_broken) {
		prog.insns = arena_copy(l->arena, k.insns.p, k.insns.n * sizeof(*k.insns.p));
		prog.n_insns = (uint32_t)k.insns.n;
		add_funcs(&k);
		add_lines(&k);
		add_missing(&k);
		array_push(l->arena, &l->object->progs, prog);
	}
	entry->is_broken |= k.is_broken;
	for (size_t i = 0; i < k.funcs.n; i++)
		k.funcs.p[i]->at = OBJECT_NONE;
}

void object_link(struct loader *l)
{
	for (size_t i = 0; i < l->funcs.n; i++)
		if (l->funcs.p[i].is_entry)
			link_program(l, &l->funcs.p[i]);
}
