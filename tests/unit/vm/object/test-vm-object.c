/* SPDX-License-Identifier: Apache-2.0 */
/* What compilers write is read: made_programs, functions, maps, data, externs (tests/vm/objects/).
 */
#include "made-extern-kernel.h"
#include "made-extern.h"
#include "made-legacy.h"
#include "made-programs.h"
#include "read.h"
#include "test.h"

/* --- programs.bpf.c */

static const struct vm_map_def *map(const struct read *x, const char *name)
{
	static const struct vm_map_def none;
	uint32_t i = read_map(x, name);

	return i < x->object.maps.n ? &x->object.maps.p[i] : &none;
}

TEST(sections_say_types)
{
	const struct vm_prog *p;
	struct read x;

	read_object(&x, made_programs, made_programs_size, NULL);
	CHECK_EQ(x.r, 0);
	CHECK_STREQ(read_said(&x), "");
	CHECK_EQ(x.object.progs.n, 5);
	CHECK_STREQ(x.object.license, "Dual BSD/GPL");
	p = read_prog(&x, "calls");
	CHECK(p && p->prog_type == BPF_PROG_TYPE_TRACEPOINT && !p->is_unknown);
	CHECK_STREQ(p->section, "tracepoint/sched/sched_switch");
	CHECK_STREQ(p->target, "sched/sched_switch");
	p = read_prog(&x, "loops");
	CHECK(p && p->prog_type == BPF_PROG_TYPE_XDP && p->attach_type == BPF_XDP);
	CHECK_STREQ(p->section, "xdp.frags");
	CHECK(p->flags & BPF_F_XDP_HAS_FRAGS);
	CHECK(!p->target);
	p = read_prog(&x, "sleeps");
	CHECK(p && p->is_sleepable && p->flags & BPF_F_SLEEPABLE);
	CHECK(p->attach_type == BPF_LSM_MAC);
	CHECK_STREQ(p->target, "file_open");
	CHECK(read_prog(&x, "tail") && read_prog(&x, "jump"));
	CHECK(!read_prog(&x, "twice"));
	read_done(&x);
}

TEST(maps_by_types)
{
	const struct vm_map_def *d;
	struct read x;

	read_object(&x, made_programs, made_programs_size, NULL);
	d = map(&x, "hash");
	CHECK_EQ(d->type, BPF_MAP_TYPE_HASH);
	CHECK_EQ(d->key_size, 16);
	CHECK_EQ(d->value_size, 8);
	CHECK_EQ(d->max_entries, 64);
	CHECK_EQ(d->flags, BPF_F_NO_PREALLOC);
	CHECK(d->key_type && btf_size(&x.object.btf, d->key_type) == 16);
	CHECK(d->value_type);
	d = map(&x, "ring");
	CHECK_EQ(d->max_entries, 8192); /* rounded up */
	d = map(&x, "outer");
	CHECK(d->inner && d->inner->type == BPF_MAP_TYPE_ARRAY && d->inner->value_size == 16);
	CHECK_STREQ(d->inner->name, "outer.inner");
	CHECK_EQ(d->n_values, 4);
	CHECK_EQ(d->values[0], UINT32_MAX);
	CHECK_EQ(d->values[1], read_map(&x, "second"));
	CHECK_EQ(d->values[3], read_map(&x, "first"));
	d = map(&x, "jumps");
	CHECK_EQ(d->n_values, 2);
	CHECK(d->values[1] < x.object.progs.n);
	CHECK_STREQ(x.object.progs.p[d->values[1]].name, "tail");
	CHECK_EQ(d->values[0], UINT32_MAX);
	read_done(&x);
}

TEST(data_is_maps)
{
	const struct vm_map_def *d;
	uint32_t limit = 9;
	struct read x;

	read_object(&x, made_programs, made_programs_size, NULL);
	d = map(&x, ".rodata");
	CHECK(d->is_frozen && d->value_size == 4 && !memcmp(d->init, &limit, 4));
	CHECK(btf_size(&x.object.btf, d->value_type) == 4);
	d = map(&x, ".data");
	CHECK(!d->is_frozen && d->value_size == 8 && d->init);
	d = map(&x, ".bss");
	CHECK(d->value_size == 4 && !d->init && d->max_entries == 1);
	read_done(&x);
}

/* Each call leads to the beginning of a function, each function's name to its place. */
static bool are_calls_right(const struct vm_prog *p)
{
	for (uint32_t i = 0; i < p->n_insns; i++) {
		const struct bpf_insn *insn = &p->insns[i];
		int64_t to = (int64_t)i + insn->imm + 1;
		bool found = false;

		if (!insn_is_local_call(insn) && !insn_is_func_addr(insn))
			continue;
		for (uint32_t k = 0; k < p->n_funcs; k++)
			found |= p->funcs[k].insn == to;
		if (!found)
			return false;
	}
	return true;
}

