/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compile line, every phase by name, in order.
 *
 *	parse    text → tree                        lang/bpftrace/parse.c
 *	expand   imports, macros, parameters        lang/bpftrace/expand.c
 *	check    attach points and types            lang/bpftrace/attach.c, check.c
 *	lower    tree → IR, maps, actions           lang/bpftrace/lower.c
 *	opt      IR → better IR, a pass a file      module.c, opt/passes.def
 *	gen      IR → eBPF                          module.c, gen/gen.c
 *
 * A phase reports all mistakes that it finds; the next begins only if there was none.
 */
#include "compile/pipeline.h"

#include "base/parallel.h"
#include "compile/ir/op.h"
#include "compile/lang/bpftrace/lower.h"
#include "compile/lang/bpftrace/parse.h"
#include "compile/module.h"

#include <assert.h>
#include <stdlib.h>

/* Programs are made at once, the largest first. */
struct generation {
	struct question *q;
	struct lowered lowered;
	const struct compile_options *o;
	const struct module_options *m;
	struct gen_options options;
	struct gen_part *parts;
	struct task {
		uint32_t size; /* instructions of IR */
		uint32_t module;
	} * tasks;
};

enum { PARALLEL_MIN = 200 /* instructions: less is made before a thread has begun */ };

static uint32_t size_of(const struct ir_module *m)
{
	uint32_t n = 0;

	for (size_t i = 0; i < m->funcs.n; i++)
		n += (uint32_t)ir_n_insns(&m->funcs.p[i]);
	return n;
}

static int by_size(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return x->size != y->size ? (x->size < y->size ? 1 : -1)
				  : (x->module > y->module) - (x->module < y->module);
}

static void make_one(void *ctx, size_t i)
{
	struct generation *g = ctx;
	uint32_t module = g->tasks[i].module;

	module_make(g->q, g->lowered.modules.p[module], g->m, &g->options, &g->parts[module]);
}

/* What is dumped comes in order. */
static void make_all(struct generation *g, size_t n)
{
	uint32_t all = 0;

	for (size_t i = 0; i < n; i++) {
		g->tasks[i] = (struct task){size_of(g->lowered.modules.p[i]), (uint32_t)i};
		all += g->tasks[i].size;
	}
	if (!g->m->dump)
		qsort(g->tasks, n, sizeof(*g->tasks), by_size);
	helper_run(g->o->helper, n, g->m->dump || all < PARALLEL_MIN ? 1 : parallel_cpus(),
		   make_one, g);
}

static bool generate(struct generation *g)
{
	struct question *q = g->q;
	size_t n = g->lowered.modules.n;

	assert(n == q->progs.n);
	g->options = module_gen_options(g->m);
	g->parts = arena_array(&q->arena, struct gen_part, n);
	g->tasks = arena_array(&q->arena, struct task, n);
	for (size_t i = 0; i < n; i++)
		gen_part_init(&g->parts[i], &q->progs.p[i]);
	make_all(g, n);
	for (size_t i = 0; i < n; i++) {
		if (q->diags.errors)
			arena_done(&g->parts[i].arena);
		else
			gen_join(q, &g->parts[i]);
		g->lowered.modules.p[i]->arena = &q->arena;
	}
	return !q->diags.errors;
}

/* From the checked tree on. */
static bool make(struct question *q, const struct checked *checked, const struct compile_options *o,
		 const struct module_options *m)
{
	struct generation g = {.q = q, .o = o, .m = m};

	g.lowered.maps_known = o->maps_known;
	g.lowered.ctx = o->known_ctx;
	return lower_program(q, checked, &o->check, &g.lowered) && generate(&g);
}

static struct module_options module_options(const struct compile_options *o)
{
	return (struct module_options){.world = o->check.world,
				       .rt = o->rt,
				       .level = o->level,
				       .dump = o->dump,
				       .dump_to = o->dump_to};
}

struct program *compile_read(struct question *q, const struct compile_options *o)
{
	const struct module_options m = module_options(o);
	uint32_t source = diag_source(&q->diags, o->name, o->text);
	struct program *p = parse_program(&q->diags, source);

	if (!p)
		return NULL;
	if (module_wants_dump(&m, "ast"))
		ast_print(p, o->dump_to);
	if (!expand_program(&q->diags, p, &o->params, &q->config))
		return NULL;
	if (module_wants_dump(&m, "expand"))
		ast_print(p, o->dump_to);
	return p;
}

bool compile_tree(struct question *q, struct program *p, const struct compile_options *o)
{
	const struct module_options m = module_options(o);
	struct checked checked = {};

	if (!check_program(q, p, &o->check, &checked))
		return false;
	if (module_wants_dump(&m, "check"))
		ast_print(p, o->dump_to);
	if (o->until == COMPILE_CHECK)
		return true;
	return make(q, &checked, o, &m);
}

bool compile_bpftrace(struct question *q, const struct compile_options *o)
{
	struct program *p = compile_read(q, o);

	return p && (o->until == COMPILE_PARSE || compile_tree(q, p, o));
}
