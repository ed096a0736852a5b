/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of C declarations: tokens and constant expressions (ctypes-c-expr.c). */
#pragma once

#include "compile/lang/bpftrace/ctypes-internal.h"

enum c_token_kind { C_END, C_WORD, C_NUMBER, C_STRING, C_PUNCT };

struct c_token {
	enum c_token_kind kind;
	struct str text;
	uint64_t number;
};

struct c_reader {
	struct type_table *t;
	const char *begin, *p, *end;
	struct c_token tok;
	uint32_t file, offset; /* of `begin` in the source, for spans */
	unsigned int depth;
	bool is_quiet; /* nothing is reported */
	bool failed;
};

void c_reader_init(struct c_reader *r, struct type_table *t, struct str text);
void c_next(struct c_reader *r);
bool c_is(const struct c_reader *r, const char *text); /* the token's text */
bool c_take(struct c_reader *r, const char *text);     /* and go on */
/* Record one error of a declaration, at the token. */
void c_error(struct c_reader *r, const char *format, ...) _printf_(2, 3);
/* Behind the bracket that closes the one at the token. */
void c_skip_balanced(struct c_reader *r);
/* A constant expression; false: it is none. */
bool c_expression(struct c_reader *r, int64_t *ret);
/* "unsigned long", "struct foo *": for sizeof and casts; NULL: it is no type. */
const struct type *c_type_name(struct c_reader *r);
bool c_at_type(struct c_reader *r);
