/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the checker share.
 *
 * The checker works in rounds.  A round walks the tree once and notes *rules*: "the type
 * of this expression follows from the types of those".  A *slot* is what has a type that
 * is looked for: an expression, a variable, a map's key, a map's value.  Literals and
 * builtins fill their slots at once; each slot that is filled or changes wakes the rules
 * that read it, first come first served, until nothing changes.  The order matters: it
 * decides which of two contradicting places is reported, and it is bpftrace's.
 *
 * Types only grow (int8 → int64, string[3] → string[7]), so this ends.
 *
 * After a round sizeof, offsetof, typeinfo and comptime become literals; if any did, code
 * may have appeared or gone, and another round begins.  What such a question has looked at
 * is *locked*: later rounds must not change its type.
 *
 * Then casts are inserted (check-cast.c) and what is left to be asked is asked
 * (check-final*.c).
 */
#pragma once

#include "base/map.h"
#include "compile/lang/bpftrace/attach.h"
#include "compile/lang/bpftrace/check.h"
#include "compile/lang/bpftrace/ctypes.h"
#include "compile/lang/bpftrace/expand.h"

struct check;
struct rule;

struct slot {
	const struct type *type; /* &type_none: not known yet */
	uint32_t round;		 /* of which it is; older ones count as empty */
	ARRAY(struct rule *) users;
};

struct rule {
	struct slot *out;
	/* The new type of `out`; &type_none: no change.  Inputs are all known. */
	const struct type *(*resolve)(struct check *c, const struct rule *r);
	struct slot **in;
	unsigned int n_in;
	bool is_queued;
	struct expr *e; /* what it is about, for the function and for messages */
	struct stmt *s;
	struct type_ref *ref;
	struct map_info *map;
	struct var_info *var;
	const struct checked_probe *probe; /* NULL: in an fn */
};

struct var_info {
	struct variable v; /* first: struct variable * is cast to this */
	struct slot slot;
	enum { ORIGIN_LET, ORIGIN_ASSIGN, ORIGIN_PARAM, ORIGIN_LOOP } origin;
	struct span origin_span;
	bool was_assigned;
	bool is_sized;		   /* declared with a type that has a size: it stays */
	bool is_asked;		   /* its type was asked for in this round */
	const struct type *locked; /* by an earlier round; NULL */
	unsigned int depth;	   /* of loops' bodies around its declaration */
	struct var_info *same;	   /* of the scope, and of the same hash */
};

struct map_info {
	struct map_decl d; /* first */
	struct slot key, value;
	bool is_known, is_scalar; /* how it was used first */
	bool is_stepped;	  /* by ++, --, += … */
	bool is_written;	  /* by an assignment */
	bool is_asked;
	bool is_signed_series; /* tseries() of a signed number */
	const struct type *locked_key, *locked_value;
	const struct type *agg_argument; /* of sum() and its like so far */
	const struct expr *agg_call;	 /* the first hist(), lhist(), tseries() */
	const struct map_let *let;
	struct map_info *same; /* of the same hash */
};

struct scope {
	struct scope *outer;
	ARRAY(struct var_info *) vars;
	struct map names; /* hash of the name → var_info */
};

struct check {
	struct question *q;
	struct diags *d;
	struct arena *a;
	struct program *p;
	const struct check_options *o;
	struct checked *ret;
	struct type_table *tt;

	/* where the walk is */
	const struct checked_probe *probe; /* NULL: in an fn */
	struct fn *fn;
	struct scope *scope;
	unsigned int loops; /* depth of loops: bodies of for (check-vars.c), all (check-final.c) */
	unsigned int meta;  /* within sizeof, typeof …: nothing is evaluated */

	/* the round */
	uint32_t round;
	ARRAY(struct slot *) seeds;
	ARRAY(struct rule *) queue;
	size_t queue_head;
	ARRAY(struct expr *) comptimes;	    /* not resolved in this round */
	ARRAY(struct expr *) old_comptimes; /* in the one before */
	bool has_changed;		    /* a literal appeared after the round */

	ARRAY(struct var_info *) vars;
	size_t first_var; /* of the probe at hand, in `vars` */
	ARRAY(struct map_info *) maps;
	struct map map_names; /* hash of the name → map_info */
};

static inline struct var_info *var_of(struct variable *v)
{
	return (struct var_info *)v;
}

static inline struct map_info *map_of(struct map_decl *m)
{
	return (struct map_info *)m;
}

/* What can be done with a loop over all checked trees: probes, then fns. */
typedef void (*check_tree_fn)(struct check *c, struct block *b, struct probe *p);
void check_each_tree(struct check *c, check_tree_fn fn);

/* --- check-visit.c: every expression and statement, children first */
struct visit {
	void *ctx;
	/* NULL, or called before the children; false: leave them out */
	bool (*enter_expr)(struct visit *w, struct expr *e);
	void (*expr)(struct visit *w, struct expr *e);
	bool (*enter_stmt)(struct visit *w, struct stmt *s);
	void (*stmt)(struct visit *w, struct stmt *s);
};
void visit_expr(struct visit *w, struct expr *e);
void visit_stmt(struct visit *w, struct stmt *s);
void visit_block(struct visit *w, struct block *b);
void visit_probe(struct visit *w, struct probe *p); /* predicate and block */

/* --- check-whole.c: structs that are shown as a whole */
void check_whole(struct check *c);

