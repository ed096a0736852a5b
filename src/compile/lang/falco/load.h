/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the steps of the loader: what one makes and the next one needs.
 *
 * All of it lives in load.tmp and goes when loading ends; what stays is in the rule set.
 */
#pragma once

#include "base/map.h"
#include "compile/lang/falco/falco.h"
#include "compile/lang/falco/yaml.h"

/* Bounds: larger than any rule file in use by far, small enough to fail soon. */
enum {
	TEXT_MAX = 256 << 10, /* bytes of a condition, lists and exceptions put in */
	TEXTS_MAX = 8 << 20,  /* of all conditions */
	TREE_MAX = 20000,     /* nodes of a condition, macros put in */
	DEPTH_MAX = 1000,     /* of its tree */
	TREES_MAX = 1000000,  /* of all conditions */
	NESTING_MAX = 200,    /* parentheses and transformers within each other */
	ITEMS_MAX = 100000,   /* of a list, lists in it put in */
	FLAT_MAX = 1000000,   /* of all lists */
	LISTS_DEEP_MAX = 100, /* lists in lists */
	VISITS_MAX = 4000000, /* of nodes, when macros are put in */
	TAGS_MAX = 1000,      /* of a rule */
	EXCEPTIONS_MAX = 1000,
	CHECKS_MAX = 16384, /* different ones */
};

/* --- text that knows where its bytes came from (text.c) */

struct origin {
	uint32_t file, at;
};

struct text {
	char *p;
	struct origin *from; /* n of them */
	size_t n, room;
};

/* Bytes of one place: each is said to be from there. */
void text_add(struct arena *a, struct text *t, const char *s, struct origin from);
void text_add_node(struct arena *a, const struct diags *d, struct text *t, const struct node *n);
void text_add_text(struct arena *a, struct text *t, const struct text *more, size_t begin,
		   size_t end);
/* The bytes [begin, end) as a span of the file where the first of them is. */
struct span text_span(const struct text *t, size_t begin, size_t end);
static inline struct str text_str(const struct text *t)
{
	return (struct str){t->p ? t->p : "", t->n};
}

/* --- items (collect*.c) */

/* What a finding is about: "rule" "Write below etc". */
struct item {
	const char *type, *name;
	struct span span; /* of the name, or where the item begins */
};

struct list_info {
	struct item item;
	ARRAY(struct node *) items;
	uint32_t index, visible; /* as of macros */
	bool is_used, is_open;
	bool is_flat;
	ARRAY(struct node *) flat; /* lists in it put in; expand.c */
};

struct macro_info {
	struct item item;
	struct text condition;
	uint32_t index;	  /* of its first definition, over all items */
	uint32_t visible; /* of its last: macros of lower index can be used in it */
	bool is_used, is_open;
	struct cond *tree;     /* parsed; NULL: an error was reported */
	struct cond *expanded; /* without macros; NULL: not yet, or an error */
};

/* A value of an exception, or a list of them. */
struct entry {
	bool is_set, is_list;
	struct node *node; /* scalar */
	ARRAY(struct entry) items;
};

struct exception_info {
	struct item item;
	struct entry fields, comps;
	ARRAY(struct entry) values;
};

struct rule_info {
	struct item item;
	struct text condition, output;
	struct item condition_at, output_at; /* for findings: spans of the scalars */
	struct text desc;
	const char *source;
	enum rule_priority priority;
	bool is_enabled, warn_evttypes, skip_if_unknown;
	bool has_unknown_source, is_bad;
	ARRAY(const char *) tags;
	ARRAY(struct exception_info *) exceptions;
	ARRAY(struct rule_test) tests;
	uint32_t index;
};

/* --- conditions (condition*.c) */

enum cond_kind { COND_CHECK, COND_NAME, COND_NOT, COND_AND, COND_OR };

enum check_state {
	CHECK_NEW,
	CHECK_GOOD,
	CHECK_UNKNOWN, /* no such field or event: `message` says so */
	CHECK_BAD,
};

struct check {
	struct rule_check row; /* id: of the rule set's row, once it is GOOD */
	struct span op;
	enum check_state state;
	const char *message;	 /* UNKNOWN, BAD */
	const char *hint;	 /* or NULL */
	struct span where;	 /* of the message */
	bool is_const, value;	 /* it is always so */
	uint64_t kinds, negated; /* records where it, or its negation, can be true */
	bool is_evttype;	 /* restricts events, if it is true; negated: if it is false */
	bool negated_evttype;
	bool is_warned;
};

struct cond {
	enum cond_kind kind;
	struct span span;
	struct str name; /* NAME: of a macro */
	struct check *check;
	ARRAY(struct cond *) args;
	uint32_t size;	/* nodes, with those that are shared counted each time */
	uint32_t depth; /* of nodes below */
};

/* --- loading */

struct load {
	struct ruleset *rs;
	struct diags *d;
	struct arena tmp;
	const struct falco_options *options;
	struct falco_file *files;
	size_t n_files;
	uint32_t first_source; /* of files[0] in d */
	struct falco_result *result;
	ARRAY(struct list_info *) lists;
	ARRAY(struct macro_info *) macros;
	ARRAY(struct rule_info *) rules;
	ARRAY(struct list_info *) odd_lists; /* names with blanks or the like in them */
	struct map by_name[3]; /* of lists, macros, rules; the key is the name's hash */
	struct map broken;     /* hashes of the names of items with errors */
	uint32_t n_items;
	size_t n_text, n_nodes, n_visits; /* of all conditions */
	size_t n_flat;			  /* of all lists */
	struct map by_text;		  /* hash of a check as text → struct known_check */
	struct buf scratch;
};

/*
 * Report: a diagnostic and a finding.  The code says if it is an error.  report_hint() puts
 * a line under the one before.
 */
void report(struct load *l, enum falco_code code, enum diag_id id, const struct item *item,
	    struct span span, const char *format, ...) _printf_(6, 7);
bool falco_code_is_error(enum falco_code code);

struct list_info *load_list(const struct load *l, struct str name);
struct macro_info *load_macro(const struct load *l, struct str name);
struct rule_info *load_rule(const struct load *l, struct str name);

void load_add_rule(struct load *l, struct rule_info *r);
/* Was an item of this name left out?  Then nobody needs to hear that it is not there. */
bool load_is_broken(const struct load *l, const char *name);

/* The steps. */
void collect_document(struct load *l, const struct node *document);
void expand_all(struct load *l);    /* lists and macros; conditions of macros are parsed */
void expand_unused(struct load *l); /* warnings */
/*
 * The condition of a rule with exceptions, lists and macros put in; NULL: reported.  *ret_parsed
 * is the same without macros put in, NULL if there was no tree at all.
 */
struct cond *expand_rule(struct load *l, struct rule_info *r, struct cond **ret_parsed);
/* Fields, types, literals of a check; once.  Its state tells how that went. */
void check_resolve(struct load *l, const struct item *item, struct check *c);
/*
 * The tree with checks of the rule set.  NULL: an error, or a field that is not known and
 * the rule asks to be left out then (*ret_skip).
 */
struct rule_expr *check_rule(struct load *l, struct rule_info *r, struct cond *tree,
			     bool *ret_skip);
/* Report what is wrong with the checks of a tree that has macros in it still. */
void check_parts(struct load *l, struct rule_info *r, struct cond *parsed);
uint64_t check_kinds(const struct cond *c, bool is_negated);
bool check_has_evttype(const struct cond *c, bool is_negated);
bool output_parse(struct load *l, struct rule_info *r, struct rule_output *ret, bool *ret_skip);
