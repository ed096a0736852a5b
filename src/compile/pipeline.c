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

#include "compile/lang/bpftrace/lower.h"
#include "compile/lang/bpftrace/parse.h"
#include "compile/module.h"

#include <assert.h>

static bool generate(struct question *q, const struct lowered *lowered,
		     const struct module_options *o)
{
	for (size_t i = 0; i < lowered->modules.n; i++)
		if (!module_generate(q, lowered->modules.p[i], o, &q->progs.p[i]))
			return false;
	return true;
}

bool compile_bpftrace(struct question *q, const struct compile_options *o)
{
	const struct module_options m = {.world = o->check.world,
					 .rt = o->rt,
					 .level = o->level,
					 .dump = o->dump,
					 .dump_to = o->dump_to};
	struct lowered lowered = {};
	struct checked checked = {};
	struct program *p;
	uint32_t source = diag_source(&q->diags, o->name, o->text);

	p = parse_program(&q->diags, source);
	if (!p)
		return false;
	if (module_wants_dump(&m, "ast"))
		ast_print(p, o->dump_to);
	if (!expand_program(&q->diags, p, &o->params, &q->config))
		return false;
	if (module_wants_dump(&m, "expand"))
		ast_print(p, o->dump_to);
	if (o->until == COMPILE_PARSE)
		return true;
	if (!check_program(q, p, &o->check, &checked))
		return false;
	if (module_wants_dump(&m, "check"))
		ast_print(p, o->dump_to);
	if (o->until == COMPILE_CHECK)
		return true;
	if (!lower_program(q, &checked, &o->check, &lowered))
		return false;
	assert(lowered.modules.n == q->progs.n);
	return generate(q, &lowered, &m) && !q->diags.errors;
}
