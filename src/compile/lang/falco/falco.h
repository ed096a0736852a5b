/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Falco's rule files: text in, a rule set out.
 *
 *	yaml*.c       documents, and where each byte of them stands (libyaml)
 *	collect*.c    items in order: lists, macros, rules; append, override; versions
 *	expand.c      lists (as text), exceptions, macros (as trees)
 *	condition*.c  text → trees of words
 *	check*.c      fields, types, literals, the events of each rule; warnings
 *	output.c      %field pieces
 *	report.c, result.c   findings, under Falco's codes (codes.def)
 *
 * Several files are one set, in order: a later file may append to, or replace what stands in an
 * earlier one.  An item with an error is left out, and reading goes on.
 *
 * What is otherwise than in Falco (engine 0.63.0): all errors are told, not the first; an error
 * in the text of a list, macro or exception is shown where that text stands; lists in lists are
 * put in however deep; a field without any value here yet is a warning; `tests:` of rules; %%
 * in outputs; bounds on sizes (load.h).
 */
#pragma once

#include "catalog/ruleset.h"

enum falco_code { /* as Falco names them; names by falco_code_name() */
#define FALCO_CODE(id, name, is_error, help) FALCO_##id,
#include "compile/lang/falco/codes.def"
#undef FALCO_CODE
		  FALCO_CODES
};

/* One finding, beside the diagnostic of the same text: what `--json` and -V show. */
struct falco_finding {
	enum falco_code code;
	bool is_error;
	uint32_t file; /* index into `files` */
	struct span span;
	const char *message;
	const char *item_type, *item_name; /* "rule", "Write below etc"; NULL */
	struct span item_span;		   /* where that item's name stands */
};

struct falco_file {
	const char *name;
	struct str text; /* borrowed until falco_load() returns */
	bool is_ok;	 /* set: no error */
};

struct falco_options {
	bool match_all;
	bool enable_all;	   /* disabled rules too: checking */
	const char *const *enable; /* rule names or globs, NULL at the end; NULL: none */
	const char *const *disable;
	const char *const *tags, *const *no_tags;
	enum rule_priority least; /* rules of lower priority are left out; RULE_DEBUG: none are */
};

struct falco_result {
	ARRAY(struct falco_finding) findings; /* in the rule set's arena */
	unsigned int errors, warnings;
};

/*
 * Load files into `rs` (ruleset_init was called).  False: at least one error; diagnostics
 * (rs->diags) and findings say which; what was good is in `rs` all the same.
 */
bool falco_load(struct ruleset *rs, struct falco_file *files, size_t n_files,
		const struct falco_options *o, struct falco_result *ret);

/*
 * An error that loading could not find: a file that cannot be read.  It has no text then; a
 * finding is made, no diagnostic.
 */
void falco_add_error(struct ruleset *rs, struct falco_file *files, struct falco_result *r,
		     size_t file, enum falco_code code, const char *message);
/* Leave only errors in rs->diags. */
void falco_drop_warnings(struct ruleset *rs);

/* A condition alone, for tests and the fuzzer: no macros, no lists. */
struct rule_expr *falco_condition(struct ruleset *rs, uint32_t source);

const char *falco_code_name(enum falco_code code); /* "LOAD_ERR_COMPILE_CONDITION" */
const char *falco_code_help(enum falco_code code); /* half a sentence */
/* Falco's result format (-V --json): {"falco_load_results":[…]}. */
void falco_result_json(const struct ruleset *rs, const struct falco_file *files, size_t n_files,
		       const struct falco_result *r, struct buf *to);
