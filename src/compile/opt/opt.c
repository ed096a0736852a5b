/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "compile/opt/flow.h"
#include "compile/opt/passes.h"

#include <assert.h>

enum {
#define PASS(name, level, help)	      OPT_##name,
#define WHOLE_PASS(name, level, help) OPT_##name,
#define AGAIN(name)
#include "compile/opt/passes.def"
#undef PASS
#undef WHOLE_PASS
	PASSES
};

const struct opt_pass opt_passes[] = {
#define PASS(name, level, help)	      {#name, help, opt_##name, NULL, level},
#define WHOLE_PASS(name, level, help) {#name, help, NULL, opt_##name, level},
#include "compile/opt/passes.def"
#undef PASS
#undef WHOLE_PASS
#undef AGAIN
	{}};

static const uint8_t order[] = {
#define PASS(name, level, help)	      OPT_##name,
#define WHOLE_PASS(name, level, help) OPT_##name,
#define AGAIN(name)		      OPT_##name,
#include "compile/opt/passes.def"
#undef PASS
#undef WHOLE_PASS
#undef AGAIN
};

/*
 * A function has a version, and so has the module; a pass that found nothing to do in one need
 * not look at it again.  Those that look at one function see nothing of others.
 */
struct candidate {
	struct flow flow;
	unsigned int version, idle_in[PASSES];
};

struct running {
	struct ir_module *m;
	unsigned int version, idle_in[PASSES]; /* of passes over the module */
	struct arena keep, scratch;
	struct candidate *funcs;
	size_t n;
};

static void running_init(struct running *r, struct ir_module *m)
{
	*r = (struct running){.m = m, .version = 1, .n = m->funcs.n};
	r->funcs = arena_array(&r->keep, struct candidate, r->n);
	for (size_t i = 0; i < r->n; i++) {
		r->funcs[i].flow = (struct flow){
			.keep = &r->keep, .scratch = &r->scratch, .m = m, .f = &m->funcs.p[i]};
		r->funcs[i].version = 1;
	}
}

static void running_done(struct running *r)
{
	arena_done(&r->keep);
	arena_done(&r->scratch);
}

static void note_change(struct running *r, struct candidate *c)
{
	c->version++;
	r->version++;
}

static bool run_whole(struct running *r, const struct opt_pass *pass)
{
	unsigned int *idle = &r->idle_in[pass - opt_passes];

	if (*idle == r->version)
		return false;
	if (!pass->run_whole(r->m)) {
		*idle = r->version;
		return false;
	}
	for (struct candidate *c = r->funcs; c < r->funcs + r->n; c++) {
		flow_forget(&c->flow);
		flow_forget_order(&c->flow);
		note_change(r, c);
	}
	return true;
}

/* Is what was kept what would be found now?  Else a pass broke it and did not say so. */
static void check_kept(const struct flow *fl)
{
#ifdef CHECKS_PASSES
	struct arena a = {};
	struct flow now = {.keep = &a, .scratch = &a, .m = fl->m, .f = fl->f};
	size_t n_blocks = fl->f->blocks.n, n_regs = fl->f->regs.n;

	flow_defs(&now);
	flow_idoms(&now);
	assert(!fl->has_defs || !memcmp(fl->def, now.def, n_regs * sizeof(*fl->def)));
	assert(!fl->has_defs || !memcmp(fl->n_defs, now.n_defs, n_regs * sizeof(*fl->n_defs)));
	assert(!fl->has_order || !memcmp(fl->rank, now.rank, n_blocks * sizeof(*fl->rank)));
	assert(!fl->has_order ||
	       !memcmp(fl->n_preds, now.n_preds, n_blocks * sizeof(*fl->n_preds)));
	arena_done(&a);
#endif
}

static bool run_pass(struct running *r, const struct opt_pass *pass)
{
	bool any = false;

	if (pass->run_whole)
		return run_whole(r, pass);
	for (struct candidate *c = r->funcs; c < r->funcs + r->n; c++) {
		unsigned int *idle = &c->idle_in[pass - opt_passes];

		if (*idle == c->version)
			continue;
		if (pass->run(&c->flow)) {
			note_change(r, c);
			any = true;
		} else {
			*idle = c->version;
		}
		check_kept(&c->flow);
		arena_reset(&r->scratch);
	}
	return any;
}

bool opt_run_pass(const struct opt_pass *pass, struct ir_module *m)
{
	struct running r;
	bool changed;

	running_init(&r, m);
	changed = run_pass(&r, pass);
	running_done(&r);
	return changed;
}

void opt_run(struct ir_module *m, int level,
	     void (*after)(void *ctx, const struct opt_pass *pass, const struct ir_module *m),
	     void *ctx)
{
	struct running r;

	running_init(&r, m);
	for (size_t i = 0; i < ELEMENTS(order); i++) {
		const struct opt_pass *p = &opt_passes[order[i]];

		if (p->level <= level && run_pass(&r, p) && after)
			after(ctx, p, m);
	}
	running_done(&r);
}
