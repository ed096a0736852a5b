/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to a tree before types, in this order:
 *
 *	config		expand-config.c	 the script's block, then BPFTRACE_*
 *	imports		expand-import.c	 other scripts and headers, into this tree
 *	conditionals	expand-cpp.c	 #if, #ifdef: what is left of the C text
 *	features	expand-feature.c deprecated and unstable ones
 *	points		expand-point.c	 attach points into parts, $1 in them
 *	macros		expand-macro.c	 macro f(x) { … }
 *	defines		expand-define.c	 #define N 5 in expressions
 *	params		expand-param.c	 $1, $#, getopt()
 *	constants	fold.c		 1 + 2
 *
 * A phase reports all it finds; the next begins only if there was no error.
 */
#include "compile/lang/bpftrace/expander.h"

bool expand_has_room(struct expand *x, struct span span)
{
	if (x->is_too_big)
		return false;
	if (x->arena->used - x->used < TREE_MAX)
		return true;
	x->is_too_big = true;
	diag(x->d, D_LIMIT, span, "program is too large after macros are expanded");
	return false;
}

void expand_check_height(struct expand *x, struct expr *e)
{
	if (e->height <= HEIGHT_MAX)
		return;
	if (!x->is_too_big)
		diag(x->d, D_LIMIT, e->span, "program is nested too deeply");
	x->is_too_big = true;
	*e = (struct expr){.kind = EXPR_NONE, .span = e->span, .op_span = e->op_span, .height = 1};
}

bool expand_program(struct diags *d, struct program *p, const struct script_params *params,
		    struct question_config *config)
{
	static void (*const phases[])(struct expand *) = {
		expand_config, expand_imports, expand_conditionals, expand_features,
		expand_points, expand_macros,  expand_defines,	    expand_params,
	};
	static const struct script_params none;
	struct expand x = {
		.d = d,
		.arena = d->arena,
		.p = p,
		.params = params ? params : &none,
		.config = config,
	};
	unsigned int errors = d->errors;

	for (size_t i = 0; i < ELEMENTS(phases) && d->errors == errors; i++) {
		x.used = d->arena->used;
		phases[i](&x);
	}
	map_done(&x.defines);
	if (d->errors == errors)
		fold_program(d, p);
	return d->errors == errors;
}
