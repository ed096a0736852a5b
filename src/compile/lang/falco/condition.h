/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of conditions.
 *
 * As the EBNF in the parser of falcosecurity/libs (userspace/libsinsp) has it:
 *
 *	expr   = and { "or" and }
 *	and    = not { "and" not }
 *	not    = { "not" } check
 *	check  = "(" expr ")" | macro | term operator
 *	term   = field [ "[" argument "]" ] | transformer "(" … ")"
 *
 * "or", "and" and "not" need a blank or a parenthesis behind them.  A word without a dot is
 * a macro.  What is not looked at here: if fields exist, and if their types go with the
 * operator (check.c).
 */
#pragma once

#include "compile/lang/falco/load.h"

struct parser {
	struct load *l;
	const struct item *item; /* whose condition it is, for findings */
	const struct text *text;
	struct str s; /* the same bytes */
	size_t at;
	unsigned int depth;
	bool has_failed;  /* the first error is reported; no other */
	const char **why; /* set: errors are not reported, but put here */
};

/* A tree; NULL: an error was reported. */
struct cond *condition_parse(struct load *l, const struct item *item, const struct text *text);

/*
 * Of an output: a field or transformer at the begin of text[from …].  NULL: none, nothing is
 * reported but in *ret_why; *ret_end is behind it.
 */
struct rule_term *condition_term(struct load *l, const struct text *text, size_t from,
				 size_t *ret_end, const char **ret_why);

/* --- inside the parser: condition-lex.c, condition-term.c, condition.c */

bool lex_blank(struct parser *p); /* passes blanks; true: there was one */
bool lex_is(const struct parser *p, const char *word);
bool cond_take(struct parser *p, const char *word);
/* The word itself, no longer one; passes it. */
bool lex_word(struct parser *p, const char *word);
size_t lex_identifier(struct str s); /* bytes of it; 0: there is none */
size_t lex_field(struct str s);
size_t cond_number(struct str s);
size_t lex_bare(struct str s);
struct str lex_rest(const struct parser *p);
struct span lex_span(const struct parser *p, size_t begin);
/* What stands there, to be named in a message: one word. */
struct span lex_here(const struct parser *p);
/* A quoted string with its escapes resolved, in the rule set's arena. */
bool lex_quoted(struct parser *p, struct str *ret);

/* Report the first error of a condition; NULL, for return. */
void *parse_fail(struct parser *p, struct span span, const char *format, ...) _printf_(3, 4);
bool parse_deeper(struct parser *p);

/* NULL without a report: it begins with neither field nor transformer. */
struct rule_term *parse_term(struct parser *p);
/* A field or transformer on the right of an operator: val(field), tolower(…). */
struct rule_term *parse_right_term(struct parser *p);
struct rule_term *parse_literal(struct parser *p); /* quoted or bare; NULL: neither */
struct rule_term *parse_number(struct parser *p);
