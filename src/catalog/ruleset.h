/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule set: what a rules language makes, what is pushed down into the kernel, and what
 * user space evaluates on the records that come up.
 *
 * compile/lang/falco fills it: macros are expanded, lists substituted, exceptions and
 * overrides applied.  compile/rule splits it into deciders (struct question).  event/rule
 * evaluates it exactly.  None of the three knows the others.
 *
 * A check is one comparison, "proc.name in (a, b)".  Equal checks of all rules are one row
 * of `checks`; conditions are trees whose leaves name that row.
 */
#pragma once

#include "base/diag/diag.h"
#include "catalog/rule-field.h"
#include "catalog/wire/rule.h"

enum rule_op {
#define RULE_OP(id, text, values, order, help) RULE_##id,
#include "catalog/rule-ops.def"
#undef RULE_OP
	RULE_OPS
};

enum rule_op_values { RULE_V_NONE, RULE_V_ONE, RULE_V_LIST };
/* Of two numbers: the first is less, equal, greater; a bit each. */
enum rule_order {
	RULE_O_TEXT = 0,
	RULE_O_LESS = 1 << 0,
	RULE_O_EQUAL = 1 << 1,
	RULE_O_LESS_EQUAL = RULE_O_LESS | RULE_O_EQUAL,
	RULE_O_GREATER = 1 << 2,
	RULE_O_OTHER = RULE_O_LESS | RULE_O_GREATER,
	RULE_O_GREATER_EQUAL = RULE_O_GREATER | RULE_O_EQUAL,
	RULE_O_ANY = RULE_O_LESS | RULE_O_EQUAL | RULE_O_GREATER,
};

struct rule_op_info {
	const char *text, *help;
	enum rule_op_values values;
	enum rule_order order;
};
extern const struct rule_op_info rule_op_info[RULE_OPS];

/* "startswith oneof (a, b)": true for exactly one of them; anyof: for any; allof: for all. */
enum rule_quantifier { RULE_Q_NONE, RULE_Q_ONEOF, RULE_Q_ANYOF, RULE_Q_ALLOF };

enum rule_transform {
	RULE_T_TOLOWER,
	RULE_T_TOUPPER,
	RULE_T_B64,	 /* decoded */
	RULE_T_BASENAME, /* what stands behind the last '/' */
	RULE_T_LEN,
	RULE_T_JOIN,   /* join(separator, values…) */
	RULE_T_CONCAT, /* concat(values…) */
	RULE_T_GETOPT, /* getopt(list, optstring)[x] */
	RULE_TRANSFORMS
};
extern const char *const rule_transform_names[RULE_TRANSFORMS];

/* A side of a comparison: a field, a literal, or a transformer over others. */
enum rule_term_kind { RULE_TERM_FIELD, RULE_TERM_LITERAL, RULE_TERM_TRANSFORM };

struct rule_term {
	enum rule_term_kind kind;
	struct rule_field_ref field; /* FIELD */
	struct str text;	     /* LITERAL: as compared; escapes resolved */
	struct rule_literal literal; /* LITERAL: the same, parsed for the type of the left side */
	enum rule_transform transform;
	struct str index; /* GETOPT: "x" of …[x] */
	ARRAY(struct rule_term *) args;
	struct span span;
};

struct rule_check {
	uint32_t id; /* its index in ruleset.checks */
	enum rule_op op;
	enum rule_quantifier quantifier;
	struct rule_term *left;
	ARRAY(struct rule_term *)
	right;		  /* NONE 0, ONE 1, LIST any number: literals, or fields by val() */
	struct span span; /* where it stands first */
};

enum rule_expr_kind { RULE_E_CONST, RULE_E_CHECK, RULE_E_NOT, RULE_E_AND, RULE_E_OR };

struct rule_expr {
	enum rule_expr_kind kind;
	bool value;			/* CONST */
	uint32_t check;			/* CHECK: index */
	ARRAY(struct rule_expr *) args; /* NOT 1; AND, OR 2 or more */
	struct span span;
};

/* A piece of an output: text, or a field; transformers may stand around it. */
struct rule_piece {
	struct str text;	/* when term is NULL */
	struct rule_term *term; /* FIELD or TRANSFORM */
	struct str as;		/* its key in JSON's output_fields: "proc.aname[2]" */
	uint32_t width;		/* %10proc.name: cut or filled to so many bytes; 0: as it is */
};
struct rule_output {
	struct str text;     /* as written */
	bool allows_missing; /* leading '*': printed even if a field has no value */
	ARRAY(struct rule_piece) pieces;
	struct span span;
};

enum rule_priority {
	RULE_EMERGENCY,
	RULE_ALERT,
	RULE_CRITICAL,
	RULE_ERROR,
	RULE_WARNING,
	RULE_NOTICE,
	RULE_INFO,
	RULE_DEBUG
};
/* "Emergency" … "Informational", "Debug", as Falco prints them. */
extern const char *const rule_priority_names[RULE_DEBUG + 1];

/* skep's own: `tests:` of a rule; Falco leaves the key out with a warning. */
struct rule_test {
	const char *name;
	const char *run;    /* a command for sh -c; NULL: `replay` */
	const char *replay; /* a recording, by its path beside the rule file */
	bool expects;	    /* an alert of this rule; false: none of it */
	const char *needs;  /* "kernel", "container", "root", several with blanks; NULL: nothing */
	const char *output; /* a piece of text that the alert's line must have; NULL */
	struct span span;
};

struct rule {
	uint32_t id; /* index in ruleset.rules: its bit in wire_annex.may; enabled ones only */
	const char *name, *desc;
	struct str condition; /* as written, with appended parts */
	struct rule_expr *expr;
	struct rule_output output;
	enum rule_priority priority;
	ARRAY(const char *) tags;
	const char *source; /* "syscall" */
	bool enabled;
	bool warn_evttypes;
	bool skip_if_unknown; /* skip-if-unknown-filter */
	uint64_t kinds;	      /* bit k: records of kind k can match (superset) */
	ARRAY(struct rule_test) tests;
	struct span span; /* of its name */
};

/* For lists, explain, and nothing else. */
struct rule_macro {
	const char *name;
	struct str condition;
	bool is_used;
	struct span span;
};
struct rule_list {
	const char *name;
	ARRAY(struct str) items;
	bool is_used;
	struct span span;
};

struct ruleset {
	struct arena arena; /* owns all below */
	struct diags diags; /* of the rule files; arena is the same */
	ARRAY(struct rule_check *) checks;
	ARRAY(struct rule *) rules;    /* enabled ones, in file order: index is `id` */
	ARRAY(struct rule *) disabled; /* id UINT32_MAX */
	ARRAY(struct rule *) skipped;  /* skip-if-unknown-filter, foreign sources: not evaluated */
	ARRAY(struct rule_macro *) macros;
	ARRAY(struct rule_list *) lists;
	uint64_t kinds; /* of all rules */
	bool match_all; /* rule_matching: all; else only the first that matches fires */
	bool wants_env; /* some check or output reads proc.env */
	uint32_t generation;
};

void ruleset_init(struct ruleset *rs);
void ruleset_done(struct ruleset *rs);

/* "proc.name in (a, b)": a check as text, for explain and messages. */
void rule_check_print(const struct rule_check *c, struct buf *to);
void rule_expr_print(const struct ruleset *rs, const struct rule_expr *e, struct buf *to);
/* The row of `checks` that is equal to `c`, made if there is none (c is copied shallowly). */
uint32_t ruleset_check(struct ruleset *rs, const struct rule_check *c);
