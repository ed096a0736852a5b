/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of bpftrace's language, as a tree.
 *
 * parse.c makes it; expand.c resolves imports, macros, positional parameters and
 * constants; check.c gives every expression its type, every name its declaration, and
 * inserts the casts; lower.c makes IR of it.  Nodes live in the compilation's arena and
 * are changed in place.  Members behind "set by" are empty before that phase.
 *
 * Language: bpftrace 0.27 (docs/language.md, stdlib.md there); docs/trace.md here.
 */
#pragma once

#include "base/diag/diag.h"
#include "catalog/type.h"

/* --- types as written: uint64, struct foo *, string[64], typeof(x), int32*[4] */

struct expr;

enum type_suffix_kind { SUFFIX_POINTER, SUFFIX_ARRAY /* [n]; n −1: [] */ };
struct type_suffix {
	enum type_suffix_kind kind;
	int64_t n;
	struct expr *n_expr; /* size given by an expression (a macro's parameter); NULL */
};

struct type_ref {
	struct span span;
	enum { TAG_NONE, TAG_STRUCT, TAG_UNION, TAG_ENUM } tag;
	const char *name;	  /* NULL: typeof */
	struct expr *of;	  /* typeof(expr); NULL */
	struct type_ref *of_type; /* typeof(type); NULL */
	ARRAY(struct type_suffix) suffixes;
	const struct type *type; /* set by check */
	void *note;		 /* for the phase that owns it */
};

/* --- expressions */

enum expr_kind {
	EXPR_INT, /* integer; also durations, enumerators once resolved */
	EXPR_BOOL,
	EXPR_STRING,
	EXPR_NONE,	  /* no value: an empty trailing expression */
	EXPR_PARAM,	  /* $1; gone after expand */
	EXPR_PARAM_COUNT, /* $#; gone after expand */
	EXPR_IDENT,	  /* a bare word: builtin, enumerator, macro, type: resolved by check */
	EXPR_BUILTIN,	  /* set by check: pid, comm, arg0, … */
	EXPR_CALL,
	EXPR_SIZEOF,	 /* a or type_ref */
	EXPR_OFFSETOF,	 /* (a or type_ref), fields in `path` */
	EXPR_TYPEINFO,	 /* a or type_ref */
	EXPR_COMPTIME,	 /* a */
	EXPR_MAP,	 /* @name as a whole, or the value of a scalar map */
	EXPR_MAP_ACCESS, /* a[b]: a is an EXPR_MAP, b the key (a tuple for several) */
	EXPR_VAR,	 /* $name */
	EXPR_ADDRESS,	 /* &$x, &@x, &@x[k]: a */
	EXPR_BINARY,	 /* a op b */
	EXPR_UNARY,	 /* op a; ++ and -- before or behind */
	EXPR_FIELD,	 /* a.name, a->name */
	EXPR_INDEX,	 /* a[b] */
	EXPR_TUPLE_AT,	 /* a.0: number */
	EXPR_CAST,	 /* (type_ref) a; or made by check: `type` alone */
	EXPR_TUPLE,	 /* items */
	EXPR_RECORD,	 /* items, names */
	EXPR_IF,	 /* a ? b : c and if (a) { b } else { c }: b, c expressions, maybe blocks */
	EXPR_BLOCK,	 /* { statements; expression }: block */
	EXPR_TYPE,	 /* typeof(x) as an argument of a call or a macro: type_ref */
};

enum expr_op {
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_AND,
	OP_OR,
	OP_XOR,
	OP_SHL,
	OP_SHR,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_LAND,
	OP_LOR, /* binary */
	OP_NOT /* ! */,
	OP_BNOT /* ~ */,
	OP_NEG,
	OP_DEREF /* * */,
	OP_PREINC,
	OP_PREDEC,
	OP_POSTINC,
	OP_POSTDEC, /* unary */
};

struct variable; /* a scratch variable: set by check */
struct map_decl; /* a map: set by check */
struct block;
struct macro;

struct expr {
	enum expr_kind kind;
	uint16_t height;     /* of the tree below, blocks counted: parse and expand bound it */
	struct span span;    /* the whole expression */
	struct span op_span; /* the operator, the field's name, a cast's "(type)", a call's name */
	const struct type *type; /* set by check */

	/* literals */
	uint64_t number;  /* INT: magnitude or two's complement; TUPLE_AT: index; PARAM: which */
	bool is_negative; /* INT: made by folding −x: `number` is two's complement */
	bool is_literal_decl; /* INT: has an explicit type (cast folded) */
	struct str text;      /* STRING: escapes resolved, may hold NULs */
	const char *source;   /* INT: as written */

	const char *name; /* IDENT, BUILTIN, CALL, MAP ("@x"), VAR ("$x"), FIELD */
	enum expr_op op;
	struct expr *a, *b, *c;
	struct type_ref *ref;	    /* CAST, SIZEOF, OFFSETOF, TYPEINFO */
	ARRAY(struct expr *) items; /* CALL's arguments, TUPLE, RECORD */
	ARRAY(const char *) names;  /* RECORD: one an item; OFFSETOF: the path of fields */
	struct block *block;	    /* BLOCK */