TEST(functions_are_behind)
{
	static const char *const names[] = {"calls", "quiet", "global", "twice"};
	const struct vm_prog *p;
	struct read x;

	read_object(&x, made_programs, made_programs_size, NULL);
	p = read_prog(&x, "calls");
	CHECK(p && p->n_funcs == 4);
	for (uint32_t i = 0; i < p->n_funcs; i++) {
		CHECK_STREQ(p->funcs[i].name, names[i]);
		CHECK_EQ(p->funcs[i].is_global,
			 !strcmp(names[i], "global") || !strcmp(names[i], "calls"));
		CHECK(p->funcs[i].btf && !p->funcs[i].is_callback);
	}
	CHECK_EQ(p->funcs[0].insn, 0);
	CHECK(are_calls_right(p));
	p = read_prog(&x, "loops");
	CHECK(p && p->n_funcs == 2 && p->funcs[1].is_callback && !p->funcs[0].is_callback);
	CHECK(are_calls_right(p));
	CHECK(read_insn(p, READ_WIDE, BPF_PSEUDO_FUNC, 0));
	read_done(&x);
}

TEST(references_are_indices)
{
	const struct bpf_insn *insn;
	struct read x;

	read_object(&x, made_programs, made_programs_size, NULL);
	insn = read_insn(read_prog(&x, "calls"), READ_WIDE, BPF_PSEUDO_MAP_IDX, 0);
	CHECK(insn && (uint32_t)insn->imm == read_map(&x, "hash"));
	/* `set` lies behind the static `hidden`, or before it: both are in .data */
	insn = read_insn(read_prog(&x, "calls"), READ_WIDE, BPF_PSEUDO_MAP_IDX_VALUE, 0);
	CHECK(insn && (uint32_t)insn[0].imm == read_map(&x, ".data") && insn[1].imm <= 4);
	insn = read_insn(read_prog(&x, "jump"), READ_WIDE, BPF_PSEUDO_MAP_IDX, 1);
	CHECK(insn && (uint32_t)insn->imm == read_map(&x, "jumps"));
	read_done(&x);
}

TEST(lines_are_underlined)
{
	const struct vm_prog *p;
	struct span span;
	struct read x;

	read_object(&x, made_programs, made_programs_size, NULL);
	p = read_prog(&x, "loops");
	CHECK(p && p->n_lines > 2 && x.diags.sources.n == 1);
	span = p->lines[0].span;
	CHECK(str_ends(str_of(x.diags.sources.p[span.file].name), STR("programs.bpf.c")));
	diag(&x.diags, D_OBJECT, span, "here");
	CHECK(strstr(read_said(&x), "	bpf_loop(10, body, 0, 0);\n"
				    "	~~~~~~~~~~~~~~~~~~~~~~~~\n"));
	for (uint32_t i = 1; i < p->n_lines; i++)
		CHECK(p->lines[i - 1].insn < p->lines[i].insn && p->lines[i].insn < p->n_insns);
	read_done(&x);
}

TEST(tags_are_kept)
{
	const struct btf_type *t;
	bool found = false;
	struct read x;

	read_object(&x, made_programs, made_programs_size, NULL);
	for (uint32_t id = 1; (t = btf_view_type(&x.object.btf, id)); id++)
		found |= btf_type_kind(t) == BTF_KIND_DECL_TAG &&
			 !strcmp(btf_view_name(&x.object.btf, t), "comment:second of a section") &&
			 t->type == read_prog(&x, "tail")->funcs[0].btf;
	CHECK(found);
	read_done(&x);
}

/* --- legacy.bpf.c */

TEST(maps_before_types)
{
	const struct vm_map_def *d;
	const struct vm_prog *p;
	struct read x;

	read_object(&x, made_legacy, made_legacy_size, NULL);
	CHECK_EQ(x.r, 0);
	CHECK(!x.object.has_btf);
	CHECK_EQ(x.object.maps.n, 3);
	d = map(&x, "counts");
	CHECK(d->type == BPF_MAP_TYPE_HASH && d->value_size == 8 && d->max_entries == 100);
	d = map(&x, "both");
	CHECK(d->inner && d->inner->value_size == 12);
	p = read_prog(&x, "drop");
	CHECK(p && p->is_unknown && p->prog_type == BPF_PROG_TYPE_XDP);
	CHECK_EQ(read_insn(p, READ_WIDE, BPF_PSEUDO_MAP_IDX, 0)->imm, read_map(&x, "each"));
	p = read_prog(&x, "numbered");
	CHECK(p && p->is_unknown && p->prog_type == BPF_PROG_TYPE_SCHED_CLS);
	CHECK_EQ(read_insn(p, READ_WIDE, BPF_PSEUDO_MAP_IDX, 1)->imm, read_map(&x, "both"));
	CHECK_EQ(p->n_lines, 0);
	read_done(&x);
}

