/* SPDX-License-Identifier: Apache-2.0 */
#include "compile/module.h"

#include "compile/gen/gen.h"
#include "compile/opt/opt.h"

struct making {
	const struct module_options *o;
	struct diags *diags;
};

bool module_wants_dump(const struct module_options *o, const char *phase)
{
	return o->dump && o->dump_to && (!strcmp(o->dump, phase) || !strcmp(o->dump, "all"));
}

static void dump(struct making *x, const char *phase, const struct ir_module *m)
{
	if (!module_wants_dump(x->o, phase))
		return;
	buf_printf(x->o->dump_to, "# %s: %s\n", phase, m->name);
	ir_print(m, x->o->dump_to);
}

/*
 * Our own bug, not the user's: say which pass, with the module, and stop.  Only beyond its
 * variable a script can get by itself: by a pointer to it that is cast or indexed.
 */
static void check(struct making *x, const char *phase, const struct ir_module *m)
{
	struct diags *d = x->diags;
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
	struct making *x = ctx;

	dump(x, pass->name, m);
#ifdef CHECKS_PASSES
	check(x, pass->name, m);
#endif
}

struct gen_options module_gen_options(const struct module_options *o)
{
	return (struct gen_options){
		.cpu = world_has(o->world, WORLD_CPU_V4) ? 4 : 3,
		.rt = o->rt,
	};
}

bool module_make(const struct question *q, struct ir_module *m, const struct module_options *o,
		 const struct gen_options *options, struct gen_part *part)
{
	struct making x = {o, &part->diags};

	m->arena = &part->arena; /* what the passes add */
	dump(&x, "ir", m);
	check(&x, "lower", m);
	if (part->diags.errors)
		return false;
	opt_run(m, o->level, after_pass, &x);
	dump(&x, "opt", m);
	check(&x, "opt", m); /* with numbers that are known by now, as places in variables */
	return !part->diags.errors && gen_part(q, m, options, part);
}

bool module_generate(struct question *q, struct ir_module *m, const struct module_options *o,
		     struct question_prog *ret)
{
	const struct gen_options options = module_gen_options(o);
	struct gen_part part;
	bool ok;

	gen_part_init(&part, ret);
	ok = module_make(q, m, o, &options, &part);
	gen_join(q, &part);
	m->arena = &q->arena;
	return ok;
}
