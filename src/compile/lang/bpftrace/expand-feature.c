/* SPDX-License-Identifier: Apache-2.0 */
/* Features that go away, that are gone, or that a script must switch on. */
#include "compile/lang/bpftrace/expander.h"

#include <stdio.h>

static const struct span no_place = {.file = UINT32_MAX};

/* A warning shows no place and comes once; an error shows where. */
static void check_unstable(struct expand *x, uint64_t choice, const char *what, const char *key,
			   struct span span)
{
	if (choice == UNSTABLE_ERROR)
		diag(x->d, D_UNSTABLE, span,
		     "%s feature is not enabled by default. To enable this unstable feature, set "
		     "the config flag to enable. %s=enable",
		     what, key);
	else if (choice == UNSTABLE_WARN)
		diag_warn(x->d, D_UNSTABLE, no_place,
			  "Script is using an unstable feature: %s. To prevent this warning you "
			  "must explicitly enable it in the config e.g. %s=enable",
			  what, key);
}

static bool is_sarg(const struct expr *e)
{
	return e->kind == EXPR_IDENT && !strncmp(e->name, "sarg", 4) &&
	       word_is_builtin(str_of(e->name));
}

static bool enter(struct walk *w, struct expr **at)
{
	struct expand *x = w->ctx;
	const struct expr *e = *at;

	if (e->kind == EXPR_CALL && !strcmp(e->name, "tseries")) {
		check_unstable(x, x->unstable.tseries, "tseries", "unstable_tseries", e->span);
	} else if (e->kind == EXPR_CALL && !strcmp(e->name, "dw_ustack")) {
		check_unstable(x, x->unstable.dw_ustack, "dw_ustack (DWARF stack unwinding)",
			       "unstable_dw_ustack", e->span);
	} else if (e->kind == EXPR_TYPEINFO) {
		check_unstable(x, x->unstable.typeinfo, "typeinfo", "unstable_typeinfo", e->span);
	} else if (is_sarg(e)) {
		diag(x->d, D_DEPRECATED, e->span,
		     "sarg* is deleted. This was deprecated in v0.21 and was last available in "
		     "v0.24.");
		diag_hint(x->d, "Use *(reg(\"sp\") + <stack_offset>) instead.");
	}
	return true;
}

static void check_import(struct expand *x, const struct stmt *s)
{
	if (x->unstable.import_statement == UNSTABLE_ERROR) {
		diag(x->d, D_UNSTABLE, s->span,
		     "Import statements that are not at the top level are primarily for the "
		     "standard library. If this is functionality you need, please file an issue "
		     "to explain why.");
		return;
	}
	check_unstable(x, x->unstable.import_statement, "import statements",
		       "unstable_import_statement", s->span);
	expand_import_statement(x, s);
}

static void check_stmt(struct walk *w, struct stmt *s)
{
	struct expand *x = w->ctx;

	if (s->kind == STMT_IMPORT)
		check_import(x, s);
	if (s->kind != STMT_WHILE)
		return;
	diag_warn(x->d, D_DEPRECATED, s->span,
		  "While loops are deprecated and may be removed in the future.");
	diag_hint(x->d, "For loops support ranges (e.g. `for ($x : $start..$end) { ... }`), and "
			"can be used in place of while. These are more easily proven to be bounded "
			"by the verifier.");
}

void expand_features(struct expand *x)
{
	struct walk w = {.enter = enter, .stmt = check_stmt, .ctx = x};

	walk_program(&w, x->p, true);
}