	/* set by check */
	struct variable *var;
	struct map_decl *map;
	const struct builtin *builtin; /* BUILTIN, CALL: its row */
	const struct type_member
		*member;	/* FIELD; n-th of `members`, found through anonymous ones */
	uint32_t member_offset; /* FIELD: from the start of a's struct, anonymous ones added */
	bool is_arrow;		/* FIELD: `->` was written */
	bool is_comptime;	/* IF: its condition was comptime (check's) */
	bool is_target;		/* MAP, MAP_ACCESS: is assigned to (check's) */
	bool is_bare;		/* CALL: written without parentheses: pid; STRING: a setting */
	bool is_whole;		/* MAP: the map as such, not the value of a scalar one */
	bool is_discarded;	/* its value is not used */
	bool in_predicate;
	int32_t action; /* CALL: index into question.actions, when check or lower made it */
	void *note;	/* for the phase that owns it */
};

/* --- statements */

enum stmt_kind {
	STMT_EXPR,	 /* a; */
	STMT_LET,	 /* let $x[: type] [= a]: var is a, value b */
	STMT_ASSIGN_VAR, /* a = b; a is EXPR_VAR; compound: op, has_op */
	STMT_ASSIGN_MAP, /* a = b; a is EXPR_MAP or EXPR_MAP_ACCESS; compound: op, has_op */
	STMT_DISCARD,	 /* _ = a */
	STMT_IF,	 /* a, block, other (a block or NULL) */
	STMT_WHILE,	 /* a, block */
	STMT_FOR_MAP,	 /* a: EXPR_VAR, b: EXPR_MAP, block */
	STMT_FOR_RANGE,	 /* a: EXPR_VAR, b..c, block */
	STMT_UNROLL,	 /* a: count, block */
	STMT_BREAK,
	STMT_CONTINUE,
	STMT_RETURN, /* a or NULL */
	STMT_BLOCK,  /* block: a scope of its own */
	STMT_IMPORT, /* text */
};

struct stmt {
	enum stmt_kind kind;
	struct span span;
	struct span op_span; /* LET: "let $x"; compound: from the operator to the end */
	uint16_t height;     /* of the trees below */
	bool has_op;
	enum expr_op op; /* of +=, … */
	struct expr *a, *b, *c;
	struct type_ref *ref; /* LET */
	struct block *block, *other;
	struct str text;
	void *note;
};

struct block {
	struct span span;
	uint16_t height; /* of the trees below */
	ARRAY(struct stmt *) stmts;
	struct expr *value; /* the trailing expression; NULL */
	void *scope;	    /* set by check */
};

/* --- the top level */

struct attach_point {
	struct span span;
	const char *source; /* as written, params replaced: "kprobe:tcp_*" */
	const char *name;   /* `name=` before it; NULL */
	/* parts between colons, quotes removed: ["kprobe", "tcp_*"]; provider in its long
	 * form: "k" is "kprobe" (hooks.def) */
	ARRAY(const char *) parts;
	const char *provider;
};

struct probe {
	struct span span;
	ARRAY(struct attach_point *) points;
	struct expr *predicate; /* NULL */
	struct block *block;
	void *note;
};

enum macro_param_kind { MACRO_EXPR, MACRO_VAR, MACRO_MAP };
struct macro_param {
	enum macro_param_kind kind;
	const char *name;
	struct span span;
};
struct macro {
	const char *name;
	struct span span; /* the head: "macro f(a, $b)" */
	ARRAY(struct macro_param) params;
	struct block *block; /* statements, and the value */
};

struct fn_param {
	const char *name; /* "$x" */
	struct type_ref *ref;
	struct span span;
	struct variable *var; /* set by check */
};
struct fn {
	const char *name;
	struct span span;
	ARRAY(struct fn_param) params;
	struct type_ref *result;
	struct block *block;
	const struct type *type; /* of the result: set by check */
	bool always_returns;	 /* set by check */
};

struct map_let { /* let @x = hash(10); */
	const char *name;
	const char *kind; /* "hash", "lruhash", "percpuhash", "percpulruhash" */
	struct expr *n;
	struct span span;
};

struct config_set {
	const char *key;
	struct span span, value_span;
	bool is_number, is_bool; /* is_bool: number is 0 or 1 */
	struct str text;	 /* the value as written, quotes removed */
	uint64_t number;
};

struct import {
	struct str path;
	struct span span;
};

/* #include, #define, struct, union, enum …: text for cdef.c, in order. */
struct c_text {
	struct span span;
	bool is_preprocessor; /* begins with # */
};

struct program {
	uint32_t source; /* the root file */
	ARRAY(struct c_text) c;
	ARRAY(struct config_set) config;
	ARRAY(struct import) imports;
	ARRAY(struct macro *) macros;
	ARRAY(struct fn *) fns;
	ARRAY(struct map_let) lets;
	ARRAY(struct probe *) probes;
};
