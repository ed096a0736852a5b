/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of trees without their types; copies are in expand.h. */
#pragma once

#include "compile/lang/bpftrace/ast.h"

enum {
	HEIGHT_MAX = 400,	 /* of nesting in a text, and of trees */
	TREE_MAX = 64 * 1048576, /* bytes of nodes that copying may make: a ?: b, macros */
};

/* Set `height` from the children's. */
void expr_measure(struct expr *e);
void stmt_measure(struct stmt *s);
void block_measure(struct block *b);

/* An expression as a statement: if and blocks become statements of their own. */
struct stmt *stmt_of_expr(struct arena *a, struct expr *e);
/* Nobody wants the block's value: it becomes its last statement. */
void block_drop_value(struct arena *a, struct block *b);

/*
 * A walk over all expressions, sizes of types and typeof() included.  `enter` gets the
 * place of each before its children and says whether to go into them; `leave` gets it
 * after them; `stmt` gets each statement before what is in it.  All may be NULL.
 */
struct walk {
	bool (*enter)(struct walk *w, struct expr **at);
	void (*leave)(struct walk *w, struct expr **at);
	void (*stmt)(struct walk *w, struct stmt *s);
	void (*left_stmt)(struct walk *w, struct stmt *s);
	void (*left_block)(struct walk *w, struct block *b);
	void *ctx;
};
void walk_expr(struct walk *w, struct expr **at);
void walk_ref(struct walk *w, struct type_ref *ref);
void walk_block(struct walk *w, struct block *b);
/* Functions and probes; macros too if asked. */
void walk_program(struct walk *w, struct program *p, bool macros);