/* --- extern.bpf.c */

static bool setting(void *ctx, const char *name, int64_t *ret)
{
	*ret = *(int64_t *)ctx;
	return !strcmp(name, "CONFIG_HZ");
}

/* A setting's value, if the program reads .kconfig there. */
static uint64_t kconfig(const struct read *x, int32_t offset, size_t bytes)
{
	const struct vm_prog *p = read_prog(x, "settings");
	const struct vm_map_def *d = map(x, ".kconfig");
	const struct bpf_insn *insn;
	uint64_t value = 0;

	for (unsigned int n = 0; (insn = read_insn(p, READ_WIDE, BPF_PSEUDO_MAP_IDX_VALUE, n));
	     n++) {
		if ((uint32_t)insn->imm != read_map(x, ".kconfig") || insn[1].imm != offset)
			continue;
		memcpy(&value, (const char *)d->init + offset, bytes);
		return value;
	}
	return UINT64_MAX;
}

TEST(settings_are_a_map)
{
	int64_t hz = 250;
	struct object_options o = {
		.name = "extern.o", .kernel_version = 0x60c01, .kconfig = setting, .ctx = &hz};
	struct read x;

	read_object(&x, made_extern, made_extern_size, &o);
	CHECK_EQ(x.r, 0);
	CHECK(map(&x, ".kconfig")->is_frozen);
	/* CONFIG_HZ, LINUX_KERNEL_VERSION, CONFIG_YES, CONFIG_NAME */
	CHECK_EQ(map(&x, ".kconfig")->value_size, 8 + 4 + 1 + 16);
	CHECK_EQ(kconfig(&x, 0, 8), 250);
	CHECK_EQ(kconfig(&x, 8, 4), 0x60c01);
	CHECK_EQ(kconfig(&x, 12, 1), 0);
	CHECK_EQ(kconfig(&x, 13, 8), 0);
	read_done(&x);
}

TEST(what_the_kernel_has)
{
	const struct vm_prog *p;
	const struct bpf_insn *insn;
	struct object_options o = {.name = "extern.o"};
	struct read kernel, x;

	CHECK(read_types(&kernel, made_extern_kernel, made_extern_kernel_size));
	o.kernel = &kernel.object.btf;
	read_object(&x, made_extern, made_extern_size, &o);
	CHECK_EQ(x.r, 0);
	CHECK_EQ(x.object.kfuncs.n, 2);
	p = read_prog(&x, "functions");
	insn = read_insn(p, READ_CALL, BPF_PSEUDO_KFUNC_CALL, 0);
	CHECK(insn && !strcmp(x.object.kfuncs.p[insn->imm].name, "kernel_function"));
	CHECK(x.object.kfuncs.p[insn->imm].kernel && !x.object.kfuncs.p[insn->imm].is_weak);
	insn = read_insn(p, READ_CALL, BPF_PSEUDO_KFUNC_CALL, 1);
	CHECK(insn && !strcmp(x.object.kfuncs.p[insn->imm].name, "missing_function"));
	CHECK(!x.object.kfuncs.p[insn->imm].kernel && x.object.kfuncs.p[insn->imm].is_weak);
	/* its address is 0, so that the call is not reached */
	insn = read_insn(p, READ_WIDE, 0, 0);
	CHECK(insn && !insn[0].imm && !insn[1].imm);
	p = read_prog(&x, "variables");
	insn = read_insn(p, READ_WIDE, BPF_PSEUDO_BTF_ID, 0);
	CHECK(insn && (size_t)insn->imm < x.object.vars.n);
	CHECK(read_insn(p, READ_WIDE, 0, 0)); /* missing_variable */
	CHECK(read_insn(p, READ_WIDE, BPF_PSEUDO_BTF_ID, 1));
	CHECK(!read_insn(p, READ_WIDE, BPF_PSEUDO_BTF_ID, 2));
	read_done(&x);
	/* nobody knows what the kernel has: all may be there */
	read_object(&x, made_extern, made_extern_size, NULL);
	CHECK_EQ(x.r, 0);
	CHECK(read_insn(read_prog(&x, "functions"), READ_WIDE, BPF_PSEUDO_BTF_ID, 0));
	read_done(&x);
	read_done(&kernel);
}
