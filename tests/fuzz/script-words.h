/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts as words and as trees, for tests/fuzz/script-mutate.c. */
#pragma once

#include "base/str.h"

enum { WORDS = 2048 };

enum class {
	CLASS_NAME,
	CLASS_NUMBER,
	CLASS_STRING,
	CLASS_VARIABLE,
	CLASS_MAP,
	CLASS_SIGN,
	CLASS_SEPARATOR,
	CLASS_OPEN,
	CLASS_CLOSE,
};

struct word {
	struct str text, gap; /* borrowed: of the input, or of a table here */
	enum class class;
	size_t pair; /* of a bracket: its partner; of others, and if there is none: itself */
};

struct words {
	struct word p[WORDS];
	size_t n;
};

struct piece {
	size_t begin, end;
};

/* How much of what is around a word: what operators, commas or semicolons separate, or a
 * bracket. */
enum level { LEVEL_OPERAND, LEVEL_ELEMENT, LEVEL_STATEMENT, LEVEL_BRACKET, LEVELS };

/* False: too many. */
bool words_cut(struct words *l, const uint8_t *data, size_t n);
/* 0: no room. */
size_t words_join(const struct words *l, uint8_t *out, size_t room);
/* Sets `pair` of all; for whoever changed `p`. */
void words_match(struct words *l);

/* Behind the last; what is too much is left out. */
void words_push(struct words *l, struct word w);
void words_copy(struct words *to, const struct words *from, struct piece what);

/* The bracket around a word; SIZE_MAX: there is none. */
size_t words_outside(const struct words *l, size_t at);
/* What a word stands in; begin == end: nothing. */
struct piece words_piece(const struct words *l, size_t at, enum level level);

/* The word at *at, which is not in a gap and not at the end; *at comes behind its gap. */
struct word word_next(struct str t, size_t *at);
bool word_is(const struct word *w, const char *what);
