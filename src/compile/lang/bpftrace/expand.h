/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens before types: imports, C preprocessing, config, positional and named
 * parameters, macros, constants.
 */
#pragma once

#include "catalog/question.h"
#include "compile/lang/bpftrace/ast.h"

/* What a command line gives to a script. */
struct script_params {
	const char *const *positional; /* $1 … */
	unsigned int n;
	struct {
		const char *name, *value; /* --name=value; value NULL: --name */
	} const *named;
	unsigned int n_named;
	const char *directory;		/* imports start here: of the script; NULL: the current */
	const char *const *environment; /* BPFTRACE_*: "NAME=value", NULL at the end */
	/* --include, as <name>, and -I; NULL at the end, or none */
	const char *const *includes, *const *include_folders;
};

/*
 * Work in place.  Fills `config`.  `cdefs` is the script's own struct, enum and #define
 * text after the preprocessor, for ctypes.h.  False: an error was recorded.
 */
bool expand_program(struct diags *d, struct program *p, const struct script_params *params,
		    struct question_config *config);
/* Numbers, strings and booleans that are known: folded in place.  Also called by check. */
struct expr *fold_expression(struct diags *d, struct expr *e);
/* Deep copies, for macros, unroll and several attach points. */
struct expr *expr_clone(struct arena *a, const struct expr *e);
struct block *block_clone(struct arena *a, const struct block *b);
struct probe *probe_clone(struct arena *a, const struct probe *p);
