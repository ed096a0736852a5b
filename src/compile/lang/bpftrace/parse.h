/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From text to tree.
 *
 * A recursive descent parser over a lexer (lex.h).  Where a diagnostic of bpftrace's own
 * underlines one token (an operator, a name), op_span has it; `span` is always the whole.
 */
#pragma once

#include "compile/lang/bpftrace/ast.h"

/* Parse source `source` of `d`.  NULL: at least one error was recorded. */
struct program *parse_program(struct diags *d, uint32_t source);
/* One expression, for #define and tests; NULL: errors were recorded. */
struct expr *parse_expression(struct diags *d, uint32_t source);
/* The same; a name in parentheses is no type if `is_value` says that it is a value. */
struct expr *parse_expression_where(struct diags *d, uint32_t source,
				    bool (*is_value)(void *ctx, struct str name), void *ctx);
/* The tree as text, for --dump=ast and golden tests: one node a line, indented. */
void ast_print(const struct program *p, struct buf *to);
