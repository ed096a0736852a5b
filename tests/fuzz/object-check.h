/* SPDX-License-Identifier: Apache-2.0 */
/* Read bytes as an object, and check what the others of the runtime rely on. */
#pragma once

#include "runtime/vm/object.h"

#include <assert.h>
#include <stdlib.h>

/* Read every byte: sanitizers look. */
static void touch(const void *p, size_t n)
{
	uint64_t sum = hash_bytes(HASH_BEGIN, p, n);

	__asm__ volatile("" : : "r"(sum));
}

static void check_name(const char *name)
{
	assert(name);
	touch(name, strlen(name));
}

static void check_map(const struct vm_object *o, const struct vm_map_def *d)
{
	size_t limit = d->type == BPF_MAP_TYPE_PROG_ARRAY ? o->progs.n : o->maps.n;
	uint32_t end = 0;

	check_name(d->name);
	if (d->init)
		touch(d->init, d->init_size ? d->init_size : d->value_size);
	for (uint32_t i = 0; i < d->n_values; i++)
		assert(d->values[i] == UINT32_MAX || d->values[i] < limit);
	for (uint32_t i = 0; i < d->n_fields; i++) {
		assert(d->fields[i].offset >= end);
		end = d->fields[i].offset + d->fields[i].size;
		assert(end <= d->value_size);
	}
	if (d->inner)
		check_map(o, d->inner);
}

static bool begins_function(const struct vm_prog *p, int64_t insn)
{
	for (uint32_t i = 0; i < p->n_funcs; i++)
		if (p->funcs[i].insn == insn)
			return true;
	return false;
}

static void check_insn(const struct vm_object *o, const struct vm_prog *p, uint32_t i)
{
	const struct bpf_insn *insn = &p->insns[i];

	if (insn_is_local_call(insn) || insn_is_func_addr(insn))
		assert(begins_function(p, (int64_t)i + insn->imm + 1));
	if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		assert((uint32_t)insn->imm < o->kfuncs.n);
	if (!insn_is_wide(insn))
		return;
	if (insn->src_reg == BPF_PSEUDO_MAP_IDX || insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE)
		assert((uint32_t)insn->imm < o->maps.n);
	if (insn->src_reg == BPF_PSEUDO_BTF_ID)
		assert((uint32_t)insn->imm < o->vars.n);
}

static void check_lines(const struct vm_object *o, const struct vm_prog *p)
{
	for (uint32_t i = 0; i < p->n_lines; i++) {
		const struct span s = p->lines[i].span;

		assert(p->lines[i].insn < p->n_insns);
		assert(!i || p->lines[i - 1].insn < p->lines[i].insn);
		if (s.file == UINT32_MAX)
			continue;
		assert(s.file < o->diags->sources.n && s.begin <= s.end);
		assert(s.end <= o->diags->sources.p[s.file].text.n);
	}
}

static void check_prog(const struct vm_object *o, const struct vm_prog *p)
{
	check_name(p->name);
	check_name(p->section);
	assert(p->n_insns && p->n_funcs && p->funcs[0].insn == 0);
	for (uint32_t i = 0; i < p->n_funcs; i++) {
		assert(p->funcs[i].insn < p->n_insns);
		assert(!i || p->funcs[i - 1].insn < p->funcs[i].insn);
		assert(!p->funcs[i].btf || btf_view_type(&o->btf, p->funcs[i].btf));
	}
	for (uint32_t i = 0; i < p->n_insns; i++) {
		check_insn(o, p, i);
		i += insn_is_wide(&p->insns[i]);
	}
	check_lines(o, p);
}

static void check_extern(const struct vm_object *o, const struct vm_extern *x)
{
	check_name(x->name);
	assert(o->has_btf && btf_view_type(&o->btf, x->btf));
}

/* `kernel` NULL: none. */
static void object_check(const void *bytes, size_t n, const struct btf_view *kernel)
{
	struct object_options options = {.name = "fuzz.o", .kernel = kernel};
	struct arena arena = {0};
	struct diags diags = {.arena = &arena};
	struct buf text = {0};
	struct vm_object o;
	void *copy = malloc(n + !n); /* what is read too far is seen, and later, too */
	int r;

	memcpy(copy, bytes, n);
	r = object_read(copy, n, &options, &diags, &o);
	free(copy);
	assert(r == 0 || diags.errors);
	diags_print(&diags, true, &text);
	buf_done(&text);
	check_name(o.license);
	for (size_t i = 0; i < o.maps.n; i++)
		check_map(&o, &o.maps.p[i]);
	for (size_t i = 0; i < o.kfuncs.n; i++)
		check_extern(&o, &o.kfuncs.p[i]);
	for (size_t i = 0; i < o.vars.n; i++)
		check_extern(&o, &o.vars.p[i]);
	for (size_t i = 0; i < o.progs.n; i++)
		check_prog(&o, &o.progs.p[i]);
	object_done(&o);
	arena_done(&arena);
}
