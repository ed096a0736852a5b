/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which instructions follow which fact: found by difference.
 *
 * The compiler notes the facts that it used, but not where they ended up: passes add
 * offsets together, fold them, turn them into shifts.  So the script is compiled again for
 * each fact, against a machine on which that one fact is another (portable-world.c): the
 * numbers that change are the ones that follow it, by a factor that the change shows.
 *
 * A member at offset 0 costs no addition, and its instruction would be missing; so all
 * compilations begin with every member moved away by 1024 bytes, and the real numbers are
 * put in at the end.  A fact whose change makes other instructions, not only other numbers
 * (two reads that became one because they were neighbours), must not differ elsewhere: it
 * stays where it is, and is compared.  At last everything that no fact names is moved, all
 * members and sizes of all structs of the kernel: if that changes anything, something was
 * not noted, and the object is bound to this very kernel.
 */
#include "agent/portable-internal.h"

#include "compile/pipeline.h"

#include <stdlib.h>
#include <string.h>

enum {
	AWAY = 1024, /* bytes; loads reach 32767 */
	STEP = 56,   /* no sum of other numbers */
	ROUNDS = 4,
	FACTOR_MAX = 8,
};

struct finder {
	struct question *q;
	const struct compile_options *c;
	struct question_fix *fixes; /* in the question's arena */
	size_t n_fixes, room;
	bool was_left;
};

static int64_t away(const struct question_fact *f)
{
	return f->kind == QFACT_MEMBER || f->kind == QFACT_FIELD ? AWAY : 0;
}

/* One compilation: all movable facts away, and `i` by a step more. */
static bool variant(struct finder *x, size_t i, bool moves_rest, struct question *ret)
{
	struct compile_options c = *x->c;
	struct world *w = shifted_world_new(x->c->check.world);
	bool ok = w;

	question_init(ret);
	ret->diags.quiet = false;
	for (size_t k = 0; ok && k < x->q->facts.n; k++) {
		const struct question_fact *f = &x->q->facts.p[k];

		if (f->is_movable && f->kind != QFACT_BINARY)
			ok = shifted_world_shift(w, f, away(f) + (k == i ? STEP : 0));
	}
	if (ok && moves_rest)
		shifted_world_shift_rest(w, x->q);
	c.check.world = w;
	c.check.wants_facts = false;
	c.dump = NULL;
	ok = ok && compile_bpftrace(ret, &c);
	x->was_left |= w && shifted_world_was_left(w);
	shifted_world_free(w);
	return ok;
}

/* --- comparing two */

