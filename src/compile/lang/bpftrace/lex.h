/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of a text, on demand.
 *
 * bpftrace's language has no tokens that stand by themselves: "/" divides, opens a
 * comment, closes a predicate or belongs to a path, "1s" is a number, "$1" may stand
 * inside a probe's name.  So the parser asks for what it expects at a place, and a place
 * is one byte offset: to look ahead is to save it, to go back is to put it back.
 *
 * Layout is blanks and comments.  Functions that take something skip the layout before it,
 * never the one behind: where a span ends is where the cursor stands.
 */
#pragma once

#include "base/diag/diag.h"

struct lex {
	struct diags *d;
	uint32_t file; /* index of the source, for spans */
	struct str text;
	size_t at;
	unsigned int errors; /* d->errors when it began */
	bool is_over;	     /* gave up: nothing is reported any more */
};

void lex_init(struct lex *l, struct diags *d, uint32_t source);

/* --- looking, the cursor stays */

static inline bool lex_end(const struct lex *l)
{
	return l->at >= l->text.n;
}

/* The byte at an offset; 0 behind the end. */
static inline unsigned char lex_byte(const struct lex *l, size_t at)
{
	return at < l->text.n ? (unsigned char)l->text.p[at] : 0;
}

static inline unsigned char lex_peek(const struct lex *l, size_t ahead)
{
	return lex_byte(l, l->at + ahead);
}

static inline bool lex_has_errors(const struct lex *l)
{
	return l->is_over || l->d->errors > l->errors;
}

/* From `begin` to the cursor. */
static inline struct span lex_span(const struct lex *l, size_t begin)
{
	return (struct span){l->file, (uint32_t)begin, (uint32_t)l->at};
}

bool lex_is_start(unsigned char c); /* of a name */
bool lex_is_body(unsigned char c);
bool lex_is_digit(unsigned char c);
bool lex_is_space(unsigned char c);

size_t lex_after_space(const struct lex *l, size_t at);
size_t lex_after_word(const struct lex *l, size_t at);
/* Behind the bracket that closes the one at `at`; the text's end if none does. */
size_t lex_after_balanced(const struct lex *l, size_t at, char open, char close);
/* The name at the cursor, layout not skipped; n is 0: there is none. */
struct str lex_peek_word(const struct lex *l);
/* Is this word next, behind the layout? */
bool lex_is_word(const struct lex *l, const char *word);

/* --- taking */

void lex_space(struct lex *l);
bool lex_take(struct lex *l, char c);
bool lex_take_word(struct lex *l, const char *word);
/* The same, and an error if it is not there. */
bool lex_expect(struct lex *l, char c);
bool lex_expect_word(struct lex *l, const char *word);
/* A name; n 0 if there is none, with the error `missing` unless that is NULL. */
struct str lex_name(struct lex *l, const char *missing);
/* "$x" at the cursor; "" and an error if no name follows. */
struct str lex_variable(struct lex *l);
/* "@x" at the cursor; "@" alone is a name too. */
struct str lex_map(struct lex *l);
/* A string's value, the cursor on its quote; it lives in the arena. */
struct str lex_string(struct lex *l);
/* A number as it is written, maybe empty. */
struct str lex_number(struct lex *l);

bool word_eq(struct str word, const char *is);
/* Names that are never a type, a macro's parameter or a record's field: pid, arg0, … */
bool word_is_builtin(struct str word);

/* --- saying what is wrong: "syntax: …" */

/* At the word or sign that comes next. */
void lex_error(struct lex *l, const char *format, ...) _printf_(2, 3);
void lex_error_at(struct lex *l, size_t begin, size_t end, const char *format, ...) _printf_(4, 5);
/* The text is too much for us: say so, and go to its end. */
void lex_give_up(struct lex *l, const char *why);

/*
 * What a written number is: 0x10, 0b11, 017, 1_000, 1e6, 5ms, 10ul.  NULL, or what is
 * wrong with it (in the arena).
 */
const char *literal_parse(struct arena *a, struct str text, uint64_t *ret);
