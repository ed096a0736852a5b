/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compile line, every phase by name, in order.
 *
 *	parse    text → tree                        lang/bpftrace/parse.c
 *	expand   imports, macros, parameters        lang/bpftrace/expand.c
 *	check    attach points and types            lang/bpftrace/attach.c, check.c
 *	lower    tree → IR, maps, actions           lang/bpftrace/lower.c
 *	opt      IR → better IR, a pass a file      opt/passes.def
 *	gen      IR → eBPF                          gen/gen.c
 *
 * A phase reports all mistakes that it finds; the next begins only if there was none.
 */
#include "compile/pipeline.h"

#include "compile/gen/gen.h"
#include "compile/lang/bpftrace/lower.h"
#include "compile/lang/bpftrace/parse.h"
#include "compile/opt/opt.h"

#include <assert.h>

struct pipeline {
	const struct compile_options *o;
	struct question *q;
};

static bool wants_dump(const struct compile_options *o, const char *phase)
{
	return o->dump && o->dump_to && (!strcmp(o->dump, phase) || !strcmp(o->dump, "all"));
}

static void dump_module(struct pipeline *x, const char *phase, const struct ir_module *m)
{
	if (!wants_dump(x->o, phase))
		return;
	buf_printf(x->o->dump_to, "# %s: %s\n", phase, m->name);
	ir_print(m, x->o->dump_to);
}

/*
 * Our own bug, not the user's: say which pass, with the module, and stop.  Only beyond its
 * variable a script can get by itself: by a pointer to it that is cast or indexed.
 */
static void check_module(struct pipeline *x, const char *phase, const struct ir_module *m)
{
	struct diags *d = &x->q->diags;
	struct span span = m->funcs.n ? m->funcs.p[0].span : (struct span){0};
	struct buf why = {0};
	bool ok = ir_check(m, &why);

	if (!ok && strstr(why.p, " of slot ")) {
		diag(d, D_INDEX, span, "A pointer to a variable leads outside of it: %s", why.p);
	} else if (!ok) {
		diag(d, D_INTERNAL, span, "skep's own mistake in %s: %s", phase, why.p);
		diag_hint(d, "Please report this script; -O0 may get around it");
	}
	buf_done(&why);
}

static void after_pass(void *ctx, const struct opt_pass *pass, const struct ir_module *m)
{
	struct pipeline *x = ctx;

	dump_module(x, pass->name, m);
#ifdef CHECKS_PASSES
	check_module(x, pass->name, m);
#endif
}

static bool generate(struct pipeline *x, const struct lowered *lowered)
{
	struct question *q = x->q;
	struct gen_options options = {
		.cpu = world_has(x->o->check.world, WORLD_CPU_V4) ? 4 : 3,
		.rt = x->o->rt,
	};

	for (size_t i = 0; i < lowered->modules.n; i++) {
		struct ir_module *m = lowered->modules.p[i];

		dump_module(x, "ir", m);
		check_module(x, "lower", m);
		if (q->diags.errors)
			return false;
		opt_run(m, x->o->level, after_pass, x);
		dump_module(x, "opt", m);
		check_module(x, "opt", m);
		if (q->diags.errors || !gen_program(q, m, &options, &q->progs.p[i]))
			return false;
	}
	return true;
}

bool compile_bpftrace(struct question *q, const struct compile_options *o)
{
	struct pipeline x = {o, q};
	struct lowered lowered = {};
	struct checked checked = {};
	struct program *p;
	uint32_t source = diag_source(&q->diags, o->name, o->text);

	p = parse_program(&q->diags, source);
	if (!p)
		return false;
	if (wants_dump(o, "ast"))
		ast_print(p, o->dump_to);
	if (!expand_program(&q->diags, p, &o->params, &q->config))
		return false;
	if (wants_dump(o, "expand"))
		ast_print(p, o->dump_to);
	if (o->until == COMPILE_PARSE)
		return true;
	if (!check_program(q, p, &o->check, &checked))
		return false;
	if (wants_dump(o, "check"))
		ast_print(p, o->dump_to);
	if (o->until == COMPILE_CHECK)
		return true;
	if (!lower_program(q, &checked, &o->check, &lowered))
		return false;
	assert(lowered.modules.n == q->progs.n);
	return generate(&x, &lowered) && !q->diags.errors;
}
