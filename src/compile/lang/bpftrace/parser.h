/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the parser share: parse.c (the top level), parse-stmt.c, parse-expr.c,
 * parse-type.c.  Nobody else includes this.
 *
 * Each function takes what it is named for from the cursor.  After an error it returns
 * something that can be used (EXPR_NONE), so that callers go on; who loops looks at
 * lex_has_errors().
 */
#pragma once

#include "compile/lang/bpftrace/lex.h"
#include "compile/lang/bpftrace/parse.h"
#include "compile/lang/bpftrace/tree.h"

struct parser {
	struct lex lex;
	struct arena *arena;
	unsigned int depth;
	size_t used;				      /* of the arena when it began */
	bool (*is_value)(void *ctx, struct str name); /* NULL: any word may be a type */
	void *ctx;
};

/* Around what recurses; false: too deep, an error was recorded. */
bool parser_enter(struct parser *p);
static inline void parser_leave(struct parser *p)
{
	p->depth--;
}

/* A node from `begin` to the cursor, higher by one than its highest child. */
struct expr *expr_new(struct parser *p, enum expr_kind kind, size_t begin, struct expr *a,
		      struct expr *b, struct expr *c);
/* After items were added: the span to the cursor, the height. */
struct expr *expr_end(struct parser *p, struct expr *e);
/* No expression, at the cursor. */
struct expr *expr_none(struct parser *p);
struct stmt *stmt_new(struct parser *p, enum stmt_kind kind, size_t begin, struct expr *a,
		      struct expr *b);

const char *parser_name(struct parser *p, struct str s);

struct expr *parse_expr(struct parser *p);
struct expr *parse_binary(struct parser *p, int lowest);
/* Binary operators behind an operand that is there. */
struct expr *parse_binary_rest(struct parser *p, int lowest, struct expr *left);
struct expr *parse_unary(struct parser *p);
struct expr *parse_postfix(struct parser *p, struct expr *e);
struct expr *parse_primary(struct parser *p);
/* After "while", "if", "unroll": in parentheses or a bare unary expression. */
struct expr *parse_condition(struct parser *p);
/* @x or @x[key, …] */
struct expr *parse_map(struct parser *p);
struct expr *parse_variable(struct parser *p);

/* { … }; with `has_value` its last expression may be its value.  NULL: an error. */
struct block *parse_block(struct parser *p, bool has_value);
/* A block as an expression, or EXPR_NONE. */
struct expr *parse_block_expr(struct parser *p, bool has_value);

/* int32 *, struct x [4] …; NULL if there is none, with an error if `must`. */
struct type_ref *parse_type(struct parser *p, bool must);
/* A type or typeof(…); NULL: an error was recorded. */
struct type_ref *parse_annotation(struct parser *p);
/* What sizeof takes: sets one of both. */
void parse_type_or_expr(struct parser *p, struct type_ref **ret_ref, struct expr **ret_expr);