/* --- check-flow.c: return, break, continue, exit() */
void check_flow(struct check *c);

/* --- check-names.c: what words mean */
void check_names(struct check *c);
struct map_info *map_info_get(struct check *c, const char *name, struct span span);
/* A call to count(), hist() … that is the value of this expression; NULL */
struct expr *agg_call_in(struct expr *e);
/* --- check-native.c: builtins that are short for something, and where they may be used */
void check_natives(struct check *c);
/* --- check-vars.c: declarations, scopes */
void check_variables(struct check *c);

/* --- check-solve.c */
struct slot *slot_expr(struct check *c, struct expr *e);
struct slot *slot_ref(struct check *c, struct type_ref *r);
const struct type *slot_type(struct check *c, struct slot *s);
const struct type *expr_type(struct check *c, struct expr *e); /* of its slot */
void slot_set(struct check *c, struct slot *s, const struct type *t);
struct rule *rule_add(struct check *c, struct slot *out,
		      const struct type *(*resolve)(struct check *, const struct rule *),
		      struct expr *e, struct slot *const *in, unsigned int n);
void rule_pass(struct check *c, struct slot *from, struct slot *to);
static inline const struct type *rule_in(struct check *c, const struct rule *r, unsigned int i)
{
	return slot_type(c, r->in[i]);
}
void check_solve(struct check *c);

/* --- check-infer*.c: rules */
void infer_program(struct check *c);
void infer_expr(struct check *c, struct expr *e);
void infer_block(struct check *c, struct block *b);
void infer_ref(struct check *c, struct type_ref *r);
void infer_call(struct check *c, struct expr *e);
void infer_agg_call(struct check *c, struct expr *e, struct map_info *m);
void infer_binary(struct check *c, struct expr *e);
void infer_unary(struct check *c, struct expr *e);
void infer_cast(struct check *c, struct expr *e);
void infer_field(struct check *c, struct expr *e);
void infer_index(struct check *c, struct expr *e);
/* The type that `t` makes of a variable, map value or key; reports a mismatch. */
const struct type *var_takes(struct check *c, struct var_info *v, const struct type *t,
			     struct span span);
const struct type *map_value_takes(struct check *c, struct map_info *m, const struct type *t,
				   struct span span);
const struct type *map_key_takes(struct check *c, struct map_info *m, const struct type *t,
				 struct span span);

/* --- check-literal.c: sizeof and its like become literals */
bool expr_is_literal(const struct expr *e);
void check_literals(struct check *c); /* sets has_changed */

/* --- check-cast.c */
void check_casts(struct check *c);
/* Make `e` of type `to`; false: it cannot be. */
bool cast_to(struct check *c, struct expr *e, const struct type *to);

/* --- check-final*.c */
void check_final(struct check *c);
void check_final_call(struct check *c, struct expr *e);
void check_final_cast(struct check *c, struct expr *e);
/* --- check-format.c: the format of printf() & co. against its values */
void check_format(struct check *c, struct expr *call);
/* printf at compile time, for fail(): arguments are literals */
const char *format_literals(struct check *c, struct expr *call);
/* --- check-call-count.c: numbers of arguments, literals, kinds of probes */
void check_calls(struct check *c);

/* --- check-type.c */
static inline bool is_integer(const struct type *t)
{
	return t->kind == TYPE_INT || t->kind == TYPE_ENUM;
}
static inline bool is_string(const struct type *t)
{
	return t->kind == TYPE_STRING || t->kind == TYPE_STRERROR || t->kind == TYPE_SIGNAL ||
	       t->kind == TYPE_SYSCALL;
}
uint32_t string_size(const struct type *t); /* 64 for what is shown as text */
/* Aggregations that can be read as one number: count, sum, min, max, avg. */
static inline bool is_castable(const struct type *t)
{
	return t->kind >= TYPE_COUNT && t->kind <= TYPE_AVG;
}
/* … whose values take several keys: hist, lhist, tseries. */
static inline bool is_multi(const struct type *t)
{
	return t->kind >= TYPE_HIST && t->kind <= TYPE_TSERIES;
}
bool is_byte_array(const struct type *t);
bool type_compatible(const struct type *a, const struct type *b);
bool type_fits(const struct type *t, const struct type *into);
/* What takes both; NULL: nothing does.  `now` may be &type_none. */
const struct type *type_promote(struct check *c, const struct type *now, const struct type *t);
const struct type *type_of_number(uint64_t n); /* smallest signed, sign flexible */
const struct type *type_of_negative(int64_t n);
const struct type *type_in_space(struct check *c, const struct type *t, unsigned int space);
const struct type *type_with_ctx(struct check *c, const struct type *t, bool is_ctx);
struct type *type_copy(struct check *c, const struct type *t);
const char *type_str(struct check *c, const struct type *t); /* for messages */
const char *kind_str(const struct type *t);
/* "Did you mean": under the last message, if one of these (NULL at the end) is near. */
bool hint_near(struct check *c, const char *typed, const char *const *names);
/* The nearest member of a struct or record, or all if they are few. */
void hint_member(struct check *c, const struct type *t, const char *name);
const char *op_text(enum expr_op op);
/* Address space of addresses in this kind of probe. */
enum type_space probe_space(const struct checked_probe *p);
const char *probe_provider(const struct checked_probe *p); /* "kprobe"; NULL: in an fn */
bool is_provider(const struct checked_probe *p, const char *const *names);
