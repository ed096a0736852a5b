/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of expand share.  Nobody else includes this. */
#pragma once

#include "base/map.h"
#include "compile/lang/bpftrace/expand.h"
#include "compile/lang/bpftrace/lex.h"
#include "compile/lang/bpftrace/tree.h"

/* What is said about features that must be switched on. */
enum unstable { UNSTABLE_ENABLE, UNSTABLE_WARN, UNSTABLE_ERROR };
struct unstable_config {
	uint64_t import_statement, tseries, typeinfo, dw_ustack; /* enum unstable */
};

/* #define: `params` as written, NULL without parentheses. */
struct define {
	struct define *next; /* of the same hash */
	const char *name;
	struct span span; /* the name */
	const char *body;
	ARRAY(const char *) params;
	bool has_params, is_gone; /* is_gone: #undef */
	bool is_parsed, is_open;  /* is_open: being expanded, recursion is an error */
	struct expr *value;	  /* of `body`, if it is one */
	uint32_t source;	  /* `body`, for places in `value` */
};

struct expand {
	struct diags *d;
	struct arena *arena;
	struct program *p;
	const struct script_params *params;
	struct question_config *config;
	struct unstable_config unstable;
	size_t used;		      /* of the arena when copying began */
	bool is_too_big;	      /* an error was recorded: copy nothing more */
	ARRAY(const char *) imported; /* real paths and names, each once */
	unsigned int import_depth, include_depth;
	struct map defines;	       /* hash of the name → struct define */
	const struct define *open[64]; /* being expanded, in order */
	unsigned int n_open;
	ARRAY(const char *) system_headers; /* paths that #include named */
	bool has_system_defines;	    /* … and were read */
};

/* May more be copied?  If not, an error at `span` was recorded. */
bool expand_has_room(struct expand *x, struct span span);
/* A tree that copying made too high: an error, and it is cut off. */
void expand_check_height(struct expand *x, struct expr *e);

/* The phases, in order.  Errors are in x->d. */
void expand_config(struct expand *x);
void expand_imports(struct expand *x);
/* #if, #ifdef, #else: leaves what is active in p->c. */
void expand_conditionals(struct expand *x);
/* Deprecated and unstable features, params in attach points. */
void expand_features(struct expand *x);
void expand_points(struct expand *x);
void expand_macros(struct expand *x);
void expand_defines(struct expand *x);
/* $1, $#, getopt(); then constants. */
void expand_params(struct expand *x);

/* Of a name, for tables. */
uint64_t expand_hash(struct str s);
/* --- expand-include.c */
enum include {
	INCLUDE_OWN,	/* read all of it */
	INCLUDE_SYSTEM, /* only its defines are of use, once something asks for them */
	INCLUDE_KERNEL, /* not there, and not needed: the kernel describes its types itself */
	INCLUDE_MISSING,
};
/* `text` is <name> or "name"; *ret_path is where it is. */
enum include include_find(struct expand *x, const char *text, struct span span,
			  const char **ret_name, const char **ret_path);
/* --- expand-cpp.c: the defines of what INCLUDE_SYSTEM was said of, once. */
void expand_system_headers(struct expand *x);

/* NULL: there is none. */
struct define *define_find(struct expand *x, struct str name);
/* Names of defines in an expression become their values; with `unknown_is_0` all names. */
void expand_define_expr(struct expand *x, struct expr **at, bool unknown_is_0);
/* An import inside a block: headers only. */
void expand_import_statement(struct expand *x, const struct stmt *s);
/* A file's bytes; −errno. */
int expand_read_file(const char *path, struct buf *to);
/* A C text in pieces: each directive, and what stands between. */
void expand_split_c(struct arena *a, const struct diags *d, uint32_t source, struct program *to);

/* The value of positional parameter n, "" if it was not given. */
const char *param_get(const struct script_params *params, uint64_t n);
bool text_is_true(const char *s);  /* 1 true on yes */
bool text_is_false(const char *s); /* 0 false off no */

/* All constants of a program. */
void fold_program(struct diags *d, struct program *p);