static bool is_wide(const struct bpf_insn *i)
{
	return i->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool same_maps(const struct question *a, const struct question *b)
{
	if (a->maps.n != b->maps.n || a->n_scratch != b->n_scratch || a->progs.n != b->progs.n ||
	    a->probes.n != b->probes.n || a->actions.n != b->actions.n ||
	    a->losses.n != b->losses.n)
		return false;
	for (size_t i = 0; i < a->maps.n; i++) {
		const struct question_map *m = &a->maps.p[i], *n = &b->maps.p[i];

		if (m->kind != n->kind || m->type != n->type || m->key_size != n->key_size ||
		    (m->kind != QMAP_SCRATCH && m->value_size != n->value_size))
			return false;
		if (!m->init != !n->init ||
		    (m->init && memcmp(m->init, n->init, m->value_size) != 0))
			return false;
	}
	return true;
}

static bool add_fix(struct finder *x, struct question_fix fix, int64_t change)
{
	if (change % STEP || llabs(change / STEP) > FACTOR_MAX)
		return false;
	fix.factor = (int32_t)(change / STEP);
	if (x->n_fixes == x->room)
		x->fixes =
			array_grow(&x->q->arena, x->fixes, x->n_fixes, &x->room, sizeof(*x->fixes));
	x->fixes[x->n_fixes++] = fix;
	return true;
}

/* From `a` to `b` only numbers may change, by steps. */
static bool same_program(struct finder *x, uint32_t prog, uint32_t fact,
			 const struct question_prog *a, const struct question_prog *b)
{
	if (a->n_insns != b->n_insns || a->n_relocs != b->n_relocs)
		return false;
	for (uint32_t i = 0; i < a->n_insns; i++) {
		const struct bpf_insn *p = &a->insns[i], *r = &b->insns[i];
		struct question_fix fix = {.prog = prog, .insn = i, .fact = fact};
		int64_t imm = (int64_t)r->imm - p->imm, off = (int64_t)r->off - p->off;

		if (p->code != r->code || p->dst_reg != r->dst_reg || p->src_reg != r->src_reg)
			return false;
		if (is_wide(p) && i + 1 < a->n_insns) {
			uint64_t from = (uint32_t)p->imm | (uint64_t)(uint32_t)p[1].imm << 32;
			uint64_t to = (uint32_t)r->imm | (uint64_t)(uint32_t)r[1].imm << 32;

			fix.where = QFIX_WIDE;
			if (from != to && !add_fix(x, fix, (int64_t)(to - from)))
				return false;
			i++;
			continue;
		}
		fix.where = QFIX_IMM;
		if (imm && !add_fix(x, fix, imm))
			return false;
		fix.where = QFIX_OFF;
		if (off && !add_fix(x, fix, off))
			return false;
	}
	return true;
}

static bool same_question(struct finder *x, size_t fact, const struct question *a,
			  const struct question *b)
{
	size_t before = x->n_fixes;

	if (!same_maps(a, b))
		return false;
	for (uint32_t i = 0; i < a->progs.n; i++) {
		if (same_program(x, i, (uint32_t)fact, &a->progs.p[i], &b->progs.p[i]))
			continue;
		x->n_fixes = before;
		return false;
	}
	return true;
}

/* --- the search */

/* False: some fact turned out to be unmovable; begin again. */
static bool search(struct finder *x, const struct question *base)
{
	struct question other;
	bool all = true;

	x->n_fixes = 0;
	for (size_t i = 0; i < x->q->facts.n; i++) {
		struct question_fact *f = &x->q->facts.p[i];

		if (!f->is_movable || f->kind == QFACT_BINARY)
			continue;
		f->is_movable = variant(x, i, false, &other) && same_question(x, i, base, &other);
		all &= f->is_movable;
		question_done(&other);
	}
	return all;
}

/* Facts that no instruction follows were noted for code that is gone. */
static void drop_unused(struct finder *x)
{
	size_t kept = 0;

	for (size_t i = 0; i < x->q->facts.n; i++) {
		struct question_fact *f = &x->q->facts.p[i];
		bool is_used = !f->is_movable || f->kind == QFACT_BINARY;

		for (size_t k = 0; k < x->n_fixes; k++) {
			if (x->fixes[k].fact != i)
				continue;
			is_used = true;
			x->fixes[k].fact = (uint32_t)kept;
		}
		if (is_used)
			x->q->facts.p[kept++] = *f;
	}
	x->q->facts.n = kept;
}

/* The programs of `from`, with the real numbers. */
static void take_programs(struct finder *x, const struct question *from)
{
	struct arena *a = &x->q->arena;

	for (size_t i = 0; i < from->progs.n; i++) {
		const struct question_prog *p = &from->progs.p[i];
		struct question_prog *to = &x->q->progs.p[i];
		struct question_reloc *relocs;
		struct question_func *funcs;

		to->insns = arena_copy(a, p->insns, p->n_insns * sizeof(*p->insns));
		to->n_insns = p->n_insns;
		to->lines = arena_copy(a, p->lines, p->n_lines * sizeof(*p->lines));
		to->n_lines = p->n_lines;
		to->relocs = relocs = arena_copy(a, p->relocs, p->n_relocs * sizeof(*relocs));
		to->n_relocs = p->n_relocs;
		for (uint32_t k = 0; k < p->n_relocs; k++)
			if (relocs[k].name)
				relocs[k].name = arena_strdup(a, relocs[k].name);
		to->funcs = funcs = arena_copy(a, p->funcs, p->n_funcs * sizeof(*funcs));
		to->n_funcs = p->n_funcs;
		for (uint32_t k = 0; k < p->n_funcs; k++)
			if (funcs[k].name)
				funcs[k].name = arena_strdup(a, funcs[k].name);
	}
	for (size_t i = 0; i < from->maps.n; i++)
		if (from->maps.p[i].kind == QMAP_SCRATCH)
			x->q->maps.p[i].value_size = from->maps.p[i].value_size;
}

static void bind_to_kernel(struct question *q, struct world *w)
{
	struct question_fact f = {.kind = QFACT_KERNEL, .type = "", .path = ""};
	_cleanup_buf_ struct buf why = {0};

	if (portable_fact(&f, w, &f, &why))
		question_fact_add(q, &f);
}

/* Move all that no fact names: nothing may change. */
static bool nothing_else(struct finder *x, const struct question *base)
{
	size_t before = x->n_fixes;
	struct question other;
	bool same = variant(x, SIZE_MAX, true, &other) && same_question(x, 0, base, &other) &&
		    x->n_fixes == before;

	x->n_fixes = before;
	question_done(&other);
	return same && !x->was_left;
}

static bool find_fixes(struct finder *x)
{
	struct question base;
	bool done = false;

	for (int round = 0; round < ROUNDS && !done; round++) {
		done = variant(x, SIZE_MAX, false, &base) && same_maps(x->q, &base) &&
		       search(x, &base);
		if (done) {
			if (!nothing_else(x, &base))
				bind_to_kernel(x->q, x->c->check.world);
			take_programs(x, &base);
		}
		question_done(&base);
	}
	return done;
}

/* --- facts that the compiler does not note */

static void add_fact(struct finder *x, enum question_fact_kind kind, const char *type,
		     bool is_movable)
{
	const struct question_fact f = {
		.kind = kind, .type = type, .path = "", .is_movable = is_movable};

	question_fact_add(x->q, &f);
}

/* Structs that are shown or kept as a whole, and enums, whose names are shown. */
static void add_layouts(struct finder *x, const struct type *t, unsigned int depth)
{
	if (!t || depth > 16)
		return;
	if (((t->kind == TYPE_STRUCT && t->is_btf) || t->kind == TYPE_ENUM) && t->name)
		add_fact(x, QFACT_LAYOUT, t->name, false);
	if (t->kind == TYPE_ARRAY)
		add_layouts(x, t->of, depth + 1);
	for (uint32_t i = 0; t->kind != TYPE_POINTER && i < t->n_members; i++)
		add_layouts(x, t->members[i].type, depth + 1);
}

static const char *proto_name(struct finder *x, const struct question_prog *p)
{
	if (p->attach_type == BPF_TRACE_RAW_TP)
		return arena_printf(&x->q->arena, "btf_trace_%s", p->btf_name);
	if (p->attach_type == BPF_TRACE_ITER)
		return arena_printf(&x->q->arena, "bpf_iter_%s", p->btf_name);
	return p->btf_name;
}

static void add_facts(struct finder *x)
{
	struct question *q = x->q;

	for (size_t i = 0; i < q->progs.n; i++) {
		if (q->progs.p[i].btf_module && strcmp(q->progs.p[i].btf_module, "vmlinux") != 0)
			x->was_left = true;
		else if (q->progs.p[i].btf_name)
			add_fact(x, QFACT_PROTO, proto_name(x, &q->progs.p[i]), false);
	}
	for (size_t i = 0; i < q->actions.n; i++)
		add_layouts(x, q->actions.p[i].args, 0);
	for (size_t i = 0; i < q->maps.n; i++) {
		add_layouts(x, q->maps.p[i].key, 0);
		add_layouts(x, q->maps.p[i].value, 0);
	}
	for (size_t i = 0; i < q->probes.n; i++)
		if (q->probes.p[i].binary)
			add_fact(x, QFACT_BINARY, q->probes.p[i].binary, !q->has_program_types);
	add_fact(x, QFACT_CPUS, "", true);
}

/* Their values here; what is not there was never used. */
static void measure(struct finder *x)
{
	size_t kept = 0;

	for (size_t i = 0; i < x->q->facts.n; i++) {
		struct question_fact *f = &x->q->facts.p[i];
		_cleanup_buf_ struct buf why = {0};

		if (portable_fact(f, x->c->check.world, f, &why))
			x->q->facts.p[kept++] = *f;
	}
	x->q->facts.n = kept;
}

void portable_find(struct question *q, const struct compile_options *c)
{
	struct finder x = {.q = q, .c = c};

	add_facts(&x);
	measure(&x);
	if (!find_fixes(&x)) {
		for (size_t i = 0; i < q->facts.n; i++)
			q->facts.p[i].is_movable = false;
		bind_to_kernel(q, c->check.world);
		return;
	}
	for (size_t i = 0; i < x.n_fixes; i++)
		portable_move(q, &x.fixes[i], -away(&q->facts.p[x.fixes[i].fact]));
	drop_unused(&x);
	q->fixes.p = x.fixes;
	q->fixes.n = q->fixes.room = x.n_fixes;
}
